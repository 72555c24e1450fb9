/* pdf_space: names and arrays of colour spaces, two deep at most.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_space.h"

#include "pipeline/pdf/pdf_walk.h"

#include <string.h>

#define TABLE_BYTES ((size_t)1 << 16)

struct device {
    const char *name;
    const char *short_name; /* in inline images */
    const char *fallback;   /* resource that stands in for it */
    unsigned components;
};

static const struct device devices[] = {
    { "DeviceGray", "G", "DefaultGray", 1 },
    { "DeviceRGB", "RGB", "DefaultRGB", 3 },
    { "DeviceCMYK", "CMYK", "DefaultCMYK", 4 },
};

/* False: no page of ours has so many. */
static bool colour_of(unsigned components, enum pl_colour *out)
{
    switch (components) {
    case 1:
        *out = PL_COLOUR_GREY;
        return true;
    case 3:
        *out = PL_COLOUR_RGB;
        return true;
    case 4:
        *out = PL_COLOUR_CMYK;
        return true;
    default:
        return false;
    }
}

static void space_set(struct pl_pdf_space *space, enum pl_pdf_space_kind kind, unsigned components)
{
    space->components = components;
    space->kind = colour_of(components, &space->colour) || kind > PL_PDF_SPACE_ICC
                      ? kind
                      : PL_PDF_SPACE_UNKNOWN;
}

static pl_status space_item(struct pl_pdf_file *file, const struct pl_pdf_value *array, size_t i,
                            const struct pl_pdf_value **out, struct pl_fault *fault)
{
    static const struct pl_pdf_value none = { .kind = PL_PDF_NULL };
    *out = &none;
    return i < array->as.array.count ? pl_pdf_resolve(file, array->as.array.items[i], out, fault)
                                     : PL_OK;
}

static pl_status space_icc(struct pl_pdf_file *file, const struct pl_pdf_value *array,
                           struct pl_pdf_space *out, struct pl_fault *fault)
{
    const struct pl_pdf_value *stream = NULL;
    const struct pl_pdf_value *n = NULL;
    pl_status status = space_item(file, array, 1, &stream, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, stream, "N", &n, fault);
    if (status == PL_OK && stream->kind == PL_PDF_STREAM && n->kind == PL_PDF_INT &&
        n->as.integer >= 1 && n->as.integer <= 4) {
        space_set(out, PL_PDF_SPACE_ICC, (unsigned)n->as.integer);
        out->icc = stream;
    }
    return status;
}

/* A name, or an array other than of an indexed space. */
static pl_status space_family(struct pl_pdf_file *file, const struct pl_pdf_value *array,
                              const struct pl_pdf_value *family, struct pl_pdf_space *out,
                              struct pl_fault *fault)
{
    for (size_t i = 0; i < PL_COUNT_OF(devices); i++) {
        if (pl_pdf_name_is(family, devices[i].name) ||
            pl_pdf_name_is(family, devices[i].short_name))
            space_set(out, PL_PDF_SPACE_DEVICE, devices[i].components);
    }
    if (pl_pdf_name_is(family, "CalGray")) {
        space_set(out, PL_PDF_SPACE_CAL, 1);
    } else if (pl_pdf_name_is(family, "CalRGB")) {
        space_set(out, PL_PDF_SPACE_CAL, 3);
    } else if (pl_pdf_name_is(family, "Lab")) {
        space_set(out, PL_PDF_SPACE_LAB, 3);
    } else if (pl_pdf_name_is(family, "Separation") || pl_pdf_name_is(family, "DeviceN")) {
        out->kind = PL_PDF_SPACE_SPOT;
    } else if (pl_pdf_name_is(family, "Pattern")) {
        out->kind = PL_PDF_SPACE_PATTERN;
    } else if (pl_pdf_name_is(family, "ICCBased") && array->kind == PL_PDF_ARRAY) {
        return space_icc(file, array, out, fault);
    }
    return PL_OK;
}

static const struct device *device_named(const struct pl_pdf_value *name)
{
    for (size_t i = 0; i < PL_COUNT_OF(devices); i++) {
        if (pl_pdf_name_is(name, devices[i].name) || pl_pdf_name_is(name, devices[i].short_name))
            return &devices[i];
    }
    return NULL;
}

/* A name or an array that is no indexed space. */
static pl_status space_base(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                            const struct pl_pdf_value *resources, struct pl_pdf_space *out,
                            struct pl_fault *fault)
{
    const struct pl_pdf_value *family = value;
    pl_status status = PL_OK;
    if (value->kind == PL_PDF_ARRAY)
        status = space_item(file, value, 0, &family, fault);
    if (status != PL_OK || family->kind != PL_PDF_NAME)
        return status;
    const struct device *device = device_named(family);
    const struct pl_pdf_value *fallback = NULL;
    if (device != NULL && resources != NULL) {
        status = pl_pdf_resource(file, resources, "ColorSpace", pl_span_from(device->fallback),
                                 &fallback, fault);
        if (status == PL_OK && fallback->kind == PL_PDF_ARRAY)
            return space_base(file, fallback, NULL, out, fault);
    }
    return status == PL_OK ? space_family(file, value, family, out, fault) : status;
}

/* [/Indexed base hival lookup] */
static pl_status space_indexed(struct pl_pdf_file *file, const struct pl_pdf_value *array,
                               const struct pl_pdf_value *resources, struct pl_pdf_space *out,
                               struct pl_fault *fault)
{
    const struct pl_pdf_value *base = NULL;
    const struct pl_pdf_value *most = NULL;
    const struct pl_pdf_value *table = NULL;
    pl_status status = space_item(file, array, 1, &base, fault);
    if (status == PL_OK)
        status = space_item(file, array, 2, &most, fault);
    if (status == PL_OK)
        status = space_item(file, array, 3, &table, fault);
    if (status == PL_OK)
        status = space_base(file, base, resources, out, fault);
    if (status != PL_OK)
        return status;
    out->indexed = true;
    out->table = table;
    if (most->kind != PL_PDF_INT || most->as.integer < 0 || most->as.integer > 255 ||
        (table->kind != PL_PDF_STRING && table->kind != PL_PDF_STREAM)) {
        out->kind = PL_PDF_SPACE_UNKNOWN;
    } else {
        out->entries = (unsigned)most->as.integer + 1;
    }
    return PL_OK;
}

pl_status pl_pdf_space_read(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                            const struct pl_pdf_value *resources, struct pl_pdf_space *out,
                            struct pl_fault *fault)
{
    const struct pl_pdf_value *family = value;
    pl_status status = PL_OK;
    *out = (struct pl_pdf_space){ .kind = PL_PDF_SPACE_UNKNOWN };
    if (value->kind == PL_PDF_NAME && device_named(value) == NULL && resources != NULL) {
        status = pl_pdf_resource(file, resources, "ColorSpace", value->as.text, &family, fault);
        if (status == PL_OK && family->kind != PL_PDF_NULL)
            value = family;
        family = value;
    }
    if (status == PL_OK && value->kind == PL_PDF_ARRAY)
        status = space_item(file, value, 0, &family, fault);
    if (status != PL_OK)
        return status;
    if (value->kind == PL_PDF_ARRAY &&
        (pl_pdf_name_is(family, "Indexed") || pl_pdf_name_is(family, "I")))
        return space_indexed(file, value, resources, out, fault);
    return space_base(file, value, resources, out, fault);
}

pl_status pl_pdf_space_table(struct pl_pdf_file *file, const struct pl_pdf_space *space,
                             struct pl_bytes *out, struct pl_fault *fault)
{
    size_t size = (size_t)space->entries * space->components;
    struct pl_bytes table = { 0 };
    pl_bytes_init(&table, TABLE_BYTES);
    pl_status status = PL_OK;
    uint8_t *room = NULL;
    if (space->table->kind == PL_PDF_STRING) {
        size_t most = space->table->as.text.size < size ? space->table->as.text.size : size;
        status = pl_bytes_append(&table, space->table->as.text.data, most);
    } else {
        status = pl_pdf_stream_decode(file, space->table, &table, fault);
    }
    if (status == PL_OK)
        status = pl_bytes_reserve(out, size, &room);
    if (status == PL_OK) {
        size_t have = table.size < size ? table.size : size;
        memset(room, 0, size);
        if (have > 0)
            memcpy(room, table.data, have);
        out->size += size;
    }
    pl_bytes_fini(&table);
    return status;
}
