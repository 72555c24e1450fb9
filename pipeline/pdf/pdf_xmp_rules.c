/* pdf_xmp_rules: tables of the schemas that PDF/A defines (ISO 19005-1 6.7, XMP of 2004).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_xmp_rules.h"

#define NS_DC "http://purl.org/dc/elements/1.1/"
#define NS_XMP "http://ns.adobe.com/xap/1.0/"
#define NS_PDF "http://ns.adobe.com/pdf/1.3/"

bool pl_xmp_name_is(const struct pl_xmp_name *name, const char *space, const char *local)
{
    return pl_span_equals(name->space, space) && pl_span_equals(name->local, local);
}

/* "0" in the pattern stands for a digit. */
static bool date_matches(const char *text, size_t size, const char *pattern)
{
    for (size_t i = 0; i < size; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (pattern[i] == '0' ? !digit : text[i] != pattern[i])
            return false;
    }
    return true;
}

bool pl_xmp_is_date(struct pl_span span)
{
    const char *text = span.data;
    size_t size = span.size;
    static const char pattern[] = "0000-00-00T00:00:00";
    size_t at = 16;
    if (size == 4 || size == 7 || size == 10)
        return date_matches(text, size, pattern);
    if (size < 17 || !date_matches(text, 16, pattern))
        return false;
    if (size >= 19 && text[16] == ':') {
        if (!date_matches(text, 19, pattern))
            return false;
        at = 19;
        if (at + 1 < size && text[at] == '.' && text[at + 1] >= '0' && text[at + 1] <= '9') {
            at++;
            while (at < size && text[at] >= '0' && text[at] <= '9')
                at++;
        }
    }
    size_t left = size - at;
    return (left == 1 && text[at] == 'Z') || (left == 6 && (text[at] == '+' || text[at] == '-') &&
                                              date_matches(text + at + 1, 5, "00:00"));
}

const char *pl_xmp_conflict(const struct pl_convert *convert, const struct pl_xmp_name *name)
{
    const struct {
        const char *space;
        const char *local;
        const char *setting; /* NULL: always */
        const char *why;
    } rows[] = {
        { NS_DC, "format", NULL, "is set by the engine" },
        { NS_PDF, "Producer", NULL, "is set by the engine" },
        { NS_DC, "title", convert->title, "is set by title too" },
        { NS_DC, "creator", convert->author, "is set by author too" },
        { NS_DC, "description", convert->subject, "is set by subject too" },
        { NS_PDF, "Keywords", convert->keywords, "is set by keywords too" },
    };
    if (pl_span_equals(name->space, "http://www.aiim.org/pdfa/ns/id/") ||
        pl_span_equals(name->space, "http://www.aiim.org/pdfua/ns/id/"))
        return "claims a standard, which only the engine does";
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        bool counts = rows[i].setting == NULL || rows[i].setting[0] != '\0';
        if (counts && pl_xmp_name_is(name, rows[i].space, rows[i].local))
            return rows[i].why;
    }
    return NULL;
}

/* Properties that PDF/A knows (XMP 2004), with a letter for their form: t a text, d a date, b a
 * boolean, B a bag, S a sequence, D one of dates, A an alternative of languages. */
static const struct {
    const char *space;
    const char *local;
    char form;
} rules_known[] = {
    { NS_DC, "contributor", 'B' },
    { NS_DC, "coverage", 't' },
    { NS_DC, "creator", 'S' },
    { NS_DC, "date", 'D' },
    { NS_DC, "description", 'A' },
    { NS_DC, "identifier", 't' },
    { NS_DC, "language", 'B' },
    { NS_DC, "publisher", 'B' },
    { NS_DC, "relation", 'B' },
    { NS_DC, "rights", 'A' },
    { NS_DC, "source", 't' },
    { NS_DC, "subject", 'B' },
    { NS_DC, "title", 'A' },
    { NS_DC, "type", 'B' },
    { NS_XMP, "BaseURL", 't' },
    { NS_XMP, "CreateDate", 'd' },
    { NS_XMP, "CreatorTool", 't' },
    { NS_XMP, "Identifier", 'B' },
    { NS_XMP, "MetadataDate", 'd' },
    { NS_XMP, "ModifyDate", 'd' },
    { NS_XMP, "Nickname", 't' },
    { NS_XMP "rights/", "Certificate", 't' },
    { NS_XMP "rights/", "Marked", 'b' },
    { NS_XMP "rights/", "Owner", 'B' },
    { NS_XMP "rights/", "UsageTerms", 'A' },
    { NS_XMP "rights/", "WebStatement", 't' },
    { NS_PDF, "Keywords", 't' },
    { NS_PDF, "PDFVersion", 't' },
};

bool pl_xmp_space_is_taken(struct pl_span space)
{
    static const char *const spaces[] = {
        NS_DC,
        NS_XMP,
        NS_PDF,
        NS_XMP "rights/",
        NS_XMP "mm/",
        NS_XMP "bj/",
        NS_XMP "t/pg/",
        "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
        "http://ns.adobe.com/photoshop/1.0/",
        "http://ns.adobe.com/camera-raw-settings/1.0/",
        "http://ns.adobe.com/tiff/1.0/",
        "http://ns.adobe.com/exif/1.0/",
        "http://ns.adobe.com/exif/1.0/aux/",
    };
    for (size_t i = 0; i < PL_COUNT_OF(spaces); i++) {
        if (pl_span_equals(space, spaces[i]))
            return true;
    }
    return false;
}

static bool property_has_form(const struct pl_xmp_property *property, char form)
{
    switch (form) {
    case 't':
        return property->form == PL_XMP_TEXT;
    case 'd':
        return property->form == PL_XMP_TEXT && property->dates;
    case 'b':
        return property->form == PL_XMP_TEXT && property->booleans;
    case 'B':
        return property->form == PL_XMP_BAG;
    case 'S':
        return property->form == PL_XMP_SEQ;
    case 'D':
        return property->form == PL_XMP_SEQ && property->dates;
    default:
        return property->form == PL_XMP_ALT;
    }
}

const char *pl_xmp_refuses_pdfa(const struct pl_xmp_property *property, bool described)
{
    const struct pl_xmp_name *name = &property->name;
    if (pl_xmp_name_is(name, PL_XMP_EXTENSION, "schemas"))
        return NULL;
    for (size_t i = 0; i < PL_COUNT_OF(rules_known); i++) {
        if (pl_xmp_name_is(name, rules_known[i].space, rules_known[i].local))
            return property_has_form(property, rules_known[i].form)
                       ? NULL
                       : "does not have the kind of value that its schema defines";
    }
    if (pl_xmp_space_is_taken(name->space))
        return "is not among the properties that may be set in PDF/A";
    if (!described && property->form == PL_XMP_OTHER)
        return "has a structure; PDF/A takes texts and lists of texts, or a description of it in "
               "pdfaExtension:schemas";
    if (!described && name->prefix.size == 0)
        return "needs a prefix for its namespace in PDF/A";
    return NULL;
}
