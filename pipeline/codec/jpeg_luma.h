/* jpeg_luma: the brightness of a colour JPEG as a grey one, without decoding its pixels.
 *
 * The coefficients of Y are kept bit for bit, so that nothing but colour is lost; grey.h would make
 * the same of the pixels, and they would have to be encoded again.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_LUMA_H
#define PL_PIPELINE_CODEC_JPEG_LUMA_H

#include "engine/base/bytes.h"
#include "pipeline/image/limits.h"

/* Appends a sequential grey stream with Huffman tables of its own. UNSUPPORTED, without a sentence:
 * the stream holds no YCbCr, or Y is not of full size; BAD_DOCUMENT: damage; TOO_LARGE,
 * NO_MEMORY. */
pl_status pl_jpeg_luma(const uint8_t *data, size_t size, uint32_t page,
                       const struct pl_limits *limits, struct pl_bytes *out,
                       struct pl_fault *fault) PL_MUST_USE;

#endif
