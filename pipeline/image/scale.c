/* scale: rows are narrowed first, and kept in a ring until the rows below have come.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/scale.h"

#include "pipeline/image/grey.h"

#include <stdlib.h>
#include <string.h>

#define WEIGHT_BITS 14
#define WEIGHT_ONE (1 << WEIGHT_BITS)
#define BLOCK_AREA_MAX 65536
#define T_BITS 16 /* of distances in the kernel */
#define T_ONE ((int64_t)1 << T_BITS)

/* Which input samples make output sample i: from first[i] on, `taps` weights at weights[i * taps],
 * of which count[i] count. */
struct axis {
    uint32_t in;
    uint32_t out;
    uint32_t taps; /* at most */
    uint32_t *first;
    uint32_t *count;
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
 * the largest. The centre of output sample i lies at ((2 i + 1) in - out) / (2 out). */
static void axis_weigh(struct axis *axis, uint32_t i, int64_t *raw)
{
    int64_t in = axis->in;
    int64_t out = axis->out;
    int64_t wide = in > out ? in : out; /* one input sample, or one output sample */
    int64_t centre = (2 * (int64_t)i + 1) * in - out;
    int64_t low = (centre - 4 * wide) / (2 * out) - 1;
    int64_t high = (centre + 4 * wide) / (2 * out) + 1;
    low = low < 0 ? 0 : low;
    high = high > in - 1 ? in - 1 : high;
    int64_t sum = 0;
    uint32_t count = 0;
    for (int64_t at = low; at <= high; at++) {
        int64_t distance = 2 * out * at - centre;
        int64_t value = kernel((distance < 0 ? -distance : distance) * T_ONE / (2 * wide));
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
    while (count > 1 && weights[count - 1] == 0)
        count--;
    axis->first[i] = (uint32_t)low;
    axis->count[i] = count;
}

static void axis_fini(struct axis *axis)
{
    free(axis->first);
    free(axis->count);
    free(axis->weights);
}

static pl_status axis_init(struct axis *axis, uint32_t in, uint32_t out)
{
    uint32_t ratio = in > out ? (in + out - 1) / out : 1;
    size_t bytes = 0;
    *axis = (struct axis){ .in = in, .out = out, .taps = 4 * ratio + 4 };
    if (!pl_size_mul(out, axis->taps * sizeof *axis->weights, &bytes))
        return PL_TOO_LARGE;
    int64_t *raw = malloc(axis->taps * sizeof *raw);
    axis->first = malloc(out * sizeof *axis->first);
    axis->count = malloc(out * sizeof *axis->count);
    axis->weights = calloc(1, bytes);
    bool room = raw != NULL && axis->first != NULL && axis->count != NULL && axis->weights != NULL;
    for (uint32_t i = 0; i < out && room; i++)
        axis_weigh(axis, i, raw);
    free(raw);
    return room ? PL_OK : PL_NO_MEMORY;
}

static inline uint8_t sample_clamp(int32_t sum)
{
    sum = (sum + WEIGHT_ONE / 2) >> WEIGHT_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static inline void row_narrow(const struct axis *axis, const uint8_t *row, uint8_t *out,
                              unsigned samples)
{
    for (uint32_t i = 0; i < axis->out; i++) {
        const int16_t *weights = axis->weights + (size_t)i * axis->taps;
        const uint8_t *from = row + (size_t)axis->first[i] * samples;
        int32_t sums[4] = { 0 };
        for (uint32_t k = 0; k < axis->count[i]; k++, from += samples)
            for (unsigned n = 0; n < samples; n++)
                sums[n] += weights[k] * from[n];
        for (unsigned n = 0; n < samples; n++)
            *out++ = sample_clamp(sums[n]);
    }
}

static void row_narrow_any(const struct axis *axis, const uint8_t *row, uint8_t *out,
                           unsigned samples)
{
    switch (samples) {
    case 1:
        row_narrow(axis, row, out, 1);
        break;
    case 3:
        row_narrow(axis, row, out, 3);
        break;
    default:
        row_narrow(axis, row, out, 4);
        break;
    }
}

/* What both ways share: rows of 8-bit samples, bilevel ones made grey. */
struct scale {
    const struct pl_picture *in;
    const struct pl_picture *out;
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

/* Narrowed rows y0 to y1 stand in a ring of `taps` rows; column sums are taken down it. */
static pl_status scale_cubic(const struct scale *scale)
{
    const struct pl_picture *out = scale->out;
    struct axis across = { 0 };
    struct axis down = { 0 };
    uint8_t *ring = NULL;
    int32_t *sums = NULL;
    pl_status status = axis_init(&across, scale->in->width_px, out->width_px);
    if (status == PL_OK)
        status = axis_init(&down, scale->in->height_px, out->height_px);
    if (status != PL_OK)
        goto done;
    status = PL_NO_MEMORY;
    ring = malloc(down.taps * out->stride);
    sums = malloc(out->stride * sizeof *sums);
    if (ring == NULL || sums == NULL)
        goto done;
    uint32_t next = 0; /* first row that is not narrowed yet */
    for (uint32_t y = 0; y < out->height_px; y++) {
        uint32_t end = down.first[y] + down.count[y];
        for (next = next < down.first[y] ? down.first[y] : next; next < end; next++)
            row_narrow_any(&across, scale_row(scale, next), ring + (next % down.taps) * out->stride,
                           scale->samples);
        memset(sums, 0, out->stride * sizeof *sums);
        for (uint32_t k = 0; k < down.count[y]; k++) {
            const uint8_t *row = ring + ((down.first[y] + k) % down.taps) * out->stride;
            int32_t weight = down.weights[(size_t)y * down.taps + k];
            for (size_t i = 0; i < out->stride; i++)
                sums[i] += weight * row[i];
        }
        uint8_t *to = out->pixels + y * out->stride;
        for (size_t i = 0; i < out->stride; i++)
            to[i] = sample_clamp(sums[i]);
    }
    status = PL_OK;
done:
    free(sums);
    free(ring);
    axis_fini(&down);
    axis_fini(&across);
    return status;
}

static inline void blocks_add(const uint8_t *row, uint32_t count, uint32_t wide, unsigned samples,
                              uint32_t *sums)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < wide; k++)
            for (unsigned n = 0; n < samples; n++)
                sums[i * samples + n] += *row++;
}

static void blocks_add_any(const uint8_t *row, uint32_t count, uint32_t wide, unsigned samples,
                           uint32_t *sums)
{
    if (samples == 1 && wide == 2) {
        blocks_add(row, count, 2, 1, sums);
    } else if (samples == 3 && wide == 2) {
        blocks_add(row, count, 2, 3, sums);
    } else if (samples == 1) {
        blocks_add(row, count, wide, 1, sums);
    } else if (samples == 3) {
        blocks_add(row, count, wide, 3, sums);
    } else {
        blocks_add(row, count, wide, 4, sums);
    }
}

static pl_status scale_blocks(const struct scale *scale)
{
    const struct pl_picture *out = scale->out;
    uint32_t wide = scale->in->width_px / out->width_px;
    uint32_t high = scale->in->height_px / out->height_px;
    uint64_t area = (uint64_t)wide * high;
    uint64_t inverse = ((uint64_t)1 << 40) / area + 1; /* exact while 256 area^2 < 2^40 */
    uint32_t *sums = malloc(out->stride * sizeof *sums);
    PL_CHECK(area < BLOCK_AREA_MAX);
    if (sums == NULL)
        return PL_NO_MEMORY;
    for (uint32_t y = 0; y < out->height_px; y++) {
        memset(sums, 0, out->stride * sizeof *sums);
        for (uint32_t k = 0; k < high; k++)
            blocks_add_any(scale_row(scale, y * high + k), out->width_px, wide, scale->samples,
                           sums);
        uint8_t *to = out->pixels + y * out->stride;
        for (size_t i = 0; i < out->stride; i++)
            to[i] = (uint8_t)((sums[i] + area / 2) * inverse >> 40);
    }
    free(sums);
    return PL_OK;
}

static uint32_t resolution_of(uint32_t mdpi, uint32_t in, uint32_t out)
{
    uint64_t scaled = ((uint64_t)mdpi * out + in / 2) / in;
    return (uint32_t)(scaled == 0 ? 1 : scaled > UINT32_MAX ? UINT32_MAX : scaled);
}

pl_status pl_scale(const struct pl_picture *in, uint32_t width_px, uint32_t height_px,
                   const struct pl_limits *limits, uint32_t page, struct pl_picture *out,
                   struct pl_fault *fault)
{
    PL_CHECK(width_px > 0 && height_px > 0);
    enum pl_colour colour = in->colour == PL_COLOUR_BILEVEL ? PL_COLOUR_GREY : in->colour;
    struct scale scale = { .in = in, .out = out, .samples = pl_colour_samples(colour) };
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
    uint64_t area = (uint64_t)(in->width_px / width_px) * (in->height_px / height_px);
    bool blocks = in->width_px % width_px == 0 && in->height_px % height_px == 0;
    status = blocks && area < BLOCK_AREA_MAX ? scale_blocks(&scale) : scale_cubic(&scale);
    free(scale.grey);
    return status;
}
