/* test_fit: pages through pl_fit_page for writers that carry one thing or another.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/fit.h"
#include "pipeline/image/grey.h"
#include "pipeline/image/page_decode.h"
#include "pipeline/image/page_encode.h"
#include "tests/unit/pipeline/image/picture_draw.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT ((size_t)1 << 28)

/* Which filters each kind of document takes; what only those writers know is left out. */
static bool carries(const struct pl_convert *convert, const struct pl_page *page)
{
    if (page->kind != PL_PAGE_IMAGE)
        return false;
    switch (convert->to) {
    case PL_FORMAT_TIFF_G4:
        return page->filter == PL_FILTER_G4;
    case PL_FORMAT_TIFF:
        return page->filter == PL_FILTER_G4 ||
               (page->filter == PL_FILTER_DCT && page->colour != PL_COLOUR_CMYK) ||
               (page->filter == PL_FILTER_FLATE && convert->tiff != PL_TIFF_JPEG && page->bits > 1);
    case PL_FORMAT_JPEG:
    case PL_FORMAT_THUMBNAIL:
        return page->filter == PL_FILTER_DCT && page->colour != PL_COLOUR_CMYK;
    case PL_FORMAT_PNG:
        return page->filter == PL_FILTER_FLATE && page->colour != PL_COLOUR_CMYK &&
               page->orientation == 1;
    case PL_FORMAT_PDF:
    case PL_FORMAT_PDFA_1B:
    case PL_FORMAT_PDFA_2B:
    case PL_FORMAT_PDFA_3B:
    case PL_FORMAT_COUNT:
        break;
    }
    return page->filter == PL_FILTER_G4 || page->filter == PL_FILTER_DCT ||
           page->filter == PL_FILTER_FLATE;
}

static const struct pl_writer_ops writer = { .carries = carries };

enum kind { AS_G4, AS_FLATE, AS_JPEG };

static struct pl_page page_of(const struct pl_picture *picture, enum kind kind)
{
    struct pl_page page;
    pl_page_init(&page, LIMIT);
    page.number = 4;
    pl_status status = kind == AS_G4     ? pl_page_encode_g4(picture, &page)
                       : kind == AS_JPEG ? pl_page_encode_jpeg(picture, 90, &page)
                                         : pl_page_encode_flate(picture, &page);
    assert_int_equal(status, PL_OK);
    page.how = PL_PAGE_COPIED;
    page.bytes_in = page.data.size;
    assert_int_equal(pl_bytes_append(&page.icc, "profile", 7), PL_OK);
    return page;
}

static void fit(struct pl_convert *convert, struct pl_page *page)
{
    struct pl_fault fault = { 0 };
    pl_status status = pl_fit_page(convert, &writer, &pl_limits_default, page, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    assert_true(carries(convert, page));
}

static struct pl_picture shown(const struct pl_page *page)
{
    struct pl_picture picture = { 0 };
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_page_decode(page, &pl_limits_default, &picture, &fault), PL_OK);
    return picture;
}

static struct pl_convert settings(enum pl_format to)
{
    struct pl_convert convert;
    pl_convert_defaults(&convert, to);
    return convert;
}

static void fit__nothing_asked__leaves_the_page_as_it_came(void **state)
{
    (void)state;
    static const enum kind kinds[] = { AS_G4, AS_FLATE, AS_JPEG };
    for (size_t i = 0; i < PL_COUNT_OF(kinds); i++) {
        struct pl_picture picture =
            picture_draw(kinds[i] == AS_G4 ? PL_COLOUR_BILEVEL : PL_COLOUR_RGB, 300, 200, 1);
        struct pl_page page = page_of(&picture, kinds[i]);
        struct pl_convert convert = settings(PL_FORMAT_PDFA_2B);
        const uint8_t *data = page.data.data;
        size_t size = page.data.size;
        convert.rotate = 270;
        convert.dpi = 300;
        fit(&convert, &page);
        assert_ptr_equal(page.data.data, data);
        assert_int_equal(page.data.size, size);
        assert_int_equal(page.how, PL_PAGE_COPIED);
        assert_int_equal(page.orientation, 8);
        assert_int_equal(page.icc.size, 7);
        assert_string_equal(page.note, "");
        pl_page_fini(&page);
        pl_picture_fini(&picture);
    }
}

static void fit__bilevel_flate_to_tiff_g4__is_encoded_again_exactly(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 301, 200, 1);
    struct pl_page page = page_of(&picture, AS_FLATE);
    struct pl_convert convert = settings(PL_FORMAT_TIFF_G4);
    page.bytes_in = 10;
    fit(&convert, &page);
    assert_int_equal(page.filter, PL_FILTER_G4);
    assert_int_equal(page.how, PL_PAGE_REENCODED_EXACT);
    char note[96];
    (void)snprintf(note, sizeof note, "grew from 10 to %zu bytes", page.data.size);
    assert_string_equal(page.note, note);
    struct pl_picture now = shown(&page);
    assert_true(picture_equal(&now, &picture));
    pl_picture_fini(&now);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__colour_to_tiff_g4__is_made_bilevel_by_sauvola(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 301, 200, 1);
    struct pl_page page = page_of(&picture, AS_JPEG);
    struct pl_convert convert = settings(PL_FORMAT_TIFF_G4);
    fit(&convert, &page);
    assert_int_equal(page.filter, PL_FILTER_G4);
    assert_int_equal(page.colour, PL_COLOUR_BILEVEL);
    assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
    assert_int_equal(page.icc.size, 0);
    assert_string_equal(page.note, "made bilevel by Sauvola");
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__more_pixels_an_inch_than_asked_for__is_brought_down(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 600, 401, 1);
    picture.x_mdpi = picture.y_mdpi = 600000;
    struct pl_page page = page_of(&picture, AS_G4);
    struct pl_convert convert = settings(PL_FORMAT_PDF);
    convert.dpi = 300;
    fit(&convert, &page);
    assert_int_equal(page.width_px, 300);
    assert_int_equal(page.height_px, 201);
    assert_int_equal(page.x_mdpi, 300000);
    assert_int_equal(page.filter, PL_FILTER_G4);
    assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
    assert_string_equal(page.note, "brought down from 600 to 300 dpi");
    pl_page_fini(&page);
    /* within 2 %: left alone */
    picture.x_mdpi = picture.y_mdpi = 305000;
    page = page_of(&picture, AS_G4);
    fit(&convert, &page);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__grey_asked_for__makes_colour_grey_and_leaves_the_rest(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_PDF);
    convert.colour = PL_COLOUR_MODE_GREY;
    struct pl_picture picture = picture_draw(PL_COLOUR_CMYK, 90, 80, 1);
    struct pl_page page = page_of(&picture, AS_FLATE);
    fit(&convert, &page);
    assert_int_equal(page.colour, PL_COLOUR_GREY);
    assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
    assert_int_equal(page.filter, PL_FILTER_FLATE);
    assert_string_equal(page.note, "made grey");
    pl_page_fini(&page);
    pl_picture_fini(&picture);
    picture = picture_draw(PL_COLOUR_BILEVEL, 90, 80, 1);
    page = page_of(&picture, AS_G4);
    fit(&convert, &page);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__grey_asked_for_jpeg__leaves_colour_out_of_the_data(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_PDF);
    convert.colour = PL_COLOUR_MODE_GREY;
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 333, 201, 1);
    for (unsigned quality = 60; quality <= 95; quality += 35) { /* 4:2:0 and 4:4:4 */
        struct pl_page page = page_of(&picture, AS_JPEG);
        assert_int_equal(pl_page_encode_jpeg(&picture, quality, &page), PL_OK);
        size_t before = page.data.size;
        struct pl_picture colour = shown(&page);
        fit(&convert, &page);
        assert_int_equal(page.colour, PL_COLOUR_GREY);
        assert_int_equal(page.filter, PL_FILTER_DCT);
        assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
        assert_string_equal(page.note, "colour left out");
        assert_true(page.data.size < before);
        struct pl_picture grey = shown(&page);
        struct pl_picture luma = { 0 };
        assert_int_equal(pl_grey_make(&colour, &pl_limits_default, 1, &luma, NULL), PL_OK);
        unsigned far = 0; /* RGB clips what YCbCr can say */
        for (size_t i = 0; i < grey.stride * grey.height_px; i++)
            far += abs(grey.pixels[i] - luma.pixels[i]) > 2;
        assert_true(far < grey.stride * grey.height_px / 10);
        pl_picture_fini(&luma);
        pl_picture_fini(&grey);
        pl_picture_fini(&colour);
        pl_page_fini(&page);
    }
    pl_picture_fini(&picture);
}

static void fit__png_of_a_turned_fax__is_turned_exactly(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 130, 70, 1);
    struct pl_page page = page_of(&picture, AS_G4);
    struct pl_convert convert = settings(PL_FORMAT_PNG);
    page.orientation = 8;
    convert.rotate = 180;
    fit(&convert, &page);
    assert_int_equal(page.orientation, 1);
    assert_int_equal(page.filter, PL_FILTER_FLATE);
    assert_int_equal(page.how, PL_PAGE_REENCODED_EXACT);
    struct pl_picture now = shown(&page);
    assert_int_equal(now.width_px, 70);
    /* stored to be turned by 270, and 180 more: a quarter clockwise */
    for (uint32_t y = 0; y < 130; y++)
        for (uint32_t x = 0; x < 70; x++)
            assert_int_equal(picture_at(&now, x, y, 0), picture_at(&picture, y, 69 - x, 0));
    pl_picture_fini(&now);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__jpeg_that_is_turned__says_so_and_stays(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 130, 70, 1);
    struct pl_page page = page_of(&picture, AS_JPEG);
    struct pl_convert convert = settings(PL_FORMAT_JPEG);
    const uint8_t *data = page.data.data;
    page.orientation = 3;
    convert.rotate = 270;
    fit(&convert, &page);
    assert_int_equal(page.orientation, 6);
    assert_ptr_equal(page.data.data, data);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__jpeg_asked_for__has_no_bilevel_and_no_cmyk(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_JPEG);
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 130, 70, 1);
    struct pl_page page = page_of(&picture, AS_G4);
    fit(&convert, &page);
    assert_int_equal(page.colour, PL_COLOUR_GREY);
    assert_string_equal(page.note, "JPEG of quality 85");
    assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
    picture = picture_draw(PL_COLOUR_CMYK, 130, 70, 1);
    page = page_of(&picture, AS_JPEG);
    convert.quality = 40;
    fit(&convert, &page);
    assert_int_equal(page.colour, PL_COLOUR_RGB);
    assert_false(page.inverted);
    assert_string_equal(page.note, "CMYK made RGB; JPEG of quality 40");
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__thumbnail__has_the_sides_of_the_sheet(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_THUMBNAIL);
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 1728, 1100, 1);
    picture.x_mdpi = 204000;
    picture.y_mdpi = 98000;
    struct pl_page page = page_of(&picture, AS_G4);
    fit(&convert, &page);
    assert_int_equal(page.height_px, 256); /* 11.2 inch */
    assert_int_equal(page.width_px, 193);  /* 8.47 inch */
    assert_int_equal(page.filter, PL_FILTER_DCT);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
    picture = picture_draw(PL_COLOUR_GREY, 100, 60, 1);
    page = page_of(&picture, AS_FLATE);
    fit(&convert, &page);
    assert_int_equal(page.width_px, 100); /* never up */
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__quality__encodes_where_that_is_smaller(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_PDF);
    convert.quality = 70;
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 200, 200, 1);
    struct pl_page page = page_of(&picture, AS_FLATE);
    fit(&convert, &page);
    assert_int_equal(page.filter, PL_FILTER_DCT);
    assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
    pl_page_fini(&page);
    page = page_of(&picture, AS_JPEG);
    size_t came = page.data.size;
    convert.quality = 98; /* saves nothing */
    fit(&convert, &page);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    assert_int_equal(page.data.size, came);
    convert.quality = 30;
    fit(&convert, &page);
    assert_int_equal(page.how, PL_PAGE_REENCODED_LOSS);
    assert_true(page.data.size < came / 10 * 9);
    pl_page_fini(&page);
    convert.quality = 70;
    /* one tone: Flate is smaller */
    memset(picture.pixels, 200, picture.stride * picture.height_px);
    page = page_of(&picture, AS_FLATE);
    size_t size = page.data.size;
    fit(&convert, &page);
    assert_int_equal(page.filter, PL_FILTER_FLATE);
    assert_int_equal(page.data.size, size);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    assert_string_equal(page.note, "");
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

/* The picture is turned before it is known that nothing is won by it. */
static void fit__quality_that_saves_nothing__keeps_how_the_page_lies(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_JPEG);
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 200, 120, 1);
    struct pl_page page = page_of(&picture, AS_JPEG);
    size_t came = page.data.size;
    convert.quality = 98;
    convert.rotate = 90;
    fit(&convert, &page);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    assert_int_equal(page.data.size, came);
    assert_int_equal(page.width_px, 200);
    assert_int_equal(page.orientation, 6);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__auto__gives_text_in_black_and_white_and_leaves_colour(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_PDF);
    convert.colour = PL_COLOUR_MODE_AUTO;
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 400, 400, 1);
    struct pl_page page = page_of(&picture, AS_JPEG);
    fit(&convert, &page);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    pl_page_fini(&page);
    /* black strokes on a yellowish sheet */
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 400; x++) {
            bool ink = y % 40 > 20 && x % 9 < 3;
            uint8_t *at = picture.pixels + y * picture.stride + (size_t)3 * x;
            at[0] = ink ? 30 : 250;
            at[1] = ink ? 30 : 240;
            at[2] = ink ? 35 : 205;
        }
    page = page_of(&picture, AS_JPEG);
    fit(&convert, &page);
    assert_int_equal(page.filter, PL_FILTER_G4);
    struct pl_picture now = shown(&page);
    for (uint32_t y = 0; y < 400; y++)
        for (uint32_t x = 0; x < 400; x++)
            assert_int_equal(picture_at(&now, x, y, 0), y % 40 > 20 && x % 9 < 3 ? 0 : 255);
    pl_picture_fini(&now);
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

static void fit__damaged_page_that_must_be_decoded__is_refused(void **state)
{
    (void)state;
    struct pl_convert convert = settings(PL_FORMAT_PNG);
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 130, 70, 1);
    struct pl_page page = page_of(&picture, AS_G4);
    struct pl_fault fault = { 0 };
    page.parts[0].size /= 2;
    assert_int_equal(pl_fit_page(&convert, &writer, &pl_limits_default, &page, &fault),
                     PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "page 4: the fax data end before row "));
    pl_page_fini(&page);
    pl_picture_fini(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit__nothing_asked__leaves_the_page_as_it_came),
        cmocka_unit_test(fit__bilevel_flate_to_tiff_g4__is_encoded_again_exactly),
        cmocka_unit_test(fit__colour_to_tiff_g4__is_made_bilevel_by_sauvola),
        cmocka_unit_test(fit__more_pixels_an_inch_than_asked_for__is_brought_down),
        cmocka_unit_test(fit__grey_asked_for__makes_colour_grey_and_leaves_the_rest),
        cmocka_unit_test(fit__grey_asked_for_jpeg__leaves_colour_out_of_the_data),
        cmocka_unit_test(fit__png_of_a_turned_fax__is_turned_exactly),
        cmocka_unit_test(fit__jpeg_that_is_turned__says_so_and_stays),
        cmocka_unit_test(fit__jpeg_asked_for__has_no_bilevel_and_no_cmyk),
        cmocka_unit_test(fit__thumbnail__has_the_sides_of_the_sheet),
        cmocka_unit_test(fit__quality__encodes_where_that_is_smaller),
        cmocka_unit_test(fit__quality_that_saves_nothing__keeps_how_the_page_lies),
        cmocka_unit_test(fit__auto__gives_text_in_black_and_white_and_leaves_colour),
        cmocka_unit_test(fit__damaged_page_that_must_be_decoded__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
