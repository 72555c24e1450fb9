/* jpeg_scan: the marker structure of a JPEG stream (ITU-T T.81 annex B), read without decoding.
 *
 * Tells what a writer needs to carry the stream unchanged: frame, colour, resolution, profile, and
 * where it ends. Segment lengths, table shapes and references to tables are checked; the entropy
 * coded bits themselves are not, that takes a decoder.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_SCAN_H
#define PL_PIPELINE_CODEC_JPEG_SCAN_H

#include "pipeline/image/page.h"
#include "pipeline/source.h"

enum {
    PL_JPEG_SOI = 0xd8,
    PL_JPEG_EOI = 0xd9,
    PL_JPEG_SOS = 0xda,
    PL_JPEG_DQT = 0xdb,
    PL_JPEG_DHT = 0xc4,
    PL_JPEG_DAC = 0xcc,
    PL_JPEG_DNL = 0xdc,
    PL_JPEG_DHP = 0xde,
    PL_JPEG_EXP = 0xdf,
    PL_JPEG_APP0 = 0xe0,
    PL_JPEG_COM = 0xfe,
};

/* A run of bytes in the source. */
struct pl_jpeg_run {
    uint64_t at;
    uint32_t size;
};

struct pl_jpeg_info {
    uint8_t frame; /* marker of the frame header, 0xc0 to 0xcf; 0: there was none */
    uint8_t bits;
    uint8_t components;
    uint8_t ids[4];
    uint8_t sampling[4]; /* horizontal << 4 | vertical */
    uint32_t width_px;
    uint32_t height_px;
    bool jfif;
    uint8_t density_unit; /* JFIF: 0 none, 1 inch, 2 cm */
    uint16_t x_density;
    uint16_t y_density;
    bool adobe;
    uint8_t adobe_transform;
    bool tables_missing;     /* a scan uses a table that was not given */
    struct pl_jpeg_run exif; /* the TIFF block in APP1; size 0: none */
    struct pl_jpeg_run icc[255];
    unsigned icc_count; /* chunks that the first one announces; 0: none */
    bool icc_broken;    /* chunks missing or doubled */
    unsigned scans;
    uint64_t end; /* just past EOI, once walked */
};

/* A sequential or progressive Huffman frame of 8 bits: what DCTDecode can carry. */
bool pl_jpeg_info_fits_pdf(const struct pl_jpeg_info *info);
/* Colour as libjpeg tells it from markers and component ids. False: not 1, 3 or 4 components. */
bool pl_jpeg_info_colour(const struct pl_jpeg_info *info, enum pl_colour *out);
/* Whether three components are RGB and not YCbCr, by libjpeg's rules. */
bool pl_jpeg_info_is_rgb(const struct pl_jpeg_info *info);

/* Reads from SOI to the first SOS or, with `walk`, to EOI. BAD_DOCUMENT, TOO_LARGE (scans) with a
 * sentence. */
pl_status pl_jpeg_scan(struct pl_source *source, bool walk, struct pl_jpeg_info *out,
                       struct pl_fault *fault) PL_MUST_USE;

#endif
