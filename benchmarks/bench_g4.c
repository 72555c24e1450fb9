/* bench_g4: one page encoded as G4 by us and by libtiff, in turn, CPU time.
 *
 * bench_g4 [FILE.tif...]: the first page of each file besides the page that it draws itself. One
 * JSON line a page; the commit comes from the environment (PLATEN_COMMIT).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "benchmarks/bench_page.h"
#include "pipeline/codec/g4.h"

#include <tiffio.h>

#include <unistd.h>

#define G4_PASSES 10

struct g4_page {
    const char *name;
    uint8_t *pixels;
    uint32_t width;
    uint32_t rows;
    size_t stride;
};

static double ours_ms(const struct g4_page *page, struct pl_bytes *out)
{
    double start = bench_now_ms(CLOCK_THREAD_CPUTIME_ID);
    for (unsigned i = 0; i < G4_PASSES; i++) {
        pl_bytes_clear(out);
        PL_CHECK(pl_g4_encode(page->pixels, page->stride, page->width, page->rows, out) == PL_OK);
    }
    return (bench_now_ms(CLOCK_THREAD_CPUTIME_ID) - start) / G4_PASSES;
}

/* libtiff into a file without a disk; one strip a pass. */
static double theirs_ms(const struct g4_page *page, size_t *bytes)
{
    char path[] = "/dev/shm/bench_g4_XXXXXX";
    int fd = mkstemp(path);
    PL_CHECK(fd >= 0);
    PL_CHECK(unlink(path) == 0);
    TIFF *tiff = TIFFFdOpen(fd, "bench", "w");
    PL_CHECK(tiff != NULL);
    double ms = 0;
    for (unsigned i = 0; i < G4_PASSES; i++) {
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->rows);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, page->rows);
        double start = bench_now_ms(CLOCK_THREAD_CPUTIME_ID);
        PL_CHECK(TIFFWriteEncodedStrip(tiff, 0, page->pixels,
                                       (tmsize_t)(page->stride * page->rows)) > 0);
        ms += bench_now_ms(CLOCK_THREAD_CPUTIME_ID) - start;
        const uint64_t *counts = NULL;
        PL_CHECK(TIFFGetField(tiff, TIFFTAG_STRIPBYTECOUNTS, &counts) == 1);
        *bytes = (size_t)counts[0];
        PL_CHECK(TIFFWriteDirectory(tiff) == 1);
    }
    TIFFClose(tiff);
    return ms / G4_PASSES;
}

static bool page_read(const char *path, struct g4_page *page)
{
    TIFF *tiff = TIFFOpen(path, "r");
    uint16_t bits = 0;
    *page = (struct g4_page){ .name = path };
    if (tiff == NULL)
        return false;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page->rows);
    page->stride = (size_t)TIFFScanlineSize(tiff);
    page->pixels = bits == 1 ? malloc(page->stride * page->rows) : NULL;
    for (uint32_t y = 0; page->pixels != NULL && y < page->rows; y++)
        PL_CHECK(TIFFReadScanline(tiff, page->pixels + y * page->stride, y, 0) == 1);
    TIFFClose(tiff);
    return page->pixels != NULL;
}

static void page_measure(const struct g4_page *page)
{
    double ours[BENCH_ROUNDS];
    double theirs[BENCH_ROUNDS];
    size_t their_bytes = 0;
    struct pl_bytes out;
    pl_bytes_init(&out, (size_t)1 << 28);
    for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
        ours[round] = ours_ms(page, &out);
        theirs[round] = theirs_ms(page, &their_bytes);
    }
    bench_print_head("g4");
    (void)printf(",\"page\":\"%s\",\"width\":%u,\"rows\":%u,\"bytes\":%zu,\"libtiff_bytes\":%zu,"
                 "\"ms\":%.2f,\"libtiff_ms\":%.2f,\"ratio\":%.2f}\n",
                 page->name, page->width, page->rows, out.size, their_bytes, bench_median(ours),
                 bench_median(theirs), bench_median(theirs) / bench_median(ours));
    pl_bytes_fini(&out);
}

int main(int argc, char **argv)
{
    struct g4_page drawn = { "drawn", bench_draw_page(), BENCH_WIDTH, BENCH_ROWS, BENCH_STRIDE };
    page_measure(&drawn);
    free(drawn.pixels);
    for (int i = 1; i < argc; i++) {
        struct g4_page page;
        if (page_read(argv[i], &page))
            page_measure(&page);
        else
            (void)fprintf(stderr, "%s: not one bit a pixel\n", argv[i]);
        free(page.pixels);
    }
    return EXIT_SUCCESS;
}
