/* jobs: rows are gathered on the ledger's thread and opened and written on the loop's.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/jobs.h"

#include "api/job_json.h"
#include "api/page_query.h"

#include <string.h>

/* What one request gathers; lives in the ask's arena. */
struct gather {
    struct pl_ask *ask;
    struct pl_page_query page;
    struct pl_job_view *jobs;
    struct pl_job_view **tail;
    struct pl_job_view *job; /* whose documents and events are being read */
    struct pl_job_document **document_tail;
    struct pl_job_event **event_tail;
    uint32_t count;
    bool has_more;
    pl_status status; /* of what callbacks did */
};

static void gather_on_document(void *owner, const struct pl_ledger_document *row)
{
    struct gather *gather = owner;
    struct pl_arena *arena = &gather->ask->arena;
    struct pl_job_document *document = pl_arena_take(arena, sizeof *document);
    if (gather->status != PL_OK)
        return;
    gather->status = PL_NO_MEMORY;
    if (document == NULL)
        return;
    /* A list does not show page ledgers; they may be long. */
    struct pl_ledger_document shown = *row;
    if (!gather->job->has_history)
        shown.page_ledger_sealed = (struct pl_span){ "", 0 };
    if (pl_ledger_document_copy(&shown, arena, &document->row) != PL_OK)
        return;
    *gather->document_tail = document;
    gather->document_tail = &document->next;
    gather->status = PL_OK;
}

static void gather_on_event(void *owner, const struct pl_ledger_event *row)
{
    struct gather *gather = owner;
    struct pl_job_event *event = pl_arena_take(&gather->ask->arena, sizeof *event);
    if (event == NULL)
        gather->status = PL_NO_MEMORY;
    if (gather->status != PL_OK || event == NULL)
        return;
    event->row = *row;
    event->row.note_sealed.data = pl_arena_text(&gather->ask->arena, row->note_sealed);
    if (event->row.note_sealed.data == NULL)
        gather->status = PL_NO_MEMORY;
    *gather->event_tail = event;
    gather->event_tail = &event->next;
}

/* The device's sealed login; a device that is no more leaves it empty. */
static pl_status gather_device(struct gather *gather, const struct pl_ledger *ledger,
                               struct pl_job_view *job, const struct pl_job_view *known)
{
    struct pl_ledger_device device = { 0 };
    for (const struct pl_job_view *at = known; at != NULL && at != job; at = at->next) {
        if (pl_id_equals(&at->row.device, &job->row.device)) {
            job->device_sealed = at->device_sealed;
            return PL_OK;
        }
    }
    pl_status status = ledger->ops->device_load(ledger->self, &gather->ask->tenant,
                                                &job->row.device, &gather->ask->arena, &device);
    if (status == PL_OK)
        job->device_sealed = device.secret_sealed;
    return status == PL_NOT_FOUND ? PL_OK : status;
}

/* What hangs on a job. */
static pl_status gather_parts(struct gather *gather, const struct pl_ledger *ledger,
                              struct pl_job_view *job)
{
    gather->job = job;
    gather->document_tail = &job->documents;
    gather->event_tail = &job->events;
    pl_status status = gather_device(gather, ledger, job, gather->jobs);
    if (status == PL_OK)
        status = ledger->ops->document_each(ledger->self, &job->row.id,
                                            job->has_history ? UINT32_MAX : PL_JOB_LIST_DOCUMENTS,
                                            gather_on_document, gather);
    if (status == PL_OK && job->has_history)
        status = ledger->ops->job_events(ledger->self, &job->row.id, gather_on_event, gather);
    return status == PL_OK ? gather->status : status;
}

static void gather_on_job(void *owner, const struct pl_ledger_job *row)
{
    struct gather *gather = owner;
    if (gather->status != PL_OK)
        return;
    if (gather->count == gather->page.limit) {
        gather->has_more = true;
        return;
    }
    struct pl_job_view *job = pl_arena_take(&gather->ask->arena, sizeof *job);
    if (job == NULL) {
        gather->status = PL_NO_MEMORY;
        return;
    }
    gather->status = pl_ledger_job_copy(row, &gather->ask->arena, &job->row);
    *gather->tail = job;
    gather->tail = &job->next;
    gather->count++;
}

static pl_status list_read(struct pl_ask *ask, const struct pl_ledger *ledger)
{
    struct gather *gather = ask->room;
    /* One more than asked for tells whether there is a next page. */
    pl_status status = ledger->ops->job_list(ledger->self, &ask->tenant, &gather->page.before,
                                             gather->page.limit + 1, gather_on_job, gather);
    if (status == PL_OK)
        status = gather->status;
    for (struct pl_job_view *job = gather->jobs; job != NULL && status == PL_OK; job = job->next)
        status = gather_parts(gather, ledger, job);
    return status;
}

static pl_status show_read(struct pl_ask *ask, const struct pl_ledger *ledger)
{
    struct gather *gather = ask->room;
    struct pl_job_view *job = pl_arena_take(&ask->arena, sizeof *job);
    if (job == NULL)
        return PL_NO_MEMORY;
    pl_status status =
        ledger->ops->job_load(ledger->self, &ask->tenant, &ask->job, &ask->arena, &job->row);
    if (status != PL_OK)
        return status;
    job->has_history = true;
    gather->jobs = job;
    return gather_parts(gather, ledger, job);
}

pl_status pl_jobs_open_field(struct pl_ask *ask, const char *field, struct pl_span sealed,
                             struct pl_span *out)
{
    const struct pl_keyring *keyring = &pl_core_parts(ask->api->core)->keyring;
    *out = (struct pl_span){ "", 0 };
    if (sealed.size == 0)
        return PL_OK;
    if (sealed.size < PL_SEALED_FIELD_OVERHEAD)
        return PL_TAMPERED;
    size_t size = sealed.size - PL_SEALED_FIELD_OVERHEAD;
    uint8_t *plain = pl_arena_take(&ask->arena, size + 1);
    if (plain == NULL)
        return PL_NO_MEMORY;
    pl_status status = keyring->ops->field_open(keyring->self, &ask->tenant, field, sealed, plain);
    if (status == PL_OK)
        *out = (struct pl_span){ (const char *)plain, size };
    return status;
}

static pl_status document_open(struct pl_ask *ask, struct pl_job_document *document)
{
    char field[PL_FIELD_CHARS];
    const struct pl_ledger_document *row = &document->row;
    pl_status status =
        pl_jobs_open_field(ask, pl_field_name("document.name", &row->job, row->n, field),
                           row->name_sealed, &document->name);
    if (status == PL_OK)
        status = pl_jobs_open_field(ask, pl_field_name("document.pages", &row->job, row->n, field),
                                    row->page_ledger_sealed, &document->page_ledger);
    return status;
}

/* A job that made nothing, or did before there were reports, has none. */
static pl_status job_open_report(struct pl_ask *ask, struct pl_job_view *job)
{
    char field[PL_FIELD_CHARS];
    const struct pl_ledger_job *row = &job->row;
    struct pl_span report = { "", 0 };
    pl_status status = pl_jobs_open_field(ask, pl_field_name("job.report", &row->id, 0, field),
                                          row->report_sealed, &report);
    if (status == PL_OK && report.size > 0)
        job->has_report = pl_job_report_read(report, &job->report);
    return status;
}

static pl_status job_open(struct pl_ask *ask, struct pl_job_view *job)
{
    char field[PL_FIELD_CHARS];
    const struct pl_ledger_job *row = &job->row;
    struct pl_span secret = { "", 0 };
    pl_status status = pl_jobs_open_field(ask, pl_field_name("job.name", &row->id, 0, field),
                                          row->name_sealed, &job->name);
    if (status == PL_OK)
        status = pl_jobs_open_field(ask, pl_field_name("job.reason", &row->id, 0, field),
                                    row->reason_sealed, &job->reason);
    if (status == PL_OK)
        status = job_open_report(ask, job);
    if (status == PL_OK)
        status = pl_jobs_open_field(ask, pl_field_name("device.secret", &row->device, 0, field),
                                    job->device_sealed, &secret);
    /* The secret is the login, a NUL, and the password's hash, which nobody sees. */
    job->device_login = (struct pl_span){ secret.data, strnlen(secret.data, secret.size) };
    for (struct pl_job_document *at = job->documents; at != NULL && status == PL_OK; at = at->next)
        status = document_open(ask, at);
    for (struct pl_job_event *at = job->events; at != NULL && status == PL_OK; at = at->next)
        status = pl_jobs_open_field(ask, pl_field_name("event.note", &row->id, 0, field),
                                    at->row.note_sealed, &at->note);
    return status;
}

static void jobs_fail(struct pl_ask *ask, pl_status status)
{
    if (status == PL_NOT_FOUND) {
        pl_ask_refuse_not_found(ask);
        return;
    }
    PL_LOG(pl_core_parts(ask->api->core)->log, PL_LOG_ERROR, "api.failed",
           PL_F("tenant", ask->tenant.text), PL_F("job", ask->job.text),
           PL_F("error", pl_status_name(status)));
    pl_ask_refuse(ask, status, NULL);
}

static void list_then(struct pl_ask *ask, pl_status status)
{
    struct gather *gather = ask->room;
    struct pl_id next = { "" };
    for (struct pl_job_view *job = gather->jobs; job != NULL && status == PL_OK; job = job->next) {
        status = job_open(ask, job);
        if (gather->has_more)
            next = job->row.id;
    }
    if (status == PL_OK)
        pl_ask_reply_json(ask, 200, pl_job_list_json(gather->jobs, &next));
    else
        jobs_fail(ask, status);
}

static void show_then(struct pl_ask *ask, pl_status status)
{
    struct gather *gather = ask->room;
    if (status == PL_OK)
        status = job_open(ask, gather->jobs);
    if (status != PL_OK) {
        jobs_fail(ask, status);
        return;
    }
    char tag[40];
    PL_CHECK(pl_text_format(tag, sizeof tag, "\"r%llu\"",
                            (unsigned long long)gather->jobs->row.revision));
    pl_ask_reply_json_with(ask, 200, pl_job_json(gather->jobs), "ETag", tag);
}

static struct gather *gather_new(struct pl_ask *ask)
{
    struct gather *gather = pl_arena_take(&ask->arena, sizeof *gather);
    if (gather == NULL) {
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
        return NULL;
    }
    gather->ask = ask;
    gather->tail = &gather->jobs;
    ask->room = gather;
    return gather;
}

void pl_jobs_list(struct pl_ask *ask)
{
    struct gather *gather = gather_new(ask);
    struct pl_fault fault = { 0 };
    if (gather == NULL)
        return;
    if (pl_page_query_parse(pl_http_query(ask->request), &gather->page, &fault) != PL_OK)
        pl_ask_refuse(ask, PL_BAD_REQUEST, fault.reason);
    else
        pl_ask_read(ask, list_read, list_then);
}

void pl_jobs_show(struct pl_ask *ask)
{
    if (gather_new(ask) != NULL)
        pl_ask_read(ask, show_read, show_then);
}

static pl_status pages_read(struct pl_ask *ask, const struct pl_ledger *ledger)
{
    struct pl_job_document *document = ask->room;
    struct pl_ledger_job job = { .state = PL_JOB_ACCEPTED };
    pl_status status =
        ledger->ops->job_load(ledger->self, &ask->tenant, &ask->job, &ask->arena, &job);
    if (status == PL_OK && job.state != PL_JOB_DONE)
        return PL_NOT_FOUND;
    return status != PL_OK ? status
                           : ledger->ops->document_load(ledger->self, &ask->job, ask->n,
                                                        &ask->arena, &document->row);
}

static void pages_then(struct pl_ask *ask, pl_status status)
{
    struct pl_job_document *document = ask->room;
    if (status == PL_OK)
        status = document_open(ask, document);
    if (status == PL_OK)
        pl_ask_reply_json(ask, 200, pl_job_pages_json(document));
    else
        jobs_fail(ask, status);
}

void pl_jobs_show_pages(struct pl_ask *ask)
{
    ask->room = pl_arena_take(&ask->arena, sizeof(struct pl_job_document));
    if (ask->room == NULL)
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
    else
        pl_ask_read(ask, pages_read, pages_then);
}
