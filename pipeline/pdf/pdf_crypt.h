/* pdf_crypt: the standard security handler (ISO 32000-1 7.6, ISO 32000-2 7.6: R 2 to 6).
 *
 * Reading: RC4 of 40 to 128 bits, AES-128, AES-256 (R5, R6). Writing: R6 (AES-256) only.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CRYPT_H
#define PL_PIPELINE_PDF_PDF_CRYPT_H

#include "engine/base/bytes.h"
#include "pipeline/pdf/pdf_value.h"

enum pl_pdf_cipher {
    PL_PDF_CIPHER_NONE,
    PL_PDF_CIPHER_RC4,
    PL_PDF_CIPHER_AES_128,
    PL_PDF_CIPHER_AES_256
};

struct pl_pdf_crypt {
    enum pl_pdf_cipher strings;
    enum pl_pdf_cipher streams;
    bool metadata; /* the metadata stream is encrypted too */
    uint8_t key[32];
    size_t key_size;
    uint8_t iv_key[32];  /* writing: vectors are HMAC of this and a counter */
    uint64_t iv_counter; /* writing */
};

/* `encrypt` is the resolved dictionary (all its values direct), `id` the first string of the
 * trailer's /ID (may be empty). Tries the password as user's and as owner's, then the empty one.
 * DENIED; UNSUPPORTED for other handlers, with a sentence. */
pl_status pl_pdf_crypt_open(const struct pl_pdf_value *encrypt, struct pl_span id,
                            const char *password, struct pl_pdf_crypt *out,
                            struct pl_fault *fault) PL_MUST_USE;
/* Decrypts data of object `ref` in place; *size shrinks (AES: vector and padding). BAD_DOCUMENT. */
pl_status pl_pdf_crypt_decrypt(const struct pl_pdf_crypt *crypt, enum pl_pdf_cipher cipher,
                               struct pl_pdf_ref ref, uint8_t *data, size_t *size) PL_MUST_USE;

/* For writing: derives the file key, salts and vectors from `seed` and the passwords, so that the
 * same work gives the same bytes. Appends the /Encrypt dictionary ("<<...>>") to `out`.
 * `permissions` is of enum pl_permission. An empty user's password lets everybody open the file; an
 * empty owner's password gives the owner's rights to nobody. BAD_REQUEST: a password is not UTF-8
 * or has more than 127 bytes. */
pl_status pl_pdf_crypt_make(const char *user, const char *owner, unsigned permissions,
                            const uint8_t seed[32], struct pl_pdf_crypt *crypt,
                            struct pl_bytes *out) PL_MUST_USE;
/* How many bytes `size` bytes become: vector, data, padding. */
uint64_t pl_pdf_crypt_size(uint64_t size);
/* The next vector, for a caller that encrypts piece by piece (CBC with crypt->key, PKCS #7). */
void pl_pdf_crypt_vector(struct pl_pdf_crypt *crypt, uint8_t iv[16]);
/* Appends the vector and the padded ciphertext. */
pl_status pl_pdf_crypt_encrypt(struct pl_pdf_crypt *crypt, const void *data, size_t size,
                               struct pl_bytes *out) PL_MUST_USE;

#endif
