/* tiff_jpeg: JPEG in TIFF (compression 7, TIFF Technical Note 2, and 6, TIFF 6.0 section 22) made
 * one JPEG stream that PDF can carry, without decoding.
 *
 * Compression 7: the shared tables and the strip become one stream; several strips are joined by
 * restart intervals (jpeg_join.h), tiles by their coefficients (jpeg_assemble.h). Compression 6:
 * JPEGInterchangeFormat points to a whole stream, to which the other tags add nothing but
 * contradictions, or to its head, which the strips follow. Markers and tables of the result are
 * checked, entropy-coded bits are not touched. An Adobe marker says which colour the TIFF tags
 * mean.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_assemble.h"
#include "pipeline/codec/jpeg_join.h"
#include "pipeline/codec/jpeg_scan.h"
#include "pipeline/codec/tiff_in_priv.h"

#include <string.h>

#define OLD_HEAD_BYTES 65536 /* of an old-style stream before its strips */

static bool jpeg_shape_fits(const struct pl_tiff_dir *dir)
{
    if (dir->bits != 8 || dir->mixed_bits || pl_tiff_dir_pieces(dir) == 0 ||
        dir->offsets.count < pl_tiff_dir_pieces(dir) ||
        dir->sizes.count < pl_tiff_dir_pieces(dir) || dir->extra != PL_TIFF_EXTRA_NONE ||
        (dir->planar == 2 && dir->samples != 1))
        return false;
    switch (dir->samples) {
    case 1:
        return dir->photometric <= PL_TIFF_MIN_IS_BLACK;
    case 3:
        return dir->photometric == PL_TIFF_RGB || dir->photometric == PL_TIFF_YCBCR;
    case 4:
        return dir->photometric == PL_TIFF_SEPARATED && dir->ink_set == 1;
    default:
        return false;
    }
}

/* Start marker and, for three components, an Adobe marker (transform 0: RGB, 1: YCbCr). */
static pl_status jpeg_put_colour(const struct pl_tiff_load *load)
{
    static const uint8_t soi[2] = { 0xff, PL_JPEG_SOI };
    uint8_t adobe[16] = { 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0 };
    struct pl_bytes *data = &load->page->data;
    adobe[15] = load->dir->photometric == PL_TIFF_YCBCR;
    pl_status status = pl_bytes_append(data, soi, sizeof soi);
    if (status == PL_OK && load->dir->samples == 3)
        status = pl_bytes_append(data, adobe, sizeof adobe);
    return status;
}

/* The tables that all strips share (tag 347), without their SOI and EOI. */
static pl_status jpeg_put_tables(const struct pl_tiff_load *load)
{
    struct pl_bytes *data = &load->page->data;
    const struct pl_tiff_values *tables = &load->dir->jpeg_tables;
    if (tables->count < 4)
        return PL_OK;
    if (tables->count > 65536)
        return PL_BAD_DOCUMENT;
    size_t size = (size_t)tables->count;
    uint8_t *room = NULL;
    pl_status status = pl_bytes_reserve(data, size, &room);
    if (status == PL_OK)
        status = pl_source_read(load->source, tables->at, room, size);
    if (status != PL_OK)
        return status;
    if (room[0] != 0xff || room[1] != PL_JPEG_SOI || room[size - 2] != 0xff ||
        room[size - 1] != PL_JPEG_EOI)
        return PL_BAD_DOCUMENT;
    memmove(room, room + 2, size - 4);
    data->size += size - 4;
    return PL_OK;
}

/* Application and comment segments of a strip go: TIFF's tags speak, and a JFIF marker would
 * contradict ours. Moves what is kept to the front; *size is the size before and after. */
static bool jpeg_strip_segments(uint8_t *data, size_t *size)
{
    size_t from = 2;
    size_t to = 0;
    if (*size < 4 || data[0] != 0xff || data[1] != PL_JPEG_SOI)
        return false;
    while (*size - from >= 4 && data[from] == 0xff && data[from + 1] != PL_JPEG_SOS) {
        uint8_t marker = data[from + 1];
        size_t length = 2 + ((size_t)data[from + 2] << 8 | data[from + 3]);
        if (marker < 0xc0 || length < 4 || length > *size - from)
            return false;
        bool keep = marker < PL_JPEG_APP0 || marker > 0xef;
        if (keep && marker != PL_JPEG_COM) {
            memmove(data + to, data + from, length);
            to += length;
        }
        from += length;
    }
    memmove(data + to, data + from, *size - from);
    *size = to + (*size - from);
    return true;
}

/* Whether the merged stream is whole and shows what the tags say; cuts what follows its end. */
static pl_status jpeg_check(const struct pl_tiff_load *load, bool *sound)
{
    struct pl_bytes *data = &load->page->data;
    struct pl_jpeg_info info;
    struct pl_source *source = NULL;
    pl_status status = pl_source_memory_new(data->data, data->size, &source);
    if (status != PL_OK)
        return status;
    status = pl_jpeg_scan(source, true, &info, NULL);
    source->ops->free(source);
    *sound = status == PL_OK && pl_jpeg_info_fits_pdf(&info) &&
             info.width_px == load->dir->width_px && info.height_px == load->dir->height_px &&
             info.components == load->dir->samples;
    if (*sound)
        data->size = (size_t)info.end;
    return PL_OK;
}

/* Reads strip n into `room`, anew for each. */
static pl_status strip_read(const struct pl_tiff_load *load, uint64_t n, struct pl_bytes *room)
{
    uint64_t at = 0;
    uint64_t size = 0;
    uint8_t *bytes = NULL;
    pl_bytes_clear(room);
    pl_status status = pl_tiff_strip_range(load, n, &at, &size);
    if (status == PL_OK)
        status = pl_bytes_reserve(room, (size_t)size, &bytes);
    if (status == PL_OK)
        status = pl_source_read(load->source, at, bytes, (size_t)size);
    if (status == PL_OK)
        room->size = (size_t)size;
    return status;
}

/* The only strip, behind what stands in the page's data already. */
static pl_status jpeg_put_single(const struct pl_tiff_load *load, struct pl_bytes *room)
{
    pl_status status = strip_read(load, 0, room);
    size_t size = room->size;
    if (status == PL_OK && !jpeg_strip_segments(room->data, &size))
        status = PL_BAD_DOCUMENT;
    return status == PL_OK ? pl_bytes_append(&load->page->data, room->data, size) : status;
}

static void join_begin(const struct pl_tiff_load *load, struct pl_jpeg_join *join)
{
    pl_jpeg_join_begin(join, load->dir->width_px, load->dir->height_px, load->dir->rows_per_strip,
                       &load->page->data);
}

static pl_status jpeg_put_strips(const struct pl_tiff_load *load, struct pl_bytes *room)
{
    struct pl_jpeg_join join;
    pl_status status = PL_OK;
    join_begin(load, &join);
    uint64_t strips = pl_tiff_dir_pieces(load->dir);
    for (uint64_t n = 0; n < strips && status == PL_OK; n++) {
        status = strip_read(load, n, room);
        if (status == PL_OK)
            status = pl_jpeg_join_strip(&join, room->data, room->size);
    }
    return status == PL_OK ? pl_jpeg_join_end(&join) : status;
}

/* Settles a page whose data is now one stream; what is wrong without a sentence, or cannot be
 * copied, is for libtiff to say or to mend. */
static pl_status jpeg_settle(const struct pl_tiff_load *load, pl_status status, bool *done)
{
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_page *page = load->page;
    bool sound = false;
    if (status == PL_OK)
        status = jpeg_check(load, &sound);
    if (status == PL_OK && sound)
        status = pl_page_add_part(page, dir->height_px, page->data.size);
    if (status != PL_OK || !sound) {
        bool told = load->fault != NULL && load->fault->status != PL_OK;
        pl_tiff_copy_undo(page);
        return status == PL_UNSUPPORTED || (status == PL_BAD_DOCUMENT && !told) ? PL_OK : status;
    }
    page->colour = dir->samples == 1   ? PL_COLOUR_GREY
                   : dir->samples == 3 ? PL_COLOUR_RGB
                                       : PL_COLOUR_CMYK;
    page->bits = 8;
    page->inverted = dir->samples == 1 && dir->photometric == PL_TIFF_MIN_IS_WHITE;
    page->filter = PL_FILTER_DCT;
    page->how = PL_PAGE_COPIED;
    *done = true;
    return PL_OK;
}

/* Piece n with the shared tables before it, as a stream of its own. */
static pl_status piece_stream(const struct pl_tiff_load *load, uint64_t n, struct pl_bytes *room)
{
    struct pl_bytes *data = &load->page->data;
    pl_bytes_clear(data);
    pl_status status = jpeg_put_colour(load);
    if (status == PL_OK)
        status = jpeg_put_tables(load);
    if (status == PL_OK)
        status = strip_read(load, n, room);
    size_t size = room->size;
    if (status == PL_OK && !jpeg_strip_segments(room->data, &size))
        status = PL_UNSUPPORTED;
    return status == PL_OK ? pl_bytes_append(data, room->data, size) : status;
}

/* Tiles, and strips that cannot be joined as they are. */
static pl_status jpeg_assemble(const struct pl_tiff_load *load, struct pl_bytes *room)
{
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_jpeg_assembly *assembly = NULL;
    bool tiled = dir->tile_width_px != 0 && dir->tile_height_px != 0;
    uint32_t high = tiled ? dir->tile_height_px : dir->rows_per_strip;
    uint32_t wide = tiled ? dir->tile_width_px : dir->width_px;
    uint64_t across = ((uint64_t)dir->width_px + wide - 1) / wide;
    uint64_t pieces = pl_tiff_dir_pieces(dir);
    pl_status status = pl_jpeg_assembly_new(dir->width_px, dir->height_px, dir->samples,
                                            load->limits, &assembly, load->fault);
    for (uint64_t n = 0; n < pieces && status == PL_OK; n++) {
        status = piece_stream(load, n, room);
        if (status == PL_OK)
            status = pl_jpeg_assembly_put(assembly, load->page->data.data, load->page->data.size,
                                          (uint32_t)(n % across) * wide,
                                          (uint32_t)(n / across) * high, NULL);
    }
    pl_bytes_clear(&load->page->data);
    if (status == PL_OK)
        status = pl_jpeg_assembly_end(assembly, dir->photometric == PL_TIFF_RGB, &load->page->data,
                                      NULL);
    pl_jpeg_assembly_free(assembly);
    return status;
}

pl_status pl_tiff_copy_jpeg(const struct pl_tiff_load *load, bool *done)
{
    struct pl_bytes room = { 0 };
    *done = false;
    if (load->dir->compression != PL_TIFF_JPEG || !jpeg_shape_fits(load->dir))
        return PL_OK;
    bool tiled = load->dir->tile_width_px != 0 || load->dir->tile_height_px != 0;
    bool assembled = tiled;
    pl_bytes_init(&room, (size_t)load->limits->page_bytes);
    pl_status status = jpeg_put_colour(load);
    if (status == PL_OK)
        status = jpeg_put_tables(load);
    if (status == PL_OK && !tiled)
        status = pl_tiff_dir_pieces(load->dir) == 1 ? jpeg_put_single(load, &room)
                                                    : jpeg_put_strips(load, &room);
    if (status == PL_UNSUPPORTED || (status == PL_OK && tiled)) {
        assembled = true;
        status = jpeg_assemble(load, &room);
    }
    pl_bytes_fini(&room);
    status = jpeg_settle(load, status, done);
    if (*done && assembled)
        load->page->how = PL_PAGE_REENCODED_EXACT;
    return status;
}

/* Where the stream of an old-style page can end at the latest: where it is said to, or, as lengths
 * are often those of its head alone, behind the only strip. */
static pl_status old_end(const struct pl_tiff_load *load, uint64_t *end)
{
    const struct pl_tiff_dir *dir = load->dir;
    uint64_t at = 0;
    uint64_t size = 0;
    *end = (uint64_t)dir->old_jpeg_at + dir->old_jpeg_bytes;
    if (pl_tiff_dir_pieces(dir) == 1) {
        pl_status status = pl_tiff_strip_range(load, 0, &at, &size);
        if (status != PL_OK)
            return status;
        *end = at + size > *end ? at + size : *end;
    }
    *end = *end < load->source->size ? *end : load->source->size;
    return PL_OK;
}

/* A whole stream at JPEGInterchangeFormat. The page's data is empty before and after a failure. */
static pl_status old_put_stream(const struct pl_tiff_load *load, struct pl_bytes *room, bool *sound)
{
    uint64_t at = load->dir->old_jpeg_at;
    uint64_t end = 0;
    uint8_t *bytes = NULL;
    *sound = false;
    pl_status status = old_end(load, &end);
    if (status == PL_OK && end <= at)
        status = PL_UNSUPPORTED;
    if (status == PL_OK)
        status = pl_bytes_reserve(room, (size_t)(end - at), &bytes);
    if (status == PL_OK)
        status = pl_source_read(load->source, at, bytes, (size_t)(end - at));
    if (status != PL_OK)
        return status;
    size_t size = (size_t)(end - at);
    status = jpeg_put_colour(load);
    if (status == PL_OK && !jpeg_strip_segments(bytes, &size))
        status = PL_UNSUPPORTED;
    if (status == PL_OK)
        status = pl_bytes_append(&load->page->data, bytes, size);
    if (status == PL_OK)
        status = jpeg_check(load, sound);
    if (status != PL_OK || !*sound)
        pl_bytes_clear(&load->page->data);
    return status == PL_BAD_DOCUMENT ? PL_UNSUPPORTED : status;
}

/* The head at JPEGInterchangeFormat; the scan's header may stand before the first strip's bits. */
static pl_status old_read_head(const struct pl_tiff_load *load, struct pl_bytes *head)
{
    const struct pl_tiff_dir *dir = load->dir;
    uint8_t *bytes = NULL;
    size_t size = dir->old_jpeg_bytes;
    if (size < 4 || size > OLD_HEAD_BYTES)
        return PL_UNSUPPORTED;
    pl_status status = pl_bytes_reserve(head, size, &bytes);
    if (status == PL_OK)
        status = pl_source_read(load->source, dir->old_jpeg_at, bytes, size);
    if (status != PL_OK)
        return status == PL_BAD_DOCUMENT ? PL_UNSUPPORTED : status;
    head->size = size;
    return PL_OK;
}

/* Bytes of an SOS segment that strip 0 begins with. */
static size_t scan_head_size(const struct pl_bytes *strip)
{
    if (strip->size < 4 || strip->data[0] != 0xff || strip->data[1] != PL_JPEG_SOS)
        return 0;
    size_t size = 2 + ((size_t)strip->data[2] << 8 | strip->data[3]);
    return size <= strip->size ? size : 0;
}

static pl_status old_put_strips(const struct pl_tiff_load *load, struct pl_bytes *room)
{
    struct pl_jpeg_join join;
    struct pl_bytes head = { 0 };
    pl_bytes_init(&head, (size_t)2 * OLD_HEAD_BYTES);
    join_begin(load, &join);
    pl_status status = old_read_head(load, &head);
    if (status == PL_OK)
        status = jpeg_put_colour(load);
    uint64_t strips = pl_tiff_dir_pieces(load->dir);
    for (uint64_t n = 0; n < strips && status == PL_OK; n++) {
        status = strip_read(load, n, room);
        size_t scan = n == 0 ? scan_head_size(room) : 0;
        if (status == PL_OK && n == 0)
            status = pl_bytes_append(&head, room->data, scan);
        if (status == PL_OK && n == 0)
            status = pl_jpeg_join_head(&join, head.data, head.size);
        if (status == PL_OK)
            status = pl_jpeg_join_bits(&join, room->data + scan, room->size - scan);
    }
    if (status == PL_OK)
        status = pl_jpeg_join_end(&join);
    pl_bytes_fini(&head);
    return status;
}

pl_status pl_tiff_copy_old_jpeg(const struct pl_tiff_load *load, bool *done)
{
    struct pl_bytes room = { 0 };
    bool sound = false;
    *done = false;
    if (load->dir->compression != PL_TIFF_OLD_JPEG || load->dir->old_jpeg_at == 0 ||
        load->dir->tile_width_px != 0 || !jpeg_shape_fits(load->dir))
        return PL_OK;
    pl_bytes_init(&room, (size_t)load->limits->page_bytes);
    pl_status status = old_put_stream(load, &room, &sound);
    if (!sound && (status == PL_OK || status == PL_UNSUPPORTED))
        status = old_put_strips(load, &room);
    pl_bytes_fini(&room);
    return jpeg_settle(load, status, done);
}
