/* png_pixels: the compressed pixels of a PNG, proved or decoded (ISO/IEC 15948 clauses 7 to 10).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_PNG_PIXELS_H
#define PL_PIPELINE_CODEC_PNG_PIXELS_H

#include "pipeline/image/page.h"

enum pl_png_type {
    PL_PNG_GREY = 0,
    PL_PNG_RGB = 2,
    PL_PNG_PALETTE = 3,
    PL_PNG_GREY_ALPHA = 4,
    PL_PNG_RGB_ALPHA = 6,
};

/* What IHDR says, and of tRNS the colour that is transparent. */
struct pl_png_head {
    uint32_t width_px;
    uint32_t height_px;
    uint8_t bits; /* of a sample */
    enum pl_png_type type;
    bool interlaced;
    bool has_key;
    uint16_t key[3];
};

/* Samples of a stored pixel. */
unsigned pl_png_samples(enum pl_png_type type);

/* A proof that a stream without interlacing holds all rows, with filters that exist, and no more:
 * then PDF can carry it. It is fed as the stream is read. */
struct pl_png_proof;
pl_status pl_png_proof_new(const struct pl_png_head *head, struct pl_png_proof **out) PL_MUST_USE;
void pl_png_proof_free(struct pl_png_proof *proof);
/* *used gets how much of the data belongs to the stream. BAD_DOCUMENT with a sentence. */
pl_status pl_png_proof_feed(struct pl_png_proof *proof, const uint8_t *data, size_t size,
                            size_t *used, struct pl_fault *fault) PL_MUST_USE;
pl_status pl_png_proof_end(const struct pl_png_proof *proof, struct pl_fault *fault) PL_MUST_USE;

/* The whole compressed stream stands in page->data; rows of filter FLATE take its place: without
 * interlacing, what is transparent laid over white paper. Colour and bits of the page are set. A
 * picture that is interlaced is held whole, which the limits have allowed for. */
pl_status pl_png_decode(const struct pl_png_head *head, struct pl_page *page,
                        struct pl_fault *fault) PL_MUST_USE;

#endif
