/* test_pdf_out: the file's skeleton read back byte by byte: table, tree, shared objects, failures.
 * What the pages look like is judged by other readers (tests/integration/convert_pixels.py).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"
#include "pipeline/codec/g4.h"
#include "pipeline/pdf/icc.h"
#include "pipeline/writer.h"
#include "tests/support/memory_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void page_draw_bilevel(struct pl_page *page, uint32_t width, uint32_t rows, unsigned parts)
{
    size_t stride = (width + 7) / 8;
    uint8_t *pixels = malloc(stride * rows);
    assert_non_null(pixels);
    for (size_t i = 0; i < stride * rows; i++)
        pixels[i] = (uint8_t)(i / stride % 9 == 0 ? 0xf0 : i % 7 == 0 ? 0x18 : 0);
    pl_page_init(page, 1 << 24);
    page->number = 1;
    page->width_px = width;
    page->height_px = rows;
    page->x_mdpi = 300000;
    page->y_mdpi = 300000;
    page->bits = 1;
    uint32_t from = 0;
    for (unsigned i = 0; i < parts; i++) {
        uint32_t to = rows * (i + 1) / parts;
        size_t before = page->data.size;
        assert_int_equal(
            pl_g4_encode(pixels + from * stride, stride, width, to - from, &page->data), PL_OK);
        assert_int_equal(pl_page_add_part(page, to - from, page->data.size - before), PL_OK);
        from = to;
    }
    free(pixels);
}

static void page_draw_colour(struct pl_page *page, enum pl_colour colour, size_t samples)
{
    pl_page_init(page, 1 << 24);
    page->number = 1;
    page->width_px = 40;
    page->height_px = 30;
    page->x_mdpi = 100000;
    page->y_mdpi = 200000;
    page->bits = 8;
    page->colour = colour;
    page->filter = PL_FILTER_FLATE;
    struct pl_flate *flate = NULL;
    assert_int_equal(pl_flate_new(40 * samples, samples, &page->data, &flate), PL_OK);
    for (unsigned y = 0; y < 30; y++) {
        uint8_t row[40 * 4];
        for (size_t i = 0; i < sizeof row; i++)
            row[i] = (uint8_t)(i * 5 + y);
        assert_int_equal(pl_flate_row(flate, row), PL_OK);
    }
    assert_int_equal(pl_flate_end(flate), PL_OK);
    pl_flate_free(flate);
    assert_int_equal(pl_page_add_part(page, 30, page->data.size), PL_OK);
}

static unsigned count_of(const struct pl_bytes *file, const char *text)
{
    unsigned count = 0;
    size_t length = strlen(text);
    for (const uint8_t *at = file->data; at != NULL; count++) {
        at = memmem(at, (size_t)(file->data + file->size - at), text, length);
        if (at == NULL)
            break;
        at += length;
    }
    return count;
}

static void check_skeleton(const struct pl_bytes *file)
{
    static const char tail[] = "\n%%EOF\n";
    assert_memory_equal(file->data, "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", 15);
    assert_memory_equal(file->data + file->size - strlen(tail), tail, strlen(tail));
    const char *end = (const char *)file->data + file->size - strlen(tail);
    while (end[-1] != '\n')
        end--;
    size_t table = strtoul(end, NULL, 10);
    assert_true(table < file->size);
    char *entry = (char *)file->data + table;
    assert_memory_equal(entry, "xref\n0 ", 7);
    unsigned long count = strtoul(entry + 7, &entry, 10);
    entry++;
    assert_memory_equal(entry, "0000000000 65535 f \n", 20);
    for (unsigned number = 1; number < count; number++) {
        entry += 20;
        assert_memory_equal(entry + 10, " 00000 n \n", 10);
        char expected[32];
        (void)snprintf(expected, sizeof expected, "\n%u 0 obj\n", number);
        size_t offset = strtoul(entry, NULL, 10);
        assert_true(offset < table);
        assert_memory_equal(file->data + offset - 1, expected, strlen(expected));
    }
    assert_memory_equal(entry + 20, "trailer\n", 8);
}

static pl_status document_write_as(const struct pl_convert *convert, struct memory_out *memory,
                                   const struct pl_page *page, unsigned pages)
{
    static const uint8_t seed[32] = { 7 };
    const struct pl_writer_ops *ops = &pl_pdf_writer_ops;
    struct pl_writer *writer = NULL;
    struct pl_fault fault = { 0 };
    pl_status status = ops->open(convert, seed, &pl_limits_default, &memory->out, &writer, &fault);
    for (unsigned i = 0; i < pages && status == PL_OK; i++) {
        uint64_t bytes = 0;
        status = ops->page(writer, page, &bytes, &fault);
        if (status == PL_OK)
            assert_true(bytes > page->data.size);
    }
    if (status == PL_OK)
        status = ops->end(writer, &fault);
    if (writer != NULL)
        ops->close(writer);
    return status;
}

/* `pages` copies of one page. */
static pl_status document_write(struct memory_out *memory, const struct pl_page *page,
                                unsigned pages)
{
    struct pl_convert convert;
    pl_convert_defaults(&convert, PL_FORMAT_PDFA_2B);
    return document_write_as(&convert, memory, page, pages);
}

static void pdf_out__any_number_of_pages__tree_of_64_kids(void **state)
{
    (void)state;
    static const unsigned counts[] = { 1, 2, 63, 64, 65, 128, 129, 4095, 4096, 4097, 4160, 4161 };
    struct pl_page page;
    page_draw_bilevel(&page, 100, 20, 1);
    for (size_t i = 0; i < PL_COUNT_OF(counts); i++) {
        struct memory_out memory;
        memory_out_init(&memory, 0);
        assert_int_equal(document_write(&memory, &page, counts[i]), PL_OK);
        check_skeleton(&memory.bytes);
        unsigned leaves = (counts[i] + 63) / 64;
        unsigned nodes = leaves;
        for (unsigned level = leaves; level > 1; nodes += level)
            level = (level + 63) / 64;
        assert_int_equal(count_of(&memory.bytes, "/Type/Pages"), nodes);
        assert_int_equal(count_of(&memory.bytes, "/Type/Page/"), counts[i]);
        char root[64];
        (void)snprintf(root, sizeof root, "/Type/Pages/Count %u/Kids[", counts[i]);
        assert_int_equal(count_of(&memory.bytes, root), 1);
        assert_int_equal(memory.out.size, memory.bytes.size);
        pl_bytes_fini(&memory.bytes);
    }
    pl_page_fini(&page);
}

static void pdf_out__pages_of_one_size__share_their_content(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out memory;
    page_draw_bilevel(&page, 100, 20, 2);
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 10), PL_OK);
    assert_int_equal(count_of(&memory.bytes, " cm/I0 Do"), 1);
    assert_int_equal(count_of(&memory.bytes, " cm/I1 Do"), 1);
    assert_int_equal(count_of(&memory.bytes, "/Subtype/Image"), 20);
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
}

static void pdf_out__many_parts__content_is_deflated(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out memory;
    page_draw_bilevel(&page, 100, 2000, 2000);
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 1), PL_OK);
    check_skeleton(&memory.bytes);
    assert_int_equal(count_of(&memory.bytes, "/Height 1/"), 2000);
    assert_int_equal(count_of(&memory.bytes, " cm/I0 Do"), 0);
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
}

static void pdf_out__same_pages__same_bytes(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out a;
    struct memory_out b;
    page_draw_bilevel(&page, 333, 77, 3);
    memory_out_init(&a, 0);
    memory_out_init(&b, 0);
    assert_int_equal(document_write(&a, &page, 70), PL_OK);
    assert_int_equal(document_write(&b, &page, 70), PL_OK);
    assert_int_equal(a.bytes.size, b.bytes.size);
    assert_memory_equal(a.bytes.data, b.bytes.data, a.bytes.size);
    pl_bytes_fini(&a.bytes);
    pl_bytes_fini(&b.bytes);
    pl_page_fini(&page);
}

static void pdf_out__output_fails_at_any_write__status_comes_back(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out memory;
    page_draw_bilevel(&page, 2000, 3000, 2);
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 3), PL_OK);
    unsigned writes = memory.writes;
    pl_bytes_fini(&memory.bytes);
    assert_true(writes > 3);
    for (unsigned n = 1; n <= writes; n++) {
        memory_out_init(&memory, n);
        assert_int_equal(document_write(&memory, &page, 3), PL_NO_SPACE);
        assert_int_equal(memory.writes, n); /* nothing is written after a failure */
        pl_bytes_fini(&memory.bytes);
    }
    pl_page_fini(&page);
}

static void pdf_out__cmyk_without_profile__one_profile_for_all(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out memory;
    page_draw_colour(&page, PL_COLOUR_CMYK, 4);
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 5), PL_OK);
    check_skeleton(&memory.bytes);
    assert_int_equal(count_of(&memory.bytes, "<</N 4/"), 1);
    assert_int_equal(count_of(&memory.bytes, "/DeviceCMYK"), 0);
    assert_int_equal(count_of(&memory.bytes, "[/ICCBased "), 5);
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
}

static void pdf_out__own_profile__embedded_once_and_only_if_it_fits(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out memory;
    page_draw_colour(&page, PL_COLOUR_RGB, 3);
    assert_int_equal(pl_icc_srgb(&page.icc), PL_OK);
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 5), PL_OK);
    assert_int_equal(count_of(&memory.bytes, "<</N 3/"), 2); /* the page's, the output intent's */
    assert_int_equal(count_of(&memory.bytes, "[/ICCBased "), 5);
    pl_bytes_fini(&memory.bytes);
    page.icc.data[8] = 5; /* iccMAX */
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 5), PL_OK);
    assert_int_equal(count_of(&memory.bytes, "[/ICCBased "), 0);
    assert_int_equal(count_of(&memory.bytes, "/DeviceRGB"), 5);
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
}

static void pdf_out__inverted__decode_turns_it(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_out memory;
    page_draw_colour(&page, PL_COLOUR_CMYK, 4);
    page.inverted = true;
    memory_out_init(&memory, 0);
    assert_int_equal(document_write(&memory, &page, 1), PL_OK);
    assert_int_equal(count_of(&memory.bytes, "/Decode[1 0 1 0 1 0 1 0]"), 1);
    pl_bytes_fini(&memory.bytes);
    pl_page_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pdf_out__any_number_of_pages__tree_of_64_kids),
        cmocka_unit_test(pdf_out__pages_of_one_size__share_their_content),
        cmocka_unit_test(pdf_out__many_parts__content_is_deflated),
        cmocka_unit_test(pdf_out__same_pages__same_bytes),
        cmocka_unit_test(pdf_out__output_fails_at_any_write__status_comes_back),
        cmocka_unit_test(pdf_out__cmyk_without_profile__one_profile_for_all),
        cmocka_unit_test(pdf_out__own_profile__embedded_once_and_only_if_it_fits),
        cmocka_unit_test(pdf_out__inverted__decode_turns_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
