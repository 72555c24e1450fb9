/* cipher: the older algorithms that document formats prescribe (ISO 32000 security handlers).
 *
 * Not for anything of our own: PLT1 is seal.h.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_CIPHER_H
#define PL_ENGINE_BASE_CIPHER_H

#include "engine/base/status.h"

#define PL_AES_BLOCK 16
#define PL_MD5_BYTES 16

/* RFC 1321, one shot over `count` pieces. */
struct pl_piece {
    const void *data;
    size_t size;
};
void pl_md5_of(const struct pl_piece *pieces, size_t count, uint8_t out[PL_MD5_BYTES]);
/* FIPS 180-4; bits is 256, 384 or 512. */
void pl_sha2_of(unsigned bits, const struct pl_piece *pieces, size_t count, uint8_t *out);
/* In place; the key is 5 to 16 bytes. */
void pl_rc4(const uint8_t *key, size_t key_size, uint8_t *data, size_t size);
/* CBC without padding, in place; key of 16 or 32 bytes, size a multiple of 16. PL_NO_MEMORY. */
pl_status pl_aes_cbc(bool encrypt, const uint8_t *key, size_t key_size,
                     const uint8_t iv[PL_AES_BLOCK], uint8_t *data, size_t size) PL_MUST_USE;
/* One block, ECB; 32-byte key. */
pl_status pl_aes_block(bool encrypt, const uint8_t key[32],
                       uint8_t block[PL_AES_BLOCK]) PL_MUST_USE;
/* Either is to be called once before a sandbox: makes all of them ready, or sees to it that they
 * can be made ready later without a look at the disk. */
pl_status pl_cipher_warm(void) PL_MUST_USE;
pl_status pl_cipher_prepare(void) PL_MUST_USE;

#endif
