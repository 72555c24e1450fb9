/* selection: which pages, as people write it: "1-3,7,odd,-1".
 *
 * Comma-separated terms, in the order of the result: `n`, `a-b` (also downwards), `-n` (n-th from
 * the end), `a-` (to the end), `odd`, `even`, `all`, and `!term` at the end (leave these out). A
 * page may be named twice. A number past the end selects nothing when a range reaches over the end,
 * and is refused when it stands alone.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_SELECTION_H
#define PL_PIPELINE_SELECTION_H

#include "engine/base/status.h"

/* Checks the form alone. PL_MISCONFIGURED with a sentence that shows the term and the forms. */
pl_status pl_selection_check(const char *text, struct pl_fault *fault) PL_MUST_USE;
/* *out gets a malloc'ed list of 0-based pages, at most `most` (PL_TOO_LARGE). An empty text is all.
 * BAD_DOCUMENT when a page is asked for that the document does not have, or none is left. */
pl_status pl_selection_apply(const char *text, uint32_t pages, uint32_t most, uint32_t **out,
                             uint32_t *count, struct pl_fault *fault) PL_MUST_USE;

#endif
