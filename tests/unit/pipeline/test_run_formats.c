/* test_run_formats: every format from the same pages, with any number of threads; selections, and
 * documents of one page each.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/run.h"
#include "tests/support/memory_out.h"
#include "tests/unit/pipeline/codec/memory_tiff.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define WIDTH 200
#define ROWS 120
#define DOCUMENTS 16

/* Bilevel in G4, grey, colour, in turn. */
static void page_write(TIFF *tiff, uint32_t n)
{
    uint16_t samples = n % 3 == 2 ? 3 : 1;
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, ROWS);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, n % 3 == 0 ? 1 : 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, n % 3 == 0 ? COMPRESSION_CCITTFAX4 : COMPRESSION_NONE);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                 n % 3 == 0   ? PHOTOMETRIC_MINISWHITE
                 : n % 3 == 1 ? PHOTOMETRIC_MINISBLACK
                              : PHOTOMETRIC_RGB);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, ROWS);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 200.0);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 200.0);
    uint8_t row[WIDTH * 3];
    for (uint32_t y = 0; y < ROWS; y++) {
        for (size_t i = 0; i < sizeof row; i++)
            row[i] = n % 3 == 0 ? (y % 9 == 0 ? 0x3c : 0) : (uint8_t)(i * 5 + y + n);
        assert_int_equal(TIFFWriteScanline(tiff, row, y, 0), 1);
    }
    assert_int_equal(TIFFWriteDirectory(tiff), 1);
}

static void document_write(struct memory_tiff *file, uint32_t pages)
{
    *file = (struct memory_tiff){ 0 };
    memory_tiff_open(file, "w");
    for (uint32_t n = 0; n < pages; n++)
        page_write(file->tiff, n);
    memory_tiff_close(file);
}

/* Keeps every document. */
struct shelf {
    struct pl_documents documents;
    struct memory_out outs[DOCUMENTS];
    char suffixes[DOCUMENTS][PL_RUN_SUFFIX_CHARS];
    char types[DOCUMENTS][32];
    uint32_t pages[DOCUMENTS];
    uint32_t rows[DOCUMENTS]; /* of the page ledger */
    uint32_t begun;
    uint32_t ended;
};

static pl_status shelf_begin(struct pl_documents *documents, uint32_t n, struct pl_out **out,
                             struct pl_fault *fault)
{
    struct shelf *shelf = (struct shelf *)documents;
    (void)fault;
    assert_int_equal(n, shelf->ended + 1);
    assert_int_equal(shelf->begun, shelf->ended);
    assert_true(n <= DOCUMENTS);
    memory_out_init(&shelf->outs[n - 1], 0);
    *out = &shelf->outs[n - 1].out;
    shelf->begun = n;
    return PL_OK;
}

static pl_status shelf_end(struct pl_documents *documents, const struct pl_run_document *document,
                           struct pl_fault *fault)
{
    struct shelf *shelf = (struct shelf *)documents;
    uint32_t i = document->n - 1;
    (void)fault;
    assert_int_equal(document->n, shelf->begun);
    memcpy(shelf->suffixes[i], document->suffix, sizeof shelf->suffixes[i]);
    assert_true(
        pl_text_copy(shelf->types[i], sizeof shelf->types[i], pl_span_from(document->type)));
    json_t *rows = json_loadb(document->page_ledger.data, document->page_ledger.size, 0, NULL);
    assert_true(json_is_array(rows));
    shelf->rows[i] = (uint32_t)json_array_size(rows);
    json_decref(rows);
    shelf->pages[i] = document->pages;
    shelf->ended = document->n;
    return PL_OK;
}

static const struct pl_documents_ops shelf_ops = { shelf_begin, shelf_end };

struct order {
    struct pl_plan plan;
    struct shelf shelf;
    struct pl_run_result result;
    struct pl_fault fault;
};

static void order_init(struct order *order, enum pl_format format)
{
    memset(order, 0, sizeof *order);
    pl_convert_defaults(&order->plan.convert, format);
    order->shelf.documents.ops = &shelf_ops;
}

static pl_status order_run(struct order *order, const struct pl_bytes *const *inputs, size_t count,
                           unsigned threads)
{
    struct pl_source *sources[4] = { 0 };
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pl_source_memory_new(inputs[i]->data, inputs[i]->size, &sources[i]),
                         PL_OK);
    const struct pl_run_job job = { .plan = &order->plan,
                                    .inputs = sources,
                                    .input_count = count,
                                    .documents = &order->shelf.documents,
                                    .limits = &pl_limits_default,
                                    .threads = threads };
    pl_status status = pl_run_plan(&job, &order->result, &order->fault);
    for (size_t i = 0; i < count; i++)
        sources[i]->ops->free(sources[i]);
    return status;
}

static void order_fini(struct order *order)
{
    for (uint32_t i = 0; i < order->shelf.begun; i++)
        pl_bytes_fini(&order->shelf.outs[i].bytes);
    pl_run_result_fini(&order->result);
}

/* The magic bytes of each format. */
static const struct {
    enum pl_format format;
    const char *magic;
} formats[] = {
    { PL_FORMAT_PDFA_2B, "%PDF-1.7" },   { PL_FORMAT_PDF, "%PDF-" },
    { PL_FORMAT_PDFA_1B, "%PDF-1.4" },   { PL_FORMAT_PDFA_3B, "%PDF-1.7" },
    { PL_FORMAT_TIFF_G4, "II*" },        { PL_FORMAT_TIFF, "II*" },
    { PL_FORMAT_JPEG, "\xff\xd8" },      { PL_FORMAT_PNG, "\x89PNG" },
    { PL_FORMAT_THUMBNAIL, "\xff\xd8" },
};

static void run__every_format__same_bytes_with_any_threads(void **state)
{
    (void)state;
    static const unsigned threads[] = { 1, 2, 4 };
    struct memory_tiff file;
    document_write(&file, 7);
    const struct pl_bytes *input = &file.bytes;
    for (size_t f = 0; f < PL_COUNT_OF(formats); f++) {
        struct order first;
        order_init(&first, formats[f].format);
        if (order_run(&first, &input, 1, 0) != PL_OK)
            fail_msg("%s: %s", pl_format_name(formats[f].format), first.fault.reason);
        bool by_page = pl_format_is_by_page(formats[f].format);
        assert_int_equal(first.shelf.ended, by_page ? 7 : 1);
        assert_int_equal(first.result.documents, first.shelf.ended);
        assert_int_equal(first.result.pages, 7);
        assert_memory_equal(first.shelf.outs[0].bytes.data, formats[f].magic,
                            strlen(formats[f].magic));
        for (size_t t = 0; t < PL_COUNT_OF(threads); t++) {
            struct order again;
            order_init(&again, formats[f].format);
            assert_int_equal(order_run(&again, &input, 1, threads[t]), PL_OK);
            assert_int_equal(again.shelf.ended, first.shelf.ended);
            for (uint32_t i = 0; i < again.shelf.ended; i++) {
                const struct pl_bytes *one = &first.shelf.outs[i].bytes;
                assert_int_equal(again.shelf.outs[i].bytes.size, one->size);
                assert_memory_equal(again.shelf.outs[i].bytes.data, one->data, one->size);
            }
            order_fini(&again);
        }
        order_fini(&first);
    }
    memory_tiff_fini(&file);
}

static void run__one_page_a_document__each_has_its_suffix_and_rows(void **state)
{
    (void)state;
    struct memory_tiff file;
    struct order order;
    document_write(&file, 3);
    const struct pl_bytes *input = &file.bytes;
    order_init(&order, PL_FORMAT_PNG);
    assert_int_equal(order_run(&order, &input, 1, 2), PL_OK);
    static const char *const suffixes[] = { "-001", "-002", "-003" };
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_string_equal(order.shelf.suffixes[i], suffixes[i]);
        assert_string_equal(order.shelf.types[i], "image/png");
        assert_int_equal(order.shelf.pages[i], 1);
        assert_int_equal(order.shelf.rows[i], 1);
        bytes += order.shelf.outs[i].bytes.size;
    }
    assert_int_equal(order.result.bytes_out, bytes);
    json_t *rows = json_loadb((const char *)order.result.page_ledger.data,
                              order.result.page_ledger.size, 0, NULL);
    assert_int_equal(json_array_size(rows), 3);
    const json_t *last = json_array_get(rows, 2);
    assert_int_equal(json_integer_value(json_object_get(last, "document")), 3);
    assert_int_equal(json_integer_value(json_object_get(last, "n")), 1);
    assert_int_equal(json_integer_value(json_object_get(last, "page")), 3);
    json_decref(rows);
    order_fini(&order);
    order_init(&order, PL_FORMAT_PNG);
    memcpy(order.plan.convert.pages, "2", 2);
    assert_int_equal(order_run(&order, &input, 1, 2), PL_OK);
    assert_int_equal(order.shelf.ended, 1);
    assert_string_equal(order.shelf.suffixes[0], "");
    order_fini(&order);
    memory_tiff_fini(&file);
}

static void run__selection__counts_over_all_inputs(void **state)
{
    (void)state;
    static const char pages[] = "-1,5,2-1,2";
    struct memory_tiff a;
    struct memory_tiff b;
    struct order order;
    document_write(&a, 4);
    document_write(&b, 3);
    const struct pl_bytes *inputs[] = { &a.bytes, &b.bytes };
    order_init(&order, PL_FORMAT_TIFF);
    memcpy(order.plan.convert.pages, pages, sizeof pages);
    assert_int_equal(order_run(&order, inputs, 2, 2), PL_OK);
    assert_int_equal(order.result.pages_in, 7);
    assert_int_equal(order.result.pages, 5);
    assert_int_equal(order.result.bytes_in, a.bytes.size + b.bytes.size);
    static const int wanted[][2] = { { 2, 3 }, { 2, 1 }, { 1, 2 }, { 1, 1 }, { 1, 2 } };
    json_t *rows = json_loadb((const char *)order.result.page_ledger.data,
                              order.result.page_ledger.size, 0, NULL);
    assert_int_equal(json_array_size(rows), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *row = json_array_get(rows, i);
        assert_int_equal(json_integer_value(json_object_get(row, "input")), wanted[i][0]);
        assert_int_equal(json_integer_value(json_object_get(row, "page")), wanted[i][1]);
    }
    json_decref(rows);
    order_fini(&order);
    order_init(&order, PL_FORMAT_TIFF);
    memcpy(order.plan.convert.pages, "8", 2);
    assert_int_equal(order_run(&order, inputs, 2, 2), PL_BAD_DOCUMENT);
    assert_string_equal(order.fault.reason, "page 8 was asked for, there are 7 pages");
    assert_int_equal(order.shelf.begun, 0);
    order_fini(&order);
    memory_tiff_fini(&a);
    memory_tiff_fini(&b);
}

static void run__encryption__same_inputs_same_bytes_other_inputs_others(void **state)
{
    (void)state;
    struct memory_tiff a;
    struct memory_tiff b;
    document_write(&a, 1);
    document_write(&b, 2);
    const struct pl_bytes *inputs[] = { &a.bytes, &b.bytes, &a.bytes };
    struct order orders[4];
    for (size_t i = 0; i < 4; i++) {
        order_init(&orders[i], PL_FORMAT_PDF);
        memcpy(orders[i].plan.convert.user_password, "tiger", 6);
    }
    assert_int_equal(order_run(&orders[0], inputs, 2, 0), PL_OK);
    assert_int_equal(order_run(&orders[1], inputs, 2, 2), PL_OK);
    assert_int_equal(order_run(&orders[2], inputs + 1, 2, 0), PL_OK);
    memcpy(orders[3].plan.convert.user_password, "tigre", 6);
    assert_int_equal(order_run(&orders[3], inputs, 2, 0), PL_OK);
    const struct pl_bytes *first = &orders[0].shelf.outs[0].bytes;
    assert_non_null(memmem(first->data, first->size, "/Encrypt", 8));
    for (size_t i = 1; i < 4; i++) {
        const struct pl_bytes *other = &orders[i].shelf.outs[0].bytes;
        bool same =
            other->size == first->size && memcmp(other->data, first->data, first->size) == 0;
        assert_int_equal(same, i == 1);
    }
    for (size_t i = 0; i < 4; i++)
        order_fini(&orders[i]);
    memory_tiff_fini(&a);
    memory_tiff_fini(&b);
}

static void run__larger_than_the_pipeline_accepts__is_refused_at_open(void **state)
{
    (void)state;
    struct memory_tiff file;
    struct order order;
    char sentence[128];
    document_write(&file, 2);
    const struct pl_bytes *input = &file.bytes;
    order_init(&order, PL_FORMAT_PDF);
    order.plan.max_bytes = file.bytes.size - 1;
    assert_int_equal(order_run(&order, &input, 1, 2), PL_TOO_LARGE);
    assert_true(pl_text_format(sentence, sizeof sentence,
                               "the document has %zu bytes; this pipeline accepts %zu",
                               file.bytes.size, file.bytes.size - 1));
    assert_string_equal(order.fault.reason, sentence);
    order_fini(&order);
    order_init(&order, PL_FORMAT_PDF);
    order.plan.max_bytes = file.bytes.size;
    assert_int_equal(order_run(&order, &input, 1, 2), PL_OK);
    order_fini(&order);
    memory_tiff_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__every_format__same_bytes_with_any_threads),
        cmocka_unit_test(run__one_page_a_document__each_has_its_suffix_and_rows),
        cmocka_unit_test(run__selection__counts_over_all_inputs),
        cmocka_unit_test(run__encryption__same_inputs_same_bytes_other_inputs_others),
        cmocka_unit_test(run__larger_than_the_pipeline_accepts__is_refused_at_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
