/* test_pdf_filter: each encoding against vectors of its standard or against zlib, whole and
 * damaged; predictors against rows filtered here.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/codec/flate.h"
#include "pipeline/pdf/pdf_chain_priv.h"
#include "pipeline/pdf/pdf_filter.h"
#include "pipeline/pdf/pdf_parse.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static pl_status undo(const char *name, const struct pl_pdf_value *parms, const void *data,
                      size_t size, struct pl_bytes *out)
{
    struct pl_pdf_filter filter = pl_pdf_filter_named(pl_span_from(name));
    struct pl_pdf_encoded in = { .memory = { data, size, 0 } };
    filter.parms = parms;
    return pl_pdf_filter_undo(&filter, &in, out);
}

static void check(const char *name, const char *data, size_t size, pl_status status,
                  const char *expected)
{
    struct pl_bytes out;
    pl_bytes_init(&out, 1000);
    assert_int_equal(undo(name, NULL, data, size, &out), status);
    assert_int_equal(out.size, strlen(expected));
    if (out.size > 0)
        assert_memory_equal(out.data, expected, out.size);
    pl_bytes_fini(&out);
}

#define CHECK(name, data, status, expected) check(name, data, sizeof(data) - 1, status, expected)

static void ascii85__whole_and_damaged__is_decoded_as_far_as_it_goes(void **state)
{
    struct pl_bytes out;
    (void)state;
    CHECK("ASCII85Decode", "<~87cURD]j7BEbo80~>", PL_OK, "Hello world!");
    CHECK("A85", "87cUR D]j7\nBEbo7~", PL_OK, "Hello world");
    CHECK("A85", "87cURD]j7BEbo80", PL_OK, "Hello world!"); /* without an end mark */
    CHECK("A85", "87cURD]\xffj7BEbo80~>", PL_BAD_DOCUMENT, "Hell");
    CHECK("A85", "87cURuuuuu~>", PL_BAD_DOCUMENT, "Hell"); /* past 2^32 */
    CHECK("A85", "~>", PL_OK, "");
    pl_bytes_init(&out, 16);
    assert_int_equal(undo("A85", NULL, "zz~>", 4, &out), PL_OK);
    assert_int_equal(out.size, 8);
    assert_int_equal(out.data[7], 0);
    pl_bytes_fini(&out);
}

static void ascii_hex__whole_and_damaged__is_decoded_as_far_as_it_goes(void **state)
{
    (void)state;
    CHECK("ASCIIHexDecode", "48 65\n6c6C 6f>zz", PL_OK, "Hello");
    CHECK("AHx", "48657>", PL_OK, "Hep");
    CHECK("AHx", "4865", PL_OK, "He");
    CHECK("AHx", "4865x66>", PL_BAD_DOCUMENT, "He");
}

static void run_length__whole_and_damaged__is_decoded_as_far_as_it_goes(void **state)
{
    (void)state;
    CHECK("RunLengthDecode",
          "\x02"
          "abc\xfe"
          "d\x80zz",
          PL_OK, "abcddd");
    CHECK("RL",
          "\x02"
          "abc",
          PL_OK, "abc");
    CHECK("RL",
          "\x05"
          "abc",
          PL_BAD_DOCUMENT, "abc");
    CHECK("RL",
          "\x00"
          "a\xf0",
          PL_BAD_DOCUMENT, "a");
}

/* The example of ISO 32000-1 7.4.4.2. */
static void lzw__example_of_the_standard__is_decoded(void **state)
{
    (void)state;
    CHECK("LZWDecode", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", PL_OK, "-----A---B");
    CHECK("LZW", "\x80\x0b\x60\x50\x22\x0c\x0c", PL_OK, "-----A---"); /* cut */
    CHECK("LZW", "\x80\x0b\x7f\xff", PL_BAD_DOCUMENT, "-");           /* an unknown code */
}

/* A coder that only writes literals and clears never, so that codes reach 12 bits. */
static size_t lzw_literals(const uint8_t *data, size_t size, bool early, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned held = 0;
    unsigned width = 9;
    unsigned next = 258;
    size_t written = 0;
    for (size_t i = 0; i <= size; i++) {
        bits = bits << width | (i < size ? data[i] : 257U);
        for (held += width; held >= 8; held -= 8)
            out[written++] = (uint8_t)(bits >> (held - 8));
        if (i > 0 && next < 4096)
            next++;
        while (width < 12 && next + (early ? 1 : 0) >= 1U << width)
            width++;
    }
    out[written++] = (uint8_t)(bits << (8 - held));
    return written;
}

static void lzw__of_many_codes__grows_early_or_late(void **state)
{
    enum { SIZE = 6000 };
    uint8_t data[SIZE];
    uint8_t coded[SIZE * 2];
    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    for (int early = 0; early < 2; early++) {
        struct pl_pdf_value value = { .kind = PL_PDF_INT, .as.integer = early };
        struct pl_pdf_entry entry = { pl_span_from("EarlyChange"), &value };
        struct pl_pdf_value parms = { .kind = PL_PDF_DICT };
        struct pl_bytes out;
        parms.as.dict.entries = &entry;
        parms.as.dict.count = 1;
        pl_bytes_init(&out, SIZE);
        size_t size = lzw_literals(data, SIZE, early == 1, coded);
        assert_int_equal(undo("LZWDecode", &parms, coded, size, &out), PL_OK);
        assert_int_equal(out.size, SIZE);
        assert_memory_equal(out.data, data, SIZE);
        pl_bytes_fini(&out);
    }
}

/* --- Flate ----------------------------------------------------------------------------------- */

enum { FLAT = 100000 };

static size_t deflate_to(uint8_t *out, size_t room, int window, const uint8_t *data, size_t size)
{
    z_stream zlib = { .next_in = (z_const Bytef *)data, .avail_in = (uInt)size };
    assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_out = out;
    zlib.avail_out = (uInt)room;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    size_t used = room - zlib.avail_out;
    assert_int_equal(deflateEnd(&zlib), Z_OK);
    return used;
}

static void fill(uint8_t *data, size_t size)
{
    uint32_t x = 1;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(i % 3 == 0 ? x >> 28 : 'a');
    }
}

static void flate__with_forgivable_faults__is_decoded_whole(void **state)
{
    uint8_t *data = malloc(FLAT);
    uint8_t *coded = malloc(FLAT + 100);
    struct pl_bytes out;
    (void)state;
    assert_non_null(data);
    assert_non_null(coded);
    fill(data, FLAT);
    pl_bytes_init(&out, FLAT);
    size_t size = deflate_to(coded, FLAT, MAX_WBITS, data, FLAT);
    for (unsigned fault = 0; fault < 5; fault++) {
        size_t given = size;
        const uint8_t *from = coded;
        if (fault == 1)
            given = size - 4; /* no checksum */
        if (fault == 2)
            given = size - 1;
        if (fault == 3)
            memset(coded + size, 'x', 50), given = size + 50; /* bytes behind it */
        if (fault == 4)
            given = deflate_to(coded, FLAT, -MAX_WBITS, data, FLAT); /* no header */
        pl_bytes_clear(&out);
        assert_int_equal(undo("FlateDecode", NULL, from, given, &out), PL_OK);
        assert_int_equal(out.size, FLAT);
        assert_memory_equal(out.data, data, FLAT);
    }
    pl_bytes_fini(&out);
    free(coded);
    free(data);
}

static void flate__cut_or_damaged__keeps_what_came_before_and_says_so(void **state)
{
    uint8_t *data = malloc(FLAT);
    uint8_t *coded = malloc(FLAT);
    struct pl_bytes out;
    (void)state;
    assert_non_null(data);
    assert_non_null(coded);
    fill(data, FLAT);
    size_t size = deflate_to(coded, FLAT, MAX_WBITS, data, FLAT);
    for (size_t cut = 5; cut < 400; cut++) {
        pl_bytes_init(&out, FLAT);
        assert_int_equal(undo("FlateDecode", NULL, coded, size - cut, &out), PL_BAD_DOCUMENT);
        assert_true(out.size <= FLAT);
        assert_memory_equal(out.data, data, out.size);
        pl_bytes_fini(&out);
    }
    pl_bytes_init(&out, (size_t)100 * FLAT);
    coded[size - 1] ^= 1; /* of the checksum */
    assert_int_equal(undo("FlateDecode", NULL, coded, size, &out), PL_BAD_DOCUMENT);
    assert_int_equal(out.size, FLAT);
    coded[size - 1] ^= 1;
    pl_bytes_clear(&out);
    memset(coded + size / 2, 0xff, 200);
    assert_int_equal(undo("FlateDecode", NULL, coded, size, &out), PL_BAD_DOCUMENT);
    assert_true(out.size > FLAT / 4);
    assert_memory_equal(out.data, data, FLAT / 4);
    pl_bytes_fini(&out);
    free(coded);
    free(data);
}

static void flate__past_the_buffers_limit__is_too_large(void **state)
{
    uint8_t *data = calloc(1, FLAT);
    uint8_t coded[1000];
    struct pl_bytes out;
    (void)state;
    assert_non_null(data);
    size_t size = deflate_to(coded, sizeof coded, MAX_WBITS, data, FLAT);
    pl_bytes_init(&out, FLAT - 1);
    assert_int_equal(undo("Fl", NULL, coded, size, &out), PL_TOO_LARGE);
    pl_bytes_fini(&out);
    pl_bytes_init(&out, FLAT);
    assert_int_equal(undo("Fl", NULL, coded, size, &out), PL_OK);
    pl_bytes_fini(&out);
    free(data);
}

/* --- predictors ------------------------------------------------------------------------------ */

struct parms {
    struct pl_pdf_value values[4];
    struct pl_pdf_entry entries[4];
    struct pl_pdf_value dict;
};

static const struct pl_pdf_value *parms_of(struct parms *parms, int64_t predictor, int64_t colours,
                                           int64_t bits, int64_t columns)
{
    static const char *const keys[] = { "Predictor", "Colors", "BitsPerComponent", "Columns" };
    const int64_t values[] = { predictor, colours, bits, columns };
    *parms = (struct parms){ .dict = { .kind = PL_PDF_DICT } };
    for (size_t i = 0; i < 4; i++) {
        parms->values[i] = (struct pl_pdf_value){ .kind = PL_PDF_INT, .as.integer = values[i] };
        parms->entries[i] = (struct pl_pdf_entry){ pl_span_from(keys[i]), &parms->values[i] };
    }
    parms->dict.as.dict.entries = parms->entries;
    parms->dict.as.dict.count = 4;
    return &parms->dict;
}

/* Our own encoder chooses the filters; that one is judged by other readers elsewhere. */
static void png__rows_of_all_filters__come_back(void **state)
{
    enum { ROWS = 60, COLUMNS = 31, ROW = COLUMNS * 3 };
    uint8_t rows[ROWS][ROW];
    struct pl_bytes flat;
    struct pl_bytes out;
    struct pl_flate *flate = NULL;
    struct parms parms;
    (void)state;
    for (size_t y = 0; y < ROWS; y++) {
        for (size_t x = 0; x < ROW; x++)
            rows[y][x] = (uint8_t)(y < 20 ? x * 3 : y < 40 ? y * 5 + x / 7 : x * y * 31);
    }
    pl_bytes_init(&flat, 1 << 20);
    pl_bytes_init(&out, sizeof rows + ROWS);
    assert_int_equal(pl_flate_new(ROW, 3, &flat, &flate), PL_OK);
    for (size_t y = 0; y < ROWS; y++)
        assert_int_equal(pl_flate_row(flate, rows[y]), PL_OK);
    assert_int_equal(pl_flate_end(flate), PL_OK);
    pl_flate_free(flate);
    const struct pl_pdf_value *dict = parms_of(&parms, 15, 3, 8, COLUMNS);
    assert_int_equal(undo("FlateDecode", dict, flat.data, flat.size, &out), PL_OK);
    assert_int_equal(out.size, sizeof rows);
    assert_memory_equal(out.data, rows, sizeof rows);
    pl_bytes_fini(&out);
    pl_bytes_fini(&flat);
}

static void png__cut_row_and_unknown_filter__keep_their_bytes(void **state)
{
    static const uint8_t coded[] = { 2, 1, 2, 3, 2, 1, 1, 1, 9, 7, 7, 7, 1, 5, 5 };
    static const uint8_t plain[] = { 1, 2, 3, 2, 3, 4, 7, 7, 7, 5, 10 };
    struct pl_bytes out;
    struct parms parms;
    (void)state;
    pl_bytes_init(&out, 100);
    assert_int_equal(pl_bytes_append(&out, "ab", 2), PL_OK);
    assert_int_equal(pl_bytes_append(&out, coded, sizeof coded), PL_OK);
    assert_int_equal(pl_pdf_unpredict(parms_of(&parms, 12, 1, 8, 3), &out, 2), PL_BAD_DOCUMENT);
    assert_int_equal(out.size, 2 + sizeof plain);
    assert_memory_equal(out.data + 2, plain, sizeof plain);
    pl_bytes_fini(&out);
}

static void unpredict(int64_t colours, int64_t bits, int64_t columns, const uint8_t *coded,
                      const uint8_t *plain, size_t size)
{
    struct pl_bytes out;
    struct parms parms;
    pl_bytes_init(&out, 100);
    assert_int_equal(pl_bytes_append(&out, coded, size), PL_OK);
    assert_int_equal(pl_pdf_unpredict(parms_of(&parms, 2, colours, bits, columns), &out, 0), PL_OK);
    assert_memory_equal(out.data, plain, size);
    pl_bytes_fini(&out);
}

static void tiff__of_each_depth__comes_back(void **state)
{
    (void)state;
    unpredict(3, 8, 2, (const uint8_t *)"\x01\x02\x03\x01\x01\xff\x05\x05\x05\x00\x00\x00",
              (const uint8_t *)"\x01\x02\x03\x02\x03\x02\x05\x05\x05\x05\x05\x05", 12);
    unpredict(1, 16, 2, (const uint8_t *)"\x00\xff\x00\x02", (const uint8_t *)"\x00\xff\x01\x01",
              4);
    unpredict(1, 1, 8, (const uint8_t *)"\x88\x80", (const uint8_t *)"\xf0\xff", 2);
    unpredict(2, 4, 2, (const uint8_t *)"\x12\x1f", (const uint8_t *)"\x12\x21", 2);
}

static void predictor__that_makes_no_sense__is_refused(void **state)
{
    static const int64_t rows[][4] = {
        { 12, 0, 8, 1 }, { 12, 100, 8, 1 },       { 12, 1, 7, 1 }, { 12, 1, 8, 0 },
        { 5, 1, 8, 1 },  { 12, 1, 8, INT64_MAX }, { 2, 1, 8, -1 }, { 12, 64, 16, 1 << 27 },
    };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct pl_bytes out;
        struct parms parms;
        pl_bytes_init(&out, 10);
        assert_int_equal(pl_bytes_append(&out, "abc", 3), PL_OK);
        assert_int_equal(
            pl_pdf_unpredict(parms_of(&parms, rows[i][0], rows[i][1], rows[i][2], rows[i][3]), &out,
                             0),
            PL_BAD_DOCUMENT);
        pl_bytes_fini(&out);
    }
}

/* --- chains ---------------------------------------------------------------------------------- */

static pl_status run(const char *const *names, size_t count, const char *data, uint64_t expansion,
                     struct pl_bytes *out, const struct pl_pdf_filter **image,
                     struct pl_fault *fault)
{
    struct pl_pdf_value values[PL_PDF_FILTERS + 1];
    const struct pl_pdf_value *items[PL_PDF_FILTERS + 1];
    static struct pl_pdf_chain chain;
    struct pl_pdf_value list = { .kind = PL_PDF_ARRAY };
    struct pl_pdf_encoded in = { .memory = { (const uint8_t *)data, strlen(data), 0 } };
    for (size_t i = 0; i < count; i++) {
        values[i] = (struct pl_pdf_value){ .kind = PL_PDF_NAME };
        values[i].as.text = pl_span_from(names[i]);
        items[i] = &values[i];
    }
    list.as.array.items = items;
    list.as.array.count = count;
    pl_status status = pl_pdf_chain_read(&list, NULL, &chain, fault);
    return status == PL_OK ? pl_pdf_chain_run(&chain, &in, expansion, out, image, fault) : status;
}

static void chain__of_several__is_undone_in_order(void **state)
{
    static const char *const names[] = { "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode",
                                         "DCTDecode" };
    struct pl_bytes out;
    const struct pl_pdf_filter *image = NULL;
    (void)state;
    pl_bytes_init(&out, 100);
    /* "!!*-'" is 00 01 02 03 in ASCII85: one literal byte 01, then two of 02 03 and more */
    assert_int_equal(run(names, 2, "21 21 2a 2d 27 7e3e>", 1000, &out, &image, NULL), PL_OK);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.data, "\0\1\2\3", 4);
    assert_null(image);
    pl_bytes_clear(&out);
    assert_int_equal(run(names + 3, 1, "jpeg", 1000, &out, &image, NULL), PL_OK);
    assert_memory_equal(out.data, "jpeg", 4);
    assert_true(pl_span_equals(image->name, "DCTDecode"));
    pl_bytes_fini(&out);
}

static void chain__unknown_misplaced_or_endless__is_refused_in_a_sentence(void **state)
{
    static const char *const unknown[] = { "AHx", "Wavelet" };
    static const char *const misplaced[] = { "DCT", "AHx" };
    const char *many[PL_PDF_FILTERS + 1];
    struct pl_bytes out;
    const struct pl_pdf_filter *image = NULL;
    struct pl_fault fault = { 0 };
    (void)state;
    pl_bytes_init(&out, 100);
    assert_int_equal(run(unknown, 2, "00>", 1000, &out, &image, &fault), PL_UNSUPPORTED);
    assert_non_null(strstr(fault.reason, "Wavelet"));
    fault = (struct pl_fault){ 0 };
    assert_int_equal(run(misplaced, 2, "00>", 1000, &out, &image, &fault), PL_UNSUPPORTED);
    assert_non_null(strstr(fault.reason, "DCTDecode"));
    for (size_t i = 0; i < PL_COUNT_OF(many); i++)
        many[i] = "AHx";
    fault = (struct pl_fault){ 0 };
    assert_int_equal(run(many, PL_COUNT_OF(many), "00>", 1000, &out, &image, &fault),
                     PL_BAD_DOCUMENT);
    assert_non_null(strstr(fault.reason, "17"));
    pl_bytes_fini(&out);
}

static void chain__that_expands_without_measure__is_too_large(void **state)
{
    enum { MEBI = 1 << 20 };
    static struct pl_pdf_chain chain;
    uint8_t *zeros = calloc(1, MEBI);
    uint8_t *coded = malloc(MEBI);
    struct pl_bytes out;
    const struct pl_pdf_filter *image = NULL;
    struct pl_fault fault = { 0 };
    (void)state;
    assert_non_null(zeros);
    assert_non_null(coded);
    z_stream zlib = { .next_out = coded, .avail_out = MEBI };
    assert_int_equal(deflateInit(&zlib, 9), Z_OK);
    for (int i = 0; i < 80; i++) {
        zlib.next_in = zeros;
        zlib.avail_in = MEBI;
        assert_int_equal(deflate(&zlib, i == 79 ? Z_FINISH : Z_NO_FLUSH), i == 79 ? 1 : Z_OK);
    }
    chain.count = 1;
    chain.filters[0] = pl_pdf_filter_named(pl_span_from("FlateDecode"));
    struct pl_pdf_encoded in = { .memory = { coded, zlib.total_out, 0 } };
    pl_bytes_init(&out, (size_t)1 << 30);
    assert_int_equal(pl_pdf_chain_run(&chain, &in, 100, &out, &image, &fault), PL_TOO_LARGE);
    assert_non_null(strstr(fault.reason, "67108864"));
    pl_bytes_clear(&out);
    in = (struct pl_pdf_encoded){ .memory = { coded, zlib.total_out, 0 } };
    assert_int_equal(pl_pdf_chain_run(&chain, &in, 2000, &out, &image, NULL), PL_OK);
    assert_int_equal(out.size, 80 * MEBI);
    assert_int_equal(deflateEnd(&zlib), Z_OK);
    pl_bytes_fini(&out);
    free(coded);
    free(zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii85__whole_and_damaged__is_decoded_as_far_as_it_goes),
        cmocka_unit_test(ascii_hex__whole_and_damaged__is_decoded_as_far_as_it_goes),
        cmocka_unit_test(run_length__whole_and_damaged__is_decoded_as_far_as_it_goes),
        cmocka_unit_test(lzw__example_of_the_standard__is_decoded),
        cmocka_unit_test(lzw__of_many_codes__grows_early_or_late),
        cmocka_unit_test(flate__with_forgivable_faults__is_decoded_whole),
        cmocka_unit_test(flate__cut_or_damaged__keeps_what_came_before_and_says_so),
        cmocka_unit_test(flate__past_the_buffers_limit__is_too_large),
        cmocka_unit_test(png__rows_of_all_filters__come_back),
        cmocka_unit_test(png__cut_row_and_unknown_filter__keep_their_bytes),
        cmocka_unit_test(tiff__of_each_depth__comes_back),
        cmocka_unit_test(predictor__that_makes_no_sense__is_refused),
        cmocka_unit_test(chain__of_several__is_undone_in_order),
        cmocka_unit_test(chain__unknown_misplaced_or_endless__is_refused_in_a_sentence),
        cmocka_unit_test(chain__that_expands_without_measure__is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
