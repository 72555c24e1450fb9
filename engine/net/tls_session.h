/* tls_session: one TLS connection as a pure engine between two memories: no sockets, no clock.
 *
 *   ciphertext from the peer --pl_tls_session_feed--> [session] --pl_tls_session_read--> plaintext
 *   plaintext --pl_tls_session_write--> [session] --> the `out` buffer, ciphertext for the peer
 *
 * The session borrows what it is fed, in place, and keeps no buffer of its own between records, so
 * that an idle connection costs little.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_TLS_SESSION_H
#define PL_ENGINE_NET_TLS_SESSION_H

#include "engine/base/bytes.h"
#include "engine/net/tls.h"

/* The largest plaintext of one record (RFC 8446 section 5.1). */
#define PL_TLS_RECORD_BYTES ((size_t)16384)

struct pl_tls_session;

enum pl_tls_event {
    PL_TLS_DATA,   /* *got bytes of plaintext were written */
    PL_TLS_OPENED, /* the handshake has just ended: comes once, before any data */
    PL_TLS_HUNGRY, /* everything fed was used; feed more */
    PL_TLS_ENDED,  /* the peer said close_notify: nothing more will come */
    PL_TLS_FAILED  /* broken; pl_tls_session_reason says why; an alert may wait in `out` */
};

/* Ciphertext for the peer is appended to `out`, which outlives the session. PL_NO_MEMORY. */
pl_status pl_tls_session_new(struct pl_tls_context *context, struct pl_bytes *out,
                             struct pl_tls_session **session) PL_MUST_USE;
void pl_tls_session_free(struct pl_tls_session *session);

/* Lends ciphertext; only after all that was lent before is used. */
void pl_tls_session_feed(struct pl_tls_session *session, const void *data, size_t size);
/* How much of what was lent is not used yet: it must be kept, and fed again if it moves. */
const uint8_t *pl_tls_session_unread(const struct pl_tls_session *session, size_t *size);

/* Goes one step on. `size` at least PL_TLS_RECORD_BYTES. */
enum pl_tls_event pl_tls_session_read(struct pl_tls_session *session, void *plain, size_t size,
                                      size_t *got);
/* After PL_TLS_OPENED. PL_PEER_GONE on a broken session, PL_NO_MEMORY. */
pl_status pl_tls_session_write(struct pl_tls_session *session, const void *data,
                               size_t size) PL_MUST_USE;
/* Says close_notify; writing is over. */
void pl_tls_session_close(struct pl_tls_session *session);

/* Why it failed; terminated, for the log. */
const char *pl_tls_session_reason(const struct pl_tls_session *session);
/* "TLSv1.3"; terminated. */
const char *pl_tls_session_version(const struct pl_tls_session *session);

#endif
