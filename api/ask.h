/* ask: one request to the control API, from its head to its reply; outlives a peer that goes away.
 *
 * Everything slow happens elsewhere (the ledger's thread, the thread pool, the store) and comes
 * back to the loop's thread. Meanwhile the peer may be gone: the ask then waits for what it has
 * under way, and is freed without a reply.
 *
 *   born -> [pending -> back on the loop]* -> replied or gone, nothing pending -> freed
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_ASK_H
#define PL_API_ASK_H

#include "api/session.h"
#include "engine/core/core.h"
#include "engine/net/http_server.h"
#include "workers/pool.h"

#include <jansson.h>

struct pl_ask;
typedef void pl_ask_fn(struct pl_ask *ask);

/* What the rooms of the API share. */
struct pl_api {
    struct pl_core *core;
    struct pl_pool *pool;
    struct pl_sessions *sessions;
    const char *instance;
    struct pl_http_server *devices; /* for their figures; set once both exist */
    struct pl_http_server *control;
    int64_t started_ms; /* wall */
    uint64_t asks_open;
    uint64_t replies[6];       /* by class: 1xx .. 5xx */
    void (*idle)(void *owner); /* while draining: called when asks_open reaches 0 */
    void *idle_owner;
};

struct pl_ask {
    struct pl_api *api;
    struct pl_http_request *request; /* NULL once the peer is gone */
    struct pl_arena arena;           /* what the ledger's thread may touch lives here */
    struct pl_id tenant;             /* whose token it is */
    struct pl_id token;              /* who asks */
    struct pl_id job;                /* from the path */
    uint32_t n;                      /* document number, or enum pl_job_action; from the path */
    bool is_head;
    unsigned pending;
    pl_ask_fn *cleanup; /* frees what the room keeps in `room`; may be NULL */
    void *room;
    pl_ask_fn *on_writable;
    struct pl_span body; /* once it was taken; in the arena */
    size_t body_most;
    pl_ask_fn *on_body;

    struct pl_ledger_call call; /* in use between pl_ask_read and `then` */
    pl_status (*read)(struct pl_ask *ask, const struct pl_ledger *ledger);
    void (*then)(struct pl_ask *ask, pl_status status);
};

/* Takes a request over; on failure it has been answered. */
struct pl_ask *pl_ask_new(struct pl_api *api, struct pl_http_request *request);

/* Something that will come back to the loop's thread was started. */
void pl_ask_hold(struct pl_ask *ask);
/* It is back. False: the peer is gone and the ask has been freed. */
bool pl_ask_release(struct pl_ask *ask) PL_MUST_USE;

/* Reads the body, of at most `most` bytes, then calls `then`; a longer one is refused with 413. */
void pl_ask_take_body(struct pl_ask *ask, size_t most, pl_ask_fn *then);

/* Runs `read` on the ledger's thread, then `then` on the loop's, unless the peer is gone. `read`
 * may touch the arena and the room, never the request. */
void pl_ask_read(struct pl_ask *ask,
                 pl_status (*read)(struct pl_ask *ask, const struct pl_ledger *ledger),
                 void (*then)(struct pl_ask *ask, pl_status status));

/* -- replies; each ends the ask -- */

/* Takes the reference; NULL stands for memory that ran out. */
void pl_ask_reply_json(struct pl_ask *ask, int code, json_t *body);
/* With one more field. */
void pl_ask_reply_json_with(struct pl_ask *ask, int code, json_t *body, const char *field,
                            const char *value);
void pl_ask_reply_text(struct pl_ask *ask, int code, const char *type, const void *body,
                       size_t size);
/* application/problem+json (RFC 9457). `detail` NULL: the status's own sentence. */
void pl_ask_refuse(struct pl_ask *ask, pl_status status, const char *detail);
/* The same with another code and one more field (Allow, WWW-Authenticate, Content-Range). */
void pl_ask_refuse_with(struct pl_ask *ask, int code, pl_status status, const char *detail,
                        const char *field, const char *value);
/* 404, the same bytes for what is not there and for what is another tenant's. */
void pl_ask_refuse_not_found(struct pl_ask *ask);

/* Head of a reply whose body follows (HEAD: none does). The room writes and ends. */
void pl_ask_reply_start(struct pl_ask *ask, int code, const struct pl_http_field *fields,
                        size_t count, uint64_t length);
/* Ends a started reply, or cuts it, and the ask with it. */
void pl_ask_reply_end(struct pl_ask *ask);
void pl_ask_reply_abort(struct pl_ask *ask);

#endif
