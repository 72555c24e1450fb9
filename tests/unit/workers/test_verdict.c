/* test_verdict: every end of a worker has the status that puts the blame where it belongs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/verdict.h"

#include "tests/support/pl_test.h"

#include <signal.h>
#include <string.h>

#define EXITED(code) ((code) << 8)

static void verdict__every_end__has_its_status_and_sentence(void **state)
{
    static const struct {
        enum pl_worker_end end;
        int wait_status;
        pl_status status;
        const char *words;
    } rows[] = {
        { PL_END_UNASKED, SIGSYS, PL_WORKER_DIED, "killed by its sandbox (SIGSYS)" },
        { PL_END_UNASKED, SIGSYS | 0x80, PL_WORKER_DIED, "killed by its sandbox (SIGSYS)" },
        { PL_END_UNASKED, SIGSEGV, PL_WORKER_DIED, "crashed (SIGSEGV)" },
        { PL_END_UNASKED, SIGABRT, PL_WORKER_DIED, "crashed (SIGABRT)" },
        { PL_END_UNASKED, SIGXCPU, PL_TOO_LARGE, "more than 20 s of CPU time" },
        { PL_END_UNASKED, SIGXFSZ, PL_TOO_LARGE, "limit of 1000 bytes" },
        { PL_END_UNASKED, SIGKILL, PL_WORKER_DIED, "ran out of memory" },
        { PL_END_UNASKED, EXITED(1), PL_WORKER_DIED, "exit code 1" },
        { PL_END_CPU, SIGKILL, PL_TOO_LARGE, "more than 20 s of CPU time" },
        { PL_END_WALL, SIGKILL, PL_TIMED_OUT, "longer than 1.5 s" },
        { PL_END_BROKE, SIGKILL, PL_WORKER_DIED, "because it sang" },
        { PL_END_CANCELLED, SIGKILL, PL_STOPPING, "no longer" },
        { PL_END_STOPPING, SIGKILL, PL_STOPPING, "stopping" },
        { PL_END_SLOW, SIGKILL, PL_WORKER_DIED, "did not get ready" },
    };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct pl_fault fault = { .status = PL_OK };
        const struct pl_worker_death death = { .end = rows[i].end,
                                               .wait_status = rows[i].wait_status,
                                               .broke = "it sang",
                                               .wall_ms = 1500,
                                               .cpu_ms = 20000,
                                               .file_bytes = 1000 };
        assert_int_equal(pl_verdict(&death, &fault), rows[i].status);
        assert_int_equal(fault.status, rows[i].status);
        if (strstr(fault.reason, rows[i].words) == NULL)
            fail_msg("row %zu: %s", i, fault.reason);
    }
}

static void verdict__status_text__names_signal_or_code(void **state)
{
    char text[32];
    (void)state;
    assert_string_equal(pl_verdict_status_text(SIGSEGV, text, sizeof text), "SIGSEGV");
    assert_string_equal(pl_verdict_status_text(EXITED(3), text, sizeof text), "exit code 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict__every_end__has_its_status_and_sentence),
        cmocka_unit_test(verdict__status_text__names_signal_or_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
