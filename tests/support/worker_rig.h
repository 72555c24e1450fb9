/* worker_rig: a loop, a launcher and a pool for tests, with sealed files to give to it.
 *
 * When the tests run as root, the workers run as nobody; the worker program is copied to where
 * nobody can execute it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_WORKER_RIG_H
#define PL_TESTS_SUPPORT_WORKER_RIG_H

#include "engine/base/log.h"
#include "workers/pool.h"

#define RIG_RUNS 16
#define RIG_DOCUMENTS 40
#define RIG_TENANT_A "01h00000000000000000000000"
#define RIG_TENANT_B "01h00000000000000000000001"
#define RIG_TENANT_C "01h00000000000000000000002"

struct rig_run {
    struct pl_run run;
    struct pl_seal_key input_key;
    struct pl_seal_key output_key; /* of all documents, each under its own context */
    int places[RIG_DOCUMENTS];     /* where documents go; 0: not asked for */
    pl_status refuse;              /* what the second document is answered with */
    unsigned done;                 /* times that it was called */
    struct pl_run_output outputs[RIG_DOCUMENTS];
    char page_ledger[64]; /* of the first document: its beginning, and its whole size */
    size_t page_ledger_size;
    struct worker_rig *rig;
};

struct worker_rig {
    struct pl_loop *loop;
    struct pl_launcher *launcher;
    struct pl_pool *pool;
    struct pl_pool_settings settings;
    struct pl_clock clock;
    struct pl_log log;
    char log_text[65536];
    size_t log_size;
    char program[128]; /* the copy, when there is one */
    bool is_closed;
    unsigned done;
    struct rig_run runs[RIG_RUNS];
    size_t run_count;
};

/* 2 processes, 2 threads, 400 MiB, 1 s of CPU, 1 MiB of output, 100 jobs. */
struct pl_pool_settings rig_settings(void);
/* `program` NULL: workers are copies of the test with the real pipeline. */
void rig_open(struct worker_rig *rig, const char *program, const struct pl_pool_settings *settings);
/* Checks that every run was answered once. */
void rig_close(struct worker_rig *rig);
/* Checks that every run so far was answered once, and makes room for more. */
void rig_forget(struct worker_rig *rig);
/* Seals `order` into a file and makes a run of it. */
struct rig_run *rig_prepare(struct worker_rig *rig, const char *tenant, const void *order,
                            size_t size);
void rig_give(struct worker_rig *rig, struct rig_run *own);
/* Both; wall limit 20 s. */
struct rig_run *rig_start(struct worker_rig *rig, const char *tenant, const char *order);
/* Turns the loop until so many runs are done; fails the test after 30 s. */
void rig_wait(struct worker_rig *rig, unsigned done);
/* Turns the loop for a while. */
void rig_idle(struct worker_rig *rig, unsigned ms);
/* Opens the first document; returns its size. */
size_t rig_result(const struct rig_run *own, char *out, size_t size);
size_t rig_document(const struct rig_run *own, uint32_t n, char *out, size_t size);
/* The one child of the test. */
pid_t rig_launcher_pid(void);
bool rig_logged(const struct worker_rig *rig, const char *text);

#endif
