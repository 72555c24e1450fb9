/* test_pdf_in: pages of PDFs that are one picture, and why others are not.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/page_decode.h"
#include "tests/unit/pipeline/pdf/memory_pdf.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/pl_test.h"

#define GREY "/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8"
#define ONE_IMAGE "/Resources<</XObject<</I 5 0 R>>>>"

/* 4 x 2 grey samples, each another one. */
static const uint8_t samples[8] = { 10, 20, 30, 40, 50, 60, 70, 80 };

/* One page; what it is judged. On success the picture it shows, as stored. */
struct seen {
    struct memory_pdf pdf;
    struct pl_page page;
    struct pl_picture picture;
    struct pl_fault fault;
    pl_status status;
};

static void seen_fini(struct seen *seen)
{
    pl_picture_fini(&seen->picture);
    pl_page_fini(&seen->page);
    memory_pdf_fini(&seen->pdf);
}

/* The file has objects of its own and is not ended yet. */
static void see(struct seen *seen)
{
    memory_pdf_end(&seen->pdf);
    assert_int_equal(memory_pdf_open(&seen->pdf, PL_WANT_PICTURE, &seen->fault), PL_OK);
    seen->status = memory_pdf_load(&seen->pdf, 0, &seen->page, &seen->fault);
    if (seen->status == PL_OK) {
        assert_int_equal(
            pl_page_decode(&seen->page, &pl_limits_default, &seen->picture, &seen->fault), PL_OK);
    }
}

static void see_image(struct seen *seen, const char *page, const char *content, const char *image,
                      const void *data, size_t size)
{
    *seen = (struct seen){ 0 };
    memory_pdf_init(&seen->pdf);
    memory_pdf_page(&seen->pdf, page, content);
    memory_pdf_stream(&seen->pdf, 5, image, data, size);
    see(seen);
}

static void see_content(struct seen *seen, const char *content)
{
    see_image(seen, ONE_IMAGE, content, GREY "/Width 4/Height 2", samples, sizeof samples);
}

static void expect_refused(struct seen *seen, const char *why)
{
    if (seen->status != PL_NEEDS_INTERPRETER || strstr(seen->fault.reason, why) == NULL)
        print_error("wanted '%s', got %s: %s\n", why, pl_status_name(seen->status),
                    seen->fault.reason);
    assert_int_equal(seen->status, PL_NEEDS_INTERPRETER);
    assert_non_null(strstr(seen->fault.reason, why));
    assert_non_null(strstr(seen->fault.reason, "page 1 "));
    seen_fini(seen);
}

static void expect_grey(struct seen *seen)
{
    if (seen->status != PL_OK)
        print_error("%s\n", seen->fault.reason);
    assert_int_equal(seen->status, PL_OK);
    assert_int_equal(seen->picture.colour, PL_COLOUR_GREY);
    for (unsigned y = 0; y < 2; y++)
        assert_memory_equal(seen->picture.pixels + y * seen->picture.stride, samples + y * 4, 4);
}

static void pdf_in__image_over_the_page__is_its_picture(void **state)
{
    (void)state;
    struct seen seen;
    see_content(&seen, "q 72 0 0 72 0 0 cm /I Do Q");
    expect_grey(&seen);
    assert_int_equal(seen.page.x_mdpi, 4000);
    assert_int_equal(seen.page.y_mdpi, 2000);
    assert_int_equal(seen.page.orientation, 1);
    assert_int_equal(seen.page.part_count, 1);
    assert_int_equal(seen.page.how, PL_PAGE_REENCODED_EXACT);
    assert_int_equal(seen.page.bytes_in, sizeof samples);
    assert_string_equal(seen.page.note, "");
    seen_fini(&seen);
}

static void pdf_in__turned_and_mirrored__is_orientation(void **state)
{
    (void)state;
    static const struct {
        const char *matrix;
        uint8_t orientation[4]; /* by /Rotate 0, 90, 180, 270 */
    } rows[] = {
        { "72 0 0 72 0 0", { 1, 6, 3, 8 } },     { "-72 0 0 72 72 0", { 2, 7, 4, 5 } },
        { "-72 0 0 -72 72 72", { 3, 8, 1, 6 } }, { "72 0 0 -72 0 72", { 4, 5, 2, 7 } },
        { "0 -72 -72 0 72 72", { 5, 2, 7, 4 } }, { "0 -72 72 0 0 72", { 6, 3, 8, 1 } },
        { "0 72 72 0 0 0", { 7, 4, 5, 2 } },     { "0 72 -72 0 72 0", { 8, 1, 6, 3 } },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        for (unsigned turn = 0; turn < 4; turn++) {
            struct seen seen;
            char page[128];
            char content[128];
            (void)snprintf(page, sizeof page, ONE_IMAGE "/Rotate %d", (int)turn * 90 - 360);
            (void)snprintf(content, sizeof content, "q %s cm /I Do Q", rows[i].matrix);
            see_image(&seen, page, content, GREY "/Width 4/Height 2", samples, sizeof samples);
            expect_grey(&seen);
            assert_int_equal(seen.page.orientation, rows[i].orientation[turn]);
            seen_fini(&seen);
        }
    }
}

static void pdf_in__user_unit_and_crop__count(void **state)
{
    (void)state;
    struct seen seen;
    see_image(&seen, ONE_IMAGE "/MediaBox[-9 -9 72 72]/CropBox[0 0 72 72]/UserUnit 2",
              "q 72 0 0 72 0 0 cm /I Do Q", GREY "/Width 4/Height 2", samples, sizeof samples);
    expect_grey(&seen);
    assert_int_equal(seen.page.x_mdpi, 2000);
    seen_fini(&seen);
    see_image(&seen, ONE_IMAGE "/MediaBox[0 0 72 72]/CropBox[10 10 60 60]",
              "q 72 0 0 72 0 0 cm /I Do Q", GREY "/Width 4/Height 2", samples, sizeof samples);
    expect_refused(&seen, "does not fill it");
}

static void pdf_in__what_cannot_be_seen__does_not_count(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        const char *note;
    } rows[] = {
        { "1 g 0 0 72 72 re f q 72 0 0 72 0 0 cm /I Do Q", "" },
        { "0 0 72 72 re W n q 72 0 0 72 0 0 cm /I Do Q", "" },
        { "q 72 0 0 72 0 0 cm /I Do Q BT 3 Tr /F 9 Tf (hidden) Tj ET", "invisible text left out" },
        { "q 72 0 0 72 0 0 cm /I Do Q BT /F 9 Tf () Tj ET", "" },
        { "BT /F 9 Tf (below) Tj ET q 72 0 0 72 0 0 cm /I Do Q", "hides left out" },
        { "0 g 9 9 9 9 re f q 72 0 0 72 0 0 cm /I Do Q", "hides left out" },
        { "q 72 0 0 72 0 0 cm /I Do Q q 9 0 0 9 100 100 cm /I Do Q", "" },
        { "/Artifact BMC q 36 0 0 36 0 0 cm 2 0 0 2 0 0 cm /I Do Q EMC", "" },
        { "q q q 72 0 0 72 0 0 cm /I Do", "" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct seen seen;
        see_content(&seen, rows[i].content);
        expect_grey(&seen);
        assert_non_null(strstr(seen.page.note, rows[i].note));
        assert_true(rows[i].note[0] != '\0' || seen.page.note[0] == '\0');
        seen_fini(&seen);
    }
}

static void pdf_in__other_marks__need_an_interpreter(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "q 72 0 0 72 0 0 cm /I Do Q BT /F 9 Tf (seen) Tj ET", "holds text" },
        { "q 72 0 0 72 0 0 cm /I Do Q 1 g 9 9 9 9 re f", "holds drawings" },
        { "q 72 0 0 72 0 0 cm /I Do Q 9 9 m 20 20 l S", "holds drawings" },
        { "q 72 0 0 72 0 0 cm /I Do Q /S sh", "holds drawings" },
        { "0 0 36 72 re W n q 72 0 0 72 0 0 cm /I Do Q", "a part of an image only" },
        { "0 0 m 72 0 l 36 72 l h W n q 72 0 0 72 0 0 cm /I Do Q", "a part of an image only" },
        { "q 36 0 0 36 0 0 cm /I Do Q", "does not fill it" },
        { "q 80 0 0 80 0 0 cm /I Do Q", "does not fill it" },
        { "q 71 5 -5 71 3 0 cm /I Do Q", "at an angle" },
        { "q 72 0 0 30 0 42 cm /I Do Q q 72 0 0 30 0 0 cm /I Do Q", "do not tile it" },
        { "", "holds no picture" },
        { "q 72 0 0 72 0 0 cm /J Do Q", "holds no picture" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct seen seen;
        see_content(&seen, rows[i][0]);
        expect_refused(&seen, rows[i][1]);
    }
}

static void pdf_in__bands__are_parts_top_to_bottom(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    memory_pdf_init(&seen.pdf);
    memory_pdf_page(&seen.pdf, "/Resources<</XObject<</A 5 0 R/B 6 0 R>>>>",
                    "q 72 0 0 36 0 0 cm /B Do Q q 72 0 0 36 0 36 cm /A Do Q");
    memory_pdf_stream(&seen.pdf, 5, GREY "/Width 4/Height 1", samples, 4);
    memory_pdf_stream(&seen.pdf, 6, GREY "/Width 4/Height 1", samples + 4, 4);
    see(&seen);
    expect_grey(&seen);
    assert_int_equal(seen.page.part_count, 2);
    assert_int_equal(seen.page.height_px, 2);
    assert_int_equal(seen.page.y_mdpi, 2000);
    seen_fini(&seen);
}

static void pdf_in__bands_of_other_kinds__need_an_interpreter(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    memory_pdf_init(&seen.pdf);
    memory_pdf_page(&seen.pdf, "/Resources<</XObject<</A 5 0 R/B 6 0 R>>>>",
                    "q 72 0 0 36 0 0 cm /B Do Q q 72 0 0 36 0 36 cm /A Do Q");
    memory_pdf_stream(&seen.pdf, 5, GREY "/Width 4/Height 1", samples, 4);
    memory_pdf_stream(&seen.pdf, 6, GREY "/Width 4/Height 1/Decode[1 0]", samples + 4, 4);
    see(&seen);
    expect_refused(&seen, "of different kinds");
}

static void pdf_in__forms__are_looked_into(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    memory_pdf_init(&seen.pdf);
    memory_pdf_page(&seen.pdf, "/Resources<</XObject<</F 6 0 R>>>>", "q 2 0 0 2 0 0 cm /F Do Q");
    memory_pdf_stream(&seen.pdf, 5, GREY "/Width 4/Height 2", samples, sizeof samples);
    memory_pdf_stream(&seen.pdf, 6,
                      "/Subtype/Form/BBox[0 0 1 1]/Matrix[36 0 0 36 0 0]"
                      "/Resources<</XObject<</I 5 0 R>>>>",
                      "Q Q /I Do q q", 13);
    see(&seen);
    expect_grey(&seen);
    seen_fini(&seen);
}

static void pdf_in__form_that_draws_itself__is_refused_in_time(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    memory_pdf_init(&seen.pdf);
    memory_pdf_page(&seen.pdf, "/Resources<</XObject<</F 6 0 R>>>>", "/F Do");
    memory_pdf_stream(&seen.pdf, 6,
                      "/Subtype/Form/BBox[0 0 72 72]/Resources<</XObject<</F 6 0 R>>>>",
                      "/F Do /F Do", 11);
    see(&seen);
    expect_refused(&seen, "too much");
}

static void pdf_in__transparency_and_masks__need_an_interpreter(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        const char *image;
        const char *mask;
        const char *why; /* NULL: it is a picture */
    } rows[] = {
        { "/ca 1/BM/Normal/SMask/None", "", "", NULL },
        { "/ca .5", "", "", "transparently" },
        { "/BM/Multiply", "", "", "transparently" },
        { "/SMask<</S/Alpha>>", "", "", "transparently" },
        { "/TR<</FunctionType 2>>", "", "", "transfer function" },
        { "", "/SMask 7 0 R", "\xff\xff\xff\xff\xff\xff\xff\xff", NULL },
        { "", "/SMask 7 0 R", "\xff\xff\xff\xfe\xff\xff\xff\xff", "soft mask" },
        { "", "/Mask[1 2]", "", "transparent colour" },
        { "", "/Decode[0 .5]", "", "remapped" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct seen seen = { 0 };
        char image[256];
        char gs[128];
        (void)snprintf(image, sizeof image, GREY "/Width 4/Height 2%s", rows[i].image);
        (void)snprintf(gs, sizeof gs, "<<%s>>", rows[i].state);
        memory_pdf_init(&seen.pdf);
        memory_pdf_page(&seen.pdf, "/Resources<</XObject<</I 5 0 R>>/ExtGState<</G 6 0 R>>>>",
                        "/G gs q 72 0 0 72 0 0 cm /I Do Q");
        memory_pdf_stream(&seen.pdf, 5, image, samples, sizeof samples);
        memory_pdf_object(&seen.pdf, 6, gs);
        memory_pdf_stream(&seen.pdf, 7, GREY "/Width 4/Height 2", rows[i].mask,
                          strlen(rows[i].mask));
        see(&seen);
        if (rows[i].why != NULL) {
            expect_refused(&seen, rows[i].why);
            continue;
        }
        expect_grey(&seen);
        seen_fini(&seen);
    }
}

/* Bits of the first row, 1 is black. */
static void expect_bits(struct seen *seen, uint8_t bits)
{
    if (seen->status != PL_OK)
        print_error("%s\n", seen->fault.reason);
    assert_int_equal(seen->status, PL_OK);
    assert_int_equal(seen->picture.colour, PL_COLOUR_BILEVEL);
    assert_int_equal(seen->picture.pixels[0] & 0xf0, bits);
    seen_fini(seen);
}

static void pdf_in__bilevel_in_all_its_ways__is_black_where_it_is_shown_so(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        uint8_t bits;
    } rows[] = {
        { "/ColorSpace/DeviceGray/BitsPerComponent 1", 0x50 },
        { "/ColorSpace/DeviceGray/BitsPerComponent 1/Decode[1 0]", 0xa0 },
        { "/ColorSpace[/Indexed/DeviceRGB 1<000000ffffff>]/BitsPerComponent 1", 0x50 },
        { "/ColorSpace[/Indexed/DeviceRGB 1<ffffff000000>]/BitsPerComponent 1", 0xa0 },
        { "/ColorSpace[/Indexed/DeviceCMYK 1<00000000000000ff>]/BitsPerComponent 1", 0xa0 },
        { "/ColorSpace[/Indexed/DeviceGray 1<00ff>]/BitsPerComponent 1/Decode[1 0]", 0xa0 },
        { "/ImageMask true", 0x50 },
        { "/ImageMask true/Decode[1 0]", 0xa0 },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct seen seen;
        char image[256];
        (void)snprintf(image, sizeof image, "/Subtype/Image/Width 4/Height 2%s", rows[i].image);
        see_image(&seen, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q", image, "\xa0\xa0", 2);
        expect_bits(&seen, rows[i].bits);
    }
}

static void pdf_in__stencil_in_colour__needs_an_interpreter(void **state)
{
    (void)state;
    static const char *const contents[] = { "1 0 0 rg", "1 g", "/P scn", ".5 g",
                                            "/Pattern cs /P scn" };
    for (size_t i = 0; i < PL_COUNT_OF(contents); i++) {
        struct seen seen;
        char content[128];
        (void)snprintf(content, sizeof content, "%s q 72 0 0 72 0 0 cm /I Do Q", contents[i]);
        see_image(&seen, ONE_IMAGE, content, "/Subtype/Image/Width 4/Height 2/ImageMask true",
                  "\xa0\xa0", 2);
        expect_refused(&seen, "stencil in colour");
    }
}

static void pdf_in__palette_and_small_depths__keep_their_colours(void **state)
{
    (void)state;
    static const uint8_t red[3] = { 255, 0, 0 };
    static const uint8_t blue[3] = { 0, 0, 255 };
    struct seen seen;
    see_image(&seen, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q",
              "/Subtype/Image/Width 4/Height 2/BitsPerComponent 2"
              "/ColorSpace[/Indexed/DeviceRGB 1<ff00000000ff>]",
              "\x11\x11", 2);
    assert_int_equal(seen.status, PL_OK);
    assert_memory_equal(seen.picture.pixels, red, 3);
    assert_memory_equal(seen.picture.pixels + 3, blue, 3);
    seen_fini(&seen);
    see_image(&seen, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q",
              "/Subtype/Image/Width 4/Height 2/BitsPerComponent 2/Decode[3 0]"
              "/ColorSpace[/Indexed/DeviceRGB 3<ff0000000000000000000000ff>]",
              "\xf1\x11", 2);
    assert_int_equal(seen.status, PL_OK);
    assert_memory_equal(seen.picture.pixels, red, 3); /* index 3 turned over is 0 */
    seen_fini(&seen);
    see_image(&seen, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q",
              "/Subtype/Image/Width 1/Height 2/BitsPerComponent 4/ColorSpace/DeviceRGB",
              "\xf0\x00\x00\x00", 4);
    assert_int_equal(seen.status, PL_OK);
    assert_int_equal(seen.page.bits, 8);
    assert_memory_equal(seen.picture.pixels, red, 3);
    seen_fini(&seen);
}

static void pdf_in__fax__is_copied_with_its_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *parms;
        enum pl_filter filter;
        bool inverted;
        const char *why;
    } rows[] = {
        { "/K -1/Columns 4", PL_FILTER_G4, false, NULL },
        { "/K -1/Columns 4/BlackIs1 true", PL_FILTER_G4, true, NULL },
        { "/K 0/Columns 4/EncodedByteAlign true", PL_FILTER_G3, false, NULL },
        { "/K 4/Columns 4/EndOfLine true", PL_FILTER_G3, false, NULL },
        { "/K -1", PL_FILTER_G4, false, "whose width is not that of its data" },
        { "/K -1/Columns 4/EncodedByteAlign true", PL_FILTER_G4, false, "aligned rows" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct seen seen = { 0 };
        char image[256];
        (void)snprintf(image, sizeof image,
                       "/Subtype/Image/Width 4/Height 2/BitsPerComponent 1/ColorSpace/DeviceGray"
                       "/Filter/CCITTFaxDecode/DecodeParms<<%s>>",
                       rows[i].parms);
        memory_pdf_init(&seen.pdf);
        memory_pdf_page(&seen.pdf, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q");
        memory_pdf_stream(&seen.pdf, 5, image, "\x80", 1);
        memory_pdf_end(&seen.pdf);
        assert_int_equal(memory_pdf_open(&seen.pdf, PL_WANT_PICTURE, &seen.fault), PL_OK);
        seen.status = memory_pdf_load(&seen.pdf, 0, &seen.page, &seen.fault);
        if (rows[i].why != NULL) {
            expect_refused(&seen, rows[i].why);
            continue;
        }
        assert_int_equal(seen.status, PL_OK);
        assert_int_equal(seen.page.filter, rows[i].filter);
        assert_int_equal(seen.page.inverted, rows[i].inverted);
        assert_int_equal(seen.page.how, PL_PAGE_COPIED);
        assert_int_equal(seen.page.data.size, 1);
        assert_int_equal(seen.page.fax.byte_align, i == 2);
        assert_int_equal(seen.page.fax.end_of_line, i == 3);
        seen_fini(&seen);
    }
}

static void pdf_in__inline_image__is_a_picture_too(void **state)
{
    (void)state;
    struct seen seen;
    see_content(&seen, "q 72 0 0 72 0 0 cm BI /W 4 /H 2 /CS /G /BPC 8 ID \n\x14\x1e"
                       "(2<FP EI Q");
    assert_int_equal(seen.status, PL_OK);
    assert_int_equal(seen.picture.pixels[0], 10);
    assert_int_equal(seen.picture.pixels[1], 20);
    seen_fini(&seen);
}

static void pdf_in__annotations__count_when_they_are_seen(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "/Subtype/Link", NULL },
        { "/Subtype/Stamp/AP<</N 5 0 R>>", "has annotations" },
        { "/Subtype/Stamp/F 2/AP<</N 5 0 R>>", NULL },
        { "/Subtype/Text", NULL },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct seen seen;
        char page[256];
        (void)snprintf(page, sizeof page, ONE_IMAGE "/Annots[<</Rect[0 0 9 9]%s>>]", rows[i][0]);
        see_image(&seen, page, "q 72 0 0 72 0 0 cm /I Do Q", GREY "/Width 4/Height 2", samples,
                  sizeof samples);
        if (rows[i][1] != NULL) {
            expect_refused(&seen, rows[i][1]);
            continue;
        }
        expect_grey(&seen);
        assert_string_equal(seen.page.note, "links left out");
        seen_fini(&seen);
    }
}

static void pdf_in__hidden_layers__need_an_interpreter_even_for_pdf(void **state)
{
    (void)state;
    for (unsigned off = 0; off < 2; off++) {
        struct memory_pdf pdf;
        struct pl_page page;
        struct pl_fault fault = { 0 };
        memory_pdf_init(&pdf);
        memory_pdf_object(&pdf, 1,
                          off ? "<</Pages 2 0 R/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>>>"
                              : "<</Pages 2 0 R/OCProperties<</OCGs[6 0 R]/D<<>>>>>>");
        memory_pdf_object(&pdf, 2, "<</Kids[3 0 R]/Count 1>>");
        memory_pdf_object(&pdf, 3,
                          "<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R>>");
        memory_pdf_stream(&pdf, 4, "", "/OC /L BDC EMC", 14);
        memory_pdf_object(&pdf, 6, "<</Type/OCG/Name(x)>>");
        memory_pdf_end(&pdf);
        assert_int_equal(memory_pdf_open(&pdf, PL_WANT_PDF, &fault), PL_OK);
        assert_int_equal(memory_pdf_load(&pdf, 0, &page, &fault),
                         off ? PL_NEEDS_INTERPRETER : PL_OK);
        pl_page_fini(&page);
        memory_pdf_fini(&pdf);
    }
}

static void pdf_in__image_over_the_limit__is_told_with_numbers(void **state)
{
    (void)state;
    struct seen seen;
    see_image(&seen, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q", GREY "/Width 70000/Height 2", samples,
              sizeof samples);
    assert_int_equal(seen.status, PL_TOO_LARGE);
    assert_non_null(strstr(seen.fault.reason, "70000"));
    seen_fini(&seen);
}

static void pdf_in__broken_image_data__are_noted(void **state)
{
    (void)state;
    struct seen seen;
    see_image(&seen, ONE_IMAGE, "q 72 0 0 72 0 0 cm /I Do Q", GREY "/Width 4/Height 2", samples, 6);
    assert_int_equal(seen.status, PL_OK);
    assert_non_null(strstr(seen.page.note, "2 bytes missing"));
    assert_int_equal(seen.picture.pixels[seen.picture.stride + 3], 255);
    seen_fini(&seen);
}

struct loading {
    struct memory_pdf *pdf;
    unsigned good;
};

static void *load_often(void *argument)
{
    struct loading *loading = argument;
    struct pl_source *source = NULL;
    if (pl_source_memory_new(loading->pdf->bytes.data, loading->pdf->bytes.size, &source) != PL_OK)
        return NULL;
    for (unsigned i = 0; i < 100; i++) {
        struct pl_page page;
        struct pl_fault fault = { 0 };
        pl_page_init(&page, (size_t)1 << 20);
        loading->good +=
            pl_pdf_reader.load(loading->pdf->reader, source, 0, &page, &fault) == PL_OK &&
            page.width_px == 4;
        pl_page_fini(&page);
    }
    source->ops->free(source);
    return NULL;
}

static void pdf_in__four_threads__load_at_once(void **state)
{
    (void)state;
    struct seen seen;
    see_content(&seen, "q 72 0 0 72 0 0 cm /I Do Q");
    pthread_t threads[4];
    struct loading loadings[4];
    for (unsigned i = 0; i < 4; i++) {
        loadings[i] = (struct loading){ .pdf = &seen.pdf };
        assert_int_equal(pthread_create(&threads[i], NULL, load_often, &loadings[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(loadings[i].good, 100);
    }
    seen_fini(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_in__image_over_the_page__is_its_picture),
        cmocka_unit_test(pdf_in__turned_and_mirrored__is_orientation),
        cmocka_unit_test(pdf_in__user_unit_and_crop__count),
        cmocka_unit_test(pdf_in__what_cannot_be_seen__does_not_count),
        cmocka_unit_test(pdf_in__other_marks__need_an_interpreter),
        cmocka_unit_test(pdf_in__bands__are_parts_top_to_bottom),
        cmocka_unit_test(pdf_in__bands_of_other_kinds__need_an_interpreter),
        cmocka_unit_test(pdf_in__forms__are_looked_into),
        cmocka_unit_test(pdf_in__form_that_draws_itself__is_refused_in_time),
        cmocka_unit_test(pdf_in__transparency_and_masks__need_an_interpreter),
        cmocka_unit_test(pdf_in__bilevel_in_all_its_ways__is_black_where_it_is_shown_so),
        cmocka_unit_test(pdf_in__stencil_in_colour__needs_an_interpreter),
        cmocka_unit_test(pdf_in__palette_and_small_depths__keep_their_colours),
        cmocka_unit_test(pdf_in__fax__is_copied_with_its_parameters),
        cmocka_unit_test(pdf_in__inline_image__is_a_picture_too),
        cmocka_unit_test(pdf_in__annotations__count_when_they_are_seen),
        cmocka_unit_test(pdf_in__hidden_layers__need_an_interpreter_even_for_pdf),
        cmocka_unit_test(pdf_in__image_over_the_limit__is_told_with_numbers),
        cmocka_unit_test(pdf_in__broken_image_data__are_noted),
        cmocka_unit_test(pdf_in__four_threads__load_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
