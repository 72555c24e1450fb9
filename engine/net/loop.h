/* loop: the one event loop, the way other threads reach it, and work that leaves it for a while.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_LOOP_H
#define PL_ENGINE_NET_LOOP_H

#include "engine/base/list.h"
#include "engine/base/status.h"

struct uv_loop_s;
struct pl_loop;

pl_status pl_loop_new(struct pl_loop **out) PL_MUST_USE;
/* The loop must have no open handle left besides its own. */
void pl_loop_free(struct pl_loop *loop);
/* Runs until pl_loop_stop, then until every handle is closed. */
void pl_loop_run(struct pl_loop *loop);
/* From the loop's thread: pl_loop_run returns once the handles that others own are closed. */
void pl_loop_stop(struct pl_loop *loop);
/* For engine/net and workers/process.c only. */
struct uv_loop_s *pl_loop_uv(struct pl_loop *loop);
/* Monotonic milliseconds as of this turn of the loop. */
int64_t pl_loop_now_ms(const struct pl_loop *loop);

struct pl_loop_task;
typedef void pl_loop_task_fn(struct pl_loop_task *task);

/* Embedded in what is to be done. */
struct pl_loop_task {
    struct pl_list node;
    pl_loop_task_fn *run;
};

/* From any thread: `task->run(task)` is called on the loop's thread, in order of posting. Never
 * fails, never allocates. The task belongs to the loop until it runs. */
void pl_loop_post(struct pl_loop *loop, struct pl_loop_task *task);

struct pl_loop_work;
typedef void pl_loop_work_fn(struct pl_loop_work *work);

/* Embedded in what is to be done on the thread pool. `impl` is the loop's own. */
struct pl_loop_work {
    pl_loop_work_fn *run;  /* on a pool thread: blocks, computes, touches only what it owns */
    pl_loop_work_fn *done; /* back on the loop's thread */
    void *impl[24];
};

/* Runs work->run on libuv's thread pool, then work->done on the loop's thread. */
void pl_loop_work(struct pl_loop *loop, struct pl_loop_work *work);

typedef void pl_loop_signal_fn(void *owner, int signum);
/* Calls fn for each SIGTERM, SIGINT and SIGHUP, until pl_loop_stop. */
pl_status pl_loop_on_signal(struct pl_loop *loop, pl_loop_signal_fn *fn, void *owner) PL_MUST_USE;

#endif
