/* http_fixture: an echo server on its own thread, and blocking clients with deadlines, for tests.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_HTTP_FIXTURE_H
#define PL_TESTS_SUPPORT_HTTP_FIXTURE_H

#include "tests/support/http_echo_handler.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct fixture {
    struct pl_loop *loop;
    struct pl_http_server *server;
    struct pl_tls_context *context;
    struct pl_loop_task task;
    struct echo echo;
    struct pl_http_limits limits; /* set before fixture_start; usual ones by fixture_init */
    uint64_t grace_ms;
    struct pl_http_stats stats; /* after fixture_stop */
    pthread_t thread;
    char folder[64]; /* with the certificates */
    int port;
    bool stopped;
};

enum fixture_kind { FIXTURE_PLAIN, FIXTURE_DEVICE, FIXTURE_MODERN };

void fixture_init(struct fixture *fixture);
void fixture_start(struct fixture *fixture, enum fixture_kind kind);
/* Runs the loop on a thread: for tests that made loop and server themselves. */
void fixture_thread_start(struct fixture *fixture);
/* Asks the server to drain; fixture_stop waits for it. */
void fixture_drain(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);

/* A connection; `ssl` NULL is plain. Every call gives up after five seconds. */
struct client {
    int fd;
    SSL_CTX *context;
    SSL *ssl;
    char text[131072]; /* what was read, terminated */
    size_t size;
};

struct client *client_open(const struct fixture *fixture);
/* The highest TLS version, and "RSA" or "ECDSA" alone in TLS 1.2 or as signature in 1.3. NULL when
 * the server refuses. */
struct client *client_open_tls(const struct fixture *fixture, int version, const char *key);
void client_close(struct client *client);
bool client_send(struct client *client, const void *data, size_t size);
bool client_say(struct client *client, const char *text);
/* Reads until `text` holds `wanted`, or the end; true when it was found. Starts where the last
 * call stopped, keeping what came behind it. */
bool client_hears(struct client *client, const char *wanted);
/* Reads to the end of the connection; false when it does not end in time. */
bool client_drained(struct client *client);
/* Sends, reads to the end, closes: "" when nothing came. The text lives until the next call. */
const char *client_ask(const struct fixture *fixture, const char *text);

#endif
