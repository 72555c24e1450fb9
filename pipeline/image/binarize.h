/* binarize: grey pictures in black and white.
 *
 * Sauvola and Pietikainen 2000: a pixel is black when it is darker than m (1 + k (s / 128 - 1)),
 * with k = 0.34, where m and s are mean and standard deviation in a square window of a quarter inch
 * (odd, 15 to 181 pixels, cut at the edges of the picture); and, so that areas larger than the
 * window do not turn white inside, where it is darker than half of Otsu's threshold. Follows uneven
 * light and paper.
 *
 * Otsu 1979: the one threshold that parts the histogram best, the middle one where several do;
 * where the means of its two sides lie less than 32 apart the picture has one tone, and what is
 * below 128 is black.
 *
 * Dither: Floyd and Steinberg 1976, rows in turn from the left and from the right.
 *
 * All three give the same result on every machine: sums are integers, and what is computed in
 * floating point uses IEEE 754's operations one by one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_BINARIZE_H
#define PL_PIPELINE_IMAGE_BINARIZE_H

#include "pipeline/convert_settings.h"
#include "pipeline/image/picture.h"

/* `in` is grey. TOO_LARGE, NO_MEMORY. */
pl_status pl_binarize(const struct pl_picture *in, enum pl_binarize how,
                      const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                      struct pl_fault *fault) PL_MUST_USE;

/* Black where a pixel is at most `level`. */
pl_status pl_binarize_at(const struct pl_picture *in, uint8_t level, const struct pl_limits *limits,
                         uint32_t page, struct pl_picture *out, struct pl_fault *fault) PL_MUST_USE;

/* Otsu's threshold: the brightest level that is black. */
uint8_t pl_binarize_otsu(const struct pl_picture *in);

/* "Sauvola", "Otsu", "dithering", for notes. */
const char *pl_binarize_name(enum pl_binarize how);

#endif
