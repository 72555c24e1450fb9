/* page_decode: each filter into rows of a picture, part after part; then palettes and depths.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/page_decode.h"

#include "pipeline/codec/flate_rows.h"
#include "pipeline/codec/g4_decode.h"
#include "pipeline/codec/jbig2_decode.h"
#include "pipeline/codec/jpeg_picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PALETTE_ENTRIES 256

/* A palette as the picture will show it: an entry is a pixel of `colour`; for a bilevel picture 1
 * is black. Entries past the given ones repeat the last (ISO 32000-1 section 8.6.6.3). */
struct palette {
    enum pl_colour colour;
    uint8_t entries[PALETTE_ENTRIES][4];
};

struct decode {
    const struct pl_page *page;
    const struct pl_limits *limits;
    struct pl_picture *picture;
    struct pl_fault *fault;
    struct palette palette;
};

static bool entry_is_grey(enum pl_colour colour, const uint8_t *entry)
{
    if (colour == PL_COLOUR_CMYK)
        return entry[0] == 0 && entry[1] == 0 && entry[2] == 0;
    return colour == PL_COLOUR_GREY || (entry[0] == entry[1] && entry[1] == entry[2]);
}

static uint8_t entry_grey(enum pl_colour colour, const uint8_t *entry)
{
    return colour == PL_COLOUR_CMYK ? (uint8_t)(255 - entry[3]) : entry[0];
}

static pl_status palette_read(const struct pl_page *page, struct palette *out,
                              struct pl_fault *fault)
{
    enum pl_colour colour = page->colour == PL_COLOUR_BILEVEL ? PL_COLOUR_GREY : page->colour;
    size_t samples = pl_colour_samples(colour);
    size_t count = page->palette.size / samples;
    bool grey = true;
    bool bilevel = page->bits == 1;
    if (count == 0 || page->bits > 8)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 " has a palette that does not fit its samples",
                            page->number);
    for (size_t i = 0; i < PALETTE_ENTRIES; i++) {
        const uint8_t *entry = page->palette.data + (i < count ? i : count - 1) * samples;
        memcpy(out->entries[i], entry, samples);
        uint8_t level = entry_grey(colour, entry);
        grey = grey && entry_is_grey(colour, entry);
        bilevel = bilevel && grey && (level == 0 || level == 255);
    }
    out->colour = bilevel ? PL_COLOUR_BILEVEL : grey ? PL_COLOUR_GREY : colour;
    for (size_t i = 0; i < PALETTE_ENTRIES && grey; i++) {
        uint8_t level = entry_grey(colour, out->entries[i]);
        out->entries[i][0] = bilevel ? level == 0 : level;
    }
    return PL_OK;
}

static uint32_t packed_sample(const uint8_t *row, size_t index, unsigned bits)
{
    switch (bits) {
    case 8:
        return row[index];
    case 16:
        return (uint32_t)row[2 * index] << 8 | row[2 * index + 1];
    default: /* 1, 2, 4: never across a byte */
        return (uint32_t)row[index * bits / 8] >> (8 - bits - index * bits % 8) &
               ((1U << bits) - 1);
    }
}

static void row_bilevel(const struct decode *decode, const uint8_t *row, uint8_t *out)
{
    const struct pl_page *page = decode->page;
    const struct pl_picture *picture = decode->picture;
    size_t size = ((size_t)picture->width_px + 7) / 8;
    bool black_is_one = page->inverted;
    if (page->palette.size > 0) {
        const uint8_t(*entries)[4] = decode->palette.entries;
        if (entries[0][0] == entries[1][0]) {
            memset(out, entries[0][0] ? 0xff : 0, size);
            row = out;
            black_is_one = true;
        } else {
            black_is_one = entries[1][0] != page->inverted;
        }
    }
    for (size_t i = 0; i < size; i++)
        out[i] = black_is_one ? row[i] : (uint8_t)~row[i];
    if (picture->width_px % 8 != 0)
        out[size - 1] &= (uint8_t)(0xff00 >> picture->width_px % 8);
    memset(out + size, 0, picture->stride - size);
}

static void row_palette(const struct decode *decode, const uint8_t *row, uint8_t *out)
{
    const struct pl_page *page = decode->page;
    unsigned samples = pl_colour_samples(decode->picture->colour);
    uint32_t turn = page->inverted ? (1U << page->bits) - 1 : 0;
    for (size_t x = 0; x < page->width_px; x++, out += samples)
        memcpy(out, decode->palette.entries[packed_sample(row, x, page->bits) ^ turn], samples);
}

/* To 8 bits over the full range, to the nearest. */
static void row_samples(const struct decode *decode, const uint8_t *row, uint8_t *out)
{
    const struct pl_page *page = decode->page;
    size_t count = decode->picture->stride;
    uint8_t turn = page->inverted ? 255 : 0;
    if (page->bits == 8) {
        for (size_t i = 0; i < count; i++)
            out[i] = row[i] ^ turn;
        return;
    }
    uint32_t full = (1U << page->bits) - 1;
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)((packed_sample(row, i, page->bits) * 255 + full / 2) / full) ^ turn;
}

static void row_put(const struct decode *decode, const uint8_t *row, uint8_t *out)
{
    if (decode->picture->colour == PL_COLOUR_BILEVEL) {
        row_bilevel(decode, row, out);
    } else if (decode->page->palette.size > 0) {
        row_palette(decode, row, out);
    } else {
        row_samples(decode, row, out);
    }
}

static pl_status decode_flate(struct decode *decode)
{
    const struct pl_picture *picture = decode->picture;
    struct pl_flate_rows *rows = NULL;
    pl_status status = pl_flate_rows_new(decode->page, &rows);
    for (uint32_t y = 0; y < picture->height_px && status == PL_OK; y++) {
        const uint8_t *row = NULL;
        status = pl_flate_rows_next(rows, &row, decode->fault);
        if (status == PL_OK)
            row_put(decode, row, picture->pixels + y * picture->stride);
    }
    pl_flate_rows_free(rows);
    return status;
}

/* What a part of one of the other filters is decoded by. */
static pl_status part_decode(const struct decode *decode, const struct pl_page_part *part,
                             uint32_t first_row)
{
    const struct pl_page *page = decode->page;
    const struct pl_picture *picture = decode->picture;
    const uint8_t *data = page->data.data + part->at;
    uint8_t *pixels = picture->pixels + first_row * picture->stride;
    if (page->filter == PL_FILTER_DCT) {
        const struct pl_jpeg_shape shape = { page->colour, page->width_px, part->rows,
                                             page->number };
        return pl_jpeg_picture(data, part->size, &shape, decode->limits, pixels, picture->stride,
                               decode->fault);
    }
    if (page->filter == PL_FILTER_JBIG2) {
        const struct pl_jbig2 jbig2 = { .data = data,
                                        .size = part->size,
                                        .globals = page->globals.data,
                                        .globals_size = page->globals.size,
                                        .width_px = page->width_px,
                                        .rows = part->rows,
                                        .page = page->number };
        return pl_jbig2_decode(&jbig2, decode->limits, pixels, picture->stride, decode->fault);
    }
    struct pl_fax fax = pl_fax_from_page(page);
    fax.rows = part->rows;
    fax.first_row = first_row;
    return pl_fax_decode(&fax, data, part->size, pixels, picture->stride, decode->fault);
}

static void picture_turn(const struct pl_picture *picture)
{
    for (uint32_t y = 0; y < picture->height_px; y++) {
        uint8_t *row = picture->pixels + y * picture->stride;
        if (picture->colour != PL_COLOUR_BILEVEL) {
            for (size_t i = 0; i < picture->stride; i++)
                row[i] = (uint8_t)~row[i];
            continue;
        }
        size_t size = ((size_t)picture->width_px + 7) / 8;
        for (size_t i = 0; i < size; i++)
            row[i] = (uint8_t)~row[i];
        if (picture->width_px % 8 != 0)
            row[size - 1] &= (uint8_t)(0xff00 >> picture->width_px % 8);
    }
}

static pl_status decode_parts(struct decode *decode)
{
    const struct pl_page *page = decode->page;
    pl_status status = PL_OK;
    uint32_t row = 0;
    for (size_t i = 0; i < page->part_count && status == PL_OK; i++) {
        status = part_decode(decode, &page->parts[i], row);
        row += page->parts[i].rows;
    }
    if (status == PL_OK && page->inverted)
        picture_turn(decode->picture);
    return status;
}

static pl_status decode_unsupported(const struct decode *decode, const char *what)
{
    return pl_fault_set(decode->fault, PL_UNSUPPORTED, "page %" PRIu32 " %s", decode->page->number,
                        what);
}

/* The colour that the picture will have, and whether this page can be decoded at all. */
static pl_status decode_colour(struct decode *decode, enum pl_colour *out)
{
    const struct pl_page *page = decode->page;
    switch (page->filter) {
    case PL_FILTER_G4:
    case PL_FILTER_G3:
    case PL_FILTER_JBIG2:
        if (page->palette.size > 0)
            return decode_unsupported(decode, "has black and white pixels behind a palette");
        *out = PL_COLOUR_BILEVEL;
        return PL_OK;
    case PL_FILTER_DCT:
        if (page->palette.size > 0)
            return decode_unsupported(decode, "has JPEG samples behind a palette");
        *out = page->colour == PL_COLOUR_BILEVEL ? PL_COLOUR_GREY : page->colour;
        return PL_OK;
    case PL_FILTER_FLATE:
        break;
    case PL_FILTER_LZW:
        return decode_unsupported(decode, "has LZW pixels, which only a TIFF reader undoes");
    case PL_FILTER_JPX:
        return decode_unsupported(decode, "is a JPEG 2000 picture, which is carried but not "
                                          "decoded here");
    }
    if (page->palette.size > 0) {
        pl_status status = palette_read(page, &decode->palette, decode->fault);
        *out = decode->palette.colour;
        return status;
    }
    *out = page->colour;
    if (page->colour == PL_COLOUR_BILEVEL || page->colour == PL_COLOUR_GREY)
        *out = page->bits == 1 ? PL_COLOUR_BILEVEL : PL_COLOUR_GREY;
    return PL_OK;
}

/* Parts come from readers; those of others' documents must not be trusted to add up. */
static pl_status parts_check(const struct pl_page *page, struct pl_fault *fault)
{
    uint64_t rows = 0;
    if (page->data.size == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "page %" PRIu32 " has no data", page->number);
    for (size_t i = 0; i < page->part_count; i++) {
        const struct pl_page_part *part = &page->parts[i];
        PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
        rows += part->rows;
    }
    if (rows == page->height_px && rows > 0)
        return PL_OK;
    return pl_fault_set(fault, PL_BAD_DOCUMENT,
                        "page %" PRIu32 " has data for %" PRIu64 " of %" PRIu32 " rows",
                        page->number, rows, page->height_px);
}

pl_status pl_page_decode(const struct pl_page *page, const struct pl_limits *limits,
                         struct pl_picture *out, struct pl_fault *fault)
{
    PL_CHECK(page->kind == PL_PAGE_IMAGE);
    struct decode decode = { .page = page, .limits = limits, .picture = out, .fault = fault };
    enum pl_colour colour = PL_COLOUR_BILEVEL;
    pl_status status = decode_colour(&decode, &colour);
    if (status == PL_OK)
        status = parts_check(page, fault);
    if (status == PL_OK)
        status = pl_picture_make(out, colour, page->width_px, page->height_px, limits, page->number,
                                 fault);
    if (status != PL_OK)
        return status;
    out->x_mdpi = page->x_mdpi;
    out->y_mdpi = page->y_mdpi;
    return page->filter == PL_FILTER_FLATE ? decode_flate(&decode) : decode_parts(&decode);
}
