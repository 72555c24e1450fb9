/* fuzz_selection: any text as a selection of pages: a list inside the document, or a sentence.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/selection.h"

#include <stdlib.h>
#include <string.h>

#define MOST 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[400];
    struct pl_fault fault = { 0 };
    uint32_t *list = NULL;
    uint32_t count = 0;
    if (size < 1 || size > sizeof text)
        return 0;
    uint32_t pages = data[0];
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    pl_status checked = pl_selection_check(text, NULL);
    pl_status status = pl_selection_apply(text, pages, MOST, &list, &count, &fault);
    if (status == PL_OK) {
        PL_CHECK(checked == PL_OK && count > 0 && count <= MOST);
        for (uint32_t i = 0; i < count; i++)
            PL_CHECK(list[i] < pages);
        free(list);
    } else {
        PL_CHECK((checked == PL_MISCONFIGURED) == (status == PL_MISCONFIGURED));
        PL_CHECK(fault.reason[0] != '\0');
    }
    return 0;
}
