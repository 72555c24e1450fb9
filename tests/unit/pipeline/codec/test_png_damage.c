/* test_png_damage: PNG files that are not what they should be, made by hand, and what is said of
 * them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/png_hand.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>

#include "tests/support/pl_test.h"

static void refused(const struct pl_bytes *file, pl_status status, const char *words)
{
    struct walk_verdict verdict;
    walk_bytes(file->data, file->size, NULL, NULL, &verdict);
    if (strstr(verdict.fault.reason, words) == NULL)
        (void)printf("%s\n", verdict.fault.reason);
    assert_int_equal(verdict.status, status);
    assert_non_null(strstr(verdict.fault.reason, words));
}

static void png_in__critical_chunks_out_of_order__are_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    put_begin(&file, 8, 8, 8, 3);
    put_pixels(&file, 8 * 9, 0);
    refused(&file, PL_BAD_DOCUMENT, "it has no palette");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 8, 0);
    put_chunk(&file, "PLTE", "\1\2\3", 3);
    refused(&file, PL_BAD_DOCUMENT, "a palette stands where none may be");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 1, 3);
    put_chunk(&file, "PLTE", "\1\2\3\1\2\3\1\2", 8);
    refused(&file, PL_BAD_DOCUMENT, "its palette has 8 bytes");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 8, 3);
    put_chunk(&file, "tRNS", "\1", 1);
    refused(&file, PL_BAD_DOCUMENT, "does not belong there");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 8, 0);
    put_pixels(&file, 8 * 9, 0);
    put_chunk(&file, "tEXt", "a\0b", 3);
    put_pixels(&file, 8 * 9, 0);
    refused(&file, PL_BAD_DOCUMENT, "other chunks stand between");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 8, 0);
    put_chunk(&file, "IEND", "", 0);
    refused(&file, PL_BAD_DOCUMENT, "it ends before its pixels");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 8, 0);
    put_chunk(&file, "IHDR", "0123456789012", 13);
    refused(&file, PL_BAD_DOCUMENT, "two headers");
    pl_bytes_fini(&file);
    put_begin(&file, 8, 8, 8, 0);
    put_chunk(&file, "CgBI", "0123", 4);
    refused(&file, PL_UNSUPPORTED, "a chunk CgBI that must be understood");
    pl_bytes_fini(&file);
}

static void png_in__header_that_cannot_be__is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t width, height;
        unsigned bits, type;
        pl_status status;
        const char *words;
    } rows[] = {
        { 8, 8, 3, 0, PL_BAD_DOCUMENT, "colour type 0 of 3 bits" },
        { 8, 8, 16, 3, PL_BAD_DOCUMENT, "colour type 3 of 16 bits" },
        { 8, 8, 8, 5, PL_BAD_DOCUMENT, "colour type 5" },
        { 0, 8, 8, 0, PL_BAD_DOCUMENT, "there is nothing to show" },
        { 100000, 8, 8, 0, PL_TOO_LARGE, "at most 65500 a side" },
        { 60000, 60000, 8, 2, PL_TOO_LARGE, "million" },
        { 12000, 12000, 8, 0, PL_TOO_LARGE, "at most 1000 : 1" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct pl_bytes file;
        put_begin(&file, rows[i].width, rows[i].height, rows[i].bits, rows[i].type);
        refused(&file, rows[i].status, rows[i].words);
        pl_bytes_fini(&file);
    }
}

static void png_in__pixels_that_do_not_fill_the_picture__are_refused(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= 4; type += 4) { /* carried, decoded */
        size_t row = type == 0 ? 9 : 17;
        struct pl_bytes file;
        put_begin(&file, 8, 8, 8, type);
        put_pixels(&file, 8 * row - 1, 0);
        put_chunk(&file, "IEND", "", 0);
        refused(&file, PL_BAD_DOCUMENT, "row 8 of 8 and what should follow are missing");
        pl_bytes_fini(&file);
        put_begin(&file, 8, 8, 8, type);
        put_pixels(&file, 8 * row + 1, 0);
        put_chunk(&file, "IEND", "", 0);
        refused(&file, PL_BAD_DOCUMENT, "more pixels follow the last of 8 rows");
        pl_bytes_fini(&file);
        put_begin(&file, 8, 8, 8, type);
        put_pixels(&file, 8 * row, 5);
        put_chunk(&file, "IEND", "", 0);
        refused(&file, PL_BAD_DOCUMENT, "row 1 of 8 has a filter that does not exist");
        pl_bytes_fini(&file);
        put_begin(&file, 8, 8, 8, type);
        put_chunk(&file, "IDAT", "\x78\x9c\xff\xff\xff", 5);
        put_chunk(&file, "IEND", "", 0);
        refused(&file, PL_BAD_DOCUMENT, "row 1 of 8 cannot be decompressed");
        pl_bytes_fini(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_in__critical_chunks_out_of_order__are_refused),
        cmocka_unit_test(png_in__header_that_cannot_be__is_refused),
        cmocka_unit_test(png_in__pixels_that_do_not_fill_the_picture__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
