/* status: what a call can answer, who must act on it, and the fault that carries the sentence.
 *
 * A status is a row of one table. Its blame is all that the dispatcher reads; its HTTP code is all
 * that a door reads. A fault adds the sentence for the person who must act, written once, where
 * it happened.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_STATUS_H
#define PL_ENGINE_BASE_STATUS_H

#include "engine/base/check.h"

/* Who must act: nobody, we later (with backoff), the sender (never retried), an operator. */
enum pl_blame { PL_BLAME_NONE, PL_BLAME_RETRY, PL_BLAME_INPUT, PL_BLAME_OPERATOR };

/* clang-format off */
/*    row              name               blame     HTTP  text */
#define PL_STATUS_TABLE(X)                                                                         \
    X(OK,              ok,                NONE,     200, "done")                                   \
    X(NO_MEMORY,       no_memory,         RETRY,    503, "out of memory")                          \
    X(BUSY,            busy,              RETRY,    503, "too much at once, try again")            \
    X(TIMED_OUT,       timed_out,         RETRY,    408, "deadline passed")                        \
    X(STOPPING,        stopping,          RETRY,    503, "the engine is stopping")                 \
    X(WORKER_DIED,     worker_died,       RETRY,    500, "a worker process died")                  \
    X(STORE_DOWN,      store_down,        RETRY,    503, "object store does not answer")           \
    X(LEASE_LOST,      lease_lost,        RETRY,    409, "another attempt owns this job")          \
    X(BAD_REQUEST,     bad_request,       INPUT,    400, "request cannot be understood")           \
    X(UNAUTHENTICATED, unauthenticated,   INPUT,    401, "who are you?")                           \
    X(DENIED,          denied,            INPUT,    403, "not allowed")                            \
    X(NOT_FOUND,       not_found,         INPUT,    404, "no such thing")                          \
    X(CONFLICT,        conflict,          INPUT,    409, "already there, or changed meanwhile")    \
    X(KEY_REUSED,      key_reused,        INPUT,    422, "this key stands for another request")      \
    X(TOO_MANY,        too_many,          RETRY,    429, "too much at once from one sender")         \
    X(OVER_QUOTA,      over_quota,        INPUT,    507, "over the quota of this day")               \
    X(TOO_LARGE,       too_large,         INPUT,    413, "over a limit")                           \
    X(UNSUPPORTED,     unsupported,       INPUT,    415, "kind of document not supported")         \
    X(BAD_DOCUMENT,    bad_document,      INPUT,    422, "document cannot be read")                \
    X(NEEDS_INTERPRETER, needs_interpreter, OPERATOR, 500, "only an interpreter can read this")    \
    X(PEER_GONE,       peer_gone,         INPUT,    400, "the sender went away before the end")    \
    X(NO_SPACE,        no_space,          OPERATOR, 507, "no space left")                          \
    X(IO_ERROR,        io_error,          OPERATOR, 500, "reading or writing failed")              \
    X(TAMPERED,        tampered,          OPERATOR, 500, "sealed bytes fail their authentication") \
    X(MISCONFIGURED,   misconfigured,     OPERATOR, 500, "configuration is wrong")                 \
    X(BAD_RESULT,      bad_result,        OPERATOR, 500, "a result is not what it claims to be")   \
    X(UNAVAILABLE,     unavailable,       OPERATOR, 503, "a part of the machine is not usable")
/* clang-format on */

#define PL_STATUS_ENUM(row, name, blame, http, text) PL_##row,
typedef enum pl_status { PL_STATUS_TABLE(PL_STATUS_ENUM) PL_STATUS_COUNT } pl_status;
#undef PL_STATUS_ENUM

/* Lower-case name of a row ("bad_document"), as logs, metrics and the ledger show it. */
const char *pl_status_name(pl_status status);

/* The general sentence of a row, for when no fault carries a better one. */
const char *pl_status_text(pl_status status);

enum pl_blame pl_status_blame(pl_status status);
int pl_status_http(pl_status status);

/* The row whose name is `name`; false when there is none. */
bool pl_status_parse(const char *name, pl_status *out);

/* The status that an errno of a file operation stands for (ENOSPC, EDQUOT: NO_SPACE; ENOMEM ...).
 */
pl_status pl_status_from_errno(int error);

#define PL_FAULT_CHARS 320

/* What went wrong, in a sentence for the person who can act. Zero-initialised: nothing wrong. */
struct pl_fault {
    pl_status status;
    char reason[PL_FAULT_CHARS];
};

/* Writes status and sentence (as pl_text_sanitize leaves it: UTF-8, one line, cut between two
 * characters at PL_FAULT_CHARS - 1 bytes) and returns the status, so that
 * `return pl_fault_set(fault, PL_TOO_LARGE, "page %u ...", n)` reads as one step. The first
 * fault wins: one that is set already is kept. `fault` may be NULL. */
pl_status pl_fault_set(struct pl_fault *fault, pl_status status, const char *format, ...)
    PL_PRINTF(3, 4);

#endif
