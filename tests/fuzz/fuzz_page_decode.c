/* fuzz_page_decode: any bytes as the data of a page of any filter; the first eight say which. What
 * is decoded can be encoded again.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/page_decode.h"
#include "pipeline/image/page_encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pl_limits limits = {
    .pages = 20,
    .side_px = 5000,
    .colour_px = 1000000,
    .bilevel_px = 4000000,
    .page_bytes = 16000000,
    .output_bytes = 16000000,
    .expansion = 1000,
};

static void page_describe(const uint8_t *head, struct pl_page *page)
{
    static const uint8_t depths[] = { 1, 2, 4, 8, 16, 8, 1, 8 };
    static const enum pl_filter filters[] = {
        PL_FILTER_JBIG2, PL_FILTER_G4,  PL_FILTER_G3,    PL_FILTER_DCT,
        PL_FILTER_FLATE, PL_FILTER_JPX, PL_FILTER_JBIG2, PL_FILTER_LZW,
    };
    page->filter = filters[head[0] & 7];
    page->colour = (enum pl_colour)(head[0] >> 3 & 3);
    page->inverted = (head[0] & 0x20) != 0;
    page->bits = page->filter == PL_FILTER_FLATE ? depths[head[1] & 7] : 8;
    page->predictor = (uint8_t)(head[1] >> 4);
    page->fax.k = head[0] >> 6 & 1;
    page->width_px = 1U + head[2] + (head[3] & 3) * 256U;
    page->height_px = 1U + head[4];
    page->number = 1;
    page->x_mdpi = page->y_mdpi = 300000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_page page;
    struct pl_picture picture = { 0 };
    struct pl_fault fault = { 0 };
    if (size < 8)
        return 0;
    pl_page_init(&page, limits.page_bytes);
    page_describe(data, &page);
    size_t globals = data[5] < size - 8 ? data[5] : size - 8;
    struct pl_bytes *aside = page.filter == PL_FILTER_JBIG2 ? &page.globals : &page.palette;
    if (page.filter == PL_FILTER_JBIG2 || (page.filter == PL_FILTER_FLATE && page.bits <= 8))
        PL_CHECK(pl_bytes_append(aside, data + 8, globals) == PL_OK);
    PL_CHECK(pl_bytes_append(&page.data, data + 8 + globals, size - 8 - globals) == PL_OK);
    PL_CHECK(pl_page_add_part(&page, page.height_px, page.data.size) == PL_OK);
    if (pl_page_decode(&page, &limits, &picture, &fault) == PL_OK) {
        PL_CHECK(pl_page_encode_flate(&picture, &page) == PL_OK);
        struct pl_picture again = { 0 };
        PL_CHECK(pl_page_decode(&page, &limits, &again, &fault) == PL_OK);
        PL_CHECK(again.colour == picture.colour && again.stride == picture.stride);
        pl_picture_fini(&again);
    }
    pl_picture_fini(&picture);
    pl_page_fini(&page);
    return 0;
}
