/* files: small whole files, read with a ceiling and written so that a reader sees all or nothing.
 *
 * For configuration, credentials and the like; documents never pass here.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_FILES_H
#define PL_API_FILES_H

#include "engine/base/bytes.h"

#include <sys/types.h>

/* Appends the whole file. PL_MISCONFIGURED with a sentence: not there, not readable, too large. */
pl_status pl_file_read(const char *path, struct pl_bytes *out, struct pl_fault *fault) PL_MUST_USE;

/* Writes beside `path`, syncs, renames over it. */
pl_status pl_file_write(const char *path, const void *data, size_t size, mode_t mode,
                        struct pl_fault *fault) PL_MUST_USE;

/* Makes one folder; an existing one is PL_OK. */
pl_status pl_folder_make(const char *path, mode_t mode, struct pl_fault *fault) PL_MUST_USE;

/* Removes a folder with all that is in it, following no link; what cannot be removed stays. */
void pl_folder_remove(const char *path);

/* Gives a folder and all that is in it to a user, following no link. */
pl_status pl_folder_chown(const char *path, uid_t user, gid_t group,
                          struct pl_fault *fault) PL_MUST_USE;

/* Syncs a folder, so that what was renamed in it stays. */
pl_status pl_folder_sync(const char *path, struct pl_fault *fault) PL_MUST_USE;

#endif
