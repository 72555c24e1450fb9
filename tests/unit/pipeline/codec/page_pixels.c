/* page_pixels: libtiff for T.6, zlib and the PNG filters for Flate, libjpeg for DCT.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_pixels.h"

#include "tests/unit/pipeline/codec/memory_tiff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <zlib.h>

bool page_pixels_g4(const uint8_t *data, size_t size, uint32_t width_px, uint32_t rows,
                    uint8_t *out)
{
    struct memory_tiff file = { 0 };
    struct pl_bytes bytes;
    hand_begin(&bytes);
    const struct tag_entry entries[] = {
        { 256, 4, 1, width_px }, { 257, 4, 1, rows }, { 258, 3, 1, 1 },
        { 259, 3, 1, 4 },        { 262, 3, 1, 0 },    { 273, 4, 1, 8 },
        { 277, 3, 1, 1 },        { 278, 4, 1, rows }, { 279, 4, 1, (uint32_t)size },
    };
    hand_put(&bytes, data, size);
    hand_patch(&bytes, 4, (uint32_t)bytes.size);
    (void)hand_dir(&bytes, entries, PL_COUNT_OF(entries), 0);
    file.bytes = bytes;
    memory_tiff_open(&file, "r");
    PL_CHECK(file.tiff != NULL);
    size_t stride = ((size_t)width_px + 7) / 8;
    uint8_t *packed = malloc(stride * rows);
    PL_CHECK(packed != NULL);
    tmsize_t got = TIFFReadEncodedStrip(file.tiff, 0, packed, (tmsize_t)(stride * rows));
    bool good = got == (tmsize_t)(stride * rows) && !file.complained;
    for (uint32_t y = 0; y < rows && good; y++)
        for (uint32_t x = 0; x < width_px; x++)
            out[(size_t)y * width_px + x] =
                (packed[y * stride + x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    free(packed);
    memory_tiff_fini(&file);
    return good;
}

static uint8_t paeth(int a, int b, int c)
{
    int p = a + b - c;
    int pa = abs(p - a);
    int pb = abs(p - b);
    int pc = abs(p - c);
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

static void unfilter_row(uint8_t filter, uint8_t *row, const uint8_t *above, size_t size,
                         size_t pixel)
{
    for (size_t i = 0; i < size; i++) {
        int left = i >= pixel ? row[i - pixel] : 0;
        int up = above != NULL ? above[i] : 0;
        int corner = above != NULL && i >= pixel ? above[i - pixel] : 0;
        int add = 0;
        switch (filter) {
        case 0:
            break;
        case 1:
            add = left;
            break;
        case 2:
            add = up;
            break;
        case 3:
            add = (left + up) / 2;
            break;
        case 4:
            add = paeth(left, up, corner);
            break;
        default:
            PL_CHECK(false);
        }
        row[i] = (uint8_t)(row[i] + add);
    }
}

/* Samples of less than a byte, and indices, as the bytes that they stand for. */
static void expand_row(const struct pl_page *page, const uint8_t *row, uint8_t *out)
{
    unsigned bits = page->bits;
    unsigned most = (1U << bits) - 1;
    size_t step = page->colour == PL_COLOUR_CMYK ? 4 : page->colour == PL_COLOUR_RGB ? 3 : 1;
    for (uint32_t x = 0; x < page->width_px; x++) {
        unsigned value = (unsigned)row[(size_t)x * bits / 8] >> (8 - bits - (size_t)x * bits % 8);
        value &= most;
        if (page->palette.size > 0) {
            PL_CHECK((value + 1) * step <= page->palette.size);
            memcpy(out + x * step, page->palette.data + value * step, step);
        } else {
            out[x] = (uint8_t)(value * 255 / most);
        }
    }
}

static void decode_flate(const struct pl_page *page, struct pixels *out)
{
    unsigned samples = page->palette.size > 0 ? 1 : out->samples;
    size_t pixel = ((size_t)samples * page->bits + 7) / 8;
    size_t row = ((size_t)samples * page->bits * out->width_px + 7) / 8;
    size_t out_row = (size_t)out->width_px * out->samples * (out->bits / 8);
    uLongf size = (uLongf)((row + 1) * out->height_px);
    uint8_t *raw = malloc(size);
    PL_CHECK(raw != NULL && page->part_count == 1);
    PL_CHECK(uncompress(raw, &size, page->data.data, (uLong)page->data.size) == Z_OK);
    PL_CHECK(size == (row + 1) * out->height_px);
    for (uint32_t y = 0; y < out->height_px; y++) {
        uint8_t *at = raw + y * (row + 1) + 1;
        unfilter_row(at[-1], at, y > 0 ? at - row - 1 : NULL, row, pixel);
        if (page->bits < 8 || page->palette.size > 0)
            expand_row(page, at, out->data + y * out_row);
        else
            memcpy(out->data + y * out_row, at, row);
    }
    free(raw);
}

static void decode_dct(const struct pl_page *page, struct pixels *out)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors); /* exits on an error: the test fails */
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, page->data.data, (unsigned long)page->data.size);
    (void)jpeg_read_header(&jpeg, TRUE);
    if (jpeg.num_components == 4)
        jpeg.out_color_space = JCS_CMYK;
    (void)jpeg_start_decompress(&jpeg);
    PL_CHECK(jpeg.output_width == out->width_px && jpeg.output_height == out->height_px);
    PL_CHECK((unsigned)jpeg.output_components == out->samples);
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = out->data + (size_t)jpeg.output_scanline * out->width_px * out->samples;
        (void)jpeg_read_scanlines(&jpeg, &row, 1);
    }
    PL_CHECK(errors.num_warnings == 0);
    jpeg_destroy_decompress(&jpeg);
}

static void decode_g4(const struct pl_page *page, struct pixels *out)
{
    uint8_t *to = out->data;
    for (size_t i = 0; i < page->part_count; i++) {
        const struct pl_page_part *part = &page->parts[i];
        PL_CHECK(
            page_pixels_g4(page->data.data + part->at, part->size, page->width_px, part->rows, to));
        to += (size_t)part->rows * page->width_px;
    }
}

void page_pixels_decode(const struct pl_page *page, struct pixels *out)
{
    static const unsigned samples[] = { 1, 1, 3, 4 };
    *out = (struct pixels){ page->width_px, page->height_px, samples[page->colour],
                            page->bits == 16 ? 16 : 8, NULL };
    size_t size = (size_t)out->width_px * out->height_px * out->samples * (out->bits / 8);
    out->data = malloc(size);
    PL_CHECK(out->data != NULL);
    switch (page->filter) {
    case PL_FILTER_G4:
        decode_g4(page, out);
        break;
    case PL_FILTER_DCT:
        decode_dct(page, out);
        break;
    case PL_FILTER_FLATE:
        decode_flate(page, out);
        break;
    case PL_FILTER_G3:
    case PL_FILTER_JBIG2:
    case PL_FILTER_JPX:
    case PL_FILTER_LZW:
        PL_CHECK(false);
    }
    for (size_t i = 0; i < size && page->inverted; i++)
        out->data[i] = (uint8_t)~out->data[i];
}
