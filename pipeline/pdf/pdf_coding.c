/* pdf_coding: a name or an array of names, with a dictionary or an array of them beside.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_coding.h"

static const struct {
    const char *name;
    const char *short_name;
    enum pl_pdf_coding filter;
} names[] = {
    { "FlateDecode", "Fl", PL_PDF_CODING_FLATE },
    { "LZWDecode", "LZW", PL_PDF_CODING_LZW },
    { "ASCII85Decode", "A85", PL_PDF_CODING_ASCII_85 },
    { "ASCIIHexDecode", "AHx", PL_PDF_CODING_ASCII_HEX },
    { "RunLengthDecode", "RL", PL_PDF_CODING_RUN_LENGTH },
    { "Crypt", "Crypt", PL_PDF_CODING_CRYPT },
    { "CCITTFaxDecode", "CCF", PL_PDF_CODING_CCITT },
    { "DCTDecode", "DCT", PL_PDF_CODING_DCT },
    { "JBIG2Decode", "JBIG2Decode", PL_PDF_CODING_JBIG2 },
    { "JPXDecode", "JPXDecode", PL_PDF_CODING_JPX },
};

pl_status pl_pdf_lookup_either(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                               const char *key, const char *short_key,
                               const struct pl_pdf_value **out, struct pl_fault *fault)
{
    pl_status status = pl_pdf_lookup(file, dict, key, out, fault);
    if (status == PL_OK && (*out)->kind == PL_PDF_NULL)
        status = pl_pdf_lookup(file, dict, short_key, out, fault);
    return status;
}

pl_status pl_pdf_lookup_integer(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                                const char *key, const char *short_key, int64_t otherwise,
                                int64_t *out, struct pl_fault *fault)
{
    const struct pl_pdf_value *value = NULL;
    pl_status status = pl_pdf_lookup_either(file, dict, key, short_key, &value, fault);
    if (status == PL_OK)
        *out = value->kind == PL_PDF_INT ? value->as.integer : otherwise;
    if (status == PL_OK && value->kind == PL_PDF_REAL && value->as.real > -1e9 &&
        value->as.real < 1e9)
        *out = (int64_t)value->as.real;
    return status;
}

pl_status pl_pdf_lookup_boolean(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                                const char *key, const char *short_key, bool otherwise, bool *out,
                                struct pl_fault *fault)
{
    const struct pl_pdf_value *value = NULL;
    pl_status status = pl_pdf_lookup_either(file, dict, key, short_key, &value, fault);
    if (status == PL_OK)
        *out = value->kind == PL_PDF_BOOL ? value->as.boolean : otherwise;
    return status;
}

static enum pl_pdf_coding filter_named(const struct pl_pdf_value *name)
{
    for (size_t i = 0; i < PL_COUNT_OF(names); i++) {
        if (pl_pdf_name_is(name, names[i].name) || pl_pdf_name_is(name, names[i].short_name))
            return names[i].filter;
    }
    return PL_PDF_CODING_UNKNOWN;
}

static pl_status list_array(struct pl_pdf_file *file, const struct pl_pdf_value *filters,
                            const struct pl_pdf_value *parms, struct pl_pdf_codings *out,
                            struct pl_fault *fault)
{
    size_t count = filters->as.array.count;
    if (count > PL_PDF_CODINGS_MOST) {
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "a stream of the PDF has %zu filters, the limit is %d", count,
                            PL_PDF_CODINGS_MOST);
    }
    for (size_t i = 0; i < count; i++) {
        const struct pl_pdf_value *name = NULL;
        pl_status status = pl_pdf_resolve(file, filters->as.array.items[i], &name, fault);
        if (status != PL_OK)
            return status;
        out->filters[i] = filter_named(name);
    }
    out->count = count;
    if (parms->kind == PL_PDF_ARRAY) {
        bool there = count > 0 && count <= parms->as.array.count;
        parms = there ? parms->as.array.items[count - 1] : NULL;
    }
    return parms != NULL ? pl_pdf_resolve(file, parms, &out->parms, fault) : PL_OK;
}

pl_status pl_pdf_codings_read(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                              struct pl_pdf_codings *out, struct pl_fault *fault)
{
    static const struct pl_pdf_value none = { .kind = PL_PDF_NULL };
    const struct pl_pdf_value *filters = NULL;
    const struct pl_pdf_value *parms = NULL;
    *out = (struct pl_pdf_codings){ .parms = &none };
    pl_status status = pl_pdf_lookup_either(file, dict, "Filter", "F", &filters, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_either(file, dict, "DecodeParms", "DP", &parms, fault);
    if (status != PL_OK || filters->kind == PL_PDF_NULL)
        return status;
    if (filters->kind == PL_PDF_ARRAY)
        return list_array(file, filters, parms, out, fault);
    out->count = 1;
    out->filters[0] = filter_named(filters);
    if (parms->kind == PL_PDF_ARRAY)
        return parms->as.array.count == 0
                   ? PL_OK
                   : pl_pdf_resolve(file, parms->as.array.items[0], &out->parms, fault);
    out->parms = parms;
    return PL_OK;
}

bool pl_pdf_codings_have(const struct pl_pdf_codings *list, enum pl_pdf_coding filter)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->filters[i] == filter)
            return true;
    }
    return false;
}

enum pl_pdf_coding pl_pdf_codings_image(const struct pl_pdf_codings *list)
{
    if (list->count == 0 || list->filters[list->count - 1] < PL_PDF_CODING_CCITT)
        return PL_PDF_CODING_UNKNOWN;
    return list->filters[list->count - 1];
}
