/* pdf_check: the file, then each object as it lies there, then what the pages lead to.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_check_priv.h"

#include "pipeline/pdf/pdf_parse.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOX_LEAST 3.0
#define BOX_MOST 14400.0

/* --- what is found ---------------------------------------------------------------------------- */

static void finding_add(struct pl_pdf_checking *c, const char *rule, const char *format,
                        va_list args) PL_PRINTF(3, 0);

static void finding_add(struct pl_pdf_checking *c, const char *rule, const char *format,
                        va_list args)
{
    struct pl_finding finding = { .page = c->page, .object = c->object };
    char text[PL_FINDING_TEXT_CHARS];
    (void)vsnprintf(text, sizeof text, format, args);
    (void)pl_text_format(finding.rule, sizeof finding.rule, "%s", rule);
    (void)pl_text_sanitize(pl_span_from(text), finding.text, sizeof finding.text);
    pl_findings_add(c->findings, &finding);
}

void pl_check_breach(struct pl_pdf_checking *c, const char *clause_1, const char *clause_2,
                     const char *format, ...)
{
    char rule[PL_FINDING_RULE_CHARS];
    const char *clause = c->part == 1 ? clause_1 : clause_2;
    va_list args;
    if (clause == NULL || c->part == 0)
        return;
    (void)pl_text_format(rule, sizeof rule, "ISO 19005-%u %s", c->part, clause);
    va_start(args, format);
    finding_add(c, rule, format, args);
    va_end(args);
}

void pl_check_defect(struct pl_pdf_checking *c, const char *clause, const char *format, ...)
{
    char rule[PL_FINDING_RULE_CHARS];
    va_list args;
    (void)pl_text_format(rule, sizeof rule, "ISO 32000-1 %s", clause);
    va_start(args, format);
    finding_add(c, rule, format, args);
    va_end(args);
}

pl_status pl_check_step(struct pl_pdf_checking *c, uint64_t steps)
{
    if (steps > c->steps)
        return pl_fault_set(c->fault, PL_TOO_LARGE,
                            "the PDF has more than %" PRIu64
                            " objects and operators to look at, the limit",
                            PL_CHECK_STEPS);
    c->steps -= steps;
    return PL_OK;
}

/* --- values ----------------------------------------------------------------------------------- */

pl_status pl_check_resolve(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                           const struct pl_pdf_value **out)
{
    struct pl_fault found = { 0 };
    pl_status status = pl_pdf_resolve(c->file, value, out, &found);
    if (status == PL_BAD_DOCUMENT) {
        pl_check_defect(c, "7.3", "%s", found.reason);
        *out = &pl_pdf_null;
        return PL_OK;
    }
    return status == PL_OK ? PL_OK : pl_fault_set(c->fault, status, "%s", found.reason);
}

pl_status pl_check_lookup(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                          const char *key, const struct pl_pdf_value **out)
{
    return pl_check_resolve(c, pl_pdf_dict_peek(dict, key), out);
}

bool pl_check_has(const struct pl_pdf_value *dict, const char *key)
{
    const struct pl_pdf_value *value = pl_pdf_dict_peek(dict, key);
    return value != NULL && value->kind != PL_PDF_NULL;
}

pl_status pl_check_integer(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                           const char *key, int64_t missing, int64_t *out)
{
    const struct pl_pdf_value *value = NULL;
    pl_status status = pl_check_lookup(c, dict, key, &value);
    if (status == PL_OK)
        *out = value->kind == PL_PDF_INT ? value->as.integer : missing;
    return status;
}

pl_status pl_check_decode(struct pl_pdf_checking *c, const struct pl_pdf_value *stream,
                          struct pl_bytes *out)
{
    struct pl_fault found = { 0 };
    pl_status status = pl_pdf_stream_decode(c->file, stream, out, &found);
    if (status == PL_UNSUPPORTED)
        return PL_OK;
    if (status == PL_BAD_DOCUMENT) {
        pl_check_defect(c, "7.4", "a stream cannot be decoded: %s", found.reason);
        status = PL_OK;
    }
    if (status == PL_OK && out->size > c->decoded)
        status = PL_TOO_LARGE;
    if (status != PL_OK)
        return pl_fault_set(c->fault, status, "a stream of the PDF cannot be decoded: %s",
                            found.reason[0] != '\0' ? found.reason : pl_status_text(status));
    c->decoded -= out->size;
    return PL_OK;
}

pl_status pl_check_enter(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                         enum pl_check_role role, struct pl_check_place *place, bool *enter)
{
    *enter = false;
    *place = (struct pl_check_place){ .object = c->object };
    if (value == NULL || c->depth >= PL_CHECK_DEPTH)
        return PL_OK;
    if (value->kind == PL_PDF_REF) {
        uint32_t number = value->as.ref.number;
        if (number >= c->seen_count || (c->seen[number] & (uint8_t)role) != 0)
            return PL_OK;
        c->seen[number] |= (uint8_t)role;
        c->object = number;
    }
    pl_status status = pl_check_resolve(c, value, &place->value);
    if (status == PL_OK)
        status = pl_check_step(c, 1);
    *enter = status == PL_OK && place->value->kind != PL_PDF_NULL;
    if (*enter)
        c->depth++;
    else
        c->object = place->object;
    return status;
}

void pl_check_leave(struct pl_pdf_checking *c, const struct pl_check_place *place)
{
    c->depth--;
    c->object = place->object;
}

const char *pl_check_show(const struct pl_pdf_value *name, char out[PL_CHECK_NAME_CHARS])
{
    out[0] = '\0';
    if (name != NULL && (name->kind == PL_PDF_NAME || name->kind == PL_PDF_STRING))
        (void)pl_text_sanitize(name->as.text, out, PL_CHECK_NAME_CHARS);
    return out[0] != '\0' ? out : "(none)";
}

bool pl_check_is_one_of(const struct pl_pdf_value *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pl_pdf_name_is(name, names[i]))
            return true;
    }
    return false;
}

/* --- pages ------------------------------------------------------------------------------------ */

static pl_status page_boxes(struct pl_pdf_checking *c, uint32_t n, const struct pl_pdf_value *page)
{
    static const char *const keys[] = { "MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox" };
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(keys) && status == PL_OK; i++) {
        const struct pl_pdf_value *box = NULL;
        double side[4] = { 0 };
        if (i < 2)
            status = pl_pdf_page_inherited(c->file, n, keys[i], &box, c->fault);
        else
            status = pl_check_lookup(c, page, keys[i], &box);
        if (status == PL_OK && i == 0 && box->kind != PL_PDF_ARRAY)
            pl_check_defect(c, "7.7.3.3", "the page has no MediaBox");
        if (status != PL_OK || box->kind != PL_PDF_ARRAY || box->as.array.count != 4)
            continue;
        for (size_t k = 0; k < 4 && status == PL_OK; k++) {
            const struct pl_pdf_value *item = NULL;
            status = pl_check_resolve(c, box->as.array.items[k], &item);
            if (status == PL_OK && item->kind == PL_PDF_INT)
                side[k] = (double)item->as.integer;
            else if (status == PL_OK && item->kind == PL_PDF_REAL)
                side[k] = item->as.real;
        }
        double width = fabs(side[2] - side[0]);
        double height = fabs(side[3] - side[1]);
        if (width < BOX_LEAST || height < BOX_LEAST || width > BOX_MOST || height > BOX_MOST)
            pl_check_breach(c, NULL, "6.1.13", "the %s of %g x %g units is not within 3 to 14400",
                            keys[i], width, height);
    }
    return status;
}

/* The content of one stream that stands alone is remembered: many pages share it. */
static pl_status page_content(struct pl_pdf_checking *c, uint32_t n,
                              const struct pl_pdf_value *page, const struct pl_check_uses **uses)
{
    const struct pl_pdf_value *contents = pl_pdf_dict_peek(page, "Contents");
    uint32_t number =
        contents != NULL && contents->kind == PL_PDF_REF ? contents->as.ref.number : 0;
    const struct pl_pdf_value *value = NULL;
    struct pl_bytes data = { 0 };
    *uses = &c->shared;
    if (number != 0 && number == c->shared_number)
        return PL_OK;
    c->shared_number = 0;
    pl_check_uses_fini(&c->shared);
    pl_check_uses_init(&c->shared);
    pl_bytes_init(&data, PL_CHECK_DECODED);
    pl_status status = pl_check_resolve(c, contents, &value);
    if (status == PL_OK && value->kind == PL_PDF_STREAM) {
        status = pl_check_decode(c, value, &data);
    } else if (status == PL_OK && value->kind == PL_PDF_ARRAY) {
        number = 0;
        for (size_t i = 0; i < value->as.array.count && status == PL_OK; i++) {
            const struct pl_pdf_value *part = NULL;
            status = pl_check_resolve(c, value->as.array.items[i], &part);
            if (status == PL_OK)
                status = pl_check_step(c, 1);
            if (status == PL_OK && part->kind == PL_PDF_STREAM)
                status = pl_check_decode(c, part, &data);
            if (status == PL_OK)
                status = pl_bytes_append(&data, "\n", 1);
        }
    }
    if (status == PL_OK)
        status = pl_check_content(c, &data, true, &c->shared);
    if (status == PL_OK)
        c->shared_number = number;
    pl_bytes_fini(&data);
    (void)n;
    return status;
}

/* A page with transparency says what it is blended in, where no output intent does. */
static pl_status page_group(struct pl_pdf_checking *c, const struct pl_pdf_value *page)
{
    const struct pl_pdf_value *group = NULL;
    pl_status status = pl_check_lookup(c, page, "Group", &group);
    if (status == PL_OK && c->transparent && c->intent == 0 && !pl_check_has(group, "CS"))
        pl_check_breach(c, NULL, "6.2.10",
                        "the page has transparency, but neither a group with a colour space nor an "
                        "output intent");
    return status;
}

static pl_status page_check(struct pl_pdf_checking *c, uint32_t n)
{
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *resources = NULL;
    const struct pl_check_uses *uses = NULL;
    struct pl_pdf_ref ref = pl_pdf_page_ref(c->file, n);
    c->page = n + 1;
    c->object = ref.number;
    c->overprints = c->transparent = false;
    pl_status status = pl_pdf_load_object(c->file, ref, &page, c->fault);
    if (status == PL_OK)
        status = page_boxes(c, n, page);
    if (status == PL_OK)
        status = page_content(c, n, page, &uses);
    if (status == PL_OK)
        status = pl_pdf_page_inherited(c->file, n, "Resources", &resources, c->fault);
    if (status == PL_OK && uses->count > 0 && !pl_check_has(page, "Resources"))
        pl_check_breach(c, NULL, "6.2.2", "the page names resources and has none of its own");
    if (status == PL_OK)
        status = pl_check_uses(c, uses, resources);
    if (status == PL_OK)
        status = pl_check_group(c, page, resources);
    if (status == PL_OK)
        status = pl_check_annotations(c, page);
    if (status == PL_OK)
        status = page_group(c, page);
    if (status == PL_OK && pl_check_has(page, "AA"))
        pl_check_breach(c, NULL, "6.5.2", "the page has additional actions (/AA)");
    if (status == PL_OK && pl_check_has(page, "PresSteps"))
        pl_check_breach(c, NULL, "6.10", "the page has /PresSteps");
    if (status == PL_OK && c->overprints && c->icc_cmyk)
        pl_check_breach(c, NULL, "6.2.4.2", "overprint mode 1 with a CMYK profile");
    return status;
}

static pl_status pages_check(struct pl_pdf_checking *c)
{
    pl_status status = PL_OK;
    for (uint32_t n = 0; n < pl_pdf_page_count(c->file) && status == PL_OK; n++) {
        size_t mark = pl_pdf_file_mark(c->file);
        status = pl_check_step(c, 1);
        if (status == PL_OK)
            status = page_check(c, n);
        pl_pdf_file_release(c->file, mark);
    }
    c->page = c->object = 0;
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static pl_status parts_check(struct pl_pdf_checking *c, const struct pl_check_packet *packet)
{
    pl_status status = pl_check_file(c);
    if (status == PL_OK)
        status = pl_check_objects(c);
    if (status == PL_OK)
        status = pl_check_intents(c);
    if (status == PL_OK)
        status = pages_check(c);
    if (status == PL_OK)
        status = pl_check_catalog(c);
    if (status == PL_OK)
        status = pl_check_metadata(c, packet);
    return status;
}

static void version_read(struct pl_source *source, struct pl_pdf_claim *claim)
{
    char head[8];
    if (source->size < sizeof head || pl_source_read(source, 0, head, sizeof head) != PL_OK)
        return;
    if (memcmp(head, "%PDF-1.", 7) == 0 && head[7] >= '0' && head[7] <= '9')
        claim->minor = (unsigned)(head[7] - '0');
    else if (memcmp(head, "%PDF-2.0", 8) == 0)
        claim->minor = 20;
}

pl_status pl_pdf_check(struct pl_source *source, const struct pl_limits *limits,
                       const struct pl_pdf_check *check, struct pl_pdf_claim *claim,
                       struct pl_findings *findings, struct pl_fault *fault)
{
    struct pl_pdf_checking c = { .findings = findings,
                                 .fault = fault,
                                 .holes = check->holes,
                                 .steps = PL_CHECK_STEPS,
                                 .decoded = PL_CHECK_TOTAL };
    struct pl_check_packet *packet = NULL;
    *claim = (struct pl_pdf_claim){ 0 };
    pl_check_uses_init(&c.shared);
    pl_status status = pl_pdf_file_open(source, limits, NULL, &c.file, fault);
    if (status != PL_OK)
        goto done;
    version_read(source, claim);
    claim->pages = pl_pdf_page_count(c.file);
    claim->encrypted = pl_pdf_file_is_encrypted(c.file);
    status = pl_check_packet_read(c.file, &packet, fault);
    if (status != PL_OK)
        goto done;
    pl_check_packet_claim(packet, claim);
    claim->held = check->part != 0 ? check->part : claim->part <= 3 ? claim->part : 0;
    c.part = claim->held;
    if (pl_pdf_file_is_repaired(c.file))
        pl_check_defect(&c, "7.5.4", "the cross-reference does not lead to the objects");
    c.seen_count = pl_pdf_file_objects(c.file);
    c.seen = calloc((size_t)c.seen_count + 1, 1);
    status = c.seen == NULL ? PL_NO_MEMORY : PL_OK;
    if (status == PL_OK)
        status = parts_check(&c, packet);
done:
    pl_check_packet_free(packet);
    pl_check_uses_fini(&c.shared);
    pl_pdf_file_free(c.file);
    free(c.seen);
    return status;
}
