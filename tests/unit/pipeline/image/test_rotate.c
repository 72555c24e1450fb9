/* test_rotate: each orientation against what EXIF says of it, pixel by pixel.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/image/rotate.h"
#include "tests/unit/pipeline/image/picture_draw.h"

/* Where pixel (x, y) of the upright picture stands in the stored one of w x h pixels: TIFF 6.0 says
 * what row 0 and column 0 are. */
static void stored_at(unsigned orientation, uint32_t w, uint32_t h, uint32_t x, uint32_t y,
                      uint32_t *column, uint32_t *row)
{
    bool swaps = orientation > 4;
    *column = swaps ? y : x;
    *row = swaps ? x : y;
    if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        *column = w - 1 - *column;
    if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        *row = h - 1 - *row;
}

static void rotate_check(enum pl_colour colour, uint32_t w, uint32_t h, unsigned orientation)
{
    struct pl_picture in = picture_draw(colour, w, h, w + h);
    struct pl_picture out = { 0 };
    in.y_mdpi = 98000;
    assert_int_equal(pl_rotate(&in, orientation, &pl_limits_default, 1, &out, NULL), PL_OK);
    assert_int_equal(out.width_px, orientation > 4 ? h : w);
    assert_int_equal(out.height_px, orientation > 4 ? w : h);
    assert_int_equal(out.x_mdpi, orientation > 4 ? 98000 : 300000);
    for (uint32_t y = 0; y < out.height_px; y++) {
        for (uint32_t x = 0; x < out.width_px; x++) {
            uint32_t column = 0;
            uint32_t row = 0;
            stored_at(orientation, w, h, x, y, &column, &row);
            for (unsigned n = 0; n < pl_colour_samples(colour); n++)
                if (picture_at(&out, x, y, n) != picture_at(&in, column, row, n))
                    fail_msg("orientation %u, %u x %u: pixel %u, %u", orientation, w, h, x, y);
        }
        for (size_t x = out.width_px; colour == PL_COLOUR_BILEVEL && x < out.stride * 8; x++)
            assert_int_equal(picture_at(&out, (uint32_t)x, y, 0), 255);
    }
    pl_picture_fini(&out);
    pl_picture_fini(&in);
}

static void rotate__every_orientation_and_colour__is_as_exif_says(void **state)
{
    (void)state;
    static const uint32_t sides[] = { 1, 8, 63, 64, 65, 130 };
    for (int colour = PL_COLOUR_BILEVEL; colour <= PL_COLOUR_CMYK; colour++)
        for (size_t i = 0; i < PL_COUNT_OF(sides); i++)
            for (size_t j = 0; j < PL_COUNT_OF(sides); j++)
                for (unsigned orientation = 1; orientation <= 8; orientation++)
                    rotate_check((enum pl_colour)colour, sides[i], sides[j], orientation);
}

/* Turning pixels by an orientation and then by degrees is turning by the combined orientation. */
static void rotate_orientation__combined__is_one_after_the_other(void **state)
{
    (void)state;
    static const unsigned of_degrees[] = { 1, 6, 3, 8 };
    struct pl_picture in = picture_draw(PL_COLOUR_GREY, 37, 21, 5);
    for (unsigned orientation = 1; orientation <= 8; orientation++) {
        for (unsigned quarter = 0; quarter < 4; quarter++) {
            struct pl_picture first = { 0 };
            struct pl_picture both = { 0 };
            struct pl_picture once = { 0 };
            unsigned combined = pl_rotate_orientation(orientation, quarter * 90);
            assert_int_equal(pl_rotate(&in, orientation, &pl_limits_default, 1, &first, NULL),
                             PL_OK);
            assert_int_equal(
                pl_rotate(&first, of_degrees[quarter], &pl_limits_default, 1, &both, NULL), PL_OK);
            assert_int_equal(pl_rotate(&in, combined, &pl_limits_default, 1, &once, NULL), PL_OK);
            assert_true(picture_equal(&both, &once));
            pl_picture_fini(&first);
            pl_picture_fini(&both);
            pl_picture_fini(&once);
        }
    }
    pl_picture_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotate__every_orientation_and_colour__is_as_exif_says),
        cmocka_unit_test(rotate_orientation__combined__is_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
