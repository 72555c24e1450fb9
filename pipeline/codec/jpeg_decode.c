/* jpeg_decode: libjpeg-turbo with an error manager that jumps inside one function.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_decode.h"

#include "pipeline/codec/flate.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* its codes depend on what jpeglib.h says was built in */

struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    bool damaged;
    char words[JMSG_LENGTH_MAX];
    struct pl_flate *flate;
    uint8_t *row;
    pl_status status;
};

static struct decoder *decoder_of(j_common_ptr common)
{
    return PL_CONTAINER_OF(common->err, struct decoder, errors);
}

_Noreturn static void decoder_on_error(j_common_ptr common)
{
    struct decoder *decoder = decoder_of(common);
    if (!decoder->damaged)
        common->err->format_message(common, decoder->words);
    decoder->damaged = true;
    longjmp(decoder->jump, 1);
}

/* Warnings that mean that pixels were made up. */
static bool warning_is_damage(int code)
{
    switch (code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION:
        return true;
    default:
        return false;
    }
}

static void decoder_on_message(j_common_ptr common, int level)
{
    struct decoder *decoder = decoder_of(common);
    if (level >= 0 || decoder->damaged || !warning_is_damage(common->err->msg_code))
        return;
    common->err->format_message(common, decoder->words);
    decoder->damaged = true;
}

static void decoder_on_output(j_common_ptr common)
{
    (void)common; /* nothing is printed */
}

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
    if (setjmp(decoder->jump) != 0)
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
    while (decoder->status == PL_OK && !decoder->damaged &&
           jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[1] = { decoder->row };
        (void)jpeg_read_scanlines(jpeg, rows, 1);
        decoder->status = pl_flate_row(decoder->flate, decoder->row);
    }
    if (decoder->status == PL_OK && !decoder->damaged)
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
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = decoder_on_error;
    decoder->errors.emit_message = decoder_on_message;
    decoder->errors.output_message = decoder_on_output;
    decoder_run(decoder, data, size, page);
    pl_status status = decoder->status;
    if (decoder->damaged)
        status =
            pl_fault_set(fault, PL_BAD_DOCUMENT, "the JPEG data are damaged: %s", decoder->words);
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
