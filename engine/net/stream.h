/* stream: one accepted TCP connection, plain or TLS, with back-pressure in both directions.
 *
 * Reading: bytes are shown to on_data where they were decrypted; what it does not take is held and
 * the stream pauses, down to the socket, so that TCP slows the sender. Writing: bytes are copied,
 * pl_stream_backlog says how much has not left yet, on_written says that some has.
 *
 * A stream that neither reads nor writes keeps no buffer: thousands may idle.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_STREAM_H
#define PL_ENGINE_NET_STREAM_H

#include "engine/net/loop.h"
#include "engine/net/tls.h"

#include <sys/socket.h>

struct uv_stream_s;
struct pl_stream;
struct pl_stream_hub;

#define PL_STREAM_READ_BYTES ((size_t)65536)

struct pl_stream_watcher {
    /* The TLS handshake has ended (plain: at once). */
    void (*on_open)(void *owner);
    /* Takes up to `size` bytes and returns how many. Less than all pauses the stream until
     * pl_stream_resume. Called once with size 0 after each resume. */
    size_t (*on_data)(void *owner, const uint8_t *data, size_t size);
    /* The peer will send no more (FIN or close_notify). It may still read. */
    void (*on_end)(void *owner);
    /* Some of what was written has left. */
    void (*on_written)(void *owner);
    /* The last call: PL_OK after pl_stream_end, else why. The stream is freed afterwards. */
    void (*on_closed)(void *owner, pl_status why);
    void *owner;
};

/* What streams of one owner share: the loop and the buffers they read into. */
pl_status pl_stream_hub_new(struct pl_loop *loop, uint64_t write_timeout_ms,
                            struct pl_stream_hub **out) PL_MUST_USE;
/* After the last on_closed. */
void pl_stream_hub_free(struct pl_stream_hub *hub);

/* Takes the waiting connection of a listening socket and tells where it comes from. On failure the
 * connection is gone and nothing is left. */
pl_status pl_stream_accept(struct pl_stream_hub *hub, struct uv_stream_s *listener,
                           struct sockaddr_storage *peer, struct pl_stream **out) PL_MUST_USE;
/* Begins to read; `context` NULL is plain. PL_NO_MEMORY: then close it. */
pl_status pl_stream_start(struct pl_stream *stream, struct pl_tls_context *context,
                          const struct pl_stream_watcher *watcher) PL_MUST_USE;

/* Copies; fails silently on a stream that is closing. */
void pl_stream_write(struct pl_stream *stream, const void *data, size_t size);
size_t pl_stream_backlog(const struct pl_stream *stream);

void pl_stream_pause(struct pl_stream *stream);
/* What was held is shown on a later turn of the loop, never from inside this call. */
void pl_stream_resume(struct pl_stream *stream);

/* Lets everything written leave, says close_notify and FIN, then reads and drops a little (64 KiB,
 * 2 s) so that a peer in mid-sentence can still read the answer, and closes. */
void pl_stream_end(struct pl_stream *stream);
/* Closes now; on_closed follows on a later turn with `why`. */
void pl_stream_close(struct pl_stream *stream, pl_status why);

/* Why TLS failed, empty when it did not. */
const char *pl_stream_tls_reason(const struct pl_stream *stream);
/* Bytes on the wire. */
uint64_t pl_stream_bytes_in(const struct pl_stream *stream);
uint64_t pl_stream_bytes_out(const struct pl_stream *stream);

#endif
