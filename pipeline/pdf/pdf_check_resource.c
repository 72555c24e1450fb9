/* pdf_check_resource: the named resources that a content stream uses; XObjects and patterns.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"

#include <string.h>

static const char *const use_categories[PL_USE_KINDS] = {
    [PL_USE_XOBJECT] = "XObject", [PL_USE_STATE] = "ExtGState",  [PL_USE_SPACE] = "ColorSpace",
    [PL_USE_FONT] = "Font",       [PL_USE_HIDDEN_FONT] = "Font", [PL_USE_PATTERN] = "Pattern",
    [PL_USE_SHADING] = "Shading", [PL_USE_CONTROLS] = "Font",
};

void pl_check_intent_name(struct pl_pdf_checking *c, const struct pl_pdf_value *name)
{
    static const char *const fine[] = { "RelativeColorimetric", "AbsoluteColorimetric",
                                        "Perceptual", "Saturation" };
    char shown[PL_CHECK_NAME_CHARS];
    if (name != NULL && name->kind == PL_PDF_NAME &&
        !pl_check_is_one_of(name, fine, PL_COUNT_OF(fine)))
        pl_check_breach(c, "6.2.9", "6.2.6", "the rendering intent %s is unknown",
                        pl_check_show(name, shown));
}

/* --- content that is drawn by other content --------------------------------------------------- */

pl_status pl_check_stream(struct pl_pdf_checking *c, const struct pl_pdf_value *stream,
                          const struct pl_pdf_value *resources)
{
    struct pl_check_uses uses;
    struct pl_bytes data = { 0 };
    pl_check_uses_init(&uses);
    pl_bytes_init(&data, PL_CHECK_DECODED);
    pl_status status = pl_check_decode(c, stream, &data);
    if (status == PL_OK)
        status = pl_check_content(c, &data, false, &uses);
    pl_bytes_fini(&data);
    if (status == PL_OK)
        status = pl_check_uses(c, &uses, resources);
    pl_check_uses_fini(&uses);
    return status;
}

static pl_status form_check(struct pl_pdf_checking *c, const struct pl_pdf_value *form,
                            const struct pl_pdf_value *outer)
{
    const struct pl_pdf_value *resources = NULL;
    const struct pl_pdf_value *second = NULL;
    pl_status status = pl_check_lookup(c, form, "Resources", &resources);
    if (status == PL_OK)
        status = pl_check_lookup(c, form, "Subtype2", &second);
    if (status != PL_OK)
        return status;
    if (pl_check_has(form, "OPI"))
        pl_check_breach(c, "6.2.4", "6.2.9", "the form has /OPI");
    if (pl_check_has(form, "PS") || pl_pdf_name_is(second, "PS"))
        pl_check_breach(c, "6.2.5", "6.2.9", "the form holds PostScript (/PS or /Subtype2)");
    if (pl_check_has(form, "Ref"))
        pl_check_breach(c, "6.2.6", "6.2.9", "the form refers to another document (/Ref)");
    if (pl_check_has(form, "SMask"))
        pl_check_breach(c, "6.4", NULL, "the form has /SMask");
    status = pl_check_group(c, form, resources);
    bool own = resources->kind == PL_PDF_DICT;
    return status == PL_OK ? pl_check_stream(c, form, own ? resources : outer) : status;
}

pl_status pl_check_form(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                        const struct pl_pdf_value *outer)
{
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, value, PL_CHECK_XOBJECT, &place, &enter);
    if (!enter)
        return status;
    if (place.value->kind == PL_PDF_STREAM)
        status = form_check(c, place.value, outer);
    pl_check_leave(c, &place);
    return status;
}

static pl_status xobject_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                               const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *subtype = NULL;
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, value, PL_CHECK_XOBJECT, &place, &enter);
    if (!enter)
        return status;
    status = pl_check_lookup(c, place.value, "Subtype", &subtype);
    if (status == PL_OK && pl_pdf_name_is(subtype, "Image"))
        status = pl_check_image(c, place.value, resources);
    else if (status == PL_OK && pl_pdf_name_is(subtype, "Form"))
        status = form_check(c, place.value, resources);
    else if (status == PL_OK && pl_pdf_name_is(subtype, "PS"))
        pl_check_breach(c, "6.2.7", "6.2.9", "there is a PostScript XObject");
    pl_check_leave(c, &place);
    return status;
}

static pl_status shading_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                               const struct pl_pdf_value *resources)
{
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, value, PL_CHECK_OTHER, &place, &enter);
    if (!enter)
        return status;
    status = pl_check_space(c, pl_pdf_dict_peek(place.value, "ColorSpace"), resources);
    pl_check_leave(c, &place);
    return status;
}

static pl_status pattern_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                               const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *own = NULL;
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, value, PL_CHECK_PATTERN, &place, &enter);
    if (!enter)
        return status;
    status = pl_check_lookup(c, place.value, "Resources", &own);
    if (status == PL_OK && place.value->kind == PL_PDF_STREAM)
        status = pl_check_stream(c, place.value, own->kind == PL_PDF_DICT ? own : resources);
    if (status == PL_OK)
        status = shading_check(c, pl_pdf_dict_peek(place.value, "Shading"), resources);
    if (status == PL_OK)
        status = pl_check_state(c, pl_pdf_dict_peek(place.value, "ExtGState"), resources);
    pl_check_leave(c, &place);
    return status;
}

/* --- uses ------------------------------------------------------------------------------------- */

static pl_status use_check(struct pl_pdf_checking *c, enum pl_check_use_kind kind,
                           const struct pl_pdf_value *value, const struct pl_pdf_value *resources)
{
    switch (kind) {
    case PL_USE_XOBJECT:
        return xobject_check(c, value, resources);
    case PL_USE_STATE:
        return pl_check_state(c, value, resources);
    case PL_USE_SPACE:
        return pl_check_space(c, value, resources);
    case PL_USE_FONT:
        return pl_check_font(c, value, false, resources);
    case PL_USE_HIDDEN_FONT:
        return pl_check_font(c, value, true, resources);
    case PL_USE_CONTROLS:
        return pl_check_codes(c, value);
    case PL_USE_PATTERN:
        return pattern_check(c, value, resources);
    case PL_USE_SHADING:
        return shading_check(c, value, resources);
    case PL_USE_KINDS:
        break;
    }
    return PL_OK;
}

/* The entry of a resource, which may be a reference; NULL: there is none. */
static pl_status use_find(struct pl_pdf_checking *c, const struct pl_pdf_value *resources,
                          const char *category, struct pl_span name,
                          const struct pl_pdf_value **out)
{
    const struct pl_pdf_value *dict = NULL;
    *out = NULL;
    pl_status status = pl_check_lookup(c, resources, category, &dict);
    if (status != PL_OK || dict->kind != PL_PDF_DICT)
        return status;
    for (size_t i = 0; i < dict->as.dict.count; i++) {
        struct pl_span key = dict->as.dict.entries[i].key;
        if (key.size == name.size && memcmp(key.data, name.data, key.size) == 0)
            *out = dict->as.dict.entries[i].value;
    }
    return pl_check_step(c, 1 + dict->as.dict.count / 16);
}

pl_status pl_check_uses(struct pl_pdf_checking *c, const struct pl_check_uses *uses,
                        const struct pl_pdf_value *resources)
{
    pl_status status = PL_OK;
    if (uses->grey)
        status = pl_check_device(c, 'G', resources);
    if (status == PL_OK && uses->rgb)
        status = pl_check_device(c, 'R', resources);
    if (status == PL_OK && uses->cmyk)
        status = pl_check_device(c, 'C', resources);
    for (size_t i = 0; i < uses->count && status == PL_OK; i++) {
        const struct pl_check_use *use = &uses->items[i];
        struct pl_span name = { (const char *)uses->text.data + use->at, use->size };
        const struct pl_pdf_value *value = NULL;
        status = use_find(c, resources, use_categories[use->kind], name, &value);
        if (status == PL_OK && value != NULL)
            status = use_check(c, use->kind, value, resources);
    }
    return status;
}
