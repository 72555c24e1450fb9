/* fit: brings a loaded page into the shape that the settings and the writer ask for.
 *
 * In this order, each only where it is needed: nothing at all when the writer carries the page and
 * no setting touches its pixels; else decode, turn (only where the format cannot say it), scale,
 * change colour, encode. The encoding is the best exact one (G4 for bilevel, Flate or LZW for the
 * rest) unless a lossy one was asked for. Sets page->how; a page whose exact re-encoding is larger
 * than it came in gets a note that says so.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_FIT_H
#define PL_PIPELINE_FIT_H

#include "pipeline/image/limits.h"
#include "pipeline/writer.h"

/* From any thread. The page is of kind PL_PAGE_IMAGE, or of a kind that the writer carries. */
pl_status pl_fit_page(const struct pl_convert *convert, const struct pl_writer_ops *writer,
                      const struct pl_limits *limits, struct pl_page *page,
                      struct pl_fault *fault) PL_MUST_USE;

#endif
