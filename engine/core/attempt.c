/* attempt: one try of a job: lease, run, deliver, end.
 *
 *   QUEUED --lease--> RUNNING --run, document row--> DELIVERING --put--> DONE
 *                        \_____________\__ failure: QUEUED again (RETRY, OPERATOR) or DEAD (INPUT)
 *
 * Each arrow is durable before the next step begins. The result's key was drawn when the job was
 * accepted and its object's name derives from the job, so an attempt that is repeated writes the
 * same document to the same place.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/core_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPT_DOCUMENT 1u
#define ATTEMPT_LEDGER_BYTES ((size_t)8 << 20)

/* All that a try owns; freed when the job is in line again or has ended. */
struct job_attempt {
    struct core_job *job;
    struct pl_ledger_call call;
    struct pl_ledger_move move;
    struct pl_ledger_lease lease;
    struct pl_run run;
    struct pl_object_put put;
    struct pl_object_remove remove;
    struct pl_seal_key original_key;
    struct pl_seal_key document_key;
    int input_fd;
    int staged_fd;
    bool replaced; /* an older object of another size was removed once */
    struct pl_fault fault;
    uint8_t reason_sealed[CORE_REASON_BYTES];
    char name[CORE_NAME_CHARS];
    uint8_t name_sealed[CORE_NAME_CHARS + PL_SEALED_FIELD_OVERHEAD];
    uint8_t *pages_sealed;
    char object_key[PL_OBJECT_KEY_CHARS];
    struct pl_ledger_document document;
    uint64_t fence;
};

static void attempt_free(struct job_attempt *attempt)
{
    if (attempt->input_fd >= 0)
        (void)close(attempt->input_fd);
    if (attempt->staged_fd >= 0)
        (void)close(attempt->staged_fd);
    pl_wipe(&attempt->original_key, sizeof attempt->original_key);
    pl_wipe(&attempt->document_key, sizeof attempt->document_key);
    free(attempt->pages_sealed);
    attempt->job->attempt = NULL;
    free(attempt);
}

/* Takes the job off the active list; the caller says what becomes of it. */
static void attempt_leave(struct job_attempt *attempt)
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

static void attempt_call(struct job_attempt *attempt,
                         pl_status (*run)(struct pl_ledger_call *call,
                                          const struct pl_ledger *ledger),
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
static void attempt_ledger_failed(struct job_attempt *attempt, const char *what)
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

static void attempt_log_move(const struct job_attempt *attempt)
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

static void attempt_set_move(struct job_attempt *attempt, enum pl_job_state to)
{
    const struct core_job *job = attempt->job;
    attempt->move = (struct pl_ledger_move){
        .job = job->id, .from = job->state, .to = to, .fence = job->fence
    };
}

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
    attempt_log_move(attempt);
    attempt_leave(attempt);
    bool again = job->state == PL_JOB_QUEUED;
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

/* Decides by blame what becomes of a job whose try failed; attempt->fault says why. */
static void attempt_fail(struct job_attempt *attempt, pl_status status)
{
    struct core_job *job = attempt->job;
    const struct pl_core_settings *settings = &job->core->parts.settings;
    enum pl_blame blame = pl_status_blame(status);
    (void)pl_fault_set(&attempt->fault, status, "%s", pl_status_text(status));
    bool stopping = status == PL_STOPPING;
    job->failures += blame == PL_BLAME_RETRY && !stopping;
    bool dead = blame == PL_BLAME_INPUT ||
                (blame == PL_BLAME_RETRY && !stopping && job->failures >= settings->attempts);
    attempt_set_move(attempt, dead ? PL_JOB_DEAD : PL_JOB_QUEUED);
    attempt->move.error = status;
    attempt_seal_reason(attempt);
    PL_LOG(job->core->parts.log, dead || blame == PL_BLAME_OPERATOR ? PL_LOG_WARN : PL_LOG_INFO,
           "job.failed", PL_F("job", job->id.text), PL_F("status", pl_status_name(status)),
           PL_FN("attempt", job->attempts), PL_F("next", dead ? "dead" : "retry"));
    attempt_call(attempt, attempt_run_move, attempt_on_failed);
}

/* -- deliver -- */

/* A store whose disk failed takes nothing until it is opened anew (object_store.h). */
static void attempt_store_failed(struct job_attempt *attempt, pl_status status)
{
    if (status == PL_IO_ERROR)
        core_break(attempt->job->core, status, "the store cannot be written");
    attempt_fail(attempt, status);
}

static void attempt_on_done(struct pl_ledger_call *call)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    struct core_job *job = attempt->job;
    struct pl_core *core = job->core;
    if (call->status != PL_OK) {
        attempt_ledger_failed(attempt, "done");
        return;
    }
    job->state = PL_JOB_DONE;
    attempt_log_move(attempt);
    PL_LOG(core->parts.log, PL_LOG_INFO, "job.done", PL_F("job", job->id.text),
           PL_FN("pages", attempt->document.pages), PL_FN("bytes", attempt->document.bytes),
           PL_FN("ms", attempt->move.at_ms - job->received_ms));
    core->stats.done_total++;
    if (core->parts.settings.remove_done_originals)
        pl_spool_remove(core->parts.spool, &job->id);
    attempt_leave(attempt);
    core->attempt_ended(job, false, 0);
}

static void attempt_on_removed(struct pl_object_remove *removed);

static void attempt_on_put(struct pl_object_put *put)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(put, struct job_attempt, put);
    if (put->status == PL_CONFLICT && !attempt->replaced) {
        /* An earlier try of another version of the program put other bytes there, and its job
         * never got to DONE: nobody has been told of them. The next try writes ours. */
        attempt->replaced = true;
        attempt->remove.key = attempt->object_key;
        attempt->remove.done = attempt_on_removed;
        const struct pl_object_store *store = &attempt->job->core->parts.store;
        store->ops->remove(store->self, &attempt->remove);
        return;
    }
    if (put->status != PL_OK) {
        attempt->fault = put->fault;
        attempt_store_failed(attempt, put->status == PL_CONFLICT ? PL_STORE_DOWN : put->status);
        return;
    }
    attempt_set_move(attempt, PL_JOB_DONE);
    attempt_call(attempt, attempt_run_move, attempt_on_done);
}

static void attempt_on_removed(struct pl_object_remove *removed)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(removed, struct job_attempt, remove);
    (void)pl_fault_set(&attempt->fault, PL_STORE_DOWN,
                       "an older result stood in the way and was removed; the job runs again");
    attempt_store_failed(attempt, removed->status == PL_OK ? PL_STORE_DOWN : removed->status);
}

static pl_status attempt_run_deliver(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    pl_status status = ledger->ops->job_move(ledger->self, &attempt->move);
    return status == PL_OK ? ledger->ops->document_put(ledger->self, &attempt->document) : status;
}

static void attempt_on_delivering(struct pl_ledger_call *call)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    const struct pl_object_store *store = &attempt->job->core->parts.store;
    if (call->status != PL_OK) {
        attempt_ledger_failed(attempt, "deliver");
        return;
    }
    attempt->job->state = PL_JOB_DELIVERING;
    attempt_log_move(attempt);
    attempt->put = (struct pl_object_put){ .key = attempt->object_key,
                                           .staged_fd = attempt->staged_fd,
                                           .done = attempt_on_put };
    attempt->staged_fd = -1; /* the store's from here */
    store->ops->put(store->self, &attempt->put);
}

/* "scan.tif" becomes "scan.pdf"; a name without an extension gets one. */
static void attempt_name_document(struct job_attempt *attempt)
{
    const char *name = attempt->job->name;
    const char *dot = strrchr(name, '.');
    const char *slash = strrchr(name, '/');
    size_t stem = dot != NULL && dot != name && (slash == NULL || dot > slash + 1)
                      ? (size_t)(dot - name)
                      : strlen(name);
    const size_t most = CORE_NAME_CHARS - sizeof ".pdf";
    while (stem > most || (stem > 0 && stem < strlen(name) && (name[stem] & 0xC0) == 0x80))
        stem--;
    const char *extension = strcmp(attempt->run.report.type, "application/pdf") == 0 ? ".pdf" : "";
    PL_CHECK(
        pl_text_format(attempt->name, sizeof attempt->name, "%.*s%s", (int)stem, name, extension));
}

static pl_status attempt_seal_fields(struct job_attempt *attempt)
{
    const struct core_job *job = attempt->job;
    const struct pl_keyring *keyring = &job->core->parts.keyring;
    struct pl_ledger_document *document = &attempt->document;
    char field[PL_FIELD_CHARS];
    struct pl_span name = pl_span_from(attempt->name);
    struct pl_span pages = attempt->run.report.page_ledger;
    pl_status status =
        keyring->ops->field_seal(keyring->self, &job->tenant,
                                 pl_field_name("document.name", &job->id, ATTEMPT_DOCUMENT, field),
                                 name, attempt->name_sealed);
    if (status != PL_OK)
        return status;
    document->name_sealed = (struct pl_span){ (const char *)attempt->name_sealed,
                                              name.size + PL_SEALED_FIELD_OVERHEAD };
    if (pages.size == 0 || pages.size > ATTEMPT_LEDGER_BYTES)
        return PL_OK;
    attempt->pages_sealed = malloc(pages.size + PL_SEALED_FIELD_OVERHEAD);
    if (attempt->pages_sealed == NULL)
        return PL_NO_MEMORY;
    document->page_ledger_sealed = (struct pl_span){ (const char *)attempt->pages_sealed,
                                                     pages.size + PL_SEALED_FIELD_OVERHEAD };
    return keyring->ops->field_seal(
        keyring->self, &job->tenant,
        pl_field_name("document.pages", &job->id, ATTEMPT_DOCUMENT, field), pages,
        attempt->pages_sealed);
}

static void attempt_on_run(struct pl_run *run)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(run, struct job_attempt, run);
    struct core_job *job = attempt->job;
    const struct pl_run_report *report = &run->report;
    pl_wipe(&attempt->original_key, sizeof attempt->original_key);
    pl_wipe(&attempt->document_key, sizeof attempt->document_key);
    if (report->status != PL_OK) {
        attempt->fault = report->fault;
        attempt_fail(attempt, report->status);
        return;
    }
    attempt->document = (struct pl_ledger_document){ .job = job->id,
                                                     .n = ATTEMPT_DOCUMENT,
                                                     .type = report->type,
                                                     .bytes = report->bytes,
                                                     .pages = report->pages,
                                                     .object_key = attempt->object_key };
    memcpy(attempt->document.sha256, report->sha256, PL_SHA256_BYTES);
    attempt_name_document(attempt);
    pl_status status = attempt_seal_fields(attempt);
    if (status != PL_OK) {
        attempt_fail(attempt, status);
        return;
    }
    attempt_set_move(attempt, PL_JOB_DELIVERING);
    attempt_call(attempt, attempt_run_deliver, attempt_on_delivering);
}

/* -- run -- */

static pl_status attempt_open_keys(struct job_attempt *attempt)
{
    const struct core_job *job = attempt->job;
    const struct pl_keyring *keyring = &job->core->parts.keyring;
    struct pl_span original = { (const char *)job->original_key_wrapped, PL_WRAPPED_KEY_BYTES };
    struct pl_span result = { (const char *)job->result_key_wrapped, PL_WRAPPED_KEY_BYTES };
    struct pl_seal_key result_key;
    char role[PL_ROLE_CHARS];
    pl_status status = keyring->ops->unwrap(keyring->self, &job->tenant, job->id.text,
                                            PL_ROLE_ORIGINAL, original, &attempt->original_key);
    if (status == PL_OK)
        status = keyring->ops->unwrap(keyring->self, &job->tenant, job->id.text, PL_ROLE_RESULT,
                                      result, &result_key);
    if (status != PL_OK)
        return pl_fault_set(&attempt->fault, status, "the keys of this job do not open: %s",
                            pl_status_text(status));
    pl_seal_key_derive(&result_key, pl_role_document(ATTEMPT_DOCUMENT, role),
                       &attempt->document_key);
    pl_wipe(&result_key, sizeof result_key);
    return PL_OK;
}

static pl_status attempt_prepare(struct job_attempt *attempt)
{
    struct core_job *job = attempt->job;
    const struct pl_core_parts *parts = &job->core->parts;
    struct pl_run *run = &attempt->run;
    char role[PL_ROLE_CHARS];
    pl_status status = attempt_open_keys(attempt);
    if (status != PL_OK)
        return status;
    attempt->input_fd = pl_spool_open_job(parts->spool, &job->id, &status);
    if (status != PL_OK)
        return pl_fault_set(&attempt->fault, status == PL_NOT_FOUND ? PL_IO_ERROR : status,
                            "the spooled original cannot be opened: %s", pl_status_text(status));
    status = parts->store.ops->stage(parts->store.self, &attempt->staged_fd);
    if (status != PL_OK)
        return pl_fault_set(&attempt->fault, status, "the store takes no result: %s",
                            pl_status_text(status));
    run->job = job->id;
    run->tenant = job->tenant;
    run->plan = job->definition->text;
    run->input_count = 1;
    run->inputs[0].fd = attempt->input_fd;
    run->inputs[0].key = &attempt->original_key;
    pl_seal_context(job->tenant.text, job->id.text, PL_ROLE_ORIGINAL, run->inputs[0].context);
    run->output.fd = attempt->staged_fd;
    run->output.key = &attempt->document_key;
    pl_seal_context(job->tenant.text, job->id.text, pl_role_document(ATTEMPT_DOCUMENT, role),
                    run->output.context);
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
    pl_status status = attempt_prepare(attempt);
    if (status != PL_OK)
        attempt_fail(attempt, status);
    else
        runner->ops->start(runner->self, &attempt->run);
}

bool attempt_begin(struct core_job *job)
{
    struct pl_core *core = job->core;
    struct job_attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL)
        return false;
    attempt->job = job;
    attempt->input_fd = attempt->staged_fd = -1;
    job->attempt = attempt;
    pl_list_append(&core->active, &job->node);
    PL_CHECK(pl_text_format(attempt->object_key, sizeof attempt->object_key,
                            "%s/%s/v%u/document-%u", job->tenant.text, job->id.text,
                            job->definition->version, ATTEMPT_DOCUMENT));
    attempt->lease.job = job->id;
    attempt_call(attempt, attempt_run_lease, attempt_on_leased);
    return true;
}
