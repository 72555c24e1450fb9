/* bench_http_parse: requests a second through our head parser and, where it is installed, llhttp.
 *
 * Both read the same three heads from memory and hand out method, target and fields; one JSON line
 * for each. Nanoseconds are the median and the 99th percentile of 200 rounds of 1,000 heads.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/clock.h"
#include "engine/net/http_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef BENCH_LLHTTP
#include <llhttp.h>
#endif

#define ROUNDS 200
#define HEADS_A_ROUND 1000

static const char *const bench_names[] = { "minimal", "upload", "browser" };
static const char *const bench_heads[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /in/inbox/SKMBT_C224e22112210080.pdf HTTP/1.1\r\nHost: scan.example:8443\r\n"
    "Authorization: Basic ZGV2aWNlLTE6Y29ycmVjdCBob3JzZQ==\r\nContent-Type: application/pdf\r\n"
    "Content-Length: 348112\r\nExpect: 100-continue\r\nUser-Agent: KM-WebDAV/1.0\r\n\r\n",
    "GET /v1/jobs?cursor=01jd3k6q2m8v5t7w9x1y3z5a7c&limit=50 HTTP/1.1\r\nHost: scan.example\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Authorization: Bearer 8f14e45fceea167a5a36dedd4bea2543\r\nConnection: keep-alive\r\n"
    "Cookie: a=0123456789abcdef; b=0123456789abcdef0123456789abcdef\r\n"
    "Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: none\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n\r\n",
};

typedef size_t bench_fn(const char *data, size_t size);

static size_t parse_ours(const char *data, size_t size)
{
    struct pl_http_scan scan = { 0 };
    struct pl_http_refusal refusal = { 0 };
    struct pl_http_head head = { 0 };
    struct pl_arena arena;
    size_t used = 0;
    pl_arena_init(&arena, (size_t)1 << 20);
    PL_CHECK(pl_http_scan(&scan, data, size, &used, &refusal) == PL_HTTP_SCAN_END);
    const struct pl_span bytes = { .data = data, .size = used };
    PL_CHECK(pl_http_parse_head(bytes, &arena, &head, &refusal) == PL_OK);
    size_t fields = head.field_count;
    pl_arena_fini(&arena);
    return fields;
}

#ifdef BENCH_LLHTTP
struct bench_sink {
    size_t fields;
    size_t bytes;
};

static int sink_on_span(llhttp_t *parser, const char *at, size_t size)
{
    (void)at;
    ((struct bench_sink *)parser->data)->bytes += size;
    return 0;
}

static int sink_on_field(llhttp_t *parser, const char *at, size_t size)
{
    ((struct bench_sink *)parser->data)->fields++;
    return sink_on_span(parser, at, size);
}

static int sink_on_head(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static size_t parse_llhttp(const char *data, size_t size)
{
    llhttp_t parser;
    llhttp_settings_t settings;
    struct bench_sink sink = { 0 };
    llhttp_settings_init(&settings);
    settings.on_method = settings.on_url = settings.on_header_value = sink_on_span;
    settings.on_header_field = sink_on_field;
    settings.on_headers_complete = sink_on_head;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &sink;
    PL_CHECK(llhttp_execute(&parser, data, size) == HPE_PAUSED);
    return sink.fields;
}
#endif

static int64_t now_ns(void)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare_ns(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *parser, bench_fn *parse, size_t which)
{
    static double ns[ROUNDS];
    const char *head = bench_heads[which];
    size_t size = strlen(head);
    size_t fields = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        int64_t start = now_ns();
        for (size_t i = 0; i < HEADS_A_ROUND; i++)
            fields = parse(head, size);
        ns[round] = (double)(now_ns() - start) / HEADS_A_ROUND;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare_ns);
    (void)printf("{\"bench\":\"http_parse\",\"parser\":\"%s\",\"head\":\"%s\",\"bytes\":%zu,"
                 "\"fields\":%zu,\"median_ns\":%.1f,\"p99_ns\":%.1f,\"mb_s\":%.0f}\n",
                 parser, bench_names[which], size, fields, ns[ROUNDS / 2], ns[ROUNDS * 99 / 100],
                 (double)size * 1000 / ns[ROUNDS / 2]);
}

int main(void)
{
    for (size_t i = 0; i < PL_COUNT_OF(bench_heads); i++) {
        measure("platen", parse_ours, i);
#ifdef BENCH_LLHTTP
        measure("llhttp", parse_llhttp, i);
#endif
    }
    return 0;
}
