/* pdf_picture: walks a page and keeps the images that can be seen; pdf_tiling.c judges them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_picture.h"

#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_layers.h"
#include "pipeline/pdf/pdf_tiling.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MOST 8192
#define STEPS_AFTER_MARK 50000 /* a page that is drawn is not read to its end */
#define INLINE_BYTES ((size_t)32 << 20)
#define ANNOTATIONS_MOST 10000
#define FLAG_HIDDEN 2
#define FLAG_NO_VIEW 32
#define CLIP_SLACK 2.0 /* units that a clip may cut off at an edge */

struct walking {
    const struct pl_pdf_images *images;
    struct pl_pdf_picture *picture;
    struct pl_pdf_page_shape shape;
    struct pl_pdf_graphics graphics;
    size_t outer[16]; /* of the forms that are open */
    size_t forms;
    const char *mark;  /* what else can be seen so far */
    const char *final; /* what nothing can hide */
    unsigned steps;
    bool layers_shown;
    bool image_refused; /* by the limits */
    struct pl_fault *fault;
};

static void walking_mark(struct walking *walking, const char *why)
{
    if (walking->mark == NULL)
        walking->mark = why;
}

static void picture_clear(struct pl_pdf_picture *picture)
{
    picture->count = 0;
    pl_bytes_clear(&picture->inlined);
}

static pl_status picture_add(struct pl_pdf_picture *picture, const struct pl_pdf_placed *placed)
{
    if (picture->count == picture->room) {
        size_t room = picture->room == 0 ? 4 : picture->room * 2;
        struct pl_pdf_placed *parts = realloc(picture->parts, room * sizeof *parts);
        if (parts == NULL)
            return PL_NO_MEMORY;
        picture->parts = parts;
        picture->room = room;
    }
    picture->parts[picture->count++] = *placed;
    return PL_OK;
}

/* Why an image cannot count as it is painted here; NULL: it can. */
static const char *state_refusal(const struct pl_pdf_state *now, struct pl_pdf_rect visible)
{
    if (now->alpha || now->blend || now->mask)
        return "paints an image transparently";
    if (now->transfer)
        return "paints an image through a transfer function";
    if (now->clip_odd || !pl_pdf_rect_holds(now->clip, visible, CLIP_SLACK))
        return "shows a part of an image only";
    return NULL;
}

static const char *stencil_refusal(const struct pl_pdf_state *now)
{
    return now->ink == PL_PDF_INK_BLACK ? NULL : "paints a stencil in colour";
}

/* An opaque image over all of the page hides what was there. */
static void walking_cover(struct walking *walking, const struct pl_pdf_placed *placed)
{
    if (placed->image.stencil || !pl_pdf_shape_is_covered(&walking->shape, &placed->matrix))
        return;
    walking->picture->covered = walking->mark != NULL || walking->picture->count > 0;
    walking->mark = NULL;
    picture_clear(walking->picture);
}

static pl_status walking_image(struct walking *walking, const struct pl_pdf_value *dict,
                               struct pl_span data, const struct pl_pdf_value *resources)
{
    struct pl_pdf_picture *picture = walking->picture;
    const struct pl_pdf_state *now = &walking->graphics.now;
    struct pl_pdf_placed placed = { .matrix = now->matrix, .inline_at = picture->inlined.size };
    struct pl_pdf_rect visible =
        pl_pdf_rect_meet(pl_pdf_matrix_box(&now->matrix), walking->shape.box);
    if (pl_pdf_rect_is_empty(visible) || pl_pdf_rect_is_empty(pl_pdf_rect_meet(visible, now->clip)))
        return PL_OK;
    const char *why = state_refusal(now, visible);
    const char *refused = NULL;
    pl_status status = PL_OK;
    if (why == NULL) {
        status = pl_pdf_image_read(walking->images, dict, data, resources, &placed.image, &refused,
                                   walking->fault);
        walking->image_refused = status == PL_TOO_LARGE;
        why = refused;
    }
    if (status == PL_OK && why == NULL && placed.image.stencil)
        why = stencil_refusal(now);
    if (status == PL_OK && why == NULL && data.data != NULL && placed.image.indexed)
        why = "holds an inline image with a palette";
    if (status != PL_OK || why != NULL) {
        walking_mark(walking, why);
        return status;
    }
    walking_cover(walking, &placed);
    if (picture->count == PARTS_MOST) {
        walking_mark(walking, "is put together from too many images");
        return PL_OK;
    }
    if (data.data != NULL) {
        placed.inline_at = picture->inlined.size;
        status = pl_bytes_append(&picture->inlined, data.data, data.size);
    }
    return status == PL_OK ? picture_add(picture, &placed) : status;
}

static bool name_is_one_of(struct pl_span name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pl_span_equals(name, names[i]))
            return true;
    }
    return false;
}

static bool text_is_empty(const struct pl_pdf_op *op)
{
    const struct pl_pdf_value *last = op->count > 0 ? op->operands[op->count - 1] : NULL;
    return last == NULL || (last->kind == PL_PDF_STRING && last->as.text.size == 0) ||
           (last->kind == PL_PDF_ARRAY && last->as.array.count == 0);
}

static void walking_text(struct walking *walking, const struct pl_pdf_op *op)
{
    int mode = walking->graphics.now.text_mode;
    if (text_is_empty(op))
        return;
    if (mode == 3) {
        walking->picture->hidden_text = true;
    } else if (mode == 7) {
        walking->graphics.now.clip_odd = true;
    } else {
        walking_mark(walking, "holds text");
    }
}

static void walking_paint(struct walking *walking, struct pl_span name)
{
    static const char *const fills[] = { "f", "F", "f*" };
    bool fills_only = name_is_one_of(name, fills, PL_COUNT_OF(fills));
    bool under = walking->picture->count == 0;
    bool white = walking->graphics.now.ink == PL_PDF_INK_WHITE;
    bool drawn = walking->graphics.path.points > 0;
    if (drawn && !(fills_only && white && under))
        walking_mark(walking, "holds drawings");
    pl_pdf_graphics_painted(&walking->graphics);
}

static pl_status walking_inline(struct walking *walking, const struct pl_pdf_step *step)
{
    const struct pl_pdf_op *op = step->op;
    if (op->count != 2 || op->operands[0]->kind != PL_PDF_DICT ||
        op->operands[1]->kind != PL_PDF_STRING || op->operands[1]->as.text.size == 0)
        return PL_OK;
    return walking_image(walking, op->operands[0], op->operands[1]->as.text, step->resources);
}

static pl_status walking_op(struct walking *walking, const struct pl_pdf_step *step)
{
    static const char *const paints[] = { "f", "F", "f*", "S", "s", "B", "B*", "b", "b*", "n" };
    static const char *const texts[] = { "Tj", "TJ", "'", "\"" };
    struct pl_span name = step->op->name;
    if (pl_span_equals(name, "n")) {
        pl_pdf_graphics_painted(&walking->graphics);
    } else if (name_is_one_of(name, paints, PL_COUNT_OF(paints))) {
        walking_paint(walking, name);
    } else if (name_is_one_of(name, texts, PL_COUNT_OF(texts))) {
        walking_text(walking, step->op);
    } else if (pl_span_equals(name, "sh")) {
        walking_mark(walking, "holds drawings");
    } else if (pl_span_equals(name, "BI")) {
        return walking_inline(walking, step);
    } else {
        return pl_pdf_graphics_op(&walking->graphics, step, walking->fault);
    }
    return PL_OK;
}

static pl_status walking_step(struct walking *walking, const struct pl_pdf_step *step)
{
    if (!walking->layers_shown && pl_pdf_step_is_layered(step))
        walking->final = "has layers that may be hidden";
    switch (step->kind) {
    case PL_PDF_STEP_OP:
        return walking_op(walking, step);
    case PL_PDF_STEP_IMAGE:
        return walking_image(walking, step->object, (struct pl_span){ 0 }, step->resources);
    case PL_PDF_STEP_FORM:
        PL_CHECK(walking->forms < PL_COUNT_OF(walking->outer));
        return pl_pdf_graphics_enter(&walking->graphics, step->object,
                                     &walking->outer[walking->forms++], walking->fault);
    case PL_PDF_STEP_FORM_END:
        PL_CHECK(walking->forms > 0);
        pl_pdf_graphics_leave(&walking->graphics, walking->outer[--walking->forms]);
        break;
    case PL_PDF_STEP_END:
        break;
    }
    return PL_OK;
}

static pl_status walking_run(struct walking *walking)
{
    struct pl_pdf_walk *walk = NULL;
    struct pl_pdf_step step = { .kind = PL_PDF_STEP_OP };
    pl_status status =
        pl_pdf_walk_new(walking->images->file, walking->images->number - 1, &walk, walking->fault);
    while (status == PL_OK) {
        status = pl_pdf_walk_next(walk, &step, walking->fault);
        if (status != PL_OK || step.kind == PL_PDF_STEP_END)
            break;
        status = walking_step(walking, &step);
        if (walking->graphics.too_deep)
            walking->final = "nests graphics states too deep";
        walking->steps += walking->mark != NULL;
        if (walking->final != NULL || walking->steps > STEPS_AFTER_MARK)
            break;
    }
    pl_pdf_walk_free(walk);
    return status;
}

static pl_status annotation_look(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                                 bool *marks, bool *links, struct pl_fault *fault)
{
    const struct pl_pdf_value *annotation = NULL;
    const struct pl_pdf_value *subtype = NULL;
    const struct pl_pdf_value *appearance = NULL;
    int64_t flags = 0;
    pl_status status = pl_pdf_resolve(file, value, &annotation, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, annotation, "Subtype", &subtype, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, annotation, "AP", &appearance, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, annotation, "F", "F", 0, &flags, fault);
    if (status != PL_OK || annotation->kind != PL_PDF_DICT)
        return status;
    bool quiet = pl_pdf_name_is(subtype, "Link") || pl_pdf_name_is(subtype, "Popup") ||
                 (flags & (FLAG_HIDDEN | FLAG_NO_VIEW)) != 0 || appearance->kind != PL_PDF_DICT;
    *marks = *marks || !quiet;
    *links = *links || quiet;
    return PL_OK;
}

pl_status pl_pdf_page_annotations(struct pl_pdf_file *file, uint32_t n, bool *marks, bool *links,
                                  struct pl_fault *fault)
{
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *list = NULL;
    *marks = *links = false;
    pl_status status = pl_pdf_load_object(file, pl_pdf_page_ref(file, n), &page, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, page, "Annots", &list, fault);
    if (status != PL_OK || list->kind != PL_PDF_ARRAY)
        return status;
    *marks = list->as.array.count > ANNOTATIONS_MOST;
    for (size_t i = 0; status == PL_OK && !*marks && i < list->as.array.count; i++)
        status = annotation_look(file, list->as.array.items[i], marks, links, fault);
    return status;
}

/* Damage within the page, or more than is read here, is no refusal of the document: an interpreter
 * may still make something of it. An image over a limit is one. */
static pl_status picture_forgive(struct pl_pdf_picture *picture, pl_status status,
                                 const struct walking *walking, struct pl_fault *fault)
{
    const struct pl_fault *found = walking->fault;
    if (status == PL_TOO_LARGE && !walking->image_refused) {
        picture->why = "has too much on it";
        return PL_OK;
    }
    if (status == PL_BAD_DOCUMENT || status == PL_UNSUPPORTED) {
        picture->why = "is damaged";
        return PL_OK;
    }
    if (status == PL_OK)
        return PL_OK;
    return pl_fault_set(fault, status, "%s",
                        found->status != PL_OK ? found->reason : pl_status_text(status));
}

static pl_status picture_read(const struct pl_pdf_images *images, struct walking *walking)
{
    struct pl_pdf_picture *picture = walking->picture;
    bool marks = false;
    pl_status status =
        pl_pdf_shape_read(images->file, images->number - 1, &walking->shape, walking->fault);
    if (status == PL_OK)
        status = pl_pdf_page_annotations(images->file, images->number - 1, &marks, &picture->links,
                                         walking->fault);
    if (status == PL_OK)
        status = pl_pdf_layers_all_shown(images->file, &walking->layers_shown, walking->fault);
    if (status != PL_OK)
        return status;
    if (pl_pdf_rect_is_empty(walking->shape.box)) {
        picture->why = "has no size";
        return PL_OK;
    }
    if (marks) {
        picture->why = "has annotations";
        return PL_OK;
    }
    pl_pdf_graphics_init(&walking->graphics, images->file, walking->shape.box);
    status = walking_run(walking);
    if (status != PL_OK)
        return status;
    picture->why = walking->final != NULL ? walking->final : walking->mark;
    for (size_t i = 0; i < picture->count; i++) {
        if (picture->parts[i].image.stream == NULL)
            picture->parts[i].image.inline_data =
                picture->inlined.data + picture->parts[i].inline_at;
    }
    if (picture->why == NULL)
        picture->why = pl_pdf_tiling_judge(&walking->shape, picture);
    return PL_OK;
}

pl_status pl_pdf_picture_read(const struct pl_pdf_images *images, struct pl_pdf_picture *out,
                              struct pl_fault *fault)
{
    struct pl_fault found = { 0 };
    struct walking *walking = calloc(1, sizeof *walking);
    *out = (struct pl_pdf_picture){ .orientation = 1 };
    pl_bytes_init(&out->inlined, INLINE_BYTES);
    if (walking == NULL)
        return PL_NO_MEMORY;
    walking->images = images;
    walking->picture = out;
    walking->fault = &found;
    pl_status status = picture_forgive(out, picture_read(images, walking), walking, fault);
    free(walking);
    return status;
}

void pl_pdf_picture_fini(struct pl_pdf_picture *picture)
{
    free(picture->parts);
    pl_bytes_fini(&picture->inlined);
    *picture = (struct pl_pdf_picture){ .orientation = 1 };
}
