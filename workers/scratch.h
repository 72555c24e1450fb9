/* scratch: folders in memory for workers that interpret, one for each, which nobody else may enter.
 *
 * Plaintext of documents lies in them, so they are on a tmpfs or not at all. They live below one
 * folder of the launcher's, which holds a lock on it: a folder whose lock is free was left by an
 * engine that was killed, and is swept away by the next one that starts. Allocates nothing and is
 * safe after fork.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_SCRATCH_H
#define PL_WORKERS_SCRATCH_H

#include "engine/base/status.h"

#include <sys/types.h>

#define PL_SCRATCH_PATH_CHARS 96

struct pl_scratch {
    int root; /* -1: not made yet */
    bool give;
    uid_t uid; /* whom folders are given to, when `give` */
    gid_t gid;
    char path[64]; /* of the root */
};

/* Removes what killed engines of this user left behind. */
void pl_scratch_sweep(void);
/* Makes the folder of a worker; false with errno set (ENOTSUP: there is no tmpfs at /dev/shm). */
bool pl_scratch_make(struct pl_scratch *scratch, uint64_t ticket, char path[PL_SCRATCH_PATH_CHARS]);
/* Removes the folder with all that is in it, if there is one. Its worker is gone. */
void pl_scratch_remove(struct pl_scratch *scratch, uint64_t ticket);
/* Removes everything. */
void pl_scratch_end(struct pl_scratch *scratch);

#endif
