/* test_http_parse: what a head may say, what it may not, and which code answers it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_parse.h"

#include "tests/support/pl_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parsed {
    struct pl_arena arena;
    struct pl_http_head head;
    struct pl_http_refusal refusal;
    char *copy; /* exact size, so that reading past the end is seen */
};

/* 0 when accepted, else the code. The bytes after the head are not looked at. */
static int head_read(struct parsed *parsed, const char *bytes, size_t size)
{
    struct pl_http_scan scan = { 0 };
    size_t used = 0;
    *parsed = (struct parsed){ .copy = malloc(size) };
    memcpy(parsed->copy, bytes, size);
    pl_arena_init(&parsed->arena, (size_t)1 << 20);
    enum pl_http_scan_result result =
        pl_http_scan(&scan, parsed->copy, size, &used, &parsed->refusal);
    if (result == PL_HTTP_SCAN_MORE)
        return -1;
    if (result == PL_HTTP_SCAN_BAD)
        return parsed->refusal.code;
    pl_status status = pl_http_parse_head((struct pl_span){ .data = parsed->copy, .size = used },
                                          &parsed->arena, &parsed->head, &parsed->refusal);
    assert_true((status == PL_OK) == (parsed->refusal.code == 0));
    return parsed->refusal.code;
}

static void parsed_fini(struct parsed *parsed)
{
    pl_arena_fini(&parsed->arena);
    free(parsed->copy);
}

struct verdict {
    int code;
    const char *head;
    size_t size; /* 0: up to the terminator */
};

#define OK "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define WITH_NUL(text) text, sizeof(text) - 1

static void check_verdicts(const struct verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct parsed parsed;
        size_t size = verdicts[i].size > 0 ? verdicts[i].size : strlen(verdicts[i].head);
        int code = head_read(&parsed, verdicts[i].head, size);
        if (code != verdicts[i].code)
            (void)printf("wrong for: %s (%s)\n", verdicts[i].head,
                         parsed.refusal.why != NULL ? parsed.refusal.why : "accepted");
        assert_int_equal(code, verdicts[i].code);
        parsed_fini(&parsed);
    }
}

static void parse__line_endings__only_crlf(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, OK "\r\n", 0 },
        { 0, "\r\n" OK "\r\n", 0 },
        { 400, "\r\n\r\n" OK "\r\n", 0 },
        { 400, "\n" OK "\r\n", 0 },
        { 400, "GET / HTTP/1.1\nHost: a\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a\n\r\n", 0 },
        { 400, OK "\n", 0 },
        { 400, OK "X-Y:\rTransfer-Encoding: chunked\r\n\r\n", 0 },
        { 400, OK "X: a\rb\r\n\r\n", 0 },
        { 400, OK "X: a\r\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\rHost: a\r\r", 0 },
        { 400, OK "X: a\r\n b\r\n\r\n", 0 },
        { 400, OK "X: a\r\n\tb\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 0 },
        { 400, WITH_NUL(OK "X: a\0b\r\n\r\n") },
        { 400, WITH_NUL("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n") },
        { 400, OK "X: a\x01\r\n\r\n", 0 },
        { 400, OK "X: a\x7f\r\n\r\n", 0 },
        { 400, OK "X: a\x0b\r\n\r\n", 0 },
        { 0, OK "X: a\tb \xe4\xf6\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__request_line__one_space_known_version(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, "GET / HTTP/1.0\r\n\r\n", 0 },
        { 0, "PROPFIND /a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 0, "M-SEARCH /a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / \r\nHost: a\r\n\r\n", 0 },
        { 400, "GET\r\n\r\n", 0 },
        { 400, " \r\n\r\n", 0 },
        { 400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / http/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / HTTP/01.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.01\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / HTTP/1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET / HTTP/1. 1\r\nHost: a\r\n\r\n", 0 },
        { 505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0 },
        { 505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 0 },
        { 505, "PRI * HTTP/2.0\r\n\r\n", 0 },
        { 505, "GET / HTTP/9.9\r\nHost: a\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__targets__four_forms_less_one(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, "GET /in/d%20e/%41.pdf?x=[1]|2 HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 0, "GET http://a:80/b?c HTTP/1.1\r\nHost: other\r\n\r\n", 0 },
        { 0, "GET HTTPS://[::1]:8443 HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 0, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 0, "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /a% HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /\"a HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /<a> HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 501, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__field_lines__strict(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, OK "X:\r\n\r\n", 0 },
        { 0, OK "X:   \t a \t \r\n\r\n", 0 },
        { 0, OK "a!#$%&'*+-.^_`|~9: x\r\n\r\n", 0 },
        { 400, OK "X : a\r\n\r\n", 0 },
        { 400, OK "X\t: a\r\n\r\n", 0 },
        { 400, OK ": a\r\n\r\n", 0 },
        { 400, OK "X\r\n\r\n", 0 },
        { 400, OK "X Y: a\r\n\r\n", 0 },
        { 400, OK "X[Y]: a\r\n\r\n", 0 },
        { 400, OK "X\xe4: a\r\n\r\n", 0 },
        { 400, OK "(X): a\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__host__exactly_once_and_a_host(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 400, "GET / HTTP/1.1\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", 0 },
        { 400, OK "Host: a\r\n\r\n", 0 },
        { 400, OK "hOST: b\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 0 },
        { 0, "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0 },
        { 0, "GET / HTTP/1.1\r\nHost: a.example:8443\r\n\r\n", 0 },
        { 0, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:1\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 0 },
        { 400, "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__content_length__digits_once(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, POST "Content-Length: 5\r\n\r\n", 0 },
        { 0, POST "Content-Length:\t5 \r\n\r\n", 0 },
        { 0, POST "Content-Length: 9223372036854775807\r\n\r\n", 0 },
        { 400, POST "Content-Length: 9223372036854775808\r\n\r\n", 0 },
        { 400, POST "Content-Length: 99999999999999999999999\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5\t\r\n\r\n", 0 },
        { 400, POST "Content-Length:\r\n\r\n", 0 },
        { 400, POST "Content-Length: +5\r\n\r\n", 0 },
        { 400, POST "Content-Length: -0\r\n\r\n", 0 },
        { 400, POST "Content-Length: 0x5\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5 5\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5, 5\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5,\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5a\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__transfer_encoding__chunked_alone(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, POST "Transfer-Encoding: chunked\r\n\r\n", 0 },
        { 0, POST "transfer-encoding: CHUNKED \r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0 },
        { 400, POST "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 0 },
        { 501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: gzip\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: identity\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: xchunked\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: , chunked\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked,\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding:\r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding: chunked \t \r\n\r\n", 0 },
        { 400, POST "Transfer-Encoding : chunked\r\n\r\n", 0 },
        { 400,
          POST "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
          0 },
        { 400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

static void parse__expect__only_100_continue(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        { 0, POST "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n", 0 },
        { 0, POST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n", 0 },
        { 417, POST "Content-Length: 1\r\nExpect: 200-maybe\r\n\r\n", 0 },
        { 417, POST "Content-Length: 1\r\nExpect:\r\n\r\n", 0 },
        { 417, POST "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", 0 },
        { 0, "POST / HTTP/1.0\r\nExpect: what\r\n\r\n", 0 },
    };
    check_verdicts(verdicts, PL_COUNT_OF(verdicts));
}

#define ASSERT_SPAN(span, text) assert_true(pl_span_equals((span), (text)))

static void parse__accepted__says_what_was_sent(void **state)
{
    (void)state;
    struct parsed parsed;
    const char *bytes = "PUT /in/inbox/a%20b.pdf?d=1?2 HTTP/1.1\r\nHost: h:1\r\nX-A: 1\r\n"
                        "Expect: 100-continue\r\nx-a:  two \r\nContent-Length: 17\r\n\r\nbody";
    assert_int_equal(head_read(&parsed, bytes, strlen(bytes)), 0);
    ASSERT_SPAN(parsed.head.method, "PUT");
    ASSERT_SPAN(parsed.head.path, "/in/inbox/a%20b.pdf");
    ASSERT_SPAN(parsed.head.query, "d=1?2");
    ASSERT_SPAN(parsed.head.authority, "h:1");
    assert_int_equal(parsed.head.minor, 1);
    assert_int_equal(parsed.head.field_count, 5);
    assert_int_equal(parsed.head.framing, PL_HTTP_LENGTH);
    assert_int_equal(parsed.head.content_length, 17);
    assert_true(parsed.head.keep_alive);
    assert_true(parsed.head.expects_continue);
    ASSERT_SPAN(pl_http_head_field(&parsed.head, &parsed.arena, "X-a"), "1, two");
    ASSERT_SPAN(pl_http_head_field(&parsed.head, &parsed.arena, "host"), "h:1");
    assert_null(pl_http_head_field(&parsed.head, &parsed.arena, "none").data);
    parsed_fini(&parsed);
}

static void parse__absolute_form__beats_host(void **state)
{
    (void)state;
    struct parsed parsed;
    const char *bytes = "GET http://real:81?q HTTP/1.1\r\nHost: other\r\n\r\n";
    assert_int_equal(head_read(&parsed, bytes, strlen(bytes)), 0);
    ASSERT_SPAN(parsed.head.authority, "real:81");
    ASSERT_SPAN(parsed.head.path, "/");
    ASSERT_SPAN(parsed.head.query, "q");
    parsed_fini(&parsed);
}

static void parse__connection__decides_keep_alive(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool keeps;
    } cases[] = {
        { OK "\r\n", true },
        { OK "Connection: close\r\n\r\n", false },
        { OK "Connection: te, Close\r\n\r\n", false },
        { OK "Connection: keep-alive\r\nConnection: close\r\n\r\n", false },
        { OK "Connection: closer\r\n\r\n", true },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        struct parsed parsed;
        assert_int_equal(head_read(&parsed, cases[i].head, strlen(cases[i].head)), 0);
        assert_int_equal(parsed.head.keep_alive, cases[i].keeps);
        parsed_fini(&parsed);
    }
}

/* The room is far larger than any of these lines. */
static size_t put(char *out, const char *text)
{
    memcpy(out, text, strlen(text));
    return strlen(text);
}

static void parse__too_much__has_its_own_code(void **state)
{
    (void)state;
    struct parsed parsed;
    char *big = malloc(70000);
    size_t at = put(big, "GET /");
    memset(big + at, 'a', PL_HTTP_TARGET_BYTES);
    at += PL_HTTP_TARGET_BYTES;
    at += put(big + at, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(head_read(&parsed, big, at), 414);
    parsed_fini(&parsed);

    at = put(big, OK);
    for (int i = 1; i < PL_HTTP_FIELDS; i++)
        at += put(big + at, "X: 1\r\n");
    size_t fits = at + put(big + at, "\r\n");
    assert_int_equal(head_read(&parsed, big, fits), 0);
    assert_int_equal(parsed.head.field_count, PL_HTTP_FIELDS);
    parsed_fini(&parsed);
    at += put(big + at, "Y: 1\r\n\r\n");
    assert_int_equal(head_read(&parsed, big, at), 431);
    parsed_fini(&parsed);
    free(big);
}

static void scan__any_cut__same_end(void **state)
{
    (void)state;
    const char *bytes = "\r\n" OK "X: y\r\n\r\nGET /next";
    size_t end = (size_t)(strstr(bytes, "GET /next") - bytes);
    for (size_t cut = 0; cut <= end; cut++) {
        struct pl_http_scan scan = { 0 };
        struct pl_http_refusal refusal = { 0 };
        size_t used = 0;
        enum pl_http_scan_result first = pl_http_scan(&scan, bytes, cut, &used, &refusal);
        assert_int_equal(used, cut);
        if (first == PL_HTTP_SCAN_END) {
            assert_int_equal(cut, end);
            continue;
        }
        assert_int_equal(first, PL_HTTP_SCAN_MORE);
        assert_int_equal(pl_http_scan(&scan, bytes + cut, strlen(bytes) - cut, &used, &refusal),
                         PL_HTTP_SCAN_END);
        assert_int_equal(cut + used, end);
    }
}

static void parse__arena_full__is_told(void **state)
{
    (void)state;
    struct pl_arena arena;
    struct pl_http_head head;
    struct pl_http_refusal refusal = { 0 };
    pl_arena_init(&arena, 16);
    assert_int_equal(pl_http_parse_head(pl_span_from(OK "\r\n"), &arena, &head, &refusal),
                     PL_NO_MEMORY);
    assert_int_equal(refusal.code, 503);
    pl_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__line_endings__only_crlf),
        cmocka_unit_test(parse__request_line__one_space_known_version),
        cmocka_unit_test(parse__targets__four_forms_less_one),
        cmocka_unit_test(parse__field_lines__strict),
        cmocka_unit_test(parse__host__exactly_once_and_a_host),
        cmocka_unit_test(parse__content_length__digits_once),
        cmocka_unit_test(parse__transfer_encoding__chunked_alone),
        cmocka_unit_test(parse__expect__only_100_continue),
        cmocka_unit_test(parse__accepted__says_what_was_sent),
        cmocka_unit_test(parse__absolute_form__beats_host),
        cmocka_unit_test(parse__connection__decides_keep_alive),
        cmocka_unit_test(parse__too_much__has_its_own_code),
        cmocka_unit_test(scan__any_cut__same_end),
        cmocka_unit_test(parse__arena_full__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
