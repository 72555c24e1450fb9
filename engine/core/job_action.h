/* job_action: what a person may ask of a job, and what that does in each state.
 *
 * Each is idempotent: asked again of a job that is where the first asking brought it, it changes
 * nothing and is not an error. What a state has no sense for is refused.
 *
 *   hold     waits or runs -> HELD, until a person releases it
 *   release  HELD -> QUEUED
 *   cancel   not ended -> CANCELLED
 *   retry    waits for a later try, or is held by the engine -> QUEUED, now
 *   replay   DEAD -> QUEUED, with all its attempts again
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_JOB_ACTION_H
#define PL_ENGINE_CORE_JOB_ACTION_H

#include "engine/core/job_state.h"

/* clang-format off */
#define PL_JOB_ACTIONS(X) \
    X(NONE,    none)      \
    X(HOLD,    hold)      \
    X(RELEASE, release)   \
    X(CANCEL,  cancel)    \
    X(RETRY,   retry)     \
    X(REPLAY,  replay)
/* clang-format on */

/* NONE: the engine's own doing. */
#define PL_JOB_ACTION_ENUM(row, name) PL_JOB_ACTION_##row,
enum pl_job_action { PL_JOB_ACTIONS(PL_JOB_ACTION_ENUM) PL_JOB_ACTION_COUNT };
#undef PL_JOB_ACTION_ENUM

/* Who keeps a job HELD: the engine tries again by itself, a person has to release it. */
enum pl_job_holder {
    PL_JOB_HELD_BY_NOBODY,
    PL_JOB_HELD_BY_ENGINE,
    PL_JOB_HELD_BY_PERSON,
    PL_JOB_HOLDER_COUNT
};

enum pl_job_effect { PL_JOB_REFUSES, PL_JOB_STAYS, PL_JOB_MOVES };

/* Lower case, as the API and the ledger write it. */
const char *pl_job_action_name(enum pl_job_action action);
bool pl_job_action_parse(const char *name, enum pl_job_action *out);
/* `is_delayed`: a QUEUED job that waits for the time of its next try. *to is set when it MOVES. */
enum pl_job_effect pl_job_action_effect(enum pl_job_action action, enum pl_job_state state,
                                        enum pl_job_holder holder, bool is_delayed,
                                        enum pl_job_state *to);

#endif
