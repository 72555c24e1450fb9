/* pdf_import_value: values written as they were read, references renumbered.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"
#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_import_priv.h"
#include "pipeline/pdf/pdf_put.h"
#include "pipeline/pdf/pdf_restore.h"

#include <string.h>

#define VALUE_DEPTH 256
#define DISTINCT_MOST 256 /* entries of a dictionary whose keys are compared with each other */

static pl_status write_reference(struct pl_pdf_import *import, struct pl_pdf_ref from)
{
    uint32_t number = 0;
    pl_status status = pl_import_number(import, from, PL_IMPORT_ANY, &number);
    if (status != PL_OK)
        return status;
    if (number == 0) {
        pl_pdf_format(import->writer, " null");
    } else {
        pl_pdf_format(import->writer, " %u 0 R", number);
    }
    return PL_OK;
}

static pl_status write_array(struct pl_pdf_import *import, const struct pl_pdf_value *array)
{
    pl_status status = PL_OK;
    pl_pdf_format(import->writer, "[");
    for (size_t i = 0; i < array->as.array.count && status == PL_OK; i++)
        status = pl_import_value(import, array->as.array.items[i]);
    pl_pdf_format(import->writer, "]");
    return status;
}

static bool span_is_one_of(struct pl_span span, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pl_span_equals(span, words[i]))
            return true;
    }
    return false;
}

/* Entries that only mean something in the document that they come from. */
static bool key_is_private(struct pl_span key)
{
    static const char *const keys[] = { "StructParent", "StructParents", "PieceInfo",
                                        "LastModified" };
    return span_is_one_of(key, keys, PL_COUNT_OF(keys));
}

static bool key_is_of_stream(struct pl_span key)
{
    static const char *const keys[] = { "Length",  "Filter",       "DecodeParms", "F",
                                        "FFilter", "FDecodeParms", "DL" };
    return span_is_one_of(key, keys, PL_COUNT_OF(keys));
}

/* The last of equal keys counts. */
static bool entry_is_last(const struct pl_pdf_value *dict, size_t i)
{
    const struct pl_pdf_entry *entries = dict->as.dict.entries;
    if (dict->as.dict.count > DISTINCT_MOST)
        return true;
    for (size_t later = i + 1; later < dict->as.dict.count; later++) {
        if (entries[later].key.size == entries[i].key.size &&
            memcmp(entries[later].key.data, entries[i].key.data, entries[i].key.size) == 0)
            return false;
    }
    return true;
}

static bool dict_is_annotation(const struct pl_pdf_value *dict)
{
    return pl_pdf_name_is(pl_pdf_dict_peek(dict, "Type"), "Annot") ||
           (pl_pdf_dict_peek(dict, "Subtype") != NULL && pl_pdf_dict_peek(dict, "Rect") != NULL);
}

/* Blending in device CMYK has no meaning under the output intent of a PDF/A file, which is RGB: it
 * blends in that, as readers do who show the page on a screen. */
static pl_status write_blending(struct pl_pdf_import *import, const struct pl_pdf_value *dict,
                                const struct pl_pdf_entry *entry, bool *out)
{
    const struct pl_pdf_value *value = NULL;
    *out = false;
    if (import->part == 0 || !pl_span_equals(entry->key, "CS") ||
        !pl_pdf_name_is(pl_pdf_dict_peek(dict, "S"), "Transparency"))
        return PL_OK;
    pl_status status = pl_pdf_resolve(import->source->file, entry->value, &value, import->fault);
    if (status != PL_OK || !pl_pdf_name_is(value, "DeviceCMYK"))
        return status;
    pl_pdf_format(import->writer, "/CS/DeviceRGB");
    *out = true;
    return PL_OK;
}

/* Of a dictionary or a stream, without what encloses them. */
static pl_status write_entries(struct pl_pdf_import *import, const struct pl_pdf_value *dict)
{
    pl_status status = PL_OK;
    bool annotation = dict->kind == PL_PDF_DICT && dict_is_annotation(dict);
    for (size_t i = 0; i < dict->as.dict.count && status == PL_OK; i++) {
        const struct pl_pdf_entry *entry = &dict->as.dict.entries[i];
        if (key_is_private(entry->key) || !entry_is_last(dict, i) ||
            (dict->kind == PL_PDF_STREAM && key_is_of_stream(entry->key)) ||
            (annotation && pl_import_annotation_drops(dict, entry->key)))
            continue;
        bool written = false;
        status = write_blending(import, dict, entry, &written);
        if (status != PL_OK || written)
            continue;
        pl_pdf_name(import->writer, entry->key);
        status = pl_import_value(import, entry->value);
    }
    return status;
}

static pl_status write_dict(struct pl_pdf_import *import, const struct pl_pdf_value *dict)
{
    pl_pdf_format(import->writer, "<<");
    pl_status status = write_entries(import, dict);
    pl_pdf_format(import->writer, ">>");
    return status;
}

static pl_status write_value(struct pl_pdf_import *import, const struct pl_pdf_value *value)
{
    switch (value->kind) {
    case PL_PDF_ARRAY:
        return write_array(import, value);
    case PL_PDF_DICT:
        return write_dict(import, value);
    case PL_PDF_REF:
        return write_reference(import, value->as.ref);
    case PL_PDF_NULL:
    case PL_PDF_BOOL:
    case PL_PDF_INT:
    case PL_PDF_REAL:
    case PL_PDF_NAME:
    case PL_PDF_STRING:
    case PL_PDF_STREAM:
        pl_pdf_put_scalar(import->writer, value);
        break;
    }
    return PL_OK;
}

pl_status pl_import_value(struct pl_pdf_import *import, const struct pl_pdf_value *value)
{
    if (import->depth == VALUE_DEPTH) {
        return pl_fault_set(import->fault, PL_BAD_DOCUMENT,
                            "values of the PDF are nested more than %d deep", VALUE_DEPTH);
    }
    import->depth++;
    /* A value that was resolved on the way here may be a stream: its object is named again. */
    pl_status status = value->kind == PL_PDF_STREAM ? write_reference(import, value->as.dict.self)
                                                    : write_value(import, value);
    import->depth--;
    return status;
}

pl_status pl_import_entry(struct pl_pdf_import *import, const struct pl_pdf_value *dict,
                          const char *key)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    if (value == NULL || value->kind == PL_PDF_NULL)
        return PL_OK;
    pl_pdf_format(import->writer, "/%s", key);
    return pl_import_value(import, value);
}

pl_status pl_import_role_entry(struct pl_pdf_import *import, const char *key,
                               const struct pl_pdf_value *value, enum pl_import_role role)
{
    uint32_t number = 0;
    PL_CHECK(value->kind == PL_PDF_STREAM);
    pl_status status = pl_import_number(import, value->as.dict.self, role, &number);
    if (status == PL_OK) {
        pl_pdf_name(import->writer, pl_span_from(key));
        pl_pdf_format(import->writer, " %u 0 R", number);
    }
    return status;
}

/* Filters and their parameters as they are, without Crypt, which is undone. */
static pl_status stream_filters(struct pl_pdf_import *import, const struct pl_pdf_value *stream,
                                const struct pl_pdf_codings *codings)
{
    struct pl_pdf_file *file = import->source->file;
    static const char *const keys[] = { "Filter", "DecodeParms" };
    bool crypt = pl_pdf_codings_have(codings, PL_PDF_CODING_CRYPT);
    pl_status status = PL_OK;
    for (size_t k = 0; k < PL_COUNT_OF(keys) && status == PL_OK; k++) {
        const struct pl_pdf_value *value = NULL;
        if (!crypt) {
            status = pl_import_entry(import, stream, keys[k]);
            continue;
        }
        status = pl_pdf_lookup(file, stream, keys[k], &value, import->fault);
        if (status != PL_OK || value->kind != PL_PDF_ARRAY)
            continue;
        pl_pdf_format(import->writer, "/%s[", keys[k]);
        for (size_t i = 0; i < value->as.array.count && status == PL_OK; i++) {
            if (i >= codings->count || codings->filters[i] != PL_PDF_CODING_CRYPT)
                status = pl_import_value(import, value->as.array.items[i]);
        }
        pl_pdf_format(import->writer, "]");
    }
    return status;
}

/* All but the last image filter undone; deflated when none is left. */
static pl_status stream_without_lzw(struct pl_pdf_import *import, const struct pl_pdf_value *stream)
{
    struct pl_span filter = { 0 };
    const struct pl_pdf_value *parms = NULL;
    struct pl_bytes deflated = { 0 };
    pl_bytes_init(&deflated, import->data.limit);
    pl_status status = pl_pdf_stream_image(import->source->file, stream, &import->data, &filter,
                                           &parms, import->fault);
    if (status == PL_OK && filter.size == 0) {
        status = pl_flate_all(import->data.data, import->data.size, &deflated);
        struct pl_bytes swap = import->data;
        import->data = deflated;
        deflated = swap;
        pl_pdf_format(import->writer, "/Filter/FlateDecode");
    } else if (status == PL_OK) {
        pl_pdf_format(import->writer, "/Filter");
        pl_pdf_name(import->writer, filter);
        if (parms->kind == PL_PDF_DICT) {
            pl_pdf_format(import->writer, "/DecodeParms");
            status = pl_import_value(import, parms);
        }
    }
    pl_bytes_fini(&deflated);
    return status;
}

/* The data that the image had before an interpreter decoded it. */
static pl_status stream_restored(struct pl_pdf_import *import, const struct pl_pdf_value *stream,
                                 bool *found)
{
    int transform = -1;
    *found = false;
    if (import->page->restore == NULL ||
        !pl_pdf_name_is(pl_pdf_dict_peek(stream, "Subtype"), "Image"))
        return PL_OK;
    pl_status status = pl_pdf_restore_find(import->page->restore, import->page->n, stream,
                                           &import->data, &transform, found);
    if (status != PL_OK || !*found)
        return status;
    pl_pdf_format(import->writer, "/Filter/DCTDecode");
    if (transform >= 0)
        pl_pdf_format(import->writer, "/DecodeParms<</ColorTransform %d>>", transform);
    pl_pdf_end_stream(import->writer, import->data.data, import->data.size);
    return PL_OK;
}

pl_status pl_import_stream(struct pl_pdf_import *import, const struct pl_pdf_value *stream)
{
    struct pl_pdf_codings codings;
    bool restored = false;
    pl_status status = stream_restored(import, stream, &restored);
    if (status != PL_OK || restored)
        return status;
    pl_bytes_clear(&import->data);
    status = pl_pdf_codings_read(import->source->file, stream, &codings, import->fault);
    if (status != PL_OK)
        return status;
    if (import->want != PL_WANT_PDF && pl_pdf_codings_have(&codings, PL_PDF_CODING_LZW)) {
        status = stream_without_lzw(import, stream);
    } else {
        status = stream_filters(import, stream, &codings);
        if (status == PL_OK)
            status = pl_pdf_stream_raw(import->source->file, stream, &import->data, import->fault);
    }
    if (status == PL_OK)
        pl_pdf_end_stream(import->writer, import->data.data, import->data.size);
    return status;
}

/* Roots of the document's own trees, which a page may point at by mistake or by malice. */
static bool value_is_of_document(const struct pl_pdf_value *value)
{
    static const char *const types[] = { "Page", "Pages", "Catalog", "StructTreeRoot",
                                         "StructElem" };
    const struct pl_pdf_value *type = pl_pdf_dict_peek(value, "Type");
    for (size_t i = 0; i < PL_COUNT_OF(types); i++) {
        if (pl_pdf_name_is(type, types[i]))
            return true;
    }
    return false;
}

pl_status pl_import_any(struct pl_pdf_import *import, const struct pl_pdf_value *value,
                        uint32_t number)
{
    pl_status status = PL_OK;
    pl_pdf_begin(import->writer, number);
    if (value->kind == PL_PDF_STREAM) {
        pl_pdf_format(import->writer, "<<");
        status = write_entries(import, value);
        if (pl_pdf_name_is(pl_pdf_dict_peek(value, "Subtype"), "Image"))
            pl_pdf_payload(import->writer);
        return status == PL_OK ? pl_import_stream(import, value) : status;
    }
    if (value->kind == PL_PDF_DICT && value_is_of_document(value)) {
        pl_pdf_format(import->writer, "null");
    } else {
        status = write_value(import, value);
    }
    pl_pdf_end(import->writer);
    return status;
}
