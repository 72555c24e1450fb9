/* pdf_hints: the hint tables of a linearized file (ISO 32000-1 F.4), bit by bit.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_HINTS_H
#define PL_PIPELINE_PDF_PDF_HINTS_H

#include "engine/base/bytes.h"

/* A page: its own objects, one after the other in the file. */
struct pl_pdf_hint_page {
    uint32_t objects;
    uint64_t bytes;
    size_t shared_from; /* into `shared` */
    uint32_t shared_count;
};

/* What the tables say. Offsets are those of a file without the hint stream itself. */
struct pl_pdf_hints {
    const struct pl_pdf_hint_page *pages;
    uint32_t page_count;
    uint64_t first_page_at;
    const uint32_t *shared;       /* identifiers: indices into shared_bytes */
    const uint64_t *shared_bytes; /* length of each object of parts 6 and 8 */
    uint32_t shared_first;        /* of them in part 6 */
    uint32_t shared_total;
    uint32_t shared_object; /* the first of part 8; 0: none */
    uint64_t shared_at;
};

/* Appends both tables; *shared_table gets where the second one begins. TOO_LARGE: an offset or a
 * length has more than 32 bits. */
pl_status pl_pdf_hints_write(const struct pl_pdf_hints *hints, struct pl_bytes *out,
                             size_t *shared_table) PL_MUST_USE;

#endif
