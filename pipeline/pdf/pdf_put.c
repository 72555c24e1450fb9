/* pdf_put: a walk down a value; its depth was bounded when it was read, and is again.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_put.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PUT_DEPTH 256
#define PUT_DIGITS 16
#define PUT_CLOSE 1e-15    /* the last bits of a double, which depend on who reads it */
#define PUT_REAL_MOST 1e15 /* past it no digit behind the point is left */

struct put {
    struct pl_pdf_writer *writer;
    pl_pdf_number_fn *number;
    void *owner;
    unsigned depth;
};

static pl_status put_value(struct put *put, const struct pl_pdf_value *value);

void pl_pdf_put_real(struct pl_pdf_writer *writer, double value)
{
    char text[64];
    if (!(fabs(value) < PUT_REAL_MOST)) /* nor may it be a number at all */
        value = isnan(value) ? 0 : value < 0 ? -PUT_REAL_MOST : PUT_REAL_MOST;
    for (int digits = 0; digits <= PUT_DIGITS; digits++) {
        (void)snprintf(text, sizeof text, "%.*f", digits, value);
        if (fabs(strtod(text, NULL) - value) <= fabs(value) * PUT_CLOSE)
            break;
    }
    pl_pdf_format(writer, " %s", text);
}

void pl_pdf_put_scalar(struct pl_pdf_writer *writer, const struct pl_pdf_value *value)
{
    switch (value->kind) {
    case PL_PDF_BOOL:
        pl_pdf_format(writer, value->as.boolean ? " true" : " false");
        break;
    case PL_PDF_INT:
        pl_pdf_format(writer, " %lld", (long long)value->as.integer);
        break;
    case PL_PDF_REAL:
        pl_pdf_put_real(writer, value->as.real);
        break;
    case PL_PDF_NAME:
        pl_pdf_name(writer, value->as.text);
        break;
    case PL_PDF_STRING:
        pl_pdf_string(writer, value->as.text);
        break;
    case PL_PDF_NULL:
    case PL_PDF_ARRAY:
    case PL_PDF_DICT:
    case PL_PDF_STREAM:
    case PL_PDF_REF:
        pl_pdf_format(writer, " null");
        break;
    }
}

static void put_reference(struct put *put, struct pl_pdf_ref from)
{
    uint32_t number = put->number(put->owner, from);
    if (number == 0) {
        pl_pdf_format(put->writer, " null");
    } else {
        pl_pdf_format(put->writer, " %u 0 R", number);
    }
}

static pl_status put_array(struct put *put, const struct pl_pdf_value *array)
{
    pl_status status = PL_OK;
    pl_pdf_format(put->writer, "[");
    for (size_t i = 0; i < array->as.array.count && status == PL_OK; i++)
        status = put_value(put, array->as.array.items[i]);
    pl_pdf_format(put->writer, "]");
    return status;
}

/* Of a dictionary, or of a stream without its length. */
static pl_status put_entries(struct put *put, const struct pl_pdf_value *dict)
{
    pl_status status = PL_OK;
    for (size_t i = 0; i < dict->as.dict.count && status == PL_OK; i++) {
        const struct pl_pdf_entry *entry = &dict->as.dict.entries[i];
        if (dict->kind == PL_PDF_STREAM && pl_span_equals(entry->key, "Length"))
            continue;
        pl_pdf_name(put->writer, entry->key);
        status = put_value(put, entry->value);
    }
    return status;
}

static pl_status put_dict(struct put *put, const struct pl_pdf_value *dict)
{
    pl_pdf_format(put->writer, "<<");
    pl_status status = put_entries(put, dict);
    pl_pdf_format(put->writer, ">>");
    return status;
}

static pl_status put_value(struct put *put, const struct pl_pdf_value *value)
{
    pl_status status = PL_OK;
    if (put->depth == PUT_DEPTH)
        return PL_BAD_DOCUMENT;
    put->depth++;
    switch (value->kind) {
    case PL_PDF_NULL:
    case PL_PDF_BOOL:
    case PL_PDF_INT:
    case PL_PDF_REAL:
    case PL_PDF_NAME:
    case PL_PDF_STRING:
        pl_pdf_put_scalar(put->writer, value);
        break;
    case PL_PDF_ARRAY:
        status = put_array(put, value);
        break;
    case PL_PDF_DICT:
        status = put_dict(put, value);
        break;
    case PL_PDF_STREAM: /* resolved on the way here: its object is named */
        put_reference(put, value->as.dict.self);
        break;
    case PL_PDF_REF:
        put_reference(put, value->as.ref);
        break;
    }
    put->depth--;
    return status;
}

pl_status pl_pdf_put_value(struct pl_pdf_writer *writer, const struct pl_pdf_value *value,
                           pl_pdf_number_fn *number, void *owner)
{
    struct put put = { .writer = writer, .number = number, .owner = owner };
    return put_value(&put, value);
}

pl_status pl_pdf_put_stream(struct pl_pdf_writer *writer, const struct pl_pdf_value *stream,
                            pl_pdf_number_fn *number, void *owner)
{
    struct put put = { .writer = writer, .number = number, .owner = owner };
    pl_pdf_format(writer, "<<");
    return put_entries(&put, stream);
}
