/* page_ledger: what happened to each page of a job, as JSON.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PAGE_LEDGER_H
#define PL_PIPELINE_PAGE_LEDGER_H

#include "engine/base/bytes.h"
#include "pipeline/image/page.h"

void pl_page_ledger_init(struct pl_bytes *json);

/* One page as it was written. */
struct pl_page_row {
    uint32_t document; /* 1-based; 0: left out, there is only one */
    uint32_t n;        /* in its document, 1-based */
    size_t input;      /* 1-based */
    uint64_t bytes_out;
};

/* One object: document, n, input, page (in its input), width, height (as stored, pixels; 0 for a
 * page that was imported), how (copied, reencoded_exact, reencoded_loss, rendered), bytes (encoded,
 * in its input; 0 for a page that was drawn), bytes_out (what it took in the result), note (only
 * where there is one). PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_page_ledger_add(struct pl_bytes *json, const struct pl_page_row *row,
                             const struct pl_page *page) PL_MUST_USE;

/* Closes the array. */
pl_status pl_page_ledger_end(struct pl_bytes *json) PL_MUST_USE;

#endif
