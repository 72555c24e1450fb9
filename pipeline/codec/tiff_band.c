/* tiff_band: geometry of strips and tiles, and clumps of subsampled colour (TIFF 6.0 section 21).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_band.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BAND_BYTES ((size_t)4 << 20) /* a strip above this is read by lines */

static uint32_t parts_of(uint32_t length, uint32_t part)
{
    return length / part + (length % part != 0);
}

static pl_status band_refuse(const struct pl_tiff_band *band, pl_status status, const char *what)
{
    return pl_fault_set(band->lib->load->fault, status, "page %" PRIu32 " %s",
                        band->lib->load->page->number, what);
}

/* The converter of libtiff, with the page's coefficients. */
static pl_status ycbcr_new(struct pl_tiff_band *band)
{
    /* What TIFFYCbCrToRGBInit fills behind the struct, by its documentation. */
    size_t size = (sizeof(TIFFYCbCrToRGB) + sizeof(long) - 1) / sizeof(long) * sizeof(long) +
                  1024 * sizeof(TIFFRGBValue) + 512 * sizeof(int) + 768 * sizeof(int32_t);
    float *luma = NULL;
    float *range = NULL;
    TIFF *tiff = band->lib->tiff;
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRCOEFFICIENTS, &luma);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_REFERENCEBLACKWHITE, &range);
    bool sane = luma != NULL && range != NULL;
    for (int i = 0; i < 3 && sane; i++)
        sane = isfinite(luma[i]) && luma[i] >= 0 && luma[i] <= 1;
    for (int i = 0; i < 6 && sane; i++)
        sane = isfinite(range[i]) && fabsf(range[i]) < 65536;
    if (!sane || luma[1] < 0.01F)
        return band_refuse(band, PL_BAD_DOCUMENT, "has senseless YCbCr coefficients");
    band->ycbcr = calloc(1, size);
    if (band->ycbcr == NULL)
        return PL_NO_MEMORY;
    if (TIFFYCbCrToRGBInit(band->ycbcr, luma, range) < 0)
        return band_refuse(band, PL_BAD_DOCUMENT, "has senseless YCbCr coefficients");
    return PL_OK;
}

/* Sets up conversion when libtiff is going to hand out YCbCr. */
static pl_status band_colour(struct pl_tiff_band *band)
{
    TIFF *tiff = band->lib->tiff;
    uint16_t photometric = 0;
    uint16_t compression = 0;
    uint16_t planar = 1;
    uint16_t samples = 1;
    uint16_t bits = 1;
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    if (photometric != PHOTOMETRIC_YCBCR)
        return PL_OK;
    if (compression == COMPRESSION_JPEG && planar == PLANARCONFIG_CONTIG) {
        if (TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB) != 1)
            return band_refuse(band, PL_BAD_DOCUMENT, "has JPEG data that cannot be set up");
        return PL_OK;
    }
    if (planar != PLANARCONFIG_CONTIG || samples != 3 || bits != 8)
        return band_refuse(band, PL_UNSUPPORTED,
                           "has YCbCr colour in separate planes or of a depth other than 8 bits, "
                           "which is not supported");
    (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRSUBSAMPLING, &band->clump_across,
                                &band->clump_down);
    unsigned across = band->clump_across;
    unsigned down = band->clump_down;
    if ((across != 1 && across != 2 && across != 4) || (down != 1 && down != 2 && down != 4))
        return band_refuse(band, PL_BAD_DOCUMENT, "has a senseless YCbCr subsampling");
    return ycbcr_new(band);
}

/* Bytes of `rows` rows of a piece as libtiff hands it out. */
static size_t piece_size(const struct pl_tiff_band *band, uint32_t rows)
{
    if (band->ycbcr == NULL)
        return band->piece_bytes * rows;
    size_t clumps = parts_of((uint32_t)band->piece_bytes, band->clump_across);
    return clumps * parts_of(rows, band->clump_down) *
           ((size_t)band->clump_across * band->clump_down + 2);
}

static pl_status band_shape(struct pl_tiff_band *band)
{
    const struct pl_tiff_load *load = band->lib->load;
    TIFF *tiff = band->lib->tiff;
    band->tiled = TIFFIsTiled(tiff) != 0;
    band->across = 1;
    uint32_t width = load->dir->width_px;
    uint32_t rows = load->dir->height_px;
    if (band->tiled) {
        width = 0;
        rows = 0;
        (void)TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
        (void)TIFFGetField(tiff, TIFFTAG_TILELENGTH, &rows);
        pl_status status = pl_limits_check(load->limits, load->page->number, width, rows,
                                           load->dir->samples, load->dir->bits, load->fault);
        if (status != PL_OK)
            return status;
        if (width % 8 != 0)
            return band_refuse(band, PL_BAD_DOCUMENT, "has tiles whose width is no multiple of 8");
        band->across = parts_of(load->dir->width_px, width);
    } else {
        uint32_t strip = 0;
        (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &strip);
        rows = strip == 0 || strip > rows ? rows : strip;
    }
    band->piece_rows = rows;
    band->most_rows = rows;
    /* A clumped piece counts pixels here; its RGB rows have three bytes for each. */
    int64_t bytes = band->tiled
                        ? TIFFTileRowSize64(tiff) > INT64_MAX ? 0 : (int64_t)TIFFTileRowSize64(tiff)
                        : (int64_t)TIFFScanlineSize64(tiff);
    if (band->ycbcr != NULL)
        bytes = width;
    if (bytes <= 0)
        return band_refuse(band, PL_BAD_DOCUMENT, "has rows of no size");
    band->piece_bytes = (size_t)bytes;
    return PL_OK;
}

static pl_status band_claim(struct pl_tiff_band *band)
{
    const struct pl_tiff_load *load = band->lib->load;
    bool is_fax = load->dir->bits == 1 && load->dir->samples == 1;
    size_t row = band->piece_bytes * (band->ycbcr != NULL ? 3 : 1);
    size_t size = 0;
    if (!pl_size_mul(row, band->across, &band->stride) ||
        !pl_size_mul(band->stride, band->most_rows, &size) ||
        !pl_size_mul(size, band->planes, &size))
        return PL_TOO_LARGE;
    if (size > BAND_BYTES && !band->tiled && band->planes == 1 && band->ycbcr == NULL && !is_fax &&
        load->dir->compression != PL_TIFF_OLD_JPEG) {
        band->by_line = true;
        band->most_rows = (uint32_t)(BAND_BYTES / band->stride) + 1;
        size = band->stride * band->most_rows;
    }
    size_t piece = piece_size(band, band->piece_rows);
    /* Planes and the padding of tiles are the header's claims too. */
    if (size > load->limits->page_bytes || piece > load->limits->page_bytes)
        return PL_TOO_LARGE;
    band->pixels = malloc(size);
    if (band->pixels == NULL)
        return PL_NO_MEMORY;
    if (band->tiled || band->ycbcr != NULL) {
        band->piece = malloc(piece);
        if (band->piece == NULL)
            return PL_NO_MEMORY;
    }
    return PL_OK;
}

pl_status pl_tiff_band_init(struct pl_tiff_band *band, struct pl_tiff_lib *lib, unsigned wanted)
{
    *band = (struct pl_tiff_band){ .lib = lib, .planes = 1 };
    const struct pl_tiff_dir *dir = lib->load->dir;
    if (dir->planar == PLANARCONFIG_SEPARATE && dir->samples > 1)
        band->planes = wanted;
    pl_status status = band_colour(band);
    if (status == PL_OK)
        status = band_shape(band);
    if (status == PL_OK)
        status = band_claim(band);
    return status;
}

void pl_tiff_band_fini(struct pl_tiff_band *band)
{
    free(band->pixels);
    free(band->piece);
    free(band->ycbcr);
    band->pixels = NULL;
    band->piece = NULL;
    band->ycbcr = NULL;
}

/* A piece of clumps into rows of RGB at `out`. */
static void clumps_turn(const struct pl_tiff_band *band, uint32_t rows, uint8_t *out)
{
    uint32_t width = (uint32_t)band->piece_bytes;
    uint32_t across = band->clump_across;
    uint32_t down = band->clump_down;
    size_t clump_bytes = (size_t)across * down + 2;
    size_t clumps = parts_of(width, across);
    for (uint32_t y = 0; y < rows; y++) {
        uint8_t *pixel = out + y * band->stride;
        const uint8_t *line = band->piece + (y / down) * clumps * clump_bytes;
        for (uint32_t x = 0; x < width; x++, pixel += 3) {
            const uint8_t *clump = line + (x / across) * clump_bytes;
            uint32_t rgb[3];
            TIFFYCbCrtoRGB(band->ycbcr, clump[(y % down) * across + x % across],
                           clump[clump_bytes - 2], clump[clump_bytes - 1], &rgb[0], &rgb[1],
                           &rgb[2]);
            for (int i = 0; i < 3; i++)
                pixel[i] = (uint8_t)rgb[i];
        }
    }
}

/* The rows of the band one by one. */
static pl_status band_lines(struct pl_tiff_band *band)
{
    for (uint32_t y = 0; y < band->rows; y++) {
        int got =
            TIFFReadScanline(band->lib->tiff, band->pixels + y * band->stride, band->row + y, 0);
        if (got != 1 || band->lib->damaged || band->lib->io != PL_OK)
            return pl_tiff_lib_failed(band->lib, band->row + y);
    }
    return PL_OK;
}

/* A Deflate strip with rows to spare: zlib, which reads by line, takes what is needed. */
static bool band_may_read_lines(const struct pl_tiff_band *band)
{
    uint32_t method = band->lib->load->dir->compression;
    return (method == COMPRESSION_ADOBE_DEFLATE || method == COMPRESSION_DEFLATE) && !band->tiled &&
           band->planes == 1 && band->piece == NULL && band->rows > 1;
}

/* Opens the directory anew: libtiff would go on behind the strip that it takes for read. */
static pl_status band_lines_again(struct pl_tiff_band *band)
{
    struct pl_tiff_lib *lib = band->lib;
    if (TIFFSetSubDirectory(lib->tiff, lib->load->dir->at) != 1)
        return pl_tiff_lib_failed(lib, band->row);
    return band_lines(band);
}

/* Tile or strip number `n` to its place in the band. */
static pl_status band_piece(struct pl_tiff_band *band, uint32_t n, uint32_t rows, uint8_t *out)
{
    bool direct = band->piece == NULL;
    bool whole = false;
    pl_status status =
        pl_tiff_lib_piece(band->lib, band->tiled, n, band->row, direct ? out : band->piece,
                          piece_size(band, rows), &whole);
    if (status == PL_OK && !whole)
        return band_may_read_lines(band) ? band_lines_again(band)
                                         : pl_tiff_lib_failed(band->lib, band->row);
    if (status != PL_OK || direct)
        return status;
    if (band->ycbcr != NULL) {
        clumps_turn(band, rows, out);
        return PL_OK;
    }
    for (uint32_t y = 0; y < rows; y++)
        memcpy(out + y * band->stride, band->piece + y * band->piece_bytes, band->piece_bytes);
    return PL_OK;
}

static pl_status band_pieces(struct pl_tiff_band *band)
{
    uint32_t down = parts_of(band->lib->load->dir->height_px, band->piece_rows);
    uint32_t rows = band->tiled ? band->piece_rows : band->rows; /* tiles are padded */
    size_t step = band->ycbcr != NULL ? band->piece_bytes * 3 : band->piece_bytes;
    pl_status status = PL_OK;
    for (unsigned plane = 0; plane < band->planes; plane++) {
        uint32_t n = (plane * down + band->row / band->piece_rows) * band->across;
        uint8_t *out = band->pixels + plane * band->stride * band->most_rows;
        for (uint32_t i = 0; i < band->across && status == PL_OK; i++)
            status = band_piece(band, n + i, rows, out + i * step);
    }
    return status;
}

pl_status pl_tiff_band_next(struct pl_tiff_band *band, bool *more)
{
    uint32_t height = band->lib->load->dir->height_px;
    band->row += band->rows;
    *more = band->row < height;
    if (!*more)
        return PL_OK;
    uint32_t left = height - band->row;
    band->rows = left < band->most_rows ? left : band->most_rows;
    return band->by_line ? band_lines(band) : band_pieces(band);
}

void pl_tiff_band_rows(const struct pl_tiff_band *band, uint32_t y, const uint8_t **rows)
{
    for (unsigned plane = 0; plane < band->planes; plane++)
        rows[plane] = band->pixels + (plane * (size_t)band->most_rows + y) * band->stride;
}
