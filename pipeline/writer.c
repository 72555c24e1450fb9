/* writer: which writer makes which format.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/writer.h"

#include "pipeline/pdf/pdf_out.h"

#include <stdlib.h>

/* The writer of PDF/A-2b in the shape of the ops. */
struct pdf_writer {
    struct pl_writer writer;
    struct pl_pdf_out *pdf;
};

static bool pdf_carries(const struct pl_convert *convert, const struct pl_page *page)
{
    (void)convert;
    return page->kind == PL_PAGE_IMAGE && page->palette.size == 0 &&
           (page->filter == PL_FILTER_G4 || page->filter == PL_FILTER_DCT ||
            page->filter == PL_FILTER_FLATE);
}

static bool pdf_wants_seed(const struct pl_convert *convert)
{
    (void)convert;
    return false;
}

static pl_status pdf_page(struct pl_writer *writer, const struct pl_page *page, uint64_t *bytes,
                          struct pl_fault *fault)
{
    (void)fault;
    return pl_pdf_out_page(((struct pdf_writer *)writer)->pdf, page, bytes);
}

static pl_status pdf_end(struct pl_writer *writer, struct pl_fault *fault)
{
    (void)fault;
    return pl_pdf_out_end(((struct pdf_writer *)writer)->pdf);
}

static void pdf_close(struct pl_writer *writer)
{
    pl_pdf_out_free(((struct pdf_writer *)writer)->pdf);
    free(writer);
}

static pl_status pdf_open(const struct pl_convert *convert, const uint8_t *seed,
                          const struct pl_limits *limits, struct pl_out *out,
                          struct pl_writer **writer, struct pl_fault *fault)
{
    struct pdf_writer *made = calloc(1, sizeof *made);
    (void)convert;
    (void)seed;
    (void)limits;
    (void)fault;
    if (made == NULL)
        return PL_NO_MEMORY;
    pl_status status = pl_pdf_out_new(out, &made->pdf);
    if (status == PL_OK)
        *writer = &made->writer;
    else
        free(made);
    return status;
}

static const struct pl_writer_ops pdf_ops = {
    .carries = pdf_carries,
    .open = pdf_open,
    .page = pdf_page,
    .end = pdf_end,
    .close = pdf_close,
    .wants_seed = pdf_wants_seed,
};

const struct pl_writer_ops *pl_writer_for(enum pl_format format)
{
    switch (format) {
    case PL_FORMAT_PDFA_2B:
        return &pdf_ops;
    case PL_FORMAT_TIFF_G4:
    case PL_FORMAT_TIFF:
        return &pl_tiff_writer_ops;
    case PL_FORMAT_PNG:
        return &pl_png_writer_ops;
    case PL_FORMAT_PDF:
    case PL_FORMAT_PDFA_1B:
    case PL_FORMAT_PDFA_3B:
    case PL_FORMAT_JPEG:
    case PL_FORMAT_THUMBNAIL:
        return NULL;
    case PL_FORMAT_COUNT:
        break;
    }
    PL_CHECK(false);
    return NULL;
}
