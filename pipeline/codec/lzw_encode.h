/* lzw_encode: the LZW of TIFF 6.0 section 13, which is that of PDF's LZWDecode with early change.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_LZW_ENCODE_H
#define PL_PIPELINE_CODEC_LZW_ENCODE_H

#include "engine/base/bytes.h"

/* Appends all of data as one stream that begins with a clear code and ends with an end code: a
 * strip. PL_TOO_LARGE (the buffer's limit), PL_NO_MEMORY. */
pl_status pl_lzw_encode(const uint8_t *data, size_t size, struct pl_bytes *out) PL_MUST_USE;

#endif
