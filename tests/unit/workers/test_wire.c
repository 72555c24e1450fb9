/* test_wire: every frame there and back, cut at every byte, one byte too long, out of range.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/wire.h"

#include "tests/support/pl_test.h"

#include <stdlib.h>
#include <string.h>

static struct pl_bytes wire_written(const struct pl_wire_frame *frame)
{
    struct pl_bytes out;
    pl_bytes_init(&out, PL_WIRE_FRAME_BYTES);
    assert_int_equal(pl_wire_write(frame, &out), PL_OK);
    return out;
}

static struct pl_wire_frame *wire_run_frame(size_t inputs)
{
    struct pl_wire_frame *frame = calloc(1, sizeof *frame);
    frame->kind = PL_WIRE_RUN;
    struct pl_wire_run *run = &frame->as.run;
    assert_true(pl_id_parse(pl_span_from("01hzzzzzzzzzzzzzzzzzzzzzzz"), &run->job));
    assert_true(pl_id_parse(pl_span_from("01h00000000000000000000000"), &run->tenant));
    run->limits = (struct pl_run_limits){ .documents = 7, .output_bytes = 1234567, .cpu_ms = 9 };
    run->input_count = inputs;
    run->plan = pl_span_from("{\"name\":\"x\"}");
    for (size_t i = 0; i <= inputs; i++) {
        run->files[i].sealed = i != 1;
        run->files[i].size = i * 1000;
        if (i == 1)
            continue;
        memset(&run->files[i].key, (int)i + 1, sizeof run->files[i].key);
        memset(run->files[i].context, (int)i + 7, sizeof run->files[i].context);
    }
    return frame;
}

static struct pl_wire_frame *wire_report_frame(pl_status status)
{
    struct pl_wire_frame *frame = calloc(1, sizeof *frame);
    frame->kind = PL_WIRE_REPORT;
    struct pl_run_report *report = &frame->as.report;
    report->status = status;
    if (status != PL_OK)
        (void)pl_fault_set(&report->fault, status, "page 3 is cut off");
    report->summary.documents = status == PL_OK ? 4 : 0;
    report->summary.pages_in = 3;
    for (unsigned how = 0; how < PL_JOB_PAGES_COUNT; how++)
        report->summary.by_how[how] = how + 1;
    report->summary.repaired = true;
    (void)pl_text_copy(report->summary.note, sizeof report->summary.note, pl_span_from("mended"));
    return frame;
}

static struct pl_wire_frame *wire_place_frame(pl_status status)
{
    struct pl_wire_frame *frame = calloc(1, sizeof *frame);
    struct pl_wire_place *place = &frame->as.place;
    frame->kind = PL_WIRE_FILE;
    place->n = 17;
    place->fault.status = status;
    if (status != PL_OK) {
        (void)pl_text_copy(place->fault.reason, PL_FAULT_CHARS, pl_span_from("no room"));
        return frame;
    }
    place->file.sealed = true;
    memset(&place->file.key, 3, sizeof place->file.key);
    memset(place->file.context, 4, sizeof place->file.context);
    return frame;
}

static struct pl_wire_frame *wire_document_frame(void)
{
    struct pl_wire_frame *frame = calloc(1, sizeof *frame);
    struct pl_run_output *output = &frame->as.document.output;
    frame->kind = PL_WIRE_DOCUMENT;
    frame->as.document.n = 12;
    (void)pl_text_copy(output->type, sizeof output->type, pl_span_from("image/png"));
    (void)pl_text_copy(output->extension, sizeof output->extension, pl_span_from("png"));
    (void)pl_text_copy(output->suffix, sizeof output->suffix, pl_span_from("-012"));
    output->bytes = 99;
    output->pages = 3;
    memset(output->sha256, 5, sizeof output->sha256);
    output->page_ledger.size = 77;
    return frame;
}

/* Every kind of frame, for tests of what holds for all. */
static struct pl_wire_frame *wire_sample(unsigned n)
{
    struct pl_wire_frame *frame = NULL;
    if (n == 0)
        return wire_run_frame(2);
    if (n == 1)
        return wire_report_frame(PL_OK);
    if (n == 2)
        return wire_report_frame(PL_BAD_DOCUMENT);
    if (n == 7)
        return wire_place_frame(PL_OK);
    if (n == 8)
        return wire_place_frame(PL_NO_SPACE);
    if (n == 9)
        return wire_document_frame();
    frame = calloc(1, sizeof *frame);
    if (n == 10) {
        frame->kind = PL_WIRE_OPEN;
        frame->as.open = 2;
    } else if (n == 3) {
        frame->kind = PL_WIRE_SETUP;
        frame->as.setup = (struct pl_wire_setup){ 4, 1 << 29, 20000, 1 << 30 };
    } else if (n == 4) {
        frame->kind = PL_WIRE_HELLO;
        frame->as.hello = (struct pl_wire_hello){ 7, true, true, false };
    } else if (n == 5) {
        frame->kind = PL_WIRE_PROGRESS;
        frame->as.progress = (struct pl_wire_progress){ 3, 9 };
    } else {
        frame->kind = PL_WIRE_LEDGER;
        frame->as.ledger = pl_span_from("[{\"n\":1}]");
    }
    return frame;
}
#define WIRE_SAMPLES 11

static void wire__a_run__arrives_as_sent(void **state)
{
    (void)state;
    struct pl_wire_frame *sent = wire_run_frame(PL_RUN_INPUTS);
    struct pl_bytes bytes = wire_written(sent);
    struct pl_wire_frame *got = malloc(sizeof *got);
    assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_OK);
    const struct pl_wire_run *run = &got->as.run;
    assert_int_equal(got->kind, PL_WIRE_RUN);
    assert_string_equal(run->job.text, sent->as.run.job.text);
    assert_string_equal(run->tenant.text, sent->as.run.tenant.text);
    assert_memory_equal(&run->limits, &sent->as.run.limits, sizeof run->limits);
    assert_int_equal(run->input_count, PL_RUN_INPUTS);
    assert_true(pl_span_equals(run->plan, "{\"name\":\"x\"}"));
    for (size_t i = 0; i <= run->input_count; i++) {
        assert_int_equal(run->files[i].sealed, i != 1);
        assert_int_equal(run->files[i].size, i * 1000);
        assert_memory_equal(&run->files[i].key, &sent->as.run.files[i].key,
                            sizeof run->files[i].key);
        assert_memory_equal(run->files[i].context, sent->as.run.files[i].context,
                            sizeof run->files[i].context);
    }
    free(got);
    free(sent);
    pl_bytes_fini(&bytes);
}

static void wire__a_report__arrives_as_sent(void **state)
{
    (void)state;
    struct pl_wire_frame *sent = wire_report_frame(PL_BAD_DOCUMENT);
    struct pl_bytes bytes = wire_written(sent);
    struct pl_wire_frame *got = malloc(sizeof *got);
    assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_OK);
    assert_int_equal(got->as.report.status, PL_BAD_DOCUMENT);
    assert_int_equal(got->as.report.fault.status, PL_BAD_DOCUMENT);
    assert_string_equal(got->as.report.fault.reason, "page 3 is cut off");
    assert_memory_equal(&got->as.report.summary, &sent->as.report.summary,
                        sizeof got->as.report.summary);
    free(got);
    free(sent);
    pl_bytes_fini(&bytes);
}

static void wire__a_place_and_a_document__arrive_as_sent(void **state)
{
    (void)state;
    struct pl_wire_frame *sent[] = { wire_place_frame(PL_OK), wire_place_frame(PL_NO_SPACE),
                                     wire_document_frame() };
    struct pl_wire_frame *got = malloc(sizeof *got);
    for (size_t i = 0; i < PL_COUNT_OF(sent); i++) {
        struct pl_bytes bytes = wire_written(sent[i]);
        assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_OK);
        assert_int_equal(got->kind, sent[i]->kind);
        if (got->kind == PL_WIRE_FILE)
            assert_memory_equal(&got->as.place, &sent[i]->as.place, sizeof got->as.place);
        else
            assert_memory_equal(&got->as.document, &sent[i]->as.document, sizeof got->as.document);
        pl_bytes_fini(&bytes);
        free(sent[i]);
    }
    free(got);
}

static void wire__every_cut_and_every_byte_too_many__is_refused(void **state)
{
    (void)state;
    struct pl_wire_frame *got = malloc(sizeof *got);
    for (unsigned n = 0; n < WIRE_SAMPLES; n++) {
        struct pl_wire_frame *sent = wire_sample(n);
        struct pl_bytes bytes = wire_written(sent);
        assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_OK);
        for (size_t cut = 0; cut < bytes.size; cut++) {
            uint8_t *exact = malloc(cut + 1); /* so that a sanitizer sees a read past the end */
            memcpy(exact, bytes.data, cut);
            uint8_t *tight = realloc(exact, cut > 0 ? cut : 1);
            assert_int_equal(pl_wire_parse(tight, cut, got), PL_BAD_REQUEST);
            free(tight);
        }
        assert_int_equal(pl_bytes_append(&bytes, "", 1), PL_OK);
        assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_BAD_REQUEST);
        pl_bytes_fini(&bytes);
        free(sent);
    }
    free(got);
}

static void wire__a_frame_of_another_kind_or_version__is_refused(void **state)
{
    (void)state;
    struct pl_wire_frame *sent = wire_sample(4);
    struct pl_wire_frame *got = malloc(sizeof *got);
    struct pl_bytes bytes = wire_written(sent);
    for (size_t at = 0; at < 4; at++) {
        bytes.data[at] ^= 0x40;
        assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_BAD_REQUEST);
        bytes.data[at] ^= 0x40;
    }
    uint8_t *large = calloc(1, PL_WIRE_FRAME_BYTES + 1);
    memcpy(large, bytes.data, bytes.size);
    assert_int_equal(pl_wire_parse(large, PL_WIRE_FRAME_BYTES + 1, got), PL_BAD_REQUEST);
    free(large);
    free(got);
    free(sent);
    pl_bytes_fini(&bytes);
}

static void assert_refused(struct pl_wire_frame *frame)
{
    struct pl_bytes bytes = wire_written(frame);
    struct pl_wire_frame *got = malloc(sizeof *got);
    assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_BAD_REQUEST);
    free(got);
    free(frame);
    pl_bytes_fini(&bytes);
}

static void wire__values_out_of_range__are_refused(void **state)
{
    (void)state;
    struct pl_wire_frame *frame = wire_sample(5);
    frame->as.progress.done = 10; /* of 9 */
    assert_refused(frame);
    frame = wire_sample(3);
    frame->as.setup.threads = 0;
    assert_refused(frame);
    frame = wire_report_frame(PL_OK);
    (void)pl_text_copy(frame->as.report.fault.reason, PL_FAULT_CHARS,
                       pl_span_from("done, and yet"));
    assert_refused(frame);
    frame = wire_report_frame(PL_OK);
    frame->as.report.summary.documents = 0;
    assert_refused(frame);
    frame = wire_report_frame(PL_OK);
    frame->as.report.summary.note[0] = '\0'; /* repaired, and nobody says how */
    assert_refused(frame);
    frame = wire_report_frame(PL_BAD_DOCUMENT);
    frame->as.report.summary.documents = 1;
    assert_refused(frame);
    frame = wire_report_frame(PL_BAD_DOCUMENT);
    frame->as.report.status = PL_STATUS_COUNT;
    assert_refused(frame);
    frame = wire_run_frame(1);
    frame->as.run.job.text[3] = '!';
    assert_refused(frame);
    frame = wire_run_frame(1);
    frame->as.run.limits.documents = PL_RUN_DOCUMENTS_MOST + 1;
    assert_refused(frame);
    frame = wire_sample(10);
    frame->as.open = 0;
    assert_refused(frame);
    frame = wire_sample(10);
    frame->as.open = PL_RUN_DOCUMENTS_MOST + 1;
    assert_refused(frame);
    frame = wire_place_frame(PL_NO_SPACE);
    frame->as.place.fault.reason[0] = '\0';
    assert_refused(frame);
}

static void wire__words_of_a_document_that_are_none__are_refused(void **state)
{
    static const struct {
        const char *type;
        const char *extension;
        const char *suffix;
    } cases[] = {
        { "text/html; x=\"<\"", "pdf", "" }, { "", "pdf", "" },
        { "application/", "pdf", "" },       { "application/pdf", "", "" },
        { "application/pdf", "p/f", "" },    { "application/pdf", "PDF", "" },
        { "application/pdf", "..", "" },     { "application/pdf", "pdf", "/../1" },
        { "application/pdf", "pdf", "\n" },
    };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        struct pl_wire_frame *frame = wire_document_frame();
        struct pl_run_output *output = &frame->as.document.output;
        assert_true(
            pl_text_copy(output->type, sizeof output->type, pl_span_from(cases[i].type)) &&
            pl_text_copy(output->extension, sizeof output->extension,
                         pl_span_from(cases[i].extension)) &&
            pl_text_copy(output->suffix, sizeof output->suffix, pl_span_from(cases[i].suffix)));
        assert_refused(frame);
    }
}

static void wire__a_sentence_with_control_marks__is_made_fit_to_show(void **state)
{
    (void)state;
    struct pl_wire_frame *sent = wire_report_frame(PL_BAD_DOCUMENT);
    (void)pl_text_copy(sent->as.report.fault.reason, PL_FAULT_CHARS,
                       pl_span_from("a\033[2J\nb\xFF"));
    struct pl_bytes bytes = wire_written(sent);
    struct pl_wire_frame *got = malloc(sizeof *got);
    assert_int_equal(pl_wire_parse(bytes.data, bytes.size, got), PL_OK);
    assert_true(pl_text_is_utf8(pl_span_from(got->as.report.fault.reason)));
    assert_null(strchr(got->as.report.fault.reason, '\033'));
    assert_null(strchr(got->as.report.fault.reason, '\n'));
    free(got);
    free(sent);
    pl_bytes_fini(&bytes);
}

static void wire__what_the_other_side_would_refuse__is_not_written(void **state)
{
    (void)state;
    struct pl_bytes bytes;
    char *plan = calloc(1, PL_RUN_PLAN_BYTES + 1);
    struct pl_wire_frame *frame = wire_run_frame(1);
    pl_bytes_init(&bytes, PL_WIRE_FRAME_BYTES);
    frame->as.run.plan = (struct pl_span){ plan, PL_RUN_PLAN_BYTES + 1 };
    assert_int_equal(pl_wire_write(frame, &bytes), PL_TOO_LARGE);
    frame->as.run.plan.size = 1;
    frame->as.run.input_count = PL_RUN_INPUTS + 1;
    assert_int_equal(pl_wire_write(frame, &bytes), PL_TOO_LARGE);
    frame->kind = PL_WIRE_LEDGER;
    frame->as.ledger = (struct pl_span){ plan, PL_WIRE_LEDGER_BYTES + 1 };
    assert_int_equal(pl_wire_write(frame, &bytes), PL_TOO_LARGE);
    assert_int_equal(bytes.size, 0);
    free(plan);
    free(frame);
}

static void wire__the_largest_run__fits_a_frame(void **state)
{
    (void)state;
    char *plan = malloc(PL_RUN_PLAN_BYTES);
    memset(plan, 'x', PL_RUN_PLAN_BYTES);
    struct pl_wire_frame *frame = wire_run_frame(PL_RUN_INPUTS);
    frame->as.run.plan = (struct pl_span){ plan, PL_RUN_PLAN_BYTES };
    struct pl_bytes bytes = wire_written(frame);
    assert_true(bytes.size <= PL_WIRE_FRAME_BYTES);
    pl_bytes_fini(&bytes);
    free(plan);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire__a_run__arrives_as_sent),
        cmocka_unit_test(wire__a_report__arrives_as_sent),
        cmocka_unit_test(wire__a_place_and_a_document__arrive_as_sent),
        cmocka_unit_test(wire__words_of_a_document_that_are_none__are_refused),
        cmocka_unit_test(wire__every_cut_and_every_byte_too_many__is_refused),
        cmocka_unit_test(wire__a_frame_of_another_kind_or_version__is_refused),
        cmocka_unit_test(wire__values_out_of_range__are_refused),
        cmocka_unit_test(wire__a_sentence_with_control_marks__is_made_fit_to_show),
        cmocka_unit_test(wire__what_the_other_side_would_refuse__is_not_written),
        cmocka_unit_test(wire__the_largest_run__fits_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
