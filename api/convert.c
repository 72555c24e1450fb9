/* convert: one worker, a small loop, plain files; the same worker code as the engine's.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert.h"

#include "api/convert_files.h"
#include "api/convert_options.h"
#include "api/convert_report.h"
#include "api/startup.h"
#include "engine/net/timer.h"
#include "workers/pool.h"
#include "workers/worker_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONVERT_ARENA_BYTES ((size_t)16 << 20)
#define PROGRESS_MS 200
#define FALLBACK_WORKER_USER "nobody"

enum convert_exit { CONVERT_DONE = 0, CONVERT_FAILED = 1, CONVERT_MISUSED = 2 };

struct convert {
    struct pl_settings settings;
    struct pl_clock clock;
    struct pl_log log;
    struct pl_convert_options options;
    struct pl_convert_plan plan;
    struct pl_arena arena;

    struct pl_launcher *launcher;
    struct pl_loop *loop;
    struct pl_pool *pool;
    struct pl_timer *progress;
    struct pl_id_maker ids;

    size_t next; /* task */
    struct pl_run run;
    struct pl_id tenant; /* nobody's, but the same for all tasks, so that the worker serves all */
    struct pl_convert_files files;
    uint64_t bytes_in;
    int64_t began_ms;
    bool running;
    bool stopping;
    bool failed;
};

static const struct pl_convert_task *convert_task(const struct convert *convert)
{
    return &convert->plan.tasks[convert->next];
}

/* Says how the present task ended, and goes on to the next one. */
static void task_end(struct convert *convert, struct pl_fault *fault)
{
    const struct pl_convert_task *task = convert_task(convert);
    size_t count = fault->status == PL_OK ? convert->files.output_count : 0;
    char **names = calloc(count + 1, sizeof *names);
    const struct pl_convert_end end = {
        .task = task,
        .report = &convert->run.report,
        .fault = fault,
        .names = names,
        .bytes_in = convert->bytes_in,
        .took_ms = pl_clock_monotonic_ms(&convert->clock) - convert->began_ms,
    };
    for (size_t i = 0; names != NULL && i < count; i++)
        names[i] = convert->files.outputs[i].name;
    if (fault->status != PL_OK) {
        convert->failed = true;
        (void)fprintf(stderr, "platen convert: %s: %s\n", task->inputs[0],
                      fault->reason[0] != '\0' ? fault->reason : pl_status_text(fault->status));
    }
    if (names != NULL && convert->options.json)
        pl_convert_report_json(&end, stdout);
    else if (names != NULL && fault->status == PL_OK)
        pl_convert_report_line(&end, stdout);
    (void)fflush(stdout);
    free(names);
    pl_convert_files_close(&convert->files, &convert->run);
    convert->next++;
}

static void convert_continue(struct convert *convert);

static void convert_on_run(struct pl_run *run)
{
    struct convert *convert = PL_CONTAINER_OF(run, struct convert, run);
    struct pl_fault fault = run->report.fault;
    fault.status = run->report.status;
    convert->running = false;
    if (convert->progress != NULL) {
        pl_timer_stop(convert->progress);
        (void)fputs("\r\x1b[K", stderr);
    }
    if (fault.status == PL_OK)
        fault.status = pl_convert_files_publish(&convert->files, &run->report,
                                                convert->options.wish.force, &fault);
    task_end(convert, &fault);
    convert_continue(convert);
}

static pl_status convert_on_open(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                                 struct pl_fault *fault)
{
    struct convert *convert = PL_CONTAINER_OF(run, struct convert, run);
    *out = (struct pl_run_file){ .fd = -1 };
    return pl_convert_files_place(&convert->files, n, &out->fd, fault);
}

static pl_status task_open(struct convert *convert, struct pl_fault *fault)
{
    convert->run = (struct pl_run){ .plan = convert->options.definition,
                                    .wall_limit_ms = convert->settings.jobs_lease_ms,
                                    .limits = convert->settings.limits,
                                    .open_document = convert_on_open,
                                    .done = convert_on_run };
    convert->began_ms = pl_clock_monotonic_ms(&convert->clock);
    pl_status status = pl_convert_files_open(convert_task(convert), &convert->run,
                                             &convert->bytes_in, &convert->files, fault);
    if (status == PL_OK)
        status = pl_id_make(&convert->ids, pl_clock_wall_ms(&convert->clock), &convert->run.job);
    if (convert->next == 0)
        convert->tenant = convert->run.job;
    convert->run.tenant = convert->tenant;
    return status;
}

static void convert_on_progress(void *owner)
{
    const struct convert *convert = owner;
    (void)fprintf(stderr, "\r\x1b[K%s: page %u of %u", convert_task(convert)->output,
                  convert->run.pages_done, convert->run.pages_total);
}

/* The pool frees itself; with it goes the last handle. */
static void convert_on_closed(void *owner)
{
    struct convert *convert = owner;
    convert->pool = NULL;
    pl_timer_free(convert->progress);
    convert->progress = NULL;
    pl_loop_stop(convert->loop);
}

/* Starts the next document that can be started, or ends. */
static void convert_continue(struct convert *convert)
{
    while (!convert->stopping && convert->next < convert->plan.count) {
        struct pl_fault fault = { .status = PL_OK };
        fault.status = task_open(convert, &fault);
        if (fault.status == PL_OK) {
            const struct pl_runner runner = pl_pool_runner(convert->pool);
            convert->running = true;
            if (convert->progress != NULL)
                pl_timer_start(convert->progress, PROGRESS_MS, PROGRESS_MS);
            runner.ops->start(runner.self, &convert->run);
            return;
        }
        task_end(convert, &fault);
    }
    pl_pool_close(convert->pool, convert_on_closed, convert);
}

static void convert_on_signal(void *owner, int signum)
{
    struct convert *convert = owner;
    const struct pl_runner runner = pl_pool_runner(convert->pool);
    (void)signum;
    if (convert->stopping)
        return;
    convert->stopping = true;
    convert->failed = true;
    if (convert->running)
        runner.ops->cancel(runner.self, &convert->run);
}

/* As root workers run as somebody else, who need not be made for this command. */
static const char *convert_worker_user(const struct convert *convert)
{
    struct pl_user user;
    const char *name = convert->settings.process_worker_user;
    return geteuid() == 0 && pl_user_find(name, &user, NULL) != PL_OK ? FALLBACK_WORKER_USER : name;
}

static pl_status convert_start(struct convert *convert, struct pl_fault *fault)
{
    const struct pl_pool_settings pool = {
        .processes = 1,
        .is_alone = true,
        .threads = pl_settings_threads(&convert->settings),
        .memory_bytes = convert->settings.workers_memory_bytes,
        .cpu_ms = convert->settings.limits.cpu_ms,
        .output_bytes = convert->settings.limits.output_bytes,
        .jobs_per_process = convert->settings.workers_jobs_per_process,
        /* Started when a document needs one: most do not, and it takes 45 ms. */
        .interpreters = { .processes = 1,
                          .memory_bytes = convert->settings.workers_interpreter_memory_bytes },
    };
    pl_status status = pl_launcher_new_inside(pl_worker_main_plain, convert_worker_user(convert),
                                              &convert->launcher, fault);
    if (status == PL_OK)
        status = pl_loop_new(&convert->loop);
    if (status == PL_OK)
        status = pl_pool_new(convert->loop, &convert->log, convert->launcher, &pool, &convert->pool,
                             fault);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "%s", pl_status_text(status));
    if (isatty(STDERR_FILENO))
        (void)!pl_timer_new(convert->loop, convert_on_progress, convert, &convert->progress);
    (void)!pl_loop_on_signal(convert->loop, convert_on_signal, convert);
    return PL_OK;
}

static pl_status convert_run(struct convert *convert, struct pl_fault *fault)
{
    /* The limits of an instance's tenant, but for the number of files, which nobody shares. */
    convert->settings.limits.documents = PL_RUN_DOCUMENTS_MOST;
    if (convert->options.threads > 0)
        convert->settings.workers_threads = convert->options.threads;
    pl_status status =
        pl_convert_plan_make(&convert->options.wish, &convert->arena, &convert->plan, fault);
    if (status == PL_OK)
        status = convert_start(convert, fault);
    if (status == PL_OK) {
        convert_continue(convert);
        pl_loop_run(convert->loop);
    }
    pl_loop_free(convert->loop);
    pl_launcher_free(convert->launcher);
    return status;
}

static int convert_main(struct convert *convert, int argc, char **argv)
{
    struct pl_fault fault = { .status = PL_OK };
    switch (pl_convert_options_read(argc, argv, &convert->options, &fault)) {
    case PL_CONVERT_HELP:
        pl_convert_help(stdout);
        return CONVERT_DONE;
    case PL_CONVERT_USAGE:
        (void)fputs("usage: platen convert --to FORMAT [OPTION]... IN... -o OUT\n"
                    "       platen convert --help says what there is\n",
                    stderr);
        return CONVERT_MISUSED;
    case PL_CONVERT_REFUSE:
        (void)fprintf(stderr, "platen convert: %s\n", fault.reason);
        return CONVERT_MISUSED;
    case PL_CONVERT_GO:
        break;
    }
    if (convert_run(convert, &fault) == PL_OK)
        return convert->failed ? CONVERT_FAILED : CONVERT_DONE;
    (void)fprintf(stderr, "platen convert: %s\n", fault.reason);
    return CONVERT_FAILED;
}

int pl_convert_main(int argc, char **argv)
{
    struct convert *convert = calloc(1, sizeof *convert);
    if (convert == NULL)
        return CONVERT_FAILED;
    pl_settings_defaults(&convert->settings);
    pl_arena_init(&convert->arena, CONVERT_ARENA_BYTES);
    convert->clock = PL_CLOCK_SYSTEM;
    convert->log =
        (struct pl_log){ .least = PL_LOG_ERROR, .sink = pl_log_stderr, .clock = &convert->clock };
    int code = convert_main(convert, argc, argv);
    pl_convert_options_fini(&convert->options);
    pl_arena_fini(&convert->arena);
    free(convert);
    return code;
}
