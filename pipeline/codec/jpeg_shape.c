/* jpeg_shape: JFIF 1.02 and EXIF 2.3, as far as paper is concerned.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_shape.h"

#include "pipeline/codec/tiff_dir.h"
#include "pipeline/image/resolution.h"

#include <inttypes.h>

/* Orientation and resolution of the EXIF block, which is a small TIFF file. A block that cannot be
 * read says nothing. */
static void exif_read(const uint8_t *data, size_t size, struct pl_tiff_dir *out)
{
    struct pl_source *source = NULL;
    struct pl_tiff_head head;
    struct pl_tiff_dir dir;
    if (pl_source_memory_new(data, size, &source) != PL_OK)
        return;
    if (pl_tiff_head_read(source, &head) == PL_OK &&
        pl_tiff_dir_read(source, &head, head.first, &dir) == PL_OK)
        *out = dir;
    source->ops->free(source);
}

static enum pl_resolution_unit unit_of(unsigned said, unsigned inch)
{
    return said == inch       ? PL_RESOLUTION_INCH
           : said == inch + 1 ? PL_RESOLUTION_CM
                              : PL_RESOLUTION_NONE;
}

void pl_jpeg_shape(const struct pl_jpeg_info *info, const uint8_t *data, struct pl_page *page)
{
    struct pl_tiff_dir exif = { .unit = 2, .orientation = 1 };
    struct pl_resolution said = { .unit = PL_RESOLUTION_NONE };
    if (info->exif.size > 0)
        exif_read(data + info->exif.at, info->exif.size, &exif);
    if (info->jfif && info->x_density > 0 && info->y_density > 0)
        said = (struct pl_resolution){ unit_of(info->density_unit, 1), info->x_density, 1,
                                       info->y_density, 1 };
    if (said.unit == PL_RESOLUTION_NONE && exif.x_resolution.den > 0 && exif.x_resolution.num > 0)
        said = (struct pl_resolution){ unit_of(exif.unit, 2), exif.x_resolution.num,
                                       exif.x_resolution.den, exif.y_resolution.num,
                                       exif.y_resolution.den };
    page->width_px = info->width_px;
    page->height_px = info->height_px;
    page->orientation =
        exif.orientation >= 1 && exif.orientation <= 8 ? (uint8_t)exif.orientation : 1;
    pl_resolution_apply(&said, page);
}

pl_status pl_jpeg_page_prove(const struct pl_page *page, struct pl_fault *fault)
{
    const struct pl_page_part *part = &page->parts[0];
    struct pl_source *source = NULL;
    struct pl_jpeg_info info;
    struct pl_fault found = { 0 };
    PL_CHECK(page->filter == PL_FILTER_DCT && page->part_count == 1);
    pl_status status = pl_source_memory_new(page->data.data + part->at, part->size, &source);
    if (status != PL_OK)
        return status;
    status = pl_jpeg_scan(source, true, &info, &found);
    source->ops->free(source);
    if (status == PL_OK)
        return PL_OK;
    return pl_fault_set(fault, status, "page %" PRIu32 ": %s", page->number,
                        found.status != PL_OK ? found.reason : pl_status_text(status));
}
