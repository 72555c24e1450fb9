/* png_hand: PNG files made by hand, chunk by chunk, where libpng would refuse to write what a test
 * needs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_CODEC_PNG_HAND_H
#define PL_TESTS_UNIT_PIPELINE_CODEC_PNG_HAND_H

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

static inline void put_number(uint8_t *out, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A file made by hand, chunk by chunk. */
static inline void put_chunk(struct pl_bytes *file, const char *type, const void *data, size_t size)
{
    uint8_t number[4];
    put_number(number, (uint32_t)size);
    PL_CHECK(pl_bytes_append(file, number, 4) == PL_OK);
    size_t begin = file->size;
    PL_CHECK(pl_bytes_append(file, type, 4) == PL_OK);
    PL_CHECK(pl_bytes_append(file, data, size) == PL_OK);
    put_number(number, (uint32_t)crc32(0, file->data + begin, (uInt)(size + 4)));
    PL_CHECK(pl_bytes_append(file, number, 4) == PL_OK);
}

static inline void put_begin(struct pl_bytes *file, uint32_t width, uint32_t height, unsigned bits,
                             unsigned type)
{
    uint8_t head[13] = { [8] = (uint8_t)bits, [9] = (uint8_t)type };
    put_number(head, width);
    put_number(head + 4, height);
    pl_bytes_init(file, 1 << 26);
    PL_CHECK(pl_bytes_append(file, "\x89PNG\r\n\x1a\n", 8) == PL_OK);
    put_chunk(file, "IHDR", head, sizeof head);
}

/* `size` bytes of `byte`, compressed; the first is a filter that must exist. */
static inline void put_pixels(struct pl_bytes *file, size_t size, uint8_t byte)
{
    uint8_t *raw = calloc(1, size);
    uLongf packed_size = compressBound((uLong)size);
    uint8_t *packed = malloc(packed_size);
    PL_CHECK(raw != NULL && packed != NULL);
    memset(raw, byte, size);
    PL_CHECK(compress(packed, &packed_size, raw, (uLong)size) == Z_OK);
    put_chunk(file, "IDAT", packed, packed_size);
    free(raw);
    free(packed);
}

#endif
