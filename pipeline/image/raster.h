/* raster: rows of decoded samples, in any of TIFF's shapes, into the rows that PDF shows.
 *
 * Depths of 1 to 16 bits become 8 or 16 (scaled over the full range), palettes become RGB,
 * MinIsWhite is turned, alpha is laid over white paper. Everything is exact in that the shown value
 * is the stored one; blending rounds to the nearest.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_RASTER_H
#define PL_PIPELINE_IMAGE_RASTER_H

#include "engine/base/status.h"

enum pl_raster_alpha { PL_ALPHA_NONE, PL_ALPHA_ASSOCIATED, PL_ALPHA_STRAIGHT };

#define PL_RASTER_SAMPLES_MOST 64

struct pl_raster {
    uint32_t width_px;
    unsigned bits;              /* of a stored sample, 1 to 16; 16 in the machine's byte order */
    unsigned samples;           /* stored in a pixel of a contiguous row */
    bool separate;              /* one row per sample instead */
    unsigned colours;           /* 1 grey or palette, 3 RGB, 4 CMYK */
    bool inverted;              /* full means black */
    enum pl_raster_alpha alpha; /* the sample after the colours */
    const uint8_t *palette;     /* 1 << bits RGB triples, or NULL; bits is at most 8 then */
};

/* Bits of an output sample, 8 or 16, and samples of an output pixel. */
unsigned pl_raster_bits(const struct pl_raster *raster);
unsigned pl_raster_samples(const struct pl_raster *raster);
/* Bytes of an output row; the width is within limits. */
size_t pl_raster_row_bytes(const struct pl_raster *raster);

/* rows[0], or with `separate` a row for each sample (colours, then alpha), into `out`. */
void pl_raster_row(const struct pl_raster *raster, const uint8_t *const *rows, uint8_t *out);

#endif
