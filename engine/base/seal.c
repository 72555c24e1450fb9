/* seal: PLT1 and the box over OpenSSL's AES-256-GCM.
 *
 * One EVP context lives as long as its sealer or opener: the key schedule is made once and a chunk
 * only sets its nonce. GCM writes plaintext before it knows the tag, so whoever opens wipes what
 * was written when the tag is wrong. A failed call leaves nothing in OpenSSL's error queue, which
 * the TLS layer of the same thread would read as its own.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/seal.h"

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/seal_priv.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#define SEAL_SUITE 1 /* AES-256-GCM, HKDF-SHA-256 */
#define SEAL_NONCE_BYTES 12
#define SEAL_PREFIX_BYTES 12 /* magic, suite, three zero bytes, chunk size */
#define SEAL_SALT_AT 12
#define SEAL_KEY_ID_AT 44
#define SEAL_COMMITMENT_AT 60
#define SEAL_COMMITMENT_BYTES 32

/* What both directions share. */
struct gcm {
    EVP_CIPHER *algorithm;
    EVP_CIPHER_CTX *context;
    uint8_t aad[PL_SHA256_BYTES];
};

struct pl_sealer {
    struct gcm gcm;
    uint64_t next;
    bool closed; /* the last chunk was sealed */
    uint8_t header[PL_SEAL_HEADER_BYTES];
};

struct pl_opener {
    struct gcm gcm;
};

/* --- AES-256-GCM ------------------------------------------------------------------------- */

static void gcm_fini(struct gcm *gcm)
{
    EVP_CIPHER_CTX_free(gcm->context); /* wipes the key schedule */
    EVP_CIPHER_free(gcm->algorithm);
    *gcm = (struct gcm){ .context = NULL };
}

static pl_status gcm_init(struct gcm *gcm, const uint8_t key[PL_SEAL_KEY_BYTES], bool encrypt)
{
    *gcm = (struct gcm){ .context = NULL };
    gcm->algorithm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    gcm->context = EVP_CIPHER_CTX_new();
    if (gcm->algorithm != NULL && gcm->context != NULL &&
        EVP_CipherInit_ex2(gcm->context, gcm->algorithm, key, NULL, encrypt, NULL) == 1)
        return PL_OK;
    gcm_fini(gcm);
    ERR_clear_error();
    return PL_NO_MEMORY;
}

/* Sets the nonce and takes in the aad. */
static bool gcm_start(struct gcm *gcm, const uint8_t nonce[SEAL_NONCE_BYTES], const void *aad,
                      size_t aad_size)
{
    int moved = 0;
    return EVP_CipherInit_ex2(gcm->context, NULL, NULL, nonce, -1, NULL) == 1 &&
           (aad_size == 0 || EVP_CipherUpdate(gcm->context, NULL, &moved, aad, (int)aad_size) == 1);
}

static bool gcm_encrypt(struct gcm *gcm, const uint8_t *plain, size_t size, uint8_t *out)
{
    int moved = 0;
    return (size == 0 || (EVP_EncryptUpdate(gcm->context, out, &moved, plain, (int)size) == 1 &&
                          moved == (int)size)) &&
           EVP_EncryptFinal_ex(gcm->context, out + size, &moved) == 1 &&
           EVP_CIPHER_CTX_ctrl(gcm->context, EVP_CTRL_AEAD_GET_TAG, (int)PL_SEAL_TAG_BYTES,
                               out + size) == 1;
}

/* False when the tag is wrong; out[0..size) then holds what must not be seen. */
static bool gcm_decrypt(struct gcm *gcm, const uint8_t *sealed, size_t size, uint8_t *out)
{
    int moved = 0;
    uint8_t tag[PL_SEAL_TAG_BYTES];
    memcpy(tag, sealed + size, sizeof tag);
    return (size == 0 || (EVP_DecryptUpdate(gcm->context, out, &moved, sealed, (int)size) == 1 &&
                          moved == (int)size)) &&
           EVP_CIPHER_CTX_ctrl(gcm->context, EVP_CTRL_AEAD_SET_TAG, (int)sizeof tag, tag) == 1 &&
           EVP_DecryptFinal_ex(gcm->context, tag, &moved) == 1;
}

/* --- keys -------------------------------------------------------------------------------- */

pl_status pl_seal_key_make(struct pl_seal_key *out)
{
    struct pl_seal_key key;
    pl_status status = pl_random_bytes(&key, sizeof key);
    if (status == PL_OK)
        *out = key;
    pl_wipe(&key, sizeof key);
    return status;
}

void pl_seal_key_derive(const struct pl_seal_key *parent, const char *label,
                        struct pl_seal_key *out)
{
    static const char purpose[] = "PLT1 derived key/";
    char info[sizeof purpose + PL_SEAL_LABEL_CHARS];
    PL_CHECK(pl_text_format(info, sizeof info, "%s%s", purpose, label));
    uint8_t prk[PL_SHA256_BYTES];
    uint8_t made[sizeof out->secret + sizeof out->id];
    pl_hkdf_extract(parent->id, sizeof parent->id, parent->secret, sizeof parent->secret, prk);
    pl_hkdf_expand(prk, info, strlen(info), made, sizeof made);
    memcpy(out->secret, made, sizeof out->secret);
    memcpy(out->id, made + sizeof out->secret, sizeof out->id);
    pl_wipe(made, sizeof made);
    pl_wipe(prk, sizeof prk);
}

static void context_part(struct pl_sha256 *hash, const char *text)
{
    uint8_t length[4];
    size_t size = strlen(text);
    PL_CHECK(size <= UINT32_MAX);
    pl_put_u32be(length, (uint32_t)size);
    pl_sha256_update(hash, length, sizeof length);
    pl_sha256_update(hash, text, size);
}

void pl_seal_context(const char *tenant, const char *job, const char *role,
                     uint8_t out[PL_SEAL_CONTEXT_BYTES])
{
    struct pl_sha256 *hash = NULL;
    PL_CHECK(pl_sha256_new(&hash) == PL_OK);
    context_part(hash, tenant);
    context_part(hash, job);
    context_part(hash, role);
    pl_sha256_final(hash, out);
    pl_sha256_free(hash);
}

static void expand_for(const uint8_t prk[PL_SHA256_BYTES], const char *purpose,
                       const uint8_t ctx[PL_SEAL_CONTEXT_BYTES], uint8_t out[32])
{
    uint8_t info[1 + 9 + PL_SEAL_CONTEXT_BYTES];
    PL_CHECK(strlen(purpose) == 9);
    info[0] = SEAL_SUITE;
    memcpy(info + 1, purpose, 9);
    memcpy(info + 10, ctx, PL_SEAL_CONTEXT_BYTES);
    pl_hkdf_expand(prk, info, sizeof info, out, 32);
}

/* The chunk key and the commitment of one object. */
static void derive(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                   const uint8_t salt[PL_SEAL_SALT_BYTES], uint8_t chunk_key[PL_SEAL_KEY_BYTES],
                   uint8_t commitment[SEAL_COMMITMENT_BYTES])
{
    uint8_t prk[PL_SHA256_BYTES];
    pl_hkdf_extract(salt, PL_SEAL_SALT_BYTES, key->secret, sizeof key->secret, prk);
    expand_for(prk, "DERIVEKEY", ctx, chunk_key);
    expand_for(prk, "COMMITKEY", ctx, commitment);
    pl_wipe(prk, sizeof prk);
}

/* --- sizes ------------------------------------------------------------------------------- */

uint64_t pl_seal_sealed_size(uint64_t plain)
{
    if (plain > PL_SEAL_PLAIN_MAX_BYTES)
        return UINT64_MAX;
    uint64_t chunks = plain == 0 ? 1 : (plain + PL_SEAL_CHUNK_BYTES - 1) / PL_SEAL_CHUNK_BYTES;
    return PL_SEAL_HEADER_BYTES + plain + chunks * PL_SEAL_TAG_BYTES;
}

pl_status pl_seal_plain_size(uint64_t sealed, uint64_t *out)
{
    const uint64_t whole = PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES;
    if (sealed < PL_SEAL_HEADER_BYTES + PL_SEAL_TAG_BYTES)
        return PL_TAMPERED;
    uint64_t full = (sealed - PL_SEAL_HEADER_BYTES) / whole;
    uint64_t rest = (sealed - PL_SEAL_HEADER_BYTES) % whole;
    if (full > PL_SEAL_CHUNKS_MAX || (full == PL_SEAL_CHUNKS_MAX && rest > 0))
        return PL_TAMPERED;
    /* A last chunk is never empty, except the only one of the empty object. */
    if (full > 0 && rest > 0 && rest <= PL_SEAL_TAG_BYTES)
        return PL_TAMPERED;
    *out = full * PL_SEAL_CHUNK_BYTES + (rest > 0 ? rest - PL_SEAL_TAG_BYTES : 0);
    return PL_OK;
}

/* --- chunks ------------------------------------------------------------------------------ */

static void nonce_of(uint64_t index, bool last, uint8_t out[SEAL_NONCE_BYTES])
{
    memset(out, 0, SEAL_NONCE_BYTES);
    pl_put_u64be(out + 3, index);
    out[SEAL_NONCE_BYTES - 1] = last ? 1 : 0;
}

static void header_prefix(uint8_t out[SEAL_PREFIX_BYTES])
{
    const uint8_t magic_and_suite[8] = { 'P', 'L', 'T', '1', SEAL_SUITE, 0, 0, 0 };
    memcpy(out, magic_and_suite, sizeof magic_and_suite);
    pl_put_u32be(out + sizeof magic_and_suite, (uint32_t)PL_SEAL_CHUNK_BYTES);
}

pl_status pl_sealer_new_salted(const struct pl_seal_key *key,
                               const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                               const uint8_t salt[PL_SEAL_SALT_BYTES], struct pl_sealer **out)
{
    uint8_t chunk_key[PL_SEAL_KEY_BYTES];
    struct pl_sealer *sealer = calloc(1, sizeof *sealer);
    if (sealer == NULL)
        return PL_NO_MEMORY;
    header_prefix(sealer->header);
    memcpy(sealer->header + SEAL_SALT_AT, salt, PL_SEAL_SALT_BYTES);
    memcpy(sealer->header + SEAL_KEY_ID_AT, key->id, sizeof key->id);
    derive(key, ctx, salt, chunk_key, sealer->header + SEAL_COMMITMENT_AT);
    pl_status status = gcm_init(&sealer->gcm, chunk_key, true);
    pl_wipe(chunk_key, sizeof chunk_key);
    if (status != PL_OK) {
        pl_sealer_free(sealer);
        return status;
    }
    pl_sha256_of(sealer->header, sizeof sealer->header, sealer->gcm.aad);
    *out = sealer;
    return PL_OK;
}

pl_status pl_sealer_new(const struct pl_seal_key *key, const uint8_t ctx[PL_SEAL_CONTEXT_BYTES],
                        struct pl_sealer **out)
{
    uint8_t salt[PL_SEAL_SALT_BYTES];
    pl_status status = pl_random_bytes(salt, sizeof salt);
    return status != PL_OK ? status : pl_sealer_new_salted(key, ctx, salt, out);
}

void pl_sealer_free(struct pl_sealer *sealer)
{
    if (sealer == NULL)
        return;
    gcm_fini(&sealer->gcm);
    free(sealer);
}

const uint8_t *pl_sealer_header(const struct pl_sealer *sealer)
{
    return sealer->header;
}

pl_status pl_sealer_chunk(struct pl_sealer *sealer, const uint8_t *plain, size_t size, bool last,
                          uint8_t *out)
{
    PL_CHECK(!sealer->closed);
    PL_CHECK(size <= PL_SEAL_CHUNK_BYTES && (last || size == PL_SEAL_CHUNK_BYTES));
    PL_CHECK(size > 0 || sealer->next == 0);
    if (sealer->next >= PL_SEAL_CHUNKS_MAX)
        return PL_TOO_LARGE;
    uint8_t nonce[SEAL_NONCE_BYTES];
    nonce_of(sealer->next, last, nonce);
    /* The index moves on before the nonce is used: a chunk that failed halfway, and is sealed
     * again with other bytes, must not meet its nonce again. The object is then void. */
    sealer->next++;
    sealer->closed = last;
    if (!gcm_start(&sealer->gcm, nonce, sealer->gcm.aad, sizeof sealer->gcm.aad) ||
        !gcm_encrypt(&sealer->gcm, plain, size, out)) {
        pl_wipe(out, size + PL_SEAL_TAG_BYTES);
        ERR_clear_error();
        return PL_NO_MEMORY;
    }
    return PL_OK;
}

pl_status pl_opener_new(const uint8_t header[PL_SEAL_HEADER_BYTES], const struct pl_seal_key *key,
                        const uint8_t ctx[PL_SEAL_CONTEXT_BYTES], struct pl_opener **out)
{
    uint8_t prefix[SEAL_PREFIX_BYTES];
    uint8_t chunk_key[PL_SEAL_KEY_BYTES];
    uint8_t commitment[SEAL_COMMITMENT_BYTES];
    header_prefix(prefix);
    if (memcmp(header, prefix, sizeof prefix) != 0 ||
        memcmp(header + SEAL_KEY_ID_AT, key->id, sizeof key->id) != 0)
        return PL_TAMPERED;
    struct pl_opener *opener = calloc(1, sizeof *opener);
    if (opener == NULL)
        return PL_NO_MEMORY;
    derive(key, ctx, header + SEAL_SALT_AT, chunk_key, commitment);
    pl_status status = PL_TAMPERED;
    if (pl_text_equal_ct(header + SEAL_COMMITMENT_AT, commitment, sizeof commitment))
        status = gcm_init(&opener->gcm, chunk_key, false);
    pl_wipe(chunk_key, sizeof chunk_key);
    pl_wipe(commitment, sizeof commitment);
    if (status != PL_OK) {
        free(opener);
        return status;
    }
    pl_sha256_of(header, PL_SEAL_HEADER_BYTES, opener->gcm.aad);
    *out = opener;
    return PL_OK;
}

void pl_opener_free(struct pl_opener *opener)
{
    if (opener == NULL)
        return;
    gcm_fini(&opener->gcm);
    free(opener);
}

static bool chunk_can_be(uint64_t index, size_t size, bool last)
{
    if (index >= PL_SEAL_CHUNKS_MAX || size < PL_SEAL_TAG_BYTES ||
        size > PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES)
        return false;
    if (!last)
        return size == PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES;
    return size > PL_SEAL_TAG_BYTES || index == 0;
}

pl_status pl_opener_chunk(struct pl_opener *opener, uint64_t index, const uint8_t *sealed,
                          size_t size, bool last, uint8_t *out)
{
    if (!chunk_can_be(index, size, last))
        return PL_TAMPERED; /* nothing was written */
    uint8_t nonce[SEAL_NONCE_BYTES];
    size_t plain = size - PL_SEAL_TAG_BYTES;
    nonce_of(index, last, nonce);
    if (!gcm_start(&opener->gcm, nonce, opener->gcm.aad, sizeof opener->gcm.aad)) {
        ERR_clear_error();
        return PL_NO_MEMORY;
    }
    if (gcm_decrypt(&opener->gcm, sealed, plain, out))
        return PL_OK;
    pl_wipe(out, plain);
    ERR_clear_error();
    return PL_TAMPERED;
}

/* --- the box ----------------------------------------------------------------------------- */

pl_status pl_box_seal(const uint8_t key[PL_SEAL_KEY_BYTES], struct pl_span aad, const void *plain,
                      size_t size, uint8_t *out)
{
    if (size > PL_BOX_MAX_BYTES || aad.size > PL_BOX_MAX_BYTES)
        return PL_TOO_LARGE;
    uint8_t nonce[SEAL_NONCE_BYTES];
    pl_status status = pl_random_bytes(nonce, sizeof nonce);
    if (status != PL_OK)
        return status;
    struct gcm gcm;
    status = gcm_init(&gcm, key, true);
    if (status != PL_OK)
        return status;
    if (gcm_start(&gcm, nonce, aad.data, aad.size) &&
        gcm_encrypt(&gcm, plain, size, out + sizeof nonce)) {
        memcpy(out, nonce, sizeof nonce);
    } else {
        pl_wipe(out, size + PL_BOX_OVERHEAD_BYTES);
        ERR_clear_error();
        status = PL_NO_MEMORY;
    }
    gcm_fini(&gcm);
    return status;
}

pl_status pl_box_open(const uint8_t key[PL_SEAL_KEY_BYTES], struct pl_span aad, const void *box,
                      size_t size, uint8_t *out)
{
    if (size < PL_BOX_OVERHEAD_BYTES || size - PL_BOX_OVERHEAD_BYTES > PL_BOX_MAX_BYTES ||
        aad.size > PL_BOX_MAX_BYTES)
        return PL_TAMPERED;
    size_t plain = size - PL_BOX_OVERHEAD_BYTES;
    const uint8_t *bytes = box;
    struct gcm gcm;
    pl_status status = gcm_init(&gcm, key, false);
    if (status != PL_OK)
        return status;
    if (!gcm_start(&gcm, bytes, aad.data, aad.size) ||
        !gcm_decrypt(&gcm, bytes + SEAL_NONCE_BYTES, plain, out)) {
        pl_wipe(out, plain);
        ERR_clear_error();
        status = PL_TAMPERED;
    }
    gcm_fini(&gcm);
    return status;
}

pl_status pl_seal_prepare(void)
{
    static const uint8_t key[PL_SEAL_KEY_BYTES];
    uint8_t box[1 + PL_BOX_OVERHEAD_BYTES];
    uint8_t hash[PL_SHA256_BYTES];
    uint8_t plain = 0;
    struct pl_span aad = { "prepare", 7 };
    pl_hkdf_extract(NULL, 0, "prepare", 7, hash);
    pl_sha256_of(hash, sizeof hash, hash);
    pl_status status = pl_box_seal(key, aad, &plain, 1, box);
    return status != PL_OK ? status : pl_box_open(key, aad, box, sizeof box, &plain);
}
