/* test_tiff_jpeg: JPEG inside TIFF is copied where one strip holds it all, decoded otherwise, and
 * shows the same pixels either way; pages load from several threads at once.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/memory_tiff.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

#define WIDTH 80
#define HEIGHT 64

struct shape {
    uint16_t photometric;
    uint16_t samples;
    uint32_t rows_per_strip;
    uint16_t subsampling;
    bool copied;
};

static const struct shape shapes[] = {
    { PHOTOMETRIC_MINISBLACK, 1, HEIGHT, 1, true }, { PHOTOMETRIC_MINISWHITE, 1, HEIGHT, 1, true },
    { PHOTOMETRIC_YCBCR, 3, HEIGHT, 2, true },      { PHOTOMETRIC_YCBCR, 3, HEIGHT, 1, true },
    { PHOTOMETRIC_RGB, 3, HEIGHT, 1, true },        { PHOTOMETRIC_SEPARATED, 4, HEIGHT, 1, true },
    { PHOTOMETRIC_YCBCR, 3, 16, 2, false },         { PHOTOMETRIC_RGB, 3, 16, 1, false },
    { PHOTOMETRIC_MINISWHITE, 1, 16, 1, false },
};

static void add_page(TIFF *tiff, const struct shape *shape)
{
    uint8_t row[WIDTH * 4];
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, shape->samples);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, shape->photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, shape->rows_per_strip);
    if (shape->photometric == PHOTOMETRIC_YCBCR) {
        TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, shape->subsampling, shape->subsampling);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH * (uint32_t)shape->samples; x++)
            row[x] = (uint8_t)(x * 2 + y * 3 + (x % shape->samples) * 40);
        assert_int_equal(TIFFWriteScanline(tiff, row, y, 0), 1);
    }
    assert_int_equal(TIFFWriteDirectory(tiff), 1);
}

/* What libtiff itself decodes of directory n: RGB, grey or CMYK as stored. */
static uint8_t *reference(struct memory_tiff *file, uint16_t n, const struct shape *shape)
{
    uint8_t *out = malloc((size_t)WIDTH * HEIGHT * shape->samples);
    assert_non_null(out);
    memory_tiff_open(file, "r");
    assert_int_equal(TIFFSetDirectory(file->tiff, n), 1);
    if (shape->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(file->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    for (uint32_t y = 0; y < HEIGHT; y++)
        assert_int_equal(
            TIFFReadScanline(file->tiff, out + (size_t)y * WIDTH * shape->samples, y, 0), 1);
    memory_tiff_close(file);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        if (shape->photometric == PHOTOMETRIC_MINISWHITE)
            out[i] = (uint8_t)~out[i];
    return out;
}

static void make(struct memory_tiff *file)
{
    memory_tiff_open(file, "w");
    for (size_t i = 0; i < PL_COUNT_OF(shapes); i++)
        add_page(file->tiff, &shapes[i]);
    memory_tiff_close(file);
}

static void compare(void *owner, const struct pl_page *page)
{
    struct memory_tiff *file = owner;
    const struct shape *shape = &shapes[page->number - 1];
    struct pixels pixels;
    page_pixels_decode(page, &pixels);
    uint8_t *wanted = reference(file, (uint16_t)(page->number - 1), shape);
    assert_int_equal(page->how, shape->copied ? PL_PAGE_COPIED : PL_PAGE_REENCODED_EXACT);
    assert_int_equal(page->filter, shape->copied ? PL_FILTER_DCT : PL_FILTER_FLATE);
    assert_int_equal(pixels.samples, shape->samples);
    assert_memory_equal(pixels.data, wanted, (size_t)WIDTH * HEIGHT * shape->samples);
    free(wanted);
    free(pixels.data);
}

static void tiff_jpeg__each_shape__shows_the_pixels_of_libtiff(void **state)
{
    (void)state;
    struct memory_tiff file = { 0 };
    struct walk_verdict verdict;
    make(&file);
    walk_bytes(file.bytes.data, file.bytes.size, compare, &file, &verdict);
    assert_string_equal(verdict.fault.reason, "");
    assert_int_equal(verdict.pages, PL_COUNT_OF(shapes));
    memory_tiff_fini(&file);
}

static void tiff_jpeg__strip_cut_short__is_refused(void **state)
{
    (void)state;
    struct memory_tiff file = { 0 };
    struct walk_verdict verdict;
    make(&file);
    memory_tiff_open(&file, "r");
    uint64_t *sizes = NULL;
    uint64_t *offsets = NULL;
    assert_int_equal(TIFFSetDirectory(file.tiff, 2), 1);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_STRIPBYTECOUNTS, &sizes), 1);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_STRIPOFFSETS, &offsets), 1);
    size_t at = (size_t)offsets[0] + (size_t)sizes[0] * 2 / 3;
    size_t size = (size_t)sizes[0] - (size_t)sizes[0] * 2 / 3;
    memory_tiff_close(&file);
    memset(file.bytes.data + at, 0, size);
    walk_bytes(file.bytes.data, file.bytes.size, NULL, NULL, &verdict);
    (void)printf("%s\n", verdict.fault.reason);
    assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
    assert_non_null(strstr(verdict.fault.reason, "page 3: the JPEG data"));
    memory_tiff_fini(&file);
}

struct loader {
    const struct pl_reader *reader;
    struct pl_source *source;
    uint32_t first;
    pl_status status;
};

static void *loader_run(void *owner)
{
    struct loader *loader = owner;
    for (uint32_t n = loader->first; n < PL_COUNT_OF(shapes) && loader->status == PL_OK; n += 2) {
        struct pl_page page;
        pl_page_init(&page, 1 << 24);
        loader->status = pl_tiff_reader.load(loader->reader, loader->source, n, &page, NULL);
        pl_page_fini(&page);
    }
    return NULL;
}

static void tiff_in__pages__load_from_several_threads(void **state)
{
    (void)state;
    struct memory_tiff file = { 0 };
    struct pl_source *source = NULL;
    struct pl_reader *reader = NULL;
    struct loader loaders[2];
    pthread_t threads[2];
    make(&file);
    assert_int_equal(pl_source_memory_new(file.bytes.data, file.bytes.size, &source), PL_OK);
    assert_int_equal(pl_tiff_reader.open(source,
                                         &(struct pl_open_settings){ .limits = &pl_limits_default },
                                         &reader, NULL),
                     PL_OK);
    for (uint32_t i = 0; i < 2; i++) {
        loaders[i] = (struct loader){ reader, source->ops->clone(source), i, PL_OK };
        assert_non_null(loaders[i].source);
        assert_int_equal(pthread_create(&threads[i], NULL, loader_run, &loaders[i]), 0);
    }
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(loaders[i].status, PL_OK);
        loaders[i].source->ops->free(loaders[i].source);
    }
    pl_tiff_reader.close(reader);
    source->ops->free(source);
    memory_tiff_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_jpeg__each_shape__shows_the_pixels_of_libtiff),
        cmocka_unit_test(tiff_jpeg__strip_cut_short__is_refused),
        cmocka_unit_test(tiff_in__pages__load_from_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
