/* fit: brings a loaded page into the shape that the settings and the writer ask for.
 *
 * Nothing at all when the writer carries the page and no setting touches its pixels: the rotation
 * is added to what the format says beside the pixels (PDF, TIFF). Otherwise, each only where it is
 * needed: decode, decide on colour, make grey, scale, make bilevel, turn (where the format cannot
 * say it), encode.
 *
 * What the settings mean here:
 * - dpi: an axis of more than 1.02 times as much is brought down to it; never up.
 * - colour grey: grey for what is in colour; JPEG data that can be carried lose their colour and
 *   are not encoded again.
 * - colour auto: by auto_colour.h; a page that is judged to be what it is stays untouched.
 * - Bilevel pages stay bilevel under keep, bilevel and auto, also when they are scaled (black
 *   where at least half is black; dithered when that is the setting), and become grey when they
 *   are scaled under grey. tiff-g4 makes everything bilevel.
 * - quality: pages that are encoded become JPEG of it, and so do grey and colour pages of 8 and 16
 *   bits, where that makes them smaller; JPEG data that can be carried are encoded again only where
 *   it makes them smaller by a tenth, since they lose by it.
 * - jpeg, png and thumbnail have no CMYK here, jpeg and thumbnail no bilevel: RGB and grey.
 *
 * The encoding is the best exact one (G4 for bilevel, Flate for the rest, G4 only where the format
 * has it) unless a lossy one was asked for. Sets page->how, drops the profile when the colour
 * changed; a page whose exact re-encoding is larger than it came in gets a note that says so.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_FIT_H
#define PL_PIPELINE_FIT_H

#include "pipeline/image/limits.h"
#include "pipeline/writer.h"

/* From any thread. The page is of kind PL_PAGE_IMAGE, or of a kind that the writer carries. Ends
 * with the writer's `encode`, so that afterwards the writer takes the page as it is. */
pl_status pl_fit_page(const struct pl_convert *convert, const struct pl_writer_ops *writer,
                      const struct pl_limits *limits, struct pl_page *page,
                      struct pl_fault *fault) PL_MUST_USE;

#endif
