/* tiff_lib: client procedures, message handlers, and reading of one piece with proof.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_lib.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static tmsize_t lib_read(thandle_t owner, void *out, tmsize_t size)
{
    struct pl_tiff_lib *lib = owner;
    uint64_t end = lib->load->source->size;
    uint64_t left = lib->at < end ? end - lib->at : 0;
    size_t take = (uint64_t)size < left ? (size_t)size : (size_t)left;
    if (take == 0)
        return 0;
    pl_status status = pl_source_read(lib->load->source, lib->at, out, take);
    if (status != PL_OK) {
        if (lib->io == PL_OK)
            lib->io = status;
        return 0; /* never -1: libtiff 4.5 would count with it and write before its buffer */
    }
    lib->at += take;
    return (tmsize_t)take;
}

static tmsize_t lib_write(thandle_t owner, void *data, tmsize_t size)
{
    (void)owner;
    (void)data;
    (void)size;
    return 0;
}

static toff_t lib_seek(thandle_t owner, toff_t at, int whence)
{
    struct pl_tiff_lib *lib = owner;
    uint64_t base = whence == SEEK_CUR ? lib->at : whence == SEEK_END ? lib->load->source->size : 0;
    lib->at = base + at;
    return lib->at;
}

static int lib_close(thandle_t owner)
{
    (void)owner;
    return 0;
}

static toff_t lib_size(thandle_t owner)
{
    const struct pl_tiff_lib *lib = owner;
    return lib->load->source->size;
}

static int lib_complain(struct pl_tiff_lib *lib, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static int lib_on_error(TIFF *tiff, void *owner, const char *module, const char *format,
                        va_list args) __attribute__((format(printf, 4, 0)));
static int lib_on_warning(TIFF *tiff, void *owner, const char *module, const char *format,
                          va_list args) __attribute__((format(printf, 4, 0)));

/* Keeps the first complaint. 1: libtiff's own handler, which prints, stays silent. */
static int lib_complain(struct pl_tiff_lib *lib, const char *format, va_list args)
{
    if (lib->words[0] == '\0')
        (void)vsnprintf(lib->words, sizeof lib->words, format, args);
    lib->damaged = lib->damaged || lib->decoding;
    return 1;
}

static bool module_is_fax(const char *module)
{
    return module != NULL && strncmp(module, "Fax", 3) == 0;
}

static int lib_on_error(TIFF *tiff, void *owner, const char *module, const char *format,
                        va_list args)
{
    (void)tiff;
    struct pl_tiff_lib *lib = owner;
    if (lib->forgiving && module_is_fax(module))
        return 1;
    return lib_complain(lib, format, args);
}

static int lib_on_warning(TIFF *tiff, void *owner, const char *module, const char *format,
                          va_list args)
{
    (void)tiff;
    struct pl_tiff_lib *lib = owner;
    if (!lib->decoding || module == NULL)
        return 1;
    if (module_is_fax(module))
        return lib->forgiving ? 1 : lib_complain(lib, format, args);
    if (strcmp(module, "JPEGLib") != 0 && strcmp(module, "LibJpeg") != 0)
        return 1;
    char text[sizeof lib->words];
    va_list again;
    va_copy(again, args);
    (void)vsnprintf(text, sizeof text, format, again);
    va_end(again);
    /* Stray bytes between segments harm nothing. */
    return strstr(text, "extraneous") != NULL ? 1 : lib_complain(lib, format, args);
}

static pl_status lib_refuse(struct pl_tiff_lib *lib, const char *what)
{
    if (lib->io != PL_OK)
        return lib->io;
    return pl_fault_set(lib->load->fault, PL_BAD_DOCUMENT, "page %" PRIu32 " %s (%s)",
                        lib->load->page->number, what,
                        lib->words[0] != '\0' ? lib->words : "no details are known");
}

pl_status pl_tiff_lib_open(struct pl_tiff_lib *lib, const struct pl_tiff_load *load)
{
    *lib = (struct pl_tiff_lib){ .load = load };
    lib->forgiving = load->dir->clean_fax == 1 || load->dir->clean_fax == 2;
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL)
        return PL_NO_MEMORY;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)load->limits->page_bytes);
    TIFFOpenOptionsSetErrorHandlerExtR(options, lib_on_error, lib);
    TIFFOpenOptionsSetWarningHandlerExtR(options, lib_on_warning, lib);
    /* r read, h header only, m no mapping. */
    lib->tiff = TIFFClientOpenExt("page", "rhm", lib, lib_read, lib_write, lib_seek, lib_close,
                                  lib_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    uint32_t width = 0;
    uint32_t height = 0;
    if (lib->tiff == NULL || TIFFSetSubDirectory(lib->tiff, load->dir->at) != 1)
        return lib_refuse(lib, "cannot be read as TIFF");
    uint16_t bits = 1;
    uint16_t samples = 1;
    uint16_t planar = 1;
    (void)TIFFGetField(lib->tiff, TIFFTAG_IMAGEWIDTH, &width);
    (void)TIFFGetField(lib->tiff, TIFFTAG_IMAGELENGTH, &height);
    (void)TIFFGetFieldDefaulted(lib->tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    (void)TIFFGetFieldDefaulted(lib->tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    (void)TIFFGetFieldDefaulted(lib->tiff, TIFFTAG_PLANARCONFIG, &planar);
    if (width != load->dir->width_px || height != load->dir->height_px || bits != load->dir->bits ||
        samples != load->dir->samples || planar != load->dir->planar)
        return lib_refuse(lib, "contradicts itself about its size or its samples");
    lib->words[0] = '\0';
    lib->decoding = true;
    return PL_OK;
}

void pl_tiff_lib_close(struct pl_tiff_lib *lib)
{
    if (lib->tiff != NULL)
        TIFFClose(lib->tiff);
    lib->tiff = NULL;
}

static const char *method_name(uint32_t compression)
{
    switch (compression) {
    case COMPRESSION_CCITTRLE:
    case COMPRESSION_CCITTRLEW:
    case COMPRESSION_CCITTFAX3:
        return "Group 3";
    case COMPRESSION_CCITTFAX4:
        return "Group 4";
    case COMPRESSION_LZW:
        return "LZW";
    case COMPRESSION_OJPEG:
    case COMPRESSION_JPEG:
        return "JPEG";
    case COMPRESSION_PACKBITS:
        return "PackBits";
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
        return "Deflate";
    default:
        return "uncompressed";
    }
}

pl_status pl_tiff_lib_failed(struct pl_tiff_lib *lib, uint32_t row)
{
    if (lib->io != PL_OK)
        return lib->io;
    return pl_fault_set(lib->load->fault, PL_BAD_DOCUMENT,
                        "page %" PRIu32 ": the %s data from row %" PRIu32
                        " on are damaged or cut short: %s",
                        lib->load->page->number, method_name(lib->load->dir->compression), row,
                        lib->words[0] != '\0' ? lib->words : "rows are missing");
}

static bool piece_read(struct pl_tiff_lib *lib, bool tile, uint32_t n, uint8_t *out, size_t size)
{
    tmsize_t got = tile ? TIFFReadEncodedTile(lib->tiff, n, out, (tmsize_t)size)
                        : TIFFReadEncodedStrip(lib->tiff, n, out, (tmsize_t)size);
    return got >= 0 && (size_t)got == size && !lib->damaged && lib->io == PL_OK;
}

pl_status pl_tiff_lib_piece(struct pl_tiff_lib *lib, bool tile, uint32_t n, uint32_t row,
                            uint8_t *out, size_t size, bool *whole)
{
    static const uint8_t fillings[] = { 0xa5, 0x5a };
    PL_CHECK(size > 0);
    *whole = false;
    for (size_t i = 0; i < sizeof fillings && !*whole; i++) {
        out[size - 1] = fillings[i];
        if (!piece_read(lib, tile, n, out, size))
            return pl_tiff_lib_failed(lib, row);
        *whole = out[size - 1] != fillings[i];
    }
    return PL_OK;
}
