/* flate_rows: inflate by rows, then PNG's filters or TIFF's predictor the other way.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate_rows.h"

#include "pipeline/codec/flate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PREDICTOR_TIFF 2
#define PREDICTOR_PNG 10 /* and above */

struct pl_flate_rows {
    const struct pl_page *page;
    struct pl_inflate *inflate;
    struct pl_cursor in; /* of the part */
    size_t part;
    uint32_t part_row; /* within the part, and within the page: of the next row */
    uint32_t page_row;
    unsigned predictor;
    unsigned samples;
    size_t row_bytes;
    size_t pixel_bytes; /* distance of the PNG filters */
    uint8_t *row;       /* each with pixel_bytes of zero before it */
    uint8_t *above;
    uint8_t *memory;
};

unsigned pl_flate_samples(const struct pl_page *page)
{
    if (page->palette.size > 0)
        return 1;
    return page->colour == PL_COLOUR_CMYK ? 4 : page->colour == PL_COLOUR_RGB ? 3 : 1;
}

size_t pl_flate_row_bytes(uint32_t width_px, unsigned samples, unsigned bits)
{
    return (size_t)(((uint64_t)width_px * samples * bits + 7) / 8);
}

static void part_begin(struct pl_flate_rows *rows)
{
    const struct pl_page *page = rows->page;
    const struct pl_page_part *part = &page->parts[rows->part];
    PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
    rows->in = (struct pl_cursor){ page->data.data + part->at, part->size, 0 };
    rows->part_row = 0;
    memset(rows->row, 0, rows->row_bytes);
    memset(rows->above, 0, rows->row_bytes);
}

pl_status pl_flate_rows_new(const struct pl_page *page, struct pl_flate_rows **out)
{
    PL_CHECK(page->filter == PL_FILTER_FLATE && page->part_count > 0 && page->width_px > 0);
    PL_CHECK(page->bits == 1 || page->bits == 2 || page->bits == 4 || page->bits == 8 ||
             page->bits == 16);
    struct pl_flate_rows *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    made->page = page;
    made->predictor = page->predictor == 0 ? 15 : page->predictor;
    made->samples = pl_flate_samples(page);
    made->row_bytes = pl_flate_row_bytes(page->width_px, made->samples, page->bits);
    made->pixel_bytes = (made->samples * page->bits + 7) / 8;
    pl_status status = pl_inflate_new(&made->inflate);
    if (status != PL_OK)
        goto done;
    status = PL_NO_MEMORY;
    size_t padded = made->pixel_bytes + made->row_bytes;
    made->memory = calloc(2, padded);
    if (made->memory == NULL)
        goto done;
    made->row = made->memory + made->pixel_bytes;
    made->above = made->row + padded;
    part_begin(made);
    status = PL_OK;
done:
    if (status == PL_OK)
        *out = made;
    else
        pl_flate_rows_free(made);
    return status;
}

void pl_flate_rows_free(struct pl_flate_rows *rows)
{
    if (rows == NULL)
        return;
    pl_inflate_free(rows->inflate);
    free(rows->memory);
    free(rows);
}

static pl_status rows_damaged(const struct pl_flate_rows *rows, const char *what,
                              struct pl_fault *fault)
{
    return pl_fault_set(fault, PL_BAD_DOCUMENT,
                        "page %" PRIu32 ": its compressed pixels are damaged at row %" PRIu32
                        " of %" PRIu32 ": %s",
                        rows->page->number, rows->page_row + 1, rows->page->height_px, what);
}

/* The next `size` bytes of the part. */
static pl_status rows_take(struct pl_flate_rows *rows, uint8_t *out, size_t size,
                           struct pl_fault *fault)
{
    size_t got = 0;
    pl_status status = pl_inflate_run(rows->inflate, &rows->in, out, size, &got);
    if (got == size) /* damage behind what is wanted, such as a wrong checksum, costs no pixel */
        return PL_OK;
    if (status == PL_OK)
        return rows_damaged(rows, "they break off", fault);
    return status == PL_BAD_DOCUMENT ? rows_damaged(rows, "no valid Flate code", fault) : status;
}

static uint8_t paeth(uint8_t left, uint8_t up, uint8_t corner)
{
    int to_left = abs(up - corner);
    int to_up = abs(left - corner);
    int to_corner = abs(left + up - 2 * corner);
    if (to_left <= to_up && to_left <= to_corner)
        return left;
    return to_up <= to_corner ? up : corner;
}

bool pl_flate_unfilter(unsigned filter, uint8_t *row, const uint8_t *above, size_t size,
                       size_t pixel_bytes)
{
    const uint8_t *left = row - pixel_bytes;
    const uint8_t *corner = above - pixel_bytes;
    switch (filter) {
    case 0:
        return true;
    case 1:
        for (size_t i = 0; i < size; i++)
            row[i] = (uint8_t)(row[i] + left[i]);
        return true;
    case 2:
        for (size_t i = 0; i < size; i++)
            row[i] = (uint8_t)(row[i] + above[i]);
        return true;
    case 3:
        for (size_t i = 0; i < size; i++)
            row[i] = (uint8_t)(row[i] + (left[i] + above[i]) / 2);
        return true;
    case 4:
        for (size_t i = 0; i < size; i++)
            row[i] = (uint8_t)(row[i] + paeth(left[i], above[i], corner[i]));
        return true;
    default:
        return false;
    }
}

/* TIFF 6.0 section 14 on samples of less than a byte, where PDF allows it too. */
static void unpredict_bits(uint8_t *row, size_t row_bytes, unsigned bits, unsigned samples)
{
    uint8_t last[4] = { 0 };
    unsigned n = 0;
    uint8_t mask = (uint8_t)((1U << bits) - 1);
    for (size_t i = 0; i < row_bytes; i++) {
        uint8_t made = 0;
        for (unsigned shift = 8; shift >= bits;) {
            shift -= bits;
            last[n] = (uint8_t)((last[n] + (row[i] >> shift)) & mask);
            made = (uint8_t)(made | last[n] << shift);
            n = n + 1 < samples ? n + 1 : 0;
        }
        row[i] = made;
    }
}

static void unpredict(const struct pl_flate_rows *rows, uint8_t *row)
{
    unsigned bits = rows->page->bits;
    size_t step = rows->pixel_bytes;
    if (bits < 8) {
        unpredict_bits(row, rows->row_bytes, bits, rows->samples);
    } else if (bits == 8) {
        for (size_t i = step; i < rows->row_bytes; i++)
            row[i] = (uint8_t)(row[i] + row[i - step]);
    } else {
        for (size_t i = step; i + 1 < rows->row_bytes; i += 2) {
            unsigned before = (unsigned)row[i - step] << 8 | row[i - step + 1];
            unsigned value = before + ((unsigned)row[i] << 8 | row[i + 1]);
            row[i] = (uint8_t)(value >> 8);
            row[i + 1] = (uint8_t)value;
        }
    }
}

pl_status pl_flate_rows_next(struct pl_flate_rows *rows, const uint8_t **row,
                             struct pl_fault *fault)
{
    PL_CHECK(rows->page_row < rows->page->height_px);
    if (rows->part_row == rows->page->parts[rows->part].rows) {
        rows->part++;
        PL_CHECK(rows->part < rows->page->part_count);
        pl_inflate_restart(rows->inflate);
        part_begin(rows);
    }
    uint8_t filter = 0;
    uint8_t *swap = rows->above;
    rows->above = rows->row;
    rows->row = swap;
    pl_status status = PL_OK;
    if (rows->predictor >= PREDICTOR_PNG)
        status = rows_take(rows, &filter, 1, fault);
    if (status == PL_OK)
        status = rows_take(rows, rows->row, rows->row_bytes, fault);
    if (status != PL_OK)
        return status;
    if (!pl_flate_unfilter(filter, rows->row, rows->above, rows->row_bytes, rows->pixel_bytes))
        return rows_damaged(rows, "its filter is none of the five", fault);
    if (rows->predictor == PREDICTOR_TIFF)
        unpredict(rows, rows->row);
    rows->part_row++;
    rows->page_row++;
    *row = rows->row;
    return PL_OK;
}
