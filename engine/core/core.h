/* core: the engine's parts, handed over once by main, and the jobs that run through them.
 *
 * Everything is on the loop's thread. pl_core_start reads the ledger (blocking, before the loop
 * runs), loads the tenants' keys, sweeps the spool and takes up every job that had not ended.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_CORE_H
#define PL_ENGINE_CORE_CORE_H

#include "engine/base/log.h"
#include "engine/core/keyring.h"
#include "engine/core/ledger_thread.h"
#include "engine/core/object_store.h"
#include "engine/core/runner.h"
#include "engine/core/spool.h"
#include "engine/net/loop.h"

struct pl_core_settings {
    uint32_t attempts;      /* before a job is dead; 3 */
    uint64_t lease_ms;      /* longest run of one attempt; the runner's wall limit */
    uint64_t retry_ms;      /* first backoff; doubles, with full jitter */
    uint64_t retry_most_ms; /* ceiling of the backoff */
    uint64_t reserve_bytes; /* disk kept free for finishing accepted work */
    uint64_t uploads;       /* at once, in total */
    uint64_t upload_bytes;  /* largest upload */
    uint64_t duplicates_ms; /* how long a scan sent again is the first one, where its drop says
                             * nothing else; 0: never */
    uint64_t staged_files;  /* open at once for results, beyond which no job is started; 0: any */
    bool remove_done_originals; /* free the spool when a job is DONE; else kept */
};

/* Where the limits of a tenant's jobs stand. */
struct pl_core_limits {
    struct pl_run_limits (*of)(void *owner, const struct pl_id *tenant);
    void *owner;
};

/* Borrowed; must outlive the core. */
struct pl_core_parts {
    struct pl_loop *loop;
    const struct pl_log *log;
    const struct pl_clock *clock;
    struct pl_ledger_thread *ledger;
    struct pl_keyring keyring;
    struct pl_object_store store;
    struct pl_runner runner;
    struct pl_spool *spool;
    struct pl_core_limits limits;
    struct pl_core_settings settings;
};

struct pl_core;

/* `open_jobs` and what else is needed is read from `ledger` directly: call before the ledger
 * thread starts. PL_IO_ERROR and the like with a sentence. */
pl_status pl_core_new(const struct pl_core_parts *parts, const struct pl_ledger *ledger,
                      struct pl_core **out, struct pl_fault *fault) PL_MUST_USE;
const struct pl_core_parts *pl_core_parts(const struct pl_core *core);
/* Starts working on what waits; the ledger thread runs by now. */
void pl_core_begin(struct pl_core *core);
/* Takes no new job, lets running ones end; calls done when nothing is in flight. */
void pl_core_drain(struct pl_core *core, void (*done)(void *owner), void *owner);
void pl_core_free(struct pl_core *core);

/* A fresh job id. PL_UNAVAILABLE. */
pl_status pl_core_make_id(struct pl_core *core, struct pl_id *out) PL_MUST_USE;

/* Ready to accept; else the sentence why not. */
bool pl_core_is_ready(const struct pl_core *core, struct pl_fault *why);
/* Something failed that only a new start can mend, and why. */
bool pl_core_is_broken(const struct pl_core *core, struct pl_fault *why);

struct pl_core_stats {
    uint64_t waiting;
    uint64_t running;
    uint64_t delivering;
    uint64_t accepted_total;
    uint64_t done_total;
    uint64_t dead_total;
    uint64_t retries_total;
    uint64_t uploads_open;
    uint64_t uploads_total;
    uint64_t uploads_refused;
    uint64_t upload_bytes_total;
    uint64_t upload_bytes_reserved; /* of uploads under way whose length is known */
};
void pl_core_stats(const struct pl_core *core, struct pl_core_stats *out);

/* Roles under which a job's keys are wrapped and its objects sealed: keyring wrap/unwrap take
 * these, pl_seal_context too. Document n is sealed under
 * pl_seal_key_derive(result key, "document/n") and pl_seal_context(tenant, job, "document/n"). */
#define PL_ROLE_ORIGINAL "original"
#define PL_ROLE_RESULT "result"
/* Writes "document/<n>". */
#define PL_ROLE_CHARS 24
const char *pl_role_document(uint32_t n, char out[PL_ROLE_CHARS]);
/* Sealed-field names: "job.name/<id>", "job.reason/<id>", "job.report/<id>",
 * "document.name/<job>/<n>", "document.pages/<job>/<n>", "pipeline.definition/<tenant>/<version>".
 */
#define PL_FIELD_CHARS 80
const char *pl_field_name(const char *what, const struct pl_id *id, uint32_t n,
                          char out[PL_FIELD_CHARS]);

#endif
