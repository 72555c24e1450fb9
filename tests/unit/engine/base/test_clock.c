/* test_clock: the fake moves by hand, the real runs, and both are written as RFC 3339.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/clock.h"

#include <time.h>

static void clock__fake__moves_only_by_hand(void **state)
{
    (void)state;
    struct pl_clock clock = { .fake = true, .wall_ms = 1000, .monotonic_ms = 5 };
    pl_clock_advance(&clock, 20);
    pl_clock_advance(&clock, 0);
    assert_int_equal(pl_clock_wall_ms(&clock), 1020);
    assert_int_equal(pl_clock_monotonic_ms(&clock), 25);
}

static void clock__system__agrees_with_the_machine(void **state)
{
    (void)state;
    struct pl_clock clock = PL_CLOCK_SYSTEM;
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t wall = pl_clock_wall_ms(&clock);
    assert_true(wall >= before - 1000 && wall < before + 60000);
    int64_t first = pl_clock_monotonic_ms(&clock);
    assert_true(pl_clock_monotonic_ms(&clock) >= first);
}

static void text__known_moments__are_rfc_3339(void **state)
{
    (void)state;
    const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 1, "1970-01-01T00:00:00.001Z" },
        { 951826553999, "2000-02-29T12:15:53.999Z" },
        { 1795344480123, "2026-11-22T10:48:00.123Z" },
        { 4102444800000, "2100-01-01T00:00:00.000Z" },
        { 253402300799999, "9999-12-31T23:59:59.999Z" },
        { 253402300800000, "9999-12-31T23:59:59.999Z" },
        { INT64_MAX, "9999-12-31T23:59:59.999Z" },
        { -1, "1970-01-01T00:00:00.000Z" },
        { INT64_MIN, "1970-01-01T00:00:00.000Z" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        char out[PL_CLOCK_TEXT_CHARS];
        assert_ptr_equal(pl_clock_text(cases[i].ms, out), out);
        assert_string_equal(out, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock__fake__moves_only_by_hand),
        cmocka_unit_test(clock__system__agrees_with_the_machine),
        cmocka_unit_test(text__known_moments__are_rfc_3339),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
