/* single_document: hands one open output to a run that makes one document.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_SINGLE_DOCUMENT_H
#define PL_TESTS_SUPPORT_SINGLE_DOCUMENT_H

#include "pipeline/run.h"

struct single_document {
    struct pl_documents documents;
    struct pl_out *out;
    unsigned ended;
};

static inline pl_status single_document_begin(struct pl_documents *documents, uint32_t n,
                                              struct pl_out **out, struct pl_fault *fault)
{
    if (n != 1)
        return pl_fault_set(fault, PL_UNSUPPORTED, "there is place for one document");
    *out = ((struct single_document *)documents)->out;
    return PL_OK;
}

static inline pl_status single_document_end(struct pl_documents *documents,
                                            const struct pl_run_document *document,
                                            struct pl_fault *fault)
{
    (void)document;
    (void)fault;
    ((struct single_document *)documents)->ended++;
    return PL_OK;
}

static const struct pl_documents_ops single_document_ops = { single_document_begin,
                                                             single_document_end };

static inline void single_document_init(struct single_document *single, struct pl_out *out)
{
    *single = (struct single_document){ { &single_document_ops }, out, 0 };
}

#endif
