/* scan_write: puts pages into the files that scanners send: TIFF in its encodings, and JPEG.
 *
 * Nothing of the machine goes into a file: same pages, same bytes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_SCAN_MAKER_SCAN_WRITE_H
#define PL_TESTS_SUPPORT_SCAN_MAKER_SCAN_WRITE_H

#include "tests/support/scan_maker/scan_page.h"

struct scan_format {
    const char *name; /* "g4", "jpeg", ... */
    bool bilevel;     /* pages are thresholded */
    bool tiff;        /* otherwise a bare JPEG of one page */
    int compression;  /* libtiff's number */
    int options;      /* T4Options, or the predictor */
};

struct scan_target {
    const struct scan_format *format;
    const char *path;
    double dpi_x;
    double dpi_y;
    uint32_t strips;    /* a page, at least 1 */
    int quality;        /* JPEG, 1 to 100 */
    bool min_is_black;  /* PhotometricInterpretation of bilevel pages */
    bool low_bit_first; /* FillOrder 2 */
};

/* The table, ended by a NULL name. */
const struct scan_format *scan_formats(void);
const struct scan_format *scan_format_find(const char *name);

struct scan_writer; /* opaque */

/* NULL after one line on stderr when the file cannot be written. */
struct scan_writer *scan_writer_new(const struct scan_target *target);
bool scan_writer_page(struct scan_writer *writer, const struct scan_page *page);

/* False when the last bytes did not reach the file. Frees in any case; NULL is fine. */
bool scan_writer_close(struct scan_writer *writer);

#endif
