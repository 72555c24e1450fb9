/* bench_picture: what happens between one encoding of a page and another: fax data decoded (beside
 * libtiff) and encoded, pages binarised, scaled and turned; CPU time.
 *
 * bench_picture [FILE.tif...]: the first page of each G4 file besides the page that it draws
 * itself. One JSON line a page; the commit comes from the environment (PLATEN_COMMIT).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "benchmarks/bench_page.h"
#include "pipeline/codec/g4.h"
#include "pipeline/codec/g4_decode.h"
#include "pipeline/image/auto_colour.h"
#include "pipeline/image/binarize.h"
#include "pipeline/image/grey.h"
#include "pipeline/image/page_encode.h"
#include "pipeline/image/rotate.h"
#include "pipeline/image/scale.h"

#include <tiffio.h>

#include <unistd.h>

#define PASSES 10

struct bench {
    struct pl_picture bits;
    struct pl_picture grey;
    struct pl_picture rgb;
    struct pl_picture out;
    struct pl_bytes g4;
    TIFF *tiff;
    uint8_t *strip;
};

typedef void bench_fn(struct bench *bench);

static void run_decode(struct bench *bench)
{
    const struct pl_fax fax = {
        .t6 = true, .width_px = bench->bits.width_px, .rows = bench->bits.height_px, .page = 1
    };
    PL_CHECK(pl_fax_decode(&fax, bench->g4.data, bench->g4.size, bench->out.pixels,
                           bench->bits.stride, NULL) == PL_OK);
}

static void run_check(struct bench *bench)
{
    const struct pl_fax fax = {
        .t6 = true, .width_px = bench->bits.width_px, .rows = bench->bits.height_px, .page = 1
    };
    PL_CHECK(pl_fax_check(&fax, bench->g4.data, bench->g4.size, NULL) == PL_OK);
}

static void run_libtiff(struct bench *bench)
{
    PL_CHECK(TIFFReadEncodedStrip(bench->tiff, 0, bench->strip, -1) > 0);
}

static void run_encode(struct bench *bench)
{
    struct pl_bytes out;
    pl_bytes_init(&out, (size_t)1 << 28);
    PL_CHECK(pl_g4_encode(bench->bits.pixels, bench->bits.stride, bench->bits.width_px,
                          bench->bits.height_px, &out) == PL_OK);
    pl_bytes_fini(&out);
}

static void run_sauvola(struct bench *bench)
{
    PL_CHECK(pl_binarize(&bench->grey, PL_BINARIZE_SAUVOLA, &pl_limits_default, 1, &bench->out,
                         NULL) == PL_OK);
}

static void run_otsu(struct bench *bench)
{
    PL_CHECK(pl_binarize(&bench->grey, PL_BINARIZE_OTSU, &pl_limits_default, 1, &bench->out,
                         NULL) == PL_OK);
}

static void run_dither(struct bench *bench)
{
    PL_CHECK(pl_binarize(&bench->grey, PL_BINARIZE_DITHER, &pl_limits_default, 1, &bench->out,
                         NULL) == PL_OK);
}

static void run_rotate_bits(struct bench *bench)
{
    PL_CHECK(pl_rotate(&bench->bits, 6, &pl_limits_default, 1, &bench->out, NULL) == PL_OK);
}

static void run_mirror_bits(struct bench *bench)
{
    PL_CHECK(pl_rotate(&bench->bits, 3, &pl_limits_default, 1, &bench->out, NULL) == PL_OK);
}

static void run_rotate_grey(struct bench *bench)
{
    PL_CHECK(pl_rotate(&bench->grey, 6, &pl_limits_default, 1, &bench->out, NULL) == PL_OK);
}

static void run_rotate_rgb(struct bench *bench)
{
    PL_CHECK(pl_rotate(&bench->rgb, 6, &pl_limits_default, 1, &bench->out, NULL) == PL_OK);
}

static void scale_to(struct bench *bench, const struct pl_picture *in, uint32_t num, uint32_t den)
{
    PL_CHECK(pl_scale(in, in->width_px * num / den, in->height_px * num / den, &pl_limits_default,
                      1, &bench->out, NULL) == PL_OK);
}

static void run_halve_bits(struct bench *bench)
{
    scale_to(bench, &bench->bits, 1, 2);
}

static void run_halve_rgb(struct bench *bench)
{
    scale_to(bench, &bench->rgb, 1, 2);
}

static void run_cubic_grey(struct bench *bench)
{
    scale_to(bench, &bench->grey, 2, 3);
}

static void run_cubic_rgb(struct bench *bench)
{
    scale_to(bench, &bench->rgb, 2, 3);
}

static void run_thumbnail_rgb(struct bench *bench)
{
    scale_to(bench, &bench->rgb, 1, 13);
}

static void run_luma(struct bench *bench)
{
    PL_CHECK(pl_grey_make(&bench->rgb, &pl_limits_default, 1, &bench->out, NULL) == PL_OK);
}

static void run_auto(struct bench *bench)
{
    enum pl_colour colour = PL_COLOUR_RGB;
    PL_CHECK(pl_auto_colour(&bench->rgb, &colour) == PL_OK);
}

static double median_ms(bench_fn *fn, struct bench *bench)
{
    double rounds[BENCH_ROUNDS];
    for (unsigned round = 0; round < BENCH_ROUNDS; round++) {
        double start = bench_now_ms(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned i = 0; i < PASSES; i++)
            fn(bench);
        rounds[round] = (bench_now_ms(CLOCK_THREAD_CPUTIME_ID) - start) / PASSES;
    }
    return bench_median(rounds);
}

/* A grey page: the bilevel one with soft edges, on paper that is darker at one side. */
static void bench_shade(struct bench *bench)
{
    struct pl_picture *grey = &bench->grey;
    PL_CHECK(pl_grey_make(&bench->bits, &pl_limits_default, 1, grey, NULL) == PL_OK);
    uint32_t random = 1;
    for (uint32_t y = 0; y < grey->height_px; y++) {
        uint8_t *row = grey->pixels + y * grey->stride;
        for (uint32_t x = 0; x + 1 < grey->width_px; x++) {
            random = random * 1664525 + 1013904223;
            unsigned paper = 240 - x * 60 / grey->width_px;
            row[x] = (uint8_t)((row[x] + row[x + 1]) / 2 * paper / 255 + (random >> 29));
        }
    }
    PL_CHECK(pl_rgb_make(grey, &pl_limits_default, 1, &bench->rgb, NULL) == PL_OK);
}

/* The fax data as a file that libtiff opens. */
static void bench_open(struct bench *bench)
{
    char path[] = "/dev/shm/bench_picture_XXXXXX";
    int fd = mkstemp(path);
    PL_CHECK(fd >= 0 && unlink(path) == 0);
    TIFF *tiff = TIFFFdOpen(dup(fd), "bench", "w");
    PL_CHECK(tiff != NULL);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, bench->bits.width_px);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, bench->bits.height_px);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, bench->bits.height_px);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    PL_CHECK(TIFFWriteRawStrip(tiff, 0, bench->g4.data, (tmsize_t)bench->g4.size) > 0);
    TIFFClose(tiff);
    PL_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    bench->tiff = TIFFFdOpen(fd, "bench", "r");
    PL_CHECK(bench->tiff != NULL);
    bench->strip = malloc((size_t)TIFFStripSize(bench->tiff));
    PL_CHECK(bench->strip != NULL);
}

static void bench_run(const char *name, struct bench *bench)
{
    static const struct {
        const char *name;
        bench_fn *fn;
    } rows[] = {
        { "g4_decode", run_decode },
        { "g4_check", run_check },
        { "libtiff_decode", run_libtiff },
        { "g4_encode", run_encode },
        { "sauvola", run_sauvola },
        { "otsu", run_otsu },
        { "dither", run_dither },
        { "rotate_bilevel", run_rotate_bits },
        { "mirror_bilevel", run_mirror_bits },
        { "rotate_grey", run_rotate_grey },
        { "rotate_rgb", run_rotate_rgb },
        { "halve_bilevel", run_halve_bits },
        { "halve_rgb", run_halve_rgb },
        { "cubic_grey", run_cubic_grey },
        { "cubic_rgb", run_cubic_rgb },
        { "thumbnail_rgb", run_thumbnail_rgb },
        { "luma", run_luma },
        { "auto_colour", run_auto },
    };
    double pixels = (double)bench->bits.width_px * bench->bits.height_px;
    pl_bytes_init(&bench->g4, (size_t)1 << 28);
    PL_CHECK(pl_g4_encode(bench->bits.pixels, bench->bits.stride, bench->bits.width_px,
                          bench->bits.height_px, &bench->g4) == PL_OK);
    bench_shade(bench);
    bench_open(bench);
    PL_CHECK(pl_picture_make(&bench->out, PL_COLOUR_RGB, bench->bits.width_px,
                             bench->bits.height_px, &pl_limits_default, 1, NULL) == PL_OK);
    bench_print_head("picture");
    (void)printf(",\"page\":\"%s\",\"width\":%u,\"rows\":%u,\"bytes\":%zu", name,
                 bench->bits.width_px, bench->bits.height_px, bench->g4.size);
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        double ms = median_ms(rows[i].fn, bench);
        (void)printf(",\"%s_ms\":%.3f,\"%s_mps\":%.0f", rows[i].name, ms, rows[i].name,
                     pixels / ms / 1000);
    }
    (void)printf("}\n");
    TIFFClose(bench->tiff);
    free(bench->strip);
    pl_bytes_fini(&bench->g4);
    pl_picture_fini(&bench->out);
    pl_picture_fini(&bench->rgb);
    pl_picture_fini(&bench->grey);
    pl_picture_fini(&bench->bits);
}

static void bits_make(struct bench *bench, uint32_t width, uint32_t rows)
{
    *bench = (struct bench){ 0 };
    PL_CHECK(pl_picture_make(&bench->bits, PL_COLOUR_BILEVEL, width, rows, &pl_limits_default, 1,
                             NULL) == PL_OK);
    memset(bench->bits.pixels, 0, bench->bits.stride * rows);
    bench->bits.x_mdpi = bench->bits.y_mdpi = 300000;
}

static bool bits_read(const char *path, struct bench *bench)
{
    TIFF *tiff = TIFFOpen(path, "r");
    uint16_t bits = 0;
    uint32_t width = 0;
    uint32_t rows = 0;
    if (tiff == NULL)
        return false;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &rows);
    if (bits == 1) {
        bits_make(bench, width, rows);
        for (uint32_t y = 0; y < rows; y++)
            PL_CHECK(TIFFReadScanline(tiff, bench->bits.pixels + y * bench->bits.stride, y, 0) ==
                     1);
    }
    TIFFClose(tiff);
    return bits == 1;
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint8_t *drawn = bench_draw_page();
    bits_make(&bench, BENCH_WIDTH, BENCH_ROWS);
    for (uint32_t y = 0; y < BENCH_ROWS; y++)
        memcpy(bench.bits.pixels + y * bench.bits.stride, drawn + (size_t)y * BENCH_STRIDE,
               BENCH_STRIDE);
    free(drawn);
    bench_run("drawn", &bench);
    for (int i = 1; i < argc; i++) {
        if (bits_read(argv[i], &bench))
            bench_run(argv[i], &bench);
        else
            (void)fprintf(stderr, "%s: not one bit a pixel\n", argv[i]);
    }
    return EXIT_SUCCESS;
}
