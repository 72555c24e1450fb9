/* worker_main: what a worker process does from its first breath to its last.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_WORKER_MAIN_H
#define PL_WORKERS_WORKER_MAIN_H

#include "engine/base/check.h"

/* Exit codes of a worker. */
enum pl_worker_exit { PL_WORKER_DONE = 0, PL_WORKER_FAILED = 1, PL_WORKER_USAGE = 2 };

/* Whether descriptor 3 is a socket as the launcher passes it. */
bool pl_worker_has_socket(void);
/* Serves jobs until the engine closes the socket. `scratch` is the folder of an interpreter, NULL
 * for other workers. Refuses to run as root. Leaves by _exit but for early failures: no handler of
 * a library has anything to do at the end, nor the right to. */
int pl_worker_main(const char *scratch);
/* The same for one that never sees a sealed file: ready sooner (`platen convert`). */
int pl_worker_main_plain(const char *scratch);

#endif
