/* pdf_out: pages in, PDF/A-2b out, append-only (ISO 32000-1, ISO 19005-2).
 *
 * Memory does not grow with pages beyond 8 bytes an object. The same pages give the same bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_OUT_H
#define PL_PIPELINE_PDF_PDF_OUT_H

#include "pipeline/image/page.h"
#include "pipeline/source.h"

struct pl_pdf_out;

pl_status pl_pdf_out_new(struct pl_out *out, struct pl_pdf_out **pdf) PL_MUST_USE;
/* Appends a page; its data may be freed afterwards. *bytes gets what it took in the file. */
pl_status pl_pdf_out_page(struct pl_pdf_out *pdf, const struct pl_page *page,
                          uint64_t *bytes) PL_MUST_USE;
/* Page tree, catalog, XMP, OutputIntent, cross-reference, trailer. At least one page. */
pl_status pl_pdf_out_end(struct pl_pdf_out *pdf) PL_MUST_USE;
void pl_pdf_out_free(struct pl_pdf_out *pdf);

#endif
