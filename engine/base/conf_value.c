/* conf_value: values with units and ranges, and the sentences about them.
 *
 * A unit is always written: "5" is no duration, because nobody can tell seconds from milliseconds.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/conf_priv.h"

#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    { "TiB", (uint64_t)1 << 40 },
    { "GiB", (uint64_t)1 << 30 },
    { "MiB", (uint64_t)1 << 20 },
    { "KiB", (uint64_t)1 << 10 },
    { "B", 1 },
    { NULL, 0 },
};

static const struct unit duration_units[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};

static bool value_with_unit(struct pl_span text, const struct unit *units, uint64_t *out)
{
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (!pl_text_parse_u64((struct pl_span){ text.data, digits }, UINT64_MAX, &number))
        return false;
    const struct pl_span rest = { text.data + digits, text.size - digits };
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (pl_span_equals(rest, unit->name))
            return !__builtin_mul_overflow(number, unit->factor, out);
    }
    return false;
}

/* The largest unit that leaves no fraction; without a table, the number. */
static void value_format(uint64_t value, const struct unit *units, char *out, size_t size)
{
    const struct unit *unit = units;
    while (unit != NULL && unit->factor > 1 && (value == 0 || value % unit->factor != 0))
        unit++;
    (void)pl_text_format(out, size, "%llu%s",
                         (unsigned long long)(unit != NULL ? value / unit->factor : value),
                         unit != NULL ? unit->name : "");
}

static const struct unit *row_units(const struct pl_conf_row *row)
{
    if (row->kind == PL_CONF_BYTES)
        return byte_units;
    return row->kind == PL_CONF_DURATION ? duration_units : NULL;
}

/* No C0, DEL or C1; no separator, byte-order mark or non-character that YAML folds or refuses. */
static bool text_is_one_clean_line(struct pl_span text)
{
    static const char *const refused[] = { "\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF",
                                           "\xEF\xBF\xBE", "\xEF\xBF\xBF" };
    if (!pl_text_is_utf8(text))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t *at = (const uint8_t *)text.data + i;
        size_t left = text.size - i;
        if (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && left > 1 && at[1] < 0xA0))
            return false;
        for (size_t j = 0; j < PL_COUNT_OF(refused); j++) {
            if (left >= 3 && memcmp(at, refused[j], 3) == 0)
                return false;
        }
    }
    return true;
}

static bool row_number(const struct pl_conf_row *row, struct pl_span text, uint64_t *out)
{
    const struct unit *units = row_units(row);
    uint64_t value = 0;
    bool read = units != NULL ? value_with_unit(text, units, &value)
                              : pl_text_parse_u64(text, UINT64_MAX, &value);
    if (!read || value < row->min || value > row->max)
        return false;
    *out = value;
    return true;
}

static bool row_choice(const struct pl_conf_row *row, struct pl_span text, unsigned *out)
{
    for (unsigned i = 0; row->choices[i] != NULL; i++) {
        if (pl_span_equals(text, row->choices[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool set_text(const struct pl_conf_row *row, struct pl_span text, char *place)
{
    if (text.size < row->min || text.size > row->max || !text_is_one_clean_line(text))
        return false;
    return place == NULL || pl_text_copy(place, (size_t)row->max + 1, text);
}

bool pl_conf_value_set(const struct pl_conf_row *row, struct pl_span text, void *target)
{
    char *place = target == NULL ? NULL : (char *)target + row->offset;
    bool flag = pl_span_equals(text, "true");
    uint64_t number = 0;
    unsigned choice = 0;
    const void *value = NULL;
    size_t size = 0;
    switch (row->kind) {
    case PL_CONF_TEXT:
        return set_text(row, text, place);
    case PL_CONF_BOOL:
        if (!flag && !pl_span_equals(text, "false"))
            return false;
        value = &flag;
        size = sizeof flag;
        break;
    case PL_CONF_NUMBER:
    case PL_CONF_BYTES:
    case PL_CONF_DURATION:
        if (!row_number(row, text, &number))
            return false;
        value = &number;
        size = sizeof number;
        break;
    case PL_CONF_CHOICE:
        if (!row_choice(row, text, &choice))
            return false;
        value = &choice;
        size = sizeof choice;
        break;
    }
    PL_CHECK(value != NULL);
    if (place != NULL)
        memcpy(place, value, size);
    return true;
}

static void allowed_choices(const struct pl_conf_row *row, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; row->choices[i] != NULL && used < size; i++) {
        const char *glue = i == 0 ? "" : row->choices[i + 1] != NULL ? ", " : " or ";
        (void)pl_text_format(out + used, size - used, "%s%s", glue, row->choices[i]);
        used += strlen(out + used);
    }
}

void pl_conf_value_allowed(const struct pl_conf_row *row, char out[PL_CONF_ALLOWED_CHARS])
{
    char least[32];
    char most[32];
    value_format(row->min, row_units(row), least, sizeof least);
    value_format(row->max, row_units(row), most, sizeof most);
    switch (row->kind) {
    case PL_CONF_BOOL:
        (void)pl_text_format(out, PL_CONF_ALLOWED_CHARS, "true or false");
        break;
    case PL_CONF_TEXT:
        (void)pl_text_format(out, PL_CONF_ALLOWED_CHARS, "one line of %s to %s bytes", least, most);
        break;
    case PL_CONF_CHOICE:
        allowed_choices(row, out, PL_CONF_ALLOWED_CHARS);
        break;
    case PL_CONF_NUMBER:
    case PL_CONF_BYTES:
    case PL_CONF_DURATION:
        if (row->max == UINT64_MAX) {
            (void)pl_text_format(out, PL_CONF_ALLOWED_CHARS, "%s or more", least);
        } else {
            (void)pl_text_format(out, PL_CONF_ALLOWED_CHARS, "%s to %s", least, most);
        }
        break;
    }
}

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; three rows of the table are enough. */
size_t pl_conf_distance(struct pl_span a, struct pl_span b)
{
    size_t rows[3][PL_CONF_NAME_CHARS + 1];
    if (a.size > PL_CONF_NAME_CHARS || b.size > PL_CONF_NAME_CHARS)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t cost = a.data[i - 1] == b.data[j - 1] ? 0 : 1;
            now[j] = least_of(above[j - 1] + cost, least_of(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                now[j] = least_of(now[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[a.size % 3][b.size];
}
