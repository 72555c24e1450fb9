/* test_pdf_page: sizes in user space, and where the parts of a page are drawn.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/image/profile.h"
#include "pipeline/pdf/icc.h"
#include "pipeline/pdf/pdf_object.h"
#include "pipeline/pdf/pdf_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void pdf_number__shortest_text(void **state)
{
    (void)state;
    char out[PL_PDF_NUMBER_CHARS];
    assert_string_equal(pl_pdf_number(0, out), "0");
    assert_string_equal(pl_pdf_number(61200000, out), "612");
    assert_string_equal(pl_pdf_number(59527559, out), "595.27559");
    assert_string_equal(pl_pdf_number(-50000, out), "-0.5");
    assert_string_equal(pl_pdf_number(2, out), "0.00002");
    assert_string_equal(pl_pdf_number(INT64_MIN, out), "-92233720368547.75808");
}

static struct pl_pdf_box box_of(const struct pl_page *page)
{
    struct pl_convert convert;
    pl_convert_defaults(&convert, PL_FORMAT_PDFA_2B);
    return pl_pdf_page_box(page, &convert);
}

static struct pl_page page_of(uint32_t width, uint32_t height, uint32_t x_mdpi, uint32_t y_mdpi)
{
    return (struct pl_page){
        .width_px = width, .height_px = height, .x_mdpi = x_mdpi, .y_mdpi = y_mdpi, .orientation = 1
    };
}

static void check_box(struct pl_page page, uint64_t width, uint64_t height, unsigned user_unit)
{
    struct pl_pdf_box box = box_of(&page);
    assert_int_equal(box.width, width);
    assert_int_equal(box.height, height);
    assert_int_equal(box.user_unit, user_unit);
    assert_int_equal(box.rule != NULL, user_unit != 1 || width == 300000 || height == 300000);
}

static void pdf_page__size_from_resolution__rounded_down(void **state)
{
    (void)state;
    check_box(page_of(2550, 3300, 300000, 300000), 61200000, 79200000, 1);
    check_box(page_of(1728, 1082, 204000, 98000), 60988235, 79493877, 1);
    check_box(page_of(2480, 3508, 299999, 299999), 59520198, 84192280, 1);
}

static void pdf_page__longer_than_200_inches__user_unit(void **state)
{
    (void)state;
    check_box(page_of(65500, 65500, 72000, 72000), 1310000000, 1310000000, 5);
    check_box(page_of(14400, 100, 72000, 72000), 1440000000, 10000000, 1);
    check_box(page_of(14401, 100, 72000, 72000), 720050000, 5000000, 2);
}

static void pdf_page__longer_than_200_inches_in_pdfa_1__shown_smaller(void **state)
{
    (void)state;
    struct pl_convert convert;
    pl_convert_defaults(&convert, PL_FORMAT_PDFA_1B);
    struct pl_page page = page_of(14401, 100, 72000, 72000);
    struct pl_pdf_box box = pl_pdf_page_box(&page, &convert);
    assert_int_equal(box.width, 720050000);
    assert_int_equal(box.user_unit, 1);
    assert_non_null(box.rule);
}

static void pdf_page__smaller_than_3_units__enlarged(void **state)
{
    (void)state;
    check_box(page_of(1, 1, 300000, 300000), 300000, 300000, 1);
    check_box(page_of(2, 20, 72000, 72000), 300000, 3000000, 1);
    check_box(page_of(20, 1, 72000, 72000), 6000000, 300000, 1);
    check_box(page_of(14400, 1, 72000, 72000), 1440000000, 300000, 1); /* not past the ceiling */
    check_box(page_of(65500, 1, 72000, 72000), 1440000000, 300000, 5);
}

static void check_content(struct pl_page page, const char *expected)
{
    struct pl_page_part parts[2] = { { .rows = 100 }, { .rows = page.height_px - 100 } };
    struct pl_bytes out = { 0 };
    pl_bytes_init(&out, 4096);
    page.parts = parts;
    page.part_count = 2;
    struct pl_pdf_box box = box_of(&page);
    assert_int_equal(pl_pdf_page_content(&page, &box, &out), PL_OK);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    pl_bytes_fini(&out);
}

static void pdf_page__parts__meet_at_their_rows(void **state)
{
    (void)state;
    struct pl_page page = page_of(720, 360, 72000, 72000);
    check_content(page, "q 719.995 0 0 99.995 0.0025 260.0025 cm/I0 Do Q\n"
                        "q 719.995 0 0 259.995 0.0025 0.0025 cm/I1 Do Q\n");
    page.orientation = 2;
    check_content(page, "q -719.995 0 0 99.995 719.9975 260.0025 cm/I0 Do Q\n"
                        "q -719.995 0 0 259.995 719.9975 0.0025 cm/I1 Do Q\n");
    page.orientation = 4;
    check_content(page, "q 719.995 0 0 -99.995 0.0025 99.9975 cm/I0 Do Q\n"
                        "q 719.995 0 0 -259.995 0.0025 359.9975 cm/I1 Do Q\n");
}

static void pdf_page__orientation__turned_by_the_page(void **state)
{
    (void)state;
    static const unsigned degrees[] = { 0, 0, 180, 0, 90, 90, 90, 270 };
    for (uint8_t orientation = 1; orientation <= 8; orientation++) {
        struct pl_page page = page_of(300, 200, 100000, 100000);
        page.orientation = orientation;
        assert_int_equal(box_of(&page).rotate, degrees[orientation - 1]);
    }
}

static void check_profile(const struct pl_bytes *profile, enum pl_colour colour)
{
    assert_true(pl_profile_fits(profile->data, profile->size, colour));
    struct pl_cursor cursor = { profile->data, profile->size, 128 };
    uint32_t tags = 0;
    assert_true(pl_cursor_u32be(&cursor, &tags));
    for (uint32_t i = 0; i < tags; i++) {
        uint32_t entry[3] = { 0 };
        for (unsigned k = 0; k < 3; k++)
            assert_true(pl_cursor_u32be(&cursor, &entry[k]));
        assert_true(entry[1] % 4 == 0 && entry[1] >= 132 + tags * 12);
        assert_true(entry[2] > 8 && entry[1] + entry[2] <= profile->size);
    }
}

static void check_maker(pl_status (*make)(struct pl_bytes *out), enum pl_colour colour,
                        unsigned version)
{
    struct pl_bytes profile = { 0 };
    pl_bytes_init(&profile, 1 << 20);
    assert_int_equal(make(&profile), PL_OK);
    check_profile(&profile, colour);
    assert_int_equal(profile.data[8], version);
    size_t size = profile.size;
    pl_bytes_fini(&profile);
    for (size_t limit = 0; limit < size; limit += 1 + limit / 8) {
        pl_bytes_init(&profile, limit);
        assert_int_equal(make(&profile), PL_TOO_LARGE);
        pl_bytes_fini(&profile);
    }
}

static void icc__profiles_of_ours__are_well_formed(void **state)
{
    (void)state;
    check_maker(pl_icc_srgb, PL_COLOUR_RGB, 4);
    check_maker(pl_icc_srgb_2, PL_COLOUR_RGB, 2);
    check_maker(pl_icc_cmyk, PL_COLOUR_CMYK, 4);
    check_maker(pl_icc_cmyk_2, PL_COLOUR_CMYK, 2);
}

/* The points of version 2 against the formula of IEC 61966-2-1. */
static void icc__curve_of_version_2__is_that_of_the_standard(void **state)
{
    (void)state;
    struct pl_bytes profile = { 0 };
    pl_bytes_init(&profile, 1 << 20);
    assert_int_equal(pl_icc_srgb_2(&profile), PL_OK);
    const uint8_t *curve = memmem(profile.data, profile.size, "curv\0\0\0\0\0\0\x04\0", 12);
    assert_non_null(curve);
    struct pl_cursor cursor = { curve + 12, 2048, 0 };
    for (unsigned i = 0; i < 1024; i++) {
        uint16_t point = 0;
        double x = i / 1023.0;
        double y = x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4);
        assert_true(pl_cursor_u16be(&cursor, &point));
        assert_true(fabs(point - y * 65535) < 0.6);
    }
    pl_bytes_fini(&profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_number__shortest_text),
        cmocka_unit_test(pdf_page__size_from_resolution__rounded_down),
        cmocka_unit_test(pdf_page__longer_than_200_inches__user_unit),
        cmocka_unit_test(pdf_page__smaller_than_3_units__enlarged),
        cmocka_unit_test(pdf_page__parts__meet_at_their_rows),
        cmocka_unit_test(pdf_page__orientation__turned_by_the_page),
        cmocka_unit_test(icc__profiles_of_ours__are_well_formed),
        cmocka_unit_test(icc__curve_of_version_2__is_that_of_the_standard),
        cmocka_unit_test(pdf_page__longer_than_200_inches_in_pdfa_1__shown_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
