/* core_priv: the heart's own structs, shared by core, dispatch and deliver.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_CORE_PRIV_H
#define PL_ENGINE_CORE_CORE_PRIV_H

#include "engine/core/act.h"
#include "engine/core/core.h"
#include "engine/core/dispatch.h"
#include "engine/core/queue.h"
#include "engine/net/timer.h"

#define CORE_NAME_CHARS 300
#define CORE_INDEX_LISTS 4096u /* a power of 2 */
#define CORE_REASON_BYTES (PL_FAULT_CHARS + PL_SEALED_FIELD_OVERHEAD)

/* A pipeline version, kept for as long as the engine runs: it never changes. */
struct core_definition {
    struct pl_list node;
    struct pl_id tenant;
    char *name;
    uint32_t version;
    char *text;
};

struct job_attempt;

/* A job that has not ended. Owned by the core from accept, or start, to its end state. */
struct core_job {
    struct pl_list node; /* of the queue, the delayed list, or the active list */
    struct pl_list peer; /* of a list of the index */
    struct pl_core *core;
    struct pl_id id;
    struct pl_id tenant;
    const struct core_definition *definition;
    enum pl_job_state state;
    enum pl_job_holder holder;
    uint64_t revision;
    uint32_t attempts; /* ever */
    uint32_t failures; /* that count, since this engine started */
    uint64_t fence;
    int64_t ready_at_ms; /* monotonic; when on the delayed list */
    int64_t received_ms;
    uint8_t original_key_wrapped[PL_WRAPPED_KEY_BYTES];
    uint8_t result_key_wrapped[PL_WRAPPED_KEY_BYTES];
    char *name; /* as the device sent it, sanitised */
    struct job_attempt *attempt;
    bool is_delayed;         /* on the delayed list */
    bool is_changing;        /* in no list: an act is under way with it */
    struct pl_job_act *wish; /* what its try is to end with */
};

struct pl_core {
    struct pl_core_parts parts;
    struct pl_queue *queue;
    struct pl_list delayed; /* jobs that wait for their time, some in the middle of an attempt */
    struct pl_list active;  /* jobs with an attempt that is under way */
    struct pl_list definitions;
    struct pl_list index[CORE_INDEX_LISTS]; /* all jobs in memory, by id */
    uint64_t acts;                          /* that are not answered yet */
    /* Told by an attempt that it has left its job, which is in no list now: `again` after so long,
     * else it has ended, or only the next start can take it up. Set by dispatch. */
    void (*attempt_ended)(struct core_job *job, bool again, uint64_t delay_ms);
    struct pl_timer *timer;
    struct pl_id_maker ids;
    uint64_t staged_files;  /* of all attempts, open */
    struct pl_fault broken; /* why nothing can be accepted any more */
    bool begun;
    bool draining;
    void (*drained)(void *owner);
    void *drained_owner;
    struct pl_core_stats stats;
};

/* Looks a version up among those kept, or keeps a copy. NULL when memory is out. */
const struct core_definition *core_definition_keep(struct pl_core *core, const struct pl_id *tenant,
                                                   const char *name, uint32_t version,
                                                   const char *text);
const struct core_definition *core_definition_peek(const struct pl_core *core,
                                                   const struct pl_id *tenant, const char *name,
                                                   uint32_t version);

/* The ledger failed: nothing is accepted or started any more until the engine starts anew. */
void core_break(struct pl_core *core, pl_status status, const char *what);
/* A job as the ledger has it, still without its definition; NULL when memory is out. */
struct core_job *core_job_make(struct pl_core *core, const struct pl_ledger_job *row);
/* Once its id is known. */
void core_job_index(struct core_job *job);
struct core_job *core_job_lookup(struct pl_core *core, const struct pl_id *tenant,
                                 const struct pl_id *id);
/* NULL is ignored. */
void core_job_free(struct core_job *job);
/* Calls drained when nothing is in flight any more. */
void core_check_drained(struct pl_core *core);

/* -- dispatch.c: puts a job that is in no list into one, by its state -- */

void dispatch_enqueue(struct core_job *job);
void dispatch_delay(struct core_job *job, uint64_t delay_ms);

/* -- act.c -- */

/* The last word to whoever asked; the act is gone. */
void act_answer(struct pl_job_act *act, pl_status status);
/* Asks again, of a job whose try has ended otherwise. */
void act_again(struct pl_job_act *act);
void act_fill_move(const struct pl_job_act *act, struct pl_ledger_move *move);
/* Puts a job that the engine held back in line. False: out of memory. */
bool act_release(struct core_job *job);

/* -- attempt.c -- */

/* Begins an attempt of a QUEUED job: lease, run, deliver, end. False: out of memory. */
bool attempt_begin(struct core_job *job);
/* Takes the step again that the ledger had no room for; the job is in no list. */
void attempt_resume(struct core_job *job);
/* job->wish was set: what runs is cancelled. */
void attempt_wished(struct core_job *job);
/* Drops such an attempt, if there is one: the ledger still shows where it was. */
void attempt_forget(struct core_job *job);

#endif
