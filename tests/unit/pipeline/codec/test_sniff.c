/* test_sniff: kinds of documents are told apart by content, and refusals say what they saw.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"

#include <string.h>

#include "tests/support/pl_test.h"

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
#define BYTES(text) text, sizeof(text) - 1
    static const struct {
        const char *bytes;
        size_t size;
        pl_status status;
        const char *words;
    } rows[] = {
        { BYTES("%PDF-1.7\n%...."), PL_UNSUPPORTED, "this is a PDF; pipelines here take" },
        { BYTES("\r\n  junk %PDF-1.4"), PL_UNSUPPORTED, "this is a PDF" },
        { BYTES("PK\3\4 some names"), PL_UNSUPPORTED, "this is a ZIP archive" },
        { BYTES("PK\3\4....word/document.xml"), PL_UNSUPPORTED, "this is a Word document" },
        { BYTES("PK\3\4[Content_Types].xml"), PL_UNSUPPORTED, "Office or XPS" },
        { BYTES("\0\0\0\x18"
                "ftypheic...."),
          PL_UNSUPPORTED, "HEIC" },
        { BYTES("RIFF....WEBPVP8 "), PL_UNSUPPORTED, "WebP" },
        { BYTES("\0\0\0\x0cjP  \r\n\x87\n"), PL_UNSUPPORTED, "JPEG 2000" },
        { BYTES("%!PS-Adobe-3.0"), PL_UNSUPPORTED, "PostScript" },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sniff__kinds_that_have_a_reader__are_taken),
        cmocka_unit_test(sniff__other_kinds__are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
