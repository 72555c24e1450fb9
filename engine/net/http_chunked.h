/* http_chunked: the chunked transfer coding (RFC 9112 section 7.1), decoded in place.
 *
 * A pure state machine: bytes in any pieces, spans of body out. Chunk extensions are read by their
 * grammar and forgotten, trailer fields are checked and dropped, both within bounds. A trailer that
 * speaks of framing or the host is refused (RFC 9110 section 6.5.1 forbids to send one). White
 * space around a chunk size is refused: no sender needs it and readers disagree on it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_HTTP_CHUNKED_H
#define PL_ENGINE_NET_HTTP_CHUNKED_H

#include "engine/base/status.h"

#define PL_HTTP_CHUNK_LINE_BYTES 512  /* a size with its extensions */
#define PL_HTTP_EXTENSION_BYTES 16384 /* all extensions of a body */
#define PL_HTTP_TRAILER_BYTES 8192

/* Zero-initialise. */
struct pl_http_chunked {
    unsigned state;
    unsigned digits;
    uint64_t left; /* of the current chunk */
    size_t line_bytes;
    size_t extension_bytes;
    size_t trailer_bytes;
    size_t name_bytes; /* of the current trailer field */
    char name[20];
    bool done;
};

/* Reads data[0..size). *used is how much was taken, `*body` the bytes of the body within it (size 0
 * when none). Stops after each run of body bytes, so call it until *used is size or `done`; bytes
 * after the end are not taken. PL_BAD_REQUEST with a sentence in *why. */
pl_status pl_http_chunked_read(struct pl_http_chunked *chunked, const uint8_t *data, size_t size,
                               size_t *used, size_t *body_at, size_t *body_size,
                               const char **why) PL_MUST_USE;

#endif
