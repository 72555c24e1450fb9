/* tiff_check: the directories of a TIFF: their entries, what must be in them, and that strips and
 * tiles lie in the file and are as many as the picture needs (TIFF 6.0, BigTIFF).
 *
 * Nothing is decoded but the last bytes of Group 4 strips. Bounded by the limit of pages.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_TIFF_CHECK_H
#define PL_PIPELINE_CODEC_TIFF_CHECK_H

#include "pipeline/findings.h"
#include "pipeline/image/limits.h"
#include "pipeline/source.h"

/* `what` holds PL_CHECK_WHAT_CHARS (200) characters. */
pl_status pl_tiff_check(struct pl_source *source, const struct pl_limits *limits, char *what,
                        struct pl_findings *findings, struct pl_fault *fault) PL_MUST_USE;

#endif
