/* pdf_check_font: fonts are embedded, and their dictionaries say what a reader must know.
 *
 * A font whose text is never seen (rendering mode 3) may lack its program. It is looked at again
 * when another page shows it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_parse.h"

#include <string.h>

#define FONT_SYMBOLIC 4
#define FONT_FILE_BYTES ((size_t)64 << 20)
#define DESCENDANTS_MOST 4
#define GLYPHS_MOST 4096

/* ISO 32000-1 table 118, as the validators read it. */
static const char *const known_maps[] = {
    "GB-EUC-H",
    "GB-EUC-V",
    "GBpc-EUC-H",
    "GBpc-EUC-V",
    "GBK-EUC-H",
    "GBK-EUC-V",
    "GBKp-EUC-H",
    "GBKp-EUC-V",
    "GBK2K-H",
    "GBK2K-V",
    "UniGB-UCS2-H",
    "UniGB-UCS2-V",
    "B5pc-H",
    "B5pc-V",
    "HKscs-B5-H",
    "HKscs-B5-V",
    "ETen-B5-H",
    "ETen-B5-V",
    "ETenms-B5-H",
    "ETenms-B5-V",
    "CNS-EUC-H",
    "CNS-EUC-V",
    "UniCNS-UCS2-H",
    "UniCNS-UCS2-V",
    "UniCNS-UTF16-V",
    "83pv-RKSJ-H",
    "90ms-RKSJ-H",
    "90ms-RKSJ-V",
    "90msp-RKSJ-H",
    "90msp-RKSJ-V",
    "90pv-RKSJ-H",
    "Add-RKSJ-H",
    "Add-RKSJ-V",
    "EUC-H",
    "EUC-V",
    "Ext-RKSJ-H",
    "Ext-RKSJ-V",
    "H",
    "V",
    "UniJIS-UCS2-H",
    "UniJIS-UCS2-V",
    "UniJIS-UCS2-HW-H",
    "UniJIS-UCS2-HW-V",
    "UniJIS-UTF16-H",
    "UniJIS-UTF16-V",
    "KSC-EUC-H",
    "KSC-EUC-V",
    "KSCms-UHC-H",
    "KSCms-UHC-V",
    "KSCms-UHC-HW-H",
    "KSCms-UHC-HW-V",
    "KSCpc-EUC-H",
    "UniKS-UCS2-H",
    "UniKS-UCS2-V",
    "UniKS-UTF16-H",
    "UniKS-UTF16-V",
};

/* What of a font the rules look at; values are resolved. */
struct font {
    const struct pl_pdf_value *dict;
    const struct pl_pdf_value *subtype;
    const struct pl_pdf_value *name;
    const struct pl_pdf_value *descriptor;
    const struct pl_pdf_value *program; /* null: not embedded */
    int program_kind;                   /* 1, 2, 3: /FontFile, /FontFile2, /FontFile3 */
    int64_t flags;
    bool subset; /* "ABCDEF+Name" */
};

static bool name_is_subset(const struct pl_pdf_value *name)
{
    if (name->kind != PL_PDF_NAME || name->as.text.size < 8 || name->as.text.data[6] != '+')
        return false;
    for (size_t i = 0; i < 6; i++) {
        if (name->as.text.data[i] < 'A' || name->as.text.data[i] > 'Z')
            return false;
    }
    return true;
}

static pl_status font_read(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                           struct font *font)
{
    static const char *const files[] = { "FontFile", "FontFile2", "FontFile3" };
    *font = (struct font){ .dict = dict, .program = &pl_pdf_null };
    pl_status status = pl_check_lookup(c, dict, "Subtype", &font->subtype);
    if (status == PL_OK)
        status = pl_check_lookup(c, dict, "BaseFont", &font->name);
    if (status == PL_OK)
        status = pl_check_lookup(c, dict, "FontDescriptor", &font->descriptor);
    if (status == PL_OK)
        status = pl_check_integer(c, font->descriptor, "Flags", 0, &font->flags);
    for (int i = 0; i < 3 && status == PL_OK && font->program_kind == 0; i++) {
        status = pl_check_lookup(c, font->descriptor, files[i], &font->program);
        if (status == PL_OK && font->program->kind == PL_PDF_STREAM)
            font->program_kind = i + 1;
    }
    if (status == PL_OK)
        font->subset = name_is_subset(font->name);
    return status;
}

/* --- programs --------------------------------------------------------------------------------- */

static pl_status program_check(struct pl_pdf_checking *c, const struct font *font, bool hidden)
{
    static const char *const kinds[] = { "Type1C", "CIDFontType0C", "OpenType" };
    const struct pl_pdf_value *kind = NULL;
    char shown[PL_CHECK_NAME_CHARS];
    if (font->program_kind == 0) {
        if (!hidden)
            pl_check_breach(c, "6.3.4", "6.2.11.4.1", "the font %s is not embedded",
                            pl_check_show(font->name, shown));
        return PL_OK;
    }
    if (font->program_kind != 3)
        return PL_OK;
    pl_status status = pl_check_lookup(c, font->program, "Subtype", &kind);
    if (status == PL_OK && kind->kind != PL_PDF_NULL &&
        !pl_check_is_one_of(kind, kinds, c->part == 1 ? 2 : PL_COUNT_OF(kinds)))
        pl_check_breach(c, "6.3.2", "6.2.11.2", "the font program is of the kind %s",
                        pl_check_show(kind, shown));
    return status;
}

static uint32_t be16(const uint8_t *data)
{
    return (uint32_t)data[0] << 8 | data[1];
}

static uint32_t be32(const uint8_t *data)
{
    return be16(data) << 16 | be16(data + 2);
}

/* Encodings of the "cmap" table of a TrueType program; false: there is none that can be read. */
static bool cmaps_read(const struct pl_bytes *data, unsigned *count, bool *symbol)
{
    if (data->size < 12)
        return false;
    uint32_t tables = be16(data->data + 4);
    for (uint32_t i = 0; i < tables && 12 + (size_t)i * 16 + 16 <= data->size; i++) {
        const uint8_t *row = data->data + 12 + (size_t)i * 16;
        size_t at = be32(row + 8);
        if (memcmp(row, "cmap", 4) != 0 || at > data->size || data->size - at < 4)
            continue;
        *count = be16(data->data + at + 2);
        for (unsigned k = 0; k < *count && at + 4 + (size_t)k * 8 + 8 <= data->size; k++) {
            const uint8_t *entry = data->data + at + 4 + (size_t)k * 8;
            *symbol = *symbol || (be16(entry) == 3 && be16(entry + 2) == 0);
        }
        return true;
    }
    return false;
}

static pl_status cmaps_check(struct pl_pdf_checking *c, const struct font *font, bool symbolic)
{
    struct pl_bytes data = { 0 };
    unsigned count = 0;
    bool symbol = false;
    if (font->program_kind != 2)
        return PL_OK;
    pl_bytes_init(&data, FONT_FILE_BYTES);
    pl_status status = pl_check_decode(c, font->program, &data);
    if (status == PL_OK) {
        (void)cmaps_read(&data, &count, &symbol);
        if (symbolic && count != 1)
            pl_check_breach(c, "6.3.7", symbol ? NULL : "6.2.11.6",
                            "the cmap table of a symbolic TrueType font has %u encodings", count);
        if (!symbolic && (symbol ? count < 2 : count < 1))
            pl_check_breach(c, NULL, "6.2.11.6",
                            "the cmap table of a TrueType font has no encoding that is not "
                            "symbolic");
    }
    pl_bytes_fini(&data);
    return status;
}

/* --- simple fonts ----------------------------------------------------------------------------- */

static bool is_latin(const struct pl_pdf_value *name)
{
    return pl_pdf_name_is(name, "MacRomanEncoding") || pl_pdf_name_is(name, "WinAnsiEncoding");
}

static pl_status true_type_check(struct pl_pdf_checking *c, const struct font *font)
{
    const struct pl_pdf_value *encoding = NULL;
    const struct pl_pdf_value *base = NULL;
    bool symbolic = (font->flags & FONT_SYMBOLIC) != 0;
    pl_status status = pl_check_lookup(c, font->dict, "Encoding", &encoding);
    if (status == PL_OK)
        status = pl_check_lookup(c, encoding, "BaseEncoding", &base);
    if (status != PL_OK)
        return status;
    if (symbolic && encoding->kind != PL_PDF_NULL)
        pl_check_breach(c, "6.3.7", "6.2.11.6", "a symbolic TrueType font has /Encoding");
    if (!symbolic && !is_latin(encoding) && !is_latin(base))
        pl_check_breach(c, "6.3.7", "6.2.11.6",
                        "a TrueType font has neither MacRomanEncoding nor WinAnsiEncoding");
    if (!symbolic && pl_check_has(encoding, "Differences"))
        pl_check_breach(c, "6.3.7", NULL, "a TrueType font has /Differences in its encoding");
    return cmaps_check(c, font, symbolic);
}

static pl_status widths_check(struct pl_pdf_checking *c, const struct font *font)
{
    const struct pl_pdf_value *widths = NULL;
    int64_t first = 0;
    int64_t last = -1;
    pl_status status = pl_check_lookup(c, font->dict, "Widths", &widths);
    if (status == PL_OK)
        status = pl_check_integer(c, font->dict, "FirstChar", 0, &first);
    if (status == PL_OK)
        status = pl_check_integer(c, font->dict, "LastChar", -1, &last);
    if (status != PL_OK)
        return status;
    size_t count = widths->kind == PL_PDF_ARRAY ? widths->as.array.count : 0;
    if (!pl_check_has(font->dict, "FirstChar") || !pl_check_has(font->dict, "LastChar") ||
        widths->kind != PL_PDF_ARRAY || last < first || (uint64_t)(last - first) + 1 != count)
        pl_check_breach(c, "6.3.2", "6.2.11.2",
                        "/FirstChar, /LastChar and /Widths of the font do not agree");
    return PL_OK;
}

static pl_status simple_check(struct pl_pdf_checking *c, const struct font *font, bool hidden)
{
    bool type_1 =
        pl_pdf_name_is(font->subtype, "Type1") || pl_pdf_name_is(font->subtype, "MMType1");
    bool bare = type_1 && font->descriptor->kind == PL_PDF_NULL; /* one of the standard fonts */
    pl_status status = program_check(c, font, hidden);
    if (status == PL_OK && !bare)
        status = widths_check(c, font);
    if (status == PL_OK && type_1 && font->subset && !hidden &&
        !pl_check_has(font->descriptor, "CharSet"))
        pl_check_breach(c, "6.3.5", NULL, "a subset of a Type 1 font has no /CharSet");
    if (status == PL_OK && pl_pdf_name_is(font->subtype, "TrueType") && !hidden)
        status = true_type_check(c, font);
    return status;
}

/* The procedures that draw the glyphs of a Type 3 font. */
static pl_status glyphs_check(struct pl_pdf_checking *c, const struct font *font,
                              const struct pl_pdf_value *outer)
{
    const struct pl_pdf_value *glyphs = NULL;
    const struct pl_pdf_value *resources = NULL;
    pl_status status = pl_check_lookup(c, font->dict, "CharProcs", &glyphs);
    if (status == PL_OK)
        status = pl_check_lookup(c, font->dict, "Resources", &resources);
    if (status == PL_OK)
        status = widths_check(c, font);
    if (status != PL_OK || glyphs->kind != PL_PDF_DICT)
        return status;
    bool own = resources->kind == PL_PDF_DICT;
    for (size_t i = 0; i < glyphs->as.dict.count && i < GLYPHS_MOST && status == PL_OK; i++) {
        struct pl_check_place place;
        bool enter = false;
        status =
            pl_check_enter(c, glyphs->as.dict.entries[i].value, PL_CHECK_OTHER, &place, &enter);
        if (!enter)
            continue;
        if (place.value->kind == PL_PDF_STREAM)
            status = pl_check_stream(c, place.value, own ? resources : outer);
        pl_check_leave(c, &place);
    }
    return status;
}

/* --- composite fonts -------------------------------------------------------------------------- */

static pl_status system_same(struct pl_pdf_checking *c, const struct pl_pdf_value *a,
                             const struct pl_pdf_value *b, bool *same)
{
    static const char *const keys[] = { "Registry", "Ordering" };
    pl_status status = PL_OK;
    *same = true;
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++) {
        const struct pl_pdf_value *one = NULL;
        const struct pl_pdf_value *other = NULL;
        status = pl_check_lookup(c, a, keys[i], &one);
        if (status == PL_OK)
            status = pl_check_lookup(c, b, keys[i], &other);
        if (status == PL_OK &&
            (one->kind != PL_PDF_STRING || other->kind != PL_PDF_STRING ||
             one->as.text.size != other->as.text.size ||
             memcmp(one->as.text.data, other->as.text.data, one->as.text.size) != 0))
            *same = false;
    }
    return status;
}

static bool map_is_identity(const struct pl_pdf_value *name)
{
    return pl_pdf_name_is(name, "Identity-H") || pl_pdf_name_is(name, "Identity-V");
}

static bool map_is_known(const struct pl_pdf_checking *c, const struct pl_pdf_value *name)
{
    return map_is_identity(name) ||
           (c->part != 1 && pl_check_is_one_of(name, known_maps, PL_COUNT_OF(known_maps)));
}

/* The value of /WMode inside an embedded CMap: 0 unless it says 1. */
static pl_status map_stream_check(struct pl_pdf_checking *c, const struct pl_pdf_value *map,
                                  const struct pl_pdf_value *system)
{
    const struct pl_pdf_value *own = NULL;
    const struct pl_pdf_value *name = NULL;
    const struct pl_pdf_value *base = NULL;
    struct pl_bytes data = { 0 };
    bool same = false;
    int64_t mode = 0;
    pl_bytes_init(&data, FONT_FILE_BYTES);
    pl_status status = pl_check_lookup(c, map, "CIDSystemInfo", &own);
    if (status == PL_OK)
        status = pl_check_lookup(c, map, "CMapName", &name);
    if (status == PL_OK)
        status = pl_check_lookup(c, map, "UseCMap", &base);
    if (status == PL_OK)
        status = pl_check_integer(c, map, "WMode", 0, &mode);
    if (status == PL_OK)
        status = system_same(c, own, system, &same);
    if (status == PL_OK && !same && !map_is_identity(name))
        pl_check_breach(c, "6.3.3.1", "6.2.11.3.1",
                        "the CMap and the font are of different character collections");
    if (status == PL_OK && base->kind == PL_PDF_NAME && !map_is_known(c, base))
        pl_check_breach(c, NULL, "6.2.11.3.3", "the CMap uses another that is not embedded");
    if (status == PL_OK)
        status = pl_check_decode(c, map, &data);
    const uint8_t *word = status == PL_OK ? memmem(data.data, data.size, "/WMode", 6) : NULL;
    if (word != NULL) {
        struct pl_pdf_lex lex = { data.data, data.size, (size_t)(word - data.data) + 6, false };
        struct pl_pdf_token token;
        pl_pdf_lex_next(&lex, &token);
        if (token.kind == PL_PDF_TOKEN_INT && token.integer != mode)
            pl_check_breach(c, "6.3.3.3", "6.2.11.3.3", "/WMode of the CMap is not what it says");
    }
    pl_bytes_fini(&data);
    return status;
}

static pl_status descendant_check(struct pl_pdf_checking *c, const struct font *font, bool hidden)
{
    const struct pl_pdf_value *map = NULL;
    pl_status status = program_check(c, font, hidden);
    if (status == PL_OK)
        status = pl_check_lookup(c, font->dict, "CIDToGIDMap", &map);
    if (status != PL_OK)
        return status;
    bool type_2 = pl_pdf_name_is(font->subtype, "CIDFontType2");
    if (type_2 && map->kind == PL_PDF_NULL && !hidden && (c->part == 1 || font->program_kind != 0))
        pl_check_breach(c, "6.3.3.2", "6.2.11.3.2", "a CIDFontType2 has no /CIDToGIDMap");
    if (font->subset && font->program_kind != 0 && !pl_check_has(font->descriptor, "CIDSet"))
        pl_check_breach(c, "6.3.5", NULL, "a subset of a CID font has no /CIDSet");
    return PL_OK;
}

static pl_status composite_check(struct pl_pdf_checking *c, const struct font *font, bool hidden)
{
    const struct pl_pdf_value *encoding = NULL;
    const struct pl_pdf_value *below = NULL;
    const struct pl_pdf_value *system = &pl_pdf_null;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = pl_check_lookup(c, font->dict, "Encoding", &encoding);
    if (status == PL_OK)
        status = pl_check_lookup(c, font->dict, "DescendantFonts", &below);
    if (status != PL_OK)
        return status;
    if (below->kind != PL_PDF_ARRAY || below->as.array.count == 0) {
        pl_check_breach(c, "6.3.2", "6.2.11.2", "a composite font has no /DescendantFonts");
        return PL_OK;
    }
    for (size_t i = 0; i < below->as.array.count && i < DESCENDANTS_MOST && status == PL_OK; i++) {
        const struct pl_pdf_value *dict = NULL;
        struct font inner;
        status = pl_check_resolve(c, below->as.array.items[i], &dict);
        if (status == PL_OK)
            status = font_read(c, dict, &inner);
        if (status == PL_OK)
            status = descendant_check(c, &inner, hidden);
        if (status == PL_OK)
            status = pl_check_lookup(c, dict, "CIDSystemInfo", &system);
    }
    if (status == PL_OK && encoding->kind == PL_PDF_STREAM)
        return map_stream_check(c, encoding, system);
    if (status == PL_OK && !map_is_known(c, encoding))
        pl_check_breach(c, "6.3.3.3", "6.2.11.3.3", "the CMap %s is not embedded",
                        pl_check_show(encoding, shown));
    return status;
}

/* --- any font --------------------------------------------------------------------------------- */

static pl_status font_check(struct pl_pdf_checking *c, const struct pl_pdf_value *dict, bool hidden,
                            const struct pl_pdf_value *outer)
{
    static const char *const simple[] = { "Type1", "MMType1", "TrueType" };
    const struct pl_pdf_value *type = NULL;
    struct font font;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = font_read(c, dict, &font);
    if (status == PL_OK)
        status = pl_check_lookup(c, dict, "Type", &type);
    if (status != PL_OK)
        return status;
    if (!pl_pdf_name_is(type, "Font"))
        pl_check_breach(c, "6.3.2", "6.2.11.2", "a font is not of /Type /Font");
    if (pl_pdf_name_is(font.subtype, "Type3"))
        return glyphs_check(c, &font, outer);
    if (font.name->kind != PL_PDF_NAME)
        pl_check_breach(c, "6.3.2", "6.2.11.2", "a font has no /BaseFont");
    else if (!pl_text_is_utf8(font.name->as.text))
        pl_check_breach(c, NULL, "6.1.8", "the name of a font is not UTF-8");
    if (pl_pdf_name_is(font.subtype, "Type0"))
        return composite_check(c, &font, hidden);
    if (pl_check_is_one_of(font.subtype, simple, PL_COUNT_OF(simple)))
        return simple_check(c, &font, hidden);
    pl_check_breach(c, "6.3.2", "6.2.11.2", "a font is of the kind %s",
                    pl_check_show(font.subtype, shown));
    return PL_OK;
}

pl_status pl_check_font(struct pl_pdf_checking *c, const struct pl_pdf_value *value, bool hidden,
                        const struct pl_pdf_value *resources)
{
    struct pl_check_place place;
    bool enter = false;
    enum pl_check_role role = hidden ? PL_CHECK_HIDDEN_FONT : PL_CHECK_FONT;
    pl_status status = pl_check_enter(c, value, role, &place, &enter);
    if (!enter)
        return status;
    if (place.value->kind == PL_PDF_DICT)
        status = font_check(c, place.value, hidden, resources);
    pl_check_leave(c, &place);
    return status;
}
