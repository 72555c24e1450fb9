/* tiff_ifd: an image file directory of a classic little-endian TIFF, while it is made.
 *
 * Entries are added by ascending tag (TIFF 6.0 section 2); values that need more than four bytes
 * follow the directory. The first failure sticks and is told by pl_tiff_ifd_status.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_IFD_H
#define PL_PIPELINE_CODEC_TIFF_IFD_H

#include "engine/base/bytes.h"

#define PL_TIFF_IFD_ENTRIES 40

struct pl_tiff_ifd_entry {
    uint16_t tag;
    uint16_t type;
    uint32_t count;
    uint32_t value; /* left-justified in the file; of a long value: where it stands in `values` */
};

struct pl_tiff_ifd {
    struct pl_tiff_ifd_entry entries[PL_TIFF_IFD_ENTRIES];
    size_t count;
    struct pl_bytes values;
    pl_status status;
};

/* `limit` is for the values. */
void pl_tiff_ifd_init(struct pl_tiff_ifd *ifd, size_t limit);
void pl_tiff_ifd_fini(struct pl_tiff_ifd *ifd);
/* Forgets the entries and keeps the memory. */
void pl_tiff_ifd_clear(struct pl_tiff_ifd *ifd);

void pl_tiff_ifd_short(struct pl_tiff_ifd *ifd, uint16_t tag, uint16_t value);
void pl_tiff_ifd_shorts(struct pl_tiff_ifd *ifd, uint16_t tag, const uint16_t *values,
                        size_t count);
void pl_tiff_ifd_longs(struct pl_tiff_ifd *ifd, uint16_t tag, const uint32_t *values, size_t count);
/* num[i] / den for each. */
void pl_tiff_ifd_rationals(struct pl_tiff_ifd *ifd, uint16_t tag, const uint32_t *nums,
                           uint32_t den, size_t count);
void pl_tiff_ifd_text(struct pl_tiff_ifd *ifd, uint16_t tag, const char *text);
void pl_tiff_ifd_bytes(struct pl_tiff_ifd *ifd, uint16_t tag, const uint8_t *data, size_t size);
/* Overwrites the value of at most four bytes under that tag, as it lies in the file. */
void pl_tiff_ifd_patch(struct pl_tiff_ifd *ifd, uint16_t tag, uint32_t value);

pl_status pl_tiff_ifd_status(const struct pl_tiff_ifd *ifd) PL_MUST_USE;
/* Bytes of the directory and its values, an even number. */
uint64_t pl_tiff_ifd_size(const struct pl_tiff_ifd *ifd);
/* Appends it as it stands at offset `at` (even) of the file, with `next` as the next directory. */
pl_status pl_tiff_ifd_write(const struct pl_tiff_ifd *ifd, uint32_t at, uint32_t next,
                            struct pl_bytes *out) PL_MUST_USE;

#endif
