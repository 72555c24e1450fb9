/* pool: worker processes, started ahead, one tenant each, restarted when they die.
 *
 * Fills engine/core/runner.h.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_POOL_H
#define PL_WORKERS_POOL_H

#include "engine/base/log.h"
#include "engine/core/runner.h"
#include "engine/net/loop.h"

struct pl_pool_settings {
    const char *worker_path;   /* the platen-worker program */
    unsigned processes;        /* 1..64 */
    unsigned threads;          /* page threads in each, 1..64 */
    uint64_t memory_bytes;     /* address space of one worker */
    uint64_t cpu_ms;           /* CPU time of one job */
    uint64_t output_bytes;     /* largest result */
    uint64_t jobs_per_process; /* a worker is replaced after so many */
};

struct pl_launcher;
struct pl_pool;

/* Call before threads, before the loop, and before privileges are dropped. When the process runs as
 * root, forks a small process that keeps root only to start workers as `worker_user` (name or
 * number, never 0); otherwise workers run as the caller does. PL_MISCONFIGURED with a sentence that
 * names the missing user and how to make it. */
pl_status pl_launcher_new(const char *worker_path, const char *worker_user,
                          struct pl_launcher **out, struct pl_fault *fault) PL_MUST_USE;
void pl_launcher_free(struct pl_launcher *launcher);

/* Starts the processes ahead. */
pl_status pl_pool_new(struct pl_loop *loop, const struct pl_log *log, struct pl_launcher *launcher,
                      const struct pl_pool_settings *settings, struct pl_pool **out,
                      struct pl_fault *fault) PL_MUST_USE;
/* Ends all workers; waiting runs end with PL_STOPPING. `done` is called when every process is
 * gone; the pool is freed then. */
void pl_pool_close(struct pl_pool *pool, void (*done)(void *owner), void *owner);
struct pl_runner pl_pool_runner(struct pl_pool *pool);

struct pl_pool_stats {
    uint64_t alive;
    uint64_t busy;
    uint64_t started;
    uint64_t died;   /* without being asked to */
    uint64_t killed; /* over a limit */
    uint64_t jobs;
};
void pl_pool_stats(const struct pl_pool *pool, struct pl_pool_stats *out);

#endif
