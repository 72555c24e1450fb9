/* test_arena: memory that is zeroed, aligned, apart, and limited.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/arena.h"

#include <string.h>

static void arena__pieces_of_many_sizes__are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct pl_arena arena;
    unsigned char *pieces[300];
    pl_arena_init(&arena, (size_t)1 << 24);
    for (size_t i = 0; i < PL_COUNT_OF(pieces); i++) {
        size_t size = i * i % 9000 + 1;
        pieces[i] = pl_arena_take(&arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(pieces[i][at], 0);
        memset(pieces[i], (int)(i % 255) + 1, size);
    }
    for (size_t i = 0; i < PL_COUNT_OF(pieces); i++)
        for (size_t at = 0; at < i * i % 9000 + 1; at++)
            assert_int_equal(pieces[i][at], i % 255 + 1);
    pl_arena_fini(&arena);
}

static void arena__at_its_limit__gives_no_more_until_emptied(void **state)
{
    (void)state;
    struct pl_arena arena;
    pl_arena_init(&arena, 256);
    assert_non_null(pl_arena_take(&arena, 240));
    assert_null(pl_arena_take(&arena, 17));
    assert_non_null(pl_arena_take(&arena, 16));
    assert_null(pl_arena_take(&arena, 1));
    assert_non_null(pl_arena_take(&arena, 0));
    pl_arena_fini(&arena);
    assert_non_null(pl_arena_take(&arena, 256));
    pl_arena_fini(&arena);
}

static void arena__sizes_that_overflow__are_refused(void **state)
{
    (void)state;
    struct pl_arena arena;
    pl_arena_init(&arena, SIZE_MAX);
    assert_null(pl_arena_take(&arena, SIZE_MAX));
    assert_null(pl_arena_take(&arena, SIZE_MAX - 15));
    assert_null(pl_arena_text(&arena, (struct pl_span){ "x", SIZE_MAX }));
    pl_arena_fini(&arena);
}

static void arena__released_to_a_mark__keeps_what_came_before(void **state)
{
    struct pl_arena arena;
    (void)state;
    pl_arena_init(&arena, 1 << 20);
    char *kept = pl_arena_take(&arena, 100);
    assert_non_null(kept);
    memset(kept, 'k', 100);
    size_t mark = pl_arena_mark(&arena);
    for (size_t size = 1; size < 20000; size = size * 2 + 3) {
        void *later = pl_arena_take(&arena, size);
        assert_non_null(later);
        memset(later, 'l', size);
    }
    pl_arena_release(&arena, mark);
    assert_int_equal(arena.used, mark);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(kept[i], 'k');
    const char *again = pl_arena_take(&arena, 3000);
    assert_non_null(again);
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(again[i], 0);
    pl_arena_release(&arena, 0);
    assert_int_equal(arena.used, 0);
    assert_null(arena.blocks);
    pl_arena_fini(&arena);
}

static void text__copied__is_terminated(void **state)
{
    (void)state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    assert_string_equal(pl_arena_text(&arena, (struct pl_span){ "abcdef", 3 }), "abc");
    assert_string_equal(pl_arena_text(&arena, (struct pl_span){ NULL, 0 }), "");
    pl_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena__pieces_of_many_sizes__are_zeroed_aligned_and_apart),
        cmocka_unit_test(arena__at_its_limit__gives_no_more_until_emptied),
        cmocka_unit_test(arena__sizes_that_overflow__are_refused),
        cmocka_unit_test(arena__released_to_a_mark__keeps_what_came_before),
        cmocka_unit_test(text__copied__is_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
