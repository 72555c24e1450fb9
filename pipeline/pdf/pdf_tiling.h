/* pdf_tiling: the visible box of a page, and whether images tile it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_TILING_H
#define PL_PIPELINE_PDF_PDF_TILING_H

#include "pipeline/pdf/pdf_picture.h"

struct pl_pdf_page_shape {
    struct pl_pdf_rect box; /* CropBox within MediaBox; user space */
    unsigned rotate;        /* 0, 90, 180, 270 */
    double user_unit;
};

pl_status pl_pdf_shape_read(struct pl_pdf_file *file, uint32_t n, struct pl_pdf_page_shape *out,
                            struct pl_fault *fault) PL_MUST_USE;

/* Whether an opaque image there leaves nothing of the page to be seen. */
bool pl_pdf_shape_is_covered(const struct pl_pdf_page_shape *shape,
                             const struct pl_pdf_matrix *matrix);

/* Sorts the parts top to bottom as the pixels are stored and sets size, resolution and orientation.
 * A phrase when they are no picture of the whole page. */
const char *pl_pdf_tiling_judge(const struct pl_pdf_page_shape *shape,
                                struct pl_pdf_picture *picture);

#endif
