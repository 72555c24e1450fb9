/* page_pdf: PDFs of one page in memory, right to the last offset, for tests of what reads them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_CODEC_PAGE_PDF_H
#define PL_TESTS_UNIT_PIPELINE_CODEC_PAGE_PDF_H

#include "engine/base/check.h"

#define PAGE_PDF_BYTES 32768

struct page_pdf {
    char data[PAGE_PDF_BYTES];
    size_t size;
    unsigned char jpeg[8192]; /* what page_pdf_make_jpeg put in */
};

/* A page of 200 x 200 points. `resources` stands inside the page's /Resources, `page` inside the
 * page. */
void page_pdf_make(struct page_pdf *pdf, const char *resources, const char *content,
                   const char *page);
/* A page with one JPEG of four colour components in its middle, among text; returns its size. */
size_t page_pdf_make_jpeg(struct page_pdf *pdf);

#endif
