/* definition: a pipeline's definition as the ledger keeps it: sealed, since it may hold passwords.
 *
 * The ledger knows texts; a sealed definition is one: "sealed:" and lower-case hex of the box.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_DEFINITION_H
#define PL_ENGINE_CORE_DEFINITION_H

#include "engine/base/ids.h"
#include "engine/core/keyring.h"

/* *out gets a malloc'ed text for the ledger row of that version. PL_NO_MEMORY, or what the keyring
 * answers. */
pl_status pl_definition_seal(const struct pl_keyring *keyring, const struct pl_id *tenant,
                             uint32_t version, const char *plain, char **out) PL_MUST_USE;
/* The other way; a text that is not sealed (written by an older version) is taken as it is.
 * PL_TAMPERED, PL_NOT_FOUND (the tenant's key was erased), PL_NO_MEMORY. To be wiped by
 * pl_definition_free. */
pl_status pl_definition_open(const struct pl_keyring *keyring, const struct pl_id *tenant,
                             uint32_t version, const char *kept, char **out) PL_MUST_USE;
void pl_definition_free(char *plain);

#endif
