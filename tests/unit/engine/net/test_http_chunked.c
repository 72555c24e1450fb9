/* test_http_chunked: the same body whatever the pieces, and every malformed framing refused.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_chunked.h"

#include "tests/support/pl_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decoded {
    char body[4096];
    size_t size;
    size_t used;
    bool done;
    pl_status status;
    const char *why;
};

/* Feeds `step` bytes at a time, each from memory of exactly that size. */
static struct decoded decode(const char *bytes, size_t size, size_t step)
{
    struct decoded decoded = { 0 };
    struct pl_http_chunked chunked = { 0 };
    while (decoded.used < size && !chunked.done && decoded.status == PL_OK) {
        size_t piece = size - decoded.used < step ? size - decoded.used : step;
        uint8_t *copy = malloc(piece);
        memcpy(copy, bytes + decoded.used, piece);
        for (size_t at = 0; at < piece && !chunked.done && decoded.status == PL_OK;) {
            size_t used = 0;
            size_t body_at = 0;
            size_t body_size = 0;
            decoded.status = pl_http_chunked_read(&chunked, copy + at, piece - at, &used, &body_at,
                                                  &body_size, &decoded.why);
            if (decoded.status != PL_OK)
                break;
            assert_true(used > 0 && body_at + body_size <= used);
            memcpy(decoded.body + decoded.size, copy + at + body_at, body_size);
            decoded.size += body_size;
            at += used;
            decoded.used += used;
        }
        free(copy);
    }
    decoded.done = chunked.done;
    return decoded;
}

static void chunked__well_formed__same_body_in_any_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *body;
        size_t after; /* bytes that follow the body and must stay */
    } cases[] = {
        { "0\r\n\r\n", "", 0 },
        { "5\r\nhello\r\n0\r\n\r\n", "hello", 0 },
        { "5\r\nhello\r\n6\r\n world\r\n000\r\n\r\nGET /", "hello world", 5 },
        { "A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij", 0 },
        { "000005\r\nhello\r\n0\r\n\r\n", "hello", 0 },
        { "2;a\r\nhi\r\n0\r\n\r\n", "hi", 0 },
        { "2;a=b;c=\"d;\\\" e\";f\r\nhi\r\n0;z\r\n\r\n", "hi", 0 },
        { "2;a=\"\"\r\nhi\r\n0\r\n\r\n", "hi", 0 },
        { "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\nrest", "x", 4 },
        { "0\r\nHost-Is: b\r\nTransfer-Encoding-And-More: c\r\n\r\n", "", 0 },
    };
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        size_t size = strlen(cases[i].bytes);
        for (size_t step = 1; step <= size; step++) {
            struct decoded decoded = decode(cases[i].bytes, size, step);
            assert_int_equal(decoded.status, PL_OK);
            assert_true(decoded.done);
            assert_int_equal(decoded.used, size - cases[i].after);
            assert_int_equal(decoded.size, strlen(cases[i].body));
            assert_memory_equal(decoded.body, cases[i].body, decoded.size);
        }
    }
}

static void chunked__malformed__refused_in_any_pieces(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "\r\n",
        "g\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "5\t;a\r\nhello\r\n",
        "+5\r\nhello\r\n",
        "-5\r\n",
        "0x5\r\nhello\r\n",
        "5_0\r\n",
        "5\nhello\r\n",
        "5\rhello\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello0\n\r\n\r\n",
        "5\r\nhello\n\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        "10000000000000000\r\n",
        "5;\r\nhello\r\n",
        "5;;a\r\nhello\r\n",
        "5;a=\r\nhello\r\n",
        "5;a b\r\nhello\r\n",
        "5;a\nhello\r\n",
        "5;a\rb\r\nhello\r\n",
        "5;a=\"b\r\nhello\r\n",
        "5;a=\"b\"c\r\nhello\r\n",
        "5;a=\"\x01\"\r\nhello\r\n",
        "5;\x01\r\nhello\r\n",
        "0\r\nA\r\n\r\n",
        "0\r\n: b\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nX: y\r\ncontent-length: 5\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "0\r\nHOST: b\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\r\r\n\r\n",
        "0\r\nA: \x7f\r\n\r\n",
        "0\r\n\rX",
        "0\n\n",
    };
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        for (size_t step = 1; step <= strlen(cases[i]); step++) {
            struct decoded decoded = decode(cases[i], strlen(cases[i]), step);
            if (decoded.status == PL_OK)
                (void)printf("accepted: %s\n", cases[i]);
            assert_int_equal(decoded.status, PL_BAD_REQUEST);
            assert_non_null(decoded.why);
        }
    }
}

static void chunked__unfinished__is_not_done(void **state)
{
    (void)state;
    static const char whole[] = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        struct decoded decoded = decode(whole, size, 64);
        assert_int_equal(decoded.status, PL_OK);
        assert_false(decoded.done);
    }
}

/* Repeats `piece` `count` times after `before`. */
static pl_status decode_long(const char *before, const char *piece, size_t count)
{
    struct pl_http_chunked chunked = { 0 };
    const char *why = NULL;
    pl_status status = PL_OK;
    for (size_t i = 0; i <= count && status == PL_OK; i++) {
        const char *text = i == 0 ? before : piece;
        for (size_t at = 0; at < strlen(text) && status == PL_OK;) {
            size_t used = 0;
            size_t body_at = 0;
            size_t body_size = 0;
            status = pl_http_chunked_read(&chunked, (const uint8_t *)text + at, strlen(text) - at,
                                          &used, &body_at, &body_size, &why);
            at += used;
        }
    }
    return status;
}

static void chunked__extensions_and_trailers__are_bounded(void **state)
{
    (void)state;
    assert_int_equal(decode_long("5;", "a", 400), PL_OK);
    assert_int_equal(decode_long("5;", "a", 600), PL_BAD_REQUEST);
    assert_int_equal(decode_long("", "1;aaaaaaaaaaaaaaa\r\nx\r\n", 1000), PL_OK);
    assert_int_equal(decode_long("", "1;aaaaaaaaaaaaaaa\r\nx\r\n", 1100), PL_BAD_REQUEST);
    assert_int_equal(decode_long("0\r\n", "A: bcdef\r\n", 800), PL_OK);
    assert_int_equal(decode_long("0\r\n", "A: bcdef\r\n", 950), PL_BAD_REQUEST);
    assert_int_equal(decode_long("", "1\r\nx\r\n", 100000), PL_OK);
}

static void chunked__after_a_refusal__stays_refused(void **state)
{
    (void)state;
    struct pl_http_chunked chunked = { 0 };
    const char *why = NULL;
    size_t used = 0;
    size_t body_at = 0;
    size_t body_size = 0;
    assert_int_equal(
        pl_http_chunked_read(&chunked, (const uint8_t *)"x", 1, &used, &body_at, &body_size, &why),
        PL_BAD_REQUEST);
    assert_int_equal(pl_http_chunked_read(&chunked, (const uint8_t *)"5\r\n", 3, &used, &body_at,
                                          &body_size, &why),
                     PL_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunked__well_formed__same_body_in_any_pieces),
        cmocka_unit_test(chunked__malformed__refused_in_any_pieces),
        cmocka_unit_test(chunked__unfinished__is_not_done),
        cmocka_unit_test(chunked__extensions_and_trailers__are_bounded),
        cmocka_unit_test(chunked__after_a_refusal__stays_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
