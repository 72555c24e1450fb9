/* test_text: bounded strings at their bounds, and parsers that refuse what is nearly right.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/text.h"

#include <string.h>

static const struct pl_span no_span = { NULL, 0 };

static void span__compared__whole_and_by_case(void **state)
{
    (void)state;
    assert_true(pl_span_equals(pl_span_from("abc"), "abc"));
    assert_false(pl_span_equals(pl_span_from("abc"), "abcd"));
    assert_false(pl_span_equals((struct pl_span){ "a\0c", 3 }, "a"));
    assert_true(pl_span_equals(no_span, ""));
    assert_false(pl_span_equals(no_span, "a"));
    assert_true(pl_span_equals_nocase(pl_span_from("Content-LENGTH"), "content-length"));
    assert_false(pl_span_equals_nocase(pl_span_from("content-lengt@"), "content-length"));
    assert_false(pl_span_equals_nocase((struct pl_span){ "a\0c", 3 }, "abc"));
    assert_true(pl_span_equals_nocase(no_span, ""));
}

static void span__trimmed__loses_spaces_and_tabs_only(void **state)
{
    (void)state;
    assert_true(pl_span_equals(pl_span_trim(pl_span_from(" \t a b\t ")), "a b"));
    assert_true(pl_span_equals(pl_span_trim(pl_span_from("\r\na\v")), "\r\na\v"));
    assert_int_equal(pl_span_trim(pl_span_from(" \t ")).size, 0);
    assert_int_equal(pl_span_trim(no_span).size, 0);
}

static void format__at_its_room__fits_or_is_cut_and_terminated(void **state)
{
    (void)state;
    char out[4];
    assert_true(pl_text_format(out, sizeof out, "%d", 123));
    assert_string_equal(out, "123");
    assert_false(pl_text_format(out, sizeof out, "%d", 1234));
    assert_string_equal(out, "123");
}

static void copy__too_long_or_with_nul__leaves_empty(void **state)
{
    (void)state;
    char out[4];
    assert_true(pl_text_copy(out, sizeof out, pl_span_from("abc")));
    assert_string_equal(out, "abc");
    assert_false(pl_text_copy(out, sizeof out, pl_span_from("abcd")));
    assert_string_equal(out, "");
    assert_true(pl_text_copy(out, sizeof out, no_span));
    assert_false(pl_text_copy(out, sizeof out, (struct pl_span){ "a\0b", 3 }));
    assert_string_equal(out, "");
    assert_true(pl_text_copy(out, 1, no_span));
    assert_false(pl_text_copy(out, 1, pl_span_from("a")));
}

static void parse_u64__digits_up_to_max__and_nothing_else(void **state)
{
    (void)state;
    uint64_t out = 7;
    const char *const bad[] = { "",
                                " 1",
                                "1 ",
                                "+1",
                                "-1",
                                "1a",
                                "0x1",
                                "1.0",
                                "1,000",
                                "18446744073709551616",
                                "99999999999999999999",
                                "000000000000000000001" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++)
        assert_false(pl_text_parse_u64(pl_span_from(bad[i]), UINT64_MAX, &out));
    assert_false(pl_text_parse_u64(pl_span_from("11"), 10, &out));
    assert_false(pl_text_parse_u64((struct pl_span){ "1\0", 2 }, 10, &out));
    assert_false(pl_text_parse_u64(no_span, 10, &out));
    assert_int_equal(out, 7);
    assert_true(pl_text_parse_u64(pl_span_from("18446744073709551615"), UINT64_MAX, &out));
    assert_true(out == UINT64_MAX);
    assert_true(pl_text_parse_u64(pl_span_from("00000000000000000010"), 10, &out));
    assert_int_equal(out, 10);
}

static void hex__there_and_back__is_the_same(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t back[256];
    char text[513];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_ptr_equal(pl_text_hex(bytes, sizeof bytes, text), text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_memory_equal(text + 506, "fdfeff", 6);
    assert_true(pl_text_unhex(pl_span_from(text), back, sizeof back));
    assert_memory_equal(bytes, back, sizeof back);
    assert_true(pl_text_unhex(pl_span_from("aBCd"), back, 2));
    assert_int_equal(back[0], 0xAB);
    assert_string_equal(pl_text_hex(NULL, 0, text), "");
    assert_true(pl_text_unhex(no_span, back, 0));
}

static void unhex__wrong_size_or_digit__is_refused(void **state)
{
    (void)state;
    uint8_t out[4];
    const char *const bad[] = { "",          "0",        "01",       "0102030",
                                "010203045", "0102030g", "01 20304", "0x010203",
                                "/1020304",  ":1020304", "@1020304", "G1020304" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++)
        assert_false(pl_text_unhex(pl_span_from(bad[i]), out, sizeof out));
    assert_false(pl_text_unhex((struct pl_span){ "010203\0004", 8 }, out, sizeof out));
}

static void base64__rfc_4648_examples__both_ways(void **state)
{
    (void)state;
    const char *const pairs[][2] = { { "", "" },
                                     { "f", "Zg==" },
                                     { "fo", "Zm8=" },
                                     { "foo", "Zm9v" },
                                     { "foob", "Zm9vYg==" },
                                     { "fooba", "Zm9vYmE=" },
                                     { "foobar", "Zm9vYmFy" },
                                     { "\xFB\xFF\xBE", "+/++" } };
    for (size_t i = 0; i < PL_COUNT_OF(pairs); i++) {
        char text[PL_BASE64_CHARS(6)];
        uint8_t back[6];
        size_t size = sizeof back;
        assert_string_equal(pl_text_base64(pairs[i][0], strlen(pairs[i][0]), text), pairs[i][1]);
        assert_true(pl_text_unbase64(pl_span_from(pairs[i][1]), back, &size));
        assert_int_equal(size, strlen(pairs[i][0]));
        assert_memory_equal(back, pairs[i][0], size);
    }
}

static void unbase64__not_canonical__is_refused(void **state)
{
    (void)state;
    const char *const bad[] = { "Z",     "Zg",    "Zg=",      "Zg===",    "=",    "====",
                                "Z===",  "=Zg=",  "Zg==Zg==", "Zh==",     "Zm9=", "Zm9v\n",
                                " Zm9v", "Zm 9v", "Zm-_",     "Zm9vZ===", "Zm=v" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++) {
        uint8_t out[16];
        size_t size = sizeof out;
        if (pl_text_unbase64(pl_span_from(bad[i]), out, &size))
            fail_msg("took %s", bad[i]);
        assert_int_equal(size, sizeof out);
    }
    uint8_t out[2];
    size_t size = 2;
    assert_false(pl_text_unbase64((struct pl_span){ "Z\0==", 4 }, out, &size));
    assert_false(pl_text_unbase64(pl_span_from("Zm9v"), out, &size)); /* three bytes into two */
    assert_true(pl_text_unbase64(pl_span_from("Zm8="), out, &size));
}

static size_t encode(uint32_t number, char out[4])
{
    if (number < 0x80) {
        out[0] = (char)number;
        return 1;
    }
    size_t length = number < 0x800 ? 2 : number < 0x10000 ? 3 : 4;
    static const unsigned leads[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = length - 1; i > 0; i--, number >>= 6)
        out[i] = (char)(0x80 | (number & 0x3F));
    out[0] = (char)(leads[length] | number);
    return length;
}

static void utf8__every_code_point__is_well_formed_but_surrogates(void **state)
{
    (void)state;
    char text[4];
    for (uint32_t number = 0; number <= 0x10FFFF; number++) {
        size_t length = encode(number, text);
        bool wanted = number < 0xD800 || number > 0xDFFF;
        if (pl_text_is_utf8((struct pl_span){ text, length }) != wanted)
            fail_msg("U+%04X", number);
        if (length > 1 && pl_text_is_utf8((struct pl_span){ text, length - 1 }))
            fail_msg("U+%04X cut", number);
    }
}

static void utf8__ill_formed__is_refused(void **state)
{
    (void)state;
    const char *const bad[] = { "\x80",
                                "\xBF",
                                "\xC0\x80",
                                "\xC1\xBF",
                                "\xC2",
                                "\xC2\x20",
                                "\xC2\xC2",
                                "\xE0\x9F\xBF",
                                "\xE0\x80\x80",
                                "\xED\xA0\x80",
                                "\xE2\x82",
                                "\xE2\x82\x20",
                                "\xF0\x8F\xBF\xBF",
                                "\xF4\x90\x80\x80",
                                "\xF5\x80\x80\x80",
                                "\xFF",
                                "\xF0\x9F\x96",
                                "ok\xFE" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++)
        assert_false(pl_text_is_utf8(pl_span_from(bad[i])));
    assert_true(pl_text_is_utf8(no_span));
}

static void sanitize__what_cannot_be_shown__is_replaced(void **state)
{
    (void)state;
    const char *const pairs[][2] = {
        { "plain", "plain" },
        { "caf\xC3\xA9 \xF0\x9F\x96\xA8", "caf\xC3\xA9 \xF0\x9F\x96\xA8" },
        { "a\nb\x7F", "a\xEF\xBF\xBD"
                      "b\xEF\xBF\xBD" },
        { "\xC2\x9B"
          "31m",
          "\xEF\xBF\xBD"
          "31m" }, /* CSI of eight-bit terminals */
        { "\xC2\xA0", "\xC2\xA0" },
        { "a\xFFz\xC3", "a\xEF\xBF\xBDz\xEF\xBF\xBD" },
        { "x\xE2\x80\xAE"
          "fdp",
          "x\xEF\xBF\xBD"
          "fdp" }, /* right-to-left override */
        { "\xE2\x80\xA8\xE2\x81\xA9", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA",
          "\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(pairs); i++) {
        char out[64];
        assert_int_equal(pl_text_sanitize(pl_span_from(pairs[i][0]), out, sizeof out),
                         strlen(pairs[i][1]));
        assert_string_equal(out, pairs[i][1]);
    }
    char out[8];
    assert_int_equal(pl_text_sanitize((struct pl_span){ "a\0b", 3 }, out, sizeof out), 5);
    assert_string_equal(out, "a\xEF\xBF\xBD"
                             "b");
}

static void sanitize__no_room__cuts_between_characters(void **state)
{
    (void)state;
    char out[8];
    memset(out, 'x', sizeof out);
    assert_int_equal(pl_text_sanitize(pl_span_from("a\xC3\xA9z"), out, 3), 1);
    assert_string_equal(out, "a");
    assert_int_equal(pl_text_sanitize(pl_span_from("a\xC3\xA9z"), out, 4), 3);
    assert_string_equal(out, "a\xC3\xA9");
    assert_int_equal(pl_text_sanitize(pl_span_from("abc"), out, 1), 0);
    assert_int_equal(pl_text_sanitize(no_span, out, sizeof out), 0);
    assert_string_equal(out, "");
    assert_int_equal(out[5], 'x');
}

static void equal_ct__one_bit_apart__differs(void **state)
{
    (void)state;
    uint8_t a[33] = { 1 };
    uint8_t b[33] = { 1 };
    assert_true(pl_text_equal_ct(a, b, sizeof a));
    for (size_t bit = 0; bit < sizeof b * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(pl_text_equal_ct(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(pl_text_equal_ct(NULL, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(span__compared__whole_and_by_case),
        cmocka_unit_test(span__trimmed__loses_spaces_and_tabs_only),
        cmocka_unit_test(format__at_its_room__fits_or_is_cut_and_terminated),
        cmocka_unit_test(copy__too_long_or_with_nul__leaves_empty),
        cmocka_unit_test(parse_u64__digits_up_to_max__and_nothing_else),
        cmocka_unit_test(hex__there_and_back__is_the_same),
        cmocka_unit_test(unhex__wrong_size_or_digit__is_refused),
        cmocka_unit_test(base64__rfc_4648_examples__both_ways),
        cmocka_unit_test(unbase64__not_canonical__is_refused),
        cmocka_unit_test(utf8__every_code_point__is_well_formed_but_surrogates),
        cmocka_unit_test(utf8__ill_formed__is_refused),
        cmocka_unit_test(sanitize__what_cannot_be_shown__is_replaced),
        cmocka_unit_test(sanitize__no_room__cuts_between_characters),
        cmocka_unit_test(equal_ct__one_bit_apart__differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
