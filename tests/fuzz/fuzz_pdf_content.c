/* fuzz_pdf_content: any bytes as a content stream, inline images decoded.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_content.h"
#include "pipeline/pdf/pdf_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_image(const struct pl_pdf_op *op)
{
    struct pl_bytes out;
    struct pl_span filter = { "", 0 };
    const struct pl_pdf_value *parms = NULL;
    PL_CHECK(op->count == 2 && op->operands[0]->kind == PL_PDF_DICT);
    pl_bytes_init(&out, (size_t)1 << 20);
    if (pl_pdf_inline_image(op->operands[0], op->operands[1]->as.text, &out, &filter, &parms,
                            NULL) == PL_OK)
        PL_CHECK(parms != NULL);
    pl_bytes_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_pdf_content *content = NULL;
    struct pl_pdf_op op;
    bool more = true;
    if (pl_pdf_content_new(data, size, &content) != PL_OK)
        return 0;
    while (more && pl_pdf_content_next(content, &op, &more, NULL) == PL_OK) {
        PL_CHECK(op.count <= PL_PDF_OPERANDS);
        if (more && pl_span_equals(op.name, "BI"))
            fuzz_image(&op);
    }
    pl_pdf_content_free(content);
    return 0;
}
