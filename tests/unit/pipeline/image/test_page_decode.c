/* test_page_decode: pictures encoded and decoded again; libtiff, zlib and libjpeg, used by the
 * tests' own code, say what the encoded data mean.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/g4.h"
#include "pipeline/image/page_decode.h"
#include "pipeline/image/page_encode.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/image/picture_draw.h"

#include <stdlib.h>

#define PAGE_LIMIT ((uint64_t)1 << 28)

static struct pl_page page_new(void)
{
    struct pl_page page;
    pl_page_init(&page, PAGE_LIMIT);
    page.number = 2;
    page.x_mdpi = 300000;
    page.y_mdpi = 300000;
    return page;
}

static struct pl_picture decoded(const struct pl_page *page)
{
    struct pl_picture picture = { 0 };
    struct pl_fault fault = { 0 };
    pl_status status = pl_page_decode(page, &pl_limits_default, &picture, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    return picture;
}

static void assert_shows(const struct pl_page *page, const struct pl_picture *picture)
{
    struct pixels pixels;
    page_pixels_decode(page, &pixels);
    assert_int_equal(pixels.width_px, picture->width_px);
    assert_int_equal(pixels.height_px, picture->height_px);
    assert_int_equal(pixels.samples, pl_colour_samples(picture->colour));
    size_t i = 0;
    for (uint32_t y = 0; y < picture->height_px; y++)
        for (uint32_t x = 0; x < picture->width_px; x++)
            for (unsigned n = 0; n < pixels.samples; n++, i++)
                if (pixels.data[i] != picture_at(picture, x, y, n))
                    fail_msg("pixel %u, %u sample %u: %u is shown, not %u", x, y, n, pixels.data[i],
                             picture_at(picture, x, y, n));
    free(pixels.data);
}

static const enum pl_colour tones[] = { PL_COLOUR_GREY, PL_COLOUR_RGB, PL_COLOUR_CMYK };

static void page_decode__flate_of_every_colour__comes_back_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(tones); i++) {
        struct pl_picture picture = picture_draw(tones[i], 131, 77, 9);
        struct pl_page page = page_new();
        assert_int_equal(pl_page_encode_flate(&picture, &page), PL_OK);
        assert_shows(&page, &picture);
        struct pl_picture back = decoded(&page);
        assert_true(picture_equal(&picture, &back));
        assert_int_equal(back.x_mdpi, 300000);
        pl_picture_fini(&back);
        pl_picture_fini(&picture);
        pl_page_fini(&page);
    }
}

static void page_decode__bilevel_as_g4_and_flate__comes_back_exactly(void **state)
{
    (void)state;
    for (uint32_t width = 1; width < 140; width += 23) {
        struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, width, 50, 3);
        struct pl_page page = page_new();
        assert_int_equal(pl_page_encode_g4(&picture, &page), PL_OK);
        assert_shows(&page, &picture);
        struct pl_picture back = decoded(&page);
        assert_true(picture_equal(&picture, &back));
        assert_int_equal(pl_page_encode_flate(&picture, &page), PL_OK);
        assert_int_equal(page.bits, 1);
        pl_picture_fini(&back);
        back = decoded(&page);
        assert_true(picture_equal(&picture, &back));
        /* inverted: the same data show the negative */
        page.inverted = true;
        pl_picture_fini(&back);
        back = decoded(&page);
        for (uint32_t x = 0; x < width; x++)
            assert_int_equal(picture_at(&back, x, 7, 0), 255 - picture_at(&picture, x, 7, 0));
        assert_int_equal(width % 64 == 0 ? 0 : back.pixels[back.stride - 1] & 1, 0);
        pl_picture_fini(&back);
        pl_picture_fini(&picture);
        pl_page_fini(&page);
    }
}

static void page_decode__jpeg_of_every_colour__is_what_libjpeg_shows(void **state)
{
    (void)state;
    static const unsigned qualities[] = { 1, 50, 89, 90, 100 };
    for (size_t i = 0; i < PL_COUNT_OF(tones); i++) {
        for (size_t q = 0; q < PL_COUNT_OF(qualities); q++) {
            struct pl_picture picture = picture_draw(tones[i], 97, 61, 1);
            struct pl_page page = page_new();
            struct pl_page again = page_new();
            assert_int_equal(pl_page_encode_jpeg(&picture, qualities[q], &page), PL_OK);
            assert_int_equal(pl_page_encode_jpeg(&picture, qualities[q], &again), PL_OK);
            assert_int_equal(page.data.size, again.data.size);
            assert_memory_equal(page.data.data, again.data.data, page.data.size);
            struct pl_picture back = decoded(&page);
            assert_shows(&page, &back);
            if (qualities[q] == 100) {
                for (size_t k = 0; k < picture.stride * picture.height_px; k++)
                    if (abs(picture.pixels[k] - back.pixels[k]) >= 12)
                        fail_msg("colour %d sample %zu: %u, not %u", (int)tones[i], k,
                                 back.pixels[k], picture.pixels[k]);
            }
            pl_picture_fini(&back);
            pl_picture_fini(&picture);
            pl_page_fini(&again);
            pl_page_fini(&page);
        }
    }
}

static void page_decode__jpeg_damaged_or_of_another_size__is_refused(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_RGB, 97, 61, 1);
    struct pl_page page = page_new();
    struct pl_picture back = { 0 };
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_page_encode_jpeg(&picture, 80, &page), PL_OK);
    page.width_px = 98;
    assert_int_equal(pl_page_decode(&page, &pl_limits_default, &back, &fault), PL_BAD_DOCUMENT);
    assert_string_equal(fault.reason, "page 2 is said to be 98 x 61 pixels of 3 samples, but its "
                                      "JPEG data hold 97 x 61 of 3");
    page.width_px = 97;
    page.parts[0].size = page.data.size / 2;
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_page_decode(&page, &pl_limits_default, &back, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "page 2: the JPEG data are damaged: "));
    pl_picture_fini(&back);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

static void page_decode__page_past_the_limit__is_refused_before_memory(void **state)
{
    (void)state;
    struct pl_limits limits = pl_limits_default;
    struct pl_picture picture = picture_draw(PL_COLOUR_GREY, 2000, 1000, 1);
    struct pl_page page = page_new();
    struct pl_picture back = { 0 };
    struct pl_fault fault = { 0 };
    limits.page_bytes = (uint64_t)1 << 20;
    assert_int_equal(pl_page_encode_flate(&picture, &page), PL_OK);
    assert_int_equal(pl_page_decode(&page, &limits, &back, &fault), PL_TOO_LARGE);
    assert_string_equal(fault.reason, "page 2 needs 1 MiB; at most 1 MiB are accepted");
    assert_null(back.pixels);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

/* A page of one row of packed samples, without predictor. */
static struct pl_page packed_page(enum pl_colour colour, unsigned bits, uint32_t width,
                                  const uint8_t *row, size_t size)
{
    struct pl_page page = page_new();
    page.colour = colour;
    page.bits = (uint8_t)bits;
    page.width_px = width;
    page.height_px = 1;
    page.filter = PL_FILTER_FLATE;
    page.predictor = 1;
    assert_int_equal(pl_flate_all(row, size, &page.data), PL_OK);
    assert_int_equal(pl_page_add_part(&page, 1, page.data.size), PL_OK);
    return page;
}

static void page_decode__depths__are_scaled_over_the_full_range(void **state)
{
    (void)state;
    static const uint8_t two[] = { 0x1b };
    static const uint8_t four[] = { 0x0f, 0x80 };
    static const uint8_t sixteen[] = { 0, 0, 0x80, 0x00, 0xff, 0xff, 0x01, 0x00 };
    struct pl_page page = packed_page(PL_COLOUR_GREY, 2, 4, two, sizeof two);
    struct pl_picture picture = decoded(&page);
    assert_memory_equal(picture.pixels, ((uint8_t[]){ 0, 85, 170, 255 }), 4);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
    page = packed_page(PL_COLOUR_GREY, 4, 3, four, sizeof four);
    page.inverted = true;
    picture = decoded(&page);
    assert_memory_equal(picture.pixels, ((uint8_t[]){ 255, 0, 255 - 136 }), 3);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
    page = packed_page(PL_COLOUR_GREY, 16, 4, sixteen, sizeof sixteen);
    picture = decoded(&page);
    assert_memory_equal(picture.pixels, ((uint8_t[]){ 0, 128, 255, 1 }), 4);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

static void assert_palette(enum pl_colour colour, unsigned bits, const char *palette, size_t size,
                           enum pl_colour wanted, const uint8_t *pixels, size_t count)
{
    static const uint8_t row[] = { 0x1b, 0x00 }; /* 0 1 2 3 of 2 bits; 0 0 0 1 1 0 1 1 of 1 */
    struct pl_page page = packed_page(colour, bits, bits == 1 ? 8 : 4, row, sizeof row);
    assert_int_equal(pl_bytes_append(&page.palette, palette, size), PL_OK);
    struct pl_picture picture = decoded(&page);
    assert_int_equal(picture.colour, wanted);
    assert_memory_equal(picture.pixels, pixels, count);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

static void page_decode__palettes__become_the_least_colour_that_holds_them(void **state)
{
    (void)state;
    assert_palette(PL_COLOUR_RGB, 1, "\0\0\0\377\377\377", 6, PL_COLOUR_BILEVEL,
                   (const uint8_t[]){ 0xe4 }, 1);
    assert_palette(PL_COLOUR_RGB, 1, "\377\377\377\0\0\0", 6, PL_COLOUR_BILEVEL,
                   (const uint8_t[]){ 0x1b }, 1);
    assert_palette(PL_COLOUR_RGB, 1, "\0\0\0", 3, PL_COLOUR_BILEVEL, (const uint8_t[]){ 0xff }, 1);
    assert_palette(PL_COLOUR_RGB, 2, "\0\0\0ddd\310\310\310\377\377\377", 12, PL_COLOUR_GREY,
                   (const uint8_t[]){ 0, 100, 200, 255 }, 4);
    assert_palette(PL_COLOUR_RGB, 2, "\0\0\1ddd\310\310\310", 9, PL_COLOUR_RGB,
                   (const uint8_t[]){ 0, 0, 1, 100, 100, 100, 200, 200, 200, 200, 200, 200 }, 12);
    assert_palette(PL_COLOUR_CMYK, 2, "\0\0\0\0\0\0\0\377", 8, PL_COLOUR_GREY,
                   (const uint8_t[]){ 255, 0, 0, 0 }, 4);
    assert_palette(PL_COLOUR_CMYK, 2, "\1\0\0\0\0\0\0\377", 8, PL_COLOUR_CMYK,
                   (const uint8_t[]){ 1, 0, 0, 0, 0, 0, 0, 255 }, 8);
    assert_palette(PL_COLOUR_GREY, 2, "\1\2\3\4", 4, PL_COLOUR_GREY,
                   (const uint8_t[]){ 1, 2, 3, 4 }, 4);
}

static void put_segment(struct pl_bytes *out, uint8_t type, const void *data, size_t size)
{
    static uint32_t number;
    uint8_t head[11] = { 0 };
    pl_put_u32be(head, number++);
    head[4] = type;
    head[6] = 1; /* page */
    pl_put_u32be(head + 7, (uint32_t)size);
    assert_int_equal(pl_bytes_append(out, head, sizeof head), PL_OK);
    assert_int_equal(pl_bytes_append(out, data, size), PL_OK);
}

/* T.88 lets a generic region hold T.6 data, which our own encoder makes. */
static struct pl_page jbig2_page(const struct pl_picture *picture)
{
    struct pl_page page = page_new();
    struct pl_bytes region;
    uint8_t head[19] = { 0 };
    pl_put_u32be(head, picture->width_px);
    pl_put_u32be(head + 4, picture->height_px);
    put_segment(&page.data, 48, head, 19);
    pl_bytes_init(&region, PAGE_LIMIT);
    head[17] = 1; /* MMR */
    assert_int_equal(pl_bytes_append(&region, head, 18), PL_OK);
    assert_int_equal(pl_g4_encode(picture->pixels, picture->stride, picture->width_px,
                                  picture->height_px, &region),
                     PL_OK);
    put_segment(&page.data, 38, region.data, region.size);
    pl_bytes_fini(&region);
    page.colour = PL_COLOUR_BILEVEL;
    page.bits = 1;
    page.width_px = picture->width_px;
    page.height_px = picture->height_px;
    page.filter = PL_FILTER_JBIG2;
    assert_int_equal(pl_page_add_part(&page, page.height_px, page.data.size), PL_OK);
    return page;
}

static void page_decode__jbig2__gives_its_pixels(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 203, 90, 3);
    struct pl_page page = jbig2_page(&picture);
    struct pl_picture back = decoded(&page);
    assert_true(picture_equal(&picture, &back));
    struct pl_fault fault = { 0 };
    page.height_px = 91;
    page.parts[0].rows = 91;
    assert_int_equal(pl_page_decode(&page, &pl_limits_default, &back, &fault), PL_BAD_DOCUMENT);
    assert_string_equal(fault.reason, "page 2 is said to be 203 x 91 pixels, but its JBIG2 data "
                                      "hold 203 x 90");
    pl_picture_fini(&back);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

static void page_decode__jbig2_that_claims_much_memory__is_refused(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 203, 90, 3);
    struct pl_page page = jbig2_page(&picture);
    struct pl_picture back = { 0 };
    struct pl_fault fault = { 0 };
    pl_put_u32be(page.data.data + 11, 65000); /* of the page information */
    pl_put_u32be(page.data.data + 15, 100000);
    assert_int_equal(pl_page_decode(&page, &pl_limits_default, &back, &fault), PL_TOO_LARGE);
    assert_string_equal(fault.reason, "page 2: its JBIG2 data need more than 512 MiB to decode");
    pl_picture_fini(&back);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

static void page_decode__several_parts__stand_below_each_other(void **state)
{
    (void)state;
    struct pl_picture picture = picture_draw(PL_COLOUR_BILEVEL, 203, 90, 3);
    struct pl_page page = page_new();
    assert_int_equal(pl_page_encode_g4(&picture, &page), PL_OK);
    pl_bytes_clear(&page.data);
    page.part_count = 0;
    for (uint32_t y = 0; y < 90; y += 40) {
        uint32_t rows = 90 - y < 40 ? 90 - y : 40;
        size_t before = page.data.size;
        assert_int_equal(pl_g4_encode(picture.pixels + y * picture.stride, picture.stride, 203,
                                      rows, &page.data),
                         PL_OK);
        assert_int_equal(pl_page_add_part(&page, rows, page.data.size - before), PL_OK);
    }
    struct pl_picture back = decoded(&page);
    assert_true(picture_equal(&picture, &back));
    struct pl_fault fault = { 0 };
    page.parts[1].size -= 8;
    assert_int_equal(pl_page_decode(&page, &pl_limits_default, &back, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "page 2: the fax data end before row "));
    page.part_count = 2;
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_page_decode(&page, &pl_limits_default, &back, &fault), PL_BAD_DOCUMENT);
    assert_string_equal(fault.reason, "page 2 has data for 80 of 90 rows");
    pl_picture_fini(&back);
    pl_picture_fini(&picture);
    pl_page_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_decode__flate_of_every_colour__comes_back_exactly),
        cmocka_unit_test(page_decode__bilevel_as_g4_and_flate__comes_back_exactly),
        cmocka_unit_test(page_decode__jpeg_of_every_colour__is_what_libjpeg_shows),
        cmocka_unit_test(page_decode__jpeg_damaged_or_of_another_size__is_refused),
        cmocka_unit_test(page_decode__page_past_the_limit__is_refused_before_memory),
        cmocka_unit_test(page_decode__depths__are_scaled_over_the_full_range),
        cmocka_unit_test(page_decode__palettes__become_the_least_colour_that_holds_them),
        cmocka_unit_test(page_decode__jbig2__gives_its_pixels),
        cmocka_unit_test(page_decode__jbig2_that_claims_much_memory__is_refused),
        cmocka_unit_test(page_decode__several_parts__stand_below_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
