/* ledger_thread: a queue under one lock, a unit per turn, answers by way of the loop.
 *
 * While one unit waits for the disk the next one gathers in the queue; nothing waits on purpose.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/ledger_thread.h"

#include <pthread.h>
#include <stdlib.h>

struct pl_ledger_thread {
    struct pl_loop *loop;
    const struct pl_log *log;
    struct pl_ledger ledger; /* the thread's alone */
    pthread_t thread;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t wake;
    struct pl_list waiting;
    bool stopping;
    struct pl_ledger_thread_stats stats;
};

static struct pl_ledger_call *ledger_call_of(struct pl_list *node)
{
    return PL_CONTAINER_OF(node, struct pl_ledger_call, node);
}

/* Takes the next unit's calls, waiting for the first; false at the end. */
static bool ledger_thread_take(struct pl_ledger_thread *thread, struct pl_list *unit)
{
    PL_CHECK(pthread_mutex_lock(&thread->lock) == 0);
    while (pl_list_is_empty(&thread->waiting) && !thread->stopping)
        PL_CHECK(pthread_cond_wait(&thread->wake, &thread->lock) == 0);
    for (unsigned n = 0; n < PL_LEDGER_UNIT_CALLS; n++) {
        struct pl_list *node = pl_list_take_first(&thread->waiting);
        if (node == NULL)
            break;
        pl_list_append(unit, node);
    }
    PL_CHECK(pthread_mutex_unlock(&thread->lock) == 0);
    return !pl_list_is_empty(unit);
}

static pl_status ledger_thread_run_call(const struct pl_ledger *ledger, struct pl_ledger_call *call)
{
    pl_status status = ledger->ops->mark(ledger->self);
    if (status != PL_OK)
        return status;
    status = call->run(call, ledger);
    if (status != PL_OK)
        ledger->ops->undo(ledger->self);
    else
        status = ledger->ops->release(ledger->self);
    return status;
}

/* The status that stands for the unit as a whole. */
static pl_status ledger_thread_run_unit(const struct pl_ledger *ledger, struct pl_list *unit)
{
    pl_status status = ledger->ops->begin(ledger->self);
    if (status != PL_OK)
        return status;
    PL_LIST_FOR(node, unit)
    {
        struct pl_ledger_call *call = ledger_call_of(node);
        call->status = ledger_thread_run_call(ledger, call);
    }
    return ledger->ops->commit(ledger->self);
}

static void ledger_thread_count(struct pl_ledger_thread *thread, uint64_t calls, pl_status status)
{
    PL_CHECK(pthread_mutex_lock(&thread->lock) == 0);
    struct pl_ledger_thread_stats *stats = &thread->stats;
    bool first_break = status == PL_IO_ERROR && !stats->broken;
    stats->calls += calls;
    stats->commits++;
    if (status != PL_OK)
        stats->commit_errors++;
    if (first_break)
        stats->broken = true;
    PL_CHECK(pthread_mutex_unlock(&thread->lock) == 0);
    if (status != PL_OK)
        PL_LOG(thread->log, PL_LOG_ERROR, "ledger.commit_failed",
               PL_F("status", pl_status_name(status)), PL_FN("calls", calls));
    if (first_break)
        PL_LOG(thread->log, PL_LOG_ERROR, "ledger.broken",
               PL_F("reason", "the disk failed under a commit; nothing more is acknowledged until "
                              "the engine is restarted"));
}

static void ledger_call_on_done(struct pl_loop_task *task)
{
    struct pl_ledger_call *call = PL_CONTAINER_OF(task, struct pl_ledger_call, task);
    call->done(call);
}

/* After the post a call is no longer ours. */
static void ledger_thread_answer(struct pl_ledger_thread *thread, struct pl_list *unit,
                                 pl_status status)
{
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(unit)) != NULL) {
        struct pl_ledger_call *call = ledger_call_of(node);
        if (status != PL_OK)
            call->status = status;
        call->task.run = ledger_call_on_done;
        pl_loop_post(thread->loop, &call->task);
    }
}

static void *ledger_thread_main(void *owner)
{
    struct pl_ledger_thread *thread = owner;
    struct pl_list unit;
    pl_list_init(&unit);
    while (ledger_thread_take(thread, &unit)) {
        uint64_t calls = 0;
        PL_LIST_FOR(node, &unit)
        calls++;
        pl_status status = ledger_thread_run_unit(&thread->ledger, &unit);
        ledger_thread_count(thread, calls, status);
        ledger_thread_answer(thread, &unit, status);
        thread->ledger.ops->tidy(thread->ledger.self);
    }
    return NULL;
}

pl_status pl_ledger_thread_new(struct pl_loop *loop, const struct pl_log *log,
                               const struct pl_ledger *ledger, struct pl_ledger_thread **out)
{
    struct pl_ledger_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        return PL_NO_MEMORY;
    thread->loop = loop;
    thread->log = log;
    thread->ledger = *ledger;
    pl_list_init(&thread->waiting);
    PL_CHECK(pthread_mutex_init(&thread->lock, NULL) == 0);
    PL_CHECK(pthread_cond_init(&thread->wake, NULL) == 0);
    if (pthread_create(&thread->thread, NULL, ledger_thread_main, thread) != 0) {
        (void)pthread_cond_destroy(&thread->wake);
        (void)pthread_mutex_destroy(&thread->lock);
        free(thread);
        return PL_UNAVAILABLE;
    }
    *out = thread;
    return PL_OK;
}

void pl_ledger_thread_call(struct pl_ledger_thread *thread, struct pl_ledger_call *call)
{
    PL_CHECK(call->run != NULL && call->done != NULL);
    pl_list_init(&call->node);
    PL_CHECK(pthread_mutex_lock(&thread->lock) == 0);
    PL_CHECK(!thread->stopping);
    bool was_empty = pl_list_is_empty(&thread->waiting);
    pl_list_append(&thread->waiting, &call->node);
    if (was_empty)
        PL_CHECK(pthread_cond_signal(&thread->wake) == 0);
    PL_CHECK(pthread_mutex_unlock(&thread->lock) == 0);
}

void pl_ledger_thread_free(struct pl_ledger_thread *thread)
{
    if (thread == NULL)
        return;
    PL_CHECK(pthread_mutex_lock(&thread->lock) == 0);
    thread->stopping = true;
    PL_CHECK(pthread_cond_signal(&thread->wake) == 0);
    PL_CHECK(pthread_mutex_unlock(&thread->lock) == 0);
    PL_CHECK(pthread_join(thread->thread, NULL) == 0);
    thread->ledger.ops->close(thread->ledger.self);
    (void)pthread_cond_destroy(&thread->wake);
    (void)pthread_mutex_destroy(&thread->lock);
    free(thread);
}

void pl_ledger_thread_stats(struct pl_ledger_thread *thread, struct pl_ledger_thread_stats *out)
{
    PL_CHECK(pthread_mutex_lock(&thread->lock) == 0);
    *out = thread->stats;
    PL_CHECK(pthread_mutex_unlock(&thread->lock) == 0);
}
