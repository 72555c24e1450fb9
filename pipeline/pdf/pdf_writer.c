/* pdf_writer: a buffer in front of the output, a running hash, and the offsets of objects.
 *
 * What is encrypted gathers in a second buffer that exists only then.
 *
 * Small writes gather in the buffer; image data passes it by. The hash names the file, it does not
 * guard it: of long data its size, its first and its last KiB are enough, and cost little.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_writer.h"

#include "engine/base/cipher.h"
#include "engine/base/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITER_BUFFER ((size_t)1 << 16)
#define WRITER_DIRECT ((size_t)1 << 13) /* larger writes are not copied */
#define WRITER_SAMPLE ((size_t)1 << 10)
#define WRITER_ENTRY 20               /* of the cross-reference table; 7.5.4 fixes it */
#define WRITER_OFFSET_MAX 9999999999U /* its ten digits */
#define WRITER_FORMAT 512
#define WRITER_FIRST_ROOM 64
#define WRITER_HOLE 256                 /* a shorter payload is kept by a shadow */
#define WRITER_CIPHER ((size_t)1 << 16) /* whole blocks of AES */

struct pl_pdf_writer {
    struct pl_out *out;
    struct pl_sha256 *hash;
    pl_status status;
    uint64_t size;
    uint64_t *offsets; /* by object number; 0: reserved, not written; [0] is the free head */
    uint32_t count;    /* numbers given out, with 0 */
    uint32_t room;
    struct pl_pdf_crypt *crypt; /* NULL: nothing is encrypted */
    uint8_t *cipher;            /* what is encrypted next */
    size_t cipher_used;
    uint8_t chain[PL_AES_BLOCK];  /* the last block of ciphertext, or the vector */
    struct pl_pdf_shadow *shadow; /* NULL: nobody keeps what is written */
    bool payload;                 /* the next stream is an image's */
    uint64_t stream_left;         /* bytes of an open stream that are still to come */
    size_t used;
    uint8_t buffer[WRITER_BUFFER];
};

static void writer_fail(struct pl_pdf_writer *writer, pl_status status)
{
    if (writer->status == PL_OK)
        writer->status = status;
}

/* Long data: size, head and tail, which may overlap. */
static void writer_hash(struct pl_pdf_writer *writer, const uint8_t *data, size_t size)
{
    PL_CHECK(size >= WRITER_SAMPLE);
    uint8_t number[8];
    pl_put_u64be(number, size);
    pl_sha256_update(writer->hash, number, sizeof number);
    pl_sha256_update(writer->hash, data, WRITER_SAMPLE);
    pl_sha256_update(writer->hash, data + size - WRITER_SAMPLE, WRITER_SAMPLE);
}

static void writer_hand_on(struct pl_pdf_writer *writer, const void *data, size_t size)
{
    if (writer->status != PL_OK || size == 0)
        return;
    writer_fail(writer, pl_out_write(writer->out, data, size));
}

static void writer_flush(struct pl_pdf_writer *writer)
{
    pl_sha256_update(writer->hash, writer->buffer, writer->used);
    writer_hand_on(writer, writer->buffer, writer->used);
    writer->used = 0;
}

pl_status pl_pdf_flush(struct pl_pdf_writer *writer)
{
    writer_flush(writer);
    return writer->status;
}

void pl_pdf_write(struct pl_pdf_writer *writer, const void *data, size_t size)
{
    if (writer->status != PL_OK || size == 0)
        return;
    if (size > WRITER_BUFFER - writer->used || size >= WRITER_DIRECT)
        writer_flush(writer);
    if (size >= WRITER_DIRECT) {
        writer_hash(writer, data, size);
        writer_hand_on(writer, data, size);
    } else {
        memcpy(writer->buffer + writer->used, data, size);
        writer->used += size;
    }
    writer->size += size;
}

void pl_pdf_format(struct pl_pdf_writer *writer, const char *format, ...)
{
    char text[WRITER_FORMAT];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    PL_CHECK(length >= 0 && (size_t)length < sizeof text);
    pl_pdf_write(writer, text, (size_t)length);
}

pl_status pl_pdf_writer_new(struct pl_out *out, unsigned minor, struct pl_pdf_crypt *crypt,
                            struct pl_pdf_writer **writer)
{
    pl_status status = PL_NO_MEMORY;
    struct pl_pdf_writer *made = malloc(sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    *made = (struct pl_pdf_writer){ .out = out, .crypt = crypt };
    made->offsets = malloc(WRITER_FIRST_ROOM * sizeof *made->offsets);
    if (made->offsets == NULL)
        goto done;
    if (crypt != NULL) {
        made->cipher = malloc(WRITER_CIPHER);
        if (made->cipher == NULL)
            goto done;
    }
    made->room = WRITER_FIRST_ROOM;
    made->offsets[made->count++] = 0;
    status = pl_sha256_new(&made->hash);
    if (status != PL_OK)
        goto done;
    pl_pdf_format(made, "%%PDF-1.%u\n%%\xe2\xe3\xcf\xd3\n", minor);
    *writer = made;
    made = NULL;
done:
    pl_pdf_writer_free(made);
    return status;
}

void pl_pdf_writer_free(struct pl_pdf_writer *writer)
{
    if (writer == NULL)
        return;
    pl_sha256_free(writer->hash);
    free(writer->offsets);
    free(writer->cipher);
    free(writer);
}

void pl_pdf_writer_shadow(struct pl_pdf_writer *writer, struct pl_pdf_shadow *shadow)
{
    writer->shadow = shadow;
}

void pl_pdf_payload(struct pl_pdf_writer *writer)
{
    writer->payload = true;
}

pl_status pl_pdf_status(const struct pl_pdf_writer *writer)
{
    return writer->status;
}

uint64_t pl_pdf_size(const struct pl_pdf_writer *writer)
{
    return writer->size;
}

uint32_t pl_pdf_next(const struct pl_pdf_writer *writer)
{
    return writer->count;
}

uint32_t pl_pdf_reserve(struct pl_pdf_writer *writer)
{
    if (writer->status != PL_OK)
        return 0;
    if (writer->count > PL_PDF_OBJECTS_MAX) {
        writer_fail(writer, PL_TOO_LARGE);
        return 0;
    }
    if (writer->count == writer->room) {
        size_t room = (size_t)writer->room * 2;
        uint64_t *offsets = realloc(writer->offsets, room * sizeof *offsets);
        if (offsets == NULL) {
            writer_fail(writer, PL_NO_MEMORY);
            return 0;
        }
        writer->offsets = offsets;
        writer->room = (uint32_t)room;
    }
    writer->offsets[writer->count] = 0;
    return writer->count++;
}

void pl_pdf_begin(struct pl_pdf_writer *writer, uint32_t number)
{
    if (writer->status != PL_OK)
        return;
    PL_CHECK(number > 0 && number < writer->count && writer->offsets[number] == 0);
    if (writer->size > WRITER_OFFSET_MAX) {
        writer_fail(writer, PL_TOO_LARGE);
        return;
    }
    writer->offsets[number] = writer->size;
    pl_pdf_format(writer, "%u 0 obj\n", number);
}

void pl_pdf_end(struct pl_pdf_writer *writer)
{
    pl_pdf_format(writer, "\nendobj\n");
}

/* Encrypts what has gathered and hands it on. */
static void writer_encrypt(struct pl_pdf_writer *writer)
{
    size_t size = writer->cipher_used;
    PL_CHECK(size % PL_AES_BLOCK == 0);
    if (size == 0 || writer->status != PL_OK)
        return;
    pl_status status = pl_aes_cbc(true, writer->crypt->key, writer->crypt->key_size, writer->chain,
                                  writer->cipher, size);
    if (status != PL_OK) {
        writer_fail(writer, status);
        return;
    }
    memcpy(writer->chain, writer->cipher + size - PL_AES_BLOCK, PL_AES_BLOCK);
    pl_pdf_write(writer, writer->cipher, size);
    writer->cipher_used = 0;
}

static void writer_gather(struct pl_pdf_writer *writer, const uint8_t *data, size_t size)
{
    while (size > 0 && writer->status == PL_OK) {
        size_t room = WRITER_CIPHER - writer->cipher_used;
        size_t step = size < room ? size : room;
        memcpy(writer->cipher + writer->cipher_used, data, step);
        writer->cipher_used += step;
        data += step;
        size -= step;
        if (writer->cipher_used == WRITER_CIPHER)
            writer_encrypt(writer);
    }
}

void pl_pdf_begin_stream(struct pl_pdf_writer *writer, uint64_t size)
{
    bool encrypts = writer->crypt != NULL;
    PL_CHECK(size <= INT64_MAX);
    pl_pdf_format(writer, "/Length %llu>>\nstream\n",
                  (unsigned long long)(encrypts ? pl_pdf_crypt_size(size) : size));
    writer->stream_left = size;
    bool hole = writer->payload && writer->shadow != NULL && !encrypts && size >= WRITER_HOLE;
    writer->payload = false;
    if (hole && writer->status == PL_OK)
        writer_fail(writer, pl_pdf_shadow_hole(writer->shadow, writer->size, size));
    if (!encrypts)
        return;
    pl_pdf_crypt_vector(writer->crypt, writer->chain);
    pl_pdf_write(writer, writer->chain, sizeof writer->chain);
    writer->cipher_used = 0;
}

void pl_pdf_stream_data(struct pl_pdf_writer *writer, const void *data, size_t size)
{
    PL_CHECK(size <= writer->stream_left);
    writer->stream_left -= size;
    if (writer->crypt == NULL) {
        pl_pdf_write(writer, data, size);
    } else {
        writer_gather(writer, data, size);
    }
}

void pl_pdf_close_stream(struct pl_pdf_writer *writer)
{
    PL_CHECK(writer->stream_left == 0 || writer->status != PL_OK);
    writer->stream_left = 0;
    if (writer->crypt != NULL && writer->status == PL_OK) {
        uint8_t padding[PL_AES_BLOCK];
        size_t size = PL_AES_BLOCK - writer->cipher_used % PL_AES_BLOCK;
        memset(padding, (int)size, size);
        writer_gather(writer, padding, size);
        writer_encrypt(writer);
    }
    pl_pdf_format(writer, "\nendstream\nendobj\n");
}

void pl_pdf_end_stream(struct pl_pdf_writer *writer, const void *data, size_t size)
{
    pl_pdf_begin_stream(writer, size);
    pl_pdf_stream_data(writer, data, size);
    pl_pdf_close_stream(writer);
}

static void writer_hex_string(struct pl_pdf_writer *writer, const uint8_t *data, size_t size)
{
    pl_pdf_write(writer, "<", 1);
    for (size_t at = 0; at < size; at += 64) {
        char hex[2 * 64 + 1];
        size_t step = size - at < 64 ? size - at : 64;
        pl_pdf_write(writer, pl_text_hex(data + at, step, hex), 2 * step);
    }
    pl_pdf_write(writer, ">", 1);
}

void pl_pdf_string(struct pl_pdf_writer *writer, struct pl_span bytes)
{
    if (writer->crypt != NULL) {
        struct pl_bytes secret = { 0 };
        pl_bytes_init(&secret, SIZE_MAX);
        pl_status status = pl_pdf_crypt_encrypt(writer->crypt, bytes.data, bytes.size, &secret);
        if (status != PL_OK)
            writer_fail(writer, status);
        writer_hex_string(writer, secret.data, secret.size);
        pl_bytes_fini(&secret);
        return;
    }
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e) {
            writer_hex_string(writer, (const uint8_t *)bytes.data, bytes.size);
            return;
        }
    }
    pl_pdf_write(writer, "(", 1);
    for (size_t i = 0; i < bytes.size; i++) {
        if (strchr("()\\", bytes.data[i]) != NULL)
            pl_pdf_write(writer, "\\", 1);
        pl_pdf_write(writer, &bytes.data[i], 1);
    }
    pl_pdf_write(writer, ")", 1);
}

void pl_pdf_name(struct pl_pdf_writer *writer, struct pl_span bytes)
{
    pl_pdf_write(writer, "/", 1);
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] <= 0x20 || bytes.data[i] > 0x7e ||
            strchr("()<>[]{}/%#", bytes.data[i]) != NULL) {
            pl_pdf_format(writer, "#%02X", (unsigned)(uint8_t)bytes.data[i]);
        } else {
            pl_pdf_write(writer, &bytes.data[i], 1);
        }
    }
}

/* Ten digits, space, generation, space, kind, and an end of line of two characters. */
static void writer_table(struct pl_pdf_writer *writer)
{
    pl_pdf_format(writer, "xref\n0 %u\n0000000000 65535 f \n", writer->count);
    for (uint32_t number = 1; number < writer->count; number++) {
        uint64_t offset = writer->offsets[number];
        PL_CHECK(offset != 0 || writer->status != PL_OK);
        char entry[WRITER_ENTRY + 1] = "0000000000 00000 n \n";
        for (unsigned digit = 10; digit-- > 0; offset /= 10)
            entry[digit] = (char)('0' + offset % 10);
        pl_pdf_write(writer, entry, WRITER_ENTRY);
    }
}

/* Its strings are not encrypted: they are what unlocks the others. */
static uint32_t writer_encrypt_dictionary(struct pl_pdf_writer *writer, struct pl_span text)
{
    if (text.size == 0)
        return 0;
    uint32_t number = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, number);
    pl_pdf_write(writer, text.data, text.size);
    pl_pdf_end(writer);
    return number;
}

pl_status pl_pdf_writer_finish(struct pl_pdf_writer *writer, const struct pl_pdf_ends *ends)
{
    PL_CHECK((writer->crypt != NULL) == (ends->encrypt.size > 0));
    uint32_t encrypt = writer_encrypt_dictionary(writer, ends->encrypt);
    uint64_t table = writer->size;
    if (table > WRITER_OFFSET_MAX)
        writer_fail(writer, PL_TOO_LARGE);
    writer_table(writer);
    writer_flush(writer);
    uint8_t digest[PL_SHA256_BYTES];
    char id[2 * 16 + 1];
    pl_sha256_final(writer->hash, digest);
    (void)pl_text_hex(digest, 16, id);
    pl_pdf_format(writer, "trailer\n<</Size %u/Root %u 0 R", writer->count, ends->root);
    if (ends->info != 0)
        pl_pdf_format(writer, "/Info %u 0 R", ends->info);
    if (encrypt != 0)
        pl_pdf_format(writer, "/Encrypt %u 0 R", encrypt);
    pl_pdf_format(writer, "/ID[<%s><%s>]>>\nstartxref\n%llu\n%%%%EOF\n", id, id,
                  (unsigned long long)table);
    writer_flush(writer);
    return writer->status;
}
