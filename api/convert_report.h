/* convert_report: what `platen convert` says about a task that ended: a line for people, or JSON.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_CONVERT_REPORT_H
#define PL_API_CONVERT_REPORT_H

#include "api/convert_plan.h"
#include "engine/core/runner.h"

#include <stdio.h>

/* One task that ended. */
struct pl_convert_end {
    const struct pl_convert_task *task;
    const struct pl_run_report *report;
    const struct pl_fault *fault; /* of the whole task: of the run, or of what came after */
    char *const *names;           /* of the outputs, report->output_count */
    uint64_t bytes_in;
    int64_t took_ms;
};

/* One line: inputs, outputs [{name, type, bytes, pages, sha256}], pages [the page ledger],
 * pages_in, pages_out, bytes_in, bytes_out, how, repaired, note, ms, error {status, reason} or
 * null. The outputs are read again for their digests. */
void pl_convert_report_json(const struct pl_convert_end *end, FILE *to);
/* "scan.pdf: 28 pages (28 copied), 1904790 bytes in, 1912345 out, 9 ms". */
void pl_convert_report_line(const struct pl_convert_end *end, FILE *to);

#endif
