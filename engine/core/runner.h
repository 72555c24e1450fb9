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
#include "engine/base/list.h"
#include "engine/base/seal.h"
#include "engine/base/status.h"
#include "engine/core/job_report.h"

#define PL_RUN_INPUTS 64
/* No setting allows a job more documents than this. */
#define PL_RUN_DOCUMENTS_MOST 10000u
/* A plan longer than this is refused with PL_MISCONFIGURED. */
#define PL_RUN_PLAN_BYTES ((size_t)49152)

/* One file of a job. A plain one (key NULL) is for `platen convert` only. The caller keeps owning
 * the descriptor. Inputs are regular files opened O_RDONLY (a worker must not be able to change an
 * original), read at any offset; a document is empty and writable. No offset is moved. */
struct pl_run_file {
    int fd;
    const struct pl_seal_key *key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
};

/* What one job may ask for; its tenant's (docs/configuration.md, section limits). */
struct pl_run_limits {
    uint64_t documents;    /* of the result; at most PL_RUN_DOCUMENTS_MOST */
    uint64_t pages;        /* in a document that came in */
    uint64_t side_px;      /* width or height of a page */
    uint64_t colour_px;    /* of a grey or colour page */
    uint64_t bilevel_px;   /* of a bilevel page */
    uint64_t page_bytes;   /* of one page in memory */
    uint64_t expansion;    /* decoded : encoded */
    uint64_t nesting;      /* of objects inside each other */
    uint64_t output_bytes; /* of all documents of the result together */
    uint64_t cpu_ms;       /* of the worker */
};

#define PL_OUTPUT_TYPE_CHARS 64
#define PL_OUTPUT_EXTENSION_CHARS 8
#define PL_OUTPUT_SUFFIX_CHARS 16

/* A document that a run has made; the n-th of the report is the file of open_document(n). */
struct pl_run_output {
    char type[PL_OUTPUT_TYPE_CHARS];           /* media type */
    char extension[PL_OUTPUT_EXTENSION_CHARS]; /* "pdf", lower case letters and digits */
    char suffix[PL_OUTPUT_SUFFIX_CHARS];       /* "-003": of its name; or empty */
    uint64_t bytes;                            /* plaintext */
    uint32_t pages;
    uint8_t sha256[PL_SHA256_BYTES]; /* of the plaintext */
    struct pl_span page_ledger;      /* JSON, UTF-8, not parsed; may be empty */
};

/* What a finished run says. All of it but cpu_us is the word of a process that has read a foreign
 * document: bounded and checked for form, not for truth. */
struct pl_run_report {
    pl_status status;
    struct pl_fault fault;               /* the sentence, when status is not PL_OK */
    const struct pl_run_output *outputs; /* at least one when PL_OK, else none; borrowed until done
                                          * returns, with all that they point at */
    size_t output_count;
    struct pl_job_report summary; /* when PL_OK */
    uint64_t cpu_us;              /* of the worker, for this job, measured from outside */
};

struct pl_run;
typedef void pl_run_done_fn(struct pl_run *run);
/* The file that document n (1, 2, ... in order) is to be written to; with its key, it stays valid
 * until done. Asked again for one that it was asked for before, it gives the same file, emptied:
 * the run then begins anew. On the loop's thread, from inside start or later. A failure's status
 * and sentence become the run's. */
typedef pl_status pl_run_open_fn(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                                 struct pl_fault *fault);

/* Embedded in what waits for it. All that it points at stays valid until done. */
struct pl_run {
    struct pl_id job;
    struct pl_id tenant; /* a worker that has seen one tenant never sees another */
    const char *plan;    /* the pipeline's canonical JSON */
    struct pl_run_file inputs[PL_RUN_INPUTS];
    size_t input_count; /* 1..PL_RUN_INPUTS */
    struct pl_run_limits limits;
    uint64_t wall_limit_ms; /* counted from when a worker takes it */
    pl_run_open_fn *open_document;
    pl_run_done_fn *done; /* on the loop's thread, exactly once; never from inside start */
    struct pl_run_report report;
    uint32_t pages_done; /* as of the worker's last word */
    uint32_t pages_total;
    struct pl_list node; /* the runner's */
    void *impl;          /* the runner's */
};

struct pl_runner_ops {
    /* Never blocks. Runs that find no free worker wait in the runner, first in first out. */
    void (*start)(void *self, struct pl_run *run);
    /* Runs that the runner can take without another having to end first. */
    unsigned (*idle)(void *self);
    /* Asks for an early end: done is called soon with PL_STOPPING, or with the result. */
    void (*cancel)(void *self, struct pl_run *run);
};

struct pl_runner {
    const struct pl_runner_ops *ops;
    void *self;
};

#endif
