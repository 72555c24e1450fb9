/* test_pdf_formats: one picture in every encoding that a page may have, in every kind of PDF; other
 * readers must find nothing wrong, and draw the same pixels each time. With PLATEN_SAMPLES, a
 * folder, the files stay there for a validator.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/g4.h"
#include "pipeline/writer.h"
#include "tests/support/judge.h"
#include "tests/support/memory_out.h"
#include "tests/unit/pipeline/pdf/jpx_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chessboard of cells of 8 by 8 pixels, each black or white. */
#define CELLS 6
#define SIDE (8 * CELLS)
#define JPX_HEAD 85 /* bytes before the code stream */

static const enum pl_format formats[] = { PL_FORMAT_PDF, PL_FORMAT_PDFA_1B, PL_FORMAT_PDFA_2B,
                                          PL_FORMAT_PDFA_3B };

static bool cell_is_black(unsigned x, unsigned y)
{
    return (x / 8 + y / 8 + (y / 16)) % 2 == 1;
}

/* --- encodings ------------------------------------------------------------------------------- */

struct bits {
    struct pl_bytes *out;
    unsigned used; /* of the last byte */
};

static void bits_put(struct bits *bits, const char *code)
{
    for (; *code != '\0'; code++) {
        if (bits->used % 8 == 0)
            assert_int_equal(pl_bytes_append(bits->out, "", 1), PL_OK);
        if (*code == '1')
            bits->out->data[bits->out->size - 1] |= (uint8_t)(0x80 >> bits->used % 8);
        bits->used++;
    }
}

static void bits_number(struct bits *bits, unsigned value, unsigned width)
{
    while (width-- > 0)
        bits_put(bits, (value >> width & 1) != 0 ? "1" : "0");
}

/* T.4: each run has 8 pixels; an empty white run where a row begins black. */
static void draw_g3(struct pl_page *page, int32_t k, bool align)
{
    struct bits bits = { .out = &page->data };
    page->filter = PL_FILTER_G3;
    page->fax = (struct pl_page_fax){ .k = k, .byte_align = align, .end_of_line = k > 0 };
    for (unsigned y = 0; y < SIDE; y++) {
        if (k > 0)
            bits_put(&bits, "0000000000011"); /* EOL; this row is one-dimensional */
        if (cell_is_black(0, y))
            bits_put(&bits, "00110101");
        for (unsigned x = 0; x < SIDE; x += 8)
            bits_put(&bits, cell_is_black(x, y) ? "000101" : "10011");
        while (align && bits.used % 8 != 0)
            bits_put(&bits, "0");
    }
}

/* The picture at `depth` bits a sample, `samples` a pixel; 1 or all ones where it is white. */
static void draw_samples(struct pl_bytes *out, unsigned depth, unsigned samples, bool index)
{
    struct bits bits = { .out = out };
    for (unsigned y = 0; y < SIDE; y++) {
        for (unsigned x = 0; x < SIDE * samples; x++) {
            unsigned white = index ? 1 : (1U << depth) - 1;
            if (samples == 4 && !index) /* ink: black alone */
                white = x % 4 == 3 && cell_is_black(x / 4, y) ? 255 : 0;
            else if (cell_is_black(x / samples, y))
                white = 0;
            bits_number(&bits, white, depth);
        }
    }
}

static void draw_g4(struct pl_page *page)
{
    struct pl_bytes pixels = { 0 };
    pl_bytes_init(&pixels, 1 << 20);
    draw_samples(&pixels, 1, 1, false);
    for (size_t i = 0; i < pixels.size; i++)
        pixels.data[i] = (uint8_t)~pixels.data[i];
    page->filter = PL_FILTER_G4;
    assert_int_equal(pl_g4_encode(pixels.data, SIDE / 8, SIDE, SIDE, &page->data), PL_OK);
    pl_bytes_fini(&pixels);
}

static void put_u32(struct pl_bytes *out, uint32_t value)
{
    uint8_t word[4];
    pl_put_u32be(word, value);
    assert_int_equal(pl_bytes_append(out, word, sizeof word), PL_OK);
}

/* A page and a generic region coded by MMR, which is T.6 (ISO 14492 7.2, 7.4.6, 7.4.8). */
static void draw_jbig2(struct pl_page *page)
{
    static const uint8_t page_head[] = { 0, 0, 0, 1, 48, 0, 1, 0, 0, 0, 19 };
    static const uint8_t page_tail[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t region_head[] = { 0, 0, 0, 2, 38, 0, 1 };
    static const uint8_t region_tail[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    static const uint8_t comment[] = { 0, 0, 0, 0, 62, 0, 0, 0, 0, 0, 6, 0x20, 0, 0, 0, 0, 0 };
    struct pl_page fax = { 0 };
    pl_bytes_init(&fax.data, 1 << 20);
    draw_g4(&fax);
    page->filter = PL_FILTER_JBIG2;
    assert_int_equal(pl_bytes_append(&page->data, page_head, sizeof page_head), PL_OK);
    put_u32(&page->data, SIDE);
    put_u32(&page->data, SIDE);
    assert_int_equal(pl_bytes_append(&page->data, page_tail, sizeof page_tail), PL_OK);
    assert_int_equal(pl_bytes_append(&page->data, region_head, sizeof region_head), PL_OK);
    put_u32(&page->data, (uint32_t)(8 + sizeof region_tail + fax.data.size));
    put_u32(&page->data, SIDE);
    put_u32(&page->data, SIDE);
    assert_int_equal(pl_bytes_append(&page->data, region_tail, sizeof region_tail), PL_OK);
    assert_int_equal(pl_bytes_append(&page->data, fax.data.data, fax.data.size), PL_OK);
    pl_bytes_init(&page->globals, 1 << 10);
    assert_int_equal(pl_bytes_append(&page->globals, comment, sizeof comment), PL_OK);
    pl_bytes_fini(&fax.data);
}

static void draw_flate(struct pl_page *page, unsigned depth, unsigned samples, unsigned predictor)
{
    struct pl_bytes raw = { 0 };
    pl_bytes_init(&raw, 1 << 20);
    draw_samples(&raw, depth, samples, page->palette.size > 0);
    page->filter = PL_FILTER_FLATE;
    page->bits = (uint8_t)depth;
    page->predictor = (uint8_t)predictor;
    size_t row = (size_t)SIDE * depth * samples / 8;
    if (predictor == 2) { /* of 8 bits a sample */
        assert_int_equal(depth, 8);
        for (size_t i = raw.size; i-- > 0;) {
            if (i % row >= samples)
                raw.data[i] = (uint8_t)(raw.data[i] - raw.data[i - samples]);
        }
    }
    if (predictor <= 2 && predictor > 0) {
        assert_int_equal(pl_flate_all(raw.data, raw.size, &page->data), PL_OK);
    } else {
        struct pl_flate *flate = NULL;
        assert_int_equal(
            pl_flate_new(row, depth < 8 ? 1 : samples * depth / 8, &page->data, &flate), PL_OK);
        for (size_t y = 0; y < SIDE; y++)
            assert_int_equal(pl_flate_row(flate, raw.data + y * row), PL_OK);
        assert_int_equal(pl_flate_end(flate), PL_OK);
        pl_flate_free(flate);
    }
    pl_bytes_fini(&raw);
}

/* LZW without a dictionary: literals of 9 bits, cleared before codes grow. */
static void draw_lzw(struct pl_page *page)
{
    struct pl_bytes raw = { 0 };
    struct bits bits = { .out = &page->data };
    pl_bytes_init(&raw, 1 << 20);
    draw_samples(&raw, 8, 1, false);
    page->filter = PL_FILTER_LZW;
    page->bits = 8;
    page->colour = PL_COLOUR_GREY;
    for (size_t i = 0; i < raw.size; i++) {
        if (i % 200 == 0)
            bits_number(&bits, 256, 9);
        bits_number(&bits, raw.data[i], 9);
    }
    bits_number(&bits, 257, 9);
    pl_bytes_fini(&raw);
}

/* From byte `from` on. */
static void draw_jpx(struct pl_page *page, size_t from)
{
    page->filter = PL_FILTER_JPX;
    page->colour = PL_COLOUR_GREY;
    page->bits = 8;
    assert_int_equal(pl_bytes_append(&page->data, jpx_sample + from, sizeof jpx_sample - from),
                     PL_OK);
}

static void draw_palette(struct pl_page *page, enum pl_colour colour, unsigned depth)
{
    static const uint8_t entries[] = { 0, 0, 0, 255, 255, 255 };
    page->colour = colour;
    pl_bytes_init(&page->palette, 1 << 10);
    assert_int_equal(pl_bytes_append(&page->palette, entries, colour == PL_COLOUR_RGB ? 6 : 2),
                     PL_OK);
    if (colour != PL_COLOUR_RGB)
        page->palette.data[1] = 255;
    draw_flate(page, depth, 1, 1);
}

enum sample {
    SAMPLE_G4,
    SAMPLE_G3,
    SAMPLE_G3_ALIGNED,
    SAMPLE_G3_MIXED,
    SAMPLE_JBIG2,
    SAMPLE_FLATE_1,
    SAMPLE_FLATE_2,
    SAMPLE_FLATE_4,
    SAMPLE_FLATE_8,
    SAMPLE_FLATE_16,
    SAMPLE_FLATE_RGB,
    SAMPLE_FLATE_TIFF,
    SAMPLE_FLATE_NONE,
    SAMPLE_LZW,
    SAMPLE_JPX,
    SAMPLE_JPX_BARE, /* a code stream without its file */
    SAMPLE_PALETTE_1,
    SAMPLE_PALETTE_2,
    SAMPLE_PALETTE_4,
    SAMPLE_PALETTE_8,
    SAMPLE_PALETTE_GREY,
    SAMPLE_CMYK, /* not of the same pixels: ink is mixed by a profile */
    SAMPLE_COUNT
};

static void sample_draw(enum sample sample, struct pl_page *page)
{
    pl_page_init(page, 1 << 24);
    *page = (struct pl_page){ .number = 1,
                              .width_px = SIDE,
                              .height_px = SIDE,
                              .x_mdpi = 72000,
                              .y_mdpi = 72000,
                              .orientation = 1,
                              .bits = 1,
                              .data = page->data,
                              .icc = page->icc };
    switch (sample) {
    case SAMPLE_G4:
        draw_g4(page);
        break;
    case SAMPLE_G3:
        draw_g3(page, 0, false);
        break;
    case SAMPLE_G3_ALIGNED:
        draw_g3(page, 0, true);
        break;
    case SAMPLE_G3_MIXED:
        draw_g3(page, 4, false);
        break;
    case SAMPLE_JBIG2:
        draw_jbig2(page);
        break;
    case SAMPLE_FLATE_1:
        draw_flate(page, 1, 1, 0);
        break;
    case SAMPLE_FLATE_2:
    case SAMPLE_FLATE_4:
        page->colour = PL_COLOUR_GREY;
        draw_flate(page, sample == SAMPLE_FLATE_2 ? 2 : 4, 1, 1);
        break;
    case SAMPLE_FLATE_8:
    case SAMPLE_FLATE_16:
        page->colour = PL_COLOUR_GREY;
        draw_flate(page, sample == SAMPLE_FLATE_8 ? 8 : 16, 1, 15);
        break;
    case SAMPLE_FLATE_RGB:
    case SAMPLE_FLATE_TIFF:
    case SAMPLE_FLATE_NONE:
        page->colour = PL_COLOUR_RGB;
        draw_flate(page, 8, 3,
                   sample == SAMPLE_FLATE_RGB    ? 0
                   : sample == SAMPLE_FLATE_TIFF ? 2
                                                 : 1);
        break;
    case SAMPLE_LZW:
        draw_lzw(page);
        break;
    case SAMPLE_JPX:
    case SAMPLE_JPX_BARE:
        draw_jpx(page, sample == SAMPLE_JPX ? 0 : JPX_HEAD);
        break;
    case SAMPLE_PALETTE_1:
    case SAMPLE_PALETTE_2:
    case SAMPLE_PALETTE_4:
    case SAMPLE_PALETTE_8:
        draw_palette(page, PL_COLOUR_RGB, 1U << (sample - SAMPLE_PALETTE_1));
        break;
    case SAMPLE_PALETTE_GREY:
        draw_palette(page, PL_COLOUR_GREY, 4);
        break;
    case SAMPLE_CMYK:
        page->colour = PL_COLOUR_CMYK;
        draw_flate(page, 8, 4, 15);
        break;
    case SAMPLE_COUNT:
        fail();
    }
    assert_int_equal(pl_page_add_part(page, SIDE, page->data.size), PL_OK);
}

/* --- documents ------------------------------------------------------------------------------- */

static const uint8_t seed[32] = { 1, 2, 3 };

static void document_write(const struct pl_convert *convert, struct pl_page *const *pages,
                           size_t count, struct memory_out *memory)
{
    const struct pl_writer_ops *ops = &pl_pdf_writer_ops;
    struct pl_writer *writer = NULL;
    struct pl_fault fault = { 0 };
    memory_out_init(memory, 0);
    pl_status status = ops->open(convert, seed, &pl_limits_default, &memory->out, &writer, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = 0;
        assert_int_equal(ops->page(writer, pages[i], &bytes, &fault), PL_OK);
    }
    assert_int_equal(ops->end(writer, &fault), PL_OK);
    ops->close(writer);
}

/* Each sample by itself, as format says it may be. */
static void formats__every_encoding__drawn_alike_by_mupdf(void **state)
{
    (void)state;
    char expected[64] = "";
    unsigned written = 0;
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        struct pl_page page;
        struct pl_page *const pages[] = { &page };
        sample_draw((enum sample)sample, &page);
        for (size_t i = 0; i < PL_COUNT_OF(formats); i++) {
            struct pl_convert convert;
            struct memory_out memory;
            struct judge judge;
            char drawn[64];
            char name[64];
            pl_convert_defaults(&convert, formats[i]);
            if (!pl_pdf_writer_ops.carries(&convert, &page))
                continue;
            document_write(&convert, pages, 1, &memory);
            judge_open(&judge, &memory.bytes);
            (void)snprintf(name, sizeof name, "%s_%02u.pdf", pl_format_name(formats[i]), sample);
            judge_keep(&judge, name);
            judge_expect(&judge, "qpdf --check", "No syntax or stream encoding errors");
            judge_last_word(&judge, "mutool draw -q -s5 -r 72", drawn, sizeof drawn);
            if (expected[0] == '\0')
                (void)strcpy(expected, drawn);
            if (sample != SAMPLE_CMYK && strcmp(drawn, expected) != 0) {
                print_error("%s is drawn as %s, not %s\n", name, drawn, expected);
                fail();
            }
            judge_close(&judge);
            pl_bytes_fini(&memory.bytes);
            written++;
        }
        pl_page_fini(&page);
    }
    /* All but LZW and bare JPEG 2000 in PDF/A, 16 bits and JPEG 2000 in PDF/A-1. */
    assert_int_equal(written, SAMPLE_COUNT * PL_COUNT_OF(formats) - 3 - 3 - 2);
}

static void convert_describe(struct pl_convert *convert)
{
    static const char xmp[] =
        "<rdf:Description rdf:about='' xmlns:ex='urn:example:' xmlns:dc="
        "'http://purl.org/dc/elements/1.1/'><ex:batch>17</ex:batch><ex:names><rdf:Bag>"
        "<rdf:li>a</rdf:li></rdf:Bag></ex:names><ex:words><rdf:Alt><rdf:li xml:lang='x-default'>"
        "w</rdf:li></rdf:Alt></ex:words><dc:source>tray &amp; glass</dc:source></rdf:Description>";
    (void)strcpy(convert->title, "Bericht – «Ω» & <more>");
    (void)strcpy(convert->author, "Jörg (Tester)");
    (void)strcpy(convert->subject, "About \\ nothing");
    (void)strcpy(convert->keywords, "one, two");
    convert->xmp = pl_span_from(xmp);
    convert->labels[0] = (struct pl_page_label){ .from = 2, .style = 'r', .start = 4 };
    convert->labels[1] = (struct pl_page_label){ .from = 3, .prefix = "Ω-" };
    convert->labels[2] = (struct pl_page_label){ .from = 9, .style = 'D', .start = 1 };
    convert->label_count = 3;
}

/* A document of all samples that the format takes, with everything that can be said of it. */
static void document_describe(const struct pl_convert *convert, struct memory_out *memory)
{
    struct pl_page pages[SAMPLE_COUNT];
    struct pl_page *taken[SAMPLE_COUNT];
    size_t count = 0;
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++) {
        sample_draw((enum sample)sample, &pages[sample]);
        if (pl_pdf_writer_ops.carries(convert, &pages[sample]))
            taken[count++] = &pages[sample];
    }
    document_write(convert, taken, count, memory);
    for (unsigned sample = 0; sample < SAMPLE_COUNT; sample++)
        pl_page_fini(&pages[sample]);
}

static void formats__metadata_and_labels__shown_by_poppler_and_qpdf(void **state)
{
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(formats); i++) {
        struct pl_convert convert;
        struct memory_out memory;
        struct judge judge;
        char name[64];
        pl_convert_defaults(&convert, formats[i]);
        convert_describe(&convert);
        document_describe(&convert, &memory);
        judge_open(&judge, &memory.bytes);
        (void)snprintf(name, sizeof name, "%s_described.pdf", pl_format_name(formats[i]));
        judge_keep(&judge, name);
        judge_expect(&judge, "qpdf --check", "No syntax or stream encoding errors");
        judge_expect(&judge, "pdfinfo", "Title:           Bericht – «Ω» & <more>\n");
        judge_expect(&judge, "pdfinfo", "Author:          Jörg (Tester)\n");
        judge_expect(&judge, "pdfinfo", "Subject:         About \\ nothing\n");
        judge_expect(&judge, "pdfinfo", "Keywords:        one, two\n");
        judge_expect(&judge, "pdfinfo -meta", "<ex:batch>17</ex:batch>");
        judge_expect(&judge, "qpdf --json=1 --json-key=pagelabels", "\"index\": 1");
        judge_expect(&judge, "qpdf --json=1 --json-key=pagelabels", "\"/St\": 4");
        judge_expect(&judge, "qpdf --json=1 --json-key=pagelabels", "Ω-");
        judge_close(&judge);
        pl_bytes_fini(&memory.bytes);
    }
}

static void formats__encrypted__nothing_readable_and_opened_with_its_password(void **state)
{
    (void)state;
    struct pl_convert convert;
    struct memory_out memory;
    struct memory_out again;
    struct judge judge;
    pl_convert_defaults(&convert, PL_FORMAT_PDF);
    convert_describe(&convert);
    (void)strcpy(convert.user_password, "open");
    (void)strcpy(convert.owner_password, "own");
    convert.permissions = PL_PERMIT_PRINT;
    assert_true(pl_pdf_writer_ops.wants_seed(&convert));
    document_describe(&convert, &memory);
    assert_null(memmem(memory.bytes.data, memory.bytes.size, "Tester", 6));
    assert_null(memmem(memory.bytes.data, memory.bytes.size, "batch", 5));
    assert_null(memmem(memory.bytes.data, memory.bytes.size, " cm/I0", 6));
    judge_open(&judge, &memory.bytes);
    judge_expect(&judge, "qpdf --password=open --check", "No syntax or stream encoding errors");
    judge_expect(&judge, "qpdf --password=open --show-encryption", "modify anything: not allowed");
    judge_expect(&judge, "pdfinfo -upw open", "Author:          Jörg (Tester)\n");
    judge_expect(&judge, "pdfinfo -upw open -meta", "<ex:batch>17</ex:batch>");
    judge_expect(&judge, "mutool draw -q -s5 -p own", NULL);
    judge_refuse(&judge, "qpdf --check");
    judge_close(&judge);
    document_describe(&convert, &again);
    assert_int_equal(memory.bytes.size, again.bytes.size);
    assert_memory_equal(memory.bytes.data, again.bytes.data, again.bytes.size);
    pl_bytes_fini(&memory.bytes);
    pl_bytes_fini(&again.bytes);
}

static void formats__equal_globals_and_palettes__written_once(void **state)
{
    (void)state;
    struct pl_page page;
    struct pl_page *const pages[] = { &page, &page, &page };
    struct pl_convert convert;
    struct memory_out memory;
    pl_convert_defaults(&convert, PL_FORMAT_PDFA_2B);
    sample_draw(SAMPLE_JBIG2, &page);
    document_write(&convert, pages, 3, &memory);
    const uint8_t *first =
        memmem(memory.bytes.data, memory.bytes.size, "\x3e\0\0\0\0\0\x06\x20", 8);
    assert_non_null(first);
    size_t left = memory.bytes.size - (size_t)(first + 1 - memory.bytes.data);
    assert_null(memmem(first + 1, left, "\x3e\0\0\0\0\0\x06\x20", 8));
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
    sample_draw(SAMPLE_PALETTE_4, &page);
    document_write(&convert, pages, 3, &memory);
    first = memmem(memory.bytes.data, memory.bytes.size, "/Indexed", 8);
    assert_non_null(first);
    left = memory.bytes.size - (size_t)(first + 1 - memory.bytes.data);
    assert_null(memmem(first + 1, left, "/Indexed", 8));
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
}

static void expect_open_fault(const struct pl_convert *convert, const char *sentence)
{
    struct memory_out memory;
    struct pl_writer *writer = NULL;
    struct pl_fault fault = { 0 };
    memory_out_init(&memory, 0);
    assert_int_equal(
        pl_pdf_writer_ops.open(convert, seed, &pl_limits_default, &memory.out, &writer, &fault),
        PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, sentence));
    assert_int_equal(memory.out.size, 0);
    pl_bytes_fini(&memory.bytes);
}

static void formats__settings_that_cannot_be__refused_at_open(void **state)
{
    (void)state;
    struct pl_convert convert;
    pl_convert_defaults(&convert, PL_FORMAT_PDF);
    (void)strcpy(convert.title, "a\nb");
    expect_open_fault(&convert, "the title has a control character");
    (void)strcpy(convert.title, "a\xff");
    expect_open_fault(&convert, "the title is not UTF-8");
    pl_convert_defaults(&convert, PL_FORMAT_PDF);
    convert.label_count = 2;
    convert.labels[0].from = 3;
    convert.labels[1].from = 3;
    expect_open_fault(&convert, "label 2 begins at page 3");
    convert.label_count = 1;
    convert.labels[0] = (struct pl_page_label){ .from = 1, .style = 'x' };
    expect_open_fault(&convert, "label 1 has a style");
    pl_convert_defaults(&convert, PL_FORMAT_PDF);
    convert.xmp = pl_span_from("<");
    expect_open_fault(&convert, "xmp: ");
    pl_convert_defaults(&convert, PL_FORMAT_PDF);
    (void)strcpy(convert.user_password, "\xff");
    expect_open_fault(&convert, "a password of the result is not UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats__every_encoding__drawn_alike_by_mupdf),
        cmocka_unit_test(formats__metadata_and_labels__shown_by_poppler_and_qpdf),
        cmocka_unit_test(formats__encrypted__nothing_readable_and_opened_with_its_password),
        cmocka_unit_test(formats__equal_globals_and_palettes__written_once),
        cmocka_unit_test(formats__settings_that_cannot_be__refused_at_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
