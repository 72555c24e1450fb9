/* rotate: the eight ways in which a picture can lie (TIFF 6.0 tag 274, EXIF), undone exactly.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_ROTATE_H
#define PL_PIPELINE_IMAGE_ROTATE_H

#include "pipeline/image/picture.h"

/* `orientation` 1 to 8 as it stands in the file: *out is the upright picture. Where sides are
 * exchanged so are the resolutions. TOO_LARGE, NO_MEMORY. */
pl_status pl_rotate(const struct pl_picture *in, unsigned orientation,
                    const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                    struct pl_fault *fault) PL_MUST_USE;

/* The orientation that a page has which was stored with `orientation` and is to be turned by 0, 90,
 * 180 or 270 degrees clockwise on top. */
unsigned pl_rotate_orientation(unsigned orientation, unsigned degrees);
/* Whether the sides are exchanged: 5 to 8. */
bool pl_rotate_swaps(unsigned orientation);

#endif
