/* test_pool: real processes in the real sandbox, with documents that are orders to misbehave.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/pool.h"

#include "tests/support/pl_test.h"
#include "tests/support/worker_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct worker_rig *rig_of(void **state)
{
    return *state;
}

static int pool_set_up_with(void **state, const struct pl_pool_settings *settings)
{
    struct worker_rig *rig = calloc(1, sizeof *rig);
    rig_open(rig, PAYLOAD_WORKER, settings);
    *state = rig;
    return 0;
}

static int pool_set_up(void **state)
{
    const struct pl_pool_settings settings = rig_settings();
    return pool_set_up_with(state, &settings);
}

static int pool_set_up_one_job(void **state)
{
    struct pl_pool_settings settings = rig_settings();
    settings.jobs_per_process = 1;
    return pool_set_up_with(state, &settings);
}

static int pool_tear_down(void **state)
{
    rig_close(rig_of(state));
    free(*state);
    return 0;
}

/* A run has ended with that status and a sentence that holds `words`. */
static void assert_ended(const struct rig_run *run, pl_status status, const char *words)
{
    if (run->run.report.status != status || strstr(run->run.report.fault.reason, words) == NULL)
        fail_msg("%s: %s; log:\n%s", pl_status_name(run->run.report.status),
                 run->run.report.fault.reason, run->rig->log_text);
}

static int run_pid(const struct rig_run *run)
{
    char text[32] = "";
    if (run->run.report.status != PL_OK)
        fail_msg("%s; log:\n%s", run->run.report.fault.reason, run->rig->log_text);
    (void)rig_result(run, text, sizeof text);
    return (int)strtol(text, NULL, 10);
}

static void pool__a_document__comes_back_sealed_and_hashed(void **state)
{
    struct worker_rig *rig = rig_of(state);
    enum { SIZE = 300001 };
    char *document = malloc(SIZE);
    char *result = malloc(SIZE + 1);
    uint8_t sha256[PL_SHA256_BYTES];
    for (int i = 0; i < SIZE; i++)
        document[i] = (char)(i * 7);
    memcpy(document, "copy\n", 5);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, document, SIZE);
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_OK, "");
    assert_int_equal(run->run.report.output_count, 1);
    assert_string_equal(run->outputs[0].type, "application/pdf");
    assert_string_equal(run->outputs[0].extension, "pdf");
    assert_int_equal(run->outputs[0].bytes, SIZE);
    assert_int_equal(run->outputs[0].pages, 1);
    assert_int_equal(run->run.report.summary.bytes_out, SIZE);
    assert_int_equal(rig_result(run, result, SIZE + 1), SIZE);
    assert_memory_equal(document, result, SIZE);
    pl_sha256_of(document, SIZE, sha256);
    assert_memory_equal(sha256, run->outputs[0].sha256, sizeof sha256);
    assert_true(run->run.report.cpu_us > 0);
    free(document);
    free(result);
}

static void pool__a_refused_document__brings_its_sentence_without_control_marks(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "refuse");
    rig_wait(rig, 1);
    assert_ended(run, PL_BAD_DOCUMENT, "page 1 is\xEF\xBF\xBDnot a page");
}

static void pool__a_long_page_ledger__arrives_whole(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "ledger");
    rig_wait(rig, 1);
    assert_ended(run, PL_OK, "");
    assert_int_equal(run->page_ledger_size, 10000 * strlen("{\"n\":1,\"how\":\"copied\"},"));
    assert_memory_equal(run->page_ledger, "{\"n\":1,", 7);
    assert_int_equal(run->outputs[0].pages, 10000);
}

static void pool__several_documents__come_back_in_order_each_under_its_key(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "many 30");
    rig_wait(rig, 1);
    assert_ended(run, PL_OK, "");
    assert_int_equal(run->run.report.output_count, 30);
    assert_int_equal(run->run.report.summary.documents, 30);
    assert_int_equal(run->run.report.summary.pages_out, 30);
    for (uint32_t n = 1; n <= 30; n++) {
        char wanted[32];
        char found[32];
        char suffix[16];
        (void)snprintf(wanted, sizeof wanted, "document %u", n);
        (void)snprintf(suffix, sizeof suffix, "-%03u", n);
        assert_int_equal(rig_document(run, n, found, sizeof found), strlen(wanted));
        assert_string_equal(found, wanted);
        assert_string_equal(run->outputs[n - 1].suffix, suffix);
        assert_int_equal(run->outputs[n - 1].bytes, strlen(wanted));
        assert_int_equal(run->outputs[n - 1].page_ledger.size, n < 10 ? 3 : 4);
    }
    assert_string_equal(run->page_ledger, "[1]");
    struct rig_run *after = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 2);
    assert_true(run_pid(after) > 0);
}

static void pool__more_documents_than_allowed__are_refused_by_number(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "many 8", 6);
    run->run.limits.documents = 7;
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_TOO_LARGE,
                 "more than 7 documents, document 8 is over the limit (limits.documents)");
    assert_int_equal(run->run.report.output_count, 0);
}

static void pool__documents_over_the_limit_together__are_too_large(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "many 8", 6);
    run->run.limits.output_bytes = 25;
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_TOO_LARGE, "limit of 25 bytes (limits.output_bytes)");
}

static void pool__no_place_for_a_document__is_what_the_run_ends_with(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "many 3", 6);
    run->refuse = PL_NO_SPACE;
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_NO_SPACE, "there is no place for document 2");
}

static void pool__a_repaired_document__says_so_with_its_reason(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "repair");
    rig_wait(rig, 1);
    assert_ended(run, PL_OK, "");
    assert_true(run->run.report.summary.repaired);
    assert_int_equal(run->run.report.summary.by_how[PL_JOB_PAGES_RENDERED], 1);
    assert_string_equal(run->run.report.summary.note, "page 1 was\xEF\xBF\xBD"
                                                      "damaged");
}

static void pool__a_tenant_with_less_cpu_time__gets_less(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "spin", 4);
    run->run.limits.cpu_ms = 250;
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_TOO_LARGE, "more than 0.25 s of CPU time (limits.cpu_time)");
}

static void pool__threads_inside_the_sandbox__work(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "threads");
    rig_wait(rig, 1);
    assert_true(run_pid(run) > 0);
}

static void pool__jobs_of_a_tenant__share_a_process(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *first = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 1);
    struct rig_run *second = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 2);
    assert_int_equal(run_pid(first), run_pid(second));
}

static void pool__tenants__never_share_a_process(void **state)
{
    static const char *const tenants[] = { RIG_TENANT_A, RIG_TENANT_B, RIG_TENANT_C };
    struct worker_rig *rig = rig_of(state);
    for (unsigned i = 0; i < 12; i++) {
        (void)rig_start(rig, tenants[i % 3], "pid");
        if (i % 4 == 3)
            rig_wait(rig, i + 1);
    }
    for (size_t i = 0; i < 12; i++)
        for (size_t j = 0; j < i; j++)
            if (i % 3 != j % 3)
                assert_int_not_equal(run_pid(&rig->runs[i]), run_pid(&rig->runs[j]));
}

static void pool__a_process_after_its_last_job__is_replaced(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct pl_pool_stats stats;
    struct rig_run *first = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 1);
    struct rig_run *second = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 2);
    assert_int_not_equal(run_pid(first), run_pid(second));
    pl_pool_stats(rig->pool, &stats);
    assert_int_equal(stats.died, 0);
    assert_int_equal(stats.jobs, 2);
}

/* The bad run and a good one of another tenant side by side; then the pool is as good as new. */
static struct rig_run *pool_misbehave(struct worker_rig *rig, const char *order)
{
    struct rig_run *good = rig_start(rig, RIG_TENANT_B, "sleep");
    struct rig_run *bad = rig_start(rig, RIG_TENANT_A, order);
    rig_wait(rig, 2);
    struct rig_run *after = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 3);
    assert_true(run_pid(good) > 0);
    assert_true(run_pid(after) > 0);
    return bad;
}

static void pool__a_crash__costs_one_run(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct pl_pool_stats stats;
    assert_ended(pool_misbehave(rig, "segv"), PL_WORKER_DIED, "the worker ");
    assert_true(rig_logged(rig, "worker.ended"));
    pl_pool_stats(rig->pool, &stats);
    assert_int_equal(stats.died, 1);
}

static void pool__an_abort__is_named(void **state)
{
    assert_ended(pool_misbehave(rig_of(state), "abort"), PL_WORKER_DIED, "SIGABRT");
}

static void pool__an_exit__is_named(void **state)
{
    assert_ended(pool_misbehave(rig_of(state), "exit"), PL_WORKER_DIED, "exit code 7");
}

static void pool__a_forbidden_call__is_the_end_by_the_sandbox(void **state)
{
    struct worker_rig *rig = rig_of(state);
#ifdef PL_SANITIZED
    assert_ended(pool_misbehave(rig, "open"), PL_DENIED, "not allowed");
#else
    assert_ended(pool_misbehave(rig, "open"), PL_WORKER_DIED, "killed by its sandbox (SIGSYS)");
    assert_true(rig_logged(rig, "SIGSYS"));
#endif
}

static void pool__a_job_that_spins__is_over_its_cpu_time(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct pl_pool_stats stats;
    assert_ended(pool_misbehave(rig, "spin"), PL_TOO_LARGE, "more than 1 s of CPU time");
    pl_pool_stats(rig->pool, &stats);
    assert_int_equal(stats.killed, 1);
}

static void pool__a_job_that_hangs__is_over_its_wall_time(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *bad = rig_prepare(rig, RIG_TENANT_A, "hang", 4);
    bad->run.wall_limit_ms = 250;
    rig_give(rig, bad);
    struct rig_run *good = rig_start(rig, RIG_TENANT_B, "sleep");
    rig_wait(rig, 2);
    assert_ended(bad, PL_TIMED_OUT, "longer than 0.25 s");
    assert_true(run_pid(good) > 0);
}

static void pool__a_job_that_eats_memory__is_too_large(void **state)
{
#ifdef PL_SANITIZED
    (void)state;
    (void)printf("skipped: a sanitizer's build has no limit on address space\n");
    skip();
#else
    assert_ended(pool_misbehave(rig_of(state), "eat"), PL_TOO_LARGE,
                 "400 MiB that a worker may use");
#endif
}

static void pool__a_result_over_the_limit__is_too_large(void **state)
{
    assert_ended(pool_misbehave(rig_of(state), "fill"), PL_TOO_LARGE, "limit of 1048576 bytes");
}

static void pool__a_plan_that_does_not_compile__says_so(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "pid", 3);
    run->run.plan = "broken";
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_MISCONFIGURED, "no such plan");
}

static void pool__a_wrong_key__is_tampered(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "pid", 3);
    run->input_key.secret[0] ^= 1;
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_TAMPERED, "not what was accepted");
}

static void pool__a_writable_original__is_refused(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, "pid", 3);
    int kept = run->run.inputs[0].fd;
    run->run.inputs[0].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    rig_give(rig, run);
    rig_wait(rig, 1);
    assert_ended(run, PL_IO_ERROR, "opened for reading only");
    (void)close(run->run.inputs[0].fd);
    run->run.inputs[0].fd = kept;
}

static void pool__a_chattering_worker__does_not_flood_the_log(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "chatter");
    rig_wait(rig, 1);
    assert_true(run_pid(run) > 0);
    assert_true(rig_logged(rig, "worker.said"));
    assert_null(strchr(rig->log_text, '\033'));
    assert_true(rig->log_size < 20000);
}

static void pool__more_runs_than_workers__wait_their_turn(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct pl_runner runner = pl_pool_runner(rig->pool);
    assert_int_equal(runner.ops->idle(runner.self), 2);
    for (unsigned i = 0; i < 6; i++)
        (void)rig_start(rig, RIG_TENANT_A, "sleep");
    assert_int_equal(runner.ops->idle(runner.self), 0);
    rig_wait(rig, 6);
    for (size_t i = 0; i < 6; i++)
        assert_ended(&rig->runs[i], PL_OK, "");
    assert_int_equal(runner.ops->idle(runner.self), 2);
}

static void pool__cancel__ends_running_and_waiting_runs(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct pl_runner runner = pl_pool_runner(rig->pool);
    struct rig_run *hanging[3];
    for (size_t i = 0; i < 3; i++)
        hanging[i] = rig_start(rig, RIG_TENANT_A, "hang");
    rig_idle(rig, 100);
    runner.ops->cancel(runner.self, &hanging[2]->run);
    runner.ops->cancel(runner.self, &hanging[0]->run);
    assert_int_equal(rig->done, 0);
    rig_wait(rig, 2);
    assert_ended(hanging[0], PL_STOPPING, "");
    assert_ended(hanging[2], PL_STOPPING, "");
    runner.ops->cancel(runner.self, &hanging[1]->run);
    rig_wait(rig, 3);
}

static void pool__close__answers_every_run(void **state)
{
    struct worker_rig *rig = rig_of(state);
    for (unsigned i = 0; i < 5; i++)
        (void)rig_start(rig, RIG_TENANT_A, "hang");
    rig_idle(rig, 50); /* tear-down closes, and counts the answers */
}

static void pool__an_idle_worker_killed_from_outside__is_replaced(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *first = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 1);
    assert_int_equal(kill(run_pid(first), SIGKILL), 0);
    struct rig_run *second = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 2);
    /* Either the death was seen before the run was given away, or it cost that run. */
    if (second->run.report.status != PL_OK)
        assert_ended(second, PL_WORKER_DIED, "SIGKILL");
    struct rig_run *third = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 3);
    assert_int_not_equal(run_pid(first), run_pid(third));
}

static void pool__a_lost_launcher__answers_every_run(void **state)
{
    struct worker_rig *rig = rig_of(state);
    struct rig_run *hanging = rig_start(rig, RIG_TENANT_A, "hang");
    struct pl_pool_stats stats = { 0 };
    for (int i = 0; i < 1000 && stats.busy == 0; i++) {
        rig_idle(rig, 10);
        pl_pool_stats(rig->pool, &stats);
    }
    assert_int_equal(kill(rig_launcher_pid(), SIGKILL), 0);
    rig_wait(rig, 1);
    assert_ended(hanging, PL_WORKER_DIED, "must be started again");
    struct rig_run *late = rig_start(rig, RIG_TENANT_A, "pid");
    rig_wait(rig, 2);
    assert_ended(late, PL_UNAVAILABLE, "no worker can be started");
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, pool_set_up, pool_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(pool__a_document__comes_back_sealed_and_hashed),
        POOL_TEST(pool__a_refused_document__brings_its_sentence_without_control_marks),
        POOL_TEST(pool__a_long_page_ledger__arrives_whole),
        POOL_TEST(pool__several_documents__come_back_in_order_each_under_its_key),
        POOL_TEST(pool__more_documents_than_allowed__are_refused_by_number),
        POOL_TEST(pool__documents_over_the_limit_together__are_too_large),
        POOL_TEST(pool__no_place_for_a_document__is_what_the_run_ends_with),
        POOL_TEST(pool__a_repaired_document__says_so_with_its_reason),
        POOL_TEST(pool__a_tenant_with_less_cpu_time__gets_less),
        POOL_TEST(pool__threads_inside_the_sandbox__work),
        POOL_TEST(pool__jobs_of_a_tenant__share_a_process),
        POOL_TEST(pool__tenants__never_share_a_process),
        cmocka_unit_test_setup_teardown(pool__a_process_after_its_last_job__is_replaced,
                                        pool_set_up_one_job, pool_tear_down),
        POOL_TEST(pool__a_crash__costs_one_run),
        POOL_TEST(pool__an_abort__is_named),
        POOL_TEST(pool__an_exit__is_named),
        POOL_TEST(pool__a_forbidden_call__is_the_end_by_the_sandbox),
        POOL_TEST(pool__a_job_that_spins__is_over_its_cpu_time),
        POOL_TEST(pool__a_job_that_hangs__is_over_its_wall_time),
        POOL_TEST(pool__a_job_that_eats_memory__is_too_large),
        POOL_TEST(pool__a_result_over_the_limit__is_too_large),
        POOL_TEST(pool__a_plan_that_does_not_compile__says_so),
        POOL_TEST(pool__a_wrong_key__is_tampered),
        POOL_TEST(pool__a_writable_original__is_refused),
        POOL_TEST(pool__a_chattering_worker__does_not_flood_the_log),
        POOL_TEST(pool__more_runs_than_workers__wait_their_turn),
        POOL_TEST(pool__cancel__ends_running_and_waiting_runs),
        POOL_TEST(pool__close__answers_every_run),
        POOL_TEST(pool__an_idle_worker_killed_from_outside__is_replaced),
        POOL_TEST(pool__a_lost_launcher__answers_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
