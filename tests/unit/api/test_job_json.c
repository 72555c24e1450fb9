/* test_job_json: the job resource of the design, member by member.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/job_json.h"

#include "tests/support/pl_test.h"

#include <stdlib.h>
#include <string.h>

static struct pl_job_view a_job(void)
{
    struct pl_job_view job = { 0 };
    memcpy(job.row.id.text, "01hf7k3v5e8z9x2c4b6n8m0q1w", PL_ID_CHARS + 1);
    memcpy(job.row.device.text, "01hf7k3v5e8z9x2c4b6n8m0q1d", PL_ID_CHARS + 1);
    job.row.drop = "inbox";
    job.row.pipeline = "archive";
    job.row.pipeline_version = 1;
    job.row.state = PL_JOB_DONE;
    job.row.attempts = 2;
    job.row.bytes = 5000000000;
    job.row.received_ms = 1700000000123;
    job.row.finished_ms = 1700000000456;
    job.name = pl_span_from("scan.tif");
    job.device_login = pl_span_from("mfp-1");
    return job;
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static void job_json__job__has_the_members_of_the_design(void **state)
{
    struct pl_job_view job = a_job();
    json_t *json = pl_job_json(&job);
    (void)state;
    assert_non_null(json);
    assert_string_equal(text_at(json, "id"), "01hf7k3v5e8z9x2c4b6n8m0q1w");
    assert_string_equal(text_at(json, "state"), "done");
    assert_string_equal(text_at(json, "pipeline"), "archive");
    assert_string_equal(text_at(json, "device"), "01hf7k3v5e8z9x2c4b6n8m0q1d");
    assert_string_equal(text_at(json, "device_login"), "mfp-1");
    assert_string_equal(text_at(json, "name"), "scan.tif");
    assert_string_equal(text_at(json, "received_at"), "2023-11-14T22:13:20.123Z");
    assert_string_equal(text_at(json, "finished_at"), "2023-11-14T22:13:20.456Z");
    assert_true(json_is_null(json_object_get(json, "error")));
    assert_int_equal(json_integer_value(json_object_get(json, "bytes")), 5000000000);
    assert_int_equal(json_array_size(json_object_get(json, "documents")), 0);
    assert_null(json_object_get(json, "history"));
    json_decref(json);
}

static void job_json__failed_job__says_why_and_when(void **state)
{
    struct pl_job_view job = a_job();
    struct pl_job_event dead = {
        .row = { .at_ms = 2000, .state = PL_JOB_DEAD, .attempt = 1, .error = PL_BAD_DOCUMENT }
    };
    struct pl_job_event queued = { .row = { .at_ms = 1000, .state = PL_JOB_QUEUED },
                                   .next = &dead };
    (void)state;
    job.row.state = PL_JOB_DEAD;
    job.row.error = PL_BAD_DOCUMENT;
    job.row.finished_ms = 0;
    job.reason = pl_span_from("page 3 is cut short");
    job.has_history = true;
    job.events = &queued;
    json_t *json = pl_job_json(&job);
    assert_non_null(json);
    assert_true(json_is_null(json_object_get(json, "finished_at")));
    assert_string_equal(text_at(json_object_get(json, "error"), "code"), "bad_document");
    assert_string_equal(text_at(json_object_get(json, "error"), "reason"), "page 3 is cut short");
    json_t *history = json_object_get(json, "history");
    assert_int_equal(json_array_size(history), 2);
    assert_string_equal(text_at(json_array_get(history, 0), "state"), "queued");
    assert_true(json_is_null(json_object_get(json_array_get(history, 0), "error")));
    assert_string_equal(text_at(json_array_get(history, 1), "error"), "bad_document");
    assert_string_equal(text_at(json_array_get(history, 1), "at"), "1970-01-01T00:00:02.000Z");
    json_decref(json);
}

static void job_json__repaired_job__is_done_and_says_so(void **state)
{
    struct pl_job_view job = a_job();
    (void)state;
    job.has_report = true;
    job.report = (struct pl_job_report){ .bytes_out = 6000000000,
                                         .documents = 12,
                                         .pages_in = 13,
                                         .pages_out = 12,
                                         .by_how = { 5, 4, 2, 1 },
                                         .repaired = true,
                                         .note = "page 13 could not be read" };
    json_t *json = pl_job_json(&job);
    const json_t *pages = json_object_get(json, "pages");
    assert_string_equal(text_at(json, "state"), "done");
    assert_true(json_is_true(json_object_get(json, "repaired")));
    assert_string_equal(text_at(json, "note"), "page 13 could not be read");
    assert_int_equal(json_integer_value(json_object_get(json, "bytes_in")), 5000000000);
    assert_int_equal(json_integer_value(json_object_get(json, "bytes_out")), 6000000000);
    assert_int_equal(json_integer_value(json_object_get(json, "document_count")), 12);
    assert_int_equal(json_integer_value(json_object_get(pages, "in")), 13);
    assert_int_equal(json_integer_value(json_object_get(pages, "reencoded_loss")), 2);
    assert_int_equal(json_integer_value(json_object_get(pages, "rendered")), 1);
    json_decref(json);
    /* Of a try that did not get to its end. */
    job.row.state = PL_JOB_QUEUED;
    json = pl_job_json(&job);
    assert_true(json_is_false(json_object_get(json, "repaired")));
    assert_true(json_is_null(json_object_get(json, "note")));
    assert_true(json_is_null(json_object_get(json, "pages")));
    assert_true(json_is_null(json_object_get(json, "bytes_out")));
    json_decref(json);
}

static void job_json__document__has_link_and_page_ledger(void **state)
{
    struct pl_job_view job = a_job();
    struct pl_job_document document = {
        .row = { .job = job.row.id, .n = 1, .type = "application/pdf", .bytes = 1234, .pages = 3 },
        .name = pl_span_from("scan.pdf"),
        .page_ledger = pl_span_from("[{\"n\":1}]")
    };
    (void)state;
    job.documents = &document;
    json_t *json = pl_job_json(&job);
    json_t *shown = json_array_get(json_object_get(json, "documents"), 0);
    assert_non_null(shown);
    assert_int_equal(json_integer_value(json_object_get(shown, "n")), 1);
    assert_int_equal(json_integer_value(json_object_get(shown, "pages")), 3);
    assert_string_equal(text_at(shown, "name"), "scan.pdf");
    assert_string_equal(text_at(shown, "type"), "application/pdf");
    assert_string_equal(text_at(shown, "href"), "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/1");
    assert_int_equal(strlen(text_at(shown, "sha256")), 64);
    assert_int_equal(json_array_size(json_object_get(shown, "page_ledger")), 1);
    json_decref(json);
    /* Its row is written before its bytes are stored. */
    job.row.state = PL_JOB_DELIVERING;
    json = pl_job_json(&job);
    assert_int_equal(json_array_size(json_object_get(json, "documents")), 0);
    json_decref(json);
}

static void job_json__any_bytes_as_name__are_valid_json(void **state)
{
    struct pl_job_view job = a_job();
    (void)state;
    job.name = (struct pl_span){ "\xFF\x00\n\"x", 5 };
    json_t *json = pl_job_json(&job);
    assert_non_null(json);
    assert_string_equal(text_at(json, "name"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"x");
    json_decref(json);
}

static void job_json__list__carries_the_cursor(void **state)
{
    struct pl_job_view job = a_job();
    struct pl_id none = { "" };
    (void)state;
    json_t *json = pl_job_list_json(&job, &job.row.id);
    assert_int_equal(json_array_size(json_object_get(json, "jobs")), 1);
    assert_string_equal(text_at(json, "next"), job.row.id.text);
    json_decref(json);
    json = pl_job_list_json(NULL, &none);
    assert_int_equal(json_array_size(json_object_get(json, "jobs")), 0);
    assert_true(json_is_null(json_object_get(json, "next")));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_json__job__has_the_members_of_the_design),
        cmocka_unit_test(job_json__failed_job__says_why_and_when),
        cmocka_unit_test(job_json__repaired_job__is_done_and_says_so),
        cmocka_unit_test(job_json__document__has_link_and_page_ledger),
        cmocka_unit_test(job_json__any_bytes_as_name__are_valid_json),
        cmocka_unit_test(job_json__list__carries_the_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
