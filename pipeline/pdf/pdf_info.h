/* pdf_info: the document information dictionary (ISO 32000-1 14.3.3) and the check of its texts.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_INFO_H
#define PL_PIPELINE_PDF_PDF_INFO_H

#include "pipeline/convert_settings.h"
#include "pipeline/pdf/pdf_writer.h"

/* Title, author, subject and keywords are UTF-8 without control characters and noncharacters, which
 * XML cannot hold. MISCONFIGURED with a sentence that names the setting. */
pl_status pl_pdf_info_check(const struct pl_convert *convert, struct pl_fault *fault) PL_MUST_USE;

/* Writes what is set, and the producer as the XMP packet names it; *number is 0 when nothing is. */
pl_status pl_pdf_info_write(const struct pl_convert *convert, struct pl_pdf_writer *writer,
                            uint32_t *number) PL_MUST_USE;

#endif
