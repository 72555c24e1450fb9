/* convert_settings: the names of formats, and which settings exclude each other.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/convert_settings.h"

#include <string.h>

static const struct {
    const char *name;
    const char *type;
    const char *extension;
    bool is_by_page;
} format_rows[PL_FORMAT_COUNT] = {
#define ROW(row, name, type, extension, a_page) { name, type, extension, a_page },
    PL_FORMAT_TABLE(ROW)
#undef ROW
};

const char *pl_format_name(enum pl_format format)
{
    PL_CHECK(format < PL_FORMAT_COUNT);
    return format_rows[format].name;
}

const char *pl_format_type(enum pl_format format)
{
    PL_CHECK(format < PL_FORMAT_COUNT);
    return format_rows[format].type;
}

const char *pl_format_extension(enum pl_format format)
{
    PL_CHECK(format < PL_FORMAT_COUNT);
    return format_rows[format].extension;
}

bool pl_format_is_by_page(enum pl_format format)
{
    PL_CHECK(format < PL_FORMAT_COUNT);
    return format_rows[format].is_by_page;
}

unsigned pl_format_pdfa_part(enum pl_format format)
{
    return format == PL_FORMAT_PDFA_1B   ? 1
           : format == PL_FORMAT_PDFA_2B ? 2
           : format == PL_FORMAT_PDFA_3B ? 3
                                         : 0;
}

bool pl_format_is_pdf(enum pl_format format)
{
    return format == PL_FORMAT_PDF || pl_format_pdfa_part(format) != 0;
}

bool pl_format_parse(const char *name, enum pl_format *out)
{
    for (size_t i = 0; i < PL_FORMAT_COUNT; i++) {
        if (strcmp(format_rows[i].name, name) == 0) {
            *out = (enum pl_format)i;
            return true;
        }
    }
    return false;
}

const char *pl_format_list(void)
{
    /* Every name but the first follows ", "; the first follows an empty string. */
#define ROW(row, name, type, extension, a_page) ", " name
    static const char list[] = PL_FORMAT_TABLE(ROW);
#undef ROW
    return list + 2;
}

void pl_convert_defaults(struct pl_convert *convert, enum pl_format to)
{
    *convert = (struct pl_convert){ .to = to, .permissions = (PL_PERMIT_ASSEMBLE << 1) - 1 };
}

pl_status pl_convert_check(const struct pl_convert *convert, struct pl_fault *fault)
{
    bool encrypts = convert->user_password[0] != '\0' || convert->owner_password[0] != '\0';
    if (encrypts && pl_format_pdfa_part(convert->to) != 0)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s and a password exclude each other: PDF/A is never encrypted",
                            pl_format_name(convert->to));
    if (encrypts && !pl_format_is_pdf(convert->to))
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s cannot have a password; pdf can",
                            pl_format_name(convert->to));
    return PL_OK;
}
