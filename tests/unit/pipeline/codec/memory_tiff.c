/* memory_tiff: libtiff over a growing buffer.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/memory_tiff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tmsize_t file_read(thandle_t owner, void *out, tmsize_t size)
{
    struct memory_tiff *file = owner;
    size_t left = file->at < file->bytes.size ? file->bytes.size - (size_t)file->at : 0;
    size_t take = (size_t)size < left ? (size_t)size : left;
    if (take > 0)
        memcpy(out, file->bytes.data + file->at, take);
    file->at += take;
    return (tmsize_t)take;
}

static tmsize_t file_write(thandle_t owner, void *data, tmsize_t size)
{
    struct memory_tiff *file = owner;
    size_t end = (size_t)file->at + (size_t)size;
    if (end > file->bytes.size) {
        uint8_t *room = NULL;
        PL_CHECK(pl_bytes_reserve(&file->bytes, end - file->bytes.size, &room) == PL_OK);
        memset(room, 0, end - file->bytes.size);
        file->bytes.size = end;
    }
    memcpy(file->bytes.data + file->at, data, (size_t)size);
    file->at = end;
    return size;
}

static toff_t file_seek(thandle_t owner, toff_t at, int whence)
{
    struct memory_tiff *file = owner;
    file->at = (whence == SEEK_CUR ? file->at : whence == SEEK_END ? file->bytes.size : 0) + at;
    return file->at;
}

static int file_close(thandle_t owner)
{
    (void)owner;
    return 0;
}

static toff_t file_size(thandle_t owner)
{
    return ((struct memory_tiff *)owner)->bytes.size;
}

static int file_on_message(TIFF *tiff, void *owner, const char *module, const char *format,
                           va_list args)
{
    (void)tiff;
    (void)module;
    (void)format;
    (void)args;
    ((struct memory_tiff *)owner)->complained = true;
    return 1;
}

void memory_tiff_open(struct memory_tiff *file, const char *mode)
{
    if (mode[0] == 'w')
        pl_bytes_init(&file->bytes, (size_t)1 << 30);
    file->at = 0;
    file->complained = false;
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    PL_CHECK(options != NULL);
    TIFFOpenOptionsSetErrorHandlerExtR(options, file_on_message, file);
    TIFFOpenOptionsSetWarningHandlerExtR(options, file_on_message, file);
    file->tiff = TIFFClientOpenExt("memory", mode, file, file_read, file_write, file_seek,
                                   file_close, file_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
}

void memory_tiff_close(struct memory_tiff *file)
{
    if (file->tiff != NULL)
        TIFFClose(file->tiff);
    file->tiff = NULL;
}

void memory_tiff_fini(struct memory_tiff *file)
{
    memory_tiff_close(file);
    pl_bytes_fini(&file->bytes);
}

static void put_le(uint8_t *out, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

void hand_put(struct pl_bytes *out, const void *data, size_t size)
{
    PL_CHECK(pl_bytes_append(out, data, size) == PL_OK);
}

void hand_begin(struct pl_bytes *out)
{
    pl_bytes_init(out, (size_t)1 << 26);
    hand_put(out, "II*\0\0\0\0\0", 8);
}

uint32_t hand_dir(struct pl_bytes *out, const struct tag_entry *entries, size_t count,
                  uint32_t next)
{
    uint32_t at = (uint32_t)out->size;
    uint8_t row[12];
    put_le(row, (uint32_t)count, 2);
    hand_put(out, row, 2);
    for (size_t i = 0; i < count; i++) {
        put_le(row, entries[i].tag, 2);
        put_le(row + 2, entries[i].type, 2);
        put_le(row + 4, entries[i].count, 4);
        put_le(row + 8, entries[i].value, 4);
        hand_put(out, row, 12);
    }
    put_le(row, next, 4);
    hand_put(out, row, 4);
    return at;
}

void hand_patch(struct pl_bytes *out, size_t at, uint32_t value)
{
    put_le(out->data + at, value, 4);
}
