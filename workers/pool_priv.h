/* pool_priv: what pool.c (who gets what), pool_class.c (the same for interpreters), pool_worker.c
 * (one worker's life) and pool_documents.c (what it makes) share.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_POOL_PRIV_H
#define PL_WORKERS_POOL_PRIV_H

#include "engine/net/timer.h"
#include "workers/pool.h"
#include "workers/process.h"
#include "workers/verdict.h"

enum pl_worker_state { WORKER_STARTING, WORKER_IDLE, WORKER_BUSY, WORKER_ENDING };

/* The documents of a worker's run, as it tells of them. */
struct pl_pool_documents {
    struct pl_run_file place; /* of the one opened last */
    uint32_t opened;
    uint32_t made;               /* opened, or one less */
    uint64_t bytes;              /* plaintext of those made */
    struct pl_bytes outputs;     /* struct pl_run_output of each */
    struct pl_bytes places;      /* struct pl_run_file of each */
    struct pl_bytes page_ledger; /* of all so far */
    size_t page_ledger_told;     /* of it: of those made */
};

struct pl_pool_worker {
    struct pl_list node;
    struct pl_pool *pool;
    enum pl_worker_class class;
    struct pl_process *process;
    struct pl_timer *timer; /* deadline of the state it is in */
    enum pl_worker_state state;
    enum pl_worker_end end;
    const char *broke;
    uint64_t ticket;
    pid_t pid; /* 0 until the launcher said */
    bool has_greeted;
    struct pl_id tenant; /* none: has seen no document yet */
    uint64_t jobs;
    uint64_t used; /* turn of its last job */
    struct pl_run *run;
    int64_t run_since_ms;
    uint64_t cpu_before_us;
    struct pl_pool_documents documents;
};

/* The interpreters' side of a pool. */
struct pl_pool_class {
    struct pl_list waiting; /* pl_run.node */
    struct pl_timer *held_timer;
    bool is_held;            /* none is started for a while */
    unsigned start_failures; /* in a row */
    char reason[128];        /* of the last */
};

struct pl_pool {
    struct pl_loop *loop;
    const struct pl_log *log;
    struct pl_launcher *launcher;
    struct pl_pool_settings settings;
    struct pl_watch *watch;      /* on the launcher */
    struct pl_timer *held_timer; /* runs while no worker is started */
    struct pl_loop_task task;    /* finishes `finished` and the close */
    bool task_posted;
    bool is_held;
    bool is_launcher_gone;
    bool was_reported; /* what the sandbox consists of */
    bool is_closing;
    void (*on_closed)(void *owner);
    void *closed_owner;
    unsigned start_failures; /* in a row */
    uint64_t last_ticket;
    uint64_t turn;
    struct pl_list workers;  /* pool_worker.node */
    struct pl_list waiting;  /* pl_run.node */
    struct pl_list finished; /* pl_run.node; done is to be called */
    struct pl_pool_class interpreters;
    struct pl_pool_stats stats;
};

#define PL_POOL_BACKOFF_FIRST_MS 100
#define PL_POOL_BACKOFF_MOST_MS 10000
#define PL_POOL_START_FAILURES_MOST 5 /* then runs are refused instead of waiting */

/* Places what waits on whoever is free, and keeps the number of workers. */
void pl_pool_pump(struct pl_pool *pool);

/* Ends a run, which is in no list, on the loop's next turn. */
void pl_pool_refuse(struct pl_pool *pool, struct pl_run *run, pl_status status, const char *reason);

/* -- pool_class.c -- */

pl_status pl_pool_class_init(struct pl_pool *pool) PL_MUST_USE;
void pl_pool_class_fini(struct pl_pool *pool);
/* Takes a run that no worker has; refuses it when there is no interpreter to be had. */
void pl_pool_class_hand_over(struct pl_pool *pool, struct pl_run *run);
void pl_pool_class_pump(struct pl_pool *pool);
/* One that had no run ended, or could not be started. */
void pl_pool_class_note_failure(struct pl_pool *pool, const char *reason, bool is_final);
unsigned pl_pool_class_waiting(const struct pl_pool *pool);
/* False when the run does not wait here. */
bool pl_pool_class_cancel(struct pl_pool *pool, struct pl_run *run);
void pl_pool_class_refuse_waiting(struct pl_pool *pool, pl_status status, const char *reason);
void pl_pool_class_stats(const struct pl_pool *pool, struct pl_pool_stats *out);

/* -- pool_worker.c -- */

/* Asks for a process; answered through the launcher. */
pl_status pl_pool_worker_new(struct pl_pool *pool, enum pl_worker_class class) PL_MUST_USE;
void pl_pool_worker_free(struct pl_pool_worker *worker);
/* Idle at last, once it said HELLO and the launcher said its pid. */
void pl_pool_worker_make_ready(struct pl_pool_worker *worker);
/* Gives a run to an idle worker. On failure either the run's fault is set, when
 * that is the run's doing, or the worker is being ended. */
pl_status pl_pool_worker_take(struct pl_pool_worker *worker, struct pl_run *run) PL_MUST_USE;
/* Kills it; `broke` is for PL_END_BROKE. The first reason stands. */
void pl_pool_worker_end(struct pl_pool_worker *worker, enum pl_worker_end end, const char *broke);
/* Takes its last words, then says what its end means for the job it still has. */
pl_status pl_pool_worker_died(struct pl_pool_worker *worker, int wait_status,
                              struct pl_fault *fault);

/* -- pool_documents.c; a `breach` is NULL, or why the worker must end -- */

void pl_pool_documents_init(struct pl_pool_documents *documents);
void pl_pool_documents_fini(struct pl_pool_documents *documents);
/* Forgets what an earlier run made. */
void pl_pool_documents_clear(struct pl_pool_documents *documents);
void pl_pool_file_fill(struct pl_wire_file *out, const struct pl_run_file *file, uint64_t size);
/* Opens the first document of a run, for its RUN. On failure the run's fault is set. */
pl_status pl_pool_documents_first(struct pl_pool_documents *documents, struct pl_run *run,
                                  struct pl_wire_file *out) PL_MUST_USE;
/* A worker's OPEN, LEDGER, DOCUMENT and REPORT, while it has a run. */
const char *pl_pool_documents_open(struct pl_pool_worker *worker, uint32_t n);
const char *pl_pool_documents_ledger(struct pl_pool_documents *documents, struct pl_span piece);
const char *pl_pool_documents_take(struct pl_pool_worker *worker,
                                   const struct pl_wire_document *document);
const char *pl_pool_documents_breach(const struct pl_pool_documents *documents,
                                     const struct pl_run_report *told);
/* The report as the engine gets it: what can be counted is counted here, not believed. */
void pl_pool_documents_report(const struct pl_pool_documents *documents,
                              const struct pl_run_report *told, struct pl_run_report *out);

#endif
