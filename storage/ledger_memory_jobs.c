/* ledger_memory_jobs: jobs, their events and documents, in memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_memory_priv.h"

#include <stdlib.h>
#include <string.h>

MEMORY_KEEPER(job, MEMORY_JOBS)
MEMORY_KEEPER(document, MEMORY_DOCUMENTS)

static const struct pl_ledger_job *memory_find_job(const struct memory_ledger *ledger,
                                                   const struct pl_id *id, size_t *at)
{
    const struct memory_table *table = &ledger->tables[MEMORY_JOBS];
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_ledger_job *row = table->rows[i];
        if (pl_id_equals(&row->id, id)) {
            *at = i;
            return row;
        }
    }
    return NULL;
}

static pl_status memory_keep_event(struct memory_ledger *ledger,
                                   const struct pl_ledger_event *event)
{
    struct pl_ledger_event *row = pl_arena_take(&ledger->arena, sizeof *row);
    if (row == NULL)
        return PL_NO_MEMORY;
    *row = *event;
    row->note_sealed.data = pl_arena_text(&ledger->arena, event->note_sealed);
    if (row->note_sealed.data == NULL)
        return PL_NO_MEMORY;
    return pl_memory_put(ledger, MEMORY_EVENTS, MEMORY_END, row);
}

static pl_status memory_add_event(struct memory_ledger *ledger, const struct pl_ledger_job *job,
                                  int64_t at_ms, enum pl_job_state state)
{
    const struct pl_ledger_event event = {
        .job = job->id, .at_ms = at_ms, .state = state, .attempt = job->attempts
    };
    return memory_keep_event(ledger, &event);
}

static pl_status memory_job_add(void *self, const struct pl_ledger_job *job)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK && memory_find_job(ledger, &job->id, &at) != NULL)
        status = PL_CONFLICT;
    if (status == PL_OK && !pl_memory_has_tenant(ledger, &job->tenant))
        status = PL_NOT_FOUND;
    if (status == PL_OK)
        status = memory_keep_job(ledger, MEMORY_END, job);
    if (status == PL_OK)
        status = memory_add_event(ledger, job, job->received_ms, PL_JOB_ACCEPTED);
    if (status == PL_OK && job->state == PL_JOB_QUEUED)
        status = memory_add_event(ledger, job, job->received_ms, PL_JOB_QUEUED);
    return pl_memory_leave(ledger, status);
}

static pl_status memory_job_move(void *self, const struct pl_ledger_move *move)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_job *row = memory_find_job(ledger, &move->job, &at);
    if (row == NULL)
        return PL_NOT_FOUND;
    struct pl_ledger_job job = *row;
    status = pl_ledger_job_apply_move(&job, move);
    if (status == PL_OK)
        status = memory_keep_job(ledger, at, &job);
    if (status == PL_OK) {
        const struct pl_ledger_event event = { .job = job.id,
                                               .at_ms = move->at_ms,
                                               .state = move->to,
                                               .attempt = job.attempts,
                                               .error = move->error,
                                               .action = move->action,
                                               .by = move->by,
                                               .note_sealed = move->note_sealed };
        status = memory_keep_event(ledger, &event);
    }
    return pl_memory_leave(ledger, status);
}

static pl_status memory_job_lease(void *self, const struct pl_ledger_lease *lease, uint64_t *fence)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_job *row = memory_find_job(ledger, &lease->job, &at);
    if (row == NULL)
        return PL_NOT_FOUND;
    struct pl_ledger_job job = *row;
    status = pl_ledger_job_apply_lease(&job, lease);
    if (status == PL_OK)
        status = memory_keep_job(ledger, at, &job);
    if (status == PL_OK)
        status = memory_add_event(ledger, &job, lease->at_ms, PL_JOB_RUNNING);
    if (status == PL_OK)
        *fence = job.fence;
    return pl_memory_leave(ledger, status);
}

static pl_status memory_job_load(void *self, const struct pl_id *tenant, const struct pl_id *id,
                                 struct pl_arena *arena, struct pl_ledger_job *out)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_job *row = memory_find_job(ledger, id, &at);
    if (row == NULL || !pl_id_equals(&row->tenant, tenant))
        return PL_NOT_FOUND;
    return pl_ledger_job_copy(row, arena, out);
}

static int memory_compare_jobs(const void *left, const void *right)
{
    const struct pl_ledger_job *a = *(const void *const *)left;
    const struct pl_ledger_job *b = *(const void *const *)right;
    return strcmp(a->id.text, b->id.text);
}

/* All jobs, oldest first, in an array that the caller frees. */
static pl_status memory_sort_jobs(const struct memory_ledger *ledger, const void ***out)
{
    const struct memory_table *table = &ledger->tables[MEMORY_JOBS];
    const void **jobs = calloc(table->count + 1, sizeof *jobs);
    if (jobs == NULL)
        return PL_NO_MEMORY;
    for (size_t i = 0; i < table->count; i++)
        jobs[i] = table->rows[i];
    qsort(jobs, table->count, sizeof *jobs, memory_compare_jobs);
    *out = jobs;
    return PL_OK;
}

static pl_status memory_job_list(void *self, const struct pl_id *tenant, const struct pl_id *before,
                                 uint32_t limit, pl_ledger_job_fn *fn, void *owner)
{
    struct memory_ledger *ledger = self;
    const void **jobs = NULL;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK)
        status = memory_sort_jobs(ledger, &jobs);
    if (status != PL_OK)
        return status;
    for (size_t i = ledger->tables[MEMORY_JOBS].count; i-- > 0 && limit > 0;) {
        const struct pl_ledger_job *job = jobs[i];
        if (!pl_id_equals(&job->tenant, tenant) ||
            (!pl_id_is_none(before) && strcmp(job->id.text, before->text) >= 0))
            continue;
        fn(owner, job);
        limit--;
    }
    free((void *)jobs);
    return PL_OK;
}

static pl_status memory_job_list_state(void *self, const struct pl_id *tenant,
                                       enum pl_job_state state, const struct pl_id *after,
                                       uint32_t limit, pl_ledger_job_fn *fn, void *owner)
{
    struct memory_ledger *ledger = self;
    const void **jobs = NULL;
    PL_CHECK(state == PL_JOB_DEAD || !pl_job_state_is_end(state));
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK)
        status = memory_sort_jobs(ledger, &jobs);
    if (status != PL_OK)
        return status;
    for (size_t i = 0; i < ledger->tables[MEMORY_JOBS].count && limit > 0; i++) {
        const struct pl_ledger_job *job = jobs[i];
        if (job->state != state || !pl_id_equals(&job->tenant, tenant) ||
            strcmp(job->id.text, after->text) <= 0)
            continue;
        fn(owner, job);
        limit--;
    }
    free((void *)jobs);
    return PL_OK;
}

static pl_status memory_job_each_open(void *self, pl_ledger_job_fn *fn, void *owner)
{
    struct memory_ledger *ledger = self;
    const void **jobs = NULL;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK)
        status = memory_sort_jobs(ledger, &jobs);
    if (status != PL_OK)
        return status;
    for (size_t i = 0; i < ledger->tables[MEMORY_JOBS].count; i++) {
        const struct pl_ledger_job *job = jobs[i];
        if (!pl_job_state_is_end(job->state))
            fn(owner, job);
    }
    free((void *)jobs);
    return PL_OK;
}

static pl_status memory_job_events(void *self, const struct pl_id *job, pl_ledger_event_fn *fn,
                                   void *owner)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_EVENTS];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_event *row = table->rows[i];
        if (pl_id_equals(&row->job, job))
            fn(owner, row);
    }
    return status;
}

static pl_status memory_job_counts(void *self, uint64_t counts[PL_JOB_STATE_COUNT])
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct memory_table *table = &ledger->tables[MEMORY_JOBS];
    for (size_t state = 0; state < PL_JOB_STATE_COUNT; state++)
        counts[state] = 0;
    for (size_t i = 0; i < table->count; i++)
        counts[((const struct pl_ledger_job *)table->rows[i])->state]++;
    return PL_OK;
}

/* A document that was trimmed leaves an empty row behind. */
static const struct pl_ledger_document *memory_document_at(const struct memory_table *table,
                                                           size_t at, const struct pl_id *job)
{
    const struct pl_ledger_document *row = table->rows[at];
    return row != NULL && pl_id_equals(&row->job, job) ? row : NULL;
}

static const struct pl_ledger_document *memory_find_document(const struct memory_ledger *ledger,
                                                             const struct pl_id *job, uint32_t n,
                                                             size_t *at)
{
    const struct memory_table *table = &ledger->tables[MEMORY_DOCUMENTS];
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_ledger_document *row = memory_document_at(table, i, job);
        if (row != NULL && row->n == n) {
            *at = i;
            return row;
        }
    }
    return NULL;
}

static pl_status memory_document_put(void *self, const struct pl_ledger_document *document)
{
    struct memory_ledger *ledger = self;
    size_t at = MEMORY_END;
    size_t job_at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status == PL_OK && memory_find_job(ledger, &document->job, &job_at) == NULL)
        status = PL_NOT_FOUND;
    if (status == PL_OK) {
        (void)memory_find_document(ledger, &document->job, document->n, &at);
        status = memory_keep_document(ledger, at, document);
    }
    return pl_memory_leave(ledger, status);
}

static pl_status memory_document_load(void *self, const struct pl_id *job, uint32_t n,
                                      struct pl_arena *arena, struct pl_ledger_document *out)
{
    struct memory_ledger *ledger = self;
    size_t at = 0;
    pl_status status = pl_memory_enter(ledger);
    if (status != PL_OK)
        return status;
    const struct pl_ledger_document *row = memory_find_document(ledger, job, n, &at);
    return row == NULL ? PL_NOT_FOUND : pl_ledger_document_copy(row, arena, out);
}

static pl_status memory_document_each(void *self, const struct pl_id *job, uint32_t limit,
                                      pl_ledger_document_fn *fn, void *owner)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_DOCUMENTS];
    uint32_t last = 0; /* numbers are 1-based: the smallest above the last one is next */
    for (; status == PL_OK && limit > 0; limit--) {
        const struct pl_ledger_document *next = NULL;
        for (size_t i = 0; i < table->count; i++) {
            const struct pl_ledger_document *row = memory_document_at(table, i, job);
            if (row != NULL && row->n > last && (next == NULL || row->n < next->n))
                next = row;
        }
        if (next == NULL)
            break;
        last = next->n;
        fn(owner, next);
    }
    return status;
}

static pl_status memory_document_trim(void *self, const struct pl_id *job, uint32_t n)
{
    struct memory_ledger *ledger = self;
    pl_status status = pl_memory_enter(ledger);
    const struct memory_table *table = &ledger->tables[MEMORY_DOCUMENTS];
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_ledger_document *row = memory_document_at(table, i, job);
        if (row != NULL && row->n > n)
            status = pl_memory_put(ledger, MEMORY_DOCUMENTS, i, NULL);
    }
    return pl_memory_leave(ledger, status);
}

void pl_memory_job_ops(struct pl_ledger_ops *ops)
{
    ops->job_add = memory_job_add;
    ops->job_move = memory_job_move;
    ops->job_lease = memory_job_lease;
    ops->job_load = memory_job_load;
    ops->job_list = memory_job_list;
    ops->job_list_state = memory_job_list_state;
    ops->job_each_open = memory_job_each_open;
    ops->job_events = memory_job_events;
    ops->job_counts = memory_job_counts;
    ops->document_put = memory_document_put;
    ops->document_load = memory_document_load;
    ops->document_each = memory_document_each;
    ops->document_trim = memory_document_trim;
}
