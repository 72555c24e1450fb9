/* test_http_limits: deadlines, caps and the drain: what the server does when a peer does nothing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/http_fixture.h"

#include "tests/support/pl_test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    return pl_clock_monotonic_ms(&PL_CLOCK_SYSTEM);
}

/* Short deadlines: the one under test is 100 ms, all others seconds. */
static void start_with(struct fixture *fixture, uint64_t *limit)
{
    *limit = 100;
    fixture_start(fixture, FIXTURE_PLAIN);
}

static void limits__head_in_drips__408(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    start_with(&fixture, &fixture.limits.head_timeout_ms);
    struct client *client = client_open(&fixture);
    int64_t before = now_ms();
    for (int i = 0; i < 8; i++) { /* a byte every 30 ms never makes the deadline later */
        (void)client_send(client, &"GET /abcdefgh"[i], 1);
        (void)usleep(30000);
    }
    assert_true(client_drained(client));
    assert_true(now_ms() - before < 3000);
    assert_non_null(strstr(client->text, "HTTP/1.1 408 Request Timeout\r\n"));
    assert_non_null(strstr(client->text, "Connection: close\r\n"));
    client_close(client);
    fixture_stop(&fixture);
}

static void limits__silent_newcomer__closed_without_a_word(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    start_with(&fixture, &fixture.limits.head_timeout_ms);
    struct client *client = client_open(&fixture);
    assert_true(client_drained(client));
    assert_int_equal(client->size, 0);
    client_close(client);
    fixture_stop(&fixture);
}

static void limits__idle_between_requests__closed_without_a_word(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    start_with(&fixture, &fixture.limits.idle_timeout_ms);
    struct client *client = client_open(&fixture);
    assert_true(client_say(client, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_hears(client, "bytes=0 sum=0\n"));
    assert_true(client_drained(client));
    assert_int_equal(client->size, 0);
    client_close(client);
    fixture_stop(&fixture);
}

static void limits__gap_in_the_body__408_and_the_handler_knows(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    start_with(&fixture, &fixture.limits.body_idle_timeout_ms);
    struct client *client = client_open(&fixture);
    assert_true(client_say(client, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
    for (int i = 0; i < 3; i++) { /* gaps shorter than the limit are fine, however many */
        (void)usleep(60000);
        assert_true(client_say(client, "x"));
    }
    assert_true(client_drained(client));
    assert_non_null(strstr(client->text, "HTTP/1.1 408 "));
    client_close(client);
    fixture_stop(&fixture);
    assert_int_equal(fixture.echo.gone, 1);
    assert_int_equal(fixture.echo.gone_why, PL_TIMED_OUT);
}

static void limits__handler_that_thinks__has_no_deadline(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.limits.idle_timeout_ms = fixture.limits.body_idle_timeout_ms = 50;
    fixture.limits.head_timeout_ms = 50;
    fixture.grace_ms = 100;
    fixture_start(&fixture, FIXTURE_PLAIN);
    struct client *client = client_open(&fixture);
    assert_true(client_say(client, "GET /never HTTP/1.1\r\nHost: a\r\n\r\n"));
    (void)usleep(300000);
    fixture_stop(&fixture); /* only the drain cuts it */
    assert_int_equal(fixture.echo.gone, 1);
    assert_int_equal(fixture.echo.gone_why, PL_STOPPING);
    client_close(client);
}

static void limits__peer_that_does_not_read__dropped(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    start_with(&fixture, &fixture.limits.write_timeout_ms);
    struct client *client = client_open(&fixture);
    assert_true(client_say(client, "GET /big/100000000 HTTP/1.1\r\nHost: a\r\n\r\n"));
    (void)usleep(600000);
    (void)client_drained(client);
    client_close(client);
    fixture_stop(&fixture);
    assert_int_equal(fixture.echo.gone, 1);
    assert_int_equal(fixture.echo.gone_why, PL_TIMED_OUT);
    assert_true(fixture.stats.bytes_out < 100000000);
}

static void limits__peer_gone_in_the_body__handler_knows(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_PLAIN);
    struct client *client = client_open(&fixture);
    assert_true(client_say(client, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
    client_close(client);
    client = client_open(&fixture);
    assert_true(client_say(client, "PUT /a HTTP/1.1\r\nHost: a\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
    client_close(client);
    (void)usleep(100000);
    fixture_stop(&fixture);
    assert_int_equal(fixture.echo.gone, 2);
    assert_int_equal(fixture.echo.ended, 0);
    assert_int_equal(fixture.echo.gone_why, PL_PEER_GONE);
}

static void limits__connections__capped_in_total_and_per_peer(void **state)
{
    (void)state;
    for (int total = 0; total < 2; total++) {
        struct fixture fixture;
        struct client *clients[4];
        fixture_init(&fixture);
        *(total ? &fixture.limits.connections : &fixture.limits.connections_per_peer) = 3;
        fixture_start(&fixture, FIXTURE_PLAIN);
        for (int i = 0; i < 4; i++) {
            clients[i] = client_open(&fixture);
            (void)client_say(clients[i], "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_int_equal(client_hears(clients[i], "bytes=0"), i < 3);
        }
        for (int i = 0; i < 4; i++)
            client_close(clients[i]);
        (void)usleep(50000);
        clients[0] = client_open(&fixture); /* there is room again */
        assert_true(client_say(clients[0], "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_true(client_hears(clients[0], "bytes=0"));
        client_close(clients[0]);
        fixture_stop(&fixture);
        assert_int_equal(fixture.stats.connections_refused, 1);
        assert_int_equal(fixture.stats.connections_open, 0);
    }
}

static void drain__idle_goes_at_once__busy_ends_first(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.grace_ms = 4000;
    fixture_start(&fixture, FIXTURE_PLAIN);
    struct client *idle = client_open(&fixture);
    struct client *busy = client_open(&fixture);
    assert_true(client_say(idle, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_hears(idle, "bytes=0 sum=0\n"));
    assert_true(client_say(busy, "PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"));
    (void)usleep(50000);
    int64_t before = now_ms();
    fixture_drain(&fixture);
    assert_true(client_drained(idle));
    assert_true(now_ms() - before < 1000);
    assert_true(client_say(busy, "def"));
    assert_true(client_hears(busy, "Connection: close\r\n"));
    assert_true(client_hears(busy, "PUT /b? bytes=6"));
    assert_true(client_drained(busy));
    client_close(idle);
    client_close(busy);
    fixture_stop(&fixture);
    assert_true(now_ms() - before < 3000);
    assert_int_equal(fixture.echo.gone, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits__head_in_drips__408),
        cmocka_unit_test(limits__silent_newcomer__closed_without_a_word),
        cmocka_unit_test(limits__idle_between_requests__closed_without_a_word),
        cmocka_unit_test(limits__gap_in_the_body__408_and_the_handler_knows),
        cmocka_unit_test(limits__handler_that_thinks__has_no_deadline),
        cmocka_unit_test(limits__peer_that_does_not_read__dropped),
        cmocka_unit_test(limits__peer_gone_in_the_body__handler_knows),
        cmocka_unit_test(limits__connections__capped_in_total_and_per_peer),
        cmocka_unit_test(drain__idle_goes_at_once__busy_ends_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
