/* tiff_encode: one strip at a time is decoded, turned into TIFF's samples and compressed.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_encode.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"
#include "pipeline/codec/lzw_encode.h"

#include <stdlib.h>
#include <string.h>

/* TIFF 6.0 advises 8 KB, for machines of 1992; readers hold a strip in memory, so not a page. */
#define STRIP_BYTES ((size_t)256 << 10)

struct encoder {
    const struct pl_page *page;
    enum pl_tiff_compression compression;
    unsigned samples;
    unsigned bits; /* in the file */
    unsigned predictor;
    size_t row_bytes; /* in the file */
    uint32_t strip_rows;
    uint8_t *strip;
    struct pl_page made; /* data and parts only */
};

/* 1 and 2 bits are no depth of baseline TIFF for palettes, 2 none for grey. Indices keep their
 * value, grey keeps its share of white. */
static void row_widen(const struct encoder *encoder, const uint8_t *row, uint8_t *out)
{
    unsigned bits = encoder->page->bits;
    unsigned most = (1U << bits) - 1;
    unsigned scale = encoder->page->palette.size > 0 ? 1 : 15 / most;
    for (uint32_t x = 0; x < encoder->page->width_px; x++) {
        unsigned shift = (unsigned)(8 - bits - (size_t)x * bits % 8);
        unsigned value = ((unsigned)row[(size_t)x * bits / 8] >> shift & most) * scale;
        if (x % 2 == 0)
            out[x / 2] = (uint8_t)(value << 4);
        else
            out[x / 2] = (uint8_t)(out[x / 2] | value);
    }
}

/* TIFF 6.0 section 14, from the right so that it can be done in place. */
static void row_predict_8(uint8_t *row, size_t size, size_t step)
{
    for (size_t i = size; i-- > step;)
        row[i] = (uint8_t)(row[i] - row[i - step]);
}

/* Big-endian samples into little-endian differences. */
static void row_predict_16(const uint8_t *row, uint8_t *out, size_t size, size_t step)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        unsigned value = (unsigned)row[i] << 8 | row[i + 1];
        if (i >= step)
            value -= (unsigned)row[i - step] << 8 | row[i - step + 1];
        out[i] = (uint8_t)value;
        out[i + 1] = (uint8_t)(value >> 8);
    }
}

static void row_put(const struct encoder *encoder, const uint8_t *row, uint8_t *out)
{
    size_t size = encoder->row_bytes;
    if (encoder->bits == 16) {
        row_predict_16(row, out, size, (size_t)encoder->samples * 2);
        return;
    }
    if (encoder->bits != encoder->page->bits)
        row_widen(encoder, row, out);
    else
        memcpy(out, row, size);
    if (encoder->predictor == 2)
        row_predict_8(out, size, encoder->samples);
}

static pl_status strip_close(struct encoder *encoder, uint32_t rows)
{
    struct pl_bytes *data = &encoder->made.data;
    size_t before = data->size;
    size_t size = rows * encoder->row_bytes;
    pl_status status = encoder->compression == PL_TIFF_DEFLATE
                           ? pl_flate_all(encoder->strip, size, data)
                           : pl_lzw_encode(encoder->strip, size, data);
    return status == PL_OK ? pl_page_add_part(&encoder->made, rows, data->size - before) : status;
}

static pl_status encode_rows(struct encoder *encoder, struct pl_flate_rows *rows,
                             struct pl_fault *fault)
{
    const struct pl_page *page = encoder->page;
    pl_status status = PL_OK;
    uint8_t *turned = NULL;
    size_t size = pl_flate_row_bytes(page->width_px, encoder->samples, page->bits);
    if (page->inverted) {
        turned = malloc(size);
        if (turned == NULL)
            return PL_NO_MEMORY;
    }
    uint32_t filled = 0;
    for (uint32_t y = 0; y < page->height_px && status == PL_OK; y++) {
        const uint8_t *row = NULL;
        status = pl_flate_rows_next(rows, &row, fault);
        if (status != PL_OK)
            break;
        for (size_t i = 0; turned != NULL && i < size; i++)
            turned[i] = (uint8_t)~row[i];
        row_put(encoder, turned != NULL ? turned : row,
                encoder->strip + filled * encoder->row_bytes);
        if (++filled == encoder->strip_rows || y + 1 == page->height_px) {
            status = strip_close(encoder, filled);
            filled = 0;
        }
    }
    free(turned);
    return status;
}

/* The strips take the place of the page's data. */
static void encode_settle(struct encoder *encoder, struct pl_page *page)
{
    struct pl_page *made = &encoder->made;
    struct pl_bytes data = page->data;
    struct pl_page_part *parts = page->parts;
    if (page->bytes_in == 0)
        page->bytes_in = data.size;
    page->data = made->data;
    page->parts = made->parts;
    page->part_count = made->part_count;
    made->data = data;
    made->parts = parts;
    page->bits = (uint8_t)encoder->bits;
    page->filter = encoder->compression == PL_TIFF_DEFLATE ? PL_FILTER_FLATE : PL_FILTER_LZW;
    page->predictor = (uint8_t)encoder->predictor;
    page->inverted = false;
    if (page->how == PL_PAGE_COPIED)
        page->how = PL_PAGE_REENCODED_EXACT;
}

pl_status pl_tiff_encode(enum pl_tiff_compression compression, struct pl_page *page,
                         struct pl_fault *fault)
{
    struct pl_flate_rows *rows = NULL;
    struct encoder encoder = { .page = page, .compression = compression };
    pl_page_init(&encoder.made, page->data.limit);
    encoder.samples = pl_flate_samples(page);
    encoder.bits = page->bits < 4 ? 4 : page->bits;
    encoder.predictor = encoder.bits >= 8 && page->palette.size == 0 ? 2 : 1;
    encoder.row_bytes = pl_flate_row_bytes(page->width_px, encoder.samples, encoder.bits);
    size_t strip_rows = STRIP_BYTES / encoder.row_bytes;
    strip_rows = strip_rows == 0 ? 1 : strip_rows;
    encoder.strip_rows = strip_rows < page->height_px ? (uint32_t)strip_rows : page->height_px;
    uint8_t *strip = malloc(encoder.strip_rows * encoder.row_bytes);
    pl_status status = PL_NO_MEMORY;
    encoder.strip = strip;
    if (strip == NULL)
        goto done;
    status = pl_flate_rows_new(page, &rows);
    if (status == PL_OK)
        status = encode_rows(&encoder, rows, fault);
    if (status == PL_OK)
        encode_settle(&encoder, page);
done:
    pl_flate_rows_free(rows);
    free(strip);
    pl_page_fini(&encoder.made);
    return status;
}
