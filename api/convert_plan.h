/* convert_plan: which inputs become which output, decided before anything is opened for writing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_CONVERT_PLAN_H
#define PL_API_CONVERT_PLAN_H

#include "engine/base/arena.h"
#include "engine/base/status.h"
#include "pipeline/plan.h"

/* One document to be made. */
struct pl_convert_task {
    const char *const *inputs; /* in order */
    size_t input_count;
    const char *output;
};

struct pl_convert_wish {
    enum pl_format format;
    const char *const *inputs;
    size_t input_count; /* at least 1 */
    const char *output; /* a file, an existing folder, or what ends in '/' */
    bool force;         /* replace an output that is there */
};

struct pl_convert_plan {
    struct pl_convert_task *tasks;
    size_t count;
};

/* All lives in the arena. PL_CONFLICT, PL_TOO_LARGE, PL_MISCONFIGURED with a sentence: an output
 * that is there, that two inputs would share, or that is an input itself; too many inputs. Makes
 * the output's folder when it ends in '/' and is not there. */
pl_status pl_convert_plan_make(const struct pl_convert_wish *wish, struct pl_arena *arena,
                               struct pl_convert_plan *out, struct pl_fault *fault) PL_MUST_USE;

#endif
