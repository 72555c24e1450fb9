/* spool: sealed originals on local disk between acceptance and the end of the job.
 *
 * One file a job, named by it. A file without a row in the ledger is the rest of an upload that was
 * never acknowledged; the sweep at start removes it. All disk work is done on the thread pool;
 * calls and callbacks are on the loop's thread.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_SPOOL_H
#define PL_ENGINE_CORE_SPOOL_H

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/base/seal.h"
#include "engine/net/loop.h"

struct pl_spool;
struct pl_spool_writer;

/* The folder must exist and belong to this process. PL_MISCONFIGURED with a sentence. */
pl_status pl_spool_new(struct pl_loop *loop, const struct pl_log *log, const char *folder,
                       struct pl_spool **out, struct pl_fault *fault) PL_MUST_USE;
/* No writer may be open. */
void pl_spool_free(struct pl_spool *spool);

/* Free bytes of the file system for this process, and whether an upload of `bytes` (UINT64_MAX:
 * not known) would leave `reserve_bytes`. PL_OK, PL_NO_SPACE, PL_IO_ERROR. */
pl_status pl_spool_has_room(const struct pl_spool *spool, uint64_t bytes,
                            uint64_t reserve_bytes) PL_MUST_USE;

/* What a finished upload is. */
struct pl_spool_result {
    uint64_t bytes; /* plaintext */
    uint8_t sha256[PL_SHA256_BYTES];
};

struct pl_spool_watcher {
    /* After pl_spool_write answered false: more can be taken. */
    void (*on_drain)(void *owner);
    /* Once: the file is on stable storage (PL_OK), or nothing of it is left. The writer is gone.
     * After pl_spool_end, or as soon as an error is known; never from inside a call. */
    void (*on_end)(void *owner, pl_status status, const struct pl_spool_result *result);
    void *owner;
};

/* Opens nothing yet: the first block that is full, or the end, does. The key is copied. */
pl_status pl_spool_begin(struct pl_spool *spool, const struct pl_id *job,
                         const struct pl_seal_key *key,
                         const uint8_t context[PL_SEAL_CONTEXT_BYTES],
                         const struct pl_spool_watcher *watcher,
                         struct pl_spool_writer **out) PL_MUST_USE;
/* Copies all of it. False: enough for now, wait for on_drain, or for on_end with an error. */
bool pl_spool_write(struct pl_spool_writer *writer, const void *data, size_t size);
/* Seals the rest, fdatasync, fsync of the folder; then on_end. */
void pl_spool_end(struct pl_spool_writer *writer);
/* Throws the upload away, at any time before on_end; no callback comes any more. */
void pl_spool_abort(struct pl_spool_writer *writer);

/* A descriptor of a job's original, or -1 with *status NOT_FOUND, IO_ERROR or BUSY. Blocks for an
 * open(2) only. */
int pl_spool_open_job(const struct pl_spool *spool, const struct pl_id *job, pl_status *status);
/* Removes a job's original, in the background; it need not be there. */
void pl_spool_remove(struct pl_spool *spool, const struct pl_id *job);

/* True for a job that the ledger knows and whose original must stay. */
typedef bool pl_spool_keep_fn(void *owner, const struct pl_id *job);
/* At start, before any writer: removes what `keep` refuses. Returns the number removed. */
unsigned pl_spool_sweep(struct pl_spool *spool, pl_spool_keep_fn *keep, void *owner);

#endif
