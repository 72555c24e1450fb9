/* jpeg_picture: libjpeg-turbo writes straight into the picture's rows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_picture.h"

#include "pipeline/codec/jpeg_guard_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#define JPEG_ROWS_AT_ONCE 16
#define JPEG_SCANS_MOST 500 /* each scan of a progressive stream walks over the whole picture */

struct picture_decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_progress_mgr progress;
    struct pl_jpeg_guard guard;
    const struct pl_jpeg_shape *shape;
    uint8_t *pixels;
    size_t stride;
    bool other_shape;
    bool too_many_scans;
};

static void decoder_on_progress(j_common_ptr common)
{
    struct picture_decoder *decoder =
        PL_CONTAINER_OF(common->progress, struct picture_decoder, progress);
    if (decoder->jpeg.input_scan_number <= JPEG_SCANS_MOST)
        return;
    decoder->too_many_scans = true;
    longjmp(decoder->guard.jump, 1);
}

static J_COLOR_SPACE space_of(enum pl_colour colour)
{
    return colour == PL_COLOUR_CMYK ? JCS_CMYK : colour == PL_COLOUR_RGB ? JCS_RGB : JCS_GRAYSCALE;
}

static int components_of(enum pl_colour colour)
{
    return colour == PL_COLOUR_CMYK ? 4 : colour == PL_COLOUR_RGB ? 3 : 1;
}

static void decoder_rows(struct picture_decoder *decoder)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    while (!decoder->guard.damaged && jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[JPEG_ROWS_AT_ONCE];
        JDIMENSION count = jpeg->output_height - jpeg->output_scanline;
        count = count < JPEG_ROWS_AT_ONCE ? count : JPEG_ROWS_AT_ONCE;
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = decoder->pixels + (jpeg->output_scanline + i) * decoder->stride;
        (void)jpeg_read_scanlines(jpeg, rows, count);
    }
}

/* The one function that libjpeg jumps back into. Everything that outlives a jump is in *decoder. */
static void decoder_run(struct picture_decoder *decoder, const uint8_t *data, size_t size,
                        const struct pl_limits *limits)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    const struct pl_jpeg_shape *shape = decoder->shape;
    if (setjmp(decoder->guard.jump) != 0)
        return;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = (long)limits->page_bytes;
    decoder->progress.progress_monitor = decoder_on_progress;
    jpeg->progress = &decoder->progress;
    jpeg_mem_src(jpeg, data, (unsigned long)size);
    (void)jpeg_read_header(jpeg, TRUE);
    if (jpeg->image_width != shape->width_px || jpeg->image_height != shape->rows ||
        jpeg->num_components != components_of(shape->colour)) {
        decoder->other_shape = true;
        return;
    }
    jpeg->out_color_space = space_of(shape->colour);
    (void)jpeg_start_decompress(jpeg);
    decoder_rows(decoder);
    if (!decoder->guard.damaged)
        (void)jpeg_finish_decompress(jpeg);
}

static pl_status decoder_verdict(const struct picture_decoder *decoder, struct pl_fault *fault)
{
    const struct pl_jpeg_shape *shape = decoder->shape;
    const struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (decoder->guard.no_memory)
        return PL_NO_MEMORY;
    if (decoder->too_many_scans)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page %" PRIu32 ": its JPEG data have more than %d scans", shape->page,
                            JPEG_SCANS_MOST);
    if (decoder->other_shape)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 " is said to be %" PRIu32 " x %" PRIu32
                            " pixels of %d samples, but its JPEG data hold %u x %u of %d",
                            shape->page, shape->width_px, shape->rows, components_of(shape->colour),
                            jpeg->image_width, jpeg->image_height, jpeg->num_components);
    if (decoder->guard.damaged)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 ": the JPEG data are damaged: %s", shape->page,
                            decoder->guard.words);
    return PL_OK;
}

pl_status pl_jpeg_picture(const uint8_t *data, size_t size, const struct pl_jpeg_shape *shape,
                          const struct pl_limits *limits, uint8_t *pixels, size_t stride,
                          struct pl_fault *fault)
{
    struct picture_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return PL_NO_MEMORY;
    decoder->shape = shape;
    decoder->pixels = pixels;
    decoder->stride = stride;
    decoder->jpeg.err = pl_jpeg_guard_init(&decoder->guard);
    decoder_run(decoder, data, size, limits);
    pl_status status = decoder_verdict(decoder, fault);
    jpeg_destroy_decompress(&decoder->jpeg);
    free(decoder);
    return status;
}
