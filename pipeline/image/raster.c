/* raster: one sample at a time, but for the two shapes that most scans have.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/raster.h"

#include <string.h>

unsigned pl_raster_bits(const struct pl_raster *raster)
{
    return raster->bits > 8 ? 16 : 8;
}

unsigned pl_raster_samples(const struct pl_raster *raster)
{
    return raster->palette != NULL ? 3 : raster->colours;
}

size_t pl_raster_row_bytes(const struct pl_raster *raster)
{
    return (size_t)raster->width_px * pl_raster_samples(raster) * (pl_raster_bits(raster) / 8);
}

/* Sample number `index` of a packed row, most significant bit first. */
static uint32_t sample_at(const uint8_t *row, size_t index, unsigned bits)
{
    if (bits == 8)
        return row[index];
    if (bits == 16) {
        uint16_t value = 0;
        memcpy(&value, row + 2 * index, sizeof value);
        return value;
    }
    size_t bit = index * bits;
    uint32_t window = 0; /* three bytes hold 15 bits at any offset */
    for (size_t byte = bit / 8, last = (bit + bits - 1) / 8, i = 0; i < 3; i++, byte++)
        window = window << 8 | (byte <= last ? row[byte] : 0U);
    return window >> (24 - bit % 8 - bits) & ((1U << bits) - 1);
}

static uint32_t stored_sample(const struct pl_raster *raster, const uint8_t *const *rows,
                              uint32_t x, unsigned n)
{
    return raster->separate ? sample_at(rows[n], x, raster->bits)
                            : sample_at(rows[0], (size_t)x * raster->samples + n, raster->bits);
}

/* From 0..2^bits-1 over the full range of the output. */
static uint32_t full_range(const struct pl_raster *raster, uint32_t value)
{
    uint32_t from = (1U << raster->bits) - 1;
    uint32_t to = raster->bits > 8 ? 65535 : 255;
    return from == to ? value : (value * to + from / 2) / from;
}

/* Over white: straight c * a + w * (1 - a), associated c + w * (1 - a). */
static uint32_t over_white(const struct pl_raster *raster, uint32_t value, uint32_t alpha)
{
    uint64_t white = raster->bits > 8 ? 65535 : 255;
    uint64_t ink =
        raster->alpha == PL_ALPHA_STRAIGHT ? (uint64_t)value * alpha : (uint64_t)value * white;
    uint64_t sum = (ink + white * (white - alpha) + white / 2) / white;
    return (uint32_t)(sum > white ? white : sum);
}

static uint8_t *put_sample(uint8_t *out, uint32_t value, unsigned bits)
{
    if (bits == 16)
        *out++ = (uint8_t)(value >> 8);
    *out++ = (uint8_t)value;
    return out;
}

static void palette_row(const struct pl_raster *raster, const uint8_t *const *rows, uint8_t *out)
{
    for (uint32_t x = 0; x < raster->width_px; x++, out += 3)
        memcpy(out, raster->palette + 3 * (size_t)stored_sample(raster, rows, x, 0), 3);
}

void pl_raster_row(const struct pl_raster *raster, const uint8_t *const *rows, uint8_t *out)
{
    PL_CHECK(raster->bits >= 1 && raster->bits <= 16);
    if (raster->palette != NULL) {
        PL_CHECK(raster->bits <= 8);
        palette_row(raster, rows, out);
        return;
    }
    if (raster->bits == 8 && raster->samples == raster->colours && !raster->separate &&
        !raster->inverted) {
        memcpy(out, rows[0], pl_raster_row_bytes(raster));
        return;
    }
    unsigned bits = pl_raster_bits(raster);
    uint32_t white = bits == 16 ? 65535 : 255;
    for (uint32_t x = 0; x < raster->width_px; x++) {
        uint32_t alpha = white;
        if (raster->alpha != PL_ALPHA_NONE)
            alpha = full_range(raster, stored_sample(raster, rows, x, raster->colours));
        for (unsigned n = 0; n < raster->colours; n++) {
            uint32_t value = full_range(raster, stored_sample(raster, rows, x, n));
            if (raster->inverted)
                value = white - value;
            if (alpha != white)
                value = over_white(raster, value, alpha);
            out = put_sample(out, value, bits);
        }
    }
}
