/* jpeg_luma: coefficients from one libjpeg object to another, as jpegtran does it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_luma.h"

#include "pipeline/codec/jpeg_guard_priv.h"

#include <inttypes.h>
#include <stdlib.h>

struct luma {
    struct jpeg_decompress_struct in;
    struct jpeg_compress_struct out;
    struct pl_jpeg_guard guard; /* of both */
    struct pl_jpeg_sink sink;
    bool unfit;
};

static bool luma_is_whole(const struct jpeg_decompress_struct *in)
{
    return in->jpeg_color_space == JCS_YCbCr && in->num_components == 3 &&
           in->comp_info[0].h_samp_factor == in->max_h_samp_factor &&
           in->comp_info[0].v_samp_factor == in->max_v_samp_factor;
}

/* The one function that libjpeg jumps back into. Everything that outlives a jump is in *luma. */
static void luma_run(struct luma *luma, const uint8_t *data, size_t size,
                     const struct pl_limits *limits)
{
    struct jpeg_decompress_struct *in = &luma->in;
    struct jpeg_compress_struct *out = &luma->out;
    if (setjmp(luma->guard.jump) != 0)
        return;
    jpeg_create_decompress(in);
    jpeg_create_compress(out);
    in->mem->max_memory_to_use = (long)limits->page_bytes;
    jpeg_mem_src(in, data, (unsigned long)size);
    (void)jpeg_read_header(in, TRUE);
    jvirt_barray_ptr *planes = jpeg_read_coefficients(in);
    luma->unfit = !luma_is_whole(in);
    if (luma->unfit || luma->guard.damaged)
        return;
    jpeg_copy_critical_parameters(in, out);
    int table = out->comp_info[0].quant_tbl_no;
    jpeg_set_colorspace(out, JCS_GRAYSCALE);
    out->comp_info[0].quant_tbl_no = table;
    out->optimize_coding = TRUE;
    out->dest = &luma->sink.manager;
    jpeg_write_coefficients(out, planes);
    jpeg_finish_compress(out);
    (void)jpeg_finish_decompress(in);
}

pl_status pl_jpeg_luma(const uint8_t *data, size_t size, uint32_t page,
                       const struct pl_limits *limits, struct pl_bytes *out, struct pl_fault *fault)
{
    struct luma *luma = calloc(1, sizeof *luma);
    if (luma == NULL)
        return PL_NO_MEMORY;
    size_t before = out->size;
    luma->in.err = luma->out.err = pl_jpeg_guard_init(&luma->guard);
    (void)pl_jpeg_sink_init(&luma->sink, &luma->guard, out);
    luma_run(luma, data, size, limits);
    pl_status status = luma->sink.status;
    if (luma->guard.no_memory)
        status = PL_NO_MEMORY;
    else if (luma->guard.damaged)
        status =
            pl_fault_set(fault, PL_BAD_DOCUMENT, "page %" PRIu32 ": the JPEG data are damaged: %s",
                         page, luma->guard.words);
    else if (luma->unfit)
        status = PL_UNSUPPORTED;
    if (status != PL_OK)
        out->size = before;
    jpeg_destroy_compress(&luma->out);
    jpeg_destroy_decompress(&luma->in);
    free(luma);
    return status;
}
