/* pdf_page: how large a page is in user space, and the content stream that puts its parts there.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_PAGE_H
#define PL_PIPELINE_PDF_PDF_PAGE_H

#include "pipeline/convert_settings.h"
#include "pipeline/image/page.h"

/* Sides in 1/100,000 of a unit (pdf_object.h) as the page is stored, before /Rotate. */
struct pl_pdf_box {
    uint64_t width;
    uint64_t height;
    unsigned user_unit; /* 1 unless a side is longer than 14,400 points */
    unsigned rotate;    /* 0, 90, 180, 270 */
    const char *rule;   /* what was done to an odd size, for the page ledger; NULL: nothing */
};

/* px * 72 / dpi points, rounded down to 1/100,000: a reader that rounds up to whole pixels at the
 * page's own resolution then finds the pixels of the scan. ISO 19005-2 section 6.1.13 allows
 * 3 to 14,400 units a side:
 * - longer: UserUnit is the smallest whole number that brings the side down to 14,400 units;
 *   PDF/A-1 (PDF 1.4) has no UserUnit, and the page is shown smaller by that number;
 * - shorter than 3 units: both sides grow alike until the shorter one has 3, but not past 14,400.
 */
struct pl_pdf_box pl_pdf_page_box(const struct pl_page *page, const struct pl_convert *convert);

/* Appends the content stream: part i is the XObject /Ii. */
pl_status pl_pdf_page_content(const struct pl_page *page, const struct pl_pdf_box *box,
                              struct pl_bytes *out) PL_MUST_USE;

#endif
