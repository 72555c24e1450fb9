/* plan: a strict walk over a definition; what it does not know it refuses, with the nearest word.
 *
 * Each member is named by its path ("steps[0].with.to") in the sentence, so that the person who
 * wrote the definition finds it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan.h"

#include "engine/base/digest.h"
#include "pipeline/plan_priv.h"

#include <stdlib.h>
#include <string.h>

#define PLAN_BYTES_MAX ((size_t)1 << 16)
#define PLAN_NAME_MAX 64
#define PLAN_PAGES_MAX 100000
#define PLAN_RETAIN_MIN_S 3600
#define PLAN_RETAIN_MAX_S ((uint64_t)3660 * 86400)

static const char *const input_words[] = {
#define ROW(row, name) name,
    PL_INPUT_TABLE(ROW)
#undef ROW
};

bool pl_plan_accepts(const struct pl_plan *plan, const char *reader)
{
    size_t i = pl_plan_word_index(reader, input_words, PL_INPUT_COUNT);
    return plan->accept_types == 0 || (i < PL_INPUT_COUNT && (plan->accept_types >> i & 1) != 0);
}

static pl_status plan_name(const json_t *value, struct pl_fault *fault)
{
    const char *name = pl_plan_string(value, "name", fault);
    if (name == NULL)
        return PL_MISCONFIGURED;
    size_t length = strlen(name);
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    if (length == 0 || length > PLAN_NAME_MAX || good != length) {
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "name must be 1 to %d lower-case letters, digits, '-' and '_'",
                            PLAN_NAME_MAX);
    }
    return PL_OK;
}

static pl_status plan_accept_types(const json_t *types, struct pl_plan *plan,
                                   struct pl_fault *fault)
{
    if (types == NULL)
        return PL_OK;
    if (!json_is_array(types) || json_array_size(types) == 0) {
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "accept.types must be a list of at least one kind of document");
    }
    pl_status status = PL_OK;
    for (size_t i = 0; i < json_array_size(types) && status == PL_OK; i++) {
        size_t which = 0;
        status = pl_plan_word(json_array_get(types, i), "accept.types", input_words, PL_INPUT_COUNT,
                              &which, fault);
        plan->accept_types |= 1U << which;
    }
    return status;
}

static pl_status plan_accept(const json_t *accept, struct pl_plan *plan, struct pl_fault *fault)
{
    static const char *const members[] = { "types", "max_pages", "max_bytes" };
    static const struct pl_plan_unit sizes[] = {
        { "KiB", 1U << 10 }, { "MiB", 1U << 20 }, { "GiB", 1U << 30 }, { "B", 1 }
    };
    static const struct pl_plan_unit pages[] = { { "", 1 } };
    if (accept == NULL)
        return PL_OK;
    pl_status status = pl_plan_object(accept, "accept", members, PL_COUNT_OF(members), fault);
    if (status == PL_OK)
        status = plan_accept_types(json_object_get(accept, "types"), plan, fault);
    if (status != PL_OK)
        return status;
    const json_t *value = json_object_get(accept, "max_pages");
    uint64_t count = 0;
    if (value != NULL &&
        (!pl_plan_quantity(value, pages, 1, PLAN_PAGES_MAX, &count) || count == 0)) {
        return pl_fault_set(fault, PL_MISCONFIGURED, "accept.max_pages must be 1 to %d",
                            PLAN_PAGES_MAX);
    }
    plan->max_pages = (uint32_t)count;
    value = json_object_get(accept, "max_bytes");
    if (value != NULL &&
        (!pl_plan_quantity(value, sizes, PL_COUNT_OF(sizes), (uint64_t)1 << 40, &plan->max_bytes) ||
         plan->max_bytes < 1024)) {
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "accept.max_bytes must be 1KiB to 1024GiB, for example 200MiB");
    }
    return PL_OK;
}

static pl_status plan_retain_one(const json_t *retain, const char *member, uint32_t *out,
                                 struct pl_fault *fault)
{
    static const struct pl_plan_unit times[] = { { "h", 3600 }, { "d", 86400 }, { "s", 1 } };
    const json_t *value = json_object_get(retain, member);
    uint64_t seconds = 0;
    if (value == NULL)
        return PL_OK;
    if (!pl_plan_quantity(value, times, PL_COUNT_OF(times), PLAN_RETAIN_MAX_S, &seconds) ||
        seconds < PLAN_RETAIN_MIN_S) {
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "retain.%s must be 1h to 3660d, for example 30d", member);
    }
    *out = (uint32_t)seconds;
    return PL_OK;
}

static pl_status plan_retain(const json_t *retain, struct pl_plan *plan, struct pl_fault *fault)
{
    static const char *const members[] = { "original", "results" };
    if (retain == NULL)
        return PL_OK;
    pl_status status = pl_plan_object(retain, "retain", members, PL_COUNT_OF(members), fault);
    if (status == PL_OK)
        status = plan_retain_one(retain, members[0], &plan->retain_original_s, fault);
    if (status == PL_OK)
        status = plan_retain_one(retain, members[1], &plan->retain_results_s, fault);
    return status;
}

/* The only element of a list. */
static pl_status plan_single(const json_t *list, const char *where, const char *what,
                             const json_t **out, struct pl_fault *fault)
{
    if (list == NULL)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is missing: %s", where, what);
    if (!json_is_array(list) || json_array_size(list) != 1) {
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s must be a list of one today: %s", where,
                            what);
    }
    *out = json_array_get(list, 0);
    return PL_OK;
}

static pl_status plan_steps(const json_t *steps, struct pl_plan *plan, struct pl_fault *fault)
{
    static const char *const members[] = { "op", "with" };
    static const char *const ops[] = { "convert" };
    const json_t *step = NULL;
    size_t which = 0;
    pl_status status =
        plan_single(steps, "steps", "{op: convert, with: {to: pdfa-2b}}", &step, fault);
    if (status == PL_OK)
        status = pl_plan_object(step, "steps[0]", members, PL_COUNT_OF(members), fault);
    if (status == PL_OK)
        status = pl_plan_word(json_object_get(step, "op"), "steps[0].op", ops, 1, &which, fault);
    if (status != PL_OK)
        return status;
    return pl_plan_convert(json_object_get(step, "with"), "steps[0].with", plan, fault);
}

static pl_status plan_sinks(const json_t *sinks, struct pl_fault *fault)
{
    static const char *const members[] = { "sink" };
    static const char *const kinds[] = { "store" };
    const json_t *sink = NULL;
    size_t which = 0;
    pl_status status = plan_single(sinks, "sinks", "{sink: store}", &sink, fault);
    if (status == PL_OK)
        status = pl_plan_object(sink, "sinks[0]", members, 1, fault);
    if (status == PL_OK)
        status =
            pl_plan_word(json_object_get(sink, "sink"), "sinks[0].sink", kinds, 1, &which, fault);
    return status;
}

static pl_status plan_read(const json_t *root, struct pl_plan *plan, struct pl_fault *fault)
{
    static const char *const members[] = { "name", "accept", "steps", "sinks", "retain" };
    pl_status status = pl_plan_object(root, "the definition", members, PL_COUNT_OF(members), fault);
    if (status == PL_OK)
        status = plan_name(json_object_get(root, "name"), fault);
    if (status == PL_OK)
        status = plan_accept(json_object_get(root, "accept"), plan, fault);
    if (status == PL_OK)
        status = plan_steps(json_object_get(root, "steps"), plan, fault);
    if (status == PL_OK)
        status = plan_sinks(json_object_get(root, "sinks"), fault);
    if (status == PL_OK)
        status = plan_retain(json_object_get(root, "retain"), plan, fault);
    return status;
}

pl_status pl_plan_compile(struct pl_span definition, struct pl_plan *out, struct pl_fault *fault)
{
    if (definition.size > PLAN_BYTES_MAX) {
        return pl_fault_set(fault, PL_MISCONFIGURED, "the definition is longer than %zu KiB",
                            PLAN_BYTES_MAX >> 10);
    }
    json_error_t error;
    json_t *root = json_loadb(definition.data, definition.size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return PL_NO_MEMORY;
    if (root == NULL) {
        char shown[120];
        (void)pl_text_sanitize(pl_span_from(error.text), shown, sizeof shown);
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "the definition is not JSON: line %d, column %d: %s", error.line,
                            error.column, shown);
    }
    struct pl_plan plan = { 0 };
    pl_status status = plan_read(root, &plan, fault);
    json_decref(root);
    if (status == PL_OK) {
        *out = plan;
    } else {
        pl_plan_fini(&plan);
    }
    return status;
}

void pl_plan_fini(struct pl_plan *plan)
{
    pl_bytes_fini(&plan->xmp);
    pl_wipe(plan, sizeof *plan);
}

char *pl_plan_write_simple(const char *name, enum pl_format to, char *out, size_t size)
{
    bool fits = pl_text_format(out, size,
                               "{\"name\":\"%s\",\"steps\":[{\"op\":\"convert\",\"with\":"
                               "{\"to\":\"%s\"}}],\"sinks\":[{\"sink\":\"store\"}]}",
                               name, pl_format_name(to));
    PL_CHECK(fits);
    return out;
}
