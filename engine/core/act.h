/* act: what a person asks of a job (job_action.h), done once, wherever the job is just now.
 *
 *   waits      taken out of the line, moved in the ledger, put where it belongs now
 *   runs       the run is cancelled; its try ends in the state that was asked for
 *   delivers   as it goes: what fails is not tried again; what ends well was quicker
 *   is at rest moved in the ledger, and taken up again from there
 *
 * The move, who asked, when and why are one row of the job's history.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_ACT_H
#define PL_ENGINE_CORE_ACT_H

#include "engine/core/core.h"

#define PL_JOB_WHY_BYTES 500u

struct pl_job_act;
typedef void pl_job_act_fn(struct pl_job_act *act);

/* Zero-initialised but for what is asked; stays where it is until done. */
struct pl_job_act {
    struct pl_id tenant;
    struct pl_id job;
    struct pl_id by; /* the token */
    enum pl_job_action action;
    struct pl_span why;  /* at most PL_JOB_WHY_BYTES; may be empty */
    bool has_revision;   /* act only if the job's revision is this one */
    uint64_t revision;   /* and then: the job's when it was read in vain */
    pl_job_act_fn *done; /* on the loop's thread, never from inside pl_core_act */

    pl_status status;      /* OK; NOT_FOUND; CONFLICT: no sense in this state, or another revision;
                            * BUSY: the job is between two states; STOPPING; the ledger's */
    struct pl_fault fault; /* the sentence of a CONFLICT */
    bool is_stale;         /* CONFLICT: the revision was another one */
    bool has_changed;      /* OK: false when the job was there already */

    /* The core's. */
    struct pl_core *core;
    struct core_job *held; /* out of its list meanwhile */
    bool was_delayed;
    pl_status early; /* known before the ledger was asked */
    struct pl_ledger_call call;
    struct pl_arena arena;
    struct pl_ledger_job row;
    struct pl_ledger_pipeline pipeline;
    size_t note_size;
    uint8_t note[PL_JOB_WHY_BYTES + PL_SEALED_FIELD_OVERHEAD];
};

void pl_core_act(struct pl_core *core, struct pl_job_act *act);

#endif
