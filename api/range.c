/* range: see range.h; pure functions over fields.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/range.h"

#include <string.h>

static const char unit[] = "bytes=";

/* "first-last", "first-" or "-suffix"; false on anything else. */
static bool spec_split(struct pl_span field, struct pl_span *first, struct pl_span *last)
{
    size_t skip = sizeof unit - 1;
    if (field.size <= skip || !pl_span_equals_nocase((struct pl_span){ field.data, skip }, unit))
        return false;
    struct pl_span spec = { field.data + skip, field.size - skip };
    const char *dash = memchr(spec.data, '-', spec.size);
    if (dash == NULL)
        return false;
    size_t before = (size_t)(dash - spec.data);
    *first = pl_span_trim((struct pl_span){ spec.data, before });
    *last = pl_span_trim((struct pl_span){ dash + 1, spec.size - before - 1 });
    return first->size > 0 || last->size > 0;
}

/* The last `count` bytes. */
static enum pl_range_answer range_suffix(uint64_t count, uint64_t size, uint64_t *first,
                                         uint64_t *length)
{
    if (count == 0 || size == 0)
        return PL_RANGE_UNSATISFIABLE;
    *length = count < size ? count : size;
    *first = size - *length;
    return PL_RANGE_PART;
}

enum pl_range_answer pl_range_parse(struct pl_span field, uint64_t size, uint64_t *first,
                                    uint64_t *length)
{
    struct pl_span from;
    struct pl_span to;
    uint64_t begin = 0;
    uint64_t end = UINT64_MAX;
    *first = 0;
    *length = size;
    if (field.size == 0 || !spec_split(field, &from, &to))
        return PL_RANGE_WHOLE;
    if (to.size > 0 && !pl_text_parse_u64(to, UINT64_MAX, &end))
        return PL_RANGE_WHOLE;
    if (from.size == 0)
        return range_suffix(end, size, first, length);
    if (!pl_text_parse_u64(from, UINT64_MAX, &begin) || begin > end)
        return PL_RANGE_WHOLE;
    if (begin >= size)
        return PL_RANGE_UNSATISFIABLE;
    *first = begin;
    *length = (end < size - 1 ? end : size - 1) - begin + 1;
    return PL_RANGE_PART;
}

bool pl_range_may(struct pl_span if_range, const char *tag)
{
    return if_range.size == 0 || pl_span_equals(pl_span_trim(if_range), tag);
}

bool pl_range_is_known(struct pl_span if_none_match, const char *tag)
{
    struct pl_span rest = if_none_match;
    while (rest.size > 0) {
        const char *comma = memchr(rest.data, ',', rest.size);
        size_t here = comma == NULL ? rest.size : (size_t)(comma - rest.data);
        struct pl_span item = pl_span_trim((struct pl_span){ rest.data, here });
        size_t step = comma == NULL ? here : here + 1;
        rest = (struct pl_span){ rest.data + step, rest.size - step };
        if (item.size > 2 && memcmp(item.data, "W/", 2) == 0)
            item = (struct pl_span){ item.data + 2, item.size - 2 };
        if (pl_span_equals(item, "*") || pl_span_equals(item, tag))
            return true;
    }
    return false;
}
