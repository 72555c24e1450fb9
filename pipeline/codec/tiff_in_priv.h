/* tiff_in_priv: what the parts of the TIFF reader share.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_IN_PRIV_H
#define PL_PIPELINE_CODEC_TIFF_IN_PRIV_H

#include "pipeline/codec/codec.h"
#include "pipeline/codec/tiff_dir.h"

/* One page on its way: everything is borrowed for the length of the load. */
struct pl_tiff_load {
    const struct pl_limits *limits;
    enum pl_want want;
    const struct pl_tiff_head *head;
    const struct pl_tiff_dir *dir;
    struct pl_source *source;
    struct pl_page *page; /* number, size in pixels and resolution are set */
    struct pl_fault *fault;
};

/* Each of the copiers answers PL_OK with *done false, and leaves the page's data empty, when the
 * page is not of its kind or not beyond doubt: then the page is decoded. */

/* Group 4 strips, copied as parts. */
pl_status pl_tiff_copy_g4(const struct pl_tiff_load *load, bool *done) PL_MUST_USE;
/* JPEG (compression 7), its strips and tables made one stream. */
pl_status pl_tiff_copy_jpeg(const struct pl_tiff_load *load, bool *done) PL_MUST_USE;
/* Old-style JPEG (compression 6), by the stream that is in the file or the strips made one. */
pl_status pl_tiff_copy_old_jpeg(const struct pl_tiff_load *load, bool *done) PL_MUST_USE;

/* The range of strip n; *size 0: it is not said where the strip ends. PL_BAD_DOCUMENT with a
 * sentence when it lies outside of the file. */
pl_status pl_tiff_strip_range(const struct pl_tiff_load *load, uint64_t n, uint64_t *at,
                              uint64_t *size) PL_MUST_USE;
/* Empties the page's data. */
void pl_tiff_copy_undo(struct pl_page *page);

/* Whether libtiff is let near this compression. */
bool pl_tiff_decodes(uint32_t compression);
/* Decodes by libtiff and encodes again without loss. */
pl_status pl_tiff_decode(const struct pl_tiff_load *load) PL_MUST_USE;
/* Decodes a bilevel page, keeps nothing: PL_OK when every row is there and sound. */
pl_status pl_tiff_prove(const struct pl_tiff_load *load) PL_MUST_USE;

#endif
