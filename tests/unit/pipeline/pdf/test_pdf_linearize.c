/* test_pdf_linearize: results written linearized, judged by qpdf's checker of hint tables.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/g4.h"
#include "pipeline/pdf/pdf_hints.h"
#include "pipeline/pdf/pdf_linearize.h"
#include "pipeline/writer.h"
#include "tests/support/judge.h"
#include "tests/support/memory_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t seed[32] = { 9 };

/* A page of stripes, no two alike; pages of the same height share their content. */
static void page_draw(struct pl_page *page, unsigned n, uint32_t rows)
{
    uint8_t pixels[8 * 100];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)((i / 8 + n) % (3 + n % 7) == 0 ? 0xf0 + n % 16 : 0);
    pl_page_init(page, 1 << 20);
    page->number = n + 1;
    page->width_px = 64;
    page->height_px = rows;
    page->x_mdpi = page->y_mdpi = 72000;
    page->bits = 1;
    assert_int_equal(pl_g4_encode(pixels, 8, 64, rows, &page->data), PL_OK);
    assert_int_equal(pl_page_add_part(page, rows, page->data.size), PL_OK);
}

static void grey_draw(struct pl_page *page, unsigned n)
{
    page_draw(page, n, 50);
    static const uint8_t entries[] = { 0, 128 };
    pl_bytes_init(&page->palette, 64);
    assert_int_equal(pl_bytes_append(&page->palette, entries, 2), PL_OK);
    page->colour = PL_COLOUR_GREY;
}

/* `pages` pages; every fifth one has a palette that they share, every seventh another size. */
static pl_status document_write(const struct pl_convert *convert, unsigned pages,
                                struct memory_out *memory, struct pl_fault *fault)
{
    const struct pl_writer_ops *ops = &pl_pdf_writer_ops;
    struct pl_writer *writer = NULL;
    pl_status status = ops->open(convert, seed, &pl_limits_default, &memory->out, &writer, fault);
    for (unsigned n = 0; n < pages && status == PL_OK; n++) {
        struct pl_page page;
        uint64_t bytes = 0;
        if (n % 5 == 3) {
            grey_draw(&page, n);
        } else {
            page_draw(&page, n, n % 7 == 6 ? 60 : 80);
        }
        status = ops->page(writer, &page, &bytes, fault);
        pl_page_fini(&page);
    }
    if (status == PL_OK)
        status = ops->end(writer, fault);
    if (writer != NULL)
        ops->close(writer);
    return status;
}

static void check_linearized(enum pl_format format, unsigned pages, bool described)
{
    struct pl_convert convert;
    struct memory_out memory;
    struct memory_out plain;
    struct judge judge;
    struct pl_fault fault = { 0 };
    char name[64];
    pl_convert_defaults(&convert, format);
    if (described) {
        (void)strcpy(convert.title, "A title");
        convert.labels[0] = (struct pl_page_label){ .from = 1, .style = 'r', .start = 1 };
        convert.label_count = 1;
    }
    memory_out_init(&plain, 0);
    assert_int_equal(document_write(&convert, pages, &plain, &fault), PL_OK);
    convert.linearize = true;
    memory_out_init(&memory, 0);
    pl_status status = document_write(&convert, pages, &memory, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    judge_open(&judge, &memory.bytes);
    (void)snprintf(name, sizeof name, "%s_linear_%04u%s.pdf", pl_format_name(format), pages,
                   described ? "_d" : "");
    judge_keep(&judge, name);
    judge_expect(&judge, "qpdf --check-linearization", "no linearization errors");
    judge_expect(&judge, "qpdf --check", "File is linearized");
    judge_expect(&judge, "qpdf --check", "No syntax or stream encoding errors");
    judge_expect(&judge, "pdfinfo", "Optimized:       yes");
    char drawn[64];
    char expected[64];
    judge_last_word(&judge, "mutool draw -q -s5 -r 72", drawn, sizeof drawn);
    judge_close(&judge);
    judge_open(&judge, &plain.bytes);
    judge_last_word(&judge, "mutool draw -q -s5 -r 72", expected, sizeof expected);
    judge_close(&judge);
    assert_string_equal(drawn, expected);
    pl_bytes_fini(&memory.bytes);
    pl_bytes_fini(&plain.bytes);
}

static void linearize__any_number_of_pages__qpdf_finds_no_error(void **state)
{
    (void)state;
    static const unsigned counts[] = { 1, 2, 3, 5, 17, 64, 65, 130 };
    for (size_t i = 0; i < PL_COUNT_OF(counts); i++)
        check_linearized(PL_FORMAT_PDF, counts[i], i % 2 == 1);
}

static void linearize__every_kind__qpdf_finds_no_error(void **state)
{
    (void)state;
    check_linearized(PL_FORMAT_PDFA_1B, 9, true);
    check_linearized(PL_FORMAT_PDFA_2B, 9, false);
    check_linearized(PL_FORMAT_PDFA_3B, 9, true);
}

static void linearize__with_a_password__both_hold(void **state)
{
    (void)state;
    struct pl_convert convert;
    struct memory_out memory;
    struct memory_out again;
    struct judge judge;
    struct pl_fault fault = { 0 };
    pl_convert_defaults(&convert, PL_FORMAT_PDF);
    (void)strcpy(convert.user_password, "open");
    (void)strcpy(convert.title, "A secret title");
    convert.linearize = true;
    memory_out_init(&memory, 0);
    memory_out_init(&again, 0);
    assert_int_equal(document_write(&convert, 12, &memory, &fault), PL_OK);
    assert_int_equal(document_write(&convert, 12, &again, &fault), PL_OK);
    assert_null(memmem(memory.bytes.data, memory.bytes.size, "secret", 6));
    judge_open(&judge, &memory.bytes);
    judge_expect(&judge, "qpdf --password=open --check-linearization", "no linearization errors");
    judge_expect(&judge, "qpdf --password=open --check", "No syntax or stream encoding errors");
    judge_expect(&judge, "qpdf --password=open --show-encryption", "R = 6");
    judge_expect(&judge, "pdfinfo -upw open", "A secret title");
    judge_expect(&judge, "mutool draw -q -s5 -p open", NULL);
    judge_refuse(&judge, "qpdf --check");
    judge_close(&judge);
    assert_int_equal(memory.bytes.size, again.bytes.size);
    assert_memory_equal(memory.bytes.data, again.bytes.data, again.bytes.size);
    pl_bytes_fini(&memory.bytes);
    pl_bytes_fini(&again.bytes);
}

static void linearize__output_fails_at_any_write__status_comes_back(void **state)
{
    (void)state;
    struct pl_convert convert;
    struct memory_out memory;
    struct pl_fault fault = { 0 };
    pl_convert_defaults(&convert, PL_FORMAT_PDFA_2B);
    convert.linearize = true;
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&convert, 700, &memory, &fault), PL_OK);
    unsigned writes = memory.writes;
    pl_bytes_fini(&memory.bytes);
    assert_true(writes > 2);
    for (unsigned n = 1; n <= writes; n++) {
        memory_out_init(&memory, n);
        assert_int_equal(document_write(&convert, 700, &memory, &fault), PL_NO_SPACE);
        pl_bytes_fini(&memory.bytes);
    }
}

/* The bits of a small table, counted by hand. */
static void hints__two_pages__bits_as_the_standard_lays_them(void **state)
{
    (void)state;
    static const struct pl_pdf_hint_page pages[] = {
        { .objects = 3, .bytes = 1000 },
        { .objects = 2, .bytes = 1005, .shared_from = 0, .shared_count = 2 },
    };
    static const uint32_t shared[] = { 1, 2 };
    static const uint64_t bytes[] = { 500, 300, 200 };
    static const uint8_t expected[] = {
        0,    0, 0, 2,                   /* least objects */
        0,    0, 0, 100,  0, 1,          /* first page; bits of the difference of objects */
        0,    0, 3, 0xe8, 0, 3,          /* least length; bits */
        0,    0, 0, 0,    0, 0,          /* content offset */
        0,    0, 3, 0xe8, 0, 3,          /* content length */
        0,    2, 0, 2,    0, 0, 0,    4, /* shared: number, identifier; positions */
        0x80,                            /* 1, 0 */
        0x14,                            /* 000, 101 */
        0x20,                            /* 00, 10 */
        0x60,                            /* 01, 10 */
        0x14,                            /* 000, 101 */
        0,    0, 0, 0,    0, 0, 0,    0, /* no part 8 */
        0,    0, 0, 3,    0, 0, 0,    3,    0,    0,
        0,    0, 0, 200,  0, 9, 0x96, 0x19, 0x00, 0x00, /* 100101100, 001100100, 000000000 */
        0x00,                                           /* no signatures */
    };
    const struct pl_pdf_hints hints = { .pages = pages,
                                        .page_count = 2,
                                        .first_page_at = 100,
                                        .shared = shared,
                                        .shared_bytes = bytes,
                                        .shared_first = 3,
                                        .shared_total = 3 };
    struct pl_bytes out = { 0 };
    size_t table = 0;
    pl_bytes_init(&out, 1 << 10);
    assert_int_equal(pl_pdf_hints_write(&hints, &out, &table), PL_OK);
    assert_int_equal(table, 41);
    assert_int_equal(out.size, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    pl_bytes_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints__two_pages__bits_as_the_standard_lays_them),
        cmocka_unit_test(linearize__any_number_of_pages__qpdf_finds_no_error),
        cmocka_unit_test(linearize__every_kind__qpdf_finds_no_error),
        cmocka_unit_test(linearize__with_a_password__both_hold),
        cmocka_unit_test(linearize__output_fails_at_any_write__status_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
