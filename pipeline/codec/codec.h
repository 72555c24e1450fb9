/* codec: what a reader of a document format offers to the pipeline.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_CODEC_H
#define PL_PIPELINE_CODEC_CODEC_H

#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"
#include "pipeline/source.h"

struct pl_reader;

/* One open document. Pages may be loaded from several threads at once, each with its own source
 * clone: the reader itself is read-only after open. */
struct pl_reader_ops {
    const char *name; /* "tiff" */
    /* Reads structure only (directories, markers), bounded by the limits. BAD_DOCUMENT,
     * UNSUPPORTED, TOO_LARGE with a sentence for an admin. The source outlives the reader. */
    pl_status (*open)(struct pl_source *source, const struct pl_limits *limits,
                      struct pl_reader **out, struct pl_fault *fault);
    uint32_t (*page_count)(const struct pl_reader *reader);
    /* Loads page n (0-based) through the caller's own view of the source. The page was
     * pl_page_init'ed. */
    pl_status (*load)(const struct pl_reader *reader, struct pl_source *source, uint32_t n,
                      struct pl_page *page, struct pl_fault *fault);
    void (*close)(struct pl_reader *reader);
};

/* Embedded first in each reader. */
struct pl_reader {
    const struct pl_reader_ops *ops;
};

extern const struct pl_reader_ops pl_tiff_reader;
extern const struct pl_reader_ops pl_jpeg_reader;

/* Decides by content, never by name. UNSUPPORTED with a sentence that says what it looks like
 * ("this is a ZIP archive; ...") when no reader takes it; BAD_DOCUMENT when it is empty. */
pl_status pl_sniff(struct pl_source *source, const struct pl_reader_ops **out,
                   struct pl_fault *fault) PL_MUST_USE;

#endif
