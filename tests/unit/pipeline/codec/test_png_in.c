/* test_png_in: files made by libpng and by hand; pixels as libpng sees them, streams carried as
 * they are, and damage told.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/png_hand.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include "pipeline/pdf/icc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "tests/support/pl_test.h"

#define WIDTH 37U
#define HEIGHT 29U
#define ROW_MOST (WIDTH * 8)

struct recipe {
    int type;
    int bits;
    bool interlaced;
    bool has_trns;
    unsigned entries; /* of a palette; 0: as many as the bits allow */
    unsigned metre;   /* pHYs */
    bool icc;
};

/* Stored rows, packed, before libpng's filters. */
static void draw_row(const struct recipe *recipe, unsigned y, uint8_t *row)
{
    for (unsigned i = 0; i < ROW_MOST; i++) {
        row[i] = (uint8_t)(i * 5 + y * 3 + (i * 7919 + y * 104729) % 31);
        if (recipe->type == PNG_COLOR_TYPE_PALETTE && recipe->bits == 8 && recipe->entries > 0)
            row[i] = (uint8_t)(row[i] % recipe->entries);
    }
}

static void file_write(png_structp png, png_bytep data, size_t size)
{
    assert_int_equal(pl_bytes_append(png_get_io_ptr(png), data, size), PL_OK);
}

static void put_palette(const struct recipe *recipe, png_structp png, png_infop info)
{
    png_color colours[256];
    uint8_t alpha[256];
    unsigned count = recipe->entries > 0 ? recipe->entries : 1U << recipe->bits;
    for (unsigned i = 0; i < count; i++) {
        colours[i] = (png_color){ (uint8_t)(i * 40), (uint8_t)(255 - i * 7), (uint8_t)(i * 91) };
        alpha[i] = (uint8_t)(i * 85);
    }
    png_set_PLTE(png, info, colours, (int)count);
    if (recipe->has_trns)
        png_set_tRNS(png, info, alpha, (int)(count < 3 ? count : 3), NULL);
}

static void make(const struct recipe *recipe, struct pl_bytes *out)
{
    pl_bytes_init(out, 1 << 24);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, out, file_write, NULL);
    png_set_filter(png, 0, PNG_ALL_FILTERS);
    png_set_IHDR(png, info, WIDTH, HEIGHT, recipe->bits, recipe->type,
                 recipe->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
    if (recipe->type == PNG_COLOR_TYPE_PALETTE)
        put_palette(recipe, png, info);
    uint8_t first[ROW_MOST];
    draw_row(recipe, 0, first);
    png_color_16 key = { .gray =
                             (png_uint_16)(first[0] >> (recipe->bits < 8 ? 8 - recipe->bits : 0)),
                         .red = first[0],
                         .green = first[1],
                         .blue = first[2] };
    if (recipe->bits == 16)
        key = (png_color_16){ .gray = (png_uint_16)(first[0] << 8 | first[1]),
                              .red = (png_uint_16)(first[0] << 8 | first[1]),
                              .green = (png_uint_16)(first[2] << 8 | first[3]),
                              .blue = (png_uint_16)(first[4] << 8 | first[5]) };
    if (recipe->has_trns && recipe->type != PNG_COLOR_TYPE_PALETTE)
        png_set_tRNS(png, info, NULL, 0, &key);
    if (recipe->metre > 0)
        png_set_pHYs(png, info, recipe->metre, recipe->metre, PNG_RESOLUTION_METER);
    if (recipe->icc) {
        struct pl_bytes icc;
        pl_bytes_init(&icc, 1 << 20);
        assert_int_equal(pl_icc_srgb(&icc), PL_OK);
        png_set_iCCP(png, info, "mine", PNG_COMPRESSION_TYPE_BASE, icc.data, (uint32_t)icc.size);
        pl_bytes_fini(&icc);
    }
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (unsigned y = 0; y < HEIGHT; y++) {
            uint8_t row[ROW_MOST];
            draw_row(recipe, y, row);
            png_write_row(png, row);
        }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

/* What libpng shows: RGBA of 16 bits. To be freed. */
struct reading {
    const struct pl_bytes *file;
    size_t at;
};

static void file_read(png_structp png, png_bytep data, size_t size)
{
    struct reading *reading = png_get_io_ptr(png);
    assert_true(size <= reading->file->size - reading->at);
    memcpy(data, reading->file->data + reading->at, size);
    reading->at += size;
}

static uint8_t *reference(const struct pl_bytes *file)
{
    struct reading reading = { file, 0 };
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_bytep rows[HEIGHT];
    uint8_t *out = malloc((size_t)WIDTH * HEIGHT * 8);
    assert_non_null(out);
    for (unsigned y = 0; y < HEIGHT; y++)
        rows[y] = out + (size_t)y * WIDTH * 8;
    png_set_read_fn(png, &reading, file_read);
    png_read_info(png, info);
    png_set_expand_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xffff, PNG_FILLER_AFTER);
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, info);
    assert_int_equal(png_get_rowbytes(png, info), WIDTH * 8);
    png_read_image(png, rows);
    png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
    return out;
}

/* What was seen of the page that was loaded last. */
struct seen {
    struct pl_page page; /* without its buffers */
    size_t icc_size;
    size_t data_size;
    uint8_t *data;
    struct pixels pixels;
};

static void see(void *owner, const struct pl_page *page)
{
    struct seen *seen = owner;
    seen->page = *page;
    seen->icc_size = page->icc.size;
    seen->data_size = page->data.size;
    seen->data = malloc(page->data.size);
    assert_non_null(seen->data);
    memcpy(seen->data, page->data.data, page->data.size);
    page_pixels_decode(page, &seen->pixels);
}

static void seen_fini(struct seen *seen)
{
    free(seen->data);
    free(seen->pixels.data);
}

static void load(const struct pl_bytes *file, struct seen *seen)
{
    struct walk_verdict verdict;
    *seen = (struct seen){ 0 };
    walk_bytes(file->data, file->size, see, seen, &verdict);
    assert_string_equal(verdict.fault.reason, "");
    assert_int_equal(verdict.pages, 1);
}

static void refused(const struct pl_bytes *file, pl_status status, const char *words)
{
    struct walk_verdict verdict;
    walk_bytes(file->data, file->size, NULL, NULL, &verdict);
    if (strstr(verdict.fault.reason, words) == NULL)
        (void)printf("%s\n", verdict.fault.reason);
    assert_int_equal(verdict.status, status);
    assert_non_null(strstr(verdict.fault.reason, words));
}

/* Sample n of a pixel, 16 bits, laid over white. */
static unsigned over_white(const uint8_t *pixel, unsigned n)
{
    unsigned alpha = (unsigned)pixel[6] << 8 | pixel[7];
    unsigned value = (unsigned)pixel[2 * n] << 8 | pixel[2 * n + 1];
    return (unsigned)(((uint64_t)value * alpha + (uint64_t)65535 * (65535 - alpha) + 32767) /
                      65535);
}

static void compare(const struct seen *seen, const uint8_t *wanted)
{
    const struct pixels *pixels = &seen->pixels;
    size_t step = pixels->bits / 8;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        for (unsigned n = 0; n < 3; n++) {
            size_t at = (i * pixels->samples + (pixels->samples == 1 ? 0 : n)) * step;
            unsigned got = step == 2 ? (unsigned)pixels->data[at] << 8 | pixels->data[at + 1]
                                     : pixels->data[at] * 257U;
            unsigned want = over_white(wanted + 8 * i, n);
            unsigned off = got > want ? got - want : want - got;
            if (off > (step == 1 ? 129U : 0U)) /* half of what 8 bits can say */
                fail_msg("type, pixel %zu sample %u: %u, libpng says %u", i, n, got, want);
        }
}

static const struct recipe recipes[] = {
    { .type = PNG_COLOR_TYPE_GRAY, .bits = 1 },
    { .type = PNG_COLOR_TYPE_GRAY, .bits = 2 },
    { .type = PNG_COLOR_TYPE_GRAY, .bits = 4 },
    { .type = PNG_COLOR_TYPE_GRAY, .bits = 8 },
    { .type = PNG_COLOR_TYPE_GRAY, .bits = 16 },
    { .type = PNG_COLOR_TYPE_RGB, .bits = 8 },
    { .type = PNG_COLOR_TYPE_RGB, .bits = 16 },
    { .type = PNG_COLOR_TYPE_PALETTE, .bits = 1 },
    { .type = PNG_COLOR_TYPE_PALETTE, .bits = 2 },
    { .type = PNG_COLOR_TYPE_PALETTE, .bits = 4 },
    { .type = PNG_COLOR_TYPE_PALETTE, .bits = 8 },
    { .type = PNG_COLOR_TYPE_GRAY_ALPHA, .bits = 8 },
    { .type = PNG_COLOR_TYPE_GRAY_ALPHA, .bits = 16 },
    { .type = PNG_COLOR_TYPE_RGB_ALPHA, .bits = 8 },
    { .type = PNG_COLOR_TYPE_RGB_ALPHA, .bits = 16 },
};

static void png_in__every_type_and_depth__shows_what_libpng_sees(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(recipes) * 4; i++) {
        struct recipe recipe = recipes[i / 4];
        recipe.interlaced = i % 2 != 0;
        recipe.has_trns = i / 2 % 2 != 0;
        bool alpha = (recipe.type & PNG_COLOR_MASK_ALPHA) != 0;
        if (alpha && recipe.has_trns)
            continue;
        struct pl_bytes file;
        struct seen seen;
        make(&recipe, &file);
        uint8_t *wanted = reference(&file);
        load(&file, &seen);
        compare(&seen, wanted);
        bool copied = !recipe.interlaced && !alpha &&
                      (!recipe.has_trns || recipe.type == PNG_COLOR_TYPE_PALETTE);
        assert_int_equal(seen.page.how, copied ? PL_PAGE_COPIED : PL_PAGE_REENCODED_EXACT);
        assert_int_equal(seen.page.bytes_in == 0, copied);
        assert_int_equal(strstr(seen.page.note, "alpha laid over white") != NULL,
                         alpha || recipe.has_trns);
        if (copied) /* the stream is in the file as it is */
            assert_non_null(memmem(file.data, file.size, seen.data, seen.data_size));
        free(wanted);
        seen_fini(&seen);
        pl_bytes_fini(&file);
    }
}

static void png_in__resolution__is_whole_where_it_can_be(void **state)
{
    (void)state;
    static const struct {
        unsigned metre;
        uint32_t mdpi;
    } rows[] = { { 11811, 300000 }, { 7874, 200000 },  { 23622, 600000 },
                 { 3937, 100000 },  { 11800, 299720 }, { 0, 300000 } };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        const struct recipe recipe = { .type = PNG_COLOR_TYPE_GRAY,
                                       .bits = 8,
                                       .metre = rows[i].metre };
        struct pl_bytes file;
        struct seen seen;
        make(&recipe, &file);
        load(&file, &seen);
        assert_int_equal(seen.page.x_mdpi, rows[i].mdpi);
        assert_int_equal(seen.page.y_mdpi, rows[i].mdpi);
        seen_fini(&seen);
        pl_bytes_fini(&file);
    }
}

static void png_in__profile__is_kept_only_when_it_fits(void **state)
{
    (void)state;
    struct recipe recipe = { .type = PNG_COLOR_TYPE_RGB, .bits = 8, .icc = true };
    struct pl_bytes file;
    struct seen seen;
    make(&recipe, &file);
    load(&file, &seen);
    assert_true(seen.icc_size > 300);
    seen_fini(&seen);
    pl_bytes_fini(&file);
    /* Its zlib stream is cut short. */
    put_begin(&file, 8, 8, 8, 2);
    put_chunk(&file, "iCCP", "mine\0\0\x78\x9c\x01", 9);
    put_pixels(&file, 8 * 25, 0);
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_int_equal(seen.icc_size, 0);
    assert_non_null(strstr(seen.page.note, "unusable colour profile ignored"));
    seen_fini(&seen);
    pl_bytes_fini(&file);
}

static void png_in__profile_that_is_a_bomb__is_ignored(void **state)
{
    (void)state;
    enum { SIZE = 64 << 20 };
    uLongf packed_size = compressBound(SIZE);
    uint8_t *zeros = calloc(1, SIZE);
    uint8_t *chunk = malloc(6 + packed_size);
    assert_true(zeros != NULL && chunk != NULL);
    memcpy(chunk, "bomb\0\0", 6);
    assert_int_equal(compress2(chunk + 6, &packed_size, zeros, SIZE, 9), Z_OK);
    struct pl_bytes file;
    struct seen seen;
    put_begin(&file, 8, 8, 8, 2);
    put_chunk(&file, "iCCP", chunk, 6 + packed_size);
    put_chunk(&file, "zTXt", chunk, 6 + packed_size);
    put_pixels(&file, 8 * 25, 0);
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_int_equal(seen.icc_size, 0);
    seen_fini(&seen);
    pl_bytes_fini(&file);
    free(zeros);
    free(chunk);
}

static void png_in__index_without_a_colour__is_black(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct seen seen;
    put_begin(&file, 8, 8, 8, 3);
    put_chunk(&file, "PLTE", "\1\2\3", 3);
    put_pixels(&file, 8 * 9, 2); /* filter up: 2, 4, 6 ... */
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_int_equal(seen.page.how, PL_PAGE_COPIED);
    assert_memory_equal(seen.pixels.data, "\0\0\0\0\0\0", 6);
    seen_fini(&seen);
    pl_bytes_fini(&file);
}

static void png_in__palette_of_too_many_colours__is_cut(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct seen seen;
    put_begin(&file, 16, 16, 1, 3);
    put_chunk(&file, "PLTE", "\1\2\3\4\5\6\7\10\11", 9);
    put_pixels(&file, (size_t)16 * 3, 1);
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_non_null(strstr(seen.page.note, "palette of 3 colours cut to 2"));
    assert_memory_equal(seen.pixels.data, "\1\2\3", 3);
    seen_fini(&seen);
    pl_bytes_fini(&file);
}

static void png_in__chunks_of_no_weight__are_ignored_with_a_note(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct seen seen;
    put_begin(&file, 16, 16, 8, 0);
    put_chunk(&file, "pHYs", "\0\0", 2);
    put_chunk(&file, "gAMA", "\0\1\x86\xa0", 4); /* 1.0 */
    put_chunk(&file, "acTL", "\0\0\0\1\0\0\0\0", 8);
    put_chunk(&file, "prIv", "anything", 8);
    put_pixels(&file, 16 * 17, 0);
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_non_null(strstr(seen.page.note, "unusable pHYs chunk ignored"));
    assert_non_null(strstr(seen.page.note, "animated: still picture taken"));
    seen_fini(&seen);
    pl_bytes_fini(&file);
    put_begin(&file, 16, 16, 8, 0);
    put_chunk(&file, "gAMA", "\0\1\x86\xa0", 4);
    put_pixels(&file, 16 * 17, 0);
    put_chunk(&file, "IEND", "", 0);
    assert_int_equal(pl_bytes_append(&file, "more", 4), PL_OK);
    load(&file, &seen);
    assert_non_null(strstr(seen.page.note, "gamma 1.00000 not applied"));
    assert_non_null(strstr(seen.page.note, "4 bytes after the picture left out"));
    seen_fini(&seen);
    pl_bytes_fini(&file);
    put_begin(&file, 16, 16, 8, 0);
    put_pixels(&file, 16 * 17, 0);
    put_chunk(&file, "sRGB", "\0", 1);
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_non_null(strstr(seen.page.note, "unusable sRGB chunk ignored"));
    seen_fini(&seen);
    pl_bytes_fini(&file);
}

static void png_in__any_byte_changed__is_found_by_a_checksum(void **state)
{
    (void)state;
    const struct recipe recipe = { .type = PNG_COLOR_TYPE_PALETTE, .bits = 4, .metre = 11811 };
    struct pl_bytes file;
    struct walk_verdict verdict;
    make(&recipe, &file);
    for (size_t i = 8; i < file.size; i++) {
        file.data[i] ^= 0x10;
        walk_bytes(file.data, file.size, NULL, NULL, &verdict);
        assert_int_not_equal(verdict.status, PL_OK);
        file.data[i] ^= 0x10;
    }
    file.data[30] ^= 1; /* in IHDR's own checksum */
    refused(&file, PL_BAD_DOCUMENT, "the checksum of its chunk IHDR is wrong");
    file.data[30] ^= 1;
    file.data[4] = '\n'; /* what a transfer as text does */
    refused(&file, PL_BAD_DOCUMENT, "the signature is not that of a PNG");
    pl_bytes_fini(&file);
}

static void png_in__file_cut_anywhere__is_refused(void **state)
{
    (void)state;
    const struct recipe recipe = { .type = PNG_COLOR_TYPE_RGB_ALPHA,
                                   .bits = 8,
                                   .interlaced = true };
    struct pl_bytes file;
    struct walk_verdict verdict;
    make(&recipe, &file);
    for (size_t size = 0; size < file.size; size++) {
        uint8_t *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, file.data, size);
        walk_bytes(copy, size, NULL, NULL, &verdict);
        assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
        free(copy);
    }
    file.size -= 2;
    refused(&file, PL_BAD_DOCUMENT, "the file is truncated");
    pl_bytes_fini(&file);
}

static void png_in__bytes_behind_the_stream__are_left_out(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct seen seen;
    put_begin(&file, 16, 16, 8, 0);
    put_pixels(&file, 16 * 17, 0);
    put_chunk(&file, "IDAT", "", 0);
    put_chunk(&file, "IDAT", "junk", 4);
    put_chunk(&file, "IEND", "", 0);
    load(&file, &seen);
    assert_non_null(strstr(seen.page.note, "4 bytes after the pixels left out"));
    assert_int_equal(seen.page.how, PL_PAGE_COPIED);
    seen_fini(&seen);
    pl_bytes_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_in__every_type_and_depth__shows_what_libpng_sees),
        cmocka_unit_test(png_in__resolution__is_whole_where_it_can_be),
        cmocka_unit_test(png_in__profile__is_kept_only_when_it_fits),
        cmocka_unit_test(png_in__profile_that_is_a_bomb__is_ignored),
        cmocka_unit_test(png_in__index_without_a_colour__is_black),
        cmocka_unit_test(png_in__palette_of_too_many_colours__is_cut),
        cmocka_unit_test(png_in__chunks_of_no_weight__are_ignored_with_a_note),
        cmocka_unit_test(png_in__any_byte_changed__is_found_by_a_checksum),
        cmocka_unit_test(png_in__file_cut_anywhere__is_refused),
        cmocka_unit_test(png_in__bytes_behind_the_stream__are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
