/* fuzz_check: any bytes as a document that is checked, held against each part of PDF/A in turn.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/check_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says which part. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_source *source = NULL;
    struct pl_check check;
    struct pl_bytes json;
    struct pl_limits limits = pl_limits_default;
    struct pl_fault fault = { 0 };
    limits.pages = 200;
    if (size == 0 || pl_source_memory_new(data + 1, size - 1, &source) != PL_OK)
        return 0;
    pl_bytes_init(&json, (size_t)1 << 22);
    pl_status status = pl_check_document(source, &limits, data[0] % 4, &check, &fault);
    PL_CHECK(status == PL_OK || status == PL_NO_MEMORY || fault.reason[0] != '\0');
    if (status == PL_OK) {
        PL_CHECK(check.what[0] != '\0');
        PL_CHECK(pl_check_json(&check, &json) == PL_OK);
        PL_CHECK(pl_text_is_utf8((struct pl_span){ (const char *)json.data, json.size }));
    }
    pl_check_fini(&check);
    pl_bytes_fini(&json);
    source->ops->free(source);
    return 0;
}
