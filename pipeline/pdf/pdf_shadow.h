/* pdf_shadow: what is kept of a PDF while it is written, so that it can be checked before it is
 * delivered, although nobody can read it back.
 *
 * An out in front of another: it hands everything on and keeps a copy, but for the data of images
 * (holes), of which a checker reads nothing. As a source, holes read as zeros. A page of a scan
 * costs about 700 bytes. What is imported from other documents and is no image is kept whole.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_SHADOW_H
#define PL_PIPELINE_PDF_PDF_SHADOW_H

#include "pipeline/image/limits.h"
#include "pipeline/source.h"

/* Of all that is kept. A result with more structure than this is refused. */
#define PL_PDF_SHADOW_MOST ((size_t)256 << 20)

struct pl_pdf_shadow;

/* `out` outlives it. */
pl_status pl_pdf_shadow_new(struct pl_out *out, struct pl_pdf_shadow **shadow) PL_MUST_USE;
void pl_pdf_shadow_free(struct pl_pdf_shadow *shadow);
struct pl_out *pl_pdf_shadow_out(struct pl_pdf_shadow *shadow);
/* Bytes [at, at + size) of the file will be data that need not be kept. Said before they come, in
 * ascending order. */
pl_status pl_pdf_shadow_hole(struct pl_pdf_shadow *shadow, uint64_t at, uint64_t size) PL_MUST_USE;
/* What was written so far, borrowed: not to be freed, and for one thread. */
struct pl_source *pl_pdf_shadow_source(struct pl_pdf_shadow *shadow);
/* Bytes that are kept. */
size_t pl_pdf_shadow_size(const struct pl_pdf_shadow *shadow);

/* Once all is written: whether it keeps the rules of that part of ISO 19005. BAD_RESULT with a
 * sentence that names the first rule that it breaks. */
pl_status pl_pdf_shadow_check(struct pl_pdf_shadow *shadow, const struct pl_limits *limits,
                              unsigned part, struct pl_fault *fault) PL_MUST_USE;

#endif
