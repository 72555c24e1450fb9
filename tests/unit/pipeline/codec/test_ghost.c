/* test_ghost: documents that only an interpreter can read, made here, so that what must be told
 * about each is known.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost.h"

#include "tests/support/pl_test.h"
#include "tests/unit/pipeline/codec/page_pdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rig {
    char scratch[64];
    struct pl_interpreter *ghost;
};

static int rig_set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct pl_fault fault = { .status = PL_OK };
    assert_non_null(rig);
    (void)snprintf(rig->scratch, sizeof rig->scratch, "/dev/shm/platen-test-XXXXXX");
    assert_non_null(mkdtemp(rig->scratch));
    if (pl_ghost_new(rig->scratch, &rig->ghost, &fault) != PL_OK)
        print_message("%s\n", fault.reason);
    assert_non_null(rig->ghost);
    *state = rig;
    return 0;
}

static int rig_tear_down(void **state)
{
    struct rig *rig = *state;
    char path[80];
    pl_ghost_free(rig->ghost);
    (void)snprintf(path, sizeof path, "%s/in", rig->scratch);
    (void)unlink(path);
    assert_int_equal(rmdir(rig->scratch), 0); /* nothing else was left there */
    free(rig);
    return 0;
}

struct made {
    pl_status status;
    struct pl_fault fault;
    struct pl_interpreted report;
    uint8_t *data;
    size_t size;
};

static struct made make(struct rig *rig, const void *data, size_t size, unsigned pdfa)
{
    struct made made = { .status = PL_OK };
    struct pl_source *source = NULL;
    struct pl_source *out = NULL;
    assert_int_equal(pl_source_memory_new(data, size, &source), PL_OK);
    made.status = rig->ghost->ops->to_pdf(rig->ghost, source, NULL, pdfa, &pl_limits_default, &out,
                                          &made.report, &made.fault);
    if (made.status == PL_OK) {
        made.size = (size_t)out->size;
        made.data = malloc(made.size);
        assert_non_null(made.data);
        assert_int_equal(pl_source_read(out, 0, made.data, made.size), PL_OK);
        out->ops->free(out);
        assert_memory_equal(made.data, "%PDF-", 5);
    } else {
        assert_true(made.fault.reason[0] != '\0');
    }
    source->ops->free(source);
    return made;
}

static struct made make_text(struct rig *rig, const char *text, unsigned pdfa)
{
    return make(rig, text, strlen(text), pdfa);
}

static bool made_has(const struct made *made, const void *bytes, size_t size)
{
    return memmem(made->data, made->size, bytes, size) != NULL;
}

/* -- PostScript -- */

static void ghost__postscript__becomes_a_pdf_with_its_pages(void **state)
{
    struct rig *rig = *state;
    for (int turn = 0; turn < 2; turn++) { /* the second in an instance of its own */
        struct made made = make_text(rig,
                                     "%!PS\n<< /PageSize [200 100] >> setpagedevice\n"
                                     "10 10 50 50 rectfill showpage\n"
                                     "20 20 50 50 rectfill showpage\n",
                                     0);
        assert_int_equal(made.status, PL_OK);
        assert_int_equal(made.report.pages, 2);
        assert_string_equal(made.report.note, "");
        assert_false(made.report.repaired);
        assert_true(made_has(&made, "/Count 2", 8));
        free(made.data);
    }
}

static void ghost__eps__is_cropped_to_its_bounding_box(void **state)
{
    struct made made = make_text(*state,
                                 "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 100 200 140 260\n"
                                 "%%EndComments\n100 200 40 60 rectfill\n%%EOF\n",
                                 0);
    assert_int_equal(made.status, PL_OK);
    assert_int_equal(made.report.pages, 1);
    assert_true(made_has(&made, "/MediaBox [0 0 40 60]", 21));
    free(made.data);
}

static void ghost__program_that_fails__is_refused_with_its_words(void **state)
{
    struct rig *rig = *state;
    struct made made =
        make_text(rig, "%!PS\n10 10 50 50 rectfill showpage\n(a) 1 add showpage\n", 0);
    assert_int_equal(made.status, PL_BAD_DOCUMENT);
    assert_non_null(strstr(made.fault.reason, "typecheck in add"));
    made = make_text(rig, "%!PS\n10 10 50 50 rectfill\n", 0);
    assert_int_equal(made.status, PL_BAD_DOCUMENT);
    assert_non_null(strstr(made.fault.reason, "draws no page"));
    made = make_text(rig, "this is no program at all", 0);
    assert_int_equal(made.status, PL_BAD_DOCUMENT);
    /* And the interpreter lives on. */
    made = make_text(rig, "%!PS\n10 10 50 50 rectfill showpage\n", 0);
    assert_int_equal(made.status, PL_OK);
    free(made.data);
}

static void ghost__program_that_breaks_its_world__is_judged_all_the_same(void **state)
{
    static const char *const programs[] = {
        "%!PS\nuserdict /restore {(x) print} put userdict /clear {} put showpage\n",
        "%!PS\nserverdict begin 0 exitserver\nuserdict /print {pop} put showpage\n",
        "%!PS\nnulldevice 1 1 100000 { dup } for\n",
        "%!PS\n/f { f 1 } def f\n",
        "%!PS\n<< /OutputDevice /nullpage >> setpagedevice showpage quit\n",
    };
    for (size_t i = 0; i < PL_COUNT_OF(programs); i++) {
        struct made made = make_text(*state, programs[i], 0);
        assert_true(made.status == PL_OK || made.status == PL_BAD_DOCUMENT);
        free(made.data);
    }
    struct made made = make_text(*state, "%!PS\n10 10 50 50 rectfill showpage\n", 0);
    assert_int_equal(made.status, PL_OK);
    free(made.data);
}

static void ghost__safer__keeps_a_program_from_files(void **state)
{
    static const char *const programs[] = {
        "%!PS\n(/etc/passwd) (r) file showpage\n",
        "%!PS\n(/tmp/platen-escaped) (w) file showpage\n",
        "%!PS\n(%pipe%id) (r) file showpage\n",
        "%!PS\n(/etc/hostname) deletefile showpage\n",
        "%!PS\n(PATH) getenv { pop showpage } { stop } ifelse\n",
    };
    for (size_t i = 0; i < PL_COUNT_OF(programs); i++) {
        struct made made = make_text(*state, programs[i], 0);
        assert_int_equal(made.status, PL_BAD_DOCUMENT);
    }
    assert_int_not_equal(access("/tmp/platen-escaped", F_OK), 0);
}

/* -- PDF -- */

static void ghost__what_is_replaced__is_told(void **state)
{
    struct page_pdf pdf;
    page_pdf_make(&pdf,
                  "/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /NoSuchFont >> >> "
                  "/ExtGState << /T << /ca 0.5 >> /O << /op true /OP true /OPM 1 >> >> "
                  "/ColorSpace << /S [/Separation /Gold /DeviceCMYK << /FunctionType 2 "
                  "/Domain [0 1] /C0 [0 0 0 0] /C1 [0 0.2 0.9 0] /N 1 >>] >>",
                  "BT /F1 20 Tf 20 150 Td (Hello) Tj ET /O gs /S cs 0.7 scn 10 10 50 50 re f "
                  "/T gs 1 0 0 rg 20 20 50 50 re f",
                  "");
    struct made made = make(*state, pdf.data, pdf.size, 2);
    assert_int_equal(made.status, PL_OK);
    assert_int_equal(made.report.pages, 1);
    assert_false(made.report.repaired);
    assert_string_equal(made.report.note,
                        "1 font was missing and replaced (NoSuchFont); 1 spot colour (Gold); "
                        "transparency on 1 page; overprint is not kept");
    free(made.data);
    made = make(*state, pdf.data, pdf.size, 1);
    assert_int_equal(made.status, PL_OK);
    assert_non_null(strstr(made.report.note, "transparency on 1 page was flattened"));
    free(made.data);
}

static void ghost__jpeg_in_a_pdf__is_not_encoded_again(void **state)
{
    struct page_pdf pdf;
    size_t size = page_pdf_make_jpeg(&pdf);
    for (unsigned pdfa = 0; pdfa <= 3; pdfa++) {
        struct made made = make(*state, pdf.data, pdf.size, pdfa);
        assert_int_equal(made.status, PL_OK);
        assert_true(made_has(&made, pdf.jpeg, size));
        free(made.data);
    }
}

static void ghost__damaged_pdf__is_repaired_with_a_reason_or_refused(void **state)
{
    struct page_pdf pdf;
    page_pdf_make(&pdf, "", "0 0 50 50 re f", "");
    char *found = memmem(pdf.data, pdf.size, "startxref", 9);
    assert_non_null(found);
    memcpy(found, "startxxxx", 9);
    struct made made = make(*state, pdf.data, pdf.size, 0);
    assert_int_equal(made.status, PL_OK);
    assert_true(made.report.repaired);
    assert_non_null(strstr(made.report.note, "damage was worked around"));
    free(made.data);
    found = memmem(pdf.data, pdf.size, "/Catalog", 8);
    assert_non_null(found);
    memcpy(found, "/Xatalog", 8);
    found = memmem(pdf.data, pdf.size, "/Pages 2 0 R", 12);
    assert_non_null(found);
    memcpy(found, "/Xages 2 0 R", 12);
    made = make(*state, pdf.data, pdf.size, 0);
    assert_int_equal(made.status, PL_BAD_DOCUMENT);
}

/* -- pages drawn -- */

static void draw(struct rig *rig, const struct page_pdf *pdf, uint32_t dpi, bool bilevel,
                 struct pl_picture *picture)
{
    struct pl_source *source = NULL;
    struct pl_interpreted report = { .pages = 0 };
    struct pl_fault fault = { .status = PL_OK };
    assert_int_equal(pl_source_memory_new(pdf->data, pdf->size, &source), PL_OK);
    assert_int_equal(
        rig->ghost->ops->open(rig->ghost, source, NULL, &pl_limits_default, &report, &fault),
        PL_OK);
    assert_int_equal(report.pages, 1);
    assert_int_equal(rig->ghost->ops->render(rig->ghost, 0, dpi, bilevel, &pl_limits_default,
                                             picture, &report, &fault),
                     PL_OK);
    assert_string_equal(report.note, "");
    rig->ghost->ops->close(rig->ghost);
    source->ops->free(source);
    assert_int_equal(picture->x_mdpi, dpi * 1000);
    assert_int_equal(picture->y_mdpi, dpi * 1000);
}

static void ghost__page__is_drawn_upright_in_its_colours(void **state)
{
    struct page_pdf pdf;
    struct pl_picture picture = { .pixels = NULL };
    /* 200 x 200 points; red in the lower left before, in the upper left after a turn. */
    page_pdf_make(&pdf, "", "1 0 0 rg 0 0 100 50 re f", "/Rotate 90 /CropBox [0 0 200 100]");
    draw(*state, &pdf, 72, false, &picture);
    assert_int_equal(picture.colour, PL_COLOUR_RGB);
    assert_int_equal(picture.width_px, 100);
    assert_int_equal(picture.height_px, 200);
    const uint8_t *pixel = picture.pixels + 5 * picture.stride + (size_t)10 * 3;
    assert_int_equal(pixel[0], 255);
    assert_int_equal(pixel[1], 0);
    pixel = picture.pixels + 195 * picture.stride + (size_t)10 * 3;
    assert_int_equal(pixel[1], 255);
    pl_picture_fini(&picture);
}

static void ghost__grey_page__is_grey_and_bilevel_is_bits(void **state)
{
    struct page_pdf pdf;
    struct pl_picture picture = { .pixels = NULL };
    page_pdf_make(&pdf, "", "0.5 g 0 150 100 50 re f 0 g 100 150 100 50 re f", "");
    draw(*state, &pdf, 144, false, &picture);
    assert_int_equal(picture.colour, PL_COLOUR_GREY);
    assert_int_equal(picture.width_px, 400);
    assert_in_range(picture.pixels[10], 120, 135);
    assert_int_equal(picture.pixels[350], 0);
    assert_int_equal(picture.pixels[300 * picture.stride], 255);
    draw(*state, &pdf, 144, true, &picture);
    assert_int_equal(picture.colour, PL_COLOUR_BILEVEL);
    assert_int_equal(picture.stride % 8, 0);
    assert_int_equal(picture.pixels[350 / 8], 0xff);                  /* black is 1 */
    assert_int_equal(picture.pixels[300 * picture.stride + 5], 0x00); /* white */
    pl_picture_fini(&picture);
}

static void ghost__page_over_the_limit__is_refused_before_it_is_drawn(void **state)
{
    struct rig *rig = *state;
    struct page_pdf pdf;
    struct pl_source *source = NULL;
    struct pl_interpreted report = { .pages = 0 };
    struct pl_fault fault = { .status = PL_OK };
    struct pl_picture picture = { .pixels = NULL };
    struct pl_limits limits = pl_limits_default;
    limits.colour_px = 1000;
    page_pdf_make(&pdf, "", "0 0 50 50 re f", "");
    assert_int_equal(pl_source_memory_new(pdf.data, pdf.size, &source), PL_OK);
    assert_int_equal(rig->ghost->ops->open(rig->ghost, source, NULL, &limits, &report, &fault),
                     PL_OK);
    assert_int_equal(
        rig->ghost->ops->render(rig->ghost, 0, 300, false, &limits, &picture, &report, &fault),
        PL_TOO_LARGE);
    assert_non_null(strstr(fault.reason, "page 1"));
    assert_null(picture.pixels);
    rig->ghost->ops->close(rig->ghost);
    limits.pages = 0;
    fault = (struct pl_fault){ .status = PL_OK };
    assert_int_equal(rig->ghost->ops->open(rig->ghost, source, NULL, &limits, &report, &fault),
                     PL_TOO_LARGE);
    assert_non_null(strstr(fault.reason, "1 pages, limit 0"));
    source->ops->free(source);
}

#define GHOST_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GHOST_TEST(ghost__postscript__becomes_a_pdf_with_its_pages),
        GHOST_TEST(ghost__eps__is_cropped_to_its_bounding_box),
        GHOST_TEST(ghost__program_that_fails__is_refused_with_its_words),
        GHOST_TEST(ghost__program_that_breaks_its_world__is_judged_all_the_same),
        GHOST_TEST(ghost__safer__keeps_a_program_from_files),
        GHOST_TEST(ghost__what_is_replaced__is_told),
        GHOST_TEST(ghost__jpeg_in_a_pdf__is_not_encoded_again),
        GHOST_TEST(ghost__damaged_pdf__is_repaired_with_a_reason_or_refused),
        GHOST_TEST(ghost__page__is_drawn_upright_in_its_colours),
        GHOST_TEST(ghost__grey_page__is_grey_and_bilevel_is_bits),
        GHOST_TEST(ghost__page_over_the_limit__is_refused_before_it_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
