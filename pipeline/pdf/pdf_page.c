/* pdf_page: integer arithmetic from pixels to user space.
 *
 * Parts meet at edges that are computed from their row numbers alone, never by adding heights, so
 * that errors do not pile up. Each image is then drawn smaller than its place by a 400th of a pixel
 * at every edge. Readers that snap images outward to whole pixels (poppler, mupdf, Ghostscript)
 * would otherwise, by the last bit of a float, draw one row or column too many and scale the image
 * to it; readers that blend edges show nothing of it, as it is less than a step of 1/255.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_page.h"

#include "pipeline/pdf/pdf_object.h"

#define BOX_MAX (14400 * PL_PDF_UNIT)
#define BOX_MIN (3 * PL_PDF_UNIT)
#define INSET_PARTS 400 /* of a pixel */
#define INSET_LARGE                                                                                \
    8192 /* pixels; from here on a float has fewer digits left, and the inset grows */

static uint64_t box_side(uint32_t px, uint32_t mdpi)
{
    PL_CHECK(mdpi > 0);
    return px * (72000 * PL_PDF_UNIT) / mdpi;
}

/* Orientation 5 and 7 are 6 turned over before they are turned. */
static unsigned box_rotate(uint8_t orientation)
{
    static const uint16_t degrees[9] = { 0, 0, 0, 180, 0, 90, 90, 90, 270 };
    PL_CHECK(orientation >= 1 && orientation <= 8);
    return degrees[orientation];
}

static uint64_t box_grow(uint64_t side, uint64_t shortest)
{
    uint64_t grown = side * BOX_MIN / shortest;
    return grown < BOX_MAX ? grown : BOX_MAX;
}

struct pl_pdf_box pl_pdf_page_box(const struct pl_page *page, const struct pl_convert *convert)
{
    bool has_unit = pl_format_pdfa_part(convert->to) != 1;
    struct pl_pdf_box box = { .width = box_side(page->width_px, page->x_mdpi),
                              .height = box_side(page->height_px, page->y_mdpi),
                              .user_unit = 1,
                              .rotate = box_rotate(page->orientation) };
    uint64_t longest = box.width > box.height ? box.width : box.height;
    if (longest > BOX_MAX) {
        uint64_t unit = (longest + BOX_MAX - 1) / BOX_MAX;
        box.user_unit = has_unit ? (unsigned)unit : 1;
        box.width /= unit;
        box.height /= unit;
        box.rule = has_unit ? "longer than 200 inches: UserUnit"
                            : "longer than 200 inches: shown smaller, PDF/A-1 has no UserUnit";
    }
    uint64_t shortest = box.width < box.height ? box.width : box.height;
    if (shortest < BOX_MIN) {
        shortest = shortest > 0 ? shortest : 1;
        box.width = box.width < shortest ? BOX_MIN : box_grow(box.width, shortest);
        box.height = box.height < shortest ? BOX_MIN : box_grow(box.height, shortest);
        box.rule = "smaller than PDF/A allows: enlarged to 3 points";
    }
    return box;
}

/* In units of the box; at least one. */
static int64_t page_inset(uint64_t side, uint32_t px)
{
    uint64_t parts = px < INSET_LARGE ? INSET_PARTS : INSET_PARTS / 4;
    uint64_t inset = side / ((uint64_t)px * parts);
    return inset > 0 ? (int64_t)inset : 1;
}

/* a 0 0 d e f cm, with the image turned over where orientation says so. */
static pl_status page_draw(const struct pl_page *page, const struct pl_pdf_box *box, size_t part,
                           uint64_t low, uint64_t high, struct pl_bytes *out)
{
    bool mirrored = page->orientation == 2 || page->orientation == 7;
    bool upside_down = page->orientation == 4 || page->orientation == 5;
    int64_t inset = page_inset(box->width, page->width_px);
    int64_t left = inset;
    int64_t right = (int64_t)box->width - inset;
    inset = page_inset(box->height, page->height_px);
    int64_t bottom = (int64_t)low + inset;
    int64_t top = (int64_t)high - inset;
    char a[PL_PDF_NUMBER_CHARS];
    char d[PL_PDF_NUMBER_CHARS];
    char e[PL_PDF_NUMBER_CHARS];
    char f[PL_PDF_NUMBER_CHARS];
    return pl_bytes_format(out, "q %s 0 0 %s %s %s cm/I%zu Do Q\n",
                           pl_pdf_number(mirrored ? left - right : right - left, a),
                           pl_pdf_number(upside_down ? bottom - top : top - bottom, d),
                           pl_pdf_number(mirrored ? right : left, e),
                           pl_pdf_number(upside_down ? top : bottom, f), part);
}

pl_status pl_pdf_page_content(const struct pl_page *page, const struct pl_pdf_box *box,
                              struct pl_bytes *out)
{
    bool upside_down = page->orientation == 4 || page->orientation == 5;
    pl_status status = PL_OK;
    uint64_t row = 0;
    for (size_t i = 0; i < page->part_count && status == PL_OK; i++) {
        uint64_t from = box->height * row / page->height_px;
        row += page->parts[i].rows;
        PL_CHECK(row <= page->height_px);
        uint64_t to = box->height * row / page->height_px;
        if (upside_down) {
            status = page_draw(page, box, i, from, to, out);
        } else {
            status = page_draw(page, box, i, box->height - to, box->height - from, out);
        }
    }
    return status;
}
