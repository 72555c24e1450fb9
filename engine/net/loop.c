/* loop: a uv_loop_t, one async handle behind a locked list of tasks, and the pool behind uv_work_t.
 *
 * The async handle keeps a running loop alive; pl_loop_stop lets go of it, so that uv_run ends with
 * the last handle of somebody else. Tasks that were posted by then still run.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/loop.h"

#include <uv.h>

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

static const int loop_signals[] = { SIGTERM, SIGINT, SIGHUP };

struct pl_loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_mutex_t lock; /* guards `posted` */
    struct pl_list posted;
    uv_signal_t signals[PL_COUNT_OF(loop_signals)];
    pl_loop_signal_fn *on_signal;
    void *signal_owner;
    bool signals_open;
};

static_assert(sizeof(uv_work_t) <= sizeof(((struct pl_loop_work *)NULL)->impl),
              "pl_loop_work.impl must hold a uv_work_t");

/* Runs what was posted until now; what these tasks post waits for the next turn. */
static bool loop_run_posted(struct pl_loop *loop)
{
    struct pl_list batch;
    pl_list_init(&batch);
    uv_mutex_lock(&loop->lock);
    pl_list_take_all(&batch, &loop->posted);
    uv_mutex_unlock(&loop->lock);
    bool any = false;
    for (struct pl_list *node; (node = pl_list_take_first(&batch)) != NULL;) {
        struct pl_loop_task *task = PL_CONTAINER_OF(node, struct pl_loop_task, node);
        any = true;
        task->run(task);
    }
    return any;
}

static void loop_on_wake(uv_async_t *wake)
{
    (void)loop_run_posted(wake->data);
}

pl_status pl_loop_new(struct pl_loop **out)
{
    struct pl_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return PL_NO_MEMORY;
    if (uv_loop_init(&loop->uv) != 0)
        goto no_loop;
    if (uv_mutex_init(&loop->lock) != 0)
        goto no_lock;
    if (uv_async_init(&loop->uv, &loop->wake, loop_on_wake) != 0)
        goto no_wake;
    loop->wake.data = loop;
    pl_list_init(&loop->posted);
    /* A peer that goes away shows as EPIPE where it is written to, not as a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    *out = loop;
    return PL_OK;

no_wake:
    uv_mutex_destroy(&loop->lock);
no_lock:
    (void)uv_loop_close(&loop->uv);
no_loop:
    free(loop);
    return PL_UNAVAILABLE;
}

static void loop_close_signals(struct pl_loop *loop)
{
    if (!loop->signals_open)
        return;
    loop->signals_open = false;
    for (size_t i = 0; i < PL_COUNT_OF(loop->signals); i++)
        uv_close((uv_handle_t *)&loop->signals[i], NULL);
}

void pl_loop_free(struct pl_loop *loop)
{
    if (loop == NULL)
        return;
    loop_close_signals(loop);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    PL_CHECK(pl_list_is_empty(&loop->posted));
    PL_CHECK(uv_loop_close(&loop->uv) == 0);
    uv_mutex_destroy(&loop->lock);
    free(loop);
}

void pl_loop_run(struct pl_loop *loop)
{
    do
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    while (loop_run_posted(loop) || uv_loop_alive(&loop->uv));
    uv_ref((uv_handle_t *)&loop->wake);
}

void pl_loop_stop(struct pl_loop *loop)
{
    loop_close_signals(loop);
    uv_unref((uv_handle_t *)&loop->wake);
}

struct uv_loop_s *pl_loop_uv(struct pl_loop *loop)
{
    return &loop->uv;
}

int64_t pl_loop_now_ms(const struct pl_loop *loop)
{
    return (int64_t)uv_now(&loop->uv);
}

void pl_loop_post(struct pl_loop *loop, struct pl_loop_task *task)
{
    uv_mutex_lock(&loop->lock);
    pl_list_append(&loop->posted, &task->node);
    /* Under the lock: once the task is visible the loop may run it and be freed by its owner. */
    (void)uv_async_send(&loop->wake);
    uv_mutex_unlock(&loop->lock);
}

static struct pl_loop_work *work_of(uv_work_t *request)
{
    return PL_CONTAINER_OF(request, struct pl_loop_work, impl);
}

static void work_on_pool(uv_work_t *request)
{
    struct pl_loop_work *work = work_of(request);
    work->run(work);
}

static void work_on_done(uv_work_t *request, int status)
{
    (void)status; /* nobody cancels */
    struct pl_loop_work *work = work_of(request);
    work->done(work);
}

void pl_loop_work(struct pl_loop *loop, struct pl_loop_work *work)
{
    uv_work_t *request = (uv_work_t *)(void *)work->impl;
    PL_CHECK(uv_queue_work(&loop->uv, request, work_on_pool, work_on_done) == 0);
}

static void loop_on_signal(uv_signal_t *handle, int signum)
{
    struct pl_loop *loop = handle->data;
    loop->on_signal(loop->signal_owner, signum);
}

pl_status pl_loop_on_signal(struct pl_loop *loop, pl_loop_signal_fn *fn, void *owner)
{
    PL_CHECK(!loop->signals_open);
    loop->on_signal = fn;
    loop->signal_owner = owner;
    for (size_t i = 0; i < PL_COUNT_OF(loop->signals); i++) {
        (void)uv_signal_init(&loop->uv, &loop->signals[i]);
        loop->signals[i].data = loop;
    }
    loop->signals_open = true;
    for (size_t i = 0; i < PL_COUNT_OF(loop->signals); i++) {
        if (uv_signal_start(&loop->signals[i], loop_on_signal, loop_signals[i]) != 0) {
            loop_close_signals(loop);
            return PL_UNAVAILABLE;
        }
    }
    return PL_OK;
}
