/* jpeg_encode: rows of 8-bit samples into a baseline JPEG stream, by libjpeg-turbo.
 *
 * Deterministic: integer transforms and Huffman tables made for the picture (the standard ones when
 * its coefficients would take more than 256 MiB to hold). YCbCr with 4:2:0 below quality 90, else
 * 4:4:4; CMYK as YCCK with all planes whole and Adobe's inverted samples, as readers expect.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_ENCODE_H
#define PL_PIPELINE_CODEC_JPEG_ENCODE_H

#include "pipeline/image/picture.h"

/* Appends one stream (SOI to EOI; JFIF with the picture's resolution where the colour allows it).
 * Grey, RGB, CMYK; quality 1 to 100. TOO_LARGE (the buffer's limit; JPEG's 65,500 pixels a side),
 * NO_MEMORY. */
pl_status pl_jpeg_encode(const struct pl_picture *picture, unsigned quality,
                         struct pl_bytes *out) PL_MUST_USE;

#endif
