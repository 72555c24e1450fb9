/* scan_page: a drawn page in memory, and what paper and a scanner do to it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/scan_maker/scan_page.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MAX 20000U
#define GRID_PX 96U /* the size of a cloud in the paper */

/* xorshift64*: small, fast, and the same everywhere. */
static uint64_t noise_next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545F4914F6CDD1DU;
}

static uint8_t clamp_byte(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static bool number_read(FILE *in, uint32_t *out)
{
    int c = fgetc(in);
    while (c == '#' || isspace(c)) {
        while (c == '#' && (c = fgetc(in)) != '\n' && c != EOF)
            c = '#'; /* a comment runs to the end of its line */
        c = fgetc(in);
    }
    uint32_t value = 0;
    bool any = false;
    for (; isdigit(c) && value <= SIDE_MAX; c = fgetc(in), any = true)
        value = value * 10 + (uint32_t)(c - '0');
    *out = value;
    return any && isspace(c) != 0;
}

int scan_page_read(FILE *in, struct scan_page *page)
{
    int p = fgetc(in);
    if (p == EOF)
        return 0;
    int kind = fgetc(in);
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t maximum = 0;
    if (p != 'P' || (kind != '5' && kind != '6') || !number_read(in, &width) ||
        !number_read(in, &height) || !number_read(in, &maximum) || maximum != 255 || width == 0 ||
        height == 0 || width > SIDE_MAX || height > SIDE_MAX)
        return -1;
    uint32_t channels = kind == '6' ? 3 : 1;
    size_t size = (size_t)width * height * channels;
    uint8_t *pixels = malloc(size);
    if (pixels == NULL || fread(pixels, 1, size, in) != size) {
        free(pixels);
        return -1;
    }
    *page = (struct scan_page){ width, height, channels, pixels };
    return 1;
}

void scan_page_fini(struct scan_page *page)
{
    free(page->pixels);
    *page = (struct scan_page){ 0 };
}

/* One output row of the turned page: 16.16 fixed point, bilinear, white beyond the edge. */
static void skew_row(const struct scan_page *page, uint8_t *out, int64_t sx, int64_t sy,
                     int64_t step_x, int64_t step_y)
{
    uint32_t n = page->channels;
    size_t stride = (size_t)page->width * n;
    for (uint32_t x = 0; x < page->width; x++, sx += step_x, sy += step_y, out += n) {
        int64_t left = sx >> 16;
        int64_t top = sy >> 16;
        if (left < 0 || top < 0 || left + 1 >= page->width || top + 1 >= page->height) {
            memset(out, 255, n);
            continue;
        }
        const uint8_t *at = page->pixels + (size_t)top * stride + (size_t)left * n;
        int fx = (int)((sx >> 8) & 255);
        int fy = (int)((sy >> 8) & 255);
        for (uint32_t c = 0; c < n; c++) {
            int upper = at[c] * (256 - fx) + at[c + n] * fx;
            int lower = at[stride + c] * (256 - fx) + at[stride + c + n] * fx;
            out[c] = (uint8_t)((upper * (256 - fy) + lower * fy + 32768) >> 16);
        }
    }
}

static bool page_skew(struct scan_page *page, double degrees)
{
    const double pi = 3.14159265358979323846;
    uint8_t *turned = malloc((size_t)page->width * page->height * page->channels);
    if (turned == NULL)
        return false;
    int64_t c = llround(cos(degrees * pi / 180) * 65536);
    int64_t s = llround(sin(degrees * pi / 180) * 65536);
    int64_t mid_x = page->width / 2;
    int64_t mid_y = page->height / 2;
    for (uint32_t y = 0; y < page->height; y++) {
        int64_t dy = (int64_t)y - mid_y;
        int64_t sx = -mid_x * c + dy * s + mid_x * 65536;
        int64_t sy = mid_x * s + dy * c + mid_y * 65536;
        skew_row(page, turned + (size_t)y * page->width * page->channels, sx, sy, c, -s);
    }
    free(page->pixels);
    page->pixels = turned;
    return true;
}

/* The other side of the sheet, mirrored and faint. */
static void page_shine_through(struct scan_page *page, const struct scan_page *back)
{
    if (back->width != page->width || back->height != page->height ||
        back->channels != page->channels)
        return;
    uint32_t n = page->channels;
    for (uint32_t y = 0; y < page->height; y++) {
        uint8_t *row = page->pixels + (size_t)y * page->width * n;
        const uint8_t *other = back->pixels + (size_t)y * page->width * n;
        for (uint32_t x = 0; x < page->width; x++) {
            int dark = 255 - other[(size_t)(page->width - 1 - x) * n];
            for (uint32_t c = 0; c < n; c++)
                row[(size_t)x * n + c] = clamp_byte(row[(size_t)x * n + c] - dark / 18);
        }
    }
}

static void page_specks(struct scan_page *page, unsigned specks, uint64_t *state)
{
    for (unsigned i = 0; i < specks && page->width > 0 && page->height > 0; i++) {
        uint32_t x = (uint32_t)(noise_next(state) % page->width);
        uint32_t y = (uint32_t)(noise_next(state) % page->height);
        uint32_t side = 1 + (uint32_t)(noise_next(state) % 4);
        uint32_t across = side < page->width - x ? side : page->width - x;
        for (uint32_t v = y; v < y + side && v < page->height; v++) {
            uint8_t *at = page->pixels + ((size_t)v * page->width + x) * page->channels;
            memset(at, 60, (size_t)across * page->channels);
        }
    }
}

/* A coarse grid of heights, in eighths of a level: the clouds of the paper. */
static int8_t *clouds_new(const struct scan_page *page, uint64_t *state, uint32_t *columns)
{
    *columns = page->width / GRID_PX + 2;
    uint32_t rows = page->height / GRID_PX + 2;
    int8_t *clouds = calloc(*columns, rows);
    for (size_t i = 0; clouds != NULL && i < (size_t)*columns * rows; i++)
        clouds[i] = (int8_t)((int)(noise_next(state) >> 58) - 32);
    return clouds;
}

static int cloud_at(const int8_t *upper, const int8_t *lower, uint32_t x, int fy)
{
    uint32_t cell = x / GRID_PX;
    int fx = (int)(x % GRID_PX);
    int high = upper[cell] * ((int)GRID_PX - fx) + upper[cell + 1] * fx;
    int low = lower[cell] * ((int)GRID_PX - fx) + lower[cell + 1] * fx;
    return (high * ((int)GRID_PX - fy) + low * fy) / (int)(GRID_PX * GRID_PX);
}

/* Paper is not white and light is not even; the left edge lies in the shadow of the lid. */
static bool page_paper(struct scan_page *page, unsigned noise, uint64_t *state)
{
    static const int paper[3] = { 247, 245, 239 };
    uint32_t columns = 0;
    int8_t *clouds = clouds_new(page, state, &columns);
    if (clouds == NULL)
        return false;
    uint8_t *at = page->pixels;
    uint64_t random = 0;
    unsigned left = 0;
    for (uint32_t y = 0; y < page->height; y++) {
        const int8_t *upper = clouds + (size_t)(y / GRID_PX) * columns;
        int fy = (int)(y % GRID_PX);
        for (uint32_t x = 0; x < page->width; x++) {
            int light = cloud_at(upper, upper + columns, x, fy) / 8;
            if (x < 24)
                light -= (24 - (int)x) * 3;
            for (uint32_t c = 0; c < page->channels; c++, at++) {
                if (left == 0) {
                    random = noise_next(state);
                    left = 2;
                }
                uint32_t r = (uint32_t)random;
                random >>= 32;
                left--;
                int sum = (int)((r & 255) + (r >> 8 & 255) + (r >> 16 & 255) + (r >> 24)) - 510;
                int grain = sum * (int)noise / 256;
                int tint = page->channels == 3 ? paper[c] : 244;
                *at = clamp_byte((*at * (tint - 28)) / 255 + 28 + light + grain);
            }
        }
    }
    free(clouds);
    return true;
}

bool scan_page_age(struct scan_page *page, const struct scan_page *back,
                   const struct scan_look *look)
{
    uint64_t state = (look->seed + 1) * 0x9E3779B97F4A7C15U;
    if (back != NULL)
        page_shine_through(page, back);
    if (look->skew_degrees != 0 && !page_skew(page, look->skew_degrees))
        return false;
    page_specks(page, look->specks, &state);
    return look->noise == 0 || page_paper(page, look->noise, &state);
}
