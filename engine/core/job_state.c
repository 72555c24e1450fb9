/* job_state: legal moves as one table of bit sets.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/job_state.h"

#include <string.h>

#define TO(name) (1u << PL_JOB_##name)

static const unsigned legal_moves[PL_JOB_STATE_COUNT] = {
    [PL_JOB_ACCEPTED] = TO(QUEUED),
    [PL_JOB_QUEUED] = TO(RUNNING) | TO(HELD) | TO(CANCELLED) | TO(DEAD) | TO(QUEUED),
    [PL_JOB_RUNNING] = TO(DELIVERING) | TO(QUEUED) | TO(HELD) | TO(DEAD) | TO(CANCELLED),
    [PL_JOB_DELIVERING] = TO(DONE) | TO(QUEUED) | TO(HELD) | TO(DEAD) | TO(CANCELLED),
    [PL_JOB_DONE] = TO(ERASED),
    [PL_JOB_HELD] = TO(QUEUED) | TO(CANCELLED) | TO(HELD),
    [PL_JOB_CANCELLED] = TO(ERASED),
    [PL_JOB_DEAD] = TO(QUEUED) | TO(ERASED),
};

static const char *const state_names[PL_JOB_STATE_COUNT] = {
#define NAME(row, name) #name,
    PL_JOB_STATES(NAME)
#undef NAME
};

const char *pl_job_state_name(enum pl_job_state state)
{
    PL_CHECK(state < PL_JOB_STATE_COUNT);
    return state_names[state];
}

bool pl_job_state_parse(const char *name, enum pl_job_state *out)
{
    for (unsigned i = 0; i < PL_JOB_STATE_COUNT; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *out = (enum pl_job_state)i;
            return true;
        }
    }
    return false;
}

bool pl_job_state_may(enum pl_job_state from, enum pl_job_state to)
{
    PL_CHECK(from < PL_JOB_STATE_COUNT && to < PL_JOB_STATE_COUNT);
    return (legal_moves[from] >> to) & 1u;
}

bool pl_job_state_is_end(enum pl_job_state state)
{
    PL_CHECK(state < PL_JOB_STATE_COUNT);
    return state == PL_JOB_DONE || state == PL_JOB_CANCELLED || state == PL_JOB_DEAD ||
           state == PL_JOB_ERASED;
}
