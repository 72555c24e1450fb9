/* jpeg_join: strips of a picture, each coded on its own, made one JPEG stream without decoding.
 *
 * A strip that was coded on its own starts with fresh predictors and ends on a byte, which is just
 * what a restart interval does (ITU-T T.81 E.1.4). So the strips' entropy-coded bits are copied as
 * they are, with a restart marker between them and the interval in a DRI segment: the same
 * coefficients, bit for bit. Strips that have shorter intervals of their own keep them, numbered
 * anew.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_JOIN_H
#define PL_PIPELINE_CODEC_JPEG_JOIN_H

#include "engine/base/bytes.h"

#define PL_JPEG_JOIN_COMPONENTS 4
#define PL_JPEG_JOIN_TABLES ((size_t)8192) /* bytes of table segments: 4 + 8 tables are 2 KiB */

/* One picture on its way; zero-initialise, then begin. */
struct pl_jpeg_join {
    struct pl_bytes *out;
    uint32_t width_px;
    uint32_t height_px;
    uint32_t rows_per_strip;
    uint32_t interval;   /* MCUs between markers */
    uint32_t mcus_a_row; /* of the picture */
    uint32_t mcu_rows;   /* pixel rows of an MCU */
    uint32_t next;       /* number of strips taken */
    uint32_t restarts;   /* markers written so far; the next one is RST(restarts mod 8) */
    uint8_t
        frame[6 + 3 * PL_JPEG_JOIN_COMPONENTS]; /* SOF of the first strip, from its precision on */
    size_t frame_size;
    uint8_t frame_marker;
    uint8_t scan[6 + 2 * PL_JPEG_JOIN_COMPONENTS]; /* SOS of the first strip, after its length */
    size_t scan_size;
    uint16_t own_interval;               /* DRI of the strips, 0: none */
    uint8_t tables[PL_JPEG_JOIN_TABLES]; /* DQT and DHT segments that the first strip brought */
    size_t tables_size;
};

/* `out` holds SOI and what shall stand before the frame (colour marker, shared tables) already. */
void pl_jpeg_join_begin(struct pl_jpeg_join *join, uint32_t width_px, uint32_t height_px,
                        uint32_t rows_per_strip, struct pl_bytes *out);

/* The next strip, from its SOI to its EOI (which may be missing). Each has a frame and one scan.
 * PL_UNSUPPORTED: these strips cannot be joined this way (several scans, progressive, frames or
 * tables that differ, an interval past 65,535): `out` is then to be thrown away. PL_TOO_LARGE,
 * PL_NO_MEMORY. */
pl_status pl_jpeg_join_strip(struct pl_jpeg_join *join, const uint8_t *data,
                             size_t size) PL_MUST_USE;

/* The same for strips that are entropy-coded bits alone, as old-style JPEG has them: `head` goes
 * from SOI (or the first segment) to the end of the SOS segment and is given once, before the
 * bits. */
pl_status pl_jpeg_join_head(struct pl_jpeg_join *join, const uint8_t *head,
                            size_t size) PL_MUST_USE;
pl_status pl_jpeg_join_bits(struct pl_jpeg_join *join, const uint8_t *data,
                            size_t size) PL_MUST_USE;

/* EOI. PL_UNSUPPORTED when strips are missing. */
pl_status pl_jpeg_join_end(struct pl_jpeg_join *join) PL_MUST_USE;

#endif
