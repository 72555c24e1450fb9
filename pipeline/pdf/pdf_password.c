/* pdf_password: the algorithms by their numbers in the standards.
 *
 * R2 to R4 hash with MD5 and encrypt with RC4, R5 hashes once with SHA-256, R6 goes through 64 or
 * more rounds of AES and SHA-2. They are what files were written with; nothing here was chosen.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_password.h"

#include "engine/base/cipher.h"
#include "engine/base/digest.h"

#include <string.h>

#define PASSWORD_PAD 32
#define PASSWORD_ROUNDS 64 /* of algorithm 2.B, at least */
#define PASSWORD_COPIES 64
#define PASSWORD_BLOCK (PL_PDF_PASSWORD_MOST + 64 + PL_PDF_ENTRY_BYTES)

static const uint8_t password_pad[PASSWORD_PAD] = {
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08,
    0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
};

/* Cut or filled up to 32 bytes. */
static void password_padded(struct pl_span password, uint8_t out[PASSWORD_PAD])
{
    size_t size = password.size < PASSWORD_PAD ? password.size : PASSWORD_PAD;
    if (size > 0)
        memcpy(out, password.data, size);
    memcpy(out + size, password_pad, PASSWORD_PAD - size);
}

/* 50 times over the first `size` bytes, from R3 on. */
static void password_repeat(const struct pl_pdf_lock *lock, uint8_t digest[PL_MD5_BYTES])
{
    for (unsigned i = 0; i < 50 && lock->revision >= 3; i++) {
        const struct pl_piece piece = { digest, lock->key_size };
        pl_md5_of(&piece, 1, digest);
    }
}

/* Algorithm 2. */
static void password_file_key(const struct pl_pdf_lock *lock, const uint8_t padded[PASSWORD_PAD],
                              uint8_t key[32])
{
    uint8_t permissions[4];
    for (unsigned i = 0; i < sizeof permissions; i++)
        permissions[i] = (uint8_t)(lock->permissions >> (8 * i));
    const struct pl_piece pieces[] = {
        { padded, PASSWORD_PAD },
        { lock->owner, PASSWORD_PAD },
        { permissions, sizeof permissions },
        { lock->id.data, lock->id.size },
        { "\xff\xff\xff\xff", lock->revision >= 4 && !lock->metadata ? 4 : 0 },
    };
    uint8_t digest[PL_MD5_BYTES];
    pl_md5_of(pieces, PL_COUNT_OF(pieces), digest);
    password_repeat(lock, digest);
    memcpy(key, digest, lock->key_size);
}

/* RC4 with the key, and from R3 on 19 times more with the key XOR a number. */
static void password_rc4(const struct pl_pdf_lock *lock, const uint8_t *key, bool downwards,
                         uint8_t *data, size_t size)
{
    unsigned rounds = lock->revision >= 3 ? 20 : 1;
    for (unsigned i = 0; i < rounds; i++) {
        uint8_t round_key[PL_MD5_BYTES];
        unsigned number = downwards ? rounds - 1 - i : i;
        for (size_t k = 0; k < lock->key_size; k++)
            round_key[k] = (uint8_t)(key[k] ^ number);
        pl_rc4(round_key, lock->key_size, data, size);
    }
}

/* Algorithm 6: the key of a padded user password, if /U agrees (algorithms 4 and 5). */
static bool password_try_padded(const struct pl_pdf_lock *lock, const uint8_t padded[PASSWORD_PAD],
                                uint8_t key[32])
{
    password_file_key(lock, padded, key);
    if (lock->revision == 2) {
        uint8_t expected[PASSWORD_PAD];
        memcpy(expected, password_pad, sizeof expected);
        password_rc4(lock, key, false, expected, sizeof expected);
        return pl_text_equal_ct(expected, lock->user, sizeof expected);
    }
    uint8_t expected[PL_MD5_BYTES];
    const struct pl_piece pieces[] = { { password_pad, sizeof password_pad },
                                       { lock->id.data, lock->id.size } };
    pl_md5_of(pieces, PL_COUNT_OF(pieces), expected);
    password_rc4(lock, key, false, expected, sizeof expected);
    return pl_text_equal_ct(expected, lock->user, sizeof expected);
}

/* Algorithm 7: /O holds the user's password, encrypted with a key from the owner's. */
static void password_user_of_owner(const struct pl_pdf_lock *lock, struct pl_span owner,
                                   uint8_t padded[PASSWORD_PAD])
{
    uint8_t own[PASSWORD_PAD];
    uint8_t digest[PL_MD5_BYTES];
    password_padded(owner, own);
    const struct pl_piece piece = { own, sizeof own };
    pl_md5_of(&piece, 1, digest);
    password_repeat(lock, digest);
    memcpy(padded, lock->owner, PASSWORD_PAD);
    password_rc4(lock, digest, true, padded, PASSWORD_PAD);
}

static bool password_try_old(const struct pl_pdf_lock *lock, struct pl_span password,
                             uint8_t key[32])
{
    uint8_t padded[PASSWORD_PAD];
    password_padded(password, padded);
    if (password_try_padded(lock, padded, key))
        return true;
    password_user_of_owner(lock, password, padded);
    return password_try_padded(lock, padded, key);
}

/* One round of algorithm 2.B; `k` holds `*size` bytes and the next hash. *last gets the last byte
 * of E. */
static pl_status password_round(struct pl_span password, const uint8_t *entry, uint8_t k[64],
                                size_t *size, uint8_t *work, uint8_t *last)
{
    size_t unit = 0;
    if (password.size > 0)
        memcpy(work, password.data, password.size);
    unit += password.size;
    memcpy(work + unit, k, *size);
    unit += *size;
    if (entry != NULL) {
        memcpy(work + unit, entry, PL_PDF_ENTRY_BYTES);
        unit += PL_PDF_ENTRY_BYTES;
    }
    for (size_t i = 1; i < PASSWORD_COPIES; i++)
        memcpy(work + i * unit, work, unit);
    size_t total = PASSWORD_COPIES * unit;
    uint8_t iv[PL_AES_BLOCK];
    memcpy(iv, k + 16, sizeof iv);
    pl_status status = pl_aes_cbc(true, k, 16, iv, work, total);
    if (status != PL_OK)
        return status;
    /* The first 16 bytes as one number, modulo 3: 256 is 1 modulo 3. */
    unsigned sum = 0;
    for (size_t i = 0; i < PL_AES_BLOCK; i++)
        sum += work[i];
    static const unsigned bits[] = { 256, 384, 512 };
    const struct pl_piece piece = { work, total };
    pl_sha2_of(bits[sum % 3], &piece, 1, k);
    *size = bits[sum % 3] / 8;
    *last = work[total - 1];
    return PL_OK;
}

pl_status pl_pdf_password_hash(unsigned revision, struct pl_span password,
                               const uint8_t salt[PL_PDF_SALT_BYTES], const uint8_t *entry,
                               uint8_t out[PL_PDF_HASH_BYTES])
{
    PL_CHECK(password.size <= PL_PDF_PASSWORD_MOST);
    const struct pl_piece pieces[] = { { password.data, password.size },
                                       { salt, PL_PDF_SALT_BYTES },
                                       { entry, entry != NULL ? PL_PDF_ENTRY_BYTES : 0 } };
    uint8_t k[64];
    uint8_t work[PASSWORD_COPIES * PASSWORD_BLOCK];
    size_t size = PL_PDF_HASH_BYTES;
    uint8_t last = UINT8_MAX;
    pl_status status = PL_OK;
    pl_sha2_of(256, pieces, PL_COUNT_OF(pieces), k);
    /* At most 255 + 32 rounds: `last` is a byte. */
    for (unsigned round = 0; revision >= 6 && status == PL_OK; round++) {
        if (round >= PASSWORD_ROUNDS && last <= round - 32)
            break;
        status = password_round(password, entry, k, &size, work, &last);
    }
    if (status == PL_OK)
        memcpy(out, k, PL_PDF_HASH_BYTES);
    pl_wipe(work, sizeof work);
    pl_wipe(k, sizeof k);
    return status;
}

/* Algorithm 2.A for one of the two entries. */
static pl_status password_try_entry(const struct pl_pdf_lock *lock, struct pl_span password,
                                    bool owner, uint8_t key[32], bool *fits)
{
    static const uint8_t zero[PL_AES_BLOCK] = { 0 };
    const uint8_t *entry = owner ? lock->owner : lock->user;
    const uint8_t *with = owner ? lock->user : NULL;
    uint8_t hash[PL_PDF_HASH_BYTES];
    pl_status status =
        pl_pdf_password_hash(lock->revision, password, entry + PL_PDF_HASH_BYTES, with, hash);
    if (status != PL_OK)
        return status;
    *fits = pl_text_equal_ct(hash, entry, sizeof hash);
    if (!*fits)
        return PL_OK;
    status = pl_pdf_password_hash(lock->revision, password,
                                  entry + PL_PDF_HASH_BYTES + PL_PDF_SALT_BYTES, with, hash);
    if (status != PL_OK)
        return status;
    memcpy(key, owner ? lock->owner_key : lock->user_key, 32);
    status = pl_aes_cbc(false, hash, sizeof hash, zero, key, 32);
    pl_wipe(hash, sizeof hash);
    return status;
}

pl_status pl_pdf_password_try(const struct pl_pdf_lock *lock, struct pl_span password,
                              uint8_t key[32], bool *fits)
{
    if (lock->revision <= 4) {
        PL_CHECK(lock->key_size >= 5 && lock->key_size <= PL_MD5_BYTES);
        *fits = password_try_old(lock, password, key);
        return PL_OK;
    }
    if (password.size > PL_PDF_PASSWORD_MOST)
        password.size = PL_PDF_PASSWORD_MOST;
    pl_status status = password_try_entry(lock, password, false, key, fits);
    if (status == PL_OK && !*fits)
        status = password_try_entry(lock, password, true, key, fits);
    return status;
}
