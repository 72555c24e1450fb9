/* scan_page: a drawn page in memory, and what paper and a scanner do to it.
 *
 * All arithmetic on pixels is in integers, so that every compiler makes the same bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_SCAN_MAKER_SCAN_PAGE_H
#define PL_TESTS_SUPPORT_SCAN_MAKER_SCAN_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct scan_page {
    uint32_t width;
    uint32_t height;
    uint32_t channels; /* 1 grey, 3 RGB */
    uint8_t *pixels;   /* rows without padding; owned */
};

/* How a page is aged. Zeroes leave it as it was drawn. */
struct scan_look {
    uint64_t seed;
    double skew_degrees; /* clockwise */
    unsigned noise;      /* 0 none, 8 a good office scanner, 20 a poor one */
    unsigned specks;     /* dust and toner, a page */
};

/* Reads the next binary PGM or PPM (maxval 255); 1 a page, 0 the end, -1 not a page. */
int scan_page_read(FILE *in, struct scan_page *page);

/* Skew, paper, shadow of the edge, dust and sensor noise, in the order in which they happen. `back`
 * is the other side of the sheet, which shines through, or NULL. False when memory ran out. */
bool scan_page_age(struct scan_page *page, const struct scan_page *back,
                   const struct scan_look *look);

void scan_page_fini(struct scan_page *page);

#endif
