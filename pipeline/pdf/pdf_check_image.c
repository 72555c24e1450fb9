/* pdf_check_image: the dictionaries of images and their masks, and the head of JPEG 2000.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_jpx.h"

#include <string.h>

#define JPX_BYTES ((size_t)256 << 20)

static pl_status flag_is_true(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                              const char *key, bool *out)
{
    const struct pl_pdf_value *value = NULL;
    pl_status status = pl_check_lookup(c, dict, key, &value);
    *out = status == PL_OK && value->kind == PL_PDF_BOOL && value->as.boolean;
    return status;
}

static pl_status depth_check(struct pl_pdf_checking *c, const struct pl_pdf_value *image,
                             bool is_mask)
{
    int64_t bits = 0;
    pl_status status = pl_check_integer(c, image, "BitsPerComponent", 0, &bits);
    if (status != PL_OK || !pl_check_has(image, "BitsPerComponent"))
        return status;
    bool fine =
        is_mask ? bits == 1
                : bits == 1 || bits == 2 || bits == 4 || bits == 8 || (bits == 16 && c->part != 1);
    if (!fine)
        pl_check_breach(c, "6.2.4", "6.2.8", "the %s has %lld bits a component",
                        is_mask ? "mask" : "image", (long long)bits);
    return PL_OK;
}

/* The last filter is JPXDecode. */
static pl_status is_jpx(struct pl_pdf_checking *c, const struct pl_pdf_value *image, bool *out)
{
    const struct pl_pdf_value *filter = NULL;
    pl_status status = pl_check_lookup(c, image, "Filter", &filter);
    if (status == PL_OK && filter->kind == PL_PDF_ARRAY && filter->as.array.count > 0)
        status = pl_check_resolve(c, filter->as.array.items[filter->as.array.count - 1], &filter);
    *out = status == PL_OK && pl_pdf_name_is(filter, "JPXDecode");
    return status;
}

static pl_status jpx_check(struct pl_pdf_checking *c, const struct pl_pdf_value *image, bool spaced)
{
    struct pl_bytes data = { 0 };
    struct pl_source *source = NULL;
    struct pl_span filter = { 0 };
    struct pl_jpx_info info;
    struct pl_fault found = { 0 };
    const struct pl_pdf_value *parms = NULL;
    pl_check_breach(c, "6.2.4", NULL, "the image is JPEG 2000, which PDF 1.4 lacks");
    if (c->holes || c->part == 1)
        return PL_OK;
    pl_bytes_init(&data, JPX_BYTES);
    pl_status status = pl_pdf_stream_image(c->file, image, &data, &filter, &parms, &found);
    if (status == PL_OK)
        status = pl_source_memory_new(data.data, data.size, &source);
    if (status == PL_OK)
        status = pl_jpx_scan(source, &info, &found);
    const char *why = status == PL_OK ? pl_jpx_refuses_pdfa(&info, spaced) : NULL;
    if (why != NULL)
        pl_check_breach(c, NULL, "6.2.8.3", "JPEG 2000: %s", why);
    if (status == PL_BAD_DOCUMENT) {
        pl_check_breach(c, NULL, "6.2.8.3", "%s", found.reason);
        status = PL_OK;
    }
    if (source != NULL)
        source->ops->free(source);
    pl_bytes_fini(&data);
    return status == PL_OK ? PL_OK : pl_fault_set(c->fault, status, "%s", found.reason);
}

static pl_status image_check(struct pl_pdf_checking *c, const struct pl_pdf_value *image,
                             const struct pl_pdf_value *resources, bool coloured);

/* A mask is an image of its own, explicit ones (/Mask) too; what it holds are no colours. */
static pl_status masks_check(struct pl_pdf_checking *c, const struct pl_pdf_value *image)
{
    static const char *const keys[] = { "SMask", "Mask" };
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++) {
        struct pl_check_place place;
        bool enter = false;
        status =
            pl_check_enter(c, pl_pdf_dict_peek(image, keys[i]), PL_CHECK_XOBJECT, &place, &enter);
        if (!enter)
            continue;
        if (place.value->kind == PL_PDF_STREAM)
            status = image_check(c, place.value, NULL, false);
        pl_check_leave(c, &place);
    }
    return status;
}

static pl_status image_entries(struct pl_pdf_checking *c, const struct pl_pdf_value *image)
{
    const struct pl_pdf_value *intent = NULL;
    bool smooth = false;
    if (pl_check_has(image, "Alternates"))
        pl_check_breach(c, "6.2.4", "6.2.8", "the image has /Alternates");
    if (pl_check_has(image, "OPI"))
        pl_check_breach(c, "6.2.4", "6.2.8", "the image has /OPI");
    if (pl_check_has(image, "SMask")) {
        c->transparent = true;
        pl_check_breach(c, "6.4", NULL, "the image has a soft mask (/SMask)");
    }
    pl_status status = flag_is_true(c, image, "Interpolate", &smooth);
    if (smooth)
        pl_check_breach(c, "6.2.4", "6.2.8", "/Interpolate is true");
    if (status == PL_OK)
        status = pl_check_lookup(c, image, "Intent", &intent);
    if (status == PL_OK)
        pl_check_intent_name(c, intent);
    return status;
}

static pl_status image_check(struct pl_pdf_checking *c, const struct pl_pdf_value *image,
                             const struct pl_pdf_value *resources, bool coloured)
{
    bool is_mask = false;
    bool jpx = false;
    int64_t soft = 0;
    pl_status status = image_entries(c, image);
    if (status == PL_OK)
        status = flag_is_true(c, image, "ImageMask", &is_mask);
    if (status == PL_OK)
        status = is_jpx(c, image, &jpx);
    if (status == PL_OK)
        status = depth_check(c, image, is_mask);
    if (status == PL_OK)
        status = pl_check_integer(c, image, "SMaskInData", 0, &soft);
    if (status == PL_OK && jpx)
        status = jpx_check(c, image, pl_check_has(image, "ColorSpace"));
    if (jpx && soft != 0)
        c->transparent = true;
    if (status == PL_OK && !is_mask && coloured)
        status = pl_check_space(c, pl_pdf_dict_peek(image, "ColorSpace"), resources);
    return status == PL_OK ? masks_check(c, image) : status;
}

pl_status pl_check_image(struct pl_pdf_checking *c, const struct pl_pdf_value *image,
                         const struct pl_pdf_value *resources)
{
    return image_check(c, image, resources, true);
}
