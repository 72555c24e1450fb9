/* jpeg_encode: libjpeg-turbo, fed with rows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_encode.h"

#include "pipeline/codec/jpeg_guard_priv.h"

#include <stdlib.h>

#define JPEG_ROWS_AT_ONCE 16
#define JPEG_SIDE_MAX 65500
#define JPEG_COEFFICIENTS_MAX ((uint64_t)256 << 20)
#define JPEG_WHOLE_CHROMA 90 /* quality from which chroma keeps its resolution */

struct encoder {
    struct jpeg_compress_struct jpeg;
    struct pl_jpeg_guard guard;
    struct pl_jpeg_sink sink;
    const struct pl_picture *picture;
    uint8_t *turned; /* rows of CMYK the other way round */
};

static uint16_t density(uint32_t mdpi)
{
    uint32_t dpi = (uint32_t)(((uint64_t)mdpi + 500) / 1000);
    return (uint16_t)(dpi == 0 ? 1 : dpi > UINT16_MAX ? UINT16_MAX : dpi);
}

static void encoder_settings(struct encoder *encoder, unsigned quality)
{
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    const struct pl_picture *picture = encoder->picture;
    jpeg->image_width = picture->width_px;
    jpeg->image_height = picture->height_px;
    jpeg->input_components = (int)pl_colour_samples(picture->colour);
    jpeg->in_color_space = picture->colour == PL_COLOUR_CMYK  ? JCS_CMYK
                           : picture->colour == PL_COLOUR_RGB ? JCS_RGB
                                                              : JCS_GRAYSCALE;
    jpeg_set_defaults(jpeg);
    if (picture->colour == PL_COLOUR_CMYK)
        jpeg_set_colorspace(jpeg, JCS_YCCK);
    jpeg_set_quality(jpeg, (int)quality, TRUE);
    jpeg->dct_method = JDCT_ISLOW;
    uint64_t samples = (uint64_t)picture->width_px * picture->height_px;
    samples *= pl_colour_samples(picture->colour);
    jpeg->optimize_coding = samples * sizeof(JCOEF) <= JPEG_COEFFICIENTS_MAX;
    int across = picture->colour == PL_COLOUR_RGB && quality < JPEG_WHOLE_CHROMA ? 2 : 1;
    for (int i = 0; i < jpeg->num_components; i++)
        jpeg->comp_info[i].h_samp_factor = jpeg->comp_info[i].v_samp_factor = i == 0 ? across : 1;
    if (picture->x_mdpi != 0 && picture->y_mdpi != 0) {
        jpeg->density_unit = 1;
        jpeg->X_density = density(picture->x_mdpi);
        jpeg->Y_density = density(picture->y_mdpi);
    }
}

static void encoder_rows(struct encoder *encoder)
{
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    const struct pl_picture *picture = encoder->picture;
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW rows[JPEG_ROWS_AT_ONCE];
        JDIMENSION count = jpeg->image_height - jpeg->next_scanline;
        count = count < JPEG_ROWS_AT_ONCE ? count : JPEG_ROWS_AT_ONCE;
        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = picture->pixels + (jpeg->next_scanline + i) * picture->stride;
        if (encoder->turned != NULL) {
            for (size_t i = 0; i < count * picture->stride; i++)
                encoder->turned[i] = (uint8_t)~rows[0][i];
            for (JDIMENSION i = 0; i < count; i++)
                rows[i] = encoder->turned + i * picture->stride;
        }
        (void)jpeg_write_scanlines(jpeg, rows, count);
    }
}

/* The one function that libjpeg jumps back into. Everything that outlives a jump is in *encoder. */
static void encoder_run(struct encoder *encoder, unsigned quality)
{
    struct jpeg_compress_struct *jpeg = &encoder->jpeg;
    if (setjmp(encoder->guard.jump) != 0)
        return;
    jpeg_create_compress(jpeg);
    jpeg->dest = &encoder->sink.manager;
    encoder_settings(encoder, quality);
    jpeg_start_compress(jpeg, TRUE);
    encoder_rows(encoder);
    jpeg_finish_compress(jpeg);
}

pl_status pl_jpeg_encode(const struct pl_picture *picture, unsigned quality, struct pl_bytes *out)
{
    PL_CHECK(picture->colour != PL_COLOUR_BILEVEL && quality >= 1 && quality <= 100);
    if (picture->width_px > JPEG_SIDE_MAX || picture->height_px > JPEG_SIDE_MAX)
        return PL_TOO_LARGE;
    struct encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return PL_NO_MEMORY;
    pl_status status = PL_NO_MEMORY;
    size_t before = out->size;
    if (picture->colour == PL_COLOUR_CMYK) {
        encoder->turned = malloc(JPEG_ROWS_AT_ONCE * picture->stride);
        if (encoder->turned == NULL)
            goto done;
    }
    encoder->picture = picture;
    encoder->jpeg.err = pl_jpeg_guard_init(&encoder->guard);
    (void)pl_jpeg_sink_init(&encoder->sink, &encoder->guard, out);
    encoder_run(encoder, quality);
    status = encoder->sink.status;
    if (status == PL_OK && encoder->guard.damaged) { /* our own input: only memory can be short */
        PL_CHECK(encoder->guard.no_memory);
        status = PL_NO_MEMORY;
    }
    jpeg_destroy_compress(&encoder->jpeg);
done:
    if (status != PL_OK)
        out->size = before;
    free(encoder->turned);
    free(encoder);
    return status;
}
