/* test_flate_rows: rows of every shape come back, and damage is told with page and row.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 37
#define HEIGHT 29

static uint8_t noise(size_t i)
{
    return (uint8_t)((i * 2654435761U) >> 13 ^ i / 40);
}

static void page_begin(struct pl_page *page, enum pl_colour colour, unsigned bits,
                       unsigned predictor)
{
    pl_page_init(page, 1 << 24);
    page->number = 4;
    page->width_px = WIDTH;
    page->height_px = HEIGHT;
    page->bits = (uint8_t)bits;
    page->colour = colour;
    page->filter = PL_FILTER_FLATE;
    page->predictor = (uint8_t)predictor;
}

/* Rows [from, to) of `pixels` as a part under the PNG filters. */
static void add_png_part(struct pl_page *page, const uint8_t *pixels, size_t row_bytes,
                         uint32_t from, uint32_t to)
{
    struct pl_flate *flate = NULL;
    size_t before = page->data.size;
    size_t pixel = (pl_flate_samples(page) * page->bits + 7) / 8;
    assert_int_equal(pl_flate_new(row_bytes, pixel, &page->data, &flate), PL_OK);
    for (uint32_t y = from; y < to; y++)
        assert_int_equal(pl_flate_row(flate, pixels + y * row_bytes), PL_OK);
    assert_int_equal(pl_flate_end(flate), PL_OK);
    pl_flate_free(flate);
    assert_int_equal(pl_page_add_part(page, to - from, page->data.size - before), PL_OK);
}

static void rows_are(const struct pl_page *page, const uint8_t *pixels, size_t row_bytes)
{
    struct pl_flate_rows *rows = NULL;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_flate_rows_new(page, &rows), PL_OK);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        const uint8_t *row = NULL;
        assert_int_equal(pl_flate_rows_next(rows, &row, &fault), PL_OK);
        assert_memory_equal(row, pixels + y * row_bytes, row_bytes);
    }
    pl_flate_rows_free(rows);
}

static uint8_t *draw(size_t size)
{
    uint8_t *pixels = malloc(size);
    assert_non_null(pixels);
    for (size_t i = 0; i < size; i++)
        pixels[i] = noise(i);
    return pixels;
}

static void flate_rows__every_shape_in_several_parts__comes_back(void **state)
{
    (void)state;
    static const struct {
        enum pl_colour colour;
        unsigned bits;
    } shapes[] = { { PL_COLOUR_BILEVEL, 1 }, { PL_COLOUR_GREY, 2 }, { PL_COLOUR_GREY, 4 },
                   { PL_COLOUR_GREY, 8 },    { PL_COLOUR_RGB, 8 },  { PL_COLOUR_RGB, 16 },
                   { PL_COLOUR_CMYK, 8 },    { PL_COLOUR_CMYK, 16 } };
    for (size_t i = 0; i < PL_COUNT_OF(shapes); i++) {
        struct pl_page page;
        page_begin(&page, shapes[i].colour, shapes[i].bits, 0);
        size_t row_bytes = pl_flate_row_bytes(WIDTH, pl_flate_samples(&page), page.bits);
        uint8_t *pixels = draw(row_bytes * HEIGHT);
        add_png_part(&page, pixels, row_bytes, 0, 10);
        add_png_part(&page, pixels, row_bytes, 10, HEIGHT);
        rows_are(&page, pixels, row_bytes);
        free(pixels);
        pl_page_fini(&page);
    }
}

static unsigned sample_at(const uint8_t *row, size_t n, unsigned bits)
{
    if (bits == 16)
        return (unsigned)row[2 * n] << 8 | row[2 * n + 1];
    return (unsigned)row[n * bits / 8] >> (8 - bits - n * bits % 8) & ((1U << bits) - 1);
}

static void sample_put(uint8_t *row, size_t n, unsigned bits, unsigned value)
{
    if (bits == 16) {
        row[2 * n] = (uint8_t)(value >> 8);
        row[2 * n + 1] = (uint8_t)value;
        return;
    }
    unsigned shift = (unsigned)(8 - bits - n * bits % 8);
    unsigned mask = (1U << bits) - 1;
    unsigned kept = row[n * bits / 8] & ~(mask << shift);
    row[n * bits / 8] = (uint8_t)(kept | (value & mask) << shift);
}

/* TIFF's predictor, sample by sample from the right. */
static void predict(uint8_t *row, unsigned samples, unsigned bits)
{
    for (size_t n = (size_t)WIDTH * samples; n-- > samples;)
        sample_put(row, n, bits, sample_at(row, n, bits) - sample_at(row, n - samples, bits));
}

static void flate_rows__predictors_of_tiff_and_none__come_back(void **state)
{
    (void)state;
    static const unsigned depths[] = { 1, 2, 4, 8, 16 };
    for (size_t i = 0; i < PL_COUNT_OF(depths) * 4; i++) {
        struct pl_page page;
        unsigned predictor = i % 2 == 0 ? 1 : 2;
        unsigned samples = i / 2 % 2 == 0 ? 1 : 3;
        page_begin(&page, samples == 1 ? PL_COLOUR_GREY : PL_COLOUR_RGB, depths[i / 4], predictor);
        size_t row_bytes = pl_flate_row_bytes(WIDTH, samples, page.bits);
        uint8_t *pixels = draw(row_bytes * HEIGHT);
        uint8_t *stored = malloc(row_bytes * HEIGHT);
        assert_non_null(stored);
        for (uint32_t y = 0; y < HEIGHT; y++) /* bits past the width are not said to survive */
            for (size_t n = (size_t)WIDTH * samples; n < row_bytes * 8 / page.bits; n++)
                sample_put(pixels + y * row_bytes, n, page.bits, 0);
        memcpy(stored, pixels, row_bytes * HEIGHT);
        for (uint32_t y = 0; predictor == 2 && y < HEIGHT; y++)
            predict(stored + y * row_bytes, samples, page.bits);
        assert_int_equal(pl_flate_all(stored, row_bytes * HEIGHT, &page.data), PL_OK);
        assert_int_equal(pl_page_add_part(&page, HEIGHT, page.data.size), PL_OK);
        struct pl_flate_rows *rows = NULL;
        assert_int_equal(pl_flate_rows_new(&page, &rows), PL_OK);
        for (uint32_t y = 0; y < HEIGHT; y++) {
            const uint8_t *row = NULL;
            assert_int_equal(pl_flate_rows_next(rows, &row, NULL), PL_OK);
            for (size_t n = 0; n < (size_t)WIDTH * samples; n++)
                assert_int_equal(sample_at(row, n, page.bits),
                                 sample_at(pixels + y * row_bytes, n, page.bits));
        }
        pl_flate_rows_free(rows);
        free(stored);
        free(pixels);
        pl_page_fini(&page);
    }
}

/* Reads until something is wrong; the sentence is left in *fault. */
static pl_status read_all(const struct pl_page *page, struct pl_fault *fault)
{
    struct pl_flate_rows *rows = NULL;
    pl_status status = pl_flate_rows_new(page, &rows);
    const uint8_t *row = NULL;
    for (uint32_t y = 0; y < page->height_px && status == PL_OK; y++)
        status = pl_flate_rows_next(rows, &row, fault);
    pl_flate_rows_free(rows);
    return status;
}

static void flate_rows__damage__is_told_with_page_and_row(void **state)
{
    (void)state;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    page_begin(&page, PL_COLOUR_RGB, 8, 15);
    uint8_t *pixels = draw((size_t)WIDTH * 3 * HEIGHT);
    add_png_part(&page, pixels, (size_t)WIDTH * 3, 0, HEIGHT);
    page.data.data[page.data.size - 1] ^= 1; /* the checksum: no pixel depends on it */
    assert_int_equal(read_all(&page, &fault), PL_OK);
    page.parts[0].size = page.data.size / 2;
    assert_int_equal(read_all(&page, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "page 4: its compressed pixels are damaged at row 1"));
    assert_non_null(strstr(fault.reason, " of 29: they break off"));
    fault = (struct pl_fault){ 0 };
    page.data.data[0] = 0x79; /* no zlib header */
    assert_int_equal(read_all(&page, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "no valid Flate code"));
    free(pixels);
    pl_page_fini(&page);
}

static void flate_rows__unknown_filter__is_told(void **state)
{
    (void)state;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    uint8_t stored[(1 + WIDTH) * HEIGHT] = { 0 };
    page_begin(&page, PL_COLOUR_GREY, 8, 12);
    stored[(1 + WIDTH) * 7] = 5;
    assert_int_equal(pl_flate_all(stored, sizeof stored, &page.data), PL_OK);
    assert_int_equal(pl_page_add_part(&page, HEIGHT, page.data.size), PL_OK);
    assert_int_equal(read_all(&page, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "at row 8 of 29: its filter is none of the five"));
    pl_page_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flate_rows__every_shape_in_several_parts__comes_back),
        cmocka_unit_test(flate_rows__predictors_of_tiff_and_none__come_back),
        cmocka_unit_test(flate_rows__damage__is_told_with_page_and_row),
        cmocka_unit_test(flate_rows__unknown_filter__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
