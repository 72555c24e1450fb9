/* pdf_walk: the operators of a page in the order in which they paint, through its form XObjects.
 *
 * Bounded: depth of forms, how many are entered, and bytes of content. What goes beyond a bound is
 * TOO_LARGE: such a page is for an interpreter.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_WALK_H
#define PL_PIPELINE_PDF_PDF_WALK_H

#include "pipeline/pdf/pdf_content.h"

enum pl_pdf_step_kind {
    PL_PDF_STEP_OP,    /* any operator; Do only when its XObject is missing or of no known kind */
    PL_PDF_STEP_IMAGE, /* Do of an image */
    PL_PDF_STEP_FORM,  /* Do of a form, whose operators follow */
    PL_PDF_STEP_FORM_END,
    PL_PDF_STEP_END, /* of the page */
};

struct pl_pdf_step {
    enum pl_pdf_step_kind kind;
    const struct pl_pdf_op *op;           /* OP, IMAGE, FORM: valid until the next step */
    const struct pl_pdf_value *object;    /* IMAGE, FORM: the stream */
    const struct pl_pdf_value *resources; /* in force for `op`; null where there are none */
};

struct pl_pdf_walk;

/* The file outlives the walk and is used by nobody else meanwhile. */
pl_status pl_pdf_walk_new(struct pl_pdf_file *file, uint32_t n, struct pl_pdf_walk **out,
                          struct pl_fault *fault) PL_MUST_USE;
pl_status pl_pdf_walk_next(struct pl_pdf_walk *walk, struct pl_pdf_step *step,
                           struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_walk_free(struct pl_pdf_walk *walk);

/* Appends the content of a page, all its streams decoded, each followed by a line feed. */
pl_status pl_pdf_page_contents(struct pl_pdf_file *file, uint32_t n, struct pl_bytes *out,
                               struct pl_fault *fault) PL_MUST_USE;
/* The named resource, resolved; null when there is none. */
pl_status pl_pdf_resource(struct pl_pdf_file *file, const struct pl_pdf_value *resources,
                          const char *category, struct pl_span name,
                          const struct pl_pdf_value **out, struct pl_fault *fault) PL_MUST_USE;

/* Of a number of either kind. False: it is none. */
bool pl_pdf_number_of(const struct pl_pdf_value *value, double *out);
/* `count` numbers of an array, resolved. False in *found when it is none or one is missing. */
pl_status pl_pdf_numbers(struct pl_pdf_file *file, const struct pl_pdf_value *array, double *out,
                         size_t count, bool *found, struct pl_fault *fault) PL_MUST_USE;

#endif
