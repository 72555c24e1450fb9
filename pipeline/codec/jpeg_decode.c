/* jpeg_decode: libjpeg-turbo with an error manager that jumps inside one function.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_decode.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/jpeg_guard_priv.h"

#include <stdlib.h>

struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct pl_jpeg_guard guard;
    struct pl_flate *flate;
    uint8_t *row;
    pl_status status;
};

static pl_status rows_begin(struct decoder *decoder, struct pl_page *page)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    size_t row_bytes = (size_t)jpeg->output_width * (unsigned)jpeg->output_components;
    decoder->row = malloc(row_bytes);
    if (decoder->row == NULL)
        return PL_NO_MEMORY;
    return pl_flate_new(row_bytes, (size_t)jpeg->output_components, &page->data, &decoder->flate);
}

/* The one function that libjpeg jumps back into. Everything that outlives a jump is in *decoder. */
static void decoder_run(struct decoder *decoder, const uint8_t *data, size_t size,
                        struct pl_page *page)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (setjmp(decoder->guard.jump) != 0)
        return;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, data, (unsigned long)size);
    (void)jpeg_read_header(jpeg, TRUE);
    switch (jpeg->num_components) {
    case 1:
        jpeg->out_color_space = JCS_GRAYSCALE;
        break;
    case 3:
        jpeg->out_color_space = JCS_RGB;
        break;
    default:
        jpeg->out_color_space = JCS_CMYK;
        break;
    }
    (void)jpeg_start_decompress(jpeg);
    decoder->status = rows_begin(decoder, page);
    while (decoder->status == PL_OK && !decoder->guard.damaged &&
           jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[1] = { decoder->row };
        (void)jpeg_read_scanlines(jpeg, rows, 1);
        decoder->status = pl_flate_row(decoder->flate, decoder->row);
    }
    if (decoder->status == PL_OK && !decoder->guard.damaged)
        (void)jpeg_finish_decompress(jpeg);
}

pl_status pl_jpeg_decode(const uint8_t *data, size_t size, const struct pl_limits *limits,
                         struct pl_page *page, struct pl_fault *fault)
{
    /* Coefficients of a picture in several scans are held whole: 2 bytes a sample. */
    uint64_t claim = (uint64_t)page->width_px * page->height_px * 4 * sizeof(JCOEF);
    if (claim > limits->page_bytes)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "this JPEG has to be decoded, and that may need %llu MiB; at most %llu "
                            "MiB are accepted",
                            (unsigned long long)(claim >> 20),
                            (unsigned long long)(limits->page_bytes >> 20));
    struct decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return PL_NO_MEMORY;
    decoder->jpeg.err = pl_jpeg_guard_init(&decoder->guard);
    decoder_run(decoder, data, size, page);
    pl_status status = decoder->status;
    if (decoder->guard.no_memory)
        status = PL_NO_MEMORY;
    else if (decoder->guard.damaged)
        status = pl_fault_set(fault, PL_BAD_DOCUMENT, "the JPEG data are damaged: %s",
                              decoder->guard.words);
    if (status == PL_OK)
        status = pl_flate_end(decoder->flate);
    int components = decoder->jpeg.num_components;
    page->colour = components == 1   ? PL_COLOUR_GREY
                   : components == 3 ? PL_COLOUR_RGB
                                     : PL_COLOUR_CMYK;
    page->bits = 8;
    page->filter = PL_FILTER_FLATE;
    page->how = PL_PAGE_REENCODED_EXACT;
    pl_flate_free(decoder->flate);
    jpeg_destroy_decompress(&decoder->jpeg);
    free(decoder->row);
    free(decoder);
    return status;
}
