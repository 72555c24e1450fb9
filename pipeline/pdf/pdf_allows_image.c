/* pdf_allows_image: images, colour spaces and graphics states under ISO 19005-1 6.2 and -2 6.2.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/image/profile.h"
#include "pipeline/pdf/pdf_allows_priv.h"
#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_jpx.h"
#include "pipeline/pdf/pdf_space.h"
#include "pipeline/pdf/pdf_walk.h"

#define PROFILE_BYTES ((size_t)1 << 22)
#define JPX_BYTES ((size_t)256 << 20)
#define PROFILE_VERSION 8 /* byte of its header */

static bool want_is_first(const struct pl_pdf_judge *judge)
{
    return judge->want == PL_WANT_PDFA_1;
}

bool pl_pdf_intent_is_valid(const struct pl_pdf_value *intent)
{
    return pl_pdf_name_is(intent, "RelativeColorimetric") ||
           pl_pdf_name_is(intent, "AbsoluteColorimetric") || pl_pdf_name_is(intent, "Perceptual") ||
           pl_pdf_name_is(intent, "Saturation");
}

static pl_status judge_profile(struct pl_pdf_judge *judge, const struct pl_pdf_space *space)
{
    struct pl_bytes profile = { 0 };
    struct pl_fault found = { 0 };
    pl_bytes_init(&profile, PROFILE_BYTES);
    pl_status status = pl_pdf_stream_decode(judge->file, space->icc, &profile, &found);
    if (status == PL_BAD_DOCUMENT || status == PL_TOO_LARGE || status == PL_UNSUPPORTED ||
        (status == PL_OK && !pl_profile_fits(profile.data, profile.size, space->colour))) {
        pl_pdf_judge_refuse(judge, "has a colour profile that cannot be used");
        status = PL_OK;
    } else if (status == PL_OK && want_is_first(judge) && profile.data[PROFILE_VERSION] > 2) {
        pl_pdf_judge_refuse(judge, "has a colour profile that is too new for PDF/A-1");
    }
    pl_bytes_fini(&profile);
    return status;
}

pl_status pl_pdf_judge_space(struct pl_pdf_judge *judge, const struct pl_pdf_value *named,
                             const struct pl_pdf_value *resources)
{
    struct pl_pdf_space space;
    pl_status status = pl_pdf_space_read(judge->file, named, resources, &space, judge->fault);
    if (status != PL_OK)
        return status;
    switch (space.kind) {
    case PL_PDF_SPACE_DEVICE:
        if (space.components == 4 && want_is_first(judge))
            pl_pdf_judge_refuse(judge, "has CMYK colours without a profile");
        break;
    case PL_PDF_SPACE_ICC:
        return judge_profile(judge, &space);
    case PL_PDF_SPACE_CAL:
    case PL_PDF_SPACE_LAB:
        break;
    case PL_PDF_SPACE_SPOT:
        pl_pdf_judge_refuse(judge, "has spot colours");
        break;
    case PL_PDF_SPACE_PATTERN:
        pl_pdf_judge_refuse(judge, "has patterns");
        break;
    case PL_PDF_SPACE_UNKNOWN:
        pl_pdf_judge_refuse(judge, "has an unknown colour space");
        break;
    }
    return PL_OK;
}

static pl_status judge_jpx(struct pl_pdf_judge *judge, const struct pl_pdf_value *image,
                           bool spaced)
{
    struct pl_bytes data = { 0 };
    struct pl_source *source = NULL;
    struct pl_span filter = { 0 };
    const struct pl_pdf_value *parms = NULL;
    struct pl_jpx_info info;
    struct pl_fault found = { 0 };
    pl_bytes_init(&data, JPX_BYTES);
    pl_status status = pl_pdf_stream_image(judge->file, image, &data, &filter, &parms, &found);
    if (status == PL_OK)
        status = pl_source_memory_new(data.data, data.size, &source);
    if (status == PL_OK)
        status = pl_jpx_scan(source, &info, &found);
    const char *why = status == PL_OK ? pl_jpx_refuses_pdfa(&info, spaced)
                                      : "holds a JPEG 2000 image that cannot be read";
    if (why != NULL)
        pl_pdf_judge_refuse(judge, why);
    if (source != NULL)
        source->ops->free(source);
    pl_bytes_fini(&data);
    return status == PL_BAD_DOCUMENT || status == PL_TOO_LARGE ? PL_OK : status;
}

static bool depth_is_valid(const struct pl_pdf_judge *judge, int64_t bits)
{
    return bits == 1 || bits == 2 || bits == 4 || bits == 8 ||
           (bits == 16 && !want_is_first(judge));
}

/* Colour, depth and encoding of an image that is no stencil. */
static pl_status judge_samples(struct pl_pdf_judge *judge, const struct pl_pdf_value *image,
                               const struct pl_pdf_codings *codings)
{
    const struct pl_pdf_value *space = NULL;
    enum pl_pdf_coding coding = pl_pdf_codings_image(codings);
    int64_t otherwise = coding == PL_PDF_CODING_DCT ? 8 : coding == PL_PDF_CODING_UNKNOWN ? 0 : 1;
    int64_t bits = 0;
    pl_status status =
        pl_pdf_lookup_either(judge->file, image, "ColorSpace", "CS", &space, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(judge->file, image, "BitsPerComponent", "BPC", otherwise,
                                       &bits, judge->fault);
    if (status != PL_OK)
        return status;
    if (coding == PL_PDF_CODING_JPX) {
        if (want_is_first(judge))
            pl_pdf_judge_refuse(judge, "holds a JPEG 2000 image, which PDF/A-1 does not have");
        status = judge_jpx(judge, image, space->kind != PL_PDF_NULL);
        if (space->kind == PL_PDF_NULL)
            return status;
    } else if (!depth_is_valid(judge, bits)) {
        pl_pdf_judge_refuse(judge, "holds an image of a depth that is not allowed");
    }
    return status == PL_OK ? pl_pdf_judge_space(judge, space, NULL) : status;
}

static pl_status judge_codings(struct pl_pdf_judge *judge, const struct pl_pdf_codings *codings)
{
    for (size_t i = 0; i < codings->count; i++) {
        if (codings->filters[i] == PL_PDF_CODING_UNKNOWN ||
            (i + 1 < codings->count && codings->filters[i] >= PL_PDF_CODING_CCITT))
            pl_pdf_judge_refuse(judge, "holds an image in an unknown encoding");
    }
    return PL_OK;
}

/* One image without its masks. */
static pl_status judge_one(struct pl_pdf_judge *judge, const struct pl_pdf_value *image)
{
    struct pl_pdf_codings codings;
    int64_t width = 0;
    int64_t height = 0;
    int64_t bits = 0;
    bool stencil = false;
    struct pl_pdf_file *file = judge->file;
    pl_status status = pl_pdf_codings_read(file, image, &codings, judge->fault);
    if (status == PL_OK)
        status = judge_codings(judge, &codings);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, image, "Width", "W", 0, &width, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(file, image, "Height", "H", 0, &height, judge->fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_boolean(file, image, "ImageMask", "IM", false, &stencil, judge->fault);
    if (status == PL_OK)
        status =
            pl_pdf_lookup_integer(file, image, "BitsPerComponent", "BPC", 1, &bits, judge->fault);
    if (status != PL_OK)
        return status;
    if (width < 1 || height < 1 || width > INT32_MAX || height > INT32_MAX)
        pl_pdf_judge_refuse(judge, "holds an image without a size");
    if (!stencil)
        return judge_samples(judge, image, &codings);
    if (bits != 1)
        pl_pdf_judge_refuse(judge, "holds a stencil of more than one bit");
    return PL_OK;
}

static pl_status judge_mask(struct pl_pdf_judge *judge, const struct pl_pdf_value *mask, bool soft)
{
    bool stencil = false;
    pl_status status = pl_pdf_lookup_boolean(judge->file, mask, "ImageMask", "ImageMask", false,
                                             &stencil, judge->fault);
    if (status == PL_OK && stencil == soft)
        pl_pdf_judge_refuse(judge, "holds an image whose mask is none");
    if (pl_pdf_dict_peek(mask, "SMask") != NULL || pl_pdf_dict_peek(mask, "Mask") != NULL)
        pl_pdf_judge_refuse(judge, "holds a mask that is masked");
    return status == PL_OK ? judge_one(judge, mask) : status;
}

pl_status pl_pdf_judge_image(struct pl_pdf_judge *judge, const struct pl_pdf_value *image)
{
    const struct pl_pdf_value *soft = NULL;
    const struct pl_pdf_value *mask = NULL;
    int64_t inside = 0;
    if (image == judge->image)
        return PL_OK;
    pl_status status = judge_one(judge, image);
    if (status == PL_OK)
        status = pl_pdf_lookup(judge->file, image, "SMask", &soft, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(judge->file, image, "Mask", &mask, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_integer(judge->file, image, "SMaskInData", "SMaskInData", 0, &inside,
                                       judge->fault);
    if (status != PL_OK)
        return status;
    if (soft->kind == PL_PDF_STREAM || inside != 0) {
        judge->transparent = true;
        if (want_is_first(judge))
            pl_pdf_judge_refuse(judge, "holds an image with a soft mask, which PDF/A-1 forbids");
    }
    if (soft->kind == PL_PDF_STREAM)
        status = judge_mask(judge, soft, true);
    if (status == PL_OK && mask->kind == PL_PDF_STREAM)
        status = judge_mask(judge, mask, false);
    judge->image = image;
    return status;
}

pl_status pl_pdf_judge_inline(struct pl_pdf_judge *judge, const struct pl_pdf_value *dict,
                              const struct pl_pdf_value *resources)
{
    struct pl_pdf_codings codings;
    const struct pl_pdf_value *space = NULL;
    const struct pl_pdf_value *intent = NULL;
    bool stencil = false;
    bool smooth = false;
    pl_status status = pl_pdf_codings_read(judge->file, dict, &codings, judge->fault);
    if (status == PL_OK)
        status = judge_codings(judge, &codings);
    if (status == PL_OK)
        status = pl_pdf_lookup_boolean(judge->file, dict, "ImageMask", "IM", false, &stencil,
                                       judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_boolean(judge->file, dict, "Interpolate", "I", false, &smooth,
                                       judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup_either(judge->file, dict, "ColorSpace", "CS", &space, judge->fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(judge->file, dict, "Intent", &intent, judge->fault);
    if (status != PL_OK)
        return status;
    /* What is written in the content itself cannot be changed on the way. */
    if (smooth)
        pl_pdf_judge_refuse(judge, "holds an inline image that is interpolated");
    if (pl_pdf_codings_have(&codings, PL_PDF_CODING_LZW))
        pl_pdf_judge_refuse(judge, "holds an inline image in LZW");
    if (intent->kind != PL_PDF_NULL && !pl_pdf_intent_is_valid(intent))
        pl_pdf_judge_refuse(judge, "has an unknown rendering intent");
    if (pl_pdf_name_is(space, "DeviceCMYK") || pl_pdf_name_is(space, "CMYK"))
        pl_pdf_judge_refuse(judge, "holds an inline image in device CMYK");
    return stencil ? PL_OK : pl_pdf_judge_space(judge, space, resources);
}

static pl_status state_alpha(struct pl_pdf_judge *judge, const struct pl_pdf_value *state,
                             const char *key)
{
    const struct pl_pdf_value *value = NULL;
    double alpha = 1;
    pl_status status = pl_pdf_lookup(judge->file, state, key, &value, judge->fault);
    if (status == PL_OK && pl_pdf_number_of(value, &alpha) && alpha != 1) {
        judge->transparent = true;
        if (want_is_first(judge))
            pl_pdf_judge_refuse(judge, "is transparent in parts, which PDF/A-1 forbids");
    }
    return status;
}

static pl_status state_blend(struct pl_pdf_judge *judge, const struct pl_pdf_value *state)
{
    static const char *const modes[] = { "Multiply",   "Screen",     "Overlay",   "Darken",
                                         "Lighten",    "ColorDodge", "ColorBurn", "HardLight",
                                         "SoftLight",  "Difference", "Exclusion", "Hue",
                                         "Saturation", "Color",      "Luminosity" };
    const struct pl_pdf_value *mode = NULL;
    bool known = false;
    pl_status status = pl_pdf_lookup(judge->file, state, "BM", &mode, judge->fault);
    if (status != PL_OK || mode->kind == PL_PDF_NULL || pl_pdf_name_is(mode, "Normal") ||
        pl_pdf_name_is(mode, "Compatible"))
        return status;
    judge->transparent = true;
    for (size_t i = 0; i < PL_COUNT_OF(modes); i++)
        known = known || pl_pdf_name_is(mode, modes[i]);
    if (want_is_first(judge))
        pl_pdf_judge_refuse(judge, "is transparent in parts, which PDF/A-1 forbids");
    if (!known)
        pl_pdf_judge_refuse(judge, "has an unknown blend mode");
    return PL_OK;
}

static bool overprints(const struct pl_pdf_value *value)
{
    return value->kind == PL_PDF_BOOL && value->as.boolean;
}

/* Entries with values that must not be: what is not named here is not copied. */
static pl_status state_rest(struct pl_pdf_judge *judge, const struct pl_pdf_value *state)
{
    static const char *const keys[] = { "SMask", "TR", "TR2", "RI", "OP", "op", "Font" };
    const struct pl_pdf_value *values[PL_COUNT_OF(keys)] = { 0 };
    for (size_t i = 0; i < PL_COUNT_OF(keys); i++) {
        pl_status status = pl_pdf_lookup(judge->file, state, keys[i], &values[i], judge->fault);
        if (status != PL_OK)
            return status;
    }
    if (values[0]->kind != PL_PDF_NULL && !pl_pdf_name_is(values[0], "None"))
        pl_pdf_judge_refuse(judge, "has a soft mask");
    if ((values[1]->kind != PL_PDF_NULL && !pl_pdf_name_is(values[1], "Identity")) ||
        (values[2]->kind != PL_PDF_NULL && !pl_pdf_name_is(values[2], "Default")))
        pl_pdf_judge_refuse(judge, "has a transfer function");
    if (values[3]->kind != PL_PDF_NULL && !pl_pdf_intent_is_valid(values[3]))
        pl_pdf_judge_refuse(judge, "has an unknown rendering intent");
    if (overprints(values[4]) || overprints(values[5]))
        pl_pdf_judge_refuse(judge, "overprints");
    if (values[6]->kind != PL_PDF_NULL)
        pl_pdf_judge_refuse(judge, "holds text");
    return PL_OK;
}

pl_status pl_pdf_judge_state(struct pl_pdf_judge *judge, const struct pl_pdf_value *state)
{
    pl_status status = state_alpha(judge, state, "ca");
    if (status == PL_OK)
        status = state_alpha(judge, state, "CA");
    if (status == PL_OK)
        status = state_blend(judge, state);
    return status == PL_OK ? state_rest(judge, state) : status;
}
