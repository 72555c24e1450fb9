/* object_local: the object store as a folder on a local disk.
 *
 * A staged object has no name until it is put, so a crash leaves nothing behind. A put syncs the
 * bytes, then links the name, then syncs the folder: what answered PL_OK survives a power cut. A
 * name is never changed to other bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_OBJECT_LOCAL_H
#define PL_STORAGE_OBJECT_LOCAL_H

#include "engine/base/log.h"
#include "engine/core/object_store.h"
#include "engine/net/loop.h"

/* Makes the folder (mode 0700) when it is not there, and sweeps what an earlier run had staged
 * under a name. After a failed fsync the store takes nothing more: every put answers PL_IO_ERROR
 * until it is opened anew. Closing needs all calls to be done. */
pl_status pl_object_local_open(struct pl_loop *loop, const struct pl_log *log, const char *folder,
                               struct pl_object_store *out, struct pl_fault *fault) PL_MUST_USE;

#endif
