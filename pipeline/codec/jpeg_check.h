/* jpeg_check: the markers of a JPEG from SOI to EOI (ITU-T T.81 annex B).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_CHECK_H
#define PL_PIPELINE_CODEC_JPEG_CHECK_H

#include "pipeline/findings.h"
#include "pipeline/image/limits.h"
#include "pipeline/source.h"

/* `what` holds PL_CHECK_WHAT_CHARS (200) characters. */
pl_status pl_jpeg_check(struct pl_source *source, const struct pl_limits *limits, char *what,
                        struct pl_findings *findings, struct pl_fault *fault) PL_MUST_USE;

#endif
