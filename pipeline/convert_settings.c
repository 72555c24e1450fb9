/* convert_settings: the names of formats, and which settings exclude each other.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/convert_settings.h"

#include <string.h>

#define CONVERT_ALL_PERMITTED ((unsigned)(PL_PERMIT_ASSEMBLE << 1) - 1)

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
    *convert = (struct pl_convert){ .to = to, .permissions = CONVERT_ALL_PERMITTED };
}

/* What of the settings only a PDF can hold; NULL: none of it is asked for. */
static const char *convert_pdf_setting(const struct pl_convert *convert)
{
    const struct {
        bool is_set;
        const char *name;
    } settings[] = {
        { convert->user_password[0] != '\0', "user_password" },
        { convert->owner_password[0] != '\0', "owner_password" },
        { convert->permissions != CONVERT_ALL_PERMITTED, "permissions" },
        { convert->linearize, "linearize" },
        { convert->title[0] != '\0', "title" },
        { convert->author[0] != '\0', "author" },
        { convert->subject[0] != '\0', "subject" },
        { convert->keywords[0] != '\0', "keywords" },
        { convert->xmp.size > 0, "xmp" },
        { convert->label_count > 0, "labels" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(settings); i++)
        if (settings[i].is_set)
            return settings[i].name;
    return NULL;
}

static pl_status check_protection(const struct pl_convert *convert, struct pl_fault *fault)
{
    bool owner = convert->owner_password[0] != '\0';
    bool encrypts = convert->user_password[0] != '\0' || owner;
    bool restricts = convert->permissions != CONVERT_ALL_PERMITTED;
    if (encrypts && pl_format_pdfa_part(convert->to) != 0)
        return pl_fault_set(
            fault, PL_MISCONFIGURED, "%s and %s exclude each other: PDF/A is never encrypted",
            pl_format_name(convert->to), owner ? "owner_password" : "user_password");
    if (restricts && pl_format_pdfa_part(convert->to) != 0)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s and permissions exclude each other: PDF/A is never encrypted, and "
                            "only encryption restricts",
                            pl_format_name(convert->to));
    if (restricts && !owner)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "permissions need an owner_password: without one whoever opens the "
                            "document may do everything");
    if (restricts && strcmp(convert->owner_password, convert->user_password) == 0)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "permissions need an owner_password other than user_password: who "
                            "knows the owner's may do everything");
    return PL_OK;
}

static pl_status check_colour(const struct pl_convert *convert, struct pl_fault *fault)
{
    bool is_jpeg = convert->to == PL_FORMAT_JPEG || convert->to == PL_FORMAT_THUMBNAIL;
    if (convert->to == PL_FORMAT_TIFF_G4 &&
        (convert->colour == PL_COLOUR_MODE_GREY || convert->colour == PL_COLOUR_MODE_AUTO))
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "tiff-g4 and colour %s exclude each other: Group 4 holds black and "
                            "white only; tiff can hold the rest",
                            convert->colour == PL_COLOUR_MODE_GREY ? "grey" : "auto");
    if (is_jpeg && convert->colour == PL_COLOUR_MODE_BILEVEL)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s and colour bilevel exclude each other: JPEG has no black and "
                            "white; png and tiff-g4 have",
                            pl_format_name(convert->to));
    if (convert->to == PL_FORMAT_TIFF && convert->tiff == PL_TIFF_JPEG &&
        convert->colour == PL_COLOUR_MODE_BILEVEL)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "compression jpeg and colour bilevel exclude each other: JPEG has no "
                            "black and white; compression lzw and deflate have");
    return PL_OK;
}

static pl_status check_encoding(const struct pl_convert *convert, struct pl_fault *fault)
{
    const char *to = pl_format_name(convert->to);
    if (convert->quality > 0 && (convert->to == PL_FORMAT_TIFF_G4 || convert->to == PL_FORMAT_PNG))
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s and quality exclude each other: it never encodes with loss", to);
    if (convert->quality > 0 && convert->to == PL_FORMAT_TIFF && convert->tiff != PL_TIFF_JPEG)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "quality and compression %s exclude each other: only compression jpeg "
                            "encodes with loss",
                            convert->tiff == PL_TIFF_LZW ? "lzw" : "deflate");
    if (convert->quality > 0 && convert->colour == PL_COLOUR_MODE_BILEVEL)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "quality and colour bilevel exclude each other: black and white is "
                            "encoded without loss");
    if (convert->tiff != PL_TIFF_LZW && convert->to != PL_FORMAT_TIFF)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "compression is chosen for tiff only; %s has its own", to);
    if (convert->thumbnail_px > 0 && convert->to != PL_FORMAT_THUMBNAIL)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "size is that of a thumbnail; %s takes a resolution", to);
    if (convert->dpi > 0 && convert->to == PL_FORMAT_THUMBNAIL)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "thumbnail and resolution exclude each other: its size is given in "
                            "pixels (size)");
    return PL_OK;
}

pl_status pl_convert_check(const struct pl_convert *convert, struct pl_fault *fault)
{
    const char *setting = convert_pdf_setting(convert);
    if (setting != NULL && !pl_format_is_pdf(convert->to))
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s cannot have %s; pdf can",
                            pl_format_name(convert->to), setting);
    pl_status status = check_protection(convert, fault);
    if (status == PL_OK)
        status = check_colour(convert, fault);
    if (status == PL_OK)
        status = check_encoding(convert, fault);
    return status;
}
