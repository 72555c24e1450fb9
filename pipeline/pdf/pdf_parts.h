/* pdf_parts: which page needs which objects, and so in which part of a linearized file each stands
 * (ISO 32000-1 annex F.3).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_PARTS_H
#define PL_PIPELINE_PDF_PDF_PARTS_H

#include "pipeline/pdf/pdf_file.h"

/* References from pages to objects that they share; more make a hint table that helps nobody. */
#define PL_PDF_PARTS_SHARED ((size_t)1 << 22)

enum pl_pdf_part {
    PL_PDF_PART_NONE,     /* no such object */
    PL_PDF_PART_DOCUMENT, /* 4: the catalog, and what opening the file needs */
    PL_PDF_PART_FIRST,    /* 6: all that the first page needs */
    PL_PDF_PART_PAGE,     /* 7: what one other page alone needs */
    PL_PDF_PART_SHARED,   /* 8: what several other pages need */
    PL_PDF_PART_REST,     /* 9 */
};

struct pl_pdf_parts;

/* Reads every object once. BAD_DOCUMENT, TOO_LARGE, NO_MEMORY. */
pl_status pl_pdf_parts_new(struct pl_pdf_file *file, struct pl_pdf_parts **out,
                           struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_parts_free(struct pl_pdf_parts *parts);

enum pl_pdf_part pl_pdf_parts_of(const struct pl_pdf_parts *parts, uint32_t object);
/* Of an object of PL_PDF_PART_PAGE: the page, 0-based. */
uint32_t pl_pdf_parts_page(const struct pl_pdf_parts *parts, uint32_t object);
/* The objects of the first page's part and of the shared part that page n (not the first) needs. */
const uint32_t *pl_pdf_parts_shared(const struct pl_pdf_parts *parts, uint32_t n, size_t *count);

#endif
