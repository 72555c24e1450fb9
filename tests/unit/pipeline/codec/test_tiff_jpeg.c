/* test_tiff_jpeg: JPEG inside TIFF becomes one stream without loss, from strips and from tiles, and
 * shows the same pixels; pages load from several threads at once.
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

#include <jpeglib.h>

#include "tests/support/pl_test.h"

#define WIDTH 80
#define HEIGHT 64
#define TILE 32

struct shape {
    uint16_t photometric;
    uint16_t samples;
    uint32_t rows_per_strip; /* 0: tiles of 32 by 32 */
    uint16_t subsampling;
    enum pl_page_how how;
    bool smoothed; /* over what was the edge of a strip or tile: each decoder does it its own way */
};

static const struct shape shapes[] = {
    { PHOTOMETRIC_MINISBLACK, 1, HEIGHT, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_MINISWHITE, 1, HEIGHT, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_YCBCR, 3, HEIGHT, 2, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_YCBCR, 3, HEIGHT, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_RGB, 3, HEIGHT, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_SEPARATED, 4, HEIGHT, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_YCBCR, 3, 16, 2, PL_PAGE_COPIED, true },
    { PHOTOMETRIC_RGB, 3, 16, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_MINISWHITE, 1, 24, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_SEPARATED, 4, 8, 1, PL_PAGE_COPIED, false },
    { PHOTOMETRIC_MINISBLACK, 1, 0, 1, PL_PAGE_REENCODED_EXACT, false },
    { PHOTOMETRIC_RGB, 3, 0, 1, PL_PAGE_REENCODED_EXACT, false },
    { PHOTOMETRIC_YCBCR, 3, 0, 2, PL_PAGE_REENCODED_EXACT, true },
};

/* `width` pixels from (x, y) on. */
static void row_make(const struct shape *shape, uint32_t x, uint32_t width, uint32_t y,
                     uint8_t *out)
{
    uint32_t samples = shape->samples;
    for (uint32_t i = x * samples; i < (x + width) * samples; i++)
        *out++ = (uint8_t)(i * 2 + y * 3 + (i % samples) * 40);
}

static void add_page(TIFF *tiff, const struct shape *shape)
{
    uint8_t row[WIDTH * 4];
    uint8_t tile[TILE * TILE * 4];
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, shape->samples);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, shape->photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    if (shape->rows_per_strip != 0) {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, shape->rows_per_strip);
    } else {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, TILE);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, TILE);
    }
    if (shape->photometric == PHOTOMETRIC_YCBCR) {
        TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, shape->subsampling, shape->subsampling);
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    for (uint32_t y = 0; y < HEIGHT && shape->rows_per_strip != 0; y++) {
        row_make(shape, 0, WIDTH, y, row);
        assert_int_equal(TIFFWriteScanline(tiff, row, y, 0), 1);
    }
    for (uint32_t y = 0; y < HEIGHT && shape->rows_per_strip == 0; y += TILE) {
        for (uint32_t x = 0; x < WIDTH; x += TILE) {
            for (uint32_t i = 0; i < TILE; i++)
                row_make(shape, x, TILE, y + i, tile + (size_t)i * TILE * shape->samples);
            assert_true(TIFFWriteTile(tiff, tile, x, y, 0, 0) > 0);
        }
    }
    assert_int_equal(TIFFWriteDirectory(tiff), 1);
}

static void reference_tiles(TIFF *tiff, const struct shape *shape, uint8_t *out)
{
    uint8_t tile[TILE * TILE * 4];
    size_t samples = shape->samples;
    for (uint32_t y = 0; y < HEIGHT; y += TILE) {
        for (uint32_t x = 0; x < WIDTH; x += TILE) {
            size_t width = WIDTH - x < TILE ? WIDTH - x : TILE;
            assert_true(TIFFReadTile(tiff, tile, x, y, 0, 0) > 0);
            for (size_t i = 0; i < TILE; i++)
                memcpy(out + ((y + i) * WIDTH + x) * samples, tile + i * TILE * samples,
                       width * samples);
        }
    }
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
    for (uint32_t y = 0; y < HEIGHT && shape->rows_per_strip != 0; y++)
        assert_int_equal(
            TIFFReadScanline(file->tiff, out + (size_t)y * WIDTH * shape->samples, y, 0), 1);
    if (shape->rows_per_strip == 0)
        reference_tiles(file->tiff, shape, out);
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

static bool is_beside_edge(const struct shape *shape, size_t pixel)
{
    size_t edge = shape->rows_per_strip == 0 ? TILE : shape->rows_per_strip;
    size_t x = pixel % WIDTH % TILE;
    size_t y = pixel / WIDTH % edge;
    return y == 0 || y == edge - 1 ||
           (shape->rows_per_strip == 0 && (x == 0 || x == TILE - 1 || pixel % WIDTH == WIDTH - 1));
}

static void compare(void *owner, const struct pl_page *page)
{
    struct memory_tiff *file = owner;
    const struct shape *shape = &shapes[page->number - 1];
    struct pixels pixels;
    page_pixels_decode(page, &pixels);
    uint8_t *wanted = reference(file, (uint16_t)(page->number - 1), shape);
    size_t size = (size_t)WIDTH * HEIGHT * shape->samples;
    assert_int_equal(page->how, shape->how);
    assert_int_equal(page->filter, PL_FILTER_DCT);
    assert_int_equal(page->part_count, 1);
    assert_int_equal(pixels.samples, shape->samples);
    for (size_t i = 0; i < size; i++) {
        bool beside_edge = is_beside_edge(shape, i / shape->samples);
        if (pixels.data[i] != wanted[i] && !(shape->smoothed && beside_edge))
            fail_msg("page %u: sample %zu is %u, not %u", page->number, i, pixels.data[i],
                     wanted[i]);
    }
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

/* A stream with a restart marker after each row of MCUs. */
static void make_jpeg(struct pl_bytes *jpeg)
{
    struct jpeg_compress_struct maker;
    struct jpeg_error_mgr errors;
    unsigned char *made = NULL;
    unsigned long made_size = 0;
    uint8_t row[WIDTH * 3];
    JSAMPROW rows[1] = { row };
    maker.err = jpeg_std_error(&errors);
    jpeg_create_compress(&maker);
    jpeg_mem_dest(&maker, &made, &made_size);
    maker.image_width = WIDTH;
    maker.image_height = HEIGHT;
    maker.input_components = 3;
    maker.in_color_space = JCS_RGB;
    jpeg_set_defaults(&maker);
    maker.restart_in_rows = 1;
    jpeg_start_compress(&maker, TRUE);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        row_make(&shapes[4], 0, WIDTH, y, row);
        (void)jpeg_write_scanlines(&maker, rows, 1);
    }
    jpeg_finish_compress(&maker);
    jpeg_destroy_compress(&maker);
    assert_int_equal(pl_bytes_append(jpeg, made, made_size), PL_OK);
    free(made);
}

/* An old-style page: a head with its tables, then strips of entropy-coded bits, cut out of a stream
 * of make_jpeg. */
static void make_old(struct pl_bytes *file, struct pl_bytes *jpeg, bool scan_in_strip)
{
    make_jpeg(jpeg);
    uint8_t *at = jpeg->data + 2;
    uint8_t *interval = NULL;
    while (at[1] != 0xda) {
        if (at[1] == 0xdd)
            interval = at;
        at += 2 + (at[2] << 8 | at[3]);
    }
    assert_non_null(interval);
    uint8_t *scan = at;
    uint8_t *bits = at + 2 + (at[2] << 8 | at[3]);
    uint32_t offsets[HEIGHT / 16];
    uint32_t sizes[HEIGHT / 16];
    hand_begin(file);
    uint32_t head_at = (uint32_t)file->size;
    /* without the DRI segment, which old-style files leave out */
    hand_put(file, jpeg->data, (size_t)(interval - jpeg->data));
    hand_put(file, interval + 6, (size_t)((scan_in_strip ? scan : bits) - interval - 6));
    uint32_t head_size = (uint32_t)file->size - head_at;
    const uint8_t *from = scan_in_strip ? scan : bits;
    for (uint32_t i = 0; i < HEIGHT / 16; i++) {
        const uint8_t *end = i == 0 ? bits : from;
        while (end[0] != 0xff || end[1] == 0)
            end++;
        offsets[i] = (uint32_t)file->size;
        sizes[i] = (uint32_t)(end - from);
        hand_put(file, from, sizes[i]);
        from = end + 2;
    }
    uint32_t offsets_at = (uint32_t)file->size;
    hand_put(file, offsets, sizeof offsets);
    uint32_t sizes_at = (uint32_t)file->size;
    hand_put(file, sizes, sizeof sizes);
    uint32_t bits_at = (uint32_t)file->size;
    hand_put(file, (const uint16_t[]){ 8, 8, 8, 0 }, 8);
    const struct tag_entry entries[] = {
        { 256, 4, 1, WIDTH },
        { 257, 4, 1, HEIGHT },
        { 258, 3, 3, bits_at },
        { 259, 3, 1, COMPRESSION_OJPEG },
        { 262, 3, 1, 6 },
        { 273, 4, HEIGHT / 16, offsets_at },
        { 277, 3, 1, 3 },
        { 278, 4, 1, 16 },
        { 279, 4, HEIGHT / 16, sizes_at },
        { 513, 4, 1, head_at },
        { 514, 4, 1, head_size },
    };
    hand_patch(file, 4, hand_dir(file, entries, PL_COUNT_OF(entries), 0));
}

static void compare_old(void *owner, const struct pl_page *page)
{
    const struct pl_bytes *jpeg = owner;
    struct pl_page whole;
    struct pixels wanted;
    struct pixels pixels;
    assert_int_equal(page->how, PL_PAGE_COPIED);
    assert_int_equal(page->filter, PL_FILTER_DCT);
    page_pixels_decode(page, &pixels);
    pl_page_init(&whole, 1 << 20);
    whole.width_px = WIDTH;
    whole.height_px = HEIGHT;
    whole.colour = PL_COLOUR_RGB;
    whole.bits = 8;
    whole.filter = PL_FILTER_DCT;
    assert_int_equal(pl_bytes_append(&whole.data, jpeg->data, jpeg->size), PL_OK);
    assert_int_equal(pl_page_add_part(&whole, HEIGHT, jpeg->size), PL_OK);
    page_pixels_decode(&whole, &wanted);
    assert_memory_equal(pixels.data, wanted.data, (size_t)WIDTH * HEIGHT * 3);
    free(pixels.data);
    free(wanted.data);
    pl_page_fini(&whole);
}

static void tiff_jpeg__old_style_in_strips__is_one_stream(void **state)
{
    (void)state;
    for (int scan_in_strip = 0; scan_in_strip < 2; scan_in_strip++) {
        struct pl_bytes file = { 0 };
        struct pl_bytes jpeg = { 0 };
        struct walk_verdict verdict;
        pl_bytes_init(&file, 1 << 20);
        pl_bytes_init(&jpeg, 1 << 20);
        make_old(&file, &jpeg, scan_in_strip == 1);
        walk_bytes(file.data, file.size, compare_old, &jpeg, &verdict);
        assert_string_equal(verdict.fault.reason, "");
        assert_int_equal(verdict.pages, 1);
        pl_bytes_fini(&file);
        pl_bytes_fini(&jpeg);
    }
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
        cmocka_unit_test(tiff_jpeg__old_style_in_strips__is_one_stream),
        cmocka_unit_test(tiff_in__pages__load_from_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
