/* pdf_image_load: an image's data into a page, copied or decoded and deflated.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"
#include "pipeline/image/profile.h"
#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_image.h"

#include <stdlib.h>
#include <string.h>

#define PALETTE_BYTES ((size_t)1024)
#define PALETTE_ENTRIES 256
#define HEAD_BYTES ((size_t)64 << 20) /* of a stream whose head is looked at */

/* A run of another source. */
struct range_source {
    struct pl_source source;
    struct pl_source *whole; /* borrowed */
    uint64_t at;
};

static pl_status range_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    const struct range_source *range = (const struct range_source *)source;
    return pl_source_read(range->whole, range->at + at, out, size);
}

static struct pl_source *range_clone(struct pl_source *source)
{
    (void)source;
    return NULL;
}

static void range_free(struct pl_source *source)
{
    free(source);
}

static const struct pl_source_ops range_ops = { range_read_at, range_clone, range_free };

static pl_status range_new(struct pl_source *whole, uint64_t at, uint64_t size,
                           struct pl_source **out)
{
    if (at > whole->size || size > whole->size - at)
        return PL_BAD_DOCUMENT;
    struct range_source *range = calloc(1, sizeof *range);
    if (range == NULL)
        return PL_NO_MEMORY;
    *range = (struct range_source){ .source = { &range_ops, size }, .whole = whole, .at = at };
    *out = &range->source;
    return PL_OK;
}

pl_status pl_pdf_image_source(const struct pl_pdf_images *images, const struct pl_pdf_value *stream,
                              struct pl_bytes *kept, struct pl_source **out, struct pl_fault *fault)
{
    struct pl_pdf_codings filters;
    const struct pl_pdf_value *parms = NULL;
    struct pl_span filter = { 0 };
    pl_bytes_init(kept, images->limits->page_bytes < HEAD_BYTES ? (size_t)images->limits->page_bytes
                                                                : HEAD_BYTES);
    pl_status status = pl_pdf_codings_read(images->file, stream, &filters, fault);
    if (status != PL_OK)
        return status;
    if (filters.count <= 1 && !pl_pdf_file_is_encrypted(images->file))
        return range_new(images->source, stream->as.dict.at, stream->as.dict.size, out);
    status = pl_pdf_stream_image(images->file, stream, kept, &filter, &parms, fault);
    return status == PL_OK ? pl_source_memory_new(kept->data, kept->size, out) : status;
}

static uint8_t bits_written(const struct pl_pdf_image *image)
{
    bool kept = image->components == 1 || image->indexed || image->bits == 16;
    return kept ? image->bits : 8;
}

/* Indices that stand the other way round: the table is turned over instead. */
static void palette_turn(uint8_t *table, unsigned entries, unsigned components, unsigned bits,
                         struct pl_bytes *palette)
{
    uint8_t turned[PALETTE_ENTRIES * 4] = { 0 };
    unsigned all = 1U << bits;
    for (unsigned i = 0; i < all; i++) {
        unsigned from = all - 1 - i < entries ? all - 1 - i : entries - 1;
        memcpy(turned + (size_t)i * components, table + (size_t)from * components, components);
    }
    palette->size = (size_t)all * components;
    memcpy(table, turned, palette->size);
}

static pl_status describe_palette(const struct pl_pdf_images *images,
                                  const struct pl_pdf_image *image, struct pl_page *page,
                                  struct pl_fault *fault)
{
    struct pl_bytes *palette = &page->palette;
    uint8_t *room = NULL;
    pl_bytes_clear(palette);
    pl_status status = pl_bytes_reserve(palette, PALETTE_BYTES, &room);
    if (status == PL_OK)
        status = pl_pdf_space_table(images->file, &image->space, palette, fault);
    if (status == PL_OK && image->decode_inverted)
        palette_turn(palette->data, image->space.entries, image->components, image->bits, palette);
    return status;
}

static pl_status describe_profile(const struct pl_pdf_images *images,
                                  const struct pl_pdf_image *image, struct pl_page *page,
                                  struct pl_fault *fault)
{
    struct pl_fault found = { 0 };
    if (image->space.icc == NULL || image->colour == PL_COLOUR_BILEVEL)
        return PL_OK;
    pl_status status = pl_pdf_stream_decode(images->file, image->space.icc, &page->icc, &found);
    if (status == PL_TOO_LARGE || status == PL_BAD_DOCUMENT || status == PL_UNSUPPORTED) {
        pl_bytes_fini(&page->icc);
        pl_page_note(page, "unusable colour profile ignored");
        return PL_OK;
    }
    if (status == PL_OK) {
        pl_profile_settle(page);
    } else {
        (void)pl_fault_set(fault, status, "%s", pl_status_text(status));
    }
    return status;
}

pl_status pl_pdf_image_describe(const struct pl_pdf_images *images,
                                const struct pl_pdf_image *image, struct pl_page *page,
                                struct pl_fault *fault)
{
    pl_status status = PL_OK;
    page->kind = PL_PAGE_IMAGE;
    page->colour = image->colour;
    page->bits = bits_written(image);
    page->inverted = image->inverted;
    page->filter = image->filter;
    page->predictor = image->recode ? 15 : image->predictor;
    page->fax = image->fax;
    page->how = image->recode ? PL_PAGE_REENCODED_EXACT : PL_PAGE_COPIED;
    if (image->globals != NULL)
        status = pl_pdf_stream_decode(images->file, image->globals, &page->globals, fault);
    if (status == PL_OK && image->indexed)
        status = describe_palette(images, image, page, fault);
    return status == PL_OK ? describe_profile(images, image, page, fault) : status;
}

/* Samples of 1, 2 or 4 bits to whole bytes, 0 to 0 and the largest to 255. */
static void row_widen(const uint8_t *from, size_t samples, unsigned bits, uint8_t *to)
{
    unsigned most = (1U << bits) - 1;
    for (size_t i = 0; i < samples; i++) {
        size_t bit = i * bits;
        unsigned sample = (unsigned)from[bit / 8] >> (8 - bits - bit % 8) & most;
        to[i] = (uint8_t)(sample * 255 / most);
    }
}

/* What one row of the decoded data is, and what one of the deflated is. */
struct rows {
    size_t samples;
    size_t in_bytes;
    size_t out_bytes;
    size_t pixel_bytes;
    bool widened;
};

static bool rows_measure(const struct pl_pdf_image *image, struct rows *out)
{
    unsigned components = image->indexed ? 1 : image->components;
    size_t bits = 0;
    uint8_t written = bits_written(image);
    if (!pl_size_mul(image->width_px, components, &out->samples) ||
        !pl_size_mul(out->samples, image->bits, &bits) || !pl_size_add(bits, 7, &bits))
        return false;
    out->in_bytes = bits / 8;
    out->widened = written != image->bits;
    out->out_bytes = out->widened ? out->samples : out->in_bytes;
    out->pixel_bytes = written < 8 ? 1 : (size_t)components * written / 8;
    return true;
}

/* Rows that the data do not reach are as white as zeros or ones make them. */
static pl_status recode_rows(const struct pl_pdf_image *image, const struct rows *rows,
                             const struct pl_bytes *decoded, struct pl_flate *flate)
{
    bool ones = image->inverted == (image->colour == PL_COLOUR_CMYK);
    pl_status status = PL_NO_MEMORY;
    uint8_t *row = malloc(rows->in_bytes);
    uint8_t *wide = malloc(rows->out_bytes);
    if (row == NULL || wide == NULL)
        goto done;
    status = PL_OK;
    for (uint32_t y = 0; y < image->height_px && status == PL_OK; y++) {
        size_t at = y * rows->in_bytes;
        size_t have = at < decoded->size ? decoded->size - at : 0;
        have = have < rows->in_bytes ? have : rows->in_bytes;
        memset(row, ones && !image->indexed ? 0xff : 0, rows->in_bytes);
        if (have > 0)
            memcpy(row, decoded->data + at, have);
        if (rows->widened)
            row_widen(row, rows->samples, image->bits, wide);
        status = pl_flate_row(flate, rows->widened ? wide : row);
    }
done:
    free(row);
    free(wide);
    return status;
}

static pl_status image_recode(const struct pl_pdf_image *image, const struct pl_bytes *decoded,
                              struct pl_page *page)
{
    struct rows rows = { 0 };
    struct pl_flate *flate = NULL;
    size_t needed = 0;
    if (!rows_measure(image, &rows) || !pl_size_mul(rows.in_bytes, image->height_px, &needed))
        return PL_TOO_LARGE;
    if (decoded->size < needed)
        pl_page_note(page, "image data end early: %zu bytes missing", needed - decoded->size);
    pl_status status = pl_flate_new(rows.out_bytes, rows.pixel_bytes, &page->data, &flate);
    if (status == PL_OK)
        status = recode_rows(image, &rows, decoded, flate);
    if (status == PL_OK)
        status = pl_flate_end(flate);
    pl_flate_free(flate);
    return status;
}

/* The encoded bytes, or with `recode` the decoded ones, at the end of `out`. */
static pl_status image_bytes(const struct pl_pdf_images *images, const struct pl_pdf_image *image,
                             struct pl_bytes *out, struct pl_fault *fault)
{
    struct pl_span filter = { 0 };
    const struct pl_pdf_value *parms = NULL;
    if (image->stream == NULL)
        return pl_bytes_append(out, image->inline_data, (size_t)image->bytes);
    if (image->recode)
        return pl_pdf_stream_decode(images->file, image->stream, out, fault);
    if (image->filter == PL_FILTER_FLATE)
        return pl_pdf_stream_raw(images->file, image->stream, out, fault);
    return pl_pdf_stream_image(images->file, image->stream, out, &filter, &parms, fault);
}

pl_status pl_pdf_image_load(const struct pl_pdf_images *images, const struct pl_pdf_image *image,
                            struct pl_page *page, struct pl_fault *fault)
{
    size_t before = page->data.size;
    pl_status status = PL_OK;
    if (image->recode) {
        struct pl_bytes decoded = { 0 };
        pl_bytes_init(&decoded, page->data.limit);
        status = image_bytes(images, image, &decoded, fault);
        if (status == PL_OK)
            status = image_recode(image, &decoded, page);
        pl_bytes_fini(&decoded);
    } else {
        status = image_bytes(images, image, &page->data, fault);
    }
    if (status == PL_TOO_LARGE) {
        return pl_fault_set(fault, status, "page %u needs more than %llu MiB, the most accepted",
                            images->number, (unsigned long long)images->limits->page_bytes >> 20);
    }
    page->bytes_in += image->bytes;
    return status == PL_OK ? pl_page_add_part(page, image->height_px, page->data.size - before)
                           : status;
}
