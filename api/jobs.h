/* jobs: GET /v1/jobs, /v1/jobs/{id} and /v1/jobs/{id}/documents/{n}/pages: what became of uploads.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_JOBS_H
#define PL_API_JOBS_H

#include "api/ask.h"

/* Newest first; `limit` and `cursor` in the query. */
void pl_jobs_list(struct pl_ask *ask);
/* One job with its history and the page ledgers of its documents. */
void pl_jobs_show(struct pl_ask *ask);
/* The page ledger of one document, for jobs of which showing all would be long. */
void pl_jobs_show_pages(struct pl_ask *ask);

/* Opens a sealed field into the arena; an empty one is empty. PL_TAMPERED, PL_NO_MEMORY. */
pl_status pl_jobs_open_field(struct pl_ask *ask, const char *field, struct pl_span sealed,
                             struct pl_span *out) PL_MUST_USE;

#endif
