/* g4: transitions of a row as a list of columns, then the walk of T.6 over two such lists.
 *
 * A row costs one pass over 64-bit words: word XOR itself shifted by one pixel has a bit at each
 * change of colour, and counting leading zeros lists them. The walk then never looks at a pixel.
 * A run's make-up and terminating codes are joined and leave in one step (at most 26 bits); output
 * gathers in a 64-bit register that is stored 32 bits at a time. Bytes are those of libtiff.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/g4.h"

#include <stdlib.h>
#include <string.h>

#define G4_WIDTH_MAX ((uint32_t)1 << 20) /* far past image/limits.h; keeps columns in 32 bits */
#define G4_SENTINELS 4                   /* the walk looks up to three past the last change */
#define G4_RUN_MAX 2560                  /* longest run of one make-up code */

struct g4_code {
    uint16_t code;
    uint16_t bits;
};

/* T.4 tables 2 and 3: white, then black. Row 0 of the make-up codes is the empty code, so that a
 * short run is joined like a long one. */
static const struct g4_code g4_terminating[2][64] = {
    {
        { 0x35, 8 }, { 0x7, 6 },  { 0x7, 4 },  { 0x8, 4 },  { 0xb, 4 },  { 0xc, 4 },  { 0xe, 4 },
        { 0xf, 4 },  { 0x13, 5 }, { 0x14, 5 }, { 0x7, 5 },  { 0x8, 5 },  { 0x8, 6 },  { 0x3, 6 },
        { 0x34, 6 }, { 0x35, 6 }, { 0x2a, 6 }, { 0x2b, 6 }, { 0x27, 7 }, { 0xc, 7 },  { 0x8, 7 },
        { 0x17, 7 }, { 0x3, 7 },  { 0x4, 7 },  { 0x28, 7 }, { 0x2b, 7 }, { 0x13, 7 }, { 0x24, 7 },
        { 0x18, 7 }, { 0x2, 8 },  { 0x3, 8 },  { 0x1a, 8 }, { 0x1b, 8 }, { 0x12, 8 }, { 0x13, 8 },
        { 0x14, 8 }, { 0x15, 8 }, { 0x16, 8 }, { 0x17, 8 }, { 0x28, 8 }, { 0x29, 8 }, { 0x2a, 8 },
        { 0x2b, 8 }, { 0x2c, 8 }, { 0x2d, 8 }, { 0x4, 8 },  { 0x5, 8 },  { 0xa, 8 },  { 0xb, 8 },
        { 0x52, 8 }, { 0x53, 8 }, { 0x54, 8 }, { 0x55, 8 }, { 0x24, 8 }, { 0x25, 8 }, { 0x58, 8 },
        { 0x59, 8 }, { 0x5a, 8 }, { 0x5b, 8 }, { 0x4a, 8 }, { 0x4b, 8 }, { 0x32, 8 }, { 0x33, 8 },
        { 0x34, 8 },
    },
    {
        { 0x37, 10 }, { 0x2, 3 },   { 0x3, 2 },   { 0x2, 2 },   { 0x3, 3 },   { 0x3, 4 },
        { 0x2, 4 },   { 0x3, 5 },   { 0x5, 6 },   { 0x4, 6 },   { 0x4, 7 },   { 0x5, 7 },
        { 0x7, 7 },   { 0x4, 8 },   { 0x7, 8 },   { 0x18, 9 },  { 0x17, 10 }, { 0x18, 10 },
        { 0x8, 10 },  { 0x67, 11 }, { 0x68, 11 }, { 0x6c, 11 }, { 0x37, 11 }, { 0x28, 11 },
        { 0x17, 11 }, { 0x18, 11 }, { 0xca, 12 }, { 0xcb, 12 }, { 0xcc, 12 }, { 0xcd, 12 },
        { 0x68, 12 }, { 0x69, 12 }, { 0x6a, 12 }, { 0x6b, 12 }, { 0xd2, 12 }, { 0xd3, 12 },
        { 0xd4, 12 }, { 0xd5, 12 }, { 0xd6, 12 }, { 0xd7, 12 }, { 0x6c, 12 }, { 0x6d, 12 },
        { 0xda, 12 }, { 0xdb, 12 }, { 0x54, 12 }, { 0x55, 12 }, { 0x56, 12 }, { 0x57, 12 },
        { 0x64, 12 }, { 0x65, 12 }, { 0x52, 12 }, { 0x53, 12 }, { 0x24, 12 }, { 0x37, 12 },
        { 0x38, 12 }, { 0x27, 12 }, { 0x28, 12 }, { 0x58, 12 }, { 0x59, 12 }, { 0x2b, 12 },
        { 0x2c, 12 }, { 0x5a, 12 }, { 0x66, 12 }, { 0x67, 12 },
    },
};

static const struct g4_code g4_makeup[2][41] = {
    {
        { 0, 0 },     { 0x1b, 5 },  { 0x12, 5 },  { 0x17, 6 },  { 0x37, 7 },  { 0x36, 8 },
        { 0x37, 8 },  { 0x64, 8 },  { 0x65, 8 },  { 0x68, 8 },  { 0x67, 8 },  { 0xcc, 9 },
        { 0xcd, 9 },  { 0xd2, 9 },  { 0xd3, 9 },  { 0xd4, 9 },  { 0xd5, 9 },  { 0xd6, 9 },
        { 0xd7, 9 },  { 0xd8, 9 },  { 0xd9, 9 },  { 0xda, 9 },  { 0xdb, 9 },  { 0x98, 9 },
        { 0x99, 9 },  { 0x9a, 9 },  { 0x18, 6 },  { 0x9b, 9 },  { 0x8, 11 },  { 0xc, 11 },
        { 0xd, 11 },  { 0x12, 12 }, { 0x13, 12 }, { 0x14, 12 }, { 0x15, 12 }, { 0x16, 12 },
        { 0x17, 12 }, { 0x1c, 12 }, { 0x1d, 12 }, { 0x1e, 12 }, { 0x1f, 12 },
    },
    {
        { 0, 0 },     { 0xf, 10 },  { 0xc8, 12 }, { 0xc9, 12 }, { 0x5b, 12 }, { 0x33, 12 },
        { 0x34, 12 }, { 0x35, 12 }, { 0x6c, 13 }, { 0x6d, 13 }, { 0x4a, 13 }, { 0x4b, 13 },
        { 0x4c, 13 }, { 0x4d, 13 }, { 0x72, 13 }, { 0x73, 13 }, { 0x74, 13 }, { 0x75, 13 },
        { 0x76, 13 }, { 0x77, 13 }, { 0x52, 13 }, { 0x53, 13 }, { 0x54, 13 }, { 0x55, 13 },
        { 0x5a, 13 }, { 0x5b, 13 }, { 0x64, 13 }, { 0x65, 13 }, { 0x8, 11 },  { 0xc, 11 },
        { 0xd, 11 },  { 0x12, 12 }, { 0x13, 12 }, { 0x14, 12 }, { 0x15, 12 }, { 0x16, 12 },
        { 0x17, 12 }, { 0x1c, 12 }, { 0x1d, 12 }, { 0x1e, 12 }, { 0x1f, 12 },
    },
};

/* T.6 table 1: vertical modes VL3..VR3, indexed by a1 - b1 + 3. */
static const struct g4_code g4_vertical[7] = {
    { 0x2, 7 }, { 0x2, 6 }, { 0x2, 3 }, { 0x1, 1 }, { 0x3, 3 }, { 0x3, 6 }, { 0x3, 7 },
};
static const struct g4_code g4_pass = { 0x1, 4 };
static const struct g4_code g4_horizontal = { 0x1, 3 };

/* Bits not stored yet stand at the top of `word`; fewer than 32 between two calls. */
struct g4_bits {
    uint64_t word;
    unsigned count;
    uint8_t *at;
};

static inline void bits_put(struct g4_bits *bits, uint32_t code, unsigned count)
{
    bits->count += count;
    bits->word |= (uint64_t)code << (64 - bits->count);
    if (bits->count < 32)
        return;
    pl_put_u32be(bits->at, (uint32_t)(bits->word >> 32));
    bits->at += 4;
    bits->word <<= 32;
    bits->count -= 32;
}

static inline void bits_put_code(struct g4_bits *bits, struct g4_code code)
{
    bits_put(bits, code.code, code.bits);
}

static inline void bits_put_run(struct g4_bits *bits, unsigned colour, uint32_t run)
{
    for (; run > G4_RUN_MAX; run -= G4_RUN_MAX)
        bits_put_code(bits, g4_makeup[colour][G4_RUN_MAX / 64]);
    struct g4_code makeup = g4_makeup[colour][run / 64];
    struct g4_code end = g4_terminating[colour][run % 64];
    bits_put(bits, (uint32_t)makeup.code << end.bits | end.code, (unsigned)makeup.bits + end.bits);
}

/* Stores what is left, padded to a byte. */
static void bits_flush(struct g4_bits *bits)
{
    for (; bits->count > 0; bits->count = bits->count > 8 ? bits->count - 8 : 0) {
        *bits->at++ = (uint8_t)(bits->word >> 56);
        bits->word <<= 8;
    }
}

static inline uint64_t row_word(const uint8_t *row, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, row, size);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Columns where the colour changes, the first from white, and the width as sentinels. */
static void row_changes(const uint8_t *row, uint32_t width_px, uint32_t *out)
{
    uint64_t before = 0; /* the pixel before this word, as its top bit */
    for (uint32_t column = 0; column < width_px; column += 64) {
        uint32_t left = width_px - column;
        uint64_t word = row_word(row + column / 8, left >= 64 ? 8 : (left + 7) / 8);
        uint64_t changes = word ^ (word >> 1 | before);
        before = word << 63;
        if (left < 64)
            changes &= ~(uint64_t)0 << (64 - left);
        while (changes != 0) {
            unsigned at = (unsigned)__builtin_clzll(changes);
            *out++ = column + at;
            changes &= ~((uint64_t)1 << 63 >> at);
        }
    }
    for (unsigned i = 0; i < G4_SENTINELS; i++)
        out[i] = width_px;
}

/* T.6 section 2.2: `now` is the list of the coding line, `above` that of the reference line. a0,
 * a1, a2, b1 and b2 are the standard's names. b1 is above[b]; an even index changes to black. */
static void row_encode(const uint32_t *now, const uint32_t *above, uint32_t width_px,
                       struct g4_bits *bits)
{
    uint32_t a0 = 0;
    unsigned colour = 0;
    size_t b = 0;
    do {
        uint32_t a1 = now[0];
        if (above[b + 1] < a1) {
            bits_put_code(bits, g4_pass);
            a0 = above[b + 1];
            b += 2;
            continue;
        }
        int32_t distance = (int32_t)a1 - (int32_t)above[b];
        if (distance >= -3 && distance <= 3) {
            bits_put_code(bits, g4_vertical[distance + 3]);
            a0 = a1;
            colour ^= 1;
            now++;
            /* The next b1 changes the other way: it may stand just before this one, never two. */
            b = distance < 0 && b > 0 ? b - 1 : b + 1;
        } else {
            uint32_t a2 = now[1];
            bits_put_code(bits, g4_horizontal);
            bits_put_run(bits, colour, a1 - a0);
            bits_put_run(bits, colour ^ 1, a2 - a1);
            a0 = a2;
            now += 2;
        }
        while (above[b] <= a0 && above[b] < width_px)
            b += 2;
    } while (a0 < width_px);
}

/* No row needs more: every pixel pays for at most 11 bits (a pass mode takes two changes above, a
 * vertical mode one here, a horizontal one at most 3 bits and 6 a pixel), long runs for far less.
 */
static size_t row_bytes_max(uint32_t width_px)
{
    return (size_t)width_px + width_px / 2 + 64;
}

pl_status pl_g4_encode(const uint8_t *pixels, size_t stride, uint32_t width_px, uint32_t rows,
                       struct pl_bytes *out)
{
    if (width_px == 0 || width_px > G4_WIDTH_MAX)
        return PL_TOO_LARGE;
    PL_CHECK(stride >= (width_px + 7) / 8);
    size_t list = (size_t)width_px + G4_SENTINELS;
    uint32_t *lists = malloc(2 * list * sizeof *lists);
    if (lists == NULL)
        return PL_NO_MEMORY;
    uint32_t *now = lists;
    uint32_t *above = lists + list;
    for (unsigned i = 0; i < G4_SENTINELS; i++)
        above[i] = width_px; /* the line above the first is white */
    pl_status status = PL_OK;
    size_t before = out->size;
    struct g4_bits bits = { 0 };
    for (uint32_t y = 0; y < rows; y++) {
        status = pl_bytes_reserve(out, row_bytes_max(width_px), &bits.at);
        if (status != PL_OK)
            goto done;
        row_changes(pixels + y * stride, width_px, now);
        row_encode(now, above, width_px, &bits);
        out->size = (size_t)(bits.at - out->data);
        uint32_t *swap = above;
        above = now;
        now = swap;
    }
    if (rows > 0) {
        bits_flush(&bits); /* inside the last row's room */
        out->size = (size_t)(bits.at - out->data);
    }
done:
    if (status != PL_OK)
        out->size = before;
    free(lists);
    return status;
}
