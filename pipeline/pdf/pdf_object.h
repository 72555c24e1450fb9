/* pdf_object: the few kinds of PDF object that need care when they are written as text.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_OBJECT_H
#define PL_PIPELINE_PDF_PDF_OBJECT_H

#include "engine/base/check.h"

/* Lengths are counted in 1/100,000 of a unit of user space: exact integers in memory, and as many
 * digits as ISO 32000-1 annex C promises a reader keeps. */
#define PL_PDF_UNIT ((uint64_t)100000)

#define PL_PDF_NUMBER_CHARS 28

/* Shortest decimal text ("612", "595.27559", "-0.5"); never an exponent, which PDF does not know.
 * Returns out, which holds PL_PDF_NUMBER_CHARS. */
char *pl_pdf_number(int64_t hundred_thousandths, char *out);

#endif
