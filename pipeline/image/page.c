/* page: buffers with a shared ceiling, and the list of bands.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pl_page_init(struct pl_page *page, uint64_t limit_bytes)
{
    *page = (struct pl_page){ .orientation = 1 };
    pl_bytes_init(&page->icc, (size_t)1 << 22);
    pl_bytes_init(&page->data, (size_t)limit_bytes);
    pl_bytes_init(&page->palette, (size_t)256 * 4);
    pl_bytes_init(&page->globals, (size_t)limit_bytes);
}

void pl_page_fini(struct pl_page *page)
{
    pl_bytes_fini(&page->icc);
    pl_bytes_fini(&page->data);
    pl_bytes_fini(&page->palette);
    pl_bytes_fini(&page->globals);
    free(page->pdf);
    free(page->parts);
    *page = (struct pl_page){ .orientation = 1 };
}

pl_status pl_page_add_part(struct pl_page *page, uint32_t rows, size_t size)
{
    PL_CHECK(size <= page->data.size);
    size_t count = page->part_count;
    if ((count & (count - 1)) == 0) { /* full at each power of two */
        size_t room = count == 0 ? 1 : count * 2;
        struct pl_page_part *parts = realloc(page->parts, room * sizeof *parts);
        if (parts == NULL)
            return PL_NO_MEMORY;
        page->parts = parts;
    }
    page->parts[count] = (struct pl_page_part){ rows, page->data.size - size, size };
    page->part_count = count + 1;
    return PL_OK;
}

void pl_page_note(struct pl_page *page, const char *format, ...)
{
    size_t used = strlen(page->note);
    if (used > 0 && used + 2 < sizeof page->note) {
        memcpy(page->note + used, "; ", 3);
        used += 2;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(page->note + used, sizeof page->note - used, format, args);
    va_end(args);
}
