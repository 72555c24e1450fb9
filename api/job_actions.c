/* job_actions: reads what is asked, hands it to the engine one job at a time, tells what came of
 * it.
 *
 * Many jobs are asked a few at once, so that they share commits of the ledger. A peer that goes
 * away stops what has not begun.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/job_actions.h"

#include "api/jobs.h"
#include "engine/core/act.h"

#include <string.h>

#define MANY_AT_ONCE 32u
/* Rows that one request looks at, on the ledger's thread. */
#define MANY_SCANNED 5000u

/* -- one -- */

struct one {
    struct pl_ask *ask;
    struct pl_job_act act;
};

static void one_refuse(struct pl_ask *ask, const struct pl_job_act *act)
{
    const char *reason = act->fault.status != PL_OK ? act->fault.reason : NULL;
    char tag[40];
    if (act->status == PL_NOT_FOUND) {
        pl_ask_refuse_not_found(ask);
    } else if (act->is_stale) {
        PL_CHECK(pl_text_format(tag, sizeof tag, "\"r%llu\"", (unsigned long long)act->revision));
        pl_ask_refuse_with(ask, 412, PL_CONFLICT, reason, "ETag", tag);
    } else {
        pl_ask_refuse(ask, act->status,
                      act->status == PL_BUSY ? "the job is between two states" : reason);
    }
}

static void one_on_done(struct pl_job_act *act)
{
    struct one *one = PL_CONTAINER_OF(act, struct one, act);
    struct pl_ask *ask = one->ask;
    if (!pl_ask_release(ask))
        return;
    if (act->status == PL_OK)
        pl_jobs_show(ask);
    else
        one_refuse(ask, act);
}

static void one_on_body(struct pl_ask *ask)
{
    struct pl_fault fault = { 0 };
    struct one *one = pl_arena_take(&ask->arena, sizeof *one);
    if (one == NULL) {
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
        return;
    }
    const char *why = "";
    one->ask = ask;
    one->act = (struct pl_job_act){ .tenant = ask->tenant,
                                    .job = ask->job,
                                    .by = ask->token,
                                    .action = (enum pl_job_action)ask->n,
                                    .done = one_on_done };
    pl_status status = pl_job_action_parse_body(ask->body, &ask->arena, &why, &fault);
    if (status == PL_OK)
        status = pl_job_match_parse(pl_http_header(ask->request, "If-Match"),
                                    &one->act.has_revision, &one->act.revision, &fault);
    if (status != PL_OK) {
        pl_ask_refuse(ask, status, fault.status != PL_OK ? fault.reason : NULL);
        return;
    }
    one->act.why = pl_span_from(why);
    pl_ask_hold(ask);
    pl_core_act(ask->api->core, &one->act);
}

void pl_job_actions_one(struct pl_ask *ask)
{
    pl_ask_take_body(ask, PL_JOB_ACTIONS_BODY, one_on_body);
}

/* -- many -- */

/* What became of a job that was asked in vain. */
struct many_refused {
    const struct pl_id *job;
    pl_status status;
    const char *reason;
};

struct many;

struct many_slot {
    struct many *many;
    struct pl_job_act act;
    const struct pl_id *job;
};

struct many {
    struct pl_ask *ask;
    struct pl_job_actions asked;
    struct pl_id *jobs;
    uint32_t count;
    uint32_t scanned;
    struct pl_id last; /* row that was looked at */
    bool has_more;
    uint32_t next; /* index of the job to ask next */
    uint32_t busy;
    uint32_t changed;
    struct many_refused *refused;
    uint32_t refused_count;
    bool lacks_memory;
    struct many_slot slots[MANY_AT_ONCE];
};

static void many_on_job(void *owner, const struct pl_ledger_job *row)
{
    struct many *many = owner;
    const struct pl_job_actions *asked = &many->asked;
    bool is_meant = (asked->pipeline == NULL || strcmp(asked->pipeline, row->pipeline) == 0) &&
                    (!asked->has_error || asked->error == row->error);
    if (many->has_more)
        return;
    many->scanned++;
    if (is_meant && many->count == asked->limit) {
        many->has_more = true;
        return;
    }
    many->last = row->id;
    if (is_meant)
        many->jobs[many->count++] = row->id;
}

static pl_status many_read(struct pl_ask *ask, const struct pl_ledger *ledger)
{
    struct many *many = ask->room;
    const struct pl_job_actions *asked = &many->asked;
    pl_status status = ledger->ops->job_list_state(ledger->self, &ask->tenant, asked->state,
                                                   &asked->after, MANY_SCANNED, many_on_job, many);
    many->has_more = many->has_more || many->scanned == MANY_SCANNED;
    return status;
}

static json_t *many_json(const struct many *many)
{
    json_t *refused = json_array();
    for (uint32_t i = 0; refused != NULL && i < many->refused_count; i++) {
        const struct many_refused *at = &many->refused[i];
        json_t *row = json_pack("{s:s, s:s, s:s}", "id", at->job->text, "code",
                                pl_status_name(at->status), "reason", at->reason);
        if (json_array_append_new(refused, row) != 0) {
            json_decref(refused);
            return NULL;
        }
    }
    uint32_t unchanged = many->count - many->changed - many->refused_count;
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o}", "action",
                     pl_job_action_name(many->asked.action), "matched", (int)many->count, "changed",
                     (int)many->changed, "unchanged", (int)unchanged, "refused", refused, "next",
                     many->has_more ? json_string(many->last.text) : json_null());
}

static void many_end(struct many *many)
{
    if (many->lacks_memory)
        pl_ask_refuse(many->ask, PL_NO_MEMORY, NULL);
    else
        pl_ask_reply_json(many->ask, 200, many_json(many));
}

static void many_refuse(struct many *many, const struct many_slot *slot)
{
    const struct pl_job_act *act = &slot->act;
    const char *text = act->fault.status != PL_OK ? act->fault.reason : pl_status_text(act->status);
    const char *reason = pl_arena_text(&many->ask->arena, pl_span_from(text));
    many->lacks_memory = many->lacks_memory || reason == NULL;
    many->refused[many->refused_count++] =
        (struct many_refused){ slot->job, act->status, reason == NULL ? "" : reason };
}

static void many_start(struct many_slot *slot);

static void many_on_done(struct pl_job_act *act)
{
    struct many_slot *slot = PL_CONTAINER_OF(act, struct many_slot, act);
    struct many *many = slot->many;
    struct pl_ask *ask = many->ask;
    if (!pl_ask_release(ask))
        return;
    many->busy--;
    many->changed += act->status == PL_OK && act->has_changed;
    if (act->status != PL_OK)
        many_refuse(many, slot);
    if (many->next < many->count)
        many_start(slot);
    else if (many->busy == 0)
        many_end(many);
}

static void many_start(struct many_slot *slot)
{
    struct many *many = slot->many;
    struct pl_ask *ask = many->ask;
    slot->job = &many->jobs[many->next++];
    slot->act = (struct pl_job_act){ .tenant = ask->tenant,
                                     .job = *slot->job,
                                     .by = ask->token,
                                     .action = many->asked.action,
                                     .why = pl_span_from(many->asked.why),
                                     .done = many_on_done };
    many->busy++;
    pl_ask_hold(ask);
    pl_core_act(ask->api->core, &slot->act);
}

static void many_then(struct pl_ask *ask, pl_status status)
{
    struct many *many = ask->room;
    if (status != PL_OK) {
        pl_ask_refuse(ask, status, NULL);
        return;
    }
    many->refused = pl_arena_take(&ask->arena, (many->count + 1) * sizeof *many->refused);
    many->lacks_memory = many->refused == NULL;
    if (many->count == 0 || many->lacks_memory) {
        many_end(many);
        return;
    }
    for (uint32_t i = 0; i < MANY_AT_ONCE && many->next < many->count; i++) {
        many->slots[i].many = many;
        many_start(&many->slots[i]);
    }
}

static void many_on_body(struct pl_ask *ask)
{
    struct pl_fault fault = { 0 };
    struct many *many = pl_arena_take(&ask->arena, sizeof *many);
    pl_status status = PL_NO_MEMORY;
    if (many != NULL)
        status = pl_job_actions_parse(ask->body, &ask->arena, &many->asked, &fault);
    if (status == PL_OK && many->asked.job_count == 0) {
        many->jobs = pl_arena_take(&ask->arena, many->asked.limit * sizeof *many->jobs);
        status = many->jobs == NULL ? PL_NO_MEMORY : PL_OK;
    }
    if (status != PL_OK) {
        pl_ask_refuse(ask, status, fault.status != PL_OK ? fault.reason : NULL);
        return;
    }
    many->ask = ask;
    ask->room = many;
    if (many->asked.job_count == 0) {
        pl_ask_read(ask, many_read, many_then);
        return;
    }
    many->jobs = many->asked.jobs;
    many->count = many->asked.job_count;
    many_then(ask, PL_OK);
}

void pl_job_actions_many(struct pl_ask *ask)
{
    pl_ask_take_body(ask, PL_JOB_ACTIONS_BODY, many_on_body);
}
