/* pdf_xref: cross-reference tables and streams, their chain, and hybrids of both (7.5.4, 7.5.8).
 *
 * The newest section is read first, and an entry that is there already stays. Of a hybrid the
 * entries of the table come first, then those of its stream, then what the table calls free: so do
 * the objects appear that the table hides from older readers.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <string.h>

#define TAIL_BYTES ((uint64_t)1 << 15) /* where startxref is looked for */
#define HEADER_BYTES ((size_t)1024)    /* where %PDF- is looked for */
#define SECTIONS_MOST 4096             /* updates of one file */
#define ENTRY_BYTES 20
#define SECTION_BYTES ((size_t)1 << 27) /* of one cross-reference stream, decoded */

struct xref {
    struct pl_pdf_file *file;
    uint64_t sections[SECTIONS_MOST]; /* offsets that were read: a chain may be a circle */
    size_t section_count;
};

/* The trailer of a section, in the file's arena. */
struct section {
    const struct pl_pdf_value *trailer;
    uint64_t body; /* of a table: where its first subsection begins */
    bool table;
};

static pl_status xref_put(struct xref *xref, uint64_t number, struct pl_pdf_slot slot)
{
    struct pl_pdf_table *table = &xref->file->shared->table;
    if (number == 0 || number >= PL_PDF_NUMBERS ||
        pl_pdf_table_slot(table, (uint32_t)number).kind != PL_PDF_SLOT_NONE)
        return PL_OK;
    return pl_pdf_table_put(table, (uint32_t)number, slot);
}

/* --- tables ---------------------------------------------------------------------------------- */

/* An entry of a table; `wanted` is 'n' or 'f', others are passed over. */
static pl_status table_entry(struct xref *xref, uint64_t number, uint64_t at, char type,
                             char wanted)
{
    struct pl_pdf_slot slot = { .kind = PL_PDF_SLOT_FREE };
    uint64_t shifted = at + xref->file->shared->shift;
    if (type == 'n' && at > 0 && shifted < xref->file->windows.source->size) {
        slot.kind = PL_PDF_SLOT_PLAIN;
        slot.at = shifted;
    }
    return type == wanted ? xref_put(xref, number, slot) : PL_OK;
}

static bool digits_read(const uint8_t *data, size_t count, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (data[i] < '0' || data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(data[i] - '0');
    }
    *out = value;
    return true;
}

/* Twenty bytes as the standard has them. */
static bool entry_read(const uint8_t *data, uint64_t *at, char *type)
{
    uint64_t generation = 0;
    *type = (char)data[17];
    return digits_read(data, 10, at) && data[10] == ' ' && digits_read(data + 11, 5, &generation) &&
           data[16] == ' ' && (*type == 'n' || *type == 'f') && pl_pdf_is_space(data[18]) &&
           pl_pdf_is_space(data[19]);
}

/* Entries of twenty bytes from *at on, as many as there are of them. */
static pl_status subsection_fixed(struct xref *xref, uint64_t first, uint64_t count, char wanted,
                                  uint64_t *at, uint64_t *done)
{
    while (*done < count) {
        const uint8_t *data = NULL;
        size_t size = 0;
        pl_status status =
            pl_pdf_windows_peek(&xref->file->windows, *at, ENTRY_BYTES, &data, &size);
        size_t used = 0;
        while (status == PL_OK && *done < count && size - used >= ENTRY_BYTES) {
            uint64_t place = 0;
            char type = 0;
            if (!entry_read(data + used, &place, &type))
                break;
            status = table_entry(xref, first + *done, place, type, wanted);
            used += ENTRY_BYTES;
            (*done)++;
        }
        if (status == PL_OK)
            status = pl_pdf_work(xref->file, used);
        *at += used;
        if (status != PL_OK || used == 0)
            return status;
    }
    return PL_OK;
}

/* Reads tokens at *at; a token is never longer than 64 bytes here. */
static pl_status token_at(struct xref *xref, uint64_t *at, struct pl_pdf_token *token)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    for (size_t want = 64; want <= 4096; want *= 8) {
        pl_status status = pl_pdf_windows_peek(&xref->file->windows, *at, want, &data, &size);
        if (status != PL_OK)
            return status;
        struct pl_pdf_lex lex = { .data = data, .size = size };
        pl_pdf_lex_next(&lex, token);
        if (lex.cut && *at + size < xref->file->windows.source->size)
            continue;
        *at += lex.at;
        return pl_pdf_work(xref->file, lex.at);
    }
    return PL_BAD_DOCUMENT;
}

/* Entries of any length, by their tokens. */
static pl_status subsection_loose(struct xref *xref, uint64_t first, uint64_t count, char wanted,
                                  uint64_t *at, uint64_t *done)
{
    while (*done < count) {
        struct pl_pdf_token place;
        struct pl_pdf_token generation;
        struct pl_pdf_token type;
        uint64_t next = *at;
        pl_status status = token_at(xref, &next, &place);
        if (status == PL_OK)
            status = token_at(xref, &next, &generation);
        if (status == PL_OK)
            status = token_at(xref, &next, &type);
        if (status != PL_OK)
            return status;
        if (place.kind != PL_PDF_TOKEN_INT || place.integer < 0 ||
            generation.kind != PL_PDF_TOKEN_INT || type.kind != PL_PDF_TOKEN_WORD ||
            type.raw.size != 1)
            return PL_OK; /* fewer than were promised */
        status =
            table_entry(xref, first + *done, (uint64_t)place.integer, type.raw.data[0], wanted);
        if (status != PL_OK)
            return status;
        *at = next;
        (*done)++;
    }
    return PL_OK;
}

/* Some writers say "1 n" and begin with the head of the free list, which is object 0's. */
static pl_status subsection_begin(struct xref *xref, uint64_t at, uint64_t *first)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    uint64_t place = 1;
    char type = 0;
    pl_status status = pl_pdf_windows_peek(&xref->file->windows, at, ENTRY_BYTES, &data, &size);
    if (status == PL_OK && *first == 1 && size >= ENTRY_BYTES && entry_read(data, &place, &type) &&
        place == 0 && type == 'f' && memcmp(data + 11, "65535", 5) == 0)
        *first = 0;
    return status;
}

/* All subsections from `at` on; *end becomes where the trailer's word ends. */
static pl_status table_read(struct xref *xref, uint64_t at, char wanted, uint64_t *end)
{
    for (;;) {
        struct pl_pdf_token first;
        struct pl_pdf_token count;
        pl_status status = token_at(xref, &at, &first);
        if (status != PL_OK)
            return status;
        if (first.kind == PL_PDF_TOKEN_WORD && pl_span_equals(first.raw, "trailer")) {
            *end = at;
            return PL_OK;
        }
        status = token_at(xref, &at, &count);
        if (status != PL_OK)
            return status;
        if (first.kind != PL_PDF_TOKEN_INT || count.kind != PL_PDF_TOKEN_INT || first.integer < 0 ||
            count.integer < 0)
            return PL_BAD_DOCUMENT;
        uint64_t from = (uint64_t)first.integer;
        uint64_t total = (uint64_t)count.integer;
        uint64_t done = 0;
        const uint8_t *data = NULL;
        size_t size = 0;
        status = pl_pdf_windows_peek(&xref->file->windows, at, 8, &data, &size);
        for (size_t i = 0; status == PL_OK && i < size && i < 8 && pl_pdf_is_space(data[i]); i++)
            at++;
        if (status == PL_OK)
            status = subsection_begin(xref, at, &from);
        if (status == PL_OK)
            status = subsection_fixed(xref, from, total, wanted, &at, &done);
        if (status == PL_OK && done < total)
            status = subsection_loose(xref, from, total, wanted, &at, &done);
        if (status != PL_OK)
            return status;
    }
}

/* The dictionary behind the word "trailer". */
static pl_status trailer_read(struct xref *xref, uint64_t at, const struct pl_pdf_value **out)
{
    struct pl_pdf_file *file = xref->file;
    size_t mark = pl_arena_mark(&file->arena);
    for (size_t want = 2048; want <= PL_PDF_OBJECT_BYTES; want *= 8) {
        const uint8_t *data = NULL;
        size_t size = 0;
        bool found = false;
        pl_status status = pl_pdf_windows_peek(&file->windows, at, want, &data, &size);
        if (status == PL_OK)
            status = pl_pdf_work(file, size);
        if (status != PL_OK)
            return status;
        struct pl_pdf_lex lex = { .data = data, .size = size };
        file->parser.arena = &file->arena;
        file->parser.references = true;
        file->parser.crypt = NULL;
        status = pl_pdf_parse_value(&file->parser, &lex, out, &found);
        if (lex.cut && at + size < file->windows.source->size) {
            pl_arena_release(&file->arena, mark);
            continue;
        }
        if (status != PL_OK)
            return status;
        return found && (*out)->kind == PL_PDF_DICT ? PL_OK : PL_BAD_DOCUMENT;
    }
    return PL_BAD_DOCUMENT;
}

/* --- streams --------------------------------------------------------------------------------- */

struct widths {
    size_t field[3];
    size_t sum;
};

static pl_status stream_widths(const struct pl_pdf_value *stream, struct widths *out)
{
    const struct pl_pdf_value *w = pl_pdf_dict_peek(stream, "W");
    if (w == NULL || w->kind != PL_PDF_ARRAY || w->as.array.count < 3)
        return PL_BAD_DOCUMENT;
    out->sum = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct pl_pdf_value *width = w->as.array.items[i];
        if (width->kind != PL_PDF_INT || width->as.integer < 0 || width->as.integer > 8)
            return PL_BAD_DOCUMENT;
        out->field[i] = (size_t)width->as.integer;
        out->sum += out->field[i];
    }
    return out->sum > 0 ? PL_OK : PL_BAD_DOCUMENT;
}

static uint64_t field_read(const uint8_t **data, size_t width, uint64_t otherwise)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | *(*data)++;
    return width == 0 ? otherwise : value;
}

static pl_status stream_entry(struct xref *xref, const struct widths *widths, uint64_t number,
                              const uint8_t *data)
{
    uint64_t type = field_read(&data, widths->field[0], 1);
    uint64_t second = field_read(&data, widths->field[1], 0);
    uint64_t third = field_read(&data, widths->field[2], 0);
    struct pl_pdf_slot slot = { .kind = PL_PDF_SLOT_FREE };
    if (type == 2) {
        if (second == 0 || second >= PL_PDF_NUMBERS || third >= PL_PDF_NUMBERS)
            return PL_OK;
        slot.kind = PL_PDF_SLOT_PACKED;
        slot.at = second;
        slot.index = (uint32_t)third;
        return xref_put(xref, number, slot);
    }
    return type > 2
               ? PL_OK
               : table_entry(xref, number, second, type == 1 ? 'n' : 'f', type == 1 ? 'n' : 'f');
}

/* Entries of the ranges that /Index names, or of [0 Size]. */
static pl_status stream_entries(struct xref *xref, const struct pl_pdf_value *stream,
                                const struct pl_bytes *data)
{
    struct widths widths;
    const struct pl_pdf_value *index = pl_pdf_dict_peek(stream, "Index");
    size_t ranges = index != NULL && index->kind == PL_PDF_ARRAY ? index->as.array.count / 2 : 0;
    pl_status status = stream_widths(stream, &widths);
    size_t at = 0;
    for (size_t i = 0; status == PL_OK && i < (ranges > 0 ? ranges : 1); i++) {
        uint64_t first = 0;
        uint64_t count = UINT64_MAX;
        if (ranges > 0) {
            const struct pl_pdf_value *from = index->as.array.items[2 * i];
            const struct pl_pdf_value *many = index->as.array.items[2 * i + 1];
            if (from->kind != PL_PDF_INT || many->kind != PL_PDF_INT || from->as.integer < 0 ||
                many->as.integer < 0)
                return PL_BAD_DOCUMENT;
            first = (uint64_t)from->as.integer;
            count = (uint64_t)many->as.integer;
        }
        for (uint64_t n = 0; n < count && data->size - at >= widths.sum && status == PL_OK; n++) {
            status = stream_entry(xref, &widths, first + n, data->data + at);
            at += widths.sum;
        }
    }
    return status;
}

static pl_status stream_read(struct xref *xref, uint64_t at, const struct pl_pdf_value **out)
{
    struct pl_pdf_found found;
    struct pl_bytes data;
    pl_bytes_init(&data, SECTION_BYTES);
    pl_status status = pl_pdf_read_object(xref->file, at, &found);
    if (status == PL_OK &&
        (found.value->kind != PL_PDF_STREAM || pl_pdf_dict_peek(found.value, "W") == NULL))
        status = PL_BAD_DOCUMENT;
    if (status == PL_OK)
        status = pl_pdf_stream_salvage(xref->file, found.value, &data);
    if (status == PL_OK)
        status = pl_pdf_work(xref->file, data.size);
    if (status == PL_OK)
        status = stream_entries(xref, found.value, &data);
    if (status == PL_OK)
        *out = found.value;
    pl_bytes_fini(&data);
    return status == PL_NOT_FOUND ? PL_BAD_DOCUMENT : status;
}

/* --- the chain ------------------------------------------------------------------------------- */

/* False when the section was read before. */
static bool xref_enter(struct xref *xref, uint64_t at)
{
    for (size_t i = 0; i < xref->section_count; i++) {
        if (xref->sections[i] == at)
            return false;
    }
    if (xref->section_count == SECTIONS_MOST)
        return false;
    xref->sections[xref->section_count++] = at;
    return true;
}

/* Where the trailer's `key` points; 0: nowhere. */
static uint64_t trailer_offset(const struct xref *xref, const struct pl_pdf_value *trailer,
                               const char *key)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(trailer, key);
    if (value == NULL || value->kind == PL_PDF_NULL)
        return 0;
    double real = value->kind == PL_PDF_INT    ? (double)value->as.integer
                  : value->kind == PL_PDF_REAL ? value->as.real
                                               : 0;
    if (!(real > 0 && real < 9e15))
        return 0;
    return (uint64_t)real + xref->file->shared->shift;
}

static pl_status section_read(struct xref *xref, uint64_t at, const struct pl_pdf_value **trailer)
{
    struct pl_pdf_token word;
    uint64_t body = at;
    uint64_t end = 0;
    pl_status status = token_at(xref, &body, &word);
    if (status != PL_OK)
        return status;
    if (word.kind != PL_PDF_TOKEN_WORD || !pl_span_equals(word.raw, "xref"))
        return stream_read(xref, at, trailer);
    status = table_read(xref, body, 'n', &end);
    if (status == PL_OK)
        status = trailer_read(xref, end, trailer);
    if (status != PL_OK)
        return status;
    uint64_t hidden = trailer_offset(xref, *trailer, "XRefStm");
    const struct pl_pdf_value *ignored = NULL;
    if (hidden > 0 && xref_enter(xref, hidden)) {
        status = stream_read(xref, hidden, &ignored);
        if (status != PL_OK && status != PL_BAD_DOCUMENT)
            return status;
    }
    return table_read(xref, body, 'f', &end);
}

static pl_status xref_chain(struct xref *xref, uint64_t at)
{
    struct pl_pdf_shared *shared = xref->file->shared;
    while (at > 0 && xref_enter(xref, at)) {
        const struct pl_pdf_value *trailer = NULL;
        pl_status status = section_read(xref, at, &trailer);
        if (status != PL_OK)
            return status;
        if (shared->trailer == NULL || pl_pdf_dict_peek(shared->trailer, "Root") == NULL)
            shared->trailer = pl_pdf_value_copy(&shared->arena, trailer);
        if (shared->trailer == NULL)
            return pl_pdf_arena_empty(&shared->arena);
        at = trailer_offset(xref, trailer, "Prev");
    }
    return PL_OK;
}

/* --- where to begin -------------------------------------------------------------------------- */

/* The last `word` in data, or NULL. */
static const uint8_t *find_last(const uint8_t *data, size_t size, const char *word)
{
    const uint8_t *found = NULL;
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= size;) {
        const uint8_t *hit = memmem(data + at, size - at, word, length);
        if (hit == NULL)
            break;
        found = hit;
        at = (size_t)(hit - data) + 1;
    }
    return found;
}

static pl_status xref_start(struct pl_pdf_file *file, uint64_t *out)
{
    uint64_t end = file->windows.source->size;
    uint64_t at = end > TAIL_BYTES ? end - TAIL_BYTES : 0;
    const uint8_t *data = NULL;
    size_t size = 0;
    pl_status status = pl_pdf_windows_peek(&file->windows, at, (size_t)(end - at), &data, &size);
    if (status != PL_OK)
        return status;
    const uint8_t *word = find_last(data, size, "startxref");
    if (word == NULL)
        return PL_BAD_DOCUMENT;
    struct pl_pdf_lex lex = { .data = data, .size = size, .at = (size_t)(word - data) + 9 };
    struct pl_pdf_token token;
    pl_pdf_lex_next(&lex, &token);
    if (token.kind != PL_PDF_TOKEN_INT || token.integer <= 0 || (uint64_t)token.integer >= end)
        return PL_BAD_DOCUMENT;
    *out = (uint64_t)token.integer;
    return PL_OK;
}

/* "xref" or an object's head. */
static bool xref_begins(struct xref *xref, uint64_t at)
{
    struct pl_pdf_token first;
    struct pl_pdf_token second;
    if (at >= xref->file->windows.source->size || token_at(xref, &at, &first) != PL_OK)
        return false;
    if (first.kind == PL_PDF_TOKEN_WORD)
        return pl_span_equals(first.raw, "xref");
    return first.kind == PL_PDF_TOKEN_INT && token_at(xref, &at, &second) == PL_OK &&
           second.kind == PL_PDF_TOKEN_INT && token_at(xref, &at, &second) == PL_OK &&
           second.kind == PL_PDF_TOKEN_WORD;
}

/* Bytes before the header shift all offsets, or were counted by who wrote them there. */
static pl_status xref_shift(struct xref *xref, uint64_t start)
{
    struct pl_pdf_file *file = xref->file;
    const uint8_t *data = NULL;
    size_t size = 0;
    pl_status status = pl_pdf_windows_peek(&file->windows, 0, HEADER_BYTES, &data, &size);
    if (status != PL_OK)
        return status;
    const uint8_t *header = memmem(data, size, "%PDF-", 5);
    uint64_t shift = header != NULL ? (uint64_t)(header - data) : 0;
    file->shared->shift = shift > 0 && xref_begins(xref, start + shift) ? shift : 0;
    return PL_OK;
}

pl_status pl_pdf_xref_load(struct pl_pdf_file *file)
{
    struct xref xref;
    uint64_t start = 0;
    xref.file = file;
    xref.section_count = 0;
    pl_status status = xref_start(file, &start);
    if (status == PL_OK)
        status = xref_shift(&xref, start);
    if (status == PL_OK)
        status = xref_chain(&xref, start + file->shared->shift);
    if (status == PL_OK && file->shared->trailer == NULL)
        status = PL_BAD_DOCUMENT;
    return status;
}
