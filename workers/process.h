/* process: the engine's two ends of one worker: its socket and its stderr, watched on the loop.
 *
 * What arrives is parsed here, as the word of a process that may have been taken over; the pool
 * sees frames or the news that there will be none. Lines on stderr go to the log, cut, escaped and
 * counted, so that no worker can flood it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_PROCESS_H
#define PL_WORKERS_PROCESS_H

#include "engine/base/log.h"
#include "engine/net/loop.h"
#include "workers/launcher.h"
#include "workers/wire.h"

struct pl_watch;
typedef void pl_watch_fn(void *owner);

/* Calls fn on the loop while `fd` (borrowed) is readable or closed by its peer. */
pl_status pl_watch_new(struct pl_loop *loop, int fd, pl_watch_fn *fn, void *owner,
                       struct pl_watch **out) PL_MUST_USE;
/* fn is not called any more, and the descriptor may be closed. NULL is fine. */
void pl_watch_free(struct pl_watch *watch);

struct pl_process;

/* Either may free the process. */
struct pl_process_hooks {
    /* The frame and its spans are borrowed until the hook returns. */
    void (*on_frame)(void *owner, const struct pl_wire_frame *frame);
    /* Called once: the socket is closed (`why` NULL), or the worker said what no worker says, in
     * words that follow "because". */
    void (*on_silent)(void *owner, const char *why);
};

/* Asks the launcher for a worker; the launcher answers with that ticket. PL_NO_MEMORY, PL_BUSY,
 * PL_PEER_GONE (no launcher any more). */
pl_status pl_process_new(struct pl_loop *loop, const struct pl_log *log,
                         struct pl_launcher *launcher, enum pl_worker_class class, uint64_t ticket,
                         const struct pl_process_hooks *hooks, void *owner,
                         struct pl_process **out) PL_MUST_USE;
/* Closes both ends, which tells the worker to end; frees itself on the loop. NULL is fine. */
void pl_process_free(struct pl_process *process);
/* For the log. */
void pl_process_set_pid(struct pl_process *process, pid_t pid);
pl_status pl_process_send(struct pl_process *process, const struct pl_wire_frame *frame,
                          const int *fds, size_t fd_count) PL_MUST_USE;
/* Takes what a dead worker left in its socket and pipe. */
void pl_process_drain(struct pl_process *process);

#endif
