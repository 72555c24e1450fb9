/* job_action: one table, with the two rows that look closer than at the state.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/job_action.h"

#include <string.h>

#define STAYS 1u
#define TO(name) (2u + PL_JOB_##name)

/* What is not named refuses. */
static const unsigned effects[PL_JOB_ACTION_COUNT][PL_JOB_STATE_COUNT] = {
    [PL_JOB_ACTION_HOLD] = { [PL_JOB_QUEUED] = TO(HELD),
                             [PL_JOB_RUNNING] = TO(HELD),
                             [PL_JOB_DELIVERING] = TO(HELD),
                             [PL_JOB_HELD] = TO(HELD) },
    [PL_JOB_ACTION_RELEASE] = { [PL_JOB_QUEUED] = STAYS,
                                [PL_JOB_RUNNING] = STAYS,
                                [PL_JOB_DELIVERING] = STAYS,
                                [PL_JOB_DONE] = STAYS,
                                [PL_JOB_HELD] = TO(QUEUED) },
    [PL_JOB_ACTION_CANCEL] = { [PL_JOB_QUEUED] = TO(CANCELLED),
                               [PL_JOB_RUNNING] = TO(CANCELLED),
                               [PL_JOB_DELIVERING] = TO(CANCELLED),
                               [PL_JOB_HELD] = TO(CANCELLED),
                               [PL_JOB_CANCELLED] = STAYS },
    [PL_JOB_ACTION_RETRY] = { [PL_JOB_QUEUED] = TO(QUEUED),
                              [PL_JOB_RUNNING] = STAYS,
                              [PL_JOB_DELIVERING] = STAYS,
                              [PL_JOB_DONE] = STAYS,
                              [PL_JOB_HELD] = TO(QUEUED) },
    [PL_JOB_ACTION_REPLAY] = { [PL_JOB_QUEUED] = STAYS,
                               [PL_JOB_RUNNING] = STAYS,
                               [PL_JOB_DELIVERING] = STAYS,
                               [PL_JOB_DONE] = STAYS,
                               [PL_JOB_HELD] = STAYS,
                               [PL_JOB_DEAD] = TO(QUEUED) },
};

static const char *const action_names[PL_JOB_ACTION_COUNT] = {
#define NAME(row, name) #name,
    PL_JOB_ACTIONS(NAME)
#undef NAME
};

const char *pl_job_action_name(enum pl_job_action action)
{
    PL_CHECK(action < PL_JOB_ACTION_COUNT);
    return action_names[action];
}

bool pl_job_action_parse(const char *name, enum pl_job_action *out)
{
    for (unsigned i = 0; i < PL_JOB_ACTION_COUNT; i++) {
        if (strcmp(action_names[i], name) == 0) {
            *out = (enum pl_job_action)i;
            return true;
        }
    }
    return false;
}

enum pl_job_effect pl_job_action_effect(enum pl_job_action action, enum pl_job_state state,
                                        enum pl_job_holder holder, bool is_delayed,
                                        enum pl_job_state *to)
{
    PL_CHECK(action < PL_JOB_ACTION_COUNT && state < PL_JOB_STATE_COUNT);
    unsigned effect = effects[action][state];
    bool is_persons = state == PL_JOB_HELD && holder == PL_JOB_HELD_BY_PERSON;
    if (effect == 0 || (action == PL_JOB_ACTION_RETRY && is_persons))
        return PL_JOB_REFUSES;
    if (effect == STAYS || (action == PL_JOB_ACTION_HOLD && is_persons) ||
        (action == PL_JOB_ACTION_RETRY && state == PL_JOB_QUEUED && !is_delayed))
        return PL_JOB_STAYS;
    *to = (enum pl_job_state)(effect - 2u);
    return PL_JOB_MOVES;
}
