/* attempt_documents: what a run makes: a staged file each, then a row each.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/attempt_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void attempt_object_key(const struct core_job *job, uint32_t n, char out[PL_OBJECT_KEY_CHARS])
{
    PL_CHECK(pl_text_format(out, PL_OBJECT_KEY_CHARS, "%s/%s/v%u/document-%u", job->tenant.text,
                            job->id.text, job->definition->version, n));
}

/* -- while it runs -- */

static bool documents_make_room(struct job_attempt *attempt)
{
    if (attempt->staged_count < attempt->staged_capacity)
        return true;
    uint32_t capacity = attempt->staged_capacity == 0 ? 1 : attempt->staged_capacity * 4;
    int *staged = realloc(attempt->staged, capacity * sizeof *staged);
    if (staged == NULL)
        return false;
    attempt->staged = staged;
    attempt->staged_capacity = capacity;
    return true;
}

static pl_status documents_stage(struct job_attempt *attempt, struct pl_fault *fault)
{
    const struct pl_object_store *store = &attempt->job->core->parts.store;
    if (!documents_make_room(attempt))
        return PL_NO_MEMORY;
    pl_status status = store->ops->stage(store->self, &attempt->staged[attempt->staged_count]);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the store takes no result: %s", pl_status_text(status));
    attempt->staged_count++;
    attempt->job->core->staged_files++;
    return PL_OK;
}

pl_status attempt_open_document(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                                struct pl_fault *fault)
{
    struct job_attempt *attempt = PL_CONTAINER_OF(run, struct job_attempt, run);
    const struct core_job *job = attempt->job;
    char role[PL_ROLE_CHARS];
    PL_CHECK(n >= 1 && n <= attempt->staged_count + 1);
    if (n > attempt->staged_count) {
        pl_status status = documents_stage(attempt, fault);
        if (status != PL_OK)
            return status;
    } else if (ftruncate(attempt->staged[n - 1], 0) != 0) {
        return pl_fault_set(fault, PL_IO_ERROR, "a result that was begun cannot be emptied");
    }
    (void)pl_role_document(n, role);
    pl_seal_key_derive(&attempt->result_key, role, &attempt->document_key);
    *out = (struct pl_run_file){ .fd = attempt->staged[n - 1], .key = &attempt->document_key };
    pl_seal_context(job->tenant.text, job->id.text, role, out->context);
    return PL_OK;
}

void attempt_drop_staged(struct job_attempt *attempt)
{
    for (uint32_t i = 0; i < attempt->staged_count; i++) {
        if (attempt->staged[i] < 0)
            continue;
        (void)close(attempt->staged[i]);
        attempt->job->core->staged_files--;
    }
    attempt->staged_count = 0;
}

/* -- once it has run -- */

void attempt_free_documents(struct job_attempt *attempt)
{
    for (uint32_t i = 0; attempt->documents != NULL && i < attempt->document_count; i++)
        free(attempt->documents[i].sealed);
    free(attempt->documents);
    attempt->documents = NULL;
    attempt_drop_staged(attempt);
    free(attempt->staged);
    attempt->staged = NULL;
    attempt->staged_capacity = 0;
}

/* "scan.tif" becomes "scan.pdf", or "scan-003.png"; a name without an extension gets one. */
static void document_name(const char *name, const struct pl_run_output *output,
                          char out[CORE_NAME_CHARS])
{
    const char *dot = strrchr(name, '.');
    const char *slash = strrchr(name, '/');
    size_t stem = dot != NULL && dot != name && (slash == NULL || dot > slash + 1)
                      ? (size_t)(dot - name)
                      : strlen(name);
    const size_t most =
        CORE_NAME_CHARS - sizeof "." - strlen(output->suffix) - strlen(output->extension);
    while (stem > most || (stem > 0 && stem < strlen(name) && (name[stem] & 0xC0) == 0x80))
        stem--;
    PL_CHECK(pl_text_format(out, CORE_NAME_CHARS, "%.*s%s.%s", (int)stem, name, output->suffix,
                            output->extension));
}

/* Name and page ledger, one behind the other. */
static pl_status document_seal(const struct core_job *job, struct pl_span name,
                               struct pl_span pages, struct attempt_document *document)
{
    const struct pl_keyring *keyring = &job->core->parts.keyring;
    struct pl_ledger_document *row = &document->row;
    char field[PL_FIELD_CHARS];
    size_t name_size = name.size + PL_SEALED_FIELD_OVERHEAD;
    size_t pages_size = pages.size > 0 ? pages.size + PL_SEALED_FIELD_OVERHEAD : 0;
    document->sealed = malloc(name_size + pages_size);
    if (document->sealed == NULL)
        return PL_NO_MEMORY;
    row->name_sealed = (struct pl_span){ (const char *)document->sealed, name_size };
    pl_status status = keyring->ops->field_seal(
        keyring->self, &job->tenant, pl_field_name("document.name", &job->id, row->n, field), name,
        document->sealed);
    if (status != PL_OK || pages.size == 0)
        return status;
    row->page_ledger_sealed =
        (struct pl_span){ (const char *)document->sealed + name_size, pages_size };
    return keyring->ops->field_seal(keyring->self, &job->tenant,
                                    pl_field_name("document.pages", &job->id, row->n, field), pages,
                                    document->sealed + name_size);
}

static pl_status document_take(struct job_attempt *attempt, uint32_t index)
{
    const struct core_job *job = attempt->job;
    const struct pl_run_output *output = &attempt->run.report.outputs[index];
    struct attempt_document *document = &attempt->documents[index];
    char name[CORE_NAME_CHARS];
    uint32_t n = index + 1;
    document_name(job->name, output, name);
    PL_CHECK(pl_text_copy(document->type, sizeof document->type, pl_span_from(output->type)));
    attempt_object_key(job, n, document->object_key);
    document->row = (struct pl_ledger_document){ .job = job->id,
                                                 .n = n,
                                                 .type = document->type,
                                                 .bytes = output->bytes,
                                                 .pages = output->pages,
                                                 .object_key = document->object_key };
    memcpy(document->row.sha256, output->sha256, PL_SHA256_BYTES);
    return document_seal(job, pl_span_from(name), output->page_ledger, document);
}

static pl_status report_seal(struct job_attempt *attempt, const struct pl_job_report *report)
{
    const struct core_job *job = attempt->job;
    const struct pl_keyring *keyring = &job->core->parts.keyring;
    uint8_t written[PL_JOB_REPORT_BYTES];
    char field[PL_FIELD_CHARS];
    size_t size = pl_job_report_write(report, written);
    attempt->move.report_sealed =
        (struct pl_span){ (const char *)attempt->report_sealed, size + PL_SEALED_FIELD_OVERHEAD };
    return keyring->ops->field_seal(
        keyring->self, &job->tenant, pl_field_name("job.report", &job->id, 0, field),
        (struct pl_span){ (const char *)written, size }, attempt->report_sealed);
}

pl_status attempt_take_documents(struct job_attempt *attempt)
{
    const struct pl_run_report *report = &attempt->run.report;
    PL_CHECK(report->output_count >= 1 && report->output_count <= attempt->staged_count);
    attempt->documents = calloc(report->output_count, sizeof *attempt->documents);
    if (attempt->documents == NULL)
        return PL_NO_MEMORY;
    attempt->document_count = (uint32_t)report->output_count;
    attempt->bytes = report->summary.bytes_out;
    attempt->pages = report->summary.pages_out;
    pl_status status = report_seal(attempt, &report->summary);
    for (uint32_t i = 0; i < attempt->document_count && status == PL_OK; i++)
        status = document_take(attempt, i);
    return status;
}
