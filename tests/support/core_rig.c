/* core_rig: see core_rig.h.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/core_rig.h"

#include "engine/ingest/device.h"
#include "engine/ingest/upload.h"
#include "storage/ledger_memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "tests/support/pl_test.h"

/* -- a keyring that hides nothing but binds all it is told to bind -- */

static uint8_t rig_mark(const char *text, const struct pl_id *tenant)
{
    uint8_t mark = 7;
    for (const char *at = text; *at != '\0'; at++)
        mark = (uint8_t)(mark * 31 + *at);
    return (uint8_t)(mark ^ tenant->text[PL_ID_CHARS - 1]);
}

static pl_status rig_wrap(void *self, const struct pl_id *tenant, const char *job, const char *role,
                          const struct pl_seal_key *key, uint8_t out[PL_WRAPPED_KEY_BYTES])
{
    (void)self;
    memset(out, 0, PL_WRAPPED_KEY_BYTES);
    out[0] = rig_mark(role, tenant);
    out[1] = rig_mark(job, tenant);
    memcpy(out + 4, key->id, 16);
    memcpy(out + 20, key->secret, 32);
    return PL_OK;
}

static pl_status rig_unwrap(void *self, const struct pl_id *tenant, const char *job,
                            const char *role, struct pl_span wrapped, struct pl_seal_key *out)
{
    (void)self;
    const uint8_t *data = (const uint8_t *)wrapped.data;
    if (data[0] != rig_mark(role, tenant) || data[1] != rig_mark(job, tenant))
        return PL_TAMPERED;
    memcpy(out->id, data + 4, 16);
    memcpy(out->secret, data + 20, 32);
    return PL_OK;
}

static pl_status rig_field_seal(void *self, const struct pl_id *tenant, const char *field,
                                struct pl_span plain, uint8_t *out)
{
    (void)self;
    memset(out, 0, PL_SEALED_FIELD_OVERHEAD);
    out[0] = rig_mark(field, tenant);
    memcpy(out + PL_SEALED_FIELD_OVERHEAD, plain.data, plain.size);
    return PL_OK;
}

static pl_status rig_field_open(void *self, const struct pl_id *tenant, const char *field,
                                struct pl_span sealed, uint8_t *out)
{
    (void)self;
    if ((uint8_t)sealed.data[0] != rig_mark(field, tenant))
        return PL_TAMPERED;
    memcpy(out, sealed.data + PL_SEALED_FIELD_OVERHEAD, sealed.size - PL_SEALED_FIELD_OVERHEAD);
    return PL_OK;
}

static void rig_name_hash(void *self, const char *kind, struct pl_span name,
                          uint8_t out[PL_SHA256_BYTES])
{
    (void)self;
    pl_hmac_sha256(kind, strlen(kind), name.data, name.size, out);
}

static const struct pl_keyring_ops rig_keyring_ops = { rig_wrap, rig_unwrap, rig_field_seal,
                                                       rig_field_open, rig_name_hash };

struct pl_keyring rig_keyring(void)
{
    return (struct pl_keyring){ &rig_keyring_ops, NULL };
}

/* -- a runner that answers by script -- */

struct rig_run {
    struct pl_loop_task task;
    struct pl_list node;
    struct core_rig *rig;
    struct pl_run *run;
    bool is_cancelled;
};

/* Documents of 4 bytes, or, where they are several, of 5. */
static void rig_make(struct pl_run *run, uint32_t count)
{
    struct pl_run_output *outputs = calloc(count, sizeof *outputs);
    assert_non_null(outputs);
    for (uint32_t n = 1; n <= count; n++) {
        struct pl_run_file file;
        struct pl_run_output *output = &outputs[n - 1];
        assert_int_equal(run->open_document(run, n, &file, &run->report.fault), PL_OK);
        assert_int_equal(write(file.fd, "done.", count > 1 ? 5 : 4), count > 1 ? 5 : 4);
        output->bytes = count > 1 ? 5 : 4;
        output->pages = 1;
        output->page_ledger = pl_span_from("[]");
        (void)pl_text_format(output->type, sizeof output->type, "application/pdf");
        (void)pl_text_format(output->extension, sizeof output->extension, "pdf");
        if (count > 1)
            (void)pl_text_format(output->suffix, sizeof output->suffix, "-%03u", n);
        run->report.summary.bytes_out += output->bytes;
    }
    run->report.outputs = outputs;
    run->report.output_count = count;
    run->report.summary.documents = run->report.summary.pages_out = count;
    run->report.summary.by_how[PL_JOB_PAGES_COPIED] = count;
}

static void rig_on_run(struct pl_loop_task *task)
{
    struct rig_run *pending = PL_CONTAINER_OF(task, struct rig_run, task);
    struct core_rig *rig = pending->rig;
    struct pl_run *run = pending->run;
    if (rig->gate && !pending->is_cancelled) {
        pl_list_append(&rig->held_runs, &pending->node);
        return;
    }
    bool is_cancelled = pending->is_cancelled;
    free(pending);
    rig->running--;
    if (is_cancelled) {
        run->report = (struct pl_run_report){ .status = PL_STOPPING };
        run->done(run);
        return;
    }
    unsigned turn = rig->runs++ % 16;
    run->report = (struct pl_run_report){ .status = rig->script.runs[turn] };
    if (run->report.status != PL_OK)
        (void)pl_fault_set(&run->report.fault, run->report.status, "as scripted");
    else
        rig_make(run, rig->script.documents[turn] > 0 ? rig->script.documents[turn] : 1);
    const void *outputs = run->report.outputs;
    run->done(run);
    free((void *)(uintptr_t)outputs);
}

static void rig_run_start(void *self, struct pl_run *run)
{
    struct core_rig *rig = self;
    struct rig_run *pending = calloc(1, sizeof *pending);
    assert_non_null(pending);
    pending->rig = rig;
    pending->run = run;
    run->impl = pending;
    pending->task.run = rig_on_run;
    pl_list_init(&pending->node);
    rig->running++;
    if (rig->running > rig->running_most)
        rig->running_most = rig->running;
    pl_loop_post(rig->loop, &pending->task);
}

static unsigned rig_run_idle(void *self)
{
    const struct core_rig *rig = self;
    return rig->slots - rig->running;
}

static void rig_run_cancel(void *self, struct pl_run *run)
{
    struct core_rig *rig = self;
    struct rig_run *pending = run->impl;
    pending->is_cancelled = true;
    if (pl_list_is_empty(&pending->node)) /* it is on its way already */
        return;
    pl_list_remove(&pending->node);
    pl_loop_post(rig->loop, &pending->task);
}

static const struct pl_runner_ops rig_runner_ops = { rig_run_start, rig_run_idle, rig_run_cancel };

void rig_open_gate(struct core_rig *rig)
{
    struct pl_list *node = NULL;
    rig->gate = false;
    while ((node = pl_list_take_first(&rig->held_runs)) != NULL)
        pl_loop_post(rig->loop, &PL_CONTAINER_OF(node, struct rig_run, node)->task);
}

/* -- a store of names and sizes -- */

static pl_status rig_stage(void *self, int *out_fd)
{
    (void)self;
    *out_fd = memfd_create("staged", MFD_CLOEXEC);
    return *out_fd >= 0 ? PL_OK : PL_IO_ERROR;
}

struct rig_store_task {
    struct pl_loop_task task;
    struct pl_list node;
    struct core_rig *rig;
    struct pl_object_put *put;
    struct pl_object_remove *remove;
};

static struct rig_object *rig_find_object(struct core_rig *rig, const char *key)
{
    PL_LIST_FOR(node, &rig->objects)
    {
        struct rig_object *object = PL_CONTAINER_OF(node, struct rig_object, node);
        if (strcmp(object->key, key) == 0)
            return object;
    }
    return NULL;
}

static void rig_on_store(struct pl_loop_task *task)
{
    struct rig_store_task *pending = PL_CONTAINER_OF(task, struct rig_store_task, task);
    struct core_rig *rig = pending->rig;
    if (rig->puts_wait) {
        pl_list_append(&rig->held_puts, &pending->node);
        return;
    }
    struct pl_object_put *put = pending->put;
    struct pl_object_remove *removal = pending->remove;
    free(pending);
    if (removal != NULL) {
        struct rig_object *object = rig_find_object(rig, removal->key);
        if (object != NULL) {
            pl_list_remove(&object->node);
            free(object);
        }
        removal->status = PL_OK;
        removal->done(removal);
        return;
    }
    struct stat stat;
    assert_int_equal(fstat(put->staged_fd, &stat), 0);
    (void)close(put->staged_fd);
    put->status = rig->script.puts[rig->puts++ % 16];
    struct rig_object *object = rig_find_object(rig, put->key);
    if (put->status == PL_OK && object != NULL && object->size != (uint64_t)stat.st_size)
        put->status = PL_CONFLICT;
    if (put->status == PL_OK && object == NULL) {
        object = calloc(1, sizeof *object);
        assert_non_null(object);
        assert_true(pl_text_copy(object->key, sizeof object->key, pl_span_from(put->key)));
        object->size = (uint64_t)stat.st_size;
        pl_list_append(&rig->objects, &object->node);
    }
    put->done(put);
}

static void rig_store_later(struct core_rig *rig, struct pl_object_put *put,
                            struct pl_object_remove *removal)
{
    struct rig_store_task *pending = calloc(1, sizeof *pending);
    assert_non_null(pending);
    *pending = (struct rig_store_task){
        .task = { .run = rig_on_store }, .rig = rig, .put = put, .remove = removal
    };
    pl_list_init(&pending->node);
    pl_loop_post(rig->loop, &pending->task);
}

void rig_open_store(struct core_rig *rig)
{
    struct pl_list *node = NULL;
    rig->puts_wait = false;
    while ((node = pl_list_take_first(&rig->held_puts)) != NULL)
        pl_loop_post(rig->loop, &PL_CONTAINER_OF(node, struct rig_store_task, node)->task);
}

static void rig_put(void *self, struct pl_object_put *put)
{
    rig_store_later(self, put, NULL);
}

static void rig_remove(void *self, struct pl_object_remove *removal)
{
    rig_store_later(self, NULL, removal);
}

static const struct pl_object_store_ops rig_store_ops = { .stage = rig_stage,
                                                          .put = rig_put,
                                                          .remove = rig_remove };

/* -- the rig -- */

static void rig_fill_ledger(struct core_rig *rig)
{
    struct pl_arena arena;
    struct pl_id_maker maker = { 0 };
    struct pl_id device;
    struct pl_keyring keyring = rig_keyring();
    struct pl_ledger_device row;
    const struct pl_ledger_ops *ops = rig->ledger.ops;
    pl_arena_init(&arena, 1 << 16);
    assert_int_equal(pl_id_make(&maker, 1, &rig->tenant), PL_OK);
    assert_int_equal(pl_id_make(&maker, 2, &device), PL_OK);
    struct pl_ledger_tenant tenant = { .id = rig->tenant, .key_version = 1 };
    struct pl_ledger_pipeline pipeline = {
        .tenant = rig->tenant, .name = "archive", .version = 1, .definition = "{}"
    };
    struct pl_ledger_drop drop = { .tenant = rig->tenant,
                                   .name = "inbox",
                                   .pipeline = "archive",
                                   .duplicates_ms = PL_DROP_DUPLICATES_DEFAULT };
    assert_int_equal(pl_device_make(&keyring, &rig->tenant, &device, pl_span_from(RIG_LOGIN),
                                    pl_span_from(RIG_PASSWORD), 1, &arena, &row),
                     PL_OK);
    assert_int_equal(ops->tenant_add(rig->ledger.self, &tenant), PL_OK);
    assert_int_equal(ops->pipeline_add(rig->ledger.self, &pipeline), PL_OK);
    assert_int_equal(ops->drop_add(rig->ledger.self, &drop), PL_OK);
    assert_int_equal(ops->device_add(rig->ledger.self, &row), PL_OK);
    pl_arena_fini(&arena);
}

static struct pl_run_limits rig_limits(void *owner, const struct pl_id *tenant)
{
    (void)owner;
    (void)tenant;
    return (struct pl_run_limits){ .documents = 100, .output_bytes = 1 << 20, .cpu_ms = 1000 };
}

static void rig_make_core(struct core_rig *rig, const struct pl_ledger *ledger)
{
    struct pl_fault fault = { PL_OK, "" };
    struct pl_core_parts parts = {
        .loop = rig->loop,
        .log = &rig->log,
        .clock = &rig->clock,
        .ledger = rig->thread,
        .keyring = rig_keyring(),
        .store = { &rig_store_ops, rig },
        .runner = { &rig_runner_ops, rig },
        .spool = rig->spool,
        .limits = { rig_limits, NULL },
        .settings = { .attempts = 3,
                      .lease_ms = 60000,
                      .retry_ms = rig->retry_ms > 0 ? rig->retry_ms : 1,
                      .retry_most_ms = rig->retry_ms > 0 ? rig->retry_ms : 2,
                      .uploads = 4,
                      .upload_bytes = 1 << 20,
                      .staged_files = rig->staged_files,
                      .remove_done_originals = rig->remove_done_originals },
    };
    assert_int_equal(pl_core_new(&parts, ledger, &rig->core, &fault), PL_OK);
}

void rig_start(struct core_rig *rig)
{
    struct pl_fault fault = { PL_OK, "" };
    *rig = (struct core_rig){ .clock = PL_CLOCK_SYSTEM, .slots = 2 };
    rig->log = (struct pl_log){ .least = PL_LOG_ERROR, .clock = &rig->clock };
    pl_list_init(&rig->objects);
    pl_list_init(&rig->held_runs);
    pl_list_init(&rig->held_puts);
    (void)pl_text_format(rig->folder, sizeof rig->folder, "/tmp/platen-rig-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    assert_int_equal(pl_loop_new(&rig->loop), PL_OK);
    assert_int_equal(pl_ledger_memory_new(&rig->ledger), PL_OK);
    rig_fill_ledger(rig);
    assert_int_equal(pl_spool_new(rig->loop, &rig->log, rig->folder, &rig->spool, &fault), PL_OK);
    assert_int_equal(pl_ledger_thread_new(rig->loop, &rig->log, &rig->ledger, &rig->thread), PL_OK);
    rig_make_core(rig, &rig->ledger);
    pl_core_begin(rig->core);
}

void rig_until(struct core_rig *rig, bool (*done)(void *owner), void *owner)
{
    int64_t deadline = pl_clock_monotonic_ms(&rig->clock) + 10000;
    while (!done(owner)) {
        assert_true(pl_clock_monotonic_ms(&rig->clock) < deadline);
        if (uv_run(pl_loop_uv(rig->loop), UV_RUN_NOWAIT) != 0)
            (void)usleep(100);
    }
}

static bool rig_is_true(void *owner)
{
    return *(bool *)owner;
}

static void rig_set_true(void *owner)
{
    *(bool *)owner = true;
}

static void rig_drop_core(struct core_rig *rig)
{
    bool drained = false;
    rig_open_gate(rig);
    pl_core_drain(rig->core, rig_set_true, &drained);
    rig_until(rig, rig_is_true, &drained);
    pl_core_free(rig->core);
    rig->core = NULL;
}

/* The thread closes its ledger; a restart must keep it, so the thread gets one that does not. */
static void rig_keep_open(void *self)
{
    (void)self;
}

void rig_restart(struct core_rig *rig)
{
    static struct pl_ledger_ops kept;
    kept = *rig->ledger.ops;
    kept.close = rig_keep_open;
    rig_drop_core(rig);
    struct pl_ledger again = { &kept, rig->ledger.self };
    rig_make_core(rig, &again);
    pl_core_begin(rig->core);
}

static void rig_remove_folder(const struct core_rig *rig)
{
    char path[512];
    DIR *folder = opendir(rig->folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        (void)pl_text_format(path, sizeof path, "%s/%s", rig->folder, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(folder);
    (void)rmdir(rig->folder);
}

void rig_stop(struct core_rig *rig)
{
    rig_drop_core(rig);
    pl_ledger_thread_free(rig->thread);
    pl_loop_stop(rig->loop);
    pl_loop_run(rig->loop);
    pl_spool_free(rig->spool);
    pl_loop_free(rig->loop);
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(&rig->objects)) != NULL)
        free(PL_CONTAINER_OF(node, struct rig_object, node));
    rig_remove_folder(rig);
}

unsigned rig_spool_files(const struct core_rig *rig)
{
    unsigned files = 0;
    DIR *folder = opendir(rig->folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        files += entry->d_name[0] != '.';
    (void)closedir(folder);
    return files;
}

/* -- uploads and jobs -- */

struct rig_sent {
    struct pl_upload *upload;
    const char *text;
    bool ended;
    pl_status status;
    struct pl_id job;
};

static void rig_on_ready(void *owner)
{
    struct rig_sent *sent = owner;
    (void)pl_upload_write(sent->upload, sent->text, strlen(sent->text));
    pl_upload_end(sent->upload, NULL);
}

static void rig_on_accepted(void *owner, const struct pl_upload_receipt *receipt)
{
    struct rig_sent *sent = owner;
    sent->job = receipt->job;
    sent->ended = true;
}

static void rig_on_refused(void *owner, const struct pl_fault *fault)
{
    struct rig_sent *sent = owner;
    assert_true(strlen(fault->reason) > 10);
    sent->status = fault->status;
    sent->ended = true;
}

static void rig_ignore(void *owner)
{
    (void)owner;
}

pl_status rig_upload(struct core_rig *rig, const char *drop, const char *text, struct pl_id *job)
{
    struct rig_sent sent = { .text = text };
    struct pl_upload_origin origin = { .tenant = rig->tenant,
                                       .drop = pl_span_from(drop),
                                       .name = pl_span_from("scan 1.tif"),
                                       .bytes = strlen(text) };
    struct pl_upload_watcher watcher = { rig_on_ready, rig_ignore, rig_on_accepted, rig_on_refused,
                                         &sent };
    sent.upload = pl_upload_begin(rig->core, &origin, &watcher);
    assert_non_null(sent.upload);
    rig_until(rig, rig_is_true, &sent.ended);
    if (sent.status == PL_OK)
        *job = sent.job;
    return sent.status;
}

struct rig_look {
    struct pl_ledger_call call;
    struct core_rig *rig;
    struct pl_id job;
    enum pl_job_state wanted;
    bool waiting;
    bool found;
    pl_status error;
};

static pl_status rig_run_look(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct rig_look *look = PL_CONTAINER_OF(call, struct rig_look, call);
    struct pl_arena arena;
    struct pl_ledger_job row;
    pl_arena_init(&arena, 1 << 16);
    pl_status status =
        ledger->ops->job_load(ledger->self, &look->rig->tenant, &look->job, &arena, &row);
    look->found = status == PL_OK && row.state == look->wanted;
    look->error = status == PL_OK ? row.error : status;
    pl_arena_fini(&arena);
    return PL_OK;
}

static void rig_on_looked(struct pl_ledger_call *call)
{
    PL_CONTAINER_OF(call, struct rig_look, call)->waiting = false;
}

static bool rig_look_again(void *owner)
{
    struct rig_look *look = owner;
    if (look->waiting)
        return false;
    if (look->found)
        return true;
    look->waiting = true;
    look->call.run = rig_run_look;
    look->call.done = rig_on_looked;
    pl_ledger_thread_call(look->rig->thread, &look->call);
    return false;
}

pl_status rig_await(struct core_rig *rig, const struct pl_id *job, enum pl_job_state state)
{
    struct rig_look look = { .rig = rig, .job = *job, .wanted = state };
    rig_until(rig, rig_look_again, &look);
    return look.error;
}

struct rig_failing {
    struct pl_ledger_call call;
    uint64_t n;
    pl_status status;
    bool answered;
};

static pl_status rig_run_failing(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    const struct rig_failing *failing = PL_CONTAINER_OF(call, struct rig_failing, call);
    /* The end of this call's mark and of its unit are not meant. */
    pl_ledger_memory_fail_at(ledger, failing->n > 0 ? failing->n + 2 : 0, failing->status);
    return PL_OK;
}

static void rig_on_failing(struct pl_ledger_call *call)
{
    PL_CONTAINER_OF(call, struct rig_failing, call)->answered = true;
}

void rig_fail_at(struct core_rig *rig, uint64_t n, pl_status status)
{
    struct rig_failing failing = { .n = n, .status = status };
    do { /* again where an older failure hit this very call */
        failing.answered = false;
        failing.call.run = rig_run_failing;
        failing.call.done = rig_on_failing;
        pl_ledger_thread_call(rig->thread, &failing.call);
        rig_until(rig, rig_is_true, &failing.answered);
    } while (failing.call.status != PL_OK);
}
