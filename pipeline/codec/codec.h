/* codec: what a reader of a document format offers to the pipeline.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_CODEC_H
#define PL_PIPELINE_CODEC_CODEC_H

#include "pipeline/image/limits.h"
#include "pipeline/image/page.h"
#include "pipeline/source.h"

/* What the pages are wanted for: decides whether a page of a PDF can be used as it stands. */
enum pl_want {
    PL_WANT_PICTURE, /* pages of kind PL_PAGE_IMAGE only */
    PL_WANT_PDF,     /* what any PDF may contain: pages of a PDF may be imported */
    PL_WANT_PDFA_1,  /* what PDF/A-1, -2, -3 may contain */
    PL_WANT_PDFA_2,
    PL_WANT_PDFA_3,
};

struct pl_open_settings {
    const struct pl_limits *limits;
    enum pl_want want;
    const char *password; /* for encrypted documents, UTF-8; NULL: none was given */
    /* The PDF that an interpreter made this one of, with `password`; NULL: there is none. Its pages
     * are the same, so that lost images are missed and decoded ones found again. It is read from
     * the thread that surveys and writes, and outlives the reader. */
    struct pl_source *origin;
};

struct pl_reader;

/* One open document. Pages may be loaded from several threads at once, each with its own source
 * clone: the reader itself is read-only after the survey. */
struct pl_reader_ops {
    const char *name; /* "tiff" */
    /* Reads structure only (directories, markers), bounded by the limits. BAD_DOCUMENT,
     * UNSUPPORTED, TOO_LARGE with a sentence for an admin; DENIED: a password is missing or wrong;
     * NEEDS_INTERPRETER: not even the number of pages is known without one (PostScript). The source
     * outlives the reader, the settings need not. */
    pl_status (*open)(struct pl_source *source, const struct pl_open_settings *settings,
                      struct pl_reader **out, struct pl_fault *fault);
    uint32_t (*page_count)(const struct pl_reader *reader);
    /* May be NULL. Called for each page that will be loaded (0-based), from one thread, before any
     * is: NEEDS_INTERPRETER when the page cannot be had for `want` without one. */
    pl_status (*survey)(struct pl_reader *reader, uint32_t n, struct pl_fault *fault);
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
extern const struct pl_reader_ops pl_png_reader;
extern const struct pl_reader_ops pl_pdf_reader;
/* PostScript and EPS: open always answers NEEDS_INTERPRETER. */
extern const struct pl_reader_ops pl_ps_reader;

/* Decides by content, never by name. UNSUPPORTED with a sentence that says what it looks like
 * ("this is a ZIP archive; ...") when no reader takes it; BAD_DOCUMENT when it is empty. */
pl_status pl_sniff(struct pl_source *source, const struct pl_reader_ops **out,
                   struct pl_fault *fault) PL_MUST_USE;

#endif
