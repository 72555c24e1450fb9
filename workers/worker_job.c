/* worker_job: from descriptors and keys to sources and an out, and back to a verdict.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/worker_job.h"

#include "engine/base/cipher.h"
#include "pipeline/run.h"
#include "workers/sealed_file.h"

/* A seal there and back, a digest, and what documents are encrypted with. */
static pl_status job_warm_ciphers(void)
{
    static const uint8_t plain[1] = { 0 };
    struct pl_seal_key key = { .secret = { 0 } };
    uint8_t context[PL_SEAL_CONTEXT_BYTES] = { 0 };
    uint8_t digest[PL_SHA256_BYTES];
    uint8_t sealed[sizeof plain + PL_SEAL_TAG_BYTES];
    uint8_t opened[sizeof plain];
    struct pl_sealer *sealer = NULL;
    struct pl_opener *opener = NULL;
    pl_sha256_of(plain, sizeof plain, digest);
    pl_status status = pl_sealer_new(&key, context, &sealer);
    if (status == PL_OK)
        status = pl_sealer_chunk(sealer, plain, sizeof plain, true, sealed);
    if (status == PL_OK)
        status = pl_opener_new(pl_sealer_header(sealer), &key, context, &opener);
    if (status == PL_OK)
        status = pl_opener_chunk(opener, 0, sealed, sizeof sealed, true, opened);
    pl_opener_free(opener);
    pl_sealer_free(sealer);
    return status == PL_OK ? pl_cipher_warm() : status;
}

pl_status pl_worker_job_warm(struct pl_fault *fault)
{
    char definition[512];
    struct pl_plan plan;
    pl_status status = job_warm_ciphers();
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the worker cannot set up its ciphers: %s",
                            pl_status_text(status));
    (void)pl_plan_write_simple("warm", PL_FORMAT_PDFA_2B, definition, sizeof definition);
    status = pl_plan_compile(pl_span_from(definition), &plan, fault);
    if (status == PL_OK)
        pl_plan_fini(&plan);
    return status;
}

static pl_status job_open_input(const struct pl_worker_job *job, size_t n, struct pl_source **out,
                                struct pl_fault *fault)
{
    const struct pl_wire_file *file = &job->run->files[n];
    pl_status status =
        file->sealed ? pl_sealed_source_new(job->fds[n], file->size, &file->key, file->context, out)
                     : pl_plain_source_new(job->fds[n], file->size, out);
    if (status == PL_TAMPERED)
        return pl_fault_set(fault, status,
                            "the sealed original %zu of this job is not what was accepted", n + 1);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the original %zu of this job cannot be opened: %s",
                            n + 1, pl_status_text(status));
    return PL_OK;
}

static pl_status job_open_output(const struct pl_worker_job *job, struct pl_file_out **out,
                                 struct pl_fault *fault)
{
    size_t n = job->run->input_count;
    const struct pl_wire_file *file = &job->run->files[n];
    pl_status status = pl_file_out_new(job->fds[n], job->run->output_bytes,
                                       file->sealed ? &file->key : NULL, file->context, out);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the result cannot be begun: %s",
                            pl_status_text(status));
    return PL_OK;
}

/* The one document of a job whose format holds all pages. */
struct job_document {
    struct pl_documents documents;
    struct pl_file_out *file;
};

static pl_status job_begin(struct pl_documents *documents, uint32_t n, struct pl_out **out,
                           struct pl_fault *fault)
{
    if (n != 1)
        return pl_fault_set(fault, PL_UNSUPPORTED, "a job gives one document today");
    *out = pl_file_out_base(((struct job_document *)documents)->file);
    return PL_OK;
}

static pl_status job_end(struct pl_documents *documents, const struct pl_run_document *document,
                         struct pl_fault *fault)
{
    (void)documents; /* sealed to its end after the run, for the digest */
    (void)document;
    (void)fault;
    return PL_OK;
}

static const struct pl_documents_ops job_document_ops = { job_begin, job_end };

/* The sentence of a failure on the way out, which the pipeline does not know the reason of. */
static pl_status job_fault(const struct pl_worker_job *job, pl_status status,
                           struct pl_fault *fault)
{
    if (fault->reason[0] != '\0' && fault->status == status)
        return status;
    *fault = (struct pl_fault){ .status = PL_OK };
    if (status == PL_TOO_LARGE)
        return pl_fault_set(
            fault, status,
            "the result is larger than the limit of %llu bytes (workers.output_bytes)",
            (unsigned long long)job->run->output_bytes);
    return pl_fault_set(fault, status, "%s", pl_status_text(status));
}

static pl_status job_convert(const struct pl_worker_job *job, struct pl_source *const *inputs,
                             struct pl_run_report *report, struct pl_run_result *result)
{
    struct pl_file_out *output = NULL;
    struct pl_plan plan = { .max_pages = 0 };
    struct pl_limits limits = pl_limits_default;
    limits.output_bytes = job->run->output_bytes;
    pl_status status = pl_plan_compile(job->run->plan, &plan, &report->fault);
    if (status == PL_OK)
        status = job_open_output(job, &output, &report->fault);
    if (status != PL_OK)
        goto done;
    struct job_document document = { { &job_document_ops }, output };
    const struct pl_run_job work = { .plan = &plan,
                                     .inputs = inputs,
                                     .input_count = job->run->input_count,
                                     .documents = &document.documents,
                                     .limits = &limits,
                                     .threads = job->threads > 1 ? job->threads : 0,
                                     .on_page = job->on_page,
                                     .owner = job->owner };
    status = pl_run_plan(&work, result, &report->fault);
    if (status == PL_OK)
        status = pl_file_out_end(output, report->sha256);
    if (status != PL_OK)
        goto done;
    report->bytes = pl_file_out_base(output)->size;
    report->pages = result->pages;
    (void)pl_text_format(report->type, sizeof report->type, "%s", pl_format_type(plan.convert.to));
done:
    pl_plan_fini(&plan);
    pl_file_out_free(output);
    return status;
}

void pl_worker_job_run(const struct pl_worker_job *job, struct pl_run_report *report,
                       struct pl_bytes *page_ledger)
{
    struct pl_source *inputs[PL_RUN_INPUTS] = { NULL };
    struct pl_run_result result = { .pages = 0 };
    pl_status status = PL_OK;
    *report = (struct pl_run_report){ .status = PL_OK };
    for (size_t i = 0; i < job->run->input_count && status == PL_OK; i++)
        status = job_open_input(job, i, &inputs[i], &report->fault);
    if (status == PL_OK)
        status = job_convert(job, inputs, report, &result);
    if (status == PL_OK && result.page_ledger.size <= PL_WIRE_LEDGER_TOTAL &&
        pl_bytes_append(page_ledger, result.page_ledger.data, result.page_ledger.size) == PL_OK)
        report->page_ledger.size = page_ledger->size;
    report->status = status == PL_OK ? PL_OK : job_fault(job, status, &report->fault);
    pl_run_result_fini(&result);
    for (size_t i = 0; i < job->run->input_count; i++)
        if (inputs[i] != NULL)
            inputs[i]->ops->free(inputs[i]);
}
