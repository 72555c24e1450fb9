/* verdict: what the end of a worker means for the job it had, in a status and a sentence.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_VERDICT_H
#define PL_WORKERS_VERDICT_H

#include "engine/base/status.h"

/* Why the engine ended a worker; UNASKED: it did not. */
enum pl_worker_end {
    PL_END_UNASKED,
    PL_END_RETIRED,   /* it had no job */
    PL_END_CANCELLED, /* the engine lost interest in the job */
    PL_END_STOPPING,  /* the engine stops */
    PL_END_WALL,      /* the job took too long */
    PL_END_CPU,       /* the job used too much CPU time */
    PL_END_BROKE,     /* it said what no worker says */
    PL_END_SLOW,      /* it did not get ready */
};

struct pl_worker_death {
    enum pl_worker_end end;
    int wait_status;   /* waitpid(2) */
    const char *broke; /* PL_END_BROKE: what it said */
    uint64_t wall_ms;  /* the limits of the job */
    uint64_t cpu_ms;
    uint64_t file_bytes;
};

/* Never PL_OK. */
pl_status pl_verdict(const struct pl_worker_death *death, struct pl_fault *fault);
/* "SIGSEGV", "exit code 1": for the log. Returns out. */
char *pl_verdict_status_text(int wait_status, char *out, size_t size);

#endif
