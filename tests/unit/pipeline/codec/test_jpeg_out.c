/* test_jpeg_out: streams are written bit for bit, or with markers that say what the page is and
 * every bit of the picture behind them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_maker.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include "pipeline/codec/exif.h"
#include "pipeline/codec/jpeg_scan.h"
#include "pipeline/pdf/icc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

static const struct pl_convert to_jpeg = { .to = PL_FORMAT_JPEG };

/* What our reader makes of a file. */
struct seen {
    struct pl_page page; /* without its buffers */
    size_t icc_size;
    uint8_t icc[4096];
    struct pixels pixels;
};

static void see(void *owner, const struct pl_page *page)
{
    struct seen *seen = owner;
    seen->page = *page;
    seen->icc_size = page->icc.size;
    if (page->icc.size > 0 && page->icc.size <= sizeof seen->icc)
        memcpy(seen->icc, page->icc.data, page->icc.size);
    page_pixels_decode(page, &seen->pixels); /* by libjpeg, which has nothing to complain of */
}

/* Where the first scan begins. */
static size_t scan_at(const struct pl_bytes *file)
{
    for (size_t i = 2; i + 4 < file->size;) {
        assert_int_equal(file->data[i], 0xff);
        if (file->data[i + 1] == PL_JPEG_SOS)
            return i;
        i += 2 + ((size_t)file->data[i + 2] << 8 | file->data[i + 3]);
    }
    fail();
    return 0;
}

/* Writes the page and loads the file again. */
static void round_trip(struct pl_page *page, struct memory_out *out, struct seen *seen)
{
    struct pl_fault fault = { 0 };
    struct walk_verdict verdict;
    memory_out_init(out, 0);
    assert_int_equal(pages_write(&to_jpeg, page, 1, &pl_limits_default, out, &fault), PL_OK);
    *seen = (struct seen){ 0 };
    walk_bytes(out->bytes.data, out->bytes.size, see, seen, &verdict);
    assert_string_equal(verdict.fault.reason, "");
    size_t before = scan_at(&page->data);
    size_t after = scan_at(&out->bytes);
    assert_int_equal(page->data.size - before, out->bytes.size - after);
    assert_memory_equal(page->data.data + before, out->bytes.data + after,
                        page->data.size - before);
}

static void trip_fini(struct pl_page *page, struct memory_out *out, struct seen *seen)
{
    pl_bytes_fini(&out->bytes);
    free(seen->pixels.data);
    pl_page_fini(page);
}

static bool is_copy(const struct pl_page *page, const struct memory_out *out)
{
    return page->data.size == out->bytes.size &&
           memcmp(page->data.data, out->bytes.data, page->data.size) == 0;
}

static void jpeg_out__page_as_its_markers_say__is_written_bit_for_bit(void **state)
{
    (void)state;
    static const struct page_recipe recipes[] = {
        { .colour = PL_COLOUR_GREY },
        { .colour = PL_COLOUR_RGB, .across = 2, .down = 2 },
        { .colour = PL_COLOUR_RGB, .progressive = true },
        { .colour = PL_COLOUR_RGB, .rgb_inside = true },
        { .colour = PL_COLOUR_CMYK, .adobe = true, .inverted = true },
        { .colour = PL_COLOUR_CMYK, .ycck = true, .inverted = true },
    };
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct pl_page page;
        struct memory_out out;
        struct seen seen;
        page_make_jpeg(&page, &recipes[i]);
        bool has_density = i < 3;
        round_trip(&page, &out, &seen);
        if (has_density)
            assert_true(is_copy(&page, &out));
        assert_int_equal(seen.page.inverted, page.inverted);
        assert_int_equal(seen.page.x_mdpi, 300000);
        trip_fini(&page, &out, &seen);
    }
}

static void jpeg_out__other_resolution__is_put_into_the_markers(void **state)
{
    (void)state;
    static const struct page_recipe recipes[] = {
        { .colour = PL_COLOUR_RGB },                     /* JFIF: overwritten */
        { .colour = PL_COLOUR_RGB, .no_jfif = true },    /* YCbCr: gets one */
        { .colour = PL_COLOUR_GREY, .no_jfif = true },   /* so does grey */
        { .colour = PL_COLOUR_RGB, .rgb_inside = true }, /* JFIF would make it YCbCr: EXIF */
        { .colour = PL_COLOUR_CMYK, .adobe = true, .inverted = true },
    };
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct pl_page page;
        struct memory_out out;
        struct seen seen;
        page_make_jpeg(&page, &recipes[i]);
        page.x_mdpi = 200000;
        page.y_mdpi = 100000;
        round_trip(&page, &out, &seen);
        assert_false(is_copy(&page, &out));
        assert_int_equal(seen.page.x_mdpi, 200000);
        assert_int_equal(seen.page.y_mdpi, 100000);
        assert_int_equal(seen.page.orientation, 1);
        bool has_jfif = memmem(out.bytes.data, out.bytes.size, "JFIF", 5) != NULL;
        assert_int_equal(has_jfif, i < 3);
        assert_int_equal(memmem(out.bytes.data, out.bytes.size, "Exif\0", 6) != NULL, i >= 3);
        trip_fini(&page, &out, &seen);
    }
}

/* Puts a segment behind SOI. */
static void insert(struct pl_page *page, uint8_t marker, const void *data, size_t size)
{
    uint8_t *room = NULL;
    assert_int_equal(pl_bytes_reserve(&page->data, size + 4, &room), PL_OK);
    uint8_t *at = page->data.data + 2;
    memmove(at + size + 4, at, page->data.size - 2);
    at[0] = 0xff;
    at[1] = marker;
    pl_put_u16be(at + 2, (uint16_t)(size + 2));
    memcpy(at + 4, data, size);
    page->data.size += size + 4;
    page->parts[0].size = page->data.size;
}

/* EXIF with an entry before and one after where the orientation belongs, and a value behind. */
static const uint8_t camera[] = {
    'E',  'x',  'i',  'f',  0,   0,   'M', 'M', 0,   42,  0,   0, 0, 8,
    0,    2,    0x01, 0x0f, 0,   2,   0,   0,   0,   8,   0,   0, 0, 38, /* Make */
    0x01, 0x28, 0,    3,    0,   0,   0,   1,   0,   2,   0,   0,        /* ResolutionUnit */
    0,    0,    0,    0,    'S', 'c', 'a', 'n', 'n', 'e', 'r', 0,
};

static const uint8_t turned_camera[] = {
    'E',  'x',  'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0,
    0x12, 0x01, 3,   0,   1, 0, 0,   0,   8,  0, 0, 0, 0, 0, 0, 0,
};

static void jpeg_out__orientation__is_said_in_exif(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++)
        for (uint8_t orientation = 1; orientation <= 8; orientation++) {
            struct pl_page page;
            struct memory_out out;
            struct seen seen;
            page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
            if (kind == 1)
                insert(&page, 0xe1, camera, sizeof camera);
            if (kind == 2)
                insert(&page, 0xe1, turned_camera, sizeof turned_camera);
            if (kind == 3)
                insert(&page, 0xe1, "Exif\0\0broken", 12);
            page.orientation = orientation;
            round_trip(&page, &out, &seen);
            assert_int_equal(seen.page.orientation, orientation);
            assert_int_equal(seen.page.x_mdpi, 300000);
            assert_int_equal(is_copy(&page, &out), orientation == (kind == 2 ? 8 : 1));
            if (kind == 1)
                assert_non_null(memmem(out.bytes.data, out.bytes.size, "Scanner", 8));
            trip_fini(&page, &out, &seen);
        }
}

static void exif__block_without_the_tag__keeps_every_entry(void **state)
{
    (void)state;
    struct pl_bytes out;
    bool done = false;
    pl_bytes_init(&out, 1000);
    assert_int_equal(pl_exif_turn(camera + 6, sizeof camera - 6, 3, &out, &done), PL_OK);
    assert_true(done);
    size_t old = sizeof camera - 6;
    assert_int_equal(out.size, old + 2 + 36 + 4);
    assert_memory_equal(out.data + 8, camera + 14, old - 8);  /* stays */
    assert_int_equal(out.data[7], old);                       /* points to the new one */
    assert_memory_equal(out.data + old, "\0\3", 2);           /* of three entries */
    assert_memory_equal(out.data + old + 2, camera + 16, 12); /* Make */
    assert_memory_equal(out.data + old + 14, "\1\x12\0\3\0\0\0\1\0\3\0", 12);
    assert_memory_equal(out.data + old + 26, camera + 28, 16); /* unit, and the end */
    pl_bytes_fini(&out);
}

static void exif__any_bytes__are_never_read_past_their_end(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof camera - 6; size++)
        for (unsigned byte = 0; byte < 18; byte++) {
            uint8_t *data = malloc(size + 1);
            struct pl_bytes out;
            bool done = false;
            assert_non_null(data);
            memcpy(data, camera + 6, size);
            if (byte < size)
                data[byte] ^= 0x81;
            pl_bytes_init(&out, 1000);
            assert_int_equal(pl_exif_turn(data, size, 3, &out, &done), PL_OK);
            assert_int_equal(done, out.size > 0);
            pl_bytes_fini(&out);
            free(data);
        }
}

static void jpeg_out__profile_of_the_page__goes_with_it(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out out;
    struct seen seen;
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    assert_int_equal(pl_icc_srgb(&page.icc), PL_OK);
    round_trip(&page, &out, &seen);
    assert_int_equal(seen.icc_size, page.icc.size);
    assert_memory_equal(seen.icc, page.icc.data, page.icc.size);
    /* Written again with the same one: nothing is to be said anew. */
    pl_bytes_clear(&page.data);
    assert_int_equal(pl_bytes_append(&page.data, out.bytes.data, out.bytes.size), PL_OK);
    page.parts[0].size = page.data.size;
    struct memory_out again;
    struct seen seen_again;
    round_trip(&page, &again, &seen_again);
    assert_true(is_copy(&page, &again));
    pl_bytes_fini(&again.bytes);
    free(seen_again.pixels.data);
    /* And with another one: the old one goes. */
    page.icc.data[60] ^= 1;
    round_trip(&page, &again, &seen_again);
    assert_int_equal(seen_again.icc_size, page.icc.size);
    assert_memory_equal(seen_again.icc, page.icc.data, page.icc.size);
    assert_int_equal(again.bytes.size, page.data.size);
    pl_bytes_fini(&again.bytes);
    free(seen_again.pixels.data);
    trip_fini(&page, &out, &seen);
}

static void jpeg_out__large_profile__comes_in_pieces(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out out;
    struct pl_fault fault = { 0 };
    struct pl_source *source = NULL;
    struct pl_jpeg_info info;
    uint8_t *room = NULL;
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    assert_int_equal(pl_bytes_reserve(&page.icc, 200000, &room), PL_OK);
    memset(room, 7, 200000);
    page.icc.size = 200000;
    memory_out_init(&out, 0);
    assert_int_equal(pages_write(&to_jpeg, &page, 1, &pl_limits_default, &out, &fault), PL_OK);
    assert_int_equal(pl_source_memory_new(out.bytes.data, out.bytes.size, &source), PL_OK);
    assert_int_equal(pl_jpeg_scan(source, true, &info, &fault), PL_OK);
    assert_int_equal(info.icc_count, 4);
    assert_false(info.icc_broken);
    source->ops->free(source);
    pl_bytes_fini(&out.bytes);
    pl_page_fini(&page);
}

static void jpeg_out__what_readers_would_show_otherwise__is_not_carried(void **state)
{
    (void)state;
    struct pl_page page;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    assert_false(pl_jpeg_writer_ops.carries(&to_jpeg, &page));
    pl_page_fini(&page);
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .inverted = true });
    assert_false(pl_jpeg_writer_ops.carries(&to_jpeg, &page));
    page.inverted = false;
    assert_true(pl_jpeg_writer_ops.carries(&to_jpeg, &page));
    page.width_px++;
    assert_false(pl_jpeg_writer_ops.carries(&to_jpeg, &page));
    pl_page_fini(&page);
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_CMYK, .inverted = true });
    assert_false(pl_jpeg_writer_ops.carries(&to_jpeg, &page)); /* no marker says so */
    page.inverted = false;
    assert_true(pl_jpeg_writer_ops.carries(&to_jpeg, &page));
    pl_page_fini(&page);
}

static void jpeg_out__thumbnail__is_carried_when_it_is_one(void **state)
{
    (void)state;
    struct pl_convert convert = { .to = PL_FORMAT_THUMBNAIL };
    struct pl_page page;
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .width_px = 256 });
    assert_true(pl_jpeg_writer_ops.carries(&convert, &page));
    convert.thumbnail_px = 200;
    assert_false(pl_jpeg_writer_ops.carries(&convert, &page));
    pl_page_fini(&page);
}

static void jpeg_out__output_fails_at_any_write__status_comes_back(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        struct memory_out out;
        struct pl_page page;
        struct pl_fault fault = { 0 };
        page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
        page.orientation = 6;
        memory_out_init(&out, n);
        assert_int_equal(pages_write(&to_jpeg, &page, 1, &pl_limits_default, &out, &fault),
                         PL_NO_SPACE);
        pl_bytes_fini(&out.bytes);
        pl_page_fini(&page);
    }
}

static void jpeg_out__page_past_the_limit__is_refused(void **state)
{
    (void)state;
    struct pl_limits limits = pl_limits_default;
    struct memory_out out;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    limits.output_bytes = 500;
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    memory_out_init(&out, 0);
    assert_int_equal(pages_write(&to_jpeg, &page, 1, &limits, &out, &fault), PL_TOO_LARGE);
    assert_non_null(strstr(fault.reason, "the JPEG would have"));
    pl_bytes_fini(&out.bytes);
    pl_page_fini(&page);
}

static void jpeg_out__stream_that_breaks_off__is_told(void **state)
{
    (void)state;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_GREY });
    assert_int_equal(pl_jpeg_writer_ops.encode(&to_jpeg, &pl_limits_default, &page, &fault), PL_OK);
    page.parts[0].size -= 40;
    assert_int_equal(pl_jpeg_writer_ops.encode(&to_jpeg, &pl_limits_default, &page, &fault),
                     PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "break off"));
    pl_page_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_out__page_as_its_markers_say__is_written_bit_for_bit),
        cmocka_unit_test(jpeg_out__other_resolution__is_put_into_the_markers),
        cmocka_unit_test(jpeg_out__orientation__is_said_in_exif),
        cmocka_unit_test(exif__block_without_the_tag__keeps_every_entry),
        cmocka_unit_test(exif__any_bytes__are_never_read_past_their_end),
        cmocka_unit_test(jpeg_out__profile_of_the_page__goes_with_it),
        cmocka_unit_test(jpeg_out__large_profile__comes_in_pieces),
        cmocka_unit_test(jpeg_out__what_readers_would_show_otherwise__is_not_carried),
        cmocka_unit_test(jpeg_out__thumbnail__is_carried_when_it_is_one),
        cmocka_unit_test(jpeg_out__output_fails_at_any_write__status_comes_back),
        cmocka_unit_test(jpeg_out__page_past_the_limit__is_refused),
        cmocka_unit_test(jpeg_out__stream_that_breaks_off__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
