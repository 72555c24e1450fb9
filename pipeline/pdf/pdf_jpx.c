/* pdf_jpx: boxes up to the code stream, then its SIZ marker.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_jpx.h"

#include "engine/base/bytes.h"

#include <string.h>

#define BOX_MOST 64       /* boxes that are looked at */
#define HEAD_MOST 8192    /* bytes of the header box that are looked at */
#define SIZ_COMPONENTS 64 /* of which depths are compared */
#define ENUM_CMYK 12
#define ENUM_SRGB 16
#define ENUM_GREY 17
#define ENUM_SYCC 18
#define ENUM_CIE_JAB 19

struct box {
    uint64_t at; /* of its contents */
    uint64_t size;
    uint8_t type[4];
};

static pl_status jpx_damaged(struct pl_fault *fault)
{
    return pl_fault_set(fault, PL_BAD_DOCUMENT, "the head of a JPEG 2000 image cannot be read");
}

static uint32_t number_at(const uint8_t *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

/* The box at `at`; a length of 0 reaches to the end. */
static pl_status box_read(struct pl_source *source, uint64_t at, struct box *out,
                          struct pl_fault *fault)
{
    uint8_t head[16];
    if (at > source->size || source->size - at < 8)
        return jpx_damaged(fault);
    pl_status status = pl_source_read(source, at, head, 8);
    if (status != PL_OK)
        return status;
    uint64_t length = number_at(head);
    uint64_t skip = 8;
    if (length == 1) {
        skip = 16;
        if (source->size - at < skip)
            return jpx_damaged(fault);
        status = pl_source_read(source, at, head, 16);
        if (status != PL_OK)
            return status;
        length = (uint64_t)number_at(head + 8) << 32 | number_at(head + 12);
    } else if (length == 0) {
        length = source->size - at;
    }
    if (length < skip || length > source->size - at)
        return jpx_damaged(fault);
    memcpy(out->type, head + 4, 4);
    out->at = at + skip;
    out->size = length - skip;
    return PL_OK;
}

static void colour_read(const uint8_t *data, size_t size, struct pl_jpx_info *info)
{
    if (size < 3)
        return;
    info->colours++;
    info->methods_bad += data[0] < 1 || data[0] > 3;
    info->best += data[2] == 1;
    if (data[0] == 1 && size >= 7 && info->enumerated == 0)
        info->enumerated = number_at(data + 3);
}

/* Channel definitions: any that is opacity. */
static void channels_read(const uint8_t *data, size_t size, struct pl_jpx_info *info)
{
    for (size_t at = 2; at + 6 <= size; at += 6) {
        unsigned type = (unsigned)data[at + 2] << 8 | data[at + 3];
        info->opacity = info->opacity || type != 0;
    }
}

/* The boxes inside of jp2h. */
static void header_read(const uint8_t *data, size_t size, struct pl_jpx_info *info)
{
    for (size_t at = 0; size - at >= 8;) {
        size_t length = number_at(data + at);
        if (length < 8 || length > size - at)
            return;
        const uint8_t *type = data + at + 4;
        if (memcmp(type, "colr", 4) == 0) {
            colour_read(data + at + 8, length - 8, info);
        } else if (memcmp(type, "cdef", 4) == 0) {
            channels_read(data + at + 8, length - 8, info);
        } else if (memcmp(type, "pclr", 4) == 0) {
            info->palette = true;
        }
        at += length;
    }
}

/* SOC, then SIZ, which comes first (A.5.1). */
static pl_status stream_read(struct pl_source *source, uint64_t at, struct pl_jpx_info *info,
                             struct pl_fault *fault)
{
    uint8_t head[42];
    uint8_t depths[3 * SIZ_COMPONENTS];
    if (at > source->size || source->size - at < sizeof head)
        return jpx_damaged(fault);
    pl_status status = pl_source_read(source, at, head, sizeof head);
    if (status != PL_OK)
        return status;
    uint32_t right = number_at(head + 8);
    uint32_t bottom = number_at(head + 12);
    uint32_t left = number_at(head + 16);
    uint32_t top = number_at(head + 20);
    unsigned count = (unsigned)head[40] << 8 | head[41];
    if (memcmp(head, "\xff\x4f\xff\x51", 4) != 0 || right <= left || bottom <= top || count == 0)
        return jpx_damaged(fault);
    info->width_px = right - left;
    info->height_px = bottom - top;
    info->components = count;
    size_t looked = count < SIZ_COMPONENTS ? count : SIZ_COMPONENTS;
    if (source->size - at - sizeof head < looked * 3)
        return jpx_damaged(fault);
    status = pl_source_read(source, at + sizeof head, depths, looked * 3);
    for (size_t i = 0; status == PL_OK && i < looked; i++) {
        info->mixed_bits = info->mixed_bits || depths[3 * i] != depths[0];
        info->is_signed = info->is_signed || depths[3 * i] > 0x7f;
        info->bits = (depths[0] & 0x7fU) + 1;
    }
    return status;
}

pl_status pl_jpx_scan(struct pl_source *source, struct pl_jpx_info *out, struct pl_fault *fault)
{
    uint8_t head[HEAD_MOST];
    *out = (struct pl_jpx_info){ 0 };
    if (source->size < 12)
        return jpx_damaged(fault);
    pl_status status = pl_source_read(source, 0, head, 12);
    if (status != PL_OK)
        return status;
    if (memcmp(head + 4, "jP  ", 4) != 0)
        return stream_read(source, 0, out, fault);
    out->boxed = true;
    uint64_t at = 0;
    for (unsigned i = 0; i < BOX_MOST; i++) {
        struct box box = { 0 };
        status = box_read(source, at, &box, fault);
        if (status != PL_OK)
            return status;
        if (memcmp(box.type, "jp2c", 4) == 0)
            return stream_read(source, box.at, out, fault);
        if (memcmp(box.type, "jp2h", 4) == 0) {
            size_t size = box.size < sizeof head ? (size_t)box.size : sizeof head;
            status = pl_source_read(source, box.at, head, size);
            if (status != PL_OK)
                return status;
            header_read(head, size, out);
        }
        at = box.at + box.size;
    }
    return jpx_damaged(fault);
}

bool pl_jpx_colour(const struct pl_jpx_info *info, enum pl_colour *out)
{
    if (info->palette || info->opacity || info->mixed_bits || info->is_signed)
        return false;
    switch (info->components) {
    case 1:
        *out = PL_COLOUR_GREY;
        return info->enumerated == 0 || info->enumerated == ENUM_GREY;
    case 3:
        *out = PL_COLOUR_RGB;
        return info->enumerated == 0 || info->enumerated == ENUM_SRGB ||
               info->enumerated == ENUM_SYCC;
    case 4:
        *out = PL_COLOUR_CMYK;
        return info->enumerated == 0 || info->enumerated == ENUM_CMYK;
    default:
        return false;
    }
}

const char *pl_jpx_refuses_pdfa(const struct pl_jpx_info *info, bool spaced)
{
    unsigned channels = info->components;
    if (channels != 1 && channels != 3 && channels != 4)
        return "holds a JPEG 2000 image whose colour channels are not 1, 3 or 4";
    if (info->mixed_bits || info->bits < 1 || info->bits > 38)
        return "holds a JPEG 2000 image with channels of different depths";
    if (info->enumerated == ENUM_CIE_JAB)
        return "holds a JPEG 2000 image in CIEJab colour";
    if (!spaced && (info->colours == 0 || info->methods_bad > 0))
        return "holds a JPEG 2000 image that does not say its colours";
    if (!spaced && info->colours > 1 && info->best != 1)
        return "holds a JPEG 2000 image that says its colours more than once";
    return NULL;
}
