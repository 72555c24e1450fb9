/* test_flate: zlib's own inflate and the PNG filters undone give every row back.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"

#include <zlib.h>

#include <stdlib.h>
#include <string.h>

static uint8_t row_predict(uint8_t filter, int left, int up, int corner)
{
    int estimate = left + up - corner;
    int to_left = abs(estimate - left);
    int to_up = abs(estimate - up);
    int to_corner = abs(estimate - corner);
    switch (filter) {
    case 1:
        return (uint8_t)left;
    case 2:
        return (uint8_t)up;
    case 3:
        return (uint8_t)((left + up) / 2);
    case 4:
        if (to_left <= to_up && to_left <= to_corner)
            return (uint8_t)left;
        return (uint8_t)(to_up <= to_corner ? up : corner);
    default:
        return 0;
    }
}

/* Undoes the filters in place; the result lies packed at the start of `data`. */
static void rows_restore(uint8_t *data, size_t rows, size_t row_bytes, size_t pixel)
{
    uint8_t *before = calloc(1, row_bytes);
    uint8_t *row = calloc(1, row_bytes);
    assert_non_null(before);
    assert_non_null(row);
    for (size_t y = 0; y < rows; y++) {
        const uint8_t *in = data + y * (1 + row_bytes);
        uint8_t filter = in[0];
        assert_in_range(filter, 0, 4);
        for (size_t i = 0; i < row_bytes; i++) {
            int left = i < pixel ? 0 : row[i - pixel];
            int corner = i < pixel ? 0 : before[i - pixel];
            row[i] = (uint8_t)(in[1 + i] + row_predict(filter, left, before[i], corner));
        }
        memcpy(data + y * row_bytes, row, row_bytes);
        memcpy(before, row, row_bytes);
    }
    free(before);
    free(row);
}

static void check_rows(const uint8_t *pixels, size_t rows, size_t row_bytes, size_t pixel,
                       struct pl_bytes *out)
{
    struct pl_flate *flate = NULL;
    assert_int_equal(pl_flate_new(row_bytes, pixel, out, &flate), PL_OK);
    for (size_t y = 0; y < rows; y++)
        assert_int_equal(pl_flate_row(flate, pixels + y * row_bytes), PL_OK);
    assert_int_equal(pl_flate_end(flate), PL_OK);
    pl_flate_free(flate);
    uLongf size = rows * (1 + row_bytes);
    uint8_t *back = malloc(size);
    assert_non_null(back);
    assert_int_equal(uncompress(back, &size, out->data, out->size), Z_OK);
    assert_int_equal(size, rows * (1 + row_bytes));
    rows_restore(back, rows, row_bytes, pixel);
    assert_memory_equal(back, pixels, rows * row_bytes);
    free(back);
}

/* A gradient, an area of noise and flat parts, so that every filter finds its row. */
static uint8_t *pixels_draw(size_t rows, size_t row_bytes)
{
    uint8_t *pixels = malloc(rows * row_bytes);
    assert_non_null(pixels);
    uint32_t seed = 12345;
    for (size_t i = 0; i < rows * row_bytes; i++) {
        size_t x = i % row_bytes;
        size_t y = i / row_bytes;
        seed = seed * 1664525 + 1013904223;
        pixels[i] = y % 5 == 0   ? (uint8_t)(seed >> 24)
                    : y % 5 == 1 ? (uint8_t)(x + y + (seed >> 30))
                    : y % 5 == 2 ? 255
                                 : (uint8_t)(x * y / 7);
    }
    return pixels;
}

static void flate__rows_of_every_pixel_size__come_back(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 3, 4, 6, 8 };
    for (size_t i = 0; i < PL_COUNT_OF(sizes); i++) {
        static const size_t widths[] = { 1, 2, 17, 1000 };
        for (size_t k = 0; k < PL_COUNT_OF(widths); k++) {
            size_t row_bytes = widths[k] * sizes[i];
            uint8_t *pixels = pixels_draw(61, row_bytes);
            struct pl_bytes out = { 0 };
            pl_bytes_init(&out, 1 << 24);
            check_rows(pixels, 61, row_bytes, sizes[i], &out);
            pl_bytes_fini(&out);
            free(pixels);
        }
    }
}

static void flate__same_rows_twice__same_bytes(void **state)
{
    (void)state;
    uint8_t *pixels = pixels_draw(100, 900);
    struct pl_bytes a = { 0 };
    struct pl_bytes b = { 0 };
    pl_bytes_init(&a, 1 << 24);
    pl_bytes_init(&b, 1 << 24);
    check_rows(pixels, 100, 900, 3, &a);
    check_rows(pixels, 100, 900, 3, &b);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    pl_bytes_fini(&a);
    pl_bytes_fini(&b);
    free(pixels);
}

static void flate__output_past_its_limit__too_large(void **state)
{
    (void)state;
    uint8_t *pixels = pixels_draw(400, 3000);
    struct pl_bytes out = { 0 };
    pl_bytes_init(&out, 100000);
    struct pl_flate *flate = NULL;
    assert_int_equal(pl_flate_new(3000, 3, &out, &flate), PL_OK);
    pl_status status = PL_OK;
    for (size_t y = 0; y < 400 && status == PL_OK; y++)
        status = pl_flate_row(flate, pixels + y * 3000);
    if (status == PL_OK)
        status = pl_flate_end(flate);
    assert_int_equal(status, PL_TOO_LARGE);
    assert_true(out.size <= 100000);
    pl_flate_free(flate);
    assert_int_equal(pl_flate_new(0, 1, &out, &flate), PL_TOO_LARGE);
    pl_bytes_fini(&out);
    free(pixels);
}

static void flate__all_at_once__inflates_to_the_same(void **state)
{
    (void)state;
    const size_t whole = (size_t)50 * 4000;
    uint8_t *pixels = pixels_draw(50, 4000);
    struct pl_bytes out = { 0 };
    pl_bytes_init(&out, 1 << 24);
    assert_int_equal(pl_flate_all(pixels, whole, &out), PL_OK);
    uint8_t *back = malloc(whole);
    assert_non_null(back);
    uLongf size = whole;
    assert_int_equal(uncompress(back, &size, out.data, out.size), Z_OK);
    assert_int_equal(size, whole);
    assert_memory_equal(back, pixels, size);
    pl_bytes_clear(&out);
    assert_int_equal(pl_flate_all(pixels, 0, &out), PL_OK);
    size = whole;
    assert_int_equal(uncompress(back, &size, out.data, out.size), Z_OK);
    assert_int_equal(size, 0);
    free(back);
    free(pixels);
    pl_bytes_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flate__rows_of_every_pixel_size__come_back),
        cmocka_unit_test(flate__same_rows_twice__same_bytes),
        cmocka_unit_test(flate__output_past_its_limit__too_large),
        cmocka_unit_test(flate__all_at_once__inflates_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
