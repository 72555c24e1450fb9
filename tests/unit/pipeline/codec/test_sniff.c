/* test_sniff: kinds of documents are told apart by content, and refusals say what they saw.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"

#include <string.h>

#include "tests/support/pl_test.h"

#define BYTES(text) text, sizeof(text) - 1

static pl_status sniff(const void *data, size_t size, const struct pl_reader_ops **out,
                       struct pl_fault *fault)
{
    struct pl_source *source = NULL;
    *fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_source_memory_new(data, size, &source), PL_OK);
    pl_status status = pl_sniff(source, out, fault);
    source->ops->free(source);
    return status;
}

static void sniff__kinds_that_have_a_reader__are_taken(void **state)
{
    (void)state;
    static const char *const tiffs[] = { "II*\0    ", "MM\0*    ", "II+\0    ", "MM\0+    " };
    const struct pl_reader_ops *ops = NULL;
    struct pl_fault fault;
    for (size_t i = 0; i < PL_COUNT_OF(tiffs); i++) {
        ops = NULL;
        assert_int_equal(sniff(tiffs[i], 8, &ops, &fault), PL_OK);
        assert_ptr_equal(ops, &pl_tiff_reader);
    }
    assert_int_equal(sniff("\xff\xd8\xff\xe0", 4, &ops, &fault), PL_OK);
    assert_ptr_equal(ops, &pl_jpeg_reader);
    assert_int_equal(sniff("\x89PNG\r\n\x1a\n", 8, &ops, &fault), PL_OK);
    assert_ptr_equal(ops, &pl_png_reader);
}

static void sniff__other_kinds__are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        pl_status status;
        const char *words;
    } rows[] = {
        { BYTES("PK\3\4....letter.pdf %PDF-1.7"), PL_UNSUPPORTED,
          "ZIP archive; pipelines here take" },
        { BYTES("PK\3\4 some names"), PL_UNSUPPORTED, "this is a ZIP archive" },
        { BYTES("PK\3\4....word/document.xml"), PL_UNSUPPORTED, "this is a Word document" },
        { BYTES("PK\3\4[Content_Types].xml"), PL_UNSUPPORTED, "Office or XPS" },
        { BYTES("\0\0\0\x18"
                "ftypheic...."),
          PL_UNSUPPORTED, "HEIC" },
        { BYTES("RIFF....WEBPVP8 "), PL_UNSUPPORTED, "WebP" },
        { BYTES("\0\0\0\x0cjP  \r\n\x87\n"), PL_UNSUPPORTED, "JPEG 2000" },
        { BYTES("Dear Sir or Madam,\n"), PL_UNSUPPORTED, "this is text" },
        { BYTES(""), PL_BAD_DOCUMENT, "the file is empty" },
        { BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), PL_BAD_DOCUMENT, "begins with 12 zero bytes" },
        { BYTES("II*"), PL_BAD_DOCUMENT, "only 3 bytes" },
        { BYTES("\xde\xad\xbe\xef\1\2\3\4"), PL_UNSUPPORTED, "begins with de ad be ef" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        const struct pl_reader_ops *ops = NULL;
        struct pl_fault fault;
        assert_int_equal(sniff(rows[i].bytes, rows[i].size, &ops, &fault), rows[i].status);
        assert_non_null(strstr(fault.reason, rows[i].words));
        assert_null(ops);
    }
}

static void sniff__pdf_and_postscript__are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const struct pl_reader_ops *ops;
    } rows[] = {
        { BYTES("%PDF-1.7\n%...."), &pl_pdf_reader },
        { BYTES("\r\n  junk %PDF-1.4"), &pl_pdf_reader },
        { BYTES("\x1b%-12345X@PJL\r\n%PDF-1.4"), &pl_pdf_reader },
        { BYTES("%!PS-Adobe-3.0\n"), &pl_ps_reader },
        { BYTES("\4%!PS-Adobe-3.0 EPSF-3.0"), &pl_ps_reader },
        { BYTES("\r\n%!\n72 72 moveto"), &pl_ps_reader },
        { BYTES("\xc5\xd0\xd3\xc6\x1e\0\0\0"), &pl_ps_reader },
        { BYTES("\x1b%-12345X@PJL ENTER LANGUAGE=POSTSCRIPT\n%!PS-Adobe"), &pl_ps_reader },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        const struct pl_reader_ops *ops = NULL;
        struct pl_fault fault;
        assert_int_equal(sniff(rows[i].bytes, rows[i].size, &ops, &fault), PL_OK);
        assert_ptr_equal(ops, rows[i].ops);
    }
}

static void ps_reader__any_document__needs_an_interpreter(void **state)
{
    (void)state;
    const struct pl_open_settings settings = { .limits = &pl_limits_default };
    struct pl_source *source = NULL;
    struct pl_reader *reader = NULL;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_source_memory_new("%!PS", 4, &source), PL_OK);
    assert_int_equal(pl_ps_reader.open(source, &settings, &reader, &fault), PL_NEEDS_INTERPRETER);
    assert_null(reader);
    assert_non_null(strstr(fault.reason, "PostScript is a program"));
    source->ops->free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sniff__kinds_that_have_a_reader__are_taken),
        cmocka_unit_test(sniff__other_kinds__are_named),
        cmocka_unit_test(sniff__pdf_and_postscript__are_taken),
        cmocka_unit_test(ps_reader__any_document__needs_an_interpreter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
