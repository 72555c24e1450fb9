/* tiff_lib: one page opened by libtiff, and what libtiff said about it.
 *
 * libtiff reads through a pl_source, goes straight to the page's directory, may allocate no more at
 * once than the limits allow, and tells its complaints to this handle alone. While pixels are
 * decoded a complaint of the fax or JPEG decoder counts as damage, also where libtiff itself would
 * go on with white or grey rows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_LIB_H
#define PL_PIPELINE_CODEC_TIFF_LIB_H

#include "pipeline/codec/tiff_in_priv.h"

#include <tiffio.h>

struct pl_tiff_lib {
    const struct pl_tiff_load *load;
    TIFF *tiff;
    uint64_t at;
    pl_status io;   /* first failure of the source */
    bool decoding;  /* complaints count as damage */
    bool forgiving; /* the file says itself that fax lines are bad (CleanFaxData) */
    bool damaged;
    char words[160]; /* libtiff's, of the first complaint that counts */
};

/* Opens the page's directory. The struct must stay where it is until closed. */
pl_status pl_tiff_lib_open(struct pl_tiff_lib *lib, const struct pl_tiff_load *load) PL_MUST_USE;
void pl_tiff_lib_close(struct pl_tiff_lib *lib);

/* The status of a failed call, and its sentence with libtiff's words. `row` is the first row of the
 * strip or tile that was read. */
pl_status pl_tiff_lib_failed(struct pl_tiff_lib *lib, uint32_t row);

/* Reads strip or tile `n`; fails on any damage that libtiff tells. *whole false: libtiff called it
 * a success and left the end as it was (a byte that shows the filling, whatever the filling is, was
 * never written). It does so with a fax strip that ends early and, built with libdeflate, with a
 * Deflate strip that holds more than it should and whose last run crosses the end. */
pl_status pl_tiff_lib_piece(struct pl_tiff_lib *lib, bool tile, uint32_t n, uint32_t row,
                            uint8_t *out, size_t size, bool *whole) PL_MUST_USE;

#endif
