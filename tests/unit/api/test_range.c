/* test_range: which bytes a request wants, and whether a condition lets it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/range.h"

#include "tests/support/pl_test.h"

static void expect(const char *field, uint64_t size, enum pl_range_answer answer, uint64_t first,
                   uint64_t length)
{
    uint64_t got_first = 99;
    uint64_t got_length = 99;
    assert_int_equal(pl_range_parse(pl_span_from(field), size, &got_first, &got_length), answer);
    if (answer != PL_RANGE_UNSATISFIABLE) {
        assert_int_equal(got_first, first);
        assert_int_equal(got_length, length);
    }
}

static void range__one_well_formed__is_a_part(void **state)
{
    (void)state;
    expect("bytes=0-0", 10, PL_RANGE_PART, 0, 1);
    expect("bytes=2-5", 10, PL_RANGE_PART, 2, 4);
    expect("bytes=2-", 10, PL_RANGE_PART, 2, 8);
    expect("bytes=9-100", 10, PL_RANGE_PART, 9, 1);
    expect("bytes=-3", 10, PL_RANGE_PART, 7, 3);
    expect("bytes=-30", 10, PL_RANGE_PART, 0, 10);
    expect("Bytes=0-18446744073709551615", 10, PL_RANGE_PART, 0, 10);
}

static void range__beyond_the_end__cannot_be_satisfied(void **state)
{
    (void)state;
    expect("bytes=10-", 10, PL_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=-0", 10, PL_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=0-", 0, PL_RANGE_UNSATISFIABLE, 0, 0);
    expect("bytes=-1", 0, PL_RANGE_UNSATISFIABLE, 0, 0);
}

static void range__anything_else__is_ignored(void **state)
{
    static const char *const fields[] = {
        "",           "bytes",
        "bytes=",     "bytes=-",
        "pages=1-2",  "bytes=5-2",
        "bytes=a-b",  "bytes=0-1,3-4",
        "bytes=+1-2", "bytes=0x1-2",
        "bytes=1",    "bytes=1--2",
        "bytes= 1 2", "bytes=18446744073709551616-",
    };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(fields); i++)
        expect(fields[i], 10, PL_RANGE_WHOLE, 0, 10);
}

static void range__if_range__needs_the_very_tag(void **state)
{
    (void)state;
    assert_true(pl_range_may((struct pl_span){ NULL, 0 }, "\"abc\""));
    assert_true(pl_range_may(pl_span_from("\"abc\""), "\"abc\""));
    assert_false(pl_range_may(pl_span_from("W/\"abc\""), "\"abc\""));
    assert_false(pl_range_may(pl_span_from("\"abd\""), "\"abc\""));
    assert_false(pl_range_may(pl_span_from("Sun, 22 Nov 2026 10:48:00 GMT"), "\"abc\""));
}

static void range__if_none_match__finds_the_tag_in_a_list(void **state)
{
    (void)state;
    assert_false(pl_range_is_known((struct pl_span){ NULL, 0 }, "\"abc\""));
    assert_true(pl_range_is_known(pl_span_from("*"), "\"abc\""));
    assert_true(pl_range_is_known(pl_span_from("\"x\" , W/\"abc\""), "\"abc\""));
    assert_false(pl_range_is_known(pl_span_from("\"x\",,\"ab\""), "\"abc\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range__one_well_formed__is_a_part),
        cmocka_unit_test(range__beyond_the_end__cannot_be_satisfied),
        cmocka_unit_test(range__anything_else__is_ignored),
        cmocka_unit_test(range__if_range__needs_the_very_tag),
        cmocka_unit_test(range__if_none_match__finds_the_tag_in_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
