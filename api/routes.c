/* routes: path, then method, then token, then the room.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/routes.h"

#include "api/documents.h"
#include "api/job_actions.h"
#include "api/jobs.h"
#include "api/metrics.h"

#include <string.h>

static void health_send(struct pl_ask *ask)
{
    pl_ask_reply_json(ask, 200, json_pack("{s:s}", "status", "alive"));
}

static void ready_send(struct pl_ask *ask)
{
    struct pl_fault why = { 0 };
    if (pl_core_is_ready(ask->api->core, &why))
        pl_ask_reply_json(ask, 200, json_pack("{s:s}", "status", "ready"));
    else
        pl_ask_refuse_with(ask, 503, why.status == PL_OK ? PL_UNAVAILABLE : why.status, why.reason,
                           "Retry-After", "5");
}

struct room {
    pl_ask_fn *enter;
    bool is_public; /* without a token; shows no tenant's data */
    bool is_posted; /* POST alone; else GET and HEAD */
};

static const struct room rooms[PL_ROUTE_COUNT] = {
    [PL_ROUTE_JOBS] = { .enter = pl_jobs_list },
    [PL_ROUTE_JOB] = { .enter = pl_jobs_show },
    [PL_ROUTE_ACTION] = { .enter = pl_job_actions_one, .is_posted = true },
    [PL_ROUTE_ACTIONS] = { .enter = pl_job_actions_many, .is_posted = true },
    [PL_ROUTE_DOCUMENT] = { .enter = pl_documents_send },
    [PL_ROUTE_PAGES] = { .enter = pl_jobs_show_pages },
    [PL_ROUTE_ORIGINAL] = { .enter = pl_documents_send_original },
    [PL_ROUTE_HEALTH] = { .enter = health_send, .is_public = true },
    [PL_ROUTE_READY] = { .enter = ready_send, .is_public = true },
    [PL_ROUTE_METRICS] = { .enter = pl_metrics_send, .is_public = true },
};

/* Takes `text` off the front; false when it does not stand there. */
static bool path_skip(struct pl_span *path, const char *text)
{
    size_t size = strlen(text);
    if (path->size < size || memcmp(path->data, text, size) != 0)
        return false;
    *path = (struct pl_span){ path->data + size, path->size - size };
    return true;
}

/* Behind "/v1/jobs/". */
static enum pl_route route_in_job(struct pl_span path, struct pl_id *job, uint32_t *n)
{
    uint64_t number = 0;
    if (path.size < PL_ID_CHARS || !pl_id_parse((struct pl_span){ path.data, PL_ID_CHARS }, job))
        return PL_ROUTE_NONE;
    path = (struct pl_span){ path.data + PL_ID_CHARS, path.size - PL_ID_CHARS };
    if (path.size == 0)
        return PL_ROUTE_JOB;
    if (pl_span_equals(path, "/original"))
        return PL_ROUTE_ORIGINAL;
    for (uint32_t action = PL_JOB_ACTION_NONE + 1; action < PL_JOB_ACTION_COUNT; action++) {
        if (path.data[0] != '/' || !pl_span_equals((struct pl_span){ path.data + 1, path.size - 1 },
                                                   pl_job_action_name((enum pl_job_action)action)))
            continue;
        *n = action;
        return PL_ROUTE_ACTION;
    }
    if (!path_skip(&path, "/documents/"))
        return PL_ROUTE_NONE;
    static const char pages[] = "/pages";
    const size_t tail = sizeof pages - 1;
    bool is_pages = path.size > tail && memcmp(path.data + path.size - tail, pages, tail) == 0;
    path.size -= is_pages ? tail : 0;
    if (path.size == 0 || path.data[0] == '0' || !pl_text_parse_u64(path, UINT32_MAX, &number))
        return PL_ROUTE_NONE;
    *n = (uint32_t)number;
    return is_pages ? PL_ROUTE_PAGES : PL_ROUTE_DOCUMENT;
}

enum pl_route pl_route_find(struct pl_span path, struct pl_id *job, uint32_t *n)
{
    if (pl_span_equals(path, "/healthz"))
        return PL_ROUTE_HEALTH;
    if (pl_span_equals(path, "/readyz"))
        return PL_ROUTE_READY;
    if (pl_span_equals(path, "/metrics"))
        return PL_ROUTE_METRICS;
    if (pl_span_equals(path, "/v1/jobs"))
        return PL_ROUTE_JOBS;
    if (pl_span_equals(path, "/v1/jobs/actions"))
        return PL_ROUTE_ACTIONS;
    if (path_skip(&path, "/v1/jobs/"))
        return route_in_job(path, job, n);
    return PL_ROUTE_NONE;
}

/* -- the token -- */

/* What a request without a known token waits with. */
struct entry {
    uint8_t token_hash[PL_SHA256_BYTES];
    struct pl_session session;
    const struct room *room;
};

static int64_t entry_now_ms(const struct pl_ask *ask)
{
    return pl_clock_monotonic_ms(pl_core_parts(ask->api->core)->clock);
}

static void entry_refuse(struct pl_ask *ask)
{
    pl_ask_refuse_with(ask, 401, PL_UNAUTHENTICATED,
                       "send Authorization: Bearer with a token of this engine", "WWW-Authenticate",
                       "Bearer realm=\"platen\"");
}

static void entry_pass(struct pl_ask *ask, const struct room *room,
                       const struct pl_session *session)
{
    ask->tenant = session->tenant;
    ask->token = session->token;
    ask->room = NULL;
    room->enter(ask);
}

static pl_status entry_read(struct pl_ask *ask, const struct pl_ledger *ledger)
{
    struct entry *entry = ask->room;
    struct pl_ledger_token token;
    pl_status status =
        ledger->ops->token_by_hash(ledger->self, entry->token_hash, &ask->arena, &token);
    if (status != PL_OK)
        return status;
    entry->session.tenant = token.tenant;
    entry->session.token = token.id;
    return pl_text_copy(entry->session.role, sizeof entry->session.role, pl_span_from(token.role))
               ? PL_OK
               : PL_NOT_FOUND;
}

static void entry_then(struct pl_ask *ask, pl_status status)
{
    struct entry *entry = ask->room;
    if (status == PL_NOT_FOUND) {
        entry_refuse(ask);
    } else if (status != PL_OK) {
        pl_ask_refuse(ask, status, NULL);
    } else {
        pl_session_remember(ask->api->sessions, entry->token_hash, entry_now_ms(ask),
                            &entry->session);
        entry_pass(ask, entry->room, &entry->session);
    }
}

static void entry_check(struct pl_ask *ask, const struct room *room)
{
    struct entry *entry = pl_arena_take(&ask->arena, sizeof *entry);
    if (entry == NULL) {
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
        return;
    }
    entry->room = room;
    ask->room = entry;
    if (!pl_session_token_hash(pl_http_header(ask->request, "Authorization"), entry->token_hash))
        entry_refuse(ask);
    else if (pl_session_lookup(ask->api->sessions, entry->token_hash, entry_now_ms(ask),
                               &entry->session))
        entry_pass(ask, room, &entry->session);
    else
        pl_ask_read(ask, entry_read, entry_then);
}

static void routes_on_request(void *owner, struct pl_http_request *request)
{
    struct pl_ask *ask = pl_ask_new(owner, request);
    if (ask == NULL)
        return;
    enum pl_route route = pl_route_find(pl_http_path(request), &ask->job, &ask->n);
    const struct room *room = &rooms[route];
    struct pl_span method = pl_http_method(request);
    if (route == PL_ROUTE_NONE)
        pl_ask_refuse_not_found(ask);
    else if (room->is_posted && !pl_span_equals(method, "POST"))
        pl_ask_refuse_with(ask, 405, PL_BAD_REQUEST, "only POST is answered here", "Allow", "POST");
    else if (!room->is_posted && !pl_span_equals(method, "GET") && !pl_span_equals(method, "HEAD"))
        pl_ask_refuse_with(ask, 405, PL_BAD_REQUEST, "only GET and HEAD are answered here", "Allow",
                           "GET, HEAD");
    else if (room->is_public)
        room->enter(ask);
    else
        entry_check(ask, room);
}

struct pl_http_handler pl_routes_handler(struct pl_api *api)
{
    return (struct pl_http_handler){ .on_request = routes_on_request, .owner = api };
}
