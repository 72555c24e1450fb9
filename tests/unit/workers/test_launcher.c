/* test_launcher: who a worker is, what it inherits, and that it does not outlive the engine.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/launcher.h"

#include "pipeline/plan.h"
#include "tests/support/pl_test.h"
#include "tests/support/worker_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void launcher__a_worker__is_nobody_with_an_empty_environment(void **state)
{
    (void)state;
    char text[64] = "";
    char wanted[64];
    const struct pl_pool_settings settings = rig_settings();
    struct worker_rig *rig = calloc(1, sizeof *rig);
    assert_int_equal(setenv("PLATEN_SECRET", "leaks", 1), 0);
    rig_open(rig, PAYLOAD_WORKER, &settings);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "identity");
    rig_wait(rig, 1);
    assert_int_equal(run->run.report.status, PL_OK);
    (void)rig_result(run, text, sizeof text);
    if (geteuid() == 0)
        (void)snprintf(wanted, sizeof wanted, "65534 65534 0");
    else
        (void)snprintf(wanted, sizeof wanted, "%u %u 0", geteuid(), getegid());
    assert_string_equal(text, wanted);
    rig_close(rig);
    free(rig);
}

static void launcher__a_worker_inside__is_sandboxed_and_works(void **state)
{
    (void)state;
    static const char text[] = "this is no scan";
    char plan[512];
    struct pl_pool_stats stats;
    struct pl_pool_settings settings = rig_settings();
    settings.processes = 1;
    settings.is_alone = true;
    struct worker_rig *rig = calloc(1, sizeof *rig);
    rig_open(rig, NULL, &settings);
    for (unsigned n = 1; n <= 2; n++) {
        struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, text, sizeof text - 1);
        run->run.plan = pl_plan_write_simple("inside", PL_FORMAT_PDFA_2B, plan, sizeof plan);
        rig_give(rig, run);
        rig_wait(rig, n);
        assert_int_equal(run->run.report.status, PL_UNSUPPORTED);
        assert_non_null(strstr(run->run.report.fault.reason, "this is text"));
    }
    pl_pool_stats(rig->pool, &stats);
    assert_int_equal(stats.started, 1);
    assert_int_equal(stats.alive, 1);
    assert_true(rig_logged(rig, "seccomp=on"));
    rig_close(rig);
    free(rig);
}

static void assert_refused(const char *path, const char *user, const char *words)
{
    struct pl_launcher *launcher = NULL;
    struct pl_fault fault = { .status = PL_OK };
    assert_int_equal(pl_launcher_new(path, user, &launcher, &fault), PL_MISCONFIGURED);
    assert_null(launcher);
    if (strstr(fault.reason, words) == NULL)
        fail_msg("%s", fault.reason);
}

static void launcher__a_program_that_cannot_run__is_refused(void **state)
{
    (void)state;
    assert_refused("/nowhere/platen-worker", "nobody", "/nowhere/platen-worker cannot be run");
    assert_refused("platen-worker", "nobody", "not an absolute path");
}

static void launcher__started_by_root__wants_a_user_that_is_not(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        (void)printf("skipped: only root may start workers as another user\n");
        skip();
    }
    assert_refused(PAYLOAD_WORKER, NULL, "set process.worker_user");
    assert_refused(PAYLOAD_WORKER, "", "set process.worker_user");
    assert_refused(PAYLOAD_WORKER, "no-such-user-here", "useradd --system");
    assert_refused(PAYLOAD_WORKER, "root", "never run as root");
    assert_refused(PAYLOAD_WORKER, "0", "never run as root");
}

static void launcher__a_program_that_vanishes__is_said_in_the_log(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        (void)printf("skipped: the program is only copied when the tests run as root\n");
        skip();
    }
    const struct pl_pool_settings settings = rig_settings();
    struct worker_rig *rig = calloc(1, sizeof *rig);
    rig_open(rig, PAYLOAD_WORKER, &settings);
    assert_int_equal(unlink(rig->program), 0);
    struct rig_run *first = rig_start(rig, RIG_TENANT_A, "exit");
    rig_wait(rig, 1);
    rig_idle(rig, 100);
    assert_int_not_equal(first->run.report.status, PL_OK);
    assert_true(rig_logged(rig, "cannot be started: No such file"));
    rig_close(rig);
    free(rig);
}

/* Children of a process, as the kernel lists them. */
static size_t children_of(pid_t pid, pid_t *out, size_t most)
{
    char text[512];
    (void)snprintf(text, sizeof text, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int fd = open(text, O_RDONLY);
    if (fd < 0)
        return 0;
    ssize_t took = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[took > 0 ? took : 0] = '\0';
    size_t count = 0;
    for (char *at = text, *end = NULL; count < most; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        out[count++] = (pid_t)child;
    }
    return count;
}

static bool process_is_gone(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        char path[64];
        char stat[256] = "";
        (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        int fd = open(path, O_RDONLY);
        if (fd < 0)
            return true;
        (void)!read(fd, stat, sizeof stat - 1);
        (void)close(fd);
        const char *after = strrchr(stat, ')');
        if (after == NULL || after[2] == 'Z') /* dead; its new parent has not looked yet */
            return true;
        (void)usleep(10000);
    }
    return false;
}

static void launcher__an_engine_that_is_killed__takes_all_with_it(void **state)
{
    (void)state;
    pid_t workers[8];
    size_t count = 0;
    pid_t launcher = 0;
    pid_t engine = fork();
    assert_true(engine >= 0);
    if (engine == 0) {
        const struct pl_pool_settings settings = rig_settings();
        struct worker_rig *rig = calloc(1, sizeof *rig);
        rig_open(rig, PAYLOAD_WORKER, &settings);
        (void)rig_start(rig, RIG_TENANT_A, "hang"); /* one that will not notice a closed socket */
        rig_idle(rig, 60000);
        _exit(1);
    }
    for (int i = 0; i < 1000 && count < 3; i++) {
        (void)usleep(10000);
        if (children_of(engine, &launcher, 1) == 1)
            count = children_of(launcher, workers, PL_COUNT_OF(workers));
    }
    assert_int_equal(count, 3);
    (void)usleep(200000);
    assert_int_equal(kill(engine, SIGKILL), 0);
    assert_int_equal(waitpid(engine, NULL, 0), engine);
    assert_true(process_is_gone(launcher));
    for (size_t i = 0; i < count; i++)
        assert_true(process_is_gone(workers[i]));
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/platen-worker-%d", (int)engine);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(launcher__an_engine_that_is_killed__takes_all_with_it),
        cmocka_unit_test(launcher__a_worker__is_nobody_with_an_empty_environment),
        cmocka_unit_test(launcher__a_worker_inside__is_sandboxed_and_works),
        cmocka_unit_test(launcher__a_program_that_cannot_run__is_refused),
        cmocka_unit_test(launcher__started_by_root__wants_a_user_that_is_not),
        cmocka_unit_test(launcher__a_program_that_vanishes__is_said_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
