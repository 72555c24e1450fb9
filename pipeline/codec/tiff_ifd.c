/* tiff_ifd: entries in a small table, long values behind each other at even places.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_ifd.h"

#include <string.h>

enum tiff_type { TYPE_ASCII = 2, TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_RATIONAL = 5, TYPE_BYTES = 7 };

#define ENTRY_BYTES 12

static size_t type_bytes(unsigned type)
{
    return type == TYPE_SHORT ? 2 : type == TYPE_LONG ? 4 : type == TYPE_RATIONAL ? 8 : 1;
}

static void put_le(uint8_t *out, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

void pl_tiff_ifd_init(struct pl_tiff_ifd *ifd, size_t limit)
{
    ifd->count = 0;
    ifd->status = PL_OK;
    pl_bytes_init(&ifd->values, limit);
}

void pl_tiff_ifd_fini(struct pl_tiff_ifd *ifd)
{
    pl_bytes_fini(&ifd->values);
}

void pl_tiff_ifd_clear(struct pl_tiff_ifd *ifd)
{
    ifd->count = 0;
    ifd->status = PL_OK;
    pl_bytes_clear(&ifd->values);
}

static struct pl_tiff_ifd_entry *ifd_add(struct pl_tiff_ifd *ifd, uint16_t tag, enum tiff_type type,
                                         size_t count)
{
    PL_CHECK(ifd->count < PL_TIFF_IFD_ENTRIES && count > 0 && count <= UINT32_MAX);
    PL_CHECK(ifd->count == 0 || ifd->entries[ifd->count - 1].tag < tag);
    struct pl_tiff_ifd_entry *entry = &ifd->entries[ifd->count++];
    *entry = (struct pl_tiff_ifd_entry){ tag, (uint16_t)type, (uint32_t)count, 0 };
    return entry;
}

/* Adds an entry whose value has more than four bytes, and room for it; NULL after a failure. */
static uint8_t *ifd_add_long(struct pl_tiff_ifd *ifd, uint16_t tag, enum tiff_type type,
                             size_t count)
{
    size_t size = 0;
    uint8_t *room = NULL;
    struct pl_tiff_ifd_entry *entry = ifd_add(ifd, tag, type, count);
    if (ifd->status == PL_OK && !pl_size_mul(count, type_bytes(type), &size))
        ifd->status = PL_TOO_LARGE;
    size += size % 2;
    if (ifd->status == PL_OK)
        ifd->status = pl_bytes_reserve(&ifd->values, size, &room);
    if (ifd->status != PL_OK || room == NULL)
        return NULL;
    room[size - 1] = 0;
    entry->value = (uint32_t)ifd->values.size;
    ifd->values.size += size;
    return room;
}

void pl_tiff_ifd_short(struct pl_tiff_ifd *ifd, uint16_t tag, uint16_t value)
{
    pl_tiff_ifd_shorts(ifd, tag, &value, 1);
}

void pl_tiff_ifd_shorts(struct pl_tiff_ifd *ifd, uint16_t tag, const uint16_t *values, size_t count)
{
    if (count <= 2) {
        struct pl_tiff_ifd_entry *entry = ifd_add(ifd, tag, TYPE_SHORT, count);
        entry->value = values[0] | (count == 2 ? (uint32_t)values[1] << 16 : 0);
        return;
    }
    uint8_t *room = ifd_add_long(ifd, tag, TYPE_SHORT, count);
    for (size_t i = 0; room != NULL && i < count; i++)
        put_le(room + 2 * i, values[i], 2);
}

void pl_tiff_ifd_longs(struct pl_tiff_ifd *ifd, uint16_t tag, const uint32_t *values, size_t count)
{
    if (count == 1) {
        ifd_add(ifd, tag, TYPE_LONG, 1)->value = values[0];
        return;
    }
    uint8_t *room = ifd_add_long(ifd, tag, TYPE_LONG, count);
    for (size_t i = 0; room != NULL && i < count; i++)
        put_le(room + 4 * i, values[i], 4);
}

void pl_tiff_ifd_rationals(struct pl_tiff_ifd *ifd, uint16_t tag, const uint32_t *nums,
                           uint32_t den, size_t count)
{
    uint8_t *room = ifd_add_long(ifd, tag, TYPE_RATIONAL, count);
    for (size_t i = 0; room != NULL && i < count; i++) {
        put_le(room + 8 * i, nums[i], 4);
        put_le(room + 8 * i + 4, den, 4);
    }
}

void pl_tiff_ifd_text(struct pl_tiff_ifd *ifd, uint16_t tag, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size <= 4) {
        struct pl_tiff_ifd_entry *entry = ifd_add(ifd, tag, TYPE_ASCII, size);
        for (size_t i = 0; i < size; i++)
            entry->value |= (uint32_t)(uint8_t)text[i] << 8 * i;
        return;
    }
    uint8_t *room = ifd_add_long(ifd, tag, TYPE_ASCII, size);
    if (room != NULL)
        memcpy(room, text, size);
}

void pl_tiff_ifd_bytes(struct pl_tiff_ifd *ifd, uint16_t tag, const uint8_t *data, size_t size)
{
    PL_CHECK(size > 4);
    uint8_t *room = ifd_add_long(ifd, tag, TYPE_BYTES, size);
    if (room != NULL)
        memcpy(room, data, size);
}

void pl_tiff_ifd_patch(struct pl_tiff_ifd *ifd, uint16_t tag, uint32_t value)
{
    for (size_t i = 0; i < ifd->count; i++) {
        struct pl_tiff_ifd_entry *entry = &ifd->entries[i];
        if (entry->tag != tag)
            continue;
        PL_CHECK(entry->count * type_bytes(entry->type) <= 4);
        entry->value = value;
    }
}

pl_status pl_tiff_ifd_status(const struct pl_tiff_ifd *ifd)
{
    return ifd->status;
}

static uint32_t ifd_bytes(const struct pl_tiff_ifd *ifd)
{
    return (uint32_t)(2 + ENTRY_BYTES * ifd->count + 4);
}

uint64_t pl_tiff_ifd_size(const struct pl_tiff_ifd *ifd)
{
    return ifd_bytes(ifd) + ifd->values.size;
}

pl_status pl_tiff_ifd_write(const struct pl_tiff_ifd *ifd, uint32_t at, uint32_t next,
                            struct pl_bytes *out)
{
    uint8_t *room = NULL;
    PL_CHECK(at % 2 == 0 && next % 2 == 0 && pl_tiff_ifd_size(ifd) <= UINT32_MAX - at);
    pl_status status = pl_bytes_reserve(out, (size_t)pl_tiff_ifd_size(ifd), &room);
    if (status != PL_OK)
        return status;
    put_le(room, (uint32_t)ifd->count, 2);
    room += 2;
    for (size_t i = 0; i < ifd->count; i++, room += ENTRY_BYTES) {
        const struct pl_tiff_ifd_entry *entry = &ifd->entries[i];
        bool is_long = (uint64_t)entry->count * type_bytes(entry->type) > 4;
        put_le(room, entry->tag, 2);
        put_le(room + 2, entry->type, 2);
        put_le(room + 4, entry->count, 4);
        put_le(room + 8, entry->value + (is_long ? at + ifd_bytes(ifd) : 0), 4);
    }
    put_le(room, next, 4);
    if (ifd->values.size > 0)
        memcpy(room + 4, ifd->values.data, ifd->values.size);
    out->size += (size_t)pl_tiff_ifd_size(ifd);
    return PL_OK;
}
