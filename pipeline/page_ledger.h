/* page_ledger: what happened to each page of a job, as JSON.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PAGE_LEDGER_H
#define PL_PIPELINE_PAGE_LEDGER_H

#include "engine/base/bytes.h"
#include "pipeline/image/page.h"

void pl_page_ledger_init(struct pl_bytes *json);

/* One object: n (in the document), input, page (in its input), width, height (as stored, pixels),
 * how (copied, reencoded_exact, reencoded_loss), note (only where there is one), bytes (encoded
 * image data), bytes_out (what it took in the result). PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_page_ledger_add(struct pl_bytes *json, uint32_t n, size_t input,
                             const struct pl_page *page, uint64_t bytes_out) PL_MUST_USE;

/* Closes the array. */
pl_status pl_page_ledger_end(struct pl_bytes *json) PL_MUST_USE;

#endif
