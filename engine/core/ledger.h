/* ledger: what the engine asks of the database of tenants, devices, jobs and attempts.
 *
 * An ops struct that storage/ fills twice: SQLite, and memory for tests. All calls block and are
 * made on one thread (engine/core/ledger_thread.h); calls between begin and commit are one unit.
 * The ledger sees no personal data: fields named `sealed` are boxes that only the keyring opens,
 * fields named `hash` are keyed hashes to look things up by. A fencing token (`fence`) grows with
 * every lease of a job: a move that carries an old one is answered PL_LEASE_LOST and changes
 * nothing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_LEDGER_H
#define PL_ENGINE_CORE_LEDGER_H

#include "engine/base/arena.h"
#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/core/job_action.h"

struct pl_ledger_tenant {
    struct pl_id id;
    uint32_t key_version;
    struct pl_span key_wrapped; /* tenant key under the root key */
    struct pl_span name_sealed;
    int64_t created_ms;
};

struct pl_ledger_device {
    struct pl_id id;
    struct pl_id tenant;
    uint8_t login_hash[PL_SHA256_BYTES]; /* keyed; unique in the instance */
    struct pl_span secret_sealed;        /* login and Argon2id string */
    int64_t created_ms;
};

struct pl_ledger_token {
    struct pl_id id;
    struct pl_id tenant;
    uint8_t token_hash[PL_SHA256_BYTES]; /* SHA-256: the token has 256 random bits */
    const char *role;                    /* "admin" */
    int64_t created_ms;
};

struct pl_ledger_drop {
    struct pl_id tenant;
    const char *name; /* unique in its tenant */
    const char *pipeline;
    int64_t duplicates_ms; /* how long a scan sent again is the first one; 0: never; or DEFAULT */
};
/* As the engine is configured. */
#define PL_DROP_DUPLICATES_DEFAULT INT64_MAX

struct pl_ledger_pipeline {
    struct pl_id tenant;
    const char *name;
    uint32_t version;
    const char *definition; /* canonical JSON */
};

struct pl_ledger_job {
    struct pl_id id;
    struct pl_id tenant;
    struct pl_id device;
    const char *drop;
    const char *pipeline;
    uint32_t pipeline_version;
    enum pl_job_state state;
    enum pl_job_holder holder; /* of a HELD one */
    uint64_t revision;         /* grows with every move and lease */
    uint32_t attempts;
    uint64_t fence;
    int64_t lease_until_ms; /* 0: no lease */
    int64_t received_ms;
    int64_t finished_ms; /* 0: not finished */
    uint64_t bytes;      /* of the original, plaintext */
    uint8_t sha256[PL_SHA256_BYTES];
    struct pl_span name_sealed;
    struct pl_span original_key_wrapped; /* data key of the spooled original */
    struct pl_span result_key_wrapped;   /* from which each document's key is derived */
    pl_status error;                     /* of the last attempt that failed */
    struct pl_span reason_sealed;        /* its sentence; may quote the document */
    struct pl_span report_sealed;        /* job_report.h, of the last try that made documents */
};

struct pl_ledger_document {
    struct pl_id job;
    uint32_t n; /* 1-based */
    struct pl_span name_sealed;
    const char *type; /* media type */
    uint64_t bytes;
    uint32_t pages;
    uint8_t sha256[PL_SHA256_BYTES];
    const char *object_key;
    struct pl_span page_ledger_sealed; /* JSON, one entry per page; may be empty */
};

/* One move of a job, as its history shows it. */
struct pl_ledger_event {
    struct pl_id job;
    int64_t at_ms;
    enum pl_job_state state;
    uint32_t attempt;
    pl_status error;
    enum pl_job_action action;  /* that a person asked for; or NONE */
    struct pl_id by;            /* the token; none: the engine */
    struct pl_span note_sealed; /* why, in the words of that person; may be empty */
};

struct pl_ledger_move {
    struct pl_id job;
    enum pl_job_state from;
    enum pl_job_state to;
    uint64_t fence;  /* must be the job's, unless it is 0 and the job has no lease */
    int64_t at_ms;   /* end states set finished_ms (ERASED keeps it), QUEUED clears it */
    pl_status error; /* PL_OK keeps the job's last error and reason; DONE clears both */
    struct pl_span reason_sealed;
    struct pl_span report_sealed; /* empty: the job keeps what it has */
    enum pl_job_action action;    /* these three are for the history */
    struct pl_id by;              /* none: the engine; a HELD job is held by whoever moves it */
    struct pl_span note_sealed;
};

struct pl_ledger_lease {
    struct pl_id job;
    int64_t at_ms;
    int64_t until_ms;
};

/* That an upload was taken, for whoever did not hear the answer and sends it again. Both hashes are
 * keyed: nothing about the document can be told from them. */
struct pl_ledger_receipt {
    uint8_t hash[PL_SHA256_BYTES];  /* of what it is found by */
    uint8_t print[PL_SHA256_BYTES]; /* of all that was sent */
    struct pl_id tenant;
    struct pl_id job;
    int64_t until_ms; /* forgotten from then on */
};

/* What was taken on one day. */
struct pl_ledger_usage {
    uint64_t jobs;
    uint64_t bytes;
    uint64_t pages;
};

typedef void pl_ledger_tenant_fn(void *owner, const struct pl_ledger_tenant *tenant);
typedef void pl_ledger_job_fn(void *owner, const struct pl_ledger_job *job);
typedef void pl_ledger_document_fn(void *owner, const struct pl_ledger_document *document);
typedef void pl_ledger_event_fn(void *owner, const struct pl_ledger_event *event);

/* Rows given to a callback are borrowed until it returns; rows loaded live in the arena given.
 * Every call: PL_OK, PL_NO_MEMORY, PL_IO_ERROR, PL_NO_SPACE, and what its line says. A call
 * that fails inside begin..commit has changed nothing and leaves the unit usable, unless the disk
 * failed or is full: then commit may answer that for the whole unit. Outside a unit each call is
 * a unit of its own. Text and spans that are NULL are written as empty ones. */
struct pl_ledger_ops {
    pl_status (*begin)(void *self);
    /* Returns when the unit is on stable storage. One that fails has rolled back. After
     * PL_IO_ERROR nothing more is accepted (no fsync is tried twice): every begin answers
     * PL_IO_ERROR until the ledger is opened anew. */
    pl_status (*commit)(void *self);
    void (*rollback)(void *self);
    /* A point inside a unit, one at a time: release keeps what was done since, undo takes it
     * back. Both end the mark. */
    pl_status (*mark)(void *self);
    pl_status (*release)(void *self);
    void (*undo)(void *self);
    /* Between units, when their callers have been answered: what would slow a commit down. */
    void (*tidy)(void *self);

    /* Adding to a tenant or a job that does not exist is answered NOT_FOUND everywhere. */
    pl_status (*tenant_add)(void *self, const struct pl_ledger_tenant *tenant); /* CONFLICT */
    pl_status (*tenant_each)(void *self, pl_ledger_tenant_fn *fn, void *owner);
    pl_status (*device_add)(void *self, const struct pl_ledger_device *device); /* CONFLICT */
    pl_status (*device_by_login)(void *self, const uint8_t login_hash[PL_SHA256_BYTES],
                                 struct pl_arena *arena,
                                 struct pl_ledger_device *out); /* NOT_FOUND */
    /* By id within its tenant. NOT_FOUND */
    pl_status (*device_load)(void *self, const struct pl_id *tenant, const struct pl_id *id,
                             struct pl_arena *arena, struct pl_ledger_device *out);
    pl_status (*token_add)(void *self, const struct pl_ledger_token *token); /* CONFLICT */
    pl_status (*token_by_hash)(void *self, const uint8_t token_hash[PL_SHA256_BYTES],
                               struct pl_arena *arena, struct pl_ledger_token *out); /* NOT_FOUND */
    pl_status (*drop_add)(void *self, const struct pl_ledger_drop *drop);            /* CONFLICT */
    pl_status (*drop_load)(void *self, const struct pl_id *tenant, const char *name,
                           struct pl_arena *arena, struct pl_ledger_drop *out); /* NOT_FOUND */
    pl_status (*pipeline_add)(void *self, const struct pl_ledger_pipeline *pipeline); /* CONFLICT */
    /* version 0: the newest. NOT_FOUND */
    pl_status (*pipeline_load)(void *self, const struct pl_id *tenant, const char *name,
                               uint32_t version, struct pl_arena *arena,
                               struct pl_ledger_pipeline *out);

    /* A new job in the state its row names, with events for ACCEPTED and, when that is its state,
     * QUEUED. CONFLICT */
    pl_status (*job_add)(void *self, const struct pl_ledger_job *job);
    /* Checks fence, state, legality (PL_CHECK), in this order; writes state, times, error, and the
     * event. The lease ends with every move but that to DELIVERING. RUNNING is reached by job_lease
     * alone (PL_CHECK). NOT_FOUND, LEASE_LOST, CONFLICT (not in `from`). */
    pl_status (*job_move)(void *self, const struct pl_ledger_move *move);
    /* QUEUED to RUNNING: attempts + 1, fence + 1, lease set, event written; *fence is the new one.
     * NOT_FOUND, CONFLICT. */
    pl_status (*job_lease)(void *self, const struct pl_ledger_lease *lease, uint64_t *fence);
    /* NOT_FOUND also when the job is another tenant's. */
    pl_status (*job_load)(void *self, const struct pl_id *tenant, const struct pl_id *id,
                          struct pl_arena *arena, struct pl_ledger_job *out);
    /* Newest first, older than `before` (none: from the newest), at most `limit`. */
    pl_status (*job_list)(void *self, const struct pl_id *tenant, const struct pl_id *before,
                          uint32_t limit, pl_ledger_job_fn *fn, void *owner);
    /* Of those that are in `state`, which is DEAD or no end state; oldest first, newer than `after`
     * (none: from the oldest), at most `limit`. */
    pl_status (*job_list_state)(void *self, const struct pl_id *tenant, enum pl_job_state state,
                                const struct pl_id *after, uint32_t limit, pl_ledger_job_fn *fn,
                                void *owner);
    /* All jobs of all tenants that are in no end state, oldest first: what a restart takes up. */
    pl_status (*job_each_open)(void *self, pl_ledger_job_fn *fn, void *owner);
    pl_status (*job_events)(void *self, const struct pl_id *job, pl_ledger_event_fn *fn,
                            void *owner);
    /* Jobs per state, all tenants. */
    pl_status (*job_counts)(void *self, uint64_t counts[PL_JOB_STATE_COUNT]);

    /* Writes or replaces document n of a job. NOT_FOUND: no such job. */
    pl_status (*document_put)(void *self, const struct pl_ledger_document *document);
    pl_status (*document_load)(void *self, const struct pl_id *job, uint32_t n,
                               struct pl_arena *arena,
                               struct pl_ledger_document *out); /* NOT_FOUND */
    /* In order of n, at most `limit`. */
    pl_status (*document_each)(void *self, const struct pl_id *job, uint32_t limit,
                               pl_ledger_document_fn *fn, void *owner);
    /* Forgets the documents behind the n-th. */
    pl_status (*document_trim)(void *self, const struct pl_id *job, uint32_t n);

    /* Of the tenant, not past its time at `now_ms`. NOT_FOUND */
    pl_status (*receipt_load)(void *self, const struct pl_id *tenant,
                              const uint8_t hash[PL_SHA256_BYTES], int64_t now_ms,
                              struct pl_ledger_receipt *out);
    /* Writes or replaces; a few of those whose time is past at `now_ms` are forgotten with it. */
    pl_status (*receipt_put)(void *self, const struct pl_ledger_receipt *receipt, int64_t now_ms);
    /* Adds to the day's usage of a device and of its tenant (none: of the tenant alone). A day
     * that lies before the last one counted is counted as that one: clocks are set back. */
    pl_status (*usage_add)(void *self, const struct pl_id *tenant, const struct pl_id *device,
                           int64_t day, const struct pl_ledger_usage *more);
    /* Of the tenant, or of one of its devices; zeros for a day of which nothing is known. */
    pl_status (*usage_load)(void *self, const struct pl_id *tenant, const struct pl_id *device,
                            int64_t day, struct pl_ledger_usage *out);

    void (*close)(void *self);
};

struct pl_ledger {
    const struct pl_ledger_ops *ops;
    void *self;
};

/* What every implementation shares: the law of a move and of a lease, on a row in memory, which
 * is left alone unless PL_OK. PL_LEASE_LOST, PL_CONFLICT. `job` borrows the move's reason. */
pl_status pl_ledger_job_apply_move(struct pl_ledger_job *job,
                                   const struct pl_ledger_move *move) PL_MUST_USE;
pl_status pl_ledger_job_apply_lease(struct pl_ledger_job *job,
                                    const struct pl_ledger_lease *lease) PL_MUST_USE;

/* Deep copies into the arena; PL_NO_MEMORY leaves `out` alone. */
pl_status pl_ledger_tenant_copy(const struct pl_ledger_tenant *from, struct pl_arena *arena,
                                struct pl_ledger_tenant *out) PL_MUST_USE;
pl_status pl_ledger_device_copy(const struct pl_ledger_device *from, struct pl_arena *arena,
                                struct pl_ledger_device *out) PL_MUST_USE;
pl_status pl_ledger_token_copy(const struct pl_ledger_token *from, struct pl_arena *arena,
                               struct pl_ledger_token *out) PL_MUST_USE;
pl_status pl_ledger_drop_copy(const struct pl_ledger_drop *from, struct pl_arena *arena,
                              struct pl_ledger_drop *out) PL_MUST_USE;
pl_status pl_ledger_pipeline_copy(const struct pl_ledger_pipeline *from, struct pl_arena *arena,
                                  struct pl_ledger_pipeline *out) PL_MUST_USE;
pl_status pl_ledger_job_copy(const struct pl_ledger_job *from, struct pl_arena *arena,
                             struct pl_ledger_job *out) PL_MUST_USE;
pl_status pl_ledger_document_copy(const struct pl_ledger_document *from, struct pl_arena *arena,
                                  struct pl_ledger_document *out) PL_MUST_USE;

#endif
