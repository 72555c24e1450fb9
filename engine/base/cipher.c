/* cipher: MD5, SHA-2 and AES over OpenSSL's EVP; RC4 by hand, which OpenSSL 3 keeps in a provider
 * that must be loaded from a file and therefore not in a sandbox.
 *
 * As in digest.c, a hash that cannot be made stops the process: a wrong one is worse than none.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/cipher.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <string.h>

#define CIPHER_STEP ((size_t)1 << 30) /* EVP counts in int */

/* False: no memory, or a library without the algorithm. */
static bool cipher_hash(const char *name, const struct pl_piece *pieces, size_t count, uint8_t *out)
{
    EVP_MD *algorithm = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        algorithm != NULL && context != NULL && EVP_DigestInit_ex2(context, algorithm, NULL) == 1;
    for (size_t i = 0; i < count && good; i++) {
        if (pieces[i].size > 0)
            good = EVP_DigestUpdate(context, pieces[i].data, pieces[i].size) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    EVP_MD_free(algorithm);
    return good;
}

void pl_md5_of(const struct pl_piece *pieces, size_t count, uint8_t out[PL_MD5_BYTES])
{
    PL_CHECK(cipher_hash("MD5", pieces, count, out));
}

void pl_sha2_of(unsigned bits, const struct pl_piece *pieces, size_t count, uint8_t *out)
{
    PL_CHECK(bits == 256 || bits == 384 || bits == 512);
    const char *name = bits == 256 ? "SHA256" : bits == 384 ? "SHA384" : "SHA512";
    PL_CHECK(cipher_hash(name, pieces, count, out));
}

void pl_rc4(const uint8_t *key, size_t key_size, uint8_t *data, size_t size)
{
    PL_CHECK(key_size >= 5 && key_size <= 16);
    uint8_t state[256];
    for (unsigned i = 0; i < sizeof state; i++)
        state[i] = (uint8_t)i;
    uint8_t j = 0;
    for (unsigned i = 0; i < sizeof state; i++) {
        j = (uint8_t)(j + state[i] + key[i % key_size]);
        uint8_t swap = state[i];
        state[i] = state[j];
        state[j] = swap;
    }
    uint8_t i = 0;
    j = 0;
    for (size_t at = 0; at < size; at++) {
        uint8_t low = state[++i];
        j = (uint8_t)(j + low);
        uint8_t high = state[j];
        state[i] = high;
        state[j] = low;
        data[at] ^= state[(uint8_t)(low + high)];
    }
    OPENSSL_cleanse(state, sizeof state);
}

/* In place, whole blocks. */
static bool cipher_run(const char *name, bool encrypt, const uint8_t *key, const uint8_t *iv,
                       uint8_t *data, size_t size)
{
    EVP_CIPHER *algorithm = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool good = algorithm != NULL && context != NULL &&
                EVP_CipherInit_ex2(context, algorithm, key, iv, encrypt, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1;
    while (size > 0 && good) {
        int moved = 0;
        size_t step = size < CIPHER_STEP ? size : CIPHER_STEP;
        good = EVP_CipherUpdate(context, data, &moved, data, (int)step) == 1 && moved == (int)step;
        data += step;
        size -= step;
    }
    EVP_CIPHER_CTX_free(context); /* wipes the key schedule */
    EVP_CIPHER_free(algorithm);
    if (!good)
        ERR_clear_error(); /* the TLS layer of the same thread would read it as its own */
    return good;
}

pl_status pl_aes_cbc(bool encrypt, const uint8_t *key, size_t key_size,
                     const uint8_t iv[PL_AES_BLOCK], uint8_t *data, size_t size)
{
    PL_CHECK(key_size == 16 || key_size == 32);
    PL_CHECK(size % PL_AES_BLOCK == 0);
    const char *name = key_size == 16 ? "AES-128-CBC" : "AES-256-CBC";
    return cipher_run(name, encrypt, key, iv, data, size) ? PL_OK : PL_NO_MEMORY;
}

pl_status pl_aes_block(bool encrypt, const uint8_t key[32], uint8_t block[PL_AES_BLOCK])
{
    return cipher_run("AES-256-ECB", encrypt, key, NULL, block, PL_AES_BLOCK) ? PL_OK
                                                                              : PL_NO_MEMORY;
}

pl_status pl_cipher_warm(void)
{
    static const char *const hashes[] = { "MD5", "SHA256", "SHA384", "SHA512" };
    static const char *const ciphers[] = { "AES-128-CBC", "AES-256-CBC", "AES-256-ECB" };
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t key[32] = { 0 };
    uint8_t iv[PL_AES_BLOCK] = { 0 };
    uint8_t block[PL_AES_BLOCK] = { 0 };
    for (size_t i = 0; i < PL_COUNT_OF(hashes); i++) {
        if (!cipher_hash(hashes[i], NULL, 0, digest))
            return PL_UNAVAILABLE;
    }
    for (size_t i = 0; i < PL_COUNT_OF(ciphers); i++) {
        if (!cipher_run(ciphers[i], true, key, iv, block, sizeof block))
            return PL_UNAVAILABLE;
    }
    return PL_OK;
}

pl_status pl_cipher_prepare(void)
{
    return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? PL_OK : PL_UNAVAILABLE;
}
