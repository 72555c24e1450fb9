/* pdf_value: looking into values.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_value.h"

const struct pl_pdf_value *pl_pdf_dict_peek(const struct pl_pdf_value *dict, const char *key)
{
    if (dict == NULL || (dict->kind != PL_PDF_DICT && dict->kind != PL_PDF_STREAM))
        return NULL;
    for (size_t i = dict->as.dict.count; i-- > 0;) {
        if (pl_span_equals(dict->as.dict.entries[i].key, key))
            return dict->as.dict.entries[i].value;
    }
    return NULL;
}

bool pl_pdf_name_is(const struct pl_pdf_value *value, const char *name)
{
    return value != NULL && value->kind == PL_PDF_NAME && pl_span_equals(value->as.text, name);
}
