/* flate_rows: the rows of a Flate page one after the other, predictors undone.
 *
 * What comes out are samples as they are stored: packed, most significant bit first, 16 bits
 * big-endian, neither inverted nor looked up in a palette. Holds two rows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_FLATE_ROWS_H
#define PL_PIPELINE_CODEC_FLATE_ROWS_H

#include "pipeline/image/page.h"

struct pl_flate_rows;

/* Samples of a pixel as they are stored: 1 with a palette. */
unsigned pl_flate_samples(const struct pl_page *page);
/* Bytes of a row of `width_px` pixels without the filter byte of PNG. */
size_t pl_flate_row_bytes(uint32_t width_px, unsigned samples, unsigned bits);

/* Over a page of filter FLATE, whose size is within limits; its parts are streams of their own. The
 * page outlives the rows. PL_NO_MEMORY. */
pl_status pl_flate_rows_new(const struct pl_page *page, struct pl_flate_rows **out) PL_MUST_USE;
void pl_flate_rows_free(struct pl_flate_rows *rows);
/* The next row, which lives until the call after this; not past the page's height. BAD_DOCUMENT
 * with a sentence that names page and row. What follows the last row of a part is not looked at. */
pl_status pl_flate_rows_next(struct pl_flate_rows *rows, const uint8_t **row,
                             struct pl_fault *fault) PL_MUST_USE;

/* Undoes a PNG filter (ISO/IEC 15948 clause 9) on row[0..size), where pixel_bytes readable bytes of
 * zero stand before both `row` and `above`. False: there is no such filter. */
bool pl_flate_unfilter(unsigned filter, uint8_t *row, const uint8_t *above, size_t size,
                       size_t pixel_bytes) PL_MUST_USE;

#endif
