/* jbig2_decode: JBIG2 (ITU-T T.88) as PDF embeds it, into bilevel rows, by libjbig2dec.
 *
 * The library's memory comes from hooks that count, so that a dictionary which claims millions of
 * symbols is refused and not held. Anything that it reports as more than chatter refuses the page.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JBIG2_DECODE_H
#define PL_PIPELINE_CODEC_JBIG2_DECODE_H

#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"

struct pl_jbig2 {
    const uint8_t *data;
    size_t size;
    const uint8_t *globals;
    size_t globals_size; /* 0: none */
    uint32_t width_px;
    uint32_t rows;
    uint32_t page; /* number of the page, for the sentence */
};

/* Rows `stride` bytes apart, a multiple of 8 that holds the width; 1 is black, bits past the width
 * are 0. BAD_DOCUMENT: damage, or a picture of another size; TOO_LARGE, NO_MEMORY. */
pl_status pl_jbig2_decode(const struct pl_jbig2 *jbig2, const struct pl_limits *limits,
                          uint8_t *pixels, size_t stride, struct pl_fault *fault) PL_MUST_USE;

#endif
