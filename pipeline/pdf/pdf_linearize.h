/* pdf_linearize: a plain file of ours written again so that its first page comes first (ISO 32000-1
 * annex F).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_LINEARIZE_H
#define PL_PIPELINE_PDF_PDF_LINEARIZE_H

#include "pipeline/image/limits.h"
#include "pipeline/pdf/pdf_crypt.h"
#include "pipeline/source.h"

/* What a plain result may have: it is held in memory, because what comes first is known last. */
#define PL_PDF_LINEAR_MOST ((size_t)256 << 20)

struct pl_pdf_linear {
    struct pl_source *plain; /* of pl_pdf_writer, with an /ID */
    const struct pl_limits *limits;
    unsigned minor;             /* of the header */
    struct pl_pdf_crypt *crypt; /* NULL: not encrypted */
    struct pl_span encrypt;     /* its dictionary, or empty */
};

/* The same plain file gives the same bytes. TOO_LARGE, NO_MEMORY. */
pl_status pl_pdf_linearize(const struct pl_pdf_linear *settings, struct pl_out *out,
                           struct pl_fault *fault) PL_MUST_USE;

#endif
