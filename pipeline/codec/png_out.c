/* png_out: a page as a PNG (ISO/IEC 15948).
 *
 * A Flate page under the filters of PNG is one of PNG's own streams: it becomes IDAT as it is. A
 * stream that was copied from elsewhere is inflated once before, because a reader of PDF forgives
 * what one of PNG does not (a missing end, more than all rows); what fails, and rows under another
 * predictor, are filtered and compressed anew, exactly. A page that is turned is not carried: PNG
 * has no tag for it that readers know.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"
#include "pipeline/codec/png_chunks.h"
#include "pipeline/codec/png_pixels.h"
#include "pipeline/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES ((size_t)1 << 24) /* of an IDAT chunk */
#define PREDICTOR_PNG 10              /* and above */

struct png_writer {
    struct pl_writer writer;
    const struct pl_convert *convert;
    struct pl_out *out;
    uint64_t most;
    bool written;
    struct pl_bytes scratch;
};

static bool depth_fits(const struct pl_page *page)
{
    switch (page->bits) {
    case 1:
    case 2:
    case 4:
        return page->palette.size > 0 || page->colour != PL_COLOUR_RGB;
    case 8:
        return true;
    case 16:
        return page->palette.size == 0;
    default:
        return false;
    }
}

static bool png_carries(const struct pl_convert *convert, const struct pl_page *page)
{
    (void)convert;
    return page->kind == PL_PAGE_IMAGE && page->filter == PL_FILTER_FLATE &&
           page->orientation == 1 && page->colour != PL_COLOUR_CMYK && page->part_count > 0 &&
           depth_fits(page);
}

static struct pl_png_head head_of(const struct pl_page *page)
{
    return (struct pl_png_head){ .width_px = page->width_px,
                                 .height_px = page->height_px,
                                 .bits = page->bits,
                                 .type = page->palette.size > 0          ? PL_PNG_PALETTE
                                         : page->colour == PL_COLOUR_RGB ? PL_PNG_RGB
                                                                         : PL_PNG_GREY };
}

/* Whether the one part is a stream that PNG may hold; it is cut to what belongs to it. What we made
 * ourselves is known to be one. */
static pl_status stream_prove(struct pl_page *page, bool *sound)
{
    struct pl_page_part *part = &page->parts[0];
    struct pl_png_proof *proof = NULL;
    size_t used = part->size;
    *sound = page->part_count == 1 && !page->inverted &&
             (page->predictor == 0 || page->predictor >= PREDICTOR_PNG);
    if (!*sound || page->how != PL_PAGE_COPIED)
        return PL_OK;
    const struct pl_png_head head = head_of(page);
    pl_status status = pl_png_proof_new(&head, &proof);
    if (status != PL_OK)
        return status;
    status = pl_png_proof_feed(proof, page->data.data + part->at, part->size, &used, NULL);
    if (status == PL_OK)
        status = pl_png_proof_end(proof, NULL);
    pl_png_proof_free(proof);
    *sound = status == PL_OK;
    if (*sound)
        part->size = used;
    return status == PL_BAD_DOCUMENT ? PL_OK : status;
}

static pl_status rows_again(const struct pl_page *page, struct pl_flate_rows *rows,
                            struct pl_flate *flate, uint8_t *turned, struct pl_fault *fault)
{
    size_t size = pl_flate_row_bytes(page->width_px, pl_flate_samples(page), page->bits);
    pl_status status = PL_OK;
    for (uint32_t y = 0; y < page->height_px && status == PL_OK; y++) {
        const uint8_t *row = NULL;
        status = pl_flate_rows_next(rows, &row, fault);
        if (status != PL_OK)
            return status;
        for (size_t i = 0; page->inverted && i < size; i++)
            turned[i] = (uint8_t)~row[i];
        status = pl_flate_row(flate, page->inverted ? turned : row);
    }
    return status == PL_OK ? pl_flate_end(flate) : status;
}

/* One stream under the filters of PNG takes the place of the page's data. */
static pl_status encode_again(struct pl_page *page, struct pl_fault *fault)
{
    struct pl_page made;
    struct pl_flate_rows *rows = NULL;
    struct pl_flate *flate = NULL;
    size_t size = pl_flate_row_bytes(page->width_px, pl_flate_samples(page), page->bits);
    uint8_t *turned = malloc(size);
    pl_page_init(&made, page->data.limit);
    pl_status status = turned == NULL ? PL_NO_MEMORY : pl_flate_rows_new(page, &rows);
    if (status == PL_OK)
        status =
            pl_flate_new(size, (pl_flate_samples(page) * page->bits + 7U) / 8, &made.data, &flate);
    if (status == PL_OK)
        status = rows_again(page, rows, flate, turned, fault);
    if (status == PL_OK)
        status = pl_page_add_part(&made, page->height_px, made.data.size);
    pl_flate_free(flate);
    pl_flate_rows_free(rows);
    free(turned);
    if (status == PL_OK) {
        if (page->bytes_in == 0)
            page->bytes_in = page->data.size;
        struct pl_bytes data = page->data;
        struct pl_page_part *parts = page->parts;
        page->data = made.data;
        page->parts = made.parts;
        page->part_count = 1;
        made.data = data;
        made.parts = parts;
        page->inverted = false;
        page->predictor = 15;
        if (page->how == PL_PAGE_COPIED)
            page->how = PL_PAGE_REENCODED_EXACT;
    }
    pl_page_fini(&made);
    return status;
}

static pl_status png_encode(const struct pl_convert *convert, const struct pl_limits *limits,
                            struct pl_page *page, struct pl_fault *fault)
{
    (void)convert;
    (void)limits; /* the page's own buffer has the ceiling */
    bool sound = false;
    pl_status status = stream_prove(page, &sound);
    return status == PL_OK && !sound ? encode_again(page, fault) : status;
}

static void png_close(struct pl_writer *base)
{
    struct png_writer *writer = (struct png_writer *)base;
    if (writer == NULL)
        return;
    pl_bytes_fini(&writer->scratch);
    free(writer);
}

static pl_status png_open(const struct pl_convert *convert, const uint8_t *seed,
                          const struct pl_limits *limits, struct pl_out *out,
                          struct pl_writer **writer, struct pl_fault *fault)
{
    (void)seed;
    (void)fault;
    struct png_writer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    made->writer.ops = &pl_png_writer_ops;
    made->convert = convert;
    made->out = out;
    made->most = limits->output_bytes;
    pl_bytes_init(&made->scratch, (size_t)1 << 24);
    *writer = &made->writer;
    return PL_OK;
}

static pl_status write_chunk(struct png_writer *writer, const char *type, const uint8_t *data,
                             size_t size)
{
    uint8_t head[8];
    uint8_t crc[4];
    pl_put_u32be(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    pl_put_u32be(crc, pl_flate_crc(pl_flate_crc(0, type, 4), data, size));
    pl_status status = pl_out_write(writer->out, head, sizeof head);
    if (status == PL_OK && size > 0)
        status = pl_out_write(writer->out, data, size);
    return status == PL_OK ? pl_out_write(writer->out, crc, sizeof crc) : status;
}

static pl_status write_head(struct png_writer *writer, const struct pl_page *page)
{
    uint8_t data[13] = { 0 };
    pl_put_u32be(data, page->width_px);
    pl_put_u32be(data + 4, page->height_px);
    data[8] = page->bits;
    data[9] = (uint8_t)head_of(page).type;
    pl_status status = pl_out_write(writer->out, pl_png_signature, sizeof pl_png_signature);
    return status == PL_OK ? write_chunk(writer, "IHDR", data, sizeof data) : status;
}

/* A name, its end, the method 0, the profile compressed. */
static pl_status write_profile(struct png_writer *writer, const struct pl_page *page)
{
    pl_bytes_clear(&writer->scratch);
    pl_status status = pl_bytes_append(&writer->scratch, "icc\0", 5);
    if (status == PL_OK)
        status = pl_flate_all(page->icc.data, page->icc.size, &writer->scratch);
    return status == PL_OK ? write_chunk(writer, "iCCP", writer->scratch.data, writer->scratch.size)
                           : status;
}

/* Every index has a colour; past the end of the palette it is the last one, as in PDF. */
static pl_status write_palette(struct png_writer *writer, const struct pl_page *page)
{
    uint8_t data[3 * 256];
    size_t step = page->colour == PL_COLOUR_RGB ? 3 : 1;
    size_t entries = page->palette.size / step;
    size_t count = (size_t)1 << page->bits;
    PL_CHECK(entries > 0 && count <= 256);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < 3; n++)
            data[3 * i + n] =
                page->palette.data[(i < entries ? i : entries - 1) * step + (step == 3 ? n : 0)];
    return write_chunk(writer, "PLTE", data, 3 * count);
}

static uint32_t per_metre(uint32_t mdpi)
{
    return (uint32_t)(((uint64_t)mdpi * 10 + 127) / 254);
}

static pl_status write_resolution(struct png_writer *writer, const struct pl_page *page)
{
    uint8_t data[9];
    pl_put_u32be(data, per_metre(page->x_mdpi));
    pl_put_u32be(data + 4, per_metre(page->y_mdpi));
    data[8] = 1;
    return write_chunk(writer, "pHYs", data, sizeof data);
}

/* iTXt: a keyword, not compressed, of no language, the text in UTF-8. */
static pl_status write_text(struct png_writer *writer, const char *keyword, const char *text)
{
    if (text[0] == '\0')
        return PL_OK;
    pl_bytes_clear(&writer->scratch);
    pl_status status = pl_bytes_append(&writer->scratch, keyword, strlen(keyword));
    if (status == PL_OK)
        status = pl_bytes_append(&writer->scratch, "\0\0\0\0", 5);
    if (status == PL_OK)
        status = pl_bytes_append(&writer->scratch, text, strlen(text));
    return status == PL_OK ? write_chunk(writer, "iTXt", writer->scratch.data, writer->scratch.size)
                           : status;
}

static pl_status write_texts(struct png_writer *writer)
{
    const struct pl_convert *convert = writer->convert;
    pl_status status = write_text(writer, "Title", convert->title);
    if (status == PL_OK)
        status = write_text(writer, "Author", convert->author);
    if (status == PL_OK)
        status = write_text(writer, "Description", convert->subject);
    return status == PL_OK ? write_text(writer, "Software", "Platen") : status;
}

static pl_status write_pixels(struct png_writer *writer, const struct pl_page *page)
{
    const struct pl_page_part *part = &page->parts[0];
    pl_status status = PL_OK;
    PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
    for (size_t at = 0; at < part->size && status == PL_OK; at += PIECE_BYTES) {
        size_t left = part->size - at;
        status = write_chunk(writer, "IDAT", page->data.data + part->at + at,
                             left < PIECE_BYTES ? left : PIECE_BYTES);
    }
    return status;
}

static pl_status png_page(struct pl_writer *base, const struct pl_page *page, uint64_t *bytes,
                          struct pl_fault *fault)
{
    struct png_writer *writer = (struct png_writer *)base;
    uint64_t before = writer->out->size;
    PL_CHECK(!writer->written && page->part_count == 1 && !page->inverted);
    writer->written = true;
    if (page->parts[0].size > writer->most)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "the PNG would have %zu MiB; at most %" PRIu64 " MiB are accepted",
                            page->parts[0].size >> 20, writer->most >> 20);
    pl_status status = write_head(writer, page);
    if (status == PL_OK && page->icc.size > 0)
        status = write_profile(writer, page);
    if (status == PL_OK && page->palette.size > 0)
        status = write_palette(writer, page);
    if (status == PL_OK)
        status = write_resolution(writer, page);
    if (status == PL_OK)
        status = write_texts(writer);
    if (status == PL_OK)
        status = write_pixels(writer, page);
    if (status == PL_OK)
        *bytes = writer->out->size - before;
    return status;
}

static pl_status png_end(struct pl_writer *base, struct pl_fault *fault)
{
    struct png_writer *writer = (struct png_writer *)base;
    (void)fault;
    PL_CHECK(writer->written);
    return write_chunk(writer, "IEND", (const uint8_t *)"", 0);
}

static bool png_wants_seed(const struct pl_convert *convert)
{
    (void)convert;
    return false;
}

const struct pl_writer_ops pl_png_writer_ops = { .carries = png_carries,
                                                 .encode = png_encode,
                                                 .open = png_open,
                                                 .page = png_page,
                                                 .end = png_end,
                                                 .close = png_close,
                                                 .wants_seed = png_wants_seed };
