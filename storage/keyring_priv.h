/* keyring_priv: what the ring asks of the root key's file.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_KEYRING_PRIV_H
#define PL_STORAGE_KEYRING_PRIV_H

#include "engine/base/status.h"

#define PL_ROOT_KEY_BYTES ((size_t)32)

/* Statuses and sentences as pl_keyring_load's; the caller wipes `root`. */
pl_status pl_keyring_root_load(const char *path, uint8_t root[PL_ROOT_KEY_BYTES],
                               struct pl_fault *fault) PL_MUST_USE;

#endif
