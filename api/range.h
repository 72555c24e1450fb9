/* range: which bytes of a document a request wants (RFC 9110 sections 13 and 14).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_RANGE_H
#define PL_API_RANGE_H

#include "engine/base/text.h"

enum pl_range_answer {
    PL_RANGE_WHOLE,         /* 200: none asked for, or one that a server may ignore */
    PL_RANGE_PART,          /* 206 */
    PL_RANGE_UNSATISFIABLE, /* 416 */
};

/* Reads a Range field for an object of `size` bytes. One range of unit "bytes" is honoured;
 * several, other units and what is not well-formed are ignored, as section 14.2 allows. *first and
 * *length are set for WHOLE and PART. */
enum pl_range_answer pl_range_parse(struct pl_span field, uint64_t size, uint64_t *first,
                                    uint64_t *length);

/* True when an If-Range field lets the range stand: absent, or this strong entity tag. `tag` with
 * its quotes. Dates never match, for documents carry none. */
bool pl_range_may(struct pl_span if_range, const char *tag);

/* True when an If-None-Match field names the tag ("*" too), by weak comparison. */
bool pl_range_is_known(struct pl_span if_none_match, const char *tag);

#endif
