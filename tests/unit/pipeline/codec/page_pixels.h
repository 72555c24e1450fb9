/* page_pixels: decodes a page as a reader of PDF would, by libraries that the writers do not share
 * code with.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_CODEC_PAGE_PIXELS_H
#define PL_TESTS_UNIT_PIPELINE_CODEC_PAGE_PIXELS_H

#include "pipeline/image/page.h"

/* Rows of samples, 8 or 16 (big-endian) bits; 0 is black, no ink in CMYK: `inverted` is undone. */
struct pixels {
    uint32_t width_px;
    uint32_t height_px;
    unsigned samples;
    unsigned bits;
    uint8_t *data;
};

/* Aborts when the page cannot be decoded or its data do not fill it. Free pixels->data. */
void page_pixels_decode(const struct pl_page *page, struct pixels *out);
/* One T.6 picture into a byte a pixel, 0 black; false when libtiff complains. */
bool page_pixels_g4(const uint8_t *data, size_t size, uint32_t width_px, uint32_t rows,
                    uint8_t *out);

#endif
