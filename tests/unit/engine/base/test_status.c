/* test_status: the table is whole, a fault keeps its first sentence, a broken invariant stops us.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/status.h"
#include "engine/base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void status__every_row__reads_back_by_its_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PL_STATUS_COUNT; i++) {
        pl_status status = (pl_status)i;
        pl_status parsed = PL_STATUS_COUNT;
        assert_true(pl_status_parse(pl_status_name(status), &parsed));
        assert_int_equal(parsed, status);
        assert_true(strlen(pl_status_text(status)) > 3);
        int http = pl_status_http(status);
        assert_true(status == PL_OK ? http == 200 : http >= 400 && http < 600);
        assert_true((pl_status_blame(status) == PL_BLAME_NONE) == (status == PL_OK));
    }
    pl_status untouched = PL_BUSY;
    assert_false(pl_status_parse("", &untouched));
    assert_false(pl_status_parse("OK", &untouched));
    assert_false(pl_status_parse("bad_documents", &untouched));
    assert_int_equal(untouched, PL_BUSY);
}

static void status__blame__is_who_must_act(void **state)
{
    (void)state;
    assert_int_equal(pl_status_blame(PL_BAD_DOCUMENT), PL_BLAME_INPUT);
    assert_int_equal(pl_status_blame(PL_STORE_DOWN), PL_BLAME_RETRY);
    assert_int_equal(pl_status_blame(PL_NO_SPACE), PL_BLAME_OPERATOR);
    assert_int_equal(pl_status_blame(PL_TAMPERED), PL_BLAME_OPERATOR);
    assert_int_equal(pl_status_http(PL_BAD_DOCUMENT), 422);
    assert_string_equal(pl_status_name(PL_WORKER_DIED), "worker_died");
}

static void status__errno__says_what_it_stands_for(void **state)
{
    (void)state;
    const struct {
        int error;
        pl_status status;
    } cases[] = { { 0, PL_OK },
                  { ENOSPC, PL_NO_SPACE },
                  { EDQUOT, PL_NO_SPACE },
                  { EFBIG, PL_NO_SPACE },
                  { ENOMEM, PL_NO_MEMORY },
                  { ENOENT, PL_NOT_FOUND },
                  { EEXIST, PL_CONFLICT },
                  { EACCES, PL_MISCONFIGURED },
                  { EROFS, PL_MISCONFIGURED },
                  { EMFILE, PL_BUSY },
                  { EIO, PL_IO_ERROR },
                  { 99999, PL_IO_ERROR } };
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++)
        assert_int_equal(pl_status_from_errno(cases[i].error), cases[i].status);
}

static void fault__set_twice__keeps_the_first(void **state)
{
    (void)state;
    struct pl_fault fault = { .status = PL_OK };
    assert_int_equal(pl_fault_set(&fault, PL_TOO_LARGE, "page %u is too large", 7u), PL_TOO_LARGE);
    assert_int_equal(pl_fault_set(&fault, PL_BUSY, "later"), PL_BUSY);
    assert_int_equal(fault.status, PL_TOO_LARGE);
    assert_string_equal(fault.reason, "page 7 is too large");
    assert_int_equal(pl_fault_set(NULL, PL_BUSY, "nobody listens"), PL_BUSY);
}

static void fault__sentence_too_long_or_unclean__stays_text(void **state)
{
    (void)state;
    char text[2 * PL_FAULT_CHARS];
    for (size_t shift = 0; shift < 4; shift++) {
        struct pl_fault fault = { .status = PL_OK };
        memset(text, 'x', shift);
        for (size_t at = shift; at + 4 < sizeof text; at += 4)
            memcpy(text + at, "\xF0\x9F\x96\xA8", 5);
        (void)pl_fault_set(&fault, PL_BAD_DOCUMENT, "%s", text);
        assert_true(strlen(fault.reason) > PL_FAULT_CHARS - 5);
        assert_true(pl_text_is_utf8(pl_span_from(fault.reason)));
        assert_null(strstr(fault.reason, "\xEF\xBF\xBD"));
    }
    struct pl_fault fault = { .status = PL_OK };
    (void)pl_fault_set(&fault, PL_BAD_DOCUMENT, "a\nb\xFF");
    assert_string_equal(fault.reason, "a\xEF\xBF\xBD"
                                      "b\xEF\xBF\xBD");
}

static void check__broken__names_the_place_and_aborts(void **state)
{
    (void)state;
    int ends[2];
    char text[512] = { 0 };
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        PL_CHECK(1 + 1 == 2);
        PL_CHECK(1 + 1 == 3);
        _exit(0);
    }
    (void)close(ends[1]);
    size_t done = 0;
    for (ssize_t took = 0; (took = read(ends[0], text + done, sizeof text - 1 - done)) > 0;)
        done += (size_t)took;
    (void)close(ends[0]);
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGABRT);
    assert_non_null(strstr(text, "test_status.c:"));
    assert_non_null(strstr(text, "broken invariant: 1 + 1 == 3"));
}

static void size_arithmetic__overflow__is_seen(void **state)
{
    (void)state;
    size_t out = 0;
    assert_true(pl_size_mul(1000, 1000, &out));
    assert_int_equal(out, 1000000);
    assert_false(pl_size_mul(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(pl_size_add(SIZE_MAX, 0, &out));
    assert_false(pl_size_add(SIZE_MAX, 1, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__every_row__reads_back_by_its_name),
        cmocka_unit_test(status__blame__is_who_must_act),
        cmocka_unit_test(status__errno__says_what_it_stands_for),
        cmocka_unit_test(fault__set_twice__keeps_the_first),
        cmocka_unit_test(fault__sentence_too_long_or_unclean__stays_text),
        cmocka_unit_test(check__broken__names_the_place_and_aborts),
        cmocka_unit_test(size_arithmetic__overflow__is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
