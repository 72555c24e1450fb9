/* ledger_sqlite_jobs: jobs, their events and documents.
 *
 * A call of several statements runs them inside a savepoint, so that it happens whole or not at
 * all, also when the disk fails between two of them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_sqlite_priv.h"

/* Sorts behind every id. */
#define JOBS_NEWEST "~"
/* A job row with its boxes is far smaller. */
#define JOBS_ROW_BYTES ((size_t)1 << 20)

static pl_status jobs_step_end(struct pl_ledger_sqlite *ledger, pl_status status)
{
    if (status == PL_OK) {
        status = pl_sql_run(ledger, PL_SQL_STEP_RELEASE);
        if (status == PL_OK)
            return PL_OK;
    }
    /* When SQLite gave the unit up there is no savepoint left to go back to. */
    if (!sqlite3_get_autocommit(ledger->db)) {
        pl_status undone = pl_sql_run(ledger, PL_SQL_STEP_UNDO);
        if (undone == PL_OK)
            undone = pl_sql_run(ledger, PL_SQL_STEP_RELEASE);
        if (undone != PL_OK && ledger->unit == PL_OK)
            ledger->unit = undone;
    }
    return status;
}

static pl_status jobs_write_event(struct pl_ledger_sqlite *ledger,
                                  const struct pl_ledger_event *event)
{
    struct pl_sql query = pl_sql_start(ledger, PL_SQL_EVENT_ADD);
    pl_sql_bind_text(&query, event->job.text);
    pl_sql_bind_number(&query, event->at_ms);
    pl_sql_bind_text(&query, pl_job_state_name(event->state));
    pl_sql_bind_number(&query, event->attempt);
    pl_sql_bind_text(&query, pl_status_name(event->error));
    pl_sql_bind_text(&query, pl_job_action_name(event->action));
    pl_sql_bind_text(&query, event->by.text);
    pl_sql_bind_span(&query, event->note_sealed);
    return pl_sql_finish(&query);
}

static pl_status jobs_add_event(struct pl_ledger_sqlite *ledger, const struct pl_ledger_job *job,
                                int64_t at_ms, enum pl_job_state state)
{
    const struct pl_ledger_event event = {
        .job = job->id, .at_ms = at_ms, .state = state, .attempt = job->attempts
    };
    return jobs_write_event(ledger, &event);
}

static pl_status jobs_insert(struct pl_ledger_sqlite *ledger, const struct pl_ledger_job *job)
{
    struct pl_sql query = pl_sql_start(ledger, PL_SQL_JOB_ADD);
    pl_sql_bind_text(&query, job->id.text);
    pl_sql_bind_text(&query, job->tenant.text);
    pl_sql_bind_text(&query, job->device.text);
    pl_sql_bind_text(&query, job->drop);
    pl_sql_bind_text(&query, job->pipeline);
    pl_sql_bind_number(&query, job->pipeline_version);
    pl_sql_bind_text(&query, pl_job_state_name(job->state));
    pl_sql_bind_number(&query, job->attempts);
    pl_sql_bind_number(&query, (int64_t)job->fence);
    pl_sql_bind_number(&query, job->lease_until_ms);
    pl_sql_bind_number(&query, job->received_ms);
    pl_sql_bind_number(&query, job->finished_ms);
    pl_sql_bind_number(&query, (int64_t)job->bytes);
    pl_sql_bind_span(&query, (struct pl_span){ (const char *)job->sha256, sizeof job->sha256 });
    pl_sql_bind_span(&query, job->name_sealed);
    pl_sql_bind_span(&query, job->original_key_wrapped);
    pl_sql_bind_span(&query, job->result_key_wrapped);
    pl_sql_bind_text(&query, pl_status_name(job->error));
    pl_sql_bind_span(&query, job->reason_sealed);
    pl_sql_bind_span(&query, job->report_sealed);
    pl_sql_bind_number(&query, job->holder);
    pl_sql_bind_number(&query, (int64_t)job->revision);
    return pl_sql_finish(&query);
}

static pl_status jobs_add(void *self, const struct pl_ledger_job *job)
{
    struct pl_ledger_sqlite *ledger = self;
    PL_CHECK(job->bytes <= INT64_MAX && job->fence <= INT64_MAX);
    pl_status status = pl_sql_run(ledger, PL_SQL_STEP);
    if (status != PL_OK)
        return status;
    status = jobs_insert(ledger, job);
    if (status == PL_OK)
        status = jobs_add_event(ledger, job, job->received_ms, PL_JOB_ACCEPTED);
    if (status == PL_OK && job->state == PL_JOB_QUEUED)
        status = jobs_add_event(ledger, job, job->received_ms, PL_JOB_QUEUED);
    status = jobs_step_end(ledger, status);
    if (status == PL_OK)
        ledger->counts.jobs[job->state]++;
    return status;
}

/* The row that a query stands on; borrowed. */
static void jobs_take_row(struct pl_sql *query, struct pl_ledger_job *row)
{
    *row = (struct pl_ledger_job){ 0 };
    pl_sql_take_id(query, &row->id);
    pl_sql_take_id(query, &row->tenant);
    pl_sql_take_id(query, &row->device);
    row->drop = pl_sql_take_text(query);
    row->pipeline = pl_sql_take_text(query);
    row->pipeline_version = (uint32_t)pl_sql_take_number(query, UINT32_MAX);
    row->state = pl_sql_take_state(query);
    row->attempts = (uint32_t)pl_sql_take_number(query, UINT32_MAX);
    row->fence = (uint64_t)pl_sql_take_number(query, INT64_MAX);
    row->lease_until_ms = pl_sql_take_number(query, INT64_MAX);
    row->received_ms = pl_sql_take_number(query, INT64_MAX);
    row->finished_ms = pl_sql_take_number(query, INT64_MAX);
    row->bytes = (uint64_t)pl_sql_take_number(query, INT64_MAX);
    pl_sql_take_bytes(query, row->sha256, sizeof row->sha256);
    row->name_sealed = pl_sql_take_span(query);
    row->original_key_wrapped = pl_sql_take_span(query);
    row->result_key_wrapped = pl_sql_take_span(query);
    row->error = pl_sql_take_status(query);
    row->reason_sealed = pl_sql_take_span(query);
    row->report_sealed = pl_sql_take_span(query);
    row->holder = (enum pl_job_holder)pl_sql_take_number(query, PL_JOB_HOLDER_COUNT - 1);
    row->revision = (uint64_t)pl_sql_take_number(query, INT64_MAX);
}

static pl_status jobs_write(struct pl_ledger_sqlite *ledger, const struct pl_ledger_job *job)
{
    struct pl_sql query = pl_sql_start(ledger, PL_SQL_JOB_WRITE);
    pl_sql_bind_text(&query, pl_job_state_name(job->state));
    pl_sql_bind_number(&query, job->attempts);
    pl_sql_bind_number(&query, (int64_t)job->fence);
    pl_sql_bind_number(&query, job->lease_until_ms);
    pl_sql_bind_number(&query, job->finished_ms);
    pl_sql_bind_text(&query, pl_status_name(job->error));
    pl_sql_bind_span(&query, job->reason_sealed);
    pl_sql_bind_span(&query, job->report_sealed);
    pl_sql_bind_number(&query, job->holder);
    pl_sql_bind_number(&query, (int64_t)job->revision);
    pl_sql_bind_text(&query, job->id.text);
    return pl_sql_finish(&query);
}

/* Either a move or a lease. */
struct jobs_change {
    const struct pl_id *job;
    const struct pl_ledger_move *move;
    const struct pl_ledger_lease *lease;
    struct pl_ledger_event event; /* but for the attempt */
};

/* Copies the one row that the query has, or answers NOT_FOUND, and ends the query. */
static pl_status jobs_end_with_row(struct pl_sql *query, struct pl_arena *arena,
                                   struct pl_ledger_job *out)
{
    if (pl_sql_step(query)) {
        struct pl_ledger_job row;
        jobs_take_row(query, &row);
        if (query->status == PL_OK)
            query->status = pl_ledger_job_copy(&row, arena, out);
    } else if (query->status == PL_OK) {
        query->status = PL_NOT_FOUND;
    }
    return pl_sql_end(query);
}

/* The job as it stands, copied: an update must not pull a borrowed row from under itself. */
static pl_status jobs_take(struct pl_ledger_sqlite *ledger, const struct pl_id *id,
                           struct pl_arena *arena, struct pl_ledger_job *out)
{
    struct pl_sql query = pl_sql_start(ledger, PL_SQL_JOB_BY_ID);
    pl_sql_bind_text(&query, id->text);
    return jobs_end_with_row(&query, arena, out);
}

/* Inside a step: the row and its event. */
static pl_status jobs_apply(struct pl_ledger_sqlite *ledger, const struct jobs_change *change,
                            struct pl_ledger_job *job)
{
    pl_status status = change->move != NULL ? pl_ledger_job_apply_move(job, change->move)
                                            : pl_ledger_job_apply_lease(job, change->lease);
    if (status == PL_OK)
        status = jobs_write(ledger, job);
    struct pl_ledger_event event = change->event;
    event.attempt = job->attempts;
    if (status == PL_OK)
        status = jobs_write_event(ledger, &event);
    return status;
}

static pl_status jobs_change(struct pl_ledger_sqlite *ledger, const struct jobs_change *change,
                             uint64_t *fence)
{
    struct pl_ledger_job job = { 0 };
    struct pl_arena arena;
    pl_arena_init(&arena, JOBS_ROW_BYTES);
    enum pl_job_state from = PL_JOB_ACCEPTED;
    pl_status status = pl_sql_run(ledger, PL_SQL_STEP);
    if (status != PL_OK)
        goto done;
    status = jobs_take(ledger, change->job, &arena, &job);
    if (status == PL_OK) {
        from = job.state;
        status = jobs_apply(ledger, change, &job);
    }
    status = jobs_step_end(ledger, status);
    if (status != PL_OK)
        goto done;
    PL_CHECK(ledger->counts.jobs[from] > 0);
    ledger->counts.jobs[from]--;
    ledger->counts.jobs[change->event.state]++;
    *fence = job.fence;
done:
    pl_arena_fini(&arena);
    return status;
}

static pl_status jobs_move(void *self, const struct pl_ledger_move *move)
{
    const struct jobs_change change = {
        .job = &move->job,
        .move = move,
        .event = { .job = move->job,
                   .at_ms = move->at_ms,
                   .state = move->to,
                   .error = move->error,
                   .action = move->action,
                   .by = move->by,
                   .note_sealed = move->note_sealed },
    };
    uint64_t fence = 0;
    return jobs_change(self, &change, &fence);
}

static pl_status jobs_lease(void *self, const struct pl_ledger_lease *lease, uint64_t *fence)
{
    const struct jobs_change change = {
        .job = &lease->job,
        .lease = lease,
        .event = { .job = lease->job, .at_ms = lease->at_ms, .state = PL_JOB_RUNNING },
    };
    return jobs_change(self, &change, fence);
}

static pl_status jobs_load(void *self, const struct pl_id *tenant, const struct pl_id *id,
                           struct pl_arena *arena, struct pl_ledger_job *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_JOB_LOAD);
    pl_sql_bind_text(&query, id->text);
    pl_sql_bind_text(&query, tenant->text);
    return jobs_end_with_row(&query, arena, out);
}

static pl_status jobs_each(struct pl_sql *query, pl_ledger_job_fn *fn, void *owner)
{
    while (pl_sql_step(query)) {
        struct pl_ledger_job row;
        jobs_take_row(query, &row);
        if (query->status == PL_OK)
            fn(owner, &row);
    }
    return pl_sql_end(query);
}

static pl_status jobs_list(void *self, const struct pl_id *tenant, const struct pl_id *before,
                           uint32_t limit, pl_ledger_job_fn *fn, void *owner)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_JOB_LIST);
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_text(&query, pl_id_is_none(before) ? JOBS_NEWEST : before->text);
    pl_sql_bind_number(&query, limit);
    return jobs_each(&query, fn, owner);
}

static pl_status jobs_list_state(void *self, const struct pl_id *tenant, enum pl_job_state state,
                                 const struct pl_id *after, uint32_t limit, pl_ledger_job_fn *fn,
                                 void *owner)
{
    PL_CHECK(state == PL_JOB_DEAD || !pl_job_state_is_end(state));
    struct pl_sql query = pl_sql_start(self, PL_SQL_JOB_LIST_STATE);
    pl_sql_bind_text(&query, tenant->text);
    pl_sql_bind_text(&query, pl_job_state_name(state));
    pl_sql_bind_text(&query, after->text);
    pl_sql_bind_number(&query, limit);
    return jobs_each(&query, fn, owner);
}

static pl_status jobs_each_open(void *self, pl_ledger_job_fn *fn, void *owner)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_JOB_EACH_OPEN);
    return jobs_each(&query, fn, owner);
}

static pl_status jobs_events(void *self, const struct pl_id *job, pl_ledger_event_fn *fn,
                             void *owner)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_EVENT_EACH);
    pl_sql_bind_text(&query, job->text);
    while (pl_sql_step(&query)) {
        struct pl_ledger_event row = { 0 };
        pl_sql_take_id(&query, &row.job);
        row.at_ms = pl_sql_take_number(&query, INT64_MAX);
        row.state = pl_sql_take_state(&query);
        row.attempt = (uint32_t)pl_sql_take_number(&query, UINT32_MAX);
        row.error = pl_sql_take_status(&query);
        row.action = pl_sql_take_action(&query);
        pl_sql_take_id(&query, &row.by);
        row.note_sealed = pl_sql_take_span(&query);
        if (query.status == PL_OK)
            fn(owner, &row);
    }
    return pl_sql_end(&query);
}

static pl_status jobs_counts(void *self, uint64_t counts[PL_JOB_STATE_COUNT])
{
    const struct pl_ledger_sqlite *ledger = self;
    for (size_t state = 0; state < PL_JOB_STATE_COUNT; state++)
        counts[state] = ledger->counts.jobs[state];
    return PL_OK;
}

pl_status pl_sql_count_jobs(struct pl_ledger_sqlite *ledger)
{
    struct pl_sql query = pl_sql_start(ledger, PL_SQL_JOB_COUNT);
    ledger->counts = (struct pl_sql_counts){ 0 };
    while (pl_sql_step(&query)) {
        enum pl_job_state state = pl_sql_take_state(&query);
        ledger->counts.jobs[state] = (uint64_t)pl_sql_take_number(&query, INT64_MAX);
    }
    return pl_sql_end(&query);
}

static pl_status jobs_document_put(void *self, const struct pl_ledger_document *document)
{
    PL_CHECK(document->bytes <= INT64_MAX && document->n > 0);
    struct pl_sql query = pl_sql_start(self, PL_SQL_DOCUMENT_PUT);
    pl_sql_bind_text(&query, document->job.text);
    pl_sql_bind_number(&query, document->n);
    pl_sql_bind_span(&query, document->name_sealed);
    pl_sql_bind_text(&query, document->type);
    pl_sql_bind_number(&query, (int64_t)document->bytes);
    pl_sql_bind_number(&query, document->pages);
    pl_sql_bind_span(&query,
                     (struct pl_span){ (const char *)document->sha256, sizeof document->sha256 });
    pl_sql_bind_text(&query, document->object_key);
    pl_sql_bind_span(&query, document->page_ledger_sealed);
    return pl_sql_finish(&query);
}

static void jobs_take_document(struct pl_sql *query, struct pl_ledger_document *row)
{
    *row = (struct pl_ledger_document){ 0 };
    pl_sql_take_id(query, &row->job);
    row->n = (uint32_t)pl_sql_take_number(query, UINT32_MAX);
    row->name_sealed = pl_sql_take_span(query);
    row->type = pl_sql_take_text(query);
    row->bytes = (uint64_t)pl_sql_take_number(query, INT64_MAX);
    row->pages = (uint32_t)pl_sql_take_number(query, UINT32_MAX);
    pl_sql_take_bytes(query, row->sha256, sizeof row->sha256);
    row->object_key = pl_sql_take_text(query);
    row->page_ledger_sealed = pl_sql_take_span(query);
}

static pl_status jobs_document_load(void *self, const struct pl_id *job, uint32_t n,
                                    struct pl_arena *arena, struct pl_ledger_document *out)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DOCUMENT_LOAD);
    pl_sql_bind_text(&query, job->text);
    pl_sql_bind_number(&query, n);
    if (pl_sql_step(&query)) {
        struct pl_ledger_document row;
        jobs_take_document(&query, &row);
        if (query.status == PL_OK)
            query.status = pl_ledger_document_copy(&row, arena, out);
    } else if (query.status == PL_OK) {
        query.status = PL_NOT_FOUND;
    }
    return pl_sql_end(&query);
}

static pl_status jobs_document_each(void *self, const struct pl_id *job, uint32_t limit,
                                    pl_ledger_document_fn *fn, void *owner)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DOCUMENT_EACH);
    pl_sql_bind_text(&query, job->text);
    pl_sql_bind_number(&query, limit);
    while (pl_sql_step(&query)) {
        struct pl_ledger_document row;
        jobs_take_document(&query, &row);
        if (query.status == PL_OK)
            fn(owner, &row);
    }
    return pl_sql_end(&query);
}

static pl_status jobs_document_trim(void *self, const struct pl_id *job, uint32_t n)
{
    struct pl_sql query = pl_sql_start(self, PL_SQL_DOCUMENT_TRIM);
    pl_sql_bind_text(&query, job->text);
    pl_sql_bind_number(&query, n);
    return pl_sql_finish(&query);
}

void pl_sql_job_ops(struct pl_ledger_ops *ops)
{
    ops->job_add = jobs_add;
    ops->job_move = jobs_move;
    ops->job_lease = jobs_lease;
    ops->job_load = jobs_load;
    ops->job_list = jobs_list;
    ops->job_list_state = jobs_list_state;
    ops->job_each_open = jobs_each_open;
    ops->job_events = jobs_events;
    ops->job_counts = jobs_counts;
    ops->document_put = jobs_document_put;
    ops->document_load = jobs_document_load;
    ops->document_each = jobs_document_each;
    ops->document_trim = jobs_document_trim;
}
