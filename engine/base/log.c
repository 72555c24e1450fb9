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

struct log_line {
    char data[LOG_LINE_BYTES];
    size_t size;
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static void line_raw(struct log_line *line, const char *text, size_t size)
{
    /* Two bytes are kept back for the closing brace and the newline. */
    size_t room = sizeof line->data - 2 - line->size;
    if (size > room)
        size = room;
    memcpy(line->data + line->size, text, size);
    line->size += size;
}

static void line_text(struct log_line *line, const char *text)
{
    line_raw(line, text, strlen(text));
}

/* Quoted; control bytes, quotes and backslashes escaped so that a value can never forge a line. */
static void line_quoted(struct log_line *line, const char *text)
{
    line_raw(line, "\"", 1);
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        char escaped[8];
        if (c == '"' || c == '\\') {
            (void)pl_text_format(escaped, sizeof escaped, "\\%c", c);
            line_text(line, escaped);
        } else if (c < 0x20 || c == 0x7F) {
            (void)pl_text_format(escaped, sizeof escaped, "\\u%04x", c);
            line_text(line, escaped);
        } else {
            line_raw(line, at, 1);
        }
    }
    line_raw(line, "\"", 1);
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
    } else if (!json && text_is_plain(text)) {
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
