/* flate: RFC 1950 streams, made with PNG predictors chosen per row, and undone as their bytes come.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_FLATE_H
#define PL_PIPELINE_CODEC_FLATE_H

#include "engine/base/bytes.h"

struct pl_flate;

/* Incremental, so that a page of pixels is never held: `row_bytes` each row, `pixel_bytes` is the
 * distance of the Sub filter (PNG section 9), 0 for indices into a palette, whose rows are left
 * unfiltered (PNG section 12.7). Deterministic for given input and zlib version. */
pl_status pl_flate_new(size_t row_bytes, size_t pixel_bytes, struct pl_bytes *out,
                       struct pl_flate **flate) PL_MUST_USE;
/* One row of pixels, big-endian when 16 bits a sample. PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_flate_row(struct pl_flate *flate, const uint8_t *row) PL_MUST_USE;
pl_status pl_flate_end(struct pl_flate *flate) PL_MUST_USE;
void pl_flate_free(struct pl_flate *flate);

/* Appends all of data as one stream without predictor: colour profiles and the like. */
pl_status pl_flate_all(const void *data, size_t size, struct pl_bytes *out) PL_MUST_USE;

struct pl_inflate;

/* Undoes one stream as its bytes come. PL_NO_MEMORY. */
pl_status pl_inflate_new(struct pl_inflate **out) PL_MUST_USE;
void pl_inflate_free(struct pl_inflate *inflate);
/* Begins another stream. */
void pl_inflate_restart(struct pl_inflate *inflate);
/* The same for one without header and checksum (RFC 1951). */
void pl_inflate_restart_raw(struct pl_inflate *inflate);
/* Decodes from the cursor into out[0..size) until either is used up or the stream has ended; *got
 * is what was written. PL_BAD_DOCUMENT: no stream, a damaged one, or its checksum is wrong (what
 * was written before stays good); PL_NO_MEMORY. */
pl_status pl_inflate_run(struct pl_inflate *stream, struct pl_cursor *in, uint8_t *out, size_t size,
                         size_t *got) PL_MUST_USE;
/* Whether the end of the stream was reached, its checksum being right. */
bool pl_inflate_ended(const struct pl_inflate *inflate);
/* Asked when all input was given: whether nothing but the checksum, or a part of it, is missing.
 * The stream is over then. */
bool pl_inflate_is_whole(struct pl_inflate *stream);

/* CRC-32 of ISO 3309 as PNG uses it, carried on from `crc` (0 at first). */
uint32_t pl_flate_crc(uint32_t crc, const void *data, size_t size);

#endif
