/* pdf_load: objects out of a file: where they begin, what they are, where a stream's data ends.
 *
 * An object is parsed from one run of bytes; when it reaches the end of that, the run grows eight
 * times and the parse begins again, so that the usual object costs one window and a long one at
 * most a seventh more than its length.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <inttypes.h>
#include <string.h>

#define OBJECT_FIRST ((size_t)2048)
#define OBJECT_GROWTH 8
#define LOADS_NESTED 8
#define REFERENCES 32 /* to references */
#define RESOLVE_DEPTH 16
#define WORK_BASE ((uint64_t)128 << 20)
#define WORK_FACTOR 16
#define ARENA_LITTLE ((size_t)1 << 20)
#define SEARCH_STEP ((size_t)1 << 16)

pl_status pl_pdf_work(struct pl_pdf_file *file, uint64_t bytes)
{
    if (bytes > file->work)
        return PL_TOO_LARGE;
    file->work -= bytes;
    return PL_OK;
}

void pl_pdf_work_refill(struct pl_pdf_file *file)
{
    uint64_t size = file->windows.source->size;
    file->work = size < UINT64_MAX / 2 / WORK_FACTOR ? WORK_BASE + WORK_FACTOR * size : UINT64_MAX;
}

pl_status pl_pdf_arena_empty(const struct pl_arena *arena)
{
    return arena->limit - arena->used < ARENA_LITTLE ? PL_TOO_LARGE : PL_NO_MEMORY;
}

/* --- the end of a stream --------------------------------------------------------------------- */

static bool begins_with(const uint8_t *data, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size >= length && memcmp(data, word, length) == 0;
}

/* The first "endstream" or "endobj" from `at` on, or the end of the file. */
static pl_status extent_scan(struct pl_pdf_file *file, uint64_t at, uint64_t stop, uint64_t *found)
{
    const size_t longest = sizeof "endstream" - 1;
    uint64_t end = file->windows.source->size;
    while (at < end && at < stop) {
        const uint8_t *data = NULL;
        size_t size = 0;
        pl_status status = pl_pdf_windows_peek(&file->windows, at, SEARCH_STEP, &data, &size);
        if (status == PL_OK)
            status = pl_pdf_work(file, size);
        if (status != PL_OK)
            return status;
        size_t from = 0;
        for (;;) {
            const uint8_t *hit = memmem(data + from, size - from, "end", 3);
            if (hit == NULL)
                break;
            from = (size_t)(hit - data);
            if (begins_with(hit, size - from, "endstream") ||
                begins_with(hit, size - from, "endobj")) {
                *found = at + from;
                return PL_OK;
            }
            from++;
        }
        if (at + size >= end)
            break;
        at += size - longest + 1;
    }
    *found = at >= stop ? stop : end;
    return PL_OK;
}

/* The last search is remembered: a start within what it covered ends where it ended, one before it
 * need not be searched past its start. */
static pl_status extent_search(struct pl_pdf_file *file, uint64_t at, uint64_t *found)
{
    if (at >= file->end_from && at <= file->end_found && file->end_found > 0) {
        *found = file->end_found;
        return PL_OK;
    }
    bool before = at < file->end_from && file->end_found > 0;
    uint64_t stop = before ? file->end_from : UINT64_MAX;
    pl_status status = extent_scan(file, at, stop, found);
    if (status != PL_OK)
        return status;
    if (before && *found >= stop)
        *found = file->end_found;
    file->end_from = at;
    file->end_found = *found;
    return PL_OK;
}

/* The end of line before "endstream" is none of the data (7.3.8.1). */
static pl_status extent_trim(struct pl_pdf_file *file, uint64_t at, uint64_t *end)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    size_t back = *end - at < 2 ? (size_t)(*end - at) : 2;
    pl_status status = pl_pdf_windows_peek(&file->windows, *end - back, back, &data, &size);
    if (status != PL_OK || size < back || back == 0)
        return status;
    if (data[back - 1] == '\n' || data[back - 1] == '\r')
        *end -= back == 2 && data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    return PL_OK;
}

/* Whether "endstream" (or "endobj", where it was forgotten) follows at `end`. */
static pl_status extent_check(struct pl_pdf_file *file, uint64_t end, bool *right)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    pl_status status = pl_pdf_windows_peek(&file->windows, end, 32, &data, &size);
    size_t at = 0;
    while (status == PL_OK && at < size && at < 16 && pl_pdf_is_space(data[at]))
        at++;
    *right = status == PL_OK && (begins_with(data + at, size - at, "endstream") ||
                                 begins_with(data + at, size - at, "endobj"));
    return status;
}

pl_status pl_pdf_stream_extent(struct pl_pdf_file *file, uint64_t at,
                               const struct pl_pdf_value *dict, uint64_t *size)
{
    const struct pl_pdf_value *length = NULL;
    uint64_t left = file->windows.source->size - at;
    pl_status status = pl_pdf_lookup(file, dict, "Length", &length, NULL);
    if (status == PL_NO_MEMORY)
        return status;
    bool right = false;
    if (status == PL_OK && length->kind == PL_PDF_INT && length->as.integer >= 0 &&
        (uint64_t)length->as.integer <= left) {
        *size = (uint64_t)length->as.integer;
        status = extent_check(file, at + *size, &right);
        if (status != PL_OK || right)
            return status;
    }
    uint64_t end = 0;
    status = extent_search(file, at, &end);
    if (status == PL_OK && end < at + left)
        status = extent_trim(file, at, &end);
    if (status == PL_OK)
        *size = end - at;
    return status;
}

/* --- one object ------------------------------------------------------------------------------ */

/* "n g obj"; whatever is glued to the word is left to be read. */
static bool object_head(struct pl_pdf_lex *lex, struct pl_pdf_ref *self)
{
    struct pl_pdf_token number;
    struct pl_pdf_token generation;
    struct pl_pdf_token word;
    pl_pdf_lex_next(lex, &number);
    pl_pdf_lex_next(lex, &generation);
    pl_pdf_lex_next(lex, &word);
    if (number.kind != PL_PDF_TOKEN_INT || generation.kind != PL_PDF_TOKEN_INT ||
        word.kind != PL_PDF_TOKEN_WORD || word.raw.size < 3 || memcmp(word.raw.data, "obj", 3) != 0)
        return false;
    if (number.integer <= 0 || number.integer >= PL_PDF_NUMBERS || generation.integer < 0 ||
        generation.integer > UINT16_MAX)
        return false;
    lex->at = word.at + 3;
    *self = (struct pl_pdf_ref){ (uint32_t)number.integer, (uint16_t)generation.integer };
    return true;
}

/* The word "stream" and its end of line; *at becomes where the data begins. A lone CR is taken for
 * one, spaces before the end of line are forgiven. */
static bool object_stream(struct pl_pdf_lex *lex, size_t *at)
{
    struct pl_pdf_token word;
    pl_pdf_lex_next(lex, &word);
    if (word.kind != PL_PDF_TOKEN_WORD ||
        !begins_with((const uint8_t *)word.raw.data, word.raw.size, "stream"))
        return false;
    size_t next = word.at + 6;
    size_t line = next;
    while (line < lex->size && (lex->data[line] == ' ' || lex->data[line] == '\t'))
        line++;
    if (lex->size - line < 2)
        lex->cut = true;
    if (line < lex->size && lex->data[line] == '\r')
        next = line + 1 < lex->size && lex->data[line + 1] == '\n' ? line + 2 : line + 1;
    else if (line < lex->size && lex->data[line] == '\n')
        next = line + 1;
    *at = next;
    return true;
}

struct object_parse {
    struct pl_pdf_found found;
    bool stream;
    size_t data_at; /* of a stream, from the object's offset */
    size_t end;
    bool cut;
};

static pl_status object_parse(struct pl_pdf_file *file, const uint8_t *data, size_t size,
                              struct object_parse *out)
{
    struct pl_pdf_lex lex = { .data = data, .size = size };
    struct pl_pdf_parser *parser = &file->parser;
    bool found = false;
    *out = (struct object_parse){ .found = { .value = &pl_pdf_null } };
    if (!object_head(&lex, &out->found.self))
        return PL_NOT_FOUND;
    parser->arena = &file->arena;
    parser->references = true;
    parser->nesting = file->shared->limits.nesting;
    parser->self = out->found.self;
    parser->crypt = file->shared->encrypted ? &file->shared->crypt : NULL;
    pl_status status = pl_pdf_parse_value(parser, &lex, &out->found.value, &found);
    if (status == PL_OK && found && out->found.value->kind == PL_PDF_DICT)
        out->stream = object_stream(&lex, &out->data_at);
    out->end = lex.at;
    out->cut = lex.cut;
    return status;
}

static pl_status object_extent(struct pl_pdf_file *file, uint64_t at, struct object_parse *parse)
{
    struct pl_pdf_value *stream = pl_arena_take(&file->arena, sizeof *stream);
    if (stream == NULL)
        return pl_pdf_arena_empty(&file->arena);
    *stream = *parse->found.value;
    stream->kind = PL_PDF_STREAM;
    stream->as.dict.at = at + parse->data_at;
    stream->as.dict.self = parse->found.self;
    pl_status status =
        pl_pdf_stream_extent(file, stream->as.dict.at, stream, &stream->as.dict.size);
    parse->found.value = stream;
    parse->found.end = stream->as.dict.at + stream->as.dict.size;
    return status;
}

/* Frees what was read since `mark`: memory, and the objects that are remembered to lie there. */
static void load_undo(struct pl_pdf_file *file, size_t mark)
{
    pl_pdf_cache_release(&file->cache, mark);
    pl_arena_release(&file->arena, mark);
}

pl_status pl_pdf_read_object(struct pl_pdf_file *file, uint64_t at, struct pl_pdf_found *out)
{
    struct object_parse parse = { .cut = true };
    size_t mark = pl_arena_mark(&file->arena);
    pl_status status = PL_OK;
    for (size_t want = OBJECT_FIRST;; want *= OBJECT_GROWTH) {
        const uint8_t *data = NULL;
        size_t size = 0;
        if (want > PL_PDF_OBJECT_BYTES)
            want = PL_PDF_OBJECT_BYTES;
        status = pl_pdf_windows_peek(&file->windows, at, want, &data, &size);
        if (status != PL_OK)
            return status;
        status = object_parse(file, data, size, &parse);
        pl_status spent = pl_pdf_work(file, parse.cut ? size : parse.end);
        bool whole = at + size >= file->windows.source->size;
        if (spent != PL_OK)
            status = spent;
        if (spent != PL_OK || !parse.cut || whole || status == PL_NO_MEMORY)
            break;
        if (want == PL_PDF_OBJECT_BYTES) {
            status = PL_TOO_LARGE;
            break;
        }
        pl_arena_release(&file->arena, mark);
    }
    parse.found.end = at + parse.end;
    if (status == PL_OK && parse.stream)
        status = object_extent(file, at, &parse);
    if (status == PL_OK)
        *out = parse.found;
    else
        load_undo(file, mark);
    return status;
}

/* --- objects by number ----------------------------------------------------------------------- */

static pl_status load_plain(struct pl_pdf_file *file, uint32_t number, uint64_t at,
                            const struct pl_pdf_value **out)
{
    struct pl_pdf_found found;
    size_t mark = pl_arena_mark(&file->arena);
    pl_status status = pl_pdf_read_object(file, at, &found);
    if (status == PL_OK && found.self.number != number) {
        load_undo(file, mark);
        status = PL_NOT_FOUND;
    }
    if (status == PL_OK)
        *out = found.value;
    return status;
}

/* A page tree node that stands in its parent's Kids itself instead of a reference. */
static pl_status load_kid(struct pl_pdf_file *file, const struct pl_pdf_slot *slot,
                          const struct pl_pdf_value **out)
{
    const struct pl_pdf_value *node = file->shared->catalog;
    const struct pl_pdf_value *kids = NULL;
    pl_status status = PL_OK;
    if (slot->at == 0) {
        *out = pl_pdf_dict_peek(node, "Pages");
        return *out != NULL ? PL_OK : PL_NOT_FOUND;
    }
    status = pl_pdf_load_object(file, (struct pl_pdf_ref){ (uint32_t)slot->at, 0 }, &node, NULL);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, node, "Kids", &kids, NULL);
    if (status != PL_OK)
        return status;
    if (kids->kind != PL_PDF_ARRAY || slot->index >= kids->as.array.count)
        return PL_NOT_FOUND;
    *out = kids->as.array.items[slot->index];
    return PL_OK;
}

static pl_status load_slot(struct pl_pdf_file *file, uint32_t number,
                           const struct pl_pdf_value **out)
{
    struct pl_pdf_slot slot = pl_pdf_table_slot(file->table, number);
    switch (slot.kind) {
    case PL_PDF_SLOT_PLAIN:
        return load_plain(file, number, slot.at, out);
    case PL_PDF_SLOT_PACKED:
        return pl_pdf_pack_load(file, (uint32_t)slot.at, slot.index, number, out);
    case PL_PDF_SLOT_KID:
        return load_kid(file, &slot, out);
    case PL_PDF_SLOT_NONE:
    case PL_PDF_SLOT_FREE:
        break;
    }
    *out = &pl_pdf_null;
    return PL_OK;
}

/* What is not where it should be makes the whole table doubtful: the file is searched, once. */
static pl_status load_or_repair(struct pl_pdf_file *file, uint32_t number,
                                const struct pl_pdf_value **out)
{
    pl_status status = load_slot(file, number, out);
    if ((status != PL_NOT_FOUND && status != PL_BAD_DOCUMENT) || !file->may_repair)
        return status;
    pl_status repaired = pl_pdf_repair(file);
    if (repaired != PL_OK)
        return repaired == PL_BAD_DOCUMENT ? status : repaired;
    return load_slot(file, number, out);
}

static pl_status load_fault(pl_status status, uint32_t number, struct pl_fault *fault)
{
    switch ((int)status) {
    case PL_BAD_DOCUMENT:
        return pl_fault_set(fault, status, "object %" PRIu32 " of the PDF cannot be read", number);
    case PL_TOO_LARGE:
        return pl_fault_set(fault, status,
                            "object %" PRIu32 " of the PDF needs more than the limits allow: 16 "
                            "MiB an object, 128 MiB of structure",
                            number);
    default:
        return pl_fault_set(fault, status, "object %" PRIu32 " of the PDF: %s", number,
                            pl_status_text(status));
    }
}

pl_status pl_pdf_load_object(struct pl_pdf_file *file, struct pl_pdf_ref ref,
                             const struct pl_pdf_value **out, struct pl_fault *fault)
{
    const struct pl_pdf_loaded *loaded = pl_pdf_cache_lookup(&file->cache, ref.number);
    if (loaded != NULL && loaded->value != NULL) {
        *out = loaded->value;
        return PL_OK;
    }
    if (loaded != NULL || file->loading >= LOADS_NESTED)
        return load_fault(PL_BAD_DOCUMENT, ref.number, fault);
    const struct pl_pdf_value *value = NULL;
    size_t mark = pl_arena_mark(&file->arena);
    file->loading++;
    pl_status status = load_or_repair(file, ref.number, &value);
    file->loading--;
    if (status == PL_NOT_FOUND) {
        value = &pl_pdf_null;
        status = PL_OK;
    }
    if (status != PL_OK && status != PL_BAD_DOCUMENT && status != PL_TOO_LARGE)
        return load_fault(status, ref.number, fault);
    if (status != PL_OK)
        value = NULL;
    if (value == NULL || value != &pl_pdf_null) {
        pl_status added = pl_pdf_cache_add(&file->cache, ref.number, mark, value);
        if (status == PL_OK)
            status = added;
    }
    if (status != PL_OK)
        return load_fault(status, ref.number, fault);
    *out = value;
    return PL_OK;
}

pl_status pl_pdf_resolve(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                         const struct pl_pdf_value **out, struct pl_fault *fault)
{
    for (unsigned i = 0; i < REFERENCES; i++) {
        if (value == NULL || value->kind != PL_PDF_REF) {
            *out = value != NULL ? value : &pl_pdf_null;
            return PL_OK;
        }
        pl_status status = pl_pdf_load_object(file, value->as.ref, &value, fault);
        if (status != PL_OK)
            return status;
    }
    *out = &pl_pdf_null; /* a circle refers to nothing */
    return PL_OK;
}

pl_status pl_pdf_lookup(struct pl_pdf_file *file, const struct pl_pdf_value *dict, const char *key,
                        const struct pl_pdf_value **out, struct pl_fault *fault)
{
    return pl_pdf_resolve(file, pl_pdf_dict_peek(dict, key), out, fault);
}

static pl_status resolve_into(struct pl_pdf_file *file, const struct pl_pdf_value *from,
                              struct pl_pdf_value *to, unsigned depth);

static pl_status resolve_array(struct pl_pdf_file *file, struct pl_pdf_value *to, unsigned depth)
{
    size_t count = to->as.array.count;
    const struct pl_pdf_value *const *from = to->as.array.items;
    struct pl_pdf_value *values = pl_arena_take(&file->arena, count * sizeof *values);
    const struct pl_pdf_value **items = pl_arena_take(&file->arena, count * sizeof(void *));
    if (values == NULL || items == NULL)
        return pl_pdf_arena_empty(&file->arena);
    pl_status status = PL_OK;
    for (size_t i = 0; i < count && status == PL_OK; i++) {
        items[i] = &values[i];
        status = resolve_into(file, from[i], &values[i], depth + 1);
    }
    to->as.array.items = items;
    return status;
}

static pl_status resolve_dict(struct pl_pdf_file *file, struct pl_pdf_value *to, unsigned depth)
{
    size_t count = to->as.dict.count;
    const struct pl_pdf_entry *from = to->as.dict.entries;
    struct pl_pdf_value *values = pl_arena_take(&file->arena, count * sizeof *values);
    struct pl_pdf_entry *entries = pl_arena_take(&file->arena, count * sizeof *entries);
    if (values == NULL || entries == NULL)
        return pl_pdf_arena_empty(&file->arena);
    pl_status status = PL_OK;
    for (size_t i = 0; i < count && status == PL_OK; i++) {
        entries[i] = (struct pl_pdf_entry){ from[i].key, &values[i] };
        status = resolve_into(file, from[i].value, &values[i], depth + 1);
    }
    to->as.dict.entries = entries;
    return status;
}

static pl_status resolve_into(struct pl_pdf_file *file, const struct pl_pdf_value *from,
                              struct pl_pdf_value *to, unsigned depth)
{
    if (depth > RESOLVE_DEPTH)
        return PL_BAD_DOCUMENT;
    pl_status status = pl_pdf_resolve(file, from, &from, NULL);
    if (status != PL_OK)
        return status;
    *to = *from;
    if (to->kind == PL_PDF_ARRAY)
        return resolve_array(file, to, depth);
    return to->kind == PL_PDF_DICT ? resolve_dict(file, to, depth) : PL_OK;
}

pl_status pl_pdf_resolve_all(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                             const struct pl_pdf_value **out)
{
    struct pl_pdf_value *made = pl_arena_take(&file->arena, sizeof *made);
    if (made == NULL)
        return pl_pdf_arena_empty(&file->arena);
    *out = made;
    return resolve_into(file, value, made, 0);
}
