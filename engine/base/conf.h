/* conf: typed settings with ranges, read from YAML by one table that also writes the default file.
 *
 * A program declares its settings as rows that point into its own struct. The same rows read a
 * file, check it, and write `platen.yaml` with every setting, its default and its comment. What is
 * not in the table, twice, of the wrong type or out of range is refused with file, line, what was
 * found, what is allowed and, for an unknown name, the nearest valid one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_CONF_H
#define PL_ENGINE_BASE_CONF_H

#include "engine/base/bytes.h"
#include "engine/base/status.h"

enum pl_conf_kind {
    PL_CONF_BOOL,     /* bool: true, false */
    PL_CONF_NUMBER,   /* uint64_t: digits */
    PL_CONF_BYTES,    /* uint64_t: digits with B, KiB, MiB, GiB, TiB */
    PL_CONF_DURATION, /* uint64_t, milliseconds: digits with ms, s, m, h, d */
    PL_CONF_TEXT,     /* char[max + 1]: min..max bytes of UTF-8 without controls or line breaks */
    PL_CONF_CHOICE,   /* unsigned: index into `choices` */
};

struct pl_conf_row {
    const char *name; /* "http.head_timeout": one section, a dot, a key */
    enum pl_conf_kind kind;
    size_t offset; /* of the field in the target struct */
    uint64_t min;
    uint64_t max;
    const char *initial;        /* the default, as it is written in the file */
    const char *const *choices; /* NULL-terminated; PL_CONF_CHOICE only */
    const char *comment;        /* one line, a full sentence, for the admin */
};

struct pl_conf_table {
    const struct pl_conf_row *rows;
    size_t count;
};

/* A value that replaces a default when the file is written. */
struct pl_conf_override {
    const char *name;
    const char *value;
};

/* Fills the target with every default. A default that its own row refuses fails PL_CHECK. */
void pl_conf_defaults(const struct pl_conf_table *table, void *target);

/* Reads YAML over what the target holds. PL_MISCONFIGURED with the sentence in `fault`
 * ("FILE:LINE: http.head_timeout: found "5", allowed 1s to 10m"); the target is then half written.
 * Aliases, anchors, tags and depth over two are refused. At most 1 MiB. */
pl_status pl_conf_read(const struct pl_conf_table *table, const char *file_name,
                       struct pl_span yaml, void *target, struct pl_fault *fault) PL_MUST_USE;

/* Is `value` one that the setting `name` takes? PL_MISCONFIGURED with the sentence in `fault`
 * ("http.head_timeout: found "5", allowed 1s to 10m"). For values that come from a command line. */
pl_status pl_conf_check(const struct pl_conf_table *table, const char *name, struct pl_span value,
                        struct pl_fault *fault) PL_MUST_USE;

/* Appends the default file: sections in the order of the table, a comment line above each setting
 * that ends with what is allowed, and with the default where an override replaces it. What it
 * writes, pl_conf_read reads back. PL_NO_MEMORY, PL_TOO_LARGE (of `out`), PL_MISCONFIGURED when an
 * override fails pl_conf_check; `out` is then as it was. */
pl_status pl_conf_write(const struct pl_conf_table *table, const struct pl_conf_override *overrides,
                        size_t override_count, struct pl_bytes *out) PL_MUST_USE;

#endif
