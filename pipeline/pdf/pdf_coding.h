/* pdf_coding: the filters of a stream or an inline image, by name and in order.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CODING_H
#define PL_PIPELINE_PDF_PDF_CODING_H

#include "pipeline/pdf/pdf_file.h"

#define PL_PDF_CODINGS_MOST 8

enum pl_pdf_coding {
    PL_PDF_CODING_UNKNOWN,
    PL_PDF_CODING_FLATE,
    PL_PDF_CODING_LZW,
    PL_PDF_CODING_ASCII_85,
    PL_PDF_CODING_ASCII_HEX,
    PL_PDF_CODING_RUN_LENGTH,
    PL_PDF_CODING_CRYPT,
    PL_PDF_CODING_CCITT, /* from here on: image filters, last in a list */
    PL_PDF_CODING_DCT,
    PL_PDF_CODING_JBIG2,
    PL_PDF_CODING_JPX,
};

struct pl_pdf_codings {
    size_t count;
    enum pl_pdf_coding filters[PL_PDF_CODINGS_MOST];
    const struct pl_pdf_value *parms; /* of the last one: resolved dictionary or null */
};

/* Short names and keys, those of inline images, are taken too. More than PL_PDF_CODINGS_MOST:
 * UNSUPPORTED. */
pl_status pl_pdf_codings_read(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                              struct pl_pdf_codings *out, struct pl_fault *fault) PL_MUST_USE;
bool pl_pdf_codings_have(const struct pl_pdf_codings *list, enum pl_pdf_coding filter);
/* The last filter when it is one of images, else UNKNOWN. */
enum pl_pdf_coding pl_pdf_codings_image(const struct pl_pdf_codings *list);

/* The entry of either key, resolved. */
pl_status pl_pdf_lookup_either(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                               const char *key, const char *short_key,
                               const struct pl_pdf_value **out, struct pl_fault *fault) PL_MUST_USE;
/* The integer under either key, or `otherwise`. */
pl_status pl_pdf_lookup_integer(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                                const char *key, const char *short_key, int64_t otherwise,
                                int64_t *out, struct pl_fault *fault) PL_MUST_USE;
/* The same for a boolean. */
pl_status pl_pdf_lookup_boolean(struct pl_pdf_file *file, const struct pl_pdf_value *dict,
                                const char *key, const char *short_key, bool otherwise, bool *out,
                                struct pl_fault *fault) PL_MUST_USE;

#endif
