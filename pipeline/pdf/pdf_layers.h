/* pdf_layers: optional content, as far as it decides whether a page can be used as it is drawn
 * (ISO 32000-1 8.11).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_LAYERS_H
#define PL_PIPELINE_PDF_PDF_LAYERS_H

#include "pipeline/pdf/pdf_walk.h"

/* Whether the document's default configuration shows all of its layers, so that their marks in the
 * content mean nothing. True when it has none. */
pl_status pl_pdf_layers_all_shown(struct pl_pdf_file *file, bool *out,
                                  struct pl_fault *fault) PL_MUST_USE;
/* Whether what a step does belongs to a layer. */
bool pl_pdf_step_is_layered(const struct pl_pdf_step *step);
/* Whether anything on the page does, forms and annotations included. A page that cannot be read to
 * its end may. */
pl_status pl_pdf_page_is_layered(struct pl_pdf_file *file, uint32_t n, bool *out,
                                 struct pl_fault *fault) PL_MUST_USE;

#endif
