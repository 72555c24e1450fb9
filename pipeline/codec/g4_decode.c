/* g4_decode: a row is a list of the columns where its colour changes; codes are read against the
 * list of the row above, and pixels are painted from the list, in words.
 *
 * One 64-bit register holds at least 56 bits of input, so that a vertical mode costs a table
 * look-up and an addition. Lists hold true changes only: a run of no pixels takes back the change
 * before it, as T.4 means a changing element to be one of colour.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/g4_decode.h"

#include "pipeline/codec/fax_codes_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FAX_WIDTH_MAX ((uint32_t)1 << 20)
#define FAX_RUN_MAX 2560 /* of one code */
#define FAX_SENTINELS 4  /* the walk looks two past the last change, and may stand two past it */

/* Of a run code: run << 4 | bits; 0 is no code. */
#define FAX_SHORT(code, bits, run)                                                                 \
    [(code) << (9 - (bits))...(((code) + 1) << (9 - (bits))) - 1] = (run) << 4 | (bits),
#define FAX_LONG(code, bits, run)                                                                  \
    [(code) << (13 - (bits))...(((code) + 1) << (13 - (bits))) - 1] = (run) << 4 | (bits),

/* By the next 9 bits, and where that says nothing by the next 13, of which the first 4 are 0. White
 * first. */
static const uint16_t fax_short[2][512] = { { FAX_WHITE_SHORT(FAX_SHORT) },
                                            { FAX_BLACK_SHORT(FAX_SHORT) } };
static const uint16_t fax_long[2][512] = { { FAX_WHITE_LONG(FAX_LONG) },
                                           { FAX_BLACK_LONG(FAX_LONG) } };

enum fax_kind { FAX_NONE, FAX_VERTICAL, FAX_HORIZONTAL, FAX_PASS, FAX_EXTENSION };

struct fax_mode {
    int8_t distance; /* a1 - b1 */
    uint8_t bits;
    uint8_t kind;
};

/* T.6 table 1, by the next 7 bits. */
static const struct fax_mode fax_modes[128] = {
    [1] = { 0, 7, FAX_EXTENSION },          [2] = { -3, 7, FAX_VERTICAL },
    [3] = { 3, 7, FAX_VERTICAL },           [4 ... 5] = { -2, 6, FAX_VERTICAL },
    [6 ... 7] = { 2, 6, FAX_VERTICAL },     [8 ... 15] = { 0, 4, FAX_PASS },
    [16 ... 31] = { 0, 3, FAX_HORIZONTAL }, [32 ... 47] = { -1, 3, FAX_VERTICAL },
    [48 ... 63] = { 1, 3, FAX_VERTICAL },   [64 ... 127] = { 0, 1, FAX_VERTICAL },
};

/* Two vertical modes that follow each other, by the next 10 bits; bits 0: there are not two. */
struct fax_pair {
    int8_t first;
    int8_t second;
    uint8_t bits;
};

/* clang-format off */
#define FAX_PAIR(code, size, first, next, next_size, second)                                       \
    [((code) << (next_size) | (next)) << (10 - (size) - (next_size)) ...                           \
     ((((code) << (next_size) | (next)) + 1) << (10 - (size) - (next_size))) - 1] =                \
        { first, second, (size) + (next_size) },
#define FAX_PAIRS_SHORT(code, size, first)                                                         \
    FAX_PAIR(code, size, first, 1, 1, 0)                                                           \
    FAX_PAIR(code, size, first, 3, 3, 1)                                                           \
    FAX_PAIR(code, size, first, 2, 3, -1)
#define FAX_PAIRS_LONG(code, size, first)                                                          \
    FAX_PAIRS_SHORT(code, size, first)                                                             \
    FAX_PAIR(code, size, first, 3, 6, 2)                                                           \
    FAX_PAIR(code, size, first, 2, 6, -2)                                                          \
    FAX_PAIR(code, size, first, 3, 7, 3)                                                           \
    FAX_PAIR(code, size, first, 2, 7, -3)

static const struct fax_pair fax_pairs[1024] = {
    FAX_PAIRS_LONG(1, 1, 0)
    FAX_PAIRS_LONG(3, 3, 1)
    FAX_PAIRS_LONG(2, 3, -1)
    FAX_PAIRS_SHORT(3, 6, 2)
    FAX_PAIRS_SHORT(2, 6, -2)
    FAX_PAIRS_SHORT(3, 7, 3)
    FAX_PAIRS_SHORT(2, 7, -3)
};
/* clang-format on */

/* The next bits stand at the top of `word`; `count` of them are accounted for, what is below is
 * either the same input or zero. Past the end zeros follow. */
struct fax_bits {
    uint64_t word;
    unsigned count;
    const uint8_t *at;
    const uint8_t *end;
    size_t past; /* zero bytes handed out after the end */
};

enum fax_end { FAX_ROW, FAX_DAMAGED, FAX_ENDED, FAX_UNCOMPRESSED };

struct fax_walk {
    struct fax_bits bits;
    uint32_t width;
    int32_t *now;   /* ascending columns, then sentinels of the width; now[-1] is -1 */
    int32_t *above; /* of the row before */
    size_t count;   /* of now */
    const uint8_t *data;
    bool led; /* rows begin with an EOL */
};

static void bits_fill_slowly(struct fax_bits *bits)
{
    while (bits->count <= 56) {
        if (bits->at < bits->end) {
            bits->word |= (uint64_t)*bits->at++ << (56 - bits->count);
        } else {
            bits->past++;
        }
        bits->count += 8;
    }
}

/* At least 56 bits from now on. */
static inline void bits_fill(struct fax_bits *bits)
{
    if (bits->end - bits->at < 8) {
        bits_fill_slowly(bits);
        return;
    }
    uint64_t next = 0;
    memcpy(&next, bits->at, sizeof next);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    next = __builtin_bswap64(next);
#endif
    bits->word |= next >> bits->count;
    bits->at += (63 - bits->count) >> 3;
    bits->count |= 56;
}

static inline void bits_drop(struct fax_bits *bits, unsigned count)
{
    bits->word <<= count;
    bits->count -= count;
}

/* Bits taken since `data`, also those past the end. */
static size_t bits_taken(const struct fax_bits *bits, const uint8_t *data)
{
    return ((size_t)(bits->at - data) + bits->past) * 8 - bits->count;
}

/* Reads one run of make-up and terminating codes; false when there is no such code or it is longer
 * than `most`. Two runs take at most 52 bits, unless the longest make-up code is repeated. */
static inline bool run_read(struct fax_bits *bits, unsigned colour, uint32_t most, uint32_t *out)
{
    uint32_t run = 0;
    for (;;) {
        uint32_t code = fax_short[colour][bits->word >> 55];
        if (code == 0) {
            code = fax_long[colour][bits->word >> 51 & 511];
            if (code == 0 || bits->word >> 60 != 0)
                return false;
        }
        bits_drop(bits, code & 15);
        run += code >> 4;
        if (run > most)
            return false;
        if (code >> 4 < 64)
            break;
        if (code >> 4 == FAX_RUN_MAX)
            bits_fill(bits);
    }
    *out = run;
    return true;
}

static inline size_t change_put(int32_t *now, size_t count, int32_t column)
{
    if (count > 0 && now[count - 1] == column)
        return count - 1;
    now[count] = column;
    return count + 1;
}

/* T.4 section 4.1: runs from white until the row is full. */
static enum fax_end row_1d(struct fax_walk *walk)
{
    struct fax_bits bits = walk->bits;
    uint32_t column = 0;
    size_t count = 0;
    unsigned colour = 0;
    enum fax_end end = FAX_ROW;
    while (column < walk->width) {
        uint32_t run = 0;
        bits_fill(&bits);
        if (!run_read(&bits, colour, walk->width - column, &run)) {
            end = FAX_DAMAGED;
            break;
        }
        column += run;
        colour ^= 1;
        count = change_put(walk->now, count, (int32_t)column);
    }
    walk->bits = bits;
    walk->count = count;
    return end;
}

/* A row while its codes are read against the row above. a0, a1, a2, b1 and b2 are the standard's
 * names. b[0] is b1, the first change past a0 to the colour that a0 does not have: it is an even
 * change of the row above when `count` is even, and an odd one when it is odd. */
struct fax_line {
    struct fax_bits bits;
    const int32_t *b;
    int32_t *now;
    size_t count;
    int32_t a0;
    int32_t width;
};

/* b1 for the present a0. */
static inline void line_seek(struct fax_line *line)
{
    while (line->b[0] <= line->a0 && line->b[0] < line->width)
        line->b += 2;
}

static inline bool line_vertical(struct fax_line *line, int32_t distance)
{
    int32_t a1 = line->b[0] + distance;
    if (a1 <= line->a0 || a1 > line->width)
        return false;
    line->now[line->count++] = a1;
    line->a0 = a1;
    line->b += line->b[-1] > a1 ? -1 : 1; /* of the other colour: it may stand just before */
    return true;
}

/* Two vertical modes at once, when b1 of the second is the change after b1 of the first. */
static inline bool line_pair(struct fax_line *line, struct fax_pair pair)
{
    const int32_t *b = line->b;
    int32_t first = b[0] + pair.first;
    int32_t second = b[1] + pair.second;
    if ((first <= line->a0) | (b[-1] > first) | (b[1] <= first) | (second <= first) |
        (second > line->width))
        return false;
    line->now[line->count] = first;
    line->now[line->count + 1] = second;
    line->count += 2;
    line->a0 = second;
    line->b += b[0] > second ? 0 : 2;
    return true;
}

static inline bool line_horizontal(struct fax_line *line)
{
    uint32_t first = 0;
    uint32_t second = 0;
    int32_t from = line->a0 < 0 ? 0 : line->a0;
    uint32_t most = (uint32_t)(line->width - from);
    if (!run_read(&line->bits, line->count & 1, most, &first) ||
        !run_read(&line->bits, ~line->count & 1, most - first, &second))
        return false;
    line->a0 = from + (int32_t)(first + second);
    line->count = change_put(line->now, line->count, from + (int32_t)first);
    line->count = change_put(line->now, line->count, line->a0);
    return true;
}

static inline bool line_pass(struct fax_line *line)
{
    if (line->b[1] >= line->width)
        return false;
    line->a0 = line->b[1];
    line->b += 2;
    return true;
}

/* One code of T.6 table 1. */
static inline enum fax_end line_code(struct fax_line *line)
{
    bool good = false;
    struct fax_mode mode = fax_modes[line->bits.word >> 57];
    bits_drop(&line->bits, mode.bits);
    switch (mode.kind) {
    case FAX_VERTICAL:
        good = line_vertical(line, mode.distance);
        break;
    case FAX_HORIZONTAL:
        good = line_horizontal(line);
        break;
    case FAX_PASS:
        good = line_pass(line);
        break;
    case FAX_EXTENSION:
        return FAX_UNCOMPRESSED;
    default:
        break;
    }
    return good ? FAX_ROW : FAX_DAMAGED;
}

/* T.6 section 2.2. */
static enum fax_end row_2d(struct fax_walk *walk)
{
    struct fax_line line = { .bits = walk->bits,
                             .b = walk->above,
                             .now = walk->now,
                             .a0 = -1,
                             .width = (int32_t)walk->width };
    enum fax_end end = FAX_ROW;
    while (line.a0 < line.width && end == FAX_ROW) {
        bits_fill(&line.bits);
        struct fax_pair pair = fax_pairs[line.bits.word >> 54];
        if (pair.bits != 0 && line_pair(&line, pair)) {
            bits_drop(&line.bits, pair.bits);
        } else {
            end = line_code(&line);
        }
        line_seek(&line);
    }
    walk->bits = line.bits;
    walk->count = line.count;
    return end;
}

/* Takes an EOL with the fill bits before it (T.4 sections 4.1.2 and 4.1.3) where one is next. */
static bool eol_take(struct fax_bits *bits)
{
    bits_fill(bits);
    if (bits->word >> 53 != 0)
        return false;
    while (bits->word >> 56 == 0) {
        if (bits->past > sizeof bits->word)
            return true; /* nothing but zeros up to the end: what is missing is told by the row */
        bits_drop(bits, 8);
        bits_fill(bits);
    }
    bits_drop(bits, (unsigned)__builtin_clzll(bits->word) + 1);
    bits_fill(bits);
    return true;
}

/* What stands before a row of T.4. */
static enum fax_end lead_read(struct fax_walk *walk, const struct pl_page_fax *t4, bool *flat)
{
    struct fax_bits *bits = &walk->bits;
    if (t4->byte_align && !walk->led)
        bits_drop(bits, bits->count % 8); /* whole bytes were filled in */
    if (!eol_take(bits) && t4->byte_align && walk->led)
        return FAX_DAMAGED;
    *flat = true;
    if (t4->k > 0) {
        *flat = bits->word >> 63 != 0;
        bits_drop(bits, 1);
    }
    bits_fill(bits);
    return bits->word >> 53 == 0 ? FAX_ENDED : FAX_ROW;
}

static enum fax_end row_t4(struct fax_walk *walk, const struct pl_page_fax *t4)
{
    bool flat = true;
    enum fax_end end = lead_read(walk, t4, &flat);
    if (end != FAX_ROW)
        return end;
    return flat ? row_1d(walk) : row_2d(walk);
}

static enum fax_end row_t6(struct fax_walk *walk)
{
    bits_fill(&walk->bits);
    uint64_t next = walk->bits.word;
    enum fax_end end = row_2d(walk);
    return end == FAX_DAMAGED && next >> 52 == 1 ? FAX_ENDED : end; /* EOFB */
}

static inline void word_xor(uint8_t *row, size_t word, uint64_t mask)
{
    uint64_t now = 0;
    memcpy(&now, row + 8 * word, sizeof now);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    mask = __builtin_bswap64(mask);
#endif
    now ^= mask;
    memcpy(row + 8 * word, &now, sizeof now);
}

/* All bits from a change on are turned, until the next one turns them back: within one word, and
 * across whole words between them. */
static void row_paint(const struct fax_walk *walk, uint8_t *row, size_t stride)
{
    const uint64_t ones = ~(uint64_t)0;
    memset(row, 0, stride);
    for (size_t i = 0; i < walk->count; i += 2) {
        uint32_t from = (uint32_t)walk->now[i];
        uint32_t to = (uint32_t)walk->now[i + 1]; /* the width, behind an odd last one */
        size_t word = from / 64;
        word_xor(row, word, ones >> from % 64);
        for (; word < to / 64 && word + 1 < stride / 8; word++)
            memset(row + 8 * (word + 1), 0xff, 8);
        if (to / 64 < stride / 8)
            word_xor(row, to / 64, ones >> to % 64);
    }
}

/* The row becomes the reference of the next one. */
static void row_close(struct fax_walk *walk)
{
    const int32_t width = (int32_t)walk->width;
    while (walk->count > 0 && walk->now[walk->count - 1] >= width)
        walk->count--;
    for (size_t i = 0; i < FAX_SENTINELS; i++)
        walk->now[walk->count + i] = width;
}

static pl_status fax_fault(const struct pl_fax *fax, uint32_t row, enum fax_end end,
                           struct pl_fault *fault)
{
    uint32_t number = fax->first_row + row + 1;
    if (end == FAX_UNCOMPRESSED)
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "page %" PRIu32 ": row %" PRIu32
                            " of the fax data uses an extension (uncompressed mode) that is not "
                            "supported",
                            fax->page, number);
    if (end == FAX_ENDED)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 ": the fax data end before row %" PRIu32 "; %" PRIu32
                            " of %" PRIu32 " rows are missing",
                            fax->page, number, fax->rows - row, fax->rows);
    return pl_fault_set(fault, PL_BAD_DOCUMENT,
                        "page %" PRIu32 ": the fax data are damaged in row %" PRIu32, fax->page,
                        number);
}

/* Zeros that reach over the end are no code, but data that were cut. */
static enum fax_end end_judge(const struct fax_walk *walk, size_t size, enum fax_end end)
{
    const struct fax_bits *bits = &walk->bits;
    if (bits_taken(bits, walk->data) > size * 8)
        return FAX_ENDED;
    return end == FAX_DAMAGED && bits->at == bits->end && bits->word == 0 ? FAX_ENDED : end;
}

static pl_status fax_run(const struct pl_fax *fax, const uint8_t *data, size_t size,
                         uint8_t *pixels, size_t stride, struct pl_fault *fault)
{
    if (fax->width_px == 0 || fax->width_px > FAX_WIDTH_MAX)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page %" PRIu32 ": fax rows of %" PRIu32 " pixels; at most %" PRIu32
                            " are accepted",
                            fax->page, fax->width_px, FAX_WIDTH_MAX);
    size_t list = (size_t)fax->width_px + FAX_SENTINELS + 2;
    int32_t *lists = malloc(2 * list * sizeof *lists);
    if (lists == NULL)
        return PL_NO_MEMORY;
    bool t6 = fax->t6 || fax->t4.k < 0;
    struct fax_walk walk = {
        .bits = { .at = data, .end = data + size },
        .width = fax->width_px,
        .now = lists + 1,
        .above = lists + list + 1,
        .data = data,
    };
    walk.now[-1] = walk.above[-1] = -1;
    for (size_t i = 0; i < FAX_SENTINELS; i++)
        walk.above[i] = (int32_t)fax->width_px; /* above the first row all is white */
    bits_fill(&walk.bits);
    walk.led = walk.bits.word >> 53 == 0;
    enum fax_end end = FAX_ROW;
    uint32_t row = 0;
    for (; row < fax->rows; row++) {
        end = t6 ? row_t6(&walk) : row_t4(&walk, &fax->t4);
        end = end_judge(&walk, size, end);
        if (end != FAX_ROW)
            break;
        row_close(&walk);
        if (pixels != NULL)
            row_paint(&walk, pixels + row * stride, stride);
        int32_t *swap = walk.above;
        walk.above = walk.now;
        walk.now = swap;
    }
    free(lists);
    return end == FAX_ROW ? PL_OK : fax_fault(fax, row, end, fault);
}

struct pl_fax pl_fax_from_page(const struct pl_page *page)
{
    return (struct pl_fax){ .t6 = page->filter == PL_FILTER_G4,
                            .t4 = page->fax,
                            .width_px = page->width_px,
                            .rows = page->height_px,
                            .page = page->number };
}

pl_status pl_fax_decode(const struct pl_fax *fax, const uint8_t *data, size_t size, uint8_t *pixels,
                        size_t stride, struct pl_fault *fault)
{
    PL_CHECK(stride % 8 == 0 && stride >= ((size_t)fax->width_px + 7) / 8);
    return fax_run(fax, data, size, pixels, stride, fault);
}

pl_status pl_fax_check(const struct pl_fax *fax, const uint8_t *data, size_t size,
                       struct pl_fault *fault)
{
    return fax_run(fax, data, size, NULL, 0, fault);
}
