/* test_pool_class: runs that a worker cannot do, handed to one that can.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/pool.h"

#include "tests/support/pl_test.h"
#include "tests/support/worker_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pl_pool_settings class_settings(void)
{
    struct pl_pool_settings settings = rig_settings();
    settings.interpreters =
        (struct pl_pool_interpreters){ .processes = 1, .memory_bytes = (uint64_t)1536 << 20 };
    return settings;
}

static int class_set_up_with(void **state, const struct pl_pool_settings *settings)
{
    struct worker_rig *rig = calloc(1, sizeof *rig);
    rig_open(rig, PAYLOAD_WORKER, settings);
    *state = rig;
    return 0;
}

static int class_set_up(void **state)
{
    const struct pl_pool_settings settings = class_settings();
    return class_set_up_with(state, &settings);
}

static int class_set_up_lazy(void **state)
{
    struct pl_pool_settings settings = class_settings();
    settings.is_alone = true;
    return class_set_up_with(state, &settings);
}

static int class_set_up_off(void **state)
{
    struct pl_pool_settings settings = class_settings();
    settings.interpreters.processes = 0;
    return class_set_up_with(state, &settings);
}

static int class_tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

static void assert_ended(const struct rig_run *run, pl_status status, const char *words)
{
    if (run->run.report.status != status || strstr(run->run.report.fault.reason, words) == NULL)
        fail_msg("%s: %s; log:\n%s", pl_status_name(run->run.report.status),
                 run->run.report.fault.reason, run->rig->log_text);
}

static int run_pid(const struct rig_run *run)
{
    char text[32] = "";
    assert_ended(run, PL_OK, "");
    (void)rig_result(run, text, sizeof text - 1);
    return atoi(text);
}

static struct pl_pool_stats stats_of(const struct worker_rig *rig)
{
    struct pl_pool_stats stats;
    pl_pool_stats(rig->pool, &stats);
    return stats;
}

static void class__document_for_ghostscript__ends_as_a_pdf(void **state)
{
    struct worker_rig *rig = *state;
    char data[65536];
    struct rig_run *run =
        rig_start(rig, RIG_TENANT_A, "interpret:draw\n%!PS\n10 10 50 50 rectfill showpage\n");
    rig_wait(rig, 1);
    assert_ended(run, PL_OK, "");
    size_t size = rig_result(run, data, sizeof data);
    assert_true(size > 100);
    assert_memory_equal(data, "%PDF-", 5);
    assert_int_equal(stats_of(rig).interpreted, 1);
    assert_int_equal(stats_of(rig).jobs, 1);
    assert_true(run->run.report.cpu_us > 0);
}

static void class__interpreters__see_one_run_each(void **state)
{
    struct worker_rig *rig = *state;
    struct rig_run *runs[4];
    for (size_t i = 0; i < PL_COUNT_OF(runs); i++)
        runs[i] = rig_start(rig, RIG_TENANT_A, "interpret:pid");
    struct rig_run *other = rig_start(rig, RIG_TENANT_B, "pid");
    rig_wait(rig, PL_COUNT_OF(runs) + 1);
    for (size_t i = 0; i < PL_COUNT_OF(runs); i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(run_pid(runs[i]), run_pid(runs[j]));
    assert_int_not_equal(run_pid(other), run_pid(runs[0]));
    assert_int_equal(stats_of(rig).interpreted, PL_COUNT_OF(runs));
    assert_int_equal(stats_of(rig).died, 0);
}

static void class__one_is_ready__before_any_document(void **state)
{
    struct worker_rig *rig = *state;
    for (int i = 0; i < 100 && stats_of(rig).interpreters == 0; i++)
        rig_idle(rig, 20);
    assert_int_equal(stats_of(rig).interpreters, 1);
    assert_int_equal(stats_of(rig).interpreters_busy, 0);
    rig_idle(rig, 300);
    assert_int_equal(stats_of(rig).interpreters, 1);
}

static void class__lazy__starts_none_until_a_run_needs_it(void **state)
{
    struct worker_rig *rig = *state;
    struct rig_run *plain = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 1);
    assert_true(run_pid(plain) > 0);
    assert_int_equal(stats_of(rig).interpreters, 0);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "interpret:pid");
    rig_wait(rig, 2);
    assert_int_not_equal(run_pid(run), run_pid(plain));
    rig_idle(rig, 200);
    assert_int_equal(stats_of(rig).interpreters, 0);
}

static void class__switched_off__is_unavailable(void **state)
{
    struct worker_rig *rig = *state;
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "interpret:pid");
    rig_wait(rig, 1);
    assert_ended(run, PL_UNAVAILABLE, "switched off (workers.interpreters)");
}

static void class__limits__hold_and_blame_as_elsewhere(void **state)
{
    struct worker_rig *rig = *state;
    struct rig_run *spins = rig_start(rig, RIG_TENANT_A, "interpret:spin");
    struct rig_run *hangs = rig_prepare(rig, RIG_TENANT_A, "interpret:hang", 14);
    hangs->run.wall_limit_ms = 300;
    rig_give(rig, hangs);
    struct rig_run *crashes = rig_start(rig, RIG_TENANT_A, "interpret:segv");
    struct rig_run *refuses = rig_start(rig, RIG_TENANT_A, "interpret:refuse");
    struct rig_run *endless =
        rig_start(rig, RIG_TENANT_A, "interpret:draw\n%!PS\n{ } loop showpage\n");
    rig_wait(rig, 5);
    assert_ended(spins, PL_TOO_LARGE, "CPU time");
    assert_ended(hangs, PL_TIMED_OUT, "longer than 0.3 s");
    assert_true(crashes->run.report.status == PL_WORKER_DIED);
    assert_ended(refuses, PL_BAD_DOCUMENT, "not a page");
    assert_ended(endless, PL_TOO_LARGE, "CPU time");
    struct rig_run *next = rig_start(rig, RIG_TENANT_A, "interpret:pid");
    rig_wait(rig, 6);
    assert_true(run_pid(next) > 0);
}

static void class__files_of_the_machine__are_out_of_reach(void **state)
{
    struct worker_rig *rig = *state;
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "interpret:open");
    rig_wait(rig, 1);
    assert_ended(run, PL_DENIED, "");
}

static void class__cancelled__ends_waiting_or_busy(void **state)
{
    struct worker_rig *rig = *state;
    const struct pl_runner runner = pl_pool_runner(rig->pool);
    struct rig_run *busy = rig_start(rig, RIG_TENANT_A, "interpret:hang");
    for (int i = 0; i < 200 && stats_of(rig).interpreters_busy == 0; i++)
        rig_idle(rig, 20);
    struct rig_run *waiting = rig_start(rig, RIG_TENANT_A, "interpret:pid");
    for (int i = 0; i < 200 && stats_of(rig).interpreted < 2; i++)
        rig_idle(rig, 20);
    runner.ops->cancel(runner.self, &waiting->run);
    rig_wait(rig, 1);
    assert_ended(waiting, PL_STOPPING, "before a worker took it");
    runner.ops->cancel(runner.self, &busy->run);
    rig_wait(rig, 2);
    assert_int_equal(busy->run.report.status, PL_STOPPING);
}

/* Torn down with runs in both lines: rig_close checks that each is answered once. */
static void class__engine_that_stops__answers_all(void **state)
{
    struct worker_rig *rig = *state;
    (void)rig_start(rig, RIG_TENANT_A, "interpret:hang");
    (void)rig_start(rig, RIG_TENANT_A, "interpret:pid");
    for (int i = 0; i < 200 && stats_of(rig).interpreted < 2; i++)
        rig_idle(rig, 20);
}

#define CLASS_TEST(name) cmocka_unit_test_setup_teardown(name, class_set_up, class_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLASS_TEST(class__document_for_ghostscript__ends_as_a_pdf),
        CLASS_TEST(class__interpreters__see_one_run_each),
        CLASS_TEST(class__one_is_ready__before_any_document),
        cmocka_unit_test_setup_teardown(class__lazy__starts_none_until_a_run_needs_it,
                                        class_set_up_lazy, class_tear_down),
        cmocka_unit_test_setup_teardown(class__switched_off__is_unavailable, class_set_up_off,
                                        class_tear_down),
        CLASS_TEST(class__limits__hold_and_blame_as_elsewhere),
        CLASS_TEST(class__files_of_the_machine__are_out_of_reach),
        CLASS_TEST(class__cancelled__ends_waiting_or_busy),
        CLASS_TEST(class__engine_that_stops__answers_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
