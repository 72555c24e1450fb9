/* jpeg_assemble: tiles of a picture, each a JPEG of its own, made one JPEG with the same
 * coefficients.
 *
 * Entropy coding is undone and done anew, nothing else: no pixel is computed, so nothing is lost.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_ASSEMBLE_H
#define PL_PIPELINE_CODEC_JPEG_ASSEMBLE_H

#include "engine/base/bytes.h"
#include "pipeline/image/limits.h"

struct pl_jpeg_assembly;

/* Holds the coefficients of the whole picture, 2 bytes a sample, which limits->page_bytes bounds.
 * PL_TOO_LARGE with a sentence, PL_NO_MEMORY. */
pl_status pl_jpeg_assembly_new(uint32_t width_px, uint32_t height_px, unsigned components,
                               const struct pl_limits *limits, struct pl_jpeg_assembly **out,
                               struct pl_fault *fault) PL_MUST_USE;
/* A complete stream whose left upper corner belongs at (x, y); what reaches out of the picture is
 * left out. PL_UNSUPPORTED when it cannot be put together with the first one (other sampling or
 * quantisation, a corner between two MCUs), PL_BAD_DOCUMENT with libjpeg's words, PL_NO_MEMORY. */
pl_status pl_jpeg_assembly_put(struct pl_jpeg_assembly *assembly, const uint8_t *data, size_t size,
                               uint32_t x_px, uint32_t y_px, struct pl_fault *fault) PL_MUST_USE;
/* Appends the picture as one baseline stream with Huffman tables of its own. `rgb`: three
 * components are RGB and not YCbCr, which an Adobe marker then says. PL_UNSUPPORTED before
 * something was put. */
pl_status pl_jpeg_assembly_end(struct pl_jpeg_assembly *assembly, bool rgb, struct pl_bytes *out,
                               struct pl_fault *fault) PL_MUST_USE;
void pl_jpeg_assembly_free(struct pl_jpeg_assembly *assembly);

#endif
