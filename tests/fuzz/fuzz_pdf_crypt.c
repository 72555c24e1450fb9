/* fuzz_pdf_crypt: an /Encrypt dictionary made of any bytes, and data decrypted by it.
 *
 * The first bytes choose version, revision, length and filters; the rest fills the strings.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_crypt.h"

#include <string.h>

#define HEAD 8
#define KEYS 13

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pl_pdf_value integer_of(int64_t number)
{
    struct pl_pdf_value value = { .kind = PL_PDF_INT };
    value.as.integer = number;
    return value;
}

static struct pl_pdf_value text_of(enum pl_pdf_kind kind, const void *data, size_t size)
{
    struct pl_pdf_value value = { .kind = kind };
    value.as.text = (struct pl_span){ data, size };
    return value;
}

static struct pl_pdf_value dict_of(const struct pl_pdf_entry *entries, size_t count)
{
    struct pl_pdf_value value = { .kind = PL_PDF_DICT };
    value.as.dict.entries = entries;
    value.as.dict.count = count;
    return value;
}

static void data_undo(const struct pl_pdf_crypt *crypt, const uint8_t *data, size_t size)
{
    static const enum pl_pdf_cipher ciphers[] = { PL_PDF_CIPHER_NONE, PL_PDF_CIPHER_RC4,
                                                  PL_PDF_CIPHER_AES_128, PL_PDF_CIPHER_AES_256 };
    const struct pl_pdf_ref ref = { 1, 0 };
    uint8_t copy[256];
    for (size_t i = 0; i < PL_COUNT_OF(ciphers); i++) {
        size_t left = size < sizeof copy ? size : sizeof copy;
        if (ciphers[i] != crypt->strings && ciphers[i] != crypt->streams)
            continue;
        memcpy(copy, data, left);
        if (pl_pdf_crypt_decrypt(crypt, ciphers[i], ref, copy, &left) == PL_OK)
            PL_CHECK(left <= size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = { "None", "V2", "AESV2", "AESV3" };
    static const char *const names[] = { "Identity", "StdCF", "Other" };
    if (size < HEAD)
        return 0;
    const char *method = methods[data[3] % 4];
    const char *streams = names[data[4] % 3];
    const char *strings = names[data[5] % 3];
    struct pl_pdf_value cfm = text_of(PL_PDF_NAME, method, strlen(method));
    const struct pl_pdf_entry filter[] = { { pl_span_from("CFM"), &cfm } };
    struct pl_pdf_value filter_dict = dict_of(filter, 1);
    const struct pl_pdf_entry filters[] = { { pl_span_from("StdCF"), &filter_dict } };
    const uint8_t *rest = data + HEAD;
    size_t left = size - HEAD;
    size_t part = left < 48 ? left : 48;
    struct pl_pdf_value values[KEYS] = {
        text_of(PL_PDF_NAME, "Standard", 8),
        integer_of(data[0] % 7),
        integer_of(data[1] % 8),
        integer_of(data[2]),
        integer_of((int8_t)data[6]),
        dict_of(filters, 1),
        text_of(PL_PDF_NAME, streams, strlen(streams)),
        text_of(PL_PDF_NAME, strings, strlen(strings)),
        text_of(PL_PDF_STRING, rest, part),
        text_of(PL_PDF_STRING, rest + (left - part), part),
        text_of(PL_PDF_STRING, rest, part),
        text_of(PL_PDF_STRING, rest, part),
        { .kind = PL_PDF_BOOL },
    };
    static const char *const keys[KEYS] = { "Filter",         "V",    "R", "Length", "P",  "CF",
                                            "StmF",           "StrF", "O", "U",      "OE", "UE",
                                            "EncryptMetadata" };
    struct pl_pdf_entry entries[KEYS];
    for (size_t i = 0; i < KEYS; i++)
        entries[i] = (struct pl_pdf_entry){ pl_span_from(keys[i]), &values[i] };
    struct pl_pdf_value encrypt = dict_of(entries, KEYS);
    struct pl_pdf_crypt crypt = { .key_size = 0 };
    struct pl_fault fault = { 0 };
    char password[16] = "";
    memcpy(password, rest, left < 15 ? left : 15);
    pl_status status = pl_pdf_crypt_open(&encrypt, (struct pl_span){ (const char *)rest, part },
                                         password, &crypt, &fault);
    PL_CHECK(status == PL_OK || fault.status == status);
    if (status == PL_OK)
        data_undo(&crypt, rest, left);
    /* Whatever the password: data under a key of the cipher's size. */
    crypt.key_size = data[7] % 2 == 0 ? 16 : 32;
    crypt.strings = crypt.key_size == 32 ? PL_PDF_CIPHER_AES_256 : PL_PDF_CIPHER_RC4;
    crypt.streams = crypt.key_size == 32 ? PL_PDF_CIPHER_NONE : PL_PDF_CIPHER_AES_128;
    data_undo(&crypt, rest, left);
    return 0;
}
