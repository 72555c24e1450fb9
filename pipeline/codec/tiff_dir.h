/* tiff_dir: strict, bounds-checked reading of TIFF directories (TIFF 6.0, BigTIFF, EXIF).
 *
 * Both byte orders, classic and BigTIFF. Knows offsets and tags, nothing of pixels: the same code
 * reads the page list of a document and the EXIF block of a JPEG. Every offset is checked against
 * the source, no array is held whole, no memory is allocated. A tag whose type or count makes no
 * sense counts as absent; of a tag that stands twice the first counts.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_DIR_H
#define PL_PIPELINE_CODEC_TIFF_DIR_H

#include "pipeline/source.h"

struct pl_tiff_head {
    bool big_endian;
    bool big; /* BigTIFF: 8-byte offsets */
    uint64_t first;
};

/* The values of a tag, where they stand in the source; count 0: the tag is absent. A single number
 * of an offset or size is kept, so that a page of one strip costs no read but its data. */
struct pl_tiff_values {
    uint64_t at;
    uint64_t count;
    uint64_t single; /* when is_single */
    uint16_t type;
    bool is_single;
};

struct pl_tiff_ratio {
    uint32_t num;
    uint32_t den; /* 0: absent or senseless */
};

/* One directory with TIFF 6.0's defaults for what is not said. */
struct pl_tiff_dir {
    uint64_t at;
    uint64_t next; /* 0: the last one */
    bool cut;      /* the source ends before `next`: taken as 0 */
    uint32_t width_px;
    uint32_t height_px;
    uint32_t rows_per_strip;
    uint32_t tile_width_px; /* 0: strips */
    uint32_t tile_height_px;
    uint32_t subfile;     /* tag 254, bits of PL_TIFF_SUBFILE_ */
    uint32_t old_subfile; /* tag 255: 2 is a reduced image */
    uint32_t t4_options;
    uint32_t t6_options;
    uint32_t bits;
    uint32_t samples;
    uint32_t compression;
    uint32_t photometric;
    uint32_t fill_order;
    uint32_t planar;
    uint32_t orientation;
    uint32_t unit;
    uint32_t sample_format;
    uint32_t extra; /* first of ExtraSamples, PL_TIFF_EXTRA_NONE when absent */
    uint32_t ink_set;
    uint32_t clean_fax; /* tag 327 */
    bool mixed_bits;    /* samples of one pixel differ in depth */
    bool photometric_said;
    struct pl_tiff_ratio x_resolution;
    struct pl_tiff_ratio y_resolution;
    struct pl_tiff_values offsets; /* of strips or tiles */
    struct pl_tiff_values sizes;
    struct pl_tiff_values jpeg_tables;
    uint32_t old_jpeg_at;    /* tag 513, JPEGInterchangeFormat; 0: absent */
    uint32_t old_jpeg_bytes; /* tag 514; 0: not said */
    struct pl_tiff_values icc;
};

enum { PL_TIFF_SUBFILE_REDUCED = 1, PL_TIFF_SUBFILE_MASK = 4 };
enum { PL_TIFF_EXTRA_NONE = 0xffff };
enum {
    PL_TIFF_G3_1D = 2,
    PL_TIFF_G3 = 3,
    PL_TIFF_G4 = 4,
    PL_TIFF_OLD_JPEG = 6,
    PL_TIFF_JPEG = 7,
};
enum {
    PL_TIFF_MIN_IS_WHITE = 0,
    PL_TIFF_MIN_IS_BLACK = 1,
    PL_TIFF_RGB = 2,
    PL_TIFF_PALETTE = 3,
    PL_TIFF_MASK = 4,
    PL_TIFF_SEPARATED = 5,
    PL_TIFF_YCBCR = 6,
};

/* PL_BAD_DOCUMENT when the source does not begin as a TIFF file. */
pl_status pl_tiff_head_read(struct pl_source *source, struct pl_tiff_head *out) PL_MUST_USE;
/* PL_BAD_DOCUMENT when a part of the directory lies outside the source or it has no entries or more
 * than 4,096. */
pl_status pl_tiff_dir_read(struct pl_source *source, const struct pl_tiff_head *head, uint64_t at,
                           struct pl_tiff_dir *out) PL_MUST_USE;
/* Integers values[first..first+count) into out. PL_BAD_DOCUMENT past the end of either. */
pl_status pl_tiff_values_read(struct pl_source *source, const struct pl_tiff_head *head,
                              const struct pl_tiff_values *values, uint64_t first, size_t count,
                              uint64_t *out) PL_MUST_USE;

/* Strips or tiles in all planes that the sizes ask for; 0 when they make no sense. */
uint64_t pl_tiff_dir_pieces(const struct pl_tiff_dir *dir);

#endif
