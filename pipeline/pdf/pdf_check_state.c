/* pdf_check_state: graphics state dictionaries, halftones, transparency groups.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"

#include <math.h>

#define OPAQUE_SLACK 0.000001

static const char *const blend_modes[] = {
    "Normal",    "Compatible", "Multiply",   "Screen",    "Overlay",    "Darken",
    "Lighten",   "ColorDodge", "ColorBurn",  "HardLight", "SoftLight",  "Difference",
    "Exclusion", "Hue",        "Saturation", "Color",     "Luminosity",
};

/* --- groups ----------------------------------------------------------------------------------- */

pl_status pl_check_group(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                         const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *group = NULL;
    const struct pl_pdf_value *kind = NULL;
    pl_status status = pl_check_lookup(c, dict, "Group", &group);
    if (status != PL_OK || group->kind != PL_PDF_DICT)
        return status;
    status = pl_check_lookup(c, group, "S", &kind);
    if (status != PL_OK || !pl_pdf_name_is(kind, "Transparency"))
        return status;
    pl_check_breach(c, "6.4", NULL, "there is a transparency group");
    c->transparent = c->transparent || dict->kind == PL_PDF_STREAM;
    return pl_check_space(c, pl_pdf_dict_peek(group, "CS"), resources);
}

/* --- halftones -------------------------------------------------------------------------------- */

static pl_status halftone_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value)
{
    struct pl_check_place place;
    bool enter = false;
    int64_t type = 0;
    pl_status status = pl_check_enter(c, value, PL_CHECK_OTHER, &place, &enter);
    if (!enter)
        return status;
    if (place.value->kind == PL_PDF_DICT || place.value->kind == PL_PDF_STREAM) {
        status = pl_check_integer(c, place.value, "HalftoneType", 0, &type);
        if (type != 1 && type != 5)
            pl_check_breach(c, NULL, "6.2.5", "a halftone is of type %lld", (long long)type);
        if (pl_check_has(place.value, "HalftoneName"))
            pl_check_breach(c, NULL, "6.2.5", "a halftone has /HalftoneName");
        if (type == 1 && pl_check_has(place.value, "TransferFunction"))
            pl_check_breach(c, NULL, "6.2.5", "a halftone has /TransferFunction");
    }
    pl_check_leave(c, &place);
    return status;
}

/* --- transparency ----------------------------------------------------------------------------- */

static pl_status blend_check(struct pl_pdf_checking *c, const struct pl_pdf_value *state)
{
    const struct pl_pdf_value *mode = NULL;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = pl_check_lookup(c, state, "BM", &mode);
    if (status == PL_OK && mode->kind == PL_PDF_ARRAY && mode->as.array.count > 0)
        status = pl_check_resolve(c, mode->as.array.items[0], &mode);
    if (status != PL_OK || mode->kind != PL_PDF_NAME)
        return status;
    bool plain = pl_check_is_one_of(mode, blend_modes, 2);
    c->transparent = c->transparent || !plain;
    if (!plain)
        pl_check_breach(c, "6.4", NULL, "the blend mode is %s", pl_check_show(mode, shown));
    if (!pl_check_is_one_of(mode, blend_modes, PL_COUNT_OF(blend_modes)))
        pl_check_breach(c, NULL, "6.2.10", "the blend mode %s is unknown",
                        pl_check_show(mode, shown));
    return PL_OK;
}

static pl_status alpha_check(struct pl_pdf_checking *c, const struct pl_pdf_value *state,
                             const char *key)
{
    const struct pl_pdf_value *value = NULL;
    pl_status status = pl_check_lookup(c, state, key, &value);
    double alpha = 1;
    if (status == PL_OK && value->kind == PL_PDF_INT)
        alpha = (double)value->as.integer;
    else if (status == PL_OK && value->kind == PL_PDF_REAL)
        alpha = value->as.real;
    if (fabs(alpha - 1) < OPAQUE_SLACK)
        return status;
    c->transparent = true;
    pl_check_breach(c, "6.4", NULL, "/%s is %g", key, alpha);
    return status;
}

static pl_status mask_check(struct pl_pdf_checking *c, const struct pl_pdf_value *state,
                            const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *mask = NULL;
    pl_status status = pl_check_lookup(c, state, "SMask", &mask);
    if (status != PL_OK || mask->kind == PL_PDF_NULL || pl_pdf_name_is(mask, "None"))
        return status;
    c->transparent = true;
    pl_check_breach(c, "6.4", NULL, "a graphics state has a soft mask (/SMask)");
    return pl_check_form(c, pl_pdf_dict_peek(mask, "G"), resources);
}

static pl_status overprint_check(struct pl_pdf_checking *c, const struct pl_pdf_value *state)
{
    const struct pl_pdf_value *stroke = NULL;
    const struct pl_pdf_value *fill = NULL;
    int64_t mode = 0;
    pl_status status = pl_check_integer(c, state, "OPM", 0, &mode);
    if (status == PL_OK)
        status = pl_check_lookup(c, state, "OP", &stroke);
    if (status == PL_OK)
        status = pl_check_lookup(c, state, "op", &fill);
    if (status == PL_OK && mode == 1 &&
        ((stroke->kind == PL_PDF_BOOL && stroke->as.boolean) ||
         (fill->kind == PL_PDF_BOOL && fill->as.boolean)))
        c->overprints = true;
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static pl_status state_check(struct pl_pdf_checking *c, const struct pl_pdf_value *state,
                             const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *transfer = NULL;
    const struct pl_pdf_value *intent = NULL;
    const struct pl_pdf_value *font = NULL;
    pl_status status = pl_check_lookup(c, state, "TR2", &transfer);
    if (status == PL_OK)
        status = pl_check_lookup(c, state, "RI", &intent);
    if (status == PL_OK)
        status = pl_check_lookup(c, state, "Font", &font);
    if (status != PL_OK)
        return status;
    if (pl_check_has(state, "TR"))
        pl_check_breach(c, "6.2.8", "6.2.5", "a graphics state has a transfer function (/TR)");
    if (transfer->kind != PL_PDF_NULL && !pl_pdf_name_is(transfer, "Default"))
        pl_check_breach(c, "6.2.8", "6.2.5", "a graphics state has a transfer function (/TR2)");
    if (pl_check_has(state, "HTP"))
        pl_check_breach(c, NULL, "6.2.5", "a graphics state has /HTP");
    pl_check_intent_name(c, intent);
    status = blend_check(c, state);
    if (status == PL_OK)
        status = alpha_check(c, state, "CA");
    if (status == PL_OK)
        status = alpha_check(c, state, "ca");
    if (status == PL_OK)
        status = mask_check(c, state, resources);
    if (status == PL_OK)
        status = overprint_check(c, state);
    if (status == PL_OK)
        status = halftone_check(c, pl_pdf_dict_peek(state, "HT"));
    if (status == PL_OK && font->kind == PL_PDF_ARRAY && font->as.array.count > 0)
        status = pl_check_font(c, font->as.array.items[0], false, resources);
    return status;
}

pl_status pl_check_state(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                         const struct pl_pdf_value *resources)
{
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, value, PL_CHECK_ALWAYS, &place, &enter);
    if (!enter)
        return status;
    if (place.value->kind == PL_PDF_DICT)
        status = state_check(c, place.value, resources);
    pl_check_leave(c, &place);
    return status;
}
