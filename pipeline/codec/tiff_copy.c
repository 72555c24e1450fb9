/* tiff_copy: pages whose encoded data PDF can carry as they are.
 *
 * Group 4: a strip is copied unseen when it ends as T.6 says that a picture ends (EOFB, then only
 * zero bits) and has no two zero bytes before that, which no code contains. That finds truncated
 * strips and holes in a file. A strip that ends otherwise is decoded once, to prove that it holds
 * all of its rows, and then copied all the same. Wrong codes in the middle of a strip that ends
 * well are not looked for: it would cost twenty times the copy.
 *
 * JPEG: the strip and the shared tables become one stream; its markers and tables are checked, its
 * entropy-coded bits are not touched. An Adobe marker says which colour the TIFF tags mean.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_scan.h"
#include "pipeline/codec/tiff_in_priv.h"

#include <inttypes.h>
#include <string.h>

#define COPY_PARTS_MOST 1024 /* more strips than that make a better page as one picture */
#define EOFB 0x001001U       /* T.6 2.4.1.1: two end-of-line codes */

static const uint8_t reversed_nibbles[16] = {
    0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15
};

static void reverse_bits(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(reversed_nibbles[data[i] & 15] << 4 | reversed_nibbles[data[i] >> 4]);
}

/* Two zero bytes in a row. memchr skims what memmem would walk byte by byte. */
static bool has_hole(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    while (end - data > 1) {
        const uint8_t *zero = memchr(data, 0, (size_t)(end - data) - 1);
        if (zero == NULL)
            return false;
        if (zero[1] == 0)
            return true;
        data = zero + 2;
    }
    return false;
}

/* Ends with EOFB and zero bits, and has no hole. */
static bool g4_is_whole(const uint8_t *data, size_t size)
{
    while (size > 0 && data[size - 1] == 0)
        size--;
    if (size < 4) /* a code at least stands before the 24 bits */
        return false;
    uint32_t tail = (uint32_t)data[size - 4] << 24 | (uint32_t)data[size - 3] << 16 |
                    (uint32_t)data[size - 2] << 8 | data[size - 1];
    tail >>= __builtin_ctz(tail);
    return (tail & 0xffffffU) == EOFB && !has_hole(data, size);
}

static bool g4_fits(const struct pl_tiff_load *load)
{
    const struct pl_tiff_dir *dir = load->dir;
    uint64_t strips = pl_tiff_dir_pieces(dir);
    return dir->compression == PL_TIFF_G4 && dir->bits == 1 && dir->samples == 1 &&
           dir->photometric <= PL_TIFF_MIN_IS_BLACK && dir->tile_width_px == 0 &&
           dir->tile_height_px == 0 && dir->t6_options == 0 && dir->fill_order <= 2 && strips > 0 &&
           strips <= COPY_PARTS_MOST && dir->offsets.count >= strips && dir->sizes.count >= strips;
}

/* The range of strip n. *size 0: it is not said where the strip ends. */
static pl_status strip_range(const struct pl_tiff_load *load, uint64_t n, uint64_t *at,
                             uint64_t *size)
{
    const struct pl_tiff_dir *dir = load->dir;
    pl_status status = pl_tiff_values_read(load->source, load->head, &dir->offsets, n, 1, at);
    if (status == PL_OK)
        status = pl_tiff_values_read(load->source, load->head, &dir->sizes, n, 1, size);
    if (status != PL_OK)
        return status;
    uint64_t end = load->source->size;
    if (*at < 8 || *at > end || *size > end - *at)
        return pl_fault_set(load->fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 ": its data should reach to byte %" PRIu64
                            ", but the file ends at %" PRIu64 ": it is truncated or damaged",
                            load->page->number, *at + *size, end);
    return PL_OK;
}

/* Appends strip n; *whole turns false when it needs a proof. */
static pl_status g4_copy_strip(const struct pl_tiff_load *load, uint64_t n, uint32_t rows,
                               bool *whole, bool *sized)
{
    uint64_t at = 0;
    uint64_t size = 0;
    uint8_t *room = NULL;
    pl_status status = strip_range(load, n, &at, &size);
    if (status != PL_OK)
        return status;
    *sized = size > 0;
    if (!*sized)
        return PL_OK;
    status = pl_bytes_reserve(&load->page->data, (size_t)size, &room);
    if (status == PL_OK)
        status = pl_source_read(load->source, at, room, (size_t)size);
    if (status != PL_OK)
        return status;
    if (load->dir->fill_order == 2)
        reverse_bits(room, (size_t)size);
    *whole = *whole && g4_is_whole(room, (size_t)size);
    load->page->data.size += (size_t)size;
    return pl_page_add_part(load->page, rows, (size_t)size);
}

static void copy_undo(struct pl_page *page)
{
    pl_bytes_clear(&page->data);
    page->part_count = 0;
}

pl_status pl_tiff_copy_g4(const struct pl_tiff_load *load, bool *done)
{
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_page *page = load->page;
    bool whole = true;
    bool sized = true;
    *done = false;
    if (!g4_fits(load))
        return PL_OK;
    pl_status status = PL_OK;
    uint32_t left = dir->height_px;
    for (uint64_t n = 0; left > 0 && status == PL_OK && sized; n++) {
        uint32_t rows = dir->rows_per_strip < left ? dir->rows_per_strip : left;
        status = g4_copy_strip(load, n, rows, &whole, &sized);
        left -= rows;
    }
    if (status == PL_OK && sized && !whole)
        status = pl_tiff_prove(load);
    if (status != PL_OK || !sized) {
        copy_undo(page);
        return status;
    }
    page->colour = PL_COLOUR_BILEVEL;
    page->bits = 1;
    page->inverted = dir->photometric == PL_TIFF_MIN_IS_BLACK;
    page->filter = PL_FILTER_G4;
    page->how = PL_PAGE_COPIED;
    *done = true;
    return PL_OK;
}

static bool jpeg_fits(const struct pl_tiff_load *load)
{
    const struct pl_tiff_dir *dir = load->dir;
    if (dir->compression != PL_TIFF_JPEG || dir->bits != 8 || dir->mixed_bits ||
        dir->tile_width_px != 0 || pl_tiff_dir_pieces(dir) != 1 || dir->offsets.count == 0 ||
        dir->sizes.count == 0 || dir->extra != PL_TIFF_EXTRA_NONE)
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

/* Start marker, for three components an Adobe marker (transform 0: RGB, 1: YCbCr), the tables. */
static pl_status jpeg_put_head(const struct pl_tiff_load *load)
{
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_bytes *data = &load->page->data;
    static const uint8_t soi[2] = { 0xff, PL_JPEG_SOI };
    uint8_t adobe[16] = { 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0 };
    adobe[15] = dir->photometric == PL_TIFF_YCBCR;
    pl_status status = pl_bytes_append(data, soi, sizeof soi);
    if (status == PL_OK && dir->samples == 3)
        status = pl_bytes_append(data, adobe, sizeof adobe);
    const struct pl_tiff_values *tables = &dir->jpeg_tables;
    if (status != PL_OK || tables->count < 4)
        return status;
    if (tables->count > 65536)
        return PL_BAD_DOCUMENT;
    size_t size = (size_t)tables->count;
    uint8_t *room = NULL;
    status = pl_bytes_reserve(data, size, &room);
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

static pl_status jpeg_put_strip(const struct pl_tiff_load *load)
{
    uint64_t at = 0;
    uint64_t length = 0;
    uint8_t *room = NULL;
    pl_status status = strip_range(load, 0, &at, &length);
    if (status == PL_OK)
        status = pl_bytes_reserve(&load->page->data, (size_t)length, &room);
    if (status == PL_OK)
        status = pl_source_read(load->source, at, room, (size_t)length);
    if (status != PL_OK)
        return status;
    size_t size = (size_t)length;
    if (!jpeg_strip_segments(room, &size))
        return PL_BAD_DOCUMENT;
    load->page->data.size += size;
    return PL_OK;
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

pl_status pl_tiff_copy_jpeg(const struct pl_tiff_load *load, bool *done)
{
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_page *page = load->page;
    *done = false;
    if (!jpeg_fits(load))
        return PL_OK;
    bool sound = false;
    pl_status status = jpeg_put_head(load);
    if (status == PL_OK)
        status = jpeg_put_strip(load);
    if (status == PL_OK)
        status = jpeg_check(load, &sound);
    if (status == PL_OK && sound)
        status = pl_page_add_part(page, dir->height_px, page->data.size);
    if (status != PL_OK || !sound) {
        copy_undo(page);
        /* What is wrong without a sentence is for libtiff to say or to mend. */
        return status == PL_BAD_DOCUMENT && (load->fault == NULL || load->fault->status == PL_OK)
                   ? PL_OK
                   : status;
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
