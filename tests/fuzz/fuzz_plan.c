/* fuzz_plan: any bytes as a pipeline's definition: a plan, or a sentence; never both or neither.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_plan plan = { 0 };
    struct pl_fault fault = { 0 };
    struct pl_span definition = { (const char *)data, size };
    pl_status status = pl_plan_compile(definition, &plan, &fault);
    if (status == PL_OK) {
        PL_CHECK(fault.status == PL_OK && plan.convert.to < PL_FORMAT_COUNT);
        PL_CHECK(plan.accept_types < 1U << PL_INPUT_COUNT);
        PL_CHECK(pl_convert_check(&plan.convert, NULL) == PL_OK);
        pl_plan_fini(&plan);
    } else {
        PL_CHECK(status == PL_MISCONFIGURED && fault.reason[0] != '\0');
        PL_CHECK(pl_text_is_utf8(pl_span_from(fault.reason)));
    }
    return 0;
}
