/* jpeg_shape: what the markers of a JPEG say about its size on paper and how it lies there.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_SHAPE_H
#define PL_PIPELINE_CODEC_JPEG_SHAPE_H

#include "pipeline/codec/jpeg_scan.h"

/* Sets width, height, orientation and resolution of the page, by the rules of resolution.h: JFIF's
 * density when it has a unit, else EXIF's, else JFIF's as an aspect ratio. `data` is the stream
 * that `info` is about. */
void pl_jpeg_shape(const struct pl_jpeg_info *info, const uint8_t *data, struct pl_page *page);

/* Walks the one part of a DCT page to its EOI. Readers of PDF forgive data that break off, those of
 * JPEG and TIFF do not. BAD_DOCUMENT, TOO_LARGE, NO_MEMORY, with a sentence. */
pl_status pl_jpeg_page_prove(const struct pl_page *page, struct pl_fault *fault) PL_MUST_USE;

#endif
