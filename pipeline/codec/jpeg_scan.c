/* jpeg_scan: a walk over markers through a small window.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_scan.h"

#include <string.h>

#define SCAN_WINDOW_BYTES 4096
#define SCANS_MOST                                                                                 \
    500 /* a progressive encoder writes about ten; hundreds only burn readers' time */

struct scan {
    struct pl_source *source;
    struct pl_jpeg_info *info;
    struct pl_fault *fault;
    uint64_t at; /* next byte to be read */
    uint64_t window_at;
    size_t window_size;
    uint8_t dc_tables; /* bit n: table n was given */
    uint8_t ac_tables;
    uint8_t quant_tables;
    uint8_t quant_used;
    uint8_t window[SCAN_WINDOW_BYTES];
};

static pl_status scan_truncated(struct scan *scan)
{
    const char *where =
        scan->info->scans > 0 ? "in the middle of the picture" : "before the picture begins";
    (void)pl_fault_set(scan->fault, PL_BAD_DOCUMENT,
                       "the JPEG data break off %s: the file is truncated", where);
    return PL_BAD_DOCUMENT;
}

static pl_status scan_damaged(struct scan *scan, const char *what)
{
    (void)pl_fault_set(scan->fault, PL_BAD_DOCUMENT, "the JPEG data are damaged: %s", what);
    return PL_BAD_DOCUMENT;
}

/* Makes at least one byte at scan->at visible; borrows up to the end of the window. */
static pl_status scan_window(struct scan *scan, const uint8_t **out, size_t *out_size)
{
    if (scan->at >= scan->source->size) {
        (void)scan_truncated(scan);
        return PL_BAD_DOCUMENT;
    }
    if (scan->at < scan->window_at || scan->at - scan->window_at >= scan->window_size) {
        uint64_t left = scan->source->size - scan->at;
        size_t size = left < SCAN_WINDOW_BYTES ? (size_t)left : SCAN_WINDOW_BYTES;
        scan->window_size = 0;
        pl_status status = pl_source_read(scan->source, scan->at, scan->window, size);
        if (status != PL_OK)
            return status;
        scan->window_at = scan->at;
        scan->window_size = size;
    }
    size_t skip = (size_t)(scan->at - scan->window_at);
    *out = scan->window + skip;
    *out_size = scan->window_size - skip;
    return PL_OK;
}

static pl_status scan_byte(struct scan *scan, uint8_t *out)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    pl_status status = scan_window(scan, &data, &size);
    if (status == PL_OK) {
        *out = data[0];
        scan->at++;
    }
    return status;
}

/* Reads `size` bytes of a segment that was found to lie inside the source. */
static pl_status scan_take(struct scan *scan, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        pl_status status = scan_byte(scan, &bytes[i]);
        if (status != PL_OK)
            return status;
    }
    return PL_OK;
}

/* Next marker; bytes that are none are stepped over, as every decoder does. */
static pl_status scan_marker(struct scan *scan, uint8_t *out)
{
    uint8_t byte = 0;
    pl_status status = PL_OK;
    do {
        do
            status = scan_byte(scan, &byte);
        while (status == PL_OK && byte != 0xff);
        while (status == PL_OK && byte == 0xff)
            status = scan_byte(scan, &byte);
    } while (status == PL_OK && byte == 0);
    *out = byte;
    return status;
}

/* Over entropy-coded data: stops at the 0xff of a marker that is neither stuffing nor a restart. */
static pl_status scan_entropy(struct scan *scan)
{
    for (;;) {
        const uint8_t *data = NULL;
        size_t size = 0;
        pl_status status = scan_window(scan, &data, &size);
        if (status != PL_OK)
            return status;
        const uint8_t *ff = memchr(data, 0xff, size);
        if (ff == NULL) {
            scan->at += size;
            continue;
        }
        uint8_t next = 0xff;
        uint64_t mark = scan->at + (uint64_t)(ff - data);
        scan->at = mark + 1;
        while (next == 0xff) { /* fill bytes */
            status = scan_byte(scan, &next);
            if (status != PL_OK)
                return status;
        }
        if (next != 0 && !(next >= 0xd0 && next <= 0xd7)) {
            scan->at = mark;
            return PL_OK;
        }
    }
}

static pl_status segment_frame(struct scan *scan, uint8_t marker, size_t size)
{
    struct pl_jpeg_info *info = scan->info;
    uint8_t head[6];
    if (info->frame != 0)
        return scan_damaged(scan, "it has two frame headers");
    if (size < sizeof head)
        return scan_damaged(scan, "its frame header is cut short");
    pl_status status = scan_take(scan, head, sizeof head);
    if (status != PL_OK)
        return status;
    info->frame = marker;
    info->bits = head[0];
    info->height_px = (uint32_t)head[1] << 8 | head[2];
    info->width_px = (uint32_t)head[3] << 8 | head[4];
    info->components = head[5];
    if (size != sizeof head + (size_t)3 * info->components)
        return scan_damaged(scan, "its frame header has the wrong length");
    if (info->components > 4)
        return PL_OK; /* refused by who knows what can be shown */
    for (unsigned i = 0; i < info->components; i++) {
        uint8_t component[3];
        status = scan_take(scan, component, sizeof component);
        if (status != PL_OK)
            return status;
        unsigned across = component[1] >> 4;
        unsigned down = component[1] & 15;
        if (across < 1 || across > 4 || down < 1 || down > 4 || component[2] > 3)
            return scan_damaged(scan, "its frame header makes no sense");
        info->ids[i] = component[0];
        info->sampling[i] = component[1];
        scan->quant_used |= (uint8_t)(1U << component[2]);
    }
    return PL_OK;
}

static pl_status segment_huffman(struct scan *scan, size_t size)
{
    while (size > 0) {
        uint8_t head[17];
        if (size < sizeof head)
            return scan_damaged(scan, "a Huffman table is cut short");
        pl_status status = scan_take(scan, head, sizeof head);
        if (status != PL_OK)
            return status;
        size -= sizeof head;
        uint32_t codes = 0;
        uint32_t room = 0; /* in units of the longest code */
        for (unsigned length = 1; length <= 16; length++) {
            codes += head[length];
            room += (uint32_t)head[length] << (16 - length);
        }
        if (codes > 256 || codes > size || room > 1U << 16 || (head[0] & 0xec) != 0)
            return scan_damaged(scan, "a Huffman table makes no sense");
        uint8_t bit = (uint8_t)(1U << (head[0] & 3));
        if (head[0] >> 4 == 0)
            scan->dc_tables |= bit;
        else
            scan->ac_tables |= bit;
        scan->at += codes;
        size -= codes;
    }
    return PL_OK;
}

static pl_status segment_quant(struct scan *scan, size_t size)
{
    while (size > 0) {
        uint8_t head = 0;
        pl_status status = scan_byte(scan, &head);
        if (status != PL_OK)
            return status;
        size_t table = head >> 4 == 0 ? 64 : 128;
        if (head >> 4 > 1 || (head & 15) > 3 || size < 1 + table)
            return scan_damaged(scan, "a quantisation table makes no sense");
        scan->quant_tables |= (uint8_t)(1U << head);
        scan->at += table;
        size -= 1 + table;
    }
    return PL_OK;
}

static void segment_icc(struct scan *scan, const uint8_t *head, size_t size)
{
    struct pl_jpeg_info *info = scan->info;
    unsigned n = head[12];
    unsigned count = head[13];
    if (info->icc_count == 0)
        info->icc_count = count;
    if (n == 0 || n > count || count != info->icc_count || info->icc[n - 1].size > 0) {
        info->icc_broken = true;
        return;
    }
    info->icc[n - 1] = (struct pl_jpeg_run){ scan->at, (uint32_t)(size - 14) };
}

static pl_status segment_app(struct scan *scan, uint8_t marker, size_t size)
{
    struct pl_jpeg_info *info = scan->info;
    uint8_t head[14] = { 0 };
    size_t have = size < sizeof head ? size : sizeof head;
    uint64_t begin = scan->at;
    pl_status status = scan_take(scan, head, have);
    if (status != PL_OK)
        return status;
    if (marker == 0xe0 && have >= 12 && memcmp(head, "JFIF", 5) == 0) {
        info->jfif = true;
        info->density_unit = head[7];
        info->x_density = (uint16_t)(head[8] << 8 | head[9]);
        info->y_density = (uint16_t)(head[10] << 8 | head[11]);
    } else if (marker == 0xe1 && have > 6 && memcmp(head, "Exif\0", 6) == 0) {
        if (info->exif.size == 0)
            info->exif = (struct pl_jpeg_run){ begin + 6, (uint32_t)(size - 6) };
    } else if (marker == 0xe2 && have == 14 && memcmp(head, "ICC_PROFILE", 12) == 0) {
        segment_icc(scan, head, size);
    } else if (marker == 0xee && have >= 12 && memcmp(head, "Adobe", 5) == 0) {
        info->adobe = true;
        info->adobe_transform = head[11];
    }
    return PL_OK;
}

static bool frame_has_component(const struct pl_jpeg_info *info, uint8_t id)
{
    for (unsigned n = 0; n < info->components && n < 4; n++)
        if (info->ids[n] == id)
            return true;
    return info->components > 4; /* refused elsewhere */
}

/* Whether the Huffman tables of one component of a scan were given. */
static bool scan_tables_given(const struct scan *scan, uint8_t tables, uint8_t first, bool refines)
{
    unsigned dc = tables >> 4;
    unsigned ac = tables & 15;
    bool progressive = scan->info->frame == 0xc2;
    bool dc_used = first == 0 && !refines;
    bool ac_used = !progressive || first > 0;
    return (!dc_used || (dc <= 3 && (scan->dc_tables >> dc & 1) != 0)) &&
           (!ac_used || (ac <= 3 && (scan->ac_tables >> ac & 1) != 0));
}

/* T.81 B.2.3. Notes tables that are used and were not given. */
static pl_status segment_scan(struct scan *scan, size_t size)
{
    struct pl_jpeg_info *info = scan->info;
    uint8_t count = 0;
    uint8_t parts[8];    /* component id and its tables, up to four times */
    uint8_t spectrum[3]; /* first, last, approximation */
    if (info->frame == 0)
        return scan_damaged(scan, "the picture begins without a frame header");
    pl_status status = scan_byte(scan, &count);
    if (status != PL_OK)
        return status;
    if (count < 1 || count > 4 || size != 4 + (size_t)2 * count)
        return scan_damaged(scan, "a scan header has the wrong length");
    status = scan_take(scan, parts, (size_t)2 * count);
    if (status == PL_OK)
        status = scan_take(scan, spectrum, sizeof spectrum);
    if (status != PL_OK)
        return status;
    bool progressive = info->frame == 0xc2;
    if (spectrum[0] > 63 || spectrum[1] > 63 || (progressive && spectrum[0] > spectrum[1]))
        return scan_damaged(scan, "a scan header makes no sense");
    for (size_t i = 0; i < count; i++) {
        if (!frame_has_component(info, parts[2 * i]))
            return scan_damaged(scan, "a scan shows a component that the frame does not have");
        if (!scan_tables_given(scan, parts[2 * i + 1], spectrum[0], spectrum[2] >> 4 != 0))
            info->tables_missing = true;
    }
    if ((scan->quant_used & ~scan->quant_tables) != 0)
        info->tables_missing = true;
    if (++info->scans > SCANS_MOST)
        return pl_fault_set(scan->fault, PL_TOO_LARGE,
                            "the JPEG data have more than %d scans; no camera or scanner writes "
                            "that",
                            SCANS_MOST);
    return PL_OK;
}

static bool marker_is_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != PL_JPEG_DHT && marker != 0xc8 &&
           marker != PL_JPEG_DAC;
}

/* A segment with a length; leaves scan->at behind it. */
static pl_status scan_segment(struct scan *scan, uint8_t marker)
{
    uint8_t length[2];
    pl_status status = scan_take(scan, length, sizeof length);
    if (status != PL_OK)
        return status;
    size_t size = (size_t)length[0] << 8 | length[1];
    if (size < 2)
        return scan_damaged(scan, "a segment has no length");
    size -= 2;
    uint64_t end = scan->at + size;
    if (end > scan->source->size)
        return scan_truncated(scan);
    if (marker_is_frame(marker))
        status = segment_frame(scan, marker, size);
    else if (marker == PL_JPEG_DHT)
        status = segment_huffman(scan, size);
    else if (marker == PL_JPEG_DQT)
        status = segment_quant(scan, size);
    else if (marker == PL_JPEG_SOS)
        status = segment_scan(scan, size);
    else if (marker >= PL_JPEG_APP0 && marker <= 0xef)
        status = segment_app(scan, marker, size);
    scan->at = end;
    return status;
}

static void icc_settle(struct pl_jpeg_info *info)
{
    for (unsigned i = 0; i < info->icc_count; i++)
        info->icc_broken = info->icc_broken || info->icc[i].size == 0;
}

pl_status pl_jpeg_scan(struct pl_source *source, bool walk, struct pl_jpeg_info *out,
                       struct pl_fault *fault)
{
    *out = (struct pl_jpeg_info){ 0 };
    struct scan scan = { .source = source, .info = out, .fault = fault };
    uint8_t soi[2];
    pl_status status = scan_take(&scan, soi, sizeof soi);
    if (status == PL_OK && (soi[0] != 0xff || soi[1] != PL_JPEG_SOI))
        status = scan_damaged(&scan, "they do not begin with a start marker");
    while (status == PL_OK) {
        uint8_t marker = 0;
        status = scan_marker(&scan, &marker);
        if (status != PL_OK || marker == PL_JPEG_EOI)
            break;
        if (marker == PL_JPEG_SOI) {
            status = scan_damaged(&scan, "a second picture begins inside the first");
            break;
        }
        if ((marker >= 0xd0 && marker <= 0xd7) || marker == 0x01)
            continue; /* stand alone */
        status = scan_segment(&scan, marker);
        if (status == PL_OK && marker == PL_JPEG_SOS) {
            if (!walk)
                break;
            status = scan_entropy(&scan);
        }
    }
    if (status == PL_OK && out->scans == 0)
        status = scan_damaged(&scan, "they hold no picture");
    icc_settle(out);
    out->end = scan.at;
    return status;
}

bool pl_jpeg_info_fits_pdf(const struct pl_jpeg_info *info)
{
    return info->frame >= 0xc0 && info->frame <= 0xc2 && info->bits == 8 && !info->tables_missing;
}

bool pl_jpeg_info_colour(const struct pl_jpeg_info *info, enum pl_colour *out)
{
    if (info->components != 1 && info->components != 3 && info->components != 4)
        return false;
    *out = info->components == 1   ? PL_COLOUR_GREY
           : info->components == 3 ? PL_COLOUR_RGB
                                   : PL_COLOUR_CMYK;
    return true;
}

bool pl_jpeg_info_is_rgb(const struct pl_jpeg_info *info)
{
    if (info->components != 3 || info->jfif)
        return false;
    if (info->adobe)
        return info->adobe_transform == 0;
    return info->ids[0] == 'R' && info->ids[1] == 'G' && info->ids[2] == 'B';
}
