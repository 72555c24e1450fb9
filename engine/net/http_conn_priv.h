/* http_conn_priv: the server, its connections and their requests, as the http_*.c files share them.
 *
 *   OPENING -> IDLE -> HEAD -> REQUEST -> FLUSHING -> [SKIPPING] -> IDLE
 *   from each of them -> ENDING (answer leaves, FIN, lingering) -> CLOSED
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_HTTP_CONN_PRIV_H
#define PL_ENGINE_NET_HTTP_CONN_PRIV_H

#include "engine/base/bytes.h"
#include "engine/net/http_chunked.h"
#include "engine/net/http_server.h"
#include "engine/net/stream.h"
#include "engine/net/timer.h"

#define HTTP_PEER_CHARS 46
#define HTTP_PEER_BUCKETS 1024
#define HTTP_LOG_EVERY_MS 10000           /* of what a flood would repeat */
#define HTTP_SKIP_BYTES ((uint64_t)65536) /* of a body that nobody wanted */

/* clang-format off */
/*    state     name      may become */
#define HTTP_CONN_TABLE(X)                                                                         \
    X(OPENING,  opening,  M(IDLE) | M(ENDING) | M(CLOSED))                                         \
    X(IDLE,     idle,     M(HEAD) | M(ENDING) | M(CLOSED))                                         \
    X(HEAD,     head,     M(REQUEST) | M(ENDING) | M(CLOSED))                                      \
    X(REQUEST,  request,  M(FLUSHING) | M(ENDING) | M(CLOSED))                                     \
    X(FLUSHING, flushing, M(SKIPPING) | M(IDLE) | M(ENDING) | M(CLOSED))                           \
    X(SKIPPING, skipping, M(IDLE) | M(ENDING) | M(CLOSED))                                         \
    X(ENDING,   ending,   M(CLOSED))                                                               \
    X(CLOSED,   closed,   0)
/* clang-format on */

#define HTTP_CONN_ENUM(state, name, moves) HTTP_CONN_##state,
enum http_conn_state { HTTP_CONN_TABLE(HTTP_CONN_ENUM) HTTP_CONN_STATES };
#undef HTTP_CONN_ENUM

enum http_reply_state { HTTP_REPLY_NONE, HTTP_REPLY_STARTED, HTTP_REPLY_OVER };

/* Lives from the end of its head until its reply has left, so that a handler which touches it a
 * little too long meets a PL_CHECK and not freed memory. */
struct pl_http_request {
    struct http_conn *conn;
    struct pl_arena arena;
    struct pl_http_head head;
    struct pl_http_watcher watcher;
    struct pl_http_chunked chunked;
    enum http_reply_state reply;
    uint64_t body_left;     /* PL_HTTP_LENGTH: not read yet */
    uint64_t body_bytes;    /* read so far */
    uint64_t reply_left;    /* not written yet, of a reply with a length */
    int64_t flow_since_ms;  /* while the body flows */
    int64_t flow_before_ms; /* time it flowed before the last pause */
    bool body_flows;        /* pl_http_body_start was called */
    bool body_paused;
    bool body_over;
    bool body_end_told;
    bool reply_chunked;
    bool reply_bodiless; /* HEAD, 204, 304 */
    bool reply_lags;     /* pl_http_reply_write answered false */
    bool reply_closes;   /* the connection ends with this reply */
};

struct http_conn {
    struct pl_http_server *server;
    struct pl_stream *stream;
    struct pl_timer *timer;
    struct pl_http_request *request;
    struct pl_list node;   /* in server->conns */
    struct pl_list bucket; /* in server->peers[] */
    struct pl_bytes head;
    struct pl_http_scan scan;
    uint8_t peer_key[16];
    char peer[HTTP_PEER_CHARS];
    int64_t deadline_ms;  /* INT64_MAX: none */
    int64_t timer_due_ms; /* when the timer fires; INT64_MAX: it does not run */
    uint64_t requests;
    enum http_conn_state state;
    bool line_checked; /* the request line was parsed already */
    bool draining;     /* no further request after this one */
    bool peer_ended;
};

struct pl_http_server {
    struct pl_loop *loop;
    const struct pl_log *log;
    char name[32];
    struct pl_tls_context *context;
    struct pl_http_limits limits;
    struct pl_http_handler handler;
    struct pl_stream_hub *hub;
    struct pl_list listeners;
    struct pl_list conns;
    struct pl_list peers[HTTP_PEER_BUCKETS];
    struct pl_http_stats stats;
    char address[HTTP_PEER_CHARS + 8];
    int64_t refused_logged_ms;
    uint64_t refused_logged;
    int64_t accept_logged_ms;
    struct pl_timer *grace;
    pl_http_drained_fn *drained;
    void *drained_owner;
    size_t listeners_open;
    bool draining;
};

/* -- http_conn.c -- */

/* Takes the connection waiting at `listener`; counts and logs what fails. */
void http_conn_accept(struct pl_http_server *server, struct uv_stream_s *listener);
void http_conn_move(struct http_conn *conn, enum http_conn_state to);
/* Tells the stream whether bytes are wanted now. */
void http_conn_choose_reading(struct http_conn *conn);
/* The moment from which silence counts as a fault, by state. */
void http_conn_set_deadline(struct http_conn *conn);
/* The reply was handed over completely. */
void http_conn_reply_over(struct http_conn *conn);
/* Cuts the connection and tells the request. */
void http_conn_cut(struct http_conn *conn, pl_status why);
/* Ends an idle connection, or marks a busy one to end with its reply. */
void http_conn_drain(struct http_conn *conn);
/* The request's handler hears that it is dead. */
void http_conn_tell_gone(struct http_conn *conn, pl_status why);

/* -- http_reply.c -- */

/* An error reply of the server's own: problem+json, Connection: close, then the end. */
void http_reply_problem(struct http_conn *conn, int code, const char *why);

/* -- http_server.c -- */

void http_server_conn_closed(struct pl_http_server *server);

#endif
