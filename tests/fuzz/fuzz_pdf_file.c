/* fuzz_pdf_file: any bytes as a PDF: open it, walk its pages and objects, decode all streams.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file.h"

#define OBJECTS_MOST 2000 /* looked at */
#define DECODED_MOST ((size_t)1 << 22)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_stream(struct pl_pdf_file *file, const struct pl_pdf_value *stream)
{
    struct pl_bytes out;
    struct pl_span filter = { "", 0 };
    const struct pl_pdf_value *parms = NULL;
    pl_bytes_init(&out, DECODED_MOST);
    if (pl_pdf_stream_image(file, stream, &out, &filter, &parms, NULL) == PL_OK)
        PL_CHECK(parms != NULL && out.size <= DECODED_MOST);
    pl_bytes_clear(&out);
    if (pl_pdf_stream_raw(file, stream, &out, NULL) == PL_OK)
        PL_CHECK(out.size <= stream->as.dict.size);
    pl_bytes_fini(&out);
}

static void fuzz_pages(struct pl_pdf_file *file)
{
    static const char *const keys[] = { "Resources", "MediaBox", "CropBox", "Rotate", "Contents" };
    for (uint32_t n = 0; n < pl_pdf_page_count(file); n++) {
        size_t mark = pl_pdf_file_mark(file);
        for (size_t i = 0; i < PL_COUNT_OF(keys); i++) {
            const struct pl_pdf_value *value = NULL;
            if (pl_pdf_page_inherited(file, n, keys[i], &value, NULL) == PL_OK)
                PL_CHECK(value != NULL && value->kind != PL_PDF_REF);
        }
        pl_pdf_file_release(file, mark);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pl_source *source = NULL;
    struct pl_pdf_file *file = NULL;
    struct pl_limits limits = pl_limits_default;
    limits.pages = 200;
    if (pl_source_memory_new(data, size, &source) != PL_OK)
        return 0;
    struct pl_fault fault = { 0 };
    pl_status status = pl_pdf_file_open(source, &limits, NULL, &file, &fault);
    PL_CHECK(status == PL_OK || fault.reason[0] != '\0');
    if (status == PL_OK) {
        PL_CHECK(pl_pdf_page_count(file) > 0);
        fuzz_pages(file);
        for (uint32_t n = 0; n < pl_pdf_file_objects(file) && n < OBJECTS_MOST; n++) {
            const struct pl_pdf_value *value = NULL;
            size_t mark = pl_pdf_file_mark(file);
            struct pl_pdf_ref ref = { n, 0 };
            if (pl_pdf_load_object(file, ref, &value, NULL) == PL_OK &&
                value->kind == PL_PDF_STREAM)
                fuzz_stream(file, value);
            pl_pdf_file_release(file, mark);
        }
        pl_pdf_file_free(file);
    }
    source->ops->free(source);
    return 0;
}
