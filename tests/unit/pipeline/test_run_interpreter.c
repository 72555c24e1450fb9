/* test_run_interpreter: documents that go through Ghostscript as wholes, from end to end: what
 * comes back is the same each time, images stay as they came in, what is missing is told, and a
 * page that the format refuses is drawn.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/ghost.h"
#include "pipeline/run.h"
#include "tests/support/memory_out.h"
#include "tests/unit/pipeline/pdf/memory_pdf.h"

#include <stdio.h> /* jpeglib.h does not include it */

#include <jpeglib.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIDE 200

/* Text that keeps any page from being one picture. */
#define TEXT "BT /F 12 Tf 20 20 Td (Platen) Tj ET "
#define FONT "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"

/* Takes one document, as often as it is begun. */
struct tray {
    struct pl_documents documents;
    struct memory_out out;
    unsigned begun;
    unsigned refuse; /* that many times what ended is refused */
};

struct rig {
    char scratch[64];
    struct pl_interpreter *ghost;
    struct pl_interpreter *interpreter; /* the one that a run gets */
    struct pl_plan plan;
    struct tray tray;
    struct pl_run_result result;
    struct pl_fault fault;
};

static pl_status tray_begin(struct pl_documents *documents, uint32_t n, struct pl_out **out,
                            struct pl_fault *fault)
{
    struct tray *tray = (struct tray *)documents;
    (void)fault;
    assert_int_equal(n, 1);
    pl_bytes_fini(&tray->out.bytes);
    memory_out_init(&tray->out, 0);
    tray->begun++;
    *out = &tray->out.out;
    return PL_OK;
}

static pl_status tray_end(struct pl_documents *documents, const struct pl_run_document *document,
                          struct pl_fault *fault)
{
    struct tray *tray = (struct tray *)documents;
    (void)document;
    if (tray->begun <= tray->refuse)
        return pl_fault_set(fault, PL_BAD_RESULT,
                            "page 1: object 7: ISO 19005-2 6.2.11.8: said so");
    return PL_OK;
}

static int rig_set_up(void **state)
{
    static const struct pl_documents_ops ops = { tray_begin, tray_end };
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    (void)snprintf(rig->scratch, sizeof rig->scratch, "/dev/shm/platen-test-XXXXXX");
    assert_non_null(mkdtemp(rig->scratch));
    assert_int_equal(pl_ghost_new(rig->scratch, &rig->ghost, &rig->fault), PL_OK);
    rig->interpreter = rig->ghost;
    rig->tray.documents.ops = &ops;
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
    assert_int_equal(rmdir(rig->scratch), 0);
    pl_bytes_fini(&rig->tray.out.bytes);
    pl_run_result_fini(&rig->result);
    free(rig);
    return 0;
}

/* Afterwards the tray has the document and `result` is told anew. */
static pl_status rig_run(struct rig *rig, const void *data, size_t size, enum pl_format format)
{
    struct pl_source *source = NULL;
    assert_int_equal(pl_source_memory_new(data, size, &source), PL_OK);
    pl_convert_defaults(&rig->plan.convert, format);
    const struct pl_run_job job = { .plan = &rig->plan,
                                    .inputs = &source,
                                    .input_count = 1,
                                    .documents = &rig->tray.documents,
                                    .limits = &pl_limits_default,
                                    .interpreter = rig->interpreter };
    pl_run_result_fini(&rig->result);
    rig->fault = (struct pl_fault){ .status = PL_OK };
    rig->tray.begun = 0;
    pl_status status = pl_run_plan(&job, &rig->result, &rig->fault);
    if (status != PL_OK)
        print_message("%s\n", rig->fault.reason);
    source->ops->free(source);
    return status;
}

static bool rig_has(const struct rig *rig, const void *bytes, size_t size)
{
    return memmem(rig->tray.out.bytes.data, rig->tray.out.bytes.size, bytes, size) != NULL;
}

static bool rig_ledger_has(const struct rig *rig, const char *text)
{
    return memmem(rig->result.page_ledger.data, rig->result.page_ledger.size, text, strlen(text)) !=
           NULL;
}

/* -- the same bytes -- */

static void run__interpreted_twice__same_bytes(void **state)
{
    struct rig *rig = *state;
    static const char program[] =
        "%!PS\n/Times-Roman findfont 20 scalefont setfont 20 20 moveto (Platen) show\n"
        "1 0 0 setrgbcolor 30 60 50 50 rectfill showpage\n"
        "/Helvetica findfont 9 scalefont setfont 20 20 moveto (two) show showpage\n";
    static const enum pl_format formats[] = { PL_FORMAT_PDF, PL_FORMAT_PDFA_1B, PL_FORMAT_PDFA_2B,
                                              PL_FORMAT_TIFF };
    struct memory_pdf pdf;
    memory_pdf_init(&pdf);
    memory_pdf_page(&pdf, "/Resources<<" FONT ">>", TEXT "1 0 1 0 k 9 9 30 30 re f");
    memory_pdf_end(&pdf);
    for (size_t i = 0; i < 2 * PL_COUNT_OF(formats); i++) {
        bool is_pdf = i % 2 == 1;
        const void *data = is_pdf ? (const void *)pdf.bytes.data : program;
        size_t size = is_pdf ? pdf.bytes.size : sizeof program - 1;
        assert_int_equal(rig_run(rig, data, size, formats[i / 2]), PL_OK);
        size_t first_size = rig->tray.out.bytes.size;
        uint8_t *first = malloc(first_size);
        assert_non_null(first);
        memcpy(first, rig->tray.out.bytes.data, first_size);
        sleep(1); /* whatever tells the time in seconds */
        assert_int_equal(rig_run(rig, data, size, formats[i / 2]), PL_OK);
        assert_int_equal(rig->tray.out.bytes.size, first_size);
        assert_memory_equal(rig->tray.out.bytes.data, first, first_size);
        free(first);
    }
    memory_pdf_fini(&pdf);
}

/* -- images as they came in -- */

static unsigned char *jpeg_make(unsigned samples, unsigned long *size)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned noise = 1;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, size);
    jpeg.image_width = jpeg.image_height = SIDE;
    jpeg.input_components = (int)samples;
    jpeg.in_color_space = samples == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (unsigned y = 0; y < SIDE; y++) {
        JSAMPLE row[SIDE * 3];
        for (unsigned i = 0; i < sizeof row; i++) {
            noise = noise * 1103515245 + 12345;
            row[i] = (JSAMPLE)(i / 4 + y / 2 + (noise >> 16) % 32);
        }
        JSAMPROW rows[] = { row };
        (void)jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return out;
}

/* A page with a JPEG of its own number of components under a soft mask, and text. */
static void masked_make(struct memory_pdf *pdf, unsigned samples, const unsigned char *jpeg,
                        size_t size)
{
    static uint8_t mask[SIDE * SIDE];
    char dict[256];
    for (size_t i = 0; i < sizeof mask; i++)
        mask[i] = (uint8_t)(i % SIDE);
    memory_pdf_init(pdf);
    memory_pdf_page(pdf, "/Resources<</XObject<</I 5 0 R>>" FONT ">>",
                    TEXT "q 40 0 0 40 9 9 cm /I Do Q");
    (void)snprintf(dict, sizeof dict,
                   "/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8"
                   "/ColorSpace/Device%s/SMask 6 0 R/Filter/DCTDecode",
                   SIDE, SIDE, samples == 1 ? "Gray" : "RGB");
    memory_pdf_stream(pdf, 5, dict, jpeg, size);
    (void)snprintf(dict, sizeof dict,
                   "/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8"
                   "/ColorSpace/DeviceGray",
                   SIDE, SIDE);
    memory_pdf_stream(pdf, 6, dict, mask, sizeof mask);
    memory_pdf_end(pdf);
}

static void run__jpeg_under_a_mask__keeps_its_data(void **state)
{
    struct rig *rig = *state;
    for (unsigned samples = 1; samples <= 3; samples += 2) {
        struct memory_pdf pdf;
        unsigned long size = 0;
        unsigned char *jpeg = jpeg_make(samples, &size);
        masked_make(&pdf, samples, jpeg, size);
        assert_int_equal(rig_run(rig, pdf.bytes.data, pdf.bytes.size, PL_FORMAT_PDFA_2B), PL_OK);
        assert_int_equal(rig->result.by_how[PL_PAGE_RENDERED], 1);
        assert_true(rig_has(rig, jpeg, size));
        assert_false(rig->result.repaired);
        /* Flattened into another number of images, of which none was lost. */
        assert_int_equal(rig_run(rig, pdf.bytes.data, pdf.bytes.size, PL_FORMAT_PDFA_1B), PL_OK);
        assert_false(rig->result.repaired);
        memory_pdf_fini(&pdf);
        free(jpeg);
    }
}

/* -- what is missing -- */

/* Gives a PDF of its own whatever is asked. */
struct forger {
    struct pl_interpreter base;
    struct memory_pdf pdf;
};

static pl_status forger_to_pdf(struct pl_interpreter *self, struct pl_source *source,
                               const char *password, unsigned pdfa, const struct pl_limits *limits,
                               struct pl_source **out, struct pl_interpreted *report,
                               struct pl_fault *fault)
{
    struct forger *forger = (struct forger *)self;
    (void)source;
    (void)password;
    (void)pdfa;
    (void)limits;
    (void)fault;
    report->pages = 1;
    return pl_source_memory_new(forger->pdf.bytes.data, forger->pdf.bytes.size, out);
}

static void run__annotation_that_pdfa_does_not_know__is_drawn(void **state)
{
    struct rig *rig = *state;
    struct memory_pdf pdf;
    memory_pdf_init(&pdf);
    memory_pdf_page(&pdf, "/Annots[6 0 R 7 0 R]", "0 0 9 9 re f");
    memory_pdf_stream(&pdf, 5, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "0 0 9 9 re f", 12);
    memory_pdf_object(&pdf, 6, "<</Subtype/Sound/Rect[9 9 18 18]/F 4/AP<</N 5 0 R>>>>");
    memory_pdf_object(&pdf, 7, "<</Subtype/Stamp/Rect[27 27 36 36]/F 4/AP<</N 5 0 R>>>>");
    memory_pdf_end(&pdf);
    assert_int_equal(rig_run(rig, pdf.bytes.data, pdf.bytes.size, PL_FORMAT_PDFA_2B), PL_OK);
    assert_false(rig_has(rig, "/Sound", 6));
    assert_true(rig_has(rig, "/Stamp", 6));
    memory_pdf_fini(&pdf);
}

static void run__image_that_the_interpreter_lost__is_told(void **state)
{
    static const struct pl_interpreter_ops ops = { .to_pdf = forger_to_pdf };
    struct rig *rig = *state;
    struct forger forger = { .base = { &ops } };
    struct memory_pdf pdf;
    unsigned long size = 0;
    unsigned char *jpeg = jpeg_make(3, &size);
    masked_make(&pdf, 3, jpeg, size);
    memory_pdf_init(&forger.pdf);
    memory_pdf_page(&forger.pdf, "", "0 0 9 9 re f");
    memory_pdf_end(&forger.pdf);
    rig->interpreter = &forger.base;
    assert_int_equal(rig_run(rig, pdf.bytes.data, pdf.bytes.size, PL_FORMAT_PDFA_2B), PL_OK);
    assert_true(rig->result.repaired);
    assert_non_null(strstr(rig->result.note, "page 1: 1 of 1 images lost"));
    assert_true(rig_ledger_has(rig, "1 of 1 images lost"));
    memory_pdf_fini(&forger.pdf);
    memory_pdf_fini(&pdf);
    free(jpeg);
}

/* -- what is refused -- */

static void run__made_page_that_is_refused__is_drawn(void **state)
{
    struct rig *rig = *state;
    static const char program[] = "%!PS\n<</PageSize [72 72]>> setpagedevice\n"
                                  "/Times-Roman findfont 20 scalefont setfont 9 9 moveto (A) show\n"
                                  "showpage\n";
    struct memory_pdf pdf;
    memory_pdf_init(&pdf);
    memory_pdf_page(&pdf, "/Resources<<" FONT ">>", TEXT);
    memory_pdf_end(&pdf);
    rig->tray.refuse = 1;
    for (unsigned turn = 0; turn < 2; turn++) {
        const void *data = turn == 0 ? (const void *)pdf.bytes.data : program;
        size_t size = turn == 0 ? pdf.bytes.size : sizeof program - 1;
        assert_int_equal(rig_run(rig, data, size, PL_FORMAT_PDFA_2B), PL_OK);
        assert_int_equal(rig->tray.begun, 2);
        assert_int_equal(rig->result.pages, 1);
        assert_int_equal(rig->result.documents, 1);
        assert_true(rig->result.repaired);
        assert_non_null(strstr(rig->result.note, "1 page could not be kept as text under pdfa-2b"));
        assert_true(rig_ledger_has(
            rig, "not kept as text under pdfa-2b (ISO 19005-2 6.2.11.8): drawn at 300 dpi"));
        assert_true(rig_ledger_has(rig, "\"width\":300"));
        assert_false(rig_has(rig, "/Font", 5));
    }
    memory_pdf_fini(&pdf);
}

/* Twice refused, or without a page of the interpreter's: the operator's. */
static void run__result_that_is_ours_and_refused__fails(void **state)
{
    struct rig *rig = *state;
    static const uint8_t grey[64] = { 1, 2, 3 };
    struct memory_pdf pdf;
    memory_pdf_init(&pdf);
    memory_pdf_page(&pdf, "/Resources<<" FONT ">>", TEXT);
    memory_pdf_end(&pdf);
    rig->tray.refuse = 2;
    assert_int_equal(rig_run(rig, pdf.bytes.data, pdf.bytes.size, PL_FORMAT_PDFA_2B),
                     PL_BAD_RESULT);
    assert_int_equal(rig->tray.begun, 2);
    memory_pdf_fini(&pdf);
    memory_pdf_init(&pdf);
    memory_pdf_page(&pdf, "/Resources<</XObject<</I 5 0 R>>>>", "72 0 0 72 0 0 cm /I Do");
    memory_pdf_stream(&pdf, 5,
                      "/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8"
                      "/ColorSpace/DeviceGray",
                      grey, sizeof grey);
    memory_pdf_end(&pdf);
    assert_int_equal(rig_run(rig, pdf.bytes.data, pdf.bytes.size, PL_FORMAT_PDFA_2B),
                     PL_BAD_RESULT);
    assert_int_equal(rig->tray.begun, 1);
    assert_non_null(strstr(rig->fault.reason, "said so"));
    memory_pdf_fini(&pdf);
}

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        RUN_TEST(run__interpreted_twice__same_bytes),
        RUN_TEST(run__jpeg_under_a_mask__keeps_its_data),
        RUN_TEST(run__annotation_that_pdfa_does_not_know__is_drawn),
        RUN_TEST(run__image_that_the_interpreter_lost__is_told),
        RUN_TEST(run__made_page_that_is_refused__is_drawn),
        RUN_TEST(run__result_that_is_ours_and_refused__fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
