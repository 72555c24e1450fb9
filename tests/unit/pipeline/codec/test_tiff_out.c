/* test_tiff_out: what was written is read back by libtiff: pixels, tags, bytes of the strips.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/memory_tiff.h"
#include "tests/unit/pipeline/codec/page_maker.h"
#include "tests/unit/pipeline/codec/page_pixels.h"

#include "pipeline/codec/flate_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

static const struct pl_convert to_g4 = { .to = PL_FORMAT_TIFF_G4 };
static const struct pl_convert to_lzw = { .to = PL_FORMAT_TIFF, .tiff = PL_TIFF_LZW };
static const struct pl_convert to_deflate = { .to = PL_FORMAT_TIFF, .tiff = PL_TIFF_DEFLATE };
static const struct pl_convert to_jpeg = { .to = PL_FORMAT_TIFF, .tiff = PL_TIFF_JPEG };

/* Writes and opens by libtiff, which has nothing to complain of. */
static void written(const struct pl_convert *convert, struct pl_page *pages, size_t count,
                    struct memory_tiff *file)
{
    struct memory_out out;
    struct pl_fault fault = { 0 };
    memory_out_init(&out, 0);
    assert_int_equal(pages_write(convert, pages, count, &pl_limits_default, &out, &fault), PL_OK);
    *file = (struct memory_tiff){ .bytes = out.bytes };
    memory_tiff_open(file, "r");
    assert_non_null(file->tiff);
    assert_false(file->complained);
}

static unsigned short_of(TIFF *tiff, uint32_t tag)
{
    uint16_t value = 0;
    assert_int_equal(TIFFGetFieldDefaulted(tiff, tag, &value), 1);
    return value;
}

/* All strips behind each other, decoded. To be freed. */
static uint8_t *decoded(struct memory_tiff *file, size_t *size)
{
    uint8_t *out = malloc((size_t)TIFFStripSize(file->tiff) * TIFFNumberOfStrips(file->tiff));
    assert_non_null(out);
    *size = 0;
    for (uint32_t n = 0; n < TIFFNumberOfStrips(file->tiff); n++) {
        tmsize_t got = TIFFReadEncodedStrip(file->tiff, n, out + *size, -1);
        assert_true(got > 0);
        *size += (size_t)got;
    }
    assert_false(file->complained);
    return out;
}

/* The strips are the parts, but for an end-of-block code. */
static void strips_are_parts(TIFF *tiff, const struct pl_page *page)
{
    uint32_t rows = 0;
    assert_int_equal(TIFFNumberOfStrips(tiff), page->part_count);
    assert_int_equal(TIFFGetField(tiff, TIFFTAG_ROWSPERSTRIP, &rows), 1);
    assert_int_equal(rows, page->parts[0].rows);
    for (uint32_t n = 0; n < page->part_count; n++) {
        const struct pl_page_part *part = &page->parts[n];
        size_t size = (size_t)TIFFRawStripSize(tiff, n);
        uint8_t *raw = malloc(size);
        assert_non_null(raw);
        assert_int_equal(TIFFReadRawStrip(tiff, n, raw, (tmsize_t)size), size);
        assert_true(size >= part->size);
        assert_memory_equal(raw, page->data.data + part->at, part->size);
        if (size > part->size) {
            assert_int_equal(size, part->size + 3);
            assert_memory_equal(raw + part->size, "\0\x10\x01", 3);
        }
        free(raw);
    }
}

static void g4_case(const struct page_recipe *recipe)
{
    struct pl_page page;
    struct memory_tiff file;
    struct pixels pixels;
    size_t size = 0;
    page_make_g4(&page, recipe);
    page_pixels_decode(&page, &pixels);
    written(&to_g4, &page, 1, &file);
    assert_int_equal(short_of(file.tiff, TIFFTAG_COMPRESSION), COMPRESSION_CCITTFAX4);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    strips_are_parts(file.tiff, &page);
    uint8_t *seen = decoded(&file, &size);
    bool min_is_white = short_of(file.tiff, TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_MINISWHITE;
    assert_int_equal(min_is_white, !recipe->inverted);
    size_t stride = ((size_t)page.width_px + 7) / 8;
    assert_int_equal(size, stride * page.height_px);
    for (size_t y = 0; y < page.height_px; y++)
        for (size_t x = 0; x < page.width_px; x++) {
            bool bit = (seen[y * stride + x / 8] >> (7 - x % 8) & 1) != 0;
            assert_int_equal(bit != min_is_white ? 255 : 0, pixels.data[y * page.width_px + x]);
        }
    free(seen);
    free(pixels.data);
    memory_tiff_fini(&file);
    pl_page_fini(&page);
}

static void tiff_out__g4_parts__are_strips_bit_for_bit(void **state)
{
    (void)state;
    g4_case(&(struct page_recipe){ 0 });
    g4_case(&(struct page_recipe){ .strip_rows = 8 });
    g4_case(&(struct page_recipe){ .strip_rows = 42, .inverted = true });
    g4_case(&(struct page_recipe){ .width_px = 2480, .height_px = 3508, .strip_rows = 512 });
}

static void tiff_out__g4_with_an_end__stays_as_it_is(void **state)
{
    (void)state;
    static const uint8_t end[] = { 0x00, 0x10, 0x01, 0x00 };
    struct pl_page page;
    struct memory_tiff file;
    page_make_g4(&page, &(struct page_recipe){ 0 });
    assert_int_equal(pl_bytes_append(&page.data, end, sizeof end), PL_OK);
    page.parts[0].size = page.data.size;
    written(&to_g4, &page, 1, &file);
    assert_int_equal(TIFFRawStripSize(file.tiff, 0), page.data.size);
    strips_are_parts(file.tiff, &page);
    memory_tiff_fini(&file);
    pl_page_fini(&page);
}

static void tiff_out__uneven_parts__are_not_carried(void **state)
{
    (void)state;
    struct pl_page page;
    page_make_g4(&page, &(struct page_recipe){ .strip_rows = 20 });
    assert_true(pl_tiff_writer_ops.carries(&to_g4, &page));
    page.parts[0].rows = 10;
    page.parts[1].rows = 30;
    assert_false(pl_tiff_writer_ops.carries(&to_g4, &page));
    pl_page_fini(&page);
}

/* Samples of a packed row of the page as those of the file: 16 bits in the machine's order. */
static unsigned page_sample(const uint8_t *row, size_t n, unsigned bits)
{
    if (bits == 16)
        return (unsigned)row[2 * n] << 8 | row[2 * n + 1];
    return (unsigned)row[n * bits / 8] >> (8 - bits - n * bits % 8) & ((1U << bits) - 1);
}

static unsigned file_sample(const uint8_t *row, size_t n, unsigned bits)
{
    uint16_t wide = 0;
    if (bits != 16)
        return page_sample(row, n, bits);
    memcpy(&wide, row + 2 * n, sizeof wide);
    return wide;
}

/* What a sample of the page must be in the file. */
static unsigned expected(const struct pl_page *page, unsigned bits, unsigned value)
{
    bool grey = page->palette.size == 0;
    return grey && bits == 2 ? value * 5 : value;
}

static void flate_case(const struct pl_convert *convert, const struct page_recipe *recipe)
{
    static const unsigned photometrics[] = { PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MINISBLACK,
                                             PHOTOMETRIC_RGB, PHOTOMETRIC_SEPARATED };
    struct pl_page page;
    struct memory_tiff file;
    size_t size = 0;
    page_make_flate(&page, recipe);
    unsigned bits = page.bits;
    uint8_t *rows = page_rows(&page);
    size_t row_bytes = pl_flate_row_bytes(page.width_px, pl_flate_samples(&page), bits);
    written(convert, &page, 1, &file);
    unsigned file_bits = bits < 4 ? 4 : bits;
    unsigned samples = pl_flate_samples(&page);
    assert_int_equal(page.how, PL_PAGE_REENCODED_EXACT);
    assert_true(page.bytes_in > 0);
    assert_int_equal(short_of(file.tiff, TIFFTAG_COMPRESSION),
                     convert->tiff == PL_TIFF_LZW ? COMPRESSION_LZW : COMPRESSION_ADOBE_DEFLATE);
    assert_int_equal(short_of(file.tiff, TIFFTAG_BITSPERSAMPLE), file_bits);
    assert_int_equal(short_of(file.tiff, TIFFTAG_SAMPLESPERPIXEL), samples);
    assert_int_equal(short_of(file.tiff, TIFFTAG_PHOTOMETRIC), recipe->palette_entries > 0
                                                                   ? PHOTOMETRIC_PALETTE
                                                                   : photometrics[recipe->colour]);
    uint8_t *seen = decoded(&file, &size);
    size_t file_row = (size_t)TIFFScanlineSize(file.tiff);
    assert_int_equal(size, file_row * page.height_px);
    for (size_t y = 0; y < page.height_px; y++)
        for (size_t n = 0; n < (size_t)page.width_px * samples; n++)
            if (file_sample(seen + y * file_row, n, file_bits) !=
                expected(&page, bits, page_sample(rows + y * row_bytes, n, bits)))
                fail_msg("%u bits, row %zu, sample %zu", bits, y, n);
    free(seen);
    free(rows);
    memory_tiff_fini(&file);
    pl_page_fini(&page);
}

static void tiff_out__flate_of_every_shape__has_the_same_samples(void **state)
{
    (void)state;
    static const struct page_recipe recipes[] = {
        { .colour = PL_COLOUR_GREY, .bits = 2 },
        { .colour = PL_COLOUR_GREY, .bits = 4 },
        { .colour = PL_COLOUR_GREY, .bits = 8 },
        { .colour = PL_COLOUR_GREY, .bits = 16 },
        { .colour = PL_COLOUR_RGB, .bits = 8 },
        { .colour = PL_COLOUR_RGB, .bits = 16 },
        { .colour = PL_COLOUR_CMYK, .bits = 8 },
        { .colour = PL_COLOUR_CMYK, .bits = 16 },
        { .colour = PL_COLOUR_GREY, .bits = 4, .inverted = true },
        { .colour = PL_COLOUR_CMYK, .bits = 8, .inverted = true },
        { .colour = PL_COLOUR_RGB, .bits = 16, .inverted = true },
        { .colour = PL_COLOUR_RGB, .bits = 1, .palette_entries = 2 },
        { .colour = PL_COLOUR_RGB, .bits = 2, .palette_entries = 4 },
        { .colour = PL_COLOUR_RGB, .bits = 4, .palette_entries = 16 },
        { .colour = PL_COLOUR_RGB, .bits = 8, .palette_entries = 200 },
        { .colour = PL_COLOUR_GREY, .bits = 8, .palette_entries = 256 },
        { .colour = PL_COLOUR_RGB,
          .bits = 8,
          .width_px = 900,
          .height_px = 1000 }, /* many strips */
        { .colour = PL_COLOUR_RGB, .bits = 8, .width_px = 60000, .height_px = 3 },
        { .colour = PL_COLOUR_RGB, .bits = 8, .width_px = 1, .height_px = 1 },
    };
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        flate_case(&to_lzw, &recipes[i]);
        flate_case(&to_deflate, &recipes[i]);
    }
}

static void tiff_out__palette__is_the_colour_map(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_tiff file;
    uint16_t *map[3] = { NULL };
    page_make_flate(
        &page, &(struct page_recipe){ .colour = PL_COLOUR_RGB, .bits = 8, .palette_entries = 200 });
    written(&to_lzw, &page, 1, &file);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]), 1);
    for (size_t i = 0; i < 256; i++)
        for (size_t n = 0; n < 3; n++)
            assert_int_equal(map[n][i], page.palette.data[(i < 200 ? i : 199) * 3 + n] * 257);
    memory_tiff_fini(&file);
    pl_page_fini(&page);
}

static void tiff_out__what_another_encoding_serves_better__is_not_carried(void **state)
{
    (void)state;
    struct pl_page page;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_BILEVEL, .bits = 1 });
    assert_false(pl_tiff_writer_ops.carries(&to_lzw, &page)); /* T.6 is smaller */
    pl_page_fini(&page);
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_CMYK, .palette_entries = 9 });
    assert_false(pl_tiff_writer_ops.carries(&to_lzw, &page)); /* no map of inks */
    pl_page_fini(&page);
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_GREY });
    assert_false(pl_tiff_writer_ops.carries(&to_g4, &page));
    assert_false(pl_tiff_writer_ops.carries(&to_jpeg, &page));
    assert_true(pl_tiff_writer_ops.carries(&to_lzw, &page));
    page.kind = PL_PAGE_PDF;
    assert_false(pl_tiff_writer_ops.carries(&to_lzw, &page));
    pl_page_fini(&page);
}

static void jpeg_case(const struct page_recipe *recipe, unsigned photometric)
{
    struct pl_page page;
    struct memory_tiff file;
    struct pixels pixels;
    size_t size = 0;
    page_make_jpeg(&page, recipe);
    page_pixels_decode(&page, &pixels);
    written(&to_lzw, &page, 1, &file);
    assert_int_equal(page.how, PL_PAGE_COPIED);
    assert_int_equal(short_of(file.tiff, TIFFTAG_COMPRESSION), COMPRESSION_JPEG);
    assert_int_equal(short_of(file.tiff, TIFFTAG_PHOTOMETRIC), photometric);
    strips_are_parts(file.tiff, &page);
    if (photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(file.tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    uint8_t *seen = decoded(&file, &size);
    assert_int_equal(size, (size_t)page.width_px * page.height_px * pixels.samples);
    for (size_t i = 0; i < size; i++) {
        uint8_t value = photometric == PHOTOMETRIC_MINISWHITE ? (uint8_t)~seen[i] : seen[i];
        assert_int_equal(value, pixels.data[i]);
    }
    free(seen);
    free(pixels.data);
    memory_tiff_fini(&file);
    pl_page_fini(&page);
}

static void tiff_out__sequential_jpeg__is_one_strip_bit_for_bit(void **state)
{
    (void)state;
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_GREY }, PHOTOMETRIC_MINISBLACK);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_GREY, .inverted = true },
              PHOTOMETRIC_MINISWHITE);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_RGB }, PHOTOMETRIC_YCBCR);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_RGB, .across = 2, .down = 2 },
              PHOTOMETRIC_YCBCR);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_RGB, .across = 2 }, PHOTOMETRIC_YCBCR);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_RGB, .across = 4 }, PHOTOMETRIC_YCBCR);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_RGB, .rgb_inside = true },
              PHOTOMETRIC_RGB);
    jpeg_case(&(struct page_recipe){ .colour = PL_COLOUR_CMYK }, PHOTOMETRIC_SEPARATED);
}

static void tiff_out__jpeg_that_tags_cannot_say__is_not_carried(void **state)
{
    (void)state;
    static const struct page_recipe recipes[] = {
        { .colour = PL_COLOUR_RGB, .progressive = true },
        { .colour = PL_COLOUR_RGB, .down = 2 }, /* TIFF 6.0 section 21: not more down than across */
        { .colour = PL_COLOUR_RGB, .inverted = true },
        { .colour = PL_COLOUR_CMYK, .inverted = true, .adobe = true },
        { .colour = PL_COLOUR_CMYK, .ycck = true },
        { .colour = PL_COLOUR_GREY, .across = 2, .down = 2 }, /* libtiff refuses it */
    };
    for (size_t i = 0; i < PL_COUNT_OF(recipes); i++) {
        struct pl_page page;
        page_make_jpeg(&page, &recipes[i]);
        assert_false(pl_tiff_writer_ops.carries(&to_lzw, &page));
        pl_page_fini(&page);
    }
    struct pl_page page;
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    assert_true(pl_tiff_writer_ops.carries(&to_jpeg, &page));
    assert_false(pl_tiff_writer_ops.carries(&to_g4, &page));
    page.height_px--;
    assert_false(pl_tiff_writer_ops.carries(&to_jpeg, &page));
    page.height_px++;
    page.parts[0].size = 40;
    assert_false(pl_tiff_writer_ops.carries(&to_jpeg, &page));
    pl_page_fini(&page);
}

static void tiff_out__many_pages__are_a_chain_in_order(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static struct pl_page pages[COUNT];
    struct memory_tiff file;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct page_recipe recipe = { .colour = i % 3 == 1 ? PL_COLOUR_RGB : PL_COLOUR_BILEVEL,
                                      .width_px = 20 + i,
                                      .height_px = 9 + i % 5 };
        if (i % 3 == 1)
            page_make_flate(&pages[i], &recipe);
        else
            page_make_g4(&pages[i], &recipe);
    }
    written(&to_lzw, pages, COUNT, &file);
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t width = 0;
        uint32_t kind = 0;
        uint16_t number = 0;
        uint16_t total = 1;
        size_t size = 0;
        assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_IMAGEWIDTH, &width), 1);
        assert_int_equal(width, 20 + i);
        assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_PAGENUMBER, &number, &total), 1);
        assert_int_equal(number, i);
        assert_int_equal(total, 0);
        assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_SUBFILETYPE, &kind), 1);
        assert_int_equal(kind, FILETYPE_PAGE);
        assert_int_equal(TIFFCurrentDirOffset(file.tiff) % 2, 0);
        free(decoded(&file, &size));
        assert_int_equal(TIFFReadDirectory(file.tiff), i + 1 < COUNT);
        pl_page_fini(&pages[i]);
    }
    memory_tiff_fini(&file);
}

static void tiff_out__tags__say_what_the_page_is(void **state)
{
    (void)state;
    struct pl_page page;
    struct memory_tiff file;
    struct pl_convert convert = { .to = PL_FORMAT_TIFF, .title = "Invoices", .author = "me" };
    float x = 0;
    float y = 0;
    uint32_t size = 0;
    uint16_t number = 9;
    uint16_t total = 0;
    const char *text = NULL;
    const void *icc = NULL;
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    page.orientation = 6;
    page.x_mdpi = 200000;
    page.y_mdpi = 98425; /* 38.75 a centimetre */
    assert_int_equal(pl_bytes_append(&page.icc, "a profile", 9), PL_OK);
    written(&convert, &page, 1, &file);
    assert_int_equal(short_of(file.tiff, TIFFTAG_ORIENTATION), 6);
    assert_int_equal(short_of(file.tiff, TIFFTAG_RESOLUTIONUNIT), RESUNIT_INCH);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_XRESOLUTION, &x), 1);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_YRESOLUTION, &y), 1);
    assert_true(x == 200.0F && y == 98.425F);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_PAGENUMBER, &number, &total), 1);
    assert_true(number == 0 && total == 1);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_SOFTWARE, &text), 1);
    assert_string_equal(text, "Platen");
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_DOCUMENTNAME, &text), 1);
    assert_string_equal(text, "Invoices");
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_ARTIST, &text), 1);
    assert_string_equal(text, "me");
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_IMAGEDESCRIPTION, &text), 0);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_DATETIME, &text), 0);
    assert_int_equal(TIFFGetField(file.tiff, TIFFTAG_ICCPROFILE, &size, &icc), 1);
    assert_int_equal(size, 9);
    assert_memory_equal(icc, "a profile", 9);
    memory_tiff_fini(&file);
    pl_page_fini(&page);
}

static void tiff_out__page_past_the_limit__is_refused_with_both_numbers(void **state)
{
    (void)state;
    struct pl_page pages[2];
    struct memory_out out;
    struct pl_fault fault = { 0 };
    struct pl_limits limits = pl_limits_default;
    for (size_t i = 0; i < 2; i++)
        page_make_flate(
            &pages[i],
            &(struct page_recipe){ .colour = PL_COLOUR_RGB, .width_px = 1500, .height_px = 1500 });
    memory_out_init(&out, 0);
    assert_int_equal(pages_write(&to_lzw, &pages[0], 1, &limits, &out, &fault), PL_OK);
    limits.output_bytes = out.bytes.size + 1000;
    pl_bytes_fini(&out.bytes);
    pl_page_fini(&pages[0]);
    page_make_flate(&pages[0], &(struct page_recipe){
                                   .colour = PL_COLOUR_RGB, .width_px = 1500, .height_px = 1500 });
    memory_out_init(&out, 0);
    assert_int_equal(pages_write(&to_lzw, pages, 2, &limits, &out, &fault), PL_TOO_LARGE);
    (void)printf("%s\n", fault.reason);
    assert_non_null(strstr(fault.reason, "page 2 makes the TIFF file "));
    assert_non_null(strstr(fault.reason, " MiB large; at most "));
    pl_bytes_fini(&out.bytes);
    for (size_t i = 0; i < 2; i++)
        pl_page_fini(&pages[i]);
}

/* Writes three pages of different kinds. */
static pl_status three_pages(struct memory_out *out)
{
    struct pl_page pages[3];
    struct pl_fault fault = { 0 };
    page_make_g4(&pages[0], &(struct page_recipe){ .strip_rows = 10 });
    page_make_flate(&pages[1], &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    page_make_jpeg(&pages[2],
                   &(struct page_recipe){ .colour = PL_COLOUR_RGB, .across = 2, .down = 2 });
    pl_status status = pages_write(&to_lzw, pages, 3, &pl_limits_default, out, &fault);
    for (size_t i = 0; i < 3; i++)
        pl_page_fini(&pages[i]);
    return status;
}

static void tiff_out__output_fails_at_any_write__status_comes_back(void **state)
{
    (void)state;
    struct memory_out out;
    memory_out_init(&out, 0);
    assert_int_equal(three_pages(&out), PL_OK);
    unsigned writes = out.writes;
    pl_bytes_fini(&out.bytes);
    for (unsigned n = 1; n <= writes; n++) {
        memory_out_init(&out, n);
        assert_int_equal(three_pages(&out), PL_NO_SPACE);
        pl_bytes_fini(&out.bytes);
    }
}

static void tiff_out__same_pages__same_bytes(void **state)
{
    (void)state;
    struct memory_out first;
    struct memory_out second;
    memory_out_init(&first, 0);
    memory_out_init(&second, 0);
    assert_int_equal(three_pages(&first), PL_OK);
    assert_int_equal(three_pages(&second), PL_OK);
    assert_int_equal(first.bytes.size, second.bytes.size);
    assert_memory_equal(first.bytes.data, second.bytes.data, first.bytes.size);
    pl_bytes_fini(&first.bytes);
    pl_bytes_fini(&second.bytes);
}

static void tiff_out__damaged_pixels__are_told(void **state)
{
    (void)state;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    page_make_flate(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    page.parts[0].size /= 2;
    size_t size = page.data.size;
    assert_int_equal(pl_tiff_writer_ops.encode(&to_lzw, &pl_limits_default, &page, &fault),
                     PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "they break off"));
    assert_int_equal(page.data.size, size); /* as it was */
    assert_int_equal(page.filter, PL_FILTER_FLATE);
    pl_page_fini(&page);
}

/* Cut where a PDF may have cut them: what is written as copied must hold all of its rows. */
static void tiff_out__copied_data_that_break_off__are_told(void **state)
{
    (void)state;
    struct pl_page page;
    struct pl_fault fault = { 0 };
    page_make_g4(&page, &(struct page_recipe){ .strip_rows = 20 });
    assert_int_equal(pl_tiff_writer_ops.encode(&to_g4, &pl_limits_default, &page, &fault), PL_OK);
    page.parts[1].size /= 2;
    assert_int_equal(pl_tiff_writer_ops.encode(&to_g4, &pl_limits_default, &page, &fault),
                     PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "rows are missing"));
    pl_page_fini(&page);
    fault = (struct pl_fault){ 0 };
    page_make_jpeg(&page, &(struct page_recipe){ .colour = PL_COLOUR_RGB });
    page.parts[0].size -= 40;
    assert_int_equal(pl_tiff_writer_ops.encode(&to_lzw, &pl_limits_default, &page, &fault),
                     PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "break off"));
    pl_page_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_out__g4_parts__are_strips_bit_for_bit),
        cmocka_unit_test(tiff_out__g4_with_an_end__stays_as_it_is),
        cmocka_unit_test(tiff_out__uneven_parts__are_not_carried),
        cmocka_unit_test(tiff_out__flate_of_every_shape__has_the_same_samples),
        cmocka_unit_test(tiff_out__palette__is_the_colour_map),
        cmocka_unit_test(tiff_out__what_another_encoding_serves_better__is_not_carried),
        cmocka_unit_test(tiff_out__sequential_jpeg__is_one_strip_bit_for_bit),
        cmocka_unit_test(tiff_out__jpeg_that_tags_cannot_say__is_not_carried),
        cmocka_unit_test(tiff_out__many_pages__are_a_chain_in_order),
        cmocka_unit_test(tiff_out__tags__say_what_the_page_is),
        cmocka_unit_test(tiff_out__page_past_the_limit__is_refused_with_both_numbers),
        cmocka_unit_test(tiff_out__output_fails_at_any_write__status_comes_back),
        cmocka_unit_test(tiff_out__same_pages__same_bytes),
        cmocka_unit_test(tiff_out__damaged_pixels__are_told),
        cmocka_unit_test(tiff_out__copied_data_that_break_off__are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
