/* pdf_xmp_custom: a walk with expat over the elements, as they will stand in the packet.
 *
 * The parser sees them inside an rdf:RDF of its own. A document type cannot stand there, so that
 * there are no entities but those of XML itself; processing instructions are refused, as one could
 * end the packet. What is kept is a list of properties with the form of their values.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_xmp_custom.h"

#include "engine/base/arena.h"
#include "pipeline/pdf/pdf_text.h"
#include "pipeline/pdf/pdf_xmp_rules.h"

#include <expat.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUSTOM_PROPERTIES 128
#define CUSTOM_DEPTH 64
#define CUSTOM_LEAF 40 /* bytes of a value that may be a date */
#define CUSTOM_SEPARATOR '\x01'
#define CUSTOM_MEMORY ((size_t)1 << 18)
#define CUSTOM_XML "http://www.w3.org/XML/1998/namespace"

struct pl_xmp_custom {
    const struct pl_convert *convert;
    struct pl_arena arena;
    struct pl_xmp_property properties[CUSTOM_PROPERTIES];
    size_t count;
    bool has_extension; /* describes its namespaces itself */
    /* while it is read */
    XML_Parser parser;
    struct pl_fault *fault;
    pl_status status;
    unsigned depth;
    struct pl_xmp_property *open; /* the property that the parser is in */
    char leaf[CUSTOM_LEAF];       /* the value that is being read, and its full length */
    size_t leaf_size;
    bool mixed; /* the property has text of its own */
};

static void custom_refuse(struct pl_xmp_custom *custom, const char *format, ...) PL_PRINTF(2, 3);

static void custom_refuse(struct pl_xmp_custom *custom, const char *format, ...)
{
    char reason[PL_FAULT_CHARS];
    va_list args;
    if (custom->status != PL_OK)
        return;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    custom->status = pl_fault_set(custom->fault, PL_MISCONFIGURED, "xmp: %s", reason);
    (void)XML_StopParser(custom->parser, XML_FALSE);
}

/* --- names ----------------------------------------------------------------------------------- */

static struct pl_span name_take(const char **rest)
{
    const char *end = strchr(*rest, CUSTOM_SEPARATOR);
    struct pl_span part = { *rest, end != NULL ? (size_t)(end - *rest) : strlen(*rest) };
    *rest += part.size + (end != NULL ? 1 : 0);
    return part;
}

/* Without a separator the name is in no namespace. */
static struct pl_xmp_name name_split(const char *text)
{
    struct pl_xmp_name name = { .local = pl_span_from(text) };
    if (strchr(text, CUSTOM_SEPARATOR) != NULL) {
        name.space = name_take(&text);
        name.local = name_take(&text);
        name.prefix = name_take(&text);
    }
    return name;
}

static bool name_same(const struct pl_xmp_name *a, const struct pl_xmp_name *b)
{
    return a->space.size == b->space.size && a->local.size == b->local.size &&
           memcmp(a->space.data, b->space.data, a->space.size) == 0 &&
           memcmp(a->local.data, b->local.data, a->local.size) == 0;
}

/* For a sentence: "dc:title". */
#define NAME_CHARS 80
static const char *name_show(const struct pl_xmp_name *name, char out[NAME_CHARS])
{
    char prefix[NAME_CHARS / 2];
    char local[NAME_CHARS / 2];
    (void)pl_text_sanitize(name->prefix, prefix, sizeof prefix);
    (void)pl_text_sanitize(name->local, local, sizeof local);
    (void)pl_text_format(out, NAME_CHARS, "%s%s%s", prefix, prefix[0] != '\0' ? ":" : "", local);
    return out;
}

static bool name_copy(struct pl_xmp_custom *custom, struct pl_xmp_name *name)
{
    struct pl_span *parts[] = { &name->space, &name->local, &name->prefix };
    for (size_t i = 0; i < PL_COUNT_OF(parts); i++) {
        const char *copy = pl_arena_text(&custom->arena, *parts[i]);
        if (copy == NULL)
            return false;
        parts[i]->data = copy;
    }
    return true;
}

static void custom_check_all(struct pl_xmp_custom *custom)
{
    for (size_t i = 0; i < custom->count && custom->status == PL_OK; i++) {
        const struct pl_xmp_property *property = &custom->properties[i];
        char name[NAME_CHARS];
        for (size_t k = 0; k < i; k++) {
            if (name_same(&property->name, &custom->properties[k].name))
                custom_refuse(custom, "%s stands there twice", name_show(&property->name, name));
        }
        const char *why = pl_format_pdfa_part(custom->convert->to) != 0
                              ? pl_xmp_refuses_pdfa(property, custom->has_extension)
                              : NULL;
        if (why != NULL)
            custom_refuse(custom, "%s %s", name_show(&property->name, name), why);
    }
}

static void leaf_end(struct pl_xmp_custom *custom)
{
    const struct pl_span leaf = { custom->leaf, custom->leaf_size };
    bool whole = custom->leaf_size < sizeof custom->leaf;
    custom->open->dates = custom->open->dates && whole && pl_xmp_is_date(leaf);
    custom->open->booleans = custom->open->booleans && whole &&
                             (pl_span_equals(leaf, "True") || pl_span_equals(leaf, "False"));
}

/* --- the walk -------------------------------------------------------------------------------- */

static struct pl_xmp_property *custom_add(struct pl_xmp_custom *custom, const char *text)
{
    struct pl_xmp_name name = name_split(text);
    char shown[NAME_CHARS];
    (void)name_show(&name, shown);
    const char *conflict = pl_xmp_conflict(custom->convert, &name);
    if (name.space.size == 0) {
        custom_refuse(custom, "%s is in no namespace", shown);
    } else if (pl_span_equals(name.space, PL_XMP_RDF)) {
        custom_refuse(custom, "%s is no property", shown);
    } else if (conflict != NULL) {
        custom_refuse(custom, "%s %s", shown, conflict);
    } else if (custom->count == CUSTOM_PROPERTIES) {
        custom_refuse(custom, "it has more than %d properties", CUSTOM_PROPERTIES);
    } else if (!name_copy(custom, &name)) {
        custom->status = PL_NO_MEMORY;
        (void)XML_StopParser(custom->parser, XML_FALSE);
    }
    if (custom->status != PL_OK)
        return NULL;
    struct pl_xmp_property *property = &custom->properties[custom->count++];
    *property = (struct pl_xmp_property){ .name = name, .dates = true, .booleans = true };
    if (pl_xmp_name_is(&name, PL_XMP_EXTENSION, "schemas"))
        custom->has_extension = true;
    return property;
}

/* rdf:Description: attributes outside rdf: and xml: are properties too. */
static void custom_description(struct pl_xmp_custom *custom, const struct pl_xmp_name *name,
                               const XML_Char **attributes)
{
    char shown[NAME_CHARS];
    if (!pl_xmp_name_is(name, PL_XMP_RDF, "Description")) {
        custom_refuse(custom, "it has a %s; it must consist of rdf:Description elements",
                      name_show(name, shown));
        return;
    }
    for (size_t i = 0; attributes[i] != NULL && custom->status == PL_OK; i += 2) {
        struct pl_xmp_name attribute = name_split(attributes[i]);
        if (pl_xmp_name_is(&attribute, PL_XMP_RDF, "about") ||
            pl_xmp_name_is(&attribute, "", "about")) {
            if (attributes[i + 1][0] != '\0')
                custom_refuse(custom, "rdf:about must be empty: it is about this document");
        } else if (pl_span_equals(attribute.space, PL_XMP_RDF)) {
            custom_refuse(custom, "rdf:Description cannot have %s here",
                          name_show(&attribute, shown));
        } else if (!pl_span_equals(attribute.space, CUSTOM_XML)) {
            custom->open = custom_add(custom, attributes[i]);
            if (custom->open == NULL)
                return;
            size_t size = strlen(attributes[i + 1]);
            custom->leaf_size = size;
            memcpy(custom->leaf, attributes[i + 1],
                   size < sizeof custom->leaf ? size : sizeof custom->leaf);
            leaf_end(custom);
            custom->open = NULL;
        }
    }
}

/* Whether the attributes make more of an element than a place for its content. */
static bool custom_is_structured(const XML_Char **attributes)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        struct pl_xmp_name name = name_split(attributes[i]);
        if (!pl_span_equals(name.space, CUSTOM_XML))
            return true;
    }
    return false;
}

static bool custom_has_language(const XML_Char **attributes)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        struct pl_xmp_name name = name_split(attributes[i]);
        if (pl_xmp_name_is(&name, CUSTOM_XML, "lang"))
            return true;
    }
    return false;
}

static enum pl_xmp_form custom_container(const struct pl_xmp_name *name)
{
    return pl_xmp_name_is(name, PL_XMP_RDF, "Bag")   ? PL_XMP_BAG
           : pl_xmp_name_is(name, PL_XMP_RDF, "Seq") ? PL_XMP_SEQ
           : pl_xmp_name_is(name, PL_XMP_RDF, "Alt") ? PL_XMP_ALT
                                                     : PL_XMP_OTHER;
}

/* Inside a property: a container, its items, or anything else. */
static void custom_inside(struct pl_xmp_custom *custom, unsigned depth,
                          const struct pl_xmp_name *name, const XML_Char **attributes)
{
    struct pl_xmp_property *property = custom->open;
    if (property->form == PL_XMP_OTHER)
        return;
    bool fits = !custom_is_structured(attributes);
    if (depth == 3) {
        enum pl_xmp_form form = custom_container(name);
        fits = fits && property->form == PL_XMP_TEXT && form != PL_XMP_OTHER && !custom->mixed;
        property->form = form;
    } else {
        fits = fits && depth == 4 && pl_xmp_name_is(name, PL_XMP_RDF, "li") &&
               (property->form != PL_XMP_ALT || custom_has_language(attributes));
    }
    if (!fits)
        property->form = PL_XMP_OTHER;
}

static void custom_on_start(void *data, const XML_Char *text, const XML_Char **attributes)
{
    struct pl_xmp_custom *custom = data;
    struct pl_xmp_name name = name_split(text);
    unsigned depth = custom->depth++;
    custom->leaf_size = 0;
    if (custom->status != PL_OK)
        return;
    if (custom->depth > CUSTOM_DEPTH) {
        custom_refuse(custom, "elements are nested more than %d deep", CUSTOM_DEPTH);
    } else if (depth == 1) {
        custom_description(custom, &name, attributes);
    } else if (depth == 2) {
        custom->mixed = false;
        custom->open = custom_add(custom, text);
        if (custom->open != NULL && custom_is_structured(attributes))
            custom->open->form = PL_XMP_OTHER;
    } else if (depth > 2 && custom->open != NULL) {
        custom_inside(custom, depth, &name, attributes);
    }
}

static void custom_on_end(void *data, const XML_Char *text)
{
    struct pl_xmp_custom *custom = data;
    (void)text;
    custom->depth--;
    if (custom->status != PL_OK || custom->open == NULL)
        return;
    bool is_leaf = custom->open->form == PL_XMP_TEXT ? custom->depth == 2 : custom->depth == 4;
    if (is_leaf && custom->open->form != PL_XMP_OTHER)
        leaf_end(custom);
    custom->leaf_size = 0;
    if (custom->depth == 2)
        custom->open = NULL;
}

static void custom_on_text(void *data, const XML_Char *text, int length)
{
    struct pl_xmp_custom *custom = data;
    size_t size = (size_t)length;
    bool blank = true;
    for (size_t i = 0; i < size; i++)
        blank = blank && strchr(" \t\r\n", text[i]) != NULL;
    if (custom->depth <= 2 && !blank)
        custom_refuse(custom, "there is text outside of properties");
    if (custom->depth == 3 && !blank)
        custom->mixed = true;
    /* In a property beside its list, or in a list beside its items. */
    if (!blank && custom->open != NULL && custom->open->form != PL_XMP_TEXT &&
        (custom->depth == 3 || custom->depth == 4))
        custom->open->form = PL_XMP_OTHER;
    if (custom->leaf_size < sizeof custom->leaf) {
        size_t room = sizeof custom->leaf - custom->leaf_size;
        memcpy(custom->leaf + custom->leaf_size, text, size < room ? size : room);
    }
    custom->leaf_size += size;
}

static void custom_parse(struct pl_xmp_custom *custom, struct pl_span text, bool last)
{
    if (custom->status != PL_OK ||
        XML_Parse(custom->parser, text.data, (int)text.size, last) == XML_STATUS_OK ||
        custom->status != PL_OK)
        return;
    enum XML_Error error = XML_GetErrorCode(custom->parser);
    if (error == XML_ERROR_NO_MEMORY) {
        custom->status = PL_NO_MEMORY;
        return;
    }
    custom_refuse(custom, "line %lu is not well-formed: %s",
                  (unsigned long)XML_GetCurrentLineNumber(custom->parser), XML_ErrorString(error));
}

static void custom_read(struct pl_xmp_custom *custom)
{
    struct pl_span xmp = custom->convert->xmp;
    if (xmp.size > PL_XMP_MOST) {
        custom_refuse(custom, "it has %zu bytes, the limit is %zu", xmp.size, PL_XMP_MOST);
    } else if (!pl_text_is_utf8(xmp)) {
        custom_refuse(custom, "it is not UTF-8");
    } else if (memmem(xmp.data, xmp.size, "<?", 2) != NULL) {
        custom_refuse(custom, "it has a processing instruction or an XML declaration");
    }
    /* The line break is kept out, so that lines count from 1. */
    custom_parse(custom, pl_span_from("<rdf:RDF xmlns:rdf=\"" PL_XMP_RDF "\">"), false);
    custom_parse(custom, xmp, false);
    custom_parse(custom, pl_span_from("</rdf:RDF>"), true);
    custom_check_all(custom);
}

pl_status pl_xmp_custom_new(const struct pl_convert *convert, struct pl_xmp_custom **out,
                            struct pl_fault *fault)
{
    struct pl_xmp_custom *custom = calloc(1, sizeof *custom);
    if (custom == NULL)
        return PL_NO_MEMORY;
    custom->convert = convert;
    custom->fault = fault;
    pl_arena_init(&custom->arena, CUSTOM_MEMORY);
    custom->parser = XML_ParserCreateNS("UTF-8", CUSTOM_SEPARATOR);
    custom->status = PL_NO_MEMORY;
    if (custom->parser == NULL)
        goto done;
    /* A fixed salt: the text is bounded, and a sandbox has no other. */
    (void)XML_SetHashSalt(custom->parser, 1);
    XML_SetReturnNSTriplet(custom->parser, 1);
    XML_SetUserData(custom->parser, custom);
    XML_SetElementHandler(custom->parser, custom_on_start, custom_on_end);
    XML_SetCharacterDataHandler(custom->parser, custom_on_text);
    custom->status = PL_OK;
    custom_read(custom);
    XML_ParserFree(custom->parser);
    custom->parser = NULL;
done:;
    pl_status status = custom->status;
    if (status == PL_OK) {
        *out = custom;
    } else {
        pl_xmp_custom_free(custom);
    }
    return status;
}

void pl_xmp_custom_free(struct pl_xmp_custom *custom)
{
    if (custom == NULL)
        return;
    pl_arena_fini(&custom->arena);
    free(custom);
}

/* --- the description ------------------------------------------------------------------------- */

static bool custom_is_described(const struct pl_xmp_property *property)
{
    return !pl_xmp_space_is_taken(property->name.space);
}

static pl_status custom_append_span(const char *element, struct pl_span text, struct pl_bytes *out)
{
    pl_status status = pl_bytes_format(out, "<%s>", element);
    if (status == PL_OK)
        status = pl_pdf_text_xml(text, out);
    return status == PL_OK ? pl_bytes_format(out, "</%s>", element) : status;
}

static pl_status custom_append_property(const struct pl_xmp_property *property,
                                        struct pl_bytes *out)
{
    static const char *const types[] = { "Text", "bag Text", "seq Text", "Lang Alt", "" };
    pl_status status = pl_bytes_format(out, "<rdf:li rdf:parseType=\"Resource\">");
    if (status == PL_OK)
        status = custom_append_span("pdfaProperty:name", property->name.local, out);
    if (status == PL_OK)
        status = pl_bytes_format(out,
                                 "<pdfaProperty:valueType>%s</pdfaProperty:valueType>"
                                 "<pdfaProperty:category>external</pdfaProperty:category>",
                                 types[property->form]);
    if (status == PL_OK)
        status = custom_append_span("pdfaProperty:description", property->name.local, out);
    return status == PL_OK ? pl_bytes_format(out, "</rdf:li>\n") : status;
}

/* The namespace of the n-th property, with all of its properties. */
static pl_status custom_append_schema(const struct pl_xmp_custom *custom, size_t n,
                                      struct pl_bytes *out)
{
    const struct pl_xmp_name *name = &custom->properties[n].name;
    pl_status status = pl_bytes_format(out, "<rdf:li rdf:parseType=\"Resource\">");
    if (status == PL_OK)
        status = custom_append_span("pdfaSchema:schema", name->prefix, out);
    if (status == PL_OK)
        status = custom_append_span("pdfaSchema:namespaceURI", name->space, out);
    if (status == PL_OK)
        status = custom_append_span("pdfaSchema:prefix", name->prefix, out);
    if (status == PL_OK)
        status = pl_bytes_format(out, "<pdfaSchema:property><rdf:Seq>\n");
    for (size_t i = n; i < custom->count && status == PL_OK; i++) {
        const struct pl_span space = custom->properties[i].name.space;
        if (space.size == name->space.size && memcmp(space.data, name->space.data, space.size) == 0)
            status = custom_append_property(&custom->properties[i], out);
    }
    return status == PL_OK ? pl_bytes_format(out, "</rdf:Seq></pdfaSchema:property></rdf:li>\n")
                           : status;
}

/* Whether a property before the n-th one is of the same namespace. */
static bool custom_space_was_seen(const struct pl_xmp_custom *custom, size_t n)
{
    const struct pl_span space = custom->properties[n].name.space;
    for (size_t i = 0; i < n; i++) {
        const struct pl_span other = custom->properties[i].name.space;
        if (space.size == other.size && memcmp(space.data, other.data, space.size) == 0)
            return true;
    }
    return false;
}

static pl_status custom_append_schemas(const struct pl_xmp_custom *custom, struct pl_bytes *out)
{
    bool begun = false;
    pl_status status = PL_OK;
    for (size_t i = 0; i < custom->count && status == PL_OK; i++) {
        if (!custom_is_described(&custom->properties[i]) || custom_space_was_seen(custom, i))
            continue;
        if (!begun)
            status = pl_bytes_format(
                out, "<rdf:Description rdf:about=\"\" xmlns:pdfaExtension=\"" PL_XMP_EXTENSION "\""
                     " xmlns:pdfaSchema=\"http://www.aiim.org/pdfa/ns/schema#\""
                     " xmlns:pdfaProperty=\"http://www.aiim.org/pdfa/ns/property#\">\n"
                     "<pdfaExtension:schemas><rdf:Bag>\n");
        begun = true;
        if (status == PL_OK)
            status = custom_append_schema(custom, i, out);
    }
    if (status == PL_OK && begun)
        status = pl_bytes_format(out, "</rdf:Bag></pdfaExtension:schemas>\n"
                                      "</rdf:Description>\n");
    return status;
}

pl_status pl_xmp_custom_append(const struct pl_xmp_custom *custom, struct pl_bytes *out)
{
    pl_status status = PL_OK;
    if (pl_format_pdfa_part(custom->convert->to) != 0 && !custom->has_extension)
        status = custom_append_schemas(custom, out);
    if (status == PL_OK)
        status = pl_bytes_append(out, custom->convert->xmp.data, custom->convert->xmp.size);
    return status == PL_OK ? pl_bytes_append(out, "\n", 1) : status;
}
