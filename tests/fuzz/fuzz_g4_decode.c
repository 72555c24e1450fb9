/* fuzz_g4_decode: any bytes as fax data; the first four say what kind and what size.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/g4_decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    const struct pl_fax fax = {
        .t6 = (data[0] & 1) != 0,
        .t4 = { .k = data[0] >> 1 & 1, .byte_align = (data[0] & 4) != 0 },
        .width_px = 1U + data[1] + (data[0] & 8) * 256U,
        .rows = 1U + data[2],
        .page = 1,
    };
    size_t stride = ((size_t)fax.width_px + 63) / 64 * 8;
    uint8_t *pixels = malloc(stride * fax.rows);
    struct pl_fault fault = { 0 };
    if (pixels == NULL)
        return 0;
    pl_status decoded = pl_fax_decode(&fax, data + 4, size - 4, pixels, stride, &fault);
    pl_status checked = pl_fax_check(&fax, data + 4, size - 4, &fault);
    PL_CHECK(decoded == checked);
    for (uint32_t y = 0; y < fax.rows && decoded == PL_OK && fax.width_px % 8 != 0; y++)
        PL_CHECK((pixels[y * stride + fax.width_px / 8] & 0xff >> fax.width_px % 8) == 0);
    free(pixels);
    return 0;
}
