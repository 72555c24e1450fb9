/* page_query: `limit` and `cursor` of a list (cursor pages, DESIGN section 8).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_PAGE_QUERY_H
#define PL_API_PAGE_QUERY_H

#include "engine/base/ids.h"

#define PL_PAGE_MOST 200

struct pl_page_query {
    uint32_t limit;      /* 1..PL_PAGE_MOST; 50 */
    struct pl_id before; /* none: from the newest */
};

/* Reads a query ("limit=20&cursor=..."). Unknown, repeated and malformed parameters are
 * PL_BAD_REQUEST with a sentence. */
pl_status pl_page_query_parse(struct pl_span query, struct pl_page_query *out,
                              struct pl_fault *fault) PL_MUST_USE;

#endif
