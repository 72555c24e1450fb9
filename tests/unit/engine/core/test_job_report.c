/* test_job_report: the written form there and back, and what is none.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/job_report.h"

#include "tests/support/pl_test.h"

#include <string.h>

static struct pl_job_report a_report(void)
{
    struct pl_job_report report = { .bytes_out = 5000000000,
                                    .documents = 3,
                                    .pages_in = 7,
                                    .pages_out = 6,
                                    .by_how = { 1, 2, 3, 4 },
                                    .repaired = true };
    (void)pl_text_copy(report.note, sizeof report.note, pl_span_from("2 fonts were replaced"));
    return report;
}

static void job_report__written__reads_back(void **state)
{
    struct pl_job_report report = a_report();
    struct pl_job_report back = { .bytes_out = 0 };
    uint8_t written[PL_JOB_REPORT_BYTES];
    (void)state;
    size_t size = pl_job_report_write(&report, written);
    assert_true(pl_job_report_read((struct pl_span){ (const char *)written, size }, &back));
    assert_memory_equal(&back, &report, sizeof report);
}

static void job_report__with_the_longest_note__fits(void **state)
{
    struct pl_job_report report = a_report();
    struct pl_job_report back = { .bytes_out = 0 };
    uint8_t written[PL_JOB_REPORT_BYTES];
    (void)state;
    memset(report.note, 'x', sizeof report.note - 1);
    size_t size = pl_job_report_write(&report, written);
    assert_true(size <= sizeof written);
    assert_true(pl_job_report_read((struct pl_span){ (const char *)written, size }, &back));
    assert_string_equal(back.note, report.note);
}

static void job_report__of_another_version_or_cut__is_none(void **state)
{
    struct pl_job_report report = a_report();
    struct pl_job_report back = { .bytes_out = 42 };
    uint8_t written[PL_JOB_REPORT_BYTES + 1] = { 0 };
    (void)state;
    report.note[0] = '\0';
    size_t size = pl_job_report_write(&report, written);
    for (size_t cut = 0; cut < size; cut++)
        assert_false(pl_job_report_read((struct pl_span){ (const char *)written, cut }, &back));
    assert_false(pl_job_report_read(
        (struct pl_span){ (const char *)written, size + PL_JOB_NOTE_CHARS }, &back));
    written[0]++;
    assert_false(pl_job_report_read((struct pl_span){ (const char *)written, size }, &back));
    written[0]--;
    written[1] = 2;
    assert_false(pl_job_report_read((struct pl_span){ (const char *)written, size }, &back));
    assert_int_equal(back.bytes_out, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_report__written__reads_back),
        cmocka_unit_test(job_report__with_the_longest_note__fits),
        cmocka_unit_test(job_report__of_another_version_or_cut__is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
