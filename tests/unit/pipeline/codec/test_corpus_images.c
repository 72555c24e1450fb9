/* test_corpus_images: every real TIFF and JPEG loads, and shows the pixels that libtiff's own RGBA
 * reader sees; a JPEG file is carried bit for bit.
 *
 * PLATEN_CORPUS names the folder; without it the test says so and passes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/memory_tiff.h"
#include "tests/unit/pipeline/codec/page_pixels.h"
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

struct corpus {
    const char *path;
    const uint8_t *data;
    size_t size;
    unsigned page; /* of the file, from 0 */
    unsigned files, pages, copied, wrong;
    int worst; /* largest difference of a sample */
};

/* The RGB that libtiff makes of CMYK without a profile. */
static void pixel_rgb(const struct pixels *pixels, size_t index, uint8_t *rgb)
{
    size_t step = pixels->bits / 8;
    const uint8_t *at = pixels->data + index * pixels->samples * step;
    switch (pixels->samples) {
    case 1:
        memset(rgb, at[0], 3);
        break;
    case 3:
        for (size_t n = 0; n < 3; n++)
            rgb[n] = at[n * step];
        break;
    default:
        for (size_t n = 0; n < 3; n++)
            rgb[n] = (uint8_t)((255 - at[3]) * (255 - at[n]) / 255);
        break;
    }
}

/* Directory number `page` that is no reduced image, as stored (not turned). */
static bool reference_open(struct corpus *corpus, struct memory_tiff *file)
{
    *file = (struct memory_tiff){ 0 };
    pl_bytes_init(&file->bytes, corpus->size + 1);
    assert_int_equal(pl_bytes_append(&file->bytes, corpus->data, corpus->size), PL_OK);
    memory_tiff_open(file, "r");
    unsigned at = 0;
    do {
        uint32_t kind = 0;
        (void)TIFFGetField(file->tiff, TIFFTAG_SUBFILETYPE, &kind);
        if ((kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0 && at++ == corpus->page)
            return true;
    } while (TIFFReadDirectory(file->tiff) != 0);
    return false;
}

/* Sample n laid over white. libtiff multiplies by alpha in colour, but not in grey. */
static int reference_sample(const TIFFRGBAImage *image, uint32_t pixel, unsigned n)
{
    int value = (int)(pixel >> (8 * n) & 255);
    int alpha = (int)TIFFGetA(pixel);
    if (image->samplesperpixel == 2)
        value = value * alpha / 255;
    return value + 255 - alpha;
}

static void compare_tiff(void *owner, const struct pl_page *page)
{
    struct corpus *corpus = owner;
    struct memory_tiff file;
    struct pixels pixels;
    TIFFRGBAImage image;
    char error[1024] = "";
    assert_true(reference_open(corpus, &file));
    assert_int_equal(TIFFRGBAImageBegin(&image, file.tiff, 0, error), 1);
    image.req_orientation = image.orientation;
    size_t count = (size_t)page->width_px * page->height_px;
    uint32_t *raster = malloc(count * sizeof *raster);
    assert_non_null(raster);
    assert_int_equal(TIFFRGBAImageGet(&image, raster, page->width_px, page->height_px), 1);
    page_pixels_decode(page, &pixels);
    int worst = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t rgb[3];
        pixel_rgb(&pixels, i, rgb);
        for (unsigned n = 0; n < 3; n++) {
            int off = abs(reference_sample(&image, raster[i], n) - rgb[n]);
            worst = off > worst ? off : worst;
        }
    }
    corpus->pages++;
    corpus->page++;
    corpus->copied += page->how == PL_PAGE_COPIED;
    corpus->worst = worst > corpus->worst ? worst : corpus->worst;
    if (worst > 1) { /* 1: libtiff rounds alpha down */
        corpus->wrong++;
        (void)printf("%s page %u differs by up to %d\n", corpus->path, corpus->page, worst);
    }
    TIFFRGBAImageEnd(&image);
    free(raster);
    free(pixels.data);
    memory_tiff_fini(&file);
}

static void compare_jpeg(void *owner, const struct pl_page *page)
{
    struct corpus *corpus = owner;
    corpus->pages++;
    corpus->copied += page->how == PL_PAGE_COPIED;
    if (page->how != PL_PAGE_COPIED || page->data.size > corpus->size ||
        memcmp(page->data.data, corpus->data, page->data.size) != 0)
        corpus->wrong++;
}

static void visit(void *owner, const char *path)
{
    struct corpus *corpus = owner;
    struct walk_verdict verdict;
    uint8_t *data = NULL;
    assert_true(walk_read_file(path, &data, &corpus->size));
    corpus->path = path;
    corpus->data = data;
    corpus->page = 0;
    bool jpeg = corpus->size > 2 && data[0] == 0xff;
    walk_bytes(data, corpus->size, jpeg ? compare_jpeg : compare_tiff, corpus, &verdict);
    free(data);
    corpus->files++;
    if (verdict.status != PL_OK) {
        (void)printf("%s: %s\n", path, verdict.fault.reason);
        corpus->wrong++;
    }
}

static void replay(const char *const *endings)
{
    const char *folder = getenv("PLATEN_CORPUS");
    struct corpus corpus = { 0 };
    if (folder == NULL) {
        (void)printf("PLATEN_CORPUS is not set: no real scans compared\n");
        skip();
    }
    (void)walk_folder(folder, endings, visit, &corpus);
    (void)printf("%u files, %u pages, %u of them copied; largest difference %d\n", corpus.files,
                 corpus.pages, corpus.copied, corpus.worst);
    assert_true(corpus.files > 0);
    assert_int_equal(corpus.wrong, 0);
}

static void corpus__every_tiff__shows_the_pixels_libtiff_sees(void **state)
{
    (void)state;
    replay((const char *const[]){ ".tif", ".tiff", NULL });
}

static void corpus__every_jpeg__is_carried_bit_for_bit(void **state)
{
    (void)state;
    replay((const char *const[]){ ".jpg", ".jpeg", NULL });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corpus__every_tiff__shows_the_pixels_libtiff_sees),
        cmocka_unit_test(corpus__every_jpeg__is_carried_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
