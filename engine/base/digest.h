/* digest: SHA-256, HMAC and HKDF, the only names under which the rest of the house knows them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_DIGEST_H
#define PL_ENGINE_BASE_DIGEST_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_SHA256_BYTES 32

struct pl_sha256;

/* FIPS 180-4, incremental. PL_NO_MEMORY. */
pl_status pl_sha256_new(struct pl_sha256 **out) PL_MUST_USE;
void pl_sha256_free(struct pl_sha256 *hash);
void pl_sha256_update(struct pl_sha256 *hash, const void *data, size_t size);
/* Writes the digest; the object then starts anew. */
void pl_sha256_final(struct pl_sha256 *hash, uint8_t out[PL_SHA256_BYTES]);

void pl_sha256_of(const void *data, size_t size, uint8_t out[PL_SHA256_BYTES]);

/* RFC 2104 with SHA-256. */
void pl_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                    uint8_t out[PL_SHA256_BYTES]);

/* RFC 5869 with SHA-256. `out_size` at most 255 * 32. */
void pl_hkdf_extract(const void *salt, size_t salt_size, const void *key, size_t key_size,
                     uint8_t out[PL_SHA256_BYTES]);
void pl_hkdf_expand(const uint8_t prk[PL_SHA256_BYTES], const void *info, size_t info_size,
                    void *out, size_t out_size);

/* Overwrites secrets; not optimised away. */
void pl_wipe(void *data, size_t size);

#endif
