/* pdf_import: pages of a PDF that was read, copied with all they need into one that is written.
 *
 * Objects are copied deeply, each once per file, renumbered; stream data is copied encoded, bit for
 * bit (decrypted where the file was encrypted). What reaches out of the page (/Parent,
 * /StructParents, destinations to pages that do not travel, the document's outline, forms without
 * their fields) is left out by stated rules. For PDF/A only what that part allows is copied: a page
 * that holds more is found by pl_pdf_page_allows, before.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_IMPORT_H
#define PL_PIPELINE_PDF_PDF_IMPORT_H

#include "pipeline/codec/codec.h"
#include "pipeline/pdf/pdf_crypt.h"
#include "pipeline/pdf/pdf_file.h"
#include "pipeline/pdf/pdf_writer.h"

struct pl_pdf_restore; /* pdf_restore.h */

/* What a page of kind PL_PAGE_PDF carries from the reader to the writer. */
struct pl_pdf_page_ref {
    struct pl_pdf_file
        *file;       /* the reader's; outlives the page; used by the writing thread alone */
    uint32_t n;      /* 0-based */
    unsigned rotate; /* 0, 90, 180, 270, to add to the page's own */
    enum pl_want want;
    struct pl_pdf_restore *restore; /* the reader's; NULL: images are what they are */
};

/* Whether the page's graph may be imported for `want` as it stands: for PDF always; for PDF/A
 * when its content only places images (and forms that do), nothing needs a font, and every image
 * and colour space is allowed by that part or can be made so without touching image data. *why gets
 * the reason otherwise. */
pl_status pl_pdf_page_allows(struct pl_pdf_file *file, uint32_t n, enum pl_want want, bool *allowed,
                             const char **why, struct pl_fault *fault) PL_MUST_USE;

struct pl_pdf_import;

/* What was copied already, for one file being written. `part` of PDF/A, or 0: a page that comes for
 * it as any PDF has it, because an interpreter made it so, loses what that part never allows. */
pl_status pl_pdf_import_new(struct pl_pdf_writer *writer, unsigned part,
                            struct pl_pdf_import **out) PL_MUST_USE;
void pl_pdf_import_free(struct pl_pdf_import *import);
/* Writes the page object under `number` with `parent`, and everything below it. */
pl_status pl_pdf_import_page(struct pl_pdf_import *import, const struct pl_pdf_page_ref *page,
                             uint32_t number, uint32_t parent, struct pl_fault *fault) PL_MUST_USE;

#endif
