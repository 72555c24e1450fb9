/* icc: the two colour profiles that we write ourselves.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_ICC_H
#define PL_PIPELINE_PDF_ICC_H

#include "engine/base/bytes.h"

/* Appends an ICC display profile of IEC 61966-2-1 (sRGB): a matrix and a curve. `version` is 4
 * (4.2, parametric curve) or 2 (2.1, curve of 1,024 points), which is all that PDF/A-1 knows. */
pl_status pl_icc_srgb(unsigned version, struct pl_bytes *out) PL_MUST_USE;

/* Appends an ICC output profile, of version 4 or 2, of coated offset printing, for CMYK that came
 * without one: Neugebauer's model over the solid inks of ISO 12647-2 with a dot gain of 15 %. */
pl_status pl_icc_cmyk(unsigned version, struct pl_bytes *out) PL_MUST_USE;

#endif
