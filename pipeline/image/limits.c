/* limits: the default ceilings and the check of what a header claims.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/limits.h"

#include <inttypes.h>

#define MIB ((uint64_t)1 << 20)

const struct pl_limits pl_limits_default = {
    .pages = 10000,
    .side_px = 65500,
    .colour_px = 150000000,
    .bilevel_px = 600000000,
    .page_bytes = 512 * MIB,
    .output_bytes = 2048 * MIB,
    .expansion = 1000,
    .nesting = 64,
};

pl_status pl_limits_check(const struct pl_limits *limits, uint32_t page, uint32_t width_px,
                          uint32_t height_px, unsigned components, unsigned bits,
                          struct pl_fault *fault)
{
    if (width_px == 0 || height_px == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 " says that it is %" PRIu32 " x %" PRIu32
                            " pixels: there is nothing to show",
                            page, width_px, height_px);
    if (width_px > limits->side_px || height_px > limits->side_px)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page %" PRIu32 " is %" PRIu32 " x %" PRIu32 " pixels; at most %" PRIu32
                            " a side are accepted",
                            page, width_px, height_px, limits->side_px);
    bool bilevel = components == 1 && bits == 1;
    uint64_t pixels = (uint64_t)width_px * height_px;
    uint64_t most = bilevel ? limits->bilevel_px : limits->colour_px;
    if (pixels > most)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page %" PRIu32 " is %" PRIu32 " x %" PRIu32 " pixels, %" PRIu64
                            " million; at most %" PRIu64 " million are accepted for a %s page",
                            page, width_px, height_px, pixels / 1000000, most / 1000000,
                            bilevel ? "black and white" : "grey or colour");
    /* Bounded here, so that the products below cannot wrap. */
    if (components > 64 || bits > 64)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 " claims %u samples of %u bits a pixel", page,
                            components, bits);
    uint64_t row = ((uint64_t)width_px * components * bits + 7) / 8;
    if (row > limits->page_bytes / height_px)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page %" PRIu32 " needs %" PRIu64 " MiB; at most %" PRIu64
                            " MiB are accepted",
                            page, row * height_px / MIB, limits->page_bytes / MIB);
    return PL_OK;
}
