/* test_http_server: requests and replies over plain loopback: framing, order, refusals, the end.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/http_fixture.h"

#include "tests/support/pl_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n"

static struct fixture *fixture_of(void **state)
{
    return *state;
}

static int plain_start(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    fixture_init(fixture);
    fixture_start(fixture, FIXTURE_PLAIN);
    *state = fixture;
    return 0;
}

static int plain_stop(void **state)
{
    fixture_stop(*state);
    free(*state);
    return 0;
}

static void assert_has(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL)
        (void)printf("wanted %s in:\n%s\n", wanted, text);
    assert_non_null(strstr(text, wanted));
}

static void assert_has_not(const char *text, const char *unwanted)
{
    if (strstr(text, unwanted) != NULL)
        (void)printf("did not want %s in:\n%s\n", unwanted, text);
    assert_null(strstr(text, unwanted));
}

static void server__pipelined_requests__answered_in_order(void **state)
{
    struct client *client = client_open(fixture_of(state));
    assert_true(client_say(client, GET("/1") "\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n"
                                             "Content-Length: 3\r\n\r\nabc"
                                             "POST /3 HTTP/1.1\r\nHost: a\r\n"
                                             "Transfer-Encoding: chunked\r\n\r\n"
                                             "2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n" GET("/4")));
    assert_true(client_hears(client, "GET /1? bytes=0 sum=0\n"));
    assert_true(client_hears(client, "POST /2? bytes=3 sum=96354\n"));
    assert_true(client_hears(client, "POST /3? bytes=3 sum=96354\n"));
    assert_true(client_say(client, "Connection: close\r\n\r\n"));
    assert_true(client_drained(client));
    assert_has(client->text, "Connection: close\r\n");
    assert_has(client->text, "GET /4? bytes=0");
    client_close(client);
}

static void server__one_byte_at_a_time__same_answer(void **state)
{
    static const char request[] =
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n";
    struct client *client = client_open(fixture_of(state));
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_true(client_send(client, request + i, 1));
    assert_true(client_hears(client, "POST /a? bytes=3 sum=96354\n"));
    client_close(client);
}

static void server__expect__continue_only_when_the_body_is_wanted(void **state)
{
    struct client *client = client_open(fixture_of(state));
    assert_true(client_say(client, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                   "Expect: 100-continue\r\n\r\n"));
    assert_true(client_hears(client, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_int_equal(client->size, 0);
    assert_true(client_say(client, "abc"));
    assert_true(client_hears(client, "PUT /a? bytes=3"));
    client_close(client);
    const char *answer = client_ask(fixture_of(state), "PUT /early/401 HTTP/1.1\r\nHost: a\r\n"
                                                       "Content-Length: 3\r\n"
                                                       "Expect: 100-continue\r\n\r\n");
    assert_has(answer, "HTTP/1.1 401 Unauthorized\r\n");
    assert_has(answer, "Connection: close\r\n");
    assert_has_not(answer, "100 Continue");
    answer =
        client_ask(fixture_of(state), "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 101-more\r\n\r\n");
    assert_has(answer, "HTTP/1.1 417 ");
}

static void server__http10__closes_unless_asked(void **state)
{
    const char *answer = client_ask(fixture_of(state), "GET /a HTTP/1.0\r\n\r\n");
    assert_has(answer, "GET /a? bytes=0");
    assert_has(answer, "Connection: close\r\n");
    answer = client_ask(fixture_of(state), "GET /chunks/5 HTTP/1.0\r\n\r\n");
    assert_has_not(answer, "Transfer-Encoding");
    answer = client_ask(fixture_of(state), "PUT /a HTTP/1.0\r\nContent-Length: 1\r\n"
                                           "Expect: 100-continue\r\n\r\nx");
    assert_has_not(answer, "100 Continue");
    struct client *client = client_open(fixture_of(state));
    for (int i = 0; i < 3; i++) {
        assert_true(client_say(client, "GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        assert_true(client_hears(client, "Connection: keep-alive\r\n"));
        assert_true(client_hears(client, "GET /b? bytes=0 sum=0\n"));
    }
    client_close(client);
}

static void server__replies__carry_what_rfc_9110_wants(void **state)
{
    const char *answer = client_ask(fixture_of(state), "HEAD /a HTTP/1.1\r\nHost: a\r\n"
                                                       "Connection: close\r\n\r\n");
    assert_has(answer, "Content-Length: 23\r\n");
    assert_has(answer, " GMT\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    answer = client_ask(fixture_of(state), GET("/nothing") "Connection: close\r\n\r\n");
    assert_has(answer, "HTTP/1.1 204 No Content\r\n");
    assert_has_not(answer, "Content-Length");
    answer = client_ask(fixture_of(state), GET("/chunks/5") "Connection: close\r\n\r\n");
    assert_has(answer, "Transfer-Encoding: chunked\r\n");
    assert_has(answer, "\r\n\r\n5\r\n");
    answer = client_ask(fixture_of(state), "HEAD /chunks/5 HTTP/1.1\r\nHost: a\r\n"
                                           "Connection: close\r\n\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    answer = client_ask(fixture_of(state), GET("/short") "\r\n");
    assert_has(answer, "Content-Length: 100\r\n"); /* and the end comes early */
}

/* Framing tricks: one 400, the connection ends, and no handler ever saw a request. */
static void server__smuggling__is_refused_and_closed(void **state)
{
    static const char *const attempts[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n" GET("/evil") "\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n" GET(
            "/evil") "\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX-Y:\rTransfer-Encoding: chunked\r\n\r\n" GET(
            "/evil") "\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 30\r\n\r\n" GET("/evil") "\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n" GET(
            "/evil") "\r\n",
        "POST / HTTP/1.1\nHost: a\n\n" GET("/evil") "\r\n",
    };
    for (size_t i = 0; i < PL_COUNT_OF(attempts); i++) {
        const char *answer = client_ask(fixture_of(state), attempts[i]);
        assert_has(answer, "HTTP/1.1 400 Bad Request\r\n");
        assert_has(answer, "Content-Type: application/problem+json\r\n");
        assert_has(answer, "Connection: close\r\n");
        assert_has(answer, "{\"status\":400,\"title\":\"Bad Request\",\"detail\":\"");
        assert_has_not(answer, "evil");
    }
    fixture_stop(fixture_of(state));
    assert_int_equal(fixture_of(state)->stats.requests_total, 0);
    assert_int_equal(fixture_of(state)->stats.requests_bad, PL_COUNT_OF(attempts));
    fixture_init(fixture_of(state));
    fixture_start(fixture_of(state), FIXTURE_PLAIN);
}

static void server__bad_chunk__tells_the_handler_and_the_peer(void **state)
{
    const char *answer = client_ask(fixture_of(state), "POST /a HTTP/1.1\r\nHost: a\r\n"
                                                       "Transfer-Encoding: chunked\r\n\r\n"
                                                       "3\r\nabcd\r\n" GET("/evil") "\r\n");
    assert_has(answer, "HTTP/1.1 400 Bad Request\r\n");
    assert_has_not(answer, "evil");
    fixture_stop(fixture_of(state));
    assert_int_equal(fixture_of(state)->echo.gone, 1);
    assert_int_equal(fixture_of(state)->echo.gone_why, PL_BAD_REQUEST);
    assert_int_equal(fixture_of(state)->stats.requests_bad, 1);
    fixture_init(fixture_of(state));
    fixture_start(fixture_of(state), FIXTURE_PLAIN);
}

static void server__too_long__refused_before_the_end(void **state)
{
    struct client *client = client_open(fixture_of(state));
    char line[1024];
    memset(line, 'a', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 2, "\r\n", 2);
    assert_true(client_say(client, GET("/")));
    for (int i = 0; i < 64; i++)
        (void)client_send(client, line, sizeof line);
    assert_true(client_hears(client, "HTTP/1.1 431 "));
    client_close(client);

    client = client_open(fixture_of(state));
    memset(line, 'a', sizeof line);
    assert_true(client_say(client, "GET /"));
    for (int i = 0; i < 20; i++)
        (void)client_send(client, line, sizeof line);
    assert_true(client_hears(client, "HTTP/1.1 414 "));
    client_close(client);
    assert_has(client_ask(fixture_of(state), "PRI * HTTP/2.0\r\n"), "HTTP/1.1 505 ");
    assert_has(client_ask(fixture_of(state), "\x16\x03\x01\x02"), "HTTP/1.1 400 ");
}

static void server__early_reply__reaches_a_client_in_mid_sentence(void **state)
{
    char block[4096] = { 0 };
    struct client *client = client_open(fixture_of(state));
    assert_true(client_say(client, "PUT /early/413 HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: 1073741824\r\n\r\n"));
    for (int i = 0; i < 100; i++)
        (void)client_send(client, block, sizeof block);
    assert_true(client_hears(client, "HTTP/1.1 413 "));
    assert_true(client_hears(client, "Connection: close\r\n"));
    client_close(client);

    /* A small body is skipped instead, and the next request is answered. */
    client = client_open(fixture_of(state));
    assert_true(client_say(client, "PUT /early/404 HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: 4096\r\n\r\n"));
    assert_true(client_hears(client, "HTTP/1.1 404 "));
    assert_true(client_send(client, block, sizeof block));
    assert_true(client_say(client, GET("/after") "\r\n"));
    assert_true(client_hears(client, "GET /after? bytes=0"));
    client_close(client);
}

/* Closing at once would answer the late bytes with a reset, which may cost the peer the answer. */
static void server__after_a_refusal__late_bytes_meet_no_reset(void **state)
{
    char block[16384] = { 0 };
    struct client *client = client_open(fixture_of(state));
    assert_true(client_say(client, "PUT /early/413 HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: 1073741824\r\n\r\n"));
    assert_true(client_hears(client, "early\n"));
    for (int i = 0; i < 3; i++) {
        assert_true(client_send(client, block, sizeof block));
        (void)usleep(20000);
    }
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
    assert_true(client_drained(client));
    client_close(client);
}

static void server__half_closed_client__still_hears_the_answer(void **state)
{
    struct client *client = client_open(fixture_of(state));
    assert_true(
        client_say(client, "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
    assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
    assert_true(client_hears(client, "POST /slow? bytes=3"));
    client_close(client);
}

static void server__slow_handler__slows_the_sender(void **state)
{
    enum { PIECES = 64 };
    static char block[65536];
    struct client *client = client_open(fixture_of(state));
    char head[128];
    (void)pl_text_format(head, sizeof head,
                         "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                         PIECES * sizeof block);
    assert_true(client_say(client, head));
    for (int i = 0; i < PIECES; i++)
        assert_true(client_send(client, block, sizeof block));
    (void)pl_text_format(head, sizeof head, "bytes=%zu ", PIECES * sizeof block);
    assert_true(client_hears(client, head));
    client_close(client);
}

static void server__big_replies__whole_whatever_the_reader(void **state)
{
    struct client *client = client_open(fixture_of(state));
    assert_true(client_say(client, GET("/big/30000000") "\r\n"));
    (void)usleep(50000); /* the socket is full now: the handler must wait */
    assert_true(client_say(client, GET("/after") "Connection: close\r\n\r\n"));
    assert_true(client_drained(client));
    assert_has(client->text + client->size - 30, "GET /after? bytes=0");
    client_close(client);
}

static void server__requests_per_connection__are_counted(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.limits.requests_per_connection = 2;
    fixture_start(&fixture, FIXTURE_PLAIN);
    struct client *client = client_open(&fixture);
    assert_true(client_say(client, GET("/1") "\r\n" GET("/2") "\r\n" GET("/3") "\r\n"));
    assert_true(client_drained(client));
    assert_has(client->text, "GET /2? bytes=0");
    assert_has(client->text, "Connection: close\r\n");
    assert_has_not(client->text, "GET /3?");
    client_close(client);
    fixture_stop(&fixture);
    assert_int_equal(fixture.stats.requests_total, 2);
}

static void stop_loop(void *owner)
{
    pl_loop_stop(owner);
}

static void server__addresses__refused_with_a_sentence(void **state)
{
    static const char *const bad[] = { "",       "localhost:1", "127.0.0.1", "127.0.0.1:99999",
                                       "::1:80", "[::1]",       "[::1]80",   "1.2.3:80" };
    (void)state;
    struct pl_loop *loop = NULL;
    struct pl_http_server *server = NULL;
    struct fixture fixture;
    fixture_init(&fixture);
    const struct pl_http_handler handler = { echo_on_request, &fixture.echo };
    assert_int_equal(pl_loop_new(&loop), PL_OK);
    assert_int_equal(pl_http_server_new(loop, NULL, "x", NULL, &fixture.limits, &handler, &server),
                     PL_OK);
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++) {
        struct pl_fault fault = { 0 };
        assert_int_equal(pl_http_server_listen(server, bad[i], &fault), PL_MISCONFIGURED);
        assert_has(fault.reason, "is not an address to listen on");
    }
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_http_server_listen(server, "[::1]:0", &fault), PL_OK);
    assert_memory_equal(pl_http_server_address(server), "[::1]:", 6);
    assert_int_equal(pl_http_server_listen(server, pl_http_server_address(server), &fault),
                     PL_MISCONFIGURED);
    assert_has(fault.reason, "address already in use");
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_http_server_adopt(server, STDIN_FILENO, &fault), PL_MISCONFIGURED);
    assert_has(fault.reason, "is not a listening TCP socket");
    pl_http_server_drain(server, 0, stop_loop, loop);
    pl_loop_run(loop);
    pl_http_server_free(server);
    pl_loop_free(loop);
}

static void server__adopted_socket__is_served(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    struct pl_fault fault = { 0 };
    const struct pl_http_handler handler = { echo_on_request, &fixture.echo };
    fixture_init(&fixture);
    assert_int_equal(pl_loop_new(&fixture.loop), PL_OK);
    assert_int_equal(pl_http_server_new(fixture.loop, NULL, "x", NULL, &fixture.limits, &handler,
                                        &fixture.server),
                     PL_OK);
    assert_int_equal(pl_http_server_adopt(fixture.server, fd, &fault), PL_OK);
    fixture.port = ntohs(address.sin_port);
    fixture_thread_start(&fixture);
    assert_has(client_ask(&fixture, GET("/adopted") "Connection: close\r\n\r\n"),
               "GET /adopted? bytes=0");
    fixture_stop(&fixture);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, plain_start, plain_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(server__pipelined_requests__answered_in_order),
        WITH_SERVER(server__one_byte_at_a_time__same_answer),
        WITH_SERVER(server__expect__continue_only_when_the_body_is_wanted),
        WITH_SERVER(server__http10__closes_unless_asked),
        WITH_SERVER(server__replies__carry_what_rfc_9110_wants),
        WITH_SERVER(server__smuggling__is_refused_and_closed),
        WITH_SERVER(server__bad_chunk__tells_the_handler_and_the_peer),
        WITH_SERVER(server__too_long__refused_before_the_end),
        WITH_SERVER(server__early_reply__reaches_a_client_in_mid_sentence),
        WITH_SERVER(server__after_a_refusal__late_bytes_meet_no_reset),
        WITH_SERVER(server__half_closed_client__still_hears_the_answer),
        WITH_SERVER(server__slow_handler__slows_the_sender),
        WITH_SERVER(server__big_replies__whole_whatever_the_reader),
        cmocka_unit_test(server__requests_per_connection__are_counted),
        cmocka_unit_test(server__addresses__refused_with_a_sentence),
        cmocka_unit_test(server__adopted_socket__is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
