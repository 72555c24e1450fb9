/* pdf_check: whether a PDF keeps what PDF/A asks for (ISO 19005-1, -2 and -3, level B).
 *
 * The rules are those of the standards that can be told without drawing a page: how the file is
 * built, what its graphics, fonts, annotations, actions and metadata are made of. Not told: glyphs
 * that a font program lacks and widths that differ from it, signatures, and whether attachments are
 * PDF/A themselves. docs/check.md has the list.
 *
 * Reads foreign bytes: bounded in objects, depth, operators and decoded bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CHECK_H
#define PL_PIPELINE_PDF_PDF_CHECK_H

#include "pipeline/findings.h"
#include "pipeline/image/limits.h"
#include "pipeline/source.h"

struct pl_pdf_check {
    unsigned part; /* of ISO 19005; 0: the one that the file claims */
    bool holes;    /* the data of images is not there (pdf_shadow.h) */
};

/* What the file says of itself. */
struct pl_pdf_claim {
    unsigned part; /* of ISO 19005; 0: none */
    char level;    /* 'A', 'B', 'U'; 0: none */
    unsigned held; /* the part whose rules were held against it; 0: none */
    uint32_t pages;
    unsigned minor; /* of the header: PDF 1.`minor`; 20: PDF 2.0 */
    bool encrypted;
};

/* Adds what it finds; a file that keeps the rules adds nothing. Answers that are not OK: the file
 * could not be looked at to its end (DENIED, BAD_DOCUMENT, TOO_LARGE, NO_MEMORY). */
pl_status pl_pdf_check(struct pl_source *source, const struct pl_limits *limits,
                       const struct pl_pdf_check *check, struct pl_pdf_claim *claim,
                       struct pl_findings *findings, struct pl_fault *fault) PL_MUST_USE;

#endif
