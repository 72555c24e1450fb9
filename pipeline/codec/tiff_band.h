/* tiff_band: a page's decoded rows, top to bottom, a strip or a row of tiles at a time.
 *
 * A band never holds more than one strip or row of tiles; of large single strips a few rows at a
 * time, where the method allows it. YCbCr that libtiff hands out in subsampled clumps (everything
 * but JPEG compression 7) is turned into RGB here.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_BAND_H
#define PL_PIPELINE_CODEC_TIFF_BAND_H

#include "pipeline/codec/tiff_lib.h"
#include "pipeline/image/raster.h"

struct pl_tiff_band {
    struct pl_tiff_lib *lib;
    uint32_t row;        /* of the page, first of the band */
    uint32_t rows;       /* in the band now */
    uint32_t most_rows;  /* in any band */
    uint32_t piece_rows; /* of a strip or tile */
    uint32_t across;     /* tiles in a row; 1 for strips */
    unsigned planes;     /* separate rows that are read; 1: contiguous */
    bool tiled;
    bool by_line;       /* the strip is too large to be held */
    size_t piece_bytes; /* a row of a strip or tile, of one plane */
    size_t stride;      /* a row of the band, of one plane */
    uint8_t *pixels;    /* planes * most_rows * stride */
    uint8_t *piece;     /* a tile, or clumps */
    void *ycbcr;        /* TIFFYCbCrToRGB, when clumps are to be turned */
    uint16_t clump_across;
    uint16_t clump_down;
};

/* `planes` of how many samples are wanted when they stand apart. After a failure pl_tiff_band_fini
 * is due all the same. */
pl_status pl_tiff_band_init(struct pl_tiff_band *band, struct pl_tiff_lib *lib,
                            unsigned wanted) PL_MUST_USE;
void pl_tiff_band_fini(struct pl_tiff_band *band);
/* The next band; *more false when the page has been read. */
pl_status pl_tiff_band_next(struct pl_tiff_band *band, bool *more) PL_MUST_USE;
/* Rows of each plane for row y of the band; rows holds PL_RASTER_SAMPLES_MOST. */
void pl_tiff_band_rows(const struct pl_tiff_band *band, uint32_t y, const uint8_t **rows);

#endif
