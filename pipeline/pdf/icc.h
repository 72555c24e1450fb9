/* icc: the two colour profiles that we write ourselves, and a look at those of others.
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

/* A profile that PDF/A-2 lets an image of so many components (1, 3, 4) carry: whole, of a version
 * before 5, of an input, display, output or colour space class, of that colour space. */
bool pl_icc_fits(const void *data, size_t size, unsigned components);

#endif
