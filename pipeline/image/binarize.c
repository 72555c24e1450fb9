/* binarize: Sauvola by running sums of columns, Otsu by histogram, dither by carried errors.
 *
 * Built with contraction of floating-point operations off (pipeline/CMakeLists.txt): a fused
 * multiply-add would round otherwise on machines that have it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/binarize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAUVOLA_K 0.34F
#define SAUVOLA_RANGE 128.0F
#define WINDOW_MIN 15
#define WINDOW_MAX 181 /* 181^2 * 255^2 < 2^31 */
#define ONE_TONE 32

const char *pl_binarize_name(enum pl_binarize how)
{
    switch (how) {
    case PL_BINARIZE_SAUVOLA:
        return "Sauvola";
    case PL_BINARIZE_OTSU:
        return "Otsu";
    case PL_BINARIZE_DITHER:
        break;
    }
    return "dithering";
}

static pl_status bits_make(const struct pl_picture *in, const struct pl_limits *limits,
                           uint32_t page, struct pl_picture *out, struct pl_fault *fault)
{
    PL_CHECK(in->colour == PL_COLOUR_GREY);
    pl_status status =
        pl_picture_make(out, PL_COLOUR_BILEVEL, in->width_px, in->height_px, limits, page, fault);
    out->x_mdpi = in->x_mdpi;
    out->y_mdpi = in->y_mdpi;
    return status;
}

/* Bytes of 0 and 1, padded with 0 to a multiple of 64, into bits: the multiplication moves the
 * lowest bit of each byte into the top byte. */
static void bits_pack(const uint8_t *ones, uint8_t *out, size_t stride)
{
    for (size_t i = 0; i < stride; i++) {
        uint64_t eight = 0;
        memcpy(&eight, ones + 8 * i, sizeof eight);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        out[i] = (uint8_t)(eight * 0x8040201008040201 >> 56);
    }
}

uint8_t pl_binarize_otsu(const struct pl_picture *in)
{
    uint32_t counts[4][256] = { 0 }; /* apart, so that equal neighbours do not wait */
    for (uint32_t y = 0; y < in->height_px; y++) {
        const uint8_t *row = in->pixels + y * in->stride;
        size_t x = 0;
        for (; x + 4 <= in->width_px; x += 4)
            for (size_t i = 0; i < 4; i++)
                counts[i][row[x + i]]++;
        for (; x < in->width_px; x++)
            counts[0][row[x]]++;
    }
    double all = (double)in->width_px * in->height_px;
    double total = 0;
    for (unsigned i = 0; i < 256; i++) {
        counts[0][i] += counts[1][i] + counts[2][i] + counts[3][i];
        total += (double)counts[0][i] * i;
    }
    double below = 0;
    double weighed = 0;
    double best = -1;
    double apart = 0;
    unsigned first = 0; /* of equally good thresholds, and the last: no pixel lies between */
    unsigned last = 0;
    for (unsigned i = 0; i < 255; i++) {
        below += counts[0][i];
        weighed += (double)counts[0][i] * i;
        double above = all - below;
        if (below == 0 || above == 0)
            continue;
        double distance = (total - weighed) / above - weighed / below;
        double between = below * above * distance * distance;
        if (between > best) {
            best = between;
            apart = distance;
            first = i;
        }
        if (between >= best)
            last = i;
    }
    return (uint8_t)(apart < ONE_TONE ? 127 : (first + last) / 2);
}

struct sauvola {
    const struct pl_picture *in;
    uint32_t reach; /* the window is 2 reach + 1 wide and high */
    float floor;    /* what is below is black anyway */
    uint32_t *sums; /* of each column of the window, then of their squares */
    uint32_t *squares;
    uint32_t *sums_before; /* of all columns to the left of x; they may wrap, differences do not */
    uint32_t *squares_before;
    uint8_t *ones;
    void *memory;
};

static pl_status sauvola_init(struct sauvola *sauvola, const struct pl_picture *in)
{
    uint64_t window = ((uint64_t)in->x_mdpi + in->y_mdpi) / 2 / 4000;
    window = window < WINDOW_MIN ? WINDOW_MIN : window > WINDOW_MAX ? WINDOW_MAX : window;
    size_t width = ((size_t)in->width_px + 64) / 64 * 64;
    unsigned floor = pl_binarize_otsu(in) / 2U;
    *sauvola = (struct sauvola){ .in = in, .reach = (uint32_t)window / 2, .floor = (float)floor };
    sauvola->memory = calloc(width, 4 * sizeof(uint32_t) + 1);
    if (sauvola->memory == NULL)
        return PL_NO_MEMORY;
    sauvola->sums = sauvola->memory;
    sauvola->squares = sauvola->sums + width;
    sauvola->sums_before = sauvola->squares + width;
    sauvola->squares_before = sauvola->sums_before + width;
    sauvola->ones = (uint8_t *)(sauvola->squares_before + width);
    return PL_OK;
}

static void columns_add(const struct sauvola *sauvola, uint32_t y)
{
    const uint8_t *row = sauvola->in->pixels + y * sauvola->in->stride;
    uint32_t *restrict sums = sauvola->sums;
    uint32_t *restrict squares = sauvola->squares;
    for (size_t x = 0; x < sauvola->in->width_px; x++) {
        sums[x] += row[x];
        squares[x] += (uint16_t)(row[x] * row[x]);
    }
}

/* The window moves down by a row. */
static void columns_move(const struct sauvola *sauvola, uint32_t in, uint32_t out)
{
    const uint8_t *below = sauvola->in->pixels + in * sauvola->in->stride;
    const uint8_t *above = sauvola->in->pixels + out * sauvola->in->stride;
    uint32_t *restrict sums = sauvola->sums;
    uint32_t *restrict squares = sauvola->squares;
    for (size_t x = 0; x < sauvola->in->width_px; x++) {
        sums[x] += (uint32_t)below[x] - above[x];
        squares[x] += (uint32_t)(uint16_t)(below[x] * below[x]) - (uint16_t)(above[x] * above[x]);
    }
}

static void columns_take(const struct sauvola *sauvola, uint32_t y)
{
    const uint8_t *row = sauvola->in->pixels + y * sauvola->in->stride;
    for (size_t x = 0; x < sauvola->in->width_px; x++) {
        sauvola->sums[x] -= row[x];
        sauvola->squares[x] -= (uint16_t)(row[x] * row[x]);
    }
}

static void columns_run(const struct sauvola *sauvola)
{
    uint32_t sum = 0;
    uint32_t square = 0;
    for (size_t x = 0; x < sauvola->in->width_px; x++) {
        sauvola->sums_before[x] = sum;
        sauvola->squares_before[x] = square;
        sum += sauvola->sums[x];
        square += sauvola->squares[x];
    }
    sauvola->sums_before[sauvola->in->width_px] = sum;
    sauvola->squares_before[sauvola->in->width_px] = square;
}

static inline bool darker(uint8_t level, uint32_t sum, uint32_t square, float inverse, float floor)
{
    float mean = (float)(int32_t)sum * inverse;
    float variance = (float)(int32_t)square * inverse - mean * mean;
    variance = variance > 0 ? variance : 0;
    float scale = 1 - SAUVOLA_K + SAUVOLA_K / SAUVOLA_RANGE * sqrtf(variance);
    float threshold = mean * scale;
    return (float)level < (threshold > floor ? threshold : floor);
}

/* Columns from x to end, whose windows reach over an edge. */
static void edge_decide(const struct sauvola *sauvola, const uint8_t *row, uint32_t x, uint32_t end,
                        uint32_t rows)
{
    uint32_t width = sauvola->in->width_px;
    uint32_t reach = sauvola->reach;
    for (; x < end; x++) {
        uint32_t left = x < reach ? 0 : x - reach;
        uint32_t right = width - x <= reach ? width : x + reach + 1;
        float inverse = 1.0F / (float)(int32_t)((right - left) * rows);
        sauvola->ones[x] = darker(row[x], sauvola->sums_before[right] - sauvola->sums_before[left],
                                  sauvola->squares_before[right] - sauvola->squares_before[left],
                                  inverse, sauvola->floor);
    }
}

static void row_decide(const struct sauvola *sauvola, uint32_t y, uint32_t rows)
{
    uint32_t width = sauvola->in->width_px;
    uint32_t reach = sauvola->reach;
    const uint8_t *row = sauvola->in->pixels + y * sauvola->in->stride;
    if (width <= 2 * reach) {
        edge_decide(sauvola, row, 0, width, rows);
        return;
    }
    size_t count = width - 2 * (size_t)reach;
    const uint8_t *restrict levels = row + reach;
    const uint32_t *restrict sum_left = sauvola->sums_before;
    const uint32_t *restrict sum_right = sauvola->sums_before + 2 * (size_t)reach + 1;
    const uint32_t *restrict square_left = sauvola->squares_before;
    const uint32_t *restrict square_right = sauvola->squares_before + 2 * (size_t)reach + 1;
    uint8_t *restrict ones = sauvola->ones + reach;
    const float floor = sauvola->floor;
    const float inverse = 1.0F / (float)(int32_t)((2 * reach + 1) * rows);
    for (size_t i = 0; i < count; i++)
        ones[i] = darker(levels[i], sum_right[i] - sum_left[i], square_right[i] - square_left[i],
                         inverse, floor);
    edge_decide(sauvola, row, 0, reach, rows);
    edge_decide(sauvola, row, width - reach, width, rows);
}

static pl_status sauvola_run(const struct pl_picture *in, const struct pl_picture *out)
{
    struct sauvola sauvola;
    pl_status status = sauvola_init(&sauvola, in);
    if (status != PL_OK)
        return status;
    uint32_t reach = sauvola.reach;
    uint32_t rows = 0;
    for (; rows < reach && rows < in->height_px; rows++)
        columns_add(&sauvola, rows);
    for (uint32_t y = 0; y < in->height_px; y++) {
        bool enters = in->height_px - y > reach;
        bool leaves = y > reach;
        if (enters && leaves) {
            columns_move(&sauvola, y + reach, y - reach - 1);
        } else if (enters) {
            columns_add(&sauvola, y + reach);
            rows++;
        } else if (leaves) {
            columns_take(&sauvola, y - reach - 1);
            rows--;
        }
        columns_run(&sauvola);
        row_decide(&sauvola, y, rows);
        bits_pack(sauvola.ones, out->pixels + y * out->stride, out->stride);
    }
    free(sauvola.memory);
    return PL_OK;
}

static pl_status threshold_run(const struct pl_picture *in, uint8_t level,
                               const struct pl_picture *out)
{
    uint8_t *ones = calloc(out->stride, 8);
    if (ones == NULL)
        return PL_NO_MEMORY;
    for (uint32_t y = 0; y < in->height_px; y++) {
        const uint8_t *row = in->pixels + y * in->stride;
        for (size_t x = 0; x < in->width_px; x++)
            ones[x] = row[x] <= level;
        bits_pack(ones, out->pixels + y * out->stride, out->stride);
    }
    free(ones);
    return PL_OK;
}

/* Errors in sixteenths; `now` is carried along the row, `next` to the row below. Both have a place
 * before the first pixel and behind the last. */
static void dither_row(const uint8_t *row, uint32_t width, bool from_right, const int32_t *now,
                       int32_t *next, uint8_t *ones)
{
    int32_t step = from_right ? -1 : 1;
    int32_t along = 0;
    memset(next, 0, ((size_t)width + 2) * sizeof *next);
    for (uint32_t i = 0; i < width; i++) {
        ptrdiff_t x = from_right ? (ptrdiff_t)(width - 1 - i) : (ptrdiff_t)i;
        int32_t level = row[x] * 16 + now[x + 1] + along;
        bool black = level < 128 * 16;
        int32_t error = (level - (black ? 0 : 255 * 16)) / 16;
        ones[x] = black;
        along = error * 7;
        next[x + 1 - step] += error * 3;
        next[x + 1] += error * 5;
        next[x + 1 + step] += error;
    }
}

static pl_status dither_run(const struct pl_picture *in, const struct pl_picture *out)
{
    size_t places = (size_t)in->width_px + 2;
    int32_t *errors = calloc(2 * places, sizeof *errors);
    uint8_t *ones = calloc(out->stride, 8);
    pl_status status = errors == NULL || ones == NULL ? PL_NO_MEMORY : PL_OK;
    int32_t *now = errors;
    int32_t *next = errors == NULL ? NULL : errors + places;
    for (uint32_t y = 0; y < in->height_px && status == PL_OK; y++) {
        dither_row(in->pixels + y * in->stride, in->width_px, y % 2 != 0, now, next, ones);
        bits_pack(ones, out->pixels + y * out->stride, out->stride);
        int32_t *swap = now;
        now = next;
        next = swap;
    }
    free(ones);
    free(errors);
    return status;
}

pl_status pl_binarize_at(const struct pl_picture *in, uint8_t level, const struct pl_limits *limits,
                         uint32_t page, struct pl_picture *out, struct pl_fault *fault)
{
    pl_status status = bits_make(in, limits, page, out, fault);
    return status == PL_OK ? threshold_run(in, level, out) : status;
}

pl_status pl_binarize(const struct pl_picture *in, enum pl_binarize how,
                      const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                      struct pl_fault *fault)
{
    pl_status status = bits_make(in, limits, page, out, fault);
    if (status != PL_OK)
        return status;
    switch (how) {
    case PL_BINARIZE_SAUVOLA:
        return sauvola_run(in, out);
    case PL_BINARIZE_OTSU:
        return threshold_run(in, pl_binarize_otsu(in), out);
    case PL_BINARIZE_DITHER:
        break;
    }
    return dither_run(in, out);
}
