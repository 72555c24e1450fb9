/* pdf_text: text strings outside content streams (ISO 32000-1 7.9.2.2, annex D.3) and in metadata.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_TEXT_H
#define PL_PIPELINE_PDF_PDF_TEXT_H

#include "engine/base/bytes.h"

/* Appends UTF-8 as PDFDocEncoding. *fits is false, and nothing is appended, when a character has no
 * place there or the bytes are not UTF-8. */
pl_status pl_pdf_text_doc(struct pl_span utf8, struct pl_bytes *out, bool *fits) PL_MUST_USE;

/* Appends the text string for UTF-8: PDFDocEncoding where it fits and cannot be taken for another
 * encoding by its first bytes, else UTF-16BE with its mark. BAD_REQUEST: not UTF-8. */
pl_status pl_pdf_text_string(struct pl_span utf8, struct pl_bytes *out) PL_MUST_USE;

/* Appends UTF-8 without control characters with what XML reads escaped. */
pl_status pl_pdf_text_xml(struct pl_span utf8, struct pl_bytes *out) PL_MUST_USE;

#endif
