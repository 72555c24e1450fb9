/* pdf_check_action: annotations, actions, forms, optional content: what hangs on pages and catalog
 * besides what is drawn.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"

#include <string.h>

#define ANNOTATIONS_MOST 100000
#define FIELDS_MOST 100000
#define ITEMS_MOST 100000

/* --- actions ---------------------------------------------------------------------------------- */

static pl_status named_action(struct pl_pdf_checking *c, const struct pl_pdf_value *action)
{
    static const char *const fine[] = { "NextPage", "PrevPage", "FirstPage", "LastPage" };
    const struct pl_pdf_value *name = NULL;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = pl_check_lookup(c, action, "N", &name);
    if (status == PL_OK && !pl_check_is_one_of(name, fine, PL_COUNT_OF(fine)))
        pl_check_breach(c, "6.6.1", "6.5.1", "the named action %s is not allowed",
                        pl_check_show(name, shown));
    return status;
}

static pl_status action_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value)
{
    static const char *const fine[] = { "GoTo",  "GoToR",      "Thread", "URI",
                                        "Named", "SubmitForm", "GoToE" };
    const struct pl_pdf_value *kind = NULL;
    const struct pl_pdf_value *next = NULL;
    struct pl_check_place place;
    bool enter = false;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = pl_check_enter(c, value, PL_CHECK_ACTION, &place, &enter);
    if (!enter)
        return status;
    if (place.value->kind != PL_PDF_DICT)
        goto done;
    status = pl_check_lookup(c, place.value, "S", &kind);
    if (status == PL_OK &&
        !pl_check_is_one_of(kind, fine, PL_COUNT_OF(fine) - (c->part == 1 ? 1 : 0)))
        pl_check_breach(c, "6.6.1", "6.5.1", "the action %s is not allowed",
                        pl_check_show(kind, shown));
    if (status == PL_OK && pl_pdf_name_is(kind, "Named"))
        status = named_action(c, place.value);
    if (status == PL_OK)
        status = pl_check_lookup(c, place.value, "Next", &next);
    if (status == PL_OK && next->kind == PL_PDF_DICT)
        status = action_check(c, pl_pdf_dict_peek(place.value, "Next"));
    for (size_t i = 0; status == PL_OK && next->kind == PL_PDF_ARRAY && i < next->as.array.count;
         i++)
        status = action_check(c, next->as.array.items[i]);
done:
    pl_check_leave(c, &place);
    return status;
}

/* --- appearances ------------------------------------------------------------------------------ */

static pl_status appearance_forms(struct pl_pdf_checking *c, const struct pl_pdf_value *normal,
                                  const struct pl_pdf_value *direct)
{
    pl_status status = PL_OK;
    if (normal->kind == PL_PDF_STREAM)
        return pl_check_form(c, direct, NULL);
    for (size_t i = 0; normal->kind == PL_PDF_DICT && i < normal->as.dict.count && status == PL_OK;
         i++)
        status = pl_check_form(c, normal->as.dict.entries[i].value, NULL);
    return status;
}

static pl_status appearance_check(struct pl_pdf_checking *c, const struct pl_pdf_value *annotation,
                                  const struct pl_pdf_value *subtype)
{
    const struct pl_pdf_value *look = NULL;
    const struct pl_pdf_value *normal = NULL;
    const struct pl_pdf_value *field = NULL;
    const struct pl_pdf_value *parent = NULL;
    pl_status status = pl_check_lookup(c, annotation, "AP", &look);
    if (status != PL_OK || look->kind != PL_PDF_DICT)
        return status;
    if (look->as.dict.count != 1 || !pl_check_has(look, "N"))
        pl_check_breach(c, "6.5.3", "6.3.3", "an appearance has other entries than /N");
    status = pl_check_lookup(c, look, "N", &normal);
    if (status == PL_OK)
        status = pl_check_lookup(c, annotation, "Parent", &parent);
    if (status == PL_OK)
        status =
            pl_check_lookup(c, pl_check_has(annotation, "FT") ? annotation : parent, "FT", &field);
    if (status != PL_OK)
        return status;
    bool button = pl_pdf_name_is(subtype, "Widget") && pl_pdf_name_is(field, "Btn");
    if (pl_check_has(look, "N") && normal->kind != (button ? PL_PDF_DICT : PL_PDF_STREAM))
        pl_check_breach(c, "6.5.3", "6.3.3", "/N of an appearance is %s",
                        button ? "no dictionary of states" : "no stream");
    return appearance_forms(c, normal, pl_pdf_dict_peek(look, "N"));
}

/* --- annotations ------------------------------------------------------------------------------ */

static const char *const annotations_1[] = {
    "Text",     "Link",      "FreeText", "Line", "Square", "Circle", "Highlight",   "Underline",
    "Squiggly", "StrikeOut", "Stamp",    "Ink",  "Popup",  "Widget", "PrinterMark", "TrapNet",
};
static const char *const annotations_2[] = { "Polygon",        "PolyLine",  "Caret",
                                             "FileAttachment", "Watermark", "Redact" };

static bool annotation_is_known(const struct pl_pdf_checking *c, const struct pl_pdf_value *subtype)
{
    return pl_check_is_one_of(subtype, annotations_1, PL_COUNT_OF(annotations_1)) ||
           (c->part != 1 && pl_check_is_one_of(subtype, annotations_2, PL_COUNT_OF(annotations_2)));
}

/* Printed, and neither hidden nor invisible. */
static pl_status annotation_flags(struct pl_pdf_checking *c, const struct pl_pdf_value *annotation,
                                  const struct pl_pdf_value *subtype)
{
    int64_t flags = 0;
    int64_t against = c->part == 1 ? 1 | 2 | 32 : 1 | 2 | 32 | 256;
    pl_status status = pl_check_integer(c, annotation, "F", 0, &flags);
    if (status != PL_OK)
        return status;
    if (!pl_check_has(annotation, "F")) {
        if (c->part == 1 || !pl_pdf_name_is(subtype, "Popup"))
            pl_check_breach(c, "6.5.3", "6.3.2", "an annotation has no /F");
    } else if ((flags & 4) == 0 || (flags & against) != 0) {
        pl_check_breach(c, "6.5.3", "6.3.2", "an annotation is hidden or not printed (/F %lld)",
                        (long long)flags);
    }
    return PL_OK;
}

static pl_status annotation_is_empty(struct pl_pdf_checking *c,
                                     const struct pl_pdf_value *annotation, bool *out)
{
    const struct pl_pdf_value *box = NULL;
    double side[4] = { 0 };
    pl_status status = pl_check_lookup(c, annotation, "Rect", &box);
    *out = false;
    if (status != PL_OK || box->kind != PL_PDF_ARRAY || box->as.array.count != 4)
        return status;
    for (size_t i = 0; i < 4 && status == PL_OK; i++) {
        const struct pl_pdf_value *item = NULL;
        status = pl_check_resolve(c, box->as.array.items[i], &item);
        if (status == PL_OK)
            side[i] = item->kind == PL_PDF_INT    ? (double)item->as.integer
                      : item->kind == PL_PDF_REAL ? item->as.real
                                                  : 0;
    }
    *out = !(side[2] > side[0] || side[2] < side[0]) && !(side[3] > side[1] || side[3] < side[1]);
    return status;
}

static pl_status annotation_colours(struct pl_pdf_checking *c,
                                    const struct pl_pdf_value *annotation)
{
    const struct pl_pdf_value *alpha = NULL;
    pl_status status = pl_check_lookup(c, annotation, "CA", &alpha);
    if (status != PL_OK)
        return status;
    bool opaque = alpha->kind == PL_PDF_NULL ||
                  (alpha->kind == PL_PDF_INT && alpha->as.integer == 1) ||
                  (alpha->kind == PL_PDF_REAL && alpha->as.real > 0.999999);
    if (!opaque)
        pl_check_breach(c, "6.5.3", NULL, "an annotation is not opaque (/CA)");
    if ((pl_check_has(annotation, "C") || pl_check_has(annotation, "IC")) && c->intent != 'R')
        pl_check_breach(c, "6.5.3", NULL,
                        "an annotation has a colour, which needs an output intent of RGB");
    return PL_OK;
}

static pl_status annotation_check(struct pl_pdf_checking *c, const struct pl_pdf_value *annotation)
{
    const struct pl_pdf_value *subtype = NULL;
    bool empty = false;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = pl_check_lookup(c, annotation, "Subtype", &subtype);
    if (status == PL_OK && !annotation_is_known(c, subtype))
        pl_check_breach(c, "6.5.2", "6.3.1", "annotations of the kind %s are not allowed",
                        pl_check_show(subtype, shown));
    if (status == PL_OK)
        status = annotation_flags(c, annotation, subtype);
    if (status == PL_OK)
        status = annotation_is_empty(c, annotation, &empty);
    if (status == PL_OK)
        status = annotation_colours(c, annotation);
    if (status != PL_OK)
        return status;
    bool widget = pl_pdf_name_is(subtype, "Widget");
    bool bare = pl_pdf_name_is(subtype, "Popup") || pl_pdf_name_is(subtype, "Link");
    if (!pl_check_has(annotation, "AP") && !bare && !empty)
        pl_check_breach(c, widget ? "6.9" : NULL, "6.3.3", "an annotation has no appearance");
    if (widget && (pl_check_has(annotation, "A") || pl_check_has(annotation, "AA")))
        pl_check_breach(c, "6.6.1", "6.4.1", "a form field has actions");
    status = appearance_check(c, annotation, subtype);
    return status == PL_OK ? action_check(c, pl_pdf_dict_peek(annotation, "A")) : status;
}

pl_status pl_check_annotations(struct pl_pdf_checking *c, const struct pl_pdf_value *page)
{
    const struct pl_pdf_value *list = NULL;
    pl_status status = pl_check_lookup(c, page, "Annots", &list);
    if (status != PL_OK || list->kind != PL_PDF_ARRAY)
        return status;
    for (size_t i = 0; i < list->as.array.count && i < ANNOTATIONS_MOST && status == PL_OK; i++) {
        struct pl_check_place place;
        bool enter = false;
        status = pl_check_enter(c, list->as.array.items[i], PL_CHECK_ANNOT, &place, &enter);
        if (!enter)
            continue;
        if (place.value->kind == PL_PDF_DICT)
            status = annotation_check(c, place.value);
        pl_check_leave(c, &place);
    }
    return status;
}

/* --- forms ------------------------------------------------------------------------------------ */

static pl_status field_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value)
{
    const struct pl_pdf_value *kids = NULL;
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, value, PL_CHECK_OTHER, &place, &enter);
    if (!enter)
        return status;
    if (pl_check_has(place.value, "AA"))
        pl_check_breach(c, "6.6.2", "6.4.1", "a form field has actions (/AA)");
    status = pl_check_lookup(c, place.value, "Kids", &kids);
    for (size_t i = 0; status == PL_OK && kids->kind == PL_PDF_ARRAY && i < kids->as.array.count &&
                       i < FIELDS_MOST;
         i++)
        status = field_check(c, kids->as.array.items[i]);
    pl_check_leave(c, &place);
    return status;
}

static pl_status form_check(struct pl_pdf_checking *c, const struct pl_pdf_value *catalog)
{
    const struct pl_pdf_value *form = NULL;
    const struct pl_pdf_value *fields = NULL;
    const struct pl_pdf_value *needs = NULL;
    pl_status status = pl_check_lookup(c, catalog, "AcroForm", &form);
    if (status == PL_OK)
        status = pl_check_lookup(c, form, "NeedAppearances", &needs);
    if (status == PL_OK)
        status = pl_check_lookup(c, form, "Fields", &fields);
    if (status != PL_OK)
        return status;
    if (needs->kind == PL_PDF_BOOL && needs->as.boolean)
        pl_check_breach(c, "6.9", "6.4.1", "/NeedAppearances of the form is true");
    if (pl_check_has(form, "XFA"))
        pl_check_breach(c, NULL, "6.4.2", "the document has an XFA form");
    for (size_t i = 0; status == PL_OK && fields->kind == PL_PDF_ARRAY &&
                       i < fields->as.array.count && i < FIELDS_MOST;
         i++)
        status = field_check(c, fields->as.array.items[i]);
    return status;
}

/* --- the outline ------------------------------------------------------------------------------ */

static pl_status outline_check(struct pl_pdf_checking *c, const struct pl_pdf_value *first)
{
    pl_status status = PL_OK;
    for (unsigned n = 0; first != NULL && n < ITEMS_MOST && status == PL_OK; n++) {
        struct pl_check_place place;
        bool enter = false;
        status = pl_check_enter(c, first, PL_CHECK_OTHER, &place, &enter);
        if (!enter)
            break;
        status = action_check(c, pl_pdf_dict_peek(place.value, "A"));
        if (status == PL_OK)
            status = outline_check(c, pl_pdf_dict_peek(place.value, "First"));
        first = pl_pdf_dict_peek(place.value, "Next");
        pl_check_leave(c, &place);
    }
    return status;
}

/* --- optional content ------------------------------------------------------------------------- */

static pl_status layers_check(struct pl_pdf_checking *c, const struct pl_pdf_value *config,
                              size_t groups)
{
    const struct pl_pdf_value *name = NULL;
    const struct pl_pdf_value *order = NULL;
    pl_status status = pl_check_lookup(c, config, "Name", &name);
    if (status == PL_OK)
        status = pl_check_lookup(c, config, "Order", &order);
    if (status != PL_OK || config->kind != PL_PDF_DICT)
        return status;
    if (name->kind != PL_PDF_STRING || name->as.text.size == 0)
        pl_check_breach(c, NULL, "6.9", "a configuration of optional content has no /Name");
    if (pl_check_has(config, "AS"))
        pl_check_breach(c, NULL, "6.9", "a configuration of optional content has /AS");
    if (order->kind == PL_PDF_ARRAY && order->as.array.count == 0 && groups > 0)
        pl_check_breach(c, NULL, "6.9", "/Order does not name all groups of optional content");
    return PL_OK;
}

static pl_status optional_check(struct pl_pdf_checking *c, const struct pl_pdf_value *catalog)
{
    const struct pl_pdf_value *properties = NULL;
    const struct pl_pdf_value *config = NULL;
    const struct pl_pdf_value *others = NULL;
    const struct pl_pdf_value *groups = NULL;
    pl_status status = pl_check_lookup(c, catalog, "OCProperties", &properties);
    if (status != PL_OK || properties->kind != PL_PDF_DICT)
        return status;
    pl_check_breach(c, "6.1.13", NULL, "the document has optional content");
    status = pl_check_lookup(c, properties, "D", &config);
    if (status == PL_OK)
        status = pl_check_lookup(c, properties, "Configs", &others);
    if (status == PL_OK)
        status = pl_check_lookup(c, properties, "OCGs", &groups);
    size_t count = groups != NULL && groups->kind == PL_PDF_ARRAY ? groups->as.array.count : 0;
    if (status == PL_OK)
        status = layers_check(c, config, count);
    for (size_t i = 0; status == PL_OK && others->kind == PL_PDF_ARRAY &&
                       i < others->as.array.count && i < ITEMS_MOST;
         i++) {
        status = pl_check_resolve(c, others->as.array.items[i], &config);
        if (status == PL_OK)
            status = layers_check(c, config, count);
    }
    return status;
}

/* --- the catalog ------------------------------------------------------------------------------ */

static pl_status permissions_check(struct pl_pdf_checking *c, const struct pl_pdf_value *catalog)
{
    const struct pl_pdf_value *perms = NULL;
    pl_status status = pl_check_lookup(c, catalog, "Perms", &perms);
    for (size_t i = 0; status == PL_OK && perms->kind == PL_PDF_DICT && i < perms->as.dict.count;
         i++) {
        struct pl_span key = perms->as.dict.entries[i].key;
        if (!pl_span_equals(key, "UR3") && !pl_span_equals(key, "DocMDP"))
            pl_check_breach(c, NULL, "6.1.12", "/Perms has other entries than UR3 and DocMDP");
    }
    return status;
}

static pl_status names_check(struct pl_pdf_checking *c, const struct pl_pdf_value *catalog)
{
    const struct pl_pdf_value *names = NULL;
    pl_status status = pl_check_lookup(c, catalog, "Names", &names);
    if (status != PL_OK)
        return status;
    if (pl_check_has(names, "EmbeddedFiles"))
        pl_check_breach(c, "6.1.11", NULL, "the document has embedded files");
    if (pl_check_has(names, "AlternatePresentations"))
        pl_check_breach(c, NULL, "6.10", "the document has alternate presentations");
    if (pl_check_has(names, "JavaScript"))
        pl_check_breach(c, "6.6.1", "6.5.1", "the document has JavaScript");
    return PL_OK;
}

pl_status pl_check_catalog(struct pl_pdf_checking *c)
{
    const struct pl_pdf_value *catalog = pl_pdf_file_catalog(c->file);
    const struct pl_pdf_value *outlines = NULL;
    const struct pl_pdf_value *renders = NULL;
    size_t mark = pl_pdf_file_mark(c->file);
    if (pl_check_has(catalog, "AA"))
        pl_check_breach(c, "6.6.2", "6.5.2", "the document has additional actions (/AA)");
    if (pl_check_has(catalog, "Requirements"))
        pl_check_breach(c, NULL, "6.11", "the document has /Requirements");
    pl_status status = pl_check_lookup(c, catalog, "NeedsRendering", &renders);
    if (status == PL_OK && renders->kind == PL_PDF_BOOL && renders->as.boolean)
        pl_check_breach(c, NULL, "6.4.2", "the document has /NeedsRendering");
    if (status == PL_OK)
        status = action_check(c, pl_pdf_dict_peek(catalog, "OpenAction"));
    if (status == PL_OK)
        status = form_check(c, catalog);
    if (status == PL_OK)
        status = names_check(c, catalog);
    if (status == PL_OK)
        status = permissions_check(c, catalog);
    if (status == PL_OK)
        status = optional_check(c, catalog);
    if (status == PL_OK)
        status = pl_check_lookup(c, catalog, "Outlines", &outlines);
    if (status == PL_OK)
        status = outline_check(c, pl_pdf_dict_peek(outlines, "First"));
    pl_pdf_file_release(c->file, mark);
    return status;
}
