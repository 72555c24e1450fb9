/* plt1_object: seals and opens a whole object in memory, as a careful caller of seal.h would.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_PLT1_OBJECT_H
#define PL_TESTS_SUPPORT_PLT1_OBJECT_H

#include "engine/base/seal.h"

/* Byte i of the plaintext that all tests and vectors share: the low byte of i * 31 + i / 251. */
void plt1_fill(uint8_t *out, size_t size);

/* `salt` NULL draws one. `out` takes pl_seal_sealed_size(size) bytes. */
pl_status plt1_seal(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                    const uint8_t *salt, const uint8_t *plain, size_t size, uint8_t *out);

/* `out` takes `size` bytes; *released counts the plaintext of chunks that were verified. */
pl_status plt1_open(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                    const uint8_t *sealed, size_t size, uint8_t *out, size_t *released);

#endif
