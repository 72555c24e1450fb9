/* auto_colour: whether a page needs colour, grey, or only black and white.
 *
 * Measured on the means of square blocks of 1/75 inch, so that the fringes which a scanner leaves
 * at the edges of text, and the noise of JPEG, cancel out. Paper is the level that is most common
 * among the brighter half of the blocks, for each of red, green and blue; everything is stretched
 * so that paper is white. Then:
 *
 * - colour, when in more than 1 of 2,000 blocks red, green and blue differ by more than 40;
 * - else grey, when more than 1 of 100 blocks are a tone: between 48 and 216 on the average, and
 *   even, that is, darkest and brightest pixel differ by less than 64;
 * - else black and white.
 *
 * A tinted sheet with black text is black and white; a stamp, a marker or a signature in colour is
 * colour.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_AUTO_COLOUR_H
#define PL_PIPELINE_IMAGE_AUTO_COLOUR_H

#include "pipeline/image/picture.h"

/* *out gets BILEVEL, GREY, or the picture's own colour (RGB, CMYK). NO_MEMORY. */
pl_status pl_auto_colour(const struct pl_picture *picture, enum pl_colour *out) PL_MUST_USE;

#endif
