/* run: carries a plan out over a job's inputs; pages in parallel, written in order.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_RUN_H
#define PL_PIPELINE_RUN_H

#include "engine/base/bytes.h"
#include "pipeline/image/limits.h"
#include "pipeline/interpreter.h"
#include "pipeline/plan.h"
#include "pipeline/source.h"

#define PL_RUN_SUFFIX_CHARS 12
#define PL_RUN_NOTE_CHARS 512

/* One document of the result, as it is told when it is whole. */
struct pl_run_document {
    uint32_t n;            /* 1-based, in the order in which they are made */
    const char *type;      /* media type */
    const char *extension; /* "pdf", without the dot */
    /* "-003" where a format holds one page and the job has several: goes between the document's
     * name and its extension. Else empty. */
    char suffix[PL_RUN_SUFFIX_CHARS];
    uint32_t pages;
    /* JSON array, one object a page: page_ledger.h. Borrowed until `end` returns. */
    struct pl_span page_ledger;
};

struct pl_documents;

/* Where the documents of a result go: one after the other, from the caller's thread. A document
 * that was begun and not ended when the run fails, and all that came before it, are to be thrown
 * away by the owner. */
struct pl_documents_ops {
    /* *out takes document n (1, 2, ...) and is borrowed until `end` returns, or the run does. A
     * document that was begun and not ended may be begun anew: nothing of it stays. */
    pl_status (*begin)(struct pl_documents *self, uint32_t n, struct pl_out **out,
                       struct pl_fault *fault);
    pl_status (*end)(struct pl_documents *self, const struct pl_run_document *document,
                     struct pl_fault *fault);
};

/* Embedded first in what fills it. */
struct pl_documents {
    const struct pl_documents_ops *ops;
};

struct pl_run_job {
    const struct pl_plan *plan;
    /* Pages of all inputs, in order, become one document, or one each where pl_format_is_by_page
     * says so. */
    struct pl_source *const *inputs;
    size_t input_count;
    struct pl_documents *documents;
    const struct pl_limits *limits;
    struct pl_interpreter *interpreter; /* NULL: what needs one is PL_NEEDS_INTERPRETER */
    unsigned threads; /* page workers besides the caller's thread; 0: all on the caller's */
    /* They are started once a page took more work than this, and 10 ms of such work are left; 0: at
     * once. Pages that are copied never do, and handing them over costs more than it gains. */
    uint32_t threads_after_us;
    /* From the caller's thread after each page written; may be NULL. */
    void (*on_page)(void *owner, uint32_t done, uint32_t total);
    void *owner;
};

struct pl_run_result {
    uint32_t pages_in;                     /* of all inputs, before the selection */
    uint32_t pages;                        /* written, in all documents */
    uint32_t documents;                    /* ended */
    uint64_t bytes_in;                     /* of all inputs */
    uint64_t bytes_out;                    /* of all documents */
    uint32_t by_how[PL_PAGE_RENDERED + 1]; /* pages by enum pl_page_how */
    bool repaired;                         /* damage was worked around; `note` says what */
    char note[PL_RUN_NOTE_CHARS]; /* sentences for the job's report; empty: nothing to say */
    struct pl_bytes page_ledger;  /* JSON array, one object a page of all documents */
};

/* At most threads + 2 pages are held in memory. Output bytes do not depend on `threads`. On failure
 * `fault` says what and on which page. PL_NEEDS_INTERPRETER comes before any document is begun. */
pl_status pl_run_plan(const struct pl_run_job *job, struct pl_run_result *out,
                      struct pl_fault *fault) PL_MUST_USE;
void pl_run_result_fini(struct pl_run_result *result);

#endif
