/* test_tiff_decode: pictures that libtiff writes in every shape come back pixel for pixel.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/memory_tiff.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "tests/support/pl_test.h"

/* How a picture is stored. */
struct shape {
    const char *name;
    const char *mode;
    uint16_t compression;
    uint16_t photometric;
    uint16_t bits;
    uint16_t samples;
    uint16_t planar;
    uint16_t fill_order;
    uint32_t rows_per_strip; /* 0: tiles of 32 x 16 */
    uint16_t extra;          /* ExtraSamples + 1; 0: none */
};

#define WIDTH 77
#define HEIGHT 53

static const struct shape shapes[] = {
    { "g3 1d", "w", COMPRESSION_CCITTRLE, 0, 1, 1, 1, 1, 20, 0 },
    { "g3 2d", "w", COMPRESSION_CCITTFAX3, 0, 1, 1, 1, 2, 20, 0 },
    { "g4 tiles", "w", COMPRESSION_CCITTFAX4, 0, 1, 1, 1, 1, 0, 0 },
    { "g4 min is black", "wb", COMPRESSION_CCITTFAX4, 1, 1, 1, 1, 2, 20, 0 },
    { "g4 big", "w8", COMPRESSION_CCITTFAX4, 0, 1, 1, 1, 1, 53, 0 },
    { "raw bilevel", "w", COMPRESSION_NONE, 1, 1, 1, 1, 2, 20, 0 },
    { "packbits bilevel", "w", COMPRESSION_PACKBITS, 0, 1, 1, 1, 2, 53, 0 },
    { "lzw grey", "wb", COMPRESSION_LZW, 1, 8, 1, 1, 1, 7, 0 },
    { "raw grey white", "w", COMPRESSION_NONE, 0, 8, 1, 1, 1, 53, 0 },
    { "deflate grey 16", "w", COMPRESSION_ADOBE_DEFLATE, 1, 16, 1, 1, 1, 11, 0 },
    { "raw grey 16 big-endian", "wb", COMPRESSION_NONE, 1, 16, 1, 1, 1, 11, 0 },
    { "grey 2", "w", COMPRESSION_NONE, 1, 2, 1, 1, 1, 11, 0 },
    { "grey 4", "w", COMPRESSION_PACKBITS, 0, 4, 1, 1, 1, 11, 0 },
    { "grey 12", "w", COMPRESSION_NONE, 1, 12, 1, 1, 1, 11, 0 },
    { "rgb", "w", COMPRESSION_LZW, 2, 8, 3, 1, 1, 11, 0 },
    { "rgb planar", "w", COMPRESSION_LZW, 2, 8, 3, 2, 1, 11, 0 },
    { "rgb tiles", "wb", COMPRESSION_DEFLATE, 2, 8, 3, 1, 1, 0, 0 },
    { "rgb planar tiles", "w", COMPRESSION_NONE, 2, 8, 3, 2, 1, 0, 0 },
    { "rgb 16", "w", COMPRESSION_LZW, 2, 16, 3, 1, 1, 11, 0 },
    { "rgb 1", "w", COMPRESSION_NONE, 2, 1, 3, 1, 1, 11, 0 },
    { "rgb 4 planar", "w", COMPRESSION_PACKBITS, 2, 4, 3, 2, 1, 11, 0 },
    { "cmyk", "w", COMPRESSION_LZW, 5, 8, 4, 1, 1, 11, 0 },
    { "cmyk planar", "wb", COMPRESSION_LZW, 5, 8, 4, 2, 1, 11, 0 },
    { "rgb alpha", "w", COMPRESSION_LZW, 2, 8, 4, 1, 1, 11, 1 + EXTRASAMPLE_UNASSALPHA },
    { "rgb associated", "w", COMPRESSION_NONE, 2, 8, 4, 2, 1, 11, 1 + EXTRASAMPLE_ASSOCALPHA },
    { "grey unspecified", "w", COMPRESSION_NONE, 1, 8, 2, 1, 1, 11, 1 + EXTRASAMPLE_UNSPECIFIED },
    { "grey strip by line", "w", COMPRESSION_LZW, 1, 8, 1, 1, 1, 53, 0 },
};

/* Sample n of pixel (x, y) of the test picture, in full bits. */
static uint32_t truth(const struct shape *shape, uint32_t x, uint32_t y, unsigned n)
{
    uint32_t value = (x * 7919 + y * 104729 + n * 31337 + x * y) >> 3;
    if (shape->bits == 1 && shape->samples == 1)
        value = (x / 5 + y / 3) & 1;
    return value & ((1U << shape->bits) - 1);
}

static void put_bits(uint8_t *row, size_t index, unsigned bits, uint32_t value)
{
    if (bits == 16) {
        uint16_t word = (uint16_t)value;
        memcpy(row + 2 * index, &word, 2);
        return;
    }
    for (unsigned i = 0; i < bits; i++) {
        size_t bit = index * bits + i;
        if ((value >> (bits - 1 - i) & 1) != 0)
            row[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    }
}

/* Fills a piece with its top left corner at (x0, y0) and all samples, or one plane. */
static void fill_piece(const struct shape *shape, uint32_t x0, uint32_t y0, uint32_t width,
                       uint32_t height, int plane, uint8_t *out, size_t row_bytes)
{
    memset(out, 0, row_bytes * height);
    for (uint32_t y = 0; y < height && y0 + y < HEIGHT; y++)
        for (uint32_t x = 0; x < width && x0 + x < WIDTH; x++)
            for (unsigned n = 0; n < shape->samples; n++) {
                if (plane >= 0 && (unsigned)plane != n)
                    continue;
                size_t index = plane >= 0 ? x : (size_t)x * shape->samples + n;
                put_bits(out + y * row_bytes, index, shape->bits, truth(shape, x0 + x, y0 + y, n));
            }
}

static void write_pieces(TIFF *tiff, const struct shape *shape)
{
    bool tiled = shape->rows_per_strip == 0;
    uint32_t width = tiled ? 32 : WIDTH;
    uint32_t height = tiled ? 16 : shape->rows_per_strip;
    int planes = shape->planar == 2 ? shape->samples : 1;
    size_t row_bytes = (size_t)(tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff));
    uint8_t *piece = malloc(row_bytes * height);
    assert_non_null(piece);
    uint32_t n = 0;
    for (int plane = 0; plane < planes; plane++)
        for (uint32_t y = 0; y < HEIGHT; y += height)
            for (uint32_t x = 0; x < WIDTH; x += width, n++) {
                uint32_t rows = tiled || y + height <= HEIGHT ? height : HEIGHT - y;
                tmsize_t size = (tmsize_t)(row_bytes * rows);
                fill_piece(shape, x, y, width, rows, planes > 1 ? plane : -1, piece, row_bytes);
                assert_int_equal(tiled ? TIFFWriteEncodedTile(tiff, n, piece, size)
                                       : TIFFWriteEncodedStrip(tiff, n, piece, size),
                                 size);
            }
    free(piece);
}

static void make(const struct shape *shape, struct memory_tiff *file)
{
    memory_tiff_open(file, shape->mode);
    assert_non_null(file->tiff);
    TIFF *tiff = file->tiff;
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, shape->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, shape->samples);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, shape->compression);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, shape->photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, shape->planar);
    TIFFSetField(tiff, TIFFTAG_FILLORDER, shape->fill_order);
    if (shape->compression == COMPRESSION_CCITTFAX3)
        TIFFSetField(tiff, TIFFTAG_GROUP3OPTIONS, GROUP3OPT_2DENCODING);
    if (shape->extra > 0) {
        uint16_t extra = (uint16_t)(shape->extra - 1);
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
    }
    if (shape->rows_per_strip > 0) {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, shape->rows_per_strip);
    } else {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 32);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
    }
    write_pieces(tiff, shape);
    memory_tiff_close(file);
}

/* The value that a page must show for sample n. */
static uint32_t shown(const struct shape *shape, uint32_t x, uint32_t y, unsigned n)
{
    double from = (double)((1U << shape->bits) - 1);
    double to = shape->bits > 8 ? 65535.0 : 255.0;
    double value = truth(shape, x, y, n) * to / from;
    if (shape->photometric == 0)
        value = to - value;
    if (shape->extra > 1) {
        double alpha = truth(shape, x, y, shape->samples - 1U) / from;
        value = shape->extra - 1 == EXTRASAMPLE_UNASSALPHA ? value * alpha + to * (1 - alpha)
                                                           : value + to * (1 - alpha);
        value = value > to ? to : value;
    }
    return (uint32_t)(value + 0.5);
}

static void compare(void *owner, const struct pl_page *page)
{
    const struct shape *shape = owner;
    struct pixels pixels;
    page_pixels_decode(page, &pixels);
    assert_int_equal(pixels.width_px, WIDTH);
    assert_int_equal(pixels.height_px, HEIGHT);
    assert_int_equal(pixels.bits, shape->bits > 8 ? 16 : 8);
    assert_int_equal(pixels.samples, shape->samples - (shape->extra > 0));
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            for (unsigned n = 0; n < pixels.samples; n++) {
                size_t at = ((size_t)y * WIDTH + x) * pixels.samples + n;
                uint32_t got = pixels.bits == 16
                                   ? (uint32_t)pixels.data[2 * at] << 8 | pixels.data[2 * at + 1]
                                   : pixels.data[at];
                if (got != shown(shape, x, y, n))
                    (void)printf("%s: sample %u of (%u, %u) is %u, not %u\n", shape->name, n, x, y,
                                 got, shown(shape, x, y, n));
                assert_int_equal(got, shown(shape, x, y, n));
            }
    free(pixels.data);
}

static void tiff_in__every_shape_that_libtiff_writes__comes_back_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(shapes); i++) {
        struct memory_tiff file = { 0 };
        struct walk_verdict verdict;
        make(&shapes[i], &file);
        walk_bytes(file.bytes.data, file.bytes.size, compare, (void *)&shapes[i], &verdict);
        if (verdict.status != PL_OK || verdict.pages != 1)
            (void)printf("%s: %s\n", shapes[i].name, verdict.fault.reason);
        assert_int_equal(verdict.status, PL_OK);
        assert_int_equal(verdict.pages, 1);
        memory_tiff_fini(&file);
    }
}

/* Methods whose decoders can tell that codes are wrong. */
static bool method_notices(uint16_t compression)
{
    return compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTFAX3 ||
           compression == COMPRESSION_CCITTFAX4 || compression == COMPRESSION_LZW;
}

/* Zeroes the second half of the first strip or tile, as a lost block of a disk does. */
static void punch_hole(struct memory_tiff *file)
{
    uint64_t *sizes = NULL;
    uint64_t *offsets = NULL;
    memory_tiff_open(file, "r");
    bool tiled = TIFFIsTiled(file->tiff) != 0;
    int size_tag = tiled ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS;
    int offset_tag = tiled ? TIFFTAG_TILEOFFSETS : TIFFTAG_STRIPOFFSETS;
    assert_int_equal(TIFFGetField(file->tiff, (uint32_t)size_tag, &sizes), 1);
    assert_int_equal(TIFFGetField(file->tiff, (uint32_t)offset_tag, &offsets), 1);
    size_t half = (size_t)sizes[0] / 2;
    size_t at = (size_t)offsets[0] + half;
    size_t size = (size_t)sizes[0] - half;
    memory_tiff_close(file);
    memset(file->bytes.data + at, 0, size);
}

static void tiff_in__hole_in_the_data__is_refused_with_the_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(shapes); i++) {
        struct memory_tiff file = { 0 };
        struct walk_verdict verdict;
        if (!method_notices(shapes[i].compression))
            continue;
        make(&shapes[i], &file);
        punch_hole(&file);
        walk_bytes(file.bytes.data, file.bytes.size, NULL, NULL, &verdict);
        memory_tiff_fini(&file);
        if (verdict.status != PL_BAD_DOCUMENT)
            (void)printf("%s: not noticed\n", shapes[i].name);
        assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
        assert_non_null(strstr(verdict.fault.reason, "page 1"));
    }
}

/* A strip of Deflate data that hold more rows than the strip has, as sloppy writers have them. */
static void surplus_make(uint32_t planes, struct pl_bytes *file)
{
    enum { ROWS = 10, ROW = 64 };
    uint8_t pixels[ROW * ROWS * 2];
    uint8_t packed[1024];
    uLongf size = sizeof packed;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i < ROW * 5 ? i * 7 : 0x33);
    assert_int_equal(compress(packed, &size, pixels, sizeof pixels), Z_OK);
    hand_begin(file);
    hand_put(file, packed, size);
    uint32_t table = (uint32_t)file->size;
    for (uint32_t i = 0; i < planes; i++)
        hand_put(file, (const uint8_t[]){ 8, 0, 0, 0 }, 4);
    for (uint32_t i = 0; i < planes; i++)
        hand_put(file, (const uint8_t[]){ (uint8_t)size, (uint8_t)(size >> 8), 0, 0 }, 4);
    const struct tag_entry entries[] = {
        { 256, 4, 1, ROW },
        { 257, 4, 1, ROWS },
        { 258, 3, 1, 8 },
        { 259, 3, 1, 8 },
        { 262, 3, 1, planes == 3 ? 2 : 1 },
        { 273, 4, planes, planes == 1 ? 8 : table },
        { 277, 3, 1, planes },
        { 279, 4, planes, planes == 1 ? (uint32_t)size : table + 4 * planes },
        { 284, 3, 1, planes == 1 ? 1 : 2 },
    };
    hand_patch(file, 4, (uint32_t)file->size);
    (void)hand_dir(file, entries, PL_COUNT_OF(entries), 0);
}

static void see_surplus(void *owner, const struct pl_page *page)
{
    struct pixels pixels;
    (void)owner;
    page_pixels_decode(page, &pixels);
    for (size_t i = 0; i < 640; i++)
        assert_int_equal(pixels.data[i], i < 320 ? (uint8_t)(i * 7) : 0x33);
    free(pixels.data);
}

/* libtiff with libdeflate leaves the last rows as they were and calls that a success. */
static void tiff_in__deflate_with_rows_to_spare__is_exact_or_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct walk_verdict verdict;
    surplus_make(1, &file);
    walk_bytes(file.data, file.size, see_surplus, NULL, &verdict);
    assert_int_equal(verdict.status, PL_OK);
    pl_bytes_fini(&file);
    surplus_make(3, &file);
    walk_bytes(file.data, file.size, NULL, NULL, &verdict);
    (void)printf("%s %s\n", pl_status_name(verdict.status), verdict.fault.reason);
    assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
    pl_bytes_fini(&file);
}

static void see_note(void *owner, const struct pl_page *page)
{
    (void)pl_text_copy(owner, sizeof page->note, pl_span_from(page->note));
}

/* A Group 3 page with a wrong byte, and what the file says about that. */
static void load_bad_line(uint16_t clean, size_t at, struct walk_verdict *verdict, char *note)
{
    const struct shape shape = { "g3", "w", COMPRESSION_CCITTFAX3, 0, 1, 1, 1, 1, HEIGHT, 0 };
    struct memory_tiff file = { 0 };
    make(&shape, &file);
    memory_tiff_open(&file, "r+");
    assert_int_equal(TIFFSetField(file.tiff, TIFFTAG_CLEANFAXDATA, clean), 1);
    assert_int_equal(TIFFRewriteDirectory(file.tiff), 1);
    memory_tiff_close(&file);
    file.bytes.data[8 + at] ^= 0xff; /* strip data begin behind the head */
    walk_bytes(file.bytes.data, file.bytes.size, see_note, note, verdict);
    memory_tiff_fini(&file);
}

/* A byte that spoils a line but no end-of-line code is forgiven to a file that says so; one that
 * loses a line is not. */
static void tiff_in__bad_fax_line__is_taken_only_when_the_file_owns_up_to_it(void **state)
{
    (void)state;
    unsigned forgiven = 0;
    unsigned lost = 0;
    for (size_t at = 300; at < 400; at++) {
        struct walk_verdict strict;
        struct walk_verdict owned;
        char note[96] = "";
        load_bad_line(CLEANFAXDATA_CLEAN, at, &strict, note);
        load_bad_line(CLEANFAXDATA_UNCLEAN, at, &owned, note);
        if (strict.status == PL_OK) /* other codes, as many pixels: nobody can tell */
            continue;
        forgiven += owned.status == PL_OK;
        lost += owned.status != PL_OK;
        if (owned.status == PL_OK)
            assert_non_null(strstr(note, "fax received with bad lines"));
        else
            assert_non_null(strstr(owned.fault.reason, "rows are missing"));
    }
    assert_true(forgiven > 10 && lost > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_in__every_shape_that_libtiff_writes__comes_back_exact),
        cmocka_unit_test(tiff_in__hole_in_the_data__is_refused_with_the_page),
        cmocka_unit_test(tiff_in__deflate_with_rows_to_spare__is_exact_or_refused),
        cmocka_unit_test(tiff_in__bad_fax_line__is_taken_only_when_the_file_owns_up_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
