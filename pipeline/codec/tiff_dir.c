/* tiff_dir: one window over the source, one table of tags.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_dir.h"

#include <string.h>

#define WINDOW_BYTES 1024
#define DIR_ENTRIES_MOST 4096

enum tiff_type {
    TYPE_BYTE = 1,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_RATIONAL = 5,
    TYPE_UNDEFINED = 7,
    TYPE_LONG8 = 16,
    TYPE_IFD8 = 18,
};

/* Reads ahead, so that a directory costs one read of a (perhaps sealed) source. */
struct window {
    struct pl_source *source;
    uint64_t at;
    size_t size;
    uint8_t data[WINDOW_BYTES];
};

/* Borrows `size` bytes at `at` until the next call. */
static pl_status window_peek(struct window *window, uint64_t at, size_t size, const uint8_t **out)
{
    uint64_t end = window->source->size;
    if (at > end || size > end - at)
        return PL_BAD_DOCUMENT;
    if (at < window->at || at - window->at > window->size ||
        size > window->size - (size_t)(at - window->at)) {
        size_t ahead = end - at < WINDOW_BYTES ? (size_t)(end - at) : WINDOW_BYTES;
        window->size = 0;
        pl_status status = pl_source_read(window->source, at, window->data, ahead);
        if (status != PL_OK)
            return status;
        window->at = at;
        window->size = ahead;
    }
    *out = window->data + (size_t)(at - window->at);
    return PL_OK;
}

static uint64_t head_number(const struct pl_tiff_head *head, const uint8_t *data, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | data[head->big_endian ? i : size - 1 - i];
    return value;
}

pl_status pl_tiff_head_read(struct pl_source *source, struct pl_tiff_head *out)
{
    uint8_t data[16] = { 0 };
    if (source->size < 8)
        return PL_BAD_DOCUMENT;
    size_t size = source->size < sizeof data ? 8 : sizeof data;
    pl_status status = pl_source_read(source, 0, data, size);
    if (status != PL_OK)
        return status;
    struct pl_tiff_head head = { 0 };
    if (data[0] == 'M' && data[1] == 'M')
        head.big_endian = true;
    else if (data[0] != 'I' || data[1] != 'I')
        return PL_BAD_DOCUMENT;
    uint64_t version = head_number(&head, data + 2, 2);
    if (version == 42) {
        head.first = head_number(&head, data + 4, 4);
    } else if (version == 43 && size == sizeof data && head_number(&head, data + 4, 2) == 8 &&
               head_number(&head, data + 6, 2) == 0) {
        head.big = true;
        head.first = head_number(&head, data + 8, 8);
    } else {
        return PL_BAD_DOCUMENT;
    }
    *out = head;
    return PL_OK;
}

static size_t type_bytes(uint16_t type)
{
    static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8 };
    return type < sizeof sizes ? sizes[type] : 0;
}

static bool type_is_integer(uint16_t type)
{
    return type == TYPE_BYTE || type == TYPE_SHORT || type == TYPE_LONG || type == TYPE_LONG8 ||
           type == TYPE_IFD8 || type == TYPE_UNDEFINED;
}

enum tag_kind { TAG_NUMBER, TAG_RATIO, TAG_VALUES };

#define TAG(number, kind, field)                                                                   \
    {                                                                                              \
        number, kind, offsetof(struct pl_tiff_dir, field)                                          \
    }

static const struct tag_row {
    uint16_t number;
    uint16_t kind;
    size_t field;
} tag_rows[] = {
    TAG(254, TAG_NUMBER, subfile),        TAG(255, TAG_NUMBER, old_subfile),
    TAG(256, TAG_NUMBER, width_px),       TAG(257, TAG_NUMBER, height_px),
    TAG(258, TAG_NUMBER, bits),           TAG(259, TAG_NUMBER, compression),
    TAG(262, TAG_NUMBER, photometric),    TAG(266, TAG_NUMBER, fill_order),
    TAG(273, TAG_VALUES, offsets),        TAG(274, TAG_NUMBER, orientation),
    TAG(277, TAG_NUMBER, samples),        TAG(278, TAG_NUMBER, rows_per_strip),
    TAG(279, TAG_VALUES, sizes),          TAG(282, TAG_RATIO, x_resolution),
    TAG(283, TAG_RATIO, y_resolution),    TAG(284, TAG_NUMBER, planar),
    TAG(292, TAG_NUMBER, t4_options),     TAG(293, TAG_NUMBER, t6_options),
    TAG(296, TAG_NUMBER, unit),           TAG(322, TAG_NUMBER, tile_width_px),
    TAG(323, TAG_NUMBER, tile_height_px), TAG(324, TAG_VALUES, offsets),
    TAG(325, TAG_VALUES, sizes),          TAG(327, TAG_NUMBER, clean_fax),
    TAG(332, TAG_NUMBER, ink_set),        TAG(338, TAG_NUMBER, extra),
    TAG(339, TAG_NUMBER, sample_format),  TAG(347, TAG_VALUES, jpeg_tables),
    TAG(513, TAG_NUMBER, old_jpeg_at),    TAG(514, TAG_NUMBER, old_jpeg_bytes),
    TAG(34675, TAG_VALUES, icc),
};

struct dir_parse {
    const struct pl_tiff_head *head;
    struct window window;
    struct pl_tiff_dir *dir;
    struct pl_tiff_values bits; /* to be compared with each other */
    uint64_t seen;              /* a bit for each row of tag_rows */
};

/* First number of a tag; false when it is not one that fits. */
static bool parse_number(struct dir_parse *parse, const struct pl_tiff_values *values,
                         uint32_t *out)
{
    const uint8_t *data = NULL;
    size_t size = type_bytes(values->type);
    if (!type_is_integer(values->type) || values->count == 0 ||
        window_peek(&parse->window, values->at, size, &data) != PL_OK)
        return false;
    uint64_t value = head_number(parse->head, data, size);
    if (value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* RATIONAL by the book; SHORT and LONG as some writers have it. */
static bool parse_ratio(struct dir_parse *parse, const struct pl_tiff_values *values,
                        struct pl_tiff_ratio *out)
{
    const uint8_t *data = NULL;
    uint32_t whole = 0;
    if (values->type != TYPE_RATIONAL) {
        if (!parse_number(parse, values, &whole))
            return false;
        *out = (struct pl_tiff_ratio){ whole, 1 };
        return true;
    }
    if (values->count == 0 || window_peek(&parse->window, values->at, 8, &data) != PL_OK)
        return false;
    out->num = (uint32_t)head_number(parse->head, data, 4);
    out->den = (uint32_t)head_number(parse->head, data + 4, 4);
    return true;
}

/* Where the numbers stand, and which it is when there is one. */
static void parse_values(struct dir_parse *parse, const struct pl_tiff_values *values,
                         struct pl_tiff_values *out)
{
    const uint8_t *data = NULL;
    size_t size = type_bytes(values->type);
    *out = *values;
    out->is_single =
        values->count == 1 && window_peek(&parse->window, values->at, size, &data) == PL_OK;
    if (out->is_single)
        out->single = head_number(parse->head, data, size);
}

static void parse_known(struct dir_parse *parse, const struct tag_row *row,
                        const struct pl_tiff_values *values)
{
    char *field = (char *)parse->dir + row->field;
    switch ((enum tag_kind)row->kind) {
    case TAG_NUMBER:
        if (!parse_number(parse, values, (uint32_t *)(void *)field))
            return;
        if (row->number == 258)
            parse->bits = *values;
        if (row->number == 262)
            parse->dir->photometric_said = true;
        return;
    case TAG_RATIO:
        (void)parse_ratio(parse, values, (struct pl_tiff_ratio *)(void *)field);
        return;
    case TAG_VALUES:
        if (type_is_integer(values->type))
            parse_values(parse, values, (struct pl_tiff_values *)(void *)field);
        return;
    }
}

/* One entry of 12 or 20 bytes at `at`. */
static pl_status parse_entry(struct dir_parse *parse, uint64_t at)
{
    const struct pl_tiff_head *head = parse->head;
    size_t width = head->big ? 8 : 4; /* of counts and offsets */
    const uint8_t *data = NULL;
    pl_status status = window_peek(&parse->window, at, 4 + 2 * width, &data);
    if (status != PL_OK)
        return status;
    uint16_t number = (uint16_t)head_number(head, data, 2);
    struct pl_tiff_values values = { .type = (uint16_t)head_number(head, data + 2, 2),
                                     .count = head_number(head, data + 4, width) };
    size_t unit = type_bytes(values.type);
    if (unit == 0 || values.count == 0)
        return PL_OK;
    bool inside = values.count <= width / unit;
    values.at = inside ? at + 4 + width : head_number(head, data + 4 + width, width);
    uint64_t end = parse->window.source->size;
    if (values.at > end || values.count > (end - values.at) / unit)
        return PL_OK; /* points outside: as if absent */
    for (size_t i = 0; i < PL_COUNT_OF(tag_rows); i++) {
        uint64_t bit = (uint64_t)1 << i;
        if (tag_rows[i].number != number || (parse->seen & bit) != 0)
            continue;
        parse->seen |= bit;
        parse_known(parse, &tag_rows[i], &values);
        break;
    }
    return PL_OK;
}

/* Whether all samples have the depth of the first one. */
static bool parse_bits_differ(struct dir_parse *parse)
{
    for (uint64_t i = 1; i < parse->bits.count && i < parse->dir->samples; i++) {
        const uint8_t *data = NULL;
        size_t size = type_bytes(parse->bits.type);
        if (i >= 16 ||
            window_peek(&parse->window, parse->bits.at + i * size, size, &data) != PL_OK ||
            head_number(parse->head, data, size) != parse->dir->bits)
            return true;
    }
    return false;
}

pl_status pl_tiff_dir_read(struct pl_source *source, const struct pl_tiff_head *head, uint64_t at,
                           struct pl_tiff_dir *out)
{
    struct pl_tiff_dir dir = {
        .at = at,
        .rows_per_strip = UINT32_MAX,
        .bits = 1,
        .samples = 1,
        .compression = 1,
        .fill_order = 1,
        .planar = 1,
        .orientation = 1,
        .unit = 2,
        .sample_format = 1,
        .extra = PL_TIFF_EXTRA_NONE,
        .ink_set = 1,
    };
    struct dir_parse parse = { .head = head, .dir = &dir };
    parse.window.source = source;
    size_t count_bytes = head->big ? 8 : 2;
    size_t entry_bytes = head->big ? 20 : 12;
    const uint8_t *data = NULL;
    pl_status status = window_peek(&parse.window, at, count_bytes, &data);
    if (status != PL_OK)
        return status;
    uint64_t count = head_number(head, data, count_bytes);
    if (count == 0 || count > DIR_ENTRIES_MOST)
        return PL_BAD_DOCUMENT;
    uint64_t entry = at + count_bytes;
    for (uint64_t i = 0; i < count && status == PL_OK; i++, entry += entry_bytes)
        status = parse_entry(&parse, entry);
    if (status != PL_OK)
        return status;
    size_t next_bytes = head->big ? 8 : 4;
    status = window_peek(&parse.window, entry, next_bytes, &data);
    dir.cut = status == PL_BAD_DOCUMENT;
    if (status != PL_OK && !dir.cut)
        return status;
    dir.next = dir.cut ? 0 : head_number(head, data, next_bytes);
    dir.mixed_bits = parse_bits_differ(&parse);
    *out = dir;
    return PL_OK;
}

pl_status pl_tiff_values_read(struct pl_source *source, const struct pl_tiff_head *head,
                              const struct pl_tiff_values *values, uint64_t first, size_t count,
                              uint64_t *out)
{
    size_t size = type_bytes(values->type);
    if (!type_is_integer(values->type) || first > values->count || count > values->count - first)
        return PL_BAD_DOCUMENT;
    if (values->is_single && count == 1) {
        out[0] = values->single;
        return PL_OK;
    }
    struct window window = { .source = source };
    for (size_t i = 0; i < count; i++) {
        const uint8_t *data = NULL;
        pl_status status = window_peek(&window, values->at + (first + i) * size, size, &data);
        if (status != PL_OK)
            return status;
        out[i] = head_number(head, data, size);
    }
    return PL_OK;
}

static uint64_t pieces_along(uint32_t length, uint32_t piece)
{
    return piece == 0 ? 0 : ((uint64_t)length + piece - 1) / piece;
}

uint64_t pl_tiff_dir_pieces(const struct pl_tiff_dir *dir)
{
    uint64_t planes = dir->planar == 2 ? dir->samples : 1;
    if (planes > 64)
        return 0;
    if (dir->tile_width_px == 0 && dir->tile_height_px == 0)
        return pieces_along(dir->height_px, dir->rows_per_strip) * planes;
    uint64_t down = pieces_along(dir->height_px, dir->tile_height_px);
    uint64_t across = pieces_along(dir->width_px, dir->tile_width_px);
    return down > UINT32_MAX || across > UINT32_MAX / 64 ? 0 : down * across * planes;
}
