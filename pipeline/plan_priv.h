/* plan_priv: what reading a definition is made of, for plan.c and the files of its steps.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PLAN_PRIV_H
#define PL_PIPELINE_PLAN_PRIV_H

#include "pipeline/plan.h"

#include <jansson.h>

#define PL_PLAN_PATH_CHARS 64 /* "steps[0].with.labels[31].prefix" */

/* The index of the word, or `count`. */
size_t pl_plan_word_index(const char *word, const char *const *words, size_t count);

/* All answer PL_MISCONFIGURED with a sentence that begins with `where`. */

/* An object with no other members than `words`. */
pl_status pl_plan_object(const json_t *value, const char *where, const char *const *words,
                         size_t count, struct pl_fault *fault) PL_MUST_USE;
/* A string; NULL when it is something else or missing. */
const char *pl_plan_string(const json_t *value, const char *where, struct pl_fault *fault);
/* One of `words`, which *out is the index of. */
pl_status pl_plan_word(const json_t *value, const char *where, const char *const *words,
                       size_t count, size_t *out, struct pl_fault *fault) PL_MUST_USE;

struct pl_plan_unit {
    const char *suffix;
    uint64_t size;
};

/* "30d", "200MiB", or a bare number of the smallest unit. */
bool pl_plan_quantity(const json_t *value, const struct pl_plan_unit *units, size_t count,
                      uint64_t max, uint64_t *out);

/* plan_convert.c: `with` of the step `convert`, read into plan->convert and checked. */
pl_status pl_plan_convert(const json_t *with, const char *where, struct pl_plan *plan,
                          struct pl_fault *fault) PL_MUST_USE;

#endif
