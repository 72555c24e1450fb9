/* fuzz_pdf_in: any bytes as a PDF document: pages as pictures, judged for PDF/A, and copied into
 * another file.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"
#include "pipeline/pdf/pdf_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static pl_status nowhere_write(struct pl_out *out, const void *data, size_t size)
{
    (void)out;
    (void)data;
    (void)size;
    return PL_OK;
}

static const struct pl_out_ops nowhere = { nowhere_write };

struct target {
    struct pl_reader *reader;
    struct pl_source *source;
    struct pl_pdf_writer *writer;
    struct pl_pdf_import *import;
};

/* False: the file that is written is lost. */
static bool page(const struct target *target, const struct pl_limits *limits, uint32_t n)
{
    struct pl_page page;
    struct pl_fault fault = { 0 };
    bool written = true;
    pl_page_init(&page, limits->page_bytes);
    pl_status status = pl_pdf_reader.survey(target->reader, n, &fault);
    if (status == PL_OK)
        status = pl_pdf_reader.load(target->reader, target->source, n, &page, &fault);
    PL_CHECK(status != PL_OK || page.kind == PL_PAGE_PDF || page.part_count > 0);
    if (status == PL_OK && page.kind == PL_PAGE_PDF) {
        uint32_t number = pl_pdf_reserve(target->writer);
        written =
            number != 0 && pl_pdf_import_page(target->import, page.pdf, number, 1, &fault) == PL_OK;
    }
    pl_page_fini(&page);
    return written;
}

static void wanted(struct target *target, enum pl_want want, const struct pl_limits *limits)
{
    const struct pl_open_settings settings = { .limits = limits, .want = want };
    struct pl_out out = { .ops = &nowhere };
    struct pl_fault fault = { 0 };
    if (pl_pdf_writer_new(&out, 7, NULL, &target->writer) != PL_OK)
        return;
    if (pl_pdf_import_new(target->writer, 0, &target->import) == PL_OK &&
        pl_pdf_reader.open(target->source, &settings, &target->reader, &fault) == PL_OK) {
        uint32_t n = 0;
        while (n < pl_pdf_reader.page_count(target->reader) && page(target, limits, n))
            n++;
        pl_pdf_reader.close(target->reader);
    }
    pl_pdf_import_free(target->import);
    pl_pdf_writer_free(target->writer);
    target->import = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pl_limits limits = {
        .pages = 20,
        .side_px = 5000,
        .colour_px = 1000000,
        .bilevel_px = 4000000,
        .page_bytes = 16000000,
        .output_bytes = 16000000,
        .expansion = 1000,
    };
    struct target target = { 0 };
    if (pl_source_memory_new(data, size, &target.source) != PL_OK)
        return 0;
    for (int want = PL_WANT_PICTURE; want <= PL_WANT_PDFA_2; want++)
        wanted(&target, (enum pl_want)want, &limits);
    target.source->ops->free(target.source);
    return 0;
}
