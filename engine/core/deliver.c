/* deliver: the documents of a try go to the store, and the job to its end.
 *
 *   rows of all documents and the move to DELIVERING, in one unit
 *     --> objects put, a few at once --> objects of rows that are too many removed
 *     --> those rows and the move to DONE, in one unit
 *
 * An object is in the store only while a row names it, so that nothing of a job that was cut down
 * anywhere is lost to view: its next try, or its removal, finds all of it. Documents are for
 * nobody's eyes before the job is DONE, when rows and objects are those of the last try.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/attempt_priv.h"

/* A store whose disk failed takes nothing until it is opened anew (object_store.h). */
static void deliver_failed(struct job_attempt *attempt, pl_status status)
{
    if (status == PL_IO_ERROR)
        core_break(attempt->job->core, status, "the store cannot be written");
    attempt_fail(attempt, status);
}

/* -- the end -- */

static pl_status deliver_run_done(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    pl_status status = ledger->ops->job_move(ledger->self, &attempt->move);
    if (status == PL_OK && attempt->rows > attempt->document_count)
        status =
            ledger->ops->document_trim(ledger->self, &attempt->job->id, attempt->document_count);
    return status;
}

static void deliver_on_done(struct pl_ledger_call *call)
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
           PL_FN("documents", attempt->document_count), PL_FN("pages", attempt->pages),
           PL_FN("bytes", attempt->bytes), PL_FN("ms", attempt->move.at_ms - job->received_ms));
    core->stats.done_total++;
    if (core->parts.settings.remove_done_originals)
        pl_spool_remove(core->parts.spool, &job->id);
    attempt_leave(attempt);
    core->attempt_ended(job, false, 0);
}

/* -- the store -- */

static void deliver_pump(struct job_attempt *attempt);

static struct attempt_put *deliver_take_slot(struct job_attempt *attempt)
{
    for (unsigned i = 0; i < ATTEMPT_PUTS; i++) {
        struct attempt_put *slot = &attempt->puts[i];
        if (slot->is_busy)
            continue;
        *slot = (struct attempt_put){ .attempt = attempt, .is_busy = true };
        attempt->puts_busy++;
        return slot;
    }
    return NULL;
}

/* The first failure is the one that is told. */
static void deliver_end_slot(struct attempt_put *slot, pl_status status,
                             const struct pl_fault *fault)
{
    struct job_attempt *attempt = slot->attempt;
    slot->is_busy = false;
    attempt->puts_busy--;
    if (status != PL_OK && attempt->failed == PL_OK) {
        attempt->failed = status;
        if (fault != NULL)
            attempt->fault = *fault;
    }
    deliver_pump(attempt);
}

static void deliver_on_removed(struct pl_object_remove *removed)
{
    struct attempt_put *slot = PL_CONTAINER_OF(removed, struct attempt_put, remove);
    deliver_end_slot(slot, removed->status, NULL);
}

static void deliver_remove(struct attempt_put *slot)
{
    const struct pl_object_store *store = &slot->attempt->job->core->parts.store;
    slot->remove.key = slot->object_key;
    slot->remove.done = deliver_on_removed;
    store->ops->remove(store->self, &slot->remove);
}

static void deliver_on_put(struct pl_object_put *put)
{
    struct attempt_put *slot = PL_CONTAINER_OF(put, struct attempt_put, put);
    slot->attempt->job->core->staged_files--;
    if (put->status == PL_CONFLICT) {
        /* An earlier try of another version of the program put other bytes there, and its job
         * never got to DONE: nobody has been told of them. The next try writes ours. */
        slot->attempt->replaced = true;
        deliver_remove(slot);
        return;
    }
    deliver_end_slot(slot, put->status, &put->fault);
}

static void deliver_put(struct attempt_put *slot, uint32_t index)
{
    struct job_attempt *attempt = slot->attempt;
    const struct pl_object_store *store = &attempt->job->core->parts.store;
    attempt_object_key(attempt->job, index + 1, slot->object_key);
    slot->put = (struct pl_object_put){ .key = slot->object_key,
                                        .staged_fd = attempt->staged[index],
                                        .done = deliver_on_put };
    attempt->staged[index] = -1; /* the store's from here */
    store->ops->put(store->self, &slot->put);
}

/* Puts first: should the engine end in between, all that the last try made is there. */
static void deliver_pump(struct job_attempt *attempt)
{
    uint32_t last = attempt->rows > attempt->document_count && !attempt->replaced
                        ? attempt->rows
                        : attempt->document_count;
    while (attempt->failed == PL_OK && attempt->next < last) {
        bool is_put = attempt->next < attempt->document_count;
        if (!is_put && attempt->next == attempt->document_count && attempt->puts_busy > 0)
            return; /* until the last put has ended */
        struct attempt_put *slot = deliver_take_slot(attempt);
        if (slot == NULL)
            return;
        uint32_t index = attempt->next++;
        if (is_put) {
            deliver_put(slot, index);
        } else {
            attempt_object_key(attempt->job, index + 1, slot->object_key);
            deliver_remove(slot);
        }
    }
    if (attempt->puts_busy > 0)
        return;
    if (attempt->failed == PL_OK && attempt->replaced)
        attempt->failed = pl_fault_set(&attempt->fault, PL_STORE_DOWN,
                                       "older results stood in the way and were removed; the job "
                                       "runs again");
    if (attempt->failed != PL_OK) {
        deliver_failed(attempt, attempt->failed == PL_CONFLICT ? PL_STORE_DOWN : attempt->failed);
        return;
    }
    attempt_set_move(attempt, PL_JOB_DONE);
    attempt_call(attempt, deliver_run_done, deliver_on_done);
}

/* -- the rows -- */

static void deliver_on_row(void *owner, const struct pl_ledger_document *row)
{
    struct job_attempt *attempt = owner;
    if (row->n > attempt->rows)
        attempt->rows = row->n;
}

static pl_status deliver_run_rows(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    pl_status status = ledger->ops->job_move(ledger->self, &attempt->move);
    for (uint32_t i = 0; i < attempt->document_count && status == PL_OK; i++)
        status = ledger->ops->document_put(ledger->self, &attempt->documents[i].row);
    /* A first try finds no rows but its own. */
    if (status == PL_OK && attempt->job->attempts > 1)
        status = ledger->ops->document_each(ledger->self, &attempt->job->id, UINT32_MAX,
                                            deliver_on_row, attempt);
    return status;
}

static void deliver_on_rows(struct pl_ledger_call *call)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(call, struct job_attempt, call);
    if (call->status != PL_OK) {
        attempt_ledger_failed(attempt, "deliver");
        return;
    }
    attempt->job->state = PL_JOB_DELIVERING;
    attempt->job->revision++;
    attempt_log_move(attempt);
    if (attempt_heeds(attempt))
        return;
    deliver_pump(attempt);
}

void attempt_deliver(struct job_attempt *attempt)
{
    struct pl_span report = attempt->move.report_sealed;
    attempt_set_move(attempt, PL_JOB_DELIVERING);
    attempt->move.report_sealed = report;
    attempt_call(attempt, deliver_run_rows, deliver_on_rows);
}
