/* auto_colour: one pass for the blocks, one over them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/auto_colour.h"

#include "pipeline/image/grey.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_PER_INCH 75
#define BLOCK_MAX 256
#define CHROMA_MIN 40
#define COLOUR_SHARE 2000
#define TONE_DARK 48
#define TONE_BRIGHT 216
#define TONE_EVEN 64
#define TONE_SHARE 100

struct block {
    uint8_t mean[3];
    uint8_t darkest; /* of the greens, which are most of the light */
    uint8_t brightest;
};

/* Of a row of blocks while it is read. */
struct block_sum {
    uint32_t sums[3];
    uint8_t darkest;
    uint8_t brightest;
};

struct blocks {
    uint32_t side; /* pixels */
    uint32_t across;
    uint32_t down;
    struct block *all;
    struct block_sum *row;
    uint8_t *rgb;
};

static void blocks_fini(struct blocks *blocks)
{
    free(blocks->all);
    free(blocks->row);
    free(blocks->rgb);
}

static pl_status blocks_init(struct blocks *blocks, const struct pl_picture *picture)
{
    uint64_t dpi = ((uint64_t)picture->x_mdpi + picture->y_mdpi) / 2000;
    uint64_t side = dpi / BLOCKS_PER_INCH;
    size_t count = 0;
    blocks->side = (uint32_t)(side < 1 ? 1 : side > BLOCK_MAX ? BLOCK_MAX : side);
    blocks->across = (picture->width_px + blocks->side - 1) / blocks->side;
    blocks->down = (picture->height_px + blocks->side - 1) / blocks->side;
    if (!pl_size_mul(blocks->across, blocks->down, &count))
        return PL_TOO_LARGE;
    blocks->all = calloc(count, sizeof *blocks->all);
    blocks->row = calloc(blocks->across, sizeof *blocks->row);
    blocks->rgb = malloc((size_t)picture->width_px * 3);
    return blocks->all == NULL || blocks->row == NULL || blocks->rgb == NULL ? PL_NO_MEMORY : PL_OK;
}

static void row_add(const struct blocks *blocks, const uint8_t *rgb, uint32_t width_px)
{
    struct block_sum *sum = blocks->row;
    for (uint32_t x = 0; x < width_px; sum++) {
        uint32_t end = width_px - x < blocks->side ? width_px : x + blocks->side;
        for (; x < end; x++, rgb += 3) {
            for (unsigned n = 0; n < 3; n++)
                sum->sums[n] += rgb[n];
            sum->darkest = rgb[1] < sum->darkest ? rgb[1] : sum->darkest;
            sum->brightest = rgb[1] > sum->brightest ? rgb[1] : sum->brightest;
        }
    }
}

static void blocks_fill(const struct blocks *blocks, const struct pl_picture *picture)
{
    struct block *block = blocks->all;
    for (uint32_t y = 0; y < picture->height_px;) {
        uint32_t end =
            picture->height_px - y < blocks->side ? picture->height_px : y + blocks->side;
        uint32_t rows = end - y;
        for (uint32_t i = 0; i < blocks->across; i++)
            blocks->row[i] = (struct block_sum){ .darkest = 255 };
        for (; y < end; y++) {
            const uint8_t *row = picture->pixels + y * picture->stride;
            if (picture->colour != PL_COLOUR_RGB) {
                pl_rgb_row(picture->colour, row, picture->width_px, blocks->rgb);
                row = blocks->rgb;
            }
            row_add(blocks, row, picture->width_px);
        }
        for (uint32_t i = 0; i < blocks->across; i++, block++) {
            uint32_t left = picture->width_px - i * blocks->side;
            uint32_t pixels = rows * (left < blocks->side ? left : blocks->side);
            const struct block_sum *sum = &blocks->row[i];
            *block = (struct block){ .darkest = sum->darkest, .brightest = sum->brightest };
            for (unsigned n = 0; n < 3; n++)
                block->mean[n] = (uint8_t)((sum->sums[n] + pixels / 2) / pixels);
        }
    }
}

/* The most common level above 127; 255 when the page has none. */
static uint32_t paper_level(const struct blocks *blocks, size_t count, unsigned n)
{
    size_t counts[256] = { 0 };
    uint32_t paper = 255;
    for (size_t i = 0; i < count; i++)
        counts[blocks->all[i].mean[n]]++;
    for (uint32_t level = 255; level > 127; level--)
        if (counts[level] > counts[paper])
            paper = level;
    return paper;
}

static uint32_t stretched(uint32_t level, uint32_t paper)
{
    return level >= paper ? 255 : (level * 255 + paper / 2) / paper;
}

static enum pl_colour blocks_judge(const struct blocks *blocks, enum pl_colour colour)
{
    size_t count = (size_t)blocks->across * blocks->down;
    size_t coloured = 0;
    size_t tones = 0;
    uint32_t paper[3];
    for (unsigned n = 0; n < 3; n++)
        paper[n] = paper_level(blocks, count, n);
    for (size_t i = 0; i < count; i++) {
        const struct block *block = &blocks->all[i];
        uint32_t low = 255;
        uint32_t high = 0;
        uint32_t sum = 0;
        for (unsigned n = 0; n < 3; n++) {
            uint32_t level = stretched(block->mean[n], paper[n]);
            low = level < low ? level : low;
            high = level > high ? level : high;
            sum += level;
        }
        uint32_t spread =
            stretched(block->brightest, paper[1]) - stretched(block->darkest, paper[1]);
        coloured += high - low > CHROMA_MIN;
        tones += sum > 3 * TONE_DARK && sum < 3 * TONE_BRIGHT && spread < TONE_EVEN;
    }
    if (coloured > count / COLOUR_SHARE && colour != PL_COLOUR_GREY)
        return colour;
    return tones > count / TONE_SHARE ? PL_COLOUR_GREY : PL_COLOUR_BILEVEL;
}

pl_status pl_auto_colour(const struct pl_picture *picture, enum pl_colour *out)
{
    if (picture->colour == PL_COLOUR_BILEVEL) {
        *out = PL_COLOUR_BILEVEL;
        return PL_OK;
    }
    struct blocks blocks = { 0 };
    pl_status status = blocks_init(&blocks, picture);
    if (status == PL_OK) {
        blocks_fill(&blocks, picture);
        *out = blocks_judge(&blocks, picture->colour);
    }
    blocks_fini(&blocks);
    return status;
}
