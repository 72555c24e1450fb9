/* interpreter: what the pipeline asks of a page description interpreter (Ghostscript).
 *
 * Only the interpreter class of worker has one; elsewhere the pointer is NULL and a document that
 * needs it ends the run with PL_NEEDS_INTERPRETER before anything is written, whereupon the pool
 * gives the run to a worker of that class. One document at a time, from one thread.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_INTERPRETER_H
#define PL_PIPELINE_INTERPRETER_H

#include "pipeline/codec/codec.h"
#include "pipeline/image/picture.h"

struct pl_interpreter;

struct pl_interpreted {
    uint32_t pages;
    /* What was lost or replaced, a sentence for the job's report ("2 fonts were missing and
     * replaced"); empty: nothing. */
    char note[256];
    bool repaired; /* damage was worked around: the job is REPAIRED, never silently DONE */
};

struct pl_interpreter_ops {
    /* Makes a PDF of the document (PDF, PostScript, EPS) with every page, in memory: fonts
     * embedded, images not encoded with loss. `pdfa` is 0 or the part of PDF/A that it must be fit
     * for. *out is a source of the PDF, to be freed before the interpreter is used again.
     * BAD_DOCUMENT with the interpreter's own words when content was lost for good. */
    pl_status (*to_pdf)(struct pl_interpreter *self, struct pl_source *source, const char *password,
                        unsigned pdfa, const struct pl_limits *limits, struct pl_source **out,
                        struct pl_interpreted *report, struct pl_fault *fault);
    /* Opens a PDF for rendering page by page; close before the next document. */
    pl_status (*open)(struct pl_interpreter *self, struct pl_source *source, const char *password,
                      const struct pl_limits *limits, struct pl_interpreted *report,
                      struct pl_fault *fault);
    /* Page n (0-based), upright (its /Rotate applied), at `dpi`, anti-aliased unless `bilevel`,
     * into a picture of RGB, grey (every pixel is) or bilevel (as asked). */
    pl_status (*render)(struct pl_interpreter *self, uint32_t n, uint32_t dpi, bool bilevel,
                        const struct pl_limits *limits, struct pl_picture *out,
                        struct pl_interpreted *report, struct pl_fault *fault);
    void (*close)(struct pl_interpreter *self);
};

/* Embedded first in what fills it (codec/ghost.c). */
struct pl_interpreter {
    const struct pl_interpreter_ops *ops;
};

#endif
