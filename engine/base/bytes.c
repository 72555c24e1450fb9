/* bytes: doubling growth under a ceiling; big-endian reads and writes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_FIRST 256

void pl_bytes_init(struct pl_bytes *bytes, size_t limit)
{
    *bytes = (struct pl_bytes){ .limit = limit };
}

void pl_bytes_fini(struct pl_bytes *bytes)
{
    free(bytes->data);
    pl_bytes_init(bytes, bytes->limit);
}

void pl_bytes_clear(struct pl_bytes *bytes)
{
    bytes->size = 0;
}

/* Room for `size` more bytes under the limit, and one behind them that vsnprintf may end with. */
pl_status pl_bytes_reserve(struct pl_bytes *bytes, size_t size, uint8_t **out)
{
    size_t wanted = 0;
    if (!pl_size_add(bytes->size, size, &wanted) || wanted > bytes->limit || wanted == SIZE_MAX)
        return PL_TOO_LARGE;
    if (wanted >= bytes->capacity) {
        size_t capacity = bytes->capacity > 0 ? bytes->capacity : BYTES_FIRST;
        size_t most = bytes->limit < SIZE_MAX ? bytes->limit + 1 : SIZE_MAX;
        while (capacity <= wanted)
            capacity = capacity > most / 2 ? most : capacity * 2;
        uint8_t *data = realloc(bytes->data, capacity);
        if (data == NULL)
            return PL_NO_MEMORY;
        bytes->data = data;
        bytes->capacity = capacity;
    }
    *out = bytes->data + bytes->size;
    return PL_OK;
}

pl_status pl_bytes_append(struct pl_bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return PL_OK;
    uint8_t *room = NULL;
    pl_status status = pl_bytes_reserve(bytes, size, &room);
    if (status != PL_OK)
        return status;
    memcpy(room, data, size);
    bytes->size += size;
    return PL_OK;
}

pl_status pl_bytes_format(struct pl_bytes *bytes, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    PL_CHECK(length >= 0);
    uint8_t *room = NULL;
    pl_status status = pl_bytes_reserve(bytes, (size_t)length, &room);
    if (status != PL_OK)
        return status;
    va_start(args, format);
    (void)vsnprintf((char *)room, (size_t)length + 1, format, args);
    va_end(args);
    bytes->size += (size_t)length;
    return PL_OK;
}

void pl_bytes_shift(struct pl_bytes *bytes, size_t size)
{
    PL_CHECK(size <= bytes->size);
    bytes->size -= size;
    if (bytes->size > 0)
        memmove(bytes->data, bytes->data + size, bytes->size);
}

bool pl_cursor_take(struct pl_cursor *cursor, size_t size, const uint8_t **out)
{
    if (size > cursor->size - cursor->at)
        return false;
    *out = cursor->size > 0 ? cursor->data + cursor->at : cursor->data;
    cursor->at += size;
    return true;
}

static bool cursor_big_endian(struct pl_cursor *cursor, size_t size, uint64_t *out)
{
    const uint8_t *data = NULL;
    if (!pl_cursor_take(cursor, size, &data))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | data[i];
    *out = value;
    return true;
}

bool pl_cursor_u8(struct pl_cursor *cursor, uint8_t *out)
{
    uint64_t value = 0;
    if (!cursor_big_endian(cursor, 1, &value))
        return false;
    *out = (uint8_t)value;
    return true;
}

bool pl_cursor_u16be(struct pl_cursor *cursor, uint16_t *out)
{
    uint64_t value = 0;
    if (!cursor_big_endian(cursor, 2, &value))
        return false;
    *out = (uint16_t)value;
    return true;
}

bool pl_cursor_u32be(struct pl_cursor *cursor, uint32_t *out)
{
    uint64_t value = 0;
    if (!cursor_big_endian(cursor, 4, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool pl_cursor_u64be(struct pl_cursor *cursor, uint64_t *out)
{
    return cursor_big_endian(cursor, 8, out);
}

void pl_put_u16be(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

void pl_put_u32be(uint8_t *out, uint32_t value)
{
    pl_put_u16be(out, (uint16_t)(value >> 16));
    pl_put_u16be(out + 2, (uint16_t)value);
}

void pl_put_u64be(uint8_t *out, uint64_t value)
{
    pl_put_u32be(out, (uint32_t)(value >> 32));
    pl_put_u32be(out + 4, (uint32_t)value);
}
