/* keyring: the root key in its file, the tenants' keys in locked memory, and the ops of
 * engine/core/keyring.h over them.
 *
 *   root key (file) -> wraps -> tenant key (ledger, versioned) -> wraps -> data key (ledger)
 *        \-> hashes names           \-> seals fields                \-> seals one object
 *
 * Each arrow has a key of its own, made by HKDF with a label, so that no box of one purpose opens
 * as another. A tenant key is dropped once its two purpose keys are made. Nothing here writes the
 * ledger: who makes a tenant key stores the wrapped blob first and loads it then, so that nothing
 * is ever sealed under a key that a crash could take away.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_STORAGE_KEYRING_H
#define PL_STORAGE_KEYRING_H

#include "engine/core/keyring.h"

/* A tenant key in a box under the root. */
#define PL_TENANT_KEY_WRAPPED_BYTES ((size_t)32 + PL_BOX_OVERHEAD_BYTES)

struct pl_keychain;

/* Makes a root key file: 64 hex digits and a newline, mode 0600, on stable storage with its name
 * when this returns. PL_CONFLICT when `path` exists already; on any failure nothing is left. */
pl_status pl_keyring_root_make(const char *path, struct pl_fault *fault) PL_MUST_USE;

/* Reads the root key. PL_MISCONFIGURED when the file is not a root key, or when anybody but its
 * owner may touch it; PL_NOT_FOUND, PL_IO_ERROR, PL_NO_MEMORY. */
pl_status pl_keyring_load(const char *root_path, struct pl_keychain **out,
                          struct pl_fault *fault) PL_MUST_USE;
/* Wipes all keys. No other thread may use the ring any more. */
void pl_keyring_free(struct pl_keychain *chain);

/* A fresh key for version `version` (1 for a new tenant) of the tenant's key, wrapped. The ring
 * knows it only after pl_keyring_tenant_load. PL_UNAVAILABLE, PL_NO_MEMORY. */
pl_status pl_keyring_tenant_new(struct pl_keychain *chain, const struct pl_id *tenant,
                                uint32_t version,
                                uint8_t wrapped[PL_TENANT_KEY_WRAPPED_BYTES]) PL_MUST_USE;

/* Takes a wrapped key of the ledger into the ring; the highest version is the one that seals. Again
 * is harmless. PL_TAMPERED when it was not wrapped by this root for this tenant and version,
 * PL_CONFLICT when that version is there with another key, PL_NO_MEMORY. */
pl_status pl_keyring_tenant_load(struct pl_keychain *chain, const struct pl_id *tenant,
                                 uint32_t version, struct pl_span wrapped,
                                 struct pl_fault *fault) PL_MUST_USE;

/* Wipes all versions of a tenant's key: from now on nothing of this tenant opens. */
void pl_keyring_tenant_forget(struct pl_keychain *chain, const struct pl_id *tenant);

/* False when the kernel did not let the keys be locked into memory (RLIMIT_MEMLOCK): they may then
 * reach the swap, which the admin should hear. */
bool pl_keyring_is_locked(struct pl_keychain *chain);

/* The ops that the engine is given; `chain` stays the caller's and must outlive them. */
struct pl_keyring pl_keyring_of(struct pl_keychain *chain);

#endif
