/* pdf_window: aligned windows, the least recently used one makes room.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_window.h"

#include <stdlib.h>

#define SCRATCH_MOST ((size_t)1 << 25)

pl_status pl_pdf_windows_init(struct pl_pdf_windows *windows, struct pl_source *source)
{
    *windows = (struct pl_pdf_windows){ .source = source };
    pl_bytes_init(&windows->scratch, SCRATCH_MOST);
    windows->data = malloc(PL_PDF_WINDOWS * PL_PDF_WINDOW_BYTES);
    return windows->data != NULL ? PL_OK : PL_NO_MEMORY;
}

void pl_pdf_windows_fini(struct pl_pdf_windows *windows)
{
    free(windows->data);
    windows->data = NULL;
    pl_bytes_fini(&windows->scratch);
}

/* The slot that holds the window which begins at `at`. */
static pl_status windows_load(struct pl_pdf_windows *windows, uint64_t at, size_t *out)
{
    size_t oldest = 0;
    for (size_t i = 0; i < PL_PDF_WINDOWS; i++) {
        if (windows->slots[i].used > 0 && windows->slots[i].at == at) {
            windows->slots[i].used = ++windows->clock;
            *out = i;
            return PL_OK;
        }
        if (windows->slots[i].used < windows->slots[oldest].used)
            oldest = i;
    }
    uint64_t left = windows->source->size - at;
    size_t size = left < PL_PDF_WINDOW_BYTES ? (size_t)left : PL_PDF_WINDOW_BYTES;
    windows->slots[oldest].used = 0;
    pl_status status =
        pl_source_read(windows->source, at, windows->data + oldest * PL_PDF_WINDOW_BYTES, size);
    if (status != PL_OK)
        return status;
    windows->slots[oldest].at = at;
    windows->slots[oldest].size = size;
    windows->slots[oldest].used = ++windows->clock;
    *out = oldest;
    return PL_OK;
}

/* More than a window: what lies across its edge is read past the cache. */
static pl_status windows_gather(struct pl_pdf_windows *windows, uint64_t at, size_t size,
                                const uint8_t **data, size_t *got)
{
    uint8_t *room = NULL;
    pl_bytes_clear(&windows->scratch);
    pl_status status = pl_bytes_reserve(&windows->scratch, size, &room);
    if (status == PL_OK)
        status = pl_source_read(windows->source, at, room, size);
    if (status != PL_OK)
        return status;
    *data = room;
    *got = size;
    return PL_OK;
}

pl_status pl_pdf_windows_peek(struct pl_pdf_windows *windows, uint64_t at, size_t size,
                              const uint8_t **data, size_t *got)
{
    uint64_t end = windows->source->size;
    if (at >= end) {
        *data = windows->data;
        *got = 0;
        return PL_OK;
    }
    if (size > end - at)
        size = (size_t)(end - at);
    size_t skew = (size_t)(at % PL_PDF_WINDOW_BYTES);
    if (size > PL_PDF_WINDOW_BYTES - skew)
        return windows_gather(windows, at, size, data, got);
    size_t slot = 0;
    pl_status status = windows_load(windows, at - skew, &slot);
    if (status != PL_OK)
        return status;
    *data = windows->data + slot * PL_PDF_WINDOW_BYTES + skew;
    *got = windows->slots[slot].size - skew;
    return PL_OK;
}
