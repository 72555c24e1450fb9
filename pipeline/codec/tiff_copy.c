/* tiff_copy: Group 4 strips that PDF can carry as they are.
 *
 * A strip is copied unseen when it ends as T.6 says that a picture ends (EOFB, then only
 * zero bits) and has no two zero bytes before that, which no code contains. That finds truncated
 * strips and holes in a file. A strip that ends otherwise is decoded once, to prove that it holds
 * all of its rows, and then copied all the same. Wrong codes in the middle of a strip that ends
 * well are not looked for: it would cost twenty times the copy.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_in_priv.h"

#include <inttypes.h>
#include <string.h>

#define COPY_PARTS_MOST 1024 /* more strips than that make a better page as one picture */
/* In a PDF each strip is an object of 240 bytes, and its first row is coded without the row above:
 * from here on one picture, decoded and encoded anew, is smaller (measured: a page of
 * 257 strips takes 178,722 bytes copied, 104,305 as one) and quicker to draw. */
#define COPY_PARTS_MOST_PDF 8
#define HOLE_BLOCK 256
#define EOFB 0x001001U /* T.6 2.4.1.1: two end-of-line codes */

static const uint8_t reversed_nibbles[16] = {
    0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15
};

static void reverse_bits(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(reversed_nibbles[data[i] & 15] << 4 | reversed_nibbles[data[i] >> 4]);
}

/* Two zero bytes in a row. A block of fixed length is a loop that compilers turn into vectors. */
static bool has_hole(const uint8_t *data, size_t size)
{
    size_t i = 0;
    uint8_t hole = 0;
    for (; size - i > HOLE_BLOCK && hole == 0; i += HOLE_BLOCK)
        for (size_t k = i; k < i + HOLE_BLOCK; k++)
            hole |= (uint8_t)((data[k] | data[k + 1]) == 0);
    for (; i + 1 < size; i++)
        hole |= (uint8_t)((data[i] | data[i + 1]) == 0);
    return hole != 0;
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
    uint64_t most = load->want == PL_WANT_PICTURE ? COPY_PARTS_MOST : COPY_PARTS_MOST_PDF;
    return dir->compression == PL_TIFF_G4 && dir->bits == 1 && dir->samples == 1 &&
           dir->photometric <= PL_TIFF_MIN_IS_BLACK && dir->tile_width_px == 0 &&
           dir->tile_height_px == 0 && dir->t6_options == 0 && dir->fill_order <= 2 && strips > 0 &&
           strips <= most && dir->offsets.count >= strips && dir->sizes.count >= strips;
}

pl_status pl_tiff_strip_range(const struct pl_tiff_load *load, uint64_t n, uint64_t *at,
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
    pl_status status = pl_tiff_strip_range(load, n, &at, &size);
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

void pl_tiff_copy_undo(struct pl_page *page)
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
        pl_tiff_copy_undo(page);
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
