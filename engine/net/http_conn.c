/* http_conn: one connection: reads heads, hands requests over, feeds them their bodies, keeps the
 * deadlines.
 *
 * Reading is pulled, never pushed: http_conn_choose_reading is the one place that says whether
 * bytes are wanted, so that a pipelined request is looked at only after the reply before it left.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_conn_priv.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_ARENA_BYTES ((size_t)1 << 20)
#define HTTP_RATE_AFTER_MS 60000 /* body_min_rate counts from here on */
#define HTTP_RATE_EVERY_MS 5000
#define HTTP_LOW_WATER_BYTES ((size_t)65536)
#define NEVER INT64_MAX

#define M(state) (1u << HTTP_CONN_##state)
#define ROW(state, name, moves) { #name, moves },
static const struct {
    const char *name;
    unsigned moves;
} conn_states[HTTP_CONN_STATES] = { HTTP_CONN_TABLE(ROW) };
#undef ROW
#undef M

void http_conn_move(struct http_conn *conn, enum http_conn_state to)
{
    PL_CHECK((conn_states[conn->state].moves & (1u << to)) != 0);
    PL_LOG(conn->server->log, PL_LOG_DEBUG, "http.connection", PL_F("server", conn->server->name),
           PL_F("peer", conn->peer), PL_F("from", conn_states[conn->state].name),
           PL_F("to", conn_states[to].name));
    conn->state = to;
    http_conn_set_deadline(conn);
}

/* -- deadlines -- */

static int64_t request_flow_ms(const struct pl_http_request *request, int64_t now)
{
    bool flows = request->body_flows && !request->body_paused && !request->body_over;
    return request->flow_before_ms + (flows ? now - request->flow_since_ms : 0);
}

static bool request_is_fed(const struct pl_http_request *request)
{
    return request->body_flows && !request->body_paused && !request->body_over &&
           request->reply != HTTP_REPLY_OVER;
}

static int64_t deadline_of(const struct http_conn *conn, int64_t now)
{
    const struct pl_http_limits *limits = &conn->server->limits;
    switch (conn->state) {
    case HTTP_CONN_OPENING:
        return now + (int64_t)limits->handshake_timeout_ms;
    case HTTP_CONN_IDLE:
        return now +
               (int64_t)(conn->requests > 0 ? limits->idle_timeout_ms : limits->head_timeout_ms);
    case HTTP_CONN_HEAD:
    case HTTP_CONN_SKIPPING:
        return now + (int64_t)limits->head_timeout_ms;
    case HTTP_CONN_REQUEST:
        if (request_is_fed(conn->request))
            return now + (int64_t)limits->body_idle_timeout_ms;
        break;
    case HTTP_CONN_FLUSHING:
    case HTTP_CONN_ENDING:
    case HTTP_CONN_CLOSED:
    case HTTP_CONN_STATES:
        break;
    }
    return NEVER; /* the handler thinks, or the stream watches its own writes */
}

static void conn_arm(struct http_conn *conn, int64_t now)
{
    int64_t due = conn->deadline_ms;
    if (conn->state == HTTP_CONN_REQUEST && conn->server->limits.body_min_rate > 0 &&
        due != NEVER && due > now + HTTP_RATE_EVERY_MS)
        due = now + HTTP_RATE_EVERY_MS;
    if (due >= conn->timer_due_ms || conn->timer == NULL)
        return; /* the timer fires early enough and looks again */
    conn->timer_due_ms = due;
    pl_timer_start(conn->timer, (uint64_t)(due > now ? due - now : 0), 0);
}

void http_conn_set_deadline(struct http_conn *conn)
{
    int64_t now = pl_loop_now_ms(conn->server->loop);
    conn->deadline_ms = deadline_of(conn, now);
    conn_arm(conn, now);
}

static bool body_is_too_slow(const struct http_conn *conn, int64_t now)
{
    uint64_t rate = conn->server->limits.body_min_rate;
    if (rate == 0 || conn->state != HTTP_CONN_REQUEST || !request_is_fed(conn->request))
        return false;
    int64_t flow_ms = request_flow_ms(conn->request, now);
    return flow_ms >= HTTP_RATE_AFTER_MS &&
           conn->request->body_bytes / ((uint64_t)flow_ms / 1000) < rate;
}

static void conn_on_deadline(struct http_conn *conn)
{
    struct pl_http_request *request = conn->request;
    switch (conn->state) {
    case HTTP_CONN_OPENING:
        http_conn_cut(conn, PL_TIMED_OUT);
        break;
    case HTTP_CONN_HEAD:
        http_reply_problem(conn, 408, "The head of the request did not come in time.");
        break;
    case HTTP_CONN_REQUEST:
        http_conn_tell_gone(conn, PL_TIMED_OUT);
        if (request->reply == HTTP_REPLY_NONE)
            http_reply_problem(conn, 408, "The body of the request did not come in time.");
        else
            http_conn_cut(conn, PL_TIMED_OUT);
        break;
    case HTTP_CONN_IDLE:
    case HTTP_CONN_SKIPPING:
        http_conn_move(conn, HTTP_CONN_ENDING);
        pl_stream_end(conn->stream);
        break;
    case HTTP_CONN_FLUSHING:
    case HTTP_CONN_ENDING:
    case HTTP_CONN_CLOSED:
    case HTTP_CONN_STATES:
        break;
    }
}

static void conn_on_timer(void *owner)
{
    struct http_conn *conn = owner;
    int64_t now = pl_loop_now_ms(conn->server->loop);
    conn->timer_due_ms = NEVER;
    if (now >= conn->deadline_ms || body_is_too_slow(conn, now))
        conn_on_deadline(conn);
    else
        conn_arm(conn, now);
}

/* -- the end of requests and connections -- */

void http_conn_tell_gone(struct http_conn *conn, pl_status why)
{
    struct pl_http_request *request = conn->request;
    if (request == NULL || request->reply == HTTP_REPLY_OVER)
        return;
    void (*on_gone)(void *, pl_status) = request->watcher.on_gone;
    void *owner = request->watcher.owner;
    request->watcher = (struct pl_http_watcher){ 0 };
    if (on_gone != NULL)
        on_gone(owner, why);
}

void http_conn_cut(struct http_conn *conn, pl_status why)
{
    http_conn_tell_gone(conn, why);
    pl_stream_close(conn->stream, why);
}

static void request_free(struct http_conn *conn)
{
    if (conn->request == NULL)
        return;
    pl_arena_fini(&conn->request->arena);
    free(conn->request);
    conn->request = NULL;
}

static void conn_await_request(struct http_conn *conn)
{
    request_free(conn);
    pl_bytes_fini(&conn->head);
    conn->scan = (struct pl_http_scan){ 0 };
    conn->line_checked = false;
    http_conn_move(conn, HTTP_CONN_IDLE);
    http_conn_choose_reading(conn);
}

/* The reply has left the machine: next the rest of the body, or the next request. */
static void conn_reply_left(struct http_conn *conn)
{
    if (!conn->request->body_over) {
        http_conn_move(conn, HTTP_CONN_SKIPPING);
        http_conn_choose_reading(conn);
    } else if (conn->draining || conn->peer_ended) {
        http_conn_move(conn, HTTP_CONN_ENDING);
        pl_stream_end(conn->stream);
    } else {
        conn_await_request(conn);
    }
}

void http_conn_reply_over(struct http_conn *conn)
{
    struct pl_http_request *request = conn->request;
    request->reply = HTTP_REPLY_OVER;
    if (request->reply_closes) {
        http_conn_move(conn, HTTP_CONN_ENDING);
        pl_stream_end(conn->stream);
        return;
    }
    http_conn_move(conn, HTTP_CONN_FLUSHING);
    http_conn_choose_reading(conn);
}

void http_conn_drain(struct http_conn *conn)
{
    conn->draining = true;
    if (conn->state != HTTP_CONN_IDLE)
        return;
    http_conn_move(conn, HTTP_CONN_ENDING);
    pl_stream_end(conn->stream);
}

/* -- reading -- */

void http_conn_choose_reading(struct http_conn *conn)
{
    bool wanted = conn->state == HTTP_CONN_OPENING || conn->state == HTTP_CONN_IDLE ||
                  conn->state == HTTP_CONN_HEAD || conn->state == HTTP_CONN_SKIPPING ||
                  (conn->state == HTTP_CONN_REQUEST && conn->request->body_flows &&
                   !conn->request->body_paused && !conn->request->body_end_told);
    if (wanted)
        pl_stream_resume(conn->stream);
    else
        pl_stream_pause(conn->stream);
}

static void conn_refuse(struct http_conn *conn, const struct pl_http_refusal *refusal)
{
    conn->server->stats.requests_bad++;
    PL_LOG(conn->server->log, PL_LOG_INFO, "http.refused", PL_F("server", conn->server->name),
           PL_F("peer", conn->peer), PL_FN("code", refusal->code), PL_F("reason", refusal->why));
    http_reply_problem(conn, refusal->code, refusal->why);
}

static void conn_start_request(struct http_conn *conn)
{
    struct pl_http_refusal refusal = { .code = 503, .why = "out of memory" };
    struct pl_http_request *request = calloc(1, sizeof *request);
    if (request == NULL) {
        conn_refuse(conn, &refusal);
        return;
    }
    conn->request = request;
    request->conn = conn;
    pl_arena_init(&request->arena, HTTP_ARENA_BYTES);
    struct pl_span bytes = { .data = (const char *)conn->head.data, .size = conn->head.size };
    if (pl_http_parse_head(bytes, &request->arena, &request->head, &refusal) != PL_OK) {
        conn_refuse(conn, &refusal);
        return;
    }
    request->body_left = request->head.content_length;
    request->body_over = request->head.framing == PL_HTTP_NO_BODY;
    conn->requests++;
    conn->server->stats.requests_total++;
    http_conn_move(conn, HTTP_CONN_REQUEST);
    pl_stream_pause(conn->stream);
    conn->server->handler.on_request(conn->server->handler.owner, request);
}

/* Refuses what is not HTTP/1.x at its first line: it may never send an empty one. */
static bool conn_line_is_good(struct http_conn *conn, struct pl_http_refusal *refusal)
{
    if (conn->scan.lines == 0) {
        *refusal = (struct pl_http_refusal){ 414, "the request target is longer than 16 KiB" };
        return conn->scan.line_bytes <= PL_HTTP_TARGET_BYTES + PL_HTTP_METHOD_BYTES + 16;
    }
    if (conn->line_checked)
        return true;
    conn->line_checked = true;
    const char *data = (const char *)conn->head.data;
    size_t skip = conn->head.size > 1 && data[0] == '\r' ? 2 : 0;
    const char *end = memchr(data + skip, '\r', conn->head.size - skip);
    if (end == NULL)
        return true;
    struct pl_span line = { .data = data + skip, .size = (size_t)(end - data) - skip };
    struct pl_http_head scratch = { 0 };
    return pl_http_parse_request_line(line, &scratch, refusal) == PL_OK;
}

static size_t conn_read_head(struct http_conn *conn, const uint8_t *data, size_t size)
{
    struct pl_http_refusal refusal = { 0 };
    size_t used = 0;
    if (conn->state == HTTP_CONN_IDLE)
        http_conn_move(conn, HTTP_CONN_HEAD);
    enum pl_http_scan_result result = pl_http_scan(&conn->scan, data, size, &used, &refusal);
    if (result == PL_HTTP_SCAN_BAD) {
        conn_refuse(conn, &refusal);
        return size;
    }
    if (pl_bytes_append(&conn->head, data, used) != PL_OK) {
        refusal = (struct pl_http_refusal){ 431, "the head of the request is too long" };
        conn_refuse(conn, &refusal);
        return size;
    }
    if (!conn_line_is_good(conn, &refusal))
        conn_refuse(conn, &refusal);
    else if (result == PL_HTTP_SCAN_END)
        conn_start_request(conn);
    return conn->state == HTTP_CONN_ENDING ? size : used;
}

static void conn_show_body(struct http_conn *conn, const uint8_t *data, size_t size)
{
    struct pl_http_request *request = conn->request;
    request->body_bytes += size;
    if (size > 0 && conn->state == HTTP_CONN_REQUEST && request->watcher.on_body != NULL)
        request->watcher.on_body(request->watcher.owner, data, size);
}

static void conn_body_is_bad(struct http_conn *conn, const char *why)
{
    struct pl_http_refusal refusal = { .code = 400, .why = why };
    bool late = conn->request->reply != HTTP_REPLY_NONE;
    if (conn->state == HTTP_CONN_REQUEST)
        http_conn_tell_gone(conn, PL_BAD_REQUEST);
    if (late)
        http_conn_cut(conn, PL_BAD_REQUEST);
    else
        conn_refuse(conn, &refusal);
}

/* One run of body; skipped when the reply has gone out already. */
static size_t conn_read_body(struct http_conn *conn, const uint8_t *data, size_t size)
{
    struct pl_http_request *request = conn->request;
    size_t used = 0;
    size_t at = 0;
    size_t run = 0;
    const char *why = NULL;
    conn->deadline_ms = deadline_of(conn, pl_loop_now_ms(conn->server->loop));
    if (request->head.framing == PL_HTTP_LENGTH) {
        run = used = size < request->body_left ? size : (size_t)request->body_left;
        request->body_left -= run;
        request->body_over = request->body_left == 0;
    } else if (pl_http_chunked_read(&request->chunked, data, size, &used, &at, &run, &why) !=
               PL_OK) {
        conn_body_is_bad(conn, why);
        return size;
    }
    request->body_over = request->body_over || request->chunked.done;
    conn_show_body(conn, data + at, run);
    return used;
}

/* True when the end of the body is due to be told now. */
static bool conn_body_ends(const struct http_conn *conn)
{
    const struct pl_http_request *request = conn->request;
    return conn->state == HTTP_CONN_REQUEST && request->body_over && request->body_flows &&
           !request->body_paused && !request->body_end_told && request->reply != HTTP_REPLY_OVER;
}

static void conn_tell_body_end(struct http_conn *conn)
{
    struct pl_http_request *request = conn->request;
    request->body_end_told = true;
    http_conn_set_deadline(conn);
    http_conn_choose_reading(conn);
    if (request->watcher.on_body_end != NULL)
        request->watcher.on_body_end(request->watcher.owner);
}

static bool conn_wants_body(const struct http_conn *conn)
{
    if (conn->state == HTTP_CONN_SKIPPING)
        return !conn->request->body_over;
    return conn->state == HTTP_CONN_REQUEST && request_is_fed(conn->request);
}

static size_t conn_on_data(void *owner, const uint8_t *data, size_t size)
{
    struct http_conn *conn = owner;
    size_t used = 0;
    for (;;) {
        if (conn->state == HTTP_CONN_ENDING || conn->state == HTTP_CONN_CLOSED)
            return size;
        if (conn_body_ends(conn))
            conn_tell_body_end(conn);
        else if (conn->state == HTTP_CONN_SKIPPING && conn->request->body_over)
            conn_reply_left(conn);
        else if (used < size && (conn->state == HTTP_CONN_IDLE || conn->state == HTTP_CONN_HEAD))
            used += conn_read_head(conn, data + used, size - used);
        else if (used < size && conn_wants_body(conn))
            used += conn_read_body(conn, data + used, size - used);
        else
            return used;
    }
}

/* -- what the stream tells -- */

static void conn_on_open(void *owner)
{
    struct http_conn *conn = owner;
    http_conn_move(conn, HTTP_CONN_IDLE);
    if (conn->server->draining)
        http_conn_drain(conn);
}

/* A client may close its side after the last request and still read the answer. */
static void conn_on_end(void *owner)
{
    struct http_conn *conn = owner;
    conn->peer_ended = true;
    if ((conn->state == HTTP_CONN_REQUEST && conn->request->body_over) ||
        conn->state == HTTP_CONN_FLUSHING)
        return;
    if (conn->state == HTTP_CONN_REQUEST || conn->state == HTTP_CONN_OPENING) {
        http_conn_cut(conn, PL_PEER_GONE);
    } else if (conn->state != HTTP_CONN_ENDING && conn->state != HTTP_CONN_CLOSED) {
        http_conn_move(conn, HTTP_CONN_ENDING);
        pl_stream_end(conn->stream);
    }
}

static void conn_on_written(void *owner)
{
    struct http_conn *conn = owner;
    size_t backlog = pl_stream_backlog(conn->stream);
    if (conn->state == HTTP_CONN_FLUSHING && backlog == 0) {
        conn_reply_left(conn);
        return;
    }
    struct pl_http_request *request = conn->request;
    if (conn->state != HTTP_CONN_REQUEST || !request->reply_lags || backlog > HTTP_LOW_WATER_BYTES)
        return;
    request->reply_lags = false;
    if (request->watcher.on_writable != NULL)
        request->watcher.on_writable(request->watcher.owner);
}

static void conn_on_closed(void *owner, pl_status why)
{
    struct http_conn *conn = owner;
    struct pl_http_server *server = conn->server;
    if (conn->state == HTTP_CONN_OPENING && why != PL_STOPPING) {
        const char *reason = pl_stream_tls_reason(conn->stream);
        if (reason[0] == '\0')
            reason = why == PL_TIMED_OUT ? "the handshake took too long" : "the peer went away";
        server->stats.handshakes_failed++;
        PL_LOG(server->log, PL_LOG_INFO, "tls.handshake_failed", PL_F("server", server->name),
               PL_F("peer", conn->peer), PL_F("reason", reason));
    }
    http_conn_tell_gone(conn, why == PL_OK ? PL_PEER_GONE : why);
    server->stats.bytes_in += pl_stream_bytes_in(conn->stream);
    server->stats.bytes_out += pl_stream_bytes_out(conn->stream);
    server->stats.connections_open--;
    pl_list_remove(&conn->node);
    pl_list_remove(&conn->bucket);
    http_conn_move(conn, HTTP_CONN_CLOSED);
    pl_timer_free(conn->timer);
    request_free(conn);
    pl_bytes_fini(&conn->head);
    free(conn);
    http_server_conn_closed(server);
}

/* -- birth -- */

/* An IPv6 peer is its /64: whoever has one address there has them all. */
static void conn_set_peer(struct http_conn *conn, const struct sockaddr_storage *address)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    const uint8_t *bytes = v6->sin6_addr.s6_addr;
    if (address->ss_family == AF_INET) {
        memcpy(conn->peer_key, mapped, 12);
        memcpy(conn->peer_key + 12, &v4->sin_addr, 4);
        (void)inet_ntop(AF_INET, &v4->sin_addr, conn->peer, sizeof conn->peer);
    } else if (memcmp(bytes, mapped, 12) == 0) {
        memcpy(conn->peer_key, bytes, 16);
        (void)inet_ntop(AF_INET, bytes + 12, conn->peer, sizeof conn->peer);
    } else {
        memcpy(conn->peer_key, bytes, 8);
        (void)inet_ntop(AF_INET6, bytes, conn->peer, sizeof conn->peer);
    }
}

static struct pl_list *peer_bucket(struct pl_http_server *server, const uint8_t key[16])
{
    uint32_t hash = 2166136261u; /* FNV-1a; the cap itself bounds what one peer can add */
    for (size_t i = 0; i < 16; i++)
        hash = (hash ^ key[i]) * 16777619u;
    return &server->peers[hash % HTTP_PEER_BUCKETS];
}

static bool conn_is_admitted(struct http_conn *conn, struct pl_list *bucket)
{
    const struct pl_http_limits *limits = &conn->server->limits;
    uint64_t same = 0;
    if (conn->server->stats.connections_open >= limits->connections)
        return false;
    PL_LIST_FOR(node, bucket)
    {
        const struct http_conn *other = PL_CONTAINER_OF(node, struct http_conn, bucket);
        same += memcmp(other->peer_key, conn->peer_key, 16) == 0;
    }
    return same < limits->connections_per_peer;
}

/* At most one line in ten seconds: a flood must not fill the log as well. */
static void conn_log_refused(struct http_conn *conn)
{
    struct pl_http_server *server = conn->server;
    int64_t now = pl_loop_now_ms(server->loop);
    server->stats.connections_refused++;
    if (server->refused_logged > 0 && now - server->refused_logged_ms < HTTP_LOG_EVERY_MS)
        return;
    PL_LOG(server->log, PL_LOG_WARN, "http.too_many_connections", PL_F("server", server->name),
           PL_F("peer", conn->peer), PL_FN("open", server->stats.connections_open),
           PL_FN("refused", server->stats.connections_refused - server->refused_logged));
    server->refused_logged = server->stats.connections_refused;
    server->refused_logged_ms = now;
}

static pl_status conn_start(struct http_conn *conn)
{
    const struct pl_stream_watcher watcher = {
        .on_open = conn_on_open,
        .on_data = conn_on_data,
        .on_end = conn_on_end,
        .on_written = conn_on_written,
        .on_closed = conn_on_closed,
        .owner = conn,
    };
    pl_status status = pl_timer_new(conn->server->loop, conn_on_timer, conn, &conn->timer);
    if (status != PL_OK)
        return status;
    http_conn_set_deadline(conn);
    return pl_stream_start(conn->stream, conn->server->context, &watcher);
}

void http_conn_accept(struct pl_http_server *server, struct uv_stream_s *listener)
{
    struct sockaddr_storage address = { 0 };
    struct http_conn *conn = calloc(1, sizeof *conn);
    struct pl_stream *stream = NULL;
    server->stats.connections_total++;
    if (pl_stream_accept(server->hub, listener, &address, &stream) != PL_OK || conn == NULL)
        goto refused;
    conn->server = server;
    conn->stream = stream;
    conn->deadline_ms = conn->timer_due_ms = NEVER;
    pl_bytes_init(&conn->head, (size_t)server->limits.head_bytes);
    conn_set_peer(conn, &address);
    struct pl_list *bucket = peer_bucket(server, conn->peer_key);
    if (server->draining || !conn_is_admitted(conn, bucket)) {
        conn_log_refused(conn);
        goto refused;
    }
    pl_list_append(&server->conns, &conn->node);
    pl_list_append(bucket, &conn->bucket);
    server->stats.connections_open++;
    if (conn_start(conn) == PL_OK)
        return;
    server->stats.connections_open--;
    pl_list_remove(&conn->node);
    pl_list_remove(&conn->bucket);
    pl_timer_free(conn->timer);

refused:
    if (stream != NULL)
        pl_stream_close(stream, PL_BUSY);
    free(conn);
}
