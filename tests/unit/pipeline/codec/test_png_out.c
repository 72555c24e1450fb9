/* test_png_out: what was written is read back by libpng: samples, palette, resolution, profile.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_maker.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"
#include "pipeline/pdf/icc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "tests/support/pl_test.h"

static const struct pl_convert to_png = { .to = PL_FORMAT_PNG };

/* One file, opened by libpng. */
struct reading {
    struct memory_out out;
    size_t at;
    png_structp png;
    png_infop info;
    uint8_t *rows; /* packed, as stored */
    size_t row_bytes;
};

static void file_read(png_structp png, png_bytep data, size_t size)
{
    struct reading *reading = png_get_io_ptr(png);
    assert_true(size <= reading->out.bytes.size - reading->at);
    memcpy(data, reading->out.bytes.data + reading->at, size);
    reading->at += size;
}

static void on_complaint(png_structp png, png_const_charp words)
{
    (void)png;
    fail_msg("libpng: %s", words);
}

/* Writes the page; libpng reads all of it and has nothing to complain of. */
static void written(const struct pl_convert *convert, struct pl_page *page, struct reading *reading)
{
    struct pl_fault fault = { 0 };
    *reading = (struct reading){ 0 };
    memory_out_init(&reading->out, 0);
    assert_int_equal(pages_write(convert, page, 1, &pl_limits_default, &reading->out, &fault),
                     PL_OK);
    reading->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, on_complaint, on_complaint);
    reading->info = png_create_info_struct(reading->png);
    png_set_read_fn(reading->png, reading, file_read);
    png_read_info(reading->png, reading->info);
    reading->row_bytes = png_get_rowbytes(reading->png, reading->info);
    reading->rows = malloc(reading->row_bytes * page->height_px);
    assert_non_null(reading->rows);
    for (uint32_t y = 0; y < page->height_px; y++)
        png_read_row(reading->png, reading->rows + y * reading->row_bytes, NULL);
    png_read_end(reading->png, reading->info);
    assert_int_equal(reading->at, reading->out.bytes.size);
}

static void reading_fini(struct reading *reading)
{
    png_destroy_read_struct(&reading->png, &reading->info, NULL);
    pl_bytes_fini(&reading->out.bytes);
    free(reading->rows);
}

/* Bits past the width are nobody's. */
static void rows_equal(const struct pl_page *page, const struct reading *reading,
                       const uint8_t *rows)
{
    size_t bits = (size_t)page->width_px * pl_flate_samples(page) * page->bits;
    assert_int_equal(reading->row_bytes, (bits + 7) / 8);
    for (uint32_t y = 0; y < page->height_px; y++) {
        const uint8_t *got = reading->rows + y * reading->row_bytes;
        const uint8_t *want = rows + y * reading->row_bytes;
        assert_memory_equal(got, want, bits / 8);
        if (bits % 8 != 0)
            assert_int_equal(got[bits / 8] >> (8 - bits % 8), want[bits / 8] >> (8 - bits % 8));
    }
}

static const struct page_recipe recipes[] = {
    { .colour = PL_COLOUR_BILEVEL, .bits = 1 },
    { .colour = PL_COLOUR_GREY, .bits = 2 },
    { .colour = PL_COLOUR_GREY, .bits = 4 },
    { .colour = PL_COLOUR_GREY, .bits = 8 },
    { .colour = PL_COLOUR_GREY, .bits = 16 },
    { .colour = PL_COLOUR_RGB, .bits = 8 },
    { .colour = PL_COLOUR_RGB, .bits = 16 },
    { .colour = PL_COLOUR_RGB, .bits = 1, .palette_entries = 2 },
    { .colour = PL_COLOUR_RGB, .bits = 2, .palette_entries = 4 },
    { .colour = PL_COLOUR_RGB, .bits = 4, .palette_entries = 16 },
    { .colour = PL_COLOUR_RGB, .bits = 8, .palette_entries = 200 },
    { .colour = PL_COLOUR_GREY, .bits = 8, .palette_entries = 99 },
};

static void png_out__stream_under_its_filters__is_carried_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct pl_page page;
        struct reading reading;
        page_make_flate(&page, &recipes[i]);
        uint8_t *rows = page_rows(&page);
        written(&to_png, &page, &reading);
        assert_int_equal(page.how, PL_PAGE_COPIED);
        assert_non_null(
            memmem(reading.out.bytes.data, reading.out.bytes.size, page.data.data, page.data.size));
        assert_int_equal(png_get_bit_depth(reading.png, reading.info), page.bits);
        rows_equal(&page, &reading, rows);
        free(rows);
        reading_fini(&reading);
        pl_page_fini(&page);
    }
}

static void png_out__inverted__is_filtered_anew_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct page_recipe recipe = recipes[i];
        struct pl_page page;
        struct reading reading;
        recipe.inverted = true;
        page_make_flate(&page, &recipe);
        uint8_t *rows = page_rows(&page);
        size_t size = page.data.size;
        written(&to_png, &page, &reading);
        assert_int_equal(page.how, PL_PAGE_REENCODED_EXACT);
        assert_int_equal(page.bytes_in, size);
        rows_equal(&page, &reading, rows);
        free(rows);
        reading_fini(&reading);
        pl_page_fini(&page);
    }
}

static void png_out__other_predictor__is_filtered_anew_exactly(void **state)
{
    (void)state;
    struct pl_page page;
    struct reading reading;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .bits = 16 });
    uint8_t *rows = page_rows(&page);
    pl_bytes_clear(&page.data);
    assert_int_equal(pl_flate_all(rows, (size_t)61 * 6 * 43, &page.data), PL_OK);
    page.parts[0].size = page.data.size;
    page.predictor = 1;
    written(&to_png, &page, &reading);
    assert_int_equal(page.how, PL_PAGE_REENCODED_EXACT);
    rows_equal(&page, &reading, rows);
    free(rows);
    reading_fini(&reading);
    pl_page_fini(&page);
}

static void png_out__stream_that_png_would_not_forgive__is_made_anew(void **state)
{
    (void)state;
    for (unsigned damage = 0; damage < 2; damage++) {
        struct pl_page page;
        struct reading reading;
        page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_GREY });
        uint8_t *rows = page_rows(&page);
        if (damage == 0)
            page.data.data[page.data.size - 1] ^= 1; /* the checksum */
        else
            page.parts[0].size -= 4; /* it is missing */
        written(&to_png, &page, &reading);
        assert_int_equal(page.how, PL_PAGE_REENCODED_EXACT);
        rows_equal(&page, &reading, rows);
        free(rows);
        reading_fini(&reading);
        pl_page_fini(&page);
    }
    struct pl_page page;
    struct reading reading;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_GREY });
    uint8_t *rows = page_rows(&page);
    assert_int_equal(pl_bytes_append(&page.data, "junk", 4), PL_OK);
    page.parts[0].size += 4; /* is cut off */
    written(&to_png, &page, &reading);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    rows_equal(&page, &reading, rows);
    free(rows);
    reading_fini(&reading);
    page.parts[0].size /= 2;
    assert_int_equal(pl_png_writer_ops.encode(&to_png, &pl_limits_default, &page, NULL),
                     PL_BAD_DOCUMENT);
    pl_page_fini(&page);
}

static void png_out__what_png_cannot_say__is_not_carried(void **state)
{
    (void)state;
    struct pl_page page;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_CMYK });
    assert_false(pl_png_writer_ops.carries(&to_png, &page));
    pl_page_fini(&page);
    page_make_g4(&page, &(struct page_recipe){ 0 });
    assert_false(pl_png_writer_ops.carries(&to_png, &page));
    pl_page_fini(&page);
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    assert_true(pl_png_writer_ops.carries(&to_png, &page));
    page.orientation = 3;
    assert_false(pl_png_writer_ops.carries(&to_png, &page));
    page.orientation = 1;
    page.bits = 4;
    assert_false(pl_png_writer_ops.carries(&to_png, &page));
    pl_page_fini(&page);
}

static void png_out__chunks__say_what_the_page_is(void **state)
{
    (void)state;
    const struct pl_convert convert = { .to = PL_FORMAT_PNG, .title = "Grüße", .author = "me" };
    struct pl_page page;
    struct reading reading;
    png_uint_32 x = 0;
    png_uint_32 y = 0;
    int unit = 0;
    int count = 0;
    png_textp texts = NULL;
    png_charp name = NULL;
    png_bytep icc = NULL;
    png_uint_32 icc_size = 0;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    page.y_mdpi = 200000;
    assert_int_equal(pl_icc_srgb(&page.icc), PL_OK);
    written(&convert, &page, &reading);
    assert_int_equal(png_get_pHYs(reading.png, reading.info, &x, &y, &unit), PNG_INFO_pHYs);
    assert_int_equal(x, 11811);
    assert_int_equal(y, 7874);
    assert_int_equal(unit, PNG_RESOLUTION_METER);
    assert_int_equal(png_get_iCCP(reading.png, reading.info, &name, &unit, &icc, &icc_size),
                     PNG_INFO_iCCP);
    assert_int_equal(icc_size, page.icc.size);
    assert_memory_equal(icc, page.icc.data, icc_size);
    assert_int_equal(png_get_text(reading.png, reading.info, &texts, &count), 3);
    assert_string_equal(texts[0].key, "Title");
    assert_string_equal(texts[0].text, "Grüße");
    assert_string_equal(texts[1].key, "Author");
    assert_string_equal(texts[2].text, "Platen");
    reading_fini(&reading);
    pl_page_fini(&page);
}

static void png_out__palette__has_a_colour_for_every_index(void **state)
{
    (void)state;
    struct pl_page page;
    struct reading reading;
    png_colorp colours = NULL;
    int count = 0;
    page_make_flate(
        &page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .bits = 4, .palette_entries = 5 });
    written(&to_png, &page, &reading);
    assert_int_equal(png_get_PLTE(reading.png, reading.info, &colours, &count), PNG_INFO_PLTE);
    assert_int_equal(count, 16);
    for (size_t i = 0; i < 16; i++)
        assert_memory_equal(&colours[i], page.palette.data + 3 * (i < 5 ? i : 4), 3);
    reading_fini(&reading);
    pl_page_fini(&page);
}

static pl_status one_page(struct memory_out *out)
{
    struct pl_page page;
    struct pl_fault fault = { 0 };
    page_make_flate(
        &page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .bits = 8, .palette_entries = 9 });
    assert_int_equal(pl_icc_srgb(&page.icc), PL_OK);
    pl_status status = pages_write(&to_png, &page, 1, &pl_limits_default, out, &fault);
    pl_page_fini(&page);
    return status;
}

static void png_out__output_fails_at_any_write__status_comes_back(void **state)
{
    (void)state;
    struct memory_out out;
    memory_out_init(&out, 0);
    assert_int_equal(one_page(&out), PL_OK);
    unsigned writes = out.writes;
    pl_bytes_fini(&out.bytes);
    for (unsigned n = 1; n <= writes; n++) {
        memory_out_init(&out, n);
        assert_int_equal(one_page(&out), PL_NO_SPACE);
        pl_bytes_fini(&out.bytes);
    }
}

static void png_out__page_past_the_limit__is_refused(void **state)
{
    (void)state;
    struct pl_limits limits = pl_limits_default;
    struct memory_out out;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    limits.output_bytes = 1000;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    memory_out_init(&out, 0);
    assert_int_equal(pages_write(&to_png, &page, 1, &limits, &out, &fault), PL_TOO_LARGE);
    assert_non_null(strstr(fault.reason, "the PNG would have"));
    pl_bytes_fini(&out.bytes);
    pl_page_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_out__stream_under_its_filters__is_carried_as_it_is),
        cmocka_unit_test(png_out__inverted__is_filtered_anew_exactly),
        cmocka_unit_test(png_out__other_predictor__is_filtered_anew_exactly),
        cmocka_unit_test(png_out__stream_that_png_would_not_forgive__is_made_anew),
        cmocka_unit_test(png_out__what_png_cannot_say__is_not_carried),
        cmocka_unit_test(png_out__chunks__say_what_the_page_is),
        cmocka_unit_test(png_out__palette__has_a_colour_for_every_index),
        cmocka_unit_test(png_out__output_fails_at_any_write__status_comes_back),
        cmocka_unit_test(png_out__page_past_the_limit__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
