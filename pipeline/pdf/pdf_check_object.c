/* pdf_check_object: each object as it lies in the file: its spacing, its tokens, the frame and the
 * filters of its stream, attachments.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_file_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INTEGER_MOST 2147483647
#define REAL_MOST_1 32767.0
#define REAL_MOST 3.403e38
#define REAL_LEAST 1.175e-38
#define STRING_MOST_1 65535
#define STRING_MOST 32767
#define NAME_MOST 127
#define ARRAY_MOST_1 8191
#define DICT_MOST_1 4095
#define FRAME_BYTES 32
#define TEXT_FIRST ((size_t)1024)
#define TEXT_GROWTH 8
#define PL_CHECK_KEPT ((size_t)8 << 20) /* of values that are kept for the pages */
#define FILTERS_MOST 32

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_eol(uint8_t c)
{
    return c == '\n' || c == '\r';
}

static bool begins_with(const uint8_t *data, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size >= length && memcmp(data, word, length) == 0;
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void hex_check(struct pl_pdf_checking *c, struct pl_span raw)
{
    size_t digits = 0;
    bool other = false;
    for (size_t i = 0; i < raw.size; i++) {
        if (pl_pdf_is_space((uint8_t)raw.data[i]))
            continue;
        digits++;
        other = other || pl_text_hex_digit(raw.data[i]) < 0;
    }
    if (digits % 2 != 0)
        pl_check_breach(c, "6.1.6", "6.1.6", "a hexadecimal string has an odd number of digits");
    if (other)
        pl_check_breach(c, "6.1.6", "6.1.6", "a hexadecimal string has other characters");
    if (digits / 2 > (c->part == 1 ? STRING_MOST_1 : STRING_MOST))
        pl_check_breach(c, "6.1.12", "6.1.13", "a string of %zu bytes is too long", digits / 2);
}

static void string_check(struct pl_pdf_checking *c, struct pl_span raw)
{
    size_t most = c->part == 1 ? STRING_MOST_1 : STRING_MOST;
    if (raw.size <= most)
        return;
    char *text = malloc(raw.size);
    size_t size = text != NULL ? pl_pdf_string_decode(raw, text) : raw.size;
    free(text);
    if (size > most)
        pl_check_breach(c, "6.1.12", "6.1.13", "a string of %zu bytes is too long", size);
}

static void name_check(struct pl_pdf_checking *c, struct pl_span raw)
{
    size_t size = raw.size;
    for (size_t i = 0; i < raw.size && size > 2; i++) {
        if (raw.data[i] == '#')
            size -= 2;
    }
    if (size > NAME_MOST)
        pl_check_breach(c, "6.1.12", "6.1.13", "a name of %zu bytes is longer than 127", size);
}

static void number_check(struct pl_pdf_checking *c, const struct pl_pdf_token *token)
{
    double size = fabs(token->real);
    if (token->kind == PL_PDF_TOKEN_INT) {
        if (token->integer > INTEGER_MOST || token->integer < -INTEGER_MOST - 1LL)
            pl_check_breach(c, "6.1.12", "6.1.13", "the integer %lld is out of range",
                            (long long)token->integer);
        return;
    }
    if (size > (c->part == 1 ? REAL_MOST_1 : REAL_MOST))
        pl_check_breach(c, "6.1.12", "6.1.13", "the number %g is out of range", token->real);
    else if (size > 0 && size < REAL_LEAST)
        pl_check_breach(c, NULL, "6.1.13", "the number %g is too close to zero", token->real);
}

/* Containers that are open, with what they hold so far. */
struct nest {
    size_t items[PL_PDF_NESTING];
    unsigned depth;
};

static void nest_check(struct pl_pdf_checking *c, struct nest *nest, enum pl_pdf_token_kind kind)
{
    bool closes = kind == PL_PDF_TOKEN_ARRAY_CLOSE || kind == PL_PDF_TOKEN_DICT_CLOSE;
    if (closes && nest->depth > 0) {
        size_t items = nest->items[--nest->depth];
        if (kind == PL_PDF_TOKEN_ARRAY_CLOSE && items > ARRAY_MOST_1)
            pl_check_breach(c, "6.1.12", NULL, "an array has %zu elements, more than 8191", items);
        if (kind == PL_PDF_TOKEN_DICT_CLOSE && items > (size_t)2 * DICT_MOST_1)
            pl_check_breach(c, "6.1.12", NULL, "a dictionary has more than 4095 entries");
        return;
    }
    if (nest->depth > 0)
        nest->items[nest->depth - 1]++;
    if ((kind == PL_PDF_TOKEN_ARRAY_OPEN || kind == PL_PDF_TOKEN_DICT_OPEN) &&
        nest->depth < PL_PDF_NESTING)
        nest->items[nest->depth++] = 0;
}

/* "n g R" is one item, not three. */
static void nest_reference(struct nest *nest, const struct pl_pdf_token *token)
{
    if (nest->depth > 0 && pl_span_equals(token->raw, "R") && nest->items[nest->depth - 1] >= 3)
        nest->items[nest->depth - 1] -= 3;
}

/* Up to "stream" or "endobj"; *end gets where that stands, or where the data end. */
static pl_status tokens_check(struct pl_pdf_checking *c, struct pl_pdf_lex *lex, size_t *end)
{
    struct pl_pdf_token token;
    struct nest nest = { .depth = 0 };
    uint64_t count = 0;
    for (;; count++) {
        pl_pdf_lex_next(lex, &token);
        *end = token.at;
        if (token.kind == PL_PDF_TOKEN_END)
            break;
        if (token.kind == PL_PDF_TOKEN_WORD &&
            (pl_span_equals(token.raw, "stream") || pl_span_equals(token.raw, "endobj")))
            break;
        nest_check(c, &nest, token.kind);
        if (token.kind == PL_PDF_TOKEN_WORD)
            nest_reference(&nest, &token);
        else if (token.kind == PL_PDF_TOKEN_HEX)
            hex_check(c, token.raw);
        else if (token.kind == PL_PDF_TOKEN_STRING)
            string_check(c, token.raw);
        else if (token.kind == PL_PDF_TOKEN_NAME)
            name_check(c, token.raw);
        else if (token.kind == PL_PDF_TOKEN_INT || token.kind == PL_PDF_TOKEN_REAL)
            number_check(c, &token);
    }
    return pl_check_step(c, count);
}

/* --- the frame of an object ------------------------------------------------------------------- */

/* "n g obj" with single separators, alone on its line. *used: its bytes. */
static bool frame_begins(const uint8_t *data, size_t size, size_t *used)
{
    size_t at = 0;
    for (unsigned n = 0; n < 2; n++) {
        size_t from = at;
        while (at < size && is_digit(data[at]))
            at++;
        if (at == from || at >= size || !pl_pdf_is_space(data[at]))
            return false;
        at++;
    }
    if (!begins_with(data + at, size - at, "obj"))
        return false;
    at += 3;
    *used = at;
    return at < size && is_eol(data[at]);
}

static void spacing_breach(struct pl_pdf_checking *c, const char *what)
{
    pl_check_breach(c, "6.1.8", "6.1.9", "%s", what);
}

static pl_status frame_begin(struct pl_pdf_checking *c, uint64_t at, size_t *used)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    size_t before = at > 0 ? 1 : 0;
    pl_status status =
        pl_pdf_windows_peek(&c->file->windows, at - before, FRAME_BYTES, &data, &size);
    if (status != PL_OK || size <= before)
        return status;
    *used = 0;
    if ((before > 0 && !is_eol(data[0])) || !frame_begins(data + before, size - before, used))
        spacing_breach(c, "\"n g obj\" is not alone on its line with single separators");
    return PL_OK;
}

/* "endobj", which stands at `at` or behind white space there, between line ends. */
static pl_status frame_end(struct pl_pdf_checking *c, uint64_t at)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    size_t skip = 1;
    pl_status status = pl_pdf_windows_peek(&c->file->windows, at - 1, FRAME_BYTES, &data, &size);
    if (status != PL_OK)
        return status;
    while (skip < size && pl_pdf_is_space(data[skip]))
        skip++;
    if (skip > size || !begins_with(data + skip, size - skip, "endobj"))
        return PL_OK; /* comments may stand here */
    if (!is_eol(data[skip - 1]) || (skip + 6 < size && !is_eol(data[skip + 6])))
        spacing_breach(c, "endobj is not alone on its line");
    return PL_OK;
}

/* --- streams ---------------------------------------------------------------------------------- */

static pl_status stream_end(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    int64_t length = -1;
    uint64_t at = stream->as.dict.at;
    pl_status status = pl_check_integer(c, stream, "Length", -1, &length);
    if (status != PL_OK)
        return status;
    uint64_t end = at + (length >= 0 ? (uint64_t)length : stream->as.dict.size);
    if (length < 0 || end > c->file->windows.source->size) {
        pl_check_breach(c, "6.1.7", "6.1.7.1", "the /Length of the stream is not its length");
        return PL_OK;
    }
    status = pl_pdf_windows_peek(&c->file->windows, end, FRAME_BYTES, &data, &size);
    if (status != PL_OK)
        return status;
    size_t skip = begins_with(data, size, "\r\n") ? 2 : size > 0 && is_eol(data[0]) ? 1 : 0;
    if (!begins_with(data + skip, size - skip, "endstream")) {
        pl_check_breach(c, "6.1.7", "6.1.7.1", "the /Length of the stream is not its length");
        return PL_OK;
    }
    if (skip == 0)
        pl_check_breach(c, "6.1.7", "6.1.7.1", "no line end stands before endstream");
    return frame_end(c, end + skip + 9);
}

static pl_status stream_begin(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    uint64_t at = stream->as.dict.at;
    if (at < 8)
        return PL_OK;
    pl_status status = pl_pdf_windows_peek(&c->file->windows, at - 8, 8, &data, &size);
    if (status != PL_OK || size < 8)
        return status;
    if (memcmp(data, "stream\r\n", 8) != 0 && memcmp(data + 1, "stream\n", 7) != 0)
        pl_check_breach(c, "6.1.7", "6.1.7.1", "the keyword stream is not followed by LF or CR LF");
    return PL_OK;
}

static pl_status filter_check(struct pl_pdf_checking *c, const struct pl_pdf_value *filter,
                              const struct pl_pdf_value *parms)
{
    static const char *const fine[] = { "ASCIIHexDecode",  "ASCII85Decode",  "FlateDecode",
                                        "RunLengthDecode", "CCITTFaxDecode", "JBIG2Decode",
                                        "DCTDecode",       "JPXDecode" };
    const struct pl_pdf_value *name = NULL;
    char shown[PL_CHECK_NAME_CHARS];
    if (filter->kind != PL_PDF_NAME || pl_check_is_one_of(filter, fine, PL_COUNT_OF(fine)))
        return PL_OK;
    if (pl_pdf_name_is(filter, "LZWDecode")) {
        pl_check_breach(c, "6.1.10", "6.1.7.2", "the stream is compressed with LZW");
        return PL_OK;
    }
    pl_status status = pl_check_lookup(c, parms, "Name", &name);
    bool identity = pl_pdf_name_is(filter, "Crypt") && pl_pdf_name_is(name, "Identity");
    if (status == PL_OK && !identity)
        pl_check_breach(c, NULL, "6.1.7.2", "the filter %s is not allowed",
                        pl_check_show(filter, shown));
    return status;
}

static pl_status stream_filters(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    const struct pl_pdf_value *filter = NULL;
    const struct pl_pdf_value *parms = NULL;
    pl_status status = pl_check_lookup(c, stream, "Filter", &filter);
    if (status == PL_OK)
        status = pl_check_lookup(c, stream, "DecodeParms", &parms);
    if (status != PL_OK || filter->kind != PL_PDF_ARRAY)
        return status == PL_OK ? filter_check(c, filter, parms) : status;
    for (size_t i = 0; i < filter->as.array.count && i < FILTERS_MOST && status == PL_OK; i++) {
        const struct pl_pdf_value *one = NULL;
        const struct pl_pdf_value *own = &pl_pdf_null;
        status = pl_check_resolve(c, filter->as.array.items[i], &one);
        if (status == PL_OK && parms->kind == PL_PDF_ARRAY && i < parms->as.array.count)
            status = pl_check_resolve(c, parms->as.array.items[i], &own);
        if (status == PL_OK)
            status = filter_check(c, one, own);
    }
    return status;
}

static pl_status stream_check(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    if (pl_check_has(stream, "F") || pl_check_has(stream, "FFilter") ||
        pl_check_has(stream, "FDecodeParms"))
        pl_check_breach(c, "6.1.7", "6.1.7.1", "the stream lies in another file (/F or /FFilter)");
    pl_status status = stream_begin(c, stream);
    if (status == PL_OK)
        status = stream_end(c, stream);
    return status == PL_OK ? stream_filters(c, stream) : status;
}

/* --- attachments ------------------------------------------------------------------------------ */

static pl_status attachment_check(struct pl_pdf_checking *c, const struct pl_pdf_value *spec)
{
    const struct pl_pdf_value *files = NULL;
    const struct pl_pdf_value *file = NULL;
    const struct pl_pdf_value *type = NULL;
    pl_status status = pl_check_lookup(c, spec, "EF", &files);
    if (status != PL_OK || files->kind != PL_PDF_DICT)
        return status;
    pl_check_breach(c, "6.1.11", NULL, "the document has an embedded file");
    if (!pl_check_has(spec, "F") || !pl_check_has(spec, "UF"))
        pl_check_breach(c, NULL, "6.8", "an embedded file has not both names, /F and /UF");
    if (c->part != 3)
        return PL_OK;
    if (!pl_check_has(spec, "AFRelationship"))
        pl_check_breach(c, NULL, "6.8", "an embedded file has no /AFRelationship");
    status = pl_check_lookup(c, files, "F", &file);
    if (status == PL_OK)
        status = pl_check_lookup(c, file, "Subtype", &type);
    if (status == PL_OK &&
        (type->kind != PL_PDF_NAME || memchr(type->as.text.data, '/', type->as.text.size) == NULL))
        pl_check_breach(c, NULL, "6.8", "an embedded file does not say its media type (/Subtype)");
    return status;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* What an object stream holds, token by token. */
static pl_status packed_check(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    struct pl_bytes data = { 0 };
    int64_t first = 0;
    size_t end = 0;
    pl_bytes_init(&data, PL_PDF_PACK_BYTES);
    pl_check_breach(c, "6.1.4", NULL, "objects lie in a stream, which PDF 1.4 lacks");
    pl_status status = pl_check_integer(c, stream, "First", 0, &first);
    if (status == PL_OK)
        status = pl_check_decode(c, stream, &data);
    if (status == PL_OK && first >= 0 && (uint64_t)first < data.size) {
        struct pl_pdf_lex lex = { .data = data.data + first, .size = data.size - (size_t)first };
        status = tokens_check(c, &lex, &end);
    }
    pl_bytes_fini(&data);
    return status;
}

static pl_status value_check(struct pl_pdf_checking *c, const struct pl_pdf_value *value)
{
    pl_status status = PL_OK;
    if (value->kind == PL_PDF_STREAM)
        status = stream_check(c, value);
    if (status == PL_OK && value->kind == PL_PDF_STREAM &&
        pl_pdf_name_is(pl_pdf_dict_peek(value, "Type"), "ObjStm"))
        status = packed_check(c, value);
    if (status == PL_OK && value->kind == PL_PDF_DICT && pl_check_has(value, "EF"))
        status = attachment_check(c, value);
    return status;
}

/* Its text from `at` on, in a run that grows until "endobj" or "stream" stands in it. *end gets
 * where that is. */
static pl_status text_check(struct pl_pdf_checking *c, uint64_t at, uint64_t *end)
{
    for (size_t want = TEXT_FIRST;; want *= TEXT_GROWTH) {
        const uint8_t *data = NULL;
        size_t size = 0;
        size_t stop = 0;
        size_t before = c->findings->count;
        pl_status status = pl_pdf_windows_peek(&c->file->windows, at, want, &data, &size);
        if (status != PL_OK)
            return status;
        struct pl_pdf_lex lex = { .data = data, .size = size };
        status = tokens_check(c, &lex, &stop);
        *end = at + stop;
        if (status != PL_OK || !lex.cut || size < want || want >= PL_PDF_OBJECT_BYTES)
            return status;
        if (c->findings->count > before) /* what was found in half an object is found again */
            pl_findings_cut(c->findings, before);
    }
}

/* Values stay in memory for the pages that name them, as long as there is room. */
static pl_status plain_check(struct pl_pdf_checking *c, uint32_t number, uint64_t at)
{
    const struct pl_pdf_value *value = NULL;
    size_t used = 0;
    uint64_t end = at;
    pl_status status = pl_pdf_load_object(c->file, (struct pl_pdf_ref){ number, 0 }, &value, NULL);
    if (status == PL_BAD_DOCUMENT) {
        pl_check_defect(c, "7.3.10", "the object cannot be read at offset %llu",
                        (unsigned long long)at);
        return PL_OK;
    }
    if (status == PL_OK)
        status = frame_begin(c, at, &used);
    if (status == PL_OK && used > 0)
        status = text_check(c, at + used, &end);
    if (status == PL_OK && used > 0 && value->kind != PL_PDF_STREAM)
        status = frame_end(c, end);
    return status == PL_OK ? value_check(c, value) : status;
}

pl_status pl_check_objects(struct pl_pdf_checking *c)
{
    pl_status status = PL_OK;
    for (uint32_t n = 1; n < c->seen_count && status == PL_OK; n++) {
        const struct pl_pdf_value *value = NULL;
        struct pl_pdf_slot slot = pl_pdf_table_slot(c->file->table, n);
        size_t mark = pl_pdf_file_mark(c->file);
        bool roomy = mark < PL_CHECK_KEPT;
        c->object = n;
        if (slot.kind == PL_PDF_SLOT_PLAIN)
            status = plain_check(c, n, slot.at);
        else if (slot.kind == PL_PDF_SLOT_PACKED &&
                 pl_pdf_load_object(c->file, (struct pl_pdf_ref){ n, 0 }, &value, NULL) == PL_OK)
            status = value_check(c, value);
        if (roomy)
            pl_pdf_work_refill(c->file);
        else
            pl_pdf_file_release(c->file, mark);
        if (status == PL_OK)
            status = pl_check_step(c, 1);
    }
    c->object = 0;
    return status == PL_OK || (c->fault != NULL && c->fault->reason[0] != '\0')
               ? status
               : pl_fault_set(c->fault, status, "the PDF cannot be looked at: %s",
                              pl_status_text(status));
}
