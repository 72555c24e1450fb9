/* check_document: what a file is, by its content, and whether it is what it claims to be.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CHECK_DOCUMENT_H
#define PL_PIPELINE_CHECK_DOCUMENT_H

#include "pipeline/findings.h"
#include "pipeline/image/limits.h"
#include "pipeline/source.h"

#define PL_CHECK_WHAT_CHARS 200

struct pl_check {
    char what[PL_CHECK_WHAT_CHARS]; /* "a PDF/A-2b document of 28 pages" */
    const char *kind;               /* "pdf", "tiff", "jpeg", "png", "postscript" */
    unsigned part;                  /* of PDF/A whose rules were held against it; 0: none */
    struct pl_findings findings;    /* none: it is what it claims to be */
};

/* The order for a worker: what stands where a job's plan stands. `part` is that of ISO 19005 which
 * the file is held against; 0: the one that it claims. */
#define PL_CHECK_ORDER_CHARS 32
void pl_check_order_write(unsigned part, char out[PL_CHECK_ORDER_CHARS]);
/* False: it is no such order, but a plan. */
bool pl_check_order_read(struct pl_span text, unsigned *part);

/* Answers that are not OK: nothing can be said of the file (UNSUPPORTED, BAD_DOCUMENT, TOO_LARGE,
 * DENIED ...). With a part, a file that is no PDF is a finding. */
pl_status pl_check_document(struct pl_source *source, const struct pl_limits *limits, unsigned part,
                            struct pl_check *out, struct pl_fault *fault) PL_MUST_USE;
void pl_check_fini(struct pl_check *check);

/* Appends one object: {"what", "kind", "part", "total", "findings": [{"rule", "page", "object",
 * "text"}]}. */
pl_status pl_check_json(const struct pl_check *check, struct pl_bytes *out) PL_MUST_USE;

#endif
