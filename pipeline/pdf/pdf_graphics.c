/* pdf_graphics: matrices, rectangles, colours that matter, and a stack of states.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_graphics.h"

#include "pipeline/pdf/pdf_space.h"

#include <math.h>

#define RECT_SLACK 0.02 /* units: how crooked a rectangle may be */

struct pl_pdf_rect pl_pdf_rect_meet(struct pl_pdf_rect a, struct pl_pdf_rect b)
{
    return (struct pl_pdf_rect){ .left = fmax(a.left, b.left),
                                 .bottom = fmax(a.bottom, b.bottom),
                                 .right = fmin(a.right, b.right),
                                 .top = fmin(a.top, b.top) };
}

bool pl_pdf_rect_is_empty(struct pl_pdf_rect rect)
{
    return !(rect.left < rect.right && rect.bottom < rect.top);
}

bool pl_pdf_rect_holds(struct pl_pdf_rect outer, struct pl_pdf_rect inner, double slack)
{
    return inner.left >= outer.left - slack && inner.right <= outer.right + slack &&
           inner.bottom >= outer.bottom - slack && inner.top <= outer.top + slack;
}

static struct pl_pdf_matrix matrix_multiply(struct pl_pdf_matrix m, struct pl_pdf_matrix n)
{
    return (struct pl_pdf_matrix){
        .a = m.a * n.a + m.b * n.c,
        .b = m.a * n.b + m.b * n.d,
        .c = m.c * n.a + m.d * n.c,
        .d = m.c * n.b + m.d * n.d,
        .e = m.e * n.a + m.f * n.c + n.e,
        .f = m.e * n.b + m.f * n.d + n.f,
    };
}

static void matrix_apply(const struct pl_pdf_matrix *m, double x, double y, double *to_x,
                         double *to_y)
{
    *to_x = m->a * x + m->c * y + m->e;
    *to_y = m->b * x + m->d * y + m->f;
}

struct pl_pdf_rect pl_pdf_matrix_box(const struct pl_pdf_matrix *m)
{
    return (struct pl_pdf_rect){ .left = m->e + fmin(m->a, 0) + fmin(m->c, 0),
                                 .bottom = m->f + fmin(m->b, 0) + fmin(m->d, 0),
                                 .right = m->e + fmax(m->a, 0) + fmax(m->c, 0),
                                 .top = m->f + fmax(m->b, 0) + fmax(m->d, 0) };
}

void pl_pdf_graphics_init(struct pl_pdf_graphics *graphics, struct pl_pdf_file *file,
                          struct pl_pdf_rect page)
{
    *graphics = (struct pl_pdf_graphics){
        .file = file,
        .now = { .matrix = { .a = 1, .d = 1 }, .clip = page, .components = 1 },
    };
}

/* The last `count` operands as numbers. */
static bool operands(const struct pl_pdf_op *op, double *out, size_t count)
{
    if (op->count < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!pl_pdf_number_of(op->operands[op->count - count + i], &out[i]))
            return false;
    }
    return true;
}

static void path_point(struct pl_pdf_graphics *graphics, double x, double y)
{
    struct pl_pdf_path *path = &graphics->path;
    if (path->points == PL_PDF_PATH_POINTS || path->pieces > 1) {
        path->odd = true;
        return;
    }
    matrix_apply(&graphics->now.matrix, x, y, &path->x[path->points], &path->y[path->points]);
    path->points++;
}

static void path_rectangle(struct pl_pdf_graphics *graphics, const double v[4])
{
    graphics->path.pieces++;
    path_point(graphics, v[0], v[1]);
    path_point(graphics, v[0] + v[2], v[1]);
    path_point(graphics, v[0] + v[2], v[1] + v[3]);
    path_point(graphics, v[0], v[1] + v[3]);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= RECT_SLACK;
}

/* Four corners, or five of which the last is the first. */
static bool path_is_rectangle(const struct pl_pdf_path *path, struct pl_pdf_rect *out)
{
    const double *x = path->x;
    const double *y = path->y;
    bool closed = path->points == 5 && near(x[4], x[0]) && near(y[4], y[0]);
    if (path->odd || path->pieces != 1 || (path->points != 4 && !closed))
        return false;
    bool upright = near(x[0], x[1]) && near(y[1], y[2]) && near(x[2], x[3]) && near(y[3], y[0]);
    bool across = near(y[0], y[1]) && near(x[1], x[2]) && near(y[2], y[3]) && near(x[3], x[0]);
    *out = (struct pl_pdf_rect){ fmin(x[0], x[2]), fmin(y[0], y[2]), fmax(x[0], x[2]),
                                 fmax(y[0], y[2]) };
    return upright || across;
}

void pl_pdf_graphics_painted(struct pl_pdf_graphics *graphics)
{
    struct pl_pdf_rect rect;
    if (graphics->path.clips) {
        if (path_is_rectangle(&graphics->path, &rect)) {
            graphics->now.clip = pl_pdf_rect_meet(graphics->now.clip, rect);
        } else {
            graphics->now.clip_odd = true;
        }
    }
    graphics->path = (struct pl_pdf_path){ 0 };
}

static void graphics_save(struct pl_pdf_graphics *graphics)
{
    if (graphics->depth == PL_PDF_STATES) {
        graphics->too_deep = true;
        return;
    }
    graphics->saved[graphics->depth++] = graphics->now;
}

static void graphics_restore(struct pl_pdf_graphics *graphics)
{
    if (graphics->depth > graphics->floor)
        graphics->now = graphics->saved[--graphics->depth];
}

/* Subtractive with four components, additive otherwise. */
static enum pl_pdf_ink ink_of(const double *v, unsigned components)
{
    if (components == 4) {
        bool white = v[0] <= 0 && v[1] <= 0 && v[2] <= 0 && v[3] <= 0;
        return white ? PL_PDF_INK_WHITE : v[3] >= 1 ? PL_PDF_INK_BLACK : PL_PDF_INK_OTHER;
    }
    bool white = true;
    bool black = true;
    for (unsigned i = 0; i < components; i++) {
        white = white && v[i] >= 1;
        black = black && v[i] <= 0;
    }
    return white ? PL_PDF_INK_WHITE : black ? PL_PDF_INK_BLACK : PL_PDF_INK_OTHER;
}

static void ink_set(struct pl_pdf_graphics *graphics, const struct pl_pdf_op *op,
                    unsigned components)
{
    double v[4];
    bool known = components > 0 && operands(op, v, components);
    graphics->now.components = components;
    graphics->now.ink = known ? ink_of(v, components) : PL_PDF_INK_OTHER;
}

/* cs: the initial colour of the families that we know is black. */
static pl_status space_set(struct pl_pdf_graphics *graphics, const struct pl_pdf_step *step,
                           struct pl_fault *fault)
{
    struct pl_pdf_space space = { .kind = PL_PDF_SPACE_UNKNOWN };
    if (step->op->count > 0) {
        pl_status status = pl_pdf_space_read(graphics->file, step->op->operands[0], step->resources,
                                             &space, fault);
        if (status != PL_OK)
            return status;
    }
    bool known = space.kind <= PL_PDF_SPACE_ICC && !space.indexed;
    graphics->now.components = known ? space.components : 0;
    graphics->now.ink = known ? PL_PDF_INK_BLACK : PL_PDF_INK_OTHER;
    return PL_OK;
}

static bool blend_is_normal(const struct pl_pdf_value *mode)
{
    if (mode->kind == PL_PDF_ARRAY && mode->as.array.count > 0)
        mode = mode->as.array.items[0];
    return pl_pdf_name_is(mode, "Normal") || pl_pdf_name_is(mode, "Compatible");
}

static bool transfer_is_plain(const struct pl_pdf_value *transfer)
{
    return pl_pdf_name_is(transfer, "Identity") || pl_pdf_name_is(transfer, "Default");
}

/* gs: what a dictionary does not name stays as it was. */
static pl_status state_set(struct pl_pdf_graphics *graphics, const struct pl_pdf_step *step,
                           struct pl_fault *fault)
{
    static const char *const keys[] = { "ca", "BM", "SMask", "TR", "TR2" };
    const struct pl_pdf_value *values[PL_COUNT_OF(keys)] = { 0 };
    const struct pl_pdf_value *dict = NULL;
    double alpha = 1;
    if (step->op->count == 0 || step->op->operands[0]->kind != PL_PDF_NAME)
        return PL_OK;
    pl_status status = pl_pdf_resource(graphics->file, step->resources, "ExtGState",
                                       step->op->operands[0]->as.text, &dict, fault);
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++)
        status = pl_pdf_lookup(graphics->file, dict, keys[i], &values[i], fault);
    if (status != PL_OK)
        return status;
    struct pl_pdf_state *now = &graphics->now;
    if (pl_pdf_number_of(values[0], &alpha))
        now->alpha = alpha < 1;
    if (values[1]->kind != PL_PDF_NULL)
        now->blend = !blend_is_normal(values[1]);
    if (values[2]->kind != PL_PDF_NULL)
        now->mask = !pl_pdf_name_is(values[2], "None");
    const struct pl_pdf_value *transfer = values[4]->kind != PL_PDF_NULL ? values[4] : values[3];
    if (transfer->kind != PL_PDF_NULL)
        now->transfer = !transfer_is_plain(transfer);
    return PL_OK;
}

/* Operators whose name is one letter. */
static void graphics_letter(struct pl_pdf_graphics *graphics, const struct pl_pdf_op *op)
{
    double v[6];
    switch (op->name.data[0]) {
    case 'q':
        graphics_save(graphics);
        break;
    case 'Q':
        graphics_restore(graphics);
        break;
    case 'm':
        graphics->path.pieces++;
        if (operands(op, v, 2))
            path_point(graphics, v[0], v[1]);
        break;
    case 'l':
        if (operands(op, v, 2))
            path_point(graphics, v[0], v[1]);
        break;
    case 'c':
    case 'v':
    case 'y':
        graphics->path.odd = true;
        break;
    case 'W':
        graphics->path.clips = true;
        break;
    case 'g':
        ink_set(graphics, op, 1);
        break;
    case 'k':
        ink_set(graphics, op, 4);
        break;
    default:
        break;
    }
}

pl_status pl_pdf_graphics_op(struct pl_pdf_graphics *graphics, const struct pl_pdf_step *step,
                             struct pl_fault *fault)
{
    const struct pl_pdf_op *op = step->op;
    double v[6];
    if (op->name.size == 1) {
        graphics_letter(graphics, op);
    } else if (pl_span_equals(op->name, "cm")) {
        if (operands(op, v, 6)) {
            const struct pl_pdf_matrix m = { v[0], v[1], v[2], v[3], v[4], v[5] };
            graphics->now.matrix = matrix_multiply(m, graphics->now.matrix);
        }
    } else if (pl_span_equals(op->name, "re")) {
        if (operands(op, v, 4))
            path_rectangle(graphics, v);
    } else if (pl_span_equals(op->name, "W*")) {
        graphics->path.clips = true;
    } else if (pl_span_equals(op->name, "rg")) {
        ink_set(graphics, op, 3);
    } else if (pl_span_equals(op->name, "sc") || pl_span_equals(op->name, "scn")) {
        ink_set(graphics, op, graphics->now.components);
    } else if (pl_span_equals(op->name, "Tr")) {
        graphics->now.text_mode = operands(op, v, 1) ? (int)fmin(fmax(v[0], -1), 8) : 0;
    } else if (pl_span_equals(op->name, "cs")) {
        return space_set(graphics, step, fault);
    } else if (pl_span_equals(op->name, "gs")) {
        return state_set(graphics, step, fault);
    }
    return PL_OK;
}

pl_status pl_pdf_graphics_enter(struct pl_pdf_graphics *graphics, const struct pl_pdf_value *form,
                                size_t *outer, struct pl_fault *fault)
{
    const struct pl_pdf_value *matrix = NULL;
    const struct pl_pdf_value *box = NULL;
    double v[6];
    bool found = false;
    *outer = graphics->floor;
    graphics_save(graphics);
    graphics->floor = graphics->depth;
    pl_status status = pl_pdf_lookup(graphics->file, form, "Matrix", &matrix, fault);
    if (status == PL_OK)
        status = pl_pdf_numbers(graphics->file, matrix, v, 6, &found, fault);
    if (status == PL_OK && found) {
        const struct pl_pdf_matrix m = { v[0], v[1], v[2], v[3], v[4], v[5] };
        graphics->now.matrix = matrix_multiply(m, graphics->now.matrix);
    }
    if (status == PL_OK)
        status = pl_pdf_lookup(graphics->file, form, "BBox", &box, fault);
    if (status == PL_OK)
        status = pl_pdf_numbers(graphics->file, box, v, 4, &found, fault);
    if (status == PL_OK && found) {
        const double sides[4] = { v[0], v[1], v[2] - v[0], v[3] - v[1] };
        graphics->path = (struct pl_pdf_path){ .clips = true };
        path_rectangle(graphics, sides);
        pl_pdf_graphics_painted(graphics);
    }
    return status;
}

void pl_pdf_graphics_leave(struct pl_pdf_graphics *graphics, size_t outer)
{
    size_t mine = graphics->floor;
    if (mine > 0) {
        graphics->depth = mine;
        graphics->floor = mine - 1;
        graphics_restore(graphics);
    }
    graphics->floor = outer;
}
