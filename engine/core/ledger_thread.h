/* ledger_thread: the one thread that owns the ledger and groups commits.
 *
 * All calls that are waiting (at most PL_LEDGER_UNIT_CALLS) are run as one unit and committed
 * once, so that many uploads share one fsync. Each call runs under a mark of its own: one that
 * fails changes nothing, whatever it did before it failed, and does not disturb its neighbours. A
 * commit that fails fails all of its unit, also calls that only read: they may have read what is
 * gone now. A unit that changed nothing costs no fsync.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_LEDGER_THREAD_H
#define PL_ENGINE_CORE_LEDGER_THREAD_H

#include "engine/base/log.h"
#include "engine/core/ledger.h"
#include "engine/net/loop.h"

/* Bounds how long one call can be kept waiting by its neighbours. */
#define PL_LEDGER_UNIT_CALLS 512u

struct pl_ledger_thread;
struct pl_ledger_call;

/* Embedded in what is to be done. */
struct pl_ledger_call {
    struct pl_list node;      /* the thread's */
    struct pl_loop_task task; /* the thread's */
    /* On the ledger thread, inside a unit. May be run once only. Touches only what the call owns.
     */
    pl_status (*run)(struct pl_ledger_call *call, const struct pl_ledger *ledger);
    /* On the loop's thread, after the commit; call->status is run's or the commit's. */
    void (*done)(struct pl_ledger_call *call);
    pl_status status;
};

/* Starts the thread; it owns the ledger and closes it at the end. PL_NO_MEMORY, PL_UNAVAILABLE:
 * the ledger still is the caller's. */
pl_status pl_ledger_thread_new(struct pl_loop *loop, const struct pl_log *log,
                               const struct pl_ledger *ledger,
                               struct pl_ledger_thread **out) PL_MUST_USE;
/* From the loop's thread. The call belongs to the thread until done is called; it may be called
 * again from done. */
void pl_ledger_thread_call(struct pl_ledger_thread *thread, struct pl_ledger_call *call);
/* Finishes what was called, joins, closes the ledger. Calls' done still run if the loop runs. */
void pl_ledger_thread_free(struct pl_ledger_thread *thread);

struct pl_ledger_thread_stats {
    uint64_t calls;
    uint64_t commits;
    uint64_t commit_errors;
    /* The disk failed under a commit: every call is answered PL_IO_ERROR from now on. Stop
     * acknowledging and restart from the ledger (DESIGN section 5). */
    bool broken;
};
/* From any thread. */
void pl_ledger_thread_stats(struct pl_ledger_thread *thread, struct pl_ledger_thread_stats *out);

#endif
