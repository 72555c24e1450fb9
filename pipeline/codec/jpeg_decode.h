/* jpeg_decode: a JPEG stream that PDF cannot carry, decoded by libjpeg-turbo into Flate rows.
 *
 * Arithmetic coding, streams that lean on default tables, colour markers that contradict each
 * other. The only place of the house with setjmp, because libjpeg reports errors that way.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_DECODE_H
#define PL_PIPELINE_CODEC_JPEG_DECODE_H

#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"

/* Decodes data[0..size) into page->data; colour, bits and filter are set. Any damage that libjpeg
 * reports refuses the picture. */
pl_status pl_jpeg_decode(const uint8_t *data, size_t size, const struct pl_limits *limits,
                         struct pl_page *page, struct pl_fault *fault) PL_MUST_USE;

#endif
