/* picture_compare: says how far two portable pixmaps (PBM, PGM, PPM; 8 bits) are apart.
 *
 * picture_compare A B prints one line: "exact", "A is 2480x3508, B is 2480x3507", or
 * "PSNR worst row": PSNR over three colours in dB, the greatest difference, the first row with one.
 * Exit code 2, with a line on stderr, when a file cannot be read.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_MOST 100000
#define HEAD_CHARS 16
#define COLOURS 3

struct picture {
    FILE *file;
    char kind; /* '4', '5' or '6' */
    uint32_t width;
    uint32_t height;
    size_t row_bytes;
    uint8_t *row; /* as in the file */
    uint8_t *rgb; /* three bytes a pixel */
};

static bool head_number(struct picture *picture, uint32_t most, uint32_t *out)
{
    unsigned value = 0;
    int next = fgetc(picture->file);
    while (next == '#' || next == ' ' || next == '\t' || next == '\r' || next == '\n') {
        while (next == '#' && (next = fgetc(picture->file)) != '\n' && next != EOF)
            next = '#';
        next = fgetc(picture->file);
    }
    for (; next >= '0' && next <= '9' && value <= most; next = fgetc(picture->file))
        value = value * 10 + (unsigned)(next - '0');
    *out = value;
    return value > 0 && value <= most; /* the one byte after the number is taken with it */
}

static bool picture_open(const char *path, struct picture *out)
{
    uint32_t most = 255;
    *out = (struct picture){ .file = fopen(path, "rb") };
    if (out->file == NULL || fgetc(out->file) != 'P')
        return false;
    out->kind = (char)fgetc(out->file);
    if (out->kind < '4' || out->kind > '6' || !head_number(out, SIDE_MOST, &out->width) ||
        !head_number(out, SIDE_MOST, &out->height))
        return false;
    if (out->kind != '4' && (!head_number(out, 255, &most) || most != 255))
        return false;
    size_t width = out->width;
    out->row_bytes = out->kind == '4'   ? (width + 7) / 8
                     : out->kind == '5' ? width
                                        : width * COLOURS;
    out->row = malloc(out->row_bytes);
    out->rgb = malloc(width * COLOURS);
    return out->row != NULL && out->rgb != NULL;
}

static void picture_close(struct picture *picture)
{
    if (picture->file != NULL)
        (void)fclose(picture->file);
    free(picture->row);
    free(picture->rgb);
}

/* The next row, as colours. */
static bool picture_row(struct picture *picture)
{
    if (fread(picture->row, 1, picture->row_bytes, picture->file) != picture->row_bytes)
        return false;
    if (picture->kind == '6')
        memcpy(picture->rgb, picture->row, picture->row_bytes);
    for (size_t x = 0; picture->kind != '6' && x < picture->width; x++) {
        uint8_t value = picture->row[picture->kind == '5' ? x : x / 8];
        if (picture->kind == '4') /* 1 is black */
            value = (value >> (7 - x % 8) & 1) != 0 ? 0 : 255;
        memset(picture->rgb + x * COLOURS, value, COLOURS);
    }
    return true;
}

/* What was found so far. */
struct distance {
    double squares;
    unsigned worst;
    uint32_t first_row;
};

static void row_compare(const struct picture *a, const struct picture *b, uint32_t y,
                        struct distance *distance)
{
    size_t count = (size_t)a->width * COLOURS;
    if (memcmp(a->rgb, b->rgb, count) == 0)
        return;
    if (distance->worst == 0)
        distance->first_row = y;
    for (size_t i = 0; i < count; i++) {
        int apart = abs((int)a->rgb[i] - (int)b->rgb[i]);
        distance->squares += (double)(apart * apart);
        if ((unsigned)apart > distance->worst)
            distance->worst = (unsigned)apart;
    }
}

static bool pictures_compare(struct picture *a, struct picture *b)
{
    struct distance distance = { 0 };
    if (a->width != b->width || a->height != b->height) {
        (void)printf("A is %ux%u, B is %ux%u\n", a->width, a->height, b->width, b->height);
        return true;
    }
    for (uint32_t y = 0; y < a->height; y++) {
        if (!picture_row(a) || !picture_row(b))
            return false;
        row_compare(a, b, y, &distance);
    }
    double values = (double)a->width * a->height * COLOURS;
    if (distance.worst == 0)
        (void)puts("exact");
    else
        (void)printf("%.2f %u %u\n", 10 * log10(255.0 * 255.0 * values / distance.squares),
                     distance.worst, distance.first_row);
    return true;
}

int main(int argc, char **argv)
{
    struct picture a = { .file = NULL };
    struct picture b = { .file = NULL };
    bool done = argc == 3 && picture_open(argv[1], &a) && picture_open(argv[2], &b) &&
                pictures_compare(&a, &b);
    if (!done)
        (void)fputs("picture_compare: two whole PBM, PGM or PPM files of 8 bits are needed\n",
                    stderr);
    picture_close(&a);
    picture_close(&b);
    return done ? EXIT_SUCCESS : 2;
}
