/* exif: the orientation inside an EXIF block, which is a small TIFF file (EXIF 2.3).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_EXIF_H
#define PL_PIPELINE_CODEC_EXIF_H

#include "engine/base/bytes.h"

/* Appends the block with that orientation and everything else as it was: in place where it has the
 * tag, else with a first directory of one more entry at its end. *done is false, and nothing is
 * appended, when the block cannot be read. */
pl_status pl_exif_turn(const uint8_t *data, size_t size, uint8_t orientation, struct pl_bytes *out,
                       bool *done) PL_MUST_USE;

/* Appends a block that says orientation and resolution, and nothing else. */
pl_status pl_exif_make(uint8_t orientation, uint32_t x_mdpi, uint32_t y_mdpi,
                       struct pl_bytes *out) PL_MUST_USE;

#endif
