/* pdf_check_codes: text that shows codes to which the encoding of its font gives no glyph.
 *
 * Told is what needs no font program: control codes in a Type 1 font with an encoding of Latin text
 * and no differences there. An interpreter leaves such text behind where it replaces a font of two
 * bytes a character by one that it has.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"

#define CONTROL_CODES 32

static bool text_has_controls(const struct pl_pdf_value *text)
{
    if (text->kind != PL_PDF_STRING)
        return false;
    for (size_t i = 0; i < text->as.text.size; i++) {
        if ((uint8_t)text->as.text.data[i] < CONTROL_CODES)
            return true;
    }
    return false;
}

bool pl_check_shows_controls(const struct pl_pdf_op *op)
{
    const struct pl_pdf_value *last = op->count > 0 ? op->operands[op->count - 1] : NULL;
    if (last == NULL || last->kind != PL_PDF_ARRAY)
        return last != NULL && text_has_controls(last);
    for (size_t i = 0; i < last->as.array.count; i++) {
        if (text_has_controls(last->as.array.items[i]))
            return true;
    }
    return false;
}

static bool encoding_is_latin(const struct pl_pdf_value *name)
{
    static const char *const latin[] = { "WinAnsiEncoding", "MacRomanEncoding",
                                         "StandardEncoding" };
    return pl_check_is_one_of(name, latin, PL_COUNT_OF(latin));
}

/* Whether differences name a glyph for one of the codes; they ascend as a rule, not by one. */
static bool differences_have_controls(const struct pl_pdf_value *list)
{
    for (size_t i = 0; list->kind == PL_PDF_ARRAY && i < list->as.array.count; i++) {
        const struct pl_pdf_value *item = list->as.array.items[i];
        if (item->kind == PL_PDF_REF ||
            (item->kind == PL_PDF_INT && item->as.integer >= 0 && item->as.integer < CONTROL_CODES))
            return true;
    }
    return false;
}

static pl_status encoding_check(struct pl_pdf_checking *c, const struct pl_pdf_value *encoding)
{
    const struct pl_pdf_value *base = encoding;
    const struct pl_pdf_value *differences = NULL;
    pl_status status = PL_OK;
    if (encoding->kind == PL_PDF_DICT) {
        status = pl_check_lookup(c, encoding, "BaseEncoding", &base);
        if (status == PL_OK)
            status = pl_check_lookup(c, encoding, "Differences", &differences);
        if (status != PL_OK || differences_have_controls(differences))
            return status;
    }
    if (encoding_is_latin(base))
        pl_check_breach(c, "6.3.5", "6.2.11.8", "text shows codes that its font has no glyph for");
    return PL_OK;
}

pl_status pl_check_codes(struct pl_pdf_checking *c, const struct pl_pdf_value *value)
{
    const struct pl_pdf_value *font = NULL;
    const struct pl_pdf_value *subtype = NULL;
    const struct pl_pdf_value *encoding = NULL;
    pl_status status = pl_check_resolve(c, value, &font);
    if (status != PL_OK || font->kind != PL_PDF_DICT)
        return status;
    status = pl_check_lookup(c, font, "Subtype", &subtype);
    if (status == PL_OK)
        status = pl_check_lookup(c, font, "Encoding", &encoding);
    return status == PL_OK && pl_pdf_name_is(subtype, "Type1") ? encoding_check(c, encoding)
                                                               : status;
}
