/* tiff_check: each directory entry by entry as it lies there, then as a picture.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/tiff_check.h"

#include "pipeline/codec/tiff_dir.h"

#include <stdarg.h>
#include <stdio.h>

#define WHAT_CHARS 200
#define ENTRIES_MOST 4096
#define STRIPS_AT_ONCE 64
#define EOFB_BYTES 16 /* at the end of a strip, padding included */

struct check {
    struct pl_source *source;
    struct pl_findings *findings;
    struct pl_tiff_head head;
    uint32_t page; /* 1-based */
};

/* What TIFF 6.0 asks of a tag. */
enum tag_type { TYPE_SHORT, TYPE_SHORT_OR_LONG, TYPE_RATIONAL, TYPE_OFFSETS };
static const struct {
    uint16_t number;
    uint8_t type;
    uint8_t count; /* 0: any */
    const char *name;
} known[] = {
    { 254, TYPE_SHORT_OR_LONG, 1, "NewSubfileType" },
    { 256, TYPE_SHORT_OR_LONG, 1, "ImageWidth" },
    { 257, TYPE_SHORT_OR_LONG, 1, "ImageLength" },
    { 258, TYPE_SHORT, 0, "BitsPerSample" },
    { 259, TYPE_SHORT, 1, "Compression" },
    { 262, TYPE_SHORT, 1, "PhotometricInterpretation" },
    { 266, TYPE_SHORT, 1, "FillOrder" },
    { 273, TYPE_OFFSETS, 0, "StripOffsets" },
    { 274, TYPE_SHORT, 1, "Orientation" },
    { 277, TYPE_SHORT, 1, "SamplesPerPixel" },
    { 278, TYPE_SHORT_OR_LONG, 1, "RowsPerStrip" },
    { 279, TYPE_OFFSETS, 0, "StripByteCounts" },
    { 282, TYPE_RATIONAL, 1, "XResolution" },
    { 283, TYPE_RATIONAL, 1, "YResolution" },
    { 284, TYPE_SHORT, 1, "PlanarConfiguration" },
    { 296, TYPE_SHORT, 1, "ResolutionUnit" },
    { 320, TYPE_SHORT, 0, "ColorMap" },
    { 322, TYPE_SHORT_OR_LONG, 1, "TileWidth" },
    { 323, TYPE_SHORT_OR_LONG, 1, "TileLength" },
    { 324, TYPE_OFFSETS, 0, "TileOffsets" },
    { 325, TYPE_OFFSETS, 0, "TileByteCounts" },
};

static void tiff_find(struct check *check, const char *section, const char *format, ...)
    PL_PRINTF(3, 4);

static void tiff_find(struct check *check, const char *section, const char *format, ...)
{
    struct pl_finding finding = { .page = check->page };
    char text[PL_FINDING_TEXT_CHARS];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)pl_text_format(finding.rule, sizeof finding.rule, "TIFF 6.0 %s", section);
    (void)pl_text_sanitize(pl_span_from(text), finding.text, sizeof finding.text);
    pl_findings_add(check->findings, &finding);
}

/* --- entries ---------------------------------------------------------------------------------- */

static uint64_t number_of(const struct check *check, const uint8_t *data, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | data[check->head.big_endian ? i : size - 1 - i];
    return value;
}

static size_t type_bytes(unsigned type)
{
    static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8 };
    return type < PL_COUNT_OF(sizes) ? sizes[type] : 0;
}

static bool type_fits(enum tag_type want, unsigned type)
{
    switch (want) {
    case TYPE_SHORT:
        return type == 3;
    case TYPE_SHORT_OR_LONG:
        return type == 3 || type == 4;
    case TYPE_OFFSETS:
        return type == 3 || type == 4 || type == 16 || type == 13;
    case TYPE_RATIONAL:
        return type == 5;
    }
    return false;
}

static void entry_check(struct check *check, const uint8_t *data, uint64_t end)
{
    size_t width = check->head.big ? 8 : 4;
    unsigned tag = (unsigned)number_of(check, data, 2);
    unsigned type = (unsigned)number_of(check, data + 2, 2);
    uint64_t count = number_of(check, data + 4, width);
    size_t unit = type_bytes(type);
    if (unit == 0) {
        tiff_find(check, "section 2", "tag %u is of the unknown type %u", tag, type);
        return;
    }
    if (count > width / unit) {
        uint64_t at = number_of(check, data + 4 + width, width);
        if (at > end || count > (end - at) / unit)
            tiff_find(check, "section 2", "the values of tag %u lie outside of the file", tag);
    }
    for (size_t i = 0; i < PL_COUNT_OF(known); i++) {
        if (known[i].number != tag)
            continue;
        if (!type_fits((enum tag_type)known[i].type, type))
            tiff_find(check, "section 8", "%s is of type %u", known[i].name, type);
        if (known[i].count != 0 && count != known[i].count)
            tiff_find(check, "section 8", "%s has %llu values", known[i].name,
                      (unsigned long long)count);
    }
}

/* As it lies there: the number of entries was found to fit by pl_tiff_dir_read. */
static pl_status entries_check(struct check *check, uint64_t at)
{
    size_t head = check->head.big ? 8 : 2;
    size_t size = check->head.big ? 20 : 12;
    uint8_t data[20];
    unsigned last = 0;
    pl_status status = pl_source_read(check->source, at, data, head);
    uint64_t count = status == PL_OK ? number_of(check, data, head) : 0;
    if (at % 2 != 0)
        tiff_find(check, "section 2", "the directory does not begin on a word boundary");
    for (uint64_t i = 0; i < count && i < ENTRIES_MOST && status == PL_OK; i++) {
        status = pl_source_read(check->source, at + head + i * size, data, size);
        if (status != PL_OK)
            break;
        unsigned tag = (unsigned)number_of(check, data, 2);
        if (i > 0 && tag <= last)
            tiff_find(check, "section 2", "tag %u stands after tag %u: they must ascend", tag,
                      last);
        last = tag;
        entry_check(check, data, check->source->size);
    }
    return status;
}

/* --- pictures --------------------------------------------------------------------------------- */

static void resolution_check(struct check *check, const struct pl_tiff_dir *dir)
{
    if (dir->x_resolution.den == 0 || dir->y_resolution.den == 0)
        tiff_find(check, "section 8", "XResolution or YResolution is missing or senseless");
    if (dir->orientation < 1 || dir->orientation > 8)
        tiff_find(check, "section 8", "Orientation is %u", dir->orientation);
    if (dir->unit < 1 || dir->unit > 3)
        tiff_find(check, "section 8", "ResolutionUnit is %u", dir->unit);
    if (dir->fill_order != 1 && dir->fill_order != 2)
        tiff_find(check, "section 8", "FillOrder is %u", dir->fill_order);
    if (dir->planar != 1 && dir->planar != 2)
        tiff_find(check, "section 8", "PlanarConfiguration is %u", dir->planar);
}

static bool compression_is_fax(uint32_t compression)
{
    return compression >= PL_TIFF_G3_1D && compression <= PL_TIFF_G4;
}

static void colour_check(struct check *check, const struct pl_tiff_dir *dir)
{
    uint32_t least = dir->photometric == PL_TIFF_RGB || dir->photometric == PL_TIFF_YCBCR ? 3 : 1;
    if (!dir->photometric_said)
        tiff_find(check, "section 8", "PhotometricInterpretation is missing");
    if (dir->samples < least)
        tiff_find(check, "section 8", "colour kind %u with %u samples a pixel", dir->photometric,
                  dir->samples);
    if (dir->photometric == PL_TIFF_PALETTE && dir->samples != 1 &&
        dir->extra == PL_TIFF_EXTRA_NONE)
        tiff_find(check, "section 5", "a palette with %u samples a pixel", dir->samples);
    if (dir->samples > least && least == 3 && dir->samples > 3 && dir->extra == PL_TIFF_EXTRA_NONE)
        tiff_find(check, "section 8", "%u samples of RGB without ExtraSamples", dir->samples);
    if (compression_is_fax(dir->compression) && (dir->bits != 1 || dir->samples != 1))
        tiff_find(check, "section 11", "fax compression of %u samples of %u bits", dir->samples,
                  dir->bits);
    if (dir->compression == PL_TIFF_JPEG && dir->bits != 8 && dir->bits != 12)
        tiff_find(check, "technical note 2", "JPEG compression of %u bits a sample", dir->bits);
}

/* Group 4 data end with EOFB: two codes of 000000000001, then zeros up to a byte. */
static pl_status eofb_check(struct check *check, const struct pl_tiff_dir *dir, uint64_t n,
                            uint64_t at, uint64_t size)
{
    uint8_t data[EOFB_BYTES];
    size_t part = size < sizeof data ? (size_t)size : sizeof data;
    pl_status status = pl_source_read(check->source, at + size - part, data, part);
    uint64_t window = 0;
    if (status != PL_OK)
        return status;
    for (size_t i = 0; i < part; i++) {
        uint8_t byte = data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned shift = dir->fill_order == 2 ? bit : 7 - bit;
            window = window << 1 | ((unsigned)byte >> shift & 1U);
            if ((window & 0xffffff) == 0x001001)
                return PL_OK;
        }
    }
    tiff_find(check, "section 11", "strip %llu of Group 4 data does not end with EOFB",
              (unsigned long long)n + 1);
    return PL_OK;
}

static pl_status strip_check(struct check *check, const struct pl_tiff_dir *dir, uint64_t n,
                             uint64_t at, uint64_t size)
{
    uint64_t end = check->source->size;
    const char *piece = dir->tile_width_px != 0 ? "tile" : "strip";
    if (at > end || size > end - at) {
        tiff_find(check, "section 3", "%s %llu lies outside of the file", piece,
                  (unsigned long long)n + 1);
        return PL_OK;
    }
    if (size == 0) {
        tiff_find(check, "section 3", "%s %llu has no bytes", piece, (unsigned long long)n + 1);
        return PL_OK;
    }
    return dir->compression == PL_TIFF_G4 ? eofb_check(check, dir, n, at, size) : PL_OK;
}

static pl_status strips_check(struct check *check, const struct pl_tiff_dir *dir)
{
    uint64_t at[STRIPS_AT_ONCE];
    uint64_t size[STRIPS_AT_ONCE];
    uint64_t pieces = pl_tiff_dir_pieces(dir);
    pl_status status = PL_OK;
    if (dir->compression == PL_TIFF_OLD_JPEG && dir->old_jpeg_at != 0)
        return PL_OK;
    if (dir->offsets.count == 0 || dir->sizes.count == 0) {
        tiff_find(check, "section 3", "offsets or byte counts of the picture's data are missing");
        return PL_OK;
    }
    if (dir->offsets.count != pieces || dir->sizes.count != pieces)
        tiff_find(check, "section 8", "%llu offsets and %llu byte counts for %llu strips or tiles",
                  (unsigned long long)dir->offsets.count, (unsigned long long)dir->sizes.count,
                  (unsigned long long)pieces);
    uint64_t count = dir->offsets.count < dir->sizes.count ? dir->offsets.count : dir->sizes.count;
    for (uint64_t n = 0; n < count && status == PL_OK; n += STRIPS_AT_ONCE) {
        size_t step = count - n < STRIPS_AT_ONCE ? (size_t)(count - n) : STRIPS_AT_ONCE;
        status = pl_tiff_values_read(check->source, &check->head, &dir->offsets, n, step, at);
        if (status == PL_OK)
            status = pl_tiff_values_read(check->source, &check->head, &dir->sizes, n, step, size);
        for (size_t i = 0; i < step && status == PL_OK; i++)
            status = strip_check(check, dir, n + i, at[i], size[i]);
    }
    return status;
}

static pl_status picture_check(struct check *check, const struct pl_tiff_dir *dir)
{
    if (dir->width_px == 0 || dir->height_px == 0) {
        tiff_find(check, "section 8", "ImageWidth or ImageLength is missing or 0");
        return PL_OK;
    }
    resolution_check(check, dir);
    colour_check(check, dir);
    return strips_check(check, dir);
}

/* --- the chain -------------------------------------------------------------------------------- */

/* A loop is found as Brent does: an anchor that moves at each power of two. */
static pl_status chain_walk(struct check *check, const struct pl_limits *limits)
{
    uint64_t at = check->head.first;
    uint64_t anchor = at;
    uint32_t next_anchor = 2;
    pl_status status = PL_OK;
    if (at == 0)
        tiff_find(check, "section 2", "there is no directory");
    while (at != 0 && status == PL_OK && check->page < limits->pages) {
        struct pl_tiff_dir dir;
        check->page++;
        status = pl_tiff_dir_read(check->source, &check->head, at, &dir);
        if (status == PL_BAD_DOCUMENT) {
            tiff_find(check, "section 2", "the directory at offset %llu cannot be read",
                      (unsigned long long)at);
            return PL_OK;
        }
        if (status == PL_OK)
            status = entries_check(check, at);
        if (status == PL_OK)
            status = picture_check(check, &dir);
        if (status == PL_OK && dir.cut)
            tiff_find(check, "section 2", "the file ends before the next directory is named");
        if (check->page == next_anchor) {
            anchor = at;
            next_anchor *= 2;
        }
        at = dir.next;
        if (at == anchor) {
            tiff_find(check, "section 2", "the directories form a loop");
            break;
        }
    }
    return status;
}

pl_status pl_tiff_check(struct pl_source *source, const struct pl_limits *limits, char *what,
                        struct pl_findings *findings, struct pl_fault *fault)
{
    struct check check = { .source = source, .findings = findings };
    pl_status status = pl_tiff_head_read(source, &check.head);
    (void)pl_text_format(what, WHAT_CHARS, "a TIFF document");
    if (status == PL_OK)
        status = chain_walk(&check, limits);
    (void)pl_text_format(what, WHAT_CHARS, "a %s document of %u page%s",
                         check.head.big ? "BigTIFF" : "TIFF", check.page,
                         check.page == 1 ? "" : "s");
    if (status == PL_BAD_DOCUMENT) {
        tiff_find(&check, "section 2", "the file cannot be read");
        status = PL_OK;
    }
    return status == PL_OK ? PL_OK
                           : pl_fault_set(fault, status, "the TIFF cannot be looked at: %s",
                                          pl_status_text(status));
}
