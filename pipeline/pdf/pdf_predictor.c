/* pdf_predictor: PNG's filters and TIFF's predictor taken back, over a whole buffer.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate_rows.h"
#include "pipeline/pdf/pdf_filter.h"

#include <stdlib.h>
#include <string.h>

#define PREDICTOR_TIFF 2
#define PREDICTOR_PNG 10 /* and above */
#define COLOURS_MOST 64
#define ROW_MOST ((size_t)1 << 27)

struct predictor {
    int64_t kind;
    unsigned colours;
    unsigned bits;
    size_t row_bytes;
    size_t pixel_bytes;
};

static int64_t parms_integer(const struct pl_pdf_value *parms, const char *key, int64_t otherwise)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(parms, key);
    return value != NULL && value->kind == PL_PDF_INT ? value->as.integer : otherwise;
}

static pl_status predictor_read(const struct pl_pdf_value *parms, struct predictor *out)
{
    int64_t colours = parms_integer(parms, "Colors", 1);
    int64_t bits = parms_integer(parms, "BitsPerComponent", 8);
    int64_t columns = parms_integer(parms, "Columns", 1);
    out->kind = parms_integer(parms, "Predictor", 1);
    if (out->kind < PREDICTOR_TIFF)
        return PL_OK;
    bool depth = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
    if (colours < 1 || colours > COLOURS_MOST || !depth || columns < 1 ||
        columns > (int64_t)ROW_MOST)
        return PL_BAD_DOCUMENT;
    out->colours = (unsigned)colours;
    out->bits = (unsigned)bits;
    out->pixel_bytes = (size_t)(colours * bits + 7) / 8;
    uint64_t row = ((uint64_t)columns * (uint64_t)colours * (uint64_t)bits + 7) / 8;
    if (row > ROW_MOST)
        return PL_BAD_DOCUMENT;
    out->row_bytes = (size_t)row;
    return PL_OK;
}

/* Rows shrink by their filter's byte, so that the result never overtakes what is still to be read.
 * The last row may be cut; an unknown filter leaves its row as it is. */
static pl_status unpredict_png(const struct predictor *predictor, uint8_t *data, size_t *size)
{
    size_t row_bytes = predictor->row_bytes < *size ? predictor->row_bytes : *size;
    size_t padded = predictor->pixel_bytes + row_bytes;
    uint8_t *memory = calloc(2, padded);
    if (memory == NULL)
        return PL_NO_MEMORY;
    uint8_t *row = memory + predictor->pixel_bytes;
    uint8_t *above = row + padded;
    pl_status status = PL_OK;
    size_t to = 0;
    for (size_t from = 0; from + 1 < *size;) {
        unsigned filter = data[from++];
        size_t got = *size - from < row_bytes ? *size - from : row_bytes;
        memcpy(row, data + from, got);
        if (!pl_flate_unfilter(filter, row, above, got, predictor->pixel_bytes))
            status = PL_BAD_DOCUMENT;
        memcpy(data + to, row, got);
        from += got;
        to += got;
        uint8_t *swap = above;
        above = row;
        row = swap;
    }
    *size = to;
    free(memory);
    return status;
}

static void unpredict_bits(const struct predictor *predictor, uint8_t *row, size_t size)
{
    uint8_t last[COLOURS_MOST] = { 0 };
    unsigned bits = predictor->bits;
    uint8_t mask = (uint8_t)((1U << bits) - 1);
    unsigned n = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t made = 0;
        for (unsigned shift = 8; shift >= bits;) {
            shift -= bits;
            last[n] = (uint8_t)((last[n] + (row[i] >> shift)) & mask);
            made = (uint8_t)(made | last[n] << shift);
            n = n + 1 < predictor->colours ? n + 1 : 0;
        }
        row[i] = made;
    }
}

static void unpredict_tiff_row(const struct predictor *predictor, uint8_t *row, size_t size)
{
    size_t step = predictor->pixel_bytes;
    if (predictor->bits < 8) {
        unpredict_bits(predictor, row, size);
    } else if (predictor->bits == 8) {
        for (size_t i = step; i < size; i++)
            row[i] = (uint8_t)(row[i] + row[i - step]);
    } else {
        for (size_t i = step; i + 1 < size; i += 2) {
            unsigned before = (unsigned)row[i - step] << 8 | row[i - step + 1];
            unsigned value = before + ((unsigned)row[i] << 8 | row[i + 1]);
            row[i] = (uint8_t)(value >> 8);
            row[i + 1] = (uint8_t)value;
        }
    }
}

pl_status pl_pdf_unpredict(const struct pl_pdf_value *parms, struct pl_bytes *out, size_t from)
{
    struct predictor predictor = { 0 };
    pl_status status = predictor_read(parms, &predictor);
    size_t size = out->size - from;
    if (status != PL_OK || predictor.kind < PREDICTOR_TIFF || size == 0)
        return status;
    uint8_t *data = out->data + from;
    if (predictor.kind >= PREDICTOR_PNG) {
        status = unpredict_png(&predictor, data, &size);
        out->size = from + size;
        return status;
    }
    if (predictor.kind != PREDICTOR_TIFF)
        return PL_BAD_DOCUMENT;
    for (size_t at = 0; at < size; at += predictor.row_bytes) {
        size_t got = size - at < predictor.row_bytes ? size - at : predictor.row_bytes;
        unpredict_tiff_row(&predictor, data + at, got);
    }
    return PL_OK;
}
