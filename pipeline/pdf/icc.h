/* icc: the two colour profiles that we write ourselves.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_ICC_H
#define PL_PIPELINE_PDF_ICC_H

#include "engine/base/bytes.h"

/* Appends an ICC version 4.2 display profile of IEC 61966-2-1 (sRGB): matrix and parametric curve.
 */
pl_status pl_icc_srgb(struct pl_bytes *out) PL_MUST_USE;

/* Appends an ICC version 4.2 output profile of coated offset printing, for CMYK that came without
 * one: Neugebauer's model over the solid inks of ISO 12647-2 with a dot gain of 15 %. */
pl_status pl_icc_cmyk(struct pl_bytes *out) PL_MUST_USE;

#endif
