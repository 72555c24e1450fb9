/* flate: zlib over rows, each under the PNG filter that leaves the smallest sum of differences, and
 * zlib the other way.
 *
 * The filters are those of PNG (ISO/IEC 15948 clause 9), which PDF's predictor 15 undoes. The
 * choice by smallest sum of absolute values is the heuristic that the PNG specification suggests.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* Measured on three colour scans and a grey one: on the noisy ones level 4 takes 17 to 28 MB/s of
 * pixels where level 6 takes 6 to 10; results are from 0.6 % smaller to 6 % larger. */
#define FLATE_LEVEL 4
/* Indices are never noise, and LZW, which they often come in, is to be beaten. */
#define FLATE_LEVEL_INDICES 6
#define FLATE_STEP ((size_t)1 << 16)
#define FLATE_ROW_MAX ((size_t)1 << 24)

enum flate_filter {
    FILTER_NONE,
    FILTER_SUB,
    FILTER_UP,
    FILTER_AVERAGE,
    FILTER_PAETH,
    FILTER_COUNT
};

struct pl_flate {
    z_stream zlib;
    bool open;
    struct pl_bytes *out;
    size_t row_bytes;
    size_t pixel_bytes;
    uint8_t *above;                  /* the row before, with pixel_bytes of zero before it */
    uint8_t *row;                    /* this row, likewise */
    uint8_t *filtered[FILTER_COUNT]; /* each begins with its filter's number */
    uint8_t *memory;
};

/* Runs deflate until it has taken all input (or, with Z_FINISH, ended the stream). */
static pl_status flate_run(struct pl_flate *flate, const uint8_t *data, size_t size, int flush)
{
    z_stream *zlib = &flate->zlib;
    zlib->next_in = (z_const Bytef *)data;
    zlib->avail_in = (uInt)size;
    for (;;) {
        struct pl_bytes *out = flate->out;
        size_t room = out->limit - out->size < FLATE_STEP ? out->limit - out->size : FLATE_STEP;
        uint8_t *at = NULL;
        pl_status status = room == 0 ? PL_TOO_LARGE : pl_bytes_reserve(out, room, &at);
        if (status != PL_OK)
            return status;
        zlib->next_out = at;
        zlib->avail_out = (uInt)room;
        int result = deflate(zlib, flush);
        out->size += room - zlib->avail_out;
        if (result == Z_STREAM_END)
            return PL_OK;
        PL_CHECK(result == Z_OK || result == Z_BUF_ERROR);
        if (flush == Z_NO_FLUSH && zlib->avail_in == 0 && zlib->avail_out > 0)
            return PL_OK;
    }
}

static pl_status flate_open(struct pl_flate *flate, struct pl_bytes *out, int level, int strategy)
{
    flate->out = out;
    if (deflateInit2(&flate->zlib, level, Z_DEFLATED, MAX_WBITS, 9, strategy) != Z_OK)
        return PL_NO_MEMORY;
    flate->open = true;
    return PL_OK;
}

pl_status pl_flate_new(size_t row_bytes, size_t pixel_bytes, struct pl_bytes *out,
                       struct pl_flate **flate)
{
    if (row_bytes == 0 || row_bytes > FLATE_ROW_MAX)
        return PL_TOO_LARGE;
    PL_CHECK(pixel_bytes <= 8);
    struct pl_flate *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    pl_status status = PL_NO_MEMORY;
    size_t padded = pixel_bytes + row_bytes;
    made->row_bytes = row_bytes;
    made->pixel_bytes = pixel_bytes;
    made->memory = calloc(1, 2 * padded + FILTER_COUNT * (1 + row_bytes));
    if (made->memory == NULL)
        goto done;
    made->above = made->memory + pixel_bytes;
    made->row = made->above + padded;
    for (unsigned i = 0; i < FILTER_COUNT; i++) {
        made->filtered[i] = made->memory + 2 * padded + i * (1 + row_bytes);
        made->filtered[i][0] = (uint8_t)i;
    }
    status = pixel_bytes > 0 ? flate_open(made, out, FLATE_LEVEL, Z_FILTERED)
                             : flate_open(made, out, FLATE_LEVEL_INDICES, Z_DEFAULT_STRATEGY);
done:
    if (status == PL_OK) {
        *flate = made;
    } else {
        pl_flate_free(made);
    }
    return status;
}

static inline uint64_t filter_cost(uint8_t difference)
{
    return difference < 128 ? difference : 256U - difference;
}

static inline uint8_t paeth(uint8_t left, uint8_t up, uint8_t corner)
{
    int to_left = abs(up - corner);
    int to_up = abs(left - corner);
    int to_corner = abs(left + up - 2 * corner);
    if (to_left <= to_up && to_left <= to_corner)
        return left;
    return to_up <= to_corner ? up : corner;
}

/* One pass for each filter, so that the compiler can vectorise the simple ones. */
static enum flate_filter flate_filter_row(const struct pl_flate *flate)
{
    const uint8_t *row = flate->row;
    const uint8_t *above = flate->above;
    const uint8_t *left = row - flate->pixel_bytes;
    const uint8_t *corner = above - flate->pixel_bytes;
    uint64_t cost[FILTER_COUNT] = { 0 };
    for (size_t i = 0; i < flate->row_bytes; i++) {
        uint8_t none = row[i];
        uint8_t sub = (uint8_t)(row[i] - left[i]);
        uint8_t up = (uint8_t)(row[i] - above[i]);
        uint8_t average = (uint8_t)(row[i] - (left[i] + above[i]) / 2);
        uint8_t nearest = (uint8_t)(row[i] - paeth(left[i], above[i], corner[i]));
        flate->filtered[FILTER_NONE][1 + i] = none;
        flate->filtered[FILTER_SUB][1 + i] = sub;
        flate->filtered[FILTER_UP][1 + i] = up;
        flate->filtered[FILTER_AVERAGE][1 + i] = average;
        flate->filtered[FILTER_PAETH][1 + i] = nearest;
        cost[FILTER_NONE] += filter_cost(none);
        cost[FILTER_SUB] += filter_cost(sub);
        cost[FILTER_UP] += filter_cost(up);
        cost[FILTER_AVERAGE] += filter_cost(average);
        cost[FILTER_PAETH] += filter_cost(nearest);
    }
    enum flate_filter best = FILTER_NONE;
    for (unsigned i = 1; i < FILTER_COUNT; i++) {
        if (cost[i] < cost[best])
            best = (enum flate_filter)i;
    }
    return best;
}

pl_status pl_flate_row(struct pl_flate *flate, const uint8_t *row)
{
    if (flate->pixel_bytes == 0) {
        memcpy(flate->filtered[FILTER_NONE] + 1, row, flate->row_bytes);
        return flate_run(flate, flate->filtered[FILTER_NONE], 1 + flate->row_bytes, Z_NO_FLUSH);
    }
    memcpy(flate->row, row, flate->row_bytes);
    enum flate_filter best = flate_filter_row(flate);
    uint8_t *swap = flate->above;
    flate->above = flate->row;
    flate->row = swap;
    return flate_run(flate, flate->filtered[best], 1 + flate->row_bytes, Z_NO_FLUSH);
}

pl_status pl_flate_end(struct pl_flate *flate)
{
    return flate_run(flate, NULL, 0, Z_FINISH);
}

void pl_flate_free(struct pl_flate *flate)
{
    if (flate == NULL)
        return;
    if (flate->open)
        (void)deflateEnd(&flate->zlib);
    free(flate->memory);
    free(flate);
}

pl_status pl_flate_all(const void *data, size_t size, struct pl_bytes *out)
{
    if (size > UINT_MAX)
        return PL_TOO_LARGE;
    struct pl_flate flate = { 0 };
    pl_status status = flate_open(&flate, out, FLATE_LEVEL, Z_DEFAULT_STRATEGY);
    if (status == PL_OK)
        status = flate_run(&flate, data, size, Z_FINISH);
    if (flate.open)
        (void)deflateEnd(&flate.zlib);
    return status;
}

struct pl_inflate {
    z_stream zlib;
    bool ended;
};

pl_status pl_inflate_new(struct pl_inflate **out)
{
    struct pl_inflate *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    if (inflateInit(&made->zlib) != Z_OK) {
        free(made);
        return PL_NO_MEMORY;
    }
    *out = made;
    return PL_OK;
}

void pl_inflate_free(struct pl_inflate *inflate)
{
    if (inflate == NULL)
        return;
    (void)inflateEnd(&inflate->zlib);
    free(inflate);
}

void pl_inflate_restart(struct pl_inflate *inflate)
{
    PL_CHECK(inflateReset2(&inflate->zlib, MAX_WBITS) == Z_OK);
    inflate->ended = false;
}

void pl_inflate_restart_raw(struct pl_inflate *inflate)
{
    PL_CHECK(inflateReset2(&inflate->zlib, -MAX_WBITS) == Z_OK);
    inflate->ended = false;
}

/* Zeros in place of a checksum that is not compared any more: without room for output, and with
 * fewer bits than a last end-of-block code and a checksum need, only a stream that lacks nothing
 * else ends. */
bool pl_inflate_is_whole(struct pl_inflate *stream)
{
    static const uint8_t zeros[4];
    uint8_t none = 0;
    z_stream *zlib = &stream->zlib;
    if (stream->ended)
        return true;
    PL_CHECK(inflateValidate(zlib, 0) == Z_OK);
    zlib->next_in = (z_const Bytef *)zeros;
    zlib->avail_in = sizeof zeros;
    zlib->next_out = &none;
    zlib->avail_out = 0;
    stream->ended = inflate(zlib, Z_NO_FLUSH) == Z_STREAM_END;
    return stream->ended;
}

bool pl_inflate_ended(const struct pl_inflate *inflate)
{
    return inflate->ended;
}

pl_status pl_inflate_run(struct pl_inflate *stream, struct pl_cursor *in, uint8_t *out, size_t size,
                         size_t *got)
{
    z_stream *zlib = &stream->zlib;
    int result = Z_OK;
    PL_CHECK(out != NULL);
    *got = 0;
    /* Also with no room or no input left: the end may follow the last byte, and zlib holds bytes
     * back. Z_BUF_ERROR says that nothing moved. */
    while (!stream->ended && result == Z_OK) {
        size_t take = in->size - in->at < UINT_MAX ? in->size - in->at : UINT_MAX;
        size_t room = size - *got < UINT_MAX ? size - *got : UINT_MAX;
        zlib->next_in = (z_const Bytef *)(in->data + in->at);
        zlib->avail_in = (uInt)take;
        zlib->next_out = out + *got;
        zlib->avail_out = (uInt)room;
        result = inflate(zlib, Z_NO_FLUSH);
        in->at += take - zlib->avail_in;
        *got += room - zlib->avail_out;
        stream->ended = result == Z_STREAM_END;
    }
    if (result == Z_MEM_ERROR)
        return PL_NO_MEMORY;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? PL_OK
                                                                             : PL_BAD_DOCUMENT;
}

uint32_t pl_flate_crc(uint32_t crc, const void *data, size_t size)
{
    return (uint32_t)crc32_z(crc, data, size);
}
