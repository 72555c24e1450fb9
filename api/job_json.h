/* job_json: the job resource (DESIGN section 8) as JSON, from rows whose secrets are opened.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_JOB_JSON_H
#define PL_API_JOB_JSON_H

#include "engine/core/job_report.h"
#include "engine/core/ledger.h"

#include <jansson.h>

/* Documents of a job that a list shows; the job itself shows all. */
#define PL_JOB_LIST_DOCUMENTS 10u

/* One document of a job. */
struct pl_job_document {
    struct pl_ledger_document row;
    struct pl_span name;        /* opened; any bytes */
    struct pl_span page_ledger; /* opened JSON; empty: left out */
    struct pl_job_document *next;
};

struct pl_job_event {
    struct pl_ledger_event row;
    struct pl_span note; /* opened; any bytes */
    struct pl_job_event *next;
};

/* A job with what belongs to it; names and reason are opened, and may hold any bytes. */
struct pl_job_view {
    struct pl_ledger_job row;
    struct pl_span name;
    struct pl_span device_login;
    struct pl_span reason;
    struct pl_span device_sealed; /* as the ledger has it */
    struct pl_job_report report;
    bool has_report;
    struct pl_job_document *documents;
    struct pl_job_event *events;
    bool has_history; /* false: `history` is left out (lists) */
    struct pl_job_view *next;
};

/* A new reference, or NULL when memory is out. */
json_t *pl_job_json(const struct pl_job_view *job) PL_MUST_USE;

/* {"n": number, "page_ledger": [...] or null} */
json_t *pl_job_pages_json(const struct pl_job_document *document) PL_MUST_USE;

/* {"jobs": [...], "next": cursor or null}. `next` none: the last page. */
json_t *pl_job_list_json(const struct pl_job_view *jobs, const struct pl_id *next) PL_MUST_USE;

#endif
