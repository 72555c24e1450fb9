/* http_echo: a server with one handler, for tests and measurements from outside.
 *
 *   http_echo plain|device|modern ADDRESS [FOLDER for certificates]
 *
 * Prints "listening ADDRESS" and serves until SIGTERM, then drains and prints its counters.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/http_echo_handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct pl_loop *loop;
    struct pl_http_server *server;
};

static void program_on_drained(void *owner)
{
    struct program *program = owner;
    pl_loop_stop(program->loop);
}

static void program_on_signal(void *owner, int signum)
{
    struct program *program = owner;
    (void)signum;
    pl_http_server_drain(program->server, 3000, program_on_drained, program);
}

static struct pl_tls_context *context_new(const char *profile, const char *folder)
{
    static const char *const hosts[] = { "localhost", "127.0.0.1", NULL };
    char files[4][512];
    struct pl_tls_context *context = NULL;
    struct pl_fault fault = { 0 };
    for (int i = 0; i < 4; i++)
        PL_CHECK(pl_text_format(files[i], sizeof files[i], "%s/%s-%s.pem", folder,
                                i < 2 ? "rsa" : "p256", i % 2 == 0 ? "certificate" : "key"));
    const struct pl_tls_identity identities[] = { { files[0], files[1] }, { files[2], files[3] } };
    enum pl_tls_profile which = strcmp(profile, "device") == 0 ? PL_TLS_DEVICE : PL_TLS_MODERN;
    if (pl_tls_self_signed(PL_TLS_KEY_RSA2048, hosts, 30, files[0], files[1], &fault) != PL_OK ||
        pl_tls_self_signed(PL_TLS_KEY_P256, hosts, 30, files[2], files[3], &fault) != PL_OK ||
        pl_tls_context_new(which, identities, 2, &context, &fault) != PL_OK)
        (void)fprintf(stderr, "http_echo: %s\n", fault.reason);
    return context;
}

static uint64_t setting(const char *name, uint64_t usual)
{
    const char *text = getenv(name);
    uint64_t value = usual;
    if (text != NULL)
        PL_CHECK(pl_text_parse_u64(pl_span_from(text), UINT64_MAX, &value));
    return value;
}

int main(int argc, char **argv)
{
    struct echo echo = { 0 };
    struct program program = { 0 };
    struct pl_http_stats stats = { 0 };
    struct pl_tls_context *context = NULL;
    struct pl_fault fault = { 0 };
    const struct pl_clock clock = PL_CLOCK_SYSTEM;
    const struct pl_log log = { (enum pl_log_level)setting("ECHO_LOG", PL_LOG_WARN), PL_LOG_TEXT,
                                pl_log_stderr, NULL, &clock };
    const struct pl_http_limits limits = {
        .head_bytes = 65536,
        .head_timeout_ms = setting("ECHO_HEAD_MS", 10000),
        .handshake_timeout_ms = setting("ECHO_HANDSHAKE_MS", 10000),
        .idle_timeout_ms = setting("ECHO_IDLE_MS", 60000),
        .body_idle_timeout_ms = setting("ECHO_BODY_MS", 60000),
        .write_timeout_ms = setting("ECHO_WRITE_MS", 30000),
        .connections = setting("ECHO_CONNECTIONS", 20000),
        .connections_per_peer = setting("ECHO_PER_PEER", 20000),
        .requests_per_connection = UINT64_MAX,
    };
    const struct pl_http_handler handler = { echo_on_request, &echo };
    if (argc < 3 || (strcmp(argv[1], "plain") != 0 && argc < 4))
        return 2;
    if (argc > 3 && (context = context_new(argv[1], argv[3])) == NULL)
        return 1;
    PL_CHECK(pl_loop_new(&program.loop) == PL_OK);
    echo.loop = program.loop;
    PL_CHECK(pl_http_server_new(program.loop, &log, "echo", context, &limits, &handler,
                                &program.server) == PL_OK);
    PL_CHECK(pl_loop_on_signal(program.loop, program_on_signal, &program) == PL_OK);
    if (pl_http_server_listen(program.server, argv[2], &fault) != PL_OK) {
        (void)fprintf(stderr, "http_echo: %s\n", fault.reason);
        return 1;
    }
    (void)printf("listening %s\n", pl_http_server_address(program.server));
    (void)fflush(stdout);
    pl_loop_run(program.loop);
    pl_http_server_stats(program.server, &stats);
    (void)printf("requests=%llu bad=%llu connections=%llu refused=%llu handshakes_failed=%llu "
                 "gone=%u in=%llu out=%llu\n",
                 (unsigned long long)stats.requests_total, (unsigned long long)stats.requests_bad,
                 (unsigned long long)stats.connections_total,
                 (unsigned long long)stats.connections_refused,
                 (unsigned long long)stats.handshakes_failed, echo.gone,
                 (unsigned long long)stats.bytes_in, (unsigned long long)stats.bytes_out);
    pl_http_server_free(program.server);
    pl_loop_free(program.loop);
    pl_tls_context_free(context);
    return 0;
}
