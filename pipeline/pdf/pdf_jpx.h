/* pdf_jpx: what the head of a JPEG 2000 image says (ISO/IEC 15444-1 annexes A and I), read without
 * decoding.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_JPX_H
#define PL_PIPELINE_PDF_PDF_JPX_H

#include "pipeline/image/page.h"
#include "pipeline/source.h"

struct pl_jpx_info {
    uint32_t width_px;
    uint32_t height_px;
    unsigned components; /* of the code stream */
    unsigned bits;       /* of all of them */
    bool mixed_bits;
    bool is_signed;
    bool boxed;           /* a JP2 or JPX file; false: a bare code stream */
    bool palette;         /* component mapping */
    bool opacity;         /* a channel that is no colour */
    unsigned colours;     /* colour specification boxes */
    unsigned methods_bad; /* of them with METH other than 1, 2, 3 */
    unsigned best;        /* of them with APPROX 1 */
    unsigned enumerated;  /* EnumCS of the first that has one; 0: none */
};

/* BAD_DOCUMENT with a sentence when the head cannot be read. */
pl_status pl_jpx_scan(struct pl_source *source, struct pl_jpx_info *out,
                      struct pl_fault *fault) PL_MUST_USE;

/* Grey, RGB or CMYK as the boxes or the number of components tell. False: something else, or
 * channels that no page of ours has. */
bool pl_jpx_colour(const struct pl_jpx_info *info, enum pl_colour *out);

/* Why ISO 19005-2 6.2.8.3 forbids it; NULL: it does not. `spaced`: the image dictionary names its
 * colour space, so that the boxes do not count. */
const char *pl_jpx_refuses_pdfa(const struct pl_jpx_info *info, bool spaced);

#endif
