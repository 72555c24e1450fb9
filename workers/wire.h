/* wire: the frames that the engine and a worker exchange, one packet each.
 *
 *   engine  SETUP ------------------> worker   before the sandbox: what it may use up
 *           <------------------ HELLO          the sandbox is on; what it consists of
 *           RUN + descriptors ------>          one job: keys, contexts, plan
 *           <--------------- PROGRESS *        pages done, at any time
 *           <------------------- OPEN          where does document n go (the first came with RUN)
 *           FILE + descriptor ------>          there
 *           <----------------- LEDGER *        its page ledger, in pieces
 *           <--------------- DOCUMENT          it is whole; the next OPEN may follow
 *           <----------------- REPORT          the verdict; the next RUN may follow
 *
 * A frame is "PW", version, kind, then fixed fields in big-endian order; texts carry a 32-bit
 * length. The parser is pure and strict: a wrong length, an unknown kind, a value out of range or
 * a byte too many is PL_BAD_REQUEST. The engine parses with it what a worker says that may have
 * been taken over by a document.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_WIRE_H
#define PL_WORKERS_WIRE_H

#include "engine/base/bytes.h"
#include "engine/core/runner.h"

#define PL_WIRE_FRAME_BYTES ((size_t)65536)
#define PL_WIRE_LEDGER_BYTES ((size_t)32768)   /* of one piece */
#define PL_WIRE_LEDGER_TOTAL ((size_t)4 << 20) /* of all documents of one job */
#define PL_WIRE_FILES (PL_RUN_INPUTS + 1)

enum pl_wire_kind {
    PL_WIRE_SETUP = 1,
    PL_WIRE_HELLO,
    PL_WIRE_RUN,
    PL_WIRE_PROGRESS,
    PL_WIRE_OPEN,
    PL_WIRE_FILE,
    PL_WIRE_LEDGER,
    PL_WIRE_DOCUMENT,
    PL_WIRE_REPORT,
};

/* What a worker may use up in its life, and in one job. */
struct pl_wire_setup {
    uint32_t threads;
    uint64_t memory_bytes;
    uint64_t cpu_ms; /* of the whole process: a backstop behind the engine's own count */
    uint64_t output_bytes;
};

/* What the sandbox consists of on this kernel. */
struct pl_wire_hello {
    uint8_t landlock_abi; /* 0: the kernel has none */
    bool seccomp;
    bool mdwe;    /* no memory becomes executable any more (PR_SET_MDWE) */
    bool widened; /* a sanitizer's build */
};

struct pl_wire_file {
    bool sealed;
    uint64_t size; /* as it lies there; 0 for a document */
    struct pl_seal_key key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
};

/* Inputs stand in files[0..input_count), the first document in files[input_count]; descriptors
 * travel in the same order. Holds keys: wipe it. */
struct pl_wire_run {
    struct pl_id job;
    struct pl_id tenant;
    struct pl_run_limits limits;
    size_t input_count;
    struct pl_wire_file files[PL_WIRE_FILES];
    struct pl_span plan;
};

struct pl_wire_progress {
    uint32_t done;
    uint32_t total;
};

/* The answer to OPEN. One that is no file carries the fault, and no descriptor. */
struct pl_wire_place {
    uint32_t n;
    struct pl_fault fault;
    struct pl_wire_file file; /* holds a key: wipe it */
};

struct pl_wire_document {
    uint32_t n;
    struct pl_run_output output; /* page_ledger.size: of all pieces since the last DOCUMENT */
};

struct pl_wire_frame {
    enum pl_wire_kind kind;
    union {
        struct pl_wire_setup setup;
        struct pl_wire_hello hello;
        struct pl_wire_run run;
        struct pl_wire_progress progress;
        uint32_t open; /* n */
        struct pl_wire_place place;
        struct pl_span ledger;
        struct pl_wire_document document;
        struct pl_run_report report; /* outputs NULL, their number in summary.documents */
    } as;
};

/* Spans of the frame point into data. PL_BAD_REQUEST; *out is then undefined and to be wiped. */
pl_status pl_wire_parse(const uint8_t *data, size_t size, struct pl_wire_frame *out) PL_MUST_USE;
/* Appends the frame. PL_NO_MEMORY; PL_TOO_LARGE when it breaks a bound above or the buffer's. */
pl_status pl_wire_write(const struct pl_wire_frame *frame, struct pl_bytes *out) PL_MUST_USE;

#endif
