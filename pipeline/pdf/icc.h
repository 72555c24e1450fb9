/* icc: the two colour profiles that we write ourselves.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_ICC_H
#define PL_PIPELINE_PDF_ICC_H

#include "engine/base/bytes.h"

/* Appends an ICC display profile of IEC 61966-2-1 (sRGB): a matrix and a curve. Version 4.2 has a
 * parametric curve, version 2.1, which is all that PDF/A-1 knows, one of 1,024 points. */
pl_status pl_icc_srgb(struct pl_bytes *out) PL_MUST_USE;
pl_status pl_icc_srgb_2(struct pl_bytes *out) PL_MUST_USE;

/* Appends an ICC output profile, of version 4.2 or 2.1, of coated offset printing, for CMYK that
 * came without one: Neugebauer's model over the solid inks of ISO 12647-2 with a dot gain of 15 %.
 */
pl_status pl_icc_cmyk(struct pl_bytes *out) PL_MUST_USE;
pl_status pl_icc_cmyk_2(struct pl_bytes *out) PL_MUST_USE;

#endif
