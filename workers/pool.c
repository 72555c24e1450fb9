/* pool: which worker takes which run, and what becomes of a run that no worker can take.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- runs that end without a word from a worker -- */

static void pool_post(struct pl_pool *pool)
{
    if (pool->task_posted)
        return;
    pool->task_posted = true;
    pl_loop_post(pool->loop, &pool->task);
}

/* The run is in no list; its fault is set. */
static void pool_finish_later(struct pl_pool *pool, struct pl_run *run)
{
    run->report.status = run->report.fault.status;
    run->impl = NULL;
    pl_list_append(&pool->finished, &run->node);
    pool_post(pool);
}

void pl_pool_refuse(struct pl_pool *pool, struct pl_run *run, pl_status status, const char *reason)
{
    (void)pl_fault_set(&run->report.fault, status, "%s", reason);
    pool_finish_later(pool, run);
}

static void pool_refuse_waiting(struct pl_pool *pool, pl_status status, const char *reason)
{
    for (struct pl_list *node; (node = pl_list_take_first(&pool->waiting)) != NULL;)
        pl_pool_refuse(pool, PL_CONTAINER_OF(node, struct pl_run, node), status, reason);
}

static void pool_refuse_all(struct pl_pool *pool, pl_status status, const char *reason)
{
    pool_refuse_waiting(pool, status, reason);
    pl_pool_class_refuse_waiting(pool, status, reason);
}

/* -- birth and death -- */

static void pool_on_held(void *owner)
{
    struct pl_pool *pool = owner;
    pool->is_held = false;
    pl_pool_pump(pool);
}

static void pool_note_failure(struct pl_pool *pool, const char *reason)
{
    uint64_t wait_ms = PL_POOL_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < pool->start_failures && wait_ms < PL_POOL_BACKOFF_MOST_MS; i++)
        wait_ms *= 2;
    pool->start_failures++;
    if (pool->start_failures >= PL_POOL_START_FAILURES_MOST)
        pool_refuse_waiting(pool, PL_UNAVAILABLE, reason);
    pool->is_held = true;
    if (!pool->is_closing)
        pl_timer_start(pool->held_timer, wait_ms, 0);
}

static void pool_count_death(struct pl_pool *pool, const struct pl_pool_worker *worker,
                             pl_status verdict)
{
    switch (worker->end) {
    case PL_END_RETIRED:
    case PL_END_CANCELLED:
    case PL_END_STOPPING:
        return;
    case PL_END_WALL:
    case PL_END_CPU:
        pool->stats.killed++;
        return;
    case PL_END_UNASKED:
        if (verdict == PL_TOO_LARGE)
            pool->stats.killed++;
        else
            pool->stats.died++;
        return;
    case PL_END_BROKE:
    case PL_END_SLOW:
        pool->stats.died++;
        return;
    }
}

static void pool_on_died(struct pl_pool *pool, struct pl_pool_worker *worker, int wait_status)
{
    struct pl_fault fault = { .status = PL_OK };
    char how[32];
    pl_status verdict = pl_pool_worker_died(worker, wait_status, &fault);
    struct pl_run *run = worker->run;
    bool was_asked = worker->end == PL_END_RETIRED || worker->end == PL_END_STOPPING ||
                     worker->end == PL_END_CANCELLED;
    bool was_ready = worker->has_greeted && worker->pid != 0;
    pool_count_death(pool, worker, verdict);
    PL_LOG(pool->log, was_asked ? PL_LOG_DEBUG : PL_LOG_WARN, "worker.ended",
           PL_FN("pid", worker->pid),
           PL_F("how", pl_verdict_status_text(wait_status, how, sizeof how)),
           PL_F("job", run == NULL ? "none" : run->job.text), PL_F("reason", fault.reason));
    enum pl_worker_class class = worker->class;
    pl_pool_worker_free(worker);
    if (!was_asked && run == NULL && !pool->is_closing && class == PL_CLASS_INTERPRETER)
        pl_pool_class_note_failure(pool, "no interpreter gets ready; the log says why", false);
    else if (!was_asked && run == NULL && !pool->is_closing)
        pool_note_failure(pool, was_ready ? "workers die while they have nothing to do; the log "
                                            "says more"
                                          : "no worker gets ready; the log says why");
    if (run != NULL) {
        run->report.fault = fault;
        run->report.status = verdict;
        run->impl = NULL;
        run->done(run);
    }
    pl_pool_pump(pool);
}

/* -- the launcher's word -- */

static struct pl_pool_worker *pool_find(struct pl_pool *pool, uint64_t ticket)
{
    PL_LIST_FOR(node, &pool->workers)
    {
        struct pl_pool_worker *worker = PL_CONTAINER_OF(node, struct pl_pool_worker, node);
        if (worker->ticket == ticket)
            return worker;
    }
    return NULL;
}

static void pool_on_launcher_gone(struct pl_pool *pool)
{
    static const char reason[] =
        "the process that starts workers is gone; the engine must be started again";
    pool->is_launcher_gone = true;
    pl_watch_free(pool->watch);
    pool->watch = NULL;
    PL_LOG(pool->log, PL_LOG_ERROR, "launcher.died", PL_F("reason", reason));
    pool_refuse_all(pool, PL_UNAVAILABLE, reason);
    while (!pl_list_is_empty(&pool->workers)) { /* the kernel ends them with it */
        struct pl_pool_worker *worker =
            PL_CONTAINER_OF(pool->workers.next, struct pl_pool_worker, node);
        struct pl_run *run = worker->run;
        pl_pool_worker_free(worker);
        if (run != NULL)
            pl_pool_refuse(pool, run, PL_WORKER_DIED, reason);
    }
    pool_post(pool);
}

static void pool_on_start_failed(struct pl_pool *pool, struct pl_pool_worker *worker, int error)
{
    bool interprets = worker->class == PL_CLASS_INTERPRETER;
    bool is_final = error == ENOTSUP;
    const char *reason =
        is_final ? "/dev/shm is no tmpfs, and interpreters write to memory only" : strerror(error);
    PL_LOG(pool->log, PL_LOG_ERROR, "worker.start_failed", PL_F("reason", reason));
    pl_pool_worker_free(worker);
    if (interprets)
        pl_pool_class_note_failure(pool, reason, is_final);
    else
        pool_note_failure(pool, "no worker process can be made; the log says why");
    pl_pool_pump(pool);
}

static void pool_take_message(struct pl_pool *pool, const struct pl_launcher_message *message)
{
    struct pl_pool_worker *worker = pool_find(pool, message->ticket);
    if (worker == NULL)
        return;
    switch (message->event) {
    case PL_LAUNCHER_STARTED:
        pool->stats.started++;
        worker->pid = message->pid;
        pl_process_set_pid(worker->process, message->pid);
        pl_pool_worker_make_ready(worker);
        return;
    case PL_LAUNCHER_FAILED:
        pool_on_start_failed(pool, worker, message->error);
        return;
    case PL_LAUNCHER_DIED:
        pool_on_died(pool, worker, message->wait_status);
        return;
    }
}

static void pool_on_launcher(void *owner)
{
    struct pl_pool *pool = owner;
    struct pl_launcher_message message;
    while (!pool->is_launcher_gone) {
        pl_status status = pl_launcher_receive(pool->launcher, &message);
        if (status == PL_OK)
            pool_take_message(pool, &message);
        else if (status == PL_BUSY)
            return;
        else
            pool_on_launcher_gone(pool);
    }
}

/* -- which worker takes which run -- */

struct pool_count {
    unsigned alive; /* not ending */
    unsigned busy;
    unsigned unbound; /* idle or starting, has seen no tenant */
};

static struct pool_count pool_counts(const struct pl_pool *pool)
{
    struct pool_count count = { 0 };
    PL_LIST_FOR(node, &pool->workers)
    {
        const struct pl_pool_worker *worker = PL_CONTAINER_OF(node, struct pl_pool_worker, node);
        bool is_busy = worker->state == WORKER_BUSY;
        if (worker->state == WORKER_ENDING || worker->class != PL_CLASS_DOCUMENTS)
            continue;
        count.alive++;
        count.busy += is_busy;
        count.unbound += !is_busy && pl_id_is_none(&worker->tenant);
    }
    return count;
}

/* One of the tenant's own before one that is nobody's yet. */
static struct pl_pool_worker *pool_choose(struct pl_pool *pool, const struct pl_id *tenant)
{
    struct pl_pool_worker *unbound = NULL;
    PL_LIST_FOR(node, &pool->workers)
    {
        struct pl_pool_worker *worker = PL_CONTAINER_OF(node, struct pl_pool_worker, node);
        if (worker->state != WORKER_IDLE || worker->class != PL_CLASS_DOCUMENTS)
            continue;
        if (pl_id_is_none(&worker->tenant))
            unbound = worker;
        else if (pl_id_equals(&worker->tenant, tenant))
            return worker;
    }
    return unbound;
}

static struct pl_pool_worker *pool_oldest_idle(struct pl_pool *pool)
{
    struct pl_pool_worker *oldest = NULL;
    PL_LIST_FOR(node, &pool->workers)
    {
        struct pl_pool_worker *worker = PL_CONTAINER_OF(node, struct pl_pool_worker, node);
        if (worker->state == WORKER_IDLE && worker->class == PL_CLASS_DOCUMENTS &&
            !pl_id_is_none(&worker->tenant) && (oldest == NULL || worker->used < oldest->used))
            oldest = worker;
    }
    return oldest;
}

/* False when no worker is free for it; true when it is placed, or refused. */
static bool pool_place(struct pl_pool *pool, struct pl_run *run)
{
    struct pl_pool_worker *worker = NULL;
    while ((worker = pool_choose(pool, &run->tenant)) != NULL) {
        pl_status status = pl_pool_worker_take(worker, run);
        if (status != PL_OK && run->report.fault.status == PL_OK)
            continue;
        pl_list_remove(&run->node);
        if (status != PL_OK)
            pool_finish_later(pool, run);
        return true;
    }
    return false;
}

/* Keeps one worker that is nobody's yet, and as many more as runs wait for. */
static void pool_make_room(struct pl_pool *pool, unsigned unplaced)
{
    struct pool_count count = pool_counts(pool);
    unsigned ahead = pool->settings.is_alone ? 0 : 1;
    unsigned most = pool->settings.processes + ahead;
    unsigned free_turns = pool->settings.processes - count.busy;
    unsigned wanted = unplaced < free_turns ? unplaced : free_turns;
    if (wanted == 0)
        wanted = ahead;
    while (count.alive >= most && count.unbound < wanted) {
        struct pl_pool_worker *oldest = pool_oldest_idle(pool);
        if (oldest == NULL)
            break;
        pl_pool_worker_end(oldest, PL_END_RETIRED, NULL);
        count.alive--;
        count.unbound++; /* the one that is started for it */
    }
    for (; count.alive < most && !pool->is_held; count.alive++) {
        pl_status status = pl_pool_worker_new(pool, PL_CLASS_DOCUMENTS);
        if (status == PL_OK)
            continue;
        PL_LOG(pool->log, PL_LOG_ERROR, "worker.start_failed",
               PL_F("reason", pl_status_text(status)));
        pool_note_failure(pool, "no worker process can be made; the log says why");
    }
}

void pl_pool_pump(struct pl_pool *pool)
{
    unsigned unplaced = 0;
    if (pool->is_closing || pool->is_launcher_gone) {
        pool_post(pool);
        return;
    }
    unsigned busy = pool_counts(pool).busy;
    for (struct pl_list *node = pool->waiting.next, *next; node != &pool->waiting; node = next) {
        next = node->next;
        struct pl_run *run = PL_CONTAINER_OF(node, struct pl_run, node);
        if (busy >= pool->settings.processes || !pool_place(pool, run))
            unplaced++;
        else
            busy = pool_counts(pool).busy;
    }
    pool_make_room(pool, unplaced);
    pl_pool_class_pump(pool);
}

/* -- what the engine calls -- */

static const char *run_breach(const struct pl_run *run)
{
    if (run->input_count == 0 || run->input_count > PL_RUN_INPUTS)
        return "a job has 1 to 64 originals";
    if (strlen(run->plan) > PL_RUN_PLAN_BYTES)
        return "the definition of this pipeline is longer than 48 KiB";
    if (run->limits.documents == 0 || run->limits.documents > PL_RUN_DOCUMENTS_MOST)
        return "a job may have 1 to 10000 documents (limits.documents)";
    return NULL;
}

static void pool_start(void *self, struct pl_run *run)
{
    struct pl_pool *pool = self;
    const char *breach = run_breach(run);
    run->report = (struct pl_run_report){ .status = PL_OK };
    run->pages_done = run->pages_total = 0;
    run->impl = NULL;
    pl_list_init(&run->node);
    if (pool->is_closing)
        pl_pool_refuse(pool, run, PL_STOPPING, "the engine is stopping");
    else if (breach != NULL)
        pl_pool_refuse(pool, run, PL_MISCONFIGURED, breach);
    else if (pool->is_launcher_gone || pool->start_failures >= PL_POOL_START_FAILURES_MOST)
        pl_pool_refuse(pool, run, PL_UNAVAILABLE, "no worker can be started; the log says why");
    else {
        pl_list_append(&pool->waiting, &run->node);
        pl_pool_pump(pool);
    }
}

static unsigned pool_idle(void *self)
{
    const struct pl_pool *pool = self;
    unsigned taken = pool_counts(pool).busy + pl_pool_class_waiting(pool);
    PL_LIST_FOR(node, &pool->waiting)
    taken++;
    if (pool->is_closing || taken >= pool->settings.processes)
        return 0;
    return pool->settings.processes - taken;
}

static void pool_cancel(void *self, struct pl_run *run)
{
    struct pl_pool *pool = self;
    if (run->impl != NULL) {
        pl_pool_worker_end(run->impl, PL_END_CANCELLED, NULL);
        return;
    }
    if (pl_pool_class_cancel(pool, run))
        return;
    PL_LIST_FOR(node, &pool->waiting)
    {
        if (node != &run->node)
            continue;
        pl_list_remove(node);
        pl_pool_refuse(pool, run, PL_STOPPING, "the job was ended before a worker took it");
        return;
    }
}

struct pl_runner pl_pool_runner(struct pl_pool *pool)
{
    static const struct pl_runner_ops ops = { pool_start, pool_idle, pool_cancel };
    return (struct pl_runner){ .ops = &ops, .self = pool };
}

static void pool_on_task(struct pl_loop_task *task)
{
    struct pl_pool *pool = PL_CONTAINER_OF(task, struct pl_pool, task);
    struct pl_list batch;
    pl_list_init(&batch);
    pl_list_take_all(&batch, &pool->finished);
    for (struct pl_list *node; (node = pl_list_take_first(&batch)) != NULL;) {
        struct pl_run *run = PL_CONTAINER_OF(node, struct pl_run, node);
        run->done(run);
    }
    pool->task_posted = false;
    if (!pl_list_is_empty(&pool->finished)) {
        pool_post(pool);
        return;
    }
    if (!pool->is_closing || !pl_list_is_empty(&pool->workers))
        return;
    pl_watch_free(pool->watch);
    pl_timer_free(pool->held_timer);
    pl_pool_class_fini(pool);
    void (*on_closed)(void *) = pool->on_closed;
    void *owner = pool->closed_owner;
    free(pool);
    on_closed(owner);
}

pl_status pl_pool_new(struct pl_loop *loop, const struct pl_log *log, struct pl_launcher *launcher,
                      const struct pl_pool_settings *settings, struct pl_pool **out,
                      struct pl_fault *fault)
{
    PL_CHECK(settings->processes >= 1 && settings->processes <= 64);
    PL_CHECK(settings->threads >= 1 && settings->threads <= 64);
    PL_CHECK(settings->interpreters.processes <= 16);
    struct pl_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory for the pool of workers");
    pool->loop = loop;
    pool->log = log;
    pool->launcher = launcher;
    pool->settings = *settings;
    pool->task.run = pool_on_task;
    pl_list_init(&pool->workers);
    pl_list_init(&pool->waiting);
    pl_list_init(&pool->finished);
    pl_status status = pl_timer_new(loop, pool_on_held, pool, &pool->held_timer);
    if (status == PL_OK)
        status = pl_pool_class_init(pool);
    if (status == PL_OK)
        status = pl_watch_new(loop, pl_launcher_fd(launcher), pool_on_launcher, pool, &pool->watch);
    if (status != PL_OK) {
        pl_timer_free(pool->held_timer);
        pl_pool_class_fini(pool);
        free(pool);
        return pl_fault_set(fault, status, "the pool of workers cannot be set up: %s",
                            pl_status_text(status));
    }
    pl_pool_pump(pool);
    *out = pool;
    return PL_OK;
}

void pl_pool_close(struct pl_pool *pool, void (*done)(void *owner), void *owner)
{
    PL_CHECK(!pool->is_closing);
    pool->is_closing = true;
    pool->on_closed = done;
    pool->closed_owner = owner;
    pl_timer_stop(pool->held_timer);
    pl_timer_stop(pool->interpreters.held_timer);
    pool_refuse_all(pool, PL_STOPPING, "the engine is stopping");
    PL_LIST_FOR(node, &pool->workers)
    pl_pool_worker_end(PL_CONTAINER_OF(node, struct pl_pool_worker, node), PL_END_STOPPING, NULL);
    pool_post(pool);
}

void pl_pool_stats(const struct pl_pool *pool, struct pl_pool_stats *out)
{
    struct pool_count count = pool_counts(pool);
    *out = pool->stats;
    out->alive = count.alive;
    out->busy = count.busy;
    pl_pool_class_stats(pool, out);
    out->is_launcher_gone = pool->is_launcher_gone;
}
