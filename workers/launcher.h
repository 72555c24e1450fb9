/* launcher: the small process that starts workers, made before the engine is anything.
 *
 * It holds no secret and no socket but the one to the engine, has one thread, allocates nothing
 * and knows two requests: start a worker, end a worker. When the engine is started by root it is
 * the one process that stays root, in order to start workers as a user of their own; it execs one
 * fixed path and takes no other word from the engine. It ends with the engine, and its workers
 * with it. All ends of workers come from it, with their wait status. Interpreters get a folder in
 * memory from it (scratch.h), which is gone before their end is told.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_LAUNCHER_H
#define PL_WORKERS_LAUNCHER_H

#include "engine/base/status.h"

#include <sys/types.h>

struct pl_launcher;

/* Call before threads, before the loop, before keys are read and before privileges are dropped.
 * When the process runs as root, `worker_user` (name or number, never root) must exist: workers run
 * as that user. Otherwise it is ignored and workers run as the caller does. PL_MISCONFIGURED with a
 * sentence that names what is missing and how to make it; PL_UNAVAILABLE. */
pl_status pl_launcher_new(const char *worker_path, const char *worker_user,
                          struct pl_launcher **out, struct pl_fault *fault) PL_MUST_USE;
/* The same, but a worker is a copy of this process that calls `worker` (with the folder of an
 * interpreter, or NULL) and exits with what it answers: nothing is loaded from the disk for it. For
 * a program that holds no secrets and links the worker's side (`platen convert`). */
typedef int pl_worker_fn(const char *scratch);
pl_status pl_launcher_new_inside(pl_worker_fn *worker, const char *worker_user,
                                 struct pl_launcher **out, struct pl_fault *fault) PL_MUST_USE;
/* Ends the process and with it any worker left. NULL is fine. */
void pl_launcher_free(struct pl_launcher *launcher);

/* -- for pool.c -- */

enum pl_launcher_event { PL_LAUNCHER_STARTED, PL_LAUNCHER_FAILED, PL_LAUNCHER_DIED };

/* What a worker is for, and so what it may. */
enum pl_worker_class {
    PL_CLASS_DOCUMENTS,   /* everything that our own decoders read */
    PL_CLASS_INTERPRETER, /* Ghostscript; platen-worker --class=interpreter */
    PL_CLASS_COUNT
};

/* Without padding. */
struct pl_launcher_message {
    uint64_t ticket; /* as given to start */
    enum pl_launcher_event event;
    pid_t pid;
    int wait_status; /* DIED */
    int error;       /* FAILED: errno; ENOTSUP: an interpreter has no memory to write to */
};

/* The socket, readable when a message waits; borrowed. */
int pl_launcher_fd(const struct pl_launcher *launcher);
/* `socket` and `stderr_pipe` become the worker's descriptors 3 and 2; the caller closes its own
 * copies. Answered by one STARTED or FAILED, and later one DIED after STARTED. */
pl_status pl_launcher_start(struct pl_launcher *launcher, uint64_t ticket,
                            enum pl_worker_class class, int socket, int stderr_pipe) PL_MUST_USE;
/* Kills the worker of that ticket; without effect when it is gone. */
pl_status pl_launcher_kill(struct pl_launcher *launcher, uint64_t ticket) PL_MUST_USE;
/* PL_BUSY when no message waits; PL_PEER_GONE when the launcher is gone. */
pl_status pl_launcher_receive(struct pl_launcher *launcher,
                              struct pl_launcher_message *out) PL_MUST_USE;

#endif
