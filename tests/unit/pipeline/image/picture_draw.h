/* picture_draw: pictures for the tests of image operations.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_IMAGE_PICTURE_DRAW_H
#define PL_TESTS_UNIT_PIPELINE_IMAGE_PICTURE_DRAW_H

#include "pipeline/image/picture.h"

#include <string.h>

static inline uint32_t draw_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Soft shapes with edges and some noise; bilevel: blobs. */
static inline struct pl_picture picture_draw(enum pl_colour colour, uint32_t width, uint32_t height,
                                             uint32_t seed)
{
    struct pl_picture picture = { 0 };
    unsigned samples = pl_colour_samples(colour);
    PL_CHECK(pl_picture_make(&picture, colour, width, height, &pl_limits_default, 1, NULL) ==
             PL_OK);
    picture.x_mdpi = 300000;
    picture.y_mdpi = 300000;
    memset(picture.pixels, 0, picture.stride * height);
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = picture.pixels + y * picture.stride;
        for (uint32_t x = 0; x < width; x++) {
            if (colour == PL_COLOUR_BILEVEL) {
                bool black = ((x / 5 ^ y / 7) * 2654435761U + seed) >> 29 < 3;
                row[x / 8] |= (uint8_t)(black ? 0x80 >> x % 8 : 0);
                continue;
            }
            for (unsigned n = 0; n < samples; n++) {
                uint32_t level = (x * (n + 1) + y * 2 + seed) & 255;
                if (x / 16 % 2 == y / 16 % 2)
                    level = 255 - level / 4;
                level += draw_random(&seed) % 9;
                row[x * samples + n] = (uint8_t)(level > 255 ? 255 : level);
            }
        }
    }
    return picture;
}

static inline bool picture_equal(const struct pl_picture *a, const struct pl_picture *b)
{
    return a->colour == b->colour && a->width_px == b->width_px && a->height_px == b->height_px &&
           a->stride == b->stride && memcmp(a->pixels, b->pixels, a->stride * a->height_px) == 0;
}

/* Sample n of pixel x, y; bilevel: 0 black, 255 white. */
static inline uint8_t picture_at(const struct pl_picture *picture, uint32_t x, uint32_t y,
                                 unsigned n)
{
    const uint8_t *row = picture->pixels + y * picture->stride;
    if (picture->colour == PL_COLOUR_BILEVEL)
        return (row[x / 8] >> (7 - x % 8) & 1) != 0 ? 0 : 255;
    return row[(size_t)x * pl_colour_samples(picture->colour) + n];
}

#endif
