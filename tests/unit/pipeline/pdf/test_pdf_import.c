/* test_pdf_import: pages copied into another file, judged by qpdf and mutool; and which pages PDF/A
 * takes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_import.h"

#include "pipeline/codec/lzw_encode.h"
#include "pipeline/pdf/pdf_tree.h"
#include "tests/support/judge.h"
#include "tests/support/memory_out.h"
#include "tests/unit/pipeline/pdf/memory_pdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

#define IMAGE "/Type/XObject/Subtype/Image/Width 4/Height 2/BitsPerComponent 8"
#define DRAW "q 72 0 0 72 0 0 cm /I Do Q"
#define ONE_IMAGE "/Resources<</XObject<</I 5 0 R>>>>"

static const uint8_t samples[32] = { 10, 20, 30, 40, 50, 60, 70, 80 };

/* A file that is written from pages of others. */
struct made {
    struct memory_out out;
    struct pl_pdf_writer *writer;
    struct pl_pdf_import *import;
    struct pl_pdf_tree tree;
    struct pl_fault fault;
};

static void made_init_part(struct made *made, unsigned part)
{
    *made = (struct made){ 0 };
    memory_out_init(&made->out, 0);
    assert_int_equal(pl_pdf_writer_new(&made->out.out, 7, NULL, &made->writer), PL_OK);
    assert_int_equal(pl_pdf_import_new(made->writer, part, &made->import), PL_OK);
}

static void made_init(struct made *made)
{
    made_init_part(made, 0);
}

static void made_page(struct made *made, struct memory_pdf *pdf, uint32_t n, unsigned rotate)
{
    struct pl_page page;
    assert_int_equal(memory_pdf_load(pdf, n, &page, &made->fault), PL_OK);
    assert_int_equal(page.kind, PL_PAGE_PDF);
    page.pdf->rotate = rotate;
    uint32_t parent = pl_pdf_tree_parent(&made->tree, made->writer);
    uint32_t number = pl_pdf_reserve(made->writer);
    pl_status status = pl_pdf_import_page(made->import, page.pdf, number, parent, &made->fault);
    if (status != PL_OK)
        print_error("%s\n", made->fault.reason);
    assert_int_equal(status, PL_OK);
    pl_pdf_tree_add(&made->tree, number);
    pl_page_fini(&page);
}

static void made_end(struct made *made)
{
    uint32_t pages = pl_pdf_tree_end(&made->tree, made->writer);
    struct pl_pdf_ends ends = { .root = pl_pdf_reserve(made->writer) };
    pl_pdf_begin(made->writer, ends.root);
    pl_pdf_format(made->writer, "<</Type/Catalog/Pages %u 0 R>>", pages);
    pl_pdf_end(made->writer);
    assert_int_equal(pl_pdf_writer_finish(made->writer, &ends), PL_OK);
    struct judge judge;
    judge_open(&judge, &made->out.bytes);
    judge_expect(&judge, "qpdf --check", "No syntax or stream encoding errors");
    judge_expect(&judge, "mutool info", "Pages: ");
    judge_close(&judge);
}

static bool made_has(const struct made *made, const char *text)
{
    return memmem(made->out.bytes.data, made->out.bytes.size, text, strlen(text)) != NULL;
}

static unsigned made_count(const struct made *made, const char *text)
{
    const uint8_t *at = made->out.bytes.data;
    const uint8_t *end = at + made->out.bytes.size;
    unsigned count = 0;
    while ((at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static void made_fini(struct made *made)
{
    pl_pdf_import_free(made->import);
    pl_pdf_writer_free(made->writer);
    pl_bytes_fini(&made->out.bytes);
}

/* One page with one image as object 5. */
static void pdf_with_image(struct memory_pdf *pdf, const char *page, const char *content,
                           const char *image, const void *data, size_t size)
{
    memory_pdf_init(pdf);
    memory_pdf_page(pdf, page, content);
    memory_pdf_stream(pdf, 5, image, data, size);
}

static void open_for(struct memory_pdf *pdf, enum pl_want want)
{
    struct pl_fault fault = { 0 };
    memory_pdf_end(pdf);
    assert_int_equal(memory_pdf_open(pdf, want, &fault), PL_OK);
}

/* Imports the only page of a file that has its objects. */
static void import_one(struct memory_pdf *pdf, enum pl_want want, struct made *made)
{
    open_for(pdf, want);
    made_init(made);
    made_page(made, pdf, 0, 0);
    made_end(made);
    memory_pdf_fini(pdf);
}

static void import__any_page__is_copied_deeply(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    pdf_with_image(&pdf,
                   "/Resources<</XObject<</I 5 0 R>>/Font<</F 7 0 R>>>>/StructParents 3"
                   "/PieceInfo<</Secret(x)>>/Thumb 5 0 R/AA<</O 6 0 R>>/B[6 0 R]",
                   DRAW " BT /F 9 Tf (a\\)b) Tj ET",
                   IMAGE "/ColorSpace/DeviceGray/Interpolate true", samples, 8);
    memory_pdf_object(&pdf, 6, "<</S/JavaScript/JS(app.alert\\(1\\))>>");
    memory_pdf_object(&pdf, 7,
                      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Widths[8 0 R 0.25 "
                      "-1.5 .000001]/Odd#20Name<00ff>/Loop 7 0 R/Gone 40 0 R>>");
    memory_pdf_object(&pdf, 8, "278");
    import_one(&pdf, PL_WANT_PDF, &made);
    assert_true(made_has(&made, "/Interpolate true"));
    assert_true(made_has(&made, "0.25 -1.5 0.000001]"));
    assert_true(made_has(&made, "/Odd#20Name"));
    assert_false(made_has(&made, "JavaScript"));
    assert_false(made_has(&made, "Secret"));
    assert_false(made_has(&made, "StructParents"));
    assert_false(made_has(&made, "/Thumb"));
    made_fini(&made);
}

static void import__two_pages_that_share__copy_it_once(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    memory_pdf_init(&pdf);
    memory_pdf_object(&pdf, 1, "<</Type/Catalog/Pages 2 0 R>>");
    memory_pdf_object(&pdf, 2,
                      "<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2/MediaBox[0 0 72 72]/Rotate 90"
                      "/Resources<</XObject<</I 5 0 R>>>>>>");
    memory_pdf_object(&pdf, 3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>");
    memory_pdf_stream(&pdf, 4, "", DRAW, strlen(DRAW));
    memory_pdf_stream(&pdf, 5, IMAGE "/ColorSpace/DeviceGray", samples, 8);
    memory_pdf_object(&pdf, 6, "<</Type/Page/Parent 2 0 R/Contents[4 0 R]/Rotate 0>>");
    open_for(&pdf, PL_WANT_PDF);
    made_init(&made);
    made_page(&made, &pdf, 0, 180);
    made_page(&made, &pdf, 1, 0);
    made_page(&made, &pdf, 0, 0);
    made_end(&made);
    assert_int_equal(made_count(&made, "/Subtype/Image"), 1);
    assert_int_equal(made_count(&made, "/MediaBox[ 0 0 72 72]"), 3);
    assert_int_equal(made_count(&made, "/Rotate 270"), 1);
    assert_int_equal(made_count(&made, "/Rotate 90"), 1);
    made_fini(&made);
    memory_pdf_fini(&pdf);
}

static void import__links__lead_to_pages_that_travel_or_go(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    memory_pdf_init(&pdf);
    memory_pdf_object(&pdf, 1, "<</Type/Catalog/Pages 2 0 R>>");
    memory_pdf_object(&pdf, 2, "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 72 72]>>");
    memory_pdf_object(&pdf, 3, "<</Type/Page/Parent 2 0 R/Annots[5 0 R 6 0 R 7 0 R 8 0 R 9 0 R]>>");
    memory_pdf_object(&pdf, 4, "<</Type/Page/Parent 2 0 R>>");
    memory_pdf_object(&pdf, 5, "<</Subtype/Link/Rect[0 0 1 1]/Dest[3 0 R/Fit]/T(own)>>");
    memory_pdf_object(&pdf, 6, "<</Subtype/Link/Rect[0 0 1 1]/Dest[4 0 R/Fit]/T(other)>>");
    memory_pdf_object(&pdf, 7, "<</Subtype/Link/Rect[0 0 1 1]/A<</S/URI/URI(http://x)>>/T(web)>>");
    memory_pdf_object(&pdf, 8, "<</Subtype/Link/Rect[0 0 1 1]/A<</S/Launch/F(evil)>>/T(bad)>>");
    memory_pdf_object(&pdf, 9, "<</Subtype/Widget/Rect[0 0 1 1]/Parent 10 0 R/P 4 0 R/T(field)>>");
    memory_pdf_object(&pdf, 10, "<</Kids[9 0 R]/T(form)>>");
    import_one(&pdf, PL_WANT_PDF, &made);
    assert_true(made_has(&made, "(own)"));
    assert_true(made_has(&made, "(web)"));
    assert_true(made_has(&made, "(field)"));
    assert_true(made_has(&made, "/P null"));
    assert_false(made_has(&made, "(other)"));
    assert_false(made_has(&made, "(bad)"));
    assert_false(made_has(&made, "(form)"));
    assert_int_equal(made_count(&made, "/Type/Page/"), 1);
    made_fini(&made);
}

/* What an interpreter made for PDF/A comes as any PDF does. */
static void import__page_made_for_pdfa__loses_what_it_never_allows(void **state)
{
    (void)state;
    for (unsigned part = 0; part <= 3; part++) {
        struct memory_pdf pdf;
        struct made made;
        memory_pdf_init(&pdf);
        memory_pdf_page(&pdf,
                        "/Annots[5 0 R 6 0 R 7 0 R 8 0 R]"
                        "/Group<</S/Transparency/I true/CS 9 0 R>>",
                        "0 0 9 9 re f");
        memory_pdf_object(&pdf, 5, "<</Subtype/Sound/Rect[0 0 1 1]/T(sound)>>");
        memory_pdf_object(&pdf, 6, "<</Subtype/FileAttachment/Rect[0 0 1 1]/T(file)>>");
        memory_pdf_object(&pdf, 7, "<</Subtype/Polygon/Rect[0 0 1 1]/T(polygon)>>");
        memory_pdf_object(&pdf, 8, "<</Subtype/Stamp/Rect[0 0 1 1]/T(stamp)>>");
        memory_pdf_object(&pdf, 9, "/DeviceCMYK");
        open_for(&pdf, PL_WANT_PDF);
        made_init_part(&made, part);
        made_page(&made, &pdf, 0, 0);
        made_end(&made);
        assert_int_equal(made_has(&made, "(sound)"), part == 0);
        assert_int_equal(made_has(&made, "(file)"), part == 0);
        assert_int_equal(made_has(&made, "(polygon)"), part != 1);
        assert_true(made_has(&made, "(stamp)"));
        assert_int_equal(made_has(&made, "DeviceCMYK"), part == 0);
        assert_int_equal(made_has(&made, "/CS/DeviceRGB"), part != 0);
        made_fini(&made);
        memory_pdf_fini(&pdf);
    }
}

static void import__pdfa__keeps_what_is_allowed_only(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    pdf_with_image(&pdf,
                   "/Resources<</XObject<</I 5 0 R/Unused 8 0 R>>/Font<</F 6 0 R>>"
                   "/ExtGState<</G 7 0 R>>>>/Group<</S/Transparency/CS/DeviceCMYK>>",
                   "/G gs " DRAW,
                   IMAGE "/ColorSpace/DeviceGray/Interpolate true/Intent/Odd/Name/X/OPI<<>>"
                         "/Alternates[]/Metadata 6 0 R",
                   samples, 8);
    memory_pdf_object(&pdf, 6, "<</Font/Yes>>");
    memory_pdf_object(&pdf, 7, "<</ca 1/TR/Identity/HT/Default/OPM 1/SA true>>");
    memory_pdf_object(&pdf, 8, "<</Unused/Yes>>");
    import_one(&pdf, PL_WANT_PDFA_2, &made);
    static const char *const gone[] = { "Interpolate", "Intent", "OPI",       "Alternates",
                                        "Metadata",    "Unused", "/Font",     "/TR",
                                        "/HT",         "/OPM",   "DeviceCMYK" };
    for (size_t i = 0; i < PL_COUNT_OF(gone); i++)
        assert_false(made_has(&made, gone[i]));
    assert_true(made_has(&made, "/SA true"));
    made_fini(&made);
}

static void import__pdfa_of_lzw__is_flate_with_the_same_samples(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    struct pl_bytes lzw = { 0 };
    pl_bytes_init(&lzw, 4096);
    assert_int_equal(pl_lzw_encode(samples, 8, &lzw), PL_OK);
    pdf_with_image(&pdf, ONE_IMAGE, DRAW, IMAGE "/ColorSpace/DeviceGray/Filter/LZWDecode", lzw.data,
                   lzw.size);
    pl_bytes_fini(&lzw);
    import_one(&pdf, PL_WANT_PDFA_2, &made);
    assert_false(made_has(&made, "LZW"));
    assert_true(made_has(&made, "/Filter/FlateDecode"));
    struct memory_pdf again = { .count = 1 };
    struct pl_page page;
    struct pl_fault fault = { 0 };
    again.bytes = made.out.bytes;
    assert_int_equal(memory_pdf_open(&again, PL_WANT_PICTURE, &fault), PL_OK);
    assert_int_equal(memory_pdf_load(&again, 0, &page, &fault), PL_OK);
    assert_int_equal(page.width_px, 4);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    pl_page_fini(&page);
    again.bytes = (struct pl_bytes){ 0 };
    memory_pdf_fini(&again);
    made_fini(&made);
}

static void import__pdfa_of_device_cmyk__gets_a_profile(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    pdf_with_image(&pdf, ONE_IMAGE, "0 0 0 1 k 9 9 9 9 re f " DRAW, IMAGE "/ColorSpace/DeviceCMYK",
                   samples, 32);
    import_one(&pdf, PL_WANT_PDFA_2, &made);
    assert_true(made_has(&made, "/ColorSpace[/ICCBased "));
    assert_true(made_has(&made, "/DefaultCMYK[/ICCBased "));
    assert_int_equal(made_count(&made, "/N 4"), 1);
    made_fini(&made);
}

static void import__pdfa_of_layered_scan__keeps_masks_and_stencils(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    struct made made;
    pdf_with_image(&pdf, "/Resources<</XObject<</I 5 0 R/S 6 0 R/F 7 0 R>>>>",
                   DRAW " 0 g q 72 0 0 72 0 0 cm /S Do Q /F Do",
                   IMAGE "/ColorSpace/DeviceGray/Mask 6 0 R", samples, 8);
    memory_pdf_stream(&pdf, 6, "/Subtype/Image/Width 8/Height 1/ImageMask true", "\x55", 1);
    memory_pdf_stream(&pdf, 7, "/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</S 6 0 R>>>>",
                      "/S Do", 5);
    import_one(&pdf, PL_WANT_PDFA_1, &made);
    assert_int_equal(made_count(&made, "/ImageMask true"), 1);
    assert_int_equal(made_count(&made, "/Subtype/Form"), 1);
    made_fini(&made);
}

static void allows__each_rule__names_itself(void **state)
{
    (void)state;
    static const struct {
        const char *page;
        const char *content;
        const char *image;
        const char *first;  /* why PDF/A-1 does not take it; "": it does */
        const char *second; /* the same for 2 */
    } rows[] = {
        { "", DRAW, "/ColorSpace/DeviceGray", "", "" },
        { "", DRAW, "/ColorSpace/DeviceRGB/SMask 6 0 R", "soft mask, which PDF/A-1", "" },
        { "", DRAW, "/ColorSpace/DeviceCMYK", "CMYK colours without", "" },
        { "", DRAW, "/ColorSpace[/Separation/X/DeviceGray 7 0 R]", "spot", "spot" },
        { "", DRAW, "/ColorSpace[/ICCBased 6 0 R]", "unknown colour", "unknown colour" },
        { "", DRAW, "/ColorSpace/DeviceGray/Filter/Odd", "unknown encoding", "unknown encoding" },
        { "", DRAW " BT /F 9 Tf (x) Tj ET", "/ColorSpace/DeviceGray", "text", "text" },
        { "", DRAW " /P sh", "/ColorSpace/DeviceGray", "shadings", "shadings" },
        { "", DRAW " frobnicate", "/ColorSpace/DeviceGray", "does not know", "does not know" },
        { "", DRAW " /J Do", "/ColorSpace/DeviceGray", "missing", "missing" },
        { "", DRAW " /Odd ri", "/ColorSpace/DeviceGray", "intent", "intent" },
        { "", DRAW " 40000.5 0 m n", "/ColorSpace/DeviceGray", "too large for PDF/A-1", "" },
        { "/ca .5", "/G gs " DRAW, "/ColorSpace/DeviceGray", "transparent", "" },
        { "/BM/Odd", "/G gs " DRAW, "/ColorSpace/DeviceGray", "transparent", "blend mode" },
        { "/TR<<>>", "/G gs " DRAW, "/ColorSpace/DeviceGray", "transfer", "transfer" },
        { "/OP true", "/G gs " DRAW, "/ColorSpace/DeviceGray", "overprints", "overprints" },
        { "", "q q q q q q q q q q q q q q q q q q q q q q q q q q q q q " DRAW,
          "/ColorSpace/DeviceGray", "28 deep", "28 deep" },
    };
    for (size_t i = 0; i < 2 * PL_COUNT_OF(rows); i++) {
        bool second = i % 2 != 0;
        const char *why = second ? rows[i / 2].second : rows[i / 2].first;
        struct memory_pdf pdf;
        struct pl_page page;
        struct pl_fault fault = { 0 };
        char resources[256];
        char image[256];
        (void)snprintf(resources, sizeof resources,
                       "/Resources<</XObject<</I 5 0 R>>/ExtGState<</G<<%s>>>>>>",
                       rows[i / 2].page);
        (void)snprintf(image, sizeof image, IMAGE "%s", rows[i / 2].image);
        pdf_with_image(&pdf, resources, rows[i / 2].content, image, samples, 8);
        memory_pdf_stream(&pdf, 6, IMAGE "/ColorSpace/DeviceGray", samples, 8);
        open_for(&pdf, second ? PL_WANT_PDFA_2 : PL_WANT_PDFA_1);
        pl_status status = memory_pdf_load(&pdf, 0, &page, &fault);
        if (status != (why[0] == '\0' ? PL_OK : PL_NEEDS_INTERPRETER) ||
            strstr(fault.reason, why) == NULL)
            print_error("row %zu: %s: %s\n", i / 2, pl_status_name(status), fault.reason);
        assert_int_equal(status, why[0] == '\0' ? PL_OK : PL_NEEDS_INTERPRETER);
        assert_non_null(strstr(fault.reason, why));
        pl_page_fini(&page);
        memory_pdf_fini(&pdf);
    }
}

static void allows__page_of_an_odd_size__is_refused(void **state)
{
    (void)state;
    static const char *const boxes[] = { "[0 0 2 72]", "[0 0 72 14401]", "[0 0 72]" };
    for (size_t i = 0; i < PL_COUNT_OF(boxes); i++) {
        struct memory_pdf pdf;
        struct pl_page page;
        struct pl_fault fault = { 0 };
        char entries[128];
        (void)snprintf(entries, sizeof entries, "/MediaBox%s", boxes[i]);
        memory_pdf_init(&pdf);
        memory_pdf_page(&pdf, entries, "");
        open_for(&pdf, PL_WANT_PDFA_2);
        assert_int_equal(memory_pdf_load(&pdf, 0, &page, &fault), PL_NEEDS_INTERPRETER);
        assert_non_null(strstr(fault.reason, "size"));
        pl_page_fini(&page);
        memory_pdf_fini(&pdf);
    }
}

static void import__output_that_fails__is_told(void **state)
{
    (void)state;
    struct memory_pdf pdf;
    pdf_with_image(&pdf, ONE_IMAGE, DRAW, IMAGE "/ColorSpace/DeviceGray", samples, 8);
    open_for(&pdf, PL_WANT_PDF);
    struct made made = { 0 };
    struct pl_page page;
    memory_out_init(&made.out, 1);
    assert_int_equal(pl_pdf_writer_new(&made.out.out, 7, NULL, &made.writer), PL_OK);
    assert_int_equal(pl_pdf_import_new(made.writer, 0, &made.import), PL_OK);
    assert_int_equal(memory_pdf_load(&pdf, 0, &page, &made.fault), PL_OK);
    pl_status status = PL_OK;
    for (unsigned i = 0; i < 1000 && status == PL_OK; i++) {
        uint32_t number = pl_pdf_reserve(made.writer);
        if (number == 0)
            break;
        status = pl_pdf_import_page(made.import, page.pdf, number, 1, &made.fault);
    }
    assert_int_equal(status, PL_NO_SPACE);
    pl_page_fini(&page);
    memory_pdf_fini(&pdf);
    made_fini(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(import__any_page__is_copied_deeply),
        cmocka_unit_test(import__two_pages_that_share__copy_it_once),
        cmocka_unit_test(import__links__lead_to_pages_that_travel_or_go),
        cmocka_unit_test(import__page_made_for_pdfa__loses_what_it_never_allows),
        cmocka_unit_test(import__pdfa__keeps_what_is_allowed_only),
        cmocka_unit_test(import__pdfa_of_lzw__is_flate_with_the_same_samples),
        cmocka_unit_test(import__pdfa_of_device_cmyk__gets_a_profile),
        cmocka_unit_test(import__pdfa_of_layered_scan__keeps_masks_and_stencils),
        cmocka_unit_test(allows__each_rule__names_itself),
        cmocka_unit_test(allows__page_of_an_odd_size__is_refused),
        cmocka_unit_test(import__output_that_fails__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
