/* pdf_check_colour: output intents, profiles, and device colours that need one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"
#include "pipeline/pdf/pdf_parse.h"

#include <string.h>

#define ICC_HEAD 128
#define INTENTS_MOST 64
#define COLOURANTS_1 8
#define COLOURANTS 32
#define PROFILE_BYTES ((size_t)32 << 20)

/* The fields of a profile's header that the rules are about. */
struct profile {
    unsigned version;
    char class[5];
    char space[5];
};

static pl_status profile_read(struct pl_pdf_checking *c, const struct pl_pdf_value *stream,
                              struct profile *out, bool *found)
{
    struct pl_bytes data = { 0 };
    *found = false;
    pl_bytes_init(&data, PROFILE_BYTES);
    pl_status status = stream->kind == PL_PDF_STREAM ? pl_check_decode(c, stream, &data) : PL_OK;
    if (status == PL_OK && data.size >= ICC_HEAD) {
        *found = true;
        *out = (struct profile){ .version = data.data[8] };
        memcpy(out->class, data.data + 12, 4);
        memcpy(out->space, data.data + 16, 4);
    }
    pl_bytes_fini(&data);
    return status;
}

static bool is_one_of(const char *word, const char *words)
{
    for (; *words != '\0'; words += 4) {
        if (memcmp(word, words, 4) == 0)
            return true;
    }
    return false;
}

/* --- output intents --------------------------------------------------------------------------- */

static pl_status intent_profile(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    struct profile profile = { 0 };
    bool found = false;
    pl_status status = profile_read(c, stream, &profile, &found);
    if (status != PL_OK)
        return status;
    if (!found) {
        pl_check_breach(c, "6.2.2", "6.2.3", "the output intent's profile cannot be read");
        return PL_OK;
    }
    if (!is_one_of(profile.class, "prtrmntr") || !is_one_of(profile.space, "RGB CMYKGRAY") ||
        profile.version >= (c->part == 1 ? 3 : 5))
        pl_check_breach(c, "6.2.2", "6.2.3",
                        "the output intent's profile is of version %u, class \"%.4s\" and colour "
                        "\"%.4s\"",
                        profile.version, profile.class, profile.space);
    c->intent = 'G';
    if (is_one_of(profile.space, "RGB "))
        c->intent = 'R';
    else if (is_one_of(profile.space, "CMYK"))
        c->intent = 'C';
    return PL_OK;
}

static pl_status intent_check(struct pl_pdf_checking *c, const struct pl_pdf_value *intent,
                              const struct pl_pdf_value **first)
{
    const struct pl_pdf_value *kind = NULL;
    const struct pl_pdf_value *stream = NULL;
    const struct pl_pdf_value *direct = pl_pdf_dict_peek(intent, "DestOutputProfile");
    pl_status status = pl_check_lookup(c, intent, "S", &kind);
    if (status == PL_OK)
        status = pl_check_resolve(c, direct, &stream);
    if (status != PL_OK)
        return status;
    if (pl_pdf_name_is(kind, "GTS_PDFX") && pl_check_has(intent, "DestOutputProfileRef"))
        pl_check_breach(c, NULL, "6.2.3", "a PDF/X output intent has /DestOutputProfileRef");
    if (stream->kind != PL_PDF_STREAM)
        return PL_OK;
    if (*first != NULL && ((*first)->kind != PL_PDF_REF || direct->kind != PL_PDF_REF ||
                           (*first)->as.ref.number != direct->as.ref.number))
        pl_check_breach(c, "6.2.2", "6.2.3", "output intents name different profiles");
    *first = direct;
    return pl_pdf_name_is(kind, "GTS_PDFA1") && c->intent == 0 ? intent_profile(c, stream) : PL_OK;
}

pl_status pl_check_intents(struct pl_pdf_checking *c)
{
    const struct pl_pdf_value *intents = NULL;
    const struct pl_pdf_value *first = NULL;
    size_t mark = pl_pdf_file_mark(c->file);
    pl_status status = pl_check_lookup(c, pl_pdf_file_catalog(c->file), "OutputIntents", &intents);
    if (status == PL_OK && intents->kind == PL_PDF_ARRAY) {
        for (size_t i = 0; i < intents->as.array.count && i < INTENTS_MOST && status == PL_OK;
             i++) {
            const struct pl_pdf_value *intent = NULL;
            status = pl_check_resolve(c, intents->as.array.items[i], &intent);
            if (status == PL_OK)
                status = intent_check(c, intent, &first);
        }
    }
    pl_pdf_file_release(c->file, mark);
    return status;
}

/* --- device colours --------------------------------------------------------------------------- */

pl_status pl_check_device(struct pl_pdf_checking *c, char colour,
                          const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *spaces = NULL;
    const struct pl_pdf_value *stand_in = NULL;
    const char *key = colour == 'G' ? "DefaultGray" : colour == 'R' ? "DefaultRGB" : "DefaultCMYK";
    if (c->intent == colour || (colour == 'G' && c->intent != 0))
        return PL_OK;
    pl_status status = pl_check_lookup(c, resources, "ColorSpace", &spaces);
    if (status == PL_OK)
        status = pl_check_lookup(c, spaces, key, &stand_in);
    if (status != PL_OK)
        return status;
    if (c->part != 1 && stand_in->kind == PL_PDF_ARRAY)
        return pl_check_space(c, pl_pdf_dict_peek(spaces, key), NULL);
    pl_check_breach(c, "6.2.3.3", "6.2.4.3", "%s is used without an output intent for it%s",
                    colour == 'G'   ? "DeviceGray"
                    : colour == 'R' ? "DeviceRGB"
                                    : "DeviceCMYK",
                    c->part == 1 ? "" : " or a default colour space");
    return PL_OK;
}

/* --- colour spaces ---------------------------------------------------------------------------- */

static pl_status icc_check(struct pl_pdf_checking *c, const struct pl_pdf_value *stream)
{
    struct profile profile = { 0 };
    bool found = false;
    int64_t components = 0;
    pl_status status = pl_check_integer(c, stream, "N", 0, &components);
    if (status == PL_OK)
        status = profile_read(c, stream, &profile, &found);
    if (status != PL_OK)
        return status;
    if (!found || !is_one_of(profile.class, "prtrmntrscnrspac") ||
        !is_one_of(profile.space, "RGB CMYKGRAYLab ") ||
        profile.version >= (c->part == 1 ? 3 : 5)) {
        pl_check_breach(c, "6.2.3.2", "6.2.4.2",
                        "a profile is of version %u, class \"%.4s\" and colour \"%.4s\"",
                        profile.version, profile.class, profile.space);
        return PL_OK;
    }
    int64_t real = is_one_of(profile.space, "GRAY") ? 1 : is_one_of(profile.space, "CMYK") ? 4 : 3;
    if (components != real)
        pl_check_breach(c, "6.2.3.2", "6.2.4.2", "a profile of %lld components says /N %lld",
                        (long long)real, (long long)components);
    if (real == 4)
        c->icc_cmyk = true;
    return PL_OK;
}

/* Every spot colour of an NChannel or DeviceN space is described (parts 2 and 3). */
static pl_status colourants_check(struct pl_pdf_checking *c, const struct pl_pdf_value *names,
                                  const struct pl_pdf_value *attributes)
{
    static const char *const process[] = { "Cyan", "Magenta", "Yellow", "Black", "None" };
    const struct pl_pdf_value *colourants = NULL;
    char shown[PL_CHECK_NAME_CHARS];
    pl_status status = pl_check_lookup(c, attributes, "Colorants", &colourants);
    for (size_t i = 0; i < names->as.array.count && i < COLOURANTS && status == PL_OK; i++) {
        const struct pl_pdf_value *name = NULL;
        char key[PL_CHECK_NAME_CHARS * 2];
        status = pl_check_resolve(c, names->as.array.items[i], &name);
        if (status != PL_OK || name->kind != PL_PDF_NAME ||
            pl_check_is_one_of(name, process, PL_COUNT_OF(process)) ||
            !pl_text_copy(key, sizeof key, name->as.text))
            continue;
        if (!pl_check_has(colourants, key))
            pl_check_breach(c, NULL, "6.2.4.4", "the spot colour %s has no entry in /Colorants",
                            pl_check_show(name, shown));
    }
    return status;
}

static pl_status device_n_check(struct pl_pdf_checking *c, const struct pl_pdf_value *space)
{
    const struct pl_pdf_value *names = NULL;
    const struct pl_pdf_value *attributes = &pl_pdf_null;
    size_t most = c->part == 1 ? COLOURANTS_1 : COLOURANTS;
    pl_status status = pl_check_resolve(c, space->as.array.items[1], &names);
    if (status == PL_OK && space->as.array.count > 4)
        status = pl_check_resolve(c, space->as.array.items[4], &attributes);
    if (status != PL_OK || names->kind != PL_PDF_ARRAY)
        return status;
    if (names->as.array.count > most)
        pl_check_breach(c, "6.1.12", "6.1.13", "a DeviceN colour space has %zu colourants",
                        names->as.array.count);
    return colourants_check(c, names, attributes);
}

static pl_status named_check(struct pl_pdf_checking *c, const struct pl_pdf_value *name,
                             const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *spaces = NULL;
    const struct pl_pdf_value *found = NULL;
    char key[PL_CHECK_NAME_CHARS * 2];
    if (pl_pdf_name_is(name, "DeviceGray"))
        return pl_check_device(c, 'G', resources);
    if (pl_pdf_name_is(name, "DeviceRGB"))
        return pl_check_device(c, 'R', resources);
    if (pl_pdf_name_is(name, "DeviceCMYK"))
        return pl_check_device(c, 'C', resources);
    if (resources == NULL || !pl_text_copy(key, sizeof key, name->as.text))
        return PL_OK;
    pl_status status = pl_check_lookup(c, resources, "ColorSpace", &spaces);
    if (status == PL_OK)
        found = pl_pdf_dict_peek(spaces, key);
    /* One name may stand for another, once: what that stands for is not looked up. */
    return status == PL_OK && found != NULL ? pl_check_space(c, found, NULL) : status;
}

static pl_status array_check(struct pl_pdf_checking *c, const struct pl_pdf_value *space,
                             const struct pl_pdf_value *resources)
{
    const struct pl_pdf_value *kind = NULL;
    const struct pl_pdf_value *stream = NULL;
    size_t count = space->as.array.count;
    if (count == 0)
        return PL_OK;
    const struct pl_pdf_value *const *items = space->as.array.items;
    pl_status status = pl_check_resolve(c, items[0], &kind);
    if (status != PL_OK || kind->kind != PL_PDF_NAME)
        return status;
    if (count < 2)
        return named_check(c, kind, resources);
    if (pl_pdf_name_is(kind, "ICCBased")) {
        status = pl_check_resolve(c, items[1], &stream);
        return status == PL_OK ? icc_check(c, stream) : status;
    }
    if (pl_pdf_name_is(kind, "Indexed") || pl_pdf_name_is(kind, "Pattern"))
        return pl_check_space(c, items[1], resources);
    if (pl_pdf_name_is(kind, "DeviceN"))
        status = device_n_check(c, space);
    if (status == PL_OK && count > 2 &&
        (pl_pdf_name_is(kind, "DeviceN") || pl_pdf_name_is(kind, "Separation")))
        status = pl_check_space(c, items[2], resources);
    return status;
}

pl_status pl_check_space(struct pl_pdf_checking *c, const struct pl_pdf_value *space,
                         const struct pl_pdf_value *resources)
{
    struct pl_check_place place;
    bool enter = false;
    pl_status status = pl_check_enter(c, space, PL_CHECK_SPACE, &place, &enter);
    if (!enter)
        return status;
    if (place.value->kind == PL_PDF_NAME)
        status = named_check(c, place.value, resources);
    else if (place.value->kind == PL_PDF_ARRAY)
        status = array_check(c, place.value, resources);
    pl_check_leave(c, &place);
    return status;
}
