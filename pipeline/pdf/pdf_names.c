/* pdf_names: operands that are names of resources, by operator.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_names.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MOST 4096
#define NAME_BYTES ((size_t)1 << 20)

const char *pl_pdf_category_key(enum pl_pdf_category category)
{
    static const char *const keys[PL_PDF_CATEGORIES] = { "XObject", "ExtGState", "ColorSpace",
                                                         "Properties" };
    PL_CHECK(category < PL_PDF_CATEGORIES);
    return keys[category];
}

struct pl_span pl_pdf_names_text(const struct pl_pdf_names *names, size_t i)
{
    return (struct pl_span){ (const char *)names->text.data + names->uses[i].at,
                             names->uses[i].size };
}

static bool names_have(const struct pl_pdf_names *names, enum pl_pdf_category category,
                       struct pl_span name)
{
    for (size_t i = names->count; i-- > 0;) {
        struct pl_span known = pl_pdf_names_text(names, i);
        if (names->uses[i].category == category && known.size == name.size &&
            memcmp(known.data, name.data, name.size) == 0)
            return true;
    }
    return false;
}

static pl_status names_add(struct pl_pdf_names *names, enum pl_pdf_category category,
                           const struct pl_pdf_value *name, struct pl_fault *fault)
{
    if (name->kind != PL_PDF_NAME || name->as.text.size == 0 ||
        names_have(names, category, name->as.text))
        return PL_OK;
    if (names->count == NAMES_MOST) {
        return pl_fault_set(fault, PL_TOO_LARGE, "a page names more than %d resources", NAMES_MOST);
    }
    if (names->count == names->room) {
        size_t room = names->room == 0 ? 16 : names->room * 2;
        struct pl_pdf_name_use *uses = realloc(names->uses, room * sizeof *uses);
        if (uses == NULL)
            return PL_NO_MEMORY;
        names->uses = uses;
        names->room = room;
    }
    size_t at = names->text.size;
    pl_status status = pl_bytes_append(&names->text, name->as.text.data, name->as.text.size);
    if (status == PL_OK)
        names->uses[names->count++] = (struct pl_pdf_name_use){ category, at, name->as.text.size };
    return status;
}

static pl_status names_space(struct pl_pdf_names *names, const struct pl_pdf_value *space,
                             struct pl_fault *fault)
{
    static const char *const families[] = { "DeviceGray", "DeviceRGB", "DeviceCMYK", "Pattern",
                                            "G",          "RGB",       "CMYK" };
    for (size_t i = 0; i < PL_COUNT_OF(families); i++) {
        if (pl_pdf_name_is(space, families[i])) {
            names->device_cmyk = names->device_cmyk || pl_pdf_name_is(space, "DeviceCMYK");
            return PL_OK;
        }
    }
    return names_add(names, PL_PDF_COLOR_SPACE, space, fault);
}

static pl_status names_inline(struct pl_pdf_names *names, const struct pl_pdf_value *dict,
                              struct pl_fault *fault)
{
    const struct pl_pdf_value *space = pl_pdf_dict_peek(dict, "CS");
    if (space == NULL)
        space = pl_pdf_dict_peek(dict, "ColorSpace");
    return space != NULL ? names_space(names, space, fault) : PL_OK;
}

static pl_status names_op(struct pl_pdf_names *names, const struct pl_pdf_op *op,
                          struct pl_fault *fault)
{
    if (pl_span_equals(op->name, "k") || pl_span_equals(op->name, "K"))
        names->device_cmyk = true;
    if (op->count == 0)
        return PL_OK;
    const struct pl_pdf_value *last = op->operands[op->count - 1];
    if (pl_span_equals(op->name, "Do"))
        return names_add(names, PL_PDF_XOBJECT, last, fault);
    if (pl_span_equals(op->name, "gs"))
        return names_add(names, PL_PDF_EXT_G_STATE, last, fault);
    if (pl_span_equals(op->name, "cs") || pl_span_equals(op->name, "CS"))
        return names_space(names, last, fault);
    if (pl_span_equals(op->name, "BDC") || pl_span_equals(op->name, "DP"))
        return op->count > 1 ? names_add(names, PL_PDF_PROPERTIES, last, fault) : PL_OK;
    if (pl_span_equals(op->name, "BI"))
        return names_inline(names, op->operands[0], fault);
    return PL_OK;
}

pl_status pl_pdf_names_read(const struct pl_bytes *content, struct pl_pdf_names *names,
                            struct pl_fault *fault)
{
    struct pl_pdf_content *reading = NULL;
    struct pl_pdf_op op;
    bool more = true;
    pl_bytes_init(&names->text, NAME_BYTES);
    pl_status status = pl_pdf_content_new(content->data, content->size, &reading);
    while (status == PL_OK) {
        status = pl_pdf_content_next(reading, &op, &more, fault);
        if (status != PL_OK || !more)
            break;
        status = names_op(names, &op, fault);
    }
    pl_pdf_content_free(reading);
    return status;
}

void pl_pdf_names_fini(struct pl_pdf_names *names)
{
    free(names->uses);
    pl_bytes_fini(&names->text);
    *names = (struct pl_pdf_names){ 0 };
}
