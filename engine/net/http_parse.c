/* http_parse: scan, request line, fields, framing; each step refuses before the next one looks.
 *
 * Targets: RFC 3986 characters, and also [ ] | ^ ` { }, which browsers and devices send unescaped
 * and which delimit nothing here. Refused are controls, spaces, bytes past ASCII, " < > \ and '#'.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_parse.h"

#include <string.h>

/* What a byte may stand in. One table, because the parser asks for every byte of every head. */
enum { IN_TOKEN = 1, IN_TARGET = 2, IN_HOST = 4, IN_HEX = 8, IN_DIGIT = 16 };

/* clang-format off */
static const unsigned char byte_class[256] = { /* ASCII; the rest may stand in none */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     0,  7,  0,  1,  7,  7,  7,  7,  6,  6,  7,  7,  6,  7,  7,  2,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31,  2,  6,  0,  6,  0,  2,
     2, 15, 15, 15, 15, 15, 15,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  2,  0,  2,  3,  7,
     3, 15, 15, 15, 15, 15, 15,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  2,  3,  2,  7,  0,
};
/* clang-format on */

static bool byte_is(char c, unsigned char in)
{
    return (byte_class[(unsigned char)c] & in) != 0;
}

/* Everything but CR and LF, which the scan handles itself: HTAB, visible ASCII, obs-text. */
static bool byte_is_text(unsigned char c)
{
    return c == '\t' || (c >= ' ' && c != 0x7F);
}

static pl_status refuse(struct pl_http_refusal *refusal, pl_status status, int code,
                        const char *why)
{
    *refusal = (struct pl_http_refusal){ .code = code, .why = why };
    return status;
}

static pl_status refuse_bad(struct pl_http_refusal *refusal, const char *why)
{
    return refuse(refusal, PL_BAD_REQUEST, 400, why);
}

bool pl_http_is_token(struct pl_span span)
{
    for (size_t i = 0; i < span.size; i++)
        if (!byte_is(span.data[i], IN_TOKEN))
            return false;
    return span.size > 0;
}

/* -- the scan -- */

static enum pl_http_scan_result scan_line_end(struct pl_http_scan *scan,
                                              struct pl_http_refusal *refusal)
{
    scan->after_cr = false;
    if (scan->line_bytes > 0) {
        scan->lines++;
        scan->line_bytes = 0;
        return PL_HTTP_SCAN_MORE;
    }
    if (scan->lines > 0)
        return PL_HTTP_SCAN_END;
    if (scan->skipped) {
        (void)refuse_bad(refusal, "the request starts with more than one empty line");
        return PL_HTTP_SCAN_BAD;
    }
    scan->skipped = true;
    return PL_HTTP_SCAN_MORE;
}

enum pl_http_scan_result pl_http_scan(struct pl_http_scan *scan, const void *data, size_t size,
                                      size_t *used, struct pl_http_refusal *refusal)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = bytes[i];
        *used = i + 1;
        if (scan->after_cr) {
            if (c != '\n') {
                (void)refuse_bad(refusal, "the head holds a CR without an LF");
                return PL_HTTP_SCAN_BAD;
            }
            enum pl_http_scan_result result = scan_line_end(scan, refusal);
            if (result != PL_HTTP_SCAN_MORE)
                return result;
        } else if (c == '\r') {
            scan->after_cr = true;
        } else if (byte_is_text(c)) {
            scan->line_bytes++;
        } else {
            (void)refuse_bad(refusal, c == '\n' ? "the head holds an LF without a CR"
                                                : "the head holds a control character");
            return PL_HTTP_SCAN_BAD;
        }
    }
    *used = size;
    return PL_HTTP_SCAN_MORE;
}

/* -- the request line -- */

/* Every byte may stand in a target and every '%' is followed by two hex digits. */
static bool target_is_clean(struct pl_span target)
{
    for (size_t i = 0; i < target.size; i++) {
        char c = target.data[i];
        if (!byte_is(c, IN_TARGET))
            return false;
        if (c == '%' && (target.size - i < 3 || !byte_is(target.data[i + 1], IN_HEX) ||
                         !byte_is(target.data[i + 2], IN_HEX)))
            return false;
    }
    return true;
}

/* uri-host [ ":" port ], RFC 9110 section 7.2; user information is refused (section 4.2.4). */
static bool authority_is_clean(struct pl_span text)
{
    size_t i = 0;
    if (text.size > 0 && text.data[0] == '[') {
        for (i = 1; i < text.size && text.data[i] != ']'; i++)
            if (!byte_is(text.data[i], IN_HEX) && text.data[i] != ':' && text.data[i] != '.')
                return false;
        if (i < 3 || i == text.size)
            return false;
        i++;
    } else {
        while (i < text.size && byte_is(text.data[i], IN_HOST))
            i++;
    }
    if (i == text.size)
        return true;
    if (text.data[i] != ':' || i == 0 || text.size - i > 6)
        return false;
    for (i++; i < text.size; i++)
        if (!byte_is(text.data[i], IN_DIGIT))
            return false;
    return true;
}

static struct pl_span span_cut(struct pl_span span, size_t from, size_t to)
{
    return (struct pl_span){ .data = span.data + from, .size = to - from };
}

static size_t span_find(struct pl_span span, size_t from, char c)
{
    const char *hit = from < span.size ? memchr(span.data + from, c, span.size - from) : NULL;
    return hit == NULL ? span.size : (size_t)(hit - span.data);
}

/* "http://host:port/path?query" becomes authority and the rest (RFC 9112 section 3.2.2). */
static pl_status target_take_authority(struct pl_span *target, struct pl_http_head *out,
                                       struct pl_http_refusal *refusal)
{
    size_t skip = 0;
    if (target->size > 7 && pl_span_equals_nocase(span_cut(*target, 0, 7), "http://"))
        skip = 7;
    else if (target->size > 8 && pl_span_equals_nocase(span_cut(*target, 0, 8), "https://"))
        skip = 8;
    else
        return refuse_bad(refusal, "the request target is neither a path nor an http address");
    size_t end = skip;
    while (end < target->size && target->data[end] != '/' && target->data[end] != '?')
        end++;
    out->authority = span_cut(*target, skip, end);
    if (end == skip || target->data[skip] == ':' || !authority_is_clean(out->authority))
        return refuse_bad(refusal, "the host in the request target is not a host");
    *target = span_cut(*target, end, target->size);
    return PL_OK;
}

static pl_status parse_target(struct pl_span target, struct pl_http_head *out,
                              struct pl_http_refusal *refusal)
{
    out->query = (struct pl_span){ .data = "", .size = 0 };
    out->authority = out->query;
    if (target.size > PL_HTTP_TARGET_BYTES)
        return refuse(refusal, PL_TOO_LARGE, 414, "the request target is longer than 16 KiB");
    if (target.size == 0 || !target_is_clean(target))
        return refuse_bad(refusal, "the request target holds what must be percent-encoded");
    if (pl_span_equals(out->method, "CONNECT"))
        return refuse(refusal, PL_UNSUPPORTED, 501, "this server is not a proxy");
    if (pl_span_equals(target, "*")) {
        out->path = target;
        if (!pl_span_equals(out->method, "OPTIONS"))
            return refuse_bad(refusal, "the target * is for OPTIONS only");
        return PL_OK;
    }
    if (target.data[0] != '/') {
        pl_status status = target_take_authority(&target, out, refusal);
        if (status != PL_OK)
            return status;
    }
    size_t mark = span_find(target, 0, '?');
    out->path = mark > 0 ? span_cut(target, 0, mark) : pl_span_from("/");
    if (mark < target.size)
        out->query = span_cut(target, mark + 1, target.size);
    return PL_OK;
}

static pl_status parse_version(struct pl_span text, unsigned *minor,
                               struct pl_http_refusal *refusal)
{
    if (text.size != 8 || memcmp(text.data, "HTTP/", 5) != 0 || !byte_is(text.data[5], IN_DIGIT) ||
        text.data[6] != '.' || !byte_is(text.data[7], IN_DIGIT))
        return refuse_bad(refusal, "the request line does not end in an HTTP version");
    if (text.data[5] != '1' || text.data[7] > '1')
        return refuse(refusal, PL_UNSUPPORTED, 505, "this server speaks HTTP/1.0 and HTTP/1.1");
    *minor = (unsigned)(text.data[7] - '0');
    return PL_OK;
}

pl_status pl_http_parse_request_line(struct pl_span line, struct pl_http_head *out,
                                     struct pl_http_refusal *refusal)
{
    size_t first = span_find(line, 0, ' ');
    size_t second = span_find(line, first + 1, ' ');
    if (second >= line.size)
        return refuse_bad(refusal, "the request line is not: method, target, version");
    out->method = span_cut(line, 0, first);
    if (!pl_http_is_token(out->method))
        return refuse_bad(refusal, "the method is not a token");
    if (out->method.size > PL_HTTP_METHOD_BYTES)
        return refuse_bad(refusal, "the method is longer than 32 characters");
    pl_status status = parse_version(span_cut(line, second + 1, line.size), &out->minor, refusal);
    if (status != PL_OK)
        return status;
    return parse_target(span_cut(line, first + 1, second), out, refusal);
}

/* -- the fields -- */

static pl_status parse_field(struct pl_span line, struct pl_http_field *out,
                             struct pl_http_refusal *refusal)
{
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return refuse_bad(refusal, "a header line starts with white space (obsolete folding)");
    size_t colon = span_find(line, 0, ':');
    if (colon == line.size)
        return refuse_bad(refusal, "a header line has no colon");
    out->name = span_cut(line, 0, colon);
    if (!pl_http_is_token(out->name))
        return refuse_bad(refusal, "the name of a header field is not a token");
    out->value = pl_span_trim(span_cut(line, colon + 1, line.size));
    return PL_OK;
}

/* Cuts a line off the front; the scan saw to it that every CR has its LF. */
static bool take_line(struct pl_span *rest, struct pl_span *line)
{
    size_t end = span_find(*rest, 0, '\r');
    if (rest->size - end < 2 || rest->data[end + 1] != '\n')
        return false;
    *line = span_cut(*rest, 0, end);
    *rest = span_cut(*rest, end + 2, rest->size);
    return true;
}

static pl_status parse_fields(struct pl_span rest, struct pl_arena *arena, struct pl_http_head *out,
                              struct pl_http_refusal *refusal)
{
    size_t lines = 0;
    for (size_t i = 0; i < rest.size; i++)
        lines += rest.data[i] == '\n';
    if (lines > PL_HTTP_FIELDS + 1)
        return refuse(refusal, PL_TOO_LARGE, 431, "the head has more than 256 header fields");
    out->fields = pl_arena_take(arena, (lines + 1) * sizeof *out->fields);
    if (out->fields == NULL)
        return refuse(refusal, PL_NO_MEMORY, 503, "out of memory");
    struct pl_span line = { 0 };
    while (take_line(&rest, &line)) {
        if (line.size == 0)
            return PL_OK;
        pl_status status = parse_field(line, &out->fields[out->field_count], refusal);
        if (status != PL_OK)
            return status;
        out->field_count++;
    }
    return refuse_bad(refusal, "the head has no end");
}

/* -- what the fields mean for framing -- */

/* The only field of that name; *count says how often it came. */
static struct pl_span field_single(const struct pl_http_head *head, const char *name, size_t *count)
{
    struct pl_span value = { 0 };
    size_t size = strlen(name);
    *count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        if (head->fields[i].name.size == size &&
            pl_span_equals_nocase(head->fields[i].name, name)) {
            value = head->fields[i].value;
            (*count)++;
        }
    }
    return value;
}

/* Calls for each element of a comma-separated list; *at starts at 0. */
static bool list_next(struct pl_span list, size_t *at, struct pl_span *element)
{
    if (*at > list.size || list.size == 0)
        return false;
    size_t comma = span_find(list, *at, ',');
    *element = pl_span_trim(span_cut(list, *at, comma));
    *at = comma + 1;
    return true;
}

static pl_status check_host(struct pl_http_head *head, struct pl_http_refusal *refusal)
{
    size_t count = 0;
    struct pl_span host = field_single(head, "Host", &count);
    if (count > 1)
        return refuse_bad(refusal, "the Host field came more than once");
    if (count == 0 && head->minor > 0)
        return refuse_bad(refusal, "an HTTP/1.1 request needs a Host field");
    if (!authority_is_clean(host))
        return refuse_bad(refusal, "the Host field is not a host");
    if (head->authority.size == 0 && count == 1)
        head->authority = host;
    return PL_OK;
}

/* A tab behind the value is white space by the grammar, and part of the value to some readers
 * (llhttp among them): where framing hangs on it, it is refused. The value lies in the head, so
 * that what follows it can be seen. */
static bool value_ends_in_tab(struct pl_span value)
{
    const char *at = value.data + value.size;
    while (*at == ' ')
        at++;
    return *at == '\t';
}

/* RFC 9112 section 6.1: chunked, once and last; other codings are not understood here. */
static pl_status check_coding(struct pl_span value, struct pl_http_refusal *refusal)
{
    size_t at = 0;
    size_t others = 0;
    bool chunked = false;
    if (value_ends_in_tab(value))
        return refuse_bad(refusal, "the Transfer-Encoding field is malformed");
    for (struct pl_span coding; list_next(value, &at, &coding);) {
        if (!pl_http_is_token(coding) || chunked)
            return refuse_bad(refusal, "the Transfer-Encoding field is malformed");
        if (pl_span_equals_nocase(coding, "chunked"))
            chunked = true;
        else
            others++;
    }
    if (!chunked)
        return refuse_bad(refusal, "the last transfer coding is not chunked");
    if (others > 0)
        return refuse(refusal, PL_UNSUPPORTED, 501, "the only transfer coding here is chunked");
    return PL_OK;
}

static pl_status check_framing(struct pl_http_head *head, struct pl_http_refusal *refusal)
{
    size_t lengths = 0;
    size_t codings = 0;
    struct pl_span length = field_single(head, "Content-Length", &lengths);
    struct pl_span coding = field_single(head, "Transfer-Encoding", &codings);
    if (lengths > 0 && codings > 0)
        return refuse_bad(refusal, "Content-Length and Transfer-Encoding exclude each other");
    if (lengths > 1)
        return refuse_bad(refusal, "the Content-Length field came more than once");
    if (codings > 1)
        return refuse_bad(refusal, "the Transfer-Encoding field came more than once");
    if (codings == 1) {
        if (head->minor == 0)
            return refuse_bad(refusal, "HTTP/1.0 has no Transfer-Encoding");
        head->framing = PL_HTTP_CHUNKED;
        return check_coding(coding, refusal);
    }
    if (lengths == 1) {
        if (value_ends_in_tab(length) ||
            !pl_text_parse_u64(length, INT64_MAX, &head->content_length))
            return refuse_bad(refusal, "the Content-Length field is not a number of bytes");
        head->framing = head->content_length > 0 ? PL_HTTP_LENGTH : PL_HTTP_NO_BODY;
    }
    return PL_OK;
}

static void check_connection(struct pl_http_head *head)
{
    bool asks_keep = false;
    bool asks_close = false;
    for (size_t i = 0; i < head->field_count; i++) {
        size_t at = 0;
        if (head->fields[i].name.size != strlen("Connection") ||
            !pl_span_equals_nocase(head->fields[i].name, "Connection"))
            continue;
        for (struct pl_span option; list_next(head->fields[i].value, &at, &option);) {
            asks_close = asks_close || pl_span_equals_nocase(option, "close");
            asks_keep = asks_keep || pl_span_equals_nocase(option, "keep-alive");
        }
    }
    head->keep_alive = !asks_close && (head->minor > 0 || asks_keep);
}

/* RFC 9110 section 10.1.1; from an HTTP/1.0 client the field is ignored. */
static pl_status check_expect(struct pl_http_head *head, struct pl_http_refusal *refusal)
{
    size_t count = 0;
    struct pl_span value = field_single(head, "Expect", &count);
    if (count == 0 || head->minor == 0)
        return PL_OK;
    if (count > 1 || !pl_span_equals_nocase(value, "100-continue"))
        return refuse(refusal, PL_UNSUPPORTED, 417, "the only expectation here is 100-continue");
    head->expects_continue = head->framing != PL_HTTP_NO_BODY;
    return PL_OK;
}

pl_status pl_http_parse_head(struct pl_span bytes, struct pl_arena *arena, struct pl_http_head *out,
                             struct pl_http_refusal *refusal)
{
    struct pl_http_head head = { 0 };
    struct pl_span line = { 0 };
    struct pl_span rest = bytes;
    if (!take_line(&rest, &line) || (line.size == 0 && !take_line(&rest, &line)))
        return refuse_bad(refusal, "the head has no request line");
    pl_status status = pl_http_parse_request_line(line, &head, refusal);
    if (status == PL_OK)
        status = parse_fields(rest, arena, &head, refusal);
    if (status == PL_OK)
        status = check_host(&head, refusal);
    if (status == PL_OK)
        status = check_framing(&head, refusal);
    if (status == PL_OK)
        status = check_expect(&head, refusal);
    if (status != PL_OK)
        return status;
    check_connection(&head);
    *out = head;
    return PL_OK;
}

/* -- reading fields -- */

struct pl_span pl_http_head_field(const struct pl_http_head *head, struct pl_arena *arena,
                                  const char *name)
{
    size_t count = 0;
    size_t total = 0;
    struct pl_span value = field_single(head, name, &count);
    if (count < 2)
        return value;
    for (size_t i = 0; i < head->field_count; i++)
        if (pl_span_equals_nocase(head->fields[i].name, name))
            total += head->fields[i].value.size + 2;
    char *joined = pl_arena_take(arena, total);
    if (joined == NULL)
        return (struct pl_span){ 0 };
    size_t at = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        if (!pl_span_equals_nocase(head->fields[i].name, name))
            continue;
        if (at > 0) {
            joined[at++] = ',';
            joined[at++] = ' ';
        }
        if (head->fields[i].value.size > 0)
            memcpy(joined + at, head->fields[i].value.data, head->fields[i].value.size);
        at += head->fields[i].value.size;
    }
    return (struct pl_span){ .data = joined, .size = at };
}
