/* upload: see upload.h; one struct that walks through four phases.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/upload.h"

#include "engine/core/dispatch.h"
#include "engine/ingest/resend.h"

#include <stdlib.h>
#include <string.h>

#define UPLOAD_NAME_CHARS 256
#define UPLOAD_DROP_CHARS 128
/* An upload of unknown length asks for room again after so many bytes. */
#define UPLOAD_ROOM_BYTES ((uint64_t)1 << 20)
/* Of what was taken, so much may still wait in memory for the disk. */
#define UPLOAD_UNWRITTEN_BYTES ((uint64_t)256 << 10)

enum upload_phase {
    UPLOAD_LOOKING,   /* the ledger is asked for the drop and its pipeline */
    UPLOAD_OPEN,      /* bytes flow */
    UPLOAD_SETTLING,  /* the spool makes them durable */
    UPLOAD_RECORDING, /* the ledger writes the job */
};

struct pl_upload {
    struct pl_core *core;
    struct pl_upload_watcher watcher;
    enum upload_phase phase;
    bool aborted;
    bool admitted;
    struct pl_id job;
    struct pl_id tenant;
    struct pl_id device;
    char drop[UPLOAD_DROP_CHARS];
    char name[UPLOAD_NAME_CHARS];
    uint8_t name_sha256[PL_SHA256_BYTES]; /* of all of it, as it was sent */
    char key[PL_RESEND_KEY_CHARS + 1];
    uint64_t announced;
    uint64_t taken;
    uint64_t written;        /* of those announced: no longer reserved */
    struct pl_fault verdict; /* why no more of it is kept */
    const uint8_t *expected; /* points at expected_sha256, or NULL */
    uint8_t expected_sha256[PL_SHA256_BYTES];
    struct pl_spool_writer *writer;
    struct pl_ledger_call call;
    struct pl_arena arena; /* of the rows looked up */
    struct pl_ledger_drop drop_row;
    struct pl_ledger_pipeline pipeline;
    struct pl_ledger_job row;
    struct pl_resend resend;
    bool duplicate;
    struct pl_ledger_job first; /* what it is a duplicate of; in the arena */
    uint8_t original_key_wrapped[PL_WRAPPED_KEY_BYTES];
    uint8_t result_key_wrapped[PL_WRAPPED_KEY_BYTES];
    uint8_t name_sealed[UPLOAD_NAME_CHARS + PL_SEALED_FIELD_OVERHEAD];
};

static void upload_free(struct pl_upload *upload)
{
    if (upload->admitted)
        pl_dispatch_upload_ended(upload->core, upload->announced - upload->written, upload->taken);
    pl_arena_fini(&upload->arena);
    free(upload);
}

static void upload_refuse(struct pl_upload *upload, const struct pl_fault *fault)
{
    struct pl_upload_watcher watcher = upload->watcher;
    bool aborted = upload->aborted;
    struct pl_fault copy = *fault;
    upload_free(upload);
    if (!aborted)
        watcher.on_refused(watcher.owner, &copy);
}

static void upload_refuse_status(struct pl_upload *upload, pl_status status, const char *what)
{
    struct pl_fault fault = { PL_OK, "" };
    (void)pl_fault_set(&fault, status, "%s: %s", what, pl_status_text(status));
    upload_refuse(upload, &fault);
}

/* -- recording -- */

static pl_status upload_run_record(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct pl_upload *upload = PL_CONTAINER_OF(call, struct pl_upload, call);
    const struct pl_ledger_job *row = &upload->row;
    pl_status status =
        pl_resend_find(&upload->resend, ledger, row->received_ms, &upload->arena, &upload->first);
    upload->duplicate = status == PL_OK;
    if (status != PL_NOT_FOUND)
        return status;
    status = ledger->ops->job_add(ledger->self, row);
    if (status == PL_OK)
        status = pl_resend_remember(&upload->resend, ledger, row->received_ms, &row->id);
    return status;
}

static void upload_dispatch(struct pl_upload *upload)
{
    struct pl_dispatch_job job = { .row = &upload->row,
                                   .definition = upload->pipeline.definition,
                                   .name = upload->name };
    const struct pl_core_parts *parts = pl_core_parts(upload->core);
    PL_LOG(parts->log, PL_LOG_INFO, "job.accepted", PL_F("job", upload->job.text),
           PL_F("tenant", upload->tenant.text), PL_F("device", upload->device.text),
           PL_F("drop", upload->drop), PL_FN("bytes", upload->row.bytes));
    if (pl_dispatch_submit(upload->core, &job) != PL_OK)
        PL_LOG(parts->log, PL_LOG_ERROR, "job.not_queued", PL_F("job", upload->job.text),
               PL_F("reason", "out of memory; it is safe, the next start takes it up"));
}

/* The ledger is sound and has no such row: for want of room, or because something in it refused. */
static bool upload_is_unrecorded(pl_status status)
{
    return status == PL_NO_SPACE || status == PL_NO_MEMORY || status == PL_BUSY ||
           pl_status_blame(status) == PL_BLAME_INPUT;
}

static void upload_tell_accepted(struct pl_upload *upload)
{
    const struct pl_ledger_job *row = upload->duplicate ? &upload->first : &upload->row;
    struct pl_upload_receipt receipt = { .job = row->id,
                                         .name = upload->name,
                                         .pipeline = row->pipeline,
                                         .bytes = row->bytes,
                                         .received_ms = row->received_ms,
                                         .state = row->state,
                                         .duplicate = upload->duplicate };
    memcpy(receipt.sha256, row->sha256, PL_SHA256_BYTES);
    upload->watcher.on_accepted(upload->watcher.owner, &receipt);
}

static void upload_drop_duplicate(struct pl_upload *upload)
{
    const struct pl_core_parts *parts = pl_core_parts(upload->core);
    pl_spool_remove(parts->spool, &upload->job);
    PL_LOG(parts->log, PL_LOG_INFO, "upload.duplicate", PL_F("job", upload->first.id.text),
           PL_F("tenant", upload->tenant.text), PL_F("device", upload->device.text),
           PL_F("drop", upload->drop), PL_FN("bytes", upload->first.bytes),
           PL_F("by", upload->key[0] != '\0' ? "key" : "content"));
}

static void upload_on_recorded(struct pl_ledger_call *call)
{
    struct pl_upload *upload = PL_CONTAINER_OF(call, struct pl_upload, call);
    if (call->status != PL_OK) {
        if (upload_is_unrecorded(call->status))
            pl_spool_remove(pl_core_parts(upload->core)->spool, &upload->job);
        else /* the row may be on disk: the original stays, and the next start decides */
            pl_dispatch_disk_failed(upload->core, call->status, "the ledger cannot be written");
        upload_refuse_status(upload, call->status,
                             call->status == PL_KEY_REUSED ? "Idempotency-Key"
                                                           : "the scan could not be recorded");
        return;
    }
    if (!upload->aborted)
        upload_tell_accepted(upload);
    if (upload->duplicate)
        upload_drop_duplicate(upload);
    else
        upload_dispatch(upload);
    upload_free(upload);
}

/* -- settling -- */

static pl_status upload_check(const struct pl_upload *upload, const struct pl_spool_result *result,
                              struct pl_fault *fault)
{
    if (pl_upload_verdict(upload, fault) != PL_OK)
        return fault->status;
    if (upload->expected != NULL &&
        !pl_text_equal_ct(upload->expected, result->sha256, PL_SHA256_BYTES))
        return pl_fault_set(fault, PL_BAD_REQUEST,
                            "the bytes that arrived do not have the SHA-256 that Content-Digest "
                            "promised: nothing was kept, send it again");
    return PL_OK;
}

/* The bytes are known: what the upload is told from others by. */
static void upload_identify(struct pl_upload *upload)
{
    const struct pl_core_parts *parts = pl_core_parts(upload->core);
    const struct pl_resend_subject subject = { .tenant = upload->tenant,
                                               .device = upload->device,
                                               .drop = upload->drop,
                                               .name_sha256 = upload->name_sha256,
                                               .sha256 = upload->row.sha256,
                                               .key = upload->key };
    int64_t window_ms = upload->drop_row.duplicates_ms;
    if (window_ms == PL_DROP_DUPLICATES_DEFAULT)
        window_ms = (int64_t)parts->settings.duplicates_ms;
    pl_resend_init(&parts->keyring, &subject, upload->row.received_ms, window_ms, &upload->resend);
}

static void upload_on_spooled(void *owner, pl_status status, const struct pl_spool_result *result)
{
    struct pl_upload *upload = owner;
    struct pl_fault fault = { PL_OK, "" };
    upload->writer = NULL;
    if (status == PL_IO_ERROR)
        pl_dispatch_disk_failed(upload->core, status, "the spool cannot be written");
    if (status != PL_OK) {
        upload_refuse_status(upload, status, "the scan could not be written to disk");
        return;
    }
    if (upload_check(upload, result, &fault) != PL_OK) {
        pl_spool_remove(pl_core_parts(upload->core)->spool, &upload->job);
        upload_refuse(upload, &fault);
        return;
    }
    upload->row.bytes = result->bytes;
    memcpy(upload->row.sha256, result->sha256, PL_SHA256_BYTES);
    upload->row.received_ms = pl_clock_wall_ms(pl_core_parts(upload->core)->clock);
    upload_identify(upload);
    upload->phase = UPLOAD_RECORDING;
    upload->call.run = upload_run_record;
    upload->call.done = upload_on_recorded;
    pl_ledger_thread_call(pl_core_parts(upload->core)->ledger, &upload->call);
}

/* -- opening -- */

static void upload_on_drain(void *owner)
{
    struct pl_upload *upload = owner;
    upload->watcher.on_drain(upload->watcher.owner);
}

/* Draws the job's two keys, wraps both, seals the name. *original is the caller's to wipe. */
static pl_status upload_make_keys(struct pl_upload *upload, struct pl_seal_key *original)
{
    const struct pl_keyring *keyring = &pl_core_parts(upload->core)->keyring;
    struct pl_ledger_job *row = &upload->row;
    struct pl_seal_key result;
    struct pl_span name = pl_span_from(upload->name);
    char field[PL_FIELD_CHARS];
    pl_status status = pl_seal_key_make(original);
    if (status == PL_OK)
        status = pl_seal_key_make(&result);
    if (status == PL_OK)
        status = keyring->ops->wrap(keyring->self, &upload->tenant, upload->job.text,
                                    PL_ROLE_ORIGINAL, original, upload->original_key_wrapped);
    if (status == PL_OK)
        status = keyring->ops->wrap(keyring->self, &upload->tenant, upload->job.text,
                                    PL_ROLE_RESULT, &result, upload->result_key_wrapped);
    pl_wipe(&result, sizeof result);
    if (status == PL_OK)
        status = keyring->ops->field_seal(keyring->self, &upload->tenant,
                                          pl_field_name("job.name", &upload->job, 0, field), name,
                                          upload->name_sealed);
    row->original_key_wrapped =
        (struct pl_span){ (const char *)upload->original_key_wrapped, PL_WRAPPED_KEY_BYTES };
    row->result_key_wrapped =
        (struct pl_span){ (const char *)upload->result_key_wrapped, PL_WRAPPED_KEY_BYTES };
    row->name_sealed =
        (struct pl_span){ (const char *)upload->name_sealed, name.size + PL_SEALED_FIELD_OVERHEAD };
    return status;
}

static pl_status upload_open(struct pl_upload *upload, struct pl_fault *fault)
{
    const struct pl_core_parts *parts = pl_core_parts(upload->core);
    struct pl_seal_key key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    pl_status status = pl_dispatch_admit(upload->core, upload->announced, fault);
    if (status != PL_OK)
        return status;
    upload->admitted = true;
    upload->row = (struct pl_ledger_job){ .id = upload->job,
                                          .tenant = upload->tenant,
                                          .device = upload->device,
                                          .drop = upload->drop,
                                          .pipeline = upload->pipeline.name,
                                          .pipeline_version = upload->pipeline.version,
                                          .state = PL_JOB_QUEUED };
    status = upload_make_keys(upload, &key);
    if (status == PL_OK) {
        struct pl_spool_watcher watcher = { upload_on_drain, upload_on_spooled, upload };
        pl_seal_context(upload->tenant.text, upload->job.text, PL_ROLE_ORIGINAL, context);
        status =
            pl_spool_begin(parts->spool, &upload->job, &key, context, &watcher, &upload->writer);
    }
    pl_wipe(&key, sizeof key);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the upload cannot be opened: %s",
                            pl_status_text(status));
    upload->phase = UPLOAD_OPEN;
    return PL_OK;
}

/* -- looking -- */

static pl_status upload_run_look(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct pl_upload *upload = PL_CONTAINER_OF(call, struct pl_upload, call);
    pl_status status = ledger->ops->drop_load(ledger->self, &upload->tenant, upload->drop,
                                              &upload->arena, &upload->drop_row);
    if (status != PL_OK)
        return status;
    status = ledger->ops->pipeline_load(ledger->self, &upload->tenant, upload->drop_row.pipeline, 0,
                                        &upload->arena, &upload->pipeline);
    return status == PL_NOT_FOUND ? PL_MISCONFIGURED : status; /* a drop without its pipeline */
}

static void upload_on_looked(struct pl_ledger_call *call)
{
    struct pl_upload *upload = PL_CONTAINER_OF(call, struct pl_upload, call);
    struct pl_fault fault = { PL_OK, "" };
    if (upload->aborted) {
        upload_free(upload);
    } else if (call->status == PL_NOT_FOUND) {
        (void)pl_fault_set(&fault, PL_NOT_FOUND, "there is no drop \"%s\" for this login",
                           upload->drop);
        upload_refuse(upload, &fault);
    } else if (call->status != PL_OK) {
        upload_refuse_status(upload, call->status, "the drop cannot be looked up");
    } else if (upload_open(upload, &fault) != PL_OK) {
        upload_refuse(upload, &fault);
    } else {
        upload->watcher.on_ready(upload->watcher.owner);
    }
}

struct pl_upload *pl_upload_begin(struct pl_core *core, const struct pl_upload_origin *origin,
                                  const struct pl_upload_watcher *watcher)
{
    const struct pl_core_parts *parts = pl_core_parts(core);
    struct pl_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL)
        return NULL;
    upload->core = core;
    upload->watcher = *watcher;
    upload->tenant = origin->tenant;
    upload->device = origin->device;
    upload->announced = origin->bytes;
    (void)pl_text_sanitize(origin->drop, upload->drop, sizeof upload->drop);
    (void)pl_text_sanitize(origin->name, upload->name, sizeof upload->name);
    pl_sha256_of(origin->name.data, origin->name.size, upload->name_sha256);
    if (origin->key != NULL)
        PL_CHECK(pl_text_format(upload->key, sizeof upload->key, "%s", origin->key));
    pl_arena_init(&upload->arena, (size_t)1 << 22);
    if (pl_core_make_id(core, &upload->job) != PL_OK) {
        upload_free(upload);
        return NULL;
    }
    upload->phase = UPLOAD_LOOKING;
    upload->call.run = upload_run_look;
    upload->call.done = upload_on_looked;
    pl_ledger_thread_call(parts->ledger, &upload->call);
    return upload;
}

/* The file system counts what is on the disk: to reserve it as well would count it twice. */
static void upload_count_written(struct pl_upload *upload)
{
    if (upload->announced == UINT64_MAX || upload->taken > upload->announced ||
        upload->taken < upload->written + 2 * UPLOAD_UNWRITTEN_BYTES)
        return;
    uint64_t more = upload->taken - upload->written - UPLOAD_UNWRITTEN_BYTES;
    upload->written += more;
    pl_dispatch_upload_written(upload->core, more);
}

static void upload_weigh(struct pl_upload *upload, size_t size)
{
    uint64_t most = pl_core_parts(upload->core)->settings.upload_bytes;
    bool unknown = upload->announced == UINT64_MAX;
    uint64_t before = upload->taken / UPLOAD_ROOM_BYTES;
    upload->taken += size;
    if (upload->taken > most)
        (void)pl_fault_set(&upload->verdict, PL_TOO_LARGE,
                           "the upload has more than the %llu bytes that are taken",
                           (unsigned long long)most);
    else if (!unknown && upload->taken > upload->announced)
        (void)pl_fault_set(&upload->verdict, PL_BAD_REQUEST,
                           "the upload has more than the %llu bytes that were announced",
                           (unsigned long long)upload->announced);
    else if (unknown && upload->taken / UPLOAD_ROOM_BYTES != before)
        (void)!pl_dispatch_has_room(upload->core, UPLOAD_ROOM_BYTES, &upload->verdict);
}

bool pl_upload_write(struct pl_upload *upload, const void *data, size_t size)
{
    PL_CHECK(upload->phase == UPLOAD_OPEN);
    if (upload->verdict.status == PL_OK)
        upload_weigh(upload, size);
    if (upload->verdict.status == PL_OK)
        upload_count_written(upload);
    return upload->verdict.status != PL_OK || pl_spool_write(upload->writer, data, size);
}

pl_status pl_upload_verdict(const struct pl_upload *upload, struct pl_fault *fault)
{
    if (upload->verdict.status != PL_OK)
        *fault = upload->verdict;
    return upload->verdict.status;
}

void pl_upload_end(struct pl_upload *upload, const uint8_t *expected)
{
    PL_CHECK(upload->phase == UPLOAD_OPEN);
    if (expected != NULL) {
        memcpy(upload->expected_sha256, expected, PL_SHA256_BYTES);
        upload->expected = upload->expected_sha256;
    }
    upload->phase = UPLOAD_SETTLING;
    pl_spool_end(upload->writer);
}

void pl_upload_abort(struct pl_upload *upload)
{
    upload->aborted = true;
    switch (upload->phase) {
    case UPLOAD_OPEN:
    case UPLOAD_SETTLING:
        /* Nothing was acknowledged: the sender sends it again, and this one must not double it. */
        pl_spool_abort(upload->writer);
        upload_free(upload);
        break;
    case UPLOAD_LOOKING:
    case UPLOAD_RECORDING:
        break; /* the ledger's answer finds it aborted */
    }
}
