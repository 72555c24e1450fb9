/* http_echo_handler: see the header.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/http_echo_handler.h"

#include "engine/net/timer.h"

#include <stdlib.h>
#include <string.h>

#define ECHO_PIECE 16384

struct exchange {
    struct echo *echo;
    struct pl_http_request *request;
    struct pl_timer *timer; /* /slow only */
    uint64_t bytes;
    uint64_t left; /* of a big answer */
    uint32_t sum;
    bool never;
};

static void exchange_free(struct exchange *exchange)
{
    pl_timer_free(exchange->timer);
    free(exchange);
}

static void exchange_on_gone(void *owner, pl_status why)
{
    struct exchange *exchange = owner;
    exchange->echo->gone++;
    exchange->echo->gone_why = why;
    exchange_free(exchange);
}

static void exchange_on_pause_over(void *owner)
{
    struct exchange *exchange = owner;
    pl_http_body_resume(exchange->request);
}

static void exchange_on_body(void *owner, const uint8_t *data, size_t size)
{
    struct exchange *exchange = owner;
    for (size_t i = 0; i < size && size < 4096; i++) /* big bodies are counted only */
        exchange->sum = exchange->sum * 31 + data[i];
    exchange->bytes += size;
    if (exchange->timer != NULL) {
        pl_http_body_pause(exchange->request);
        pl_timer_start(exchange->timer, 2, 0);
    }
}

static void exchange_on_body_end(void *owner)
{
    struct exchange *exchange = owner;
    struct pl_http_request *request = exchange->request;
    struct pl_span method = pl_http_method(request);
    struct pl_span path = pl_http_path(request);
    struct pl_span query = pl_http_query(request);
    char text[512];
    exchange->echo->ended++;
    if (exchange->never)
        return;
    (void)pl_text_format(text, sizeof text, "%.*s %.*s?%.*s bytes=%llu sum=%u\n",
                         (int)(method.size < 40 ? method.size : 40), method.data,
                         (int)(path.size < 200 ? path.size : 200), path.data,
                         (int)(query.size < 100 ? query.size : 100), query.data,
                         (unsigned long long)exchange->bytes, exchange->sum);
    const struct pl_http_field type = { pl_span_from("Content-Type"), pl_span_from("text/plain") };
    pl_http_reply(request, 200, &type, 1, text, strlen(text));
    exchange_free(exchange);
}

static void exchange_on_writable(void *owner)
{
    static const uint8_t piece[ECHO_PIECE];
    struct exchange *exchange = owner;
    while (exchange->left > 0) {
        size_t size = exchange->left < sizeof piece ? (size_t)exchange->left : sizeof piece;
        exchange->left -= size;
        if (!pl_http_reply_write(exchange->request, piece, size) && exchange->left > 0)
            return;
    }
    pl_http_reply_end(exchange->request);
    exchange_free(exchange);
}

static bool path_number(struct pl_span path, const char *prefix, uint64_t *out)
{
    size_t size = strlen(prefix);
    struct pl_span digits = { .data = path.data + size, .size = path.size - size };
    return path.size > size && memcmp(path.data, prefix, size) == 0 &&
           pl_text_parse_u64(digits, UINT64_MAX, out);
}

static void exchange_begin(struct exchange *exchange)
{
    struct pl_http_request *request = exchange->request;
    struct pl_span path = pl_http_path(request);
    uint64_t number = 0;
    if (path_number(path, "/early/", &number) && number >= 200 && number < 600) {
        pl_http_reply(request, (int)number, NULL, 0, "early\n", 6);
        exchange_free(exchange);
    } else if (pl_span_equals(path, "/nothing")) {
        pl_http_reply(request, 204, NULL, 0, NULL, 0);
        exchange_free(exchange);
    } else if (pl_span_equals(path, "/short")) {
        pl_http_reply_start(request, 200, NULL, 0, 100);
        (void)pl_http_reply_write(request, "0123456789", 10);
        pl_http_reply_abort(request);
        exchange_free(exchange);
    } else if (path_number(path, "/big/", &number)) {
        exchange->left = number;
        pl_http_reply_start(request, 200, NULL, 0, number);
        exchange_on_writable(exchange);
    } else if (path_number(path, "/chunks/", &number)) {
        exchange->left = number;
        pl_http_reply_start(request, 200, NULL, 0, UINT64_MAX);
        exchange_on_writable(exchange);
    } else {
        exchange->never = pl_span_equals(path, "/never");
        pl_http_body_start(request);
    }
}

void echo_on_request(void *owner, struct pl_http_request *request)
{
    struct echo *echo = owner;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    PL_CHECK(exchange != NULL);
    exchange->echo = echo;
    exchange->request = request;
    const struct pl_http_watcher watcher = {
        .on_body = exchange_on_body,
        .on_body_end = exchange_on_body_end,
        .on_gone = exchange_on_gone,
        .on_writable = exchange_on_writable,
        .owner = exchange,
    };
    pl_http_watch(request, &watcher);
    if (pl_span_equals(pl_http_path(request), "/slow"))
        PL_CHECK(pl_timer_new(echo->loop, exchange_on_pause_over, exchange, &exchange->timer) ==
                 PL_OK);
    exchange_begin(exchange);
}
