/* test_jpeg_in: streams are copied bit for bit, and what a copy cannot carry is decoded or refused.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "tests/support/pl_test.h"

#define WIDTH 61
#define HEIGHT 43

struct recipe {
    int components;
    J_COLOR_SPACE from, to;
    bool progressive, arithmetic, no_jfif, no_adobe;
    unsigned density; /* per inch; 0: none */
};

/* Encodes a gradient with noise (enough that stuffed 0xff bytes occur); `extra` goes in as marker
 * segments (whole, with 0xff) behind SOI. */
static void encode(const struct recipe *recipe, const void *extra, size_t extra_size,
                   struct pl_bytes *out)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = recipe->components;
    jpeg.in_color_space = recipe->from;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, recipe->to);
    if (recipe->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg.arith_code = recipe->arithmetic;
    if (recipe->no_jfif)
        jpeg.write_JFIF_header = FALSE;
    if (recipe->no_adobe)
        jpeg.write_Adobe_marker = FALSE;
    if (recipe->density > 0) {
        jpeg.density_unit = 1;
        jpeg.X_density = jpeg.Y_density = (UINT16)recipe->density;
    }
    jpeg_start_compress(&jpeg, TRUE);
    uint8_t row[WIDTH * 4];
    JSAMPROW rows[1] = { row };
    for (unsigned y = 0; y < HEIGHT; y++) {
        for (unsigned x = 0; x < WIDTH * (unsigned)recipe->components; x++)
            row[x] = (uint8_t)(x * 3 + y * 5 + x * y / 16 + (x * 7919 + y * 104729) % 61);
        (void)jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    pl_bytes_init(out, 1 << 20);
    assert_int_equal(pl_bytes_append(out, data, 2), PL_OK);
    assert_int_equal(pl_bytes_append(out, extra, extra_size), PL_OK);
    assert_int_equal(pl_bytes_append(out, data + 2, size - 2), PL_OK);
    free(data);
}

static const struct recipe grey = { 1, JCS_GRAYSCALE, JCS_GRAYSCALE, .density = 200 };
static const struct recipe colour = { 3, JCS_RGB, JCS_YCbCr, .density = 200 };

/* What the last page walked over was. */
struct seen {
    const struct pl_bytes *file;
    struct pl_page page; /* without its buffers */
    size_t icc_size;
    size_t data_size;
    bool same; /* data are the file's first bytes */
    struct pixels pixels;
};

static void see(void *owner, const struct pl_page *page)
{
    struct seen *seen = owner;
    seen->page = *page;
    seen->icc_size = page->icc.size;
    seen->data_size = page->data.size;
    seen->same = page->data.size <= seen->file->size &&
                 memcmp(page->data.data, seen->file->data, page->data.size) == 0;
    page_pixels_decode(page, &seen->pixels);
}

static void load(const struct pl_bytes *file, struct seen *seen)
{
    struct walk_verdict verdict;
    *seen = (struct seen){ .file = file };
    walk_bytes(file->data, file->size, see, seen, &verdict);
    assert_string_equal(verdict.fault.reason, "");
    assert_int_equal(verdict.pages, 1);
    free(seen->pixels.data);
}

static void refused(const struct pl_bytes *file, pl_status status, const char *words)
{
    struct walk_verdict verdict;
    walk_bytes(file->data, file->size, NULL, NULL, &verdict);
    (void)printf("%s\n", verdict.fault.reason);
    assert_int_equal(verdict.status, status);
    assert_non_null(strstr(verdict.fault.reason, words));
}

static void jpeg_in__sequential_and_progressive__are_copied_bit_for_bit(void **state)
{
    (void)state;
    const struct recipe recipes[] = {
        grey,
        colour,
        { 3, JCS_RGB, JCS_YCbCr, .progressive = true },
        { 1, JCS_GRAYSCALE, JCS_GRAYSCALE, .progressive = true, .no_jfif = true },
        { 3, JCS_RGB, JCS_RGB, .density = 0 }, /* with an Adobe marker */
    };
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct pl_bytes file;
        struct seen seen;
        encode(&recipes[i], "", 0, &file);
        load(&file, &seen);
        assert_true(seen.same);
        assert_int_equal(seen.data_size, file.size);
        assert_true(i == 3 || memmem(file.data, file.size, "\xff", 2) != NULL);
        assert_int_equal(seen.page.how, PL_PAGE_COPIED);
        assert_int_equal(seen.page.filter, PL_FILTER_DCT);
        assert_int_equal(seen.page.colour,
                         recipes[i].components == 1 ? PL_COLOUR_GREY : PL_COLOUR_RGB);
        assert_false(seen.page.inverted);
        pl_bytes_fini(&file);
    }
}

static void jpeg_in__adobe_cmyk__is_inverted(void **state)
{
    (void)state;
    const struct recipe recipes[] = {
        { 4, JCS_CMYK, JCS_CMYK, .density = 0 },
        { 4, JCS_CMYK, JCS_YCCK, .density = 0 },
        { 4, JCS_CMYK, JCS_CMYK, .no_adobe = true },
    };
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct pl_bytes file;
        struct seen seen;
        encode(&recipes[i], "", 0, &file);
        load(&file, &seen);
        assert_true(seen.same);
        assert_int_equal(seen.page.colour, PL_COLOUR_CMYK);
        assert_int_equal(seen.page.inverted, i < 2);
        pl_bytes_fini(&file);
    }
}

static void jpeg_in__rgb_by_component_ids__gets_a_marker(void **state)
{
    (void)state;
    const struct recipe recipe = { 3, JCS_RGB, JCS_RGB, .no_adobe = true, .no_jfif = true };
    struct pl_bytes file;
    struct seen seen;
    encode(&recipe, "", 0, &file);
    load(&file, &seen);
    assert_int_equal(seen.data_size, file.size + 16);
    assert_non_null(strstr(seen.page.note, "RGB marker"));
    pl_bytes_fini(&file);
}

static void jpeg_in__markers_that_disagree_on_colour__are_decoded(void **state)
{
    (void)state;
    static const uint8_t adobe[16] = { 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100 };
    struct pl_bytes file;
    struct seen seen;
    encode(&colour, adobe, sizeof adobe, &file);
    load(&file, &seen);
    assert_int_equal(seen.page.how, PL_PAGE_REENCODED_EXACT);
    assert_int_equal(seen.page.filter, PL_FILTER_FLATE);
    pl_bytes_fini(&file);
}

static void jpeg_in__arithmetic_coding__is_decoded(void **state)
{
    (void)state;
    const struct recipe arithmetic = { 3, JCS_RGB, JCS_YCbCr, .arithmetic = true };
    const struct recipe plain = { 3, JCS_RGB, JCS_YCbCr, .density = 0 };
    struct pl_bytes file;
    struct pl_bytes other;
    struct seen seen;
    encode(&arithmetic, "", 0, &file);
    load(&file, &seen);
    assert_int_equal(seen.page.filter, PL_FILTER_FLATE);
    encode(&plain, "", 0, &other); /* the same coefficients, so the same pixels */
    struct walk_verdict verdict;
    struct seen huffman = { .file = &other };
    struct seen decoded = { .file = &file };
    walk_bytes(other.data, other.size, see, &huffman, &verdict);
    walk_bytes(file.data, file.size, see, &decoded, &verdict);
    assert_memory_equal(huffman.pixels.data, decoded.pixels.data, WIDTH * HEIGHT * 3);
    free(huffman.pixels.data);
    free(decoded.pixels.data);
    pl_bytes_fini(&file);
    pl_bytes_fini(&other);
}

static void jpeg_in__jfif_density__is_the_resolution(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct seen seen;
    encode(&grey, "", 0, &file);
    load(&file, &seen);
    assert_int_equal(seen.page.x_mdpi, 200000);
    pl_bytes_fini(&file);
}

static const uint8_t exif[] = {
    0xff, 0xe1, 0, 0x4c, 'E', 'x', 'i', 'f', 0, 0,        /* APP1 */
    'M',  'M',  0, 42,   0,   0,   0,   8,                /* TIFF head */
    0,    4,                                              /* entries: */
    0x01, 0x12, 0, 3,    0,   0,   0,   1,   0, 6, 0, 0,  /* Orientation 6 */
    0x01, 0x1a, 0, 5,    0,   0,   0,   1,   0, 0, 0, 62, /* XResolution */
    0x01, 0x1b, 0, 5,    0,   0,   0,   1,   0, 0, 0, 62, /* YResolution */
    0x01, 0x28, 0, 3,    0,   0,   0,   1,   0, 2, 0, 0,  /* inch */
    0,    0,    0, 0,                                     /* no more */
    0,    0,    0, 240,  0,   0,   0,   1,                /* 240 / 1 */
};

static void jpeg_in__exif__gives_orientation_and_resolution(void **state)
{
    (void)state;
    const struct recipe recipe = { 3, JCS_RGB, JCS_YCbCr, .no_jfif = true };
    uint8_t block[sizeof exif];
    struct pl_bytes file;
    struct seen seen;
    memcpy(block, exif, sizeof exif);
    block[3] = sizeof exif - 2;
    encode(&recipe, block, sizeof block, &file);
    load(&file, &seen);
    assert_int_equal(seen.page.orientation, 6);
    assert_int_equal(seen.page.x_mdpi, 240000);
    pl_bytes_fini(&file);
    block[19] = 200; /* entries that are not there: the block says nothing */
    encode(&recipe, block, sizeof block, &file);
    load(&file, &seen);
    assert_int_equal(seen.page.orientation, 1);
    pl_bytes_fini(&file);
}

/* A profile header with one tag, as an APP2 segment. */
static void profile_segment(const char *space, uint8_t *out)
{
    memset(out, 0, 18 + 144);
    memcpy(out, "\xff\xe2\0\xa0ICC_PROFILE\0\1\1", 18);
    uint8_t *icc = out + 18;
    icc[3] = 144;
    icc[8] = 2;
    memcpy(icc + 12, "scnr", 4);
    memcpy(icc + 16, space, 4);
    memcpy(icc + 20, "XYZ ", 4);
    memcpy(icc + 36, "acsp", 4);
    icc[131] = 1;
    icc[139] = 144;
}

static void jpeg_in__profile__is_kept_only_when_it_fits(void **state)
{
    (void)state;
    uint8_t segment[18 + 144];
    struct pl_bytes file;
    struct seen seen;
    profile_segment("RGB ", segment);
    encode(&colour, segment, sizeof segment, &file);
    load(&file, &seen);
    assert_int_equal(seen.icc_size, 144);
    pl_bytes_fini(&file);
    encode(&grey, segment, sizeof segment, &file); /* a colour profile on a grey picture */
    load(&file, &seen);
    assert_int_equal(seen.icc_size, 0);
    assert_non_null(strstr(seen.page.note, "profile ignored"));
    pl_bytes_fini(&file);
    segment[17] = 2; /* the second chunk never comes */
    encode(&colour, segment, sizeof segment, &file);
    load(&file, &seen);
    assert_int_equal(seen.icc_size, 0);
    pl_bytes_fini(&file);
}

static void jpeg_in__bytes_after_the_picture__are_left_out(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct seen seen;
    encode(&colour, "", 0, &file);
    size_t size = file.size;
    assert_int_equal(pl_bytes_append(&file, "\xff\xd8\xff\xe0 another", 12), PL_OK);
    load(&file, &seen);
    assert_int_equal(seen.data_size, size);
    assert_non_null(strstr(seen.page.note, "12 bytes after the picture left out"));
    pl_bytes_fini(&file);
}

static void jpeg_in__stream_cut_anywhere__is_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct walk_verdict verdict;
    encode(&colour, "", 0, &file);
    for (size_t size = 0; size < file.size; size++) {
        uint8_t *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, file.data, size);
        walk_bytes(copy, size, NULL, NULL, &verdict);
        assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
        free(copy);
    }
    file.size -= 2;
    refused(&file, PL_BAD_DOCUMENT, "in the middle of the picture: the file is truncated");
    pl_bytes_fini(&file);
}

/* Where the frame header of the file begins (its 0xff). */
static uint8_t *frame_of(struct pl_bytes *file)
{
    for (size_t i = 0; i + 1 < file->size; i++)
        if (file->data[i] == 0xff && file->data[i + 1] >= 0xc0 && file->data[i + 1] <= 0xc2)
            return file->data + i;
    fail();
    return file->data;
}

static void jpeg_in__frames_that_pdf_cannot_show__are_refused_by_name(void **state)
{
    (void)state;
    struct pl_bytes file;
    encode(&colour, "", 0, &file);
    uint8_t *frame = frame_of(&file);
    frame[1] = 0xc3;
    refused(&file, PL_UNSUPPORTED, "lossless JPEG");
    frame[1] = 0xc5;
    refused(&file, PL_UNSUPPORTED, "hierarchical");
    frame[1] = 0xc1;
    frame[4] = 12;
    refused(&file, PL_UNSUPPORTED, "12 bits a sample");
    frame[4] = 8;
    memset(frame + 5, 0xea, 4);
    refused(&file, PL_TOO_LARGE, "60138 x 60138 pixels");
    memset(frame + 5, 0, 2);
    refused(&file, PL_UNSUPPORTED, "how many rows");
    pl_bytes_fini(&file);
}

static void jpeg_in__broken_tables__are_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    encode(&grey,
           "\xff\xc4\0\x13\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 21,
           &file);
    refused(&file, PL_BAD_DOCUMENT, "a Huffman table makes no sense");
    pl_bytes_fini(&file);
    encode(&grey, "\xff\xdb\0\x04\x09\0", 6, &file);
    refused(&file, PL_BAD_DOCUMENT, "a quantisation table makes no sense");
    pl_bytes_fini(&file);
}

static void jpeg_in__segment_without_length__is_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    encode(&grey, "\xff\xe5\0\1", 4, &file);
    refused(&file, PL_BAD_DOCUMENT, "a segment has no length");
    pl_bytes_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_in__sequential_and_progressive__are_copied_bit_for_bit),
        cmocka_unit_test(jpeg_in__adobe_cmyk__is_inverted),
        cmocka_unit_test(jpeg_in__rgb_by_component_ids__gets_a_marker),
        cmocka_unit_test(jpeg_in__markers_that_disagree_on_colour__are_decoded),
        cmocka_unit_test(jpeg_in__arithmetic_coding__is_decoded),
        cmocka_unit_test(jpeg_in__jfif_density__is_the_resolution),
        cmocka_unit_test(jpeg_in__exif__gives_orientation_and_resolution),
        cmocka_unit_test(jpeg_in__profile__is_kept_only_when_it_fits),
        cmocka_unit_test(jpeg_in__bytes_after_the_picture__are_left_out),
        cmocka_unit_test(jpeg_in__stream_cut_anywhere__is_refused),
        cmocka_unit_test(jpeg_in__frames_that_pdf_cannot_show__are_refused_by_name),
        cmocka_unit_test(jpeg_in__broken_tables__are_refused),
        cmocka_unit_test(jpeg_in__segment_without_length__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
