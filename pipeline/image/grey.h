/* grey: between colours, without profiles.
 *
 * RGB to grey is the luma of Rec. 601: (19595 R + 38470 G + 7471 B + 32768) >> 16. CMYK to RGB is
 * (255 - C) (255 - K) / 255, rounded, and the same for magenta and yellow: what a reader without
 * colour management shows. CMYK to grey is the luma of that. Bilevel becomes 0 and 255.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_GREY_H
#define PL_PIPELINE_IMAGE_GREY_H

#include "pipeline/image/picture.h"

/* Any colour into a picture of its own. TOO_LARGE, NO_MEMORY. */
pl_status pl_grey_make(const struct pl_picture *in, const struct pl_limits *limits, uint32_t page,
                       struct pl_picture *out, struct pl_fault *fault) PL_MUST_USE;
pl_status pl_rgb_make(const struct pl_picture *in, const struct pl_limits *limits, uint32_t page,
                      struct pl_picture *out, struct pl_fault *fault) PL_MUST_USE;

/* One row of width_px pixels of `colour` as 8-bit grey, or as RGB. */
void pl_grey_row(enum pl_colour colour, const uint8_t *row, uint32_t width_px, uint8_t *out);
void pl_rgb_row(enum pl_colour colour, const uint8_t *row, uint32_t width_px, uint8_t *out);

#endif
