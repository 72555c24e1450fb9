/* pool_worker: one worker as the pool sees it: its deadlines, its words, its end.
 *
 * Every end of a worker is a SIGKILL through the launcher: an idle one has nothing to lose, and
 * with a busy one there is nothing to discuss. The CPU time of a job is read from outside, by the
 * clock of the process, so that it does not rest on the word of what it limits.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/pool_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define WORKER_START_LIMIT_MS 10000
#define WORKER_DYING_LIMIT_MS 1000 /* from a closed socket to the end of the process */
#define WORKER_CHECK_LEAST_MS 10

/* -- a worker's clock and end -- */

/* CPU time of all threads of a process, whoever it runs as. */
static bool worker_cpu_us(const struct pl_pool_worker *worker, uint64_t *out)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(worker->pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return false;
    *out = (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
    return true;
}

static uint64_t worker_job_cpu_us(const struct pl_pool_worker *worker)
{
    uint64_t now = 0;
    return worker_cpu_us(worker, &now) && now > worker->cpu_before_us ? now - worker->cpu_before_us
                                                                      : 0;
}

void pl_pool_worker_end(struct pl_pool_worker *worker, enum pl_worker_end end, const char *broke)
{
    struct pl_pool *pool = worker->pool;
    if (worker->state != WORKER_ENDING || worker->end == PL_END_UNASKED) {
        worker->end = end;
        worker->broke = broke;
    }
    worker->state = WORKER_ENDING;
    pl_timer_stop(worker->timer);
    if (pl_launcher_kill(pool->launcher, worker->ticket) == PL_BUSY)
        pl_timer_start(worker->timer, WORKER_DYING_LIMIT_MS, 0);
}

static uint64_t worker_memory(const struct pl_pool *pool, enum pl_worker_class class)
{
    return class == PL_CLASS_INTERPRETER ? pool->settings.interpreters.memory_bytes
                                         : pool->settings.memory_bytes;
}

/* What its job may use, never more than what its process was started for. */
static uint64_t worker_cpu_limit_ms(const struct pl_pool_worker *worker)
{
    uint64_t most = worker->pool->settings.cpu_ms;
    return worker->run != NULL && worker->run->limits.cpu_ms < most ? worker->run->limits.cpu_ms
                                                                    : most;
}

static struct pl_worker_death worker_death(const struct pl_pool_worker *worker, int wait_status)
{
    const struct pl_pool *pool = worker->pool;
    return (struct pl_worker_death){ .end = worker->end,
                                     .wait_status = wait_status,
                                     .broke = worker->broke,
                                     .wall_ms =
                                         worker->run == NULL ? 0 : worker->run->wall_limit_ms,
                                     .cpu_ms = worker_cpu_limit_ms(worker),
                                     .file_bytes = worker->run == NULL
                                                       ? pool->settings.output_bytes
                                                       : worker->run->limits.output_bytes };
}

/* Looks again when the job could first be over a limit: its threads cannot use up what is left of
 * its CPU time any sooner. */
static void worker_check_limits(struct pl_pool_worker *worker)
{
    const struct pl_pool *pool = worker->pool;
    uint64_t wall_ms = (uint64_t)(pl_loop_now_ms(pool->loop) - worker->run_since_ms);
    uint64_t cpu_ms = worker_job_cpu_us(worker) / 1000;
    uint64_t cpu_limit_ms = worker_cpu_limit_ms(worker);
    if (wall_ms >= worker->run->wall_limit_ms) {
        pl_pool_worker_end(worker, PL_END_WALL, NULL);
        return;
    }
    if (cpu_ms >= cpu_limit_ms) {
        pl_pool_worker_end(worker, PL_END_CPU, NULL);
        return;
    }
    uint64_t wait_ms = (cpu_limit_ms - cpu_ms) / (pool->settings.threads + 1);
    uint64_t wall_left_ms = worker->run->wall_limit_ms - wall_ms;
    if (wait_ms < WORKER_CHECK_LEAST_MS)
        wait_ms = WORKER_CHECK_LEAST_MS;
    pl_timer_start(worker->timer, wait_ms < wall_left_ms ? wait_ms : wall_left_ms, 0);
}

static void worker_on_timer(void *owner)
{
    struct pl_pool_worker *worker = owner;
    switch (worker->state) {
    case WORKER_STARTING:
        pl_pool_worker_end(worker, PL_END_SLOW, NULL);
        return;
    case WORKER_BUSY:
        worker_check_limits(worker);
        return;
    case WORKER_ENDING:
        pl_pool_worker_end(worker, PL_END_BROKE, "it closed its socket");
        return;
    case WORKER_IDLE:
        return;
    }
}

/* -- a worker's word -- */

static void worker_log_sandbox(const struct pl_pool_worker *worker,
                               const struct pl_wire_hello *hello)
{
    struct pl_pool *pool = worker->pool;
    bool is_first = !pool->was_reported;
    pool->was_reported = true;
    PL_LOG(pool->log, is_first ? PL_LOG_INFO : PL_LOG_DEBUG, "worker.ready",
           PL_FN("pid", worker->pid), PL_FN("landlock_abi", hello->landlock_abi),
           PL_F("seccomp", "on"), PL_F("no_new_code", hello->mdwe ? "on" : "off"));
    if (is_first && hello->landlock_abi == 0)
        PL_LOG(pool->log, PL_LOG_WARN, "worker.sandbox_weaker",
               PL_F("reason", "this kernel has no Landlock; workers are held by seccomp alone"));
    if (is_first && hello->widened)
        PL_LOG(pool->log, PL_LOG_WARN, "worker.sandbox_weaker",
               PL_F("reason", "this is a sanitizer's build, whose runtime is allowed more system "
                              "calls; not for production"));
}

void pl_pool_worker_make_ready(struct pl_pool_worker *worker)
{
    if (worker->state != WORKER_STARTING || worker->pid == 0 || !worker->has_greeted)
        return;
    pl_timer_stop(worker->timer);
    worker->state = WORKER_IDLE;
    if (worker->class == PL_CLASS_INTERPRETER)
        worker->pool->interpreters.start_failures = 0;
    else
        worker->pool->start_failures = 0;
    pl_pool_pump(worker->pool);
}

/* A worker that ran out of its memory is replaced. On its first job that was the document's doing;
 * later it may have been what earlier jobs left behind. */
static void worker_judge_memory(const struct pl_pool_worker *worker, struct pl_run_report *report)
{
    if (report->status != PL_NO_MEMORY || worker->jobs > 1)
        return;
    report->fault = (struct pl_fault){ .status = PL_OK };
    report->status = pl_fault_set(
        &report->fault, PL_TOO_LARGE,
        "the job needs more than the %llu MiB that a worker may use (%s)",
        (unsigned long long)(worker_memory(worker->pool, worker->class) >> 20),
        worker->class == PL_CLASS_INTERPRETER ? "workers.interpreter_memory" : "workers.memory");
}

static bool worker_is_used_up(const struct pl_pool_worker *worker, pl_status last)
{
    return worker->class == PL_CLASS_INTERPRETER ||
           worker->jobs >= worker->pool->settings.jobs_per_process || last == PL_NO_MEMORY;
}

static void worker_take_report(struct pl_pool_worker *worker, const struct pl_run_report *report)
{
    struct pl_pool *pool = worker->pool;
    struct pl_run *run = worker->run;
    const char *breach = pl_pool_documents_breach(&worker->documents, report);
    if (breach != NULL) {
        pl_pool_worker_end(worker, PL_END_BROKE, breach);
        return;
    }
    uint64_t cpu_us = worker_job_cpu_us(worker);
    pl_timer_stop(worker->timer);
    worker->jobs++;
    worker->run = NULL;
    run->impl = NULL;
    if (worker->state == WORKER_BUSY)
        worker->state = WORKER_IDLE;
    if (worker->state == WORKER_IDLE && worker_is_used_up(worker, report->status))
        pl_pool_worker_end(worker, PL_END_RETIRED, NULL);
    if (report->status == PL_NEEDS_INTERPRETER && worker->class == PL_CLASS_DOCUMENTS) {
        pl_pool_class_hand_over(pool, run);
    } else {
        pool->stats.jobs++;
        pl_pool_documents_report(&worker->documents, report, &run->report);
        run->report.cpu_us = cpu_us;
        worker_judge_memory(worker, &run->report);
        run->done(run);
    }
    pl_pool_pump(pool);
}

/* NULL, or why the worker must end. */
static const char *worker_take_frame(struct pl_pool_worker *worker,
                                     const struct pl_wire_frame *frame)
{
    static const char out_of_turn[] = "it spoke out of turn";
    switch (frame->kind) {
    case PL_WIRE_HELLO:
        if (worker->has_greeted || !frame->as.hello.seccomp)
            return "it does not run in its sandbox";
        worker->has_greeted = true;
        worker_log_sandbox(worker, &frame->as.hello);
        pl_pool_worker_make_ready(worker);
        return NULL;
    case PL_WIRE_PROGRESS:
        if (worker->run == NULL)
            break;
        worker->run->pages_done = frame->as.progress.done;
        worker->run->pages_total = frame->as.progress.total;
        return NULL;
    case PL_WIRE_OPEN:
        return worker->run == NULL ? out_of_turn : pl_pool_documents_open(worker, frame->as.open);
    case PL_WIRE_DOCUMENT:
        return worker->run == NULL ? out_of_turn
                                   : pl_pool_documents_take(worker, &frame->as.document);
    case PL_WIRE_LEDGER:
        if (worker->run == NULL)
            break;
        return pl_pool_documents_ledger(&worker->documents, frame->as.ledger);
    case PL_WIRE_REPORT:
        if (worker->run == NULL)
            break;
        worker_take_report(worker, &frame->as.report);
        return NULL;
    case PL_WIRE_SETUP:
    case PL_WIRE_RUN:
    case PL_WIRE_FILE:
        break;
    }
    return out_of_turn;
}

static void worker_on_frame(void *owner, const struct pl_wire_frame *frame)
{
    struct pl_pool_worker *worker = owner;
    if (worker->end != PL_END_UNASKED)
        return;
    const char *breach = worker_take_frame(worker, frame);
    if (breach != NULL)
        pl_pool_worker_end(worker, PL_END_BROKE, breach);
}

static void worker_on_silent(void *owner, const char *why)
{
    struct pl_pool_worker *worker = owner;
    if (worker->end != PL_END_UNASKED)
        return;
    if (why != NULL) {
        pl_pool_worker_end(worker, PL_END_BROKE, why);
        return;
    }
    /* Most likely it is dying, and its wait status will say of what. */
    worker->state = WORKER_ENDING;
    pl_timer_start(worker->timer, WORKER_DYING_LIMIT_MS, 0);
}

/* -- giving it a job -- */

/* Checks the descriptors of the originals and describes them. False, with the fault set, when one
 * is not usable. */
static bool run_describe(struct pl_run *run, struct pl_wire_run *out, int *fds)
{
    struct pl_fault *fault = &run->report.fault;
    out->job = run->job;
    out->tenant = run->tenant;
    out->limits = run->limits;
    out->input_count = run->input_count;
    out->plan = pl_span_from(run->plan);
    for (size_t i = 0; i < run->input_count; i++) {
        struct stat file;
        int flags = fcntl(run->inputs[i].fd, F_GETFL);
        if (flags < 0 || fstat(run->inputs[i].fd, &file) != 0 || !S_ISREG(file.st_mode) ||
            (flags & O_ACCMODE) != O_RDONLY) {
            (void)pl_fault_set(fault, PL_IO_ERROR,
                               "original %zu of this job is not a file opened for reading only",
                               i + 1);
            return false;
        }
        pl_pool_file_fill(&out->files[i], &run->inputs[i], (uint64_t)file.st_size);
        fds[i] = run->inputs[i].fd;
    }
    return true;
}

/* With the place of the first document, which nearly every job is the only one of. */
static pl_status worker_send_run(struct pl_pool_worker *worker, struct pl_run *run)
{
    struct pl_wire_frame frame = { .kind = PL_WIRE_RUN };
    int fds[PL_WIRE_FILES];
    pl_status status = PL_IO_ERROR;
    if (!run_describe(run, &frame.as.run, fds))
        goto done;
    status =
        pl_pool_documents_first(&worker->documents, run, &frame.as.run.files[run->input_count]);
    if (status != PL_OK)
        goto done;
    fds[run->input_count] = worker->documents.place.fd;
    status = pl_process_send(worker->process, &frame, fds, run->input_count + 1);
done:
    pl_wipe(&frame, sizeof frame);
    return status;
}

pl_status pl_pool_worker_take(struct pl_pool_worker *worker, struct pl_run *run)
{
    struct pl_pool *pool = worker->pool;
    worker->cpu_before_us = 0;
    (void)worker_cpu_us(worker, &worker->cpu_before_us);
    pl_pool_documents_clear(&worker->documents);
    pl_status status = worker_send_run(worker, run);
    if (status != PL_OK) {
        if (run->report.fault.status == PL_OK) /* it died a moment ago, or does not listen */
            pl_pool_worker_end(worker, PL_END_BROKE, "it takes no job");
        return status;
    }
    worker->state = WORKER_BUSY;
    worker->run = run;
    worker->tenant = run->tenant;
    worker->used = ++pool->turn;
    worker->run_since_ms = pl_loop_now_ms(pool->loop);
    run->impl = worker;
    worker_check_limits(worker);
    return PL_OK;
}

/* -- birth and death -- */

void pl_pool_worker_free(struct pl_pool_worker *worker)
{
    pl_list_remove(&worker->node);
    pl_process_free(worker->process);
    pl_timer_free(worker->timer);
    pl_pool_documents_fini(&worker->documents);
    free(worker);
}

pl_status pl_pool_worker_new(struct pl_pool *pool, enum pl_worker_class class)
{
    static const struct pl_process_hooks hooks = { worker_on_frame, worker_on_silent };
    const struct pl_pool_settings *settings = &pool->settings;
    bool interprets = class == PL_CLASS_INTERPRETER;
    uint64_t cpu_ms = 0;
    if (__builtin_mul_overflow(settings->cpu_ms, interprets ? 2 : settings->jobs_per_process,
                               &cpu_ms)) /* starting costs some, too */
        cpu_ms = UINT64_MAX;
    const struct pl_wire_frame setup = {
        .kind = PL_WIRE_SETUP,
        .as.setup = { .threads = interprets ? 1 : settings->threads,
                      .memory_bytes = worker_memory(pool, class),
                      .cpu_ms = cpu_ms,
                      .output_bytes = settings->output_bytes },
    };
    struct pl_pool_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return PL_NO_MEMORY;
    worker->pool = pool;
    worker->class = class;
    worker->ticket = ++pool->last_ticket;
    pl_pool_documents_init(&worker->documents);
    pl_list_append(&pool->workers, &worker->node);
    pl_status status = pl_timer_new(pool->loop, worker_on_timer, worker, &worker->timer);
    if (status == PL_OK)
        status = pl_process_new(pool->loop, pool->log, pool->launcher, class, worker->ticket,
                                &hooks, worker, &worker->process);
    if (status == PL_OK)
        status = pl_process_send(worker->process, &setup, NULL, 0);
    if (status == PL_OK)
        pl_timer_start(worker->timer, WORKER_START_LIMIT_MS, 0);
    else
        pl_pool_worker_free(worker);
    return status;
}

pl_status pl_pool_worker_died(struct pl_pool_worker *worker, int wait_status,
                              struct pl_fault *fault)
{
    worker->state = WORKER_ENDING;
    pl_process_drain(worker->process); /* a report that was sent before the end still counts */
    const struct pl_worker_death death = worker_death(worker, wait_status);
    return pl_verdict(&death, fault);
}
