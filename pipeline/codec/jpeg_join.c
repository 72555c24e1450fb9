/* jpeg_join: the first strip gives frame, tables and scan header; the others must have the same.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_join.h"

#include "pipeline/codec/jpeg_scan.h"

#include <string.h>

#define JOIN_DRI 0xdd
#define JOIN_RST0 0xd0
#define JOIN_HEIGHT_AT 1 /* in a frame from its precision on */

/* What stands before the entropy-coded bits of a strip. */
struct strip_head {
    uint8_t frame_marker;
    const uint8_t *frame; /* from the precision on */
    size_t frame_size;
    const uint8_t *scan; /* from the number of components on */
    size_t scan_size;
    uint16_t interval;
    uint8_t tables[PL_JPEG_JOIN_TABLES];
    size_t tables_size;
    size_t size; /* of all of it: the bits begin here */
};

void pl_jpeg_join_begin(struct pl_jpeg_join *join, uint32_t width_px, uint32_t height_px,
                        uint32_t rows_per_strip, struct pl_bytes *out)
{
    PL_CHECK(width_px > 0 && height_px > 0 && rows_per_strip > 0);
    *join = (struct pl_jpeg_join){ .out = out,
                                   .width_px = width_px,
                                   .height_px = height_px,
                                   .rows_per_strip =
                                       rows_per_strip < height_px ? rows_per_strip : height_px };
}

/* One segment with its marker at `data`, `length` bytes with the marker. */
static bool head_take(struct strip_head *head, const uint8_t *data, size_t length)
{
    uint8_t marker = data[1];
    const uint8_t *body = data + 4;
    size_t size = length - 4;
    switch (marker) {
    case PL_JPEG_DQT:
    case PL_JPEG_DHT:
        if (length > sizeof head->tables - head->tables_size)
            return false;
        memcpy(head->tables + head->tables_size, data, length);
        head->tables_size += length;
        return true;
    case JOIN_DRI:
        if (size < 2)
            return false;
        head->interval = (uint16_t)(body[0] << 8 | body[1]);
        return true;
    case 0xc0:
    case 0xc1:
        if (head->frame != NULL || size < 6 + 3U)
            return false;
        head->frame_marker = marker;
        head->frame = body;
        head->frame_size = size;
        return true;
    case PL_JPEG_SOS:
        head->scan = body;
        head->scan_size = size;
        return true;
    default: /* application data and comments go; other frames and arithmetic tables do not fit */
        return (marker >= PL_JPEG_APP0 && marker <= 0xef) || marker == PL_JPEG_COM;
    }
}

static bool head_parse(const uint8_t *data, size_t size, struct strip_head *head)
{
    size_t at = 0;
    *head = (struct strip_head){ .size = 0 };
    if (size >= 2 && data[0] == 0xff && data[1] == PL_JPEG_SOI)
        at = 2;
    while (head->scan == NULL) {
        while (size - at >= 2 && data[at] == 0xff && data[at + 1] == 0xff)
            at++; /* fill bytes (B.1.1.2) */
        if (size - at < 4 || data[at] != 0xff || data[at + 1] < 0xc0)
            return false;
        size_t length = 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
        if (length < 4 || length > size - at || !head_take(head, data + at, length))
            return false;
        at += length;
    }
    head->size = at;
    return head->frame != NULL;
}

/* Components of the frame, and what an MCU is (T.81 A.2). */
static bool join_measure(struct pl_jpeg_join *join)
{
    unsigned count = join->frame[5];
    unsigned across = 1;
    unsigned down = 1;
    if (count == 0 || count > PL_JPEG_JOIN_COMPONENTS || join->frame_size != 6 + 3 * count ||
        join->scan_size != 4 + 2 * count || join->scan[0] != count)
        return false; /* several scans */
    for (unsigned i = 0; i < count && count > 1; i++) {
        unsigned horizontal = join->frame[7 + 3 * i] >> 4;
        unsigned vertical = join->frame[7 + 3 * i] & 15;
        across = horizontal > across ? horizontal : across;
        down = vertical > down ? vertical : down;
    }
    if (across > 4 || down > 4)
        return false;
    join->mcu_rows = 8 * down;
    join->mcus_a_row = (join->width_px + 8 * across - 1) / (8 * across);
    bool single = join->rows_per_strip == join->height_px;
    uint64_t strip_mcus = (uint64_t)join->mcus_a_row * (join->rows_per_strip / join->mcu_rows);
    if (!single && join->rows_per_strip % join->mcu_rows != 0)
        return false;
    if (join->own_interval != 0) {
        join->interval = join->own_interval;
        return single || strip_mcus % join->own_interval == 0;
    }
    join->interval = single ? 0 : (uint32_t)(strip_mcus < 65536 ? strip_mcus : 0);
    return single || join->interval != 0;
}

static uint32_t join_rows(const struct pl_jpeg_join *join, uint32_t strip)
{
    uint64_t first = (uint64_t)strip * join->rows_per_strip;
    uint64_t left = first < join->height_px ? join->height_px - first : 0;
    return left < join->rows_per_strip ? (uint32_t)left : join->rows_per_strip;
}

/* Width right, and as many rows of MCUs as the strip must have. */
static bool frame_has_rows(const struct pl_jpeg_join *join, const uint8_t *frame, uint32_t rows)
{
    uint32_t height = (uint32_t)frame[JOIN_HEIGHT_AT] << 8 | frame[JOIN_HEIGHT_AT + 1];
    uint32_t width = (uint32_t)frame[3] << 8 | frame[4];
    return width == join->width_px && rows > 0 &&
           (height + join->mcu_rows - 1) / join->mcu_rows ==
               (rows + join->mcu_rows - 1) / join->mcu_rows;
}

static pl_status join_segment(struct pl_bytes *out, uint8_t marker, const uint8_t *body,
                              size_t size)
{
    uint8_t head[4] = { 0xff, marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2) };
    pl_status status = pl_bytes_append(out, head, sizeof head);
    return status == PL_OK ? pl_bytes_append(out, body, size) : status;
}

/* Keeps what the other strips must have too, and writes the head of the whole. */
static pl_status join_open(struct pl_jpeg_join *join, const struct strip_head *head)
{
    if (head->frame_size > sizeof join->frame || head->scan_size > sizeof join->scan ||
        head->scan_size < 4 || join->height_px > UINT16_MAX || join->width_px > UINT16_MAX)
        return PL_UNSUPPORTED;
    memcpy(join->frame, head->frame, head->frame_size);
    memcpy(join->scan, head->scan, head->scan_size);
    memcpy(join->tables, head->tables, head->tables_size);
    join->frame_marker = head->frame_marker;
    join->frame_size = head->frame_size;
    join->scan_size = head->scan_size;
    join->tables_size = head->tables_size;
    join->own_interval = head->interval;
    if (!join_measure(join))
        return PL_UNSUPPORTED;
    uint8_t frame[sizeof join->frame];
    memcpy(frame, join->frame, join->frame_size);
    pl_put_u16be(frame + JOIN_HEIGHT_AT, (uint16_t)join->height_px);
    uint8_t interval[2];
    pl_put_u16be(interval, (uint16_t)join->interval);
    pl_status status = pl_bytes_append(join->out, join->tables, join->tables_size);
    if (status == PL_OK && join->interval != 0)
        status = join_segment(join->out, JOIN_DRI, interval, sizeof interval);
    if (status == PL_OK)
        status = join_segment(join->out, join->frame_marker, frame, join->frame_size);
    if (status == PL_OK)
        status = join_segment(join->out, PL_JPEG_SOS, join->scan, join->scan_size);
    return status;
}

/* Whether a later strip is coded as the first one is. */
static bool join_matches(const struct pl_jpeg_join *join, const struct strip_head *head)
{
    return head->frame_marker == join->frame_marker && head->frame_size == join->frame_size &&
           head->frame[0] == join->frame[0] &&
           memcmp(head->frame + 3, join->frame + 3, join->frame_size - 3) == 0 &&
           head->scan_size == join->scan_size &&
           memcmp(head->scan, join->scan, join->scan_size) == 0 &&
           head->interval == join->own_interval && head->tables_size == join->tables_size &&
           memcmp(head->tables, join->tables, join->tables_size) == 0;
}

static pl_status join_marker(struct pl_jpeg_join *join)
{
    uint8_t marker[2] = { 0xff, (uint8_t)(JOIN_RST0 + join->restarts % 8) };
    join->restarts++;
    return pl_bytes_append(join->out, marker, sizeof marker);
}

/* The bits of one strip: restart markers are numbered anew, EOI ends it. *markers counts them. */
static pl_status join_copy(struct pl_jpeg_join *join, const uint8_t *data, size_t size,
                           uint32_t *markers)
{
    size_t from = 0;
    pl_status status = PL_OK;
    *markers = 0;
    while (status == PL_OK && from < size) {
        const uint8_t *mark = memchr(data + from, 0xff, size - from);
        size_t run = mark == NULL ? size - from : (size_t)(mark - data) - from;
        status = pl_bytes_append(join->out, data + from, run);
        from += run;
        if (status != PL_OK || size - from < 2)
            break;
        uint8_t what = data[from + 1];
        if (what == 0) {
            status = pl_bytes_append(join->out, data + from, 2);
        } else if (what >= JOIN_RST0 && what <= JOIN_RST0 + 7) {
            status = join_marker(join);
            ++*markers;
        } else if (what == PL_JPEG_EOI) {
            return PL_OK;
        } else if (what == 0xff) {
            from--; /* a fill byte: the second one may begin the marker */
        } else {
            return PL_UNSUPPORTED; /* another scan, a height told at the end */
        }
        from += 2;
    }
    return status;
}

static pl_status join_bits(struct pl_jpeg_join *join, const uint8_t *data, size_t size)
{
    uint32_t rows = join_rows(join, join->next);
    uint32_t markers = 0;
    if (rows == 0 || size == 0)
        return PL_UNSUPPORTED;
    pl_status status = join->next > 0 ? join_marker(join) : PL_OK;
    if (status == PL_OK)
        status = join_copy(join, data, size, &markers);
    uint64_t mcus = (uint64_t)join->mcus_a_row * ((rows + join->mcu_rows - 1) / join->mcu_rows);
    uint64_t expected =
        join->own_interval == 0 ? 0 : (mcus + join->own_interval - 1) / join->own_interval - 1;
    if (status == PL_OK && markers != expected)
        return PL_UNSUPPORTED;
    join->next++;
    return status;
}

pl_status pl_jpeg_join_strip(struct pl_jpeg_join *join, const uint8_t *data, size_t size)
{
    struct strip_head head;
    pl_status status = PL_OK;
    if (!head_parse(data, size, &head))
        return PL_UNSUPPORTED;
    if (join->next == 0)
        status = join_open(join, &head);
    if (status == PL_OK && (!join_matches(join, &head) ||
                            !frame_has_rows(join, head.frame, join_rows(join, join->next))))
        status = PL_UNSUPPORTED;
    return status == PL_OK ? join_bits(join, data + head.size, size - head.size) : status;
}

pl_status pl_jpeg_join_head(struct pl_jpeg_join *join, const uint8_t *head, size_t size)
{
    struct strip_head parsed;
    PL_CHECK(join->next == 0);
    if (!head_parse(head, size, &parsed) || parsed.size != size)
        return PL_UNSUPPORTED;
    pl_status status = join_open(join, &parsed);
    return status == PL_OK && !frame_has_rows(join, parsed.frame, join->height_px) ? PL_UNSUPPORTED
                                                                                   : status;
}

pl_status pl_jpeg_join_bits(struct pl_jpeg_join *join, const uint8_t *data, size_t size)
{
    PL_CHECK(join->frame_size > 0);
    return join_bits(join, data, size);
}

pl_status pl_jpeg_join_end(struct pl_jpeg_join *join)
{
    static const uint8_t eoi[2] = { 0xff, PL_JPEG_EOI };
    if (join->next == 0 || join_rows(join, join->next) != 0)
        return PL_UNSUPPORTED;
    return pl_bytes_append(join->out, eoi, sizeof eoi);
}
