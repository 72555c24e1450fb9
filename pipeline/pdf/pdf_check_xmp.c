/* pdf_check_xmp: the metadata packet as others wrote it, read with expat: which standard it claims,
 * whether its properties are known or described, and, for PDF/A-1, whether /Info says the same.
 *
 * A document type is refused, so that there are no entities but those of XML itself.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/arena.h"
#include "pipeline/pdf/pdf_check_info.h"
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_parse.h"
#include "pipeline/pdf/pdf_xmp_rules.h"

#include <expat.h>

#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES ((size_t)16 << 20)
#define PACKET_MEMORY ((size_t)4 << 20)
#define PACKET_PROPERTIES 512
#define PACKET_DEFINED 2048
#define PACKET_DEPTH 64
#define PACKET_TEXT 2048 /* of one value; longer ones are cut */
#define SEPARATOR '\x01'
#define NS_PDFAID "http://www.aiim.org/pdfa/ns/id/"
#define NS_SCHEMA "http://www.aiim.org/pdfa/ns/schema#"
#define NS_PROPERTY "http://www.aiim.org/pdfa/ns/property#"
#define NS_DC "http://purl.org/dc/elements/1.1/"
#define NS_XMP "http://ns.adobe.com/xap/1.0/"
#define NS_PDF "http://ns.adobe.com/pdf/1.3/"

struct property {
    struct pl_xmp_name name;
    enum pl_xmp_form form;
    unsigned items;
    struct pl_span text; /* of the one for every language, else of the first */
};

struct defined {
    unsigned schema;
    struct pl_span local;
};

struct pl_check_packet {
    struct pl_arena arena;
    struct property properties[PACKET_PROPERTIES];
    size_t count;
    struct defined defined[PACKET_DEFINED];
    size_t defined_count;
    struct pl_span spaces[PACKET_DEFINED]; /* of the schemas that are described */
    unsigned schema_count;
    bool filtered, well_formed, sized, encoded, utf_8;
    /* while it is read */
    XML_Parser parser;
    unsigned depth;
    unsigned rdf; /* depth of rdf:RDF; 0: not in it */
    struct property *open;
    bool extension; /* inside pdfaExtension:schemas */
    bool is_default;
    char text[PACKET_TEXT];
    size_t text_size;
};

/* --- names and values ------------------------------------------------------------------------- */

static struct pl_xmp_name name_split(const char *text)
{
    struct pl_xmp_name name = { .local = pl_span_from(text) };
    const char *first = strchr(text, SEPARATOR);
    if (first == NULL)
        return name;
    const char *second = strchr(first + 1, SEPARATOR);
    name.space = (struct pl_span){ text, (size_t)(first - text) };
    name.local = pl_span_from(first + 1);
    if (second != NULL) {
        name.local.size = (size_t)(second - first) - 1;
        name.prefix = pl_span_from(second + 1);
    }
    return name;
}

static struct pl_span packet_keep(struct pl_check_packet *packet, struct pl_span text)
{
    const char *copy = pl_arena_text(&packet->arena, text);
    if (copy == NULL) {
        packet->well_formed = false;
        (void)XML_StopParser(packet->parser, XML_FALSE);
        return (struct pl_span){ "", 0 };
    }
    return (struct pl_span){ copy, text.size };
}

static struct property *property_add(struct pl_check_packet *packet, const struct pl_xmp_name *name)
{
    if (packet->count == PACKET_PROPERTIES)
        return NULL;
    struct property *made = &packet->properties[packet->count++];
    *made = (struct property){ .form = PL_XMP_TEXT, .text = { "", 0 } };
    made->name.space = packet_keep(packet, name->space);
    made->name.local = packet_keep(packet, name->local);
    made->name.prefix = packet_keep(packet, name->prefix);
    return made;
}

/* Properties may stand as attributes of rdf:Description. */
static void packet_attributes(struct pl_check_packet *packet, const char **attributes)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        struct pl_xmp_name name = name_split(attributes[i]);
        if (name.space.size == 0 || pl_span_equals(name.space, PL_XMP_RDF) ||
            pl_span_equals(name.space, "http://www.w3.org/XML/1998/namespace"))
            continue;
        struct property *made = property_add(packet, &name);
        if (made != NULL)
            made->text = packet_keep(packet, pl_span_from(attributes[i + 1]));
    }
}

static bool has_attribute(const char **attributes, const char *name, const char *value)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strncmp(attributes[i], name, strlen(name)) == 0 &&
            (value == NULL || strcmp(attributes[i + 1], value) == 0))
            return true;
    }
    return false;
}

/* --- elements --------------------------------------------------------------------------------- */

/* One level below a property: a list, or a structure. */
static void packet_form(struct property *open, const struct pl_xmp_name *name)
{
    if (pl_xmp_name_is(name, PL_XMP_RDF, "Bag"))
        open->form = PL_XMP_BAG;
    else if (pl_xmp_name_is(name, PL_XMP_RDF, "Seq"))
        open->form = PL_XMP_SEQ;
    else if (pl_xmp_name_is(name, PL_XMP_RDF, "Alt"))
        open->form = PL_XMP_ALT;
    else
        open->form = PL_XMP_OTHER;
}

static void packet_on_start(void *user, const char *element, const char **attributes)
{
    struct pl_check_packet *packet = user;
    struct pl_xmp_name name = name_split(element);
    packet->text_size = 0;
    if (++packet->depth > PACKET_DEPTH) {
        packet->well_formed = false;
        (void)XML_StopParser(packet->parser, XML_FALSE);
        return;
    }
    if (packet->rdf == 0) {
        packet->rdf = pl_xmp_name_is(&name, PL_XMP_RDF, "RDF") ? packet->depth : 0;
        return;
    }
    unsigned level = packet->depth - packet->rdf; /* 1: rdf:Description, 2: a property */
    if (level == 1) {
        packet_attributes(packet, attributes);
    } else if (level == 2) {
        packet->open = property_add(packet, &name);
        packet->extension = pl_xmp_name_is(&name, PL_XMP_EXTENSION, "schemas");
        if (packet->open != NULL &&
            has_attribute(attributes, PL_XMP_RDF "\x01parseType", "Resource"))
            packet->open->form = PL_XMP_OTHER;
    } else if (level == 3 && packet->open != NULL) {
        packet_form(packet->open, &name);
    } else if (level == 4 && packet->open != NULL) {
        packet->is_default =
            has_attribute(attributes, "http://www.w3.org/XML/1998/namespace\x01lang", "x-default");
    }
    if (packet->extension && level == 4 && packet->schema_count < PACKET_DEFINED)
        packet->spaces[packet->schema_count++] = (struct pl_span){ "", 0 };
}

/* The end of a text inside the description of schemas. */
static void packet_describe(struct pl_check_packet *packet, const struct pl_xmp_name *name,
                            struct pl_span text)
{
    if (packet->schema_count == 0)
        return;
    if (pl_xmp_name_is(name, NS_SCHEMA, "namespaceURI"))
        packet->spaces[packet->schema_count - 1] = packet_keep(packet, text);
    else if (pl_xmp_name_is(name, NS_PROPERTY, "name") && packet->defined_count < PACKET_DEFINED)
        packet->defined[packet->defined_count++] =
            (struct defined){ packet->schema_count - 1, packet_keep(packet, text) };
}

static void packet_on_end(void *user, const char *element)
{
    struct pl_check_packet *packet = user;
    struct pl_xmp_name name = name_split(element);
    struct pl_span text = { packet->text, packet->text_size };
    unsigned level = packet->rdf > 0 ? packet->depth - packet->rdf : 0;
    struct property *open = packet->open;
    if (packet->extension && level > 4)
        packet_describe(packet, &name, text);
    if (level == 4 && open != NULL && open->form != PL_XMP_OTHER) {
        if (open->items++ == 0 || packet->is_default)
            open->text = packet_keep(packet, text);
    } else if (level == 2) {
        if (open != NULL && open->form == PL_XMP_TEXT)
            open->text = packet_keep(packet, text);
        packet->open = NULL;
        packet->extension = false;
    }
    packet->text_size = 0;
    if (packet->depth == packet->rdf)
        packet->rdf = 0;
    packet->depth--;
}

static void packet_on_text(void *user, const char *data, int length)
{
    struct pl_check_packet *packet = user;
    size_t room = sizeof packet->text - packet->text_size;
    size_t size = length > 0 ? (size_t)length : 0;
    if (size > room)
        size = room;
    memcpy(packet->text + packet->text_size, data, size);
    packet->text_size += size;
}

static void packet_on_instruction(void *user, const char *target, const char *data)
{
    struct pl_check_packet *packet = user;
    if (strcmp(target, "xpacket") != 0)
        return;
    packet->sized = packet->sized || strstr(data, "bytes=") != NULL;
    packet->encoded = packet->encoded || strstr(data, "encoding=") != NULL;
}

static void packet_on_doctype(void *user, const char *name, const char *system, const char *public,
                              int internal)
{
    struct pl_check_packet *packet = user;
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    (void)XML_StopParser(packet->parser, XML_FALSE);
}

/* --- reading ---------------------------------------------------------------------------------- */

static pl_status packet_parse(struct pl_check_packet *packet, const struct pl_bytes *data)
{
    size_t size = data->size;
    packet->utf_8 = size < 2 || (data->data[0] != 0xfe && data->data[0] != 0xff &&
                                 data->data[0] != 0 && data->data[1] != 0);
    packet->parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (packet->parser == NULL)
        return PL_NO_MEMORY;
    XML_SetReturnNSTriplet(packet->parser, 1);
    XML_SetUserData(packet->parser, packet);
    XML_SetElementHandler(packet->parser, packet_on_start, packet_on_end);
    XML_SetCharacterDataHandler(packet->parser, packet_on_text);
    XML_SetProcessingInstructionHandler(packet->parser, packet_on_instruction);
    XML_SetStartDoctypeDeclHandler(packet->parser, packet_on_doctype);
    packet->well_formed = true;
    while (size > 0 && data->data[size - 1] == 0)
        size--;
    if (XML_Parse(packet->parser, (const char *)data->data, (int)size, 1) != XML_STATUS_OK)
        packet->well_formed = false;
    XML_ParserFree(packet->parser);
    packet->parser = NULL;
    return PL_OK;
}

void pl_check_packet_free(struct pl_check_packet *packet)
{
    if (packet == NULL)
        return;
    pl_arena_fini(&packet->arena);
    free(packet);
}

pl_status pl_check_packet_read(struct pl_pdf_file *file, struct pl_check_packet **out,
                               struct pl_fault *fault)
{
    const struct pl_pdf_value *stream = NULL;
    struct pl_bytes data = { 0 };
    struct pl_check_packet *packet = NULL;
    size_t mark = pl_pdf_file_mark(file);
    pl_bytes_init(&data, PACKET_BYTES);
    pl_status status = pl_pdf_lookup(file, pl_pdf_file_catalog(file), "Metadata", &stream, NULL);
    if (status != PL_OK || stream->kind != PL_PDF_STREAM) {
        status = status == PL_BAD_DOCUMENT ? PL_OK : status;
        goto done;
    }
    packet = calloc(1, sizeof *packet);
    if (packet == NULL) {
        status = PL_NO_MEMORY;
        goto done;
    }
    pl_arena_init(&packet->arena, PACKET_MEMORY);
    packet->filtered = pl_check_has(stream, "Filter");
    status = pl_pdf_stream_decode(file, stream, &data, NULL);
    if (status == PL_BAD_DOCUMENT || status == PL_UNSUPPORTED)
        status = PL_OK;
    if (status == PL_OK)
        status = packet_parse(packet, &data);
done:
    pl_bytes_fini(&data);
    pl_pdf_file_release(file, mark);
    if (status != PL_OK) {
        pl_check_packet_free(packet);
        return pl_fault_set(fault, status, "the metadata of the PDF cannot be read: %s",
                            pl_status_text(status));
    }
    *out = packet;
    return PL_OK;
}

static const struct property *packet_find(const struct pl_check_packet *packet, const char *space,
                                          const char *local)
{
    for (size_t i = 0; i < packet->count; i++) {
        if (pl_xmp_name_is(&packet->properties[i].name, space, local))
            return &packet->properties[i];
    }
    return NULL;
}

void pl_check_packet_claim(const struct pl_check_packet *packet, struct pl_pdf_claim *claim)
{
    const struct property *part = packet != NULL ? packet_find(packet, NS_PDFAID, "part") : NULL;
    const struct property *level =
        packet != NULL ? packet_find(packet, NS_PDFAID, "conformance") : NULL;
    uint64_t number = 0;
    if (part != NULL && pl_text_parse_u64(pl_span_trim(part->text), 99, &number))
        claim->part = (unsigned)number;
    struct pl_span letter = level != NULL ? pl_span_trim(level->text) : (struct pl_span){ "", 0 };
    if (letter.size == 1 && strchr("ABUabu", letter.data[0]) != NULL)
        claim->level = (char)(letter.data[0] & ~0x20);
}

/* --- rules ------------------------------------------------------------------------------------ */

/* Properties of the three schemas that everybody uses, with a letter for their form: t a text, d a
 * date, B a bag, S a sequence, A an alternative, x anything. */
static const struct {
    const char *space;
    const char *local;
    char form;
    bool since_2;
} known[] = {
    { NS_DC, "contributor", 'B', false },  { NS_DC, "coverage", 't', false },
    { NS_DC, "creator", 'S', false },      { NS_DC, "date", 'S', false },
    { NS_DC, "description", 'A', false },  { NS_DC, "format", 't', false },
    { NS_DC, "identifier", 't', false },   { NS_DC, "language", 'B', false },
    { NS_DC, "publisher", 'B', false },    { NS_DC, "relation", 'B', false },
    { NS_DC, "rights", 'A', false },       { NS_DC, "source", 't', false },
    { NS_DC, "subject", 'B', false },      { NS_DC, "title", 'A', false },
    { NS_DC, "type", 'B', false },         { NS_XMP, "Advisory", 'B', false },
    { NS_XMP, "BaseURL", 't', false },     { NS_XMP, "CreateDate", 'd', false },
    { NS_XMP, "CreatorTool", 't', false }, { NS_XMP, "Identifier", 'B', false },
    { NS_XMP, "Label", 't', true },        { NS_XMP, "MetadataDate", 'd', false },
    { NS_XMP, "ModifyDate", 'd', false },  { NS_XMP, "Nickname", 't', false },
    { NS_XMP, "Rating", 't', true },       { NS_XMP, "Thumbnails", 'x', false },
    { NS_PDF, "Keywords", 't', false },    { NS_PDF, "PDFVersion", 't', false },
    { NS_PDF, "Producer", 't', false },
};

/* The zone may be missing (XMP part 1, 8.2.1.2). */
static bool text_is_date(struct pl_span text)
{
    char zoned[64];
    if (pl_xmp_is_date(text))
        return true;
    return text.size + 2 <= sizeof zoned &&
           pl_text_format(zoned, sizeof zoned, "%.*sZ", (int)text.size, text.data) &&
           pl_xmp_is_date(pl_span_from(zoned));
}

static bool form_fits(const struct property *property, char form)
{
    switch (form) {
    case 't':
        return property->form == PL_XMP_TEXT;
    case 'd':
        return property->form == PL_XMP_TEXT && text_is_date(property->text);
    case 'B':
        return property->form == PL_XMP_BAG;
    case 'S':
        return property->form == PL_XMP_SEQ;
    case 'A':
        return property->form == PL_XMP_ALT;
    default:
        return true;
    }
}

static bool property_is_described(const struct pl_check_packet *packet,
                                  const struct property *property)
{
    for (size_t i = 0; i < packet->defined_count; i++) {
        const struct defined *row = &packet->defined[i];
        const struct pl_xmp_name name = { .space = packet->spaces[row->schema],
                                          .local = row->local };
        if (name.space.size == property->name.space.size &&
            name.local.size == property->name.local.size &&
            memcmp(name.space.data, property->name.space.data, name.space.size) == 0 &&
            memcmp(name.local.data, property->name.local.data, name.local.size) == 0)
            return true;
    }
    return false;
}

static void property_check(struct pl_pdf_checking *c, const struct pl_check_packet *packet,
                           const struct property *property)
{
    char shown[80];
    bool own = false;
    (void)pl_text_sanitize(property->name.local, shown, sizeof shown);
    if (pl_span_equals(property->name.space, NS_PDFAID) ||
        pl_span_equals(property->name.space, PL_XMP_EXTENSION))
        return;
    for (size_t i = 0; i < PL_COUNT_OF(known); i++) {
        own = own || pl_span_equals(property->name.space, known[i].space);
        if (!pl_xmp_name_is(&property->name, known[i].space, known[i].local) ||
            (known[i].since_2 && c->part == 1))
            continue;
        if (!form_fits(property, known[i].form))
            pl_check_breach(c, "6.7.9", "6.6.2.3.1",
                            "the property %s of the metadata has not the kind of value that it "
                            "should",
                            shown);
        return;
    }
    if ((!own && pl_xmp_space_is_taken(property->name.space)) ||
        property_is_described(packet, property))
        return;
    pl_check_breach(c, "6.7.9", "6.6.2.3.1",
                    "the property %s of the metadata is neither known nor described", shown);
}

static void identification_check(struct pl_pdf_checking *c, const struct pl_check_packet *packet)
{
    const struct property *level = packet_find(packet, NS_PDFAID, "conformance");
    const struct property *part = packet_find(packet, NS_PDFAID, "part");
    struct pl_pdf_claim claim = { 0 };
    pl_check_packet_claim(packet, &claim);
    if (part == NULL) {
        pl_check_breach(c, "6.7.11", "6.6.4", "the metadata does not say that this is PDF/A");
        return;
    }
    if (claim.part != c->part)
        pl_check_breach(c, "6.7.11", "6.6.4", "the metadata claims part %u of PDF/A", claim.part);
    bool fine = level != NULL && level->text.size == 1 &&
                strchr(c->part == 1 ? "AB" : "ABU", level->text.data[0]) != NULL;
    if (!fine)
        pl_check_breach(c, "6.7.11", "6.6.4", "the metadata claims no level of PDF/A-%u", c->part);
    if (!pl_span_equals(part->name.prefix, "pdfaid") ||
        (level != NULL && !pl_span_equals(level->name.prefix, "pdfaid")))
        pl_check_breach(c, "6.7.11", "6.6.4", "the claim of PDF/A has not the prefix pdfaid");
}

/* /Info says the same, where it says anything (part 1). */
static pl_status info_check(struct pl_pdf_checking *c, const struct pl_check_packet *packet)
{
    static const struct {
        const char *key, *space, *local;
        bool date;
    } rows[] = {
        { "Title", NS_DC, "title", false },
        { "Author", NS_DC, "creator", false },
        { "Subject", NS_DC, "description", false },
        { "Keywords", NS_PDF, "Keywords", false },
        { "Creator", NS_XMP, "CreatorTool", false },
        { "Producer", NS_PDF, "Producer", false },
        { "CreationDate", NS_XMP, "CreateDate", true },
        { "ModDate", NS_XMP, "ModifyDate", true },
    };
    const struct pl_pdf_value *info = NULL;
    pl_status status = pl_check_lookup(c, pl_pdf_file_trailer(c->file), "Info", &info);
    for (size_t i = 0; i < PL_COUNT_OF(rows) && status == PL_OK; i++) {
        const struct pl_pdf_value *value = NULL;
        const struct property *said = packet_find(packet, rows[i].space, rows[i].local);
        struct pl_span text = said != NULL ? said->text : (struct pl_span){ "", 0 };
        bool same = said != NULL && said->items <= (said->form == PL_XMP_SEQ ? 1 : UINT32_MAX);
        status = pl_check_lookup(c, info, rows[i].key, &value);
        if (status != PL_OK || value->kind != PL_PDF_STRING)
            continue;
        if (same)
            status = rows[i].date ? pl_check_date_same(value->as.text, text, &same)
                                  : pl_check_text_same(value->as.text, text, &same);
        if (status == PL_OK && !same)
            pl_check_breach(c, "6.7.3", NULL, "/%s of /Info and the metadata do not agree",
                            rows[i].key);
    }
    return status;
}

pl_status pl_check_metadata(struct pl_pdf_checking *c, const struct pl_check_packet *packet)
{
    size_t mark = pl_pdf_file_mark(c->file);
    if (packet == NULL) {
        pl_check_breach(c, "6.7.2", "6.6.2.1", "the catalog has no metadata stream");
        return PL_OK;
    }
    if (packet->filtered)
        pl_check_breach(c, "6.7.2", NULL, "the metadata stream is compressed");
    if (packet->sized || packet->encoded)
        pl_check_breach(c, "6.7.5", "6.6.2.1", "the header of the metadata says %s",
                        packet->sized ? "bytes" : "encoding");
    if (!packet->utf_8)
        pl_check_breach(c, NULL, "6.6.2.1", "the metadata is not UTF-8");
    if (!packet->well_formed) {
        pl_check_breach(c, "6.7.9", "6.6.2.1", "the metadata is not well-formed");
        return PL_OK;
    }
    identification_check(c, packet);
    for (size_t i = 0; i < packet->count; i++)
        property_check(c, packet, &packet->properties[i]);
    pl_status status = c->part == 1 ? info_check(c, packet) : PL_OK;
    pl_pdf_file_release(c->file, mark);
    return status;
}
