/* ghost_raster: the callbacks of the display device.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_raster.h"

#include <string.h>

#define RASTER_BILEVEL                                                                             \
    ((unsigned)DISPLAY_COLORS_NATIVE | (unsigned)DISPLAY_ALPHA_NONE | (unsigned)DISPLAY_DEPTH_1 |  \
     (unsigned)DISPLAY_TOPFIRST)
#define RASTER_RGB                                                                                 \
    ((unsigned)DISPLAY_COLORS_RGB | (unsigned)DISPLAY_ALPHA_NONE | (unsigned)DISPLAY_DEPTH_8 |     \
     (unsigned)DISPLAY_BIGENDIAN | (unsigned)DISPLAY_TOPFIRST)

unsigned pl_ghost_raster_format(bool bilevel)
{
    return bilevel ? RASTER_BILEVEL : RASTER_RGB;
}

static int raster_on_event(void *handle, void *device)
{
    (void)handle;
    (void)device;
    return 0;
}

/* The device has the library's default size when it is opened, before any page: no page, no word
 * about it. */
static int raster_on_presize(void *handle, void *device, int width, int height, int stride,
                             unsigned format)
{
    struct pl_ghost_raster *raster = handle;
    (void)device;
    (void)stride;
    raster->pixels = NULL;
    if (raster->out == NULL || raster->status != PL_OK)
        return raster->out == NULL ? 0 : -1;
    if (width <= 0 || height <= 0)
        return -1;
    bool bilevel = format == RASTER_BILEVEL;
    raster->status =
        pl_limits_check(raster->limits, raster->page, (uint32_t)width, (uint32_t)height,
                        bilevel ? 1 : 3, bilevel ? 1 : 8, &raster->fault);
    return raster->status == PL_OK ? 0 : -1;
}

/* NOLINTBEGIN(readability-non-const-parameter): the type is the display device's. */
static int raster_on_size(void *handle, void *device, int width, int height, int stride,
                          unsigned format, unsigned char *pixels)
/* NOLINTEND(readability-non-const-parameter) */
{
    struct pl_ghost_raster *raster = handle;
    (void)device;
    if (width <= 0 || height <= 0 || stride <= 0)
        return -1;
    raster->width_px = (uint32_t)width;
    raster->height_px = (uint32_t)height;
    raster->stride = (size_t)stride;
    raster->format = format;
    raster->pixels = pixels;
    return 0;
}

static bool raster_is_grey(const struct pl_ghost_raster *raster)
{
    for (uint32_t y = 0; y < raster->height_px; y++) {
        const uint8_t *pixel = raster->pixels + y * raster->stride;
        unsigned differs = 0;
        for (uint32_t x = 0; x < raster->width_px; x++, pixel += 3)
            differs |= (unsigned)(pixel[0] ^ pixel[1]) | (unsigned)(pixel[1] ^ pixel[2]);
        if (differs != 0)
            return false;
    }
    return true;
}

static void raster_copy_row(const struct pl_ghost_raster *raster, uint32_t y)
{
    struct pl_picture *out = raster->out;
    const uint8_t *from = raster->pixels + y * raster->stride;
    uint8_t *to = out->pixels + y * out->stride;
    size_t size = 0;
    switch (out->colour) {
    case PL_COLOUR_GREY:
        for (uint32_t x = 0; x < out->width_px; x++)
            to[x] = from[(size_t)x * 3];
        return;
    case PL_COLOUR_BILEVEL:
        size = ((size_t)out->width_px + 7) / 8;
        memcpy(to, from, size);
        memset(to + size, 0, out->stride - size);
        if (out->width_px % 8 != 0) /* what lies beyond the width is white */
            to[size - 1] &= (uint8_t)(0xff << (8 - out->width_px % 8));
        return;
    case PL_COLOUR_RGB:
    case PL_COLOUR_CMYK:
        memcpy(to, from, (size_t)out->width_px * 3);
        return;
    }
}

static int raster_on_page(void *handle, void *device, int copies, int flush)
{
    struct pl_ghost_raster *raster = handle;
    (void)device;
    (void)copies;
    (void)flush;
    if (raster->out == NULL || raster->is_taken || raster->status != PL_OK)
        return 0;
    if (raster->pixels == NULL)
        return -1;
    enum pl_colour colour = raster->format == RASTER_BILEVEL ? PL_COLOUR_BILEVEL
                            : raster_is_grey(raster)         ? PL_COLOUR_GREY
                                                             : PL_COLOUR_RGB;
    raster->status = pl_picture_make(raster->out, colour, raster->width_px, raster->height_px,
                                     raster->limits, raster->page, &raster->fault);
    if (raster->status != PL_OK)
        return -1;
    for (uint32_t y = 0; y < raster->height_px; y++)
        raster_copy_row(raster, y);
    raster->is_taken = true;
    return 0;
}

static int raster_on_callout(void *instance, void *handle, const char *device, int id, int size,
                             void *data)
{
    gs_display_get_callback_t *wanted = data;
    (void)instance;
    if (device == NULL || strcmp(device, "display") != 0 || id != DISPLAY_CALLOUT_GET_CALLBACK ||
        size < (int)sizeof *wanted)
        return -1;
    struct pl_ghost_raster *raster = handle;
    wanted->callback = &raster->callback;
    wanted->caller_handle = raster;
    return 0;
}

pl_status pl_ghost_raster_attach(struct pl_ghost_raster *raster, const struct pl_ghost_lib *lib,
                                 void *instance)
{
    raster->callback = (struct display_callback_s){
        .size = (int)sizeof raster->callback,
        .version_major = DISPLAY_VERSION_MAJOR,
        .version_minor = DISPLAY_VERSION_MINOR,
        .display_open = raster_on_event,
        .display_preclose = raster_on_event,
        .display_close = raster_on_event,
        .display_presize = raster_on_presize,
        .display_size = raster_on_size,
        .display_sync = raster_on_event,
        .display_page = raster_on_page,
    };
    return lib->register_callout(instance, raster_on_callout, raster) == 0 ? PL_OK : PL_UNAVAILABLE;
}
