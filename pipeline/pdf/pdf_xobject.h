/* pdf_xobject: the images of a page as XObjects, and what images of one file share: profiles,
 * palettes, JBIG2 globals.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_XOBJECT_H
#define PL_PIPELINE_PDF_PDF_XOBJECT_H

#include "engine/base/digest.h"
#include "pipeline/convert_settings.h"
#include "pipeline/image/page.h"
#include "pipeline/pdf/pdf_writer.h"

#define PL_PDF_SHARED 64 /* remembered; a file with more different ones repeats some */

/* An object that is written once for all images that need the same. */
struct pl_pdf_shared {
    uint8_t digest[PL_SHA256_BYTES];
    uint32_t number;
};

struct pl_pdf_xobjects {
    struct pl_pdf_writer *writer;
    unsigned part; /* of PDF/A; 0: plain PDF */
    struct pl_bytes scratch;
    uint32_t cmyk; /* the profile for CMYK without one, in PDF/A */
    struct pl_pdf_shared shared[PL_PDF_SHARED];
    unsigned shared_count;
    unsigned shared_next; /* to be forgotten */
};

void pl_pdf_xobjects_init(struct pl_pdf_xobjects *xobjects, struct pl_pdf_writer *writer,
                          enum pl_format format);
void pl_pdf_xobjects_fini(struct pl_pdf_xobjects *xobjects);

/* Whether the images of a page of kind PL_PAGE_IMAGE can be written as they are, by the rules of
 * the format: PDF takes every filter; PDF/A no LZW (6.1.10 of part 1, 6.1.7.2 of 2 and 3) and JPEG
 * 2000 by the rules of ISO 19005-2 6.2.8.3; part 1 no JPEG 2000, no 16 bits a sample and no more
 * than 4,095 bands (all three are younger than PDF 1.4 or over its limits). */
bool pl_pdf_xobject_carries(enum pl_format format, const struct pl_page *page);

/* A profile of ICC version 4 has no place in PDF/A-1, which is bound to version 2: it is dropped
 * from the page with a note, and the page's colours are taken for sRGB, or for coated offset. */
void pl_pdf_xobject_settle(enum pl_format format, struct pl_page *page);

/* Writes an image for each part of the page; *first gets the number of the first one, the others
 * follow it. */
pl_status pl_pdf_xobjects_write(struct pl_pdf_xobjects *xobjects, const struct pl_page *page,
                                uint32_t *first) PL_MUST_USE;

/* Writes a profile as a deflated stream; its number. */
pl_status pl_pdf_xobjects_profile(struct pl_pdf_xobjects *xobjects, const struct pl_bytes *profile,
                                  unsigned components, uint32_t *number) PL_MUST_USE;

#endif
