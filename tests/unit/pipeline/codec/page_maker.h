/* page_maker: pages of every shape for the tests of writers, and a writer driven over them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_CODEC_PAGE_MAKER_H
#define PL_TESTS_UNIT_PIPELINE_CODEC_PAGE_MAKER_H

#include "pipeline/writer.h"
#include "tests/support/memory_out.h"

/* Zero members stand for what is usual: 61 x 43 pixels at 300 dpi, 8 bits. */
struct page_recipe {
    enum pl_colour colour;
    unsigned bits;
    uint32_t width_px, height_px;
    uint32_t strip_rows;      /* G4: of each part; 0: one part */
    unsigned palette_entries; /* Flate: a palette of so many entries */
    bool inverted;
    /* JPEG */
    bool progressive, rgb_inside, ycck, no_jfif, adobe;
    unsigned across, down; /* sampling of the first component; 0: 1 */
};

/* Abort when they cannot. The samples are smooth with noise and use the whole range. */
void page_make_flate(struct pl_page *page, const struct page_recipe *recipe);
void page_make_g4(struct pl_page *page, const struct page_recipe *recipe);
void page_make_jpeg(struct pl_page *page, const struct page_recipe *recipe);

/* Packed rows of a Flate page as its samples mean them: inversion undone, palette not. To be freed.
 */
uint8_t *page_rows(const struct pl_page *page);

/* open, encode and write each page, end. `carries` must say yes. Pages are encoded in place. */
pl_status pages_write(const struct pl_convert *convert, struct pl_page *pages, size_t count,
                      const struct pl_limits *limits, struct memory_out *out,
                      struct pl_fault *fault);

#endif
