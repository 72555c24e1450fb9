/* http_chunked: one byte at a time through the framing, whole runs through the data.
 *
 *   SIZE -> [EXT_NAME -> [EXT_VALUE | QUOTED -> QUOTED_END]]* -> SIZE_LF -> DATA -> DATA_CR ->
 *   DATA_LF -> SIZE ...;  after size 0: TRAILER -> [NAME -> VALUE -> VALUE_LF]* -> END_LF
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/http_chunked.h"

#include "engine/net/http_parse.h"

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXT_NAME,
    CHUNK_EXT_VALUE,
    CHUNK_QUOTED,
    CHUNK_QUOTED_PAIR,
    CHUNK_QUOTED_END,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a trailer line */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_BAD
};

static const char *const chunk_bad_size = "the size of a chunk is not a hexadecimal number";
static const char *const chunk_bad_extension = "the extension of a chunk is malformed";
static const char *const chunk_bad_line = "a line of the chunked body does not end in CR LF";
static const char *const chunk_bad_trailer = "a trailer field of the chunked body is malformed";

static bool byte_is_token(uint8_t c)
{
    char one = (char)c;
    return pl_http_is_token((struct pl_span){ .data = &one, .size = 1 });
}

static bool byte_is_text(uint8_t c)
{
    return c == '\t' || (c >= ' ' && c != 0x7F);
}

static const char *chunk_go(struct pl_http_chunked *chunked, enum chunk_state state)
{
    chunked->state = state;
    chunked->digits = 0; /* also counts the characters of a name or value */
    return NULL;
}

static const char *chunk_size_byte(struct pl_http_chunked *chunked, uint8_t c)
{
    int value = pl_text_hex_digit((char)c);
    if (value >= 0) {
        if (++chunked->digits > 15) /* 2^60 bytes are enough for anybody, and cannot overflow */
            return "the size of a chunk is too large";
        chunked->left = chunked->left * 16 + (uint64_t)value;
        return NULL;
    }
    if (chunked->digits == 0)
        return chunk_bad_size;
    if (c == '\r')
        return chunk_go(chunked, CHUNK_SIZE_LF);
    return c == ';' ? chunk_go(chunked, CHUNK_EXT_NAME) : chunk_bad_size;
}

/* chunk-ext-name and chunk-ext-val: tokens, at least one character each. */
static const char *chunk_extension_byte(struct pl_http_chunked *chunked, uint8_t c)
{
    if (byte_is_token(c)) {
        chunked->digits = 1;
        return NULL;
    }
    if (chunked->state == CHUNK_EXT_VALUE && chunked->digits == 0 && c == '"')
        return chunk_go(chunked, CHUNK_QUOTED);
    if (chunked->state != CHUNK_QUOTED_END && chunked->digits == 0)
        return chunk_bad_extension;
    if (chunked->state == CHUNK_EXT_NAME && c == '=')
        return chunk_go(chunked, CHUNK_EXT_VALUE);
    if (c == '\r')
        return chunk_go(chunked, CHUNK_SIZE_LF);
    return c == ';' ? chunk_go(chunked, CHUNK_EXT_NAME) : chunk_bad_extension;
}

static const char *chunk_quoted_byte(struct pl_http_chunked *chunked, uint8_t c)
{
    if (!byte_is_text(c))
        return chunk_bad_extension;
    if (chunked->state == CHUNK_QUOTED_PAIR)
        return chunk_go(chunked, CHUNK_QUOTED);
    if (c == '\\')
        return chunk_go(chunked, CHUNK_QUOTED_PAIR);
    return c == '"' ? chunk_go(chunked, CHUNK_QUOTED_END) : NULL;
}

/* The name is kept as far as it could be one of the forbidden. */
static const char *chunk_name_byte(struct pl_http_chunked *chunked, uint8_t c)
{
    if (chunked->state == CHUNK_TRAILER)
        chunked->name_bytes = 0;
    if (chunked->name_bytes < sizeof chunked->name)
        chunked->name[chunked->name_bytes++] = (char)c;
    return chunk_go(chunked, CHUNK_TRAILER_NAME);
}

static const char *chunk_name_end(struct pl_http_chunked *chunked)
{
    static const char *const forbidden[] = { "Transfer-Encoding", "Content-Length", "Host" };
    struct pl_span name = { .data = chunked->name, .size = chunked->name_bytes };
    for (size_t i = 0; i < PL_COUNT_OF(forbidden); i++)
        if (pl_span_equals_nocase(name, forbidden[i]))
            return "the trailer of the chunked body holds a field that must stand in the head";
    return chunk_go(chunked, CHUNK_TRAILER_VALUE);
}

static const char *chunk_trailer_byte(struct pl_http_chunked *chunked, uint8_t c)
{
    if (++chunked->trailer_bytes > PL_HTTP_TRAILER_BYTES)
        return "the trailer of the chunked body is longer than 8 KiB";
    if (chunked->state == CHUNK_TRAILER_VALUE) {
        if (c == '\r')
            return chunk_go(chunked, CHUNK_TRAILER_LF);
        return byte_is_text(c) ? NULL : chunk_bad_trailer;
    }
    if (chunked->state == CHUNK_TRAILER && c == '\r')
        return chunk_go(chunked, CHUNK_END_LF);
    if (chunked->state == CHUNK_TRAILER_NAME && c == ':')
        return chunk_name_end(chunked);
    return byte_is_token(c) ? chunk_name_byte(chunked, c) : chunk_bad_trailer;
}

static const char *chunk_line_feed(struct pl_http_chunked *chunked, uint8_t c)
{
    if (c != '\n')
        return chunk_bad_line;
    chunked->line_bytes = 0;
    if (chunked->state == CHUNK_SIZE_LF)
        return chunk_go(chunked, chunked->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
    if (chunked->state == CHUNK_DATA_LF)
        return chunk_go(chunked, CHUNK_SIZE);
    if (chunked->state == CHUNK_TRAILER_LF)
        return chunk_go(chunked, CHUNK_TRAILER);
    chunked->done = true;
    return NULL;
}

/* The bounds on a size line and on all extensions together: without them, a sender could make us
 * read kilobytes for each byte of body. */
static const char *chunk_bounds(struct pl_http_chunked *chunked)
{
    if (++chunked->line_bytes > PL_HTTP_CHUNK_LINE_BYTES)
        return "the extension of a chunk is longer than 512 bytes";
    if (chunked->state != CHUNK_SIZE && ++chunked->extension_bytes > PL_HTTP_EXTENSION_BYTES)
        return "the extensions of the chunked body are longer than 16 KiB";
    return NULL;
}

static const char *chunk_byte(struct pl_http_chunked *chunked, uint8_t c)
{
    const char *why = NULL;
    switch ((enum chunk_state)chunked->state) {
    case CHUNK_SIZE:
        why = chunk_bounds(chunked);
        return why != NULL ? why : chunk_size_byte(chunked, c);
    case CHUNK_EXT_NAME:
    case CHUNK_EXT_VALUE:
        why = chunk_bounds(chunked);
        return why != NULL ? why : chunk_extension_byte(chunked, c);
    case CHUNK_QUOTED_END:
        if (byte_is_token(c))
            return chunk_bad_extension;
        why = chunk_bounds(chunked);
        return why != NULL ? why : chunk_extension_byte(chunked, c);
    case CHUNK_QUOTED:
    case CHUNK_QUOTED_PAIR:
        why = chunk_bounds(chunked);
        return why != NULL ? why : chunk_quoted_byte(chunked, c);
    case CHUNK_DATA_CR:
        return c == '\r' ? chunk_go(chunked, CHUNK_DATA_LF) : chunk_bad_line;
    case CHUNK_SIZE_LF:
    case CHUNK_DATA_LF:
    case CHUNK_TRAILER_LF:
    case CHUNK_END_LF:
        return chunk_line_feed(chunked, c);
    case CHUNK_TRAILER:
    case CHUNK_TRAILER_NAME:
    case CHUNK_TRAILER_VALUE:
        return chunk_trailer_byte(chunked, c);
    case CHUNK_DATA:
    case CHUNK_BAD:
        break;
    }
    return "the chunked body was refused already";
}

pl_status pl_http_chunked_read(struct pl_http_chunked *chunked, const uint8_t *data, size_t size,
                               size_t *used, size_t *body_at, size_t *body_size, const char **why)
{
    size_t at = 0;
    *body_at = *body_size = 0;
    while (at < size && !chunked->done && chunked->state != CHUNK_DATA) {
        const char *bad = chunk_byte(chunked, data[at++]);
        if (bad != NULL) {
            chunked->state = CHUNK_BAD;
            *why = bad;
            return PL_BAD_REQUEST;
        }
    }
    if (at < size && chunked->state == CHUNK_DATA) {
        size_t run = size - at < chunked->left ? size - at : (size_t)chunked->left;
        *body_at = at;
        *body_size = run;
        at += run;
        chunked->left -= run;
        if (chunked->left == 0)
            (void)chunk_go(chunked, CHUNK_DATA_CR);
    }
    *used = at;
    return PL_OK;
}
