/* seal_priv: the one thing that tests and test vectors need and nobody else may have: a chosen
 * salt. Two objects under one key and salt would share nonces.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_SEAL_PRIV_H
#define PL_ENGINE_BASE_SEAL_PRIV_H

#include "engine/base/seal.h"

#define PL_SEAL_SALT_BYTES ((size_t)32)

/* As pl_sealer_new, with the salt given. */
pl_status pl_sealer_new_salted(const struct pl_seal_key *key,
                               const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                               const uint8_t salt[PL_SEAL_SALT_BYTES],
                               struct pl_sealer **out) PL_MUST_USE;

#endif
