/* http_parse: the head of an HTTP/1.x request, read strictly (RFC 9112): bytes in, fields out.
 *
 * Two steps. The scan runs over bytes as they arrive, finds the end of the head and refuses at once
 * what no head may hold (a bare CR or LF, NUL, other controls). The parse then reads the whole head
 * in one go. There is no lenient mode: what two readers could read in two ways is refused, because
 * a proxy in front of the engine may be the other reader.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_HTTP_PARSE_H
#define PL_ENGINE_NET_HTTP_PARSE_H

#include "engine/base/arena.h"
#include "engine/base/status.h"
#include "engine/base/text.h"

#define PL_HTTP_FIELDS 256
#define PL_HTTP_METHOD_BYTES 32
#define PL_HTTP_TARGET_BYTES ((size_t)16384)

struct pl_http_field {
    struct pl_span name;
    struct pl_span value;
};

/* Why a request was refused: the code to answer with and a sentence for who sent it. */
struct pl_http_refusal {
    int code;
    const char *why;
};

/* Finds the end of a head in bytes that come in pieces. Zero-initialise for each head. */
struct pl_http_scan {
    size_t line_bytes; /* of the current line */
    size_t lines;      /* lines ended so far, the leading empty one not counted */
    bool skipped;      /* one empty line before the request line was let pass (section 2.2) */
    bool after_cr;
};

enum pl_http_scan_result { PL_HTTP_SCAN_MORE, PL_HTTP_SCAN_END, PL_HTTP_SCAN_BAD };

/* Reads on; *used is how many bytes belong to the head (all of them, unless END or BAD). */
enum pl_http_scan_result pl_http_scan(struct pl_http_scan *scan, const void *data, size_t size,
                                      size_t *used, struct pl_http_refusal *refusal);

enum pl_http_framing { PL_HTTP_NO_BODY, PL_HTTP_LENGTH, PL_HTTP_CHUNKED };

/* Spans point into the head that was parsed, or into the arena. */
struct pl_http_head {
    struct pl_span method;
    struct pl_span path;      /* starts with '/', or is "*" */
    struct pl_span query;     /* after '?' */
    struct pl_span authority; /* of the absolute form, else of Host; may be empty */
    unsigned minor;           /* HTTP/1.minor: 0 or 1 */
    struct pl_http_field *fields;
    size_t field_count;
    enum pl_http_framing framing;
    uint64_t content_length; /* PL_HTTP_LENGTH only; 0 otherwise */
    bool keep_alive;
    bool expects_continue;
};

/* `bytes` is what the scan ended on, with the empty line. PL_BAD_REQUEST, PL_TOO_LARGE,
 * PL_UNSUPPORTED or PL_NO_MEMORY with the HTTP code and the reason in *refusal. */
pl_status pl_http_parse_head(struct pl_span bytes, struct pl_arena *arena, struct pl_http_head *out,
                             struct pl_http_refusal *refusal) PL_MUST_USE;

/* The request line alone, without CRLF: lets a server refuse what is not HTTP/1.x before more of
 * it arrives. Fills method, path, query, authority and minor. */
pl_status pl_http_parse_request_line(struct pl_span line, struct pl_http_head *out,
                                     struct pl_http_refusal *refusal) PL_MUST_USE;

/* Value of a field, white space trimmed; size 0 with data NULL when absent. What came more than
 * once is joined with ", " in the arena (RFC 9110 section 5.3). */
struct pl_span pl_http_head_field(const struct pl_http_head *head, struct pl_arena *arena,
                                  const char *name);

/* RFC 9110 section 5.6.2. */
bool pl_http_is_token(struct pl_span span);

#endif
