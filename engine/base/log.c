/* log: a line is built in one buffer on the stack and leaves in one call.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/log.h"

#include "engine/base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_BYTES 2048
#define LOG_KEPT_BYTES 3
#define LOG_FIELD_LEAST 32 /* a number, and what stands around it */

struct log_line {
    char data[LOG_LINE_BYTES];
    size_t size;
    bool cut; /* a field did not fit: no later one is written either */
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* Bytes that may still be written: a quote, a brace and the newline are always kept back. */
static size_t line_room(const struct log_line *line)
{
    const size_t most = sizeof line->data - LOG_KEPT_BYTES;
    return line->size < most ? most - line->size : 0;
}

/* All of it or nothing, so that an escape or a character is never cut in half. */
static bool line_raw(struct log_line *line, const char *text, size_t size)
{
    if (size > line_room(line))
        return false;
    memcpy(line->data + line->size, text, size);
    line->size += size;
    return true;
}

static void line_text(struct log_line *line, const char *text)
{
    (void)line_raw(line, text, strlen(text));
}

/* The number of a character that pl_text_take_char would not show; U+FFFD for what is no UTF-8. */
static unsigned unshown_number(struct pl_span character)
{
    const uint8_t *data = (const uint8_t *)character.data;
    if (character.size == 1)
        return data[0] < 0x80 ? data[0] : 0xFFFDu;
    if (character.size == 2)
        return (data[0] & 0x1Fu) << 6 | (data[1] & 0x3Fu);
    return (data[0] & 0x0Fu) << 12 | (data[1] & 0x3Fu) << 6 | (data[2] & 0x3Fu);
}

/* Quoted; control bytes, quotes and backslashes escaped so that a value can never forge a line or
 * turn a terminal. A value that is too long is cut, and its quote is closed. */
static void line_quoted(struct log_line *line, const char *text)
{
    struct pl_span rest = pl_span_from(text);
    bool fits = line_raw(line, "\"", 1);
    PL_CHECK(fits); /* line_field has looked */
    while (fits && rest.size > 0) {
        struct pl_span character;
        char escaped[8];
        if (!pl_text_take_char(&rest, &character)) {
            (void)pl_text_format(escaped, sizeof escaped, "\\u%04x", unshown_number(character));
            fits = line_raw(line, escaped, strlen(escaped));
        } else if (*character.data == '"' || *character.data == '\\') {
            (void)pl_text_format(escaped, sizeof escaped, "\\%c", *character.data);
            fits = line_raw(line, escaped, strlen(escaped));
        } else {
            fits = line_raw(line, character.data, character.size);
        }
    }
    line->data[line->size++] = '"'; /* one of the bytes kept back */
}

static bool text_is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || *at == '"' || *at == '=' || *at == '\\')
            return false;
    return true;
}

static void line_field(struct log_line *line, enum pl_log_format format, const char *key,
                       const char *text, int64_t number)
{
    char digits[24];
    bool json = format == PL_LOG_JSON;
    if (line->cut || strlen(key) + LOG_FIELD_LEAST > line_room(line)) {
        line->cut = true; /* a field without its value would say nothing */
        return;
    }
    if (line->size > (json ? 1u : 0u))
        line_text(line, json ? "," : " ");
    if (json)
        line_quoted(line, key);
    else
        line_text(line, key);
    line_text(line, json ? ":" : "=");
    if (text == NULL) {
        (void)pl_text_format(digits, sizeof digits, "%lld", (long long)number);
        line_text(line, digits);
    } else if (!json && text_is_plain(text) && strlen(text) <= line_room(line)) {
        line_text(line, text);
    } else {
        line_quoted(line, text);
    }
}

void pl_log_write(const struct pl_log *log, enum pl_log_level level, const char *event,
                  const struct pl_log_field *fields)
{
    if (log == NULL || log->sink == NULL || level < log->least)
        return;
    struct log_line line = { .size = 0 };
    char time[PL_CLOCK_TEXT_CHARS];
    if (log->format == PL_LOG_JSON)
        line_text(&line, "{");
    line_field(&line, log->format, "time", pl_clock_text(pl_clock_wall_ms(log->clock), time), 0);
    line_field(&line, log->format, "level", level_names[level], 0);
    line_field(&line, log->format, "event", event, 0);
    for (const struct pl_log_field *field = fields; field->key != NULL; field++)
        line_field(&line, log->format, field->key, field->text, field->number);
    if (log->format == PL_LOG_JSON)
        line.data[line.size++] = '}';
    line.data[line.size++] = '\n';
    log->sink(log->owner, line.data, line.size);
}

void pl_log_stderr(void *owner, const char *line, size_t size)
{
    (void)owner;
    ssize_t put = write(STDERR_FILENO, line, size);
    (void)put; /* a log that cannot be written has nobody to tell */
}
