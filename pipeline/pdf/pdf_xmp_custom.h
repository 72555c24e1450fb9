/* pdf_xmp_custom: rdf:Description elements that came with the settings, checked and described.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_XMP_CUSTOM_H
#define PL_PIPELINE_PDF_PDF_XMP_CUSTOM_H

#include "engine/base/bytes.h"
#include "pipeline/convert_settings.h"

struct pl_xmp_custom;

/* Reads convert->xmp by the rules of pl_pdf_xmp_check. MISCONFIGURED, NO_MEMORY. Borrows it. */
pl_status pl_xmp_custom_new(const struct pl_convert *convert, struct pl_xmp_custom **out,
                            struct pl_fault *fault) PL_MUST_USE;
void pl_xmp_custom_free(struct pl_xmp_custom *custom);

/* Appends the elements as they came and, for PDF/A, the description of their namespaces. */
pl_status pl_xmp_custom_append(const struct pl_xmp_custom *custom,
                               struct pl_bytes *out) PL_MUST_USE;

#endif
