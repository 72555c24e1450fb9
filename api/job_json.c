/* job_json: builds with jansson; bytes that are not UTF-8 are made fit to be shown.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/job_json.h"

#include "engine/base/clock.h"

#include <string.h>

#define SHOWN_CHARS 1024

static json_t *json_shown(struct pl_span text)
{
    char shown[SHOWN_CHARS];
    size_t size = pl_text_sanitize(text, shown, sizeof shown);
    return json_stringn(shown, size);
}

static json_t *json_time(int64_t wall_ms)
{
    char text[PL_CLOCK_TEXT_CHARS];
    return wall_ms == 0 ? json_null() : json_string(pl_clock_text(wall_ms, text));
}

static json_t *json_sha256(const uint8_t digest[PL_SHA256_BYTES])
{
    char hex[2 * PL_SHA256_BYTES + 1];
    return json_string(pl_text_hex(digest, PL_SHA256_BYTES, hex));
}

static json_t *json_href(const struct pl_id *job, const char *what)
{
    return json_sprintf("/v1/jobs/%s%s", job->text, what);
}

/* The code and the sentence; null when nothing failed. */
static json_t *json_error(pl_status error, struct pl_span reason)
{
    if (error == PL_OK)
        return json_null();
    struct pl_span text = reason.size > 0 ? reason : pl_span_from(pl_status_text(error));
    return json_pack("{s:s, s:o}", "code", pl_status_name(error), "reason", json_shown(text));
}

static json_t *document_json(const struct pl_id *job, const struct pl_job_document *document)
{
    const struct pl_ledger_document *row = &document->row;
    json_t *json =
        json_pack("{s:i, s:o, s:s, s:I, s:i, s:o, s:o}", "n", (int)row->n, "name",
                  json_shown(document->name), "type", row->type, "bytes", (json_int_t)row->bytes,
                  "pages", (int)row->pages, "sha256", json_sha256(row->sha256), "href",
                  json_sprintf("/v1/jobs/%s/documents/%u", job->text, (unsigned)row->n));
    if (json == NULL || document->page_ledger.size == 0)
        return json;
    json_t *pages = json_loadb(document->page_ledger.data, document->page_ledger.size, 0, NULL);
    if (pages != NULL)
        (void)json_object_set_new(json, "page_ledger", pages);
    return json;
}

/* json_array_append_new takes the reference even when it fails. */
static bool array_put(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0;
}

/* A row is written before its bytes are stored: only a job that is done has documents to show. */
static json_t *documents_json(const struct pl_job_view *job)
{
    json_t *array = json_array();
    if (job->row.state != PL_JOB_DONE)
        return array;
    for (const struct pl_job_document *at = job->documents; at != NULL; at = at->next) {
        if (!array_put(array, document_json(&job->row.id, at))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *history_json(const struct pl_job_view *job)
{
    json_t *array = json_array();
    for (const struct pl_job_event *at = job->events; at != NULL; at = at->next) {
        const struct pl_ledger_event *row = &at->row;
        json_t *error = row->error == PL_OK ? json_null() : json_string(pl_status_name(row->error));
        bool is_persons = !pl_id_is_none(&row->by);
        json_t *event = json_pack(
            "{s:s, s:o, s:i, s:o, s:o, s:o, s:o}", "state", pl_job_state_name(row->state), "at",
            json_time(row->at_ms), "attempt", (int)row->attempt, "error", error, "action",
            is_persons ? json_string(pl_job_action_name(row->action)) : json_null(), "by",
            is_persons ? json_string(row->by.text) : json_null(), "reason",
            at->note.size > 0 ? json_shown(at->note) : json_null());
        if (!array_put(array, event)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *pages_json(const struct pl_job_report *report)
{
    json_t *json = json_pack("{s:I, s:I}", "in", (json_int_t)report->pages_in, "out",
                             (json_int_t)report->pages_out);
    for (unsigned how = 0; json != NULL && how < PL_JOB_PAGES_COUNT; how++)
        (void)json_object_set_new(json, pl_job_pages_name((enum pl_job_pages)how),
                                  json_integer((json_int_t)report->by_how[how]));
    return json;
}

static json_t *holder_json(enum pl_job_holder holder)
{
    if (holder == PL_JOB_HELD_BY_NOBODY)
        return json_null();
    return json_string(holder == PL_JOB_HELD_BY_PERSON ? "person" : "engine");
}

/* What was done, of a job that is done. */
static bool job_put_report(json_t *json, const struct pl_job_view *job)
{
    const struct pl_job_report *report = &job->report;
    bool is_shown = job->has_report && job->row.state == PL_JOB_DONE;
    bool has_note = is_shown && report->note[0] != '\0';
    json_t *more = json_pack(
        "{s:I, s:o, s:I, s:o, s:b, s:o}", "bytes_in", (json_int_t)job->row.bytes, "bytes_out",
        is_shown ? json_integer((json_int_t)report->bytes_out) : json_null(), "document_count",
        (json_int_t)(is_shown ? report->documents : 0), "pages",
        is_shown ? pages_json(report) : json_null(), "repaired", is_shown && report->repaired,
        "note", has_note ? json_shown(pl_span_from(report->note)) : json_null());
    bool done = more != NULL && json_object_update(json, more) == 0;
    json_decref(more);
    return done;
}

json_t *pl_job_json(const struct pl_job_view *job)
{
    const struct pl_ledger_job *row = &job->row;
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:s, s:i, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:i, s:o, s:o, s:o}",
        "id", row->id.text, "state", pl_job_state_name(row->state), "held_by",
        holder_json(row->holder), "pipeline", row->pipeline, "pipeline_version",
        (int)row->pipeline_version, "drop", row->drop, "device", row->device.text, "device_login",
        json_shown(job->device_login), "name", json_shown(job->name), "bytes",
        (json_int_t)row->bytes, "sha256", json_sha256(row->sha256), "received_at",
        json_time(row->received_ms), "finished_at", json_time(row->finished_ms), "attempts",
        (int)row->attempts, "error", json_error(row->error, job->reason), "documents",
        documents_json(job), "original", json_href(&row->id, "/original"));
    if (json != NULL && job_put_report(json, job) &&
        (!job->has_history || json_object_set_new(json, "history", history_json(job)) == 0))
        return json;
    json_decref(json);
    return NULL;
}

json_t *pl_job_pages_json(const struct pl_job_document *document)
{
    json_t *pages = json_loadb(document->page_ledger.data, document->page_ledger.size, 0, NULL);
    return json_pack("{s:i, s:o}", "n", (int)document->row.n, "page_ledger",
                     pages != NULL ? pages : json_null());
}

json_t *pl_job_list_json(const struct pl_job_view *jobs, const struct pl_id *next)
{
    json_t *array = json_array();
    for (const struct pl_job_view *at = jobs; at != NULL; at = at->next) {
        if (!array_put(array, pl_job_json(at))) {
            json_decref(array);
            return NULL;
        }
    }
    json_t *cursor = pl_id_is_none(next) ? json_null() : json_string(next->text);
    return json_pack("{s:o, s:o}", "jobs", array, "next", cursor);
}
