/* core_rig: the engine's heart on real ledger thread, spool and loop, with a runner, a store and a
 * keyring that a test steers.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_CORE_RIG_H
#define PL_TESTS_SUPPORT_CORE_RIG_H

#include "engine/core/core.h"

#define RIG_LOGIN "printer-1"
#define RIG_PASSWORD "correct horse"

struct rig_object {
    struct pl_list node;
    char key[PL_OBJECT_KEY_CHARS];
    uint64_t size;
};

/* What the next runs and puts answer; all PL_OK when zeroed. */
struct rig_script {
    pl_status runs[16];
    pl_status puts[16];
    uint32_t documents[16]; /* that the run makes; 0: one */
};

struct core_rig {
    struct pl_loop *loop;
    struct pl_clock clock;
    struct pl_log log;
    struct pl_ledger ledger;
    struct pl_ledger_thread *thread;
    struct pl_spool *spool;
    struct pl_core *core;
    char folder[64];
    struct pl_id tenant;
    struct rig_script script;
    unsigned runs;
    unsigned puts;
    unsigned running;
    unsigned running_most;
    unsigned slots;
    struct pl_list objects;
    bool gate;                  /* runs wait until it is false */
    bool remove_done_originals; /* of the next core */
    uint64_t staged_files;      /* likewise */
    uint64_t retry_ms;          /* likewise; 0: 1 */
    bool puts_wait;             /* puts stay unanswered until it is false */
    struct pl_list held_puts;
    struct pl_list held_runs;
};

/* A tenant with a drop "inbox", a pipeline "archive" version 1 and a device (RIG_LOGIN). The core
 * is made, and begun. */
void rig_start(struct core_rig *rig);
/* Drains, frees all, removes the folder. */
void rig_stop(struct core_rig *rig);
/* Lets go of the core, as a crash would: jobs in memory are forgotten, the ledger stays; then a new
 * core takes the ledger up. */
void rig_restart(struct core_rig *rig);
/* Runs the loop until `done` answers true; fails the test after 10 s. */
void rig_until(struct core_rig *rig, bool (*done)(void *owner), void *owner);
void rig_open_gate(struct core_rig *rig);
/* Answers the puts that wait. */
void rig_open_store(struct core_rig *rig);
/* Uploads `text` through engine/ingest/upload.h and waits; the job's id, or the refusal. */
pl_status rig_upload(struct core_rig *rig, const char *drop, const char *text, struct pl_id *job);
/* Waits until the job is in that state; returns its row's error. */
pl_status rig_await(struct core_rig *rig, const struct pl_id *job, enum pl_job_state state);
/* pl_ledger_memory_fail_at on the ledger's own thread. */
void rig_fail_at(struct core_rig *rig, uint64_t n, pl_status status);
/* Spool files in the folder. */
unsigned rig_spool_files(const struct core_rig *rig);
struct pl_keyring rig_keyring(void);

#endif
