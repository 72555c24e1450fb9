/* worker_job: from descriptors and keys to sources and an out, and back to a verdict.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/worker_job.h"

#include "engine/base/cipher.h"
#include "pipeline/check_document.h"
#include "workers/worker_documents.h"

#define JOB_CHECK_BYTES ((size_t)1 << 20)

#define JOB_THREADS_AFTER_US 150 /* a copied page takes 40 to 100 */

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

pl_status pl_worker_job_warm(bool is_plain, struct pl_fault *fault)
{
    char definition[512];
    struct pl_plan plan;
    pl_status status = is_plain ? pl_cipher_prepare() : job_warm_ciphers();
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

/* The sentence of a failure on the way out, which the pipeline does not know the reason of. */
static pl_status job_fault(const struct pl_worker_job *job, pl_status status,
                           struct pl_fault *fault)
{
    if (fault->reason[0] != '\0' && fault->status == status)
        return status;
    *fault = (struct pl_fault){ .status = PL_OK };
    if (status == PL_TOO_LARGE)
        return pl_fault_set(fault, status,
                            "the result is larger than the limit of %llu bytes "
                            "(limits.output_bytes)",
                            (unsigned long long)job->run->limits.output_bytes);
    return pl_fault_set(fault, status, "%s", pl_status_text(status));
}

/* Settings have ranges that fit. */
static struct pl_limits job_limits(const struct pl_run_limits *limits)
{
    return (struct pl_limits){ .pages = (uint32_t)limits->pages,
                               .side_px = (uint32_t)limits->side_px,
                               .colour_px = limits->colour_px,
                               .bilevel_px = limits->bilevel_px,
                               .page_bytes = limits->page_bytes,
                               .output_bytes = limits->output_bytes,
                               .expansion = limits->expansion,
                               .nesting = (uint32_t)limits->nesting };
}

static void job_sum_up(const struct pl_run_result *result, struct pl_job_report *out)
{
    out->pages_in = result->pages_in;
    out->by_how[PL_JOB_PAGES_COPIED] = result->by_how[PL_PAGE_COPIED];
    out->by_how[PL_JOB_PAGES_REENCODED_EXACT] = result->by_how[PL_PAGE_REENCODED_EXACT];
    out->by_how[PL_JOB_PAGES_REENCODED_LOSS] = result->by_how[PL_PAGE_REENCODED_LOSS];
    out->by_how[PL_JOB_PAGES_RENDERED] = result->by_how[PL_PAGE_RENDERED];
    out->repaired = result->repaired;
    (void)pl_text_sanitize(pl_span_from(result->note), out->note, sizeof out->note);
    if (out->repaired && out->note[0] == '\0') /* never silently */
        (void)pl_text_format(out->note, sizeof out->note, "the document was damaged and repaired");
}

static pl_status job_convert(const struct pl_worker_job *job, struct pl_source *const *inputs,
                             struct pl_run_report *report)
{
    struct pl_plan plan = { .max_pages = 0 };
    struct pl_worker_documents documents;
    struct pl_run_result result = { .pages = 0 };
    const struct pl_limits limits = job_limits(&job->run->limits);
    pl_status status = pl_plan_compile(job->run->plan, &plan, &report->fault);
    if (status != PL_OK)
        return status;
    pl_worker_documents_init(&documents, job->run, job->fds[job->run->input_count], job->socket,
                             job->frame);
    const struct pl_run_job work = { .plan = &plan,
                                     .inputs = inputs,
                                     .input_count = job->run->input_count,
                                     .documents = &documents.documents,
                                     .limits = &limits,
                                     .interpreter = job->interpreter,
                                     .threads = job->threads > 1 ? job->threads : 0,
                                     .threads_after_us = JOB_THREADS_AFTER_US,
                                     .on_page = job->on_page,
                                     .owner = job->owner };
    status = pl_run_plan(&work, &result, &report->fault);
    if (status == PL_OK && documents.ended == 0)
        status = pl_fault_set(&report->fault, PL_BAD_DOCUMENT, "nothing is left of the document");
    if (status == PL_OK) {
        job_sum_up(&result, &report->summary);
        report->summary.documents = documents.ended;
    }
    pl_run_result_fini(&result);
    pl_worker_documents_fini(&documents);
    pl_plan_fini(&plan);
    return status;
}

/* An order to check takes one input; its one document is what was found, as JSON. */
static pl_status job_check(const struct pl_worker_job *job, struct pl_source *input, unsigned part,
                           struct pl_run_report *report)
{
    const struct pl_run_document document = {
        .n = 1, .type = "application/json", .extension = "json", .page_ledger = { "", 0 }
    };
    const struct pl_limits limits = job_limits(&job->run->limits);
    struct pl_worker_documents documents;
    struct pl_check check = { .kind = "" };
    struct pl_bytes json = { 0 };
    struct pl_out *out = NULL;
    pl_bytes_init(&json, JOB_CHECK_BYTES);
    pl_worker_documents_init(&documents, job->run, job->fds[job->run->input_count], job->socket,
                             job->frame);
    pl_status status = pl_check_document(input, &limits, part, &check, &report->fault);
    if (status == PL_OK)
        status = pl_check_json(&check, &json);
    if (status == PL_OK)
        status = documents.documents.ops->begin(&documents.documents, 1, &out, &report->fault);
    if (status == PL_OK)
        status = pl_out_write(out, json.data, json.size);
    if (status == PL_OK)
        status = documents.documents.ops->end(&documents.documents, &document, &report->fault);
    if (status == PL_OK)
        report->summary.documents = documents.ended;
    pl_bytes_fini(&json);
    pl_check_fini(&check);
    pl_worker_documents_fini(&documents);
    return status;
}

void pl_worker_job_run(const struct pl_worker_job *job, struct pl_run_report *report)
{
    struct pl_source *inputs[PL_RUN_INPUTS] = { NULL };
    pl_status status = PL_OK;
    unsigned part = 0;
    *report = (struct pl_run_report){ .status = PL_OK };
    for (size_t i = 0; i < job->run->input_count && status == PL_OK; i++)
        status = job_open_input(job, i, &inputs[i], &report->fault);
    if (status == PL_OK && pl_check_order_read(job->run->plan, &part))
        status = job_check(job, inputs[0], part, report);
    else if (status == PL_OK)
        status = job_convert(job, inputs, report);
    report->status = status == PL_OK ? PL_OK : job_fault(job, status, &report->fault);
    for (size_t i = 0; i < job->run->input_count; i++)
        if (inputs[i] != NULL)
            inputs[i]->ops->free(inputs[i]);
}
