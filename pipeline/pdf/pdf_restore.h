/* pdf_restore: an image that an interpreter decoded on its way is written as it came in.
 *
 * An interpreter decodes JPEG images that have a mask and encodes them again without loss: exact,
 * and up to eight times as large. Such an image is looked for among those of the same page of the
 * document that was interpreted; one whose samples are the same, all of them, lends its encoded
 * data. Bounded by the limits of a page: one decoded picture at a time.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_RESTORE_H
#define PL_PIPELINE_PDF_PDF_RESTORE_H

#include "pipeline/pdf/pdf_image.h"

struct pl_pdf_restore;

/* `made` is what was made of the PDF `origin`; both outlive the result and are used by its thread
 * alone. */
pl_status pl_pdf_restore_new(const struct pl_pdf_images *origin, const struct pl_pdf_images *made,
                             struct pl_pdf_restore **out) PL_MUST_USE;
void pl_pdf_restore_free(struct pl_pdf_restore *restore);

/* Looks for what the image `stream`, made for page n (0-based), was before: `data` gets its JPEG
 * data and *transform its /ColorTransform, -1 when it says nothing. What cannot be read is not
 * found: the image that was made is there. */
pl_status pl_pdf_restore_find(struct pl_pdf_restore *restore, uint32_t n,
                              const struct pl_pdf_value *stream, struct pl_bytes *data,
                              int *transform, bool *found) PL_MUST_USE;

#endif
