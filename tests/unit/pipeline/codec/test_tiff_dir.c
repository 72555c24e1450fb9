/* test_tiff_dir: directories in both byte orders and both sizes, and what is wrong with them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_dir.h"

#include <string.h>

#include "tests/support/pl_test.h"

#define BYTES(text) text, sizeof(text) - 1

static pl_status read(const void *data, size_t size, struct pl_tiff_head *head,
                      struct pl_tiff_dir *dir)
{
    struct pl_source *source = NULL;
    assert_int_equal(pl_source_memory_new(data, size, &source), PL_OK);
    pl_status status = pl_tiff_head_read(source, head);
    if (status == PL_OK)
        status = pl_tiff_dir_read(source, head, head->first, dir);
    source->ops->free(source);
    return status;
}

static void tiff_dir__both_byte_orders_and_sizes__read_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } files[] = {
        { BYTES(
            "II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x34\x12\0\0\1\1\4\0\1\0\0\0\x78\0\0\0\0\0\0\0") },
        { BYTES(
            "MM\0*\0\0\0\x08\0\2\1\0\0\3\0\0\0\1\x12\x34\0\0\1\1\0\4\0\0\0\1\0\0\0\x78\0\0\0\0") },
        { BYTES("II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
                "\0\1\3\0\1\0\0\0\0\0\0\0\x34\x12\0\0\0\0\0\0"
                "\1\1\x10\0\1\0\0\0\0\0\0\0\x78\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
        { BYTES("MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\2"
                "\1\0\0\3\0\0\0\0\0\0\0\1\x12\x34\0\0\0\0\0\0"
                "\1\1\0\x10\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x78\0\0\0\0\0\0\0\0") },
    };
    for (size_t i = 0; i < PL_COUNT_OF(files); i++) {
        struct pl_tiff_head head;
        struct pl_tiff_dir dir;
        assert_int_equal(read(files[i].bytes, files[i].size, &head, &dir), PL_OK);
        assert_int_equal(head.big_endian, i % 2);
        assert_int_equal(head.big, i / 2);
        assert_int_equal(dir.width_px, 0x1234);
        assert_int_equal(dir.height_px, 0x78);
        assert_int_equal(dir.next, 0);
        assert_int_equal(dir.bits, 1); /* defaults of TIFF 6.0 */
        assert_int_equal(dir.fill_order, 1);
        assert_int_equal(pl_tiff_dir_pieces(&dir), 1);
    }
}

static void tiff_dir__cut_anywhere__never_reads_outside(void **state)
{
    (void)state;
    static const char file[] =
        "II*\0\x08\0\0\0\1\0\0\1\3\0\1\0\0\0\x34\x12\0\0\0\0\0\0"; /* and a NUL */
    struct pl_tiff_head head;
    struct pl_tiff_dir dir;
    for (size_t size = 0; size < 22; size++)
        assert_int_equal(read(file, size, &head, &dir), PL_BAD_DOCUMENT);
    assert_int_equal(read(file, 22, &head, &dir), PL_OK); /* only the next one is missing */
    assert_true(dir.cut);
    assert_int_equal(read(file, 26, &head, &dir), PL_OK);
    assert_false(dir.cut);
}

static void tiff_dir__no_entries_or_too_many__is_refused(void **state)
{
    (void)state;
    struct pl_tiff_head head;
    struct pl_tiff_dir dir;
    assert_int_equal(read(BYTES("II*\0\x08\0\0\0\0\0\0\0\0\0"), &head, &dir), PL_BAD_DOCUMENT);
    assert_int_equal(read(BYTES("II*\0\x08\0\0\0\1\x10\0\0\0\0"), &head, &dir), PL_BAD_DOCUMENT);
    assert_int_equal(read(BYTES("II*\0\xff\xff\xff\xff\0\0"), &head, &dir), PL_BAD_DOCUMENT);
    assert_int_equal(read(BYTES("IM*\0\x08\0\0\0\0\0"), &head, &dir), PL_BAD_DOCUMENT);
    assert_int_equal(read(BYTES("II,\0\x08\0\0\0\0\0"), &head, &dir), PL_BAD_DOCUMENT);
}

static void tiff_dir__senseless_tags__count_as_absent(void **state)
{
    (void)state;
    /* Width as ASCII; height twice, the first counts; offsets that lie outside. */
    static const char file[] = "II*\0\x08\0\0\0\4\0"
                               "\0\1\2\0\1\0\0\0\x34\x12\0\0"
                               "\1\1\3\0\1\0\0\0\x07\0\0\0"
                               "\1\1\3\0\1\0\0\0\x09\0\0\0"
                               "\x11\1\4\0\xff\xff\xff\xff\x09\0\0\0"
                               "\0\0\0\0";
    struct pl_tiff_head head;
    struct pl_tiff_dir dir;
    assert_int_equal(read(file, sizeof file - 1, &head, &dir), PL_OK);
    assert_int_equal(dir.width_px, 0);
    assert_int_equal(dir.height_px, 7);
    assert_int_equal(dir.offsets.count, 0);
}

static void tiff_dir__values__are_read_inside_and_outside_the_entry(void **state)
{
    (void)state;
    static const char file[] = "II*\0\x08\0\0\0\2\0"
                               "\x11\1\4\0\3\0\0\0\x26\0\0\0" /* 3 LONG at 38 */
                               "\x17\1\3\0\2\0\0\0\x0a\0\x0b\0"
                               "\0\0\0\0"
                               "\1\0\0\0\2\0\0\0\xff\xff\xff\xff";
    struct pl_tiff_head head;
    struct pl_tiff_dir dir;
    struct pl_source *source = NULL;
    uint64_t out[3] = { 0 };
    assert_int_equal(read(file, sizeof file - 1, &head, &dir), PL_OK);
    assert_int_equal(pl_source_memory_new(file, sizeof file - 1, &source), PL_OK);
    assert_int_equal(pl_tiff_values_read(source, &head, &dir.offsets, 0, 3, out), PL_OK);
    assert_true(out[0] == 1 && out[1] == 2 && out[2] == 0xffffffff);
    assert_int_equal(pl_tiff_values_read(source, &head, &dir.sizes, 1, 1, out), PL_OK);
    assert_int_equal(out[0], 11);
    assert_int_equal(pl_tiff_values_read(source, &head, &dir.sizes, 1, 2, out), PL_BAD_DOCUMENT);
    assert_int_equal(pl_tiff_values_read(source, &head, &dir.icc, 0, 1, out), PL_BAD_DOCUMENT);
    source->ops->free(source);
}

static void tiff_dir__pieces__are_counted_without_wrapping(void **state)
{
    (void)state;
    struct pl_tiff_dir dir = {
        .width_px = 100, .height_px = 95, .rows_per_strip = 10, .samples = 3, .planar = 1
    };
    assert_int_equal(pl_tiff_dir_pieces(&dir), 10);
    dir.planar = 2;
    assert_int_equal(pl_tiff_dir_pieces(&dir), 30);
    dir.rows_per_strip = 0;
    assert_int_equal(pl_tiff_dir_pieces(&dir), 0);
    dir.tile_width_px = dir.tile_height_px = 16;
    assert_int_equal(pl_tiff_dir_pieces(&dir), 7 * 6 * 3);
    dir.width_px = dir.height_px = UINT32_MAX;
    dir.tile_width_px = dir.tile_height_px = 1;
    assert_int_equal(pl_tiff_dir_pieces(&dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_dir__both_byte_orders_and_sizes__read_the_same),
        cmocka_unit_test(tiff_dir__cut_anywhere__never_reads_outside),
        cmocka_unit_test(tiff_dir__no_entries_or_too_many__is_refused),
        cmocka_unit_test(tiff_dir__senseless_tags__count_as_absent),
        cmocka_unit_test(tiff_dir__values__are_read_inside_and_outside_the_entry),
        cmocka_unit_test(tiff_dir__pieces__are_counted_without_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
