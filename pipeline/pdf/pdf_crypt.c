/* pdf_crypt: what an /Encrypt dictionary asks for, and the ciphers of strings and streams.
 *
 * Refused: handlers other than the standard one, unpublished algorithms (V 3), crypt filters that
 * leave the work to the handler (CFM None). Rules for what is not quite right: keys of V 4 have
 * 128 bits whatever /Length says, /O and /U may be longer than they must be, padding that cannot be
 * is left in the data, an end of line after the last block of AES is dropped.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_crypt.h"

#include "engine/base/cipher.h"
#include "engine/base/digest.h"
#include "pipeline/convert_settings.h"
#include "pipeline/pdf/pdf_password.h"
#include "pipeline/pdf/pdf_text.h"

#include <string.h>

#define CRYPT_PASSWORD ((size_t)1 << 12) /* of UTF-8; what the standards use is shorter */

/* --- reading: the dictionary ----------------------------------------------------------------- */

static int64_t crypt_integer(const struct pl_pdf_value *dict, const char *key, int64_t otherwise)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    return value != NULL && value->kind == PL_PDF_INT ? value->as.integer : otherwise;
}

static pl_status crypt_bad(struct pl_fault *fault, const char *what)
{
    return pl_fault_set(fault, PL_BAD_DOCUMENT, "the document's encryption has no usable %s", what);
}

/* A string of at least `size` bytes; what follows them is not looked at. */
static pl_status crypt_string(const struct pl_pdf_value *dict, const char *key, uint8_t *out,
                              size_t size, struct pl_fault *fault)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    if (value == NULL || value->kind != PL_PDF_STRING || value->as.text.size < size)
        return crypt_bad(fault, key);
    memcpy(out, value->as.text.data, size);
    return PL_OK;
}

/* Lets only printable names into a sentence. */
static pl_status crypt_unsupported(struct pl_fault *fault, const char *what,
                                   const struct pl_pdf_value *name)
{
    char text[64] = "nothing";
    if (name != NULL && name->kind == PL_PDF_NAME)
        (void)pl_text_sanitize(name->as.text, text, sizeof text);
    return pl_fault_set(fault, PL_UNSUPPORTED,
                        "the document is encrypted with the %s %s, which "
                        "is not supported",
                        what, text);
}

/* The cipher that /StmF or /StrF names (7.6.5). */
static pl_status crypt_filter(const struct pl_pdf_value *encrypt, const char *key,
                              enum pl_pdf_cipher *out, struct pl_fault *fault)
{
    const struct pl_pdf_value *name = pl_pdf_dict_peek(encrypt, key);
    char filter[128];
    *out = PL_PDF_CIPHER_NONE;
    if (name == NULL || pl_pdf_name_is(name, "Identity"))
        return PL_OK;
    if (name->kind != PL_PDF_NAME || !pl_text_copy(filter, sizeof filter, name->as.text))
        return crypt_bad(fault, key);
    const struct pl_pdf_value *filters = pl_pdf_dict_peek(encrypt, "CF");
    const struct pl_pdf_value *method = pl_pdf_dict_peek(pl_pdf_dict_peek(filters, filter), "CFM");
    if (method == NULL)
        return crypt_bad(fault, "crypt filter");
    if (pl_pdf_name_is(method, "V2")) {
        *out = PL_PDF_CIPHER_RC4;
    } else if (pl_pdf_name_is(method, "AESV2")) {
        *out = PL_PDF_CIPHER_AES_128;
    } else if (pl_pdf_name_is(method, "AESV3")) {
        *out = PL_PDF_CIPHER_AES_256;
    } else {
        return crypt_unsupported(fault, "crypt filter method", method);
    }
    return PL_OK;
}

static pl_status crypt_filters(const struct pl_pdf_value *encrypt, int64_t version,
                               struct pl_pdf_crypt *crypt, struct pl_fault *fault)
{
    if (version < 4) {
        crypt->strings = PL_PDF_CIPHER_RC4;
        crypt->streams = PL_PDF_CIPHER_RC4;
        return PL_OK;
    }
    pl_status status = crypt_filter(encrypt, "StrF", &crypt->strings, fault);
    if (status == PL_OK)
        status = crypt_filter(encrypt, "StmF", &crypt->streams, fault);
    if (status != PL_OK)
        return status;
    /* The key of one version is of no use to the ciphers of the other. */
    const enum pl_pdf_cipher both[] = { crypt->strings, crypt->streams };
    for (size_t i = 0; i < PL_COUNT_OF(both); i++) {
        bool long_key = both[i] == PL_PDF_CIPHER_AES_256;
        if (both[i] != PL_PDF_CIPHER_NONE && long_key != (version == 5))
            return crypt_bad(fault, "crypt filter");
    }
    return PL_OK;
}

/* /V and /R, and how long the key is. */
static pl_status crypt_version(const struct pl_pdf_value *encrypt, int64_t *version,
                               struct pl_pdf_lock *lock, struct pl_fault *fault)
{
    int64_t revision = crypt_integer(encrypt, "R", 0);
    int64_t bits = crypt_integer(encrypt, "Length", 40);
    *version = crypt_integer(encrypt, "V", 0);
    bool known = *version == 5 ? revision == 5 || revision == 6
                 : *version == 4
                     ? revision == 4
                     : (*version == 1 || *version == 2) && revision >= 2 && revision <= 4;
    if (!known)
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "the document is encrypted by version %lld, revision %lld of the "
                            "standard handler, which is not supported",
                            (long long)*version, (long long)revision);
    if (*version == 2 && (bits < 40 || bits > 128 || bits % 8 != 0))
        return crypt_bad(fault, "Length");
    lock->revision = (unsigned)revision;
    lock->key_size = *version == 1 || revision == 2 ? 5
                     : *version == 2                ? (size_t)bits / 8
                     : *version == 4                ? 16
                                                    : 32;
    return PL_OK;
}

static pl_status crypt_lock(const struct pl_pdf_value *encrypt, struct pl_pdf_lock *lock,
                            struct pl_fault *fault)
{
    const struct pl_pdf_value *metadata = pl_pdf_dict_peek(encrypt, "EncryptMetadata");
    bool is_new = lock->revision >= 5;
    size_t entry = is_new ? PL_PDF_ENTRY_BYTES : 32;
    lock->metadata = metadata == NULL || metadata->kind != PL_PDF_BOOL || metadata->as.boolean;
    /* Written as a signed number of 32 bits, by some as an unsigned one. */
    lock->permissions = (uint32_t)(uint64_t)crypt_integer(encrypt, "P", 0);
    pl_status status = crypt_string(encrypt, "O", lock->owner, entry, fault);
    if (status == PL_OK)
        status = crypt_string(encrypt, "U", lock->user, entry, fault);
    if (status == PL_OK && is_new)
        status = crypt_string(encrypt, "OE", lock->owner_key, 32, fault);
    if (status == PL_OK && is_new)
        status = crypt_string(encrypt, "UE", lock->user_key, 32, fault);
    return status;
}

/* --- reading: the password ------------------------------------------------------------------- */

/* R2 to R4 hash PDFDocEncoding; what has no place there, or was written by those who hashed the
 * bytes they had, is tried as it is. */
static pl_status crypt_try(const struct pl_pdf_lock *lock, struct pl_span password, uint8_t key[32],
                           bool *fits)
{
    pl_status status = pl_pdf_password_try(lock, password, key, fits);
    if (status != PL_OK || *fits || lock->revision > 4 || password.size == 0)
        return status;
    struct pl_bytes doc = { 0 };
    bool encodes = false;
    pl_bytes_init(&doc, CRYPT_PASSWORD);
    status = pl_pdf_text_doc(password, &doc, &encodes);
    if (status == PL_OK && encodes) {
        const struct pl_span span = { (const char *)doc.data, doc.size };
        status = pl_pdf_password_try(lock, span, key, fits);
    }
    if (doc.size > 0)
        pl_wipe(doc.data, doc.size);
    pl_bytes_fini(&doc);
    return status;
}

static pl_status crypt_unlock(const struct pl_pdf_lock *lock, const char *password, uint8_t key[32],
                              struct pl_fault *fault)
{
    struct pl_span given = password != NULL ? pl_span_from(password) : (struct pl_span){ "", 0 };
    bool fits = false;
    if (given.size > CRYPT_PASSWORD)
        return pl_fault_set(fault, PL_DENIED,
                            "the document's password has %zu bytes, the limit "
                            "is %zu",
                            given.size, CRYPT_PASSWORD);
    pl_status status = crypt_try(lock, given, key, &fits);
    if (status == PL_OK && !fits && given.size > 0)
        status = crypt_try(lock, (struct pl_span){ "", 0 }, key, &fits);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the document's password cannot be tried: %s",
                            pl_status_text(status));
    if (fits)
        return PL_OK;
    return pl_fault_set(fault, PL_DENIED,
                        given.size > 0 ? "the document is encrypted, and the password given is "
                                         "not one of its passwords"
                                       : "the document is encrypted and needs a password");
}

pl_status pl_pdf_crypt_open(const struct pl_pdf_value *encrypt, struct pl_span id,
                            const char *password, struct pl_pdf_crypt *out, struct pl_fault *fault)
{
    struct pl_pdf_lock lock = { .id = id };
    struct pl_pdf_crypt crypt = { .strings = PL_PDF_CIPHER_NONE };
    const struct pl_pdf_value *handler = pl_pdf_dict_peek(encrypt, "Filter");
    int64_t version = 0;
    if (!pl_pdf_name_is(handler, "Standard"))
        return crypt_unsupported(fault, "security handler", handler);
    pl_status status = crypt_version(encrypt, &version, &lock, fault);
    if (status == PL_OK)
        status = crypt_filters(encrypt, version, &crypt, fault);
    if (status == PL_OK)
        status = crypt_lock(encrypt, &lock, fault);
    if (status == PL_OK)
        status = crypt_unlock(&lock, password, crypt.key, fault);
    if (status == PL_OK) {
        crypt.metadata = lock.metadata;
        crypt.key_size = lock.key_size;
        *out = crypt;
    }
    pl_wipe(&crypt, sizeof crypt);
    return status;
}

/* --- reading: strings and streams ------------------------------------------------------------ */

/* Algorithm 1: the key of one object; its size. */
static size_t crypt_object_key(const struct pl_pdf_crypt *crypt, enum pl_pdf_cipher cipher,
                               struct pl_pdf_ref ref, uint8_t key[PL_MD5_BYTES])
{
    const uint8_t numbers[] = { (uint8_t)ref.number, (uint8_t)(ref.number >> 8),
                                (uint8_t)(ref.number >> 16), (uint8_t)ref.generation,
                                (uint8_t)(ref.generation >> 8) };
    const struct pl_piece pieces[] = { { crypt->key, crypt->key_size },
                                       { numbers, sizeof numbers },
                                       { "sAlT", cipher == PL_PDF_CIPHER_AES_128 ? 4 : 0 } };
    size_t size = crypt->key_size + sizeof numbers;
    pl_md5_of(pieces, PL_COUNT_OF(pieces), key);
    return size < PL_MD5_BYTES ? size : PL_MD5_BYTES;
}

static pl_status crypt_undo_aes(const uint8_t *key, size_t key_size, uint8_t *data, size_t *size)
{
    size_t used = *size;
    for (unsigned i = 0; i < 2 && used % PL_AES_BLOCK != 0; i++) {
        if (data[used - 1] == '\r' || data[used - 1] == '\n')
            used--;
    }
    if (used % PL_AES_BLOCK != 0)
        return PL_BAD_DOCUMENT;
    if (used <= PL_AES_BLOCK) { /* a vector without a block stands for nothing */
        *size = 0;
        return PL_OK;
    }
    uint8_t iv[PL_AES_BLOCK];
    memcpy(iv, data, sizeof iv);
    used -= PL_AES_BLOCK;
    memmove(data, data + PL_AES_BLOCK, used);
    pl_status status = pl_aes_cbc(false, key, key_size, iv, data, used);
    if (status != PL_OK)
        return status;
    uint8_t padding = data[used - 1];
    if (padding >= 1 && padding <= PL_AES_BLOCK)
        used -= padding;
    *size = used;
    return PL_OK;
}

pl_status pl_pdf_crypt_decrypt(const struct pl_pdf_crypt *crypt, enum pl_pdf_cipher cipher,
                               struct pl_pdf_ref ref, uint8_t *data, size_t *size)
{
    uint8_t key[PL_MD5_BYTES];
    if (cipher == PL_PDF_CIPHER_NONE || *size == 0)
        return PL_OK;
    if (cipher == PL_PDF_CIPHER_AES_256)
        return crypt_undo_aes(crypt->key, crypt->key_size, data, size);
    size_t key_size = crypt_object_key(crypt, cipher, ref, key);
    if (cipher == PL_PDF_CIPHER_AES_128)
        return crypt_undo_aes(key, PL_MD5_BYTES, data, size);
    pl_rc4(key, key_size, data, *size);
    return PL_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Bits of /P (ISO 32000-2 table 22), counted from 0; all that have no name are 1, but the lowest
 * two. Bit 9, for readers of screens, may not be taken away any more. */
static uint32_t crypt_permissions(unsigned permissions)
{
    static const struct {
        unsigned permission;
        unsigned bit;
    } rows[] = {
        { PL_PERMIT_PRINT, 2 },     { PL_PERMIT_PRINT_HIGH, 11 }, { PL_PERMIT_MODIFY, 3 },
        { PL_PERMIT_COPY, 4 },      { PL_PERMIT_ANNOTATE, 5 },    { PL_PERMIT_FILL, 8 },
        { PL_PERMIT_ASSEMBLE, 10 },
    };
    uint32_t bits = ~(uint32_t)3;
    if ((permissions & PL_PERMIT_PRINT_HIGH) != 0) /* bit 11 says nothing without bit 2 */
        permissions |= PL_PERMIT_PRINT;
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        if ((permissions & rows[i].permission) == 0)
            bits &= ~((uint32_t)1 << rows[i].bit);
    }
    return bits;
}

/* One of the two pairs of entries (algorithms 8 and 9), but for the encrypted file key: `hash`
 * gets what encrypts it. */
static pl_status crypt_make_entry(const uint8_t prk[PL_SHA256_BYTES], const char *label,
                                  struct pl_span password, const uint8_t *user,
                                  uint8_t entry[PL_PDF_ENTRY_BYTES],
                                  uint8_t hash[PL_PDF_HASH_BYTES])
{
    uint8_t *salts = entry + PL_PDF_HASH_BYTES;
    pl_hkdf_expand(prk, label, strlen(label), salts, PL_PDF_ENTRY_BYTES - PL_PDF_HASH_BYTES);
    pl_status status = pl_pdf_password_hash(6, password, salts, user, entry);
    if (status == PL_OK)
        status = pl_pdf_password_hash(6, password, salts + PL_PDF_SALT_BYTES, user, hash);
    return status;
}

/* Algorithm 10. */
static pl_status crypt_make_perms(const struct pl_pdf_crypt *crypt, uint32_t permissions,
                                  const uint8_t prk[PL_SHA256_BYTES], uint8_t perms[PL_AES_BLOCK])
{
    static const char label[] = "platen pdf perms";
    static const uint8_t marks[4] = { 'T', 'a', 'd', 'b' }; /* metadata is encrypted too */
    for (unsigned i = 0; i < 4; i++) {
        perms[i] = (uint8_t)(permissions >> (8 * i));
        perms[4 + i] = 0xff;
    }
    memcpy(perms + 8, marks, sizeof marks);
    pl_hkdf_expand(prk, label, strlen(label), perms + 12, 4);
    return pl_aes_block(true, crypt->key, perms);
}

static pl_status crypt_append_hex(struct pl_bytes *out, const char *key, const uint8_t *data,
                                  size_t size)
{
    char hex[2 * PL_PDF_ENTRY_BYTES + 1];
    PL_CHECK(size <= PL_PDF_ENTRY_BYTES);
    return pl_bytes_format(out, "/%s<%s>", key, pl_text_hex(data, size, hex));
}

static pl_status crypt_append(const struct pl_pdf_lock *lock, const uint8_t perms[PL_AES_BLOCK],
                              struct pl_bytes *out)
{
    pl_status status =
        pl_bytes_format(out,
                        "<</Filter/Standard/V 5/R 6/Length 256/P %ld/EncryptMetadata true"
                        "/CF<</StdCF<</Type/CryptFilter/CFM/AESV3/AuthEvent/DocOpen/Length 32>>>>"
                        "/StmF/StdCF/StrF/StdCF",
                        (long)(int32_t)lock->permissions);
    if (status == PL_OK)
        status = crypt_append_hex(out, "O", lock->owner, sizeof lock->owner);
    if (status == PL_OK)
        status = crypt_append_hex(out, "U", lock->user, sizeof lock->user);
    if (status == PL_OK)
        status = crypt_append_hex(out, "OE", lock->owner_key, sizeof lock->owner_key);
    if (status == PL_OK)
        status = crypt_append_hex(out, "UE", lock->user_key, sizeof lock->user_key);
    if (status == PL_OK)
        status = crypt_append_hex(out, "Perms", perms, PL_AES_BLOCK);
    return status == PL_OK ? pl_bytes_append(out, ">>", 2) : status;
}

/* What is drawn, and from what. The salts stand in the file for everybody to read, so they come
 * from the seed alone: derived from a password as well they would let it be guessed without the
 * slow hash. The file key comes from the seed and both slow hashes. */
struct crypt_draft {
    struct pl_pdf_lock lock;
    uint8_t prk[PL_SHA256_BYTES];
    uint8_t secrets[2][PL_PDF_HASH_BYTES]; /* of user and owner: encrypt the file key */
    uint8_t perms[PL_AES_BLOCK];
    char nobody[2 * PL_SHA256_BYTES + 1]; /* an owner's password that nobody knows */
};

static pl_status crypt_draw(struct crypt_draft *draft, struct pl_span user, struct pl_span owner,
                            struct pl_pdf_crypt *crypt)
{
    static const uint8_t zero[PL_AES_BLOCK] = { 0 };
    static const char key_label[] = "platen pdf file key";
    static const char vector_label[] = "platen pdf vectors";
    static const char nobody_label[] = "platen pdf nobody";
    uint8_t prk[PL_SHA256_BYTES];
    struct pl_pdf_lock *lock = &draft->lock;
    pl_status status = crypt_make_entry(draft->prk, "platen pdf user salts", user, NULL, lock->user,
                                        draft->secrets[0]);
    if (status != PL_OK)
        return status;
    if (owner.size == 0) {
        pl_hkdf_extract(draft->prk, sizeof draft->prk, draft->secrets[0], PL_PDF_HASH_BYTES, prk);
        pl_hkdf_expand(prk, nobody_label, strlen(nobody_label), prk, sizeof prk);
        owner = pl_span_from(pl_text_hex(prk, sizeof prk, draft->nobody));
    }
    status = crypt_make_entry(draft->prk, "platen pdf owner salts", owner, lock->user, lock->owner,
                              draft->secrets[1]);
    if (status != PL_OK)
        return status;
    pl_hkdf_extract(draft->prk, sizeof draft->prk, draft->secrets, sizeof draft->secrets, prk);
    pl_hkdf_expand(prk, key_label, strlen(key_label), crypt->key, sizeof crypt->key);
    pl_hkdf_expand(prk, vector_label, strlen(vector_label), crypt->iv_key, sizeof crypt->iv_key);
    pl_wipe(prk, sizeof prk);
    memcpy(lock->user_key, crypt->key, sizeof lock->user_key);
    memcpy(lock->owner_key, crypt->key, sizeof lock->owner_key);
    status = pl_aes_cbc(true, draft->secrets[0], 32, zero, lock->user_key, 32);
    if (status == PL_OK)
        status = pl_aes_cbc(true, draft->secrets[1], 32, zero, lock->owner_key, 32);
    return status == PL_OK ? crypt_make_perms(crypt, lock->permissions, draft->prk, draft->perms)
                           : status;
}

pl_status pl_pdf_crypt_make(const char *user, const char *owner, unsigned permissions,
                            const uint8_t seed[32], struct pl_pdf_crypt *crypt,
                            struct pl_bytes *out)
{
    static const char label[] = "platen pdf encryption";
    struct pl_span users = pl_span_from(user);
    struct pl_span owners = pl_span_from(owner);
    struct pl_pdf_crypt made = { .strings = PL_PDF_CIPHER_AES_256,
                                 .streams = PL_PDF_CIPHER_AES_256,
                                 .metadata = true,
                                 .key_size = 32 };
    struct crypt_draft draft = { .lock = { .permissions = crypt_permissions(permissions) } };
    if (users.size > PL_PDF_PASSWORD_MOST || owners.size > PL_PDF_PASSWORD_MOST ||
        !pl_text_is_utf8(users) || !pl_text_is_utf8(owners))
        return PL_BAD_REQUEST;
    pl_hkdf_extract(label, strlen(label), seed, 32, draft.prk);
    pl_status status = crypt_draw(&draft, users, owners, &made);
    if (status == PL_OK)
        status = crypt_append(&draft.lock, draft.perms, out);
    if (status == PL_OK)
        *crypt = made;
    pl_wipe(&draft, sizeof draft);
    pl_wipe(&made, sizeof made);
    return status;
}

uint64_t pl_pdf_crypt_size(uint64_t size)
{
    return PL_AES_BLOCK + (size / PL_AES_BLOCK + 1) * PL_AES_BLOCK;
}

void pl_pdf_crypt_vector(struct pl_pdf_crypt *crypt, uint8_t iv[16])
{
    uint8_t number[8];
    uint8_t mac[PL_SHA256_BYTES];
    pl_put_u64be(number, crypt->iv_counter++);
    pl_hmac_sha256(crypt->iv_key, sizeof crypt->iv_key, number, sizeof number, mac);
    memcpy(iv, mac, PL_AES_BLOCK);
}

pl_status pl_pdf_crypt_encrypt(struct pl_pdf_crypt *crypt, const void *data, size_t size,
                               struct pl_bytes *out)
{
    uint8_t *room = NULL;
    if (size > SIZE_MAX - (size_t)3 * PL_AES_BLOCK)
        return PL_TOO_LARGE;
    size_t total = (size_t)pl_pdf_crypt_size(size);
    size_t padded = total - PL_AES_BLOCK;
    pl_status status = pl_bytes_reserve(out, total, &room);
    if (status != PL_OK)
        return status;
    pl_pdf_crypt_vector(crypt, room);
    if (size > 0)
        memcpy(room + PL_AES_BLOCK, data, size);
    memset(room + PL_AES_BLOCK + size, (int)(padded - size), padded - size);
    status = pl_aes_cbc(true, crypt->key, crypt->key_size, room, room + PL_AES_BLOCK, padded);
    if (status == PL_OK)
        out->size += total;
    return status;
}
