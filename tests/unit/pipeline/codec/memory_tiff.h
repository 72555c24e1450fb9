/* memory_tiff: TIFF files in memory for tests: written and read through libtiff, or made by hand
 * where libtiff would refuse to write what a test needs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_CODEC_MEMORY_TIFF_H
#define PL_TESTS_UNIT_PIPELINE_CODEC_MEMORY_TIFF_H

#include "engine/base/bytes.h"

#include <tiffio.h>

struct memory_tiff {
    struct pl_bytes bytes;
    uint64_t at;
    TIFF *tiff;
    bool complained; /* any error or warning */
};

/* Mode as in TIFFOpen: "w", "wb" (big-endian), "w8"; "r" reads the bytes that are there. */
void memory_tiff_open(struct memory_tiff *file, const char *mode);
void memory_tiff_close(struct memory_tiff *file);
void memory_tiff_fini(struct memory_tiff *file);

/* Hand-made classic little-endian TIFF: */
struct tag_entry {
    uint16_t tag;
    uint16_t type; /* 3 SHORT, 4 LONG */
    uint32_t count;
    uint32_t value; /* or offset */
};
void hand_begin(struct pl_bytes *out);
/* Appends a directory whose next one is `next` (0: none); returns where it stands. */
uint32_t hand_dir(struct pl_bytes *out, const struct tag_entry *entries, size_t count,
                  uint32_t next);
void hand_put(struct pl_bytes *out, const void *data, size_t size);
/* Overwrites the 32-bit number at `at`. */
void hand_patch(struct pl_bytes *out, size_t at, uint32_t value);

#endif
