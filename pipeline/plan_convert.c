/* plan_convert: the members of the step `convert`, each a row: its name and how its value is read.
 *
 * A row that is missing leaves the default. What two values make of each other is decided in
 * convert_settings.c, but for members whose first value is also the default: whether those belong
 * to the format only their presence tells.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan_priv.h"
#include "pipeline/selection.h"

#include <string.h>

#define CONVERT_DPI_LEAST 30
#define CONVERT_DPI_MOST 1200
#define CONVERT_THUMBNAIL_LEAST 16
#define CONVERT_THUMBNAIL_MOST 2048
#define CONVERT_LABEL_MOST 1000000

/* One member being read. */
struct member {
    const json_t *value;
    const char *where;
    struct pl_plan *plan;
    struct pl_fault *fault;
};

static const char *const format_words[] = {
#define ROW(row, name, type, extension, a_page) name,
    PL_FORMAT_TABLE(ROW)
#undef ROW
};

static pl_status member_word(const struct member *member, const char *const *words, size_t count,
                             size_t *out)
{
    return pl_plan_word(member->value, member->where, words, count, out, member->fault);
}

static pl_status member_number(const struct member *member, uint64_t least, uint64_t most,
                               uint32_t *out)
{
    static const struct pl_plan_unit plain[] = { { "", 1 } };
    uint64_t number = 0;
    if (!pl_plan_quantity(member->value, plain, 1, most, &number) || number < least)
        return pl_fault_set(member->fault, PL_MISCONFIGURED, "%s must be %llu to %llu",
                            member->where, (unsigned long long)least, (unsigned long long)most);
    *out = (uint32_t)number;
    return PL_OK;
}

/* A line of text; a value may be secret and is never shown. */
static pl_status member_text(const struct member *member, char *out, size_t size)
{
    const char *text = pl_plan_string(member->value, member->where, member->fault);
    if (text == NULL)
        return PL_MISCONFIGURED;
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return pl_fault_set(member->fault, PL_MISCONFIGURED,
                                "%s must be one line without control characters", member->where);
    if (!pl_text_copy(out, size, pl_span_from(text)))
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s has %zu bytes; at most %zu are allowed", member->where,
                            strlen(text), size - 1);
    return PL_OK;
}

static pl_status read_to(const struct member *member)
{
    (void)member; /* read first, because it decides on the defaults */
    return PL_OK;
}

static pl_status read_pages(const struct member *member)
{
    struct pl_convert *convert = &member->plan->convert;
    pl_status status = member_text(member, convert->pages, sizeof convert->pages);
    struct pl_fault found = { 0 };
    if (status != PL_OK || pl_selection_check(convert->pages, &found) == PL_OK)
        return status;
    /* The sentence begins with the name of the member already: show the whole path instead. */
    const char *reason = strncmp(found.reason, "pages: ", 7) == 0 ? found.reason + 7 : found.reason;
    return pl_fault_set(member->fault, found.status, "%s: %s", member->where, reason);
}

static pl_status read_rotate(const struct member *member)
{
    json_int_t turn = json_is_integer(member->value) ? json_integer_value(member->value) : -1;
    if (turn < 0 || turn > 270 || turn % 90 != 0)
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s must be 0, 90, 180 or 270 (degrees clockwise)", member->where);
    member->plan->convert.rotate = (unsigned)turn;
    return PL_OK;
}

static pl_status read_resolution(const struct member *member)
{
    return member_number(member, CONVERT_DPI_LEAST, CONVERT_DPI_MOST, &member->plan->convert.dpi);
}

static pl_status read_colour(const struct member *member)
{
    static const char *const words[] = { "keep", "grey", "bilevel", "auto" };
    size_t which = 0;
    pl_status status = member_word(member, words, PL_COUNT_OF(words), &which);
    member->plan->convert.colour = (enum pl_colour_mode)which;
    return status;
}

static pl_status read_binarize(const struct member *member)
{
    static const char *const words[] = { "sauvola", "otsu", "dither" };
    const struct pl_convert *convert = &member->plan->convert;
    size_t which = 0;
    pl_status status = member_word(member, words, PL_COUNT_OF(words), &which);
    member->plan->convert.binarize = (enum pl_binarize)which;
    bool used = convert->to == PL_FORMAT_TIFF_G4 || convert->colour == PL_COLOUR_MODE_BILEVEL ||
                convert->colour == PL_COLOUR_MODE_AUTO;
    if (status == PL_OK && !used)
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s says how pages become black and white, but colour is not bilevel "
                            "or auto, and to is %s",
                            member->where, pl_format_name(convert->to));
    return status;
}

static pl_status read_quality(const struct member *member)
{
    uint32_t quality = 0;
    pl_status status = member_number(member, 1, 100, &quality);
    member->plan->convert.quality = quality;
    return status;
}

static pl_status read_compression(const struct member *member)
{
    static const char *const words[] = { "lzw", "deflate", "jpeg" };
    const struct pl_convert *convert = &member->plan->convert;
    size_t which = 0;
    pl_status status = member_word(member, words, PL_COUNT_OF(words), &which);
    member->plan->convert.tiff = (enum pl_tiff_compression)which;
    if (status == PL_OK && convert->to != PL_FORMAT_TIFF)
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s is chosen for tiff only; %s has its own", member->where,
                            pl_format_name(convert->to));
    return status;
}

static pl_status read_size(const struct member *member)
{
    return member_number(member, CONVERT_THUMBNAIL_LEAST, CONVERT_THUMBNAIL_MOST,
                         &member->plan->convert.thumbnail_px);
}

static pl_status read_linearize(const struct member *member)
{
    if (!json_is_boolean(member->value))
        return pl_fault_set(member->fault, PL_MISCONFIGURED, "%s must be true or false",
                            member->where);
    member->plan->convert.linearize = json_is_true(member->value);
    return PL_OK;
}

#define READ_TEXT(field)                                                                           \
    static pl_status read_##field(const struct member *member)                                     \
    {                                                                                              \
        struct pl_convert *convert = &member->plan->convert;                                       \
        return member_text(member, convert->field, sizeof convert->field);                         \
    }
READ_TEXT(open_password)
READ_TEXT(user_password)
READ_TEXT(owner_password)
READ_TEXT(title)
READ_TEXT(author)
READ_TEXT(subject)
READ_TEXT(keywords)
#undef READ_TEXT

static pl_status read_permissions(const struct member *member)
{
    static const char *const words[] = { "print",    "print-high", "modify",  "copy",
                                         "annotate", "fill",       "assemble" };
    unsigned *permissions = &member->plan->convert.permissions;
    if (!json_is_array(member->value))
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s must be a list (empty: nothing is permitted)", member->where);
    *permissions = 0;
    for (size_t i = 0; i < json_array_size(member->value); i++) {
        size_t which = 0;
        pl_status status = pl_plan_word(json_array_get(member->value, i), member->where, words,
                                        PL_COUNT_OF(words), &which, member->fault);
        if (status != PL_OK)
            return status;
        *permissions |= 1U << which;
    }
    /* In high resolution one prints, too. */
    if ((*permissions & PL_PERMIT_PRINT_HIGH) != 0)
        *permissions |= PL_PERMIT_PRINT;
    return PL_OK;
}

static pl_status read_xmp(const struct member *member)
{
    const char *text = pl_plan_string(member->value, member->where, member->fault);
    struct pl_plan *plan = member->plan;
    if (text == NULL)
        return PL_MISCONFIGURED;
    size_t size = strlen(text);
    if (size > PL_XMP_MOST)
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s has %zu bytes; at most %zu are allowed", member->where, size,
                            PL_XMP_MOST);
    if (text[strspn(text, " \t\r\n")] != '<')
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s must be rdf:Description elements: <rdf:Description ...>",
                            member->where);
    pl_bytes_init(&plan->xmp, PL_XMP_MOST);
    pl_status status = pl_bytes_append(&plan->xmp, text, size);
    plan->convert.xmp = (struct pl_span){ (const char *)plan->xmp.data, plan->xmp.size };
    return status;
}

static pl_status label_style(const struct member *label, char *out)
{
    static const char *const words[] = { "1", "I", "i", "A", "a", "none" };
    static const char styles[] = { 'D', 'R', 'r', 'A', 'a', 0 };
    size_t which = 0;
    pl_status status = PL_OK;
    /* YAML reads an unquoted 1 as a number. */
    if (!json_is_integer(label->value) || json_integer_value(label->value) != 1)
        status = member_word(label, words, PL_COUNT_OF(words), &which);
    *out = styles[which];
    return status;
}

static pl_status label_read(const struct member *member, struct pl_page_label *out)
{
    static const char *const words[] = { "from", "style", "start", "prefix" };
    char where[PL_PLAN_PATH_CHARS];
    struct member part = { .where = where, .plan = member->plan, .fault = member->fault };
    *out = (struct pl_page_label){ .from = 0, .style = 'D', .start = 1 };
    pl_status status =
        pl_plan_object(member->value, member->where, words, PL_COUNT_OF(words), member->fault);
    for (size_t i = 0; i < PL_COUNT_OF(words) && status == PL_OK; i++) {
        part.value = json_object_get(member->value, words[i]);
        (void)pl_text_format(where, sizeof where, "%s.%s", member->where, words[i]);
        if (part.value == NULL && i > 0)
            continue;
        if (i == 0)
            status = member_number(&part, 1, CONVERT_LABEL_MOST, &out->from);
        else if (i == 1)
            status = label_style(&part, &out->style);
        else if (i == 2)
            status = member_number(&part, 1, CONVERT_LABEL_MOST, &out->start);
        else
            status = member_text(&part, out->prefix, sizeof out->prefix);
    }
    return status;
}

static pl_status read_labels(const struct member *member)
{
    struct pl_convert *convert = &member->plan->convert;
    size_t count = json_is_array(member->value) ? json_array_size(member->value) : 0;
    char where[PL_PLAN_PATH_CHARS];
    if (count == 0 || count > PL_LABELS_MOST)
        return pl_fault_set(member->fault, PL_MISCONFIGURED,
                            "%s must be a list of 1 to %d of {from: 1, style: i, start: 1, prefix: "
                            "'A-'}",
                            member->where, PL_LABELS_MOST);
    for (size_t i = 0; i < count; i++) {
        struct member label = { json_array_get(member->value, i), where, member->plan,
                                member->fault };
        (void)pl_text_format(where, sizeof where, "%s[%zu]", member->where, i);
        pl_status status = label_read(&label, &convert->labels[i]);
        if (status != PL_OK)
            return status;
        if (i > 0 && convert->labels[i].from <= convert->labels[i - 1].from)
            return pl_fault_set(member->fault, PL_MISCONFIGURED,
                                "%s.from is %u, which is not after %u of the label before", where,
                                convert->labels[i].from, convert->labels[i - 1].from);
    }
    convert->label_count = count;
    return PL_OK;
}

/* clang-format off */
/* In the order in which they are read: binarize looks at colour. */
#define CONVERT_MEMBERS(X) \
    X(to) X(pages) X(rotate) X(resolution) X(colour) X(binarize) X(quality) X(compression) X(size) \
    X(linearize) X(open_password) X(user_password) X(owner_password) X(permissions) X(title)       \
    X(author) X(subject) X(keywords) X(xmp) X(labels)
/* clang-format on */

static const char *const member_words[] = {
#define ROW(name) #name,
    CONVERT_MEMBERS(ROW)
#undef ROW
};

static pl_status (*const member_reads[])(const struct member *) = {
#define ROW(name) read_##name,
    CONVERT_MEMBERS(ROW)
#undef ROW
};

pl_status pl_plan_convert(const json_t *with, const char *where, struct pl_plan *plan,
                          struct pl_fault *fault)
{
    char path[PL_PLAN_PATH_CHARS];
    size_t format = 0;
    struct pl_fault found = { 0 };
    pl_status status = pl_plan_object(with, where, member_words, PL_COUNT_OF(member_words), fault);
    if (status != PL_OK)
        return status;
    (void)pl_text_format(path, sizeof path, "%s.to", where);
    status = pl_plan_word(json_object_get(with, "to"), path, format_words, PL_FORMAT_COUNT, &format,
                          fault);
    if (status != PL_OK)
        return status;
    pl_convert_defaults(&plan->convert, (enum pl_format)format);
    for (size_t i = 0; i < PL_COUNT_OF(member_words) && status == PL_OK; i++) {
        const struct member member = { json_object_get(with, member_words[i]), path, plan, fault };
        (void)pl_text_format(path, sizeof path, "%s.%s", where, member_words[i]);
        if (member.value != NULL)
            status = member_reads[i](&member);
    }
    if (status == PL_OK)
        status = pl_convert_check(&plan->convert, &found);
    return found.status == PL_OK ? status
                                 : pl_fault_set(fault, status, "%s: %s", where, found.reason);
}
