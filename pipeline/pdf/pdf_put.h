/* pdf_put: values that were read, written again with other object numbers.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_PUT_H
#define PL_PIPELINE_PDF_PDF_PUT_H

#include "pipeline/pdf/pdf_value.h"
#include "pipeline/pdf/pdf_writer.h"

/* The number that an object is written under; 0: it is not, and null stands for it. */
typedef uint32_t pl_pdf_number_fn(void *owner, struct pl_pdf_ref from);

/* The fewest digits that give the same number back; no exponent, which PDF does not know. */
void pl_pdf_put_real(struct pl_pdf_writer *writer, double value);
/* A value that consists of no others; null for what does. */
void pl_pdf_put_scalar(struct pl_pdf_writer *writer, const struct pl_pdf_value *value);
/* A value that is no stream, without its object's frame. BAD_DOCUMENT: nested too deeply. */
pl_status pl_pdf_put_value(struct pl_pdf_writer *writer, const struct pl_pdf_value *value,
                           pl_pdf_number_fn *number, void *owner) PL_MUST_USE;
/* "<<" and the entries of a stream but its /Length, for pl_pdf_end_stream to go on. */
pl_status pl_pdf_put_stream(struct pl_pdf_writer *writer, const struct pl_pdf_value *stream,
                            pl_pdf_number_fn *number, void *owner) PL_MUST_USE;

#endif
