/* pdf_tally: how many images a page paints, so that those that went missing are told.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_TALLY_H
#define PL_PIPELINE_PDF_PDF_TALLY_H

#include "pipeline/pdf/pdf_file.h"

struct pl_pdf_tally {
    uint32_t images;     /* placed on the page, image XObjects and inline images, forms entered */
    bool is_transparent; /* something on it is: flattening may merge its images into one */
    bool is_whole; /* false: content could not be read to its end, or may paint in other ways */
};

/* Of page n (0-based). What cannot be read is not counted; only NO_MEMORY fails. */
pl_status pl_pdf_tally_page(struct pl_pdf_file *file, uint32_t n,
                            struct pl_pdf_tally *out) PL_MUST_USE;

#endif
