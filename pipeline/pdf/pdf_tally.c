/* pdf_tally: follows the graphics state as far as it says where an image lands and what clips it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_tally.h"

#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_layers.h"
#include "pipeline/pdf/pdf_tiling.h"

#include <stdlib.h>

#define TALLY_FORMS 16        /* open at once; pdf_walk.h goes no deeper */
#define TALLY_STEPS 2000000   /* a page of more is not counted */
#define TALLY_LEAST_UNITS 0.5 /* what is smaller each way may be left out by anybody */

struct tallying {
    struct pl_pdf_graphics graphics;
    struct pl_pdf_page_shape shape;
    size_t outer[TALLY_FORMS];
    size_t forms;
    struct pl_pdf_tally tally;
    struct pl_fault found;
};

/* Stencils are left out: an interpreter may turn them into drawings or merge them. */
static pl_status image_counts(struct pl_pdf_file *file, const struct pl_pdf_value *dict, bool *out,
                              struct pl_fault *found)
{
    const struct pl_pdf_value *mask = NULL;
    int64_t size[2] = { 0 };
    pl_status status = pl_pdf_lookup_either(file, dict, "ImageMask", "IM", &mask, found);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, dict, "Width", "W", 0, &size[0], found);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, dict, "Height", "H", 0, &size[1], found);
    *out = status == PL_OK && !(mask->kind == PL_PDF_BOOL && mask->as.boolean) && size[0] > 0 &&
           size[1] > 0 && (size[0] > 1 || size[1] > 1);
    return status;
}

static pl_status tally_image(struct tallying *tallying, const struct pl_pdf_value *dict)
{
    const struct pl_pdf_state *now = &tallying->graphics.now;
    bool counts = false;
    pl_status status = image_counts(tallying->graphics.file, dict, &counts, &tallying->found);
    struct pl_pdf_rect visible =
        pl_pdf_rect_meet(pl_pdf_matrix_box(&now->matrix), tallying->shape.box);
    visible = pl_pdf_rect_meet(visible, now->clip);
    if (pl_pdf_dict_peek(dict, "SMask") != NULL)
        tallying->tally.is_transparent = true;
    tallying->tally.images += counts && visible.right - visible.left > TALLY_LEAST_UNITS &&
                              visible.top - visible.bottom > TALLY_LEAST_UNITS;
    return status;
}

static bool op_paints(struct pl_span name)
{
    static const char *const paints[] = { "f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "n" };
    for (size_t i = 0; i < PL_COUNT_OF(paints); i++) {
        if (pl_span_equals(name, paints[i]))
            return true;
    }
    return false;
}

static pl_status tally_op(struct tallying *tallying, const struct pl_pdf_step *step)
{
    const struct pl_pdf_op *op = step->op;
    if (op_paints(op->name)) {
        pl_pdf_graphics_painted(&tallying->graphics);
        return PL_OK;
    }
    if (!pl_span_equals(op->name, "BI"))
        return pl_pdf_graphics_op(&tallying->graphics, step, &tallying->found);
    if (op->count == 2 && op->operands[0]->kind == PL_PDF_DICT)
        return tally_image(tallying, op->operands[0]);
    return PL_OK;
}

static pl_status tally_step(struct tallying *tallying, const struct pl_pdf_step *step)
{
    switch (step->kind) {
    case PL_PDF_STEP_OP:
        return tally_op(tallying, step);
    case PL_PDF_STEP_IMAGE:
        return tally_image(tallying, step->object);
    case PL_PDF_STEP_FORM:
        if (tallying->forms == TALLY_FORMS)
            return PL_TOO_LARGE;
        return pl_pdf_graphics_enter(&tallying->graphics, step->object,
                                     &tallying->outer[tallying->forms++], &tallying->found);
    case PL_PDF_STEP_FORM_END:
        PL_CHECK(tallying->forms > 0);
        pl_pdf_graphics_leave(&tallying->graphics, tallying->outer[--tallying->forms]);
        break;
    case PL_PDF_STEP_END:
        break;
    }
    return PL_OK;
}

static pl_status tally_run(struct tallying *tallying, struct pl_pdf_file *file, uint32_t n)
{
    struct pl_pdf_walk *walk = NULL;
    struct pl_pdf_step step = { .kind = PL_PDF_STEP_OP };
    bool layers_shown = false;
    bool layered = false;
    unsigned steps = 0;
    pl_status status = pl_pdf_shape_read(file, n, &tallying->shape, &tallying->found);
    if (status == PL_OK)
        status = pl_pdf_layers_all_shown(file, &layers_shown, &tallying->found);
    if (status != PL_OK)
        return status;
    pl_pdf_graphics_init(&tallying->graphics, file, tallying->shape.box);
    status = pl_pdf_walk_new(file, n, &walk, &tallying->found);
    while (status == PL_OK && steps < TALLY_STEPS) {
        status = pl_pdf_walk_next(walk, &step, &tallying->found);
        if (status != PL_OK || step.kind == PL_PDF_STEP_END)
            break;
        layered = layered || (!layers_shown && pl_pdf_step_is_layered(&step));
        status = tally_step(tallying, &step);
        const struct pl_pdf_state *now = &tallying->graphics.now;
        if (now->alpha || now->blend || now->mask)
            tallying->tally.is_transparent = true;
        steps++;
    }
    pl_pdf_walk_free(walk);
    tallying->tally.is_whole =
        status == PL_OK && steps < TALLY_STEPS && !layered && !tallying->graphics.too_deep;
    return status;
}

pl_status pl_pdf_tally_page(struct pl_pdf_file *file, uint32_t n, struct pl_pdf_tally *out)
{
    struct tallying *tallying = calloc(1, sizeof *tallying);
    if (tallying == NULL)
        return PL_NO_MEMORY;
    size_t mark = pl_pdf_file_mark(file);
    pl_status status = tally_run(tallying, file, n);
    pl_pdf_file_release(file, mark);
    *out = tallying->tally;
    free(tallying);
    return status == PL_NO_MEMORY ? status : PL_OK;
}
