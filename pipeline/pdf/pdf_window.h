/* pdf_window: a source read through a few cached windows, so that small reads all over a file cost
 * one copy each and memory stays the same for any file.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_WINDOW_H
#define PL_PIPELINE_PDF_PDF_WINDOW_H

#include "engine/base/bytes.h"
#include "pipeline/source.h"

/* Sealed sources keep what they opened, so that windows need not be large. */
#define PL_PDF_WINDOW_BYTES ((size_t)8192)
#define PL_PDF_WINDOWS 16

/* Zero-initialise, then pl_pdf_windows_init. */
struct pl_pdf_windows {
    struct pl_source *source;
    uint64_t clock;
    struct {
        uint64_t at;
        uint64_t used; /* clock of its last use; 0: empty */
        size_t size;
    } slots[PL_PDF_WINDOWS];
    uint8_t *data;           /* PL_PDF_WINDOWS of PL_PDF_WINDOW_BYTES */
    struct pl_bytes scratch; /* what spans windows */
};

pl_status pl_pdf_windows_init(struct pl_pdf_windows *windows, struct pl_source *source) PL_MUST_USE;
void pl_pdf_windows_fini(struct pl_pdf_windows *windows);

/* Borrows at least min(size, bytes left) bytes at `at` until the next call; *got may be more, and
 * is 0 at the end of the source. */
pl_status pl_pdf_windows_peek(struct pl_pdf_windows *windows, uint64_t at, size_t size,
                              const uint8_t **data, size_t *got) PL_MUST_USE;

#endif
