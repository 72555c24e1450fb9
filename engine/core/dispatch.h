/* dispatch: takes accepted jobs in and sees each to its end.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_DISPATCH_H
#define PL_ENGINE_CORE_DISPATCH_H

#include "engine/core/core.h"

/* A job that the ledger has just committed as QUEUED. */
struct pl_dispatch_job {
    const struct pl_ledger_job *row;
    const char *definition; /* of its pipeline version */
    const char *name;       /* in the clear */
};

/* Copies what it needs. PL_NO_MEMORY: the job is safe in the ledger, and the next start takes it
 * up. */
pl_status pl_dispatch_submit(struct pl_core *core, const struct pl_dispatch_job *job) PL_MUST_USE;

/* For doors: an upload begins (PL_OK) or is refused: BUSY, TOO_LARGE, NO_SPACE, STOPPING, or what
 * broke the engine; the sentence is for the device's panel and the log. `bytes` UINT64_MAX: not
 * known. Each PL_OK is answered by one pl_dispatch_upload_ended. */
pl_status pl_dispatch_admit(struct pl_core *core, uint64_t bytes,
                            struct pl_fault *fault) PL_MUST_USE;
/* So many of the bytes that were admitted take space on the disk now: they are promised no more. */
void pl_dispatch_upload_written(struct pl_core *core, uint64_t bytes);
/* `bytes` as admitted, less what was written since; `taken`: bytes received. */
void pl_dispatch_upload_ended(struct pl_core *core, uint64_t bytes, uint64_t taken);
/* Whether an upload that did not say how long it is may send `bytes` more. PL_OK, NO_SPACE,
 * IO_ERROR. */
pl_status pl_dispatch_has_room(const struct pl_core *core, uint64_t bytes,
                               struct pl_fault *fault) PL_MUST_USE;
/* The disk failed under an upload, or its ledger row: stop acknowledging. */
void pl_dispatch_disk_failed(struct pl_core *core, pl_status status, const char *what);

#endif
