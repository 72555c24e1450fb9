/* flate: RFC 1950 streams for PDF, with PNG predictors chosen per row.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_FLATE_H
#define PL_PIPELINE_CODEC_FLATE_H

#include "engine/base/bytes.h"

struct pl_flate;

/* Incremental, so that a page of pixels is never held: `row_bytes` each row, `pixel_bytes` is the
 * distance of the Sub filter (PNG section 9). Deterministic for given input and zlib version. */
pl_status pl_flate_new(size_t row_bytes, size_t pixel_bytes, struct pl_bytes *out,
                       struct pl_flate **flate) PL_MUST_USE;
/* One row of pixels, big-endian when 16 bits a sample. PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_flate_row(struct pl_flate *flate, const uint8_t *row) PL_MUST_USE;
pl_status pl_flate_end(struct pl_flate *flate) PL_MUST_USE;
void pl_flate_free(struct pl_flate *flate);

/* Appends all of data as one stream without predictor: colour profiles and the like. */
pl_status pl_flate_all(const void *data, size_t size, struct pl_bytes *out) PL_MUST_USE;

#endif
