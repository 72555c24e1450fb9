/* pdf_picture: whether a page of a PDF is one picture, and how it lies on the page.
 *
 * It is when what can be seen of it is one image that covers the page, or bands of the same kind
 * that tile it from top to bottom; upright, mirrored or turned by quarters. What such an image
 * hides does not matter, nor does white below it, nor text that is invisible (the layer that text
 * recognition leaves). A stencil painted in black on a page that is otherwise white is a bilevel
 * picture. Anything else needs an interpreter, and `why` says what it is.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_PICTURE_H
#define PL_PIPELINE_PDF_PDF_PICTURE_H

#include "pipeline/pdf/pdf_graphics.h"
#include "pipeline/pdf/pdf_image.h"

struct pl_pdf_placed {
    struct pl_pdf_image image;
    struct pl_pdf_matrix matrix;
    size_t inline_at; /* inline images: into the picture's bytes */
};

struct pl_pdf_picture {
    const char *why; /* a phrase behind "page 3 "; NULL: it is one picture */
    uint32_t width_px;
    uint32_t height_px;
    uint32_t x_mdpi;
    uint32_t y_mdpi;
    uint8_t orientation;
    bool hidden_text;            /* there is invisible text */
    bool covered;                /* the picture hides other things */
    bool links;                  /* there are links or notes, which mark nothing */
    struct pl_pdf_placed *parts; /* top to bottom; owned */
    size_t count;
    size_t room;
    struct pl_bytes inlined; /* data of inline images; owned */
};

/* TOO_LARGE where an image is over a limit; BAD_DOCUMENT when not even the page object can be read.
 * To be undone by pl_pdf_picture_fini also after a failure. */
pl_status pl_pdf_picture_read(const struct pl_pdf_images *images, struct pl_pdf_picture *out,
                              struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_picture_fini(struct pl_pdf_picture *picture);

/* What annotations mean for a page that shall be images only: `marks` when one would be seen,
 * `links` when there are others. */
pl_status pl_pdf_page_annotations(struct pl_pdf_file *file, uint32_t n, bool *marks, bool *links,
                                  struct pl_fault *fault) PL_MUST_USE;

#endif
