/* test_run_pages: pages that are loaded and pages that are drawn, mixed, come out in order, the
 * same with any number of threads; the interpreter hears of nothing but its turn.
 *
 * The reader and the interpreter are ops structs of this test: their pages are plain grey, each of
 * its own shade.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/image/page_decode.h"
#include "pipeline/image/page_encode.h"
#include "pipeline/page_ledger.h"
#include "pipeline/run_priv.h"
#include "tests/support/memory_out.h"
#include "tests/support/single_document.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 60
#define SIDE 40

static pl_status picture_shade(uint8_t shade, struct pl_picture *out, struct pl_fault *fault)
{
    pl_status status =
        pl_picture_make(out, PL_COLOUR_GREY, SIDE, SIDE, &pl_limits_default, 1, fault);
    for (uint32_t y = 0; status == PL_OK && y < SIDE; y++)
        memset(out->pixels + y * out->stride, shade, SIDE);
    out->x_mdpi = out->y_mdpi = 100000;
    return status;
}

static pl_status shade_load(const struct pl_reader *reader, struct pl_source *source, uint32_t n,
                            struct pl_page *page, struct pl_fault *fault)
{
    struct pl_picture picture = { .pixels = NULL };
    (void)reader;
    (void)source;
    pl_status status = picture_shade((uint8_t)n, &picture, fault);
    page->number = n + 1;
    if (status == PL_OK)
        status = pl_page_encode_flate(&picture, page);
    pl_picture_fini(&picture);
    return status;
}

static const struct pl_reader_ops shade_ops = { .name = "shade", .load = shade_load };

struct painter {
    struct pl_interpreter interpreter;
    pthread_t thread; /* the only one that may call */
    unsigned opened;
    unsigned closed;
    uint32_t fail_at; /* 1-based page; 0: never */
};

static pl_status painter_open(struct pl_interpreter *self, struct pl_source *source,
                              const char *password, const struct pl_limits *limits,
                              struct pl_interpreted *report, struct pl_fault *fault)
{
    struct painter *painter = (struct painter *)self;
    (void)source;
    (void)limits;
    (void)report;
    (void)fault;
    assert_null(password);
    assert_true(pthread_equal(painter->thread, pthread_self()));
    assert_int_equal(painter->opened, painter->closed);
    painter->opened++;
    return PL_OK;
}

static pl_status painter_render(struct pl_interpreter *self, uint32_t n, uint32_t dpi, bool bilevel,
                                const struct pl_limits *limits, struct pl_picture *out,
                                struct pl_interpreted *report, struct pl_fault *fault)
{
    const struct painter *painter = (const struct painter *)self;
    (void)limits;
    assert_true(pthread_equal(painter->thread, pthread_self()));
    assert_int_equal(painter->opened, painter->closed + 1);
    assert_int_equal(dpi, 300);
    assert_false(bilevel);
    if (n + 1 == painter->fail_at)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "page %u is lost", n + 1);
    (void)pl_text_format(report->note, sizeof report->note, "a font was replaced");
    report->repaired = true;
    return picture_shade((uint8_t)n, out, fault);
}

static void painter_close(struct pl_interpreter *self)
{
    ((struct painter *)self)->closed++;
}

static const struct pl_interpreter_ops painter_ops = { .open = painter_open,
                                                       .render = painter_render,
                                                       .close = painter_close };

struct desk {
    struct pl_plan plan;
    struct memory_out out;
    struct single_document single;
    struct painter painter;
    struct pl_run_job job;
    struct pl_run_input items[2];
    struct pl_run_inputs inputs;
    struct pl_run_result result;
    struct pl_reader reader;
    struct pl_source *sources[2];
    uint8_t ways[PAGES];
    struct pl_fault fault;
};

/* Two inputs; the pages for which `drawn` says so are drawn. */
static pl_status desk_run(struct desk *desk, bool (*drawn)(uint32_t n), unsigned threads,
                          uint32_t fail_at)
{
    struct pl_run_outputs outputs;
    memset(desk, 0, sizeof *desk);
    pl_convert_defaults(&desk->plan.convert, PL_FORMAT_TIFF);
    memory_out_init(&desk->out, 0);
    single_document_init(&desk->single, &desk->out.out);
    desk->painter = (struct painter){ { &painter_ops }, pthread_self(), 0, 0, fail_at };
    desk->reader.ops = &shade_ops;
    desk->job = (struct pl_run_job){ .plan = &desk->plan,
                                     .inputs = desk->sources,
                                     .input_count = 2,
                                     .documents = &desk->single.documents,
                                     .limits = &pl_limits_default,
                                     .interpreter = &desk->painter.interpreter,
                                     .threads = threads };
    desk->inputs = (struct pl_run_inputs){ .job = &desk->job,
                                           .items = desk->items,
                                           .pages_in = PAGES,
                                           .total = PAGES,
                                           .ways = desk->ways };
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(pl_source_memory_new("x", 1, &desk->sources[i]), PL_OK);
        desk->items[i].first = i * PAGES / 2;
        desk->items[i].count = PAGES / 2;
        desk->items[i].readings[PL_RUN_WAY_PICTURE] =
            (struct pl_run_reading){ &desk->reader, desk->sources[i] };
    }
    for (uint32_t n = 0; n < PAGES; n++) {
        desk->ways[n] = drawn(n) ? PL_RUN_WAY_RENDER : PL_RUN_WAY_PICTURE;
        desk->inputs.renders = desk->inputs.renders || drawn(n);
    }
    pl_page_ledger_init(&desk->result.page_ledger);
    assert_int_equal(pl_run_outputs_open(&desk->job, PAGES, &desk->result, &outputs, &desk->fault),
                     PL_OK);
    pl_status status = pl_run_pages(&desk->inputs, &outputs, &desk->fault);
    if (status == PL_OK)
        status = pl_run_outputs_end(&outputs, &desk->fault);
    pl_run_outputs_close(&outputs);
    for (size_t i = 0; i < 2; i++)
        desk->sources[i]->ops->free(desk->sources[i]);
    assert_int_equal(desk->painter.opened, desk->painter.closed);
    return status;
}

static void desk_fini(struct desk *desk)
{
    pl_bytes_fini(&desk->out.bytes);
    pl_run_result_fini(&desk->result);
}

static bool drawn_all(uint32_t n)
{
    return n < PAGES;
}

static bool drawn_odd(uint32_t n)
{
    return n % 2 == 1;
}

static bool drawn_late(uint32_t n)
{
    return n > 40;
}

static bool drawn_early(uint32_t n)
{
    return n < 13;
}

static bool drawn_here_and_there(uint32_t n)
{
    return n * 2654435761U >> 30 == 0;
}

static void run_pages__drawn_and_loaded__same_bytes_with_any_threads(void **state)
{
    (void)state;
    static bool (*const mixes[])(uint32_t) = { drawn_all, drawn_odd, drawn_late, drawn_early,
                                               drawn_here_and_there };
    static const unsigned threads[] = { 0, 1, 2, 4 };
    for (size_t m = 0; m < PL_COUNT_OF(mixes); m++) {
        struct desk first;
        assert_int_equal(desk_run(&first, mixes[m], 0, 0), PL_OK);
        unsigned drawn = 0;
        for (uint32_t n = 0; n < PAGES; n++)
            drawn += mixes[m](n) ? 1 : 0;
        assert_int_equal(first.result.by_how[PL_PAGE_RENDERED], drawn);
        assert_int_equal(first.result.pages, PAGES);
        assert_true(first.inputs.repaired);
        assert_string_equal(first.inputs.note, "a font was replaced");
        for (size_t t = 0; t < PL_COUNT_OF(threads); t++) {
            struct desk again;
            assert_int_equal(desk_run(&again, mixes[m], threads[t], 0), PL_OK);
            assert_int_equal(again.out.bytes.size, first.out.bytes.size);
            assert_memory_equal(again.out.bytes.data, first.out.bytes.data, first.out.bytes.size);
            assert_int_equal(again.result.page_ledger.size, first.result.page_ledger.size);
            assert_memory_equal(again.result.page_ledger.data, first.result.page_ledger.data,
                                first.result.page_ledger.size);
            desk_fini(&again);
        }
        desk_fini(&first);
    }
}

static void run_pages__a_drawing_fails__the_page_is_told(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads < 4; threads++) {
        struct desk desk;
        assert_int_equal(desk_run(&desk, drawn_odd, threads, 8), PL_BAD_DOCUMENT);
        assert_string_equal(desk.fault.reason, "input 1: page 8 is lost");
        assert_int_equal(desk.result.pages, 7);
        desk_fini(&desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_pages__drawn_and_loaded__same_bytes_with_any_threads),
        cmocka_unit_test(run_pages__a_drawing_fails__the_page_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
