/* job_report: what was done to the pages of a job, and what had to be said about it.
 *
 * The ledger keeps it with the job, as a sealed field ("job.report/<id>"): the note may quote the
 * document.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_JOB_REPORT_H
#define PL_ENGINE_CORE_JOB_REPORT_H

#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_JOB_NOTE_CHARS 512
/* Of its written form. */
#define PL_JOB_REPORT_BYTES ((size_t)64 + PL_JOB_NOTE_CHARS)

/* clang-format off */
/*    row              name */
#define PL_JOB_PAGES_TABLE(X)               \
    X(COPIED,          "copied")            \
    X(REENCODED_EXACT, "reencoded_exact")   \
    X(REENCODED_LOSS,  "reencoded_loss")    \
    X(RENDERED,        "rendered")
/* clang-format on */

#define PL_JOB_PAGES_ENUM(row, name) PL_JOB_PAGES_##row,
enum pl_job_pages { PL_JOB_PAGES_TABLE(PL_JOB_PAGES_ENUM) PL_JOB_PAGES_COUNT };
#undef PL_JOB_PAGES_ENUM

struct pl_job_report {
    uint64_t bytes_out;                  /* of all documents */
    uint32_t documents;                  /* made */
    uint32_t pages_in;                   /* of all originals */
    uint32_t pages_out;                  /* of all documents */
    uint32_t by_how[PL_JOB_PAGES_COUNT]; /* pages by what was done to them */
    bool repaired;                       /* damage was worked around; the note says what */
    char note[PL_JOB_NOTE_CHARS];        /* UTF-8 in one line; empty: nothing to say */
};

/* Lower case, as the API writes it. */
const char *pl_job_pages_name(enum pl_job_pages how);

/* The form that is sealed; returns its size. */
size_t pl_job_report_write(const struct pl_job_report *report, uint8_t out[PL_JOB_REPORT_BYTES]);
/* False when it is not what was written. */
bool pl_job_report_read(struct pl_span written, struct pl_job_report *out);

#endif
