/* ghost_raster: a page that Ghostscript's display device drew, taken over as a picture.
 *
 * The device draws into memory of the library's own, whose size is checked before it is claimed;
 * when the page is done its rows are copied, grey if every pixel is.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_GHOST_RASTER_H
#define PL_PIPELINE_CODEC_GHOST_RASTER_H

#include "pipeline/codec/ghost_lib.h"
#include "pipeline/image/picture.h"

#include <ghostscript/gdevdsp.h>

/* Values of the device's parameter DisplayFormat (gdevdsp.h). */
unsigned pl_ghost_raster_format(bool bilevel);

/* Zero-initialise; attach, then set what the next page wants. */
struct pl_ghost_raster {
    const struct pl_limits *limits;
    struct pl_picture *out; /* NULL: pages are not wanted */
    uint32_t page;          /* 1-based, for sentences */
    pl_status status;       /* of the page: PL_OK until something is wrong with it */
    struct pl_fault fault;
    bool is_taken; /* a page arrived */
    uint32_t width_px;
    uint32_t height_px;
    size_t stride;
    unsigned format;
    const uint8_t *pixels; /* the device's */
    struct display_callback_s callback;
};

/* Answers the display device of an instance; before it is initialised. */
pl_status pl_ghost_raster_attach(struct pl_ghost_raster *raster, const struct pl_ghost_lib *lib,
                                 void *instance) PL_MUST_USE;

#endif
