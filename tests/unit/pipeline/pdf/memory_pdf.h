/* memory_pdf: small PDF files in memory, written by hand so that nothing of ours writes what is
 * read.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_PDF_MEMORY_PDF_H
#define PL_TESTS_UNIT_PIPELINE_PDF_MEMORY_PDF_H

#include "engine/base/bytes.h"
#include "pipeline/codec/codec.h"

#define MEMORY_PDF_OBJECTS 64

struct memory_pdf {
    struct pl_bytes bytes;
    size_t at[MEMORY_PDF_OBJECTS]; /* 0: not written */
    unsigned count;                /* highest number + 1 */
    /* Once opened. */
    struct pl_source *source;
    struct pl_reader *reader;
};

void memory_pdf_init(struct memory_pdf *pdf);
void memory_pdf_fini(struct memory_pdf *pdf);
void memory_pdf_object(struct memory_pdf *pdf, unsigned number, const char *body);
/* `dict` is its entries without Length and brackets. */
void memory_pdf_stream(struct memory_pdf *pdf, unsigned number, const char *dict, const void *data,
                       size_t size);
/* Catalog 1, page tree 2, one page 3 with content 4: `page` is more entries of the page, MediaBox
 * 0 0 72 72 when it names none. */
void memory_pdf_page(struct memory_pdf *pdf, const char *page, const char *content);
/* Table and trailer; the catalog is object 1. */
void memory_pdf_end(struct memory_pdf *pdf);

/* Opens it, ended, by the reader. */
pl_status memory_pdf_open(struct memory_pdf *pdf, enum pl_want want, struct pl_fault *fault);
/* Survey and load of page n into `page`, which is initialised here. */
pl_status memory_pdf_load(struct memory_pdf *pdf, uint32_t n, struct pl_page *page,
                          struct pl_fault *fault);

#endif
