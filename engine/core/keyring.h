/* keyring: what the engine asks of the keys: wrap, unwrap, seal a field, hash a name.
 *
 * An ops struct that storage/keyring.c fills. All calls compute only (no disk), and may be made
 * from any thread. Tenant keys never leave it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_KEYRING_H
#define PL_ENGINE_CORE_KEYRING_H

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/seal.h"

/* A wrapped data key: tenant key version (u32 BE), key id[16], box of the 32 secret bytes. */
#define PL_WRAPPED_KEY_BYTES ((size_t)(4 + 16 + 32 + 28))
/* A sealed field: tenant key version (u32 BE), then a box. */
#define PL_SEALED_FIELD_OVERHEAD ((size_t)(4 + 28))

struct pl_keyring_ops {
    /* `job` and `role` are bound in: a wrapped key opens only for what it was made for. */
    pl_status (*wrap)(void *self, const struct pl_id *tenant, const char *job, const char *role,
                      const struct pl_seal_key *key, uint8_t out[PL_WRAPPED_KEY_BYTES]);
    pl_status (*unwrap)(void *self, const struct pl_id *tenant, const char *job, const char *role,
                        struct pl_span wrapped, struct pl_seal_key *out);
    /* `field` names table, column and row ("job.name/01h..."). `out` takes size +
     * PL_SEALED_FIELD_OVERHEAD bytes. */
    pl_status (*field_seal)(void *self, const struct pl_id *tenant, const char *field,
                            struct pl_span plain, uint8_t *out);
    /* `out` takes sealed.size - PL_SEALED_FIELD_OVERHEAD bytes. PL_TAMPERED, PL_NOT_FOUND (no such
     * tenant key: erased). */
    pl_status (*field_open)(void *self, const struct pl_id *tenant, const char *field,
                            struct pl_span sealed, uint8_t *out);
    /* Keyed hash under a key of the instance, for look-ups: `kind` is "device.login". */
    void (*name_hash)(void *self, const char *kind, struct pl_span name,
                      uint8_t out[PL_SHA256_BYTES]);
};

struct pl_keyring {
    const struct pl_keyring_ops *ops;
    void *self;
};

#endif
