/* test_tiff_in: what is copied, what is refused, and with which words.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/g4.h"
#include "tests/unit/pipeline/codec/memory_tiff.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

#define WIDTH 200
#define HEIGHT 90
#define STRIDE (WIDTH / 8)

static void draw(uint8_t *bitmap)
{
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < STRIDE; x++)
            bitmap[y * STRIDE + x] = (uint8_t)((x * 37 + (y / 7) * 11) & ((y / 3) % 4 * 85));
}

static const uint8_t eofb[3] = { 0x00, 0x10, 0x01 };

/* A strip: rows from `first`, with or without the end-of-block code (byte-aligned). */
static void encode(uint32_t first, uint32_t rows, bool end, struct pl_bytes *out)
{
    uint8_t bitmap[STRIDE * HEIGHT];
    draw(bitmap);
    pl_bytes_init(out, 1 << 20);
    assert_int_equal(pl_g4_encode(bitmap + (size_t)first * STRIDE, STRIDE, WIDTH, rows, out),
                     PL_OK);
    if (end)
        assert_int_equal(pl_bytes_append(out, eofb, sizeof eofb), PL_OK);
}

struct hand_page {
    uint32_t strips; /* rows are shared out evenly */
    uint32_t photometric;
    uint32_t fill_order;
    uint32_t t6_options;
    uint32_t clean_fax;
    uint32_t cut;     /* bytes that the last strip is cut short by */
    uint32_t claimed; /* rows, 0: HEIGHT */
    bool end;         /* EOFB behind each strip */
    bool no_sizes;    /* StripByteCounts are 0 */
    uint32_t hole;    /* where in the first strip two bytes are zero; 0: nowhere */
    bool beyond;      /* the last strip reaches past the end of the file */
};

static uint8_t reversed(uint8_t byte)
{
    uint8_t out = 0;
    for (int i = 0; i < 8; i++)
        out = (uint8_t)(out << 1 | (byte >> i & 1));
    return out;
}

/* A one-page Group 4 file; *data gets the strips as they should be copied. */
static void hand_make(const struct hand_page *hand, struct pl_bytes *file, struct pl_bytes *data)
{
    uint32_t offsets[8];
    uint32_t sizes[8];
    uint32_t rows = HEIGHT / hand->strips;
    uint32_t claimed = hand->claimed > 0 ? hand->claimed : HEIGHT;
    hand_begin(file);
    pl_bytes_init(data, 1 << 20);
    for (uint32_t i = 0; i < hand->strips; i++) {
        struct pl_bytes strip;
        encode(i * rows, rows, hand->end, &strip);
        if (i + 1 == hand->strips)
            strip.size -= hand->cut;
        if (hand->hole > 0 && i == 0) {
            assert_true(strip.size > hand->hole + 5); /* its end stays good */
            memset(strip.data + hand->hole, 0, 2);
        }
        hand_put(data, strip.data, strip.size);
        for (size_t n = 0; n < strip.size && hand->fill_order == 2; n++)
            strip.data[n] = reversed(strip.data[n]);
        offsets[i] = (uint32_t)file->size;
        sizes[i] = (uint32_t)strip.size + (hand->beyond && i + 1 == hand->strips ? 5000 : 0);
        hand_put(file, strip.data, strip.size);
        if (hand->no_sizes)
            sizes[i] = 0;
        pl_bytes_fini(&strip);
    }
    bool one = hand->strips == 1;
    uint32_t tables = (uint32_t)file->size;
    hand_put(file, offsets, 4 * (size_t)hand->strips);
    hand_put(file, sizes, 4 * (size_t)hand->strips);
    const struct tag_entry entries[] = {
        { 256, 4, 1, WIDTH },
        { 257, 4, 1, claimed },
        { 258, 3, 1, 1 },
        { 259, 3, 1, 4 },
        { 262, 3, 1, hand->photometric },
        { 266, 3, 1, hand->fill_order },
        { 273, 4, hand->strips, one ? offsets[0] : tables },
        { 277, 3, 1, 1 },
        { 278, 4, 1, one ? claimed : rows },
        { 279, 4, hand->strips, one ? sizes[0] : tables + 4 * hand->strips },
        { 293, 4, 1, hand->t6_options },
        { 327, 3, 1, hand->clean_fax },
    };
    hand_patch(file, 4, (uint32_t)file->size);
    (void)hand_dir(file, entries, PL_COUNT_OF(entries), 0);
}

struct expected {
    const struct hand_page *hand;
    const struct pl_bytes *data;
    bool copied;
};

static void compare(void *owner, const struct pl_page *page)
{
    const struct expected *expected = owner;
    struct pixels pixels;
    uint8_t bitmap[STRIDE * HEIGHT];
    if (expected->copied) {
        assert_int_equal(page->how, PL_PAGE_COPIED);
        assert_int_equal(page->part_count, expected->hand->strips);
        assert_int_equal(page->data.size, expected->data->size);
        assert_memory_equal(page->data.data, expected->data->data, page->data.size);
    } else {
        assert_int_equal(page->how, PL_PAGE_REENCODED_EXACT);
    }
    page_pixels_decode(page, &pixels);
    draw(bitmap);
    for (size_t y = 0; y < HEIGHT; y++)
        for (size_t x = 0; x < WIDTH; x++) {
            bool one = (bitmap[y * STRIDE + x / 8] >> (7 - x % 8) & 1) != 0;
            bool ink = one == (expected->hand->photometric == 0);
            assert_int_equal(pixels.data[y * WIDTH + x], ink ? 0 : 255);
        }
    free(pixels.data);
}

static void check(const struct hand_page *hand, bool copied, struct walk_verdict *verdict)
{
    struct pl_bytes file;
    struct pl_bytes data;
    hand_make(hand, &file, &data);
    struct expected expected = { hand, &data, copied };
    walk_bytes(file.data, file.size, compare, &expected, verdict);
    pl_bytes_fini(&file);
    pl_bytes_fini(&data);
}

static void check_good(const struct hand_page *hand, bool copied)
{
    struct walk_verdict verdict;
    check(hand, copied, &verdict);
    assert_string_equal(verdict.fault.reason, "");
    assert_int_equal(verdict.pages, 1);
}

static void check_bad(const struct hand_page *hand, const char *words)
{
    struct walk_verdict verdict;
    check(hand, true, &verdict);
    (void)printf("%s\n", verdict.fault.reason);
    assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
    assert_non_null(strstr(verdict.fault.reason, "page 1"));
    assert_non_null(strstr(verdict.fault.reason, words));
}

static void tiff_in__group4_strips__are_copied_bit_for_bit(void **state)
{
    (void)state;
    check_good(&(struct hand_page){ .strips = 1, .fill_order = 1, .end = true }, true);
    check_good(&(struct hand_page){ .strips = 5, .fill_order = 1, .end = true }, true);
}

static void tiff_in__fill_order_2__is_copied_with_its_bits_turned(void **state)
{
    (void)state;
    check_good(&(struct hand_page){ .strips = 2, .fill_order = 2, .end = true }, true);
}

static void tiff_in__min_is_black__is_copied_inverted(void **state)
{
    (void)state;
    check_good(&(struct hand_page){ .strips = 1, .photometric = 1, .fill_order = 1, .end = true },
               true);
}

static void tiff_in__strip_without_its_end_code__is_proved_and_copied(void **state)
{
    (void)state;
    check_good(&(struct hand_page){ .strips = 3, .fill_order = 1 }, true);
}

static void tiff_in__strips_of_unknown_size__are_decoded(void **state)
{
    (void)state;
    check_good(&(struct hand_page){ .strips = 1, .fill_order = 1, .end = true, .no_sizes = true },
               false);
}

static void tiff_in__uncompressed_mode_allowed__is_decoded(void **state)
{
    (void)state;
    check_good(&(struct hand_page){ .strips = 1, .fill_order = 1, .end = true, .t6_options = 2 },
               false);
}

static void tiff_in__strip_cut_short__is_refused(void **state)
{
    (void)state;
    check_bad(&(struct hand_page){ .strips = 1, .fill_order = 1, .end = true, .cut = 40 },
              "Group 4");
    check_bad(&(struct hand_page){ .strips = 3, .fill_order = 2, .cut = 9 }, "Group 4");
}

static void tiff_in__hole_before_a_good_end__is_refused(void **state)
{
    (void)state;
    /* Blocks of 256 bytes are looked at in one go. */
    static const uint32_t holes[] = { 100, 254, 255, 256, 300 };
    for (size_t i = 0; i < PL_COUNT_OF(holes); i++)
        check_bad(
            &(struct hand_page){ .strips = 1, .fill_order = 1, .end = true, .hole = holes[i] },
            "Group 4");
}

/* The strip is sound but holds fewer rows than the header claims: libtiff alone would leave the
 * rest of the page as it was. */
static void tiff_in__strip_with_rows_missing__is_refused(void **state)
{
    (void)state;
    check_bad(&(struct hand_page){ .strips = 1, .fill_order = 1, .claimed = 2 * HEIGHT },
              "Group 4");
    check_bad(
        &(struct hand_page){
            .strips = 1, .fill_order = 1, .claimed = 2 * HEIGHT, .end = true, .t6_options = 2 },
        "Group 4");
}

static void tiff_in__strip_beyond_the_file__is_refused(void **state)
{
    (void)state;
    check_bad(&(struct hand_page){ .strips = 2, .fill_order = 1, .end = true, .beyond = true },
              "the file ends at");
}

static void refused(const struct pl_bytes *file, pl_status status, const char *words)
{
    struct walk_verdict verdict;
    walk_bytes(file->data, file->size, NULL, NULL, &verdict);
    (void)printf("%s\n", verdict.fault.reason);
    assert_int_equal(verdict.status, status);
    assert_non_null(strstr(verdict.fault.reason, words));
    assert_true(verdict.seconds < 1.0);
}

/* One directory; entries 256, 257, 258, 259, 262, 273, 277, 279. */
static void header_only(struct pl_bytes *file, uint32_t width, uint32_t height, uint32_t bits,
                        uint32_t samples, uint32_t compression)
{
    const struct tag_entry entries[] = {
        { 256, 4, 1, width },       { 257, 4, 1, height }, { 258, 3, 1, bits },
        { 259, 3, 1, compression }, { 262, 3, 1, 1 },      { 273, 4, 1, 8 },
        { 277, 3, 1, samples },     { 279, 4, 1, 16 },
    };
    hand_begin(file);
    hand_put(file, "0123456789abcdef", 16);
    hand_patch(file, 4, (uint32_t)file->size);
    (void)hand_dir(file, entries, PL_COUNT_OF(entries), 0);
}

static void tiff_in__bomb__is_refused_from_the_header(void **state)
{
    (void)state;
    struct pl_bytes file;
    header_only(&file, 60000, 60000, 1, 1, 1);
    refused(&file, PL_TOO_LARGE, "60000 x 60000 pixels, 3600 million; at most 600 million");
    pl_bytes_fini(&file);
    header_only(&file, 60000, 60000, 8, 3, 5);
    refused(&file, PL_TOO_LARGE, "at most 150 million are accepted for a grey or colour page");
    pl_bytes_fini(&file);
    header_only(&file, 4000000000U, 1, 8, 1, 1);
    refused(&file, PL_TOO_LARGE, "at most 65500 a side");
    pl_bytes_fini(&file);
    header_only(&file, 12000, 12000, 8, 1, 5);
    refused(&file, PL_TOO_LARGE, "would unpack 16 bytes to 137 MiB; at most 1000 : 1");
    pl_bytes_fini(&file);
    header_only(&file, 0, 100, 8, 1, 5);
    refused(&file, PL_BAD_DOCUMENT, "nothing to show");
    pl_bytes_fini(&file);
}

static void tiff_in__unknown_compression__is_refused_by_number(void **state)
{
    (void)state;
    struct pl_bytes file;
    header_only(&file, 100, 100, 8, 1, 47);
    refused(&file, PL_UNSUPPORTED, "page 1 is compressed by TIFF method 47");
    pl_bytes_fini(&file);
}

static void tiff_in__odd_depths__are_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    header_only(&file, 100, 100, 32, 1, 1);
    refused(&file, PL_UNSUPPORTED, "samples of 32 bits");
    pl_bytes_fini(&file);
}

static void tiff_in__65000_pages__are_refused_quickly(void **state)
{
    (void)state;
    struct pl_bytes file;
    const struct tag_entry entries[] = { { 256, 4, 1, 100 }, { 257, 4, 1, 100 } };
    hand_begin(&file);
    hand_patch(&file, 4, 8);
    for (uint32_t i = 0; i < 65000; i++) {
        uint32_t next = (uint32_t)file.size + 2 + 12 * 2 + 4;
        (void)hand_dir(&file, entries, 2, i + 1 < 65000 ? next : 0);
    }
    refused(&file, PL_TOO_LARGE, "more than 10000 pages");
    pl_bytes_fini(&file);
}

static void tiff_in__cyclic_directory__is_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    const struct tag_entry entries[] = { { 256, 4, 1, 100 }, { 257, 4, 1, 100 } };
    for (uint32_t length = 1; length < 40; length += 7) {
        hand_begin(&file);
        hand_patch(&file, 4, 8);
        for (uint32_t i = 0; i < length; i++)
            (void)hand_dir(&file, entries, 2, (uint32_t)file.size + 30);
        hand_patch(&file, file.size - 4, 8 + 30 * (length / 2));
        refused(&file, PL_BAD_DOCUMENT, "leads back into itself");
        pl_bytes_fini(&file);
    }
}

static void tiff_in__file_cut_anywhere__is_refused_or_whole(void **state)
{
    (void)state;
    const struct hand_page hand = { .strips = 2, .fill_order = 1, .end = true };
    struct pl_bytes file;
    struct pl_bytes data;
    struct walk_verdict verdict;
    hand_make(&hand, &file, &data);
    for (size_t size = 0; size < file.size; size++) {
        /* A block of its own size, so that ASan sees a read past the end. */
        uint8_t *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, file.data, size);
        walk_bytes(copy, size, NULL, NULL, &verdict);
        assert_int_equal(verdict.status, PL_BAD_DOCUMENT);
        free(copy);
    }
    pl_bytes_fini(&file);
    pl_bytes_fini(&data);
}

static void tiff_in__directory_leading_outside__is_refused(void **state)
{
    (void)state;
    struct pl_bytes file;
    header_only(&file, 100, 100, 1, 1, 1);
    hand_patch(&file, file.size - 4, 0x7fffffff);
    refused(&file, PL_BAD_DOCUMENT, "page 2: its directory at byte 2147483647 cannot be read");
    pl_bytes_fini(&file);
}

static void tiff_in__reduced_images_and_masks__are_no_pages(void **state)
{
    (void)state;
    struct pl_bytes file;
    struct walk_verdict verdict;
    static const uint32_t kinds[] = { 1, 0, 4 }; /* thumbnail, page, mask */
    hand_begin(&file);
    uint8_t pixel[8] = { 0 };
    hand_put(&file, pixel, sizeof pixel);
    hand_patch(&file, 4, 16);
    for (uint32_t i = 0; i < 3; i++) {
        const struct tag_entry entries[] = {
            { 254, 4, 1, kinds[i] }, { 256, 4, 1, 8 }, { 257, 4, 1, 8 }, { 258, 3, 1, 1 },
            { 259, 3, 1, 1 },        { 262, 3, 1, 1 }, { 273, 4, 1, 8 }, { 279, 4, 1, 8 },
        };
        uint32_t next = i < 2 ? (uint32_t)file.size + 2 + 12 * 8 + 4 : 0;
        (void)hand_dir(&file, entries, PL_COUNT_OF(entries), next);
    }
    walk_bytes(file.data, file.size, NULL, NULL, &verdict);
    assert_int_equal(verdict.status, PL_OK);
    assert_int_equal(verdict.pages, 1);
    hand_patch(&file, 16 + 102 + 2 + 8, 1); /* now none of them is a page: all are shown */
    walk_bytes(file.data, file.size, NULL, NULL, &verdict);
    assert_int_equal(verdict.status, PL_OK);
    assert_int_equal(verdict.pages, 3);
    pl_bytes_fini(&file);
}

/* A source whose n-th read fails. */
struct failing_source {
    struct pl_source source;
    const uint8_t *data;
    unsigned left;
};

static pl_status failing_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    struct failing_source *failing = (struct failing_source *)source;
    if (failing->left == 0)
        return PL_TAMPERED;
    failing->left--;
    memcpy(out, failing->data + at, size);
    return PL_OK;
}

static const struct pl_source_ops failing_ops = { failing_read_at, NULL, NULL };

/* Every read failing in turn: the status comes through, nothing leaks, nothing is blamed on the
 * document. */
static void read_fails_in_turn(const struct hand_page *hand)
{
    struct pl_bytes file;
    struct pl_bytes data;
    hand_make(hand, &file, &data);
    pl_status status = PL_TAMPERED;
    for (unsigned n = 0; status != PL_OK; n++) {
        struct failing_source failing = { { &failing_ops, file.size }, file.data, n };
        struct pl_reader *reader = NULL;
        struct pl_page page;
        pl_page_init(&page, 1 << 20);
        status = pl_tiff_reader.open(&failing.source,
                                     &(struct pl_open_settings){ .limits = &pl_limits_default },
                                     &reader, NULL);
        if (status == PL_OK) {
            status = pl_tiff_reader.load(reader, &failing.source, 0, &page, NULL);
            pl_tiff_reader.close(reader);
        }
        assert_true(status == PL_OK || status == PL_TAMPERED);
        assert_true(n < 200);
        pl_page_fini(&page);
    }
    pl_bytes_fini(&file);
    pl_bytes_fini(&data);
}

static void tiff_in__read_failing_in_turn__is_told_as_it_is(void **state)
{
    (void)state;
    read_fails_in_turn(&(struct hand_page){ .strips = 3, .fill_order = 1, .end = true });
    read_fails_in_turn(&(struct hand_page){ .strips = 3, .fill_order = 1 });
    read_fails_in_turn(&(struct hand_page){ .strips = 2, .fill_order = 1, .t6_options = 2 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_in__group4_strips__are_copied_bit_for_bit),
        cmocka_unit_test(tiff_in__fill_order_2__is_copied_with_its_bits_turned),
        cmocka_unit_test(tiff_in__min_is_black__is_copied_inverted),
        cmocka_unit_test(tiff_in__strip_without_its_end_code__is_proved_and_copied),
        cmocka_unit_test(tiff_in__strips_of_unknown_size__are_decoded),
        cmocka_unit_test(tiff_in__uncompressed_mode_allowed__is_decoded),
        cmocka_unit_test(tiff_in__strip_cut_short__is_refused),
        cmocka_unit_test(tiff_in__hole_before_a_good_end__is_refused),
        cmocka_unit_test(tiff_in__strip_with_rows_missing__is_refused),
        cmocka_unit_test(tiff_in__strip_beyond_the_file__is_refused),
        cmocka_unit_test(tiff_in__bomb__is_refused_from_the_header),
        cmocka_unit_test(tiff_in__unknown_compression__is_refused_by_number),
        cmocka_unit_test(tiff_in__odd_depths__are_refused),
        cmocka_unit_test(tiff_in__65000_pages__are_refused_quickly),
        cmocka_unit_test(tiff_in__cyclic_directory__is_refused),
        cmocka_unit_test(tiff_in__file_cut_anywhere__is_refused_or_whole),
        cmocka_unit_test(tiff_in__directory_leading_outside__is_refused),
        cmocka_unit_test(tiff_in__reduced_images_and_masks__are_no_pages),
        cmocka_unit_test(tiff_in__read_failing_in_turn__is_told_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
