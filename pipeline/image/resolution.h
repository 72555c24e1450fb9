/* resolution: the stated rules that turn what a file says about its resolution into a page size.
 *
 * In this order:
 *  1. Inch and centimetre are what they say. Values of no unit count as per inch when both lie in
 *     50 .. 2,400; otherwise they are at most an aspect ratio.
 *  2. A value below 20 or above 12,000 dpi counts as missing. If only one axis is missing it takes
 *     the value of the other.
 *  3. 72 and 96 dpi are what programs write that were never told: they count as missing when the
 *     longer side would exceed 17.4 inches (a sheet of A3 with its tolerance).
 *  4. Both missing: the resolution out of 300, 200, 600, 400, 240, 150 and 100 dpi at which the
 * page is A4, Letter or Legal within 2 %; else 300 dpi; else 600, when 300 make it longer than 17.4
 *     inches. An aspect ratio between 1 : 4 and 4 : 1 (rule 1) is kept: the axis of more pixels an
 *     inch has the assumed value.
 *  5. A side that would be outside of 3 .. 14,400 PDF units (ISO 19005-2 6.1.13) is set to that
 * bound. Pixels that are not square stay so. Each rule that was applied leaves a note.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_RESOLUTION_H
#define PL_PIPELINE_IMAGE_RESOLUTION_H

#include "pipeline/image/page.h"

enum pl_resolution_unit { PL_RESOLUTION_NONE, PL_RESOLUTION_INCH, PL_RESOLUTION_CM };

/* What a file says; a denominator of 0 says nothing. */
struct pl_resolution {
    enum pl_resolution_unit unit;
    uint32_t x_num, x_den;
    uint32_t y_num, y_den;
};

/* Sets x_mdpi and y_mdpi of a page whose size in pixels is set, and adds to its note. */
void pl_resolution_apply(const struct pl_resolution *said, struct pl_page *page);

#endif
