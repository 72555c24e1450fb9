/* test_pdf_text: both encodings of text strings.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/pdf/pdf_text.h"

#include <string.h>

static void expect_text(const char *utf8, const void *expected, size_t size)
{
    struct pl_bytes out = { 0 };
    pl_bytes_init(&out, 4096);
    assert_int_equal(pl_pdf_text_string(pl_span_from(utf8), &out), PL_OK);
    assert_int_equal(out.size, size);
    if (size > 0)
        assert_memory_equal(out.data, expected, size);
    pl_bytes_fini(&out);
}

static void pdf_text__fits_pdfdocencoding__one_byte_a_character(void **state)
{
    (void)state;
    expect_text("", "", 0);
    expect_text("Plain (text)\\", "Plain (text)\\", 13);
    expect_text("gärten – € ﬁ ˘ž", "g\xe4rten \x85 \xa0 \x93 \x18\x9e", 15);
}

static void pdf_text__does_not_fit__utf_16_with_its_mark(void **state)
{
    (void)state;
    expect_text("Ω", "\xfe\xff\x03\xa9", 4);
    expect_text("a\xF0\x9F\x98\x80", "\xfe\xff\0a\xd8\x3d\xde\x00", 8);
    expect_text("\x01", "\xfe\xff\0\x01", 4);
    expect_text("\xC2\xAD", "\xfe\xff\0\xad", 4); /* no place in PDFDocEncoding */
}

static void pdf_text__bytes_look_like_a_mark__utf_16(void **state)
{
    (void)state;
    expect_text("þÿ", "\xfe\xff\0\xfe\0\xff", 6);
    expect_text("ï»¿", "\xfe\xff\0\xef\0\xbb\0\xbf", 8);
}

static void pdf_text__not_utf_8__refused_and_nothing_appended(void **state)
{
    (void)state;
    struct pl_bytes out = { 0 };
    bool fits = true;
    pl_bytes_init(&out, 4096);
    assert_int_equal(pl_pdf_text_string(pl_span_from("\xff\xfe"), &out), PL_BAD_REQUEST);
    assert_int_equal(out.size, 0);
    assert_int_equal(pl_pdf_text_doc(pl_span_from("a\xe4"), &out, &fits), PL_OK);
    assert_false(fits);
    assert_int_equal(out.size, 0);
    pl_bytes_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_text__fits_pdfdocencoding__one_byte_a_character),
        cmocka_unit_test(pdf_text__does_not_fit__utf_16_with_its_mark),
        cmocka_unit_test(pdf_text__bytes_look_like_a_mark__utf_16),
        cmocka_unit_test(pdf_text__not_utf_8__refused_and_nothing_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
