/* rotate: a transposition where sides are exchanged, then mirrors; in blocks that stay in the
 * cache, of 64 x 64 bits for bilevel pictures.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/rotate.h"

#include <string.h>

#define BLOCK_PX 32

/* Pixel (x, y) of the result is pixel (u, v) of the picture, or (v, u) with `transpose`, where u is
 * x, or counted from the right with mirror_x, and v is y, or from below with mirror_y. */
struct turn {
    bool transpose;
    bool mirror_x;
    bool mirror_y;
};

static const struct turn turns[9] = {
    [1] = { false, false, false }, [2] = { false, true, false }, [3] = { false, true, true },
    [4] = { false, false, true },  [5] = { true, false, false }, [6] = { true, true, false },
    [7] = { true, true, true },    [8] = { true, false, true },
};

bool pl_rotate_swaps(unsigned orientation)
{
    PL_CHECK(orientation >= 1 && orientation <= 8);
    return turns[orientation].transpose;
}

unsigned pl_rotate_orientation(unsigned orientation, unsigned degrees)
{
    /* By a quarter clockwise: upright becomes 6, and so on around; mirrored ones the other way. */
    static const uint8_t quarter[9] = { 0, 6, 7, 8, 5, 2, 3, 4, 1 };
    PL_CHECK(orientation >= 1 && orientation <= 8 && degrees % 90 == 0);
    for (unsigned turned = 0; turned < degrees % 360; turned += 90)
        orientation = quarter[orientation];
    return orientation;
}

static inline uint64_t word_load(const uint8_t *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void word_store(uint8_t *at, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(at, &word, sizeof word);
}

static inline uint64_t word_mirror(uint64_t word)
{
    word = (word >> 1 & 0x5555555555555555) | (word & 0x5555555555555555) << 1;
    word = (word >> 2 & 0x3333333333333333) | (word & 0x3333333333333333) << 2;
    word = (word >> 4 & 0x0f0f0f0f0f0f0f0f) | (word & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(word);
}

/* Row i, column j (from the top bit) becomes row j, column i: halves are exchanged across the
 * diagonal, then quarters, down to single bits. */
static void block_transpose(uint64_t rows[64])
{
    uint64_t mask = 0x00000000ffffffff;
    for (unsigned half = 32; half != 0; half >>= 1, mask ^= mask << half) {
        for (unsigned i = 0; i < 64; i = ((i | half) + 1) & ~half) {
            uint64_t swap = (rows[i] ^ rows[i | half] >> half) & mask;
            rows[i] ^= swap;
            rows[i | half] ^= swap << half;
        }
    }
}

/* From the first word to the last, bits past the width moved out at the left. */
static void row_mirror(uint8_t *row, size_t stride, uint32_t width_px)
{
    size_t words = stride / 8;
    for (size_t i = 0, j = words - 1; i <= j; i++, j--) {
        uint64_t left = word_mirror(word_load(row + 8 * i));
        uint64_t right = word_mirror(word_load(row + 8 * j));
        word_store(row + 8 * i, right);
        word_store(row + 8 * j, left);
        if (j == 0)
            break;
    }
    unsigned pad = (unsigned)(words * 64 - width_px);
    if (pad == 0)
        return;
    for (size_t i = 0; i < words; i++) {
        uint64_t next = i + 1 < words ? word_load(row + 8 * (i + 1)) >> (64 - pad) : 0;
        word_store(row + 8 * i, word_load(row + 8 * i) << pad | next);
    }
}

static void bits_transpose(const struct pl_picture *in, const struct pl_picture *out,
                           bool from_below)
{
    uint64_t block[64];
    for (uint32_t y = 0; y < in->height_px; y += 64) {
        uint32_t rows = in->height_px - y < 64 ? in->height_px - y : 64;
        for (uint32_t x = 0; x < in->width_px; x += 64) {
            for (uint32_t i = 0; i < rows; i++)
                block[i] = word_load(in->pixels + (y + i) * in->stride + x / 8);
            for (uint32_t i = rows; i < 64; i++)
                block[i] = 0;
            block_transpose(block);
            for (uint32_t i = 0; i < 64 && x + i < in->width_px; i++) {
                uint32_t to = from_below ? out->height_px - 1 - (x + i) : x + i;
                word_store(out->pixels + to * out->stride + y / 8, block[i]);
            }
        }
    }
}

static void rotate_bits(const struct pl_picture *in, struct turn turn, const struct pl_picture *out)
{
    if (turn.transpose) {
        bits_transpose(in, out, turn.mirror_y);
    } else {
        for (uint32_t y = 0; y < in->height_px; y++) {
            uint32_t from = turn.mirror_y ? in->height_px - 1 - y : y;
            memcpy(out->pixels + y * out->stride, in->pixels + from * in->stride, in->stride);
        }
    }
    for (uint32_t y = 0; y < out->height_px && turn.mirror_x; y++)
        row_mirror(out->pixels + y * out->stride, out->stride, out->width_px);
}

/* A block of the result, `step` bytes a pixel; inlined for each size. */
static inline void block_copy(const struct pl_picture *in, struct turn turn,
                              const struct pl_picture *out, uint32_t x0, uint32_t y0, size_t step)
{
    uint32_t x1 = out->width_px - x0 < BLOCK_PX ? out->width_px : x0 + BLOCK_PX;
    uint32_t y1 = out->height_px - y0 < BLOCK_PX ? out->height_px : y0 + BLOCK_PX;
    for (uint32_t y = y0; y < y1; y++) {
        uint32_t v = turn.mirror_y ? out->height_px - 1 - y : y;
        uint8_t *to = out->pixels + y * out->stride + x0 * step;
        for (uint32_t x = x0; x < x1; x++, to += step) {
            uint32_t u = turn.mirror_x ? out->width_px - 1 - x : x;
            const uint8_t *from = turn.transpose ? in->pixels + u * in->stride + v * step
                                                 : in->pixels + v * in->stride + u * step;
            memcpy(to, from, step);
        }
    }
}

static void rotate_bytes(const struct pl_picture *in, struct turn turn,
                         const struct pl_picture *out)
{
    for (uint32_t y = 0; y < out->height_px; y += BLOCK_PX) {
        for (uint32_t x = 0; x < out->width_px; x += BLOCK_PX) {
            switch (pl_colour_samples(in->colour)) {
            case 1:
                block_copy(in, turn, out, x, y, 1);
                break;
            case 3:
                block_copy(in, turn, out, x, y, 3);
                break;
            default:
                block_copy(in, turn, out, x, y, 4);
                break;
            }
        }
    }
}

pl_status pl_rotate(const struct pl_picture *in, unsigned orientation,
                    const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                    struct pl_fault *fault)
{
    bool swaps = pl_rotate_swaps(orientation);
    pl_status status = pl_picture_make(out, in->colour, swaps ? in->height_px : in->width_px,
                                       swaps ? in->width_px : in->height_px, limits, page, fault);
    if (status != PL_OK)
        return status;
    out->x_mdpi = swaps ? in->y_mdpi : in->x_mdpi;
    out->y_mdpi = swaps ? in->x_mdpi : in->y_mdpi;
    if (in->colour == PL_COLOUR_BILEVEL) {
        rotate_bits(in, turns[orientation], out);
    } else {
        rotate_bytes(in, turns[orientation], out);
    }
    return PL_OK;
}
