/* test_g4_decode: libtiff writes fax data of every kind, and says what the pixels are.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/g4.h"
#include "pipeline/codec/g4_decode.h"
#include "tests/unit/pipeline/codec/memory_tiff.h"

#include <stdlib.h>
#include <string.h>

struct bitmap {
    uint32_t width;
    uint32_t rows;
    size_t stride;
    uint8_t *pixels;
};

static size_t stride_of(uint32_t width)
{
    return ((size_t)width + 63) / 64 * 8;
}

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Runs of about `run` pixels; most rows are like the one above with edges moved a little, some are
 * new, some are empty. */
static struct bitmap bitmap_draw(uint32_t width, uint32_t rows, uint32_t run, uint32_t seed)
{
    struct bitmap map = { width, rows, stride_of(width), NULL };
    map.pixels = calloc(rows, map.stride);
    assert_non_null(map.pixels);
    for (uint32_t y = 0; y < rows; y++) {
        uint8_t *row = map.pixels + y * map.stride;
        uint32_t kind = draw(&seed) % 16;
        if (kind == 0)
            continue;
        if (kind > 3 && y > 0) {
            memcpy(row, row - map.stride, map.stride);
            for (uint32_t i = 0; i < width / 50 + 1; i++) {
                uint32_t x = draw(&seed) % width;
                row[x / 8] ^= (uint8_t)(0x80 >> x % 8);
            }
            continue;
        }
        bool black = draw(&seed) % 2 == 0;
        for (uint32_t x = 0; x < width; black = !black) {
            uint32_t length = 1 + draw(&seed) % run;
            for (; length > 0 && x < width; length--, x++)
                row[x / 8] |= (uint8_t)(black ? 0x80 >> x % 8 : 0);
        }
    }
    return map;
}

/* libtiff's data for the picture as one strip; free them. */
static uint8_t *tiff_encode(const struct bitmap *map, uint16_t compression, uint32_t options,
                            size_t *size)
{
    struct memory_tiff file = { 0 };
    memory_tiff_open(&file, "w");
    TIFFSetField(file.tiff, TIFFTAG_IMAGEWIDTH, map->width);
    TIFFSetField(file.tiff, TIFFTAG_IMAGELENGTH, map->rows);
    TIFFSetField(file.tiff, TIFFTAG_ROWSPERSTRIP, map->rows);
    TIFFSetField(file.tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(file.tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(file.tiff, TIFFTAG_COMPRESSION, compression);
    TIFFSetField(file.tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    if (compression == COMPRESSION_CCITTFAX3)
        TIFFSetField(file.tiff, TIFFTAG_GROUP3OPTIONS, options);
    size_t packed = ((size_t)map->width + 7) / 8;
    uint8_t *rows = malloc(packed * map->rows);
    assert_non_null(rows);
    for (uint32_t y = 0; y < map->rows; y++)
        memcpy(rows + y * packed, map->pixels + y * map->stride, packed);
    assert_true(TIFFWriteEncodedStrip(file.tiff, 0, rows, (tmsize_t)(packed * map->rows)) > 0);
    free(rows);
    memory_tiff_close(&file);
    memory_tiff_open(&file, "r");
    *size = (size_t)TIFFRawStripSize(file.tiff, 0);
    uint8_t *data = malloc(*size);
    assert_non_null(data);
    assert_int_equal(TIFFReadRawStrip(file.tiff, 0, data, (tmsize_t)*size), (tmsize_t)*size);
    memory_tiff_close(&file);
    memory_tiff_fini(&file);
    return data;
}

static void assert_decodes(const struct bitmap *map, const struct pl_fax *fax, const uint8_t *data,
                           size_t size)
{
    struct pl_fault fault = { 0 };
    uint8_t *pixels = malloc(map->stride * map->rows);
    /* A copy of its own, so that a sanitizer sees a byte too far. */
    uint8_t *exact = malloc(size);
    assert_non_null(pixels);
    assert_non_null(exact);
    memcpy(exact, data, size);
    memset(pixels, 0xa5, map->stride * map->rows);
    pl_status status = pl_fax_decode(fax, exact, size, pixels, map->stride, &fault);
    if (status != PL_OK)
        print_error("%s\n", fault.reason);
    assert_int_equal(status, PL_OK);
    assert_memory_equal(pixels, map->pixels, map->stride * map->rows);
    assert_int_equal(pl_fax_check(fax, exact, size, &fault), PL_OK);
    free(exact);
    free(pixels);
}

static const uint32_t widths[] = { 1, 7, 8, 63, 64, 65, 200, 1728, 2551, 5200 };
static const uint32_t lengths[] = { 1, 3, 20, 200, 3000 };

static void all_sizes(uint16_t compression, uint32_t options)
{
    for (size_t w = 0; w < PL_COUNT_OF(widths); w++) {
        for (size_t l = 0; l < PL_COUNT_OF(lengths); l++) {
            struct bitmap map = bitmap_draw(widths[w], 40, lengths[l], (uint32_t)(w * 31 + l));
            size_t size = 0;
            uint8_t *data = tiff_encode(&map, compression, options, &size);
            const struct pl_fax fax = {
                .t6 = compression == COMPRESSION_CCITTFAX4,
                .t4 = { .k = (options & GROUP3OPT_2DENCODING) != 0,
                        .byte_align = compression == COMPRESSION_CCITTRLE ||
                                      (options & GROUP3OPT_FILLBITS) != 0 },
                .width_px = map.width,
                .rows = map.rows,
            };
            assert_decodes(&map, &fax, data, size);
            free(data);
            free(map.pixels);
        }
    }
}

static void fax_decode__t6_of_libtiff__gives_its_pixels(void **state)
{
    (void)state;
    all_sizes(COMPRESSION_CCITTFAX4, 0);
}

static void fax_decode__t4_one_dimensional__gives_its_pixels(void **state)
{
    (void)state;
    all_sizes(COMPRESSION_CCITTFAX3, 0);
    all_sizes(COMPRESSION_CCITTFAX3, GROUP3OPT_FILLBITS);
}

static void fax_decode__t4_two_dimensional__gives_its_pixels(void **state)
{
    (void)state;
    all_sizes(COMPRESSION_CCITTFAX3, GROUP3OPT_2DENCODING);
    all_sizes(COMPRESSION_CCITTFAX3, GROUP3OPT_2DENCODING | GROUP3OPT_FILLBITS);
}

static void fax_decode__rows_of_whole_bytes__gives_their_pixels(void **state)
{
    (void)state;
    all_sizes(COMPRESSION_CCITTRLE, 0);
}

static void fax_decode__our_own_encoder__gives_its_pixels(void **state)
{
    (void)state;
    for (size_t w = 0; w < PL_COUNT_OF(widths); w++) {
        struct bitmap map = bitmap_draw(widths[w], 60, 30, (uint32_t)w);
        struct pl_bytes out;
        pl_bytes_init(&out, (size_t)1 << 24);
        assert_int_equal(pl_g4_encode(map.pixels, map.stride, map.width, map.rows, &out), PL_OK);
        const struct pl_fax fax = { .t6 = true, .width_px = map.width, .rows = map.rows };
        assert_decodes(&map, &fax, out.data, out.size);
        pl_bytes_fini(&out);
        free(map.pixels);
    }
}

static void fax_decode__rows_missing__says_how_many(void **state)
{
    (void)state;
    struct bitmap map = bitmap_draw(1000, 40, 60, 5);
    size_t size = 0;
    uint8_t *data = tiff_encode(&map, COMPRESSION_CCITTFAX4, 0, &size);
    struct pl_fax fax = { .t6 = true, .width_px = 1000, .rows = 50, .page = 3, .first_row = 100 };
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_fax_check(&fax, data, size, &fault), PL_BAD_DOCUMENT);
    assert_string_equal(fault.reason, "page 3: the fax data end before row 141; 10 of 50 rows are "
                                      "missing");
    fax.rows = 40;
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_fax_check(&fax, data, size / 2, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "rows are missing"));
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_fax_check(&fax, data, 0, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "40 of 40 rows are missing"));
    free(data);
    free(map.pixels);
}

static void fax_decode__rtc_too_early__says_how_many_rows_are_missing(void **state)
{
    (void)state;
    struct bitmap map = bitmap_draw(1728, 20, 60, 6);
    size_t size = 0;
    uint8_t *data = tiff_encode(&map, COMPRESSION_CCITTFAX3, 0, &size);
    static const uint8_t rtc[] = { 0x00, 0x10, 0x01, 0x00, 0x10, 0x01, 0x00, 0x10, 0x01 };
    uint8_t *longer = malloc(size + sizeof rtc);
    assert_non_null(longer);
    memcpy(longer, data, size);
    memcpy(longer + size, rtc, sizeof rtc);
    const struct pl_fax fax = { .width_px = 1728, .rows = 25, .page = 1 };
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_fax_check(&fax, longer, size + sizeof rtc, &fault), PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "end before row 21; 5 of 25 rows are missing"));
    free(longer);
    free(data);
    free(map.pixels);
}

/* Every bit of a stream turned in turn: never more than a fault, and most are found. */
static void fax_decode__any_bit_turned__is_survived_and_mostly_found(void **state)
{
    (void)state;
    struct bitmap map = bitmap_draw(300, 30, 20, 7);
    size_t size = 0;
    uint8_t *data = tiff_encode(&map, COMPRESSION_CCITTFAX4, 0, &size);
    uint8_t *pixels = malloc(map.stride * map.rows);
    assert_non_null(pixels);
    const struct pl_fax fax = { .t6 = true, .width_px = 300, .rows = 30, .page = 1 };
    size_t found = 0;
    for (size_t bit = 0; bit < size * 8; bit++) {
        struct pl_fault fault = { 0 };
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        pl_status status = pl_fax_decode(&fax, data, size, pixels, map.stride, &fault);
        assert_true(status == PL_OK || status == PL_BAD_DOCUMENT || status == PL_UNSUPPORTED);
        found += status != PL_OK;
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(found > size * 8 / 2);
    free(pixels);
    free(data);
    free(map.pixels);
}

static void assert_fault(const char *bits, const char *words, pl_status wanted)
{
    uint8_t data[32] = { 0 };
    size_t count = 0;
    for (const char *at = bits; *at != '\0'; at++) {
        if (*at == ' ')
            continue;
        data[count / 8] |= (uint8_t)(*at == '1' ? 0x80 >> count % 8 : 0);
        count++;
    }
    const struct pl_fax fax = { .t6 = true, .width_px = 16, .rows = 2, .page = 1 };
    struct pl_fault fault = { 0 };
    uint8_t pixels[16];
    pl_status status = pl_fax_decode(&fax, data, (count + 7) / 8, pixels, 8, &fault);
    assert_int_equal(status, wanted);
    if (status != PL_OK)
        assert_non_null(strstr(fault.reason, words));
}

static void fax_decode__codes_that_lead_nowhere__name_the_row(void **state)
{
    (void)state;
    /* both rows white */
    assert_fault("1 1", "", PL_OK);
    /* vertical right of the row's end */
    assert_fault("011 1 1111111111", "damaged in row 1", PL_BAD_DOCUMENT);
    /* pass mode where there is nothing to pass */
    assert_fault("1 0001 1111111111", "damaged in row 2", PL_BAD_DOCUMENT);
    /* horizontal: white 20 in a row of 16 */
    assert_fault("1 001 0001000 11 11111111", "damaged in row 2", PL_BAD_DOCUMENT);
    /* the extension code */
    assert_fault("0000001111 111111111111", "uncompressed mode", PL_UNSUPPORTED);
    /* EOFB where the second row should be */
    assert_fault("1 000000000001 000000000001", "end before row 2; 1 of 2", PL_BAD_DOCUMENT);
}

/* White 4, black 0 changes nothing: the row below must not find a changing element there. */
static void fax_decode__run_of_no_pixels__is_no_changing_element(void **state)
{
    (void)state;
    /* row 1: H white 4 black 0, H white 4 black 3, V0 to the end; row 2: V0 V0 V0 */
    uint8_t bytes[16] = { 0 };
    size_t count = 0;
    for (const char *at = "001 1011 0000110111 001 1011 10 1 111"; *at != '\0'; at++) {
        if (*at != ' ') {
            bytes[count / 8] |= (uint8_t)(*at == '1' ? 0x80 >> count % 8 : 0);
            count++;
        }
    }
    const struct pl_fax fax = { .t6 = true, .width_px = 16, .rows = 2, .page = 1 };
    struct pl_fault fault = { 0 };
    uint8_t pixels[16] = { 0 };
    assert_int_equal(pl_fax_decode(&fax, bytes, (count + 7) / 8, pixels, 8, &fault), PL_OK);
    assert_int_equal(pixels[0], 0x00);
    assert_int_equal(pixels[1], 0xe0);
    assert_memory_equal(pixels, pixels + 8, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fax_decode__t6_of_libtiff__gives_its_pixels),
        cmocka_unit_test(fax_decode__t4_one_dimensional__gives_its_pixels),
        cmocka_unit_test(fax_decode__t4_two_dimensional__gives_its_pixels),
        cmocka_unit_test(fax_decode__rows_of_whole_bytes__gives_their_pixels),
        cmocka_unit_test(fax_decode__our_own_encoder__gives_its_pixels),
        cmocka_unit_test(fax_decode__rows_missing__says_how_many),
        cmocka_unit_test(fax_decode__rtc_too_early__says_how_many_rows_are_missing),
        cmocka_unit_test(fax_decode__any_bit_turned__is_survived_and_mostly_found),
        cmocka_unit_test(fax_decode__codes_that_lead_nowhere__name_the_row),
        cmocka_unit_test(fax_decode__run_of_no_pixels__is_no_changing_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
