/* pdf_lzw: LZW as PDF and TIFF 6.0 have it (ISO 32000-1 7.4.4): most significant bit first.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_LZW_H
#define PL_PIPELINE_PDF_PDF_LZW_H

#include "engine/base/bytes.h"

/* Appends the decoded bytes. `early`: codes grow one code early (EarlyChange 1, the default).
 * Sizes of `in` that it did not need are not looked at: in->at is behind the end mark.
 * PL_BAD_DOCUMENT (a code that cannot be; what came before is kept), PL_TOO_LARGE, PL_NO_MEMORY. */
pl_status pl_pdf_lzw(struct pl_cursor *in, bool early, struct pl_bytes *out) PL_MUST_USE;

#endif
