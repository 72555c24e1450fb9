/* picture: a page's pixels, all of them, in memory: what image operations work on.
 *
 * Rows run top to bottom. Bilevel: 1 bit a pixel, most significant bit first, 1 is black, rows are
 * whole 64-bit words so that kernels need no tail, and bits past the width are 0. Grey, RGB and
 * CMYK: 8 bits a sample, 0 is black (no ink in CMYK), contiguous. Pixels of 16 bits are brought
 * down to 8 when a page is decoded into a picture, which only happens when something must be done
 * to the pixels.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_PICTURE_H
#define PL_PIPELINE_IMAGE_PICTURE_H

#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"

struct pl_picture {
    enum pl_colour colour;
    uint32_t width_px;
    uint32_t height_px;
    size_t stride; /* bytes from row to row */
    uint32_t x_mdpi;
    uint32_t y_mdpi;
    uint8_t *pixels; /* owned */
    size_t capacity; /* bytes at pixels */
};

/* Zero-initialise; makes room (contents undefined), keeping memory that is there already and large
 * enough. Checked against limits->page_bytes with a sentence that names both numbers ("page 3 needs
 * 412 MB, limit 256 MB"). PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_picture_make(struct pl_picture *picture, enum pl_colour colour, uint32_t width_px,
                          uint32_t height_px, const struct pl_limits *limits, uint32_t page_number,
                          struct pl_fault *fault) PL_MUST_USE;
void pl_picture_fini(struct pl_picture *picture);

/* Samples of a pixel: 1 (bilevel and grey), 3, 4. */
unsigned pl_colour_samples(enum pl_colour colour);

#endif
