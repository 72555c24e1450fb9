/* test_corpus_pictures: every fax page of the corpus decodes to libtiff's pixels, and every page
 * that a reader loads to the pixels that the tests' own decoders see.
 *
 * PLATEN_CORPUS names the folder; without it the test says so and passes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/g4_decode.h"
#include "pipeline/image/page_decode.h"
#include "tests/unit/pipeline/codec/memory_tiff.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"
#include "tests/unit/pipeline/image/picture_draw.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/pl_test.h"

struct corpus {
    const char *path;
    unsigned pages;
    unsigned strips;
    unsigned wrong;
};

static bool tiff_is_fax(TIFF *tiff)
{
    uint16_t compression = 0;
    uint32_t kind = 0;
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    (void)TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind);
    return compression == COMPRESSION_CCITTFAX4 || compression == COMPRESSION_CCITTFAX3 ||
           compression == COMPRESSION_CCITTRLE;
}

static struct pl_fax fax_of(TIFF *tiff, uint32_t strip, uint32_t *rows_before)
{
    uint16_t compression = 0;
    uint32_t rows_per_strip = 0;
    uint32_t height = 0;
    uint32_t options = 0;
    struct pl_fax fax = { .page = 1 };
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows_per_strip);
    (void)TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &fax.width_px);
    (void)TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    (void)TIFFGetField(tiff, TIFFTAG_GROUP3OPTIONS, &options);
    fax.t6 = compression == COMPRESSION_CCITTFAX4;
    fax.t4.k = compression == COMPRESSION_CCITTFAX3 && (options & GROUP3OPT_2DENCODING) != 0;
    fax.t4.byte_align = compression == COMPRESSION_CCITTRLE || (options & GROUP3OPT_FILLBITS) != 0;
    rows_per_strip = rows_per_strip > height ? height : rows_per_strip;
    *rows_before = strip * rows_per_strip;
    fax.first_row = *rows_before;
    fax.rows = height - *rows_before < rows_per_strip ? height - *rows_before : rows_per_strip;
    return fax;
}

static bool rows_equal(const struct pl_fax *fax, const uint8_t *ours, size_t stride,
                       const uint8_t *theirs, size_t packed)
{
    for (uint32_t y = 0; y < fax->rows; y++)
        for (uint32_t x = 0; x < fax->width_px; x++)
            if (((ours[y * stride + x / 8] ^ theirs[y * packed + x / 8]) << x % 8 & 0x80) != 0)
                return false;
    return true;
}

static void compare_strip(struct corpus *corpus, TIFF *tiff, uint32_t strip)
{
    uint16_t order = 0;
    uint32_t before = 0;
    struct pl_fault fault = { 0 };
    const struct pl_fax fax = fax_of(tiff, strip, &before);
    size_t stride = ((size_t)fax.width_px + 63) / 64 * 8;
    size_t packed = ((size_t)fax.width_px + 7) / 8;
    size_t size = (size_t)TIFFRawStripSize(tiff, strip);
    uint8_t *theirs = calloc(fax.rows, packed);
    uint8_t *ours = malloc(fax.rows * stride);
    uint8_t *data = malloc(size);
    assert_true(theirs != NULL && ours != NULL && data != NULL);
    assert_true(TIFFReadEncodedStrip(tiff, strip, theirs, (tmsize_t)(packed * fax.rows)) > 0);
    assert_int_equal(TIFFReadRawStrip(tiff, strip, data, (tmsize_t)size), (tmsize_t)size);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &order);
    if (order == FILLORDER_LSB2MSB)
        TIFFReverseBits(data, (tmsize_t)size);
    corpus->strips++;
    if (pl_fax_decode(&fax, data, size, ours, stride, &fault) != PL_OK) {
        (void)printf("%s strip %u: %s\n", corpus->path, strip, fault.reason);
        corpus->wrong++;
    } else if (!rows_equal(&fax, ours, stride, theirs, packed)) {
        (void)printf("%s strip %u: not libtiff's pixels\n", corpus->path, strip);
        corpus->wrong++;
    }
    free(data);
    free(ours);
    free(theirs);
}

static void visit_fax(void *owner, const char *path)
{
    struct corpus *corpus = owner;
    struct memory_tiff file = { 0 };
    uint8_t *data = NULL;
    size_t size = 0;
    assert_true(walk_read_file(path, &data, &size));
    corpus->path = path;
    pl_bytes_init(&file.bytes, size + 1);
    assert_int_equal(pl_bytes_append(&file.bytes, data, size), PL_OK);
    free(data);
    memory_tiff_open(&file, "r");
    do {
        if (!tiff_is_fax(file.tiff))
            continue;
        corpus->pages++;
        for (uint32_t strip = 0; strip < TIFFNumberOfStrips(file.tiff); strip++)
            compare_strip(corpus, file.tiff, strip);
    } while (TIFFReadDirectory(file.tiff) != 0);
    memory_tiff_fini(&file);
}

static bool oracle_knows(const struct pl_page *page)
{
    return page->kind == PL_PAGE_IMAGE && page->palette.size == 0 &&
           (page->filter == PL_FILTER_G4 ||
            (page->part_count == 1 && (page->filter == PL_FILTER_DCT ||
                                       (page->filter == PL_FILTER_FLATE && page->bits >= 8 &&
                                        (page->predictor == 0 || page->predictor == 15)))));
}

static void compare_page(void *owner, const struct pl_page *page)
{
    struct corpus *corpus = owner;
    struct pl_picture picture = { 0 };
    struct pl_fault fault = { 0 };
    struct pixels pixels;
    corpus->pages++;
    if (pl_page_decode(page, &pl_limits_default, &picture, &fault) != PL_OK) {
        (void)printf("%s page %u: %s\n", corpus->path, page->number, fault.reason);
        corpus->wrong++;
        return;
    }
    if (oracle_knows(page)) {
        page_pixels_decode(page, &pixels);
        const uint8_t *at = pixels.data;
        unsigned worst = 0;
        for (uint32_t y = 0; y < picture.height_px; y++)
            for (uint32_t x = 0; x < picture.width_px; x++)
                for (unsigned n = 0; n < pixels.samples; n++, at += pixels.bits / 8) {
                    unsigned want = at[0];
                    if (pixels.bits == 16)
                        want = ((want << 8 | at[1]) * 255U + 32767) / 65535;
                    worst |= want ^ picture_at(&picture, x, y, n);
                }
        free(pixels.data);
        if (worst != 0) {
            (void)printf("%s page %u: other pixels\n", corpus->path, page->number);
            corpus->wrong++;
        }
    }
    pl_picture_fini(&picture);
}

static void visit_page(void *owner, const char *path)
{
    struct corpus *corpus = owner;
    struct walk_verdict verdict;
    uint8_t *data = NULL;
    size_t size = 0;
    assert_true(walk_read_file(path, &data, &size));
    corpus->path = path;
    walk_bytes(data, size, compare_page, corpus, &verdict);
    free(data);
    corpus->strips += verdict.status == PL_OK;
}

static void replay(void (*visit)(void *owner, const char *path), const char *const *endings)
{
    const char *folder = getenv("PLATEN_CORPUS");
    struct corpus corpus = { 0 };
    if (folder == NULL) {
        (void)printf("PLATEN_CORPUS is not set: no real scans compared\n");
        skip();
    }
    (void)walk_folder(folder, endings, visit, &corpus);
    (void)printf("%u pages, %u strips or files\n", corpus.pages, corpus.strips);
    assert_true(corpus.pages > 0);
    assert_int_equal(corpus.wrong, 0);
}

static void corpus__every_fax_page__decodes_to_libtiffs_pixels(void **state)
{
    (void)state;
    replay(visit_fax, (const char *const[]){ ".tif", ".tiff", NULL });
}

static void corpus__every_page_loaded__decodes_to_the_pixels_of_other_decoders(void **state)
{
    (void)state;
    replay(visit_page, (const char *const[]){ ".tif", ".tiff", ".jpg", ".jpeg", ".png", NULL });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus__every_fax_page__decodes_to_libtiffs_pixels),
        cmocka_unit_test(corpus__every_page_loaded__decodes_to_the_pixels_of_other_decoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
