/* picture: room for pixels, kept from page to page.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/picture.h"

#include <stdlib.h>

unsigned pl_colour_samples(enum pl_colour colour)
{
    switch (colour) {
    case PL_COLOUR_RGB:
        return 3;
    case PL_COLOUR_CMYK:
        return 4;
    case PL_COLOUR_BILEVEL:
    case PL_COLOUR_GREY:
        break;
    }
    return 1;
}

/* The width is within limits: nothing wraps. */
static size_t picture_stride(enum pl_colour colour, uint32_t width_px)
{
    if (colour == PL_COLOUR_BILEVEL)
        return ((size_t)width_px + 63) / 64 * 8;
    return (size_t)width_px * pl_colour_samples(colour);
}

pl_status pl_picture_make(struct pl_picture *picture, enum pl_colour colour, uint32_t width_px,
                          uint32_t height_px, const struct pl_limits *limits, uint32_t page_number,
                          struct pl_fault *fault)
{
    unsigned bits = colour == PL_COLOUR_BILEVEL ? 1 : 8;
    pl_status status = pl_limits_check(limits, page_number, width_px, height_px,
                                       pl_colour_samples(colour), bits, fault);
    if (status != PL_OK)
        return status;
    size_t stride = picture_stride(colour, width_px);
    size_t bytes = 0;
    if (!pl_size_mul(stride, height_px, &bytes))
        return pl_fault_set(fault, PL_TOO_LARGE, "page %u does not fit into memory", page_number);
    if (bytes > picture->capacity) {
        free(picture->pixels);
        picture->capacity = 0;
        picture->pixels = malloc(bytes);
        if (picture->pixels == NULL)
            return PL_NO_MEMORY;
        picture->capacity = bytes;
    }
    picture->colour = colour;
    picture->width_px = width_px;
    picture->height_px = height_px;
    picture->stride = stride;
    return PL_OK;
}

void pl_picture_fini(struct pl_picture *picture)
{
    free(picture->pixels);
    *picture = (struct pl_picture){ 0 };
}
