/* page_query: pure; the values need no percent-decoding, for no valid one holds an escape.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/page_query.h"

#include <string.h>

/* Takes "name=value" off the front of *rest. */
static void pair_take(struct pl_span *rest, struct pl_span *name, struct pl_span *value)
{
    const char *end = memchr(rest->data, '&', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);
    const char *equals = memchr(rest->data, '=', size);
    size_t named = equals == NULL ? size : (size_t)(equals - rest->data);
    *name = (struct pl_span){ rest->data, named };
    *value = equals == NULL ? (struct pl_span){ rest->data + size, 0 }
                            : (struct pl_span){ equals + 1, size - named - 1 };
    size_t step = end == NULL ? size : size + 1;
    *rest = (struct pl_span){ rest->data + step, rest->size - step };
}

static pl_status limit_parse(struct pl_span value, struct pl_page_query *out,
                             struct pl_fault *fault)
{
    uint64_t limit = 0;
    if (!pl_text_parse_u64(value, PL_PAGE_MOST, &limit) || limit == 0)
        return pl_fault_set(fault, PL_BAD_REQUEST, "limit must be a number from 1 to %d",
                            PL_PAGE_MOST);
    out->limit = (uint32_t)limit;
    return PL_OK;
}

pl_status pl_page_query_parse(struct pl_span query, struct pl_page_query *out,
                              struct pl_fault *fault)
{
    struct pl_page_query page = { .limit = 50 };
    bool has_limit = false;
    bool has_cursor = false;
    pl_status status = PL_OK;
    while (query.size > 0 && status == PL_OK) {
        struct pl_span name;
        struct pl_span value;
        pair_take(&query, &name, &value);
        if (pl_span_equals(name, "limit") && !has_limit) {
            has_limit = true;
            status = limit_parse(value, &page, fault);
        } else if (pl_span_equals(name, "cursor") && !has_cursor) {
            has_cursor = true;
            if (!pl_id_parse(value, &page.before))
                status = pl_fault_set(fault, PL_BAD_REQUEST,
                                      "cursor must be the value of \"next\" of the page before");
        } else {
            status = pl_fault_set(fault, PL_BAD_REQUEST,
                                  "the query may hold limit and cursor, each once");
        }
    }
    if (status == PL_OK)
        *out = page;
    return status;
}
