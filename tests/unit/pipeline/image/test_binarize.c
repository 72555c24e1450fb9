/* test_binarize: Sauvola by whole windows in double precision, Otsu by trying every threshold.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/image/binarize.h"
#include "tests/unit/pipeline/image/picture_draw.h"

#include <math.h>

static struct pl_picture bilevel(const struct pl_picture *in, enum pl_binarize how)
{
    struct pl_picture out = { 0 };
    assert_int_equal(pl_binarize(in, how, &pl_limits_default, 1, &out, NULL), PL_OK);
    assert_int_equal(out.colour, PL_COLOUR_BILEVEL);
    for (uint32_t y = 0; y < out.height_px; y++)
        for (size_t x = out.width_px; x < out.stride * 8; x++)
            assert_int_equal(picture_at(&out, (uint32_t)x, y, 0), 255);
    return out;
}

/* Threshold of a pixel, from all pixels of its window. */
static double sauvola_threshold(const struct pl_picture *in, uint32_t x, uint32_t y, uint32_t reach)
{
    double sum = 0;
    double squares = 0;
    double count = 0;
    for (uint32_t v = y < reach ? 0 : y - reach; v <= y + reach && v < in->height_px; v++)
        for (uint32_t u = x < reach ? 0 : x - reach; u <= x + reach && u < in->width_px; u++) {
            double level = picture_at(in, u, v, 0);
            sum += level;
            squares += level * level;
            count++;
        }
    double mean = sum / count;
    double deviation = sqrt(fmax(0, squares / count - mean * mean));
    return mean * (1 + 0.34 * (deviation / 128 - 1));
}

static void sauvola_check(uint32_t width, uint32_t height, uint32_t dpi, uint32_t reach)
{
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, width, height, 3);
    in.x_mdpi = in.y_mdpi = dpi * 1000;
    unsigned half = pl_binarize_otsu(&in) / 2;
    double floor = half;
    struct pl_picture out = bilevel(&in, PL_BINARIZE_SAUVOLA);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double level = picture_at(&in, x, y, 0);
            double threshold = fmax(floor, sauvola_threshold(&in, x, y, reach));
            if (fabs(level - threshold) > 0.01 &&
                (picture_at(&out, x, y, 0) == 0) != (level < threshold))
                fail_msg("%u x %u at %u dpi: pixel %u, %u of %f, threshold %f", width, height, dpi,
                         x, y, level, threshold);
        }
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

static void sauvola__every_pixel__is_what_its_window_says(void **state)
{
    (void)state;
    sauvola_check(150, 90, 72, 9);
    sauvola_check(200, 60, 100, 12);
    sauvola_check(64, 64, 1, 7);    /* the least window */
    sauvola_check(20, 50, 200, 25); /* the window is wider than the picture */
    sauvola_check(100, 20, 200, 25);
    sauvola_check(1, 1, 300, 37);
}

static void sauvola__black_area_larger_than_the_window__stays_black(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 400, 400, 3);
    in.x_mdpi = in.y_mdpi = 100000;
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 400; x++)
            in.pixels[y * in.stride + x] = x >= 100 && x < 300 && y >= 100 && y < 300 ? 12 : 240;
    struct pl_picture out = bilevel(&in, PL_BINARIZE_SAUVOLA);
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 400; x++)
            assert_int_equal(picture_at(&out, x, y, 0), picture_at(&in, x, y, 0) < 100 ? 0 : 255);
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

static void otsu__two_humps__are_parted_where_the_variance_is_largest(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 203, 150, 3);
    uint8_t got = pl_binarize_otsu(&in);
    double best = -1;
    unsigned want = 0;
    for (unsigned level = 0; level < 255; level++) {
        double count[2] = { 0 };
        double sum[2] = { 0 };
        for (uint32_t y = 0; y < in.height_px; y++)
            for (uint32_t x = 0; x < in.width_px; x++) {
                unsigned value = picture_at(&in, x, y, 0);
                count[value > level]++;
                sum[value > level] += value;
            }
        if (count[0] == 0 || count[1] == 0)
            continue;
        double apart = sum[1] / count[1] - sum[0] / count[0];
        double between = count[0] * count[1] * apart * apart;
        if (between > best * (1 + 1e-12)) {
            best = between;
            want = level;
        }
    }
    assert_true(got >= want);
    struct pl_picture out = bilevel(&in, PL_BINARIZE_OTSU);
    for (uint32_t y = 0; y < in.height_px; y++)
        for (uint32_t x = 0; x < in.width_px; x++)
            assert_int_equal(picture_at(&out, x, y, 0), picture_at(&in, x, y, 0) <= want ? 0 : 255);
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

static void otsu__blank_page__stays_blank(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 203, 150, 3);
    for (size_t i = 0; i < in.stride * in.height_px; i++)
        in.pixels[i] = (uint8_t)(240 + i % 3);
    assert_int_equal(pl_binarize_otsu(&in), 127);
    pl_picture_fini(&in);
}

static void dither__any_tone__keeps_its_mean(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 256, 256, 3);
    for (unsigned tone = 0; tone < 256; tone += 15) {
        memset(in.pixels, (int)tone, in.stride * in.height_px);
        struct pl_picture out = bilevel(&in, PL_BINARIZE_DITHER);
        uint64_t sum = 0;
        for (uint32_t y = 0; y < 256; y++)
            for (uint32_t x = 0; x < 256; x++)
                sum += picture_at(&out, x, y, 0);
        assert_true(fabs((double)sum / 65536 - tone) < 1.5);
        pl_picture_fini(&out);
    }
    pl_picture_fini(&in);
}

static void binarize_at__level__is_black_itself(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 70, 9, 3);
    struct pl_picture out = { 0 };
    assert_int_equal(pl_binarize_at(&in, 128, &pl_limits_default, 1, &out, NULL), PL_OK);
    for (uint32_t y = 0; y < 9; y++)
        for (uint32_t x = 0; x < 70; x++)
            assert_int_equal(picture_at(&out, x, y, 0), picture_at(&in, x, y, 0) <= 128 ? 0 : 255);
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sauvola__every_pixel__is_what_its_window_says),
        cmocka_unit_test(sauvola__black_area_larger_than_the_window__stays_black),
        cmocka_unit_test(otsu__two_humps__are_parted_where_the_variance_is_largest),
        cmocka_unit_test(otsu__blank_page__stays_blank),
        cmocka_unit_test(dither__any_tone__keeps_its_mean),
        cmocka_unit_test(binarize_at__level__is_black_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
