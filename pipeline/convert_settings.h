/* convert_settings: the settings of the step `convert`, which plan.c reads and all below obeys.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CONVERT_SETTINGS_H
#define PL_PIPELINE_CONVERT_SETTINGS_H

#include "engine/base/status.h"
#include "engine/base/text.h"

/* clang-format off */
/*    row       name         media type         extension  a file a page */
#define PL_FORMAT_TABLE(X)                                                \
    X(PDFA_2B,   "pdfa-2b",   "application/pdf", "pdf",  false)            \
    X(PDF,       "pdf",       "application/pdf", "pdf",  false)            \
    X(PDFA_1B,   "pdfa-1b",   "application/pdf", "pdf",  false)            \
    X(PDFA_3B,   "pdfa-3b",   "application/pdf", "pdf",  false)            \
    X(TIFF_G4,   "tiff-g4",   "image/tiff",      "tif",  false)            \
    X(TIFF,      "tiff",      "image/tiff",      "tif",  false)            \
    X(JPEG,      "jpeg",      "image/jpeg",      "jpg",  true)             \
    X(PNG,       "png",       "image/png",       "png",  true)             \
    X(THUMBNAIL, "thumbnail", "image/jpeg",      "jpg",  true)
/* clang-format on */

#define PL_FORMAT_ENUM(row, name, type, extension, a_page) PL_FORMAT_##row,
enum pl_format { PL_FORMAT_TABLE(PL_FORMAT_ENUM) PL_FORMAT_COUNT };
#undef PL_FORMAT_ENUM

enum pl_colour_mode {
    PL_COLOUR_KEEP,
    PL_COLOUR_MODE_GREY,
    PL_COLOUR_MODE_BILEVEL,
    PL_COLOUR_MODE_AUTO, /* per page: bilevel, grey or colour, by what is on it */
};

enum pl_binarize { PL_BINARIZE_SAUVOLA, PL_BINARIZE_OTSU, PL_BINARIZE_DITHER };

enum pl_tiff_compression { PL_TIFF_LZW, PL_TIFF_DEFLATE, PL_TIFF_JPEG };

/* ISO 32000-2 table 22; bits of `permissions`. */
enum pl_permission {
    PL_PERMIT_PRINT = 1 << 0, /* in low resolution */
    PL_PERMIT_PRINT_HIGH = 1 << 1,
    PL_PERMIT_MODIFY = 1 << 2,
    PL_PERMIT_COPY = 1 << 3,
    PL_PERMIT_ANNOTATE = 1 << 4,
    PL_PERMIT_FILL = 1 << 5,
    PL_PERMIT_ASSEMBLE = 1 << 6,
};

/* A range of page labels (ISO 32000-1 12.4.2): from page `from` (1-based) on. */
struct pl_page_label {
    uint32_t from;
    char style; /* D, R, r, A, a, or 0: prefix alone */
    uint32_t start;
    char prefix[32];
};

#define PL_LABELS_MOST 32
#define PL_SELECTION_CHARS 256
#define PL_PASSWORD_CHARS 128 /* ISO 32000-2: 127 bytes of UTF-8 */
#define PL_META_CHARS 256
#define PL_XMP_MOST ((size_t)16384)

struct pl_convert {
    enum pl_format to;
    char pages[PL_SELECTION_CHARS]; /* as selection.h reads it; empty: all */
    unsigned rotate;                /* 0, 90, 180, 270 clockwise, on top of the page's own */
    uint32_t dpi; /* pages of more are brought down to it; 0: kept. What is rendered
                     is rendered at it, or at 300 */
    enum pl_colour_mode colour;
    enum pl_binarize binarize;
    unsigned quality; /* 1..100 of JPEG; 0: never encode with loss unless the format is lossy
                         itself (jpeg, thumbnail, tiff of jpeg), then 85 */
    enum pl_tiff_compression tiff;
    uint32_t thumbnail_px; /* longest side; 0: 256 */
    bool linearize;
    char open_password[PL_PASSWORD_CHARS]; /* of the inputs */
    char user_password[PL_PASSWORD_CHARS]; /* both empty: the result is not encrypted */
    char owner_password[PL_PASSWORD_CHARS];
    unsigned permissions; /* of enum pl_permission */
    char title[PL_META_CHARS];
    char author[PL_META_CHARS];
    char subject[PL_META_CHARS];
    char keywords[PL_META_CHARS];
    struct pl_span xmp; /* rdf:Description elements to put into the packet, checked for
                           well-formedness; borrowed from the definition */
    struct pl_page_label labels[PL_LABELS_MOST];
    size_t label_count;
};

/* Zero value, but everything permitted. */
void pl_convert_defaults(struct pl_convert *convert, enum pl_format to);
/* Combinations that exclude each other: PDF/A and a password, linearize or labels for what is no
 * PDF, tiff-g4 with colour grey ... PL_MISCONFIGURED with a sentence that names both. */
pl_status pl_convert_check(const struct pl_convert *convert, struct pl_fault *fault) PL_MUST_USE;

const char *pl_format_name(enum pl_format format);
const char *pl_format_type(enum pl_format format);
const char *pl_format_extension(enum pl_format format);
/* One file for each page. */
bool pl_format_is_by_page(enum pl_format format);
bool pl_format_is_pdf(enum pl_format format);
/* 1, 2, 3 for PDF/A, else 0. */
unsigned pl_format_pdfa_part(enum pl_format format);
bool pl_format_parse(const char *name, enum pl_format *out);
/* "pdfa-2b, ..." for the person who named another one. */
const char *pl_format_list(void);

#endif
