/* act: finds out where the job is, and goes the way that leads from there.
 *
 * The ledger decides: what memory says only chooses the way. Memory that lags behind the ledger for
 * the length of a call costs an answer of BUSY, or a job in line whose lease is refused.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/act.h"

#include "engine/core/core_priv.h"

#include <stdlib.h>

/* A job's row and its pipeline's definition. */
#define ACT_ARENA_BYTES ((size_t)1 << 22)

void act_answer(struct pl_job_act *act, pl_status status)
{
    struct pl_core *core = act->core;
    act->status = status;
    act->has_changed = act->has_changed && status == PL_OK;
    PL_CHECK(core->acts > 0);
    core->acts--;
    pl_arena_fini(&act->arena);
    act->done(act);
    core_check_drained(core);
}

void act_fill_move(const struct pl_job_act *act, struct pl_ledger_move *move)
{
    move->by = act->by;
    move->action = pl_id_is_none(&act->by) ? PL_JOB_ACTION_NONE : act->action;
    move->note_sealed = (struct pl_span){ (const char *)act->note, act->note_size };
}

/* -- on the ledger's thread -- */

static pl_status act_refuse(struct pl_job_act *act)
{
    const struct pl_ledger_job *row = &act->row;
    if (act->action == PL_JOB_ACTION_RETRY && row->state == PL_JOB_HELD)
        return pl_fault_set(&act->fault, PL_CONFLICT,
                            "a person holds this job: it waits to be released or cancelled");
    return pl_fault_set(&act->fault, PL_CONFLICT, "%s does nothing for a job that is %s%s",
                        pl_job_action_name(act->action), pl_job_state_name(row->state),
                        row->state == PL_JOB_DEAD ? "; replay does" : "");
}

static pl_status act_move(struct pl_job_act *act, const struct pl_ledger *ledger,
                          enum pl_job_state to)
{
    const struct pl_ledger_job *row = &act->row;
    struct pl_ledger_move move = { .job = row->id,
                                   .from = row->state,
                                   .to = to,
                                   .at_ms = pl_clock_wall_ms(act->core->parts.clock) };
    pl_status status = PL_OK;
    if (row->lease_until_ms != 0)
        return PL_BUSY;
    act_fill_move(act, &move);
    if (to == PL_JOB_QUEUED && act->held == NULL)
        status = ledger->ops->pipeline_load(ledger->self, &row->tenant, row->pipeline,
                                            row->pipeline_version, &act->arena, &act->pipeline);
    if (status == PL_OK)
        status = ledger->ops->job_move(ledger->self, &move);
    if (status != PL_OK)
        return status == PL_NOT_FOUND ? PL_IO_ERROR : status;
    act->has_changed = true;
    act->row.state = to;
    act->row.revision++;
    return PL_OK;
}

static pl_status act_run(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct pl_job_act *act = PL_CONTAINER_OF(call, struct pl_job_act, call);
    enum pl_job_state to = PL_JOB_QUEUED;
    if (act->early != PL_OK)
        return act->early;
    pl_status status =
        ledger->ops->job_load(ledger->self, &act->tenant, &act->job, &act->arena, &act->row);
    if (status != PL_OK)
        return status;
    if (act->has_revision && act->row.revision != act->revision) {
        act->is_stale = true;
        act->revision = act->row.revision;
        return pl_fault_set(&act->fault, PL_CONFLICT, "the job has changed meanwhile");
    }
    switch (
        pl_job_action_effect(act->action, act->row.state, act->row.holder, act->was_delayed, &to)) {
    case PL_JOB_REFUSES:
        return act_refuse(act);
    case PL_JOB_MOVES:
        return act_move(act, ledger, to);
    case PL_JOB_STAYS:
        break;
    }
    return PL_OK;
}

/* -- back on the loop's -- */

/* Back to where it waited, at the end of its line. */
static void act_put_back(struct pl_job_act *act, struct core_job *job)
{
    const struct pl_core *core = act->core;
    int64_t left = job->ready_at_ms - pl_loop_now_ms(core->parts.loop);
    int64_t least = (int64_t)core->parts.settings.retry_ms;
    if (act->was_delayed)
        dispatch_delay(job, (uint64_t)(left > least ? left : least));
    else
        dispatch_enqueue(job);
}

static void act_settle_held(struct pl_job_act *act, pl_status status)
{
    struct core_job *job = act->held;
    job->is_changing = false;
    bool is_read = status == PL_CONFLICT || (status == PL_OK && !act->has_changed);
    if (status == PL_NOT_FOUND || (is_read && act->row.state != job->state)) {
        /* The ledger says that memory is wrong about this job: whoever moved it has it now. */
        core_job_free(job);
        return;
    }
    if (is_read)
        job->revision = act->row.revision;
    if (status != PL_OK || !act->has_changed) {
        act_put_back(act, job);
        return;
    }
    job->state = act->row.state;
    job->revision = act->row.revision;
    job->holder = PL_JOB_HELD_BY_NOBODY;
    if (job->state == PL_JOB_QUEUED)
        dispatch_enqueue(job);
    else
        core_job_free(job);
}

/* The row says QUEUED. What fails here is taken up by the next start. */
static void act_take_up(struct pl_job_act *act)
{
    struct pl_core *core = act->core;
    const struct pl_ledger_job *row = &act->row;
    if (core_job_lookup(core, &row->tenant, &row->id) != NULL)
        return;
    struct core_job *job = core_job_make(core, row);
    if (job != NULL)
        job->definition = core_definition_keep(core, &row->tenant, row->pipeline,
                                               row->pipeline_version, act->pipeline.definition);
    if (job == NULL || job->definition == NULL) {
        PL_LOG(core->parts.log, PL_LOG_ERROR, "job.not_taken_up", PL_F("job", row->id.text),
               PL_F("status", pl_status_name(PL_NO_MEMORY)));
        core_job_free(job);
        return;
    }
    dispatch_enqueue(job);
}

static void act_on_done(struct pl_ledger_call *call)
{
    struct pl_job_act *act = PL_CONTAINER_OF(call, struct pl_job_act, call);
    const struct pl_log *log = act->core->parts.log;
    if (call->status == PL_OK && act->has_changed)
        PL_LOG(log, PL_LOG_INFO, "job.moved", PL_F("job", act->job.text),
               PL_F("tenant", act->tenant.text), PL_F("action", pl_job_action_name(act->action)),
               PL_F("by", pl_id_is_none(&act->by) ? "engine" : act->by.text),
               PL_F("to", pl_job_state_name(act->row.state)));
    if (act->held != NULL)
        act_settle_held(act, call->status);
    else if (call->status == PL_OK && act->has_changed && act->row.state == PL_JOB_QUEUED)
        act_take_up(act);
    act_answer(act, call->status);
}

/* -- the asking -- */

static void act_send(struct pl_job_act *act)
{
    act->call = (struct pl_ledger_call){ .run = act_run, .done = act_on_done };
    pl_list_init(&act->call.node);
    pl_ledger_thread_call(act->core->parts.ledger, &act->call);
}

static void act_detach(struct pl_job_act *act, struct core_job *job)
{
    if (job->is_delayed)
        pl_list_remove(&job->node);
    else
        pl_queue_remove(act->core->queue, &job->tenant, &job->node);
    act->was_delayed = job->is_delayed;
    job->is_delayed = false;
    job->is_changing = true;
    act->held = job;
}

/* A job that memory knows. True: its try will answer. */
static bool act_begin(struct pl_job_act *act, struct core_job *job)
{
    enum pl_job_state to = PL_JOB_QUEUED;
    bool is_delayed = job->is_delayed && job->attempt == NULL;
    if (job->is_changing || job->wish != NULL) {
        act->early = PL_BUSY;
        return false;
    }
    if (pl_job_action_effect(act->action, job->state, job->holder, is_delayed, &to) !=
            PL_JOB_MOVES ||
        (act->has_revision && act->revision != job->revision))
        return false;
    if (job->attempt == NULL) {
        act_detach(act, job);
        return false;
    }
    if (job->is_delayed) { /* the ledger has no room for the try's own step */
        act->early = PL_BUSY;
        return false;
    }
    job->wish = act;
    attempt_wished(job);
    return true;
}

void act_again(struct pl_job_act *act)
{
    struct core_job *job = core_job_lookup(act->core, &act->tenant, &act->job);
    if (act->core->draining)
        act->early = PL_STOPPING;
    if (act->early != PL_OK || job == NULL || !act_begin(act, job))
        act_send(act);
}

/* Seals the words; those that cannot be sealed are not worth refusing the act. */
static void act_seal_note(struct pl_job_act *act)
{
    const struct pl_keyring *keyring = &act->core->parts.keyring;
    char field[PL_FIELD_CHARS];
    PL_CHECK(act->why.size <= PL_JOB_WHY_BYTES);
    if (act->why.size > 0 &&
        keyring->ops->field_seal(keyring->self, &act->tenant,
                                 pl_field_name("event.note", &act->job, 0, field), act->why,
                                 act->note) == PL_OK)
        act->note_size = act->why.size + PL_SEALED_FIELD_OVERHEAD;
}

void pl_core_act(struct pl_core *core, struct pl_job_act *act)
{
    act->core = core;
    core->acts++;
    pl_arena_init(&act->arena, ACT_ARENA_BYTES);
    act_seal_note(act);
    act_again(act);
}

/* -- the engine's own -- */

static void act_on_released(struct pl_job_act *act)
{
    free(act);
}

bool act_release(struct core_job *job)
{
    struct pl_job_act *act = calloc(1, sizeof *act);
    if (act == NULL)
        return false;
    act->tenant = job->tenant;
    act->job = job->id;
    act->action = PL_JOB_ACTION_RELEASE;
    act->done = act_on_released;
    pl_core_act(job->core, act);
    return true;
}
