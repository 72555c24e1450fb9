/* fit: what has to happen is decided from the page's description alone; only then is it decoded.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/fit.h"

#include "pipeline/codec/jpeg_luma.h"
#include "pipeline/image/auto_colour.h"
#include "pipeline/image/binarize.h"
#include "pipeline/image/grey.h"
#include "pipeline/image/page_decode.h"
#include "pipeline/image/page_encode.h"
#include "pipeline/image/rotate.h"
#include "pipeline/image/scale.h"
#include "pipeline/pdf/pdf_import.h"

#include <inttypes.h>
#include <stdlib.h>

#define QUALITY_DEFAULT 85
#define THUMBNAIL_PX 256
#define HALF_BLACK 128 /* grey of a pixel of which half is black, rounded */

struct fit {
    const struct pl_convert *convert;
    const struct pl_writer_ops *writer;
    const struct pl_limits *limits;
    struct pl_page *page;
    struct pl_fault *fault;
    struct pl_picture now;
    struct pl_picture made; /* by the step that runs */
    uint32_t width_px;      /* that the page is to have, as it is stored */
    uint32_t height_px;
    bool carried; /* as it came */
    bool lossy;   /* the picture holds less than the page did */
};

static bool is_bilevel(const struct pl_page *page)
{
    return page->palette.size == 0 && page->bits == 1 &&
           (page->colour == PL_COLOUR_BILEVEL || page->colour == PL_COLOUR_GREY);
}

static bool is_file_of_pixels(enum pl_format format)
{
    return format == PL_FORMAT_JPEG || format == PL_FORMAT_PNG || format == PL_FORMAT_THUMBNAIL;
}

/* Formats that are lossy themselves. */
static bool is_jpeg(const struct pl_convert *convert)
{
    return convert->to == PL_FORMAT_JPEG || convert->to == PL_FORMAT_THUMBNAIL;
}

static unsigned quality_of(const struct pl_convert *convert)
{
    if (is_jpeg(convert) || (convert->to == PL_FORMAT_TIFF && convert->tiff == PL_TIFF_JPEG))
        return convert->quality > 0 ? convert->quality : QUALITY_DEFAULT;
    return convert->to == PL_FORMAT_PNG ? 0 : convert->quality;
}

/* The most that the colour of the page may be in the result, as far as the page need not be seen.
 */
static enum pl_colour_mode colour_mode(const struct pl_convert *convert)
{
    return convert->to == PL_FORMAT_TIFF_G4 ? PL_COLOUR_MODE_BILEVEL : convert->colour;
}

/* value * part / whole to the nearest, at least 1. */
static uint32_t part_of(uint32_t value, uint64_t part, uint64_t whole)
{
    uint64_t result = (value * part + whole / 2) / whole;
    return (uint32_t)(result == 0 ? 1 : result);
}

/* A thumbnail shows the sheet: its sides are as those of the paper, also where pixels are not
 * square; neither side grows. */
static void thumbnail_size(struct fit *fit)
{
    const struct pl_page *page = fit->page;
    uint32_t most = fit->convert->thumbnail_px > 0 ? fit->convert->thumbnail_px : THUMBNAIL_PX;
    uint64_t across = (uint64_t)page->width_px * page->y_mdpi;
    uint64_t down = (uint64_t)page->height_px * page->x_mdpi;
    uint32_t longest = page->width_px > page->height_px ? page->width_px : page->height_px;
    if (longest <= most)
        return;
    while ((across | down) >> 32 != 0) { /* only their ratio counts */
        across >>= 1;
        down >>= 1;
    }
    across = across == 0 ? 1 : across;
    down = down == 0 ? 1 : down;
    uint32_t width = across >= down ? most : part_of(most, across, down);
    uint32_t height = down >= across ? most : part_of(most, down, across);
    fit->width_px = width < page->width_px ? width : page->width_px;
    fit->height_px = height < page->height_px ? height : page->height_px;
}

static uint32_t side_at(uint32_t px, uint32_t mdpi, uint32_t dpi)
{
    uint64_t wanted = (uint64_t)dpi * 1000;
    if (dpi == 0 || (uint64_t)mdpi * 100 <= wanted * 102)
        return px;
    return part_of(px, wanted, mdpi);
}

static void fit_size(struct fit *fit)
{
    const struct pl_page *page = fit->page;
    fit->width_px = side_at(page->width_px, page->x_mdpi, fit->convert->dpi);
    fit->height_px = side_at(page->height_px, page->y_mdpi, fit->convert->dpi);
    if (fit->convert->to == PL_FORMAT_THUMBNAIL)
        thumbnail_size(fit);
}

static bool fit_scales(const struct fit *fit)
{
    return fit->width_px != fit->page->width_px || fit->height_px != fit->page->height_px;
}

/* Adds the rotation that was asked for. Every format but PNG can say how a page lies; the writer of
 * that one does not carry a page that is turned. */
static void fit_orientation(struct fit *fit)
{
    struct pl_page *page = fit->page;
    page->orientation = (uint8_t)pl_rotate_orientation(page->orientation, fit->convert->rotate);
}

/* Whether colour has to be looked at: the page may be more than what is asked for. */
static bool fit_recolours(const struct fit *fit)
{
    const struct pl_page *page = fit->page;
    switch (colour_mode(fit->convert)) {
    case PL_COLOUR_KEEP:
        return false;
    case PL_COLOUR_MODE_GREY:
        return page->palette.size > 0 || page->colour == PL_COLOUR_RGB ||
               page->colour == PL_COLOUR_CMYK;
    case PL_COLOUR_MODE_BILEVEL:
    case PL_COLOUR_MODE_AUTO:
        break;
    }
    return !is_bilevel(page);
}

/* Exact data of many bits, which the setting asks to encode with loss. */
static bool fit_compresses(const struct fit *fit)
{
    const struct pl_page *page = fit->page;
    return fit->convert->quality > 0 && quality_of(fit->convert) > 0 && page->bits >= 8 &&
           page->palette.size == 0 &&
           (page->filter == PL_FILTER_FLATE || page->filter == PL_FILTER_LZW ||
            page->filter == PL_FILTER_DCT);
}

/* The picture that a step made is the one to work on. */
static void fit_step(struct fit *fit)
{
    struct pl_picture swap = fit->now;
    fit->now = fit->made;
    fit->made = swap;
}

static pl_status fit_grey(struct fit *fit)
{
    pl_status status =
        pl_grey_make(&fit->now, fit->limits, fit->page->number, &fit->made, fit->fault);
    fit->lossy = fit->lossy || fit->now.colour != PL_COLOUR_BILEVEL;
    fit_step(fit);
    return status;
}

/* What the picture's colour is to become. */
static pl_status fit_target(struct fit *fit, enum pl_colour *out)
{
    enum pl_colour target = fit->now.colour;
    pl_status status = PL_OK;
    switch (colour_mode(fit->convert)) {
    case PL_COLOUR_KEEP:
        break;
    case PL_COLOUR_MODE_GREY:
        if (target != PL_COLOUR_BILEVEL || fit_scales(fit))
            target = PL_COLOUR_GREY;
        break;
    case PL_COLOUR_MODE_BILEVEL:
        target = PL_COLOUR_BILEVEL;
        break;
    case PL_COLOUR_MODE_AUTO:
        status = pl_auto_colour(&fit->now, &target);
        break;
    }
    bool rgb_only = is_file_of_pixels(fit->convert->to) ||
                    (fit->convert->to == PL_FORMAT_TIFF && quality_of(fit->convert) > 0);
    if (target == PL_COLOUR_CMYK && rgb_only)
        target = PL_COLOUR_RGB;
    if (target == PL_COLOUR_BILEVEL && is_jpeg(fit->convert))
        target = PL_COLOUR_GREY;
    *out = target;
    return status;
}

static pl_status fit_scale(struct fit *fit)
{
    const struct pl_page *page = fit->page;
    uint32_t from = page->x_mdpi > page->y_mdpi ? page->x_mdpi : page->y_mdpi;
    pl_status status = pl_scale(&fit->now, fit->width_px, fit->height_px, fit->limits, page->number,
                                &fit->made, fit->fault);
    fit_step(fit);
    fit->lossy = true;
    if (fit->convert->to == PL_FORMAT_THUMBNAIL)
        return status;
    if (fit->width_px != page->width_px)
        fit->now.x_mdpi = fit->convert->dpi * 1000;
    if (fit->height_px != page->height_px)
        fit->now.y_mdpi = fit->convert->dpi * 1000;
    pl_page_note(fit->page, "brought down from %" PRIu32 " to %" PRIu32 " dpi", (from + 500) / 1000,
                 fit->convert->dpi);
    return status;
}

/* `was` is what the page came as: a bilevel one that was scaled only has to be parted again. */
static pl_status fit_bilevel(struct fit *fit, enum pl_colour was)
{
    const struct pl_convert *convert = fit->convert;
    pl_status status = PL_OK;
    if (was == PL_COLOUR_BILEVEL && convert->binarize != PL_BINARIZE_DITHER) {
        status = pl_binarize_at(&fit->now, HALF_BLACK, fit->limits, fit->page->number, &fit->made,
                                fit->fault);
    } else {
        status = pl_binarize(&fit->now, convert->binarize, fit->limits, fit->page->number,
                             &fit->made, fit->fault);
        pl_page_note(fit->page, "made bilevel by %s", pl_binarize_name(convert->binarize));
    }
    fit->lossy = true;
    fit_step(fit);
    return status;
}

static pl_status fit_turn(struct fit *fit)
{
    pl_status status = pl_rotate(&fit->now, fit->page->orientation, fit->limits, fit->page->number,
                                 &fit->made, fit->fault);
    fit->page->orientation = 1;
    fit_step(fit);
    return status;
}

/* Colour, size and lie of the picture, in the order in which least is to be done. */
static pl_status fit_work(struct fit *fit, enum pl_colour target)
{
    enum pl_colour was = fit->now.colour;
    pl_status status = PL_OK;
    if (target == PL_COLOUR_RGB && was == PL_COLOUR_CMYK) {
        status = pl_rgb_make(&fit->now, fit->limits, fit->page->number, &fit->made, fit->fault);
        fit_step(fit);
        fit->lossy = true;
        pl_page_note(fit->page, "CMYK made RGB");
    } else if (target != was && was != PL_COLOUR_BILEVEL && was != PL_COLOUR_GREY) {
        status = fit_grey(fit);
        if (target == PL_COLOUR_GREY)
            pl_page_note(fit->page, "made grey");
    }
    if (status == PL_OK && fit_scales(fit))
        status = fit_scale(fit); /* bilevel comes out grey */
    if (status == PL_OK && target == PL_COLOUR_GREY && fit->now.colour == PL_COLOUR_BILEVEL)
        status = fit_grey(fit);
    if (status == PL_OK && target == PL_COLOUR_BILEVEL && fit->now.colour != PL_COLOUR_BILEVEL)
        status = fit_bilevel(fit, was);
    if (status == PL_OK && fit->page->orientation != 1 && is_file_of_pixels(fit->convert->to))
        status = fit_turn(fit);
    return status;
}

static pl_status fit_encode(struct fit *fit)
{
    unsigned quality = quality_of(fit->convert);
    if (fit->now.colour == PL_COLOUR_BILEVEL && fit->convert->to != PL_FORMAT_PNG)
        return pl_page_encode_g4(&fit->now, fit->page);
    if (fit->now.colour == PL_COLOUR_BILEVEL || quality == 0)
        return pl_page_encode_flate(&fit->now, fit->page);
    fit->lossy = true;
    pl_page_note(fit->page, "JPEG of quality %u", quality);
    return pl_page_encode_jpeg(&fit->now, quality, fit->page);
}

static void fit_account(struct fit *fit, const struct pl_page *before)
{
    struct pl_page *page = fit->page;
    enum pl_colour shown = before->colour == PL_COLOUR_BILEVEL ? PL_COLOUR_GREY : before->colour;
    enum pl_colour shows = page->colour == PL_COLOUR_BILEVEL ? PL_COLOUR_GREY : page->colour;
    if (shown != shows || page->colour == PL_COLOUR_BILEVEL)
        pl_bytes_fini(&page->icc); /* it spoke of other samples */
    if (before->bits == 16 && page->bits == 8) {
        pl_page_note(page, "16 bits a sample brought down to 8");
        fit->lossy = true;
    }
    if (page->how != PL_PAGE_RENDERED && page->how != PL_PAGE_REENCODED_LOSS)
        page->how = fit->lossy ? PL_PAGE_REENCODED_LOSS : PL_PAGE_REENCODED_EXACT;
    uint64_t came = before->bytes_in > 0 ? before->bytes_in : before->data.size;
    if (page->filter != PL_FILTER_DCT && page->data.size > came)
        pl_page_note(page, "grew from %" PRIu64 " to %zu bytes", came, page->data.size);
}

/* What the page owned before it was encoded anew. */
static void owned_fini(struct pl_page *page)
{
    pl_bytes_fini(&page->data);
    pl_bytes_fini(&page->palette);
    pl_bytes_fini(&page->globals);
    free(page->parts);
}

/* Encodes the picture into the page; where only size was to be won and is not, the page stays as it
 * came. */
static pl_status fit_replace(struct fit *fit, const struct pl_page *came, bool optional)
{
    struct pl_page *page = fit->page;
    struct pl_page old = *page; /* keeps what the page owned */
    pl_bytes_init(&page->data, old.data.limit);
    pl_bytes_init(&page->palette, old.palette.limit);
    pl_bytes_init(&page->globals, old.globals.limit);
    page->parts = NULL;
    page->part_count = 0;
    size_t most = old.filter == PL_FILTER_DCT ? old.data.size / 10 * 9 : old.data.size;
    pl_status status = fit_encode(fit);
    if (status != PL_OK || (optional && page->data.size >= most)) {
        owned_fini(page);
        *page = old;
        page->orientation = came->orientation; /* the picture was turned, these data are not */
        for (size_t i = 0; i < sizeof page->note; i++)
            page->note[i] = came->note[i];
        return status;
    }
    fit_account(fit, &old);
    owned_fini(&old);
    return PL_OK;
}

/* Colour that only has to be left out of JPEG data that can be carried: nothing is encoded again.
 */
static bool fit_keeps_luma(const struct fit *fit, bool must, enum pl_colour target)
{
    const struct pl_page *page = fit->page;
    return !must && target == PL_COLOUR_GREY && fit->convert->quality == 0 &&
           page->filter == PL_FILTER_DCT && page->colour == PL_COLOUR_RGB && !page->inverted &&
           page->part_count == 1;
}

static pl_status fit_luma(struct fit *fit)
{
    struct pl_page *page = fit->page;
    struct pl_bytes grey;
    pl_bytes_init(&grey, page->data.limit);
    pl_status status = pl_jpeg_luma(page->data.data + page->parts[0].at, page->parts[0].size,
                                    page->number, fit->limits, &grey, fit->fault);
    if (status != PL_OK) {
        pl_bytes_fini(&grey);
        return status;
    }
    pl_bytes_fini(&page->data);
    page->data = grey;
    page->parts[0].at = 0;
    page->parts[0].size = grey.size;
    page->colour = PL_COLOUR_GREY;
    page->how = page->how == PL_PAGE_RENDERED ? PL_PAGE_RENDERED : PL_PAGE_REENCODED_LOSS;
    pl_bytes_fini(&page->icc);
    pl_page_note(page, "colour left out");
    return PL_OK;
}

/* The page has to be seen: because it must change, or (`maybe`) to know whether it does. */
static pl_status fit_pixels(struct fit *fit, bool must, bool recolours)
{
    struct pl_page *page = fit->page;
    const struct pl_page came = *page; /* its note and lie, before anything is done */
    enum pl_colour target = PL_COLOUR_BILEVEL;
    pl_status status = pl_page_decode(page, fit->limits, &fit->now, fit->fault);
    if (status == PL_OK)
        status = fit_target(fit, &target);
    if (status != PL_OK)
        return status;
    bool changes = target != fit->now.colour;
    if (!must && recolours && !changes && !fit_compresses(fit))
        return PL_OK; /* it was what it was to be */
    if (fit_keeps_luma(fit, must, target)) {
        status = fit_luma(fit);
        if (status != PL_UNSUPPORTED)
            return status;
    }
    bool optional = !must && !changes;
    status = fit_work(fit, target);
    return status == PL_OK ? fit_replace(fit, &came, optional) : status;
}

static pl_status fit_image(struct fit *fit)
{
    const struct pl_page *page = fit->page;
    fit_size(fit);
    fit_orientation(fit);
    fit->carried = fit->writer->carries(fit->convert, page);
    bool recolours = fit_recolours(fit);
    bool must = !fit->carried || fit_scales(fit);
    if (!must && !recolours && !fit_compresses(fit))
        return PL_OK;
    pl_status status = fit_pixels(fit, must, recolours);
    if (status == PL_OK && !fit->writer->carries(fit->convert, page))
        return pl_fault_set(fit->fault, PL_UNSUPPORTED,
                            "page %" PRIu32 " cannot be brought into a shape that %s has",
                            page->number, pl_format_name(fit->convert->to));
    return status;
}

pl_status pl_fit_page(const struct pl_convert *convert, const struct pl_writer_ops *writer,
                      const struct pl_limits *limits, struct pl_page *page, struct pl_fault *fault)
{
    struct fit fit = {
        .convert = convert, .writer = writer, .limits = limits, .page = page, .fault = fault
    };
    pl_status status = PL_OK;
    if (page->kind == PL_PAGE_PDF) {
        page->pdf->rotate = (page->pdf->rotate + convert->rotate) % 360;
        if (!writer->carries(convert, page))
            status = pl_fault_set(fault, PL_UNSUPPORTED,
                                  "page %" PRIu32 " is drawn, and %s holds pixels", page->number,
                                  pl_format_name(convert->to));
    } else {
        status = fit_image(&fit);
    }
    if (status == PL_OK && writer->encode != NULL)
        status = writer->encode(convert, limits, page, fault);
    pl_picture_fini(&fit.made);
    pl_picture_fini(&fit.now);
    return status;
}
