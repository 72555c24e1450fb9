/* page_encode: one part, in the encoding that was asked for.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/page_encode.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/g4.h"
#include "pipeline/codec/jpeg_encode.h"

#include <stdlib.h>
#include <string.h>

/* Takes away what described the old data. */
static void page_empty(const struct pl_picture *picture, struct pl_page *page)
{
    pl_bytes_clear(&page->data);
    pl_bytes_fini(&page->palette);
    pl_bytes_fini(&page->globals);
    page->part_count = 0;
    page->kind = PL_PAGE_IMAGE;
    page->fax = (struct pl_page_fax){ 0 };
    page->predictor = 0;
    page->inverted = false;
    page->colour = picture->colour;
    page->bits = picture->colour == PL_COLOUR_BILEVEL ? 1 : 8;
    page->width_px = picture->width_px;
    page->height_px = picture->height_px;
    page->x_mdpi = picture->x_mdpi;
    page->y_mdpi = picture->y_mdpi;
}

static pl_status page_close(struct pl_page *page)
{
    return pl_page_add_part(page, page->height_px, page->data.size);
}

pl_status pl_page_encode_g4(const struct pl_picture *picture, struct pl_page *page)
{
    PL_CHECK(picture->colour == PL_COLOUR_BILEVEL);
    page_empty(picture, page);
    page->filter = PL_FILTER_G4;
    pl_status status = pl_g4_encode(picture->pixels, picture->stride, picture->width_px,
                                    picture->height_px, &page->data);
    return status == PL_OK ? page_close(page) : status;
}

/* Bilevel samples stand the other way round in PDF and PNG: 0 is black. Bits past the width are
 * written as 0. */
static const uint8_t *row_turned(const struct pl_picture *picture, const uint8_t *row, uint8_t *out)
{
    size_t size = ((size_t)picture->width_px + 7) / 8;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)~row[i];
    if (picture->width_px % 8 != 0)
        out[size - 1] &= (uint8_t)(0xff00 >> picture->width_px % 8);
    return out;
}

pl_status pl_page_encode_flate(const struct pl_picture *picture, struct pl_page *page)
{
    struct pl_flate *flate = NULL;
    uint8_t *turned = NULL;
    bool bilevel = picture->colour == PL_COLOUR_BILEVEL;
    unsigned samples = pl_colour_samples(picture->colour);
    size_t row_bytes = bilevel ? ((size_t)picture->width_px + 7) / 8 : picture->stride;
    page_empty(picture, page);
    page->filter = PL_FILTER_FLATE;
    pl_status status = pl_flate_new(row_bytes, samples, &page->data, &flate);
    if (status == PL_OK && bilevel) {
        turned = malloc(row_bytes);
        status = turned == NULL ? PL_NO_MEMORY : PL_OK;
    }
    for (uint32_t y = 0; y < picture->height_px && status == PL_OK; y++) {
        const uint8_t *row = picture->pixels + y * picture->stride;
        status = pl_flate_row(flate, turned == NULL ? row : row_turned(picture, row, turned));
    }
    if (status == PL_OK)
        status = pl_flate_end(flate);
    if (status == PL_OK)
        status = page_close(page);
    pl_flate_free(flate);
    free(turned);
    return status;
}

pl_status pl_page_encode_jpeg(const struct pl_picture *picture, unsigned quality,
                              struct pl_page *page)
{
    page_empty(picture, page);
    page->filter = PL_FILTER_DCT;
    page->inverted = picture->colour == PL_COLOUR_CMYK; /* as Adobe writes it */
    pl_status status = pl_jpeg_encode(picture, quality, &page->data);
    return status == PL_OK ? page_close(page) : status;
}
