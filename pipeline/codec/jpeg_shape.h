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

#endif
