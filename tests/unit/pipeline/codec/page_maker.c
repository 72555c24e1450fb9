/* page_maker: pages drawn by a formula.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_maker.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"
#include "pipeline/codec/g4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

static uint8_t sample_of(size_t x, size_t y)
{
    return (uint8_t)(x * 3 + y * 5 + x * y / 16 + (x * 7919 + y * 104729) % 61);
}

static void page_begin(struct pl_page *page, const struct page_recipe *recipe,
                       enum pl_filter filter)
{
    pl_page_init(page, (uint64_t)1 << 28);
    page->number = 1;
    page->width_px = recipe->width_px > 0 ? recipe->width_px : 61;
    page->height_px = recipe->height_px > 0 ? recipe->height_px : 43;
    page->x_mdpi = page->y_mdpi = 300000;
    page->colour = recipe->colour;
    page->bits = (uint8_t)(recipe->bits > 0 ? recipe->bits : 8);
    page->inverted = recipe->inverted;
    page->filter = filter;
}

void page_make_flate(struct pl_page *page, const struct page_recipe *recipe)
{
    page_begin(page, recipe, PL_FILTER_FLATE);
    size_t step = page->colour == PL_COLOUR_CMYK ? 4 : page->colour == PL_COLOUR_RGB ? 3 : 1;
    for (size_t i = 0; i < recipe->palette_entries * step; i++) {
        const uint8_t byte = (uint8_t)(i * 37 + 11);
        PL_CHECK(pl_bytes_append(&page->palette, &byte, 1) == PL_OK);
    }
    unsigned samples = pl_flate_samples(page);
    size_t row_bytes = pl_flate_row_bytes(page->width_px, samples, page->bits);
    struct pl_flate *flate = NULL;
    uint8_t *row = malloc(row_bytes);
    PL_CHECK(row != NULL);
    PL_CHECK(pl_flate_new(row_bytes, (samples * page->bits + 7) / 8, &page->data, &flate) == PL_OK);
    for (uint32_t y = 0; y < page->height_px; y++) {
        for (size_t i = 0; i < row_bytes; i++) {
            row[i] = sample_of(i, y);
            if (page->bits == 8 && recipe->palette_entries > 0)
                row[i] = (uint8_t)(row[i] % recipe->palette_entries);
        }
        PL_CHECK(pl_flate_row(flate, row) == PL_OK);
    }
    PL_CHECK(pl_flate_end(flate) == PL_OK);
    pl_flate_free(flate);
    free(row);
    PL_CHECK(pl_page_add_part(page, page->height_px, page->data.size) == PL_OK);
}

void page_make_g4(struct pl_page *page, const struct page_recipe *recipe)
{
    page_begin(page, recipe, PL_FILTER_G4);
    page->bits = 1;
    size_t stride = ((size_t)page->width_px + 7) / 8;
    uint8_t *pixels = malloc(stride * page->height_px);
    PL_CHECK(pixels != NULL);
    for (size_t i = 0; i < stride * page->height_px; i++)
        pixels[i] = (uint8_t)(i / stride % 9 == 0 ? 0xf0 : i % 7 == 0 ? sample_of(i, 1) : 0);
    uint32_t rows = recipe->strip_rows > 0 ? recipe->strip_rows : page->height_px;
    for (uint32_t y = 0; y < page->height_px; y += rows) {
        uint32_t here = page->height_px - y < rows ? page->height_px - y : rows;
        size_t before = page->data.size;
        PL_CHECK(pl_g4_encode(pixels + y * stride, stride, page->width_px, here, &page->data) ==
                 PL_OK);
        PL_CHECK(pl_page_add_part(page, here, page->data.size - before) == PL_OK);
    }
    free(pixels);
}

static void jpeg_settings(struct jpeg_compress_struct *jpeg, const struct page_recipe *recipe)
{
    static const J_COLOR_SPACE from[] = { JCS_GRAYSCALE, JCS_GRAYSCALE, JCS_RGB, JCS_CMYK };
    static const int samples[] = { 1, 1, 3, 4 };
    jpeg->input_components = samples[recipe->colour];
    jpeg->in_color_space = from[recipe->colour];
    jpeg_set_defaults(jpeg);
    if (recipe->rgb_inside)
        jpeg_set_colorspace(jpeg, JCS_RGB);
    if (recipe->ycck)
        jpeg_set_colorspace(jpeg, JCS_YCCK);
    if (recipe->colour == PL_COLOUR_CMYK && !recipe->ycck && !recipe->adobe)
        jpeg->write_Adobe_marker = FALSE;
    if (recipe->no_jfif)
        jpeg->write_JFIF_header = FALSE;
    jpeg->comp_info[0].h_samp_factor = recipe->across > 0 ? (int)recipe->across : 1;
    jpeg->comp_info[0].v_samp_factor = recipe->down > 0 ? (int)recipe->down : 1;
    jpeg->density_unit = 1;
    jpeg->X_density = jpeg->Y_density = 300;
    if (recipe->progressive)
        jpeg_simple_progression(jpeg);
}

void page_make_jpeg(struct pl_page *page, const struct page_recipe *recipe)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    page_begin(page, recipe, PL_FILTER_DCT);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = page->width_px;
    jpeg.image_height = page->height_px;
    jpeg_settings(&jpeg, recipe);
    jpeg_start_compress(&jpeg, TRUE);
    size_t row_bytes = (size_t)page->width_px * (unsigned)jpeg.input_components;
    uint8_t *row = malloc(row_bytes);
    PL_CHECK(row != NULL);
    for (uint32_t y = 0; y < page->height_px; y++) {
        for (size_t x = 0; x < row_bytes; x++)
            row[x] = sample_of(x, y);
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    PL_CHECK(pl_bytes_append(&page->data, data, size) == PL_OK);
    PL_CHECK(pl_page_add_part(page, page->height_px, size) == PL_OK);
    free(row);
    free(data);
}

uint8_t *page_rows(const struct pl_page *page)
{
    struct pl_flate_rows *rows = NULL;
    size_t row_bytes = pl_flate_row_bytes(page->width_px, pl_flate_samples(page), page->bits);
    uint8_t *out = malloc(row_bytes * page->height_px);
    PL_CHECK(out != NULL && pl_flate_rows_new(page, &rows) == PL_OK);
    for (uint32_t y = 0; y < page->height_px; y++) {
        const uint8_t *row = NULL;
        PL_CHECK(pl_flate_rows_next(rows, &row, NULL) == PL_OK);
        for (size_t i = 0; i < row_bytes; i++)
            out[y * row_bytes + i] = (uint8_t)(page->inverted ? ~row[i] : row[i]);
    }
    pl_flate_rows_free(rows);
    return out;
}

pl_status pages_write(const struct pl_convert *convert, struct pl_page *pages, size_t count,
                      const struct pl_limits *limits, struct memory_out *out,
                      struct pl_fault *fault)
{
    const struct pl_writer_ops *ops = pl_writer_for(convert->to);
    struct pl_writer *writer = NULL;
    PL_CHECK(ops != NULL);
    pl_status status = ops->open(convert, NULL, limits, &out->out, &writer, fault);
    for (size_t i = 0; i < count && status == PL_OK; i++) {
        uint64_t bytes = 0;
        uint64_t before = out->out.size;
        PL_CHECK(ops->carries(convert, &pages[i]));
        if (ops->encode != NULL)
            status = ops->encode(convert, limits, &pages[i], fault);
        if (status == PL_OK)
            status = ops->page(writer, &pages[i], &bytes, fault);
        PL_CHECK(status != PL_OK || (bytes > 0 && out->out.size > before));
    }
    if (status == PL_OK)
        status = ops->end(writer, fault);
    if (writer != NULL)
        ops->close(writer);
    return status;
}
