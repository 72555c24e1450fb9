/* log: one line per event, key=value or JSON; says what happened, never what a document holds.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_LOG_H
#define PL_ENGINE_BASE_LOG_H

#include "engine/base/clock.h"
#include "engine/base/status.h"

enum pl_log_level { PL_LOG_DEBUG, PL_LOG_INFO, PL_LOG_WARN, PL_LOG_ERROR };
enum pl_log_format { PL_LOG_TEXT, PL_LOG_JSON };

/* Receives one whole line with its newline, in one call. May be called from any thread. */
typedef void pl_log_sink_fn(void *owner, const char *line, size_t size);

/* Set up once before threads start, then only read. */
struct pl_log {
    enum pl_log_level least;
    enum pl_log_format format;
    pl_log_sink_fn *sink;
    void *owner;
    const struct pl_clock *clock;
};

/* One pair; `text` NULL means the number. */
struct pl_log_field {
    const char *key;
    const char *text;
    int64_t number;
};

#define PL_F(key, text)                                                                            \
    {                                                                                              \
        (key), (text), 0                                                                           \
    }
#define PL_FN(key, number)                                                                         \
    {                                                                                              \
        (key), NULL, (int64_t)(number)                                                             \
    }

/* Event names are `noun.verb` ("job.accepted"). At least one field. A line is cut at 2 KiB; bytes
 * that are not printable are escaped. A NULL log is silence. */
#define PL_LOG(log, level, event, ...)                                                             \
    pl_log_write((log), (level), (event), (const struct pl_log_field[]){ __VA_ARGS__, { 0 } })
void pl_log_write(const struct pl_log *log, enum pl_log_level level, const char *event,
                  const struct pl_log_field *fields);

/* The sink that writes to stderr with one write(2) a line; owner is not used. */
void pl_log_stderr(void *owner, const char *line, size_t size);

#endif
