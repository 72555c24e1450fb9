/* pdf_image: what an image's dictionary says, checked against the data's own head.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_image.h"

#include "pipeline/codec/jpeg_scan.h"
#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_jpx.h"
#include "pipeline/pdf/pdf_walk.h"

#include <string.h>

#define MASK_BYTES ((size_t)256 << 20)
#define FAX_COLUMNS 1728 /* ISO 32000-1 table 11 */

enum decode_kind { DECODE_PLAIN, DECODE_INVERTED, DECODE_OTHER };

/* One image while it is read. */
struct reading {
    const struct pl_pdf_images *images;
    const struct pl_pdf_value *dict;
    const struct pl_pdf_value *resources;
    struct pl_span inline_data;
    struct pl_pdf_codings filters;
    struct pl_pdf_image *image;
    const char *why;
    struct pl_fault *fault;
};

static pl_status reading_entry(struct reading *reading, const char *key, const char *short_key,
                               const struct pl_pdf_value **out)
{
    return pl_pdf_lookup_either(reading->images->file, reading->dict, key, short_key, out,
                                reading->fault);
}

static pl_status reading_shape(struct reading *reading)
{
    struct pl_pdf_file *file = reading->images->file;
    struct pl_pdf_image *image = reading->image;
    int64_t width = 0;
    int64_t height = 0;
    int64_t bits = 0;
    pl_status status =
        pl_pdf_lookup_integer(file, reading->dict, "Width", "W", 0, &width, reading->fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_integer(file, reading->dict, "Height", "H", 0, &height, reading->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, reading->dict, "BitsPerComponent", "BPC", 0, &bits,
                                       reading->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_boolean(file, reading->dict, "ImageMask", "IM", false,
                                       &image->stencil, reading->fault);
    if (status != PL_OK)
        return status;
    if (width < 1 || height < 1 || width > UINT32_MAX || height > UINT32_MAX) {
        reading->why = "holds an image without a size";
        return PL_OK;
    }
    image->width_px = (uint32_t)width;
    image->height_px = (uint32_t)height;
    image->bits =
        bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 ? (uint8_t)bits : 0;
    return PL_OK;
}

static bool value_is_absent(const struct pl_pdf_value *value)
{
    return value->kind == PL_PDF_NULL;
}

/* A mask that lets everything through: decoded bytes that are all `opaque`. Only what we decode
 * ourselves is looked at. */
static pl_status mask_is_opaque(const struct pl_pdf_images *images, const struct pl_pdf_value *mask,
                                uint8_t opaque, bool *out, struct pl_fault *fault)
{
    struct pl_pdf_codings filters;
    const struct pl_pdf_value *decode = NULL;
    const struct pl_pdf_value *matte = NULL;
    struct pl_bytes data = { 0 };
    *out = false;
    pl_status status = pl_pdf_codings_read(images->file, mask, &filters, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(images->file, mask, "Decode", &decode, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(images->file, mask, "Matte", &matte, fault);
    if (status != PL_OK)
        return status;
    if (pl_pdf_codings_image(&filters) != PL_PDF_CODING_UNKNOWN ||
        pl_pdf_codings_have(&filters, PL_PDF_CODING_UNKNOWN) || !value_is_absent(decode) ||
        !value_is_absent(matte))
        return PL_OK;
    size_t limit =
        images->limits->page_bytes < MASK_BYTES ? (size_t)images->limits->page_bytes : MASK_BYTES;
    struct pl_fault ignored = { 0 };
    pl_bytes_init(&data, limit);
    status = pl_pdf_stream_decode(images->file, mask, &data, &ignored);
    if (status == PL_OK) {
        *out = data.size > 0 && data.data[0] == opaque &&
               memcmp(data.data, data.data + 1, data.size - 1) == 0;
    }
    pl_bytes_fini(&data);
    return status == PL_NO_MEMORY || status == PL_IO_ERROR || status == PL_TAMPERED ? status
                                                                                    : PL_OK;
}

static pl_status reading_masks(struct reading *reading)
{
    const struct pl_pdf_value *soft = NULL;
    const struct pl_pdf_value *mask = NULL;
    int64_t inside = 0;
    bool opaque = false;
    pl_status status = reading_entry(reading, "SMask", "SMask", &soft);
    if (status == PL_OK)
        status = reading_entry(reading, "Mask", "Mask", &mask);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(reading->images->file, reading->dict, "SMaskInData",
                                       "SMaskInData", 0, &inside, reading->fault);
    if (status == PL_OK && soft->kind == PL_PDF_STREAM) {
        status = mask_is_opaque(reading->images, soft, 0xff, &opaque, reading->fault);
        if (!opaque)
            reading->why = "holds an image with a soft mask";
        return status;
    }
    if (status == PL_OK && mask->kind == PL_PDF_STREAM) {
        status = mask_is_opaque(reading->images, mask, 0, &opaque, reading->fault);
        if (!opaque)
            reading->why = "holds an image with a mask";
    } else if (status == PL_OK && mask->kind == PL_PDF_ARRAY) {
        reading->why = "holds an image with a transparent colour";
    } else if (status == PL_OK && inside != 0) {
        reading->why = "holds an image with a soft mask in its data";
    }
    return status;
}

/* Pairs of the default range, or each turned over. */
static pl_status reading_decode(struct reading *reading, unsigned components, double most,
                                enum decode_kind *out)
{
    const struct pl_pdf_value *array = NULL;
    double range[8];
    bool found = false;
    *out = DECODE_PLAIN;
    pl_status status = reading_entry(reading, "Decode", "D", &array);
    if (status == PL_OK)
        status = pl_pdf_numbers(reading->images->file, array, range, (size_t)components * 2, &found,
                                reading->fault);
    if (status != PL_OK || !found)
        return status;
    unsigned plain = 0;
    unsigned inverted = 0;
    for (size_t i = 0; i < components; i++) {
        double low = range[2 * i];
        double high = range[2 * i + 1];
        plain += low == 0 && high == most;
        inverted += low == most && high == 0;
    }
    *out = plain == components      ? DECODE_PLAIN
           : inverted == components ? DECODE_INVERTED
                                    : DECODE_OTHER;
    return PL_OK;
}

/* Two entries that are black and white, in either order. */
static bool table_is_bilevel(const uint8_t *table, unsigned components, bool *inverted)
{
    bool black[2];
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *entry = table + (size_t)i * components;
        bool cmyk = components == 4;
        uint8_t last = entry[components - 1];
        for (unsigned c = 0; c + 1 < components; c++) {
            if (entry[c] != (cmyk ? 0 : last))
                return false;
        }
        if (last != 0 && last != 255)
            return false;
        black[i] = cmyk ? last == 255 : last == 0;
    }
    *inverted = black[1];
    return black[0] != black[1];
}

/* One bit that chooses between black and white is no palette. */
static pl_status reading_two_entries(struct reading *reading)
{
    struct pl_pdf_image *image = reading->image;
    struct pl_bytes table = { 0 };
    bool inverted = false;
    if (image->bits != 1 || image->space.entries != 2)
        return PL_OK;
    pl_bytes_init(&table, 1024);
    pl_status status =
        pl_pdf_space_table(reading->images->file, &image->space, &table, reading->fault);
    if (status == PL_OK && table_is_bilevel(table.data, image->components, &inverted)) {
        image->indexed = false;
        image->colour = PL_COLOUR_BILEVEL;
        image->components = 1;
        image->decode_inverted = image->decode_inverted != inverted;
    }
    pl_bytes_fini(&table);
    return status;
}

static const char *space_refusal(enum pl_pdf_space_kind kind)
{
    switch (kind) {
    case PL_PDF_SPACE_DEVICE:
    case PL_PDF_SPACE_CAL:
    case PL_PDF_SPACE_ICC:
        return NULL;
    case PL_PDF_SPACE_LAB:
        return "holds an image in Lab colour";
    case PL_PDF_SPACE_SPOT:
        return "holds an image in spot colours";
    case PL_PDF_SPACE_PATTERN:
    case PL_PDF_SPACE_UNKNOWN:
        break;
    }
    return "holds an image in an unknown colour space";
}

/* Colour and /Decode of what is neither a stencil nor JPEG 2000. */
static pl_status reading_colour(struct reading *reading)
{
    const struct pl_pdf_value *space = NULL;
    struct pl_pdf_image *image = reading->image;
    enum decode_kind decode = DECODE_PLAIN;
    pl_status status = reading_entry(reading, "ColorSpace", "CS", &space);
    if (status == PL_OK)
        status = pl_pdf_space_read(reading->images->file, space, reading->resources, &image->space,
                                   reading->fault);
    if (status != PL_OK)
        return status;
    reading->why = space_refusal(image->space.kind);
    if (reading->why == NULL && image->bits == 0)
        reading->why = "holds an image of an unknown depth";
    if (reading->why != NULL)
        return PL_OK;
    image->indexed = image->space.indexed;
    image->colour = image->space.colour;
    image->components = image->space.components;
    double most = image->indexed ? (double)((1U << image->bits) - 1) : 1;
    status = reading_decode(reading, image->indexed ? 1 : image->components, most, &decode);
    if (decode == DECODE_OTHER)
        reading->why = "holds an image whose samples are remapped";
    image->decode_inverted = decode == DECODE_INVERTED;
    if (image->indexed && image->bits == 16)
        reading->why = "holds an image with 16-bit indices";
    if (!image->indexed && image->bits == 1 && image->components == 1)
        image->colour = PL_COLOUR_BILEVEL;
    return status == PL_OK && image->indexed ? reading_two_entries(reading) : status;
}

static pl_status reading_stencil(struct reading *reading)
{
    struct pl_pdf_image *image = reading->image;
    enum decode_kind decode = DECODE_PLAIN;
    pl_status status = reading_decode(reading, 1, 1, &decode);
    image->bits = 1;
    image->components = 1;
    image->colour = PL_COLOUR_BILEVEL;
    image->decode_inverted = decode == DECODE_INVERTED;
    if (decode == DECODE_OTHER)
        reading->why = "holds a stencil whose samples are remapped";
    return status;
}

static pl_status reading_fax(struct reading *reading)
{
    struct pl_pdf_file *file = reading->images->file;
    struct pl_pdf_image *image = reading->image;
    const struct pl_pdf_value *parms = reading->filters.parms;
    struct pl_fault *fault = reading->fault;
    int64_t k = 0;
    int64_t columns = 0;
    bool black_is_1 = false;
    pl_status status = pl_pdf_lookup_integer(file, parms, "K", "K", 0, &k, fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_integer(file, parms, "Columns", "Columns", FAX_COLUMNS, &columns, fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_boolean(file, parms, "BlackIs1", "BlackIs1", false, &black_is_1, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_boolean(file, parms, "EncodedByteAlign", "EncodedByteAlign", false,
                                       &image->fax.byte_align, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_boolean(file, parms, "EndOfLine", "EndOfLine", false,
                                       &image->fax.end_of_line, fault);
    if (status != PL_OK)
        return status;
    image->filter = k < 0 ? PL_FILTER_G4 : PL_FILTER_G3;
    image->fax.k = k > 0 ? 1 : (int32_t)(k < 0 ? -1 : 0);
    image->decode_inverted = image->decode_inverted != black_is_1;
    if (image->bits != 1 || image->components != 1 || columns != image->width_px) {
        reading->why = "holds a fax image whose width is not that of its data";
    } else if (k < 0 && image->fax.byte_align) {
        reading->why = "holds a fax image with aligned rows";
    }
    if (image->filter == PL_FILTER_G4)
        image->fax = (struct pl_page_fax){ .k = -1 };
    return PL_OK;
}

/* What PDF's rules and libjpeg's say about three or four components is the same. */
static bool jpeg_colour_is_clear(const struct pl_jpeg_info *info, int64_t transform)
{
    if (info->components == 3 && info->adobe)
        return info->adobe_transform == 1 || (info->adobe_transform == 0 && !info->jfif);
    if (info->components == 4 && info->adobe)
        return info->adobe_transform == 0 || info->adobe_transform == 2;
    if (info->components == 3)
        return transform < 0 || (transform != 0) == !pl_jpeg_info_is_rgb(info);
    return info->components == 1 || transform <= 0;
}

static pl_status reading_jpeg(struct reading *reading, struct pl_source *source)
{
    struct pl_pdf_image *image = reading->image;
    struct pl_jpeg_info info = { 0 };
    struct pl_fault found = { 0 };
    int64_t transform = -1;
    image->filter = PL_FILTER_DCT;
    pl_status status =
        pl_pdf_lookup_integer(reading->images->file, reading->filters.parms, "ColorTransform",
                              "ColorTransform", -1, &transform, reading->fault);
    if (status == PL_OK)
        status = pl_jpeg_scan(source, false, &info, &found);
    if (status == PL_BAD_DOCUMENT || status == PL_TOO_LARGE) {
        reading->why = "holds JPEG data that cannot be read";
        return PL_OK;
    }
    if (status != PL_OK)
        return status;
    if (info.width_px != image->width_px || info.height_px != image->height_px) {
        reading->why = "holds a JPEG whose size is not that of its image";
    } else if (!pl_jpeg_info_fits_pdf(&info)) {
        reading->why = "holds a kind of JPEG that PDF does not have";
    } else if (info.components != image->components || image->indexed) {
        reading->why = "holds a JPEG whose colours are not those of its image";
    } else if (!jpeg_colour_is_clear(&info, transform)) {
        reading->why = "holds a JPEG whose colours are told in two ways";
    }
    image->bits = 8;
    return PL_OK;
}

static pl_status reading_jpx(struct reading *reading, struct pl_source *source)
{
    const struct pl_pdf_value *space = NULL;
    struct pl_pdf_image *image = reading->image;
    struct pl_jpx_info info;
    struct pl_fault found = { 0 };
    enum pl_colour colour = PL_COLOUR_GREY;
    image->filter = PL_FILTER_JPX;
    pl_status status = pl_jpx_scan(source, &info, &found);
    if (status == PL_BAD_DOCUMENT) {
        reading->why = "holds JPEG 2000 data that cannot be read";
        return PL_OK;
    }
    if (status == PL_OK)
        status = reading_entry(reading, "ColorSpace", "CS", &space);
    if (status == PL_OK && space->kind != PL_PDF_NULL)
        status = pl_pdf_space_read(reading->images->file, space, reading->resources, &image->space,
                                   reading->fault);
    if (status != PL_OK)
        return status;
    bool spaced = space->kind != PL_PDF_NULL;
    image->components = info.components;
    image->bits = info.bits > 8 ? 16 : 8;
    if (info.width_px != image->width_px || info.height_px != image->height_px) {
        reading->why = "holds a JPEG 2000 image whose size is not that of its data";
    } else if (!pl_jpx_colour(&info, &colour) || info.bits > 16 || image->stencil ||
               (spaced && (image->space.indexed || image->space.components != info.components ||
                           space_refusal(image->space.kind) != NULL))) {
        reading->why = "holds a JPEG 2000 image of a kind that is not copied";
    }
    image->colour = colour;
    return PL_OK;
}

/* The deflated data are as page.h has them. */
static pl_status reading_flate(struct reading *reading)
{
    struct pl_pdf_file *file = reading->images->file;
    struct pl_pdf_image *image = reading->image;
    const struct pl_pdf_value *parms = reading->filters.parms;
    int64_t predictor = 1;
    int64_t colours = 1;
    int64_t bits = 8;
    int64_t columns = 1;
    pl_status status =
        pl_pdf_lookup_integer(file, parms, "Predictor", "Predictor", 1, &predictor, reading->fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_integer(file, parms, "Colors", "Colors", 1, &colours, reading->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, parms, "BitsPerComponent", "BitsPerComponent", 8,
                                       &bits, reading->fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_integer(file, parms, "Columns", "Columns", 1, &columns, reading->fault);
    if (status != PL_OK)
        return status;
    bool fits = colours == (image->indexed ? 1 : image->components) && bits == image->bits &&
                columns == image->width_px;
    bool known = predictor == 2 || (predictor >= 10 && predictor <= 15);
    image->predictor = predictor <= 1 ? 1 : (uint8_t)(known ? predictor : 1);
    image->recode = predictor > 1 && !(known && fits);
    return PL_OK;
}

/* Less than 8 bits are kept only of one sample a pixel. */
static bool depth_is_kept(const struct pl_pdf_image *image)
{
    return image->indexed || image->bits >= 8 || image->components == 1;
}

static pl_status reading_plain(struct reading *reading)
{
    struct pl_pdf_image *image = reading->image;
    const struct pl_pdf_codings *filters = &reading->filters;
    image->filter = PL_FILTER_FLATE;
    if (pl_pdf_codings_have(filters, PL_PDF_CODING_UNKNOWN)) {
        reading->why = "holds an image in an unknown encoding";
        return PL_OK;
    }
    image->recode = true;
    if (filters->count == 1 && filters->filters[0] == PL_PDF_CODING_FLATE && depth_is_kept(image))
        return reading_flate(reading);
    if (image->stream == NULL && filters->count > 0)
        reading->why = "holds an inline image in an encoding that is not copied";
    return PL_OK;
}

static pl_status reading_jbig2(struct reading *reading)
{
    struct pl_pdf_image *image = reading->image;
    const struct pl_pdf_value *globals = NULL;
    image->filter = PL_FILTER_JBIG2;
    pl_status status = pl_pdf_lookup(reading->images->file, reading->filters.parms, "JBIG2Globals",
                                     &globals, reading->fault);
    if (status == PL_OK && globals->kind == PL_PDF_STREAM)
        image->globals = globals;
    if (image->bits != 1 || image->components != 1)
        reading->why = "holds a JBIG2 image that is not of one bit";
    return status;
}

/* By what the data's own head says. */
static pl_status reading_head(struct reading *reading, enum pl_pdf_coding filter)
{
    struct pl_bytes kept = { 0 };
    struct pl_source *source = NULL;
    pl_status status =
        reading->image->stream == NULL
            ? pl_source_memory_new(reading->inline_data.data, reading->inline_data.size, &source)
            : pl_pdf_image_source(reading->images, reading->image->stream, &kept, &source,
                                  reading->fault);
    if (status == PL_OK) {
        status = filter == PL_PDF_CODING_DCT ? reading_jpeg(reading, source)
                                             : reading_jpx(reading, source);
    }
    if (source != NULL)
        source->ops->free(source);
    pl_bytes_fini(&kept);
    return status;
}

static pl_status reading_data(struct reading *reading)
{
    enum pl_pdf_coding filter = pl_pdf_codings_image(&reading->filters);
    for (size_t i = 0; i + 1 < reading->filters.count; i++) {
        if (reading->filters.filters[i] >= PL_PDF_CODING_CCITT)
            reading->filters.filters[i] = PL_PDF_CODING_UNKNOWN;
    }
    if (filter != PL_PDF_CODING_UNKNOWN &&
        (pl_pdf_codings_have(&reading->filters, PL_PDF_CODING_UNKNOWN) ||
         (reading->image->stream == NULL && reading->filters.count > 1))) {
        reading->why = "holds an image in an unknown encoding";
        return PL_OK;
    }
    if (filter == PL_PDF_CODING_CCITT)
        return reading_fax(reading);
    if (filter == PL_PDF_CODING_JBIG2)
        return reading_jbig2(reading);
    if (filter == PL_PDF_CODING_DCT || filter == PL_PDF_CODING_JPX)
        return reading_head(reading, filter);
    return reading_plain(reading);
}

static pl_status reading_run(struct reading *reading)
{
    struct pl_pdf_image *image = reading->image;
    bool jpx = false;
    pl_status status = reading_shape(reading);
    if (status == PL_OK && reading->why == NULL)
        status = pl_pdf_codings_read(reading->images->file, reading->dict, &reading->filters,
                                     reading->fault);
    if (status == PL_OK && reading->why == NULL)
        status = reading_masks(reading);
    if (status != PL_OK || reading->why != NULL)
        return status;
    enum pl_pdf_coding filter = pl_pdf_codings_image(&reading->filters);
    jpx = filter == PL_PDF_CODING_JPX;
    if (filter == PL_PDF_CODING_DCT)
        image->bits = 8;
    if ((filter == PL_PDF_CODING_CCITT || filter == PL_PDF_CODING_JBIG2) && image->bits == 0)
        image->bits = 1;
    if (!jpx)
        status = image->stencil ? reading_stencil(reading) : reading_colour(reading);
    if (status == PL_OK && reading->why == NULL)
        status = reading_data(reading);
    if (status != PL_OK || reading->why != NULL)
        return status;
    if (image->stencil && filter == PL_PDF_CODING_DCT)
        reading->why = "holds a stencil in JPEG";
    image->inverted = !image->indexed && image->decode_inverted;
    return pl_limits_check(reading->images->limits, reading->images->number, image->width_px,
                           image->height_px, image->indexed ? 1 : image->components, image->bits,
                           reading->fault);
}

pl_status pl_pdf_image_read(const struct pl_pdf_images *images, const struct pl_pdf_value *dict,
                            struct pl_span inline_data, const struct pl_pdf_value *resources,
                            struct pl_pdf_image *out, const char **why, struct pl_fault *fault)
{
    struct pl_pdf_image image = { .bytes = inline_data.size,
                                  .inline_data = (const uint8_t *)inline_data.data };
    struct reading reading = { .images = images,
                               .dict = dict,
                               .resources = resources,
                               .inline_data = inline_data,
                               .image = &image,
                               .fault = fault };
    if (inline_data.data == NULL) {
        PL_CHECK(dict->kind == PL_PDF_STREAM);
        image.stream = dict;
        image.bytes = dict->as.dict.size;
    }
    pl_status status = reading_run(&reading);
    if (status != PL_OK)
        return status;
    *out = image;
    *why = reading.why;
    return PL_OK;
}

static bool spaces_match(const struct pl_pdf_space *a, const struct pl_pdf_space *b)
{
    return a->kind == b->kind && a->icc == b->icc && a->table == b->table &&
           a->entries == b->entries;
}

bool pl_pdf_image_matches(const struct pl_pdf_image *a, const struct pl_pdf_image *b)
{
    return a->width_px == b->width_px && a->stencil == b->stencil && a->indexed == b->indexed &&
           a->decode_inverted == b->decode_inverted && a->bits == b->bits &&
           a->colour == b->colour && a->filter == b->filter && a->fax.k == b->fax.k &&
           a->fax.byte_align == b->fax.byte_align && a->fax.end_of_line == b->fax.end_of_line &&
           (a->recode || b->recode ? a->recode == b->recode : a->predictor == b->predictor) &&
           a->globals == b->globals && spaces_match(&a->space, &b->space);
}
