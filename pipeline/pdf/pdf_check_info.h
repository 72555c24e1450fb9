/* pdf_check_info: whether an entry of /Info and a property of the metadata say the same.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CHECK_INFO_H
#define PL_PIPELINE_PDF_PDF_CHECK_INFO_H

#include "engine/base/bytes.h"

/* A text string of PDF (PDFDocEncoding or UTF-16) and UTF-8. */
pl_status pl_check_text_same(struct pl_span string, struct pl_span utf8, bool *same) PL_MUST_USE;
/* A date of PDF (D:20260131...) and one of XMP: the same moment, as far as both tell it. */
pl_status pl_check_date_same(struct pl_span string, struct pl_span xmp, bool *same) PL_MUST_USE;

#endif
