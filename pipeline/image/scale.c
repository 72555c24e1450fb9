/* scale: rows are narrowed first, and kept in a ring until the rows below have come.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/scale.h"

#include "pipeline/image/grey.h"

#include <stdlib.h>
#include <string.h>

#if defined __SSE2__
#include <emmintrin.h>
#endif

#define WEIGHT_BITS 14
#define WEIGHT_ONE (1 << WEIGHT_BITS)
#define TAPS_STEP 8 /* weights are looked at by so many; those past the last are 0 */
#define COLUMNS 16  /* summed at once, in registers */
#define BLOCK_AREA_MAX 65536
#define BLOCK_SIDE_MAX 255
#define T_BITS 16 /* of distances in the kernel */
#define T_ONE ((int64_t)1 << T_BITS)

/* Which input samples make output sample i: from first[i] on, `taps` weights at weights[i * taps],
 * of which the first `most` may be other than 0. */
struct axis {
    uint32_t in; /* samples */
    uint64_t
        length; /* of them all in 1 / step, for the last one may be cut: (in - 1) step to in step */
    uint32_t step;
    uint32_t out;
    uint32_t taps; /* at most */
    uint32_t *first;
    uint32_t most; /* one number for all samples: the loops over them end where expected */
    int16_t *weights;
};

/* Keys 1981, a = -1/2, at t >= 0 of T_BITS. */
static int64_t kernel(int64_t t)
{
    int64_t t2 = t * t >> T_BITS;
    int64_t t3 = t2 * t >> T_BITS;
    if (t < T_ONE)
        return (3 * t3 - 5 * t2 + 2 * T_ONE) / 2;
    return t < 2 * T_ONE ? (-t3 + 5 * t2 - 8 * t + 4 * T_ONE) / 2 : 0;
}

/* The weights of one output sample, brought to a sum of WEIGHT_ONE; what rounding leaves goes to
 * the largest. The centre of output sample i lies at ((2 i + 1) length - out step) / (2 out step).
 */
static void axis_weigh(struct axis *axis, uint32_t i, int64_t *raw)
{
    int64_t last = (int64_t)axis->in - 1;
    int64_t one = 2 * (int64_t)axis->out * axis->step; /* an input sample */
    int64_t wide = 2 * (int64_t)axis->length;          /* an output sample, when it is wider */
    wide = wide > one ? wide : one;
    int64_t centre = (2 * (int64_t)i + 1) * (int64_t)axis->length - one / 2;
    int64_t low = (centre - 2 * wide) / one - 1;
    int64_t high = (centre + 2 * wide) / one + 1;
    low = low < 0 ? 0 : low;
    high = high > last ? last : high;
    int64_t sum = 0;
    uint32_t count = 0;
    for (int64_t at = low; at <= high; at++) {
        int64_t distance = one * at - centre;
        int64_t value = kernel((distance < 0 ? -distance : distance) * T_ONE / wide);
        if (value == 0 && count == 0) {
            low++;
            continue;
        }
        PL_CHECK(count < axis->taps);
        raw[count++] = value;
        sum += value;
    }
    int16_t *weights = axis->weights + (size_t)i * axis->taps;
    int32_t left = WEIGHT_ONE;
    uint32_t largest = 0;
    for (uint32_t k = 0; k < count; k++) {
        weights[k] = (int16_t)((2 * raw[k] * WEIGHT_ONE + (raw[k] < 0 ? -sum : sum)) / (2 * sum));
        left -= weights[k];
        largest = weights[k] > weights[largest] ? k : largest;
    }
    weights[largest] = (int16_t)(weights[largest] + left);
    axis->first[i] = (uint32_t)low;
    axis->most = count > axis->most ? count : axis->most;
}

/* Keeps all `most` samples inside of the input, for an output sample near its end. */
static void axis_pull(struct axis *axis, uint32_t i)
{
    int16_t *weights = axis->weights + (size_t)i * axis->taps;
    if (axis->first[i] + axis->most <= axis->in)
        return;
    uint32_t by = axis->first[i] + axis->most - axis->in;
    memmove(weights + by, weights, (axis->most - by) * sizeof *weights);
    memset(weights, 0, by * sizeof *weights);
    axis->first[i] -= by;
}

static void axis_fini(struct axis *axis)
{
    free(axis->first);
    free(axis->weights);
}

/* From `in` samples that stand for `length` original ones, `step` for each, to `out`. */
static pl_status axis_init(struct axis *axis, uint32_t in, uint32_t length, uint32_t step,
                           uint32_t out)
{
    uint32_t ratio = in > out ? (in + out - 1) / out : 1;
    size_t bytes = 0;
    *axis = (struct axis){ .in = in,
                           .length = length,
                           .step = step,
                           .out = out,
                           .taps = (4 * ratio + 4 + TAPS_STEP - 1) / TAPS_STEP * TAPS_STEP };
    if (!pl_size_mul(out, axis->taps * sizeof *axis->weights, &bytes))
        return PL_TOO_LARGE;
    int64_t *raw = malloc(axis->taps * sizeof *raw);
    axis->first = malloc(out * sizeof *axis->first);
    axis->weights = calloc(1, bytes);
    bool room = raw != NULL && axis->first != NULL && axis->weights != NULL;
    for (uint32_t i = 0; i < out && room; i++)
        axis_weigh(axis, i, raw);
    for (uint32_t i = 0; i < out && room; i++)
        axis_pull(axis, i);
    free(raw);
    return room ? PL_OK : PL_NO_MEMORY;
}

static inline uint8_t sample_clamp(int32_t sum)
{
    sum = (sum + WEIGHT_ONE / 2) >> WEIGHT_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* Weighs `taps` samples, a multiple of TAPS_STEP. */
static inline int32_t samples_weigh(const uint8_t *samples, const int16_t *weights, uint32_t taps)
{
#if defined __SSE2__
    const __m128i zero = _mm_setzero_si128();
    __m128i sums = zero;
    for (uint32_t k = 0; k < taps; k += TAPS_STEP) {
        __m128i eight = _mm_loadl_epi64((const __m128i *)(const void *)(samples + k));
        __m128i weigh = _mm_loadu_si128((const __m128i *)(const void *)(weights + k));
        sums = _mm_add_epi32(sums, _mm_madd_epi16(_mm_unpacklo_epi8(eight, zero), weigh));
    }
    sums = _mm_add_epi32(sums, _mm_srli_si128(sums, 8));
    sums = _mm_add_epi32(sums, _mm_srli_si128(sums, 4));
    return _mm_cvtsi128_si32(sums);
#else
    int32_t sum = 0;
    for (uint32_t k = 0; k < taps; k++)
        sum += weights[k] * samples[k];
    return sum;
#endif
}

/* One plane, with TAPS_STEP bytes to read behind it, into every step-th place of `out`. */
static void plane_narrow(const struct axis *axis, const uint8_t *plane, float *out, unsigned step)
{
    uint32_t taps = (axis->most + TAPS_STEP - 1) / TAPS_STEP * TAPS_STEP;
    for (uint32_t i = 0; i < axis->out; i++, out += step)
        *out = sample_clamp(
            samples_weigh(plane + axis->first[i], axis->weights + (size_t)i * axis->taps, taps));
}

/* Samples of one row apart, into planes that are `distance` bytes apart. */
static inline void planes_part(const uint8_t *row, uint32_t width, unsigned samples,
                               uint8_t *planes, size_t distance)
{
    for (size_t x = 0; x < width; x++)
        for (unsigned n = 0; n < samples; n++)
            planes[n * distance + x] = row[x * samples + n];
}

static void row_narrow(const struct axis *axis, const uint8_t *row, unsigned samples,
                       uint8_t *planes, float *out)
{
    size_t distance = (size_t)axis->in + TAPS_STEP;
    if (samples == 1) {
        memcpy(planes, row, axis->in);
    } else if (samples == 3) {
        planes_part(row, axis->in, 3, planes, distance);
    } else {
        planes_part(row, axis->in, 4, planes, distance);
    }
    for (unsigned n = 0; n < samples; n++)
        plane_narrow(axis, planes + n * distance, out + n, samples);
}

/* What both ways share: rows of 8-bit samples, bilevel ones made grey. */
struct scale {
    const struct pl_picture *in;
    const struct pl_picture *out;
    uint32_t in_width_px; /* originally, where `in` holds means of blocks */
    uint32_t in_height_px;
    uint32_t wide; /* a block */
    uint32_t high;
    unsigned samples;
    uint8_t *grey; /* a row of a bilevel picture */
};

static const uint8_t *scale_row(const struct scale *scale, uint32_t y)
{
    const uint8_t *row = scale->in->pixels + y * scale->in->stride;
    if (scale->in->colour != PL_COLOUR_BILEVEL)
        return row;
    pl_grey_row(PL_COLOUR_BILEVEL, row, scale->in->width_px, scale->grey);
    return scale->grey;
}

/* Narrowed rows stand in a ring of as many as are needed for one row of the result. */
struct cubic {
    struct axis across;
    struct axis down;
    size_t stride; /* samples of a narrowed row */
    float *ring;
    const float **rows; /* of the ring, from the first that is needed on */
    float *weights;     /* of these */
    uint8_t *planes;
};

static pl_status cubic_init(struct cubic *cubic, const struct scale *scale)
{
    const struct pl_picture *in = scale->in;
    const struct pl_picture *out = scale->out;
    cubic->stride = out->stride;
    pl_status status =
        axis_init(&cubic->across, in->width_px, scale->in_width_px, scale->wide, out->width_px);
    if (status == PL_OK)
        status = axis_init(&cubic->down, in->height_px, scale->in_height_px, scale->high,
                           out->height_px);
    if (status != PL_OK)
        return status;
    uint32_t taps = cubic->down.taps;
    cubic->ring = malloc(taps * cubic->stride * sizeof *cubic->ring);
    cubic->rows = malloc(taps * sizeof *cubic->rows);
    cubic->weights = malloc(taps * sizeof *cubic->weights);
    cubic->planes = calloc(scale->samples, (size_t)in->width_px + TAPS_STEP);
    bool room = cubic->ring != NULL && cubic->rows != NULL && cubic->weights != NULL &&
                cubic->planes != NULL;
    return room ? PL_OK : PL_NO_MEMORY;
}

static void cubic_fini(struct cubic *cubic)
{
    free(cubic->planes);
    free(cubic->weights);
    free(cubic->rows);
    free(cubic->ring);
    axis_fini(&cubic->down);
    axis_fini(&cubic->across);
}

/* `count` columns of the row. The sums are whole numbers below 2^24, which floats hold exactly, and
 * of which SSE2 multiplies four at once. */
static inline void columns_sum(const struct cubic *cubic, size_t at, size_t count, uint8_t *out)
{
    float sums[COLUMNS] = { 0 };
    for (uint32_t k = 0; k < cubic->down.most; k++) {
        const float *row = cubic->rows[k] + at;
        float weight = cubic->weights[k];
        for (size_t i = 0; i < count; i++)
            sums[i] += weight * row[i];
    }
    for (size_t i = 0; i < count; i++)
        out[at + i] = sample_clamp((int32_t)sums[i]);
}

static void cubic_row(const struct cubic *cubic, uint32_t y, uint8_t *out)
{
    const struct axis *down = &cubic->down;
    for (uint32_t k = 0; k < down->most; k++) {
        cubic->rows[k] = cubic->ring + (down->first[y] + k) % down->taps * cubic->stride;
        cubic->weights[k] = down->weights[(size_t)y * down->taps + k];
    }
    size_t at = 0;
    for (; at + COLUMNS <= cubic->stride; at += COLUMNS)
        columns_sum(cubic, at, COLUMNS, out);
    columns_sum(cubic, at, cubic->stride - at, out);
}

static pl_status scale_cubic(const struct scale *scale)
{
    struct cubic cubic = { 0 };
    pl_status status = cubic_init(&cubic, scale);
    uint32_t next = 0; /* first row that is not narrowed yet */
    for (uint32_t y = 0; y < scale->out->height_px && status == PL_OK; y++) {
        uint32_t first = cubic.down.first[y];
        uint32_t end = first + cubic.down.most;
        for (next = next < first ? first : next; next < end; next++)
            row_narrow(&cubic.across, scale_row(scale, next), scale->samples, cubic.planes,
                       cubic.ring + next % cubic.down.taps * cubic.stride);
        cubic_row(&cubic, y, scale->out->pixels + y * scale->out->stride);
    }
    cubic_fini(&cubic);
    return status;
}

static inline const uint8_t *block_add(const uint8_t *row, uint32_t wide, unsigned samples,
                                       uint32_t *sums)
{
    uint32_t one[4] = { 0 };
    for (uint32_t k = 0; k < wide; k++)
        for (unsigned n = 0; n < samples; n++)
            one[n] += *row++;
    for (unsigned n = 0; n < samples; n++)
        sums[n] += one[n];
    return row;
}

/* `width` samples in blocks of `wide`; the last one may be narrower. */
static inline void blocks_add(const uint8_t *row, uint32_t width, uint32_t wide, unsigned samples,
                              uint32_t *sums)
{
    for (uint32_t i = 0; i < width / wide; i++, sums += samples)
        row = block_add(row, wide, samples, sums);
    (void)block_add(row, width % wide, samples, sums);
}

static void blocks_add_any(const uint8_t *row, uint32_t width, uint32_t wide, unsigned samples,
                           uint32_t *sums)
{
    if (samples == 1 && wide == 2) {
        blocks_add(row, width, 2, 1, sums);
    } else if (samples == 3 && wide == 2) {
        blocks_add(row, width, 2, 3, sums);
    } else if (samples == 1) {
        blocks_add(row, width, wide, 1, sums);
    } else if (samples == 3) {
        blocks_add(row, width, wide, 3, sums);
    } else {
        blocks_add(row, width, wide, 4, sums);
    }
}

/* sum / area to the nearest; exact while 256 area^2 < 2^40. */
static void blocks_mean(const uint32_t *sums, size_t count, uint64_t area, uint8_t *out)
{
    PL_CHECK(area > 0);
    uint64_t inverse = ((uint64_t)1 << 40) / area + 1;
    for (size_t i = 0; i < count; i++)
        out[i] = (uint8_t)((sums[i] + area / 2) * inverse >> 40);
}

/* Each pixel of `out` is the mean of a block; at the right and at the bottom of what is there. */
static pl_status scale_blocks(const struct scale *scale, const struct pl_picture *out)
{
    uint32_t width = scale->in->width_px;
    uint32_t height = scale->in->height_px;
    uint32_t *sums = malloc((out->stride + scale->samples) * sizeof *sums);
    PL_CHECK((uint64_t)scale->wide * scale->high < BLOCK_AREA_MAX);
    if (sums == NULL)
        return PL_NO_MEMORY;
    for (uint32_t y = 0; y < out->height_px; y++) {
        uint32_t first = y * scale->high;
        uint32_t rows = height - first < scale->high ? height - first : scale->high;
        memset(sums, 0, out->stride * sizeof *sums);
        for (uint32_t k = 0; k < rows; k++)
            blocks_add_any(scale_row(scale, first + k), width, scale->wide, scale->samples, sums);
        uint8_t *to = out->pixels + y * out->stride;
        size_t whole = (size_t)(width / scale->wide) * scale->samples;
        blocks_mean(sums, whole, (uint64_t)scale->wide * rows, to);
        if (whole < out->stride)
            blocks_mean(sums + whole, scale->samples, (uint64_t)(width % scale->wide) * rows,
                        to + whole);
    }
    free(sums);
    return PL_OK;
}

static uint32_t resolution_of(uint32_t mdpi, uint32_t in, uint32_t out)
{
    uint64_t scaled = ((uint64_t)mdpi * out + in / 2) / in;
    return (uint32_t)(scaled == 0 ? 1 : scaled > UINT32_MAX ? UINT32_MAX : scaled);
}

/* Pixels that are averaged before the cubic, along an axis. */
static uint32_t block_side(uint32_t in, uint32_t out)
{
    uint32_t side = in / out / 2;
    return side < 1 ? 1 : side > BLOCK_SIDE_MAX ? BLOCK_SIDE_MAX : side;
}

/* Means of blocks first, then the cubic over them. */
static pl_status scale_twice(struct scale *scale, const struct pl_limits *limits, uint32_t page,
                             struct pl_fault *fault)
{
    const struct pl_picture *whole = scale->in;
    struct pl_picture means = { 0 };
    pl_status status = pl_picture_make(
        &means, scale->out->colour, (scale->in->width_px + scale->wide - 1) / scale->wide,
        (scale->in->height_px + scale->high - 1) / scale->high, limits, page, fault);
    if (status == PL_OK)
        status = scale_blocks(scale, &means);
    scale->in = &means;
    if (status == PL_OK)
        status = scale_cubic(scale);
    scale->in = whole;
    pl_picture_fini(&means);
    return status;
}

pl_status pl_scale(const struct pl_picture *in, uint32_t width_px, uint32_t height_px,
                   const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                   struct pl_fault *fault)
{
    PL_CHECK(width_px > 0 && height_px > 0);
    enum pl_colour colour = in->colour == PL_COLOUR_BILEVEL ? PL_COLOUR_GREY : in->colour;
    struct scale scale = { .in = in,
                           .out = out,
                           .in_width_px = in->width_px,
                           .in_height_px = in->height_px,
                           .wide = in->width_px / width_px,
                           .high = in->height_px / height_px,
                           .samples = pl_colour_samples(colour) };
    pl_status status = pl_picture_make(out, colour, width_px, height_px, limits, page, fault);
    if (status != PL_OK)
        return status;
    out->x_mdpi = resolution_of(in->x_mdpi, in->width_px, width_px);
    out->y_mdpi = resolution_of(in->y_mdpi, in->height_px, height_px);
    if (in->colour == PL_COLOUR_BILEVEL) {
        scale.grey = malloc(in->width_px);
        if (scale.grey == NULL)
            return PL_NO_MEMORY;
    }
    if (in->width_px % width_px == 0 && in->height_px % height_px == 0 &&
        (uint64_t)scale.wide * scale.high < BLOCK_AREA_MAX) {
        status = scale_blocks(&scale, out);
    } else {
        scale.wide = block_side(in->width_px, width_px);
        scale.high = block_side(in->height_px, height_px);
        status = scale.wide * scale.high > 1 ? scale_twice(&scale, limits, page, fault)
                                             : scale_cubic(&scale);
    }
    free(scale.grey);
    return status;
}
