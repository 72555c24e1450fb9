/* tiff_decode: pages that are decoded and encoded again without loss: bilevel as one Group 4
 * picture, everything else as Flate rows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"
#include "pipeline/codec/g4.h"
#include "pipeline/codec/tiff_band.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXPANSION_FREE_BYTES ((uint64_t)64 << 20)

bool pl_tiff_decodes(uint32_t compression)
{
    switch (compression) {
    case COMPRESSION_NONE:
    case COMPRESSION_CCITTRLE:
    case COMPRESSION_CCITTRLEW:
    case COMPRESSION_CCITTFAX3:
    case COMPRESSION_CCITTFAX4:
    case COMPRESSION_LZW:
    case COMPRESSION_OJPEG:
    case COMPRESSION_JPEG:
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_PACKBITS:
        return true;
    default:
        return false;
    }
}

/* What the decoded page is made of. */
struct decode {
    const struct pl_tiff_load *load;
    struct pl_tiff_lib lib;
    struct pl_tiff_band band;
    struct pl_raster raster;
    enum pl_colour colour;
    bool bilevel;
    bool ink_is_one; /* bilevel: 1 is black */
    uint8_t palette[256 * 3];
};

static pl_status decode_unsupported(const struct pl_tiff_load *load, const char *what,
                                    uint32_t number)
{
    return pl_fault_set(load->fault, PL_UNSUPPORTED,
                        "page %" PRIu32 " has %s (%" PRIu32 "), which is not supported",
                        load->page->number, what, number);
}

/* decoded : encoded, from what the header says, before anything is decoded. */
static pl_status check_expansion(const struct pl_tiff_load *load)
{
    const struct pl_tiff_dir *dir = load->dir;
    uint64_t row = ((uint64_t)dir->width_px * dir->samples * dir->bits + 7) / 8;
    uint64_t decoded = row * dir->height_px;
    uint64_t encoded = 0;
    if (decoded <= EXPANSION_FREE_BYTES)
        return PL_OK;
    for (uint64_t i = 0; i < dir->sizes.count && encoded < load->source->size; i++) {
        uint64_t size = 0;
        pl_status status = pl_tiff_values_read(load->source, load->head, &dir->sizes, i, 1, &size);
        if (status != PL_OK)
            return status;
        encoded = size > load->source->size - encoded ? load->source->size : encoded + size;
    }
    encoded = encoded == 0 ? load->source->size : encoded;
    if (decoded / load->limits->expansion > encoded)
        return pl_fault_set(load->fault, PL_TOO_LARGE,
                            "page %" PRIu32 " would unpack %" PRIu64 " bytes to %" PRIu64
                            " MiB; at most %" PRIu64 " : 1 is accepted",
                            load->page->number, encoded, decoded >> 20, load->limits->expansion);
    return PL_OK;
}

/* Colour maps are 16 bits an entry; some writers put 8-bit values there (libtiff's test). */
static pl_status decode_palette(struct decode *decode)
{
    uint16_t *maps[3] = { NULL, NULL, NULL };
    if (TIFFGetField(decode->lib.tiff, TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2]) != 1)
        return pl_fault_set(decode->load->fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 " is a palette picture without its palette",
                            decode->load->page->number);
    size_t count = (size_t)1 << decode->raster.bits;
    bool wide = false;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < 3; n++)
            wide = wide || maps[n][i] > 255;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < 3; n++)
            decode->palette[3 * i + n] = (uint8_t)(wide ? maps[n][i] >> 8 : maps[n][i]);
    decode->raster.palette = decode->palette;
    return PL_OK;
}

/* Two colours that are black and white make a bilevel page. */
static bool palette_is_bilevel(struct decode *decode)
{
    static const uint8_t ink_first[6] = { 0, 0, 0, 255, 255, 255 };
    static const uint8_t paper_first[6] = { 255, 255, 255, 0, 0, 0 };
    if (decode->raster.bits != 1 || decode->raster.samples != 1)
        return false;
    decode->ink_is_one = memcmp(decode->palette, paper_first, 6) == 0;
    return decode->ink_is_one || memcmp(decode->palette, ink_first, 6) == 0;
}

static void decode_alpha(struct decode *decode)
{
    const struct pl_tiff_dir *dir = decode->load->dir;
    struct pl_raster *raster = &decode->raster;
    if (dir->samples <= raster->colours || raster->palette != NULL)
        return;
    if (dir->extra == EXTRASAMPLE_ASSOCALPHA)
        raster->alpha = PL_ALPHA_ASSOCIATED;
    else if (dir->extra == EXTRASAMPLE_UNASSALPHA)
        raster->alpha = PL_ALPHA_STRAIGHT;
    if (raster->colours == 4) /* white paper is no ink: nothing to lay it over */
        raster->alpha = PL_ALPHA_NONE;
    pl_page_note(decode->load->page, raster->alpha != PL_ALPHA_NONE ? "alpha laid over white"
                                                                    : "extra samples left out");
}

/* From the tags to a raster. */
static pl_status decode_shape(struct decode *decode)
{
    const struct pl_tiff_load *load = decode->load;
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_raster *raster = &decode->raster;
    uint16_t photometric = (uint16_t)dir->photometric;
    (void)TIFFGetField(decode->lib.tiff, TIFFTAG_PHOTOMETRIC, &photometric); /* repaired OJPEG */
    pl_status status = PL_OK;
    *raster =
        (struct pl_raster){ .width_px = dir->width_px,
                            .bits = dir->bits,
                            .samples = dir->samples,
                            .separate = dir->planar == PLANARCONFIG_SEPARATE && dir->samples > 1,
                            .colours = 1 };
    if (dir->sample_format != SAMPLEFORMAT_UINT && dir->sample_format != SAMPLEFORMAT_VOID)
        return decode_unsupported(load, "signed or floating-point samples", dir->sample_format);
    switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
        raster->inverted = photometric == PHOTOMETRIC_MINISWHITE;
        decode->ink_is_one = raster->inverted;
        decode->bilevel = dir->bits == 1 && dir->samples == 1;
        decode->colour = PL_COLOUR_GREY;
        break;
    case PHOTOMETRIC_PALETTE:
        if (dir->bits > 8)
            return decode_unsupported(load, "a palette of more than 256 colours", dir->bits);
        status = decode_palette(decode);
        decode->bilevel = status == PL_OK && palette_is_bilevel(decode);
        decode->colour = PL_COLOUR_RGB;
        break;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_YCBCR: /* the band makes RGB of it */
        raster->colours = 3;
        decode->colour = PL_COLOUR_RGB;
        break;
    case PHOTOMETRIC_SEPARATED:
        if (dir->ink_set != INKSET_CMYK)
            return decode_unsupported(load, "inks other than cyan, magenta, yellow and black",
                                      dir->ink_set);
        raster->colours = 4;
        decode->colour = PL_COLOUR_CMYK;
        break;
    default:
        return decode_unsupported(load, "a colour space of TIFF that scanners do not use",
                                  photometric);
    }
    if (status == PL_OK && dir->samples < raster->colours)
        status = pl_fault_set(load->fault, PL_BAD_DOCUMENT,
                              "page %" PRIu32 " has %" PRIu32 " samples a pixel where its colour "
                              "needs %u",
                              load->page->number, dir->samples, raster->colours);
    if (status == PL_OK)
        decode_alpha(decode);
    return status;
}

/* Bytes that a raster reads of each row. */
static size_t decode_row_bytes(const struct pl_raster *raster)
{
    size_t samples = raster->separate ? 1 : raster->samples;
    return ((size_t)raster->width_px * samples * raster->bits + 7) / 8;
}

static pl_status decode_open(struct decode *decode, const struct pl_tiff_load *load)
{
    decode->load = load;
    pl_status status = check_expansion(load);
    if (status == PL_OK)
        status = pl_tiff_lib_open(&decode->lib, load);
    if (status == PL_OK)
        status = decode_shape(decode);
    unsigned wanted = decode->raster.colours + (decode->raster.alpha != PL_ALPHA_NONE);
    if (status == PL_OK)
        status = pl_tiff_band_init(&decode->band, &decode->lib, wanted);
    /* libtiff repairs tags by rules of its own; what it hands out must be what we take. */
    if (status == PL_OK && decode->band.stride < decode_row_bytes(&decode->raster))
        status = pl_fault_set(load->fault, PL_BAD_DOCUMENT,
                              "page %" PRIu32 " contradicts itself about its samples",
                              load->page->number);
    return status;
}

static void decode_close(struct decode *decode)
{
    pl_tiff_band_fini(&decode->band);
    pl_tiff_lib_close(&decode->lib);
}

/* All rows into one bitmap, 1 is black; then one Group 4 picture. */
static pl_status decode_bilevel(struct decode *decode)
{
    const struct pl_tiff_load *load = decode->load;
    struct pl_page *page = load->page;
    size_t stride = ((size_t)page->width_px + 7) / 8;
    size_t size = 0;
    bool more = true;
    if (!pl_size_mul(stride, page->height_px, &size))
        return PL_TOO_LARGE;
    uint8_t *bitmap = calloc(1, size);
    if (bitmap == NULL)
        return PL_NO_MEMORY;
    uint8_t *row = bitmap;
    pl_status status = pl_tiff_band_next(&decode->band, &more);
    while (status == PL_OK && more) {
        for (uint32_t y = 0; y < decode->band.rows; y++, row += stride)
            memcpy(row, decode->band.pixels + y * decode->band.stride, stride);
        status = pl_tiff_band_next(&decode->band, &more);
    }
    for (size_t i = 0; i < size && !decode->ink_is_one; i++)
        bitmap[i] = (uint8_t)~bitmap[i];
    if (status == PL_OK)
        status = pl_g4_encode(bitmap, stride, page->width_px, page->height_px, &page->data);
    free(bitmap);
    page->colour = PL_COLOUR_BILEVEL;
    page->bits = 1;
    page->filter = PL_FILTER_G4;
    return status;
}

/* Indices stay what they are, in rows of whole bytes. */
static pl_status decode_indices(struct decode *decode)
{
    struct pl_page *page = decode->load->page;
    unsigned bits = decode->raster.bits;
    struct pl_flate *flate = NULL;
    bool more = true;
    pl_status status = pl_bytes_append(&page->palette, decode->palette, (size_t)3 << bits);
    if (status == PL_OK)
        status = pl_flate_new(decode_row_bytes(&decode->raster), 0, &page->data, &flate);
    if (status == PL_OK)
        status = pl_tiff_band_next(&decode->band, &more);
    while (status == PL_OK && more) {
        for (uint32_t y = 0; y < decode->band.rows && status == PL_OK; y++)
            status = pl_flate_row(flate, decode->band.pixels + y * decode->band.stride);
        if (status == PL_OK)
            status = pl_tiff_band_next(&decode->band, &more);
    }
    if (status == PL_OK)
        status = pl_flate_end(flate);
    pl_flate_free(flate);
    page->colour = PL_COLOUR_RGB;
    page->bits = (uint8_t)bits;
    page->filter = PL_FILTER_FLATE;
    return status;
}

/* A palette of a depth that PDF and PNG have, and nothing beside the indices. */
static bool decode_keeps_indices(const struct decode *decode)
{
    const struct pl_raster *raster = &decode->raster;
    return raster->palette != NULL && raster->samples == 1 &&
           (raster->bits == 1 || raster->bits == 2 || raster->bits == 4 || raster->bits == 8);
}

static pl_status decode_rows(struct decode *decode)
{
    struct pl_page *page = decode->load->page;
    const struct pl_raster *raster = &decode->raster;
    unsigned bits = pl_raster_bits(raster);
    size_t row_bytes = pl_raster_row_bytes(raster);
    struct pl_flate *flate = NULL;
    const uint8_t *rows[PL_RASTER_SAMPLES_MOST];
    bool more = true;
    uint8_t *out = malloc(row_bytes);
    pl_status status = out == NULL ? PL_NO_MEMORY : PL_OK;
    if (status == PL_OK)
        status = pl_flate_new(row_bytes, (size_t)pl_raster_samples(raster) * bits / 8, &page->data,
                              &flate);
    if (status == PL_OK)
        status = pl_tiff_band_next(&decode->band, &more);
    while (status == PL_OK && more) {
        for (uint32_t y = 0; y < decode->band.rows && status == PL_OK; y++) {
            pl_tiff_band_rows(&decode->band, y, rows);
            pl_raster_row(raster, rows, out);
            status = pl_flate_row(flate, out);
        }
        if (status == PL_OK)
            status = pl_tiff_band_next(&decode->band, &more);
    }
    if (status == PL_OK)
        status = pl_flate_end(flate);
    pl_flate_free(flate);
    free(out);
    page->colour = decode->colour;
    page->bits = (uint8_t)bits;
    page->filter = PL_FILTER_FLATE;
    return status;
}

pl_status pl_tiff_decode(const struct pl_tiff_load *load)
{
    struct pl_page *page = load->page;
    struct decode *decode = calloc(1, sizeof *decode);
    if (decode == NULL)
        return PL_NO_MEMORY;
    pl_status status = decode_open(decode, load);
    if (status == PL_OK)
        status = decode->bilevel                ? decode_bilevel(decode)
                 : decode_keeps_indices(decode) ? decode_indices(decode)
                                                : decode_rows(decode);
    if (status == PL_OK)
        status = pl_page_add_part(page, page->height_px, page->data.size);
    if (decode->lib.forgiving)
        pl_page_note(page, "fax received with bad lines");
    page->inverted = false;
    page->how = PL_PAGE_REENCODED_EXACT;
    decode_close(decode);
    free(decode);
    return status;
}

pl_status pl_tiff_prove(const struct pl_tiff_load *load)
{
    struct decode *decode = calloc(1, sizeof *decode);
    bool more = true;
    if (decode == NULL)
        return PL_NO_MEMORY;
    pl_status status = decode_open(decode, load);
    while (status == PL_OK && more)
        status = pl_tiff_band_next(&decode->band, &more);
    decode_close(decode);
    free(decode);
    return status;
}
