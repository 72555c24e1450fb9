/* convert: one worker, a small loop, plain files; the same worker code as the engine's.
 *
 * An output appears under its name only when it is whole: it is written beside it and renamed.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert.h"

#include "api/convert_plan.h"
#include "api/startup.h"
#include "engine/net/timer.h"
#include "workers/pool.h"
#include "workers/worker_main.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: platen convert --to FORMAT [--force] [--threads N] IN... -o OUT\n"
    "\n"
    "Converts scans (TIFF, JPEG) without a server, in the same sandboxed worker.\n"
    "If OUT is a folder, or ends in '/', each input becomes a document there, named like it;\n"
    "otherwise the pages of all inputs, in order, become the one document OUT.\n"
    "\n"
    "  --to FORMAT   ";
static const char usage_rest[] =
    "\n"
    "  -o OUT        where to; an existing document is kept, and that is an error,\n"
    "  --force       unless this is given\n"
    "  --threads N   page threads, 1 to 64 (one for each processor, at most 4)\n";

#define CONVERT_ARENA_BYTES ((size_t)16 << 20)
#define PROGRESS_MS 200
#define DEFINITION_CHARS 1024
#define FALLBACK_WORKER_USER "nobody"

struct convert {
    struct pl_settings settings;
    struct pl_clock clock;
    struct pl_log log;
    struct pl_convert_wish wish;
    struct pl_convert_plan plan;
    struct pl_arena arena;
    const char *format;
    char definition[DEFINITION_CHARS];

    struct pl_launcher *launcher;
    struct pl_loop *loop;
    struct pl_pool *pool;
    struct pl_timer *progress;
    struct pl_id_maker ids;

    size_t next; /* task */
    struct pl_run run;
    struct pl_id tenant;
    int output_fd;
    char beside[PL_PATH_CHARS * 5];
    uint64_t bytes_in;
    int64_t began_ms;
    bool running;
    bool stopping;
    bool failed;
};

static void usage_print(FILE *to)
{
    (void)fprintf(to, "%s%s%s", usage, pl_format_list(), usage_rest);
}

static const struct pl_convert_task *convert_task(const struct convert *convert)
{
    return &convert->plan.tasks[convert->next];
}

static void convert_say_failure(struct convert *convert, const char *name,
                                const struct pl_fault *fault)
{
    convert->failed = true;
    (void)fprintf(stderr, "platen convert: %s: %s\n", name,
                  fault->reason[0] != '\0' ? fault->reason : pl_status_text(fault->status));
}

/* -- one document -- */

static void task_close(struct convert *convert)
{
    for (size_t i = 0; i < convert->run.input_count; i++)
        (void)close(convert->run.inputs[i].fd);
    convert->run.input_count = 0;
    if (convert->output_fd >= 0)
        (void)close(convert->output_fd);
    convert->output_fd = -1;
    if (convert->beside[0] != '\0')
        (void)unlink(convert->beside);
    convert->beside[0] = '\0';
}

static pl_status task_open_input(struct convert *convert, const char *path, struct pl_fault *fault)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: %s", path, strerror(errno));
    convert->run.inputs[convert->run.input_count++] = (struct pl_run_file){ .fd = fd };
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is not a file", path);
    convert->bytes_in += (uint64_t)info.st_size;
    return PL_OK;
}

static pl_status task_open_output(struct convert *convert, const char *path, struct pl_fault *fault)
{
    if (!pl_text_format(convert->beside, sizeof convert->beside, "%s.new-XXXXXX", path)) {
        convert->beside[0] = '\0';
        return pl_fault_set(fault, PL_MISCONFIGURED, "the path of the output is too long");
    }
    convert->output_fd = mkostemp(convert->beside, O_CLOEXEC);
    if (convert->output_fd >= 0)
        return PL_OK;
    convert->beside[0] = '\0';
    return pl_fault_set(fault, PL_MISCONFIGURED, "cannot write beside %s: %s", path,
                        strerror(errno));
}

/* Gives the document its name and the mode that any new file gets. */
static pl_status task_publish(struct convert *convert, const char *path, struct pl_fault *fault)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    if (fchmod(convert->output_fd, 0666 & ~mask) != 0)
        return pl_fault_set(fault, pl_status_from_errno(errno), "%s: %s", path, strerror(errno));
    int failed = convert->wish.force
                     ? rename(convert->beside, path)
                     : renameat2(AT_FDCWD, convert->beside, AT_FDCWD, path, RENAME_NOREPLACE);
    if (failed != 0 && errno == EINVAL) /* a file system that cannot refuse to replace */
        failed = access(path, F_OK) == 0 ? -1 : rename(convert->beside, path);
    if (failed != 0)
        return pl_fault_set(fault, PL_CONFLICT, "%s: %s", path, strerror(errno));
    convert->beside[0] = '\0';
    return PL_OK;
}

static void convert_continue(struct convert *convert);

static void convert_on_run(struct pl_run *run)
{
    struct convert *convert = PL_CONTAINER_OF(run, struct convert, run);
    const struct pl_convert_task *task = convert_task(convert);
    struct pl_fault fault = run->report.fault;
    pl_status status = run->report.status;
    int64_t took_ms = pl_clock_monotonic_ms(&convert->clock) - convert->began_ms;
    convert->running = false;
    if (convert->progress != NULL) {
        pl_timer_stop(convert->progress);
        (void)fputs("\r\x1b[K", stderr);
    }
    if (status == PL_OK)
        status = task_publish(convert, task->output, &fault);
    if (status == PL_OK)
        (void)printf("%s: %u pages, %llu bytes in, %llu out, %lld ms\n", task->output,
                     run->report.summary.pages_out, (unsigned long long)convert->bytes_in,
                     (unsigned long long)run->report.summary.bytes_out, (long long)took_ms);
    if (status != PL_OK) {
        fault.status = status;
        convert_say_failure(convert, task->inputs[0], &fault);
    }
    (void)fflush(stdout);
    task_close(convert);
    convert->next++;
    convert_continue(convert);
}

/* The one document of a task. */
static pl_status task_open_document(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                                    struct pl_fault *fault)
{
    const struct convert *convert = PL_CONTAINER_OF(run, struct convert, run);
    if (n > 1)
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "this format makes several documents out of these pages; choose one "
                            "page, or another format");
    if (ftruncate(convert->output_fd, 0) != 0)
        return pl_fault_set(fault, PL_IO_ERROR, "%s: %s", convert->beside, strerror(errno));
    *out = (struct pl_run_file){ .fd = convert->output_fd };
    return PL_OK;
}

static pl_status task_open(struct convert *convert, struct pl_fault *fault)
{
    const struct pl_convert_task *task = convert_task(convert);
    pl_status status = PL_OK;
    convert->run = (struct pl_run){ .plan = convert->definition,
                                    .wall_limit_ms = convert->settings.jobs_lease_ms,
                                    .limits = convert->settings.limits,
                                    .open_document = task_open_document,
                                    .done = convert_on_run };
    convert->bytes_in = 0;
    convert->output_fd = -1;
    for (size_t i = 0; i < task->input_count && status == PL_OK; i++)
        status = task_open_input(convert, task->inputs[i], fault);
    if (status == PL_OK)
        status = task_open_output(convert, task->output, fault);
    if (status == PL_OK)
        status = pl_id_make(&convert->ids, pl_clock_wall_ms(&convert->clock), &convert->run.job);
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
        struct pl_fault fault = { 0 };
        fault.status = PL_OK;
        if (task_open(convert, &fault) == PL_OK) {
            const struct pl_runner runner = pl_pool_runner(convert->pool);
            if (convert->next == 0)
                convert->tenant = convert->run.job; /* nobody's, but the same for all tasks */
            convert->run.tenant = convert->tenant;
            convert->began_ms = pl_clock_monotonic_ms(&convert->clock);
            convert->running = true;
            if (convert->progress != NULL)
                pl_timer_start(convert->progress, PROGRESS_MS, PROGRESS_MS);
            runner.ops->start(runner.self, &convert->run);
            return;
        }
        convert_say_failure(convert, convert_task(convert)->output, &fault);
        task_close(convert);
        convert->next++;
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

/* -- start and end -- */

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
    pl_status status = pl_launcher_new_inside(pl_worker_main, convert_worker_user(convert),
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
    if (!pl_format_parse(convert->format, &convert->wish.format))
        return pl_fault_set(fault, PL_UNSUPPORTED, "there is no format %s; there is: %s",
                            convert->format, pl_format_list());
    (void)pl_plan_write_simple("convert", convert->wish.format, convert->definition,
                               sizeof convert->definition);
    pl_status status = pl_convert_plan_make(&convert->wish, &convert->arena, &convert->plan, fault);
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

/* 0, 1 after help, 2 after wrong usage. */
static int options_read(int argc, char **argv, struct convert *convert)
{
    static const struct option options[] = {
        { "to", required_argument, NULL, 't' }, { "output", required_argument, NULL, 'o' },
        { "force", no_argument, NULL, 'f' },    { "threads", required_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },     { NULL, 0, NULL, 0 }
    };
    for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
        bool good = true;
        if (option == 't')
            convert->format = optarg;
        else if (option == 'o')
            convert->wish.output = optarg;
        else if (option == 'f')
            convert->wish.force = true;
        else if (option == 'n')
            good = pl_text_parse_u64(pl_span_from(optarg), 64, &convert->settings.workers_threads);
        else if (option == 'h')
            return usage_print(stdout), 1;
        else
            good = false;
        if (!good)
            return usage_print(stderr), 2;
    }
    convert->wish.inputs = (const char *const *)argv + optind;
    convert->wish.input_count = (size_t)(argc - optind);
    if (convert->format == NULL || convert->wish.output == NULL ||
        convert->wish.output[0] == '\0' || optind >= argc)
        return usage_print(stderr), 2;
    return 0;
}

int pl_convert_main(int argc, char **argv)
{
    struct pl_fault fault = { 0 };
    struct convert *convert = calloc(1, sizeof *convert);
    if (convert == NULL)
        return 1;
    pl_settings_defaults(&convert->settings);
    pl_arena_init(&convert->arena, CONVERT_ARENA_BYTES);
    convert->clock = PL_CLOCK_SYSTEM;
    convert->log =
        (struct pl_log){ .least = PL_LOG_ERROR, .sink = pl_log_stderr, .clock = &convert->clock };
    int code = options_read(argc, argv, convert);
    if (code != 0) {
        code = code == 1 ? 0 : 2;
    } else if (convert_run(convert, &fault) != PL_OK) {
        (void)fprintf(stderr, "platen convert: %s\n", fault.reason);
        code = 1;
    } else {
        code = convert->failed ? 1 : 0;
    }
    pl_arena_fini(&convert->arena);
    free(convert);
    return code;
}
