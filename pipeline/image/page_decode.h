/* page_decode: from a page's encoded parts to its picture.
 *
 * Every filter, palette, inversion and depth of page.h; orientation is left to the caller
 * (rotate.h). Embedded profiles are not applied: samples stay what they are.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_PAGE_DECODE_H
#define PL_PIPELINE_IMAGE_PAGE_DECODE_H

#include "pipeline/image/picture.h"

/* The page is an image. A palette is resolved (to bilevel when it holds only black and white, to
 * grey when all entries are, else RGB or CMYK). PL_BAD_DOCUMENT with a sentence for any damage
 * within the data, PL_UNSUPPORTED, PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_page_decode(const struct pl_page *page, const struct pl_limits *limits,
                         struct pl_picture *out, struct pl_fault *fault) PL_MUST_USE;

#endif
