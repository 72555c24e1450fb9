/* pdf_import_pdfa: pages for PDF/A, entry by entry.
 *
 * Nothing is copied that is not known here: what pl_pdf_page_allows has let through is images,
 * forms that place them, plain graphics states and colour spaces. Interpolation, alternates, OPI,
 * groups where nothing is transparent and entries that PDF/A does not know go; LZW becomes Flate;
 * device CMYK, which has no meaning under an RGB output intent, gets the profile that scans without
 * one get.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"
#include "pipeline/pdf/icc.h"
#include "pipeline/pdf/pdf_allows_priv.h"
#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_import_priv.h"
#include "pipeline/pdf/pdf_names.h"
#include "pipeline/pdf/pdf_space.h"
#include "pipeline/pdf/pdf_walk.h"

#define PROFILE_BYTES ((size_t)1 << 22)
#define CONTENT_BYTES ((size_t)32 << 20)

/* The stand-in for device CMYK, written once. */
static pl_status pdfa_cmyk(struct pl_pdf_import *import)
{
    struct pl_bytes profile = { 0 };
    struct pl_bytes deflated = { 0 };
    if (import->cmyk != 0)
        return PL_OK;
    pl_bytes_init(&profile, PROFILE_BYTES);
    pl_bytes_init(&deflated, PROFILE_BYTES);
    pl_status status = pl_icc_cmyk(&profile);
    if (status == PL_OK)
        status = pl_flate_all(profile.data, profile.size, &deflated);
    if (status == PL_OK) {
        import->cmyk = pl_pdf_reserve(import->writer);
        pl_pdf_begin(import->writer, import->cmyk);
        pl_pdf_format(import->writer, "<</N 4/Filter/FlateDecode");
        pl_pdf_end_stream(import->writer, deflated.data, deflated.size);
        status = pl_pdf_status(import->writer);
    }
    pl_bytes_fini(&profile);
    pl_bytes_fini(&deflated);
    return status;
}

static pl_status item_resolved(struct pl_pdf_import *import, const struct pl_pdf_value *array,
                               size_t i, const struct pl_pdf_value **out)
{
    static const struct pl_pdf_value none = { .kind = PL_PDF_NULL };
    *out = &none;
    if (array->kind != PL_PDF_ARRAY || i >= array->as.array.count)
        return PL_OK;
    return pl_pdf_resolve(import->source->file, array->as.array.items[i], out, import->fault);
}

/* A space that is not indexed. */
static pl_status space_base(struct pl_pdf_import *import, const struct pl_pdf_value *value)
{
    struct pl_pdf_space space;
    uint32_t number = 0;
    pl_status status = pl_pdf_space_read(import->source->file, value, NULL, &space, import->fault);
    if (status != PL_OK)
        return status;
    if (space.kind == PL_PDF_SPACE_ICC) {
        status = pl_import_number(import, space.icc->as.dict.self, PL_IMPORT_PROFILE, &number);
        pl_pdf_format(import->writer, "[/ICCBased %u 0 R]", number);
        return status;
    }
    if (space.kind == PL_PDF_SPACE_DEVICE && space.components == 4) {
        pl_pdf_format(import->writer, "[/ICCBased %u 0 R]", import->cmyk);
        return PL_OK;
    }
    if (space.kind == PL_PDF_SPACE_DEVICE) {
        pl_pdf_format(import->writer, space.components == 1 ? "/DeviceGray" : "/DeviceRGB");
        return PL_OK;
    }
    return pl_import_value(import, value);
}

static pl_status space_table(struct pl_pdf_import *import, const struct pl_pdf_value *table)
{
    uint32_t number = 0;
    if (table->kind != PL_PDF_STREAM)
        return pl_import_value(import, table);
    pl_status status = pl_import_number(import, table->as.dict.self, PL_IMPORT_DATA, &number);
    pl_pdf_format(import->writer, " %u 0 R", number);
    return status;
}

static bool space_is_cmyk(const struct pl_pdf_space *space)
{
    return space->kind == PL_PDF_SPACE_DEVICE && space->components == 4;
}

/* Whatever must exist before the object that names the space is begun. */
static pl_status space_prepare(struct pl_pdf_import *import, const struct pl_pdf_value *value)
{
    struct pl_pdf_space space;
    pl_status status = pl_pdf_space_read(import->source->file, value, NULL, &space, import->fault);
    return status == PL_OK && space_is_cmyk(&space) ? pdfa_cmyk(import) : status;
}

static pl_status pdfa_space(struct pl_pdf_import *import, const struct pl_pdf_value *value)
{
    struct pl_pdf_space space;
    const struct pl_pdf_value *base = NULL;
    pl_status status = pl_pdf_space_read(import->source->file, value, NULL, &space, import->fault);
    if (status != PL_OK || !space.indexed)
        return status == PL_OK ? space_base(import, value) : status;
    status = item_resolved(import, value, 1, &base);
    pl_pdf_format(import->writer, "[/Indexed");
    if (status == PL_OK)
        status = space_base(import, base);
    pl_pdf_format(import->writer, " %u", space.entries - 1);
    if (status == PL_OK)
        status = space_table(import, space.table);
    pl_pdf_format(import->writer, "]");
    return status;
}

static pl_status image_masks(struct pl_pdf_import *import, const struct pl_pdf_value *image)
{
    static const char *const keys[] = { "Mask", "SMask" };
    const struct pl_pdf_value *value = NULL;
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++) {
        status = pl_pdf_lookup(import->source->file, image, keys[i], &value, import->fault);
        if (status == PL_OK && value->kind == PL_PDF_STREAM)
            status = pl_import_role_entry(import, keys[i], value, PL_IMPORT_IMAGE);
        else if (status == PL_OK && value->kind == PL_PDF_ARRAY)
            status = pl_import_entry(import, image, keys[i]);
    }
    return status;
}

/* Readers guess a depth that is missing; PDF/A wants it said. */
static pl_status image_depth(struct pl_pdf_import *import, const struct pl_pdf_value *image,
                             bool stencil)
{
    struct pl_pdf_codings codings;
    pl_status status = pl_pdf_codings_read(import->source->file, image, &codings, import->fault);
    enum pl_pdf_coding coding = pl_pdf_codings_image(&codings);
    if (status != PL_OK || stencil || coding == PL_PDF_CODING_JPX ||
        pl_pdf_dict_peek(image, "BitsPerComponent") != NULL)
        return status;
    pl_pdf_format(import->writer, "/BitsPerComponent %d", coding == PL_PDF_CODING_DCT ? 8 : 1);
    return PL_OK;
}

static pl_status pdfa_image(struct pl_pdf_import *import, const struct pl_pdf_value *image,
                            uint32_t number)
{
    static const char *const keys[] = { "Width",  "Height", "ImageMask",  "BitsPerComponent",
                                        "Decode", "Matte",  "SMaskInData" };
    struct pl_pdf_writer *writer = import->writer;
    const struct pl_pdf_value *space = NULL;
    const struct pl_pdf_value *intent = NULL;
    pl_status status =
        pl_pdf_lookup(import->source->file, image, "ColorSpace", &space, import->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(import->source->file, image, "Intent", &intent, import->fault);
    bool stencil = pl_pdf_dict_peek(image, "ImageMask") != NULL && space->kind == PL_PDF_NULL;
    if (status == PL_OK && !stencil && space->kind != PL_PDF_NULL)
        status = space_prepare(import, space);
    if (status != PL_OK)
        return status;
    pl_pdf_begin(writer, number);
    pl_pdf_format(writer, "<</Type/XObject/Subtype/Image");
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++)
        status = pl_import_entry(import, image, keys[i]);
    if (status == PL_OK)
        status = image_depth(import, image, stencil);
    if (status == PL_OK && space->kind != PL_PDF_NULL) {
        pl_pdf_format(writer, "/ColorSpace");
        status = pdfa_space(import, space);
    }
    if (pl_pdf_intent_is_valid(intent)) {
        pl_pdf_format(writer, "/Intent");
        pl_pdf_name(writer, intent->as.text);
    }
    if (status == PL_OK)
        status = image_masks(import, image);
    pl_pdf_payload(writer);
    return status == PL_OK ? pl_import_stream(import, image) : status;
}

/* The entries of a graphics state that are kept; the judge has seen their values. */
static pl_status pdfa_state(struct pl_pdf_import *import, const struct pl_pdf_value *state)
{
    static const char *const keys[] = { "LW", "LC",  "LJ", "ML", "D",     "RI", "FL", "SA",
                                        "SM", "AIS", "TK", "BM", "SMask", "CA", "ca" };
    pl_status status = PL_OK;
    pl_pdf_format(import->writer, "<</Type/ExtGState");
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++)
        status = pl_import_entry(import, state, keys[i]);
    pl_pdf_format(import->writer, ">>");
    return status;
}

static pl_status resource_xobject(struct pl_pdf_import *import, struct pl_span name,
                                  const struct pl_pdf_value *value)
{
    const struct pl_pdf_value *subtype = NULL;
    uint32_t number = 0;
    pl_status status =
        pl_pdf_lookup(import->source->file, value, "Subtype", &subtype, import->fault);
    if (status != PL_OK || value->kind != PL_PDF_STREAM)
        return status;
    enum pl_import_role role = pl_pdf_name_is(subtype, "Form") ? PL_IMPORT_FORM : PL_IMPORT_IMAGE;
    status = pl_import_number(import, value->as.dict.self, role, &number);
    pl_pdf_name(import->writer, name);
    pl_pdf_format(import->writer, " %u 0 R", number);
    return status;
}

static pl_status resource_write(struct pl_pdf_import *import, enum pl_pdf_category category,
                                struct pl_span name, const struct pl_pdf_value *value)
{
    switch (category) {
    case PL_PDF_XOBJECT:
        return resource_xobject(import, name, value);
    case PL_PDF_EXT_G_STATE:
        pl_pdf_name(import->writer, name);
        return pdfa_state(import, value);
    case PL_PDF_COLOR_SPACE:
        pl_pdf_name(import->writer, name);
        return pdfa_space(import, value);
    case PL_PDF_PROPERTIES:
    case PL_PDF_CATEGORIES:
        break;
    }
    pl_pdf_name(import->writer, name);
    pl_pdf_format(import->writer, "<<>>");
    return PL_OK;
}

static pl_status resources_category(struct pl_pdf_import *import,
                                    const struct pl_pdf_value *resources,
                                    const struct pl_pdf_names *names, enum pl_pdf_category category)
{
    const char *key = pl_pdf_category_key(category);
    bool cmyk = category == PL_PDF_COLOR_SPACE && names->device_cmyk;
    bool opened = false;
    pl_status status = PL_OK;
    for (size_t i = 0; i < names->count && status == PL_OK; i++) {
        const struct pl_pdf_value *value = NULL;
        struct pl_span name = pl_pdf_names_text(names, i);
        if (names->uses[i].category != category)
            continue;
        status = pl_pdf_resource(import->source->file, resources, key, name, &value, import->fault);
        if (status != PL_OK || (value->kind == PL_PDF_NULL && category != PL_PDF_PROPERTIES))
            continue;
        if (!opened)
            pl_pdf_format(import->writer, "/%s<<", key);
        opened = true;
        status = resource_write(import, category, name, value);
    }
    if (cmyk) {
        pl_pdf_format(import->writer, opened ? "" : "/ColorSpace<<");
        pl_pdf_format(import->writer, "/DefaultCMYK[/ICCBased %u 0 R]", import->cmyk);
    }
    if (opened || cmyk)
        pl_pdf_format(import->writer, ">>");
    return status;
}

/* Whether one of the names needs the stand-in for device CMYK. */
static pl_status resources_prepare(struct pl_pdf_import *import,
                                   const struct pl_pdf_value *resources,
                                   const struct pl_pdf_names *names)
{
    pl_status status = names->device_cmyk ? pdfa_cmyk(import) : PL_OK;
    for (size_t i = 0; i < names->count && status == PL_OK; i++) {
        const struct pl_pdf_value *value = NULL;
        if (names->uses[i].category != PL_PDF_COLOR_SPACE)
            continue;
        status = pl_pdf_resource(import->source->file, resources, "ColorSpace",
                                 pl_pdf_names_text(names, i), &value, import->fault);
        if (status == PL_OK)
            status = space_prepare(import, value);
    }
    return status;
}

static pl_status resources_write(struct pl_pdf_import *import, const struct pl_pdf_value *resources,
                                 const struct pl_pdf_names *names)
{
    pl_status status = PL_OK;
    pl_pdf_format(import->writer, "/Resources<<");
    for (unsigned i = 0; i < PL_PDF_CATEGORIES && status == PL_OK; i++)
        status = resources_category(import, resources, names, (enum pl_pdf_category)i);
    pl_pdf_format(import->writer, ">>");
    return status;
}

/* A group says how transparency is blended; its colour space is kept when it is one that the output
 * intent gives a meaning to. */
static pl_status form_group(struct pl_pdf_import *import, const struct pl_pdf_value *dict)
{
    const struct pl_pdf_value *group = NULL;
    const struct pl_pdf_value *space = NULL;
    if (import->want == PL_WANT_PDFA_1)
        return PL_OK;
    pl_status status = pl_pdf_lookup(import->source->file, dict, "Group", &group, import->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(import->source->file, group, "CS", &space, import->fault);
    if (status != PL_OK || group->kind != PL_PDF_DICT)
        return status;
    pl_pdf_format(import->writer, "/Group<</S/Transparency");
    status = pl_import_entry(import, group, "I");
    if (status == PL_OK)
        status = pl_import_entry(import, group, "K");
    if (pl_pdf_name_is(space, "DeviceRGB") || pl_pdf_name_is(space, "DeviceGray")) {
        pl_pdf_format(import->writer, "/CS");
        pl_pdf_name(import->writer, space->as.text);
    }
    pl_pdf_format(import->writer, ">>");
    return status;
}

static pl_status pdfa_form(struct pl_pdf_import *import, const struct pl_pdf_value *form,
                           uint32_t number)
{
    struct pl_pdf_names names = { 0 };
    struct pl_bytes content = { 0 };
    const struct pl_pdf_value *resources = NULL;
    struct pl_pdf_file *file = import->source->file;
    pl_bytes_init(&content, CONTENT_BYTES);
    pl_status status = pl_pdf_lookup(file, form, "Resources", &resources, import->fault);
    if (status == PL_OK)
        status = pl_pdf_stream_decode(file, form, &content, import->fault);
    if (status == PL_OK)
        status = pl_pdf_names_read(&content, &names, import->fault);
    if (status == PL_OK)
        status = resources_prepare(import, resources, &names);
    if (status != PL_OK)
        goto done;
    pl_pdf_begin(import->writer, number);
    pl_pdf_format(import->writer, "<</Type/XObject/Subtype/Form");
    status = pl_import_entry(import, form, "BBox");
    if (status == PL_OK)
        status = pl_import_entry(import, form, "Matrix");
    if (status == PL_OK)
        status = resources_write(import, resources, &names);
    if (status == PL_OK)
        status = form_group(import, form);
    if (status == PL_OK)
        status = pl_import_stream(import, form);
done:
    pl_pdf_names_fini(&names);
    pl_bytes_fini(&content);
    return status;
}

pl_status pl_import_known(struct pl_pdf_import *import, const struct pl_pdf_value *value,
                          enum pl_import_role role, uint32_t number)
{
    if (value->kind != PL_PDF_STREAM)
        return pl_import_any(import, value, number);
    if (role == PL_IMPORT_IMAGE)
        return pdfa_image(import, value, number);
    if (role == PL_IMPORT_FORM)
        return pdfa_form(import, value, number);
    pl_pdf_begin(import->writer, number);
    pl_pdf_format(import->writer, "<<");
    pl_status status = PL_OK;
    if (role == PL_IMPORT_PROFILE)
        status = pl_import_entry(import, value, "N");
    return status == PL_OK ? pl_import_stream(import, value) : status;
}

static pl_status contents_write(struct pl_pdf_import *import, const struct pl_pdf_value *page)
{
    const struct pl_pdf_value *contents = NULL;
    pl_status status =
        pl_pdf_lookup(import->source->file, page, "Contents", &contents, import->fault);
    if (status == PL_OK && contents->kind == PL_PDF_STREAM)
        return pl_import_role_entry(import, "Contents", contents, PL_IMPORT_DATA);
    if (status != PL_OK || contents->kind != PL_PDF_ARRAY)
        return status;
    pl_pdf_format(import->writer, "/Contents[");
    for (size_t i = 0; i < contents->as.array.count && status == PL_OK; i++) {
        const struct pl_pdf_value *stream = NULL;
        uint32_t number = 0;
        status = item_resolved(import, contents, i, &stream);
        if (status != PL_OK || stream->kind != PL_PDF_STREAM)
            continue;
        status = pl_import_number(import, stream->as.dict.self, PL_IMPORT_DATA, &number);
        pl_pdf_format(import->writer, " %u 0 R", number);
    }
    pl_pdf_format(import->writer, "]");
    return status;
}

pl_status pl_import_page_names(struct pl_pdf_import *import, uint32_t n, struct pl_pdf_names *names)
{
    struct pl_bytes content = { 0 };
    const struct pl_pdf_value *resources = NULL;
    struct pl_pdf_file *file = import->source->file;
    pl_bytes_init(&content, CONTENT_BYTES);
    pl_status status = pl_pdf_page_contents(file, n, &content, import->fault);
    if (status == PL_OK)
        status = pl_pdf_names_read(&content, names, import->fault);
    if (status == PL_OK)
        status = pl_pdf_page_inherited(file, n, "Resources", &resources, import->fault);
    if (status == PL_OK)
        status = resources_prepare(import, resources, names);
    pl_bytes_fini(&content);
    return status;
}

pl_status pl_import_page_content(struct pl_pdf_import *import, const struct pl_pdf_value *page,
                                 uint32_t n, const struct pl_pdf_names *names)
{
    const struct pl_pdf_value *resources = NULL;
    pl_status status = contents_write(import, page);
    if (status == PL_OK)
        status =
            pl_pdf_page_inherited(import->source->file, n, "Resources", &resources, import->fault);
    if (status == PL_OK)
        status = resources_write(import, resources, names);
    return status == PL_OK ? form_group(import, page) : status;
}
