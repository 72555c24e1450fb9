/* test_pdf_check: a document that keeps the rules, with one thing broken at a time, by hand and on
 * the writer's bytes; and results that the writer's own check refuses.
 *
 * scripts/conformance holds the same breakages against another validator.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/pdf/icc.h"
#include "pipeline/pdf/pdf_check.h"
#include "pipeline/pdf/pdf_shadow.h"
#include "pipeline/writer.h"
#include "tests/support/memory_out.h"
#include "tests/unit/pipeline/pdf/pdf_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a document by hand ----------------------------------------------------------------------- */

#define PAGE 3
#define CONTENT 4
#define PROFILE 5
#define METADATA 6
#define EXTRA 7  /* an object that a row gives */
#define EXTRA2 8 /* another */

struct row {
    const char *what;
    const char *catalog;   /* besides Pages, OutputIntents, Metadata */
    const char *page;      /* besides Parent, MediaBox, Contents, Resources */
    const char *resources; /* inside of them */
    const char *content;
    const char *extra;
    const char *extra2;
    const char *trailer;  /* NULL: the ID */
    const char *rules[4]; /* expected in part 1, 2, 3; NULL: nothing; [0] unused */
};

static void packet_write(struct pdf_maker *maker, unsigned part)
{
    char text[1024];
    (void)pl_text_format(
        text, sizeof text,
        "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
        "<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\""
        " xmlns:dc=\"http://purl.org/dc/elements/1.1/\">"
        "<pdfaid:part>%u</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"
        "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Gr\xc3\xbc\xc3\x9f"
        "e</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
        "<?xpacket end=\"w\"?>",
        part);
    pdf_maker_stream(maker, METADATA, "/Type/Metadata/Subtype/XML", text, strlen(text));
}

static void document_make(struct pdf_maker *maker, unsigned part, const struct row *row)
{
    char text[2048];
    struct pl_bytes profile;
    pl_bytes_init(&profile, 1 << 20);
    assert_int_equal(part == 1 ? pl_icc_srgb_2(&profile) : pl_icc_srgb(&profile), PL_OK);
    pdf_maker_init(maker, "");
    pdf_maker_text(maker, "%\xe2\xe3\xcf\xd3\n");
    (void)pl_text_format(text, sizeof text,
                         "<</Type/Catalog/Pages 2 0 R/Metadata 6 0 R/OutputIntents[<</Type/"
                         "OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)"
                         "/DestOutputProfile 5 0 R>>]%s>>",
                         row->catalog != NULL ? row->catalog : "");
    pdf_maker_object(maker, 1, text);
    pdf_maker_object(maker, 2, "<</Type/Pages/Count 1/Kids[3 0 R]>>");
    (void)pl_text_format(text, sizeof text,
                         "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R"
                         "/Resources<<%s>>%s>>",
                         row->resources != NULL ? row->resources : "",
                         row->page != NULL ? row->page : "");
    pdf_maker_object(maker, PAGE, text);
    const char *content = row->content != NULL ? row->content : "0 g 0 0 9 9 re f";
    pdf_maker_stream(maker, CONTENT, "", content, strlen(content));
    pdf_maker_stream(maker, PROFILE, "/N 3", profile.data, profile.size);
    packet_write(maker, part);
    if (row->extra != NULL)
        pdf_maker_object(maker, EXTRA, row->extra);
    if (row->extra2 != NULL)
        pdf_maker_object(maker, EXTRA2, row->extra2);
    pdf_maker_table(maker, row->trailer != NULL ? row->trailer : "/ID[<00><00>]");
    pl_bytes_fini(&profile);
}

static void bytes_check(const struct pl_bytes *bytes, unsigned part, struct pl_findings *findings)
{
    const struct pl_pdf_check check = { .part = part };
    struct pl_pdf_claim claim;
    struct pl_source *source = NULL;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_source_memory_new(bytes->data, bytes->size, &source), PL_OK);
    pl_status status = pl_pdf_check(source, &pl_limits_default, &check, &claim, findings, &fault);
    if (status != PL_OK)
        fail_msg("%s", fault.reason);
    source->ops->free(source);
}

static bool findings_have(const struct pl_findings *findings, const char *rule)
{
    for (size_t i = 0; i < findings->count; i++) {
        const char *clause = strrchr(findings->items[i].rule, ' ');
        if (clause != NULL && strcmp(clause + 1, rule) == 0)
            return true;
    }
    return false;
}

static void row_check(const struct row *row, unsigned part)
{
    struct pdf_maker maker;
    struct pl_findings findings = { 0 };
    document_make(&maker, part, row);
    bytes_check(&maker.out, part, &findings);
    const char *rule = row->rules[part];
    if (rule == NULL && findings.count > 0)
        fail_msg("%s, part %u: %s: %s", row->what, part, findings.items[0].rule,
                 findings.items[0].text);
    if (rule != NULL && !findings_have(&findings, rule))
        fail_msg("%s, part %u: %s was not found (%zu were, %s)", row->what, part, rule,
                 findings.count, findings.count > 0 ? findings.items[0].rule : "");
    pl_findings_fini(&findings);
    pdf_maker_fini(&maker);
}

#define BOTH(one, two)                                                                             \
    {                                                                                              \
        NULL, one, two, two                                                                        \
    }
#define FONT_USE .resources = "/Font<</F 7 0 R>>", .content = "0 g BT /F 9 Tf (a) Tj ET"
#define IMAGE(entries)                                                                             \
    .resources = "/XObject<</I 7 0 R>>", .content = "/I Do",                                       \
    .extra = "<</Type/XObject/Subtype/Image/Width 1/Height 1/Length 1" entries                     \
             ">>\nstream\n\x80\nendstream"
#define STATE(entries)                                                                             \
    .resources = "/ExtGState<</G<<" entries ">>>>", .content = "/G gs 0 g 0 0 9 9 re f"

static const struct row rows[] = {
    { .what = "nothing" },
    { .what = "no ID", .trailer = "", .rules = BOTH("6.1.3", "6.1.3") },
    { .what = "an operator", .content = "foo", .rules = BOTH("6.2.10", "6.2.2") },
    { .what = "deep q",
      .content = "q q q q q q q q q q q q q q q q q q q q q q q q q q q q q",
      .rules = BOTH("6.1.12", "6.1.13") },
    { .what = "CMYK", .content = "0 0 0 1 k", .rules = BOTH("6.2.3.3", "6.2.4.3") },
    { .what = "an intent", .content = "/Odd ri", .rules = BOTH("6.2.9", "6.2.6") },
    { .what = "a small page", .page = "/CropBox[0 0 2 2]", .rules = BOTH(NULL, "6.1.13") },
    { .what = "page actions", .page = "/AA<<>>", .rules = BOTH(NULL, "6.5.2") },
    { .what = "a group", .page = "/Group<</S/Transparency>>", .rules = BOTH("6.4", NULL) },
    { .what = "an image", IMAGE("/BitsPerComponent 1/ColorSpace/DeviceGray") },
    { .what = "3 bits",
      IMAGE("/BitsPerComponent 3/ColorSpace/DeviceGray"),
      .rules = BOTH("6.2.4", "6.2.8") },
    { .what = "Interpolate",
      IMAGE("/BitsPerComponent 1/ColorSpace/DeviceGray/Interpolate true"),
      .rules = BOTH("6.2.4", "6.2.8") },
    { .what = "Alternates",
      IMAGE("/BitsPerComponent 1/ColorSpace/DeviceGray/Alternates[]"),
      .rules = BOTH("6.2.4", "6.2.8") },
    { .what = "LZW",
      IMAGE("/BitsPerComponent 1/ColorSpace/DeviceGray/Filter/LZWDecode"),
      .rules = BOTH("6.1.10", "6.1.7.2") },
    { .what = "an external stream",
      IMAGE("/BitsPerComponent 1/ColorSpace/DeviceGray/F(x)"),
      .rules = BOTH("6.1.7", "6.1.7.1") },
    { .what = "a CMYK image",
      IMAGE("/BitsPerComponent 1/ColorSpace/DeviceCMYK"),
      .rules = BOTH("6.2.3.3", "6.2.4.3") },
    { .what = "a soft mask",
      IMAGE("/BitsPerComponent 1/ColorSpace/DeviceGray/SMask 8 0 R"),
      .extra2 = "<</Type/XObject/Subtype/Image/Width 1/Height 1/Length 1/BitsPerComponent 1"
                "/ColorSpace/DeviceGray>>\nstream\n\x80\nendstream",
      .rules = BOTH("6.4", NULL) },
    { .what = "PostScript",
      .resources = "/XObject<</I 7 0 R>>",
      .content = "/I Do",
      .extra = "<</Type/XObject/Subtype/PS/Length 1>>\nstream\n \nendstream",
      .rules = BOTH("6.2.7", "6.2.9") },
    { .what = "TR", STATE("/TR/Identity"), .rules = BOTH("6.2.8", "6.2.5") },
    { .what = "TR2 of default", STATE("/TR2/Default") },
    { .what = "alpha", STATE("/ca 0.5"), .rules = BOTH("6.4", NULL) },
    { .what = "a blend mode", STATE("/BM/Odd"), .rules = BOTH("6.4", "6.2.10") },
    { .what = "a font that is not embedded",
      FONT_USE,
      .extra = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
      .rules = BOTH("6.3.4", "6.2.11.4.1") },
    { .what = "a font that is not seen",
      .resources = "/Font<</F 7 0 R>>",
      .content = "BT 3 Tr /F 9 Tf (a) Tj ET",
      .extra = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>" },
    { .what = "widths",
      FONT_USE,
      .extra = "<</Type/Font/Subtype/Type1/BaseFont/A/FirstChar 1/LastChar 3/Widths[1 2]"
               "/FontDescriptor<</Type/FontDescriptor>>>>",
      .rules = BOTH("6.3.2", "6.2.11.2") },
    { .what = "a sound",
      .page = "/Annots[<</Type/Annot/Subtype/Sound/Rect[0 0 0 0]/F 4>>]",
      .rules = BOTH("6.5.2", "6.3.1") },
    { .what = "a hidden link",
      .page = "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/F 6>>]",
      .rules = BOTH("6.5.3", "6.3.2") },
    { .what = "a fine link",
      .page = "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/F 4/A<</S/URI/URI(x)>>>>]" },
    { .what = "a script",
      .catalog = "/OpenAction<</S/JavaScript/JS(1)>>",
      .rules = BOTH("6.6.1", "6.5.1") },
    { .what = "a named action",
      .catalog = "/OpenAction<</S/Named/N/Print>>",
      .rules = BOTH("6.6.1", "6.5.1") },
    { .what = "a form that is not drawn",
      .catalog = "/AcroForm<</NeedAppearances true/Fields[]>>",
      .rules = BOTH("6.9", "6.4.1") },
    { .what = "XFA", .catalog = "/AcroForm<</XFA[]/Fields[]>>", .rules = BOTH(NULL, "6.4.2") },
    { .what = "layers",
      .catalog = "/OCProperties<</OCGs[]/D<</Order[]>>>>",
      .rules = BOTH("6.1.13", "6.9") },
    { .what = "an attachment",
      .extra = "<</Type/Filespec/F(a)/EF<</F 8 0 R>>>>",
      .extra2 = "<</Length 1>>\nstream\n \nendstream",
      .rules = BOTH("6.1.11", "6.8") },
    { .what = "hexadecimal", .extra = "[<123>]", .rules = BOTH("6.1.6", "6.1.6") },
    { .what = "a large number", .extra = "[2147483648]", .rules = BOTH("6.1.12", "6.1.13") },
    { .what = "a title in UTF-16",
      .extra = "<</Title(\xfe\xff\\000G\\000r\\000\\374\\000\\337\\000e)>>",
      .trailer = "/ID[<00><00>]/Info 7 0 R" },
    { .what = "a title in PDFDocEncoding",
      .extra = "<</Title(Gr\xfc\xdf"
               "e)>>",
      .trailer = "/ID[<00><00>]/Info 7 0 R" },
    { .what = "another title",
      .extra = "<</Title(Other)>>",
      .trailer = "/ID[<00><00>]/Info 7 0 R",
      .rules = BOTH("6.7.3", NULL) },
};

static void pdf_check__one_thing_broken__is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        for (unsigned part = 1; part <= 3; part++)
            row_check(&rows[i], part);
    }
}

/* --- the writer's bytes ----------------------------------------------------------------------- */

static void page_make(struct pl_page *page, uint8_t bits)
{
    uint8_t data[400];
    pl_page_init(page, 1 << 20);
    page->number = 1;
    page->width_px = 400;
    page->height_px = 400;
    page->x_mdpi = page->y_mdpi = 300000;
    page->bits = bits;
    page->colour = PL_COLOUR_GREY;
    page->filter = PL_FILTER_FLATE;
    memset(data, 0x5a, sizeof data);
    assert_int_equal(pl_bytes_append(&page->data, data, sizeof data), PL_OK);
    assert_int_equal(pl_page_add_part(page, 400, sizeof data), PL_OK);
}

static pl_status result_write(enum pl_format format, uint8_t bits, bool linear,
                              struct memory_out *memory, struct pl_fault *fault)
{
    const struct pl_writer_ops *ops = &pl_pdf_writer_ops;
    struct pl_convert convert;
    struct pl_writer *writer = NULL;
    struct pl_page page;
    uint64_t bytes = 0;
    pl_convert_defaults(&convert, format);
    convert.linearize = linear;
    memory_out_init(memory, 0);
    page_make(&page, bits);
    pl_status status = ops->open(&convert, NULL, &pl_limits_default, &memory->out, &writer, fault);
    for (unsigned i = 0; i < 3 && status == PL_OK; i++)
        status = ops->page(writer, &page, &bytes, fault);
    if (status == PL_OK)
        status = ops->end(writer, fault);
    if (writer != NULL)
        ops->close(writer);
    pl_page_fini(&page);
    return status;
}

static void pdf_check__bytes_of_a_result_changed__is_found(void **state)
{
    /* Of the same length, so that all offsets stay right. */
    static const struct {
        const char *from, *to;
        const char *rule;
    } edits[] = {
        { "%PDF-1.7", "%PDF-1.9", "6.1.2" },
        { "\n%\xe2\xe3\xcf\xd3", "\n%abcd", "6.1.2" },
        { "/ID[<", "/IE[<", "6.1.3" },
        { "\nendobj", " endobj", "6.1.9" },
        { "1 0 obj\n", "1 0 obj ", "6.1.9" },
        { "/Length 400", "/Length 399", "6.1.7.1" },
        { "\nendstream", " endstream", "6.1.7.1" },
        { "/DeviceGray", "/DeviceCMYK", "6.2.4.3" },
        { "/BitsPerComponent 8", "/BitsPerComponent 3", "6.2.8" },
        { "/Type/XObject", "/OPI<</A 1>> ", "6.2.8" },
        { "/GTS_PDFA1", "/GTS_PDFX1", "6.2.4.3" },
        { "<pdfaid:part>2", "<pdfaid:part>7", "6.6.4" },
        { "</rdf:RDF>", "</rdf:RDG>", "6.6.2.1" },
        { "/Metadata ", "/Metadatb ", "6.6.2.1" },
        { "xref\n0 ", "xref 0 ", "6.1.4" },
        { "%%EOF", "%%EOG", "6.1.3" },
    };
    struct memory_out memory;
    struct pl_fault fault = { 0 };
    (void)state;
    assert_int_equal(result_write(PL_FORMAT_PDFA_2B, 8, false, &memory, &fault), PL_OK);
    for (size_t i = 0; i < PL_COUNT_OF(edits); i++) {
        struct pl_findings findings = { 0 };
        size_t length = strlen(edits[i].from);
        uint8_t *at = memmem(memory.bytes.data, memory.bytes.size, edits[i].from, length);
        assert_non_null(at);
        assert_int_equal(strlen(edits[i].to), length);
        memcpy(at, edits[i].to, length);
        bytes_check(&memory.bytes, 2, &findings);
        if (!findings_have(&findings, edits[i].rule))
            fail_msg("%s: %s was not found (%zu were, %s)", edits[i].to, edits[i].rule,
                     findings.count, findings.count > 0 ? findings.items[0].rule : "");
        memcpy(at, edits[i].from, length);
        pl_findings_fini(&findings);
    }
    pl_bytes_fini(&memory.bytes);
}

/* A page that the writer does not carry: three bits a sample. */
static void pdf_shadow__result_breaks_a_rule__is_refused(void **state)
{
    static const enum pl_format formats[] = { PL_FORMAT_PDFA_1B, PL_FORMAT_PDFA_2B,
                                              PL_FORMAT_PDFA_3B };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(formats); i++) {
        for (unsigned linear = 0; linear < 2; linear++) {
            struct memory_out memory;
            struct pl_fault fault = { 0 };
            assert_int_equal(result_write(formats[i], 8, linear == 1, &memory, &fault), PL_OK);
            pl_bytes_fini(&memory.bytes);
            assert_int_equal(result_write(formats[i], 3, linear == 1, &memory, &fault),
                             PL_BAD_RESULT);
            assert_int_equal(pl_status_blame(PL_BAD_RESULT), PL_BLAME_OPERATOR);
            assert_non_null(strstr(fault.reason, i == 0 ? "ISO 19005-1 6.2.4" : " 6.2.8"));
            pl_bytes_fini(&memory.bytes);
        }
    }
}

static void pdf_shadow__holes__read_as_zeros(void **state)
{
    struct memory_out memory;
    struct pl_pdf_shadow *shadow = NULL;
    uint8_t data[4096];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i % 251 + 1);
    memory_out_init(&memory, 0);
    assert_int_equal(pl_pdf_shadow_new(&memory.out, &shadow), PL_OK);
    assert_int_equal(pl_pdf_shadow_hole(shadow, 100, 50), PL_OK);
    assert_int_equal(pl_pdf_shadow_hole(shadow, 150, 1), PL_OK);
    assert_int_equal(pl_pdf_shadow_hole(shadow, 1000, 3000), PL_OK);
    for (size_t at = 0; at < sizeof data; at += 64)
        assert_int_equal(pl_out_write(pl_pdf_shadow_out(shadow), data + at, 64), PL_OK);
    assert_int_equal(memory.bytes.size, sizeof data);
    assert_memory_equal(memory.bytes.data, data, sizeof data);
    assert_int_equal(pl_pdf_shadow_size(shadow), sizeof data - 3051);
    struct pl_source *source = pl_pdf_shadow_source(shadow);
    assert_int_equal(source->size, sizeof data);
    for (size_t from = 0; from < sizeof data; from += 37) {
        uint8_t read[4096];
        size_t size = sizeof data - from < 1200 ? sizeof data - from : 1200;
        assert_int_equal(pl_source_read(source, from, read, size), PL_OK);
        for (size_t i = 0; i < size; i++) {
            size_t at = from + i;
            bool hole = (at >= 100 && at < 151) || (at >= 1000 && at < 4000);
            assert_int_equal(read[i], hole ? 0 : data[at]);
        }
    }
    pl_pdf_shadow_free(shadow);
    pl_bytes_fini(&memory.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_check__one_thing_broken__is_found),
        cmocka_unit_test(pdf_check__bytes_of_a_result_changed__is_found),
        cmocka_unit_test(pdf_shadow__result_breaks_a_rule__is_refused),
        cmocka_unit_test(pdf_shadow__holes__read_as_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
