/* test_pdf_repair: PDFs made by hand and broken in one place each, page trees that lie, and files
 * that are made to cost time.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "tests/unit/pipeline/pdf/pdf_maker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char content[] = "q 1 0 0 1 0 0 cm Q";

static void make_page(struct pdf_maker *maker)
{
    pdf_maker_init(maker, "");
    pdf_maker_one_page(maker);
    pdf_maker_stream(maker, 4, "", content, sizeof content - 1);
}

/* Opens, and answers whether the first page's content is `expected`. */
static void check(struct pdf_maker *maker, bool repaired, const char *expected)
{
    struct pdf_opened opened;
    const struct pl_pdf_value *value = NULL;
    struct pl_bytes data;
    pdf_maker_open(maker, &opened);
    assert_string_equal(opened.fault.reason, "");
    assert_int_equal(opened.status, PL_OK);
    assert_int_equal(pl_pdf_page_count(opened.file), 1);
    assert_int_equal(pl_pdf_page_inherited(opened.file, 0, "Contents", &value, NULL), PL_OK);
    pl_bytes_init(&data, 1000);
    assert_int_equal(pl_pdf_stream_decode(opened.file, value, &data, &opened.fault), PL_OK);
    assert_int_equal(data.size, strlen(expected));
    assert_memory_equal(data.data, expected, data.size);
    assert_int_equal(pl_pdf_file_is_repaired(opened.file), repaired);
    pl_bytes_fini(&data);
    pdf_maker_close(&opened);
    pdf_maker_fini(maker);
}

static void replace(struct pdf_maker *maker, const char *from, const char *to)
{
    uint8_t *at = memmem(maker->out.data, maker->out.size, from, strlen(from));
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
}

/* --- cross-references ------------------------------------------------------------------------ */

static void file__without_a_table__is_searched(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker);
    pdf_maker_text(&maker, "trailer<</Root 1 0 R>>");
    check(&maker, true, content);
    make_page(&maker); /* and without a trailer */
    check(&maker, true, content);
}

static void file__cut_in_its_table__is_searched(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker);
    size_t before = maker.out.size;
    (void)pdf_maker_table(&maker, "");
    maker.out.size = before + 30;
    check(&maker, true, content);
}

static void file__whose_offsets_are_wrong__is_searched(void **state)
{
    struct pdf_maker maker;
    (void)state;
    for (unsigned n = 1; n <= 4; n++) {
        make_page(&maker);
        maker.at[n] += 7;
        (void)pdf_maker_table(&maker, "");
        check(&maker, true, content);
    }
}

/* The page's content is only found to be elsewhere when a clone asks for it. */
static void clone__that_meets_a_wrong_offset__repairs_for_itself(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *value = NULL;
    (void)state;
    make_page(&maker);
    maker.at[4] -= 1;
    (void)pdf_maker_table(&maker, "");
    replace(&maker, "4 0 obj", "4 0 OBJ");
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    pdf_maker_open(&maker, &opened);
    assert_false(pl_pdf_file_is_repaired(opened.file));
    struct pl_source *source = opened.source->ops->clone(opened.source);
    struct pl_pdf_file *copy = pl_pdf_file_clone(opened.file, source);
    assert_non_null(copy);
    assert_int_equal(pl_pdf_page_inherited(copy, 0, "Contents", &value, NULL), PL_OK);
    assert_int_equal(value->kind, PL_PDF_STREAM);
    assert_true(pl_pdf_file_is_repaired(copy));
    assert_false(pl_pdf_file_is_repaired(opened.file));
    pl_pdf_file_free(copy);
    source->ops->free(source);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void search__of_objects_written_twice__takes_the_last(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker);
    pdf_maker_stream(&maker, 4, "", "last", 4);
    check(&maker, true, "last");
}

static void search__steps_over_a_pdf_within_a_stream(void **state)
{
    static const char within[] = "%PDF-1.0\n4 0 obj\n<</Length 5>>\nstream\nwrong\nendstream\n"
                                 "endobj\ntrailer<</Root 4 0 R>>\n";
    struct pdf_maker maker;
    (void)state;
    make_page(&maker);
    pdf_maker_stream(&maker, 9, "/Type/EmbeddedFile", within, sizeof within - 1);
    check(&maker, true, content);
}

static void search__finds_what_is_in_object_streams(void **state)
{
    static const unsigned numbers[] = { 2, 3 };
    static const char *const bodies[] = { "<</Type/Pages/Count 1/Kids[3 0 R]>>",
                                          "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>" };
    static const unsigned old_numbers[] = { 4 };
    static const char *const old_bodies[] = { "(older than the stream)" };
    struct pdf_maker maker;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_object(&maker, 3, "(older than the pack)");
    pdf_maker_pack(&maker, 7, numbers, bodies, 2);
    pdf_maker_pack(&maker, 8, old_numbers, old_bodies, 1);
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    check(&maker, true, content);
}

static void search__finds_pages_when_their_tree_is_lost(void **state)
{
    struct pdf_maker maker;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 3, "<</Type/Page/Contents 4 0 R>>");
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    check(&maker, true, content);
}

static void file__that_is_none__is_refused_in_a_sentence(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_text(&maker, "nothing here");
    pdf_maker_open(&maker, &opened);
    assert_int_equal(opened.status, PL_BAD_DOCUMENT);
    assert_non_null(strstr(opened.fault.reason, "damaged"));
    pdf_maker_close(&opened);
    maker.out.size = 0;
    pdf_maker_open(&maker, &opened);
    assert_int_equal(opened.status, PL_BAD_DOCUMENT);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

/* --- streams --------------------------------------------------------------------------------- */

static void stream__of_a_wrong_length__ends_at_its_end_mark(void **state)
{
    static const char *const lengths[] = { "1",    "17",  "20",    "9999999",
                                           "-5",   "(x)", "4 0 R", "99999999999999999999",
                                           "9 0 R" };
    struct pdf_maker maker;
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(lengths); i++) {
        pdf_maker_init(&maker, "");
        pdf_maker_one_page(&maker);
        pdf_maker_stream_of(&maker, 4, "", content, sizeof content - 1, lengths[i]);
        (void)pdf_maker_table(&maker, "");
        check(&maker, false, content);
    }
}

static void stream__without_an_end_mark__ends_with_its_object_or_the_file(void **state)
{
    struct pdf_maker maker;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_one_page(&maker);
    pdf_maker_stream_of(&maker, 4, "", content, sizeof content - 1, "0");
    replace(&maker, "endstream\n", "         \n");
    (void)pdf_maker_table(&maker, "");
    pdf_maker_fini(&maker);
    pdf_maker_init(&maker, "");
    pdf_maker_one_page(&maker);
    pdf_maker_text(&maker, "4 0 obj<</Length 7>>stream\r\n");
    pdf_maker_text(&maker, content);
    check(&maker, true, content);
}

/* --- page trees ------------------------------------------------------------------------------ */

static uint32_t pages_of(struct pdf_maker *maker, struct pdf_opened *opened)
{
    (void)pdf_maker_table(maker, "");
    pdf_maker_open(maker, opened);
    return opened->status == PL_OK ? pl_pdf_page_count(opened->file) : 0;
}

static void tree__with_circles_and_shared_nodes__counts_each_once(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_object(&maker, 2, "<</Type/Pages/Count -3/Kids[5 0 R 2 0 R 6 0 R 5 0 R]>>");
    pdf_maker_object(&maker, 5, "<</Kids[6 0 R 2 0 R 5 0 R]/Rotate 180>>");
    pdf_maker_object(&maker, 6, "<</Type/Page/Parent 2 0 R>>");
    assert_int_equal(pages_of(&maker, &opened), 2);
    const struct pl_pdf_value *value = NULL;
    assert_int_equal(pl_pdf_page_inherited(opened.file, 0, "Rotate", &value, NULL), PL_OK);
    assert_int_equal(value->as.integer, 180); /* of the node that led to it */
    assert_int_equal(pl_pdf_page_inherited(opened.file, 1, "Rotate", &value, NULL), PL_OK);
    assert_int_equal(value->kind, PL_PDF_NULL);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void tree__with_kids_that_are_no_references__has_their_pages(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *value = NULL;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1,
                     "<</Type/Catalog/Pages<</Rotate 90/Kids[<</Type/Page/MediaBox[0 0"
                     " 7 7]>> 5 0 R (no kid) null]>>>>");
    pdf_maker_object(&maker, 5, "<</Type/Pages/Kids<</Type/Page>>>>");
    assert_int_equal(pages_of(&maker, &opened), 2);
    assert_int_equal(pl_pdf_page_inherited(opened.file, 0, "MediaBox", &value, NULL), PL_OK);
    assert_int_equal(value->as.array.items[2]->as.integer, 7);
    assert_int_equal(pl_pdf_page_inherited(opened.file, 0, "Rotate", &value, NULL), PL_OK);
    assert_int_equal(value->as.integer, 90);
    struct pl_pdf_ref ref = pl_pdf_page_ref(opened.file, 0);
    assert_int_equal(pl_pdf_load_object(opened.file, ref, &value, NULL), PL_OK);
    assert_int_equal(value->kind, PL_PDF_DICT);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

/* Never a document that is shorter than it was. */
static void tree__with_a_kid_that_is_missing__keeps_its_place(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *value = NULL;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_object(&maker, 2, "<</Type/Pages/Kids[3 0 R 9 0 R 3 0 R]>>");
    pdf_maker_object(&maker, 3, "<</Type/Page>>");
    assert_int_equal(pages_of(&maker, &opened), 3);
    struct pl_pdf_ref ref = pl_pdf_page_ref(opened.file, 1);
    assert_int_equal(ref.number, 9);
    assert_int_equal(pl_pdf_load_object(opened.file, ref, &value, NULL), PL_OK);
    assert_int_equal(value->kind, PL_PDF_NULL);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void tree__with_a_single_kid_without_brackets__has_it(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_object(&maker, 2, "<</Type/Pages/Kids 3 0 R]/Count 1>>");
    pdf_maker_object(&maker, 3, "<</Type/Page>>");
    assert_int_equal(pages_of(&maker, &opened), 1);
    assert_int_equal(pl_pdf_page_ref(opened.file, 0).number, 3);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void tree__of_more_pages_than_the_limit__is_refused_with_the_number(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    struct pl_limits limits = pl_limits_default;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_object(&maker, 2, "<</Type/Pages/Kids[3 0 R 3 0 R 3 0 R]>>");
    pdf_maker_object(&maker, 3, "<</Type/Page>>");
    assert_int_equal(pages_of(&maker, &opened), 3);
    pl_pdf_file_free(opened.file);
    opened.file = NULL;
    limits.pages = 2;
    assert_int_equal(pl_pdf_file_open(opened.source, &limits, NULL, &opened.file, &opened.fault),
                     PL_TOO_LARGE);
    assert_non_null(strstr(opened.fault.reason, "2 pages"));
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

/* --- time ------------------------------------------------------------------------------------ */

static double now_s(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A verdict, whichever, within seconds even under a sanitizer; what is quadratic would take
 * minutes. */
static void check_time(struct pdf_maker *maker)
{
    struct pdf_opened opened;
    double begin = now_s();
    pdf_maker_open(maker, &opened);
    assert_true(opened.status == PL_OK || opened.fault.reason[0] != '\0');
    for (uint32_t n = 1; opened.file != NULL && n < pl_pdf_file_objects(opened.file); n++) {
        const struct pl_pdf_value *value = NULL;
        size_t mark = pl_pdf_file_mark(opened.file);
        struct pl_pdf_ref ref = { n, 0 };
        (void)!pl_pdf_load_object(opened.file, ref, &value, NULL);
        if (n % 64 == 0)
            pl_pdf_file_release(opened.file, mark);
    }
    assert_true(now_s() - begin < 20);
    pdf_maker_close(&opened);
    pdf_maker_fini(maker);
}

/* The text `times` times, the number of each in place of '#'. */
static void repeat(struct pdf_maker *maker, const char *text, unsigned times)
{
    for (unsigned n = 1; n <= times; n++) {
        for (const char *at = text; *at != '\0'; at++) {
            if (*at == '#')
                assert_int_equal(pl_bytes_format(&maker->out, "%u", n), PL_OK);
            else
                assert_int_equal(pl_bytes_append(&maker->out, at, 1), PL_OK);
        }
    }
}

static void time__of_overlapping_objects__is_bounded(void **state)
{
    static const char *const formats[] = {
        "# 0 obj(",                         /* strings that never end */
        "# 0 obj<",                         /* the same in hex */
        "# 0 obj[",                         /* arrays in objects */
        "# 0 obj<</Length 9>>stream\n",     /* streams without an end */
        "# 0 obj<</Length # 0 R>>stream\n", /* whose length is themselves */
        "# 0 obj%",                         /* one comment */
        "trailer<</Root 1 0 R/A(",
        "xref 0 9999999 ",
        "# 0 obj<</Type/ObjStm/N 999999/First 5/Length 5>>stream\n9 9 endstream endobj ",
    };
    struct pdf_maker maker;
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(formats); i++) {
        pdf_maker_init(&maker, "");
        repeat(&maker, formats[i], 100000);
        check_time(&maker);
    }
}

static void time__of_pages_that_all_need_a_long_string__is_bounded(void **state)
{
    struct pdf_maker maker;
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    pdf_maker_text(&maker, "2 0 obj<</Kids[");
    repeat(&maker, "# 0 R ", 5000);
    pdf_maker_text(&maker, "]>>endobj ");
    repeat(&maker, "# 0 obj(", 200000);
    repeat(&maker, ")", 200000);
    check_time(&maker);
}

/* 60 levels of two kids each that are the same node: 2^60 leaves for who counts them all. */
static void time__of_a_tree_that_doubles__is_bounded(void **state)
{
    struct pdf_maker maker;
    char body[64];
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_object(&maker, 1, "<</Type/Catalog/Pages 2 0 R>>");
    for (unsigned n = 2; n < 62; n++) {
        (void)pl_text_format(body, sizeof body, "<</Kids[%u 0 R %u 0 R]>>", n + 1, n + 1);
        pdf_maker_object(&maker, n, body);
    }
    pdf_maker_object(&maker, 62, "<</Type/Page>>");
    (void)pdf_maker_table(&maker, "");
    check_time(&maker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file__without_a_table__is_searched),
        cmocka_unit_test(file__cut_in_its_table__is_searched),
        cmocka_unit_test(file__whose_offsets_are_wrong__is_searched),
        cmocka_unit_test(clone__that_meets_a_wrong_offset__repairs_for_itself),
        cmocka_unit_test(search__of_objects_written_twice__takes_the_last),
        cmocka_unit_test(search__steps_over_a_pdf_within_a_stream),
        cmocka_unit_test(search__finds_what_is_in_object_streams),
        cmocka_unit_test(search__finds_pages_when_their_tree_is_lost),
        cmocka_unit_test(file__that_is_none__is_refused_in_a_sentence),
        cmocka_unit_test(stream__of_a_wrong_length__ends_at_its_end_mark),
        cmocka_unit_test(stream__without_an_end_mark__ends_with_its_object_or_the_file),
        cmocka_unit_test(tree__with_circles_and_shared_nodes__counts_each_once),
        cmocka_unit_test(tree__with_kids_that_are_no_references__has_their_pages),
        cmocka_unit_test(tree__with_a_kid_that_is_missing__keeps_its_place),
        cmocka_unit_test(tree__with_a_single_kid_without_brackets__has_it),
        cmocka_unit_test(tree__of_more_pages_than_the_limit__is_refused_with_the_number),
        cmocka_unit_test(time__of_overlapping_objects__is_bounded),
        cmocka_unit_test(time__of_pages_that_all_need_a_long_string__is_bounded),
        cmocka_unit_test(time__of_a_tree_that_doubles__is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
