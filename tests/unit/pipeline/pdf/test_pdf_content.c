/* test_pdf_content: operators, their operands, and inline images with and without a size.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/pdf/pdf_content.h"
#include "pipeline/pdf/pdf_filter.h"

#include <string.h>

static struct pl_pdf_content *content_over(const char *text, size_t size)
{
    struct pl_pdf_content *content = NULL;
    assert_int_equal(pl_pdf_content_new((const uint8_t *)text, size, &content), PL_OK);
    return content;
}

static void next(struct pl_pdf_content *content, const char *name, struct pl_pdf_op *op)
{
    bool more = false;
    assert_int_equal(pl_pdf_content_next(content, op, &more, NULL), PL_OK);
    assert_int_equal(more, name != NULL);
    if (name != NULL)
        assert_true(pl_span_equals(op->name, name));
}

static void content__of_a_scanned_page__is_its_operators(void **state)
{
    static const char text[] = "q 612 0 0 -7.5 .5 0cm/Im0 Do%x\nQ[(a)-2]TJ(b)'/P<</M 0>>BDC true";
    struct pl_pdf_op op;
    (void)state;
    struct pl_pdf_content *content = content_over(text, sizeof text - 1);
    next(content, "q", &op);
    assert_int_equal(op.count, 0);
    next(content, "cm", &op);
    assert_int_equal(op.count, 6);
    assert_true(op.operands[3]->as.real == -7.5);
    next(content, "Do", &op);
    assert_true(pl_pdf_name_is(op.operands[0], "Im0"));
    next(content, "Q", &op);
    next(content, "TJ", &op);
    assert_int_equal(op.operands[0]->as.array.count, 2);
    next(content, "'", &op);
    next(content, "BDC", &op);
    assert_int_equal(op.operands[1]->kind, PL_PDF_DICT);
    next(content, NULL, &op); /* operands without an operator */
    pl_pdf_content_free(content);
}

static void content__with_too_many_operands__keeps_the_last(void **state)
{
    char text[4 * 100 + 8];
    struct pl_pdf_op op;
    (void)state;
    for (size_t i = 0; i < 100; i++)
        (void)pl_text_format(text + 4 * i, 5, "%3zu ", i);
    memcpy(text + 400, "scn", 4);
    struct pl_pdf_content *content = content_over(text, strlen(text));
    next(content, "scn", &op);
    assert_int_equal(op.count, PL_PDF_OPERANDS);
    assert_int_equal(op.operands[PL_PDF_OPERANDS - 1]->as.integer, 99);
    pl_pdf_content_free(content);
}

static void image__without_a_filter__is_counted_out(void **state)
{
    static const char text[] = "BI/W 3/H 2/BPC 8/CS/G ID a EI b\nEI Q";
    struct pl_pdf_op op;
    (void)state;
    struct pl_pdf_content *content = content_over(text, sizeof text - 1);
    next(content, "BI", &op);
    assert_int_equal(op.count, 2);
    assert_true(pl_span_equals(op.operands[1]->as.text, "a EI b"));
    next(content, "Q", &op);
    next(content, NULL, &op);
    pl_pdf_content_free(content);
}

static void image__with_a_filter__ends_where_text_follows(void **state)
{
    static const char text[] = "BI/W 3/H 2/F/Fl/BPC 1/IM true ID x\nEI \x80\x81\nEI\nQ q";
    struct pl_pdf_op op;
    (void)state;
    struct pl_pdf_content *content = content_over(text, sizeof text - 1);
    next(content, "BI", &op);
    assert_int_equal(op.operands[1]->as.text.size, 8);
    next(content, "Q", &op);
    pl_pdf_content_free(content);
}

static void image__encoded_for_text__is_decoded(void **state)
{
    static const char text[] = "BI/W 3/H 1/F[/AHx/RL]/CS/RGB/BPC 8 ID F7 61 80 > EI";
    struct pl_pdf_op op;
    struct pl_bytes out;
    struct pl_span filter;
    const struct pl_pdf_value *parms = NULL;
    (void)state;
    struct pl_pdf_content *content = content_over(text, sizeof text - 1);
    next(content, "BI", &op);
    pl_bytes_init(&out, 64);
    assert_int_equal(
        pl_pdf_inline_image(op.operands[0], op.operands[1]->as.text, &out, &filter, &parms, NULL),
        PL_OK);
    assert_int_equal(out.size, 10);
    assert_memory_equal(out.data, "aaaaaaaaaa", 10);
    assert_int_equal(filter.size, 0);
    assert_int_equal(parms->kind, PL_PDF_NULL);
    pl_bytes_fini(&out);
    pl_pdf_content_free(content);
}

static void image__without_an_end__is_refused(void **state)
{
    static const char text[] = "BI/W 3/H 1/F/Fl ID abcdefEI";
    struct pl_pdf_op op;
    struct pl_fault fault = { 0 };
    bool more = false;
    (void)state;
    struct pl_pdf_content *content = content_over(text, sizeof text - 1);
    assert_int_equal(pl_pdf_content_next(content, &op, &more, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "no end"));
    pl_pdf_content_free(content);
}

static void content__nested_too_deeply__is_refused(void **state)
{
    char text[100];
    struct pl_pdf_op op;
    struct pl_fault fault = { 0 };
    bool more = false;
    (void)state;
    memset(text, '[', sizeof text);
    struct pl_pdf_content *content = content_over(text, sizeof text);
    assert_int_equal(pl_pdf_content_next(content, &op, &more, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "64"));
    pl_pdf_content_free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content__of_a_scanned_page__is_its_operators),
        cmocka_unit_test(content__with_too_many_operands__keeps_the_last),
        cmocka_unit_test(image__without_a_filter__is_counted_out),
        cmocka_unit_test(image__with_a_filter__ends_where_text_follows),
        cmocka_unit_test(image__encoded_for_text__is_decoded),
        cmocka_unit_test(image__without_an_end__is_refused),
        cmocka_unit_test(content__nested_too_deeply__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
