/* test_resolution: the rules of resolution.h, one by one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/resolution.h"

#include <string.h>

#include "tests/support/pl_test.h"

static struct pl_page apply(uint32_t width, uint32_t height, struct pl_resolution said)
{
    struct pl_page page;
    pl_page_init(&page, 1024);
    page.width_px = width;
    page.height_px = height;
    pl_resolution_apply(&said, &page);
    return page;
}

static void assert_page(const struct pl_page *page, uint32_t x_mdpi, uint32_t y_mdpi,
                        const char *note)
{
    assert_int_equal(page->x_mdpi, x_mdpi);
    assert_int_equal(page->y_mdpi, y_mdpi);
    assert_string_equal(page->note, note);
}

static struct pl_resolution inch(uint32_t x, uint32_t y)
{
    return (struct pl_resolution){ PL_RESOLUTION_INCH, x, 1, y, 1 };
}

static void resolution__inches_and_centimetres__are_what_they_say(void **state)
{
    (void)state;
    struct pl_page page = apply(2480, 3508, inch(300, 300));
    assert_page(&page, 300000, 300000, "");
    page = apply(2480, 3508,
                 (struct pl_resolution){ PL_RESOLUTION_CM, 1181102, 10000, 1181102, 10000 });
    assert_page(&page, 300000, 300000, "");
}

static void resolution__pixels_not_square__stay_so(void **state)
{
    (void)state;
    struct pl_page page = apply(1728, 1082, inch(204, 98));
    assert_page(&page, 204000, 98000, "");
}

static void resolution__no_unit__counts_as_inch_when_sane(void **state)
{
    (void)state;
    struct pl_page page =
        apply(3312, 2550, (struct pl_resolution){ PL_RESOLUTION_NONE, 300, 1, 300, 1 });
    assert_page(&page, 300000, 300000, "");
    page = apply(1728, 1100, (struct pl_resolution){ PL_RESOLUTION_NONE, 2, 1, 1, 1 });
    assert_page(&page, 300000, 150000, "no resolution: 300 dpi assumed");
    page = apply(1000, 1000, (struct pl_resolution){ PL_RESOLUTION_NONE, 1, 1, 2, 1 });
    assert_page(&page, 150000, 300000, "no resolution: 300 dpi assumed");
}

static void resolution__missing__is_taken_from_paper_sizes(void **state)
{
    (void)state;
    const struct pl_resolution none = { 0 };
    struct pl_page page = apply(1654, 2339, none);
    assert_page(&page, 200000, 200000, "no resolution: 200 dpi assumed");
    page = apply(6600, 5100, none); /* Letter across */
    assert_page(&page, 600000, 600000, "no resolution: 600 dpi assumed");
    page = apply(640, 480, none);
    assert_page(&page, 300000, 300000, "no resolution: 300 dpi assumed");
    page = apply(9000, 5300, none);
    assert_page(&page, 600000, 600000, "no resolution: 600 dpi assumed");
}

static void resolution__absurd_values__count_as_missing(void **state)
{
    (void)state;
    struct pl_page page = apply(640, 480, inch(19, 19));
    assert_page(&page, 300000, 300000, "senseless resolution: 300 dpi assumed");
    page = apply(640, 480, inch(12001, 12001));
    assert_page(&page, 300000, 300000, "senseless resolution: 300 dpi assumed");
    page = apply(640, 480, (struct pl_resolution){ PL_RESOLUTION_INCH, 300, 0, 300, 0 });
    assert_page(&page, 300000, 300000, "no resolution: 300 dpi assumed");
    page = apply(640, 480, inch(0, 0));
    assert_page(&page, 300000, 300000, "senseless resolution: 300 dpi assumed");
    page =
        apply(640, 480, (struct pl_resolution){ PL_RESOLUTION_CM, 4294967295U, 1, 4294967295U, 1 });
    assert_page(&page, 300000, 300000, "senseless resolution: 300 dpi assumed");
    page = apply(640, 480, inch(20, 20));
    assert_page(&page, 20000, 20000, "");
}

static void resolution__one_axis__is_taken_for_both(void **state)
{
    (void)state;
    struct pl_page page = apply(640, 480, inch(0, 200));
    assert_page(&page, 200000, 200000, "resolution of one axis only: taken for both");
    page = apply(640, 480, inch(200, 0));
    assert_page(&page, 200000, 200000, "resolution of one axis only: taken for both");
}

static void resolution__72_dpi_on_a_poster__is_not_believed(void **state)
{
    (void)state;
    struct pl_page page = apply(4123, 5556, inch(72, 72));
    assert_page(&page, 600000, 600000, "72 dpi not believed: 600 dpi assumed");
    page = apply(2480, 3508, inch(96, 96));
    assert_page(&page, 300000, 300000, "96 dpi not believed: 300 dpi assumed");
    page = apply(612, 792, inch(72, 72)); /* Letter: meant */
    assert_page(&page, 72000, 72000, "");
    page = apply(4123, 5556, inch(75, 75)); /* said on purpose */
    assert_page(&page, 75000, 75000, "");
}

static void resolution__side_out_of_bounds__is_set_to_the_bound(void **state)
{
    (void)state;
    struct pl_page page = apply(40000, 100, inch(100, 100));
    assert_page(&page, 200000, 100000, "side set to the bounds of PDF");
    page = apply(3000, 1, inch(300, 300));
    assert_page(&page, 300000, 24000, "side set to the bounds of PDF");
    for (uint32_t px = 1; px <= 65500; px = px * 3 + 1) {
        page = apply(px, 65500, inch(20, 12000));
        double units = px * 72.0 * 1000 / page.x_mdpi;
        assert_true(units >= 3.0 && units <= 14400.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolution__inches_and_centimetres__are_what_they_say),
        cmocka_unit_test(resolution__pixels_not_square__stay_so),
        cmocka_unit_test(resolution__no_unit__counts_as_inch_when_sane),
        cmocka_unit_test(resolution__missing__is_taken_from_paper_sizes),
        cmocka_unit_test(resolution__absurd_values__count_as_missing),
        cmocka_unit_test(resolution__one_axis__is_taken_for_both),
        cmocka_unit_test(resolution__72_dpi_on_a_poster__is_not_believed),
        cmocka_unit_test(resolution__side_out_of_bounds__is_set_to_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
