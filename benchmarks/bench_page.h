/* bench_page: what the benchmarks of pages share: clocks, medians, and a page that looks like text.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_BENCHMARKS_BENCH_PAGE_H
#define PL_BENCHMARKS_BENCH_PAGE_H

#include "engine/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_WIDTH 2550 /* Letter at 300 dpi */
#define BENCH_ROWS 3300
#define BENCH_STRIDE ((BENCH_WIDTH + 7) / 8)
#define BENCH_ROUNDS 5

static inline double bench_now_ms(clockid_t clock)
{
    struct timespec now;
    PL_CHECK(clock_gettime(clock, &now) == 0);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline int bench_order(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static inline double bench_median(const double values[BENCH_ROUNDS])
{
    double sorted[BENCH_ROUNDS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, BENCH_ROUNDS, sizeof sorted[0], bench_order);
    return sorted[BENCH_ROUNDS / 2];
}

/* {"bench":..,"machine":..,"commit":.., ; the caller writes the rest. */
static inline void bench_print_head(const char *name)
{
    char line[256];
    char machine[128] = "unknown";
    const char *commit = getenv("PLATEN_COMMIT");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "model name : %127[^\n\"\\]", machine) == 1)
            break;
    if (file != NULL)
        (void)fclose(file);
    (void)printf("{\"bench\":\"%s\",\"machine\":\"%s\",\"commit\":\"%s\",\"rounds\":%d", name,
                 machine, commit != NULL ? commit : "unknown", BENCH_ROUNDS);
}

/* Lines of glyphs: strokes of 4 to 6 pixels whose edges wander by a pixel, as a scanner's do. 1 is
 * black; stride BENCH_STRIDE. About 65 KB as G4: what a written page takes. */
static inline uint8_t *bench_draw_page(void)
{
    uint8_t *pixels = calloc(BENCH_ROWS, BENCH_STRIDE);
    uint32_t random = 2463534242;
    PL_CHECK(pixels != NULL);
    for (unsigned line = 150; line + 60 < BENCH_ROWS - 150; line += 50) {
        for (unsigned x = 200; x < BENCH_WIDTH - 200; x += 18) {
            random = random * 1664525 + 1013904223;
            unsigned shape = random >> 24;
            if (shape < 60) /* between strokes, and between words */
                continue;
            unsigned top = shape % 3 == 0 ? 0 : 12;
            unsigned bottom = shape % 7 == 0 ? 44 : 32;
            for (unsigned y = top; y < bottom; y++) {
                random = random * 1664525 + 1013904223;
                unsigned lean = shape % 5 == 0 ? y / 6 : 0;
                unsigned from = x + lean + (random >> 29 == 0);
                unsigned to = from + 4 + (random >> 26 & 7) / 7;
                for (unsigned i = from; i < to; i++)
                    pixels[(line + y) * BENCH_STRIDE + i / 8] |= (uint8_t)(0x80 >> i % 8);
            }
        }
    }
    return pixels;
}

#endif
