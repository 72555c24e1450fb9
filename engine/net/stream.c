/* stream: a uv_tcp_t, perhaps a TLS session, and four buffers that exist only while they hold
 * something.
 *
 *   socket -> hub->raw -> [TLS -> hub->plain] -> on_data
 *               \-> cipher (paused in mid-read)   \-> held (what on_data did not take)
 *   pl_stream_write -> [TLS] -> out -> flying -> socket
 *
 * The hub's two buffers are enough for all streams: they are filled and emptied within one callback
 * of the loop.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/stream.h"

#include "engine/net/timer.h"
#include "engine/net/tls_session.h"

#include <uv.h>

#include <stdlib.h>

#define STREAM_OUT_BYTES ((size_t)64 << 20)    /* one reply handed over in one piece */
#define STREAM_BACKLOG_BYTES ((size_t)1 << 20) /* no reading beyond: the peer must read first */
#define STREAM_LINGER_BYTES ((size_t)65536)
#define STREAM_LINGER_MS 2000
#define STREAM_KEEPALIVE_S 60

struct pl_stream_hub {
    struct pl_loop *loop;
    uint64_t write_timeout_ms;
    uint8_t raw[PL_STREAM_READ_BYTES];
    uint8_t plain[PL_TLS_RECORD_BYTES];
};

enum stream_phase {
    STREAM_WORKING,
    STREAM_ENDING,    /* what was written must leave first */
    STREAM_LINGERING, /* FIN was sent; reading to drop */
    STREAM_CLOSING
};

struct pl_stream {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct pl_loop_task kick;
    struct pl_stream_hub *hub;
    struct pl_stream_watcher watcher;
    struct pl_tls_session *session;
    struct pl_timer *timer; /* write stall while working, then the lingering */
    struct pl_bytes out;
    struct pl_bytes flying;
    struct pl_bytes held;
    struct pl_bytes cipher;
    size_t held_at;
    size_t dropped_bytes;
    size_t stall_queue_bytes;
    int64_t stall_since_ms;
    uint64_t bytes_in;
    uint64_t bytes_out;
    enum stream_phase phase;
    pl_status why;
    bool started;
    bool paused;
    bool reading;
    bool pumping;
    bool kicked;
    bool peer_ended;
    bool shut;
    bool tcp_closed;
};

pl_status pl_stream_hub_new(struct pl_loop *loop, uint64_t write_timeout_ms,
                            struct pl_stream_hub **out)
{
    struct pl_stream_hub *hub = malloc(sizeof *hub);
    if (hub == NULL)
        return PL_NO_MEMORY;
    hub->loop = loop;
    hub->write_timeout_ms = write_timeout_ms;
    *out = hub;
    return PL_OK;
}

void pl_stream_hub_free(struct pl_stream_hub *hub)
{
    free(hub);
}

/* -- the end -- */

static void stream_free(struct pl_stream *stream)
{
    pl_tls_session_free(stream->session);
    pl_bytes_fini(&stream->out);
    pl_bytes_fini(&stream->flying);
    pl_bytes_fini(&stream->held);
    pl_bytes_fini(&stream->cipher);
    free(stream);
}

/* Once the socket is closed and no task of ours waits in the loop, nobody can reach the stream. */
static void stream_finish(struct pl_stream *stream)
{
    if (!stream->tcp_closed || stream->kicked)
        return;
    if (stream->started)
        stream->watcher.on_closed(stream->watcher.owner, stream->why);
    stream_free(stream);
}

static void stream_on_tcp_closed(uv_handle_t *handle)
{
    struct pl_stream *stream = PL_CONTAINER_OF(handle, struct pl_stream, tcp);
    stream->tcp_closed = true;
    stream_finish(stream);
}

void pl_stream_close(struct pl_stream *stream, pl_status why)
{
    if (stream->phase == STREAM_CLOSING)
        return;
    stream->phase = STREAM_CLOSING;
    if (stream->why == PL_OK)
        stream->why = why;
    pl_timer_free(stream->timer);
    stream->timer = NULL;
    uv_close((uv_handle_t *)&stream->tcp, stream_on_tcp_closed);
}

/* -- reading -- */

static void stream_flush(struct pl_stream *stream);

static void stream_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct pl_stream *stream = PL_CONTAINER_OF(handle, struct pl_stream, tcp);
    *buffer = uv_buf_init((char *)stream->hub->raw, (unsigned)sizeof stream->hub->raw);
}

static void stream_on_read(uv_stream_t *tcp, ssize_t count, const uv_buf_t *buffer);

static void stream_choose_reading(struct pl_stream *stream)
{
    bool wanted = stream->phase == STREAM_LINGERING
                      ? stream->dropped_bytes < STREAM_LINGER_BYTES
                      : stream->phase == STREAM_WORKING && !stream->paused &&
                            stream->held.size == 0 && stream->cipher.size == 0 &&
                            pl_stream_backlog(stream) < STREAM_BACKLOG_BYTES;
    wanted = wanted && !stream->peer_ended;
    if (wanted == stream->reading)
        return;
    stream->reading = wanted;
    if (!wanted)
        (void)uv_read_stop((uv_stream_t *)&stream->tcp);
    else if (uv_read_start((uv_stream_t *)&stream->tcp, stream_on_alloc, stream_on_read) != 0)
        pl_stream_close(stream, PL_PEER_GONE);
}

static void stream_end_of_peer(struct pl_stream *stream)
{
    if (stream->peer_ended)
        return;
    stream->peer_ended = true;
    stream->watcher.on_end(stream->watcher.owner);
}

/* Shows bytes that lie in the hub; keeps a copy of what is not taken. */
static void stream_show(struct pl_stream *stream, const uint8_t *data, size_t size)
{
    size_t taken = stream->watcher.on_data(stream->watcher.owner, data, size);
    if (taken == size || stream->phase != STREAM_WORKING)
        return;
    stream->paused = true;
    if (pl_bytes_append(&stream->held, data + taken, size - taken) != PL_OK)
        pl_stream_close(stream, PL_NO_MEMORY);
}

static void stream_show_held(struct pl_stream *stream)
{
    stream->held_at +=
        stream->watcher.on_data(stream->watcher.owner, stream->held.data + stream->held_at,
                                stream->held.size - stream->held_at);
    if (stream->held_at < stream->held.size) {
        stream->paused = true;
        return;
    }
    stream->held_at = 0;
    pl_bytes_fini(&stream->held);
}

/* One step of the TLS session; false when it needs more from the socket. */
static bool stream_step_tls(struct pl_stream *stream)
{
    size_t got = 0;
    switch (
        pl_tls_session_read(stream->session, stream->hub->plain, sizeof stream->hub->plain, &got)) {
    case PL_TLS_DATA:
        stream_show(stream, stream->hub->plain, got);
        return true;
    case PL_TLS_OPENED:
        stream->watcher.on_open(stream->watcher.owner);
        return true;
    case PL_TLS_HUNGRY:
        return false;
    case PL_TLS_ENDED:
        stream_end_of_peer(stream);
        return false;
    case PL_TLS_FAILED:
        break;
    }
    stream->why = PL_BAD_REQUEST;
    pl_stream_end(stream); /* the alert may tell the peer why */
    return false;
}

/* Shows everything that is here and wanted. */
static void stream_pump(struct pl_stream *stream)
{
    if (stream->pumping)
        return;
    stream->pumping = true;
    bool more = true;
    while (more && !stream->paused && stream->phase == STREAM_WORKING) {
        if (stream->held.size > 0)
            stream_show_held(stream);
        else
            more = stream->session != NULL && !stream->peer_ended && stream_step_tls(stream);
    }
    stream->pumping = false;
}

/* Ciphertext that the session did not use lies in the hub, which the next stream overwrites. */
static void stream_keep_cipher(struct pl_stream *stream)
{
    size_t unread = 0;
    const uint8_t *rest = pl_tls_session_unread(stream->session, &unread);
    if (unread == 0 || stream->phase != STREAM_WORKING || stream->peer_ended) {
        pl_tls_session_feed(stream->session, NULL, 0);
        pl_bytes_fini(&stream->cipher);
    } else if (stream->cipher.size > 0) {
        return; /* the session reads from there already */
    } else if (pl_bytes_append(&stream->cipher, rest, unread) == PL_OK) {
        pl_tls_session_feed(stream->session, stream->cipher.data, unread);
    } else {
        pl_tls_session_feed(stream->session, NULL, 0);
        pl_stream_close(stream, PL_NO_MEMORY);
    }
}

static void stream_take(struct pl_stream *stream, size_t size)
{
    if (stream->phase != STREAM_WORKING) {
        stream->dropped_bytes += size;
        return;
    }
    if (stream->session != NULL) {
        pl_tls_session_feed(stream->session, stream->hub->raw, size);
        stream_pump(stream);
        stream_keep_cipher(stream);
    } else {
        stream_show(stream, stream->hub->raw, size);
        stream_pump(stream);
    }
}

static void stream_on_read(uv_stream_t *tcp, ssize_t count, const uv_buf_t *buffer)
{
    (void)buffer;
    struct pl_stream *stream = PL_CONTAINER_OF(tcp, struct pl_stream, tcp);
    if (count > 0) {
        stream->bytes_in += (uint64_t)count;
        stream_take(stream, (size_t)count);
    } else if (count == UV_EOF) {
        if (stream->phase == STREAM_WORKING)
            stream_end_of_peer(stream);
        stream->peer_ended = true;
        if (stream->phase == STREAM_LINGERING)
            pl_stream_close(stream, PL_OK);
    } else if (count < 0) {
        pl_stream_close(stream, stream->phase == STREAM_WORKING ? PL_PEER_GONE : PL_OK);
    }
    stream_flush(stream);
    if (stream->phase != STREAM_CLOSING)
        stream_choose_reading(stream);
}

static void stream_on_kick(struct pl_loop_task *task)
{
    struct pl_stream *stream = PL_CONTAINER_OF(task, struct pl_stream, kick);
    stream->kicked = false;
    if (stream->phase == STREAM_CLOSING) {
        stream_finish(stream);
        return;
    }
    if (stream->phase == STREAM_WORKING && !stream->paused)
        (void)stream->watcher.on_data(stream->watcher.owner, NULL, 0);
    stream_pump(stream);
    if (stream->cipher.size > 0)
        stream_keep_cipher(stream);
    stream_flush(stream);
    if (stream->phase != STREAM_CLOSING)
        stream_choose_reading(stream);
}

void pl_stream_pause(struct pl_stream *stream)
{
    stream->paused = true;
}

void pl_stream_resume(struct pl_stream *stream)
{
    if (stream->phase != STREAM_WORKING)
        return;
    stream->paused = false;
    if (stream->kicked)
        return;
    stream->kicked = true;
    pl_loop_post(stream->hub->loop, &stream->kick);
}

/* -- writing -- */

static void stream_on_timer(void *owner)
{
    struct pl_stream *stream = owner;
    if (stream->phase == STREAM_LINGERING) {
        pl_stream_close(stream, PL_OK);
        return;
    }
    /* Progress is what the kernel took, not whole writes: a slow reader is not a dead one. */
    size_t queue = uv_stream_get_write_queue_size((uv_stream_t *)&stream->tcp);
    int64_t now = pl_loop_now_ms(stream->hub->loop);
    if (queue != stream->stall_queue_bytes) {
        stream->stall_queue_bytes = queue;
        stream->stall_since_ms = now;
    } else if (now - stream->stall_since_ms >= (int64_t)stream->hub->write_timeout_ms) {
        pl_stream_close(stream, PL_TIMED_OUT);
    }
}

static void stream_linger(struct pl_stream *stream)
{
    stream->phase = STREAM_LINGERING;
    stream->dropped_bytes = 0;
    if (stream->peer_ended) {
        pl_stream_close(stream, PL_OK);
        return;
    }
    pl_timer_start(stream->timer, STREAM_LINGER_MS, 0);
    stream_choose_reading(stream);
}

static void stream_on_shutdown(uv_shutdown_t *request, int result)
{
    struct pl_stream *stream = PL_CONTAINER_OF(request, struct pl_stream, shutdown);
    if (stream->phase == STREAM_CLOSING)
        return;
    if (result != 0)
        pl_stream_close(stream, PL_PEER_GONE);
    else
        stream_linger(stream);
}

static void stream_on_written(uv_write_t *request, int result)
{
    struct pl_stream *stream = PL_CONTAINER_OF(request, struct pl_stream, write);
    stream->bytes_out += stream->flying.size;
    pl_bytes_fini(&stream->flying);
    if (stream->phase == STREAM_CLOSING)
        return;
    if (result != 0) {
        pl_stream_close(stream, PL_PEER_GONE);
        return;
    }
    pl_timer_stop(stream->timer);
    stream_flush(stream);
    if (stream->phase == STREAM_WORKING)
        stream->watcher.on_written(stream->watcher.owner);
    if (stream->phase == STREAM_WORKING)
        stream_choose_reading(stream);
}

static void stream_flush(struct pl_stream *stream)
{
    if (stream->flying.size > 0 || stream->phase == STREAM_CLOSING ||
        stream->phase == STREAM_LINGERING)
        return;
    if (stream->out.size > 0) {
        stream->flying = stream->out;
        pl_bytes_init(&stream->out, STREAM_OUT_BYTES);
        uv_buf_t buffer = uv_buf_init((char *)stream->flying.data, (unsigned)stream->flying.size);
        if (uv_write(&stream->write, (uv_stream_t *)&stream->tcp, &buffer, 1, stream_on_written) !=
            0) {
            pl_stream_close(stream, PL_PEER_GONE);
            return;
        }
        stream->stall_queue_bytes = stream->flying.size;
        stream->stall_since_ms = pl_loop_now_ms(stream->hub->loop);
        uint64_t tick = stream->hub->write_timeout_ms / 4 + 1;
        pl_timer_start(stream->timer, tick, tick);
    } else if (stream->phase == STREAM_ENDING && !stream->shut) {
        stream->shut = true;
        if (uv_shutdown(&stream->shutdown, (uv_stream_t *)&stream->tcp, stream_on_shutdown) != 0)
            pl_stream_close(stream, PL_PEER_GONE);
    }
}

void pl_stream_write(struct pl_stream *stream, const void *data, size_t size)
{
    if (stream->phase != STREAM_WORKING)
        return;
    pl_status status = stream->session != NULL ? pl_tls_session_write(stream->session, data, size)
                                               : pl_bytes_append(&stream->out, data, size);
    if (status != PL_OK)
        pl_stream_close(stream, status);
    else
        stream_flush(stream);
}

size_t pl_stream_backlog(const struct pl_stream *stream)
{
    size_t flying = stream->flying.size > 0
                        ? uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp)
                        : 0;
    return stream->out.size + flying;
}

void pl_stream_end(struct pl_stream *stream)
{
    if (stream->phase != STREAM_WORKING)
        return;
    if (stream->session != NULL)
        pl_tls_session_close(stream->session);
    stream->phase = STREAM_ENDING;
    stream_flush(stream);
    if (stream->phase != STREAM_CLOSING)
        stream_choose_reading(stream);
}

/* -- birth -- */

pl_status pl_stream_accept(struct pl_stream_hub *hub, struct uv_stream_s *listener,
                           struct sockaddr_storage *peer, struct pl_stream **out)
{
    struct pl_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return PL_NO_MEMORY;
    if (uv_tcp_init(pl_loop_uv(hub->loop), &stream->tcp) != 0) {
        free(stream);
        return PL_NO_MEMORY;
    }
    stream->hub = hub;
    stream->kick.run = stream_on_kick;
    stream->paused = true;
    pl_bytes_init(&stream->out, STREAM_OUT_BYTES);
    pl_bytes_init(&stream->flying, STREAM_OUT_BYTES);
    pl_bytes_init(&stream->held, PL_STREAM_READ_BYTES);
    pl_bytes_init(&stream->cipher, PL_STREAM_READ_BYTES);
    int size = (int)sizeof *peer;
    pl_status status = pl_timer_new(hub->loop, stream_on_timer, stream, &stream->timer);
    if (uv_accept(listener, (uv_stream_t *)&stream->tcp) != 0 ||
        uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)peer, &size) != 0)
        status = PL_PEER_GONE;
    if (status != PL_OK) {
        pl_stream_close(stream, status);
        return status;
    }
    (void)uv_tcp_nodelay(&stream->tcp, 1);
    (void)uv_tcp_keepalive(&stream->tcp, 1, STREAM_KEEPALIVE_S);
    *out = stream;
    return PL_OK;
}

pl_status pl_stream_start(struct pl_stream *stream, struct pl_tls_context *context,
                          const struct pl_stream_watcher *watcher)
{
    if (context != NULL) {
        pl_status status = pl_tls_session_new(context, &stream->out, &stream->session);
        if (status != PL_OK)
            return status;
    }
    stream->watcher = *watcher;
    stream->started = true;
    stream->paused = false;
    if (context == NULL)
        watcher->on_open(watcher->owner);
    stream_choose_reading(stream);
    return PL_OK;
}

const char *pl_stream_tls_reason(const struct pl_stream *stream)
{
    return stream->session != NULL ? pl_tls_session_reason(stream->session) : "";
}

uint64_t pl_stream_bytes_in(const struct pl_stream *stream)
{
    return stream->bytes_in;
}

uint64_t pl_stream_bytes_out(const struct pl_stream *stream)
{
    return stream->bytes_out;
}
