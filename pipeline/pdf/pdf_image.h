/* pdf_image: an image of a PDF as what a page of our own needs: filter, colour, depth, inversion.
 *
 * Encoded data are copied where page.h can say how they are meant, else decoded and deflated
 * (exactly). What page.h cannot say (masks, other colour spaces, odd /Decode arrays) is told by
 * `why`, a phrase behind "page 3 ": such a page is for an interpreter.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_IMAGE_H
#define PL_PIPELINE_PDF_PDF_IMAGE_H

#include "pipeline/pdf/pdf_space.h"

/* What images are read from, and for which page (1-based). */
struct pl_pdf_images {
    struct pl_pdf_file *file;
    struct pl_source *source; /* of the file */
    const struct pl_limits *limits;
    uint32_t number;
};

struct pl_pdf_image {
    const struct pl_pdf_value *stream; /* NULL: an inline image */
    const uint8_t *inline_data;        /* its encoded bytes, borrowed */
    uint64_t bytes;                    /* encoded */
    uint32_t width_px;
    uint32_t height_px;
    bool stencil;         /* black samples are painted, the others let through what is below */
    bool recode;          /* to be decoded and deflated */
    bool indexed;         /* `space` has the table */
    bool decode_inverted; /* /Decode turns samples or indices over */
    bool inverted;        /* as struct pl_page has it */
    uint8_t bits;         /* a sample, as coded */
    uint8_t predictor;
    unsigned components;
    enum pl_colour colour;
    enum pl_filter filter;
    struct pl_page_fax fax;
    struct pl_pdf_space space;
    const struct pl_pdf_value *globals; /* JBIG2 */
};

/* Structure, and the first bytes of JPEG and JPEG 2000 data. `inline_data` is NULL and `dict` a
 * stream, or the dictionary of an inline image with its data. *why is NULL when the image can be
 * (part of) a page. TOO_LARGE with a sentence; BAD_DOCUMENT. */
pl_status pl_pdf_image_read(const struct pl_pdf_images *images, const struct pl_pdf_value *dict,
                            struct pl_span inline_data, const struct pl_pdf_value *resources,
                            struct pl_pdf_image *out, const char **why,
                            struct pl_fault *fault) PL_MUST_USE;

/* Whether both can be bands of one page: everything but the rows is the same. */
bool pl_pdf_image_matches(const struct pl_pdf_image *a, const struct pl_pdf_image *b);

/* Sets what the page says about its data (not its shape), with profile, palette and globals. */
pl_status pl_pdf_image_describe(const struct pl_pdf_images *images,
                                const struct pl_pdf_image *image, struct pl_page *page,
                                struct pl_fault *fault) PL_MUST_USE;
/* Adds its data as one part. */
pl_status pl_pdf_image_load(const struct pl_pdf_images *images, const struct pl_pdf_image *image,
                            struct pl_page *page, struct pl_fault *fault) PL_MUST_USE;

/* The stream's bytes as a source of its own, without its outer filters when there are any: *kept
 * holds memory that the source stands on. Both are the caller's to free. */
pl_status pl_pdf_image_source(const struct pl_pdf_images *images, const struct pl_pdf_value *stream,
                              struct pl_bytes *kept, struct pl_source **out,
                              struct pl_fault *fault) PL_MUST_USE;

#endif
