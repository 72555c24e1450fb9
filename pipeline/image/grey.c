/* grey: rows of one colour into rows of another.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/grey.h"

#include <string.h>

static inline uint8_t luma(uint32_t red, uint32_t green, uint32_t blue)
{
    return (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

/* What is left of the light behind ink and black: exact a * b / 255 to the nearest. */
static inline uint8_t light(uint8_t ink, uint8_t black)
{
    uint32_t product = (uint32_t)(255 - ink) * (uint32_t)(255 - black) + 128;
    return (uint8_t)((product + (product >> 8)) >> 8);
}

static void bits_row(const uint8_t *row, uint32_t width_px, uint8_t *out)
{
    uint32_t x = 0;
    for (; x + 8 <= width_px; x += 8) {
        unsigned bits = row[x / 8];
        for (unsigned i = 0; i < 8; i++)
            out[x + i] = (uint8_t)((bits >> (7 - i) & 1) - 1); /* 1 is black */
    }
    for (; x < width_px; x++)
        out[x] = (uint8_t)((row[x / 8] >> (7 - x % 8) & 1) - 1);
}

void pl_grey_row(enum pl_colour colour, const uint8_t *row, uint32_t width_px, uint8_t *out)
{
    switch (colour) {
    case PL_COLOUR_BILEVEL:
        bits_row(row, width_px, out);
        break;
    case PL_COLOUR_GREY:
        memcpy(out, row, width_px);
        break;
    case PL_COLOUR_RGB:
        for (size_t x = 0; x < width_px; x++)
            out[x] = luma(row[3 * x], row[3 * x + 1], row[3 * x + 2]);
        break;
    case PL_COLOUR_CMYK:
        for (size_t x = 0; x < width_px; x++, row += 4)
            out[x] = luma(light(row[0], row[3]), light(row[1], row[3]), light(row[2], row[3]));
        break;
    }
}

void pl_rgb_row(enum pl_colour colour, const uint8_t *row, uint32_t width_px, uint8_t *out)
{
    if (colour == PL_COLOUR_RGB) {
        memcpy(out, row, (size_t)width_px * 3);
        return;
    }
    for (uint32_t x = 0; x < width_px; x++, out += 3) {
        if (colour == PL_COLOUR_CMYK) {
            const uint8_t *inks = row + (size_t)x * 4;
            for (unsigned n = 0; n < 3; n++)
                out[n] = light(inks[n], inks[3]);
        } else {
            bool black = colour == PL_COLOUR_BILEVEL && (row[x / 8] >> (7 - x % 8) & 1) != 0;
            uint8_t level = colour == PL_COLOUR_GREY ? row[x] : black ? 0 : 255;
            out[0] = out[1] = out[2] = level;
        }
    }
}

static pl_status colour_make(const struct pl_picture *in, enum pl_colour colour,
                             const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                             struct pl_fault *fault)
{
    pl_status status =
        pl_picture_make(out, colour, in->width_px, in->height_px, limits, page, fault);
    if (status != PL_OK)
        return status;
    out->x_mdpi = in->x_mdpi;
    out->y_mdpi = in->y_mdpi;
    for (uint32_t y = 0; y < in->height_px; y++) {
        const uint8_t *row = in->pixels + y * in->stride;
        uint8_t *to = out->pixels + y * out->stride;
        if (colour == PL_COLOUR_GREY) {
            pl_grey_row(in->colour, row, in->width_px, to);
        } else {
            pl_rgb_row(in->colour, row, in->width_px, to);
        }
    }
    return PL_OK;
}

pl_status pl_grey_make(const struct pl_picture *in, const struct pl_limits *limits, uint32_t page,
                       struct pl_picture *out, struct pl_fault *fault)
{
    return colour_make(in, PL_COLOUR_GREY, limits, page, out, fault);
}

pl_status pl_rgb_make(const struct pl_picture *in, const struct pl_limits *limits, uint32_t page,
                      struct pl_picture *out, struct pl_fault *fault)
{
    return colour_make(in, PL_COLOUR_RGB, limits, page, out, fault);
}
