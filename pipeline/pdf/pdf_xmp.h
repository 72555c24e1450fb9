/* pdf_xmp: the metadata packet that says which standard a file keeps, and what people say of it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_XMP_H
#define PL_PIPELINE_PDF_PDF_XMP_H

#include "engine/base/bytes.h"
#include "pipeline/convert_settings.h"

#define PL_PDF_PRODUCER "Platen"

/* Whether convert->xmp can go into the packet of the format: well-formed rdf:Description elements
 * about the document itself, each property once and none that we write. For PDF/A also: properties
 * of Dublin Core, XMP and PDF as their schemas define them; those of other namespaces get a
 * description as ISO 19005 wants it (texts, and bags, sequences and alternatives of texts), unless
 * the packet brings pdfaExtension:schemas itself. MISCONFIGURED with a sentence that names the
 * element. */
pl_status pl_pdf_xmp_check(const struct pl_convert *convert, struct pl_fault *fault) PL_MUST_USE;

/* Appends the packet. No dates but those of convert->xmp: the same pages give the same file. Fails
 * where the check does. */
pl_status pl_pdf_xmp(const struct pl_convert *convert, struct pl_bytes *out,
                     struct pl_fault *fault) PL_MUST_USE;

#endif
