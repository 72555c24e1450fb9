/* ledger_thread: the one thread that owns the ledger and groups commits.
 *
 * All calls that are waiting are run as one unit and committed once, so that many uploads share
 * one fsync. A call that fails changes nothing and does not disturb its neighbours; a commit that
 * fails fails all of its unit.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_LEDGER_THREAD_H
#define PL_ENGINE_CORE_LEDGER_THREAD_H

#include "engine/base/log.h"
#include "engine/core/ledger.h"
#include "engine/net/loop.h"

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

/* Starts the thread; it owns the ledger and closes it at the end. */
pl_status pl_ledger_thread_new(struct pl_loop *loop, const struct pl_log *log,
                               const struct pl_ledger *ledger,
                               struct pl_ledger_thread **out) PL_MUST_USE;
/* From the loop's thread. The call belongs to the thread until done is called. */
void pl_ledger_thread_call(struct pl_ledger_thread *thread, struct pl_ledger_call *call);
/* Finishes what was called, joins, closes the ledger. Calls' done still run if the loop runs. */
void pl_ledger_thread_free(struct pl_ledger_thread *thread);

struct pl_ledger_thread_stats {
    uint64_t calls;
    uint64_t commits;
    uint64_t commit_errors;
};
void pl_ledger_thread_stats(struct pl_ledger_thread *thread, struct pl_ledger_thread_stats *out);

#endif
