/* icc: profiles laid out tag by tag (ICC.1:2004-10; version 2 as ICC.1:1998-09), from integers
 * alone, so that every machine writes the same bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/icc.h"

#include <string.h>

#define ICC_HEADER 128
#define ICC_VERSION_2 0x02100000U
#define ICC_VERSION_4 0x04200000U
#define ICC_TAGS_MAX 12
#define ICC_ONE 32768 /* 1.0 of an XYZ value in a table of 16 bits (u1Fixed15) */

/* D50 in s15Fixed16, the white of the profile connection space. */
static const uint32_t icc_d50[3] = { 0xf6d6, 0x10000, 0xd32d };

/* Four characters as they stand in the file. */
#define ICC_SIGNATURE(text)                                                                        \
    ((uint32_t)(text)[0] << 24 | (uint32_t)(text)[1] << 16 | (uint32_t)(text)[2] << 8 |            \
     (uint32_t)(text)[3])

/* Writes into `out` from `start`; the first failure sticks, as in pdf_writer. */
struct icc_writer {
    struct pl_bytes *out;
    size_t start;
    unsigned version; /* 2 or 4 */
    pl_status status;
    uint32_t tags;
    size_t tag_at; /* of the tag that is being written */
};

static void icc_u8(struct icc_writer *icc, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    if (icc->status == PL_OK)
        icc->status = pl_bytes_append(icc->out, &byte, 1);
}

static void icc_u16(struct icc_writer *icc, unsigned value)
{
    icc_u8(icc, value >> 8);
    icc_u8(icc, value & 0xff);
}

static void icc_u32(struct icc_writer *icc, uint32_t value)
{
    icc_u16(icc, value >> 16);
    icc_u16(icc, value & 0xffff);
}

static void icc_words(struct icc_writer *icc, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        icc_u32(icc, words[i]);
}

static size_t icc_at(const struct icc_writer *icc)
{
    return icc->out->size - icc->start;
}

static void icc_put(struct icc_writer *icc, size_t at, uint32_t value)
{
    if (icc->status == PL_OK)
        pl_put_u32be(icc->out->data + icc->start + at, value);
}

/* Header and an empty tag table. Date: fixed, as the bytes must be. */
static void icc_begin(struct icc_writer *icc, const char *class, const char *space)
{
    icc_u32(icc, 0); /* size, set at the end */
    icc_u32(icc, 0);
    icc_u32(icc, icc->version == 2 ? ICC_VERSION_2 : ICC_VERSION_4);
    icc_u32(icc, ICC_SIGNATURE(class));
    icc_u32(icc, ICC_SIGNATURE(space));
    icc_u32(icc, ICC_SIGNATURE("XYZ "));
    static const uint16_t date[6] = { 2026, 1, 1, 0, 0, 0 };
    for (size_t i = 0; i < PL_COUNT_OF(date); i++)
        icc_u16(icc, date[i]);
    icc_u32(icc, ICC_SIGNATURE("acsp"));
    for (unsigned i = 0; i < 7; i++) /* platform to rendering intent (perceptual) */
        icc_u32(icc, 0);
    icc_words(icc, icc_d50, 3);
    while (icc->status == PL_OK && icc_at(icc) < ICC_HEADER + 4 + ICC_TAGS_MAX * 12)
        icc_u32(icc, 0);
}

static void icc_name_tag(struct icc_writer *icc, const char *name)
{
    size_t entry = ICC_HEADER + 4 + (size_t)icc->tags * 12;
    PL_CHECK(icc->tags < ICC_TAGS_MAX);
    icc->tags++;
    icc_put(icc, entry, ICC_SIGNATURE(name));
    icc_put(icc, entry + 4, (uint32_t)icc->tag_at);
}

/* A tag element of `type`; its data follows. */
static void icc_tag(struct icc_writer *icc, const char *name, const char *type)
{
    icc->tag_at = icc_at(icc);
    icc_name_tag(icc, name);
    icc_u32(icc, ICC_SIGNATURE(type));
    icc_u32(icc, 0);
}

/* Sets the size of the tag and of those that share it, then pads to four bytes. */
static void icc_tag_end(struct icc_writer *icc)
{
    size_t size = icc_at(icc) - icc->tag_at;
    for (uint32_t i = 0; i < icc->tags && icc->status == PL_OK; i++) {
        size_t entry = ICC_HEADER + 4 + (size_t)i * 12;
        const uint8_t *at = icc->out->data + icc->start + entry + 4;
        struct pl_cursor cursor = { at, 4, 0 };
        uint32_t offset = 0;
        if (pl_cursor_u32be(&cursor, &offset) && offset == icc->tag_at)
            icc_put(icc, entry + 8, (uint32_t)size);
    }
    while (icc->status == PL_OK && icc_at(icc) % 4 != 0)
        icc_u8(icc, 0);
}

static pl_status icc_end(struct icc_writer *icc)
{
    icc_put(icc, ICC_HEADER, icc->tags);
    icc_put(icc, 0, (uint32_t)icc_at(icc));
    return icc->status;
}

/* multiLocalizedUnicodeType with one record, English. */
static void icc_text(struct icc_writer *icc, const char *name, const char *text)
{
    size_t length = strlen(text);
    icc_tag(icc, name, "mluc");
    icc_u32(icc, 1);
    icc_u32(icc, 12);
    icc_u32(icc, ICC_SIGNATURE("enUS"));
    icc_u32(icc, (uint32_t)length * 2);
    icc_u32(icc, 28);
    for (size_t i = 0; i < length; i++)
        icc_u16(icc, (unsigned char)text[i]);
    icc_tag_end(icc);
}

/* textDescriptionType or textType of version 2, ASCII alone. */
static void icc_old_text(struct icc_writer *icc, const char *name, const char *text, bool describes)
{
    size_t size = strlen(text) + 1;
    icc_tag(icc, name, describes ? "desc" : "text");
    if (describes)
        icc_u32(icc, (uint32_t)size);
    for (size_t i = 0; i < size; i++)
        icc_u8(icc, (unsigned char)text[i]);
    if (describes) {
        icc_u32(icc, 0); /* language and length of the Unicode text */
        icc_u32(icc, 0);
        icc_u16(icc, 0); /* script, length and room of the Macintosh text */
        for (unsigned i = 0; i < 1 + 67; i++)
            icc_u8(icc, 0);
    }
    icc_tag_end(icc);
}

static void icc_fixed(struct icc_writer *icc, const char *name, const char *type,
                      const uint32_t *words, size_t count)
{
    icc_tag(icc, name, type);
    icc_words(icc, words, count);
    icc_tag_end(icc);
}

static void icc_describe(struct icc_writer *icc, const char *description)
{
    static const char copyright[] = "No copyright, use freely";
    if (icc->version == 2) {
        icc_old_text(icc, "desc", description, true);
        icc_old_text(icc, "cprt", copyright, false);
    } else {
        icc_text(icc, "desc", description);
        icc_text(icc, "cprt", copyright);
    }
    icc_fixed(icc, "wtpt", "XYZ ", icc_d50, 3);
}

#define CURVE_ENTRIES 1024
#define CURVE_ONE ((uint64_t)1 << 30)

static uint64_t curve_times(uint64_t a, uint64_t b)
{
    return a * b / CURVE_ONE;
}

/* The fifth root of a number from 0 to 1. */
static uint64_t curve_root(uint64_t x)
{
    uint64_t low = 0;
    uint64_t high = CURVE_ONE;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        uint64_t square = curve_times(middle, middle);
        if (curve_times(curve_times(square, square), middle) <= x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* IEC 61966-2-1 at i / 1023: x / 12.92, or ((x + 0.055) / 1.055) ^ 2.4, which is the square times
 * the fifth root of the square. */
static unsigned curve_srgb(uint64_t i)
{
    static const uint64_t last = CURVE_ENTRIES - 1;
    if (i * 100000 <= 4045 * last)
        return (unsigned)((i * 65535 * 25 + 323 * last / 2) / (323 * last));
    uint64_t base = (i * 1000 + 55 * last) * CURVE_ONE / (1055 * last);
    uint64_t square = curve_times(base, base);
    uint64_t value = curve_times(square, curve_root(square));
    return (unsigned)((value * 65535 + CURVE_ONE / 2) / CURVE_ONE);
}

static void srgb_curves(struct icc_writer *icc)
{
    static const uint32_t parameters[6] = { 3U << 16, 0x26666, 0xf2a7, 0x0d59, 0x13d0, 0x0a5b };
    icc_tag(icc, "rTRC", icc->version == 2 ? "curv" : "para");
    icc_name_tag(icc, "gTRC");
    icc_name_tag(icc, "bTRC");
    if (icc->version == 2) {
        icc_u32(icc, CURVE_ENTRIES);
        for (unsigned i = 0; i < CURVE_ENTRIES; i++)
            icc_u16(icc, curve_srgb(i));
    } else {
        icc_words(icc, parameters, 6);
    }
    icc_tag_end(icc);
}

static pl_status icc_srgb(unsigned version, struct pl_bytes *out)
{
    /* The primaries of IEC 61966-2-1, adapted from D65 to D50 by Bradford's matrix and rounded so
     * that the three add up to D50; the matrix itself (ICC.1 annex E); the curve of the standard.
     */
    static const uint32_t red[3] = { 0x6fa2, 0x38f5, 0x0390 };
    static const uint32_t green[3] = { 0x6299, 0xb787, 0x18da };
    static const uint32_t blue[3] = { 0x249b, 0x0f84, 0xb6c3 };
    static const uint32_t adapted[9] = { 0x10c42,    0x05de,     0xfffff325, 0x0793, 0xfd90,
                                         0xfffffba1, 0xfffffda2, 0x03dc,     0xc06e };
    struct icc_writer icc = { .out = out, .start = out->size, .version = version };
    icc_begin(&icc, "mntr", "RGB ");
    icc_describe(&icc, "sRGB");
    if (version != 2)
        icc_fixed(&icc, "chad", "sf32", adapted, 9);
    icc_fixed(&icc, "rXYZ", "XYZ ", red, 3);
    icc_fixed(&icc, "gXYZ", "XYZ ", green, 3);
    icc_fixed(&icc, "bXYZ", "XYZ ", blue, 3);
    srgb_curves(&icc);
    return icc_end(&icc);
}

/* lut16Type from grids of `inputs` to `outputs` channels; its tables follow. */
static void icc_table(struct icc_writer *icc, const char *name, unsigned inputs, unsigned outputs,
                      unsigned grid, unsigned entries)
{
    static const uint32_t identity[9] = { 1U << 16, 0, 0, 0, 1U << 16, 0, 0, 0, 1U << 16 };
    icc_tag(icc, name, "mft2");
    icc_u8(icc, inputs);
    icc_u8(icc, outputs);
    icc_u8(icc, grid);
    icc_u8(icc, 0);
    icc_words(icc, identity, 9);
    icc_u16(icc, entries);
    icc_u16(icc, 2); /* output curves are straight */
}

static void icc_straight(struct icc_writer *icc, unsigned channels)
{
    for (unsigned i = 0; i < channels; i++) {
        icc_u16(icc, 0);
        icc_u16(icc, 0xffff);
    }
}

#define CMYK_GRID 5
#define CMYK_CURVE 17

/* XYZ of paper and of every overprint of the solid inks of ISO 12647-2, relative to the paper. Bits
 * of the index: 8 cyan, 4 magenta, 2 yellow, 1 black. */
static const uint16_t cmyk_solids[16][3] = {
    { 31595, 32768, 27030 }, { 757, 785, 628 }, { 25867, 27736, 2550 }, { 620, 665, 59 },
    { 12354, 6281, 5443 },   { 296, 150, 126 }, { 11294, 5991, 833 },   { 271, 144, 19 },
    { 5617, 8575, 19157 },   { 135, 205, 445 }, { 3050, 6888, 2444 },   { 73, 165, 57 },
    { 1960, 1533, 5680 },    { 47, 37, 132 },   { 1370, 1421, 1136 },   { 33, 34, 26 },
};

/* Neugebauer: the solids, weighted by the area that each covers. */
static void cmyk_mix(struct icc_writer *icc, const unsigned ink[4])
{
    enum { FULL = CMYK_GRID - 1 };
    uint32_t sum[3] = { 0 };
    for (unsigned solid = 0; solid < 16; solid++) {
        uint32_t area = 1;
        for (unsigned i = 0; i < 4; i++)
            area *= (solid >> (3 - i) & 1) != 0 ? ink[i] : FULL - ink[i];
        for (unsigned i = 0; i < 3; i++)
            sum[i] += area * cmyk_solids[solid][i];
    }
    for (unsigned i = 0; i < 3; i++)
        icc_u16(icc, sum[i] / (FULL * FULL * FULL * FULL));
}

static void cmyk_to_xyz(struct icc_writer *icc)
{
    icc_table(icc, "A2B0", 4, 3, CMYK_GRID, CMYK_CURVE);
    icc_name_tag(icc, "A2B1");
    icc_name_tag(icc, "A2B2");
    for (unsigned ink = 0; ink < 4; ink++) {
        for (uint32_t i = 0; i < CMYK_CURVE; i++) {
            uint32_t a = i * 0xffff / (CMYK_CURVE - 1);
            /* dot gain: a + 4 * 0.15 * a * (1 - a) */
            icc_u16(icc, a + (uint32_t)((uint64_t)a * (0xffff - a) * 3 / 5 / 0xffff));
        }
    }
    for (unsigned i = 0; i < CMYK_GRID * CMYK_GRID * CMYK_GRID * CMYK_GRID; i++) {
        unsigned ink[4] = { i / (CMYK_GRID * CMYK_GRID * CMYK_GRID),
                            i / (CMYK_GRID * CMYK_GRID) % CMYK_GRID, i / CMYK_GRID % CMYK_GRID,
                            i % CMYK_GRID };
        cmyk_mix(icc, ink);
    }
    icc_straight(icc, 3);
    icc_tag_end(icc);
}

#define XYZ_GRID 9

/* The way back, which an output profile must have: complements of X, Y, Z with grey taken into
 * black. Nobody prints by it. */
static void cmyk_from_xyz(struct icc_writer *icc)
{
    icc_table(icc, "B2A0", 3, 4, XYZ_GRID, 2);
    icc_name_tag(icc, "B2A1");
    icc_name_tag(icc, "B2A2");
    icc_straight(icc, 3);
    for (uint32_t i = 0; i < XYZ_GRID * XYZ_GRID * XYZ_GRID; i++) {
        uint32_t at[3] = { i / (XYZ_GRID * XYZ_GRID), i / XYZ_GRID % XYZ_GRID, i % XYZ_GRID };
        uint32_t ink[3];
        uint32_t black = 0xffff;
        for (unsigned k = 0; k < 3; k++) {
            uint32_t light = (uint32_t)((uint64_t)at[k] * 0xffff / (XYZ_GRID - 1) * 0x10000 /
                                        icc_d50[k] * 0xffff / ICC_ONE);
            light = light / 0xffff > 0 ? 0xffff : light;
            ink[k] = 0xffff - light;
            black = ink[k] < black ? ink[k] : black;
        }
        for (unsigned k = 0; k < 3; k++)
            icc_u16(icc, ink[k] - black);
        icc_u16(icc, black);
    }
    icc_straight(icc, 4);
    icc_tag_end(icc);
}

static void cmyk_gamut(struct icc_writer *icc)
{
    icc_table(icc, "gamt", 3, 1, 2, 2);
    icc_straight(icc, 3);
    for (unsigned i = 0; i < 8; i++)
        icc_u16(icc, 0);
    icc_straight(icc, 1);
    icc_tag_end(icc);
}

static pl_status icc_cmyk(unsigned version, struct pl_bytes *out)
{
    struct icc_writer icc = { .out = out, .start = out->size, .version = version };
    icc_begin(&icc, "prtr", "CMYK");
    icc_describe(&icc, "CMYK, coated offset (assumed)");
    cmyk_to_xyz(&icc);
    cmyk_from_xyz(&icc);
    cmyk_gamut(&icc);
    return icc_end(&icc);
}

pl_status pl_icc_srgb(struct pl_bytes *out)
{
    return icc_srgb(4, out);
}

pl_status pl_icc_srgb_2(struct pl_bytes *out)
{
    return icc_srgb(2, out);
}

pl_status pl_icc_cmyk(struct pl_bytes *out)
{
    return icc_cmyk(4, out);
}

pl_status pl_icc_cmyk_2(struct pl_bytes *out)
{
    return icc_cmyk(2, out);
}
