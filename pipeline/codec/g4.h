/* g4: ITU-T T.6 encoding of bilevel rows, by transitions found in 64-bit words.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_G4_H
#define PL_PIPELINE_CODEC_G4_H

#include "engine/base/bytes.h"

/* Appends `rows` rows of `width_px` pixels as one T.6 image without EOFB, padded to a byte. Rows
 * are `stride` bytes apart, most significant bit first, 1 is black; bits past the width are
 * ignored. PL_TOO_LARGE (the buffer's limit), PL_NO_MEMORY. */
pl_status pl_g4_encode(const uint8_t *pixels, size_t stride, uint32_t width_px, uint32_t rows,
                       struct pl_bytes *out) PL_MUST_USE;

#endif
