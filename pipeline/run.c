/* run: opens what came in, brings its pages through, and counts what was done to them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run.h"

#include "pipeline/page_ledger.h"
#include "pipeline/run_priv.h"

/* What the job's report says beside the counts. */
static void run_report(const struct pl_run_inputs *inputs, struct pl_run_result *result)
{
    char sentence[120];
    result->pages_in = inputs->pages_in;
    result->bytes_in = inputs->bytes_in;
    result->repaired = inputs->repaired;
    pl_run_note(result->note, inputs->note);
    if (result->bytes_out > result->bytes_in && inputs->selected == NULL) {
        (void)pl_text_format(sentence, sizeof sentence,
                             "the result is %llu bytes larger than what came in",
                             (unsigned long long)(result->bytes_out - result->bytes_in));
        pl_run_note(result->note, sentence);
    }
}

/* Brings all pages through. */
static pl_status run_write(struct pl_run_inputs *inputs, struct pl_run_result *result,
                           struct pl_fault *fault)
{
    struct pl_run_outputs output = { .job = inputs->job };
    pl_page_ledger_init(&result->page_ledger);
    pl_status status = pl_run_outputs_open(inputs->job, inputs->total, result, &output, fault);
    if (status == PL_OK)
        status = pl_run_pages(inputs, &output, fault);
    if (status == PL_OK)
        status = pl_run_outputs_end(&output, fault);
    pl_run_outputs_close(&output); /* before the inputs: imported pages lie in them */
    return status;
}

/* A result that is not what it claims to be is not delivered. Where the interpreter made pages of
 * it, these are drawn instead, once. */
static pl_status run_write_checked(struct pl_run_inputs *inputs, struct pl_run_result *result,
                                   struct pl_fault *fault)
{
    struct pl_fault found = { .status = PL_OK };
    pl_status status = run_write(inputs, result, &found);
    if (status == PL_BAD_RESULT) {
        pl_status redraw = pl_run_redraw(inputs, found.reason, fault);
        if (redraw == PL_OK) {
            pl_run_result_fini(result);
            return run_write(inputs, result, fault);
        }
        if (redraw != PL_CONFLICT)
            return redraw;
    }
    return status == PL_OK
               ? PL_OK
               : pl_fault_set(fault, status, "%s",
                              found.status != PL_OK ? found.reason : pl_status_text(status));
}

pl_status pl_run_plan(const struct pl_run_job *job, struct pl_run_result *out,
                      struct pl_fault *fault)
{
    PL_CHECK(job->input_count > 0);
    struct pl_run_inputs inputs = { .job = job };
    struct pl_run_result result = { 0 };
    pl_status status = pl_run_inputs_open(job, &inputs, fault);
    if (status == PL_OK)
        status = run_write_checked(&inputs, &result, fault);
    if (status == PL_OK)
        run_report(&inputs, &result);
    pl_run_inputs_close(&inputs);
    if (status != PL_OK) {
        pl_run_result_fini(&result);
        return pl_fault_set(fault, status, "%s", pl_status_text(status));
    }
    *out = result;
    return PL_OK;
}

void pl_run_result_fini(struct pl_run_result *result)
{
    pl_bytes_fini(&result->page_ledger);
    *result = (struct pl_run_result){ 0 };
}
