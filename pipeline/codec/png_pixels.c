/* png_pixels: one inflate for the proof; filters, Adam7 and alpha undone for the rest.
 *
 * Written here because the house has every part of it already (inflate, filters, blending): a
 * library would be one more parser of foreign bytes in the worker.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/png_pixels.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"
#include "pipeline/codec/png_chunks.h"
#include "pipeline/image/raster.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PROOF_BYTES ((size_t)1 << 15)
#define FILTER_LAST 4

unsigned pl_png_samples(enum pl_png_type type)
{
    switch (type) {
    case PL_PNG_GREY:
    case PL_PNG_PALETTE:
        return 1;
    case PL_PNG_GREY_ALPHA:
        return 2;
    case PL_PNG_RGB:
        return 3;
    case PL_PNG_RGB_ALPHA:
        return 4;
    }
    return 0;
}

struct pl_png_proof {
    struct pl_inflate *inflate;
    size_t row_bytes; /* with the filter byte */
    size_t at;        /* within the row */
    uint32_t row;
    uint32_t height_px;
    uint8_t decoded[PROOF_BYTES];
};

pl_status pl_png_proof_new(const struct pl_png_head *head, struct pl_png_proof **out)
{
    struct pl_png_proof *made = malloc(sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    pl_status status = pl_inflate_new(&made->inflate);
    if (status != PL_OK) {
        free(made);
        return status;
    }
    made->row_bytes =
        1 + pl_flate_row_bytes(head->width_px, pl_png_samples(head->type), head->bits);
    made->at = 0;
    made->row = 0;
    made->height_px = head->height_px;
    *out = made;
    return PL_OK;
}

void pl_png_proof_free(struct pl_png_proof *proof)
{
    if (proof == NULL)
        return;
    pl_inflate_free(proof->inflate);
    free(proof);
}

static pl_status rows_damaged(uint32_t row, uint32_t height_px, const char *what,
                              struct pl_fault *fault)
{
    return pl_png_damaged(fault, "row %" PRIu32 " of %" PRIu32 " %s", row + 1, height_px, what);
}

static pl_status rows_too_many(uint32_t height_px, struct pl_fault *fault)
{
    return pl_png_damaged(fault, "more pixels follow the last of %" PRIu32 " rows", height_px);
}

/* Steps over decoded bytes, from filter to filter. */
static pl_status proof_step(struct pl_png_proof *proof, size_t size, struct pl_fault *fault)
{
    for (size_t i = 0; i < size;) {
        if (proof->row == proof->height_px)
            return rows_too_many(proof->height_px, fault);
        if (proof->at == 0 && proof->decoded[i] > FILTER_LAST)
            return rows_damaged(proof->row, proof->height_px, "has a filter that does not exist",
                                fault);
        size_t left = proof->row_bytes - proof->at;
        size_t take = size - i < left ? size - i : left;
        proof->at += take;
        i += take;
        if (proof->at == proof->row_bytes) {
            proof->at = 0;
            proof->row++;
        }
    }
    return PL_OK;
}

pl_status pl_png_proof_feed(struct pl_png_proof *proof, const uint8_t *data, size_t size,
                            size_t *used, struct pl_fault *fault)
{
    struct pl_cursor in = { data, size, 0 };
    size_t got = 0;
    pl_status status = PL_OK;
    do {
        status = pl_inflate_run(proof->inflate, &in, proof->decoded, sizeof proof->decoded, &got);
        pl_status found = proof_step(proof, got, fault);
        if (found != PL_OK)
            return found;
    } while (status == PL_OK && !pl_inflate_ended(proof->inflate) &&
             (got == sizeof proof->decoded || in.at < in.size));
    *used = in.at;
    if (status == PL_BAD_DOCUMENT)
        return rows_damaged(proof->row, proof->height_px, "cannot be decompressed", fault);
    return status;
}

pl_status pl_png_proof_end(const struct pl_png_proof *proof, struct pl_fault *fault)
{
    if (proof->row < proof->height_px || !pl_inflate_ended(proof->inflate))
        return rows_damaged(proof->row, proof->height_px, "and what should follow are missing",
                            fault);
    return PL_OK;
}

/* A pass of Adam7 (clause 8.2), or the one of a picture that is not interlaced. */
struct pass {
    uint8_t x, y, across, down;
};

static const struct pass whole = { 0, 0, 1, 1 };
static const struct pass adam7[7] = { { 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 },
                                      { 2, 0, 4, 4 }, { 0, 2, 2, 4 }, { 1, 0, 2, 2 },
                                      { 0, 1, 1, 2 } };

struct decode {
    const struct pl_png_head *head;
    struct pl_fault *fault;
    struct pl_inflate *inflate;
    struct pl_cursor in;
    struct pl_flate *flate;
    struct pl_raster raster;
    bool has_alpha;
    unsigned samples;
    size_t pixel_bytes; /* distance of the filters */
    size_t row_bytes;   /* of a whole row, stored */
    uint8_t *row;       /* each with pixel_bytes of zero before it */
    uint8_t *above;
    uint8_t *memory;
    uint8_t *picture; /* interlaced: all rows, stored */
    uint8_t *shown;   /* a row with alpha undone */
};

static uint32_t pass_side(uint32_t side, unsigned from, unsigned step)
{
    return side > from ? (side - from + step - 1) / step : 0;
}

/* The next row of a pass, unfiltered, at decode->row. */
static pl_status decode_row(struct decode *decode, size_t row_bytes, uint32_t y)
{
    uint8_t filter = 0;
    uint8_t *swap = decode->above;
    decode->above = decode->row;
    decode->row = swap;
    size_t got = 0;
    size_t more = 0;
    uint32_t height_px = decode->head->height_px;
    pl_status status = pl_inflate_run(decode->inflate, &decode->in, &filter, 1, &got);
    if (status == PL_OK && got == 1)
        status = pl_inflate_run(decode->inflate, &decode->in, decode->row, row_bytes, &more);
    if (got + more == 1 + row_bytes && (status == PL_OK || status == PL_BAD_DOCUMENT)) {
        if (pl_flate_unfilter(filter, decode->row, decode->above, row_bytes, decode->pixel_bytes))
            return status == PL_OK
                       ? PL_OK
                       : rows_damaged(y, height_px, "cannot be decompressed", decode->fault);
        return rows_damaged(y, height_px, "has a filter that does not exist", decode->fault);
    }
    if (status == PL_OK)
        return rows_damaged(y, height_px, "and what should follow are missing", decode->fault);
    return status == PL_BAD_DOCUMENT
               ? rows_damaged(y, height_px, "cannot be decompressed", decode->fault)
               : status;
}

static unsigned sample_at(const uint8_t *row, size_t n, unsigned bits)
{
    if (bits == 16)
        return (unsigned)row[2 * n] << 8 | row[2 * n + 1];
    unsigned shift = (unsigned)(8 - bits - n * bits % 8);
    return (unsigned)row[n * bits / 8] >> shift & ((1U << bits) - 1);
}

/* Pixels of the transparent colour become white. All ones is white in every depth. */
static void row_apply_key(const struct decode *decode, uint8_t *row)
{
    const struct pl_png_head *head = decode->head;
    for (uint32_t x = 0; x < head->width_px; x++) {
        bool is_key = true;
        for (unsigned n = 0; n < decode->samples; n++)
            is_key = is_key &&
                     sample_at(row, (size_t)x * decode->samples + n, head->bits) == head->key[n];
        if (!is_key)
            continue;
        size_t bit = (size_t)x * decode->samples * head->bits;
        if (head->bits < 8)
            row[bit / 8] |= (uint8_t)(((1U << head->bits) - 1) << (8 - head->bits - bit % 8));
        else
            memset(row + bit / 8, 0xff, decode->pixel_bytes);
    }
}

static pl_status show_row(struct decode *decode, uint8_t *row)
{
    if (decode->head->has_key)
        row_apply_key(decode, row);
    if (!decode->has_alpha)
        return pl_flate_row(decode->flate, row);
    for (size_t i = 0; decode->head->bits == 16 && i < decode->row_bytes; i += 2) {
        uint16_t value = (uint16_t)(row[i] << 8 | row[i + 1]); /* into the machine's order */
        memcpy(row + i, &value, sizeof value);
    }
    const uint8_t *const rows[1] = { row };
    pl_raster_row(&decode->raster, rows, decode->shown);
    return pl_flate_row(decode->flate, decode->shown);
}

/* Pixel i of the pass's row to its place in the picture. */
static void scatter_row(const struct decode *decode, const struct pass *pass, uint32_t width_px,
                        uint32_t y)
{
    unsigned bits = decode->head->bits;
    uint8_t *to = decode->picture + (size_t)(pass->y + y * pass->down) * decode->row_bytes;
    for (uint32_t i = 0; i < width_px; i++) {
        size_t x = pass->x + (size_t)i * pass->across;
        if (bits < 8)
            to[x * bits / 8] |=
                (uint8_t)(sample_at(decode->row, i, bits) << (8 - bits - x * bits % 8));
        else
            memcpy(to + x * decode->pixel_bytes, decode->row + i * decode->pixel_bytes,
                   decode->pixel_bytes);
    }
}

static pl_status decode_pass(struct decode *decode, const struct pass *pass)
{
    const struct pl_png_head *head = decode->head;
    uint32_t width_px = pass_side(head->width_px, pass->x, pass->across);
    uint32_t height_px = pass_side(head->height_px, pass->y, pass->down);
    size_t row_bytes = pl_flate_row_bytes(width_px, decode->samples, head->bits);
    memset(decode->memory, 0, 2 * (decode->pixel_bytes + decode->row_bytes));
    pl_status status = PL_OK;
    for (uint32_t y = 0; y < height_px && width_px > 0 && status == PL_OK; y++) {
        status = decode_row(decode, row_bytes, pass->y + y * pass->down);
        if (status != PL_OK)
            break;
        if (decode->picture != NULL) {
            scatter_row(decode, pass, width_px, y);
            continue;
        }
        /* Of a copy: the filters of the next row want this one as it is stored. */
        uint8_t *copy = decode->shown + pl_raster_row_bytes(&decode->raster);
        memcpy(copy, decode->row, decode->row_bytes);
        status = show_row(decode, copy);
    }
    return status;
}

static pl_status decode_passes(struct decode *decode)
{
    const struct pl_png_head *head = decode->head;
    pl_status status = PL_OK;
    if (!head->interlaced)
        status = decode_pass(decode, &whole);
    for (size_t i = 0; head->interlaced && i < PL_COUNT_OF(adam7) && status == PL_OK; i++)
        status = decode_pass(decode, &adam7[i]);
    uint8_t extra = 0;
    size_t got = 0;
    if (status == PL_OK)
        status = pl_inflate_run(decode->inflate, &decode->in, &extra, 1, &got);
    if (status == PL_BAD_DOCUMENT ||
        (status == PL_OK && got == 0 && !pl_inflate_ended(decode->inflate)))
        return pl_png_damaged(decode->fault, "the end of its pixels is damaged");
    if (status == PL_OK && got > 0)
        return rows_too_many(head->height_px, decode->fault);
    for (uint32_t y = 0; decode->picture != NULL && y < head->height_px && status == PL_OK; y++)
        status = show_row(decode, decode->picture + y * decode->row_bytes);
    return status;
}

static pl_status decode_begin(struct decode *decode, struct pl_bytes *out)
{
    const struct pl_png_head *head = decode->head;
    size_t padded = decode->pixel_bytes + decode->row_bytes;
    size_t size = 0;
    pl_status status = pl_inflate_new(&decode->inflate);
    if (status != PL_OK)
        return status;
    decode->memory = calloc(2, padded);
    decode->shown = malloc(pl_raster_row_bytes(&decode->raster) + decode->row_bytes);
    if (decode->memory == NULL || decode->shown == NULL)
        return PL_NO_MEMORY;
    decode->row = decode->memory + decode->pixel_bytes;
    decode->above = decode->row + padded;
    if (head->interlaced) {
        if (!pl_size_mul(decode->row_bytes, head->height_px, &size))
            return PL_TOO_LARGE;
        decode->picture = calloc(1, size);
        if (decode->picture == NULL)
            return PL_NO_MEMORY;
    }
    if (!decode->has_alpha)
        return pl_flate_new(decode->row_bytes, decode->pixel_bytes, out, &decode->flate);
    return pl_flate_new(pl_raster_row_bytes(&decode->raster),
                        decode->raster.colours * (size_t)(head->bits / 8), out, &decode->flate);
}

static void decode_fini(struct decode *decode)
{
    pl_flate_free(decode->flate);
    pl_inflate_free(decode->inflate);
    free(decode->memory);
    free(decode->picture);
    free(decode->shown);
}

pl_status pl_png_decode(const struct pl_png_head *head, struct pl_page *page,
                        struct pl_fault *fault)
{
    struct pl_bytes out;
    struct decode decode = { .head = head, .fault = fault };
    decode.in = (struct pl_cursor){ page->data.data, page->data.size, 0 };
    decode.has_alpha = head->type == PL_PNG_GREY_ALPHA || head->type == PL_PNG_RGB_ALPHA;
    decode.samples = pl_png_samples(head->type);
    decode.pixel_bytes = (decode.samples * head->bits + 7U) / 8;
    decode.row_bytes = pl_flate_row_bytes(head->width_px, decode.samples, head->bits);
    decode.raster =
        (struct pl_raster){ .width_px = head->width_px,
                            .bits = head->bits,
                            .samples = decode.samples,
                            .colours = decode.samples - decode.has_alpha,
                            .alpha = decode.has_alpha ? PL_ALPHA_STRAIGHT : PL_ALPHA_NONE };
    pl_bytes_init(&out, page->data.limit);
    pl_status status = decode_begin(&decode, &out);
    if (status == PL_OK)
        status = decode_passes(&decode);
    if (status == PL_OK)
        status = pl_flate_end(decode.flate);
    decode_fini(&decode);
    if (status != PL_OK) {
        pl_bytes_fini(&out);
        return status;
    }
    page->bytes_in = page->data.size;
    pl_bytes_fini(&page->data);
    page->data = out;
    page->how = PL_PAGE_REENCODED_EXACT;
    return PL_OK;
}
