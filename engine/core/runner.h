/* runner: what the engine asks of the workers: run one plan over one job's inputs.
 *
 * An ops struct that workers/pool.c fills. The runner owns processes; the engine owns jobs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_RUNNER_H
#define PL_ENGINE_CORE_RUNNER_H

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/seal.h"
#include "engine/base/status.h"

#define PL_RUN_INPUTS 64

/* One file of a job. A plain one (key NULL) is for `platen convert` only. */
struct pl_run_file {
    int fd; /* inputs: readable at any offset; output: empty, writable. The caller keeps owning it
             */
    const struct pl_seal_key *key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
};

/* What a finished run says. */
struct pl_run_report {
    pl_status status;
    struct pl_fault fault;           /* the sentence, when status is not PL_OK */
    char type[64];                   /* media type of the document */
    uint64_t bytes;                  /* plaintext of the document */
    uint32_t pages;                  /* in the document */
    uint8_t sha256[PL_SHA256_BYTES]; /* of the plaintext document */
    struct pl_span page_ledger;      /* JSON; borrowed until done returns */
    uint64_t cpu_us;                 /* of the worker, for this job */
};

struct pl_run;
typedef void pl_run_done_fn(struct pl_run *run);

/* Embedded in what waits for it. All that it points at stays valid until done. */
struct pl_run {
    struct pl_id job;
    struct pl_id tenant; /* a worker that has seen one tenant never sees another */
    const char *plan;    /* the pipeline's canonical JSON */
    struct pl_run_file inputs[PL_RUN_INPUTS];
    size_t input_count;
    struct pl_run_file output;
    uint64_t wall_limit_ms;
    pl_run_done_fn *done; /* on the loop's thread, exactly once; never from inside start */
    struct pl_run_report report;
    void *impl;
};

struct pl_runner_ops {
    /* Never blocks. Runs that find no free worker wait in the runner, first in first out. */
    void (*start)(void *self, struct pl_run *run);
    /* Runs that the runner can take at once without waiting. */
    unsigned (*idle)(void *self);
    /* Asks for an early end: done is called soon with PL_STOPPING, or with the result. */
    void (*cancel)(void *self, struct pl_run *run);
};

struct pl_runner {
    const struct pl_runner_ops *ops;
    void *self;
};

#endif
