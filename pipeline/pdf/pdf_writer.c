/* pdf_writer: a buffer in front of the output, a running hash, and the offsets of objects.
 *
 * Small writes gather in the buffer; image data passes it by. The hash names the file, it does not
 * guard it: of long data its size, its first and its last 4 KiB are enough, and cost nothing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_writer.h"

#include "engine/base/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITER_BUFFER ((size_t)1 << 16)
#define WRITER_DIRECT ((size_t)1 << 13) /* larger writes are not copied */
#define WRITER_SAMPLE ((size_t)1 << 12)
#define WRITER_ENTRY 20               /* of the cross-reference table; 7.5.4 fixes it */
#define WRITER_OFFSET_MAX 9999999999U /* its ten digits */
#define WRITER_FORMAT 512
#define WRITER_FIRST_ROOM 64

struct pl_pdf_writer {
    struct pl_out *out;
    struct pl_sha256 *hash;
    pl_status status;
    uint64_t size;
    uint64_t *offsets; /* by object number; 0: reserved, not written; [0] is the free head */
    uint32_t count;    /* numbers given out, with 0 */
    uint32_t room;
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

pl_status pl_pdf_writer_new(struct pl_out *out, struct pl_pdf_writer **writer)
{
    pl_status status = PL_NO_MEMORY;
    struct pl_pdf_writer *made = malloc(sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    *made = (struct pl_pdf_writer){ .out = out };
    made->offsets = malloc(WRITER_FIRST_ROOM * sizeof *made->offsets);
    if (made->offsets == NULL)
        goto done;
    made->room = WRITER_FIRST_ROOM;
    made->offsets[made->count++] = 0;
    status = pl_sha256_new(&made->hash);
    if (status != PL_OK)
        goto done;
    pl_pdf_format(made, "%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n");
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
    free(writer);
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

void pl_pdf_end_stream(struct pl_pdf_writer *writer, const void *data, size_t size)
{
    pl_pdf_format(writer, "/Length %zu>>\nstream\n", size);
    pl_pdf_write(writer, data, size);
    pl_pdf_format(writer, "\nendstream\nendobj\n");
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

pl_status pl_pdf_writer_finish(struct pl_pdf_writer *writer, uint32_t root)
{
    uint64_t table = writer->size;
    if (table > WRITER_OFFSET_MAX)
        writer_fail(writer, PL_TOO_LARGE);
    writer_table(writer);
    writer_flush(writer);
    uint8_t digest[PL_SHA256_BYTES];
    char id[2 * 16 + 1];
    pl_sha256_final(writer->hash, digest);
    (void)pl_text_hex(digest, 16, id);
    pl_pdf_format(writer,
                  "trailer\n<</Size %u/Root %u 0 R/ID[<%s><%s>]>>\nstartxref\n%llu\n%%%%EOF\n",
                  writer->count, root, id, id, (unsigned long long)table);
    writer_flush(writer);
    return writer->status;
}
