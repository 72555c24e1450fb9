/* pdf_allows_priv: what the parts of the PDF/A judgement share.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_ALLOWS_PRIV_H
#define PL_PIPELINE_PDF_PDF_ALLOWS_PRIV_H

#include "pipeline/pdf/pdf_import.h"

struct pl_pdf_judge {
    struct pl_pdf_file *file;
    enum pl_want want;
    const char *why;   /* the first thing that is not allowed: a phrase behind "page 3 " */
    bool transparent;  /* something blends */
    bool group_colour; /* a group blends in a colour space that the output intent does not give */
    const struct pl_pdf_value *image; /* the last one that was found good */
    struct pl_fault *fault;
};

void pl_pdf_judge_refuse(struct pl_pdf_judge *judge, const char *why);
/* An image and its masks. */
pl_status pl_pdf_judge_image(struct pl_pdf_judge *judge,
                             const struct pl_pdf_value *image) PL_MUST_USE;
/* The dictionary of an inline image. */
pl_status pl_pdf_judge_inline(struct pl_pdf_judge *judge, const struct pl_pdf_value *dict,
                              const struct pl_pdf_value *resources) PL_MUST_USE;
/* A colour space that is named by an image, or by `cs` (with resources). */
pl_status pl_pdf_judge_space(struct pl_pdf_judge *judge, const struct pl_pdf_value *named,
                             const struct pl_pdf_value *resources) PL_MUST_USE;
pl_status pl_pdf_judge_state(struct pl_pdf_judge *judge,
                             const struct pl_pdf_value *state) PL_MUST_USE;
bool pl_pdf_intent_is_valid(const struct pl_pdf_value *intent);

#endif
