/* test_routes: the control API over a real core, spool and HTTP server, asked by a plain client.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/routes.h"

#include "storage/ledger_memory.h"
#include "tests/support/core_rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/pl_test.h"

#define SCAN_BYTES ((size_t)600000)
#define REPLY_BYTES ((size_t)1 << 20)

struct house {
    struct core_rig rig;
    struct pl_api api;
    struct pl_http_server *server;
    char token[PL_SESSION_TOKEN_CHARS];
    char other_token[PL_SESSION_TOKEN_CHARS]; /* of another tenant */
    char *scan;
    struct pl_id job;
    bool drained;
};

/* One request by a thread that blocks, while the loop turns. */
struct client {
    pthread_t thread;
    uint16_t port;
    const char *request;
    char *reply;
    size_t size;
    _Atomic bool done;
};

static void *client_run(void *owner)
{
    struct client *client = owner;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(client->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t count = connect(fd, (const struct sockaddr *)&address, sizeof address);
    if (count == 0)
        count = write(fd, client->request, strlen(client->request));
    while (count > 0 && client->size < REPLY_BYTES) {
        count = read(fd, client->reply + client->size, REPLY_BYTES - client->size);
        client->size += count > 0 ? (size_t)count : 0;
    }
    (void)close(fd);
    client->done = true;
    return NULL;
}

static bool client_is_done(void *owner)
{
    return ((struct client *)owner)->done;
}

/* The whole reply, terminated; the caller frees it. */
static char *house_ask(struct house *house, const char *method, const char *path, const char *token,
                       const char *fields, size_t *size)
{
    char request[1024];
    const char *colon = strrchr(pl_http_server_address(house->server), ':');
    struct client client = { .port = (uint16_t)strtoul(colon + 1, NULL, 10), .request = request };
    client.reply = calloc(1, REPLY_BYTES + 1);
    assert_non_null(client.reply);
    assert_true(pl_text_format(request, sizeof request,
                               "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s%s\r\n",
                               method, path, token == NULL ? "" : "Authorization: Bearer ",
                               token == NULL ? "" : token, token == NULL ? "" : "\r\n", fields));
    assert_int_equal(pthread_create(&client.thread, NULL, client_run, &client), 0);
    rig_until(&house->rig, client_is_done, &client);
    assert_int_equal(pthread_join(client.thread, NULL), 0);
    if (size != NULL)
        *size = client.size;
    return client.reply;
}

static int reply_code(const char *reply)
{
    assert_memory_equal(reply, "HTTP/1.1 ", 9);
    return (int)strtol(reply + 9, NULL, 10);
}

static const char *reply_body(const char *reply)
{
    const char *end = strstr(reply, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* Asks, expects a code, and frees the reply. */
static void house_expect(struct house *house, const char *method, const char *path,
                         const char *token, const char *fields, int code, const char *holds)
{
    char *reply = house_ask(house, method, path, token, fields, NULL);
    assert_int_equal(reply_code(reply), code);
    if (strstr(reply, holds) == NULL)
        fail_msg("%s %s: lacks %s: %.600s", method, path, holds, reply);
    free(reply);
}

static void token_add(struct house *house, const struct pl_id *tenant, char *token)
{
    struct pl_ledger_token row = { .tenant = *tenant, .role = "admin" };
    assert_int_equal(pl_session_token_make(token, row.token_hash), PL_OK);
    memcpy(row.id.text, token + 4, PL_ID_CHARS);
    assert_int_equal(house->rig.ledger.ops->token_add(house->rig.ledger.self, &row), PL_OK);
}

static int house_begin(void **state)
{
    struct house *house = calloc(1, sizeof *house);
    struct pl_ledger_tenant other = { .id = { "01hf7k3v5e8z9x2c4b6n8m0q1w" },
                                      .key_wrapped = { "", 0 },
                                      .name_sealed = { "", 0 } };
    const struct pl_http_limits limits = { .head_bytes = 65536,
                                           .head_timeout_ms = 5000,
                                           .handshake_timeout_ms = 5000,
                                           .idle_timeout_ms = 5000,
                                           .body_idle_timeout_ms = 5000,
                                           .write_timeout_ms = 5000,
                                           .connections = 100,
                                           .connections_per_peer = 100,
                                           .requests_per_connection = 100 };
    struct pl_fault fault = { 0 };
    assert_non_null(house);
    rig_start(&house->rig);
    /* The ledger's thread has nothing to do now. */
    token_add(house, &house->rig.tenant, house->token);
    assert_int_equal(house->rig.ledger.ops->tenant_add(house->rig.ledger.self, &other), PL_OK);
    token_add(house, &other.id, house->other_token);
    house->api.core = house->rig.core;
    house->api.instance = "test";
    assert_int_equal(pl_sessions_new(&house->api.sessions), PL_OK);
    const struct pl_http_handler handler = pl_routes_handler(&house->api);
    assert_int_equal(pl_http_server_new(house->rig.loop, &house->rig.log, "control", NULL, &limits,
                                        &handler, &house->server),
                     PL_OK);
    assert_int_equal(pl_http_server_listen(house->server, "127.0.0.1:0", &fault), PL_OK);
    house->scan = malloc(SCAN_BYTES + 1);
    assert_non_null(house->scan);
    for (size_t i = 0; i < SCAN_BYTES; i++)
        house->scan[i] = (char)('a' + i % 23);
    house->scan[SCAN_BYTES] = '\0';
    assert_int_equal(rig_upload(&house->rig, "inbox", house->scan, &house->job), PL_OK);
    assert_int_equal(rig_await(&house->rig, &house->job, PL_JOB_DONE), PL_OK);
    *state = house;
    return 0;
}

static void house_on_drained(void *owner)
{
    ((struct house *)owner)->drained = true;
}

static bool house_is_drained(void *owner)
{
    return ((struct house *)owner)->drained;
}

static int house_end(void **state)
{
    struct house *house = *state;
    pl_http_server_drain(house->server, 1000, house_on_drained, house);
    rig_until(&house->rig, house_is_drained, house);
    assert_int_equal(house->api.asks_open, 0);
    pl_http_server_free(house->server);
    pl_sessions_free(house->api.sessions);
    rig_stop(&house->rig);
    free(house->scan);
    free(house);
    return 0;
}

static const char *job_path(const struct house *house, const char *rest)
{
    static char path[128];
    assert_true(pl_text_format(path, sizeof path, "/v1/jobs/%s%s", house->job.text, rest));
    return path;
}

static void routes__paths__have_one_spelling(void **state)
{
    static const char *const wrong[] = {
        "/",
        "/v1/jobs/",
        "/v1/jobs/x",
        "/v1/jobs//original",
        "/V1/jobs",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/0",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/01",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/4294967296",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/1/",
        "/v1/jobs/01HF7K3V5E8Z9X2C4B6N8M0Q1W",
        "/healthz/",
        "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1%77",
    };
    struct pl_id job;
    uint32_t n = 0;
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(wrong); i++)
        assert_int_equal(pl_route_find(pl_span_from(wrong[i]), &job, &n), PL_ROUTE_NONE);
    assert_int_equal(
        pl_route_find(pl_span_from("/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/42"), &job, &n),
        PL_ROUTE_DOCUMENT);
    assert_int_equal(n, 42);
    assert_string_equal(job.text, "01hf7k3v5e8z9x2c4b6n8m0q1w");
    assert_int_equal(
        pl_route_find(pl_span_from("/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents/12/pages"), &job,
                      &n),
        PL_ROUTE_PAGES);
    assert_int_equal(n, 12);
    assert_int_equal(
        pl_route_find(pl_span_from("/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w/documents//pages"), &job,
                      &n),
        PL_ROUTE_NONE);
}

static void routes__without_a_known_token__earn_401(void **state)
{
    struct house *house = *state;
    house_expect(house, "GET", "/v1/jobs", NULL, "", 401, "WWW-Authenticate: Bearer");
    house_expect(house, "GET", "/v1/jobs", "plt_0", "", 401, "application/problem+json");
    house_expect(house, "GET", job_path(house, "/original"), NULL, "", 401, "unauthenticated");
    house_expect(house, "GET", "/healthz", NULL, "", 200, "alive");
    house_expect(house, "GET", "/readyz", NULL, "", 200, "ready");
}

static void routes__other_methods__earn_405(void **state)
{
    struct house *house = *state;
    house_expect(house, "DELETE", job_path(house, ""), house->token, "", 405, "Allow: GET, HEAD");
    house_expect(house, "POST", "/v1/jobs", house->token, "Content-Length: 0\r\n", 405, "Allow");
    house_expect(house, "GET", "/v1/nothing", house->token, "", 404, "not_found");
}

static void routes__job__is_shown_and_listed(void **state)
{
    struct house *house = *state;
    house_expect(house, "GET", job_path(house, ""), house->token, "", 200, "\"state\":\"done\"");
    house_expect(house, "GET", job_path(house, ""), house->token, "", 200, "\"history\":[");
    house_expect(house, "GET", "/v1/jobs", house->token, "", 200, house->job.text);
    house_expect(house, "GET", "/v1/jobs?limit=0", house->token, "", 400, "limit must be");
    house_expect(house, "HEAD", "/v1/jobs", house->token, "", 200, "Content-Length: ");
}

static void routes__actions__are_done_and_told(void **state)
{
    struct house *house = *state;
    struct pl_id dead;
    char path[128];
    char fields[256];
    house->rig.script.runs[house->rig.runs % 16] = PL_BAD_DOCUMENT;
    assert_int_equal(rig_upload(&house->rig, "inbox", "junk", &dead), PL_OK);
    assert_int_equal(rig_await(&house->rig, &dead, PL_JOB_DEAD), PL_BAD_DOCUMENT);
    assert_true(pl_text_format(path, sizeof path, "/v1/jobs/%s/replay", dead.text));
    house_expect(house, "GET", path, house->token, "", 405, "Allow: POST");
    house_expect(house, "POST", path, NULL, "", 401, "unauthenticated");
    house_expect(house, "POST", path, house->other_token, "", 404, "not_found");
    house_expect(house, "POST", path, house->token, "If-Match: \"r1\"\r\n", 412, "ETag: \"r2\"");
    house_expect(house, "POST", path, house->token, "If-Match: r2\r\n", 400, "If-Match must be");
    assert_true(pl_text_format(fields, sizeof fields,
                               "If-Match: \"r2\"\r\nContent-Length: 26\r\n\r\n"
                               "{\"reason\": \"mended it\"}  "));
    house_expect(house, "POST", path, house->token, fields, 200, "\"action\":\"replay\"");
    assert_int_equal(rig_await(&house->rig, &dead, PL_JOB_DONE), PL_OK);
    house_expect(house, "POST", path, house->token, "", 200, "\"reason\":\"mended it\"");
    house_expect(house, "POST", job_path(house, "/cancel"), house->token, "", 409,
                 "cancel does nothing for a job that is done");
    house_expect(house, "POST", path, house->token, "Content-Length: 1\r\n\r\n{", 400, "not JSON");
    house_expect(house, "POST", path, house->token, "Content-Length: 70000\r\n", 413, "too_large");
}

static void house_expect_many(struct house *house, const char *body, int code, const char *holds)
{
    char fields[512];
    assert_true(
        pl_text_format(fields, sizeof fields, "Content-Length: %zu\r\n\r\n%s", strlen(body), body));
    house_expect(house, "POST", "/v1/jobs/actions", house->token, fields, code, holds);
}

static void routes__actions_on_many__find_their_jobs(void **state)
{
    struct house *house = *state;
    struct pl_id dead[5];
    char body[256];
    for (unsigned i = 0; i < PL_COUNT_OF(dead); i++) {
        house->rig.script.runs[house->rig.runs % 16] = PL_BAD_DOCUMENT;
        assert_int_equal(rig_upload(&house->rig, "inbox", "junk", &dead[i]), PL_OK);
        assert_int_equal(rig_await(&house->rig, &dead[i], PL_JOB_DEAD), PL_BAD_DOCUMENT);
    }
    memset(&house->rig.script, 0, sizeof house->rig.script);
    house_expect_many(house,
                      "{\"action\":\"replay\",\"filter\":{\"state\":\"dead\",\"error\":"
                      "\"worker_died\"}}",
                      200, "\"matched\":0,");
    assert_true(pl_text_format(body, sizeof body,
                               "\"changed\":2,\"unchanged\":0,\"refused\":[],"
                               "\"next\":\"%s\"",
                               dead[1].text));
    house_expect_many(house, "{\"action\":\"replay\",\"filter\":{\"state\":\"dead\"},\"limit\":2}",
                      200, body);
    assert_int_equal(rig_await(&house->rig, &dead[1], PL_JOB_DONE), PL_OK);
    house_expect_many(house, "{\"action\":\"replay\",\"filter\":{\"state\":\"dead\"}}", 200,
                      "\"changed\":3,\"unchanged\":0,\"refused\":[],\"next\":null");
    assert_int_equal(rig_await(&house->rig, &dead[4], PL_JOB_DONE), PL_OK);
    assert_true(pl_text_format(body, sizeof body,
                               "{\"action\":\"cancel\",\"jobs\":[\"%s\","
                               "\"01hf7k3v5e8z9x2c4b6n8m0q1w\"]}",
                               dead[0].text));
    house_expect_many(house, body, 200, "\"code\":\"conflict\"");
    house_expect_many(house, body, 200, "\"code\":\"not_found\"");
    house_expect_many(house, "{\"action\":\"replay\"}", 400, "says which jobs");
}

static void routes__another_tenants_job__does_not_exist(void **state)
{
    struct house *house = *state;
    char *other = house_ask(house, "GET", job_path(house, ""), house->other_token, "", NULL);
    char *none =
        house_ask(house, "GET", "/v1/jobs/01hf7k3v5e8z9x2c4b6n8m0q1w", house->token, "", NULL);
    assert_int_equal(reply_code(other), 404);
    assert_string_equal(reply_body(other), reply_body(none));
    free(other);
    free(none);
    house_expect(house, "GET", job_path(house, "/original"), house->other_token, "", 404,
                 "not_found");
    house_expect(house, "GET", job_path(house, "/documents/1"), house->other_token, "", 404,
                 "not_found");
    house_expect(house, "GET", job_path(house, "/documents/9"), house->token, "", 404, "not_found");
    house_expect(house, "GET", "/v1/jobs", house->other_token, "", 200, "{\"jobs\":[],");
}

static void routes__original__comes_back_whole_and_in_ranges(void **state)
{
    static const struct {
        size_t first;
        size_t length;
    } ranges[] = { { 0, 1 },      { 65535, 2 },  { 65536, 65536 },  { 1, 599999 },
                   { 599999, 1 }, { 262143, 2 }, { 100000, 400000 } };
    struct house *house = *state;
    size_t size = 0;
    char *reply = house_ask(house, "GET", job_path(house, "/original"), house->token, "", &size);
    assert_int_equal(reply_code(reply), 200);
    assert_int_equal(size - (size_t)(reply_body(reply) - reply), SCAN_BYTES);
    assert_memory_equal(reply_body(reply), house->scan, SCAN_BYTES);
    free(reply);
    for (size_t i = 0; i < PL_COUNT_OF(ranges); i++) {
        char field[80];
        assert_true(pl_text_format(field, sizeof field, "Range: bytes=%zu-%zu\r\n", ranges[i].first,
                                   ranges[i].first + ranges[i].length - 1));
        reply = house_ask(house, "GET", job_path(house, "/original"), house->token, field, &size);
        assert_int_equal(reply_code(reply), 206);
        assert_int_equal(size - (size_t)(reply_body(reply) - reply), ranges[i].length);
        assert_memory_equal(reply_body(reply), house->scan + ranges[i].first, ranges[i].length);
        free(reply);
    }
}

static void routes__conditions__are_honoured(void **state)
{
    struct house *house = *state;
    const char *path = job_path(house, "/original");
    char tag[2 * PL_SHA256_BYTES + 1];
    char fields[256];
    uint8_t digest[PL_SHA256_BYTES];
    pl_sha256_of(house->scan, SCAN_BYTES, digest);
    (void)pl_text_hex(digest, sizeof digest, tag);
    assert_true(pl_text_format(fields, sizeof fields, "If-None-Match: \"%s\"\r\n", tag));
    house_expect(house, "GET", path, house->token, fields, 304, tag);
    assert_true(
        pl_text_format(fields, sizeof fields, "Range: bytes=5-6\r\nIf-Range: \"%s\"\r\n", tag));
    house_expect(house, "GET", path, house->token, fields, 206, "Content-Range: bytes 5-6/600000");
    house_expect(house, "GET", path, house->token, "Range: bytes=5-6\r\nIf-Range: \"x\"\r\n", 200,
                 "Content-Length: 600000");
    house_expect(house, "GET", path, house->token, "Range: bytes=600000-\r\n", 416,
                 "Content-Range: bytes */600000");
    house_expect(house, "HEAD", path, house->token, "", 200, "Content-Length: 600000");
    house_expect(house, "GET", path, house->token, "", 200, "Content-Disposition: attachment;");
}

/* Flips one byte of the job's file in the spool. */
static void spool_spoil(const struct house *house, off_t at)
{
    DIR *folder = opendir(house->rig.folder);
    uint8_t byte = 0;
    unsigned spoiled = 0;
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (strncmp(entry->d_name, house->job.text, PL_ID_CHARS) != 0)
            continue;
        int fd = openat(dirfd(folder), entry->d_name, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_equal(close(fd), 0);
        spoiled++;
    }
    (void)closedir(folder);
    assert_int_equal(spoiled, 1);
}

static void routes__spoiled_chunk__cuts_the_connection(void **state)
{
    struct house *house = *state;
    const char *path = job_path(house, "/original");
    size_t size = 0;
    spool_spoil(house, 92 + 6 * 65552 + 100);
    char *reply = house_ask(house, "GET", path, house->token, "", &size);
    size_t got = size - (size_t)(reply_body(reply) - reply);
    assert_int_equal(reply_code(reply), 200);
    assert_true(got <= (size_t)6 * 65536); /* nothing of the spoiled chunk, nor behind it */
    assert_memory_equal(reply_body(reply), house->scan, got);
    free(reply);
    /* Chunks stand for themselves: what was not touched can still be read. */
    house_expect(house, "GET", path, house->token, "Range: bytes=0-9\r\n", 206, "abcdefghij");
    /* Nothing has been sent yet: a proper refusal. */
    house_expect(house, "GET", path, house->token, "Range: bytes=400000-400001\r\n", 500,
                 "tampered");
    spool_spoil(house, 92 + 6 * 65552 + 100);
    spool_spoil(house, 60); /* the commitment in the header */
    house_expect(house, "GET", path, house->token, "", 500, "tampered");
    spool_spoil(house, 60);
    house_expect(house, "GET", path, house->token, "Range: bytes=400000-400001\r\n", 206, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes__paths__have_one_spelling),
        cmocka_unit_test(routes__without_a_known_token__earn_401),
        cmocka_unit_test(routes__other_methods__earn_405),
        cmocka_unit_test(routes__actions__are_done_and_told),
        cmocka_unit_test(routes__actions_on_many__find_their_jobs),
        cmocka_unit_test(routes__job__is_shown_and_listed),
        cmocka_unit_test(routes__another_tenants_job__does_not_exist),
        cmocka_unit_test(routes__original__comes_back_whole_and_in_ranges),
        cmocka_unit_test(routes__conditions__are_honoured),
        cmocka_unit_test(routes__spoiled_chunk__cuts_the_connection),
    };
    return cmocka_run_group_tests(tests, house_begin, house_end);
}
