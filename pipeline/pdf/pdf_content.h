/* pdf_content: the tokens of a content stream, and what the few operators of a scanned page do.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CONTENT_H
#define PL_PIPELINE_PDF_PDF_CONTENT_H

#include "pipeline/pdf/pdf_file.h"

#define PL_PDF_OPERANDS 64

/* One operator with its operands; values live until the next call. Inline images are one operator
 * "BI" whose operands are the dictionary (keys as they stand there, often abbreviated) and the raw
 * data as a string; pl_pdf_inline_image of pdf_filter.h decodes it. Of more than PL_PDF_OPERANDS
 * operands the last ones are kept; words that are no operators of PDF are told like others. */
struct pl_pdf_op {
    struct pl_span name;
    const struct pl_pdf_value *operands[PL_PDF_OPERANDS];
    size_t count;
};

struct pl_pdf_content;

/* Over `data`, borrowed. */
pl_status pl_pdf_content_new(const uint8_t *data, size_t size,
                             struct pl_pdf_content **out) PL_MUST_USE;
/* *more is false at the end. BAD_DOCUMENT: nested more than 64 deep, or an inline image without
 * end; TOO_LARGE: one operator with more than 64 MiB of operands; NO_MEMORY. */
pl_status pl_pdf_content_next(struct pl_pdf_content *content, struct pl_pdf_op *op, bool *more,
                              struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_content_free(struct pl_pdf_content *content);

#endif
