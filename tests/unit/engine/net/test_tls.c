/* test_tls: profiles, certificates, refusals that are counted, and large bodies through records.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/http_fixture.h"

#include "tests/support/pl_test.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void exchange(const struct fixture *fixture, int version, const char *key)
{
    struct client *client = client_open_tls(fixture, version, key);
    if (client == NULL)
        ERR_print_errors_fp(stdout);
    assert_non_null(client);
    assert_int_equal(SSL_version(client->ssl), version);
    const unsigned char *alpn = NULL;
    unsigned alpn_size = 0;
    SSL_get0_alpn_selected(client->ssl, &alpn, &alpn_size);
    assert_int_equal(alpn_size, 8);
    assert_memory_equal(alpn, "http/1.1", 8);
    assert_true(client_say(client, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
    assert_true(client_hears(client, "POST /t? bytes=3 sum=96354\n"));
    assert_true(client_say(client, "GET /u HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    assert_true(client_drained(client)); /* ends with close_notify, not with a torn stream */
    client_close(client);
}

static void device__tls12_and_13__both_certificates(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    exchange(&fixture, TLS1_3_VERSION, "RSA");
    exchange(&fixture, TLS1_3_VERSION, "ECDSA");
    exchange(&fixture, TLS1_2_VERSION, "RSA");
    exchange(&fixture, TLS1_2_VERSION, "ECDSA");
    assert_null(client_open_tls(&fixture, TLS1_1_VERSION, "RSA"));
    fixture_stop(&fixture);
    assert_int_equal(fixture.stats.requests_total, 8);
}

static void modern__tls12__refused_and_counted(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_MODERN);
    exchange(&fixture, TLS1_3_VERSION, "ECDSA");
    assert_null(client_open_tls(&fixture, TLS1_2_VERSION, "RSA"));
    struct client *plain = client_open(&fixture);
    assert_true(client_say(plain, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    (void)client_drained(plain);
    assert_null(strstr(plain->text, "HTTP/1.1"));
    client_close(plain);
    fixture_stop(&fixture);
    assert_int_equal(fixture.stats.handshakes_failed, 2);
    assert_int_equal(fixture.stats.requests_total, 2);
}

/* One suite of TLS 1.2 alone, as an old device would offer it. */
static bool device_takes(const struct fixture *fixture, const char *suite)
{
    struct client *client = client_open(fixture);
    client->context = SSL_CTX_new(TLS_client_method());
    (void)SSL_CTX_set_max_proto_version(client->context, TLS1_2_VERSION);
    bool taken = false;
    if (SSL_CTX_set_cipher_list(client->context, suite) == 1) {
        client->ssl = SSL_new(client->context);
        assert_int_equal(SSL_set_fd(client->ssl, client->fd), 1);
        taken = SSL_connect(client->ssl) == 1 && client_say(client, "GET /s HTTP/1.0\r\n\r\n") &&
                client_hears(client, "GET /s? bytes=0");
    }
    client_close(client);
    return taken;
}

static void device__old_suites__spoken_and_unsafe_ones_not(void **state)
{
    (void)state;
    static const char *const wanted[] = { "ECDHE-ECDSA-AES128-GCM-SHA256",
                                          "ECDHE-RSA-CHACHA20-POLY1305",
                                          "ECDHE-RSA-AES128-SHA",
                                          "DHE-RSA-AES128-SHA",
                                          "AES128-GCM-SHA256",
                                          "AES128-SHA",
                                          "AES256-SHA256" };
    static const char *const unwanted[] = { "aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0",
                                            "CAMELLIA128-SHA", "PSK" };
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    for (size_t i = 0; i < PL_COUNT_OF(wanted); i++)
        assert_true(device_takes(&fixture, wanted[i]));
    for (size_t i = 0; i < PL_COUNT_OF(unwanted); i++)
        assert_false(device_takes(&fixture, unwanted[i]));
    fixture_stop(&fixture);
}

static void session__ticket__resumes_without_a_server_cache(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    struct client *first = client_open_tls(&fixture, TLS1_3_VERSION, "ECDSA");
    assert_non_null(first);
    assert_true(client_say(first, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_hears(first, "bytes=0 sum=0\n"));
    SSL_SESSION *session = SSL_get1_session(first->ssl);
    assert_true(SSL_SESSION_is_resumable(session));
    struct client *second = client_open(&fixture);
    second->ssl = SSL_new(first->context);
    assert_int_equal(SSL_set_fd(second->ssl, second->fd), 1);
    assert_int_equal(SSL_set_session(second->ssl, session), 1);
    assert_int_equal(SSL_connect(second->ssl), 1);
    assert_true(SSL_session_reused(second->ssl));
    SSL_SESSION_free(session);
    client_close(second);
    client_close(first);
    fixture_stop(&fixture);
}

static void renegotiation__asked_for__refused(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    struct client *client = client_open_tls(&fixture, TLS1_2_VERSION, "RSA");
    assert_non_null(client);
    assert_int_equal(SSL_renegotiate(client->ssl), 1);
    assert_true(SSL_do_handshake(client->ssl) != 1 || SSL_renegotiate_pending(client->ssl));
    client_close(client);
    fixture_stop(&fixture);
}

static void large_body__through_a_slow_handler__whole(void **state)
{
    enum { PIECES = 48 };
    static char block[65536];
    (void)state;
    char text[128];
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    struct client *client = client_open_tls(&fixture, TLS1_3_VERSION, "RSA");
    assert_non_null(client);
    (void)pl_text_format(text, sizeof text,
                         "PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                         PIECES * sizeof block);
    assert_true(client_say(client, text));
    for (int i = 0; i < PIECES; i++)
        assert_true(client_send(client, block, sizeof block));
    (void)pl_text_format(text, sizeof text, "PUT /slow? bytes=%zu ", PIECES * sizeof block);
    assert_true(client_hears(client, text));
    /* The other way, read late. */
    assert_true(client_say(client, "GET /chunks/3000000 HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    (void)usleep(50000);
    assert_true(client_drained(client));
    assert_non_null(strstr(client->text + client->size - 40, "GET /end? bytes=0"));
    client_close(client);
    fixture_stop(&fixture);
    assert_int_equal(fixture.echo.gone, 0);
}

/* Streams share the buffers they read into: what one leaves there while it is paused must survive
 * the other's reading. */
static void two_slow_bodies__side_by_side__both_whole(void **state)
{
    enum { PIECES = 16 };
    static char block[65536];
    (void)state;
    char text[128];
    struct client *clients[2];
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    for (int i = 0; i < 2; i++) {
        clients[i] = client_open_tls(&fixture, TLS1_3_VERSION, "ECDSA");
        assert_non_null(clients[i]);
        (void)pl_text_format(text, sizeof text,
                             "PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                             PIECES * sizeof block);
        assert_true(client_say(clients[i], text));
    }
    for (int i = 0; i < 2 * PIECES; i++)
        assert_true(client_send(clients[i % 2], block, sizeof block));
    (void)pl_text_format(text, sizeof text, "PUT /slow? bytes=%zu ", PIECES * sizeof block);
    for (int i = 0; i < 2; i++) {
        assert_true(client_hears(clients[i], text));
        client_close(clients[i]);
    }
    fixture_stop(&fixture);
    assert_int_equal(fixture.echo.gone, 0);
}

static void torn_connection__in_a_record__handler_knows(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    struct client *client = client_open_tls(&fixture, TLS1_3_VERSION, "RSA");
    assert_non_null(client);
    assert_true(client_say(client, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc"));
    (void)usleep(50000);
    /* A record of 16 bytes that authenticates as nothing. */
    assert_int_equal(write(client->fd,
                           "\x17\x03\x03\x00\x20"
                           "0123456789abcdef0123456789abcdef",
                           37),
                     37);
    client_close(client);
    (void)usleep(50000);
    fixture_stop(&fixture);
    assert_int_equal(fixture.echo.gone, 1);
    assert_int_equal(fixture.echo.ended, 0);
}

static void handshake__never_finished__closed_and_counted(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    fixture.limits.handshake_timeout_ms = 100;
    fixture_start(&fixture, FIXTURE_DEVICE);
    struct client *client = client_open(&fixture);
    assert_true(client_send(client, "\x16\x03\x01\x02", 4));
    (void)client_drained(client);
    assert_int_equal(client->size, 0);
    client_close(client);
    fixture_stop(&fixture);
    assert_int_equal(fixture.stats.handshakes_failed, 1);
}

static void context__bad_files__refused_with_a_sentence(void **state)
{
    (void)state;
    struct fixture fixture;
    struct pl_tls_context *context = NULL;
    struct pl_fault fault = { 0 };
    char certificate[128];
    char key[128];
    fixture_init(&fixture);
    fixture_start(&fixture, FIXTURE_DEVICE);
    (void)pl_text_format(certificate, sizeof certificate, "%s/rsa.pem", fixture.folder);
    (void)pl_text_format(key, sizeof key, "%s/p256.key", fixture.folder);
    const struct pl_tls_identity missing = { "/nowhere/a.pem", key };
    const struct pl_tls_identity crossed = { certificate, key };
    assert_int_equal(pl_tls_context_new(PL_TLS_DEVICE, &missing, 1, &context, &fault),
                     PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "/nowhere/a.pem: not a readable PEM certificate"));
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_tls_context_new(PL_TLS_DEVICE, &crossed, 1, &context, &fault),
                     PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "not the key of"));
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_tls_context_new(PL_TLS_DEVICE, NULL, 0, &context, &fault),
                     PL_MISCONFIGURED);
    struct stat found;
    assert_int_equal(stat(key, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    static const char *const hosts[] = { "a", NULL };
    static const char *const evil[] = { "a,IP:1.2.3.4", NULL };
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_tls_self_signed(PL_TLS_KEY_P256, hosts, 1, certificate, key, &fault),
                     PL_CONFLICT); /* never over a key that is there */
    fault = (struct pl_fault){ 0 };
    assert_int_equal(pl_tls_self_signed(PL_TLS_KEY_P256, evil, 1, certificate, key, &fault),
                     PL_MISCONFIGURED);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device__tls12_and_13__both_certificates),
        cmocka_unit_test(modern__tls12__refused_and_counted),
        cmocka_unit_test(device__old_suites__spoken_and_unsafe_ones_not),
        cmocka_unit_test(session__ticket__resumes_without_a_server_cache),
        cmocka_unit_test(renegotiation__asked_for__refused),
        cmocka_unit_test(large_body__through_a_slow_handler__whole),
        cmocka_unit_test(two_slow_bodies__side_by_side__both_whole),
        cmocka_unit_test(torn_connection__in_a_record__handler_knows),
        cmocka_unit_test(handshake__never_finished__closed_and_counted),
        cmocka_unit_test(context__bad_files__refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
