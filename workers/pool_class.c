/* pool_class: the interpreters of a pool: kept ready, one run each.
 *
 * They wait beside the other workers and in nobody's way: a flood of documents that need one fills
 * this line, and the pool then takes fewer runs on, not none.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/pool_priv.h"

struct class_count {
    unsigned alive; /* not ending */
    unsigned busy;
};

static struct class_count class_counts(const struct pl_pool *pool)
{
    struct class_count count = { 0 };
    PL_LIST_FOR(node, &pool->workers)
    {
        const struct pl_pool_worker *worker = PL_CONTAINER_OF(node, struct pl_pool_worker, node);
        if (worker->class != PL_CLASS_INTERPRETER || worker->state == WORKER_ENDING)
            continue;
        count.alive++;
        count.busy += worker->state == WORKER_BUSY;
    }
    return count;
}

static struct pl_pool_worker *class_idle(struct pl_pool *pool)
{
    PL_LIST_FOR(node, &pool->workers)
    {
        struct pl_pool_worker *worker = PL_CONTAINER_OF(node, struct pl_pool_worker, node);
        if (worker->class == PL_CLASS_INTERPRETER && worker->state == WORKER_IDLE)
            return worker;
    }
    return NULL;
}

unsigned pl_pool_class_waiting(const struct pl_pool *pool)
{
    unsigned count = 0;
    PL_LIST_FOR(node, &pool->interpreters.waiting)
    count++;
    return count;
}

static void class_on_held(void *owner)
{
    struct pl_pool *pool = owner;
    pool->interpreters.is_held = false;
    pl_pool_pump(pool);
}

pl_status pl_pool_class_init(struct pl_pool *pool)
{
    pl_list_init(&pool->interpreters.waiting);
    return pl_timer_new(pool->loop, class_on_held, pool, &pool->interpreters.held_timer);
}

void pl_pool_class_fini(struct pl_pool *pool)
{
    pl_timer_free(pool->interpreters.held_timer);
}

void pl_pool_class_refuse_waiting(struct pl_pool *pool, pl_status status, const char *reason)
{
    for (struct pl_list *node; (node = pl_list_take_first(&pool->interpreters.waiting)) != NULL;)
        pl_pool_refuse(pool, PL_CONTAINER_OF(node, struct pl_run, node), status, reason);
}

/* The document cannot be had, and the log says more. */
static const char *class_refusal(const struct pl_pool *pool)
{
    if (pool->settings.interpreters.processes == 0)
        return "this document needs Ghostscript, which is switched off (workers.interpreters)";
    if (pool->interpreters.start_failures >= PL_POOL_START_FAILURES_MOST)
        return pool->interpreters.reason;
    return NULL;
}

void pl_pool_class_note_failure(struct pl_pool *pool, const char *reason, bool is_final)
{
    struct pl_pool_class *class = &pool->interpreters;
    uint64_t wait_ms = PL_POOL_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < class->start_failures && wait_ms < PL_POOL_BACKOFF_MOST_MS; i++)
        wait_ms *= 2;
    class->start_failures = is_final ? PL_POOL_START_FAILURES_MOST : class->start_failures + 1;
    (void)pl_text_format(class->reason, sizeof class->reason,
                         "this document needs Ghostscript, which cannot be started: %s", reason);
    if (class->start_failures >= PL_POOL_START_FAILURES_MOST)
        pl_pool_class_refuse_waiting(pool, PL_UNAVAILABLE, class->reason);
    class->is_held = true;
    if (!pool->is_closing)
        pl_timer_start(class->held_timer, is_final ? PL_POOL_BACKOFF_MOST_MS : wait_ms, 0);
}

void pl_pool_class_hand_over(struct pl_pool *pool, struct pl_run *run)
{
    const char *refusal = class_refusal(pool);
    run->report = (struct pl_run_report){ .status = PL_OK };
    run->pages_done = run->pages_total = 0;
    pl_list_init(&run->node);
    if (pool->is_closing)
        pl_pool_refuse(pool, run, PL_STOPPING, "the engine is stopping");
    else if (refusal != NULL)
        pl_pool_refuse(pool, run, PL_UNAVAILABLE, refusal);
    else
        pl_list_append(&pool->interpreters.waiting, &run->node);
    pool->stats.interpreted++;
}

bool pl_pool_class_cancel(struct pl_pool *pool, struct pl_run *run)
{
    PL_LIST_FOR(node, &pool->interpreters.waiting)
    {
        if (node != &run->node)
            continue;
        pl_list_remove(node);
        pl_pool_refuse(pool, run, PL_STOPPING, "the job was ended before a worker took it");
        return true;
    }
    return false;
}

/* False when no interpreter is ready for it; true when it is placed, or refused. */
static bool class_place(struct pl_pool *pool, struct pl_run *run)
{
    struct pl_pool_worker *worker = NULL;
    while ((worker = class_idle(pool)) != NULL) {
        pl_status status = pl_pool_worker_take(worker, run);
        if (status != PL_OK && run->report.fault.status == PL_OK)
            continue;
        pl_list_remove(&run->node);
        if (status != PL_OK) {
            pl_status refused = run->report.fault.status;
            pl_pool_refuse(pool, run, refused, ""); /* the first sentence stands */
        }
        return true;
    }
    return false;
}

void pl_pool_class_pump(struct pl_pool *pool)
{
    struct pl_pool_class *class = &pool->interpreters;
    const struct pl_pool_interpreters *settings = &pool->settings.interpreters;
    unsigned waiting = 0;
    for (struct pl_list *node = class->waiting.next, *next; node != &class->waiting; node = next) {
        next = node->next;
        if (class_counts(pool).busy >= settings->processes ||
            !class_place(pool, PL_CONTAINER_OF(node, struct pl_run, node)))
            waiting++;
    }
    struct class_count count = class_counts(pool);
    unsigned turns = settings->processes - count.busy;
    unsigned wanted = count.busy + (waiting < turns ? waiting : turns);
    if (!pool->settings.is_alone && settings->processes > 0 && wanted == count.busy)
        wanted++;
    for (; count.alive < wanted && !class->is_held; count.alive++) {
        pl_status status = pl_pool_worker_new(pool, PL_CLASS_INTERPRETER);
        if (status != PL_OK)
            pl_pool_class_note_failure(pool, pl_status_text(status), false);
    }
}

void pl_pool_class_stats(const struct pl_pool *pool, struct pl_pool_stats *out)
{
    struct class_count count = class_counts(pool);
    out->interpreters = count.alive;
    out->interpreters_busy = count.busy;
}
