/* test_g4: libtiff is the judge: same bytes from the same pixels, and the pixels back from them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/g4.h"

#include <tiffio.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A TIFF in memory, for libtiff's client procedures. */
struct memory_file {
    uint8_t *data;
    size_t size;
    size_t room;
    size_t at;
};

static tmsize_t file_read(thandle_t handle, void *out, tmsize_t size)
{
    struct memory_file *file = handle;
    size_t left = file->at < file->size ? file->size - file->at : 0;
    size_t count = (size_t)size < left ? (size_t)size : left;
    memcpy(out, file->data + file->at, count);
    file->at += count;
    return (tmsize_t)count;
}

static tmsize_t file_write(thandle_t handle, void *data, tmsize_t size)
{
    struct memory_file *file = handle;
    size_t end = file->at + (size_t)size;
    if (end > file->room) {
        file->room = end * 2;
        file->data = realloc(file->data, file->room);
        assert_non_null(file->data);
    }
    if (file->at > file->size)
        memset(file->data + file->size, 0, file->at - file->size);
    memcpy(file->data + file->at, data, (size_t)size);
    file->at = end;
    if (end > file->size)
        file->size = end;
    return size;
}

static toff_t file_seek(thandle_t handle, toff_t to, int whence)
{
    struct memory_file *file = handle;
    size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->at : file->size;
    file->at = base + (size_t)to;
    return file->at;
}

static int file_close(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t file_size(thandle_t handle)
{
    return ((struct memory_file *)handle)->size;
}

static TIFF *file_open(struct memory_file *file, const char *mode)
{
    file->at = 0;
    TIFF *tiff = TIFFClientOpen("memory", mode, file, file_read, file_write, file_seek, file_close,
                                file_size, NULL, NULL);
    assert_non_null(tiff);
    return tiff;
}

static void tiff_describe(TIFF *tiff, uint32_t width, uint32_t rows)
{
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
}

struct image {
    uint32_t width;
    uint32_t rows;
    size_t stride;
    uint8_t *pixels;
};

static struct image image_new(uint32_t width, uint32_t rows)
{
    struct image image = { width, rows, (width + 7) / 8, NULL };
    image.pixels = calloc(rows, image.stride);
    assert_non_null(image.pixels);
    return image;
}

/* Bits past the width are set to noise; the encoder must not look at them. */
static void image_soil(struct image *image)
{
    if (image->width % 8 == 0)
        return;
    for (uint32_t y = 0; y < image->rows; y++)
        image->pixels[y * image->stride + image->stride - 1] |= (uint8_t)(0xff >> image->width % 8);
}

static bool image_equal(const struct image *a, const uint8_t *pixels)
{
    for (uint32_t y = 0; y < a->rows; y++) {
        const uint8_t *left = a->pixels + y * a->stride;
        const uint8_t *right = pixels + y * a->stride;
        size_t whole = a->width / 8;
        if (memcmp(left, right, whole) != 0)
            return false;
        unsigned rest = a->width % 8;
        if (rest != 0 && ((left[whole] ^ right[whole]) >> (8 - rest)) != 0)
            return false;
    }
    return true;
}

/* libtiff's strip without its EOFB (two EOL codes, T.6 section 2.4.1.1), padded with zero bits. */
static size_t strip_without_eofb(uint8_t *strip, size_t size)
{
    for (size_t end = size * 8; end >= 24 && end > size * 8 - 8; end--) {
        size_t at = end - 24;
        uint32_t bits = 0;
        for (size_t i = at; i < end; i++)
            bits = bits << 1 | (strip[i / 8] >> (7 - i % 8) & 1);
        if (bits != 0x001001)
            continue;
        if (at % 8 != 0)
            strip[at / 8] &= (uint8_t)(0xff << (8 - at % 8));
        return (at + 7) / 8;
    }
    fail_msg("no EOFB at the end of libtiff's strip");
    return 0;
}

static void check_same_as_libtiff(struct image *image)
{
    struct memory_file file = { 0 };
    TIFF *tiff = file_open(&file, "w");
    tiff_describe(tiff, image->width, image->rows);
    size_t size = image->rows * image->stride;
    uint8_t *copy = malloc(size); /* libtiff may turn bits round in place */
    assert_non_null(copy);
    memcpy(copy, image->pixels, size);
    assert_true(TIFFWriteEncodedStrip(tiff, 0, copy, (tmsize_t)size) >= 0);
    assert_int_equal(TIFFWriteDirectory(tiff), 1);
    TIFFClose(tiff);
    tiff = file_open(&file, "r");
    size_t theirs = (size_t)TIFFRawStripSize(tiff, 0);
    uint8_t *strip = malloc(theirs);
    assert_non_null(strip);
    assert_int_equal(TIFFReadRawStrip(tiff, 0, strip, (tmsize_t)theirs), (tmsize_t)theirs);
    TIFFClose(tiff);
    theirs = strip_without_eofb(strip, theirs);

    struct pl_bytes ours = { 0 };
    pl_bytes_init(&ours, (size_t)1 << 28);
    image_soil(image);
    assert_int_equal(pl_g4_encode(image->pixels, image->stride, image->width, image->rows, &ours),
                     PL_OK);
    assert_int_equal(ours.size, theirs);
    assert_memory_equal(ours.data, strip, theirs);
    free(strip);
    free(copy);
    free(file.data);
    pl_bytes_fini(&ours);
}

static void check_read_back(const struct image *image)
{
    struct pl_bytes ours = { 0 };
    pl_bytes_init(&ours, (size_t)1 << 28);
    assert_int_equal(pl_g4_encode(image->pixels, image->stride, image->width, image->rows, &ours),
                     PL_OK);
    struct memory_file file = { 0 };
    TIFF *tiff = file_open(&file, "w");
    tiff_describe(tiff, image->width, image->rows);
    assert_true(TIFFWriteRawStrip(tiff, 0, ours.data, (tmsize_t)ours.size) >= 0);
    assert_int_equal(TIFFWriteDirectory(tiff), 1);
    TIFFClose(tiff);
    tiff = file_open(&file, "r");
    size_t size = image->rows * image->stride;
    uint8_t *back = malloc(size);
    assert_non_null(back);
    assert_int_equal(TIFFReadEncodedStrip(tiff, 0, back, (tmsize_t)size), (tmsize_t)size);
    TIFFClose(tiff);
    assert_true(image_equal(image, back));
    free(back);
    free(file.data);
    pl_bytes_fini(&ours);
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Runs of random length up to `longest`; each row keeps much of the one above, as scans do. */
static void image_draw_runs(struct image *image, uint64_t *seed, uint32_t longest)
{
    for (uint32_t y = 0; y < image->rows; y++) {
        uint8_t *row = image->pixels + y * image->stride;
        if (y > 0 && random_next(seed) % 4 != 0) {
            memcpy(row, row - image->stride, image->stride);
            row[random_next(seed) % image->stride] ^= (uint8_t)(1U << random_next(seed) % 8);
            continue;
        }
        memset(row, 0, image->stride);
        unsigned colour = 0;
        for (uint32_t x = 0; x < image->width; colour ^= 1) {
            uint32_t run = (uint32_t)(random_next(seed) % longest) + 1;
            for (uint32_t i = 0; i < run && x < image->width; i++, x++)
                row[x / 8] |= (uint8_t)(colour << (7 - x % 8));
        }
    }
}

static void image_draw_noise(struct image *image, uint64_t *seed)
{
    for (size_t i = 0; i < image->rows * image->stride; i++)
        image->pixels[i] = (uint8_t)(random_next(seed) >> 32);
}

static const uint32_t test_widths[] = { 1,  2,  3,   7,   8,    9,    15,   31,   63,
                                        64, 65, 127, 128, 1728, 2550, 2561, 5121, 5183 };

static void g4__every_width__same_bytes_as_libtiff(void **state)
{
    (void)state;
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < PL_COUNT_OF(test_widths); i++) {
        static const uint32_t longest[] = { 1, 2, 5, 40, 700, 6000 };
        for (size_t k = 0; k < PL_COUNT_OF(longest); k++) {
            struct image image = image_new(test_widths[i], 24);
            image_draw_runs(&image, &seed, longest[k]);
            check_same_as_libtiff(&image);
            check_read_back(&image);
            free(image.pixels);
        }
    }
}

static void g4__noise__same_bytes_and_pixels_back(void **state)
{
    (void)state;
    uint64_t seed = 0x2545f4914f6cdd1d;
    for (size_t i = 0; i < PL_COUNT_OF(test_widths); i++) {
        struct image image = image_new(test_widths[i], 40);
        image_draw_noise(&image, &seed);
        check_same_as_libtiff(&image);
        check_read_back(&image);
        free(image.pixels);
    }
}

static void g4__plain_pages__same_bytes_and_pixels_back(void **state)
{
    (void)state;
    static const uint8_t fills[] = { 0x00, 0xff, 0x55, 0xaa };
    for (size_t i = 0; i < PL_COUNT_OF(test_widths); i++) {
        for (size_t k = 0; k < PL_COUNT_OF(fills); k++) {
            struct image image = image_new(test_widths[i], 9);
            memset(image.pixels, fills[k], image.rows * image.stride);
            check_same_as_libtiff(&image);
            check_read_back(&image);
            free(image.pixels);
        }
    }
}

static void g4__widest_page__runs_take_many_make_up_codes(void **state)
{
    (void)state;
    struct image image = image_new(65500, 6);
    memset(image.pixels + image.stride, 0xff, image.stride);             /* all black */
    memset(image.pixels + 3 * image.stride + 10, 0xff, 8000);            /* one run of 64,000 */
    memset(image.pixels + 4 * image.stride + 3, 0x55, image.stride / 2); /* 16,000 runs */
    check_same_as_libtiff(&image);
    check_read_back(&image);
    free(image.pixels);
}

static void g4__stride_wider_than_row__rest_is_ignored(void **state)
{
    (void)state;
    uint64_t seed = 77;
    struct image image = image_new(100, 30);
    image_draw_runs(&image, &seed, 20);
    struct image wide = image_new(300, 30);
    memset(wide.pixels, 0xa5, wide.rows * wide.stride);
    for (uint32_t y = 0; y < image.rows; y++)
        memcpy(wide.pixels + y * wide.stride, image.pixels + y * image.stride, image.stride);
    struct pl_bytes a = { 0 };
    struct pl_bytes b = { 0 };
    pl_bytes_init(&a, 1 << 20);
    pl_bytes_init(&b, 1 << 20);
    assert_int_equal(pl_g4_encode(image.pixels, image.stride, 100, 30, &a), PL_OK);
    assert_int_equal(pl_g4_encode(wide.pixels, wide.stride, 100, 30, &b), PL_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    pl_bytes_fini(&a);
    pl_bytes_fini(&b);
    free(wide.pixels);
    free(image.pixels);
}

static void g4__buffer_full__nothing_is_appended(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct image image = image_new(2000, 50);
    image_draw_noise(&image, &seed);
    struct pl_bytes out = { 0 };
    pl_bytes_init(&out, 9000);
    assert_int_equal(pl_bytes_append(&out, "abc", 3), PL_OK);
    assert_int_equal(pl_g4_encode(image.pixels, image.stride, 2000, 50, &out), PL_TOO_LARGE);
    assert_int_equal(out.size, 3);
    assert_int_equal(pl_g4_encode(image.pixels, image.stride, 0, 50, &out), PL_TOO_LARGE);
    pl_bytes_fini(&out);
    free(image.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(g4__every_width__same_bytes_as_libtiff),
        cmocka_unit_test(g4__noise__same_bytes_and_pixels_back),
        cmocka_unit_test(g4__plain_pages__same_bytes_and_pixels_back),
        cmocka_unit_test(g4__widest_page__runs_take_many_make_up_codes),
        cmocka_unit_test(g4__stride_wider_than_row__rest_is_ignored),
        cmocka_unit_test(g4__buffer_full__nothing_is_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
