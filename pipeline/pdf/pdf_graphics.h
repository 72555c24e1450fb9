/* pdf_graphics: as much of the graphics state as tells whether a page is one picture: where images
 * land, what clips them, whether paint is white or black (ISO 32000-1 8.4).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_GRAPHICS_H
#define PL_PIPELINE_PDF_PDF_GRAPHICS_H

#include "pipeline/pdf/pdf_walk.h"

#define PL_PDF_STATES 64
#define PL_PDF_PATH_POINTS 6

struct pl_pdf_matrix {
    double a, b, c, d, e, f;
};

struct pl_pdf_rect {
    double left, bottom, right, top;
};

enum pl_pdf_ink { PL_PDF_INK_BLACK, PL_PDF_INK_WHITE, PL_PDF_INK_OTHER };

struct pl_pdf_state {
    struct pl_pdf_matrix matrix;
    struct pl_pdf_rect clip;
    bool clip_odd; /* clipped to more than a rectangle */
    enum pl_pdf_ink ink;
    unsigned components; /* of the fill colour space; 0: unknown */
    bool alpha;          /* not opaque */
    bool blend;          /* not Normal */
    bool mask;           /* a soft mask */
    bool transfer;       /* a transfer function */
    int text_mode;
};

struct pl_pdf_path {
    unsigned pieces; /* subpaths */
    unsigned points;
    bool odd; /* cannot be a rectangle */
    double x[PL_PDF_PATH_POINTS];
    double y[PL_PDF_PATH_POINTS];
    bool clips; /* W or W* was said */
};

struct pl_pdf_graphics {
    struct pl_pdf_file *file;
    struct pl_pdf_state now;
    struct pl_pdf_path path;
    struct pl_pdf_state saved[PL_PDF_STATES];
    size_t depth;
    size_t floor; /* of the form that is drawn */
    bool too_deep;
};

struct pl_pdf_rect pl_pdf_rect_meet(struct pl_pdf_rect a, struct pl_pdf_rect b);
bool pl_pdf_rect_is_empty(struct pl_pdf_rect rect);
/* Whether `inner` lies in `outer`, or outside by `slack` at most. */
bool pl_pdf_rect_holds(struct pl_pdf_rect outer, struct pl_pdf_rect inner, double slack);
/* Where the unit square lands. */
struct pl_pdf_rect pl_pdf_matrix_box(const struct pl_pdf_matrix *matrix);

void pl_pdf_graphics_init(struct pl_pdf_graphics *graphics, struct pl_pdf_file *file,
                          struct pl_pdf_rect page);
/* What an operator changes; those that paint are the caller's, who calls
 * pl_pdf_graphics_painted behind them. */
pl_status pl_pdf_graphics_op(struct pl_pdf_graphics *graphics, const struct pl_pdf_step *step,
                             struct pl_fault *fault) PL_MUST_USE;
/* The path is done with: it becomes the clip when W was said. */
void pl_pdf_graphics_painted(struct pl_pdf_graphics *graphics);
/* Around a form: its matrix and box. *outer is the caller's to keep for the end. */
pl_status pl_pdf_graphics_enter(struct pl_pdf_graphics *graphics, const struct pl_pdf_value *form,
                                size_t *outer, struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_graphics_leave(struct pl_pdf_graphics *graphics, size_t outer);

#endif
