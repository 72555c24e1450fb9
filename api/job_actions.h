/* job_actions: POST /v1/jobs/{id}/{action} and POST /v1/jobs/actions: what people ask of jobs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_JOB_ACTIONS_H
#define PL_API_JOB_ACTIONS_H

#include "api/ask.h"

/* One job, from the path; ask->n is the action. Answers the job as it is afterwards. */
void pl_job_actions_one(struct pl_ask *ask);
/* Many: those named, or those that a filter finds. Answers what became of each that was refused. */
void pl_job_actions_many(struct pl_ask *ask);

/* What a request to act on many may say; strict. */
#define PL_JOB_ACTIONS_MOST 1000u
#define PL_JOB_ACTIONS_BODY ((size_t)65536)

struct pl_job_actions {
    enum pl_job_action action;
    const char *why; /* "" when none was given */
    struct pl_id *jobs;
    uint32_t job_count; /* 0: the filter */
    enum pl_job_state state;
    const char *pipeline; /* NULL: any */
    bool has_error;
    pl_status error;
    uint32_t limit;
    struct pl_id after;
};

/* The body of an action on one job: {} or {"reason": "..."}; an empty one will do. *why lives in
 * the arena. PL_BAD_REQUEST with a sentence, PL_NO_MEMORY. */
pl_status pl_job_action_parse_body(struct pl_span body, struct pl_arena *arena, const char **why,
                                   struct pl_fault *fault) PL_MUST_USE;
pl_status pl_job_actions_parse(struct pl_span body, struct pl_arena *arena,
                               struct pl_job_actions *out, struct pl_fault *fault) PL_MUST_USE;
/* If-Match: absent or "*" is any revision. PL_BAD_REQUEST for what no ETag of a job looks like. */
pl_status pl_job_match_parse(struct pl_span field, bool *has, uint64_t *revision,
                             struct pl_fault *fault) PL_MUST_USE;

#endif
