/* attempt: one try of a job: lease, run, deliver, end.
 *
 *   QUEUED --lease--> RUNNING --run, document rows--> DELIVERING --puts--> DONE
 *                        \_____________\__ failure: QUEUED again (RETRY), HELD (OPERATOR), DEAD
 * (INPUT)
 *                         \_____________\__ or what a person asked for meanwhile: HELD, CANCELLED
 *
 * Each arrow is durable before the next step begins. The results' key was drawn when the job was
 * accepted and the names of its objects derive from the job, so an attempt that is repeated writes
 * the same documents to the same places. deliver.c goes on where a run has ended well.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/attempt_priv.h"

#include <stdlib.h>
#include <unistd.h>

static void attempt_wipe_keys(struct job_attempt *attempt)
{
    pl_wipe(&attempt->original_key, sizeof attempt->original_key);
    pl_wipe(&attempt->result_key, sizeof attempt->result_key);
    pl_wipe(&attempt->document_key, sizeof attempt->document_key);
}

static void attempt_free(struct job_attempt *attempt)
{
    if (attempt->input_fd >= 0)
        (void)close(attempt->input_fd);
    attempt_wipe_keys(attempt);
    attempt_free_documents(attempt);
    attempt->job->attempt = NULL;
    free(attempt);
}

void attempt_leave(struct job_attempt *attempt)
{
    pl_list_remove(&attempt->job->node);
    attempt_free(attempt);
}

/* Also for a call that was made before: its times are those of this one. */
static void attempt_send(struct job_attempt *attempt)
{
    const struct pl_core_parts *parts = &attempt->job->core->parts;
    int64_t now = pl_clock_wall_ms(parts->clock);
    attempt->move.at_ms = attempt->lease.at_ms = now;
    attempt->lease.until_ms = now + (int64_t)parts->settings.lease_ms;
    pl_ledger_thread_call(parts->ledger, &attempt->call);
}

void attempt_call(struct job_attempt *attempt,
                  pl_status (*run)(struct pl_ledger_call *call, const struct pl_ledger *ledger),
                  void (*done)(struct pl_ledger_call *call))
{
    attempt->call.run = run;
    attempt->call.done = done;
    attempt_send(attempt);
}

void attempt_resume(struct core_job *job)
{
    pl_list_append(&job->core->active, &job->node);
    attempt_send(job->attempt);
}

void attempt_forget(struct core_job *job)
{
    if (job->attempt != NULL)
        attempt_free(job->attempt);
}

/* -- the end of a try -- */

/* The unit was taken back and the ledger is sound: the same call may succeed later. */
static bool attempt_may_call_again(pl_status status)
{
    return status == PL_NO_SPACE || status == PL_NO_MEMORY || status == PL_BUSY;
}

/* A ledger that has no room keeps the try waiting at its step. One that cannot write: the job stays
 * in it as it is, and the next start takes it up. */
void attempt_ledger_failed(struct job_attempt *attempt, const char *what)
{
    struct core_job *job = attempt->job;
    struct pl_core *core = job->core;
    pl_status status = attempt->call.status;
    PL_LOG(core->parts.log, PL_LOG_ERROR, "job.ledger_failed", PL_F("job", job->id.text),
           PL_F("step", what), PL_F("status", pl_status_name(status)));
    if (attempt_may_call_again(status)) {
        pl_list_remove(&job->node);
        core->attempt_ended(job, true, core->parts.settings.retry_ms);
        return;
    }
    if (pl_status_blame(status) != PL_BLAME_INPUT && status != PL_LEASE_LOST)
        core_break(core, status, "the ledger cannot be written");
    attempt_leave(attempt);
    core->attempt_ended(job, false, 0);
}

void attempt_log_move(const struct job_attempt *attempt)
{
    const struct core_job *job = attempt->job;
    const struct pl_ledger_move *move = &attempt->move;
    PL_LOG(job->core->parts.log, PL_LOG_INFO, "job.moved", PL_F("job", job->id.text),
           PL_F("tenant", job->tenant.text), PL_F("from", pl_job_state_name(move->from)),
           PL_F("to", pl_job_state_name(move->to)), PL_FN("attempt", job->attempts));
}

static pl_status attempt_run_move(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    return ledger->ops->job_move(ledger->self, &attempt->move);
}

void attempt_set_move(struct job_attempt *attempt, enum pl_job_state to)
{
    const struct core_job *job = attempt->job;
    attempt->move = (struct pl_ledger_move){
        .job = job->id, .from = job->state, .to = to, .fence = job->fence
    };
}

/* -- a person's word -- */

static void attempt_on_heeded(struct pl_ledger_call *call)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    struct core_job *job = attempt->job;
    struct pl_core *core = job->core;
    struct pl_job_act *wish = job->wish;
    if (call->status != PL_OK) {
        attempt_ledger_failed(attempt, "act");
        return;
    }
    job->state = attempt->move.to;
    attempt_log_move(attempt);
    job->wish = NULL;
    wish->has_changed = true;
    attempt_leave(attempt);
    core->attempt_ended(job, false, 0);
    act_answer(wish, PL_OK);
}

bool attempt_heeds(struct job_attempt *attempt)
{
    const struct core_job *job = attempt->job;
    enum pl_job_state to = PL_JOB_QUEUED;
    if (job->wish == NULL || pl_job_action_effect(job->wish->action, job->state, job->holder, false,
                                                  &to) != PL_JOB_MOVES)
        return false;
    attempt_drop_staged(attempt);
    attempt_set_move(attempt, to);
    act_fill_move(job->wish, &attempt->move);
    attempt_call(attempt, attempt_run_move, attempt_on_heeded);
    return true;
}

void attempt_wished(struct core_job *job)
{
    const struct pl_runner *runner = &job->core->parts.runner;
    if (job->attempt->is_running)
        runner->ops->cancel(runner->self, &job->attempt->run);
}

/* -- failure -- */

/* Full jitter over a window that doubles with each failure (reliability.md). */
static uint64_t attempt_backoff_ms(const struct core_job *job, enum pl_blame blame)
{
    const struct pl_core_settings *settings = &job->core->parts.settings;
    uint64_t window = settings->retry_ms;
    for (uint32_t i = 1; i < job->failures && window < settings->retry_most_ms; i++)
        window *= 2;
    if (window > settings->retry_most_ms || blame == PL_BLAME_OPERATOR)
        window = settings->retry_most_ms;
    uint64_t random = 0;
    if (pl_random_bytes(&random, sizeof random) != PL_OK || window == 0)
        return window;
    return random % window + 1;
}

static void attempt_on_failed(struct pl_ledger_call *call)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    struct core_job *job = attempt->job;
    struct pl_core *core = job->core;
    enum pl_blame blame = pl_status_blame(attempt->move.error);
    if (call->status != PL_OK) {
        attempt_ledger_failed(attempt, "failure");
        return;
    }
    job->state = attempt->move.to;
    job->holder = job->state == PL_JOB_HELD ? PL_JOB_HELD_BY_ENGINE : PL_JOB_HELD_BY_NOBODY;
    job->revision++;
    attempt_log_move(attempt);
    attempt_leave(attempt);
    bool again = job->state != PL_JOB_DEAD;
    if (again)
        core->stats.retries_total++;
    else
        core->stats.dead_total++;
    core->attempt_ended(job, again, again ? attempt_backoff_ms(job, blame) : 0);
}

/* Seals the sentence, which may quote the document; one that cannot be sealed is left out. */
static void attempt_seal_reason(struct job_attempt *attempt)
{
    const struct core_job *job = attempt->job;
    const struct pl_keyring *keyring = &job->core->parts.keyring;
    char field[PL_FIELD_CHARS];
    struct pl_span reason = pl_span_from(attempt->fault.reason);
    if (keyring->ops->field_seal(keyring->self, &job->tenant,
                                 pl_field_name("job.reason", &job->id, 0, field), reason,
                                 attempt->reason_sealed) == PL_OK)
        attempt->move.reason_sealed = (struct pl_span){ (const char *)attempt->reason_sealed,
                                                        reason.size + PL_SEALED_FIELD_OVERHEAD };
}

void attempt_fail(struct job_attempt *attempt, pl_status status)
{
    struct core_job *job = attempt->job;
    const struct pl_core_settings *settings = &job->core->parts.settings;
    enum pl_blame blame = pl_status_blame(status);
    (void)pl_fault_set(&attempt->fault, status, "%s", pl_status_text(status));
    attempt_drop_staged(attempt); /* a ledger that is full may keep this try waiting for long */
    if (attempt_heeds(attempt))
        return;
    bool stopping = status == PL_STOPPING;
    job->failures += blame == PL_BLAME_RETRY && !stopping;
    bool dead = blame == PL_BLAME_INPUT ||
                (blame == PL_BLAME_RETRY && !stopping && job->failures >= settings->attempts);
    bool held = blame == PL_BLAME_OPERATOR;
    attempt_set_move(attempt, dead ? PL_JOB_DEAD : held ? PL_JOB_HELD : PL_JOB_QUEUED);
    attempt->move.error = status;
    attempt_seal_reason(attempt);
    PL_LOG(job->core->parts.log, dead || blame == PL_BLAME_OPERATOR ? PL_LOG_WARN : PL_LOG_INFO,
           "job.failed", PL_F("job", job->id.text), PL_F("status", pl_status_name(status)),
           PL_FN("attempt", job->attempts), PL_F("next", pl_job_state_name(attempt->move.to)));
    attempt_call(attempt, attempt_run_move, attempt_on_failed);
}

/* -- run -- */

static void attempt_on_run(struct pl_run *run)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(run, struct job_attempt, run);
    pl_status status = run->report.status;
    attempt_wipe_keys(attempt);
    attempt->is_running = false;
    if (attempt_heeds(attempt))
        return;
    if (status != PL_OK)
        attempt->fault = run->report.fault;
    else
        status = attempt_take_documents(attempt);
    if (status == PL_OK)
        attempt_deliver(attempt);
    else
        attempt_fail(attempt, status);
}

static pl_status attempt_open_keys(struct job_attempt *attempt)
{
    const struct core_job *job = attempt->job;
    const struct pl_keyring *keyring = &job->core->parts.keyring;
    struct pl_span original = { (const char *)job->original_key_wrapped, PL_WRAPPED_KEY_BYTES };
    struct pl_span result = { (const char *)job->result_key_wrapped, PL_WRAPPED_KEY_BYTES };
    pl_status status = keyring->ops->unwrap(keyring->self, &job->tenant, job->id.text,
                                            PL_ROLE_ORIGINAL, original, &attempt->original_key);
    if (status == PL_OK)
        status = keyring->ops->unwrap(keyring->self, &job->tenant, job->id.text, PL_ROLE_RESULT,
                                      result, &attempt->result_key);
    if (status != PL_OK)
        return pl_fault_set(&attempt->fault, status, "the keys of this job do not open: %s",
                            pl_status_text(status));
    return PL_OK;
}

static pl_status attempt_prepare(struct job_attempt *attempt)
{
    struct core_job *job = attempt->job;
    const struct pl_core_parts *parts = &job->core->parts;
    struct pl_run *run = &attempt->run;
    pl_status status = attempt_open_keys(attempt);
    if (status != PL_OK)
        return status;
    attempt->input_fd = pl_spool_open_job(parts->spool, &job->id, &status);
    if (status != PL_OK)
        return pl_fault_set(&attempt->fault, status == PL_NOT_FOUND ? PL_IO_ERROR : status,
                            "the spooled original cannot be opened: %s", pl_status_text(status));
    run->job = job->id;
    run->tenant = job->tenant;
    run->plan = job->definition->text;
    run->input_count = 1;
    run->inputs[0].fd = attempt->input_fd;
    run->inputs[0].key = &attempt->original_key;
    pl_seal_context(job->tenant.text, job->id.text, PL_ROLE_ORIGINAL, run->inputs[0].context);
    run->limits = parts->limits.of(parts->limits.owner, &job->tenant);
    run->open_document = attempt_open_document;
    run->wall_limit_ms = parts->settings.lease_ms;
    run->done = attempt_on_run;
    return PL_OK;
}

static pl_status attempt_run_lease(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    return ledger->ops->job_lease(ledger->self, &attempt->lease, &attempt->fence);
}

static void attempt_on_leased(struct pl_ledger_call *call)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    struct core_job *job = attempt->job;
    const struct pl_runner *runner = &job->core->parts.runner;
    if (call->status != PL_OK) {
        attempt_ledger_failed(attempt, "lease");
        return;
    }
    job->state = PL_JOB_RUNNING;
    job->fence = attempt->fence;
    job->attempts++;
    job->revision++;
    if (attempt_heeds(attempt))
        return;
    pl_status status = attempt_prepare(attempt);
    if (status != PL_OK) {
        attempt_fail(attempt, status);
        return;
    }
    attempt->is_running = true;
    runner->ops->start(runner->self, &attempt->run);
}

bool attempt_begin(struct core_job *job)
{
    struct pl_core *core = job->core;
    struct job_attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL)
        return false;
    attempt->job = job;
    attempt->input_fd = -1;
    job->attempt = attempt;
    pl_list_append(&core->active, &job->node);
    attempt->lease.job = job->id;
    attempt_call(attempt, attempt_run_lease, attempt_on_leased);
    return true;
}
