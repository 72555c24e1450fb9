/* exif: the first directory of the block is all that is looked at.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/exif.h"

#include "pipeline/codec/tiff_ifd.h"

#include <string.h>

#define HEAD_BYTES 8
#define ENTRY_BYTES 12
#define TAG_ORIENTATION 274
#define TYPE_SHORT 3

struct exif {
    const uint8_t *data;
    size_t size;
    bool big;  /* byte order */
    size_t at; /* of the first directory's first entry */
    size_t count;
};

static uint32_t number_at(const struct exif *exif, size_t at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | exif->data[exif->big ? at + i : at + size - 1 - i];
    return value;
}

static void number_put(const struct exif *exif, uint8_t *out, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[exif->big ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

/* Finds the first directory; false: there is none that lies inside. */
static bool exif_open(const uint8_t *data, size_t size, struct exif *out)
{
    *out = (struct exif){ .data = data, .size = size };
    if (size < HEAD_BYTES + 2 + 4)
        return false;
    out->big = data[0] == 'M';
    if (memcmp(data, out->big ? "MM\0*" : "II*\0", 4) != 0)
        return false;
    uint32_t at = number_at(out, 4, 4);
    if (at < HEAD_BYTES || at > size - 6)
        return false;
    out->count = number_at(out, at, 2);
    out->at = (size_t)at + 2;
    return out->count <= (size - out->at - 4) / ENTRY_BYTES;
}

static void entry_put(const struct exif *exif, uint8_t *out, uint8_t orientation)
{
    memset(out, 0, ENTRY_BYTES);
    number_put(exif, out, TAG_ORIENTATION, 2);
    number_put(exif, out + 2, TYPE_SHORT, 2);
    number_put(exif, out + 4, 1, 4);
    number_put(exif, out + 8, orientation, 2);
}

/* A directory with one entry more, behind everything that the old one points to. */
static pl_status exif_extend(const struct exif *exif, size_t before, uint8_t orientation,
                             struct pl_bytes *out)
{
    size_t base = out->size;
    size_t entries = exif->count * ENTRY_BYTES;
    size_t pad = exif->size % 2;
    uint8_t *room = NULL;
    pl_status status =
        pl_bytes_reserve(out, exif->size + pad + 2 + entries + ENTRY_BYTES + 4, &room);
    if (status != PL_OK)
        return status;
    memcpy(room, exif->data, exif->size);
    memset(room + exif->size, 0, pad);
    number_put(exif, room + 4, (uint32_t)(exif->size + pad), 4);
    room += exif->size + pad;
    number_put(exif, room, (uint32_t)exif->count + 1, 2);
    memcpy(room + 2, exif->data + exif->at, before * ENTRY_BYTES);
    entry_put(exif, room + 2 + before * ENTRY_BYTES, orientation);
    memcpy(room + 2 + (before + 1) * ENTRY_BYTES, exif->data + exif->at + before * ENTRY_BYTES,
           entries - before * ENTRY_BYTES + 4); /* and the place of the next directory */
    out->size = base + exif->size + pad + 2 + entries + ENTRY_BYTES + 4;
    return PL_OK;
}

pl_status pl_exif_turn(const uint8_t *data, size_t size, uint8_t orientation, struct pl_bytes *out,
                       bool *done)
{
    struct exif exif;
    *done = exif_open(data, size, &exif);
    if (!*done)
        return PL_OK;
    size_t n = 0;
    while (n < exif.count && number_at(&exif, exif.at + n * ENTRY_BYTES, 2) < TAG_ORIENTATION)
        n++;
    bool has_tag =
        n < exif.count && number_at(&exif, exif.at + n * ENTRY_BYTES, 2) == TAG_ORIENTATION;
    if (!has_tag)
        return exif_extend(&exif, n, orientation, out);
    size_t base = out->size;
    pl_status status = pl_bytes_append(out, data, size);
    if (status == PL_OK)
        entry_put(&exif, out->data + base + exif.at + n * ENTRY_BYTES, orientation);
    return status;
}

pl_status pl_exif_make(uint8_t orientation, uint32_t x_mdpi, uint32_t y_mdpi, struct pl_bytes *out)
{
    static const uint8_t head[HEAD_BYTES] = { 'I', 'I', 42, 0, HEAD_BYTES };
    struct pl_tiff_ifd ifd;
    pl_tiff_ifd_init(&ifd, 4096);
    pl_tiff_ifd_short(&ifd, TAG_ORIENTATION, orientation);
    pl_tiff_ifd_rationals(&ifd, 282, &x_mdpi, 1000, 1);
    pl_tiff_ifd_rationals(&ifd, 283, &y_mdpi, 1000, 1);
    pl_tiff_ifd_short(&ifd, 296, 2); /* per inch */
    pl_status status = pl_tiff_ifd_status(&ifd);
    if (status == PL_OK)
        status = pl_bytes_append(out, head, sizeof head);
    if (status == PL_OK)
        status = pl_tiff_ifd_write(&ifd, HEAD_BYTES, 0, out);
    pl_tiff_ifd_fini(&ifd);
    return status;
}
