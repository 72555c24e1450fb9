/* writer: what a writer of a document format offers to the pipeline.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_WRITER_H
#define PL_PIPELINE_WRITER_H

#include "pipeline/convert_settings.h"
#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"
#include "pipeline/source.h"

struct pl_writer;

/* Filters, depths and shapes that a format can carry without re-encoding are told by `carries`; the
 * rest is brought into shape by fit.h before it is written. */
struct pl_writer_ops {
    /* Whether the page can be written as it is. Pure; called from any thread. */
    bool (*carries)(const struct pl_convert *convert, const struct pl_page *page);
    /* The last step of fit.h, for pages that are carried: exact re-encoding that only this format
     * needs (LZW strips). Sets page->how when it does any. From any thread; NULL: never needed. */
    pl_status (*encode)(const struct pl_convert *convert, const struct pl_limits *limits,
                        struct pl_page *page, struct pl_fault *fault);
    /* `convert` and `out` outlive the writer. `seed` is the SHA-256 of all inputs where the format
     * needs one (encryption: file key, salts and vectors are derived from it and the settings, so
     * that the same work gives the same bytes), else NULL. */
    pl_status (*open)(const struct pl_convert *convert, const uint8_t *seed,
                      const struct pl_limits *limits, struct pl_out *out, struct pl_writer **writer,
                      struct pl_fault *fault);
    /* Appends a page that `carries` said yes to. *bytes gets what it took in the file. */
    pl_status (*page)(struct pl_writer *writer, const struct pl_page *page, uint64_t *bytes,
                      struct pl_fault *fault);
    pl_status (*end)(struct pl_writer *writer, struct pl_fault *fault);
    void (*close)(struct pl_writer *writer);
    /* Whether `open` wants the seed. */
    bool (*wants_seed)(const struct pl_convert *convert);
};

/* Embedded first in each writer. */
struct pl_writer {
    const struct pl_writer_ops *ops;
};

extern const struct pl_writer_ops pl_pdf_writer_ops;  /* pdf/pdf_out.c: all PDF kinds */
extern const struct pl_writer_ops pl_tiff_writer_ops; /* codec/tiff_out.c: tiff-g4, tiff */
extern const struct pl_writer_ops
    pl_jpeg_writer_ops; /* codec/jpeg_out.c: jpeg, thumbnail; one page */
extern const struct pl_writer_ops pl_png_writer_ops; /* codec/png_out.c: one page */

const struct pl_writer_ops *pl_writer_for(enum pl_format format);

#endif
