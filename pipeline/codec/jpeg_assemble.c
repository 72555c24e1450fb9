/* jpeg_assemble: blocks of coefficients copied from small arrays of libjpeg's into large ones.
 *
 * libjpeg reports errors by a jump; every use of it goes through the one function that sets the
 * jump up, as a step that keeps what it owns in the assembly.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_assemble.h"

#include "pipeline/codec/jpeg_guard_priv.h"

#include <stdlib.h>
#include <string.h>

struct pl_jpeg_assembly {
    struct jpeg_compress_struct whole;
    struct jpeg_decompress_struct piece;
    struct pl_jpeg_guard guard;
    pl_status status;
    uint32_t width_px;
    uint32_t height_px;
    bool begun; /* the first piece gave `whole` its shape */
    bool rgb;
    jvirt_barray_ptr arrays[MAX_COMPONENTS];
    /* of the step */
    const uint8_t *data;
    size_t size;
    uint32_t x_px;
    uint32_t y_px;
    unsigned char *made; /* libjpeg's, malloc'ed */
    unsigned long made_size;
};

typedef void assembly_step_fn(struct pl_jpeg_assembly *assembly);

/* The one function that libjpeg jumps back into. */
static void assembly_guard(struct pl_jpeg_assembly *assembly, assembly_step_fn *step)
{
    if (setjmp(assembly->guard.jump) != 0)
        return;
    step(assembly);
}

static pl_status assembly_verdict(const struct pl_jpeg_assembly *assembly, struct pl_fault *fault)
{
    if (assembly->guard.no_memory)
        return PL_NO_MEMORY;
    if (!assembly->guard.damaged)
        return assembly->status;
    return pl_fault_set(fault, PL_BAD_DOCUMENT, "the JPEG data are damaged: %s",
                        assembly->guard.words);
}

static void step_create(struct pl_jpeg_assembly *assembly)
{
    jpeg_create_compress(&assembly->whole);
    jpeg_create_decompress(&assembly->piece);
}

pl_status pl_jpeg_assembly_new(uint32_t width_px, uint32_t height_px, unsigned components,
                               const struct pl_limits *limits, struct pl_jpeg_assembly **out,
                               struct pl_fault *fault)
{
    uint64_t claim = (uint64_t)width_px * height_px * components * sizeof(JCOEF);
    if (width_px > JPEG_MAX_DIMENSION || height_px > JPEG_MAX_DIMENSION)
        return PL_UNSUPPORTED;
    if (claim > limits->page_bytes)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "putting this picture's tiles together may need %llu MiB; at most %llu "
                            "MiB are accepted",
                            (unsigned long long)(claim >> 20),
                            (unsigned long long)(limits->page_bytes >> 20));
    struct pl_jpeg_assembly *assembly = calloc(1, sizeof *assembly);
    if (assembly == NULL)
        return PL_NO_MEMORY;
    assembly->width_px = width_px;
    assembly->height_px = height_px;
    assembly->whole.err = pl_jpeg_guard_init(&assembly->guard);
    assembly->piece.err = assembly->whole.err;
    assembly_guard(assembly, step_create);
    if (assembly->guard.damaged) {
        pl_jpeg_assembly_free(assembly);
        return PL_NO_MEMORY;
    }
    *out = assembly;
    return PL_OK;
}

void pl_jpeg_assembly_free(struct pl_jpeg_assembly *assembly)
{
    if (assembly == NULL)
        return;
    jpeg_destroy_compress(&assembly->whole);
    jpeg_destroy_decompress(&assembly->piece);
    free(assembly->made);
    free(assembly);
}

/* Blocks of a component in the whole picture. */
static JDIMENSION blocks_of(uint32_t length_px, int sampling, int most)
{
    uint64_t samples = (uint64_t)length_px * (unsigned)sampling;
    uint64_t unit = (uint64_t)8 * (unsigned)most;
    return (JDIMENSION)((samples + unit - 1) / unit);
}

static JDIMENSION round_up(JDIMENSION value, int unit)
{
    return (value + (JDIMENSION)unit - 1) / (JDIMENSION)unit * (JDIMENSION)unit;
}

/* The whole gets the first piece's components and tables, and arrays of its own size. */
static void assembly_begin(struct pl_jpeg_assembly *assembly)
{
    struct jpeg_compress_struct *whole = &assembly->whole;
    struct jpeg_decompress_struct *piece = &assembly->piece;
    jpeg_copy_critical_parameters(piece, whole);
    whole->image_width = assembly->width_px;
    whole->image_height = assembly->height_px;
    whole->optimize_coding = TRUE;
    for (int i = 0; i < piece->num_components; i++) {
        const jpeg_component_info *info = &piece->comp_info[i];
        int across = piece->num_components == 1 ? 1 : info->h_samp_factor;
        int down = piece->num_components == 1 ? 1 : info->v_samp_factor;
        int most_across = piece->num_components == 1 ? 1 : piece->max_h_samp_factor;
        int most_down = piece->num_components == 1 ? 1 : piece->max_v_samp_factor;
        assembly->arrays[i] = whole->mem->request_virt_barray(
            (j_common_ptr)whole, JPOOL_IMAGE, TRUE,
            round_up(blocks_of(assembly->width_px, across, most_across), info->h_samp_factor),
            round_up(blocks_of(assembly->height_px, down, most_down), info->v_samp_factor),
            (JDIMENSION)info->v_samp_factor);
    }
    whole->mem->realize_virt_arrays((j_common_ptr)whole);
    assembly->begun = true;
}

/* Same components and same quantisation as the first. */
static bool piece_matches(const struct pl_jpeg_assembly *assembly)
{
    const struct jpeg_compress_struct *whole = &assembly->whole;
    const struct jpeg_decompress_struct *piece = &assembly->piece;
    if (piece->num_components != whole->num_components)
        return false;
    for (int i = 0; i < piece->num_components; i++) {
        const jpeg_component_info *mine = &whole->comp_info[i];
        const jpeg_component_info *its = &piece->comp_info[i];
        const JQUANT_TBL *table = whole->quant_tbl_ptrs[mine->quant_tbl_no];
        const JQUANT_TBL *used =
            its->quant_table != NULL ? its->quant_table : piece->quant_tbl_ptrs[its->quant_tbl_no];
        if (mine->h_samp_factor != its->h_samp_factor ||
            mine->v_samp_factor != its->v_samp_factor || table == NULL || used == NULL ||
            memcmp(table->quantval, used->quantval, sizeof table->quantval) != 0)
            return false;
    }
    return true;
}

/* One component's blocks to their place. */
static void piece_copy(struct pl_jpeg_assembly *assembly, int component, jvirt_barray_ptr from,
                       JDIMENSION x, JDIMENSION y)
{
    struct jpeg_compress_struct *whole = &assembly->whole;
    struct jpeg_decompress_struct *piece = &assembly->piece;
    const jpeg_component_info *info = &piece->comp_info[component];
    bool single = piece->num_components == 1;
    JDIMENSION across = blocks_of(assembly->width_px, single ? 1 : info->h_samp_factor,
                                  single ? 1 : piece->max_h_samp_factor);
    JDIMENSION down = blocks_of(assembly->height_px, single ? 1 : info->v_samp_factor,
                                single ? 1 : piece->max_v_samp_factor);
    if (x >= across)
        return;
    JDIMENSION count = info->width_in_blocks < across - x ? info->width_in_blocks : across - x;
    for (JDIMENSION row = 0; row < info->height_in_blocks && y + row < down; row++) {
        JBLOCKARRAY source =
            piece->mem->access_virt_barray((j_common_ptr)piece, from, row, 1, FALSE);
        JBLOCKARRAY target = whole->mem->access_virt_barray(
            (j_common_ptr)whole, assembly->arrays[component], y + row, 1, TRUE);
        memcpy(target[0] + x, source[0], count * sizeof(JBLOCK));
    }
}

static void step_put(struct pl_jpeg_assembly *assembly)
{
    struct jpeg_decompress_struct *piece = &assembly->piece;
    jpeg_mem_src(piece, assembly->data, (unsigned long)assembly->size);
    (void)jpeg_read_header(piece, TRUE);
    uint64_t claim = (uint64_t)piece->image_width * piece->image_height;
    if (piece->num_components > 4 ||
        claim > (uint64_t)4 * assembly->width_px * assembly->height_px + ((uint64_t)1 << 24)) {
        assembly->status = PL_UNSUPPORTED; /* a piece is not larger than what it is a piece of */
        return;
    }
    jvirt_barray_ptr *coefficients = jpeg_read_coefficients(piece);
    if (assembly->guard.damaged)
        return;
    if (!assembly->begun)
        assembly_begin(assembly);
    bool single = piece->num_components == 1;
    uint32_t mcu_width = single ? 8 : 8 * (uint32_t)piece->max_h_samp_factor;
    uint32_t mcu_height = single ? 8 : 8 * (uint32_t)piece->max_v_samp_factor;
    if (!piece_matches(assembly) || assembly->x_px % mcu_width != 0 ||
        assembly->y_px % mcu_height != 0) {
        assembly->status = PL_UNSUPPORTED;
        return;
    }
    for (int i = 0; i < piece->num_components; i++) {
        const jpeg_component_info *info = &piece->comp_info[i];
        JDIMENSION across = single ? 1 : (JDIMENSION)info->h_samp_factor;
        JDIMENSION down = single ? 1 : (JDIMENSION)info->v_samp_factor;
        piece_copy(assembly, i, coefficients[i], assembly->x_px / mcu_width * across,
                   assembly->y_px / mcu_height * down);
    }
    (void)jpeg_finish_decompress(piece);
}

pl_status pl_jpeg_assembly_put(struct pl_jpeg_assembly *assembly, const uint8_t *data, size_t size,
                               uint32_t x_px, uint32_t y_px, struct pl_fault *fault)
{
    assembly->status = PL_OK;
    assembly->data = data;
    assembly->size = size;
    assembly->x_px = x_px;
    assembly->y_px = y_px;
    assembly_guard(assembly, step_put);
    jpeg_abort_decompress(&assembly->piece);
    return assembly_verdict(assembly, fault);
}

static void step_end(struct pl_jpeg_assembly *assembly)
{
    struct jpeg_compress_struct *whole = &assembly->whole;
    jpeg_mem_dest(whole, &assembly->made, &assembly->made_size);
    whole->write_JFIF_header = FALSE;
    whole->write_Adobe_marker = whole->num_components == 3;
    whole->jpeg_color_space = whole->num_components != 3 ? whole->jpeg_color_space
                              : assembly->rgb            ? JCS_RGB
                                                         : JCS_YCbCr;
    jpeg_write_coefficients(whole, assembly->arrays);
    jpeg_finish_compress(whole);
}

pl_status pl_jpeg_assembly_end(struct pl_jpeg_assembly *assembly, bool rgb, struct pl_bytes *out,
                               struct pl_fault *fault)
{
    if (!assembly->begun)
        return PL_UNSUPPORTED;
    assembly->status = PL_OK;
    assembly->rgb = rgb;
    assembly_guard(assembly, step_end);
    pl_status status = assembly_verdict(assembly, fault);
    return status == PL_OK ? pl_bytes_append(out, assembly->made, assembly->made_size) : status;
}
