/* pdf_parse: a stack of values, and marks on it where a container began.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_parse.h"

#include <stdlib.h>
#include <string.h>

const struct pl_pdf_value pl_pdf_null = { .kind = PL_PDF_NULL };

#define STACK_FIRST 64

void pl_pdf_parser_fini(struct pl_pdf_parser *parser)
{
    free(parser->stack);
    parser->stack = NULL;
    parser->capacity = parser->count = 0;
}

static void *parser_take(struct pl_pdf_parser *parser, size_t count, size_t size, pl_status *status)
{
    struct pl_arena *arena = parser->arena;
    size_t bytes = 0;
    if (!pl_size_mul(count, size, &bytes) || bytes > arena->limit - arena->used) {
        *status = PL_TOO_LARGE;
        return NULL;
    }
    void *memory = pl_arena_take(arena, bytes);
    if (memory == NULL)
        *status =
            arena->limit - arena->used < bytes + sizeof(max_align_t) ? PL_TOO_LARGE : PL_NO_MEMORY;
    return memory;
}

static pl_status parser_push(struct pl_pdf_parser *parser, const struct pl_pdf_value *value)
{
    if (parser->count == parser->capacity) {
        size_t capacity = parser->capacity > 0 ? parser->capacity * 2 : STACK_FIRST;
        if (capacity > parser->arena->limit / sizeof *parser->stack)
            return PL_TOO_LARGE;
        struct pl_pdf_value *stack = realloc(parser->stack, capacity * sizeof *stack);
        if (stack == NULL)
            return PL_NO_MEMORY;
        parser->stack = stack;
        parser->capacity = capacity;
    }
    parser->stack[parser->count++] = *value;
    return PL_OK;
}

/* Decoded text is never longer than its token. */
static pl_status parser_text(struct pl_pdf_parser *parser, const struct pl_pdf_token *token)
{
    pl_status status = PL_OK;
    struct pl_pdf_value value = { .kind = PL_PDF_STRING };
    char *text = parser_take(parser, token->raw.size, 1, &status);
    if (text == NULL)
        return status;
    size_t size = 0;
    if (token->kind == PL_PDF_TOKEN_NAME) {
        value.kind = PL_PDF_NAME;
        size = pl_pdf_name_decode(token->raw, text);
    } else if (token->kind == PL_PDF_TOKEN_HEX) {
        size = pl_pdf_hex_decode(token->raw, text);
    } else {
        size = pl_pdf_string_decode(token->raw, text);
    }
    const struct pl_pdf_crypt *crypt = parser->crypt;
    if (crypt != NULL && value.kind == PL_PDF_STRING && size > 0) {
        /* One that is not encrypted, though it should be, is kept as it is. */
        size_t plain = size;
        if (pl_pdf_crypt_decrypt(crypt, crypt->strings, parser->self, (uint8_t *)text, &plain) ==
            PL_OK)
            size = plain;
    }
    value.as.text = (struct pl_span){ text, size };
    return parser_push(parser, &value);
}

static size_t parser_first(const struct pl_pdf_parser *parser)
{
    return parser->depth > 0 ? parser->frames[parser->depth - 1].first : 0;
}

static pl_status parser_open(struct pl_pdf_parser *parser, bool dict)
{
    unsigned most =
        parser->nesting > 0 && parser->nesting < PL_PDF_NESTING ? parser->nesting : PL_PDF_NESTING;
    if (parser->depth == most)
        return PL_BAD_DOCUMENT;
    parser->frames[parser->depth].first = parser->count;
    parser->frames[parser->depth].dict = dict;
    parser->depth++;
    return PL_OK;
}

/* The open array's values move into the arena. */
static pl_status parser_close_array(struct pl_pdf_parser *parser, struct pl_pdf_value *value)
{
    pl_status status = PL_OK;
    size_t first = parser_first(parser);
    size_t count = parser->count - first;
    struct pl_pdf_value *values = parser_take(parser, count, sizeof *values, &status);
    const struct pl_pdf_value **items = parser_take(parser, count, sizeof(void *), &status);
    if (values == NULL || items == NULL)
        return status;
    if (count > 0)
        memcpy(values, parser->stack + first, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        items[i] = &values[i];
    *value = (struct pl_pdf_value){ .kind = PL_PDF_ARRAY };
    value->as.array.items = items;
    value->as.array.count = count;
    return PL_OK;
}

/* What is no key where one should stand is passed over; a key without a value gets null. */
static pl_status parser_close_dict(struct pl_pdf_parser *parser, struct pl_pdf_value *value)
{
    pl_status status = PL_OK;
    size_t first = parser_first(parser);
    size_t most = (parser->count - first + 1) / 2;
    struct pl_pdf_entry *entries = parser_take(parser, most, sizeof *entries, &status);
    struct pl_pdf_value *values = parser_take(parser, most, sizeof *values, &status);
    if (entries == NULL || values == NULL)
        return status;
    size_t count = 0;
    for (size_t i = first; i < parser->count;) {
        if (parser->stack[i].kind != PL_PDF_NAME) {
            i++;
            continue;
        }
        PL_CHECK(count < most);
        entries[count].key = parser->stack[i].as.text;
        if (i + 1 < parser->count)
            values[count] = parser->stack[i + 1];
        entries[count].value = &values[count];
        count++;
        i += 2;
    }
    *value = (struct pl_pdf_value){ .kind = PL_PDF_DICT };
    value->as.dict.entries = entries;
    value->as.dict.count = count;
    return PL_OK;
}

static pl_status parser_close(struct pl_pdf_parser *parser)
{
    struct pl_pdf_value value;
    bool dict = parser->frames[parser->depth - 1].dict;
    pl_status status =
        dict ? parser_close_dict(parser, &value) : parser_close_array(parser, &value);
    if (status != PL_OK)
        return status;
    parser->count = parser_first(parser);
    parser->depth--;
    return parser_push(parser, &value);
}

static pl_status parser_close_all(struct pl_pdf_parser *parser)
{
    pl_status status = PL_OK;
    while (parser->depth > 0 && status == PL_OK)
        status = parser_close(parser);
    return status;
}

/* ">>" also closes an array that was left open in its dictionary; "]" never closes a dictionary. */
static pl_status parser_close_by(struct pl_pdf_parser *parser, bool dict)
{
    if (parser->depth == 0)
        return PL_OK;
    bool open = parser->frames[parser->depth - 1].dict;
    if (open == dict)
        return parser_close(parser);
    if (!dict || parser->depth < 2 || !parser->frames[parser->depth - 2].dict)
        return PL_OK;
    pl_status status = parser_close(parser);
    return status == PL_OK ? parser_close(parser) : status;
}

/* "R": the two integers before it become a reference. False: they are none. */
static bool parser_fold(struct pl_pdf_parser *parser)
{
    if (!parser->references || parser->count - parser_first(parser) < 2)
        return false;
    struct pl_pdf_value *number = &parser->stack[parser->count - 2];
    const struct pl_pdf_value *generation = &parser->stack[parser->count - 1];
    if (number->kind != PL_PDF_INT || generation->kind != PL_PDF_INT)
        return false;
    int64_t n = number->as.integer;
    int64_t g = generation->as.integer;
    bool fits = n > 0 && n <= UINT32_MAX && g >= 0 && g <= UINT16_MAX;
    parser->count--;
    *number = (struct pl_pdf_value){ .kind = fits ? PL_PDF_REF : PL_PDF_NULL };
    if (fits)
        number->as.ref = (struct pl_pdf_ref){ (uint32_t)n, (uint16_t)g };
    return true;
}

static bool word_is(struct pl_span word, const char *text)
{
    return pl_span_equals(word, text);
}

/* Words that end an object, however many of its containers are open. */
static bool word_ends_object(struct pl_span word)
{
    return word_is(word, "endobj") || word_is(word, "obj") || word_is(word, "stream") ||
           word_is(word, "endstream") || word_is(word, "xref") || word_is(word, "trailer") ||
           word_is(word, "startxref");
}

/* *other is set for a word that is no value. */
static pl_status parser_word(struct pl_pdf_parser *parser, struct pl_span word, bool *other)
{
    struct pl_pdf_value value = { .kind = PL_PDF_NULL };
    if (word_is(word, "R") && parser_fold(parser))
        return PL_OK;
    if (word_is(word, "true") || word_is(word, "false")) {
        value.kind = PL_PDF_BOOL;
        value.as.boolean = word.data[0] == 't';
    } else if (!word_is(word, "null")) {
        *other = parser->depth == 0 || (parser->references && word_ends_object(word));
        if (*other)
            return PL_OK;
    }
    return parser_push(parser, &value);
}

static pl_status parser_token(struct pl_pdf_parser *parser, const struct pl_pdf_token *token,
                              bool *other)
{
    struct pl_pdf_value value = { .kind = PL_PDF_INT };
    switch (token->kind) {
    case PL_PDF_TOKEN_INT:
        value.as.integer = token->integer;
        return parser_push(parser, &value);
    case PL_PDF_TOKEN_REAL:
        value.kind = PL_PDF_REAL;
        value.as.real = token->real;
        return parser_push(parser, &value);
    case PL_PDF_TOKEN_NAME:
    case PL_PDF_TOKEN_STRING:
    case PL_PDF_TOKEN_HEX:
        return parser_text(parser, token);
    case PL_PDF_TOKEN_ARRAY_OPEN:
    case PL_PDF_TOKEN_DICT_OPEN:
        return parser_open(parser, token->kind == PL_PDF_TOKEN_DICT_OPEN);
    case PL_PDF_TOKEN_ARRAY_CLOSE:
    case PL_PDF_TOKEN_DICT_CLOSE:
        return parser_close_by(parser, token->kind == PL_PDF_TOKEN_DICT_CLOSE);
    case PL_PDF_TOKEN_WORD:
        return parser_word(parser, token->raw, other);
    case PL_PDF_TOKEN_JUNK:
    case PL_PDF_TOKEN_END:
        break;
    }
    return PL_OK;
}

static void parser_reset(struct pl_pdf_parser *parser)
{
    parser->count = 0;
    parser->depth = 0;
}

/* An integer may be the first of "n g R": two more tokens tell. */
static bool parser_is_complete(const struct pl_pdf_parser *parser)
{
    if (parser->depth > 0 || parser->count == 0)
        return false;
    if (!parser->references || parser->count == 3)
        return true;
    return parser->stack[parser->count - 1].kind != PL_PDF_INT;
}

pl_status pl_pdf_parse_value(struct pl_pdf_parser *parser, struct pl_pdf_lex *lex,
                             const struct pl_pdf_value **out, bool *found)
{
    pl_status status = PL_OK;
    parser_reset(parser);
    while (status == PL_OK && !parser_is_complete(parser)) {
        size_t before = lex->at;
        bool other = false;
        struct pl_pdf_token token;
        pl_pdf_lex_next(lex, &token);
        status = parser_token(parser, &token, &other);
        if (other)
            lex->at = before;
        if (other || token.kind == PL_PDF_TOKEN_END)
            break;
    }
    if (status == PL_OK)
        status = parser_close_all(parser);
    if (status != PL_OK)
        return status;
    *found = parser->count > 0;
    if (!*found)
        return PL_OK;
    struct pl_pdf_value *value = parser_take(parser, 1, sizeof *value, &status);
    if (value == NULL)
        return status;
    *value = parser->stack[0];
    *out = value;
    return PL_OK;
}

pl_status pl_pdf_parse_operands(struct pl_pdf_parser *parser, struct pl_pdf_lex *lex,
                                struct pl_span *word)
{
    pl_status status = PL_OK;
    parser_reset(parser);
    *word = (struct pl_span){ NULL, 0 };
    while (status == PL_OK) {
        bool other = false;
        struct pl_pdf_token token;
        pl_pdf_lex_next(lex, &token);
        status = parser_token(parser, &token, &other);
        if (other)
            *word = token.raw;
        if (other || token.kind == PL_PDF_TOKEN_END)
            break;
    }
    return status == PL_OK ? parser_close_all(parser) : status;
}

pl_status pl_pdf_parse_pairs(struct pl_pdf_parser *parser, struct pl_pdf_value *dict)
{
    PL_CHECK(parser->depth == 0);
    return parser_close_dict(parser, dict);
}

static bool copy_into(struct pl_arena *arena, const struct pl_pdf_value *from,
                      struct pl_pdf_value *to, unsigned depth);

static bool copy_array(struct pl_arena *arena, const struct pl_pdf_value *from,
                       struct pl_pdf_value *to, unsigned depth)
{
    size_t count = from->as.array.count;
    struct pl_pdf_value *values = pl_arena_take(arena, count * sizeof *values);
    const struct pl_pdf_value **items = pl_arena_take(arena, count * sizeof(void *));
    if (values == NULL || items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        items[i] = &values[i];
        if (!copy_into(arena, from->as.array.items[i], &values[i], depth + 1))
            return false;
    }
    to->as.array.items = items;
    return true;
}

static bool copy_dict(struct pl_arena *arena, const struct pl_pdf_value *from,
                      struct pl_pdf_value *to, unsigned depth)
{
    size_t count = from->as.dict.count;
    struct pl_pdf_value *values = pl_arena_take(arena, count * sizeof *values);
    struct pl_pdf_entry *entries = pl_arena_take(arena, count * sizeof *entries);
    if (values == NULL || entries == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct pl_pdf_entry *entry = &from->as.dict.entries[i];
        const char *key = pl_arena_text(arena, entry->key);
        if (key == NULL || !copy_into(arena, entry->value, &values[i], depth + 1))
            return false;
        entries[i] = (struct pl_pdf_entry){ { key, entry->key.size }, &values[i] };
    }
    to->as.dict.entries = entries;
    return true;
}

static bool copy_into(struct pl_arena *arena, const struct pl_pdf_value *from,
                      struct pl_pdf_value *to, unsigned depth)
{
    if (depth > PL_PDF_NESTING)
        return false;
    *to = *from;
    if (from->kind == PL_PDF_ARRAY)
        return copy_array(arena, from, to, depth);
    if (from->kind == PL_PDF_DICT || from->kind == PL_PDF_STREAM)
        return copy_dict(arena, from, to, depth);
    if (from->kind == PL_PDF_NAME || from->kind == PL_PDF_STRING) {
        to->as.text.data = pl_arena_text(arena, from->as.text);
        return to->as.text.data != NULL;
    }
    return true;
}

const struct pl_pdf_value *pl_pdf_value_copy(struct pl_arena *arena,
                                             const struct pl_pdf_value *value)
{
    struct pl_pdf_value *copy = pl_arena_take(arena, sizeof *copy);
    return copy != NULL && copy_into(arena, value, copy, 0) ? copy : NULL;
}
