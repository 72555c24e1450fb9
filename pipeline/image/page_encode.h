/* page_encode: from a picture to the encoded data of a page.
 *
 * The page keeps its number, orientation, resolution (taken from the picture), note and profile
 * (dropped by the caller where the colour changed); data, parts, filter, colour, bits, palette and
 * inversion are replaced. `how` is left to the caller.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_PAGE_ENCODE_H
#define PL_PIPELINE_IMAGE_PAGE_ENCODE_H

#include "pipeline/image/picture.h"

/* Bilevel only; one strip. */
pl_status pl_page_encode_g4(const struct pl_picture *picture, struct pl_page *page) PL_MUST_USE;
/* Any colour; RGB whose samples are all equal is written as it is (the caller decides on grey). */
pl_status pl_page_encode_flate(const struct pl_picture *picture, struct pl_page *page) PL_MUST_USE;
/* Grey, RGB (YCbCr, 4:2:0 below quality 90, else 4:4:4) and CMYK; quality 1..100, optimised
 * Huffman tables, baseline. Deterministic. */
pl_status pl_page_encode_jpeg(const struct pl_picture *picture, unsigned quality,
                              struct pl_page *page) PL_MUST_USE;

#endif
