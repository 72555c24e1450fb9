/* fuzz_pdf_xmp: any bytes as custom metadata, for every kind of PDF. What is taken must stay
 * well-formed inside the packet: the packet's own check runs over it again.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_xmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum pl_format formats[] = { PL_FORMAT_PDF, PL_FORMAT_PDFA_1B, PL_FORMAT_PDFA_2B };
    for (size_t i = 0; i < PL_COUNT_OF(formats); i++) {
        struct pl_convert convert;
        struct pl_fault fault = { 0 };
        struct pl_bytes out = { 0 };
        pl_bytes_init(&out, (size_t)1 << 20);
        pl_convert_defaults(&convert, formats[i]);
        convert.xmp = (struct pl_span){ (const char *)data, size };
        pl_status status = pl_pdf_xmp(&convert, &out, &fault);
        PL_CHECK(status == PL_OK || fault.status == status || status == PL_NO_MEMORY);
        PL_CHECK(pl_pdf_xmp_check(&convert, NULL) == status);
        pl_bytes_fini(&out);
    }
    return 0;
}
