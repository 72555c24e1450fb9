/* fuzz_fit: a page of any data through any settings, to a writer that carries this or that; the
 * first twelve bytes say which.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/fit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_BYTES 12

static const struct pl_limits limits = {
    .pages = 20,
    .side_px = 3000,
    .colour_px = 400000,
    .bilevel_px = 2000000,
    .page_bytes = 8000000,
    .output_bytes = 16000000,
    .expansion = 1000,
};

static bool carries_fax(const struct pl_convert *convert, const struct pl_page *page)
{
    (void)convert;
    return page->filter == PL_FILTER_G4;
}

static bool carries_jpeg(const struct pl_convert *convert, const struct pl_page *page)
{
    (void)convert;
    return page->filter == PL_FILTER_DCT && page->colour != PL_COLOUR_CMYK;
}

static bool carries_flate(const struct pl_convert *convert, const struct pl_page *page)
{
    (void)convert;
    return page->filter == PL_FILTER_FLATE && page->colour != PL_COLOUR_CMYK &&
           page->orientation == 1;
}

static bool carries_most(const struct pl_convert *convert, const struct pl_page *page)
{
    (void)convert;
    return page->filter == PL_FILTER_G4 || page->filter == PL_FILTER_DCT ||
           page->filter == PL_FILTER_FLATE;
}

static const struct pl_writer_ops writers[PL_FORMAT_COUNT] = {
    [PL_FORMAT_PDFA_2B] = { .carries = carries_most },
    [PL_FORMAT_PDF] = { .carries = carries_most },
    [PL_FORMAT_PDFA_1B] = { .carries = carries_most },
    [PL_FORMAT_PDFA_3B] = { .carries = carries_most },
    [PL_FORMAT_TIFF_G4] = { .carries = carries_fax },
    [PL_FORMAT_TIFF] = { .carries = carries_most },
    [PL_FORMAT_JPEG] = { .carries = carries_jpeg },
    [PL_FORMAT_PNG] = { .carries = carries_flate },
    [PL_FORMAT_THUMBNAIL] = { .carries = carries_jpeg },
};

static void page_describe(const uint8_t *head, struct pl_page *page)
{
    static const uint8_t depths[] = { 1, 2, 4, 8 };
    static const enum pl_filter filters[] = { PL_FILTER_G4, PL_FILTER_G3, PL_FILTER_DCT,
                                              PL_FILTER_FLATE };
    page->filter = filters[head[0] & 3];
    page->colour = (enum pl_colour)(head[0] >> 2 & 3);
    page->inverted = (head[0] & 0x10) != 0;
    page->bits = depths[head[0] >> 5 & 3];
    page->predictor = head[0] >> 7 != 0 ? 15 : 1;
    page->width_px = 1U + head[1];
    page->height_px = 1U + head[2];
    page->x_mdpi = 1000U + head[3] * 4000U;
    page->y_mdpi = 1000U + head[4] * 4000U;
    page->orientation = (uint8_t)(1 + (head[5] & 7));
    page->number = 1;
}

static void convert_describe(const uint8_t *head, struct pl_convert *convert)
{
    pl_convert_defaults(convert, (enum pl_format)(head[6] % PL_FORMAT_COUNT));
    convert->rotate = (head[7] & 3) * 90U;
    convert->colour = (enum pl_colour_mode)(head[7] >> 2 & 3);
    convert->binarize = (enum pl_binarize)((head[7] >> 4 & 3) % 3);
    convert->tiff = (enum pl_tiff_compression)((head[7] >> 6 & 3) % 3);
    convert->dpi = head[8] * 4U;
    convert->quality = head[9] % 101U;
    convert->thumbnail_px = head[10];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_page page;
    struct pl_convert convert;
    struct pl_fault fault = { 0 };
    if (size < HEAD_BYTES)
        return 0;
    pl_page_init(&page, limits.page_bytes);
    page_describe(data, &page);
    convert_describe(data, &convert);
    size_t palette = data[11] < size - HEAD_BYTES ? data[11] : size - HEAD_BYTES;
    if (page.filter == PL_FILTER_FLATE)
        PL_CHECK(pl_bytes_append(&page.palette, data + HEAD_BYTES, palette) == PL_OK);
    PL_CHECK(pl_bytes_append(&page.data, data + HEAD_BYTES + palette,
                             size - HEAD_BYTES - palette) == PL_OK);
    PL_CHECK(pl_page_add_part(&page, page.height_px, page.data.size) == PL_OK);
    const struct pl_writer_ops *writer = &writers[convert.to];
    if (pl_fit_page(&convert, writer, &limits, &page, &fault) == PL_OK)
        PL_CHECK(writer->carries(&convert, &page));
    else
        PL_CHECK(page.width_px > 0);
    pl_page_fini(&page);
    return 0;
}
