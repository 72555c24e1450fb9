/* http_reply: what a handler may ask of its request, and how replies are written.
 *
 * A value that a handler got from outside cannot split a reply: control characters in field values
 * become spaces. Date, Content-Length, Transfer-Encoding and Connection are written here only.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_conn_priv.h"

#include <string.h>
#include <time.h>

#define HTTP_HIGH_WATER_BYTES ((size_t)262144)
#define HTTP_REPLY_LIMIT_BYTES ((size_t)64 << 20)

static const struct {
    int code;
    const char *text;
} http_reasons[] = {
    { 100, "Continue" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 207, "Multi-Status" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 424, "Failed Dependency" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

static const char *reason_of(int code)
{
    for (size_t i = 0; i < PL_COUNT_OF(http_reasons); i++)
        if (http_reasons[i].code == code)
            return http_reasons[i].text;
    return "Other"; /* the phrase may be anything (RFC 9112 section 4) */
}

/* -- the request -- */

static struct http_conn *conn_of(const struct pl_http_request *request)
{
    PL_CHECK(request->reply != HTTP_REPLY_OVER); /* it must not be touched any more */
    return request->conn;
}

struct pl_span pl_http_method(const struct pl_http_request *request)
{
    return request->head.method;
}

struct pl_span pl_http_path(const struct pl_http_request *request)
{
    return request->head.path;
}

struct pl_span pl_http_query(const struct pl_http_request *request)
{
    return request->head.query;
}

struct pl_span pl_http_header(struct pl_http_request *request, const char *name)
{
    return pl_http_head_field(&request->head, &request->arena, name);
}

uint64_t pl_http_content_length(const struct pl_http_request *request)
{
    if (request->head.framing == PL_HTTP_CHUNKED)
        return UINT64_MAX;
    return request->head.content_length;
}

const char *pl_http_peer(const struct pl_http_request *request)
{
    return request->conn->peer;
}

struct pl_arena *pl_http_arena(struct pl_http_request *request)
{
    return &request->arena;
}

void pl_http_watch(struct pl_http_request *request, const struct pl_http_watcher *watcher)
{
    (void)conn_of(request);
    request->watcher = *watcher;
}

void pl_http_body_start(struct pl_http_request *request)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct http_conn *conn = conn_of(request);
    if (request->body_flows)
        return;
    request->body_flows = true;
    request->flow_since_ms = pl_loop_now_ms(conn->server->loop);
    if (request->head.expects_continue && request->reply == HTTP_REPLY_NONE) {
        request->head.expects_continue = false;
        pl_stream_write(conn->stream, go_on, sizeof go_on - 1);
    }
    http_conn_set_deadline(conn);
    http_conn_choose_reading(conn);
}

void pl_http_body_pause(struct pl_http_request *request)
{
    struct http_conn *conn = conn_of(request);
    if (request->body_paused)
        return;
    if (request->body_flows && !request->body_over)
        request->flow_before_ms += pl_loop_now_ms(conn->server->loop) - request->flow_since_ms;
    request->body_paused = true;
    http_conn_set_deadline(conn);
    http_conn_choose_reading(conn);
}

void pl_http_body_resume(struct pl_http_request *request)
{
    struct http_conn *conn = conn_of(request);
    if (!request->body_paused)
        return;
    request->flow_since_ms = pl_loop_now_ms(conn->server->loop);
    request->body_paused = false;
    http_conn_set_deadline(conn);
    http_conn_choose_reading(conn);
}

/* -- the head of a reply -- */

/* IMF-fixdate (RFC 9110 section 5.6.7), in English whatever the locale. */
static pl_status put_date(struct pl_bytes *out)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm utc = { 0 };
    (void)gmtime_r(&now, &utc);
    return pl_bytes_format(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
                           days + (ptrdiff_t)3 * utc.tm_wday, utc.tm_mday,
                           months + (ptrdiff_t)3 * utc.tm_mon, utc.tm_year + 1900, utc.tm_hour,
                           utc.tm_min, utc.tm_sec);
}

static pl_status put_field(struct pl_bytes *out, const struct pl_http_field *field)
{
    uint8_t *room = NULL;
    PL_CHECK(pl_http_is_token(field->name));
    pl_status status = pl_bytes_reserve(out, field->name.size + field->value.size + 4, &room);
    if (status != PL_OK)
        return status;
    memcpy(room, field->name.data, field->name.size);
    room += field->name.size;
    *room++ = ':';
    *room++ = ' ';
    for (size_t i = 0; i < field->value.size; i++) {
        uint8_t c = (uint8_t)field->value.data[i];
        *room++ = c < ' ' || c == 0x7F ? ' ' : c;
    }
    *room++ = '\r';
    *room++ = '\n';
    out->size += field->name.size + field->value.size + 4;
    return PL_OK;
}

static pl_status put_framing(struct pl_bytes *out, const struct pl_http_request *request, int code,
                             uint64_t length)
{
    if (code == 204 || code == 304)
        return PL_OK;
    if (request->reply_chunked)
        return pl_bytes_format(out, "Transfer-Encoding: chunked\r\n");
    if (length == UINT64_MAX)
        return PL_OK; /* the end of the connection ends the body */
    return pl_bytes_format(out, "Content-Length: %llu\r\n", (unsigned long long)length);
}

static pl_status put_connection(struct pl_bytes *out, const struct pl_http_request *request)
{
    if (request->reply_closes)
        return pl_bytes_format(out, "Connection: close\r\n");
    if (request->head.minor == 0)
        return pl_bytes_format(out, "Connection: keep-alive\r\n");
    return PL_OK;
}

static pl_status put_head(struct pl_bytes *out, const struct pl_http_request *request, int code,
                          const struct pl_http_field *fields, size_t field_count, uint64_t length)
{
    pl_status status = pl_bytes_format(out, "HTTP/1.1 %d %s\r\n", code, reason_of(code));
    if (status == PL_OK)
        status = put_date(out);
    for (size_t i = 0; i < field_count && status == PL_OK; i++)
        status = put_field(out, &fields[i]);
    if (status == PL_OK)
        status = put_framing(out, request, code, length);
    if (status == PL_OK)
        status = put_connection(out, request);
    if (status == PL_OK)
        status = pl_bytes_append(out, "\r\n", 2);
    return status;
}

/* What the reply means for the connection: it stays only when the next request's first byte is
 * certain. A client that was never told to continue may or may not send its body: it goes. */
static bool reply_must_close(const struct pl_http_request *request)
{
    const struct http_conn *conn = request->conn;
    if (!request->head.keep_alive || conn->draining || conn->server->draining || conn->peer_ended ||
        conn->requests >= conn->server->limits.requests_per_connection)
        return true;
    if (request->body_over)
        return false;
    return request->head.expects_continue || request->head.framing == PL_HTTP_CHUNKED ||
           request->body_left > HTTP_SKIP_BYTES;
}

/* Decides about the connection and the body, writes the head into `out`. */
static pl_status reply_begin(struct pl_http_request *request, int code,
                             const struct pl_http_field *fields, size_t field_count,
                             uint64_t length, struct pl_bytes *out)
{
    PL_CHECK(request->reply == HTTP_REPLY_NONE && code >= 200 && code < 600);
    request->reply = HTTP_REPLY_STARTED;
    request->reply_closes = reply_must_close(request);
    request->reply_bodiless =
        code == 204 || code == 304 || pl_span_equals(request->head.method, "HEAD");
    request->reply_left = length;
    if (length == UINT64_MAX) {
        request->reply_chunked = request->head.minor > 0;
        request->reply_closes = request->reply_closes || !request->reply_chunked;
    }
    return put_head(out, request, code, fields, field_count, length);
}

void pl_http_reply(struct pl_http_request *request, int code, const struct pl_http_field *fields,
                   size_t field_count, const void *body, size_t size)
{
    struct http_conn *conn = conn_of(request);
    struct pl_bytes out;
    pl_bytes_init(&out, HTTP_REPLY_LIMIT_BYTES);
    pl_status status = reply_begin(request, code, fields, field_count, size, &out);
    if (status == PL_OK && !request->reply_bodiless)
        status = pl_bytes_append(&out, body, size);
    if (status == PL_OK)
        pl_stream_write(conn->stream, out.data, out.size);
    else
        pl_stream_close(conn->stream, status);
    pl_bytes_fini(&out);
    http_conn_reply_over(conn);
}

void pl_http_reply_start(struct pl_http_request *request, int code,
                         const struct pl_http_field *fields, size_t field_count, uint64_t length)
{
    struct http_conn *conn = conn_of(request);
    struct pl_bytes out;
    pl_bytes_init(&out, HTTP_REPLY_LIMIT_BYTES);
    pl_status status = reply_begin(request, code, fields, field_count, length, &out);
    if (status == PL_OK)
        pl_stream_write(conn->stream, out.data, out.size);
    else
        pl_stream_close(conn->stream, status);
    pl_bytes_fini(&out);
}

/* One chunk in one piece, so that it travels in few records. */
static void write_chunk(struct http_conn *conn, const void *data, size_t size)
{
    struct pl_bytes out;
    pl_bytes_init(&out, HTTP_REPLY_LIMIT_BYTES);
    pl_status status = pl_bytes_format(&out, "%zx\r\n", size);
    if (status == PL_OK)
        status = pl_bytes_append(&out, data, size);
    if (status == PL_OK)
        status = pl_bytes_append(&out, "\r\n", 2);
    if (status == PL_OK)
        pl_stream_write(conn->stream, out.data, out.size);
    else
        pl_stream_close(conn->stream, status);
    pl_bytes_fini(&out);
}

bool pl_http_reply_write(struct pl_http_request *request, const void *data, size_t size)
{
    struct http_conn *conn = conn_of(request);
    PL_CHECK(request->reply == HTTP_REPLY_STARTED);
    if (request->reply_left != UINT64_MAX) {
        PL_CHECK(size <= request->reply_left);
        request->reply_left -= size;
    }
    if (size > 0 && !request->reply_bodiless) {
        if (request->reply_chunked)
            write_chunk(conn, data, size);
        else
            pl_stream_write(conn->stream, data, size);
    }
    if (pl_stream_backlog(conn->stream) < HTTP_HIGH_WATER_BYTES)
        return true;
    request->reply_lags = true;
    return false;
}

void pl_http_reply_end(struct pl_http_request *request)
{
    struct http_conn *conn = conn_of(request);
    PL_CHECK(request->reply == HTTP_REPLY_STARTED);
    bool whole = request->reply_left == UINT64_MAX || request->reply_left == 0;
    if (!whole && !request->reply_bodiless) {
        pl_http_reply_abort(request);
        return;
    }
    if (request->reply_chunked && !request->reply_bodiless)
        pl_stream_write(conn->stream, "0\r\n\r\n", 5);
    http_conn_reply_over(conn);
}

void pl_http_reply_abort(struct pl_http_request *request)
{
    struct http_conn *conn = conn_of(request);
    request->watcher = (struct pl_http_watcher){ 0 };
    request->reply = HTTP_REPLY_OVER;
    pl_stream_close(conn->stream, PL_IO_ERROR);
}

/* -- the server's own words -- */

void http_reply_problem(struct http_conn *conn, int code, const char *why)
{
    const struct pl_http_request none = { .conn = conn, .reply_closes = true };
    const struct pl_http_field type = { pl_span_from("Content-Type"),
                                        pl_span_from("application/problem+json") };
    struct pl_bytes body;
    struct pl_bytes out;
    pl_bytes_init(&body, 4096);
    pl_bytes_init(&out, HTTP_REPLY_LIMIT_BYTES);
    /* `why` is a sentence of ours: no quotes, no backslashes. */
    pl_status status = pl_bytes_format(
        &body, "{\"status\":%d,\"title\":\"%s\",\"detail\":\"%s\"}\n", code, reason_of(code), why);
    if (status == PL_OK)
        status = put_head(&out, &none, code, &type, 1, body.size);
    bool bodiless = conn->request != NULL && pl_span_equals(conn->request->head.method, "HEAD");
    if (status == PL_OK && !bodiless)
        status = pl_bytes_append(&out, body.data, body.size);
    if (status == PL_OK)
        pl_stream_write(conn->stream, out.data, out.size);
    pl_bytes_fini(&out);
    pl_bytes_fini(&body);
    if (conn->request != NULL)
        conn->request->reply = HTTP_REPLY_OVER;
    http_conn_move(conn, HTTP_CONN_ENDING);
    pl_stream_end(conn->stream);
}

/* -- percent-encoding -- */

bool pl_http_percent_decode(struct pl_span encoded, struct pl_arena *arena, struct pl_span *out)
{
    char *data = pl_arena_take(arena, encoded.size + 1);
    size_t size = 0;
    if (data == NULL)
        return false;
    for (size_t i = 0; i < encoded.size; i++) {
        char c = encoded.data[i];
        if (c == '%') {
            struct pl_span digits = { .data = encoded.data + i + 1, .size = 2 };
            if (encoded.size - i < 3 || !pl_text_unhex(digits, &c, 1))
                return false;
            i += 2;
        }
        if (c == '\0')
            return false;
        data[size++] = c;
    }
    *out = (struct pl_span){ .data = data, .size = size };
    return true;
}
