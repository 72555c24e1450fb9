/* conf: reads a settings file from libyaml's events, and writes one from the table.
 *
 * The grammar is two levels of mappings and nothing else, so the parser is a machine of five
 * states that never recurses and keeps no tree. Everything that YAML offers beyond that (anchors,
 * aliases, tags, directives, lists, several documents) is refused by name: in a file of settings it
 * is a mistake or an attack.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/conf.h"

#include "engine/base/conf_priv.h"

#include <yaml.h>

#include <stdlib.h>
#include <string.h>

#define CONF_FILE_BYTES ((size_t)1 << 20)
#define CONF_SHOWN_CHARS 64 /* of a value or name that is quoted back */
#define CONF_PATH_CHARS 72  /* the tail of a long path is enough to find the file */

enum reader_state {
    READER_BEFORE,   /* the document, or its end */
    READER_ROOT,     /* a section's name, or the end of the document */
    READER_SECTION,  /* the section's mapping */
    READER_SETTINGS, /* a setting's name, or the end of the section */
    READER_VALUE,    /* the value of `row` */
    READER_AFTER,    /* the end of the stream */
};

struct reader {
    const struct pl_conf_table *table;
    const char *file_name;
    void *target;
    struct pl_fault *fault;
    enum reader_state state;
    const struct pl_conf_row *section; /* its first row */
    const struct pl_conf_row *row;
    bool *row_seen;
    bool *section_seen; /* indexed by the section's first row */
};

/* --- names ------------------------------------------------------------------------------- */

static struct pl_span row_section(const struct pl_conf_row *row)
{
    const char *dot = strchr(row->name, '.');
    PL_CHECK(dot != NULL && dot != row->name && dot[1] != '\0' && strchr(dot + 1, '.') == NULL);
    return (struct pl_span){ row->name, (size_t)(dot - row->name) };
}

static struct pl_span row_key(const struct pl_conf_row *row)
{
    return pl_span_from(row->name + row_section(row).size + 1);
}

static bool spans_equal(struct pl_span a, struct pl_span b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* First row of the section of that name, or NULL. */
static const struct pl_conf_row *table_section(const struct pl_conf_table *table,
                                               struct pl_span section)
{
    for (size_t i = 0; i < table->count; i++) {
        if (spans_equal(row_section(&table->rows[i]), section))
            return &table->rows[i];
    }
    return NULL;
}

static const struct pl_conf_row *table_row(const struct pl_conf_table *table,
                                           struct pl_span section, struct pl_span key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (spans_equal(row_section(&table->rows[i]), section) &&
            spans_equal(row_key(&table->rows[i]), key))
            return &table->rows[i];
    }
    return NULL;
}

/* Near enough to be a slip: a third of the name, and at least one letter in common. */
static bool distance_is_a_slip(size_t distance, size_t length)
{
    return distance <= length / 3 + 1 && distance < length;
}

static const struct pl_conf_row *nearest_section(const struct pl_conf_table *table,
                                                 struct pl_span section)
{
    const struct pl_conf_row *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < table->count; i++) {
        size_t distance = pl_conf_distance(row_section(&table->rows[i]), section);
        if (distance < least) {
            least = distance;
            best = &table->rows[i];
        }
    }
    return distance_is_a_slip(least, section.size) ? best : NULL;
}

/* The setting of nearly that name in its section, or else of just that name in another. */
static const struct pl_conf_row *nearest_row(const struct pl_conf_table *table,
                                             struct pl_span section, struct pl_span key)
{
    const struct pl_conf_row *best = NULL;
    const struct pl_conf_row *elsewhere = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_conf_row *row = &table->rows[i];
        if (!spans_equal(row_section(row), section)) {
            if (spans_equal(row_key(row), key))
                elsewhere = row;
            continue;
        }
        size_t distance = pl_conf_distance(row_key(row), key);
        if (distance < least) {
            least = distance;
            best = row;
        }
    }
    return distance_is_a_slip(least, key.size) ? best : elsewhere;
}

/* --- sentences --------------------------------------------------------------------------- */

/* "FILE:LINE: " before what the caller says. */
static pl_status reader_refuse(struct reader *reader, const yaml_mark_t *mark, const char *sentence)
{
    size_t length = strlen(reader->file_name);
    bool cut = length > CONF_PATH_CHARS;
    return pl_fault_set(reader->fault, PL_MISCONFIGURED, "%s%s:%zu: %s", cut ? "..." : "",
                        reader->file_name + (cut ? length - CONF_PATH_CHARS : 0), mark->line + 1,
                        sentence);
}

static pl_status refuse_value(const struct pl_conf_row *row, struct pl_span value,
                              struct pl_fault *fault)
{
    char shown[CONF_SHOWN_CHARS];
    char allowed[PL_CONF_ALLOWED_CHARS];
    (void)pl_text_sanitize(value, shown, sizeof shown);
    pl_conf_value_allowed(row, allowed);
    return pl_fault_set(fault, PL_MISCONFIGURED, "%s: found \"%s\", allowed %s", row->name, shown,
                        allowed);
}

/* `suggested` is a name or NULL. */
static pl_status refuse_unknown(struct reader *reader, const yaml_mark_t *mark, const char *kind,
                                struct pl_span name, struct pl_span suggested)
{
    char shown[CONF_SHOWN_CHARS];
    char sentence[PL_FAULT_CHARS];
    (void)pl_text_sanitize(name, shown, sizeof shown);
    if (suggested.data != NULL) {
        (void)pl_text_format(sentence, sizeof sentence, "%s: no such %s, did you mean %.*s?", shown,
                             kind, (int)suggested.size, suggested.data);
    } else {
        (void)pl_text_format(sentence, sizeof sentence, "%s: no such %s", shown, kind);
    }
    return reader_refuse(reader, mark, sentence);
}

static pl_status refuse_named(struct reader *reader, const yaml_mark_t *mark, struct pl_span name,
                              const char *what)
{
    char sentence[PL_FAULT_CHARS];
    (void)pl_text_format(sentence, sizeof sentence, "%.*s: %s", (int)name.size, name.data, what);
    return reader_refuse(reader, mark, sentence);
}

/* --- the machine ------------------------------------------------------------------------- */

static struct pl_span event_text(const yaml_event_t *event)
{
    return (struct pl_span){ (const char *)event->data.scalar.value, event->data.scalar.length };
}

static bool event_is_nothing(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* What no settings file may hold, wherever it stands. */
static const char *event_refused(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "an alias (*name) is not allowed here";
    case YAML_SEQUENCE_START_EVENT:
        return "a list is not allowed here";
    case YAML_DOCUMENT_START_EVENT:
        return event->data.document_start.version_directive != NULL ||
                       event->data.document_start.tag_directives.start !=
                           event->data.document_start.tag_directives.end
                   ? "a directive (%) is not allowed here"
                   : NULL;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    if (anchor != NULL)
        return "an anchor (&name) is not allowed here";
    return tag != NULL ? "a tag (!name) is not allowed here" : NULL;
}

static pl_status on_root(struct reader *reader, const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_END_EVENT) {
        reader->state = READER_AFTER;
        return PL_OK;
    }
    if (event->type != YAML_SCALAR_EVENT)
        return reader_refuse(reader, &event->start_mark, "expected the name of a section");
    struct pl_span name = event_text(event);
    reader->section = table_section(reader->table, name);
    if (reader->section == NULL) {
        const struct pl_conf_row *near = nearest_section(reader->table, name);
        return refuse_unknown(reader, &event->start_mark, "section", name,
                              near != NULL ? row_section(near) : (struct pl_span){ NULL, 0 });
    }
    bool *seen = &reader->section_seen[reader->section - reader->table->rows];
    if (*seen)
        return refuse_named(reader, &event->start_mark, name, "this section is there twice");
    *seen = true;
    reader->state = READER_SECTION;
    return PL_OK;
}

static pl_status on_section(struct reader *reader, const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_START_EVENT) {
        reader->state = READER_SETTINGS;
    } else if (event_is_nothing(event)) {
        reader->state = READER_ROOT; /* "http:" with all its lines commented out */
    } else {
        return refuse_named(reader, &event->start_mark, row_section(reader->section),
                            "is a section: its settings stand on lines of their own below it");
    }
    return PL_OK;
}

static pl_status on_settings(struct reader *reader, const yaml_event_t *event)
{
    if (event->type == YAML_MAPPING_END_EVENT) {
        reader->state = READER_ROOT;
        return PL_OK;
    }
    if (event->type != YAML_SCALAR_EVENT)
        return reader_refuse(reader, &event->start_mark, "expected the name of a setting");
    struct pl_span key = event_text(event);
    struct pl_span section = row_section(reader->section);
    reader->row = table_row(reader->table, section, key);
    if (reader->row == NULL) {
        char full[CONF_SHOWN_CHARS * 2];
        const struct pl_conf_row *near = nearest_row(reader->table, section, key);
        (void)pl_text_format(full, sizeof full, "%.*s.%.*s", (int)section.size, section.data,
                             (int)(key.size < CONF_SHOWN_CHARS ? key.size : CONF_SHOWN_CHARS),
                             key.data);
        return refuse_unknown(reader, &event->start_mark, "setting", pl_span_from(full),
                              near != NULL ? pl_span_from(near->name)
                                           : (struct pl_span){ NULL, 0 });
    }
    bool *seen = &reader->row_seen[reader->row - reader->table->rows];
    if (*seen) {
        return refuse_named(reader, &event->start_mark, pl_span_from(reader->row->name),
                            "this setting is there twice");
    }
    *seen = true;
    reader->state = READER_VALUE;
    return PL_OK;
}

static pl_status on_value(struct reader *reader, const yaml_event_t *event)
{
    struct pl_fault refused = { .status = PL_OK };
    if (event->type != YAML_SCALAR_EVENT) {
        return refuse_named(reader, &event->start_mark, pl_span_from(reader->row->name),
                            "found more lines below it, allowed one value");
    }
    reader->state = READER_SETTINGS;
    if (pl_conf_value_set(reader->row, event_text(event), reader->target))
        return PL_OK;
    (void)refuse_value(reader->row, event_text(event), &refused);
    return reader_refuse(reader, &event->start_mark, refused.reason);
}

static pl_status reader_take(struct reader *reader, const yaml_event_t *event)
{
    const char *refused = event_refused(event);
    if (refused != NULL)
        return reader_refuse(reader, &event->start_mark, refused);
    switch (event->type) {
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return PL_OK;
    case YAML_DOCUMENT_START_EVENT:
        return reader->state == READER_BEFORE
                   ? PL_OK
                   : reader_refuse(reader, &event->start_mark, "a second document is not allowed");
    case YAML_NO_EVENT:
    case YAML_ALIAS_EVENT:
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_START_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    switch (reader->state) {
    case READER_BEFORE:
        reader->state = event->type == YAML_MAPPING_START_EVENT ? READER_ROOT : READER_AFTER;
        return reader->state == READER_ROOT || event_is_nothing(event)
                   ? PL_OK
                   : reader_refuse(reader, &event->start_mark, "expected the name of a section");
    case READER_ROOT:
        return on_root(reader, event);
    case READER_SECTION:
        return on_section(reader, event);
    case READER_SETTINGS:
        return on_settings(reader, event);
    case READER_VALUE:
        return on_value(reader, event);
    case READER_AFTER:
        break;
    }
    return reader_refuse(reader, &event->start_mark, "expected the end of the file");
}

static pl_status refuse_yaml(struct reader *reader, const yaml_parser_t *parser)
{
    char sentence[PL_FAULT_CHARS];
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
    if (parser->error == YAML_MEMORY_ERROR) {
        return pl_fault_set(reader->fault, PL_NO_MEMORY, "out of memory while reading %s",
                            reader->file_name);
    }
    if (parser->error == YAML_READER_ERROR) {
        (void)pl_text_format(sentence, sizeof sentence, "not YAML in UTF-8: %s at byte %zu",
                             problem, parser->problem_offset);
    } else {
        (void)pl_text_format(sentence, sizeof sentence, "not YAML: %s", problem);
    }
    return reader_refuse(reader,
                         parser->error == YAML_READER_ERROR ? &parser->mark : &parser->problem_mark,
                         sentence);
}

static pl_status reader_run(struct reader *reader, yaml_parser_t *parser)
{
    pl_status status = PL_OK;
    bool ended = false;
    while (status == PL_OK && !ended) {
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0)
            return refuse_yaml(reader, parser);
        ended = event.type == YAML_STREAM_END_EVENT;
        status = reader_take(reader, &event);
        yaml_event_delete(&event);
    }
    return status;
}

pl_status pl_conf_read(const struct pl_conf_table *table, const char *file_name,
                       struct pl_span yaml, void *target, struct pl_fault *fault)
{
    struct reader reader = {
        .table = table, .file_name = file_name, .target = target, .fault = fault
    };
    yaml_parser_t parser;
    pl_status status = PL_NO_MEMORY;
    if (yaml.size > CONF_FILE_BYTES) {
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s: found a file of %zu bytes, allowed at most 1MiB", file_name,
                            yaml.size);
    }
    reader.row_seen = calloc(table->count + 1, sizeof *reader.row_seen);
    reader.section_seen = calloc(table->count + 1, sizeof *reader.section_seen);
    if (reader.row_seen == NULL || reader.section_seen == NULL ||
        yaml_parser_initialize(&parser) == 0) {
        (void)pl_fault_set(fault, PL_NO_MEMORY, "out of memory while reading %s", file_name);
        goto done;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.data, yaml.size);
    status = reader_run(&reader, &parser);
    yaml_parser_delete(&parser);
done:
    free(reader.section_seen);
    free(reader.row_seen);
    return status;
}

void pl_conf_defaults(const struct pl_conf_table *table, void *target)
{
    for (size_t i = 0; i < table->count; i++) {
        PL_CHECK(strlen(table->rows[i].name) <= PL_CONF_NAME_CHARS);
        PL_CHECK(row_section(&table->rows[i]).size > 0);
        PL_CHECK(pl_conf_value_set(&table->rows[i], pl_span_from(table->rows[i].initial), target));
    }
}

pl_status pl_conf_check(const struct pl_conf_table *table, const char *name, struct pl_span value,
                        struct pl_fault *fault)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].name, name) != 0)
            continue;
        return pl_conf_value_set(&table->rows[i], value, NULL)
                   ? PL_OK
                   : refuse_value(&table->rows[i], value, fault);
    }
    return pl_fault_set(fault, PL_MISCONFIGURED, "%s: no such setting", name);
}

/* --- writing ----------------------------------------------------------------------------- */

/* Text stands in single quotes, in which only the quote itself has to be doubled. */
static pl_status write_value(const struct pl_conf_row *row, const char *value, struct pl_bytes *out)
{
    if (row->kind != PL_CONF_TEXT)
        return pl_bytes_format(out, "%s\n", value);
    pl_status status = pl_bytes_append(out, "'", 1);
    for (const char *at = value; status == PL_OK && *at != '\0'; at++)
        status = *at == '\'' ? pl_bytes_append(out, "''", 2) : pl_bytes_append(out, at, 1);
    return status != PL_OK ? status : pl_bytes_append(out, "'\n", 2);
}

static pl_status write_row(const struct pl_conf_row *row, const char *value, struct pl_bytes *out)
{
    char allowed[PL_CONF_ALLOWED_CHARS];
    struct pl_span key = row_key(row);
    pl_conf_value_allowed(row, allowed);
    pl_status status = pl_bytes_format(out, "  # %s Allowed: %s.", row->comment, allowed);
    if (status == PL_OK && value != NULL) {
        status =
            pl_bytes_format(out, " Default: %s.", row->initial[0] != '\0' ? row->initial : "empty");
    }
    if (status == PL_OK)
        status = pl_bytes_format(out, "\n  %.*s: ", (int)key.size, key.data);
    return status != PL_OK ? status : write_value(row, value != NULL ? value : row->initial, out);
}

static pl_status write_section(const struct pl_conf_table *table, const struct pl_conf_row *first,
                               const struct pl_conf_override *overrides, size_t override_count,
                               struct pl_bytes *out)
{
    struct pl_span section = row_section(first);
    pl_status status = pl_bytes_format(out, "%s%.*s:\n", first == table->rows ? "" : "\n",
                                       (int)section.size, section.data);
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_conf_row *row = &table->rows[i];
        const char *value = NULL;
        if (!spans_equal(row_section(row), section))
            continue;
        for (size_t j = 0; j < override_count; j++) {
            if (strcmp(overrides[j].name, row->name) == 0)
                value = overrides[j].value;
        }
        status = write_row(row, value, out);
    }
    return status;
}

pl_status pl_conf_write(const struct pl_conf_table *table, const struct pl_conf_override *overrides,
                        size_t override_count, struct pl_bytes *out)
{
    size_t before = out->size;
    pl_status status = PL_OK;
    for (size_t i = 0; status == PL_OK && i < override_count; i++)
        status = pl_conf_check(table, overrides[i].name, pl_span_from(overrides[i].value), NULL);
    for (size_t i = 0; status == PL_OK && i < table->count; i++) {
        const struct pl_conf_row *row = &table->rows[i];
        if (table_section(table, row_section(row)) == row)
            status = write_section(table, row, overrides, override_count, out);
    }
    if (status != PL_OK)
        out->size = before;
    return status;
}
