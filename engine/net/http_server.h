/* http_server: HTTP/1.1 over TLS: listeners, connections, requests, replies, with back-pressure.
 *
 * A request is born when its whole head has been read and found well-formed; the handler decides
 * then, before a byte of the body is read (and before 100 Continue). Exactly one reply ends it.
 * Everything runs on the loop's thread; callbacks may call anything here.
 *
 *   on_request -> [pl_http_body_start -> on_body* -> on_body_end] -> pl_http_reply
 *                                                                 or pl_http_reply_start -> write*
 *                                                                    -> pl_http_reply_end
 *   on_gone at any moment before the reply has left: the peer died or broke the protocol; the
 *   request is dead when on_gone returns. After a reply has been handed over completely the
 *   request must not be touched either.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_HTTP_SERVER_H
#define PL_ENGINE_NET_HTTP_SERVER_H

#include "engine/base/arena.h"
#include "engine/base/log.h"
#include "engine/net/http_parse.h"
#include "engine/net/loop.h"
#include "engine/net/tls.h"

struct pl_http_server;
struct pl_http_request;

struct pl_http_limits {
    uint64_t head_bytes;           /* 65536; more is 431 */
    uint64_t head_timeout_ms;      /* from the first byte, or accept, to the end of the head */
    uint64_t handshake_timeout_ms; /* from accept to the end of the TLS handshake */
    uint64_t idle_timeout_ms;      /* keep-alive, between requests */
    uint64_t body_idle_timeout_ms; /* longest gap inside a body (an MFP feeds paper meanwhile) */
    uint64_t body_min_rate;        /* bytes/s averaged over the whole body after 60 s; 0: none */
    uint64_t write_timeout_ms;     /* a peer that reads nothing for so long is dropped */
    uint64_t connections;          /* in total; more are closed at accept */
    uint64_t connections_per_peer; /* per source address */
    uint64_t requests_per_connection;
};

struct pl_http_handler {
    void (*on_request)(void *owner, struct pl_http_request *request);
    void *owner;
};

/* What a request's body and end are told to. Set in on_request, before it returns. */
struct pl_http_watcher {
    void (*on_body)(void *owner, const uint8_t *data, size_t size);
    void (*on_body_end)(void *owner);
    /* TIMED_OUT, PEER_GONE, BAD_REQUEST, STOPPING; never called after the reply was handed over
     * with pl_http_reply or pl_http_reply_end. */
    void (*on_gone)(void *owner, pl_status why);
    /* A started reply can take more (see pl_http_reply_write). NULL: not streaming. */
    void (*on_writable)(void *owner);
    void *owner;
};

/* Starts no listener yet. `context` NULL serves plain text (tests only). */
pl_status pl_http_server_new(struct pl_loop *loop, const struct pl_log *log, const char *name,
                             struct pl_tls_context *context, const struct pl_http_limits *limits,
                             const struct pl_http_handler *handler,
                             struct pl_http_server **out) PL_MUST_USE;

/* `address` is "127.0.0.1:8443", "[::1]:0", "0.0.0.0:443". PL_MISCONFIGURED with a sentence (in
 * use, not permitted, not an address). May be called several times. */
pl_status pl_http_server_listen(struct pl_http_server *server, const char *address,
                                struct pl_fault *fault) PL_MUST_USE;
/* Takes over a listening socket (systemd's LISTEN_FDS). */
pl_status pl_http_server_adopt(struct pl_http_server *server, int fd,
                               struct pl_fault *fault) PL_MUST_USE;
/* "127.0.0.1:40123" of the first listener, as bound. */
const char *pl_http_server_address(const struct pl_http_server *server);

/* Stops accepting, closes idle connections, lets running requests end, or cuts them after
 * `grace_ms`; then calls done. */
typedef void pl_http_drained_fn(void *owner);
void pl_http_server_drain(struct pl_http_server *server, uint64_t grace_ms,
                          pl_http_drained_fn *done, void *owner);
/* After drained. */
void pl_http_server_free(struct pl_http_server *server);

struct pl_http_stats {
    uint64_t connections_open;
    uint64_t connections_total;
    uint64_t connections_refused;
    uint64_t handshakes_failed;
    uint64_t requests_total;
    uint64_t requests_bad;
    uint64_t bytes_in;
    uint64_t bytes_out;
};
void pl_http_server_stats(const struct pl_http_server *server, struct pl_http_stats *out);

/* -- the request, between on_request and its end -- */

struct pl_span pl_http_method(const struct pl_http_request *request);
/* Path as sent, percent-encoded, without the query. Origin form or absolute form (then without
 * scheme and authority); "*" for OPTIONS. */
struct pl_span pl_http_path(const struct pl_http_request *request);
/* After '?', may be empty. */
struct pl_span pl_http_query(const struct pl_http_request *request);
/* Value of a field, white space trimmed; size 0 with data NULL when absent. A field that came more
 * than once is joined with ", " (RFC 9110 section 5.3). */
struct pl_span pl_http_header(struct pl_http_request *request, const char *name);
/* The body's length when Content-Length said so; UINT64_MAX when chunked; 0 when there is none. */
uint64_t pl_http_content_length(const struct pl_http_request *request);
/* "192.0.2.7" of the peer. */
const char *pl_http_peer(const struct pl_http_request *request);
/* Memory that dies with the request. */
struct pl_arena *pl_http_arena(struct pl_http_request *request);

void pl_http_watch(struct pl_http_request *request, const struct pl_http_watcher *watcher);

/* Sends 100 Continue where it was asked for and lets the body flow. Without it, a reply closes the
 * connection unless the body is small enough to be skipped. */
void pl_http_body_start(struct pl_http_request *request);
/* Back-pressure: after pause, at most what is already decrypted (64 KiB) still arrives. */
void pl_http_body_pause(struct pl_http_request *request);
void pl_http_body_resume(struct pl_http_request *request);

/* One whole reply; the bytes are copied. Content-Length, Date and Connection are added. */
void pl_http_reply(struct pl_http_request *request, int code, const struct pl_http_field *fields,
                   size_t field_count, const void *body, size_t size);

/* A reply in pieces. `length` UINT64_MAX sends chunked (or closes, for HTTP/1.0). */
void pl_http_reply_start(struct pl_http_request *request, int code,
                         const struct pl_http_field *fields, size_t field_count, uint64_t length);
/* Copies. Answers false when the peer lags: wait for on_writable before writing more. */
bool pl_http_reply_write(struct pl_http_request *request, const void *data, size_t size);
void pl_http_reply_end(struct pl_http_request *request);
/* A started reply that cannot be finished: cuts the connection, so that the peer sees it. */
void pl_http_reply_abort(struct pl_http_request *request);

/* Decodes %XX of one path segment or query value into the arena; false on a bad escape or an
 * embedded NUL. '+' is not a space. */
bool pl_http_percent_decode(struct pl_span encoded, struct pl_arena *arena, struct pl_span *out);

#endif
