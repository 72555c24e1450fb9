/* scale: a picture in fewer pixels.
 *
 * When both sides shrink by whole numbers each pixel is the mean of the block it stands for.
 * Otherwise Keys' cubic (a = -1/2), stretched by the ratio so that nothing above the new resolution
 * is left, axis by axis, with weights of 14 bits that add up to one. Integers throughout: the
 * result is the same on every machine. Bilevel pictures become grey; samples are averaged as they
 * are stored, not in linear light.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_SCALE_H
#define PL_PIPELINE_IMAGE_SCALE_H

#include "pipeline/image/picture.h"

/* width_px and height_px are at least 1; an axis may also grow. The resolution changes with the
 * size. TOO_LARGE, NO_MEMORY. */
pl_status pl_scale(const struct pl_picture *in, uint32_t width_px, uint32_t height_px,
                   const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                   struct pl_fault *fault) PL_MUST_USE;

#endif
