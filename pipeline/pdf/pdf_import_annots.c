/* pdf_import_annots: what stays of a page's annotations in another document.
 *
 * Kept is what can be seen. Actions are dropped, but for links to the web and to pages of the same
 * document that were written before; a link that would lead nowhere is left out. Form fields lose
 * their form and stay as they look. In PDF/A kinds that it does not know are left out (ISO 19005-1
 * 6.5.2, -2 and -3 6.3.1), and so are attached files: what is in them is not known.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_import_priv.h"

#define ANNOTATIONS_MOST 100000

bool pl_import_annotation_drops(const struct pl_pdf_value *annotation, struct pl_span key)
{
    static const char *const always[] = { "AA", "PA", "Kids" };
    bool link = pl_pdf_name_is(pl_pdf_dict_peek(annotation, "Subtype"), "Link");
    bool popup = pl_pdf_name_is(pl_pdf_dict_peek(annotation, "Subtype"), "Popup");
    for (size_t i = 0; i < PL_COUNT_OF(always); i++) {
        if (pl_span_equals(key, always[i]))
            return true;
    }
    if (pl_span_equals(key, "Parent"))
        return !popup;
    return pl_span_equals(key, "A") && !link;
}

/* An array that begins with a page that was written. */
static pl_status destination_is_known(struct pl_pdf_import *import,
                                      const struct pl_pdf_value *destination, bool *out)
{
    const struct pl_pdf_value *value = NULL;
    *out = false;
    pl_status status = pl_pdf_resolve(import->source->file, destination, &value, import->fault);
    if (status != PL_OK || value->kind != PL_PDF_ARRAY || value->as.array.count == 0 ||
        value->as.array.items[0]->kind != PL_PDF_REF)
        return status;
    *out = pl_import_lookup(import, value->as.array.items[0]->as.ref) != 0;
    return PL_OK;
}

/* Links to the web, or to where this result has something. */
static pl_status link_leads_somewhere(struct pl_pdf_import *import,
                                      const struct pl_pdf_value *annotation, bool *out)
{
    struct pl_pdf_file *file = import->source->file;
    const struct pl_pdf_value *action = NULL;
    const struct pl_pdf_value *kind = NULL;
    const struct pl_pdf_value *next = NULL;
    const struct pl_pdf_value *destination = pl_pdf_dict_peek(annotation, "Dest");
    *out = false;
    if (destination != NULL)
        return destination_is_known(import, destination, out);
    pl_status status = pl_pdf_lookup(file, annotation, "A", &action, import->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, action, "S", &kind, import->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, action, "Next", &next, import->fault);
    if (status != PL_OK || next->kind != PL_PDF_NULL)
        return status;
    destination = pl_pdf_dict_peek(action, "D");
    if (pl_pdf_name_is(kind, "GoTo") && destination != NULL)
        return destination_is_known(import, destination, out);
    *out = pl_pdf_name_is(kind, "URI");
    return PL_OK;
}

/* Whether that part of PDF/A knows the kind; the second list came with PDF 1.5 to 1.7. */
static bool kind_is_allowed(const struct pl_pdf_value *kind, unsigned part)
{
    static const char *const first[] = { "Text",     "Link",      "FreeText",    "Line",
                                         "Square",   "Circle",    "Highlight",   "Underline",
                                         "Squiggly", "StrikeOut", "Stamp",       "Ink",
                                         "Popup",    "Widget",    "PrinterMark", "TrapNet" };
    static const char *const second[] = { "Polygon", "PolyLine", "Caret", "Watermark", "Redact" };
    for (size_t i = 0; i < PL_COUNT_OF(first); i++) {
        if (pl_pdf_name_is(kind, first[i]))
            return true;
    }
    for (size_t i = 0; part > 1 && i < PL_COUNT_OF(second); i++) {
        if (pl_pdf_name_is(kind, second[i]))
            return true;
    }
    return part == 0;
}

static pl_status annotation_stays(struct pl_pdf_import *import, const struct pl_pdf_value *value,
                                  bool *out)
{
    const struct pl_pdf_value *annotation = NULL;
    *out = false;
    pl_status status = pl_pdf_resolve(import->source->file, value, &annotation, import->fault);
    if (status != PL_OK || annotation->kind != PL_PDF_DICT)
        return status;
    const struct pl_pdf_value *kind = NULL;
    status = pl_pdf_lookup(import->source->file, annotation, "Subtype", &kind, import->fault);
    if (status != PL_OK)
        return status;
    if (pl_pdf_name_is(kind, "Link"))
        return link_leads_somewhere(import, annotation, out);
    *out = kind->kind != PL_PDF_NULL && kind_is_allowed(kind, import->part);
    return PL_OK;
}

pl_status pl_import_annotations(struct pl_pdf_import *import, const struct pl_pdf_value *page)
{
    const struct pl_pdf_value *list = NULL;
    pl_status status = pl_pdf_lookup(import->source->file, page, "Annots", &list, import->fault);
    if (status != PL_OK || list->kind != PL_PDF_ARRAY || list->as.array.count == 0)
        return status;
    if (list->as.array.count > ANNOTATIONS_MOST) {
        return pl_fault_set(import->fault, PL_TOO_LARGE,
                            "there are %zu annotations, the limit is %d", list->as.array.count,
                            ANNOTATIONS_MOST);
    }
    pl_pdf_format(import->writer, "/Annots[");
    for (size_t i = 0; i < list->as.array.count && status == PL_OK; i++) {
        bool stays = false;
        status = annotation_stays(import, list->as.array.items[i], &stays);
        if (status == PL_OK && stays)
            status = pl_import_value(import, list->as.array.items[i]);
    }
    pl_pdf_format(import->writer, "]");
    return status;
}
