/* job_state: the states of a job and the only moves between them (DESIGN section 5).
 *
 *   ACCEPTED -> QUEUED -> RUNNING -> DELIVERING -> DONE
 *                 ^         |            |
 *                 +- retry -+------------+--> HELD --> QUEUED | CANCELLED
 *                                        +--> DEAD --> QUEUED (replay)
 *   HELD --> HELD and QUEUED --> QUEUED, when a person's word takes the place of the engine's
 *   any end state (DONE, DEAD, CANCELLED) --> ERASED
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_JOB_STATE_H
#define PL_ENGINE_CORE_JOB_STATE_H

#include "engine/base/check.h"

/* clang-format off */
#define PL_JOB_STATES(X)           \
    X(ACCEPTED,   accepted)        \
    X(QUEUED,     queued)          \
    X(RUNNING,    running)         \
    X(DELIVERING, delivering)      \
    X(DONE,       done)            \
    X(HELD,       held)            \
    X(CANCELLED,  cancelled)       \
    X(DEAD,       dead)            \
    X(ERASED,     erased)
/* clang-format on */

#define PL_JOB_ENUM(row, name) PL_JOB_##row,
enum pl_job_state { PL_JOB_STATES(PL_JOB_ENUM) PL_JOB_STATE_COUNT };
#undef PL_JOB_ENUM

/* Lower case, as the API and the ledger write it. */
const char *pl_job_state_name(enum pl_job_state state);
bool pl_job_state_parse(const char *name, enum pl_job_state *out);
bool pl_job_state_may(enum pl_job_state from, enum pl_job_state to);
/* Nothing more happens by itself. */
bool pl_job_state_is_end(enum pl_job_state state);

#endif
