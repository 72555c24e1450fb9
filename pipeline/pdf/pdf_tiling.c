/* pdf_tiling: matrices of quarter turns, edges that meet, pixels an inch.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_tiling.h"

#include <math.h>
#include <stdlib.h>

#define SKEW_UNITS 0.3  /* how far from upright an image may be, over its length */
#define COVER_UNITS 1.0 /* what may stick out below an image that hides the rest */
#define EDGE_SHARE 0.01 /* of a side: how far from the page's edge a picture's may be */
#define EDGE_UNITS 2.0  /* and at least */
#define BAND_PIXELS 0.6 /* between two bands, either way */
#define UNITS_MOST 1e9  /* of a box that makes sense */
#define MDPI_MOST 100000000.0

static pl_status box_read(struct pl_pdf_file *file, uint32_t n, const char *key,
                          struct pl_pdf_rect *out, bool *found, struct pl_fault *fault)
{
    const struct pl_pdf_value *array = NULL;
    double v[4];
    pl_status status = pl_pdf_page_inherited(file, n, key, &array, fault);
    if (status == PL_OK)
        status = pl_pdf_numbers(file, array, v, 4, found, fault);
    if (status != PL_OK || !*found)
        return status;
    *out = (struct pl_pdf_rect){ fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]),
                                 fmax(v[1], v[3]) };
    return PL_OK;
}

pl_status pl_pdf_shape_read(struct pl_pdf_file *file, uint32_t n, struct pl_pdf_page_shape *out,
                            struct pl_fault *fault)
{
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *rotate = NULL;
    const struct pl_pdf_value *unit = NULL;
    struct pl_pdf_rect crop = { 0 };
    double turn = 0;
    bool cropped = false;
    bool sized = false;
    *out = (struct pl_pdf_page_shape){ .box = { 0, 0, 612, 792 }, .user_unit = 1 };
    pl_status status = pl_pdf_load_object(file, pl_pdf_page_ref(file, n), &page, fault);
    if (status == PL_OK)
        status = box_read(file, n, "MediaBox", &out->box, &sized, fault);
    if (status == PL_OK)
        status = box_read(file, n, "CropBox", &crop, &cropped, fault);
    if (status == PL_OK)
        status = pl_pdf_page_inherited(file, n, "Rotate", &rotate, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, page, "UserUnit", &unit, fault);
    if (status != PL_OK)
        return status;
    if (cropped && !pl_pdf_rect_is_empty(pl_pdf_rect_meet(out->box, crop)))
        out->box = pl_pdf_rect_meet(out->box, crop);
    if (!pl_pdf_rect_holds((struct pl_pdf_rect){ -UNITS_MOST, -UNITS_MOST, UNITS_MOST, UNITS_MOST },
                           out->box, 0))
        out->box = (struct pl_pdf_rect){ 0 };
    if (pl_pdf_number_of(rotate, &turn) && fabs(turn) <= 3600)
        out->rotate = (unsigned)(((int)turn / 90 % 4 + 4) % 4) * 90;
    if (!pl_pdf_number_of(unit, &out->user_unit) || !(out->user_unit > 0 && out->user_unit < 1e6))
        out->user_unit = 1;
    return PL_OK;
}

/* Quarter turns and mirrors only. */
static bool matrix_is_square(const struct pl_pdf_matrix *m)
{
    bool upright = fabs(m->b) <= SKEW_UNITS && fabs(m->c) <= SKEW_UNITS;
    bool across = fabs(m->a) <= SKEW_UNITS && fabs(m->d) <= SKEW_UNITS;
    bool sized = upright ? m->a != 0 && m->d != 0 : m->b != 0 && m->c != 0;
    return (upright || across) && sized;
}

static bool matrix_is_upright(const struct pl_pdf_matrix *m)
{
    return fabs(m->a) > fabs(m->b);
}

bool pl_pdf_shape_is_covered(const struct pl_pdf_page_shape *shape,
                             const struct pl_pdf_matrix *matrix)
{
    return matrix_is_square(matrix) &&
           pl_pdf_rect_holds(pl_pdf_matrix_box(matrix), shape->box, COVER_UNITS);
}

/* Orientation 1 to 8 (TIFF 6.0 tag 274) of a matrix: where row 0 and column 0 lie. The sign of b or
 * a tells where columns run, that of c or d where rows do. */
static uint8_t matrix_orientation(const struct pl_pdf_matrix *m)
{
    if (matrix_is_upright(m)) {
        if (m->a > 0)
            return m->d > 0 ? 1 : 4;
        return m->d > 0 ? 2 : 3;
    }
    if (m->b > 0)
        return m->c < 0 ? 8 : 7;
    return m->c > 0 ? 6 : 5;
}

/* The same picture on a page that is turned by 90 degrees clockwise. */
static uint8_t orientation_turn(uint8_t orientation, unsigned degrees)
{
    static const uint8_t next[9] = { 0, 6, 7, 8, 5, 2, 3, 4, 1 };
    for (; degrees >= 90; degrees -= 90)
        orientation = next[orientation];
    return orientation;
}

/* From where to where the rows of a part run, along the axis that rows are counted on. */
static void part_extent(const struct pl_pdf_placed *part, double *from, double *to)
{
    const struct pl_pdf_matrix *m = &part->matrix;
    double start = matrix_is_upright(m) ? m->f + m->d : m->e + m->c;
    double end = matrix_is_upright(m) ? m->f : m->e;
    bool down = start < end; /* coordinates grow with the rows */
    *from = down ? start : -start;
    *to = down ? end : -end;
}

static int part_compare(const void *a, const void *b)
{
    double from[2];
    double to;
    part_extent(a, &from[0], &to);
    part_extent(b, &from[1], &to);
    return (from[0] > from[1]) - (from[0] < from[1]);
}

/* Both start and end at the same columns, and the rows are as high. */
static bool parts_align(const struct pl_pdf_placed *a, const struct pl_pdf_placed *b)
{
    struct pl_pdf_rect one = pl_pdf_matrix_box(&a->matrix);
    struct pl_pdf_rect two = pl_pdf_matrix_box(&b->matrix);
    bool upright = matrix_is_upright(&a->matrix);
    double length = upright ? one.right - one.left : one.top - one.bottom;
    double pixel = length / a->image.width_px;
    double start = upright ? one.left - two.left : one.bottom - two.bottom;
    double end = upright ? one.right - two.right : one.top - two.top;
    return fabs(start) <= pixel && fabs(end) <= pixel;
}

static double part_row(const struct pl_pdf_placed *part)
{
    double from = 0;
    double to = 0;
    part_extent(part, &from, &to);
    return (to - from) / part->image.height_px;
}

static const char *parts_follow(const struct pl_pdf_placed *above,
                                const struct pl_pdf_placed *below)
{
    double from[2];
    double to[2];
    part_extent(above, &from[0], &to[0]);
    part_extent(below, &from[1], &to[1]);
    double row = part_row(above);
    double other = part_row(below);
    if (!pl_pdf_image_matches(&above->image, &below->image) ||
        matrix_orientation(&above->matrix) != matrix_orientation(&below->matrix))
        return "holds several images of different kinds";
    /* A band of a few rows may be a row higher or lower than its place. */
    double slack = row / fmin(above->image.height_px, below->image.height_px) + row * 0.01;
    if (!parts_align(above, below) || fabs(row - other) > slack ||
        fabs(from[1] - to[0]) > BAND_PIXELS * row)
        return "holds several images that do not tile it";
    return NULL;
}

static double edge_slack(double side)
{
    return fmax(side * EDGE_SHARE, EDGE_UNITS);
}

static bool box_is_filled(struct pl_pdf_rect page, struct pl_pdf_rect picture)
{
    double across = edge_slack(page.right - page.left);
    double along = edge_slack(page.top - page.bottom);
    return fabs(picture.left - page.left) <= across && fabs(picture.right - page.right) <= across &&
           fabs(picture.bottom - page.bottom) <= along && fabs(picture.top - page.top) <= along;
}

/* Thousandths of pixels an inch. */
static uint32_t resolution(double pixels, double units)
{
    double mdpi = round(pixels * 72000 / units);
    return (uint32_t)fmin(fmax(mdpi, 1), MDPI_MOST);
}

const char *pl_pdf_tiling_judge(const struct pl_pdf_page_shape *shape,
                                struct pl_pdf_picture *picture)
{
    uint64_t rows = 0;
    if (picture->count == 0)
        return "holds no picture";
    for (size_t i = 0; i < picture->count; i++) {
        if (!matrix_is_square(&picture->parts[i].matrix))
            return "shows its picture at an angle";
        rows += picture->parts[i].image.height_px;
    }
    const struct pl_pdf_placed *first = picture->parts;
    qsort(picture->parts, picture->count, sizeof *picture->parts, part_compare);
    struct pl_pdf_rect all = pl_pdf_matrix_box(&first->matrix);
    for (size_t i = 1; i < picture->count; i++) {
        const char *why = parts_follow(&picture->parts[i - 1], &picture->parts[i]);
        struct pl_pdf_rect box = pl_pdf_matrix_box(&picture->parts[i].matrix);
        if (why != NULL)
            return why;
        all.left = fmin(all.left, box.left);
        all.bottom = fmin(all.bottom, box.bottom);
        all.right = fmax(all.right, box.right);
        all.top = fmax(all.top, box.top);
    }
    if (!box_is_filled(shape->box, all))
        return "holds a picture that does not fill it";
    if (rows > UINT32_MAX)
        return "holds a picture of too many rows";
    bool upright = matrix_is_upright(&first->matrix);
    double across = (all.right - all.left) * shape->user_unit;
    double along = (all.top - all.bottom) * shape->user_unit;
    picture->width_px = first->image.width_px;
    picture->height_px = (uint32_t)rows;
    picture->x_mdpi = resolution(picture->width_px, upright ? across : along);
    picture->y_mdpi = resolution((double)rows, upright ? along : across);
    picture->orientation = orientation_turn(matrix_orientation(&first->matrix), shape->rotate);
    return NULL;
}
