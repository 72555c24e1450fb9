/* digest: SHA-256 as OpenSSL has it, HMAC and HKDF over its EVP.
 *
 * What can fail here is memory for a context of a few hundred bytes, or a library without SHA-256:
 * the calls that return nothing stop the process then, because a wrong digest is worse than none.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init and its kin; see struct pl_sha256 */

#include "engine/base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

/* Not over EVP: its first use makes the library load its configuration and providers, 1.3 ms of a
 * process that may live for twenty, and the same code counts in the end. */
struct pl_sha256 {
    SHA256_CTX context;
};

pl_status pl_sha256_new(struct pl_sha256 **out)
{
    struct pl_sha256 *hash = calloc(1, sizeof *hash);
    if (hash == NULL)
        return PL_NO_MEMORY;
    PL_CHECK(SHA256_Init(&hash->context) == 1);
    *out = hash;
    return PL_OK;
}

void pl_sha256_free(struct pl_sha256 *hash)
{
    if (hash != NULL)
        pl_wipe(hash, sizeof *hash);
    free(hash);
}

void pl_sha256_update(struct pl_sha256 *hash, const void *data, size_t size)
{
    if (size > 0)
        PL_CHECK(SHA256_Update(&hash->context, data, size) == 1);
}

void pl_sha256_final(struct pl_sha256 *hash, uint8_t out[PL_SHA256_BYTES])
{
    PL_CHECK(SHA256_Final(out, &hash->context) == 1);
    PL_CHECK(SHA256_Init(&hash->context) == 1);
}

void pl_sha256_of(const void *data, size_t size, uint8_t out[PL_SHA256_BYTES])
{
    PL_CHECK(SHA256(size > 0 ? data : "", size, out) == out);
}

/* An HMAC context that is keyed once and restarted for every message. */
struct keyed_hash {
    EVP_MAC *algorithm;
    EVP_MAC_CTX *context;
};

static void keyed_hash_init(struct keyed_hash *mac, const void *key, size_t key_size)
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                  OSSL_PARAM_construct_end() };
    mac->algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    PL_CHECK(mac->algorithm != NULL);
    mac->context = EVP_MAC_CTX_new(mac->algorithm);
    PL_CHECK(mac->context != NULL);
    /* An empty key is a key: only a NULL pointer would mean "the one you have". */
    const void *bytes = key_size > 0 ? key : "";
    PL_CHECK(EVP_MAC_init(mac->context, bytes, key_size, params) == 1);
}

static void keyed_hash_fini(struct keyed_hash *mac)
{
    EVP_MAC_CTX_free(mac->context);
    EVP_MAC_free(mac->algorithm);
}

static void keyed_hash_update(struct keyed_hash *mac, const void *data, size_t size)
{
    if (size > 0)
        PL_CHECK(EVP_MAC_update(mac->context, data, size) == 1);
}

static void keyed_hash_final(struct keyed_hash *mac, uint8_t out[PL_SHA256_BYTES])
{
    size_t written = 0;
    PL_CHECK(EVP_MAC_final(mac->context, out, &written, PL_SHA256_BYTES) == 1);
    PL_CHECK(written == PL_SHA256_BYTES);
}

void pl_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                    uint8_t out[PL_SHA256_BYTES])
{
    struct keyed_hash mac;
    keyed_hash_init(&mac, key, key_size);
    keyed_hash_update(&mac, data, size);
    keyed_hash_final(&mac, out);
    keyed_hash_fini(&mac);
}

void pl_hkdf_extract(const void *salt, size_t salt_size, const void *key, size_t key_size,
                     uint8_t out[PL_SHA256_BYTES])
{
    pl_hmac_sha256(salt, salt_size, key, key_size, out);
}

void pl_hkdf_expand(const uint8_t prk[PL_SHA256_BYTES], const void *info, size_t info_size,
                    void *out, size_t out_size)
{
    PL_CHECK(out_size <= (size_t)255 * PL_SHA256_BYTES);
    struct keyed_hash mac;
    keyed_hash_init(&mac, prk, PL_SHA256_BYTES);
    uint8_t block[PL_SHA256_BYTES];
    uint8_t *next = out;
    /* RFC 5869 section 2.3: T(n) = HMAC(PRK, T(n - 1) | info | n), T(0) is empty. */
    for (uint8_t n = 1; out_size > 0; n++) {
        if (n > 1) {
            PL_CHECK(EVP_MAC_init(mac.context, NULL, 0, NULL) == 1);
            keyed_hash_update(&mac, block, sizeof block);
        }
        keyed_hash_update(&mac, info, info_size);
        keyed_hash_update(&mac, &n, 1);
        keyed_hash_final(&mac, block);
        size_t put = out_size < sizeof block ? out_size : sizeof block;
        memcpy(next, block, put);
        next += put;
        out_size -= put;
    }
    pl_wipe(block, sizeof block);
    keyed_hash_fini(&mac);
}

void pl_wipe(void *data, size_t size)
{
    if (size > 0)
        OPENSSL_cleanse(data, size);
}
