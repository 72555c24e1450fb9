/* test_ids: names that sort by time, that nobody can guess, and that read back.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/ids.h"

#include <string.h>

static void id__made__has_26_digits_that_parse(void **state)
{
    (void)state;
    struct pl_id_maker maker = { 0 };
    struct pl_id id;
    struct pl_id parsed;
    assert_int_equal(pl_id_make(&maker, 1795344000000, &id), PL_OK);
    assert_int_equal(strspn(id.text, "0123456789abcdefghjkmnpqrstvwxyz"), PL_ID_CHARS);
    assert_true(pl_id_parse(pl_span_from(id.text), &parsed));
    assert_true(pl_id_equals(&id, &parsed));
    assert_false(pl_id_is_none(&id));
    assert_true(pl_id_is_none(&(struct pl_id){ .text = "" }));
}

static void id__known_time__begins_with_its_ulid_digits(void **state)
{
    (void)state;
    struct pl_id_maker maker = { 0 };
    struct pl_id id;
    /* The ULID specification's example: 1469918176385 ms is 01ARYZ6S41. */
    assert_int_equal(pl_id_make(&maker, 1469918176385, &id), PL_OK);
    assert_memory_equal(id.text, "01aryz6s41", 10);
}

static void id__same_millisecond__sorts_later_and_is_no_neighbour(void **state)
{
    (void)state;
    struct pl_id_maker maker = { 0 };
    struct pl_id before;
    struct pl_id id;
    assert_int_equal(pl_id_make(&maker, 5000, &before), PL_OK);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(pl_id_make(&maker, 5000, &id), PL_OK);
        assert_true(strcmp(before.text, id.text) < 0);
        assert_memory_equal(before.text, id.text, 10);
        /* 56 random bits a step: the upper 36 of them stay as they were once in 2^36. */
        assert_memory_not_equal(before.text + 14, id.text + 14, 8);
        before = id;
    }
}

static void id__clock_runs_backwards__still_sorts_later(void **state)
{
    (void)state;
    struct pl_id_maker maker = { 0 };
    struct pl_id before;
    struct pl_id id;
    assert_int_equal(pl_id_make(&maker, 9000, &before), PL_OK);
    const int64_t times[] = { 8999, 0, -5, 9000, 9001, INT64_MIN };
    for (size_t i = 0; i < PL_COUNT_OF(times); i++) {
        assert_int_equal(pl_id_make(&maker, times[i], &id), PL_OK);
        assert_true(strcmp(before.text, id.text) < 0);
        before = id;
    }
}

static void id__random_part_used_up__borrows_the_next_millisecond(void **state)
{
    (void)state;
    struct pl_id_maker maker = { 0 };
    struct pl_id before;
    struct pl_id id;
    assert_int_equal(pl_id_make(&maker, 9000, &before), PL_OK);
    memset(maker.random, 0xFF, sizeof maker.random);
    assert_int_equal(pl_id_make(&maker, 9000, &id), PL_OK);
    assert_true(strcmp(before.text, id.text) < 0);
    assert_int_equal(maker.last_ms, 9001);
}

static void id__clock_at_or_before_the_epoch__is_random_all_the_same(void **state)
{
    (void)state;
    struct pl_id_maker first = { 0 };
    struct pl_id_maker second = { 0 };
    struct pl_id a;
    struct pl_id b;
    assert_int_equal(pl_id_make(&first, 0, &a), PL_OK);
    assert_int_equal(pl_id_make(&second, -1, &b), PL_OK);
    assert_false(pl_id_equals(&a, &b));
    assert_memory_equal(a.text, "0000000000", 10);
}

static void parse__what_make_cannot_write__is_refused(void **state)
{
    (void)state;
    struct pl_id id = { .text = "before" };
    const char *const bad[] = { "",
                                "01aryz6s41tsv4rrffq69g5fa",
                                "01aryz6s41tsv4rrffq69g5favx",
                                "81aryz6s41tsv4rrffq69g5fav",
                                "01ARYZ6S41TSV4RRFFQ69G5FAV",
                                "01aryz6s41tsv4rrffq69g5fai",
                                "01aryz6s41tsv4rrffq69g5fal",
                                "01aryz6s41tsv4rrffq69g5fao",
                                "01aryz6s41tsv4rrffq69g5fau",
                                "01aryz6s41tsv4rrffq69g5fa ",
                                "/1aryz6s41tsv4rrffq69g5fav" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++)
        assert_false(pl_id_parse(pl_span_from(bad[i]), &id));
    assert_false(pl_id_parse((struct pl_span){ "01aryz6s41tsv4rrffq69g5f\0v", 26 }, &id));
    assert_string_equal(id.text, "before");
    assert_true(pl_id_parse(pl_span_from("7zzzzzzzzzzzzzzzzzzzzzzzzz"), &id));
}

static void random__two_draws__differ(void **state)
{
    (void)state;
    uint8_t a[300] = { 0 };
    uint8_t b[300] = { 0 };
    assert_int_equal(pl_random_bytes(a, sizeof a), PL_OK);
    assert_int_equal(pl_random_bytes(b, sizeof b), PL_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 268, (uint8_t[32]){ 0 }, 32);
    assert_int_equal(pl_random_bytes(a, 0), PL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id__made__has_26_digits_that_parse),
        cmocka_unit_test(id__known_time__begins_with_its_ulid_digits),
        cmocka_unit_test(id__same_millisecond__sorts_later_and_is_no_neighbour),
        cmocka_unit_test(id__clock_runs_backwards__still_sorts_later),
        cmocka_unit_test(id__random_part_used_up__borrows_the_next_millisecond),
        cmocka_unit_test(id__clock_at_or_before_the_epoch__is_random_all_the_same),
        cmocka_unit_test(parse__what_make_cannot_write__is_refused),
        cmocka_unit_test(random__two_draws__differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
