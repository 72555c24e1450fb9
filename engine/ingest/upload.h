/* upload: the common way in for all doors: admission, spool, ledger, dispatcher.
 *
 *   begin -> on_ready -> write* -> end -> on_accepted
 *   on_refused at any step before on_accepted; abort at any step, then nothing is called.
 *
 * on_accepted means: sealed bytes and ledger row are on stable storage. Only then may a door send
 * the reply that makes a device forget its scan. An upload that is refused or aborted leaves
 * nothing behind, and so does one that was taken before (resend.h).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_INGEST_UPLOAD_H
#define PL_ENGINE_INGEST_UPLOAD_H

#include "engine/core/core.h"

struct pl_upload;

/* Who sends what to where. All is copied. */
struct pl_upload_origin {
    struct pl_id tenant;
    struct pl_id device;
    struct pl_span drop;
    struct pl_span name; /* any bytes: data, never a path */
    uint64_t bytes;      /* as announced; UINT64_MAX: not known */
    const char *key;     /* what the sender says stands for this request (resend.h); or NULL */
};

struct pl_upload_receipt {
    struct pl_id job;
    const char *name; /* sanitised; borrowed until on_accepted returns */
    const char *pipeline;
    uint64_t bytes;
    uint8_t sha256[PL_SHA256_BYTES];
    int64_t received_ms;
    enum pl_job_state state;
    bool duplicate; /* it was taken before, as this job: nothing new was made */
};

struct pl_upload_watcher {
    void (*on_ready)(void *owner);
    void (*on_drain)(void *owner);
    void (*on_accepted)(void *owner, const struct pl_upload_receipt *receipt);
    /* The upload is gone. NOT_FOUND: no such drop. KEY_REUSED: see resend.h. */
    void (*on_refused)(void *owner, const struct pl_fault *fault);
    void *owner;
};

/* NULL when memory is out; else on_ready or on_refused follows, not before this returns. */
struct pl_upload *pl_upload_begin(struct pl_core *core, const struct pl_upload_origin *origin,
                                  const struct pl_upload_watcher *watcher);
/* False: wait for on_drain before writing more. Past the largest upload, past what was announced,
 * or when the disk has no room for more, the rest is thrown away and pl_upload_end refuses. */
bool pl_upload_write(struct pl_upload *upload, const void *data, size_t size);
/* `expected` is the SHA-256 that the sender promised, or NULL. */
void pl_upload_end(struct pl_upload *upload, const uint8_t *expected);
void pl_upload_abort(struct pl_upload *upload);
/* PL_OK; else pl_upload_end will refuse with this fault, and the door need not wait for it. */
pl_status pl_upload_verdict(const struct pl_upload *upload, struct pl_fault *fault) PL_MUST_USE;

#endif
