/* run_outputs: one document for all pages, or one for each, where the format holds no more.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/page_ledger.h"
#include "pipeline/run_priv.h"

#include <string.h>

#define OUTPUT_HASH_BYTES 16384

static const struct pl_convert *output_convert(const struct pl_run_outputs *output)
{
    return &output->job->plan->convert;
}

static bool output_is_by_page(const struct pl_run_outputs *output)
{
    return pl_format_is_by_page(output_convert(output)->to);
}

/* The digest of all inputs, each after its size, so that no two lists of inputs give the same. */
static pl_status output_seed(struct pl_run_outputs *output)
{
    struct pl_sha256 *hash = NULL;
    uint8_t data[OUTPUT_HASH_BYTES];
    pl_status status = pl_sha256_new(&hash);
    for (size_t i = 0; i < output->job->input_count && status == PL_OK; i++) {
        struct pl_source *source = output->job->inputs[i];
        pl_put_u64be(data, source->size);
        pl_sha256_update(hash, data, sizeof(uint64_t));
        for (uint64_t at = 0; at < source->size && status == PL_OK; at += sizeof data) {
            uint64_t left = source->size - at;
            size_t part = left < sizeof data ? (size_t)left : sizeof data;
            status = pl_source_read(source, at, data, part);
            if (status == PL_OK)
                pl_sha256_update(hash, data, part);
        }
    }
    if (status == PL_OK) {
        pl_sha256_final(hash, output->seed);
        output->is_seeded = true;
    }
    pl_sha256_free(hash);
    return status;
}

pl_status pl_run_outputs_open(const struct pl_run_job *job, uint32_t total,
                              struct pl_run_result *result, struct pl_run_outputs *out,
                              struct pl_fault *fault)
{
    const struct pl_convert *convert = &job->plan->convert;
    *out = (struct pl_run_outputs){ .job = job, .total = total, .result = result };
    pl_page_ledger_init(&out->own);
    out->ops = pl_writer_for(convert->to);
    if (out->ops == NULL)
        return pl_fault_set(fault, PL_UNSUPPORTED, "%s cannot be written here",
                            pl_format_name(convert->to));
    return out->ops->wants_seed != NULL && out->ops->wants_seed(convert) ? output_seed(out) : PL_OK;
}

/* What a writer answers; a status of the owner's `out` comes without a sentence. */
static pl_status output_blame(const struct pl_run_outputs *output, pl_status status,
                              const struct pl_fault *found, struct pl_fault *fault)
{
    if (status == PL_OK)
        return PL_OK;
    const char *reason = found->status != PL_OK ? found->reason : pl_status_text(status);
    return pl_fault_set(fault, status, "page %u cannot be written: %s", output->result->pages + 1,
                        reason);
}

static pl_status output_begin(struct pl_run_outputs *output, struct pl_fault *fault)
{
    const struct pl_run_job *job = output->job;
    uint32_t n = output->result->documents + 1;
    struct pl_fault found = { 0 };
    pl_status status = job->documents->ops->begin(job->documents, n, &output->out, fault);
    if (status != PL_OK)
        return status;
    output->pages = 0;
    output->row = output->result->page_ledger.size;
    status = output->ops->open(output_convert(output), output->is_seeded ? output->seed : NULL,
                               job->limits, output->out, &output->writer, &found);
    return output_blame(output, status, &found, fault);
}

static pl_status output_check(const struct pl_run_outputs *output, struct pl_fault *fault)
{
    uint64_t limit = output->job->limits->output_bytes;
    uint64_t size = output->result->bytes_out + output->out->size;
    if (size <= limit)
        return PL_OK;
    return pl_fault_set(fault, PL_TOO_LARGE, "the result is larger than %llu MB, the limit",
                        (unsigned long long)(limit >> 20));
}

/* The rows of the document that ends as an array of its own. */
static pl_status output_rows(struct pl_run_outputs *output, struct pl_span *rows)
{
    const struct pl_bytes *all = &output->result->page_ledger;
    pl_bytes_clear(&output->own);
    pl_status status = pl_bytes_append(&output->own, "[", 1);
    if (status == PL_OK) /* after the bracket or the comma that stands before the first */
        status =
            pl_bytes_append(&output->own, all->data + output->row + 1, all->size - output->row - 1);
    if (status == PL_OK)
        status = pl_bytes_append(&output->own, "]", 1);
    *rows = (struct pl_span){ (const char *)output->own.data, output->own.size };
    return status;
}

static void output_name(const struct pl_run_outputs *output, struct pl_run_document *document)
{
    int digits = 3;
    if (!output_is_by_page(output) || output->total < 2)
        return;
    for (uint32_t most = 1000; output->total >= most && digits < 9; most *= 10)
        digits++;
    (void)pl_text_format(document->suffix, sizeof document->suffix, "-%0*u", digits, document->n);
}

/* Ends the open document and tells its owner. */
static pl_status output_finish(struct pl_run_outputs *output, struct pl_fault *fault)
{
    struct pl_run_result *result = output->result;
    struct pl_documents *documents = output->job->documents;
    enum pl_format format = output_convert(output)->to;
    struct pl_fault found = { 0 };
    struct pl_run_document document = { .n = result->documents + 1,
                                        .type = pl_format_type(format),
                                        .extension = pl_format_extension(format),
                                        .pages = output->pages };
    pl_status status = output->ops->end(output->writer, &found);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the result cannot be ended: %s",
                            found.status != PL_OK ? found.reason : pl_status_text(status));
    output->ops->close(output->writer);
    output->writer = NULL;
    status = output_check(output, fault);
    if (status == PL_OK)
        status = output_rows(output, &document.page_ledger);
    if (status != PL_OK)
        return status;
    output_name(output, &document);
    result->bytes_out += output->out->size;
    output->out = NULL;
    result->documents++;
    return documents->ops->end(documents, &document, fault);
}

pl_status pl_run_outputs_page(struct pl_run_outputs *output, size_t input,
                              const struct pl_page *page, struct pl_fault *fault)
{
    struct pl_run_result *result = output->result;
    struct pl_fault found = { 0 };
    struct pl_page_row row = { .input = input + 1 };
    pl_status status = output->writer == NULL ? output_begin(output, fault) : PL_OK;
    if (status != PL_OK)
        return status;
    status = output->ops->page(output->writer, page, &row.bytes_out, &found);
    if (status != PL_OK)
        return output_blame(output, status, &found, fault);
    status = output_check(output, fault);
    if (status != PL_OK)
        return status;
    row.n = ++output->pages;
    row.document = output_is_by_page(output) ? result->documents + 1 : 0;
    result->pages++;
    result->by_how[page->how]++;
    status = pl_page_ledger_add(&result->page_ledger, &row, page);
    return status == PL_OK && output_is_by_page(output) ? output_finish(output, fault) : status;
}

pl_status pl_run_outputs_end(struct pl_run_outputs *output, struct pl_fault *fault)
{
    pl_status status = output->writer == NULL ? PL_OK : output_finish(output, fault);
    return status == PL_OK ? pl_page_ledger_end(&output->result->page_ledger) : status;
}

void pl_run_outputs_close(struct pl_run_outputs *output)
{
    if (output->writer != NULL)
        output->ops->close(output->writer);
    output->writer = NULL;
    pl_bytes_fini(&output->own);
    pl_wipe(output->seed, sizeof output->seed);
}
