/* g4_decode: ITU-T T.6 and T.4 (one- and two-dimensional) into bilevel rows, or into nothing, to
 * know that the data are whole.
 *
 * Strict: a code that does not exist, a run that leaves the row, a row that goes backwards or rows
 * that are missing at the end are faults that name the row. Nothing is made up. What follows the
 * last row (EOFB, RTC, padding) is not looked at.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_G4_DECODE_H
#define PL_PIPELINE_CODEC_G4_DECODE_H

#include "pipeline/image/page.h"

/* What the data do not say themselves. Rows of T.4 may be led by an EOL, with fill bits before it,
 * or not; with byte_align every row must be led by one, or none. */
struct pl_fax {
    bool t6;               /* else `t4` counts */
    struct pl_page_fax t4; /* k below 0 means T.6 as well */
    uint32_t width_px;
    uint32_t rows;
    uint32_t page;      /* number of the page, for the sentence */
    uint32_t first_row; /* of the page, 0-based, for the sentence */
};

/* The fax data of a page's filter, G4 or G3. */
struct pl_fax pl_fax_from_page(const struct pl_page *page);

/* Writes `rows` rows, 1 where T.6 says black, `stride` bytes apart: a multiple of 8 that holds the
 * width; bits past the width are 0. BAD_DOCUMENT, UNSUPPORTED (uncompressed mode), TOO_LARGE (a
 * width past 2^20), NO_MEMORY, with a sentence. */
pl_status pl_fax_decode(const struct pl_fax *fax, const uint8_t *data, size_t size, uint8_t *pixels,
                        size_t stride, struct pl_fault *fault) PL_MUST_USE;

/* The same verdict without pixels: every code is read, in about two thirds of the time. */
pl_status pl_fax_check(const struct pl_fax *fax, const uint8_t *data, size_t size,
                       struct pl_fault *fault) PL_MUST_USE;

#endif
