/* test_scale: against means taken the slow way, and Keys' cubic in floating point, sample by
 * sample.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/image/scale.h"
#include "tests/unit/pipeline/image/picture_draw.h"

#include <math.h>
#include <stdlib.h>

static struct pl_picture scaled(const struct pl_picture *in, uint32_t width, uint32_t height)
{
    struct pl_picture out = { 0 };
    assert_int_equal(pl_scale(in, width, height, &pl_limits_default, 1, &out, NULL), PL_OK);
    assert_int_equal(out.width_px, width);
    assert_int_equal(out.height_px, height);
    return out;
}

static void scale__by_whole_numbers__is_the_mean_of_each_block(void **state)
{
    (void)state;
    static const uint32_t ratios[][2] = { { 2, 2 }, { 3, 2 }, { 1, 4 }, { 5, 7 } };
    for (int colour = PL_COLOUR_BILEVEL; colour <= PL_COLOUR_CMYK; colour++) {
        for (size_t r = 0; r < PL_COUNT_OF(ratios); r++) {
            uint32_t wide = ratios[r][0];
            uint32_t high = ratios[r][1];
            struct pl_picture in = picture_draw((enum pl_colour)colour, 31 * wide, 17 * high, 2);
            struct pl_picture out = scaled(&in, 31, 17);
            assert_int_equal(out.x_mdpi, (300000 + wide / 2) / wide);
            for (uint32_t y = 0; y < 17; y++)
                for (uint32_t x = 0; x < 31; x++)
                    for (unsigned n = 0; n < pl_colour_samples(in.colour); n++) {
                        uint32_t sum = 0;
                        for (uint32_t i = 0; i < wide * high; i++)
                            sum += picture_at(&in, x * wide + i % wide, y * high + i / wide, n);
                        uint32_t area = wide * high;
                        assert_int_equal(picture_at(&out, x, y, n), (sum + area / 2) / area);
                    }
            pl_picture_fini(&out);
            pl_picture_fini(&in);
        }
    }
}

static double keys(double t)
{
    t = fabs(t);
    if (t < 1)
        return 1.5 * t * t * t - 2.5 * t * t + 1;
    return t < 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2 : 0;
}

/* One output sample along an axis of `in` pixels, of which `block` each were averaged before; the
 * means are `step` apart. */
static double keys_at(const double *means, size_t step, uint32_t in, uint32_t block, uint32_t out,
                      uint32_t i)
{
    double length = (double)in / block;
    double ratio = length > out ? length / out : 1;
    double centre = (i + 0.5) * length / out - 0.5;
    double sum = 0;
    double weights = 0;
    for (uint32_t k = 0; k < (in + block - 1) / block; k++) {
        double weight = keys((k - centre) / ratio);
        sum += weight * means[k * step];
        weights += weight;
    }
    return sum / weights;
}

static double clamped(double value)
{
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

static uint32_t block_of(uint32_t in, uint32_t out)
{
    return in / out / 2 < 1 ? 1 : in / out / 2 > 255 ? 255 : in / out / 2;
}

/* The mean of what there is of block x, y. */
static double mean_at(const struct pl_picture *in, uint32_t x, uint32_t y, uint32_t wide,
                      uint32_t high, unsigned n)
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t v = y * high; v < (y + 1) * high && v < in->height_px; v++)
        for (uint32_t u = x * wide; u < (x + 1) * wide && u < in->width_px; u++, count++)
            sum += picture_at(in, u, v, n);
    return sum / count;
}

static void cubic_check(enum pl_colour colour, uint32_t w, uint32_t h, uint32_t width,
                        uint32_t height)
{
    struct pl_picture in = picture_draw(colour, w, h, 8);
    struct pl_picture out = scaled(&in, width, height);
    uint32_t wide = block_of(w, width);
    uint32_t high = block_of(h, height);
    uint32_t across = (w + wide - 1) / wide;
    uint32_t down = (h + high - 1) / high;
    double *row = malloc(across * sizeof *row);
    double *narrow = malloc((size_t)width * down * sizeof *narrow);
    double worst = 0;
    assert_non_null(row);
    assert_non_null(narrow);
    for (unsigned n = 0; n < pl_colour_samples(in.colour); n++) {
        for (uint32_t y = 0; y < down; y++) {
            for (uint32_t x = 0; x < across; x++)
                row[x] = mean_at(&in, x, y, wide, high, n);
            for (uint32_t x = 0; x < width; x++)
                narrow[(size_t)y * width + x] = clamped(keys_at(row, 1, w, wide, width, x));
        }
        for (uint32_t x = 0; x < width; x++) {
            for (uint32_t y = 0; y < height; y++) {
                double want = clamped(keys_at(narrow + x, width, h, high, height, y));
                double off = fabs(want - picture_at(&out, x, y, n));
                worst = off > worst ? off : worst;
            }
        }
    }
    if (worst > 1.7) /* a half for each rounding, and some for the weights' 14 bits */
        fail_msg("%u x %u to %u x %u: off by %f", w, h, width, height, worst);
    free(narrow);
    free(row);
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

static void scale__by_other_ratios__is_keys_cubic(void **state)
{
    (void)state;
    cubic_check(PL_COLOUR_GREY, 200, 150, 133, 100);
    cubic_check(PL_COLOUR_GREY, 200, 150, 199, 7);
    cubic_check(PL_COLOUR_RGB, 120, 90, 50, 45);
    cubic_check(PL_COLOUR_CMYK, 60, 60, 43, 60);
    cubic_check(PL_COLOUR_BILEVEL, 260, 100, 173, 67);
    cubic_check(PL_COLOUR_GREY, 40, 30, 57, 61); /* up */
    cubic_check(PL_COLOUR_GREY, 1, 300, 1, 1);
    cubic_check(PL_COLOUR_GREY, 7, 3, 4, 2);
    cubic_check(PL_COLOUR_RGB, 501, 299, 40, 31);
    cubic_check(PL_COLOUR_BILEVEL, 1000, 900, 77, 61);
    cubic_check(PL_COLOUR_GREY, 401, 100, 100, 99);
}

static void scale__one_tone__stays_that_tone(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_RGB, 333, 222, 1);
    for (unsigned tone = 0; tone < 256; tone += 5) {
        memset(in.pixels, (int)tone, in.stride * in.height_px);
        struct pl_picture out = scaled(&in, 100 + tone, 61);
        for (size_t i = 0; i < out.stride * out.height_px; i++)
            assert_int_equal(out.pixels[i], tone);
        pl_picture_fini(&out);
    }
    pl_picture_fini(&in);
}

static void scale__far_down__does_not_overflow(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 60000, 300, 1);
    struct pl_picture out = scaled(&in, 1, 1);
    assert_true(picture_at(&out, 0, 0, 0) > 60 && picture_at(&out, 0, 0, 0) < 200);
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale__by_whole_numbers__is_the_mean_of_each_block),
        cmocka_unit_test(scale__by_other_ratios__is_keys_cubic),
        cmocka_unit_test(scale__one_tone__stays_that_tone),
        cmocka_unit_test(scale__far_down__does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
