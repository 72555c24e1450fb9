/* attempt_priv: one try of a job, as attempt.c (lease, run, end), attempt_documents.c (what the run
 * makes) and deliver.c (where it goes) share it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_ATTEMPT_PRIV_H
#define PL_ENGINE_CORE_ATTEMPT_PRIV_H

#include "engine/core/core_priv.h"

#define ATTEMPT_PUTS 4u /* at once */

/* A document that was made, on its way into the ledger and the store. */
struct attempt_document {
    struct pl_ledger_document row;
    char type[PL_OUTPUT_TYPE_CHARS];
    char object_key[PL_OBJECT_KEY_CHARS];
    uint8_t *sealed; /* its name, then its page ledger */
};

/* One of the puts, or removals, that are under way. */
struct attempt_put {
    struct job_attempt *attempt;
    bool is_busy;
    char object_key[PL_OBJECT_KEY_CHARS];
    struct pl_object_put put;
    struct pl_object_remove remove;
};

/* All that a try owns; freed when the job is in line again or has ended. */
struct job_attempt {
    struct core_job *job;
    struct pl_ledger_call call;
    struct pl_ledger_move move;
    struct pl_ledger_lease lease;
    struct pl_run run;
    bool is_running; /* the runner has it */
    struct pl_seal_key original_key;
    struct pl_seal_key result_key;
    struct pl_seal_key document_key; /* of the document opened last */
    int input_fd;
    uint64_t fence;
    struct pl_fault fault;
    uint8_t reason_sealed[CORE_REASON_BYTES];
    uint8_t report_sealed[PL_JOB_REPORT_BYTES + PL_SEALED_FIELD_OVERHEAD];

    /* While it runs: the staged files, of document 1, 2, ...; -1 once the store has taken it. */
    int *staged;
    uint32_t staged_count;
    uint32_t staged_capacity;

    /* Once it has run. */
    struct attempt_document *documents;
    uint32_t document_count;
    uint64_t bytes; /* of all documents */
    uint32_t pages;

    /* While it delivers. */
    struct attempt_put puts[ATTEMPT_PUTS];
    uint32_t puts_busy;
    uint32_t next;    /* index of the next document to put, then of the next row left to remove */
    uint32_t rows;    /* the highest number of a document in the ledger */
    bool replaced;    /* an older object of another size was removed */
    pl_status failed; /* of a put or removal; attempt->fault says why */
};

/* -- attempt.c -- */

/* Makes the call on the ledger's thread, then `done` on the loop's. */
void attempt_call(struct job_attempt *attempt,
                  pl_status (*run)(struct pl_ledger_call *call, const struct pl_ledger *ledger),
                  void (*done)(struct pl_ledger_call *call));
void attempt_set_move(struct job_attempt *attempt, enum pl_job_state to);
void attempt_log_move(const struct job_attempt *attempt);
/* After a call that failed. */
void attempt_ledger_failed(struct job_attempt *attempt, const char *what);
/* True: a person asked for another end, and this try is on its way there. */
bool attempt_heeds(struct job_attempt *attempt);
/* Decides by blame what becomes of a job whose try failed; attempt->fault says why. */
void attempt_fail(struct job_attempt *attempt, pl_status status);
/* Takes the job off the active list and frees the try; the caller says what becomes of the job. */
void attempt_leave(struct job_attempt *attempt);

/* -- attempt_documents.c -- */

/* Fills run->open_document; the staged files are the attempt's. */
pl_status attempt_open_document(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                                struct pl_fault *fault);
/* Makes rows of what the run reports, with all that is personal in them sealed. */
pl_status attempt_take_documents(struct job_attempt *attempt) PL_MUST_USE;
/* Closes staged files that nobody took. */
void attempt_drop_staged(struct job_attempt *attempt);
void attempt_free_documents(struct job_attempt *attempt);
void attempt_object_key(const struct core_job *job, uint32_t n, char out[PL_OBJECT_KEY_CHARS]);

/* -- deliver.c -- */

/* From RUNNING to the end, with the documents taken. */
void attempt_deliver(struct job_attempt *attempt);

#endif
