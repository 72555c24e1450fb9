/* pdf_object: decimal numbers without floating point, so that every machine writes the same.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_object.h"

#include <stdio.h>
#include <string.h>

char *pl_pdf_number(int64_t hundred_thousandths, char *out)
{
    bool negative = hundred_thousandths < 0;
    uint64_t size =
        negative ? (uint64_t)0 - (uint64_t)hundred_thousandths : (uint64_t)hundred_thousandths;
    uint64_t fraction = size % PL_PDF_UNIT;
    int length = snprintf(out, PL_PDF_NUMBER_CHARS, "%s%llu", negative ? "-" : "",
                          (unsigned long long)(size / PL_PDF_UNIT));
    if (fraction == 0)
        return out;
    (void)snprintf(out + length, PL_PDF_NUMBER_CHARS - (size_t)length, ".%05llu",
                   (unsigned long long)fraction);
    size_t end = strlen(out);
    while (out[end - 1] == '0')
        out[--end] = '\0';
    return out;
}
