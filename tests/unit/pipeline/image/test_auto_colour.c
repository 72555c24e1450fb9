/* test_auto_colour: pages drawn to be text, tone and colour; and the formulas of grey.h.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/image/auto_colour.h"
#include "pipeline/image/grey.h"
#include "tests/unit/pipeline/image/picture_draw.h"

#include <math.h>

#define SIDE 600

/* Text of one colour on a sheet of another, with noise. */
static struct pl_picture sheet(const uint8_t paper[3], const uint8_t ink[3], unsigned noise)
{
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, SIDE, SIDE, 1);
    uint32_t seed = 77;
    for (uint32_t y = 0; y < SIDE; y++)
        for (uint32_t x = 0; x < SIDE; x++) {
            bool black = y % 50 > 20 && (x / 3 * 2654435761U + y / 12 * 40503U) >> 30 == 0;
            for (unsigned n = 0; n < 3; n++) {
                uint32_t level = (black ? ink[n] : paper[n]) + draw_random(&seed) % (noise + 1);
                picture.pixels[y * picture.stride + 3 * x + n] =
                    (uint8_t)(level < noise / 2         ? 0
                              : level - noise / 2 > 255 ? 255
                                                        : level - noise / 2);
            }
        }
    return picture;
}

static void fill(struct pl_picture *picture, uint32_t x0, uint32_t y0, uint32_t side,
                 const uint8_t colour[3])
{
    for (uint32_t y = y0; y < y0 + side; y++)
        for (uint32_t x = x0; x < x0 + side; x++)
            memcpy(picture->pixels + y * picture->stride + 3 * (size_t)x, colour, 3);
}

static enum pl_colour judged(const struct pl_picture *picture)
{
    enum pl_colour colour = PL_COLOUR_CMYK;
    assert_int_equal(pl_auto_colour(picture, &colour), PL_OK);
    return colour;
}

static const uint8_t white[3] = { 250, 250, 250 };
static const uint8_t cream[3] = { 250, 238, 200 };
static const uint8_t black[3] = { 25, 25, 30 };

static void auto_colour__text__is_black_and_white(void **state)
{
    (void)state;
    for (unsigned noise = 0; noise < 40; noise += 13) {
        struct pl_picture picture = sheet(white, black, noise);
        assert_int_equal(judged(&picture), PL_COLOUR_BILEVEL);
        struct pl_picture grey = { 0 };
        assert_int_equal(pl_grey_make(&picture, &pl_limits_default, 1, &grey, NULL), PL_OK);
        assert_int_equal(judged(&grey), PL_COLOUR_BILEVEL);
        pl_picture_fini(&grey);
        pl_picture_fini(&picture);
    }
}

static void auto_colour__text_on_tinted_paper__is_black_and_white(void **state)
{
    (void)state;
    struct pl_picture picture = sheet(cream, black, 20);
    assert_int_equal(judged(&picture), PL_COLOUR_BILEVEL);
    pl_picture_fini(&picture);
}

static void auto_colour__stamp__is_colour(void **state)
{
    (void)state;
    static const uint8_t red[3] = { 200, 40, 40 };
    static const uint8_t blue[3] = { 40, 40, 160 };
    struct pl_picture picture = sheet(white, black, 20);
    fill(&picture, 300, 300, 30, red); /* a tenth of an inch */
    assert_int_equal(judged(&picture), PL_COLOUR_RGB);
    pl_picture_fini(&picture);
    picture = sheet(cream, blue, 20);
    assert_int_equal(judged(&picture), PL_COLOUR_RGB);
    pl_picture_fini(&picture);
}

static void auto_colour__photograph_without_colour__is_grey(void **state)
{
    (void)state;
    struct pl_picture picture = sheet(white, black, 10);
    for (uint32_t i = 0; i < 200; i++) {
        const uint8_t tone[3] = { (uint8_t)(60 + i / 2), (uint8_t)(60 + i / 2),
                                  (uint8_t)(60 + i / 2) };
        for (uint32_t x = 100; x < 300; x++)
            memcpy(picture.pixels + (100 + i) * picture.stride + 3 * (size_t)x, tone, 3);
    }
    assert_int_equal(judged(&picture), PL_COLOUR_GREY);
    pl_picture_fini(&picture);
}

static void grey__formulas__are_those_of_the_header(void **state)
{
    (void)state;
    struct pl_picture in = picture_draw(PL_COLOUR_CMYK, 101, 40, 4);
    struct pl_picture rgb = { 0 };
    struct pl_picture grey = { 0 };
    struct pl_picture direct = { 0 };
    assert_int_equal(pl_rgb_make(&in, &pl_limits_default, 1, &rgb, NULL), PL_OK);
    assert_int_equal(pl_grey_make(&rgb, &pl_limits_default, 1, &grey, NULL), PL_OK);
    assert_int_equal(pl_grey_make(&in, &pl_limits_default, 1, &direct, NULL), PL_OK);
    for (uint32_t y = 0; y < 40; y++)
        for (uint32_t x = 0; x < 101; x++) {
            unsigned level[3];
            for (unsigned n = 0; n < 3; n++) {
                level[n] = picture_at(&rgb, x, y, n);
                double want =
                    (255.0 - picture_at(&in, x, y, n)) * (255.0 - picture_at(&in, x, y, 3)) / 255.0;
                assert_int_equal(level[n], (int)floor(want + 0.5));
            }
            assert_int_equal(picture_at(&grey, x, y, 0),
                             (19595 * level[0] + 38470 * level[1] + 7471 * level[2] + 32768) >> 16);
            assert_int_equal(picture_at(&direct, x, y, 0), picture_at(&grey, x, y, 0));
        }
    pl_picture_fini(&direct);
    pl_picture_fini(&grey);
    pl_picture_fini(&rgb);
    pl_picture_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_colour__text__is_black_and_white),
        cmocka_unit_test(auto_colour__text_on_tinted_paper__is_black_and_white),
        cmocka_unit_test(auto_colour__stamp__is_colour),
        cmocka_unit_test(auto_colour__photograph_without_colour__is_grey),
        cmocka_unit_test(grey__formulas__are_those_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
