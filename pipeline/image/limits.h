/* limits: the ceilings that every loop over a document's bytes obeys; checked before memory is
 * claimed.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_LIMITS_H
#define PL_PIPELINE_IMAGE_LIMITS_H

#include "engine/base/status.h"

struct pl_limits {
    uint32_t pages;        /* in a document */
    uint32_t side_px;      /* width or height */
    uint64_t colour_px;    /* pixels of a grey or colour page */
    uint64_t bilevel_px;   /* pixels of a bilevel page */
    uint64_t page_bytes;   /* encoded or decoded bytes of one page held in memory */
    uint64_t output_bytes; /* of the result */
    uint64_t expansion;    /* decoded : encoded, once more than 64 MiB are decoded */
    uint32_t nesting;      /* of a PDF's arrays and dictionaries inside each other */
};

/* 10,000 pages, 65,500 px a side, 150 MP colour, 600 MP bilevel, 512 MiB a page, 2 GiB output,
 * 1,000 : 1, 64 deep (reliability.md section 4). */
extern const struct pl_limits pl_limits_default;

/* Refuses what a header claims before anything is allocated for it. `page` is 1-based; bits is per
 * sample. PL_TOO_LARGE or PL_BAD_DOCUMENT (a side of 0) with a sentence that names the page, the
 * claim and the limit. */
pl_status pl_limits_check(const struct pl_limits *limits, uint32_t page, uint32_t width_px,
                          uint32_t height_px, unsigned components, unsigned bits,
                          struct pl_fault *fault) PL_MUST_USE;

#endif
