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
    PL_FILTER_G4,    /* CCITTFaxDecode, K -1, T.6; with or without end-of-block */
    PL_FILTER_DCT,   /* DCTDecode */
    PL_FILTER_FLATE, /* FlateDecode, PNG predictor 15 unless `predictor` says otherwise */
    PL_FILTER_G3,    /* CCITTFaxDecode, K 0 or above: T.4; see struct pl_page_fax */
    PL_FILTER_JBIG2, /* JBIG2Decode, embedded form; `globals` beside it */
    PL_FILTER_JPX,   /* JPXDecode; colour, bits and profile inside the data */
    PL_FILTER_LZW,   /* LZWDecode with early change, `predictor` as for FLATE but 1 or 2 */
};

/* What was done to the page's data; the page ledger shows it. */
enum pl_page_how {
    PL_PAGE_COPIED,          /* bit for bit */
    PL_PAGE_REENCODED_EXACT, /* other encoding, same pixels */
    PL_PAGE_REENCODED_LOSS,  /* never unasked */
    PL_PAGE_RENDERED,        /* an interpreter drew it */
};

/* What a page consists of. */
enum pl_page_kind {
    PL_PAGE_IMAGE, /* one picture over the whole page: everything below */
    PL_PAGE_PDF,   /* a page of a PDF, to be imported as it is: `pdf`; width and height are 0 */
};

/* Parameters of PL_FILTER_G3 (ISO 32000-1 table 11). */
struct pl_page_fax {
    int32_t k; /* 0: one-dimensional; above: mixed */
    bool byte_align;
    bool end_of_line;
};

struct pl_pdf_page_ref; /* pipeline/pdf/pdf_import.h */

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
    uint8_t bits;        /* per sample: 1, 2, 4, 8, 16; 2 and 4 only of one sample a pixel */
    enum pl_colour colour;
    bool inverted; /* the decoded samples stand the other way round, see above; Adobe CMYK */
    enum pl_page_kind kind;
    enum pl_filter filter;
    uint8_t predictor; /* FLATE: 1 none, 2 TIFF, 10 and more PNG; 0 stands for 15 */
    struct pl_page_fax fax;
    enum pl_page_how how;
    uint64_t bytes_in;       /* encoded size of the page in its input; 0: that of data as loaded */
    struct pl_bytes palette; /* not empty: samples are indices into entries of `colour`, 8 bits
                                each; `bits` is 1, 2, 4 or 8 */
    struct pl_bytes globals; /* JBIG2: the segments that pages share, or empty */
    struct pl_pdf_page_ref *pdf; /* PL_PAGE_PDF; owned */
    struct pl_bytes icc;         /* embedded profile that fits `colour`, or empty */
    struct pl_bytes data;
    struct pl_page_part *parts;
    size_t part_count;
    bool is_short; /* content of it was lost on the way, as `note` says */
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
