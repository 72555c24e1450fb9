/* test_page: limits from the header, bands, notes and profiles of a page.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"
#include "pipeline/image/profile.h"

#include <string.h>

#include "tests/support/pl_test.h"

static pl_status check(uint32_t width, uint32_t height, unsigned components, unsigned bits,
                       const char *words)
{
    struct pl_fault fault = { 0 };
    pl_status status =
        pl_limits_check(&pl_limits_default, 7, width, height, components, bits, &fault);
    if (status != PL_OK) {
        assert_non_null(strstr(fault.reason, "page 7"));
        assert_non_null(strstr(fault.reason, words));
    }
    return status;
}

static void limits__claims_of_a_header__are_held_to_the_numbers(void **state)
{
    (void)state;
    assert_int_equal(check(2480, 3508, 1, 1, ""), PL_OK);
    assert_int_equal(check(19842, 14031, 1, 1, ""), PL_OK); /* A1 at 600 dpi */
    assert_int_equal(check(0, 1, 1, 1, "nothing to show"), PL_BAD_DOCUMENT);
    assert_int_equal(check(1, 0, 1, 1, "nothing to show"), PL_BAD_DOCUMENT);
    assert_int_equal(check(65501, 1, 1, 1, "at most 65500 a side"), PL_TOO_LARGE);
    assert_int_equal(check(60000, 10000, 1, 1, ""), PL_OK);
    assert_int_equal(check(60000, 10001, 1, 1, "at most 600 million"), PL_TOO_LARGE);
    assert_int_equal(check(15000, 10000, 3, 8, ""), PL_OK);
    assert_int_equal(check(15000, 10001, 3, 8, "at most 150 million"), PL_TOO_LARGE);
    assert_int_equal(check(15000, 10000, 4, 16, "needs 1144 MiB; at most 512 MiB"), PL_TOO_LARGE);
    assert_int_equal(check(100, 100, 65, 8, "65 samples"), PL_BAD_DOCUMENT);
    assert_int_equal(check(65500, 65500, UINT32_MAX, UINT32_MAX, "million"), PL_TOO_LARGE);
}

static void page__bands__follow_each_other_in_the_data(void **state)
{
    (void)state;
    struct pl_page page;
    pl_page_init(&page, 1000);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(pl_bytes_append(&page.data, "band", 4), PL_OK);
        assert_int_equal(pl_page_add_part(&page, i, 4), PL_OK);
    }
    assert_int_equal(page.part_count, 100);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(page.parts[i].rows, i);
        assert_int_equal(page.parts[i].at, 4 * i);
    }
    uint8_t more[700] = { 0 };
    assert_int_equal(pl_bytes_append(&page.data, more, sizeof more), PL_TOO_LARGE);
    pl_page_fini(&page);
    assert_int_equal(page.part_count, 0);
}

static void page__notes__are_joined_and_cut(void **state)
{
    (void)state;
    struct pl_page page;
    pl_page_init(&page, 1000);
    pl_page_note(&page, "first %d", 1);
    pl_page_note(&page, "second");
    assert_string_equal(page.note, "first 1; second");
    for (int i = 0; i < 20; i++)
        pl_page_note(&page, "and another");
    assert_int_equal(strlen(page.note), sizeof page.note - 1);
    pl_page_fini(&page);
}

/* A header with one tag that holds 12 bytes. */
static void profile_make(uint8_t *icc, size_t size)
{
    memset(icc, 0, size);
    icc[3] = (uint8_t)size;
    icc[8] = 4;
    memcpy(icc + 12, "mntrRGB XYZ ", 12);
    memcpy(icc + 36, "acsp", 4);
    icc[131] = 1;
    icc[139] = 144;
    icc[143] = 12;
}

static void profile__header__decides_whether_it_travels(void **state)
{
    (void)state;
    uint8_t icc[156];
    profile_make(icc, sizeof icc);
    assert_true(pl_profile_fits(icc, sizeof icc, PL_COLOUR_RGB));
    assert_false(pl_profile_fits(icc, sizeof icc, PL_COLOUR_GREY));
    assert_false(pl_profile_fits(icc, sizeof icc, PL_COLOUR_CMYK));
    assert_false(pl_profile_fits(icc, sizeof icc - 1, PL_COLOUR_RGB));
    for (size_t size = 0; size < 132; size++)
        assert_false(pl_profile_fits(icc, size, PL_COLOUR_RGB));
    static const size_t vital[] = { 8, 12, 16, 20, 36 };
    for (size_t i = 0; i < PL_COUNT_OF(vital); i++) {
        profile_make(icc, sizeof icc);
        icc[vital[i]] ^= 0x41;
        assert_false(pl_profile_fits(icc, sizeof icc, PL_COLOUR_RGB));
    }
    profile_make(icc, sizeof icc);
    icc[143] = 13; /* the tag reaches past the end */
    assert_false(pl_profile_fits(icc, sizeof icc, PL_COLOUR_RGB));
    profile_make(icc, sizeof icc);
    icc[128] = 0xff; /* more tags than fit */
    assert_false(pl_profile_fits(icc, sizeof icc, PL_COLOUR_RGB));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits__claims_of_a_header__are_held_to_the_numbers),
        cmocka_unit_test(page__bands__follow_each_other_in_the_data),
        cmocka_unit_test(page__notes__are_joined_and_cut),
        cmocka_unit_test(profile__header__decides_whether_it_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
