/* pdf_space: the colour space of an image, as far as a page of our own can say it (ISO
 * 32000-1 8.6).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_SPACE_H
#define PL_PIPELINE_PDF_PDF_SPACE_H

#include "pipeline/image/page.h"
#include "pipeline/pdf/pdf_file.h"

enum pl_pdf_space_kind {
    PL_PDF_SPACE_DEVICE,
    PL_PDF_SPACE_CAL, /* CalGray, CalRGB */
    PL_PDF_SPACE_ICC,
    PL_PDF_SPACE_LAB,
    PL_PDF_SPACE_SPOT, /* Separation, DeviceN */
    PL_PDF_SPACE_PATTERN,
    PL_PDF_SPACE_UNKNOWN,
};

struct pl_pdf_space {
    enum pl_pdf_space_kind kind; /* of the base when indexed */
    bool indexed;
    unsigned components;              /* of the kind */
    enum pl_colour colour;            /* DEVICE, CAL and ICC: grey, RGB or CMYK */
    const struct pl_pdf_value *icc;   /* the profile's stream */
    unsigned entries;                 /* indexed: 1 to 256 */
    const struct pl_pdf_value *table; /* indexed: a string or a stream */
};

/* `value` is resolved. A name may be that of a resource, and a device space may be replaced by the
 * resources' default for it (8.6.5.6). `resources` may be NULL. What is malformed is UNKNOWN. */
pl_status pl_pdf_space_read(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                            const struct pl_pdf_value *resources, struct pl_pdf_space *out,
                            struct pl_fault *fault) PL_MUST_USE;

/* The entries of an indexed space, `components` bytes each; what its table lacks is 0. */
pl_status pl_pdf_space_table(struct pl_pdf_file *file, const struct pl_pdf_space *space,
                             struct pl_bytes *out, struct pl_fault *fault) PL_MUST_USE;

#endif
