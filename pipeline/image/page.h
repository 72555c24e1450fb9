/* page: one page as it travels from a decoder to a writer: its shape, and encoded data that PDF can
 * carry.
 *
 * Decoders copy what can be copied and re-encode the rest, so a page never needs more memory than
 * its own encoded data once it is made.
 *
 * Samples follow PDF's convention: once the filter is undone 0 is black (no ink in CMYK), unless
 * `inverted`. CCITTFaxDecode is meant with BlackIs1 false, so that what T.6 codes as black is 0: a
 * MinIsWhite fax is not inverted, a MinIsBlack one is. A writer turns `inverted` into /Decode.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_PAGE_H
#define PL_PIPELINE_IMAGE_PAGE_H

#include "engine/base/bytes.h"
#include "engine/base/status.h"

enum pl_colour { PL_COLOUR_BILEVEL, PL_COLOUR_GREY, PL_COLOUR_RGB, PL_COLOUR_CMYK };

/* How the bytes of a part are encoded (ISO 32000-2 section 7.4). */
enum pl_filter {
    PL_FILTER_G4,    /* CCITTFaxDecode, K -1, T.6 without end-of-block */
    PL_FILTER_DCT,   /* DCTDecode */
    PL_FILTER_FLATE, /* FlateDecode, PNG predictor 15 */
};

/* What was done to the page's data; the page ledger shows it. */
enum pl_page_how {
    PL_PAGE_COPIED,          /* bit for bit */
    PL_PAGE_REENCODED_EXACT, /* other encoding, same pixels */
    PL_PAGE_REENCODED_LOSS,  /* never unasked */
};

/* A horizontal band over the full width. Parts stand top to bottom; their rows add up to the
 * height. */
struct pl_page_part {
    uint32_t rows;
    size_t at; /* into the page's data */
    size_t size;
};

struct pl_page {
    uint32_t number; /* 1-based, in its input */
    uint32_t width_px;
    uint32_t height_px;
    uint32_t x_mdpi; /* thousandths of pixels per inch, after the rules of resolution.h; never 0 */
    uint32_t y_mdpi;
    uint8_t orientation; /* TIFF 6.0 tag 274 / EXIF, 1..8: how the stored pixels must be turned */
    uint8_t bits;        /* per sample: 1, 8, 16 */
    enum pl_colour colour;
    bool inverted; /* the decoded samples stand the other way round, see above; Adobe CMYK */
    enum pl_filter filter;
    enum pl_page_how how;
    struct pl_bytes icc; /* embedded profile that fits `colour`, or empty */
    struct pl_bytes data;
    struct pl_page_part *parts;
    size_t part_count;
    char note[96]; /* rule that was applied, for the page ledger ("no resolution: 300 dpi assumed")
                    */
};

/* Zero page with limits on its buffers. */
void pl_page_init(struct pl_page *page, uint64_t limit_bytes);
void pl_page_fini(struct pl_page *page);
/* Adds a band that begins at the present end of data minus `size`. PL_NO_MEMORY. */
pl_status pl_page_add_part(struct pl_page *page, uint32_t rows, size_t size) PL_MUST_USE;

/* Adds a sentence to the note, after "; " when there is one; cut when there is no room. */
void pl_page_note(struct pl_page *page, const char *format, ...) PL_PRINTF(2, 3);

#endif
