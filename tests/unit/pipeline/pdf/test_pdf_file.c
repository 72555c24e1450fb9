/* test_pdf_file: PDFs made by hand, whole in every way that the standard allows: tables, streams,
 * hybrids, object streams, updates, inheritance, encryption, clones.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/pdf/pdf_crypt.h"
#include "tests/unit/pipeline/pdf/pdf_maker.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

static const char content[] = "q 1 0 0 1 0 0 cm Q";

static void check_one_page(struct pdf_opened *opened)
{
    const struct pl_pdf_value *value = NULL;
    struct pl_bytes data;
    assert_string_equal(opened->fault.reason, "");
    assert_int_equal(opened->status, PL_OK);
    assert_int_equal(pl_pdf_page_count(opened->file), 1);
    assert_int_equal(pl_pdf_page_inherited(opened->file, 0, "MediaBox", &value, &opened->fault),
                     PL_OK);
    assert_int_equal(value->kind, PL_PDF_ARRAY);
    assert_int_equal(value->as.array.items[2]->as.integer, 200);
    assert_int_equal(pl_pdf_page_inherited(opened->file, 0, "Rotate", &value, &opened->fault),
                     PL_OK);
    assert_int_equal(value->as.integer, 90);
    assert_int_equal(pl_pdf_page_inherited(opened->file, 0, "CropBox", &value, &opened->fault),
                     PL_OK);
    assert_int_equal(value->kind, PL_PDF_NULL);
    assert_int_equal(pl_pdf_page_inherited(opened->file, 0, "Contents", &value, &opened->fault),
                     PL_OK);
    pl_bytes_init(&data, 100);
    assert_int_equal(pl_pdf_stream_decode(opened->file, value, &data, &opened->fault), PL_OK);
    assert_int_equal(data.size, sizeof content - 1);
    assert_memory_equal(data.data, content, data.size);
    pl_bytes_fini(&data);
}

static void check_and_close(struct pdf_maker *maker, bool repaired)
{
    struct pdf_opened opened;
    pdf_maker_open(maker, &opened);
    check_one_page(&opened);
    assert_int_equal(pl_pdf_file_is_repaired(opened.file), repaired);
    pdf_maker_close(&opened);
    pdf_maker_fini(maker);
}

static void make_page(struct pdf_maker *maker, const char *before)
{
    pdf_maker_init(maker, before);
    pdf_maker_one_page(maker);
    pdf_maker_stream(maker, 4, "", content, sizeof content - 1);
}

static void file__with_a_table__opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker, "");
    (void)pdf_maker_table(&maker, "");
    check_and_close(&maker, false);
}

static void file__with_bytes_before_its_header__opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker, "\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n");
    (void)pdf_maker_table(&maker, ""); /* whose offsets count from the header */
    check_and_close(&maker, false);
    make_page(&maker, "junk");
    maker.shift = 0; /* whose offsets count from the first byte */
    for (unsigned n = 1; n <= 4; n++)
        maker.at[n] += 4;
    (void)pdf_maker_table(&maker, "");
    check_and_close(&maker, false);
}

static void file__with_entries_of_another_length__opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker, "");
    size_t at = maker.out.size;
    pdf_maker_text(&maker, "xref\n0 1\n0000000000 65535 f\n1 4\n");
    for (unsigned n = 1; n <= 4; n++)
        assert_int_equal(pl_bytes_format(&maker.out, "%" PRIu64 " 0 n\n", maker.at[n]), PL_OK);
    assert_int_equal(pl_bytes_format(&maker.out, "trailer<</Size 5/Root 1 0 R>>startxref %zu", at),
                     PL_OK);
    check_and_close(&maker, false);
}

static void file__whose_table_begins_at_one__opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker, "");
    (void)pdf_maker_table(&maker, "");
    uint8_t *table = memmem(maker.out.data, maker.out.size, "xref\n0 5", 8);
    assert_non_null(table);
    table[5] = '1';
    check_and_close(&maker, false);
}

static void file__with_a_cross_reference_stream__opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_page(&maker, "");
    (void)pdf_maker_xref_stream(&maker, 5, "");
    check_and_close(&maker, false);
}

static void pack_page(struct pdf_maker *maker, unsigned container)
{
    static const unsigned numbers[] = { 1, 3, 2 };
    static const char *const bodies[] = {
        "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Rotate 90>>",
        "<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 200 100]>>"
    };
    pdf_maker_pack(maker, container, numbers, bodies, 3);
}

static void file__with_an_object_stream__opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    pdf_maker_init(&maker, "");
    pack_page(&maker, 6);
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    (void)pdf_maker_xref_stream(&maker, 5, "/Info 1 0 R");
    check_and_close(&maker, false);
}

/* The table calls 1 to 3 free; its stream knows them. */
static void file__that_is_a_hybrid__opens(void **state)
{
    struct pdf_maker maker;
    char extra[40];
    (void)state;
    pdf_maker_init(&maker, "");
    pack_page(&maker, 6);
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    uint64_t hidden = pdf_maker_xref_stream(&maker, 5, "");
    (void)pl_text_format(extra, sizeof extra, "/XRefStm %" PRIu64, hidden);
    (void)pdf_maker_table(&maker, extra);
    check_and_close(&maker, false);
}

static void file__that_was_updated__shows_the_last_state(void **state)
{
    struct pdf_maker maker;
    char extra[40];
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_one_page(&maker);
    pdf_maker_stream(&maker, 4, "", "old", 3);
    uint64_t before = pdf_maker_table(&maker, "");
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    (void)pl_text_format(extra, sizeof extra, "/Prev %" PRIu64, before);
    uint64_t at = maker.out.size;
    assert_int_equal(pl_bytes_format(&maker.out,
                                     "xref\n4 1\n%010" PRIu64
                                     " 00000 n \ntrailer\n<</Root 1 0 R%s>>"
                                     "\nstartxref\n%" PRIu64 "\n%%%%EOF",
                                     maker.at[4], extra, at),
                     PL_OK);
    check_and_close(&maker, false);
}

static void file__whose_updates_are_a_circle__opens(void **state)
{
    struct pdf_maker maker;
    char extra[40];
    (void)state;
    make_page(&maker, "");
    (void)pl_text_format(extra, sizeof extra, "/Prev %zu", maker.out.size);
    (void)pdf_maker_table(&maker, extra);
    check_and_close(&maker, false);
}

static void file__with_a_length_elsewhere__opens(void **state)
{
    struct pdf_maker maker;
    char length[16];
    (void)state;
    pdf_maker_init(&maker, "");
    pdf_maker_one_page(&maker);
    pdf_maker_stream_of(&maker, 4, "", content, sizeof content - 1, "7 0 R");
    (void)pl_text_format(length, sizeof length, "%zu", sizeof content - 1);
    pdf_maker_object(&maker, 7, length);
    (void)pdf_maker_table(&maker, "");
    check_and_close(&maker, false);
}

/* --- values, marks, clones ------------------------------------------------------------------- */

static void reference__to_nothing_or_in_a_circle__is_null(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *value = NULL;
    (void)state;
    make_page(&maker, "");
    pdf_maker_object(&maker, 7, "8 0 R");
    pdf_maker_object(&maker, 8, "7 0 R");
    (void)pdf_maker_table(&maker, "");
    pdf_maker_open(&maker, &opened);
    const struct pl_pdf_value nowhere = { .kind = PL_PDF_REF, .as.ref = { 5000000, 0 } };
    assert_int_equal(pl_pdf_resolve(opened.file, &nowhere, &value, NULL), PL_OK);
    assert_int_equal(value->kind, PL_PDF_NULL);
    const struct pl_pdf_value circle = { .kind = PL_PDF_REF, .as.ref = { 7, 0 } };
    assert_int_equal(pl_pdf_resolve(opened.file, &circle, &value, NULL), PL_OK);
    assert_int_equal(value->kind, PL_PDF_NULL);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void release__forgets_what_was_read_since_its_mark(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *kept = NULL;
    const struct pl_pdf_value *value = NULL;
    (void)state;
    make_page(&maker, "");
    pdf_maker_object(&maker, 9, "[(kept)]");
    for (unsigned n = 10; n < 60; n++)
        pdf_maker_object(&maker, n, "<</A[1 2 3](unused)/B(text)>>");
    (void)pdf_maker_table(&maker, "");
    pdf_maker_open(&maker, &opened);
    struct pl_pdf_ref ref = { 9, 0 };
    assert_int_equal(pl_pdf_load_object(opened.file, ref, &kept, NULL), PL_OK);
    size_t mark = pl_pdf_file_mark(opened.file);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned n = 10; n < 60; n++) {
            ref.number = n;
            assert_int_equal(pl_pdf_load_object(opened.file, ref, &value, NULL), PL_OK);
            assert_int_equal(pl_pdf_dict_peek(value, "B")->kind, PL_PDF_STRING);
        }
        assert_true(pl_pdf_file_mark(opened.file) > mark);
        pl_pdf_file_release(opened.file, mark);
        assert_int_equal(pl_pdf_file_mark(opened.file), mark);
        ref.number = 9;
        assert_int_equal(pl_pdf_load_object(opened.file, ref, &value, NULL), PL_OK);
        assert_ptr_equal(value, kept);
    }
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

struct reading {
    struct pl_pdf_file *file;
    struct pl_source *source;
    unsigned good;
};

static void *reading_run(void *argument)
{
    struct reading *reading = argument;
    for (unsigned i = 0; i < 200; i++) {
        const struct pl_pdf_value *value = NULL;
        struct pl_bytes data;
        size_t mark = pl_pdf_file_mark(reading->file);
        pl_bytes_init(&data, 100);
        if (pl_pdf_page_inherited(reading->file, 0, "Contents", &value, NULL) == PL_OK &&
            pl_pdf_stream_decode(reading->file, value, &data, NULL) == PL_OK &&
            data.size == sizeof content - 1)
            reading->good++;
        pl_bytes_fini(&data);
        pl_pdf_file_release(reading->file, mark);
    }
    return NULL;
}

static void clones__on_threads__outlive_their_original(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    struct reading readings[3];
    pthread_t threads[3];
    (void)state;
    pdf_maker_init(&maker, "");
    pack_page(&maker, 6);
    pdf_maker_stream(&maker, 4, "", content, sizeof content - 1);
    (void)pdf_maker_xref_stream(&maker, 5, "");
    pdf_maker_open(&maker, &opened);
    for (size_t i = 0; i < 3; i++) {
        readings[i] = (struct reading){ .good = 0 };
        readings[i].source = opened.source->ops->clone(opened.source);
        readings[i].file = pl_pdf_file_clone(opened.file, readings[i].source);
        assert_non_null(readings[i].file);
    }
    pdf_maker_close(&opened);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reading_run, &readings[i]), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readings[i].good, 200);
        assert_int_equal(pl_pdf_file_catalog(readings[i].file)->kind, PL_PDF_DICT);
        pl_pdf_file_free(readings[i].file);
        readings[i].source->ops->free(readings[i].source);
    }
    pdf_maker_fini(&maker);
}

/* --- streams --------------------------------------------------------------------------------- */

static void stream__of_an_image__keeps_its_image_filter(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *stream = NULL;
    const struct pl_pdf_value *parms = NULL;
    struct pl_span filter;
    struct pl_bytes data;
    (void)state;
    make_page(&maker, "");
    pdf_maker_stream(&maker, 7,
                     "/Filter[/ASCIIHexDecode 8 0 R]/DecodeParms[null<</K -1/Columns 9 0 R>>]",
                     "6A 70>", 6);
    pdf_maker_object(&maker, 8, "/CCITTFaxDecode");
    pdf_maker_object(&maker, 9, "2550");
    (void)pdf_maker_table(&maker, "");
    pdf_maker_open(&maker, &opened);
    struct pl_pdf_ref ref = { 7, 0 };
    pl_bytes_init(&data, 100);
    assert_int_equal(pl_pdf_load_object(opened.file, ref, &stream, NULL), PL_OK);
    assert_int_equal(pl_pdf_stream_image(opened.file, stream, &data, &filter, &parms, NULL), PL_OK);
    assert_true(pl_span_equals(filter, "CCITTFaxDecode"));
    assert_int_equal(pl_pdf_dict_peek(parms, "Columns")->as.integer, 2550);
    assert_int_equal(data.size, 2);
    assert_memory_equal(data.data, "jp", 2);
    assert_int_equal(pl_pdf_stream_decode(opened.file, stream, &data, &opened.fault),
                     PL_UNSUPPORTED);
    pl_bytes_clear(&data);
    assert_int_equal(pl_pdf_stream_raw(opened.file, stream, &data, NULL), PL_OK);
    assert_memory_equal(data.data, "6A 70>", 6);
    data.limit = 7;
    assert_int_equal(pl_pdf_stream_raw(opened.file, stream, &data, NULL), PL_TOO_LARGE);
    pl_bytes_fini(&data);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void stream__in_another_file__is_refused_in_a_sentence(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *stream = NULL;
    struct pl_bytes data;
    (void)state;
    make_page(&maker, "");
    pdf_maker_stream(&maker, 7, "/F(other.pdf)", "", 0);
    (void)pdf_maker_table(&maker, "");
    pdf_maker_open(&maker, &opened);
    struct pl_pdf_ref ref = { 7, 0 };
    pl_bytes_init(&data, 100);
    assert_int_equal(pl_pdf_load_object(opened.file, ref, &stream, NULL), PL_OK);
    assert_int_equal(pl_pdf_stream_raw(opened.file, stream, &data, &opened.fault), PL_UNSUPPORTED);
    assert_non_null(strstr(opened.fault.reason, "another file"));
    pl_bytes_fini(&data);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

/* --- encryption ------------------------------------------------------------------------------ */

/* Page, content and a string under AES-256; the catalog is in an object stream, whose strings are
 * under the stream's key alone. */
static void make_encrypted(struct pdf_maker *maker, const char *user)
{
    static const uint8_t seed[32] = { 1, 2, 3 };
    struct pl_pdf_crypt crypt;
    struct pl_bytes bytes;
    struct pl_bytes extra;
    char body[256] = "<</S<";
    pl_bytes_init(&bytes, 4096);
    pl_bytes_init(&extra, 4096);
    pdf_maker_init(maker, "");
    assert_int_equal(pl_bytes_append(&extra, "/Encrypt", 8), PL_OK);
    assert_int_equal(pl_pdf_crypt_make(user, "owner", 0, seed, &crypt, &extra), PL_OK);
    assert_int_equal(pl_bytes_append(&extra, "", 1), PL_OK);
    pdf_maker_one_page(maker);
    assert_int_equal(pl_pdf_crypt_encrypt(&crypt, content, sizeof content - 1, &bytes), PL_OK);
    pdf_maker_stream(maker, 4, "", bytes.data, bytes.size);
    pl_bytes_clear(&bytes);
    assert_int_equal(pl_pdf_crypt_encrypt(&crypt, "secret", 6, &bytes), PL_OK);
    (void)pl_text_hex(bytes.data, bytes.size, body + 5);
    (void)memcpy(body + 5 + 2 * bytes.size, ">>>", 4);
    pdf_maker_object(maker, 7, body);
    pdf_maker_stream(maker, 8, "/Filter/Crypt/DecodeParms<</Name/Identity>>", "plain", 5);
    (void)pdf_maker_table(maker, (const char *)extra.data);
    pl_bytes_fini(&extra);
    pl_bytes_fini(&bytes);
}

static void encrypted__with_the_empty_password__opens(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    const struct pl_pdf_value *value = NULL;
    struct pl_bytes data;
    (void)state;
    make_encrypted(&maker, "");
    pdf_maker_open(&maker, &opened);
    check_one_page(&opened);
    assert_true(pl_pdf_file_is_encrypted(opened.file));
    assert_int_equal(pl_pdf_load_object(opened.file, (struct pl_pdf_ref){ 7, 0 }, &value, NULL),
                     PL_OK);
    assert_true(pl_span_equals(pl_pdf_dict_peek(value, "S")->as.text, "secret"));
    assert_int_equal(pl_pdf_load_object(opened.file, (struct pl_pdf_ref){ 8, 0 }, &value, NULL),
                     PL_OK);
    pl_bytes_init(&data, 100);
    assert_int_equal(pl_pdf_stream_decode(opened.file, value, &data, NULL), PL_OK);
    assert_int_equal(data.size, 5);
    assert_memory_equal(data.data, "plain", 5);
    pl_bytes_fini(&data);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void encrypted__with_another_password__is_denied_until_it_is_given(void **state)
{
    struct pdf_maker maker;
    struct pdf_opened opened;
    (void)state;
    make_encrypted(&maker, "user");
    pdf_maker_open(&maker, &opened);
    assert_int_equal(opened.status, PL_DENIED);
    assert_non_null(strstr(opened.fault.reason, "password"));
    opened.fault = (struct pl_fault){ 0 };
    opened.status =
        pl_pdf_file_open(opened.source, &pl_limits_default, "user", &opened.file, &opened.fault);
    check_one_page(&opened);
    pdf_maker_close(&opened);
    pdf_maker_fini(&maker);
}

static void encrypted__without_a_table__is_repaired_and_opens(void **state)
{
    struct pdf_maker maker;
    (void)state;
    make_encrypted(&maker, "");
    uint8_t *word = memmem(maker.out.data, maker.out.size, "startxref", 9);
    assert_non_null(word);
    word[0] = 'S';
    check_and_close(&maker, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file__with_a_table__opens),
        cmocka_unit_test(file__with_bytes_before_its_header__opens),
        cmocka_unit_test(file__with_entries_of_another_length__opens),
        cmocka_unit_test(file__whose_table_begins_at_one__opens),
        cmocka_unit_test(file__with_a_cross_reference_stream__opens),
        cmocka_unit_test(file__with_an_object_stream__opens),
        cmocka_unit_test(file__that_is_a_hybrid__opens),
        cmocka_unit_test(file__that_was_updated__shows_the_last_state),
        cmocka_unit_test(file__whose_updates_are_a_circle__opens),
        cmocka_unit_test(file__with_a_length_elsewhere__opens),
        cmocka_unit_test(reference__to_nothing_or_in_a_circle__is_null),
        cmocka_unit_test(release__forgets_what_was_read_since_its_mark),
        cmocka_unit_test(clones__on_threads__outlive_their_original),
        cmocka_unit_test(stream__of_an_image__keeps_its_image_filter),
        cmocka_unit_test(stream__in_another_file__is_refused_in_a_sentence),
        cmocka_unit_test(encrypted__with_the_empty_password__opens),
        cmocka_unit_test(encrypted__with_another_password__is_denied_until_it_is_given),
        cmocka_unit_test(encrypted__without_a_table__is_repaired_and_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
