/* test_http_differential: whatever our parser accepts, llhttp reads the same way.
 *
 * Seeds (built in, our fuzz corpora, the hostile collection where PLATEN_HOSTILE names it) are
 * mutated by a generator with a fixed seed. For each input that we accept, llhttp must agree on
 * method, target, fields, framing, body bytes and the end of the message. The other direction is
 * not asked: we refuse much that llhttp lets pass.
 *
 * Where we accept and llhttp does not, or reads differently, for a reason that we know:
 *  - methods: llhttp knows a fixed list; we take any token and let the handler refuse it;
 *  - "SOURCE" and other ICE or RTSP methods: llhttp gives them other protocols' rules;
 *  - one CRLF before the request line: llhttp lets any number of CR and LF pass, we one CRLF;
 *  - Upgrade: llhttp stops after the head when Connection: upgrade came; we never upgrade;
 *  - targets: llhttp wants a letter first in the host of an absolute target, we take any host;
 *  - chunk extensions: llhttp refuses a second one after a value ("1;a=b;c"), the grammar does not;
 *  - "Connection: keep-alive, close": we close, llhttp keeps an HTTP/1.0 connection open;
 *  - a tab behind an option of Connection: white space to us, part of the option to llhttp;
 *  - chunk sizes: llhttp stops at 2^64, we at 15 digits, so that only we refuse.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_chunked.h"
#include "engine/net/http_parse.h"

#include "tests/support/pl_test.h"

#include <llhttp.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES 4096
#define SEEDS 2048
#define FIELDS 64

/* What one of the two readers understood. */
struct reading {
    char method[64];
    char target[INPUT_BYTES];
    char names[FIELDS][256];
    char values[FIELDS][1024];
    size_t fields;
    char body[INPUT_BYTES];
    size_t body_size;
    uint64_t length; /* UINT64_MAX: chunked */
    bool head_done;
    bool done;
    bool failed;
    bool upgrade;
    bool keep_alive;
    bool in_value;
    bool too_big;
    bool tabs;
    bool extensions;
    size_t end; /* where the message ended */
    int error;
};

static struct reading ours;
static struct reading theirs;

static void text_add(char *out, size_t room, const char *data, size_t size, bool *too_big)
{
    size_t at = strlen(out);
    if (at + size >= room) {
        *too_big = true;
        return;
    }
    memcpy(out + at, data, size);
    out[at + size] = '\0';
}

/* -- llhttp -- */

static int on_method(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *r = parser->data;
    text_add(r->method, sizeof r->method, at, size, &r->too_big);
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *r = parser->data;
    text_add(r->target, sizeof r->target, at, size, &r->too_big);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *r = parser->data;
    if (r->head_done)
        return 0; /* a trailer */
    if (r->in_value) {
        r->in_value = false;
        r->fields++;
    }
    if (r->fields < FIELDS)
        text_add(r->names[r->fields], sizeof r->names[0], at, size, &r->too_big);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *r = parser->data;
    if (r->head_done)
        return 0;
    r->in_value = true;
    if (r->fields < FIELDS)
        text_add(r->values[r->fields], sizeof r->values[0], at, size, &r->too_big);
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct reading *r = parser->data;
    r->fields += r->in_value;
    r->head_done = true;
    r->upgrade = parser->upgrade;
    r->keep_alive = llhttp_should_keep_alive(parser) != 0;
    r->length = (parser->flags & F_CHUNKED) != 0 ? UINT64_MAX : parser->content_length;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct reading *r = parser->data;
    memcpy(r->body + r->body_size, at, size);
    r->body_size += size;
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    struct reading *r = parser->data;
    r->done = true;
    return HPE_PAUSED;
}

static void read_theirs(const char *data, size_t size)
{
    llhttp_t parser;
    llhttp_settings_t settings;
    memset(&theirs, 0, sizeof theirs);
    llhttp_settings_init(&settings);
    settings.on_method = on_method;
    settings.on_url = on_url;
    settings.on_header_field = on_field;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_headers_complete;
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &theirs;
    llhttp_errno_t error = llhttp_execute(&parser, data, size);
    theirs.error = (int)error;
    theirs.failed = error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE;
    if (error == HPE_PAUSED)
        theirs.end = (size_t)(llhttp_get_error_pos(&parser) - data);
}

/* -- ours -- */

static void read_body(const struct pl_http_head *head, const char *data, size_t at, size_t size)
{
    struct pl_http_chunked chunked = { 0 };
    const char *why = NULL;
    if (head->framing != PL_HTTP_CHUNKED) {
        size_t rest = size - at;
        ours.body_size = rest < head->content_length ? rest : (size_t)head->content_length;
        memcpy(ours.body, data + at, ours.body_size);
        ours.done = ours.body_size == head->content_length;
        ours.end = at + ours.body_size;
        return;
    }
    while (at < size && !chunked.done && !ours.failed) {
        size_t used = 0;
        size_t body_at = 0;
        size_t body_size = 0;
        ours.failed = pl_http_chunked_read(&chunked, (const uint8_t *)data + at, size - at, &used,
                                           &body_at, &body_size, &why) != PL_OK;
        if (ours.failed)
            return;
        memcpy(ours.body + ours.body_size, data + at + body_at, body_size);
        ours.body_size += body_size;
        at += used;
    }
    ours.done = chunked.done;
    ours.extensions = chunked.extension_bytes > 0;
    ours.end = at;
}

static void copy_span(char *out, size_t room, struct pl_span span)
{
    out[0] = '\0';
    text_add(out, room, span.data != NULL ? span.data : "", span.size, &ours.too_big);
}

static void read_ours(const char *data, size_t size)
{
    struct pl_http_scan scan = { 0 };
    struct pl_http_refusal refusal = { 0 };
    struct pl_http_head head = { 0 };
    struct pl_arena arena;
    size_t used = 0;
    memset(&ours, 0, sizeof ours);
    if (pl_http_scan(&scan, data, size, &used, &refusal) != PL_HTTP_SCAN_END)
        return;
    pl_arena_init(&arena, (size_t)1 << 20);
    const struct pl_span bytes = { .data = data, .size = used };
    if (pl_http_parse_head(bytes, &arena, &head, &refusal) == PL_OK) {
        ours.head_done = true;
        ours.keep_alive = head.keep_alive;
        ours.length = head.framing == PL_HTTP_CHUNKED ? UINT64_MAX : head.content_length;
        copy_span(ours.method, sizeof ours.method, head.method);
        /* The target as sent: from after the method to before the version. */
        const char *end = memchr(head.method.data, '\r', used);
        const char *start = head.method.data + head.method.size + 1;
        copy_span(ours.target, sizeof ours.target,
                  (struct pl_span){ .data = start, .size = (size_t)(end - start) - 9 });
        ours.fields = head.field_count;
        ours.tabs = memchr(data, '\t', used) != NULL;
        for (size_t i = 0; i < head.field_count && i < FIELDS; i++) {
            copy_span(ours.names[i], sizeof ours.names[0], head.fields[i].name);
            copy_span(ours.values[i], sizeof ours.values[0], head.fields[i].value);
        }
        read_body(&head, data, used, size);
    }
    pl_arena_fini(&arena);
}

/* -- the comparison -- */

static bool method_is_known_to_llhttp(const char *method)
{
    static const char *const names[] = {
#define NAME(number, name, string) #string,
        HTTP_METHOD_MAP(NAME)
#undef NAME
    };
    for (size_t i = 0; i < PL_COUNT_OF(names); i++)
        if (strcmp(names[i], method) == 0)
            return strcmp(method, "SOURCE") != 0 && strcmp(method, "PRI") != 0;
    return false;
}

/* The known differences of the list above. */
static bool is_excused(void)
{
    return !method_is_known_to_llhttp(ours.method) || ours.too_big || theirs.too_big ||
           theirs.upgrade || ours.fields > FIELDS ||
           (ours.target[0] != '/' && theirs.error == HPE_INVALID_URL) ||
           (ours.extensions && theirs.error == HPE_INVALID_CHUNK_SIZE);
}

static const char *trimmed(char *value)
{
    size_t size = strlen(value);
    while (size > 0 && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        value[--size] = '\0';
    return value;
}

/* NULL when both read the same; only asked when we accepted the head. */
static const char *difference(void)
{
    if (!theirs.head_done)
        return "llhttp refuses the head";
    if (strcmp(ours.method, theirs.method) != 0)
        return "method";
    if (strcmp(ours.target, theirs.target) != 0)
        return "target";
    if (ours.fields != theirs.fields)
        return "number of fields";
    for (size_t i = 0; i < ours.fields; i++)
        if (strcmp(ours.names[i], theirs.names[i]) != 0 ||
            strcmp(ours.values[i], trimmed(theirs.values[i])) != 0)
            return "a field";
    if (ours.length != theirs.length)
        return "framing";
    if (ours.failed)
        return NULL; /* we refuse the body: nothing of it counts */
    if (theirs.failed)
        return "llhttp refuses the body";
    if (ours.body_size != theirs.body_size || memcmp(ours.body, theirs.body, ours.body_size) != 0)
        return "body";
    if (ours.done != theirs.done || (ours.done && ours.end != theirs.end))
        return "the end of the message";
    return ours.keep_alive && !theirs.keep_alive && ours.done && !ours.tabs ? "keep-alive" : NULL;
}

static unsigned long tried;
static unsigned long accepted;
static unsigned long excused;

static void compare(const char *data, size_t size)
{
    tried++;
    read_ours(data, size);
    if (!ours.head_done)
        return;
    accepted++;
    read_theirs(data, size);
    if (is_excused()) {
        excused++;
        return;
    }
    const char *what = difference();
    if (what == NULL)
        return;
    (void)printf("they differ in %s (llhttp error %d) on %zu bytes:\n", what, theirs.error, size);
    for (size_t i = 0; i < size; i++)
        (void)printf(data[i] >= ' ' && data[i] <= '~' ? "%c" : "\\x%02x", (unsigned char)data[i]);
    (void)printf("\n");
    fail();
}

/* -- inputs -- */

struct seed {
    char data[INPUT_BYTES / 2];
    size_t size;
};

static struct seed *seeds;
static size_t seed_count;

static void seed_add(const char *data, size_t size)
{
    if (seed_count == SEEDS || size > sizeof seeds->data || size == 0)
        return;
    memcpy(seeds[seed_count].data, data, size);
    seeds[seed_count++].size = size;
}

static void seeds_from(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort); /* the same order everywhere */
    for (int i = 0; i < count; i++) {
        char path[1024];
        char data[INPUT_BYTES];
        (void)pl_text_format(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        FILE *file = names[i]->d_name[0] != '.' ? fopen(path, "rb") : NULL;
        if (file != NULL) {
            seed_add(data, fread(data, 1, sizeof data, file));
            (void)fclose(file);
        }
        free(names[i]);
    }
    free(names);
}

static const char *const built_in[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a/b?c=d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "PUT /in/x/a%20b.pdf HTTP/1.1\r\nHost: h:1\r\nExpect: 100-continue\r\nContent-Length: "
    "5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\nConnection: close\r\n\r\n"
    "1;a=b\r\nx\r\n10\r\n0123456789abcdef\r\n0\r\nX-T: y\r\n\r\nGET /next HTTP/1.1\r\n",
    "PROPFIND /dav/ HTTP/1.1\r\nHost: a\r\nDepth: 1\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nX: \r\nY:z\t\r\n\r\n",
    "GET http://a.b:80/c?d HTTP/1.1\r\nHost: e\r\nAccept: */*\r\n\r\n",
    "MOVE /a HTTP/1.1\r\nHost: a\r\nDestination: http://a/b\r\nOverwrite: T\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\nConnection: te, keep-alive\r\n\r\nhello",
};

static uint64_t random_state = 0x9E3779B97F4A7C15u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return limit > 0 ? (size_t)(random_state % limit) : 0;
}

static const char *const tokens[] = {
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    ":",
    "\r\n ",
    "\r\n\r\n",
    "0\r\n\r\n",
    ";",
    ",",
    "\"",
    "%",
    "#",
    "chunked",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: x\r\n",
    "Host: b\r\n",
    "HTTP/1.1",
    "HTTP/1.0",
    "GET ",
    "identity",
    "5\r\nhello\r\n",
    "\x01",
    "\x80",
    "0",
    "F",
    "-",
    "+",
    "Expect: 100-continue\r\n",
    "http://",
    "/",
    "?",
    "*",
    "[::1]",
    "X: y\r\n",
    "Trailer: X\r\n",
};

static size_t insert(char *data, size_t size, size_t at, const char *piece, size_t length)
{
    if (size + length > INPUT_BYTES)
        return size;
    memmove(data + at + length, data + at, size - at);
    memcpy(data + at, piece, length);
    return size + length;
}

static size_t mutate_once(char *data, size_t size)
{
    size_t at = random_below(size + 1);
    size_t length = 0;
    const struct seed *other = &seeds[random_below(seed_count)];
    switch (random_below(6)) {
    case 0: /* a byte becomes another */
        if (at < size)
            data[at] = (char)random_below(256);
        return size;
    case 1: { /* a token comes in */
        const char *token = tokens[random_below(PL_COUNT_OF(tokens))];
        return insert(data, size, at, token, strlen(token));
    }
    case 2: /* a run goes */
        length = random_below(8) + 1;
        if (at + length > size)
            return size;
        memmove(data + at, data + at + length, size - at - length);
        return size - length;
    case 3: /* a run comes twice */
        length = random_below(32) + 1;
        if (at + length > size || size + length > INPUT_BYTES)
            return size;
        memmove(data + at + length, data + at, size - at);
        return size + length;
    case 4: /* the tail of another seed */
        length = random_below(other->size);
        return insert(data, at, at, other->data + other->size - length, length);
    default: /* a case flips, or a digit counts on */
        if (at < size)
            data[at] = (char)(data[at] ^ (random_below(2) == 0 ? 0x20 : 0x01));
        return size;
    }
}

static void llhttp__whatever_we_accept__reads_the_same(void **state)
{
    (void)state;
    char data[INPUT_BYTES];
    const char *hostile = getenv("PLATEN_HOSTILE");
    const char *rounds_text = getenv("PLATEN_DIFFERENTIAL");
    uint64_t rounds = 150000;
    if (rounds_text != NULL)
        assert_true(pl_text_parse_u64(pl_span_from(rounds_text), UINT64_MAX, &rounds));
    seeds = calloc(SEEDS, sizeof *seeds);
    assert_non_null(seeds);
    for (size_t i = 0; i < PL_COUNT_OF(built_in); i++)
        seed_add(built_in[i], strlen(built_in[i]));
    seeds_from(PL_SOURCE_FOLDER "/tests/fuzz/corpus/http_head");
    seeds_from(PL_SOURCE_FOLDER "/tests/fuzz/corpus/http_chunked");
    if (hostile != NULL) {
        (void)pl_text_format(data, sizeof data, "%s/http", hostile);
        seeds_from(data);
    }
    for (size_t i = 0; i < seed_count; i++)
        compare(seeds[i].data, seeds[i].size);
    for (uint64_t round = 0; round < rounds; round++) {
        /* Half of the time one of ours, which are the ones that get far. */
        size_t from = random_below(random_below(2) == 0 ? PL_COUNT_OF(built_in) : seed_count);
        size_t size = seeds[from].size;
        memcpy(data, seeds[from].data, size);
        for (size_t i = random_below(4) + 1; i > 0; i--)
            size = mutate_once(data, size);
        compare(data, size);
    }
    (void)printf("%lu inputs, %lu accepted by us, %lu of these excused\n", tried, accepted,
                 excused);
    assert_true(accepted > rounds / 50);
    free(seeds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llhttp__whatever_we_accept__reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
