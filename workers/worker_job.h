/* worker_job: one job inside the sandbox: opens its seals, runs its plan, seals its documents.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_WORKER_JOB_H
#define PL_WORKERS_WORKER_JOB_H

#include "pipeline/interpreter.h"
#include "workers/wire.h"

struct pl_worker_job {
    const struct pl_wire_run *run;
    const int *fds;         /* inputs, then the first document; borrowed */
    int socket;             /* where documents are asked for and told of */
    struct pl_bytes *frame; /* room to write frames in */
    unsigned threads;
    struct pl_interpreter *interpreter; /* of its class; else NULL */
    void (*on_page)(void *owner, uint32_t done, uint32_t total);
    void *owner;
};

/* Does once, before the sandbox, what the libraries of a job do once in their life: ciphers are
 * looked up, the hash of JSON objects is seeded from /dev/urandom. Where no file of any job is
 * sealed
 * (`is_plain`) ciphers wait until a document needs one. */
pl_status pl_worker_job_warm(bool is_plain, struct pl_fault *fault) PL_MUST_USE;
/* Tells of each document on the socket, and fills the report. */
void pl_worker_job_run(const struct pl_worker_job *job, struct pl_run_report *report);

#endif
