/* test_run: the same bytes from any number of threads, the first fault in page order, and memory
 * that does not grow with pages.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/run.h"
#include "tests/support/memory_out.h"
#include "tests/support/single_document.h"
#include "tests/unit/pipeline/codec/memory_tiff.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 400
#define ROWS 300

/* `part` in 16 of the bytes are not 0. */
static void pixels_draw(uint8_t *pixels, size_t size, uint32_t seed, uint32_t part)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        pixels[i] = seed >> 28 < part ? (uint8_t)(seed >> 16) : 0;
    }
}

/* Page n: G4 to be copied, packed bits to be encoded as G4, grey to be deflated, in turn. */
static void page_write(TIFF *tiff, uint32_t n)
{
    bool grey = n % 3 == 2;
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, ROWS);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, grey ? 8 : 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION,
                 n % 3 == 0 ? COMPRESSION_CCITTFAX4 : COMPRESSION_PACKBITS);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, grey ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_MINISWHITE);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, n % 2 == 0 ? ROWS : ROWS / 2);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 200.0);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 200.0);
    uint8_t row[WIDTH];
    for (uint32_t y = 0; y < ROWS; y++) {
        pixels_draw(row, sizeof row, n * 1000 + (grey ? y : y / 5), grey ? 16 : 1);
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

struct progress {
    uint32_t calls;
    uint32_t total;
};

static void on_page(void *owner, uint32_t done, uint32_t total)
{
    struct progress *progress = owner;
    assert_int_equal(done, ++progress->calls);
    progress->total = total;
}

struct order {
    struct pl_plan plan;
    struct pl_limits limits;
    struct memory_out out;
    struct pl_run_result result;
    struct pl_fault fault;
    struct progress progress;
};

static pl_status order_run(struct order *order, const struct pl_bytes *const *inputs, size_t count,
                           unsigned threads)
{
    struct pl_source *sources[4] = { 0 };
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pl_source_memory_new(inputs[i]->data, inputs[i]->size, &sources[i]),
                         PL_OK);
    struct single_document single;
    single_document_init(&single, &order->out.out);
    struct pl_run_job job = { .plan = &order->plan,
                              .inputs = sources,
                              .input_count = count,
                              .documents = &single.documents,
                              .limits = &order->limits,
                              .threads = threads,
                              .on_page = on_page,
                              .owner = &order->progress };
    pl_status status = pl_run_plan(&job, &order->result, &order->fault);
    for (size_t i = 0; i < count; i++)
        sources[i]->ops->free(sources[i]);
    return status;
}

static void order_init(struct order *order, unsigned fail_at)
{
    *order = (struct order){ .plan = { .convert = { .to = PL_FORMAT_PDFA_2B } },
                             .limits = pl_limits_default };
    memory_out_init(&order->out, fail_at);
}

static void order_fini(struct order *order)
{
    pl_bytes_fini(&order->out.bytes);
    pl_run_result_fini(&order->result);
}

static void run__any_number_of_threads__same_bytes(void **state)
{
    (void)state;
    static const unsigned threads[] = { 0, 1, 2, 8, 1000 };
    struct memory_tiff a;
    struct memory_tiff b;
    document_write(&a, 70);
    document_write(&b, 1);
    const struct pl_bytes *inputs[] = { &a.bytes, &b.bytes, &a.bytes };
    struct order first;
    order_init(&first, 0);
    assert_int_equal(order_run(&first, inputs, 3, 0), PL_OK);
    assert_int_equal(first.result.pages, 141);
    for (size_t i = 0; i < PL_COUNT_OF(threads); i++) {
        struct order again;
        order_init(&again, 0);
        assert_int_equal(order_run(&again, inputs, 3, threads[i]), PL_OK);
        assert_int_equal(again.progress.calls, 141);
        assert_int_equal(again.progress.total, 141);
        assert_int_equal(again.out.bytes.size, first.out.bytes.size);
        assert_memory_equal(again.out.bytes.data, first.out.bytes.data, again.out.bytes.size);
        assert_int_equal(again.result.page_ledger.size, first.result.page_ledger.size);
        assert_memory_equal(again.result.page_ledger.data, first.result.page_ledger.data,
                            again.result.page_ledger.size);
        order_fini(&again);
    }
    order_fini(&first);
    memory_tiff_fini(&a);
    memory_tiff_fini(&b);
}

static void run__page_ledger__one_object_a_page(void **state)
{
    (void)state;
    struct memory_tiff a;
    struct memory_tiff b;
    document_write(&a, 3);
    document_write(&b, 2);
    const struct pl_bytes *inputs[] = { &a.bytes, &b.bytes };
    struct order order;
    order_init(&order, 0);
    assert_int_equal(order_run(&order, inputs, 2, 2), PL_OK);
    json_t *ledger = json_loadb((const char *)order.result.page_ledger.data,
                                order.result.page_ledger.size, 0, NULL);
    assert_int_equal(json_array_size(ledger), 5);
    static const char *const how[] = { "copied", "reencoded_exact", "reencoded_exact", "copied",
                                       "reencoded_exact" };
    for (size_t i = 0; i < 5; i++) {
        const json_t *page = json_array_get(ledger, i);
        assert_int_equal(json_integer_value(json_object_get(page, "n")), i + 1);
        assert_int_equal(json_integer_value(json_object_get(page, "input")), i < 3 ? 1 : 2);
        assert_int_equal(json_integer_value(json_object_get(page, "page")), i % 3 + 1);
        assert_int_equal(json_integer_value(json_object_get(page, "width")), WIDTH);
        assert_string_equal(json_string_value(json_object_get(page, "how")), how[i]);
        assert_true(json_integer_value(json_object_get(page, "bytes_out")) >
                    json_integer_value(json_object_get(page, "bytes")));
    }
    json_decref(ledger);
    order_fini(&order);
    memory_tiff_fini(&a);
    memory_tiff_fini(&b);
}

static void run__output_fails_at_any_write__status_comes_back(void **state)
{
    (void)state;
    struct memory_tiff file;
    document_write(&file, 12);
    const struct pl_bytes *input = &file.bytes;
    struct order order;
    order_init(&order, 0);
    assert_int_equal(order_run(&order, &input, 1, 2), PL_OK);
    unsigned writes = order.out.writes;
    order_fini(&order);
    assert_true(writes > 3);
    for (unsigned n = 1; n <= writes; n++) {
        order_init(&order, n);
        assert_int_equal(order_run(&order, &input, 1, n % 3), PL_NO_SPACE);
        assert_int_equal(order.fault.status, PL_NO_SPACE);
        assert_int_equal(order.out.writes, n);
        order_fini(&order);
    }
    memory_tiff_fini(&file);
}

/* A document of 40 whole pages, then one whose strips from page 21 on lie past the end. */
static void run__broken_pages__first_in_order_is_told(void **state)
{
    (void)state;
    struct memory_tiff file;
    document_write(&file, 40);
    struct memory_tiff broken = { 0 };
    pl_bytes_init(&broken.bytes, 1 << 20);
    hand_begin(&broken.bytes);
    static const uint8_t g4[] = { 0x26, 0xa0, 0x01, 0x00, 0x10 };
    uint32_t next = 0;
    for (uint32_t n = 40; n-- > 0;) {
        uint32_t at = (uint32_t)broken.bytes.size;
        hand_put(&broken.bytes, g4, sizeof g4);
        const struct tag_entry entries[] = {
            { 256, 4, 1, 8 }, { 257, 4, 1, 1 },
            { 258, 3, 1, 1 }, { 259, 3, 1, n >= 20 ? 4 : 1 },
            { 262, 3, 1, 0 }, { 273, 4, 1, n >= 20 ? 0x7fffff00 : at },
            { 278, 4, 1, 1 }, { 279, 4, 1, 1 },
        };
        next = hand_dir(&broken.bytes, entries, PL_COUNT_OF(entries), next);
    }
    hand_patch(&broken.bytes, 4, next);
    const struct pl_bytes *inputs[] = { &file.bytes, &broken.bytes };
    for (unsigned threads = 0; threads < 9; threads += 4) {
        struct order order;
        order_init(&order, 0);
        assert_int_equal(order_run(&order, inputs, 2, threads), PL_BAD_DOCUMENT);
        assert_int_equal(order.progress.calls, 60);
        assert_memory_equal(order.fault.reason, "input 2: page 21:", 17);
        assert_null(order.result.page_ledger.data);
        order_fini(&order);
    }
    memory_tiff_fini(&broken);
    memory_tiff_fini(&file);
}

static void check_refused(struct order *order, const struct pl_bytes *input, pl_status expected,
                          const char *sentence)
{
    assert_int_equal(order_run(order, &input, 1, 2), expected);
    assert_string_equal(order->fault.reason, sentence);
    order_fini(order);
}

static void run__limits_of_plan_and_engine__refused_with_a_sentence(void **state)
{
    (void)state;
    struct memory_tiff file;
    struct order order;
    document_write(&file, 5);
    order_init(&order, 0);
    order.plan.max_pages = 4;
    check_refused(&order, &file.bytes, PL_TOO_LARGE, "the document has 5 pages, the limit is 4");
    order_init(&order, 0);
    order.limits.output_bytes = 5 << 10;
    check_refused(&order, &file.bytes, PL_TOO_LARGE, "the result is larger than 0 MB, the limit");
    order_init(&order, 0);
    order.plan.accept_types = 1U << PL_INPUT_JPEG;
    check_refused(&order, &file.bytes, PL_UNSUPPORTED,
                  "this pipeline does not accept tiff documents");
    memory_tiff_fini(&file);
}

/* Highest resident size so far; sanitizers make it meaningless. */
static size_t resident_peak_kib(void)
{
    char line[256];
    size_t peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtoul(line + 6, NULL, 10);
    assert_int_equal(fclose(file), 0);
    return peak;
}

static pl_status count_write(struct pl_out *out, const void *data, size_t size)
{
    (void)out;
    (void)data;
    (void)size;
    return PL_OK;
}

static const struct pl_out_ops count_ops = { count_write };

#ifdef PL_SANITIZED
#define MANY_PAGES 1000
#else
#define MANY_PAGES 10000
#endif

/* So many directories that share one strip of 64 KiB: what the pages weigh is not in the input. */
static void run__ten_thousand_pages__memory_does_not_grow(void **state)
{
    (void)state;
    enum { PAGES = MANY_PAGES, STRIP = 64 << 10 };
    struct pl_bytes file;
    pl_bytes_init(&file, 1 << 24);
    hand_begin(&file);
    uint32_t strip = (uint32_t)file.size;
    uint8_t *pixels = malloc(STRIP);
    assert_non_null(pixels);
    pixels_draw(pixels, STRIP, 5, 1);
    hand_put(&file, pixels, STRIP);
    free(pixels);
    uint32_t next = 0;
    for (unsigned n = 0; n < PAGES; n++) {
        const struct tag_entry entries[] = { { 256, 4, 1, 1024 }, { 257, 4, 1, 512 },
                                             { 258, 3, 1, 1 },    { 259, 3, 1, 1 },
                                             { 262, 3, 1, 0 },    { 273, 4, 1, strip },
                                             { 278, 4, 1, 512 },  { 279, 4, 1, STRIP } };
        next = hand_dir(&file, entries, PL_COUNT_OF(entries), next);
    }
    hand_patch(&file, 4, next);
    struct pl_plan plan = { .convert = { .to = PL_FORMAT_PDFA_2B } };
    struct pl_limits limits = pl_limits_default;
    struct pl_out out = { .ops = &count_ops };
    struct pl_source *source = NULL;
    assert_int_equal(pl_source_memory_new(file.data, file.size, &source), PL_OK);
    limits.pages = PAGES;
    struct single_document single;
    single_document_init(&single, &out);
    struct pl_run_job job = { .plan = &plan,
                              .inputs = &source,
                              .input_count = 1,
                              .documents = &single.documents,
                              .limits = &limits,
                              .threads = 2 };
    struct pl_run_result result = { 0 };
    struct pl_fault fault = { 0 };
    size_t before = resident_peak_kib();
    pl_status status = pl_run_plan(&job, &result, &fault);
    if (status != PL_OK)
        fail_msg("%s", fault.reason);
    size_t grown = resident_peak_kib() - before;
    assert_int_equal(result.pages, PAGES);
    assert_true(out.size > (uint64_t)PAGES * 10000);
#ifndef PL_SANITIZED
    if (grown > 16 << 10)
        fail_msg("10,000 pages took %zu KiB", grown);
#else
    (void)grown;
#endif
    pl_run_result_fini(&result);
    source->ops->free(source);
    pl_bytes_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__any_number_of_threads__same_bytes),
        cmocka_unit_test(run__page_ledger__one_object_a_page),
        cmocka_unit_test(run__output_fails_at_any_write__status_comes_back),
        cmocka_unit_test(run__broken_pages__first_in_order_is_told),
        cmocka_unit_test(run__limits_of_plan_and_engine__refused_with_a_sentence),
        cmocka_unit_test(run__ten_thousand_pages__memory_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
