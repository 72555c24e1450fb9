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

pl_status pl_run_plan(const struct pl_run_job *job, struct pl_run_result *out,
                      struct pl_fault *fault)
{
    PL_CHECK(job->input_count > 0);
    struct pl_run_inputs inputs = { .job = job };
    struct pl_run_outputs output = { .job = job };
    struct pl_run_result result = { 0 };
    pl_page_ledger_init(&result.page_ledger);
    pl_status status = pl_run_inputs_open(job, &inputs, fault);
    if (status == PL_OK)
        status = pl_run_outputs_open(job, inputs.total, &result, &output, fault);
    if (status == PL_OK)
        status = pl_run_pages(&inputs, &output, fault);
    if (status == PL_OK)
        status = pl_run_outputs_end(&output, fault);
    if (status == PL_OK)
        run_report(&inputs, &result);
    pl_run_outputs_close(&output); /* before the inputs: imported pages lie in them */
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
