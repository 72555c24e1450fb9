/* http_fixture: see the header.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/http_fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const fixture_files[] = { "rsa.pem", "rsa.key", "p256.pem", "p256.key" };

void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){ .grace_ms = 1000 };
    fixture->limits = (struct pl_http_limits){
        .head_bytes = 65536,
        .head_timeout_ms = 5000,
        .handshake_timeout_ms = 5000,
        .idle_timeout_ms = 5000,
        .body_idle_timeout_ms = 5000,
        .write_timeout_ms = 5000,
        .connections = 100,
        .connections_per_peer = 100,
        .requests_per_connection = 1000,
    };
}

static void path_of(const struct fixture *fixture, int file, char out[128])
{
    PL_CHECK(pl_text_format(out, 128, "%s/%s", fixture->folder, fixture_files[file]));
}

static void make_context(struct fixture *fixture, enum pl_tls_profile profile)
{
    static const char *const hosts[] = { "localhost", "127.0.0.1", "::1", NULL };
    char files[4][128];
    struct pl_fault fault = { 0 };
    (void)pl_text_format(fixture->folder, sizeof fixture->folder, "/tmp/platen-net-XXXXXX");
    PL_CHECK(mkdtemp(fixture->folder) != NULL);
    for (int i = 0; i < 4; i++)
        path_of(fixture, i, files[i]);
    const struct pl_tls_identity both[] = { { files[0], files[1] }, { files[2], files[3] } };
    PL_CHECK(pl_tls_self_signed(PL_TLS_KEY_RSA2048, hosts, 2, files[0], files[1], &fault) == PL_OK);
    PL_CHECK(pl_tls_self_signed(PL_TLS_KEY_P256, hosts, 2, files[2], files[3], &fault) == PL_OK);
    PL_CHECK(pl_tls_context_new(profile, both, 2, &fixture->context, &fault) == PL_OK);
}

static void *fixture_thread(void *argument)
{
    struct fixture *fixture = argument;
    pl_loop_run(fixture->loop);
    return NULL;
}

void fixture_thread_start(struct fixture *fixture)
{
    fixture->echo.loop = fixture->loop;
    PL_CHECK(pthread_create(&fixture->thread, NULL, fixture_thread, fixture) == 0);
}

void fixture_start(struct fixture *fixture, enum fixture_kind kind)
{
    const struct pl_http_handler handler = { echo_on_request, &fixture->echo };
    struct pl_fault fault = { 0 };
    if (kind != FIXTURE_PLAIN)
        make_context(fixture, kind == FIXTURE_DEVICE ? PL_TLS_DEVICE : PL_TLS_MODERN);
    PL_CHECK(pl_loop_new(&fixture->loop) == PL_OK);
    PL_CHECK(pl_http_server_new(fixture->loop, NULL, "test", fixture->context, &fixture->limits,
                                &handler, &fixture->server) == PL_OK);
    PL_CHECK(pl_http_server_listen(fixture->server, "127.0.0.1:0", &fault) == PL_OK);
    const char *colon = strrchr(pl_http_server_address(fixture->server), ':');
    fixture->port = (int)strtol(colon + 1, NULL, 10);
    fixture_thread_start(fixture);
}

static void fixture_on_drained(void *owner)
{
    struct fixture *fixture = owner;
    pl_loop_stop(fixture->loop);
}

static void fixture_on_stop(struct pl_loop_task *task)
{
    struct fixture *fixture = PL_CONTAINER_OF(task, struct fixture, task);
    pl_http_server_drain(fixture->server, fixture->grace_ms, fixture_on_drained, fixture);
}

void fixture_drain(struct fixture *fixture)
{
    fixture->stopped = true;
    fixture->task.run = fixture_on_stop;
    pl_loop_post(fixture->loop, &fixture->task);
}

void fixture_stop(struct fixture *fixture)
{
    char path[128];
    if (!fixture->stopped)
        fixture_drain(fixture);
    PL_CHECK(pthread_join(fixture->thread, NULL) == 0);
    pl_http_server_stats(fixture->server, &fixture->stats);
    pl_http_server_free(fixture->server);
    pl_loop_free(fixture->loop);
    pl_tls_context_free(fixture->context);
    for (int i = 0; i < 4 && fixture->folder[0] != '\0'; i++) {
        path_of(fixture, i, path);
        (void)unlink(path);
    }
    if (fixture->folder[0] != '\0')
        (void)rmdir(fixture->folder);
}

/* -- clients -- */

struct client *client_open(const struct fixture *fixture)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)fixture->port) };
    const struct timeval patience = { .tv_sec = 5 };
    struct client *client = calloc(1, sizeof *client);
    PL_CHECK(client != NULL);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    PL_CHECK(client->fd >= 0);
    PL_CHECK(setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    PL_CHECK(setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0);
    PL_CHECK(connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0);
    return client;
}

struct client *client_open_tls(const struct fixture *fixture, int version, const char *key)
{
    static const unsigned char alpn[] = "\x08http/1.1";
    struct client *client = client_open(fixture);
    bool rsa = strcmp(key, "RSA") == 0;
    char path[128];
    path_of(fixture, rsa ? 0 : 2, path);
    client->context = SSL_CTX_new(TLS_client_method());
    PL_CHECK(client->context != NULL);
    PL_CHECK(SSL_CTX_load_verify_locations(client->context, path, NULL) == 1);
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    PL_CHECK(SSL_CTX_set_max_proto_version(client->context, version) == 1);
    PL_CHECK(SSL_CTX_set1_sigalgs_list(client->context,
                                       rsa ? "RSA-PSS+SHA256:RSA+SHA256" : "ECDSA+SHA256") == 1);
    client->ssl = SSL_new(client->context);
    PL_CHECK(client->ssl != NULL && SSL_set_fd(client->ssl, client->fd) == 1);
    PL_CHECK(SSL_set1_host(client->ssl, "localhost") == 1);
    PL_CHECK(SSL_set_alpn_protos(client->ssl, alpn, sizeof alpn - 1) == 0);
    if (SSL_connect(client->ssl) == 1)
        return client;
    client_close(client);
    return NULL;
}

void client_close(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    (void)close(client->fd);
    free(client);
}

bool client_send(struct client *client, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        int part = size < 16384 ? (int)size : 16384;
        ssize_t put = client->ssl != NULL ? SSL_write(client->ssl, at, part)
                                          : send(client->fd, at, (size_t)part, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

bool client_say(struct client *client, const char *text)
{
    return client_send(client, text, strlen(text));
}

/* 0 at the end, negative on silence. What does not fit is dropped from the front. */
static ssize_t client_read(struct client *client)
{
    size_t room = sizeof client->text - 1 - client->size;
    if (room < 4096) {
        size_t keep = client->size / 2;
        memmove(client->text, client->text + client->size - keep, keep);
        client->size = keep;
        room = sizeof client->text - 1 - client->size;
    }
    ssize_t got = client->ssl != NULL
                      ? SSL_read(client->ssl, client->text + client->size, (int)room)
                      : recv(client->fd, client->text + client->size, room, 0);
    if (client->ssl != NULL && got <= 0)
        got = SSL_get_error(client->ssl, (int)got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    if (got > 0)
        client->size += (size_t)got;
    client->text[client->size] = '\0';
    return got;
}

bool client_hears(struct client *client, const char *wanted)
{
    for (;;) {
        char *hit = strstr(client->text, wanted);
        if (hit != NULL) {
            size_t skip = (size_t)(hit - client->text) + strlen(wanted);
            memmove(client->text, client->text + skip, client->size - skip + 1);
            client->size -= skip;
            return true;
        }
        if (client_read(client) <= 0)
            return false;
    }
}

bool client_drained(struct client *client)
{
    ssize_t got = 0;
    do
        got = client_read(client);
    while (got > 0);
    return got == 0;
}

const char *client_ask(const struct fixture *fixture, const char *text)
{
    static char answer[4096];
    struct client *client = client_open(fixture);
    PL_CHECK(client_say(client, text));
    (void)client_drained(client);
    (void)pl_text_format(answer, sizeof answer, "%s", client->text);
    client_close(client);
    return answer;
}
