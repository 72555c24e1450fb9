/* job_actions_body: what a request to act on jobs says, read strictly.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/job_actions.h"

#include "engine/core/act.h"

#include <string.h>

static json_t *body_load(struct pl_span body, struct pl_fault *fault)
{
    json_error_t error;
    json_t *root = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        (void)pl_fault_set(fault, PL_BAD_REQUEST, "the body is not JSON: line %d: %s", error.line,
                           error.text);
    return root;
}

static pl_status body_take_why(const char *why, struct pl_arena *arena, const char **out,
                               struct pl_fault *fault)
{
    size_t size = why == NULL ? 0 : strlen(why);
    if (why != NULL && (size == 0 || size > PL_JOB_WHY_BYTES))
        return pl_fault_set(fault, PL_BAD_REQUEST, "reason has %zu bytes, allowed are 1 to %u",
                            size, PL_JOB_WHY_BYTES);
    *out = pl_arena_text(arena, (struct pl_span){ why, size });
    return *out == NULL ? PL_NO_MEMORY : PL_OK;
}

pl_status pl_job_action_parse_body(struct pl_span body, struct pl_arena *arena, const char **why,
                                   struct pl_fault *fault)
{
    const char *reason = NULL;
    json_error_t error;
    if (body.size == 0)
        return body_take_why(NULL, arena, why, fault);
    json_t *root = body_load(body, fault);
    if (root == NULL)
        return PL_BAD_REQUEST;
    pl_status status = json_unpack_ex(root, &error, JSON_STRICT, "{s?s}", "reason", &reason) == 0
                           ? body_take_why(reason, arena, why, fault)
                           : pl_fault_set(fault, PL_BAD_REQUEST,
                                          "the body may hold \"reason\", a text: %s", error.text);
    json_decref(root);
    return status;
}

static pl_status body_take_jobs(const json_t *ids, struct pl_arena *arena,
                                struct pl_job_actions *out, struct pl_fault *fault)
{
    size_t count = json_array_size(ids);
    if (count == 0 || count > PL_JOB_ACTIONS_MOST)
        return pl_fault_set(fault, PL_BAD_REQUEST, "jobs must be a list of 1 to %u ids",
                            PL_JOB_ACTIONS_MOST);
    out->jobs = pl_arena_take(arena, count * sizeof *out->jobs);
    if (out->jobs == NULL)
        return PL_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        if (id == NULL || !pl_id_parse(pl_span_from(id), &out->jobs[i]))
            return pl_fault_set(fault, PL_BAD_REQUEST, "jobs[%zu] is not the id of a job", i);
    }
    out->job_count = (uint32_t)count;
    return PL_OK;
}

static pl_status body_take_filter(json_t *filter, struct pl_arena *arena,
                                  struct pl_job_actions *out, struct pl_fault *fault)
{
    const char *state = NULL;
    const char *pipeline = NULL;
    const char *code = NULL;
    json_error_t error;
    if (json_unpack_ex(filter, &error, JSON_STRICT, "{s:s, s?s, s?s}", "state", &state, "pipeline",
                       &pipeline, "error", &code) != 0)
        return pl_fault_set(fault, PL_BAD_REQUEST,
                            "filter needs \"state\" and may hold \"pipeline\" and \"error\": %s",
                            error.text);
    if (!pl_job_state_parse(state, &out->state) ||
        (pl_job_state_is_end(out->state) && out->state != PL_JOB_DEAD))
        return pl_fault_set(fault, PL_BAD_REQUEST,
                            "filter.state may be queued, running, delivering, held or dead");
    out->has_error = code != NULL;
    if (code != NULL && !pl_status_parse(code, &out->error))
        return pl_fault_set(fault, PL_BAD_REQUEST, "filter.error is no code of an error");
    out->pipeline = pipeline == NULL ? NULL : pl_arena_text(arena, pl_span_from(pipeline));
    return pipeline != NULL && out->pipeline == NULL ? PL_NO_MEMORY : PL_OK;
}

static pl_status body_take_page(json_int_t limit, const char *cursor, struct pl_job_actions *out,
                                struct pl_fault *fault)
{
    if (limit < 1 || limit > PL_JOB_ACTIONS_MOST)
        return pl_fault_set(fault, PL_BAD_REQUEST, "limit must be a number from 1 to %u",
                            PL_JOB_ACTIONS_MOST);
    out->limit = (uint32_t)limit;
    if (cursor != NULL && !pl_id_parse(pl_span_from(cursor), &out->after))
        return pl_fault_set(fault, PL_BAD_REQUEST,
                            "cursor must be the value of \"next\" of the answer before");
    return PL_OK;
}

static pl_status body_take_all(json_t *root, struct pl_arena *arena, struct pl_job_actions *out,
                               struct pl_fault *fault)
{
    const char *action = NULL;
    const char *why = NULL;
    const char *cursor = NULL;
    json_int_t limit = 100;
    json_t *filter = NULL;
    json_t *jobs = NULL;
    json_error_t error;
    if (json_unpack_ex(root, &error, JSON_STRICT, "{s:s, s?s, s?o, s?o, s?I, s?s}", "action",
                       &action, "reason", &why, "jobs", &jobs, "filter", &filter, "limit", &limit,
                       "cursor", &cursor) != 0)
        return pl_fault_set(fault, PL_BAD_REQUEST,
                            "the body needs \"action\", \"jobs\" or \"filter\", and may hold "
                            "\"reason\", \"limit\" and \"cursor\": %s",
                            error.text);
    if (!pl_job_action_parse(action, &out->action) || out->action == PL_JOB_ACTION_NONE)
        return pl_fault_set(fault, PL_BAD_REQUEST,
                            "action may be hold, release, cancel, retry or replay");
    if ((jobs == NULL) == (filter == NULL))
        return pl_fault_set(fault, PL_BAD_REQUEST, "either \"jobs\" or \"filter\" says which jobs");
    pl_status status = body_take_why(why, arena, &out->why, fault);
    if (status == PL_OK)
        status = body_take_page(limit, cursor, out, fault);
    if (status != PL_OK)
        return status;
    return jobs != NULL ? body_take_jobs(jobs, arena, out, fault)
                        : body_take_filter(filter, arena, out, fault);
}

pl_status pl_job_actions_parse(struct pl_span body, struct pl_arena *arena,
                               struct pl_job_actions *out, struct pl_fault *fault)
{
    *out = (struct pl_job_actions){ .action = PL_JOB_ACTION_NONE };
    json_t *root = body_load(body, fault);
    if (root == NULL)
        return PL_BAD_REQUEST;
    pl_status status = body_take_all(root, arena, out, fault);
    json_decref(root);
    return status;
}

pl_status pl_job_match_parse(struct pl_span field, bool *has, uint64_t *revision,
                             struct pl_fault *fault)
{
    *has = field.size > 0 && !pl_span_equals(field, "*");
    if (!*has)
        return PL_OK;
    bool is_tag =
        field.size >= 4 && memcmp(field.data, "\"r", 2) == 0 && field.data[field.size - 1] == '"';
    if (is_tag &&
        pl_text_parse_u64((struct pl_span){ field.data + 2, field.size - 3 }, INT64_MAX, revision))
        return PL_OK;
    return pl_fault_set(fault, PL_BAD_REQUEST, "If-Match must be the ETag of the job, or *");
}
