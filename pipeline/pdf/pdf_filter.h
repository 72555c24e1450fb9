/* pdf_filter: the encodings of streams that are no image formats, undone (ISO 32000-1 7.4).
 *
 * Flate and LZW with PNG's and TIFF's predictors, ASCII85, ASCIIHex, RunLength. Damaged data gives
 * PL_BAD_DOCUMENT, and what was decoded (up to the damage, or all of it when only the checksum says
 * so) stays in the output: a caller may take it. Forgiven without a word: a checksum that is
 * missing, a zlib header that is missing, bytes behind the end, a missing end mark.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_FILTER_H
#define PL_PIPELINE_PDF_PDF_FILTER_H

#include "engine/base/bytes.h"
#include "pipeline/pdf/pdf_value.h"
#include "pipeline/source.h"

#define PL_PDF_FILTERS 16 /* on one stream */

enum pl_pdf_filter_kind {
    PL_PDF_FILTER_FLATE,
    PL_PDF_FILTER_LZW,
    PL_PDF_FILTER_ASCII85,
    PL_PDF_FILTER_ASCII_HEX,
    PL_PDF_FILTER_RUN_LENGTH,
    PL_PDF_FILTER_CRYPT,
    PL_PDF_FILTER_IMAGE, /* CCITTFaxDecode, DCTDecode, JBIG2Decode, JPXDecode */
    PL_PDF_FILTER_UNKNOWN,
};

struct pl_pdf_filter {
    enum pl_pdf_filter_kind kind;
    struct pl_span name;              /* in full, also where it was abbreviated */
    const struct pl_pdf_value *parms; /* resolved; not a dictionary: none */
};

/* By its name or by the abbreviation that inline images use (table 94). */
struct pl_pdf_filter pl_pdf_filter_named(struct pl_span name);

/* Bytes in memory, or a range of a source that is read as it is needed. */
struct pl_pdf_encoded {
    struct pl_cursor memory;
    struct pl_source *source; /* NULL: memory is all */
    uint64_t at;
    uint64_t end;
    uint8_t *buffer; /* PL_PDF_ENCODED_STEP bytes of the caller, for the source */
};

#define PL_PDF_ENCODED_STEP ((size_t)1 << 16)

/* Appends what `in` decodes to. Of a source only Flate makes its way; the others take memory.
 * PL_BAD_DOCUMENT, PL_TOO_LARGE (the buffer's limit), PL_UNSUPPORTED (CRYPT, IMAGE, UNKNOWN),
 * PL_NO_MEMORY. */
pl_status pl_pdf_filter_undo(const struct pl_pdf_filter *filter, struct pl_pdf_encoded *in,
                             struct pl_bytes *out) PL_MUST_USE;

/* Undoes a predictor on out[from..size) in place (tables 8 and 10). */
pl_status pl_pdf_unpredict(const struct pl_pdf_value *parms, struct pl_bytes *out,
                           size_t from) PL_MUST_USE;

/* The data of an inline image (operator BI of pdf_content.h) with all its filters undone but a last
 * image filter, as pl_pdf_stream_image does it. */
pl_status pl_pdf_inline_image(const struct pl_pdf_value *dict, struct pl_span data,
                              struct pl_bytes *out, struct pl_span *filter,
                              const struct pl_pdf_value **parms,
                              struct pl_fault *fault) PL_MUST_USE;

#endif
