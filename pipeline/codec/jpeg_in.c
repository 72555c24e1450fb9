/* jpeg_in: JPEG files as documents of one page (ITU-T T.81, JFIF 1.02, EXIF 2.3).
 *
 * The stream from SOI to EOI is copied bit for bit; what follows the EOI (more pictures of a
 * multi-picture file, padding) is left out with a note. A stream whose colour readers of PDF would
 * guess differently gets an Adobe marker behind SOI, or is decoded when its markers contradict each
 * other. Frames that PDF cannot carry are decoded when libjpeg-turbo can, refused otherwise.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"
#include "pipeline/codec/jpeg_decode.h"
#include "pipeline/codec/jpeg_shape.h"
#include "pipeline/image/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct jpeg_reader {
    struct pl_reader reader;
    struct pl_limits limits;
};

static bool frame_is_decodable(const struct pl_jpeg_info *info)
{
    bool arithmetic = info->frame == 0xc9 || info->frame == 0xca;
    return info->bits == 8 && (arithmetic || info->frame <= 0xc2);
}

/* What stands in the frame header, before memory is claimed for it. */
static pl_status frame_check(const struct pl_limits *limits, const struct pl_jpeg_info *info,
                             struct pl_fault *fault)
{
    enum pl_colour colour;
    if (info->width_px > 0 && info->height_px == 0)
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "the JPEG does not say how many rows it has, which is not supported");
    pl_status status = pl_limits_check(limits, 1, info->width_px, info->height_px, info->components,
                                       info->bits, fault);
    if (status != PL_OK)
        return status;
    if (info->frame != 0xc0 && info->bits != 8)
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "this is a JPEG of %u bits a sample; 8 are supported",
                            (unsigned)info->bits);
    if (!frame_is_decodable(info))
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "this is a %s JPEG (frame type %u), which is not supported",
                            info->frame == 0xc3 ? "lossless" : "hierarchical or lossless",
                            (unsigned)info->frame - 0xc0);
    if (!pl_jpeg_info_colour(info, &colour))
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "this JPEG has %u colour components; 1, 3 and 4 are supported",
                            (unsigned)info->components);
    return PL_OK;
}

static void jpeg_close(struct pl_reader *base)
{
    free(base);
}

static pl_status jpeg_open(struct pl_source *source, const struct pl_open_settings *settings,
                           struct pl_reader **out, struct pl_fault *fault)
{
    struct pl_jpeg_info info = { 0 };
    pl_status status = pl_jpeg_scan(source, false, &info, fault);
    if (status == PL_OK)
        status = frame_check(settings->limits, &info, fault);
    if (status != PL_OK)
        return status;
    struct jpeg_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return PL_NO_MEMORY;
    reader->reader.ops = &pl_jpeg_reader;
    reader->limits = *settings->limits;
    *out = &reader->reader;
    return PL_OK;
}

static uint32_t jpeg_page_count(const struct pl_reader *base)
{
    (void)base;
    return 1;
}

static pl_status load_profile(const struct pl_jpeg_info *info, struct pl_page *page)
{
    if (info->icc_count == 0)
        return PL_OK;
    pl_status status = PL_OK;
    for (unsigned i = 0; i < info->icc_count && status == PL_OK && !info->icc_broken; i++)
        status = pl_bytes_append(&page->icc, page->data.data + info->icc[i].at, info->icc[i].size);
    if (status == PL_TOO_LARGE || info->icc_broken) {
        pl_bytes_fini(&page->icc);
        pl_page_note(page, "unusable colour profile ignored");
        return PL_OK;
    }
    return status;
}

/* Three components and no marker that says which: libjpeg goes by component ids, other readers do
 * not. Puts an Adobe marker (transform 0, RGB) behind SOI. */
static pl_status put_rgb_marker(struct pl_page *page)
{
    static const uint8_t adobe[16] = { 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100 };
    uint8_t *room = NULL;
    pl_status status = pl_bytes_reserve(&page->data, sizeof adobe, &room);
    if (status != PL_OK)
        return status;
    memmove(page->data.data + 2 + sizeof adobe, page->data.data + 2, page->data.size - 2);
    memcpy(page->data.data + 2, adobe, sizeof adobe);
    page->data.size += sizeof adobe;
    pl_page_note(page, "RGB marker added");
    return PL_OK;
}

/* JFIF means YCbCr or grey; an Adobe marker that says otherwise makes readers disagree. */
static bool colour_is_contradictory(const struct pl_jpeg_info *info)
{
    if (!info->adobe)
        return false;
    return (info->components == 3 &&
            (info->adobe_transform > 1 || (info->jfif && info->adobe_transform == 0))) ||
           (info->components == 4 && info->adobe_transform != 0 && info->adobe_transform != 2);
}

static pl_status load_copy(const struct pl_jpeg_info *info, struct pl_page *page)
{
    pl_status status = PL_OK;
    if (pl_jpeg_info_is_rgb(info) && !info->adobe)
        status = put_rgb_marker(page);
    page->bits = 8;
    page->filter = PL_FILTER_DCT;
    page->how = PL_PAGE_COPIED;
    return status;
}

/* The encoded stream stands in page->data; the pixels take its place. */
static pl_status load_decoded(const struct pl_limits *limits, struct pl_page *page,
                              struct pl_fault *fault)
{
    struct pl_bytes encoded = page->data;
    pl_bytes_init(&page->data, encoded.limit);
    pl_status status = pl_jpeg_decode(encoded.data, encoded.size, limits, page, fault);
    pl_bytes_fini(&encoded);
    if (status == PL_OK)
        pl_page_note(page, "kind of JPEG that PDF cannot hold: decoded");
    return status;
}

/* The whole source into page->data, cut behind EOI. */
static pl_status load_stream(struct pl_source *source, struct pl_page *page,
                             struct pl_jpeg_info *info, struct pl_fault *fault)
{
    uint8_t *room = NULL;
    if (source->size > page->data.limit)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "the JPEG file has %" PRIu64 " MiB; at most %zu MiB are accepted",
                            source->size >> 20, page->data.limit >> 20);
    pl_status status = pl_bytes_reserve(&page->data, (size_t)source->size, &room);
    if (status == PL_OK)
        status = pl_source_read(source, 0, room, (size_t)source->size);
    if (status != PL_OK)
        return status;
    page->data.size = (size_t)source->size;
    struct pl_source *memory = NULL;
    status = pl_source_memory_new(page->data.data, page->data.size, &memory);
    if (status != PL_OK)
        return status;
    status = pl_jpeg_scan(memory, true, info, fault);
    memory->ops->free(memory);
    if (status == PL_OK && info->end < page->data.size) {
        pl_page_note(page, "%zu bytes after the picture left out",
                     page->data.size - (size_t)info->end);
        page->data.size = (size_t)info->end;
    }
    return status;
}

static pl_status jpeg_load(const struct pl_reader *base, struct pl_source *source, uint32_t n,
                           struct pl_page *page, struct pl_fault *fault)
{
    const struct jpeg_reader *reader = (const struct jpeg_reader *)base;
    struct pl_jpeg_info info = { 0 };
    PL_CHECK(n == 0);
    page->number = 1;
    pl_status status = load_stream(source, page, &info, fault);
    if (status == PL_OK)
        status = frame_check(&reader->limits, &info, fault);
    if (status == PL_OK) {
        pl_jpeg_shape(&info, page->data.data, page);
        (void)pl_jpeg_info_colour(&info, &page->colour);
        page->inverted = page->colour == PL_COLOUR_CMYK && info.adobe;
        status = load_profile(&info, page);
    }
    if (status == PL_OK)
        status = pl_jpeg_info_fits_pdf(&info) && !colour_is_contradictory(&info)
                     ? load_copy(&info, page)
                     : load_decoded(&reader->limits, page, fault);
    if (status == PL_OK)
        status = pl_page_add_part(page, page->height_px, page->data.size);
    if (status == PL_OK)
        pl_profile_settle(page);
    return status;
}

const struct pl_reader_ops pl_jpeg_reader = { .name = "jpeg",
                                              .open = jpeg_open,
                                              .page_count = jpeg_page_count,
                                              .load = jpeg_load,
                                              .close = jpeg_close };
