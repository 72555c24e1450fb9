/* job_report: a version, numbers in big-endian order, then the note.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/job_report.h"

#include "engine/base/bytes.h"

#include <string.h>

#define REPORT_VERSION 1

const char *pl_job_pages_name(enum pl_job_pages how)
{
    static const char *const names[PL_JOB_PAGES_COUNT] = {
#define NAME(row, name) name,
        PL_JOB_PAGES_TABLE(NAME)
#undef NAME
    };
    PL_CHECK(how < PL_JOB_PAGES_COUNT);
    return names[how];
}

size_t pl_job_report_write(const struct pl_job_report *report, uint8_t out[PL_JOB_REPORT_BYTES])
{
    uint8_t *at = out;
    size_t note = strnlen(report->note, sizeof report->note - 1);
    *at++ = REPORT_VERSION;
    *at++ = report->repaired ? 1 : 0;
    pl_put_u64be(at, report->bytes_out);
    at += sizeof(uint64_t);
    const uint32_t numbers[] = { report->documents, report->pages_in, report->pages_out };
    for (size_t i = 0; i < PL_COUNT_OF(numbers); i++, at += sizeof(uint32_t))
        pl_put_u32be(at, numbers[i]);
    for (size_t i = 0; i < PL_JOB_PAGES_COUNT; i++, at += sizeof(uint32_t))
        pl_put_u32be(at, report->by_how[i]);
    memcpy(at, report->note, note);
    return (size_t)(at - out) + note;
}

bool pl_job_report_read(struct pl_span written, struct pl_job_report *out)
{
    struct pl_cursor in = { .data = (const uint8_t *)written.data, .size = written.size };
    struct pl_job_report report = { .bytes_out = 0 };
    uint8_t version = 0;
    uint8_t repaired = 0;
    if (!pl_cursor_u8(&in, &version) || version != REPORT_VERSION ||
        !pl_cursor_u8(&in, &repaired) || repaired > 1 || !pl_cursor_u64be(&in, &report.bytes_out) ||
        !pl_cursor_u32be(&in, &report.documents) || !pl_cursor_u32be(&in, &report.pages_in) ||
        !pl_cursor_u32be(&in, &report.pages_out))
        return false;
    for (size_t i = 0; i < PL_JOB_PAGES_COUNT; i++)
        if (!pl_cursor_u32be(&in, &report.by_how[i]))
            return false;
    report.repaired = repaired == 1;
    const struct pl_span note = { written.data + in.at, written.size - in.at };
    if (!pl_text_copy(report.note, sizeof report.note, note))
        return false;
    *out = report;
    return true;
}
