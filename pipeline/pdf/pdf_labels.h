/* pdf_labels: page labels as a number tree (ISO 32000-1 12.4.2, 7.9.7).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_LABELS_H
#define PL_PIPELINE_PDF_PDF_LABELS_H

#include "pipeline/convert_settings.h"
#include "pipeline/pdf/pdf_writer.h"

/* Ranges begin at page 1 or later and follow each other, prefixes are UTF-8. MISCONFIGURED with a
 * sentence that names the range. */
pl_status pl_pdf_labels_check(const struct pl_convert *convert, struct pl_fault *fault) PL_MUST_USE;

/* Writes the tree; *number is 0 when there are no labels. Pages before the first range count 1, 2,
 * 3; ranges past the last page are left out. */
pl_status pl_pdf_labels_write(const struct pl_convert *convert, uint64_t pages,
                              struct pl_pdf_writer *writer, uint32_t *number) PL_MUST_USE;

#endif
