/* test_bytes: growth up to the ceiling and not past it; a cursor that never leaves its bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/bytes.h"

#include <string.h>

static void bytes__appended_in_pieces__stand_in_order(void **state)
{
    (void)state;
    struct pl_bytes bytes;
    pl_bytes_init(&bytes, 1 << 20);
    for (size_t i = 0; i < 100000; i++) {
        uint8_t value = (uint8_t)(i * 7);
        assert_int_equal(pl_bytes_append(&bytes, &value, 1), PL_OK);
    }
    assert_int_equal(bytes.size, 100000);
    for (size_t i = 0; i < 100000; i += 997)
        assert_int_equal(bytes.data[i], (uint8_t)(i * 7));
    assert_int_equal(pl_bytes_append(&bytes, NULL, 0), PL_OK);
    pl_bytes_clear(&bytes);
    assert_int_equal(bytes.size, 0);
    pl_bytes_fini(&bytes);
    assert_null(bytes.data);
    assert_int_equal(bytes.limit, 1 << 20);
}

static void bytes__at_the_limit__take_all_of_it_and_no_more(void **state)
{
    (void)state;
    const size_t limits[] = { 1, 10, 255, 256, 257, 1000 };
    for (size_t i = 0; i < PL_COUNT_OF(limits); i++) {
        struct pl_bytes bytes;
        pl_bytes_init(&bytes, limits[i]);
        for (size_t n = 0; n < limits[i]; n++)
            assert_int_equal(pl_bytes_append(&bytes, "x", 1), PL_OK);
        assert_int_equal(pl_bytes_append(&bytes, "y", 1), PL_TOO_LARGE);
        assert_int_equal(bytes.size, limits[i]);
        assert_true(bytes.capacity <= limits[i] + 257);
        pl_bytes_fini(&bytes);
    }
}

static void bytes__size_that_overflows__is_refused(void **state)
{
    (void)state;
    struct pl_bytes bytes;
    uint8_t *room = NULL;
    pl_bytes_init(&bytes, SIZE_MAX);
    assert_int_equal(pl_bytes_append(&bytes, "abc", 3), PL_OK);
    assert_int_equal(pl_bytes_reserve(&bytes, SIZE_MAX, &room), PL_TOO_LARGE);
    assert_int_equal(pl_bytes_reserve(&bytes, SIZE_MAX - 3, &room), PL_TOO_LARGE);
    assert_null(room);
    assert_int_equal(bytes.size, 3);
    assert_memory_equal(bytes.data, "abc", 3);
    pl_bytes_fini(&bytes);
}

static void reserve__nothing_of_an_empty_buffer__gives_a_pointer(void **state)
{
    (void)state;
    struct pl_bytes bytes;
    uint8_t *room = NULL;
    pl_bytes_init(&bytes, 0);
    assert_int_equal(pl_bytes_reserve(&bytes, 0, &room), PL_OK);
    assert_non_null(room);
    pl_bytes_fini(&bytes);
}

static void format__text_that_just_fits__is_taken(void **state)
{
    (void)state;
    struct pl_bytes bytes;
    pl_bytes_init(&bytes, 10);
    assert_int_equal(pl_bytes_format(&bytes, "%s", "12345"), PL_OK);
    assert_int_equal(pl_bytes_format(&bytes, "%d", 67890), PL_OK);
    assert_int_equal(bytes.size, 10);
    assert_memory_equal(bytes.data, "1234567890", 10);
    assert_int_equal(pl_bytes_format(&bytes, "%s", ""), PL_OK);
    assert_int_equal(pl_bytes_format(&bytes, "%d", 1), PL_TOO_LARGE);
    assert_int_equal(bytes.size, 10);
    pl_bytes_fini(&bytes);
}

static void shift__part_or_all__keeps_the_rest_in_front(void **state)
{
    (void)state;
    struct pl_bytes bytes;
    pl_bytes_init(&bytes, 100);
    pl_bytes_shift(&bytes, 0);
    assert_int_equal(pl_bytes_append(&bytes, "abcdef", 6), PL_OK);
    pl_bytes_shift(&bytes, 2);
    assert_int_equal(bytes.size, 4);
    assert_memory_equal(bytes.data, "cdef", 4);
    pl_bytes_shift(&bytes, 4);
    assert_int_equal(bytes.size, 0);
    pl_bytes_fini(&bytes);
}

static void cursor__numbers__are_big_endian(void **state)
{
    (void)state;
    const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 0xF8, 9, 10, 11, 12, 13, 14, 15 };
    struct pl_cursor cursor = { data, sizeof data, 0 };
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    assert_true(pl_cursor_u8(&cursor, &u8));
    assert_int_equal(u8, 1);
    assert_true(pl_cursor_u16be(&cursor, &u16));
    assert_int_equal(u16, 0x0203);
    assert_true(pl_cursor_u32be(&cursor, &u32));
    assert_int_equal(u32, 0x04050607);
    assert_true(pl_cursor_u64be(&cursor, &u64));
    assert_true(u64 == 0xF8090A0B0C0D0E0Fu);
    assert_int_equal(cursor.at, sizeof data);
}

static void cursor__past_the_end__moves_and_writes_nothing(void **state)
{
    (void)state;
    const uint8_t data[7] = { 1, 2, 3, 4, 5, 6, 7 };
    struct pl_cursor cursor = { data, sizeof data, 0 };
    uint64_t u64 = 77;
    uint32_t u32 = 77;
    uint16_t u16 = 77;
    uint8_t u8 = 77;
    const uint8_t *at = NULL;
    assert_false(pl_cursor_u64be(&cursor, &u64));
    assert_int_equal(cursor.at, 0);
    assert_false(pl_cursor_take(&cursor, SIZE_MAX, &at));
    assert_false(pl_cursor_take(&cursor, 8, &at));
    assert_null(at);
    assert_true(pl_cursor_take(&cursor, 7, &at));
    assert_ptr_equal(at, data);
    assert_true(pl_cursor_take(&cursor, 0, &at));
    assert_ptr_equal(at, data + 7);
    assert_false(pl_cursor_u32be(&cursor, &u32));
    assert_false(pl_cursor_u16be(&cursor, &u16));
    assert_false(pl_cursor_u8(&cursor, &u8));
    assert_int_equal(u64 + u32 + u16 + u8, 4 * 77);
    cursor = (struct pl_cursor){ NULL, 0, 0 };
    assert_true(pl_cursor_take(&cursor, 0, &at));
    assert_false(pl_cursor_u8(&cursor, &u8));
}

static void put__numbers__read_back(void **state)
{
    (void)state;
    uint8_t data[14];
    struct pl_cursor cursor = { data, sizeof data, 0 };
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    pl_put_u16be(data, 0xFEDC);
    pl_put_u32be(data + 2, 0xFEDCBA98u);
    pl_put_u64be(data + 6, 0xFEDCBA9876543210u);
    assert_true(pl_cursor_u16be(&cursor, &u16) && pl_cursor_u32be(&cursor, &u32) &&
                pl_cursor_u64be(&cursor, &u64));
    assert_int_equal(u16, 0xFEDC);
    assert_true(u32 == 0xFEDCBA98u && u64 == 0xFEDCBA9876543210u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes__appended_in_pieces__stand_in_order),
        cmocka_unit_test(bytes__at_the_limit__take_all_of_it_and_no_more),
        cmocka_unit_test(bytes__size_that_overflows__is_refused),
        cmocka_unit_test(reserve__nothing_of_an_empty_buffer__gives_a_pointer),
        cmocka_unit_test(format__text_that_just_fits__is_taken),
        cmocka_unit_test(shift__part_or_all__keeps_the_rest_in_front),
        cmocka_unit_test(cursor__numbers__are_big_endian),
        cmocka_unit_test(cursor__past_the_end__moves_and_writes_nothing),
        cmocka_unit_test(put__numbers__read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
