/* pdf_xmp: the metadata packet that says which standard a file keeps.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_XMP_H
#define PL_PIPELINE_PDF_PDF_XMP_H

#include "engine/base/bytes.h"

/* Appends the packet of a PDF/A of that part (2) and conformance ('B'). No dates: the same pages
 * give the same file. */
pl_status pl_pdf_xmp(unsigned part, char conformance, struct pl_bytes *out) PL_MUST_USE;

#endif
