/* run: carries a plan out over a job's inputs; pages in parallel, written in order.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_RUN_H
#define PL_PIPELINE_RUN_H

#include "engine/base/bytes.h"
#include "pipeline/image/limits.h"
#include "pipeline/plan.h"
#include "pipeline/source.h"

struct pl_run_job {
    const struct pl_plan *plan;
    struct pl_source *const *inputs; /* pages of all inputs, in order, become one document */
    size_t input_count;
    struct pl_out *output;
    const struct pl_limits *limits;
    unsigned threads; /* page workers besides the caller's thread; 0: all on the caller's */
    /* From the caller's thread after each page written; may be NULL. */
    void (*on_page)(void *owner, uint32_t done, uint32_t total);
    void *owner;
};

struct pl_run_result {
    uint32_t pages;
    struct pl_bytes page_ledger; /* JSON array, one object a page: page_ledger.h */
};

/* At most threads + 2 pages are held in memory. Output bytes do not depend on `threads`. On failure
 * `fault` says what and on which page, and the output is to be thrown away. */
pl_status pl_run_plan(const struct pl_run_job *job, struct pl_run_result *out,
                      struct pl_fault *fault) PL_MUST_USE;
void pl_run_result_fini(struct pl_run_result *result);

#endif
