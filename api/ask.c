/* ask: life and replies of one request to the control API.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/ask.h"

#include "api/reply.h"

#include <stdlib.h>
#include <string.h>

/* A page of 200 jobs with their documents, or the page ledger of one very long document. */
#define ASK_ARENA_BYTES ((size_t)64 << 20)

static void ask_free(struct pl_ask *ask)
{
    struct pl_api *api = ask->api;
    if (ask->cleanup != NULL)
        ask->cleanup(ask);
    pl_arena_fini(&ask->arena);
    free(ask);
    api->asks_open--;
    if (api->asks_open == 0 && api->idle != NULL)
        api->idle(api->idle_owner);
}

/* The reply has left or the peer is gone: nobody will touch the request any more. */
static void ask_end(struct pl_ask *ask)
{
    ask->request = NULL;
    if (ask->pending == 0)
        ask_free(ask);
}

static void ask_on_gone(void *owner, pl_status why)
{
    (void)why;
    ask_end(owner);
}

static void ask_on_writable(void *owner)
{
    struct pl_ask *ask = owner;
    if (ask->on_writable != NULL)
        ask->on_writable(ask);
}

static void ask_refuse_body(struct pl_ask *ask)
{
    char reason[80];
    PL_CHECK(
        pl_text_format(reason, sizeof reason, "the body has more than %zu bytes", ask->body_most));
    pl_ask_refuse(ask, PL_TOO_LARGE, reason);
}

static void ask_on_body(void *owner, const uint8_t *data, size_t size)
{
    struct pl_ask *ask = owner;
    if (size > ask->body_most - ask->body.size) {
        ask_refuse_body(ask);
        return;
    }
    memcpy((char *)(uintptr_t)ask->body.data + ask->body.size, data, size);
    ask->body.size += size;
}

static void ask_on_body_end(void *owner)
{
    struct pl_ask *ask = owner;
    if (ask->on_body != NULL)
        ask->on_body(ask);
}

void pl_ask_take_body(struct pl_ask *ask, size_t most, pl_ask_fn *then)
{
    uint64_t length = pl_http_content_length(ask->request);
    ask->body_most = most;
    ask->on_body = then;
    if (length != UINT64_MAX && length > most) {
        ask_refuse_body(ask);
        return;
    }
    size_t room = length == UINT64_MAX ? most : (size_t)length;
    ask->body_most = room;
    ask->body = (struct pl_span){ pl_arena_take(&ask->arena, room + 1), 0 };
    if (ask->body.data == NULL)
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
    else
        pl_http_body_start(ask->request);
}

struct pl_ask *pl_ask_new(struct pl_api *api, struct pl_http_request *request)
{
    struct pl_ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL) {
        pl_http_reply(request, 503, NULL, 0, NULL, 0);
        return NULL;
    }
    ask->api = api;
    ask->request = request;
    ask->is_head = pl_span_equals(pl_http_method(request), "HEAD");
    pl_arena_init(&ask->arena, ASK_ARENA_BYTES);
    api->asks_open++;
    pl_http_watch(request, &(struct pl_http_watcher){ .on_body = ask_on_body,
                                                      .on_body_end = ask_on_body_end,
                                                      .on_gone = ask_on_gone,
                                                      .on_writable = ask_on_writable,
                                                      .owner = ask });
    return ask;
}

void pl_ask_hold(struct pl_ask *ask)
{
    ask->pending++;
}

bool pl_ask_release(struct pl_ask *ask)
{
    PL_CHECK(ask->pending > 0);
    ask->pending--;
    if (ask->request != NULL)
        return true;
    if (ask->pending == 0)
        ask_free(ask);
    return false;
}

static pl_status ask_on_ledger(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct pl_ask *ask = PL_CONTAINER_OF(call, struct pl_ask, call);
    return ask->read(ask, ledger);
}

static void ask_on_ledger_done(struct pl_ledger_call *call)
{
    struct pl_ask *ask = PL_CONTAINER_OF(call, struct pl_ask, call);
    if (pl_ask_release(ask))
        ask->then(ask, call->status);
}

void pl_ask_read(struct pl_ask *ask,
                 pl_status (*read)(struct pl_ask *ask, const struct pl_ledger *ledger),
                 void (*then)(struct pl_ask *ask, pl_status status))
{
    ask->read = read;
    ask->then = then;
    ask->call = (struct pl_ledger_call){ .run = ask_on_ledger, .done = ask_on_ledger_done };
    pl_list_init(&ask->call.node);
    pl_ask_hold(ask);
    pl_ledger_thread_call(pl_core_parts(ask->api->core)->ledger, &ask->call);
}

static void ask_count(struct pl_ask *ask, int code)
{
    ask->api->replies[code / 100 % 6]++;
}

static void ask_reply(struct pl_ask *ask, int code, const struct pl_http_field *fields,
                      size_t count, const void *body, size_t size)
{
    ask_count(ask, code);
    pl_http_reply(ask->request, code, fields, count, body, size);
    ask_end(ask);
}

void pl_ask_reply_text(struct pl_ask *ask, int code, const char *type, const void *body,
                       size_t size)
{
    const struct pl_http_field fields[] = {
        { pl_span_from("Content-Type"), pl_span_from(type) },
        { pl_span_from("Cache-Control"), pl_span_from("no-store") },
        { pl_span_from("X-Content-Type-Options"), pl_span_from("nosniff") },
    };
    ask_reply(ask, code, fields, PL_COUNT_OF(fields), body, size);
}

void pl_ask_reply_json_with(struct pl_ask *ask, int code, json_t *body, const char *field,
                            const char *value)
{
    const struct pl_http_field fields[] = {
        { pl_span_from("Content-Type"), pl_span_from("application/json") },
        { pl_span_from("Cache-Control"), pl_span_from("no-store") },
        { pl_span_from("X-Content-Type-Options"), pl_span_from("nosniff") },
        { pl_span_from(field == NULL ? "" : field), pl_span_from(value == NULL ? "" : value) },
    };
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL) {
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
        return;
    }
    struct pl_span span = pl_span_from(text);
    size_t count = PL_COUNT_OF(fields) - (field == NULL);
    ask_reply(ask, code, fields, count, span.data, span.size);
    free(text);
}

void pl_ask_reply_json(struct pl_ask *ask, int code, json_t *body)
{
    pl_ask_reply_json_with(ask, code, body, NULL, NULL);
}

void pl_ask_refuse_with(struct pl_ask *ask, int code, pl_status status, const char *detail,
                        const char *field, const char *value)
{
    char body[PL_PROBLEM_CHARS];
    struct pl_http_field fields[] = {
        { pl_span_from("Content-Type"), pl_span_from("application/problem+json") },
        { pl_span_from("Cache-Control"), pl_span_from("no-store") },
        { pl_span_from(field), pl_span_from(value) },
    };
    size_t size = pl_problem_write(code, status, detail, body);
    ask_reply(ask, code, fields, PL_COUNT_OF(fields), body, size);
}

void pl_ask_refuse(struct pl_ask *ask, pl_status status, const char *detail)
{
    bool again = pl_status_blame(status) == PL_BLAME_RETRY;
    pl_ask_refuse_with(ask, pl_status_http(status), status, detail,
                       again ? "Retry-After" : "X-Content-Type-Options", again ? "5" : "nosniff");
}

void pl_ask_refuse_not_found(struct pl_ask *ask)
{
    pl_ask_refuse(ask, PL_NOT_FOUND, "nothing of that name belongs to this token");
}

void pl_ask_reply_start(struct pl_ask *ask, int code, const struct pl_http_field *fields,
                        size_t count, uint64_t length)
{
    ask_count(ask, code);
    pl_http_reply_start(ask->request, code, fields, count, length);
}

void pl_ask_reply_end(struct pl_ask *ask)
{
    pl_http_reply_end(ask->request);
    ask_end(ask);
}

void pl_ask_reply_abort(struct pl_ask *ask)
{
    /* Held, for on_gone may or may not be called from inside. */
    pl_ask_hold(ask);
    pl_http_reply_abort(ask->request);
    ask->request = NULL;
    (void)!pl_ask_release(ask);
}
