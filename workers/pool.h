/* pool: worker processes, started ahead, one tenant each, restarted when they die.
 *
 * Fills engine/core/runner.h. One worker more than `processes` is kept, so that a tenant that no
 * worker belongs to finds one that is warm; no more than `processes` work at once.
 *
 *   STARTING --HELLO--> IDLE --RUN--> BUSY --REPORT--> IDLE
 *       |                 |             |
 *       +-----------------+-------------+--> ENDING --DIED--> gone, replaced
 *
 * A run that its worker cannot do without an interpreter (PL_NEEDS_INTERPRETER) begins anew in a
 * worker of that class, with a wall limit of its own; who started it does not see the difference.
 * Interpreters take one run each and are gone then.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_POOL_H
#define PL_WORKERS_POOL_H

#include "engine/base/log.h"
#include "engine/core/runner.h"
#include "engine/net/loop.h"
#include "workers/launcher.h"

struct pl_pool_interpreters {
    unsigned processes;    /* at work at once, 0..16; 0: what needs one is refused */
    uint64_t memory_bytes; /* address space of one */
};

struct pl_pool_settings {
    unsigned processes;        /* 1..64 */
    unsigned threads;          /* page threads in each, 1..64 */
    uint64_t memory_bytes;     /* address space of one worker */
    uint64_t cpu_ms;           /* CPU time of one job: the most that any run's limits allow */
    uint64_t output_bytes;     /* largest result: the most that any run's limits allow */
    uint64_t jobs_per_process; /* a worker is replaced after so many */
    bool is_alone; /* no worker is kept ahead of runs: `platen convert`, whose runs are one tenant's
                    */
    struct pl_pool_interpreters interpreters;
};

struct pl_pool;

/* Starts the processes ahead. The launcher outlives the pool and serves one pool at a time. */
pl_status pl_pool_new(struct pl_loop *loop, const struct pl_log *log, struct pl_launcher *launcher,
                      const struct pl_pool_settings *settings, struct pl_pool **out,
                      struct pl_fault *fault) PL_MUST_USE;
/* Ends all workers; waiting and running runs end with PL_STOPPING. `done` is called when every
 * process is gone; the pool is freed then. */
void pl_pool_close(struct pl_pool *pool, void (*done)(void *owner), void *owner);
struct pl_runner pl_pool_runner(struct pl_pool *pool);

struct pl_pool_stats {
    uint64_t alive;
    uint64_t busy;
    uint64_t started;
    uint64_t died;   /* without being asked to */
    uint64_t killed; /* over a limit */
    uint64_t jobs;
    uint64_t interpreters; /* alive; in none of the above two */
    uint64_t interpreters_busy;
    uint64_t interpreted;  /* runs that were handed over to one */
    bool is_launcher_gone; /* no worker can be started any more */
};
void pl_pool_stats(const struct pl_pool *pool, struct pl_pool_stats *out);

#endif
