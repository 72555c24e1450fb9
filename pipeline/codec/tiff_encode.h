/* tiff_encode: Flate pages into the strips of LZW or Deflate that TIFF readers know.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_ENCODE_H
#define PL_PIPELINE_CODEC_TIFF_ENCODE_H

#include "pipeline/convert_settings.h"
#include "pipeline/image/page.h"

/* Replaces the data of a page of filter FLATE by strips of filter LZW or FLATE without the filters
 * of PNG: predictor 2 for samples of 8 and 16 bits, 16 bits little-endian, 1 and 2 bits widened to
 * 4, nothing inverted. The pixels stay what they were. BAD_DOCUMENT with a sentence, TOO_LARGE,
 * NO_MEMORY; the page is as it was then. */
pl_status pl_tiff_encode(enum pl_tiff_compression compression, struct pl_page *page,
                         struct pl_fault *fault) PL_MUST_USE;

#endif
