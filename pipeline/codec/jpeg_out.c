/* jpeg_out: a page as a JPEG file (ITU-T T.81, JFIF 1.02, EXIF 2.3).
 *
 * A DCT page is written bit for bit when its markers say what the page is. Otherwise the segments
 * before the first scan are written anew, and only these; the picture itself is never touched:
 * - orientation: in the EXIF block, which gets the tag, or a small block of its own. Turning the
 *   pixels would lose some; readers that do not know the tag show the picture as it was stored;
 * - resolution: in JFIF's density, in whole dots per inch. A stream without JFIF gets one, unless
 *   that would say that RGB or CMYK is YCbCr: then it gets an EXIF block, if it has none;
 * - a profile that the stream does not have: in APP2.
 * "What the markers say" is what our own reader makes of them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/exif.h"
#include "pipeline/codec/jpeg_shape.h"
#include "pipeline/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_LIMIT ((size_t)1 << 26)
#define SEGMENT_MOST 65533U /* bytes behind the length */
#define ICC_HEAD 14U
#define ICC_PIECE (SEGMENT_MOST - ICC_HEAD)
#define EXIF_HEAD 6U
#define THUMBNAIL_PX 256 /* convert_settings.h */

struct jpeg_writer {
    struct pl_writer writer;
    const struct pl_convert *convert;
    struct pl_out *out;
    uint64_t most;
    bool written;
    struct pl_bytes head;
};

/* What has to be said anew. */
struct changes {
    bool density; /* in JFIF */
    bool exif;    /* a block of our own */
    bool turn;    /* the block that is there */
    bool profile;
};

static struct pl_cursor stream_of(const struct pl_page *page)
{
    const struct pl_page_part *part = &page->parts[0];
    PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
    return (struct pl_cursor){ page->data.data + part->at, part->size, 0 };
}

static pl_status stream_scan(const struct pl_page *page, struct pl_jpeg_info *info)
{
    struct pl_source *source = NULL;
    struct pl_cursor stream = stream_of(page);
    pl_status status = pl_source_memory_new(stream.data, stream.size, &source);
    if (status != PL_OK)
        return status;
    status = pl_jpeg_scan(source, false, info, NULL);
    source->ops->free(source);
    return status;
}

/* A thumbnail is carried when it is one. */
static bool size_fits(const struct pl_convert *convert, const struct pl_page *page)
{
    uint32_t most = convert->thumbnail_px > 0 ? convert->thumbnail_px : THUMBNAIL_PX;
    return convert->to != PL_FORMAT_THUMBNAIL ||
           (page->width_px <= most && page->height_px <= most);
}

static bool jpeg_carries(const struct pl_convert *convert, const struct pl_page *page)
{
    struct pl_jpeg_info info;
    enum pl_colour colour;
    if (page->kind != PL_PAGE_IMAGE || page->filter != PL_FILTER_DCT || page->part_count != 1 ||
        page->palette.size > 0 || !size_fits(convert, page) || stream_scan(page, &info) != PL_OK ||
        !pl_jpeg_info_fits_pdf(&info) || !pl_jpeg_info_colour(&info, &colour) ||
        colour != page->colour)
        return false;
    /* Readers take an Adobe marker on four components to mean that they are inverted. */
    bool inverted = colour == PL_COLOUR_CMYK && info.adobe;
    return info.width_px == page->width_px && info.height_px == page->height_px &&
           page->inverted == inverted;
}

static bool profile_is_there(const struct pl_page *page, const struct pl_jpeg_info *info)
{
    const uint8_t *data = stream_of(page).data;
    size_t at = 0;
    if (info->icc_count == 0 || info->icc_broken)
        return false;
    for (unsigned i = 0; i < info->icc_count; i++) {
        const struct pl_jpeg_run *run = &info->icc[i];
        if (run->size > page->icc.size - at ||
            memcmp(page->icc.data + at, data + run->at, run->size) != 0)
            return false;
        at += run->size;
    }
    return at == page->icc.size;
}

/* JFIF says grey or YCbCr. */
static bool may_be_jfif(const struct pl_jpeg_info *info)
{
    return info->jfif || info->components == 1 ||
           (info->components == 3 && !pl_jpeg_info_is_rgb(info) &&
            (!info->adobe || info->adobe_transform == 1));
}

static struct changes changes_of(const struct pl_page *page, const struct pl_jpeg_info *info)
{
    struct pl_page said = { 0 };
    struct changes changes = { .profile = page->icc.size > 0 && !profile_is_there(page, info) };
    pl_jpeg_shape(info, stream_of(page).data, &said);
    bool turned = said.orientation != page->orientation;
    bool sized = said.x_mdpi != page->x_mdpi || said.y_mdpi != page->y_mdpi;
    changes.density = sized && may_be_jfif(info);
    changes.turn = turned && info->exif.size > 0;
    changes.exif = info->exif.size == 0 && (turned || (sized && !changes.density));
    return changes;
}

static pl_status put_segment(struct pl_bytes *out, uint8_t marker, const void *head,
                             size_t head_size, const void *data, size_t size)
{
    PL_CHECK(head_size + size <= SEGMENT_MOST);
    uint8_t begin[4] = { 0xff, marker };
    pl_put_u16be(begin + 2, (uint16_t)(2 + head_size + size));
    pl_status status = pl_bytes_append(out, begin, sizeof begin);
    if (status == PL_OK)
        status = pl_bytes_append(out, head, head_size);
    return status == PL_OK ? pl_bytes_append(out, data, size) : status;
}

static uint16_t whole_dpi(uint32_t mdpi)
{
    uint32_t dpi = (mdpi + 500) / 1000;
    return (uint16_t)(dpi == 0 ? 1 : dpi > UINT16_MAX ? UINT16_MAX : dpi);
}

static void density_put(const struct pl_page *page, uint8_t *jfif)
{
    jfif[7] = 1; /* per inch */
    pl_put_u16be(jfif + 8, whole_dpi(page->x_mdpi));
    pl_put_u16be(jfif + 10, whole_dpi(page->y_mdpi));
}

static pl_status put_jfif(const struct pl_page *page, struct pl_bytes *out)
{
    uint8_t data[14] = { 'J', 'F', 'I', 'F', 0, 1, 2 };
    density_put(page, data);
    return put_segment(out, PL_JPEG_APP0, data, sizeof data, "", 0);
}

static pl_status put_exif(const struct pl_page *page, struct pl_bytes *out)
{
    struct pl_bytes block;
    pl_bytes_init(&block, SEGMENT_MOST - EXIF_HEAD);
    pl_status status = pl_exif_make(page->orientation, page->x_mdpi, page->y_mdpi, &block);
    if (status == PL_OK)
        status = put_segment(out, 0xe1, "Exif\0", EXIF_HEAD, block.data, block.size);
    pl_bytes_fini(&block);
    return status;
}

/* The block that is there, turned; one of our own when it cannot be read or has no room left. */
static pl_status put_turned(const struct pl_page *page, const uint8_t *data, size_t size,
                            struct pl_bytes *out)
{
    struct pl_bytes block;
    bool done = false;
    pl_bytes_init(&block, SEGMENT_MOST - EXIF_HEAD);
    pl_status status = pl_exif_turn(data, size, page->orientation, &block, &done);
    if (status == PL_OK && done)
        status = put_segment(out, 0xe1, "Exif\0", EXIF_HEAD, block.data, block.size);
    else if (status == PL_OK || status == PL_TOO_LARGE)
        status = put_exif(page, out);
    pl_bytes_fini(&block);
    return status;
}

static pl_status put_profile(const struct pl_page *page, struct pl_bytes *out)
{
    uint8_t head[ICC_HEAD] = "ICC_PROFILE";
    size_t pieces = (page->icc.size + ICC_PIECE - 1) / ICC_PIECE;
    PL_CHECK(pieces <= 255);
    pl_status status = PL_OK;
    head[13] = (uint8_t)pieces;
    for (size_t i = 0; i < pieces && status == PL_OK; i++) {
        size_t left = page->icc.size - i * ICC_PIECE;
        head[12] = (uint8_t)(i + 1);
        status = put_segment(out, 0xe2, head, sizeof head, page->icc.data + i * ICC_PIECE,
                             left < ICC_PIECE ? left : ICC_PIECE);
    }
    return status;
}

static bool begins(const uint8_t *data, size_t size, const char *text, size_t text_size)
{
    return size >= text_size && memcmp(data, text, text_size) == 0;
}

/* One segment of the stream as it is to be. The first EXIF block and the JFIF segment count, as
 * for the reader. */
static pl_status put_old(const struct pl_page *page, struct changes *changes, uint8_t marker,
                         const uint8_t *data, size_t size, struct pl_bytes *out)
{
    if (marker == PL_JPEG_APP0 && changes->density && size >= 12 && begins(data, size, "JFIF", 5)) {
        size_t base = out->size + 4;
        pl_status status = put_segment(out, marker, data, size, "", 0);
        if (status == PL_OK)
            density_put(page, out->data + base);
        return status;
    }
    if (marker == 0xe1 && changes->turn && size > EXIF_HEAD && begins(data, size, "Exif\0", 6)) {
        changes->turn = false;
        return put_turned(page, data + EXIF_HEAD, size - EXIF_HEAD, out);
    }
    if (marker == 0xe2 && changes->profile && begins(data, size, "ICC_PROFILE", 12))
        return PL_OK;
    return put_segment(out, marker, data, size, "", 0);
}

/* The next marker of the stream, as jpeg_scan steps over what is none. */
static bool next_marker(struct pl_cursor *in, uint8_t *marker)
{
    uint8_t byte = 0;
    do {
        do {
            if (!pl_cursor_u8(in, &byte))
                return false;
        } while (byte != 0xff);
        while (byte == 0xff)
            if (!pl_cursor_u8(in, &byte))
                return false;
    } while (byte == 0 || byte == 0x01 || (byte >= 0xd0 && byte <= 0xd7));
    *marker = byte;
    return true;
}

/* What comes new, behind JFIF's segments. */
static pl_status put_new(const struct pl_page *page, const struct changes *changes,
                         struct pl_bytes *out)
{
    pl_status status = changes->exif ? put_exif(page, out) : PL_OK;
    return status == PL_OK && changes->profile ? put_profile(page, out) : status;
}

/* The segments up to the first scan, which is left at in->at. */
static pl_status put_head(const struct pl_page *page, const struct pl_jpeg_info *info,
                          struct changes changes, struct pl_cursor *in, struct pl_bytes *out)
{
    uint8_t marker = 0;
    bool put = false;
    pl_status status = pl_bytes_append(out, "\xff\xd8", 2);
    in->at = 2;
    if (status == PL_OK && changes.density && !info->jfif)
        status = put_jfif(page, out);
    while (status == PL_OK) {
        uint16_t length = 0;
        const uint8_t *data = NULL;
        if (!next_marker(in, &marker))
            return PL_BAD_DOCUMENT;
        if (!put && marker != PL_JPEG_APP0) {
            status = put_new(page, &changes, out);
            put = true;
        }
        if (marker == PL_JPEG_SOS) {
            in->at -= 2;
            return status;
        }
        if (!pl_cursor_u16be(in, &length) || length < 2 ||
            !pl_cursor_take(in, (size_t)length - 2, &data))
            return PL_BAD_DOCUMENT;
        if (status == PL_OK)
            status = put_old(page, &changes, marker, data, (size_t)length - 2, out);
    }
    return status;
}

/* What was made here is whole. */
static pl_status jpeg_encode(const struct pl_convert *convert, const struct pl_limits *limits,
                             struct pl_page *page, struct pl_fault *fault)
{
    (void)convert;
    (void)limits;
    return page->how == PL_PAGE_COPIED ? pl_jpeg_page_prove(page, fault) : PL_OK;
}

static void jpeg_close(struct pl_writer *base)
{
    struct jpeg_writer *writer = (struct jpeg_writer *)base;
    if (writer == NULL)
        return;
    pl_bytes_fini(&writer->head);
    free(writer);
}

static pl_status jpeg_open(const struct pl_convert *convert, const uint8_t *seed,
                           const struct pl_limits *limits, struct pl_out *out,
                           struct pl_writer **writer, struct pl_fault *fault)
{
    (void)seed;
    (void)fault;
    struct jpeg_writer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    made->writer.ops = &pl_jpeg_writer_ops;
    made->convert = convert;
    made->out = out;
    made->most = limits->output_bytes;
    pl_bytes_init(&made->head, HEAD_LIMIT);
    *writer = &made->writer;
    return PL_OK;
}

static pl_status jpeg_page(struct pl_writer *base, const struct pl_page *page, uint64_t *bytes,
                           struct pl_fault *fault)
{
    struct jpeg_writer *writer = (struct jpeg_writer *)base;
    struct pl_cursor in = stream_of(page);
    struct pl_jpeg_info info;
    PL_CHECK(!writer->written);
    writer->written = true;
    if (in.size > writer->most)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "the JPEG would have %zu MiB; at most %" PRIu64 " MiB are accepted",
                            in.size >> 20, writer->most >> 20);
    pl_status status = stream_scan(page, &info);
    if (status != PL_OK)
        return status;
    struct changes changes = changes_of(page, &info);
    if (changes.density || changes.exif || changes.turn || changes.profile)
        status = put_head(page, &info, changes, &in, &writer->head);
    if (status == PL_OK && writer->head.size > 0)
        status = pl_out_write(writer->out, writer->head.data, writer->head.size);
    if (status == PL_OK)
        status = pl_out_write(writer->out, in.data + in.at, in.size - in.at);
    if (status == PL_OK)
        *bytes = writer->head.size + in.size - in.at;
    return status;
}

static pl_status jpeg_end(struct pl_writer *base, struct pl_fault *fault)
{
    (void)fault;
    PL_CHECK(((struct jpeg_writer *)base)->written);
    return PL_OK;
}

static bool jpeg_wants_seed(const struct pl_convert *convert)
{
    (void)convert;
    return false;
}

const struct pl_writer_ops pl_jpeg_writer_ops = { .carries = jpeg_carries,
                                                  .encode = jpeg_encode,
                                                  .open = jpeg_open,
                                                  .page = jpeg_page,
                                                  .end = jpeg_end,
                                                  .close = jpeg_close,
                                                  .wants_seed = jpeg_wants_seed };
