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
