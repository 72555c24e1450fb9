/* profile: whether an embedded ICC profile may travel with a page (ICC.1:2010 section 7.2).
 *
 * Only the header is read: enough to keep out what would make the result invalid.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_IMAGE_PROFILE_H
#define PL_PIPELINE_IMAGE_PROFILE_H

#include "pipeline/image/page.h"

/* Signature, size, version 2 to 4, an input, display, output or colour-space class, and the colour
 * space of the page (ISO 19005-2 6.2.4.2). */
bool pl_profile_fits(const uint8_t *data, size_t size, enum pl_colour colour);

/* Drops the page's profile with a note when it does not fit, and quietly from a bilevel page, where
 * ink is black and paper is white. */
void pl_profile_settle(struct pl_page *page);

#endif
