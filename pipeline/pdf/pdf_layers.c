/* pdf_layers: the default configuration, and who mentions a layer.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_layers.h"

static bool list_is_empty(const struct pl_pdf_value *list)
{
    return list->kind != PL_PDF_ARRAY || list->as.array.count == 0;
}

pl_status pl_pdf_layers_all_shown(struct pl_pdf_file *file, bool *out, struct pl_fault *fault)
{
    static const char *const keys[] = { "BaseState", "OFF", "AS" };
    const struct pl_pdf_value *values[PL_COUNT_OF(keys)] = { 0 };
    const struct pl_pdf_value *layers = NULL;
    const struct pl_pdf_value *settings = NULL;
    pl_status status =
        pl_pdf_lookup(file, pl_pdf_file_catalog(file), "OCProperties", &layers, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, layers, "D", &settings, fault);
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++)
        status = pl_pdf_lookup(file, settings, keys[i], &values[i], fault);
    if (status != PL_OK)
        return status;
    bool on = values[0]->kind == PL_PDF_NULL || pl_pdf_name_is(values[0], "ON");
    *out = on && list_is_empty(values[1]) && list_is_empty(values[2]);
    return PL_OK;
}

bool pl_pdf_step_is_layered(const struct pl_pdf_step *step)
{
    const struct pl_pdf_op *op = step->op;
    if (step->object != NULL)
        return pl_pdf_dict_peek(step->object, "OC") != NULL;
    return step->kind == PL_PDF_STEP_OP && pl_span_equals(op->name, "BDC") && op->count > 0 &&
           pl_pdf_name_is(op->operands[0], "OC");
}

static pl_status annotations_are_layered(struct pl_pdf_file *file, uint32_t n, bool *out,
                                         struct pl_fault *fault)
{
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *list = NULL;
    pl_status status = pl_pdf_load_object(file, pl_pdf_page_ref(file, n), &page, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, page, "Annots", &list, fault);
    if (status != PL_OK || list->kind != PL_PDF_ARRAY)
        return status;
    for (size_t i = 0; i < list->as.array.count && status == PL_OK && !*out; i++) {
        const struct pl_pdf_value *annotation = NULL;
        status = pl_pdf_resolve(file, list->as.array.items[i], &annotation, fault);
        if (status == PL_OK)
            *out = pl_pdf_dict_peek(annotation, "OC") != NULL;
    }
    return status;
}

pl_status pl_pdf_page_is_layered(struct pl_pdf_file *file, uint32_t n, bool *out,
                                 struct pl_fault *fault)
{
    struct pl_pdf_walk *walk = NULL;
    struct pl_pdf_step step = { .kind = PL_PDF_STEP_OP };
    struct pl_fault found = { 0 };
    *out = false;
    pl_status status = annotations_are_layered(file, n, out, &found);
    if (status == PL_OK && !*out)
        status = pl_pdf_walk_new(file, n, &walk, &found);
    while (status == PL_OK && !*out && step.kind != PL_PDF_STEP_END) {
        status = pl_pdf_walk_next(walk, &step, &found);
        if (status == PL_OK)
            *out = pl_pdf_step_is_layered(&step);
    }
    pl_pdf_walk_free(walk);
    if (status == PL_BAD_DOCUMENT || status == PL_TOO_LARGE || status == PL_UNSUPPORTED) {
        *out = true;
        return PL_OK;
    }
    return status == PL_OK
               ? PL_OK
               : pl_fault_set(fault, status, "%s",
                              found.status != PL_OK ? found.reason : pl_status_text(status));
}
