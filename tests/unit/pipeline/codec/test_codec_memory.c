/* test_codec_memory: every allocation of the raster writers and of the PNG reader fails in turn;
 * PL_NO_MEMORY comes back, and everything that was taken is given back.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/alloc_fault.h"
#include "tests/unit/pipeline/codec/page_maker.h"
#include "tests/unit/pipeline/codec/png_hand.h"

#include "pipeline/codec/codec.h"
#include "pipeline/pdf/icc.h"

#include <stdio.h>

#include "tests/support/pl_test.h"

#define ALLOCATIONS_MOST 500

static void skip_unless_it_works(void)
{
    if (!ALLOC_FAULT_WORKS) {
        (void)printf("a sanitizer's allocator cannot be made to fail: nothing tried\n");
        skip();
    }
}

typedef pl_status page_work(struct pl_page *page, struct memory_out *out, struct pl_fault *fault);

/* Runs the work until no allocation of it is left to fail. */
static void every_allocation(void (*make)(struct pl_page *page), page_work *work)
{
    unsigned n = 1;
    bool failed = true;
    for (; failed; n++) {
        struct pl_page page;
        struct memory_out out;
        struct pl_fault fault = { 0 };
        long live = alloc_fault_live;
        make(&page);
        memory_out_init(&out, 0);
        alloc_fault_at(n);
        pl_status status = work(&page, &out, &fault);
        failed = alloc_fault_end();
        assert_int_equal(status, failed ? PL_NO_MEMORY : PL_OK);
        assert_true(n < ALLOCATIONS_MOST);
        pl_bytes_fini(&out.bytes);
        pl_page_fini(&page);
        assert_int_equal(alloc_fault_live, live);
    }
    (void)printf("%u allocations\n", n - 2);
    assert_true(n > 2);
}

static pl_status write_one(enum pl_format format, struct pl_page *page, struct memory_out *out,
                           struct pl_fault *fault)
{
    const struct pl_convert convert = { .to = format, .title = "title" };
    const struct pl_writer_ops *ops = pl_writer_for(format);
    struct pl_writer *writer = NULL;
    uint64_t bytes = 0;
    pl_status status = PL_OK;
    if (ops->encode != NULL)
        status = ops->encode(&convert, &pl_limits_default, page, fault);
    if (status == PL_OK)
        status = ops->open(&convert, NULL, &pl_limits_default, &out->out, &writer, fault);
    if (status == PL_OK)
        status = ops->page(writer, page, &bytes, fault);
    if (status == PL_OK)
        status = ops->end(writer, fault);
    if (writer != NULL)
        ops->close(writer);
    return status;
}

static pl_status write_tiff(struct pl_page *page, struct memory_out *out, struct pl_fault *fault)
{
    return write_one(PL_FORMAT_TIFF, page, out, fault);
}

static pl_status write_png(struct pl_page *page, struct memory_out *out, struct pl_fault *fault)
{
    return write_one(PL_FORMAT_PNG, page, out, fault);
}

static pl_status write_jpeg(struct pl_page *page, struct memory_out *out, struct pl_fault *fault)
{
    return write_one(PL_FORMAT_JPEG, page, out, fault);
}

static void make_g4(struct pl_page *page)
{
    page_make_g4(page, &(struct page_recipe){ .strip_rows = 8 });
}

static void make_flate(struct pl_page *page)
{
    page_make_flate(page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .inverted = true });
    assert_int_equal(pl_icc_srgb(&page->icc), PL_OK);
}

static void make_copied(struct pl_page *page)
{
    page_make_flate(page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
}

static void make_jpeg(struct pl_page *page)
{
    page_make_jpeg(page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    assert_int_equal(pl_icc_srgb(&page->icc), PL_OK);
    page->orientation = 6;
    page->x_mdpi = 200000;
}

static void memory__any_allocation_of_tiff_out_fails__no_memory(void **state)
{
    (void)state;
    skip_unless_it_works();
    every_allocation(make_g4, write_tiff);
    every_allocation(make_flate, write_tiff);
    every_allocation(make_jpeg, write_tiff);
}

static void memory__any_allocation_of_png_out_fails__no_memory(void **state)
{
    (void)state;
    skip_unless_it_works();
    every_allocation(make_flate, write_png);
    every_allocation(make_copied, write_png);
}

static void memory__any_allocation_of_jpeg_out_fails__no_memory(void **state)
{
    (void)state;
    skip_unless_it_works();
    every_allocation(make_jpeg, write_jpeg);
}

/* The file to be read stands in the data of the page that is given. */
static void make_png(struct pl_page *page, unsigned type, bool interlaced)
{
    size_t row = type == 6 ? 4 : 1;
    struct pl_bytes file;
    pl_page_init(page, 1 << 24);
    put_begin(&file, 8, 8, 8, type);
    if (interlaced) {
        file.data[28] = 1;
        uint32_t crc = (uint32_t)crc32(0, file.data + 12, 17);
        put_number(file.data + 29, crc);
    }
    if (type == 3)
        put_chunk(&file, "PLTE", "\1\2\3\4\5\6", 6);
    put_chunk(&file, "pHYs", "\0\0\x2e\x23\0\0\x2e\x23\1", 9);
    put_pixels(&file, interlaced ? 64 * row + 15 : 8 * (8 * row + 1), 0);
    put_chunk(&file, "IEND", "", 0);
    page->data = file;
}

static void make_png_palette(struct pl_page *page)
{
    make_png(page, 3, false);
}

static void make_png_interlaced(struct pl_page *page)
{
    make_png(page, 6, true);
}

static pl_status read_png(struct pl_page *file, struct memory_out *out, struct pl_fault *fault)
{
    const struct pl_open_settings settings = { .limits = &pl_limits_default };
    struct pl_source *source = NULL;
    struct pl_reader *reader = NULL;
    struct pl_page page;
    (void)out;
    pl_page_init(&page, pl_limits_default.page_bytes);
    pl_status status = pl_source_memory_new(file->data.data, file->data.size, &source);
    if (status == PL_OK)
        status = pl_png_reader.open(source, &settings, &reader, fault);
    if (status == PL_OK)
        status = pl_png_reader.load(reader, source, 0, &page, fault);
    if (reader != NULL)
        pl_png_reader.close(reader);
    if (source != NULL)
        source->ops->free(source);
    pl_page_fini(&page);
    return status;
}

static void memory__any_allocation_of_png_in_fails__no_memory(void **state)
{
    (void)state;
    skip_unless_it_works();
    every_allocation(make_png_palette, read_png);
    every_allocation(make_png_interlaced, read_png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__any_allocation_of_tiff_out_fails__no_memory),
        cmocka_unit_test(memory__any_allocation_of_png_out_fails__no_memory),
        cmocka_unit_test(memory__any_allocation_of_jpeg_out_fails__no_memory),
        cmocka_unit_test(memory__any_allocation_of_png_in_fails__no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
