/* jpeg_picture: a JPEG stream into rows of 8-bit samples, by libjpeg-turbo.
 *
 * Baseline, progressive and arithmetic coding. Damage that libjpeg mentions refuses the picture:
 * nothing made up is handed out.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_PICTURE_H
#define PL_PIPELINE_CODEC_JPEG_PICTURE_H

#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"

/* What the stream must hold: a whole picture, or a band of one. */
struct pl_jpeg_shape {
    enum pl_colour colour; /* grey, RGB (also where the stream holds YCbCr), CMYK (also YCCK) */
    uint32_t width_px;
    uint32_t rows;
    uint32_t page; /* number of the page, for the sentence */
};

/* Into rows `stride` bytes apart. Samples are those of the stream: Adobe's inverted CMYK stays so.
 * Coefficients of several scans are held within limits->page_bytes. BAD_DOCUMENT: damage, or the
 * stream is of another shape; TOO_LARGE, NO_MEMORY. */
pl_status pl_jpeg_picture(const uint8_t *data, size_t size, const struct pl_jpeg_shape *shape,
                          const struct pl_limits *limits, uint8_t *pixels, size_t stride,
                          struct pl_fault *fault) PL_MUST_USE;

#endif
