/* scan_write: puts pages into the files that scanners send: TIFF in its encodings, and JPEG.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/scan_maker/scan_write.h"

#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <tiffio.h>

#define BLACK_BELOW 150 /* on paper of about 244, with ink at about 30 */

struct scan_writer {
    struct scan_target target;
    TIFF *tiff;
    FILE *jpeg;
    unsigned pages;
};

/* clang-format off */
static const struct scan_format format_table[] = {
    {"g4",        true,  true,  COMPRESSION_CCITTFAX4,     0},
    {"g3",        true,  true,  COMPRESSION_CCITTFAX3,     GROUP3OPT_FILLBITS},
    {"g3-2d",     true,  true,  COMPRESSION_CCITTFAX3,     GROUP3OPT_2DENCODING},
    {"bw-lzw",    true,  true,  COMPRESSION_LZW,           0},
    {"packbits",  true,  true,  COMPRESSION_PACKBITS,      0},
    {"lzw",       false, true,  COMPRESSION_LZW,           2},
    {"deflate",   false, true,  COMPRESSION_ADOBE_DEFLATE, 2},
    {"raw",       false, true,  COMPRESSION_NONE,          0},
    {"jpeg-tiff", false, true,  COMPRESSION_JPEG,          0},
    {"jpeg",      false, false, 0,                         0},
    {NULL,        false, false, 0,                         0},
};
/* clang-format on */

const struct scan_format *scan_formats(void)
{
    return format_table;
}

const struct scan_format *scan_format_find(const char *name)
{
    for (const struct scan_format *format = format_table; format->name != NULL; format++) {
        if (strcmp(format->name, name) == 0)
            return format;
    }
    return NULL;
}

struct scan_writer *scan_writer_new(const struct scan_target *target)
{
    struct scan_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->target = *target;
    if (target->format->tiff) {
        writer->tiff = TIFFOpen(target->path, "w");
    } else {
        writer->jpeg = fopen(target->path, "wb");
    }
    if (writer->tiff == NULL && writer->jpeg == NULL) {
        (void)fprintf(stderr, "scan_maker: %s cannot be written\n", target->path);
        free(writer);
        return NULL;
    }
    return writer;
}

static int grey_of(const uint8_t *pixel, uint32_t channels)
{
    return channels == 1 ? pixel[0] : (pixel[0] * 77 + pixel[1] * 150 + pixel[2] * 29) >> 8;
}

/* Rows of one bit a pixel, a 1 being ink, or paper when min_is_black. */
static uint8_t *bits_new(const struct scan_page *page, bool min_is_black, size_t *stride)
{
    *stride = ((size_t)page->width + 7) / 8;
    uint8_t *bits = calloc(*stride, page->height);
    for (uint32_t y = 0; bits != NULL && y < page->height; y++) {
        const uint8_t *row = page->pixels + (size_t)y * page->width * page->channels;
        for (uint32_t x = 0; x < page->width; x++) {
            bool ink = grey_of(row + (size_t)x * page->channels, page->channels) < BLACK_BELOW;
            if (ink != min_is_black)
                bits[y * *stride + x / 8] |= (uint8_t)(0x80U >> (x % 8));
        }
    }
    return bits;
}

static void tiff_tags(struct scan_writer *writer, const struct scan_page *page, uint32_t rows)
{
    const struct scan_target *target = &writer->target;
    const struct scan_format *format = target->format;
    TIFF *tiff = writer->tiff;
    uint16_t photometric = PHOTOMETRIC_RGB;
    if (format->bilevel) {
        photometric = target->min_is_black ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_MINISWHITE;
    } else if (page->channels == 1) {
        photometric = PHOTOMETRIC_MINISBLACK;
    } else if (format->compression == COMPRESSION_JPEG) {
        photometric = PHOTOMETRIC_YCBCR;
    }
    (void)TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
    (void)TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
    (void)TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->height);
    (void)TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, format->bilevel ? 1 : 8);
    (void)TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, format->bilevel ? 1 : page->channels);
    (void)TIFFSetField(tiff, TIFFTAG_COMPRESSION, format->compression);
    (void)TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, photometric);
    (void)TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    (void)TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    (void)TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
    (void)TIFFSetField(tiff, TIFFTAG_XRESOLUTION, target->dpi_x);
    (void)TIFFSetField(tiff, TIFFTAG_YRESOLUTION, target->dpi_y);
    (void)TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    (void)TIFFSetField(tiff, TIFFTAG_PAGENUMBER, writer->pages, 0);
    (void)TIFFSetField(tiff, TIFFTAG_DATETIME, "2026:01:05 08:00:00");
    (void)TIFFSetField(tiff, TIFFTAG_MAKE, "Platen");
    (void)TIFFSetField(tiff, TIFFTAG_MODEL, "scan_maker");
    if (format->bilevel && target->low_bit_first)
        (void)TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_LSB2MSB);
    if (format->compression == COMPRESSION_CCITTFAX3)
        (void)TIFFSetField(tiff, TIFFTAG_GROUP3OPTIONS, format->options);
    if (format->options == 2 && !format->bilevel)
        (void)TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
    if (format->compression == COMPRESSION_JPEG) {
        (void)TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, target->quality);
        if (page->channels == 3)
            (void)TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
}

static bool tiff_page(struct scan_writer *writer, const struct scan_page *page)
{
    uint32_t rows = (page->height + writer->target.strips - 1) / writer->target.strips;
    if (writer->target.format->compression == COMPRESSION_JPEG)
        rows = (rows + 15) / 16 * 16; /* a strip of YCbCr 4:2:0 is whole blocks */
    bool ok = false;
    uint8_t *bits = NULL;
    uint8_t *data = page->pixels;
    size_t stride = (size_t)page->width * page->channels;
    if (writer->target.format->bilevel)
        data = bits = bits_new(page, writer->target.min_is_black, &stride);
    if (data == NULL)
        goto done;
    tiff_tags(writer, page, rows);
    for (uint32_t y = 0, strip = 0; y < page->height; y += rows, strip++) {
        uint32_t count = page->height - y < rows ? page->height - y : rows;
        /* libtiff may turn the bits of the buffer round in place, so no row is given twice. */
        if (TIFFWriteEncodedStrip(writer->tiff, strip, data + y * stride,
                                  (tmsize_t)(count * stride)) < 0)
            goto done;
    }
    ok = TIFFWriteDirectory(writer->tiff) == 1;
done:
    free(bits);
    return ok;
}

static bool jpeg_page(struct scan_writer *writer, const struct scan_page *page)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors); /* leaves the program on an error: fine for a tool */
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, writer->jpeg);
    jpeg.image_width = page->width;
    jpeg.image_height = page->height;
    jpeg.input_components = (int)page->channels;
    jpeg.in_color_space = page->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, writer->target.quality, TRUE);
    jpeg.density_unit = 1;
    jpeg.X_density = (UINT16)writer->target.dpi_x;
    jpeg.Y_density = (UINT16)writer->target.dpi_y;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = page->pixels + (size_t)jpeg.next_scanline * page->width * page->channels;
        (void)jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return ferror(writer->jpeg) == 0;
}

bool scan_writer_page(struct scan_writer *writer, const struct scan_page *page)
{
    if (writer->jpeg != NULL && writer->pages > 0) {
        (void)fprintf(stderr, "scan_maker: a JPEG holds one page\n");
        return false;
    }
    bool ok = writer->tiff != NULL ? tiff_page(writer, page) : jpeg_page(writer, page);
    writer->pages++;
    return ok;
}

bool scan_writer_close(struct scan_writer *writer)
{
    bool ok = true;
    if (writer == NULL)
        return true;
    if (writer->tiff != NULL)
        TIFFClose(writer->tiff);
    if (writer->jpeg != NULL)
        ok = fclose(writer->jpeg) == 0;
    free(writer);
    return ok;
}
