/* pdf_walk: a stack of content streams, the page's at the bottom.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_walk.h"

#include <stdlib.h>
#include <string.h>

#define WALK_DEPTH 12
#define WALK_FORMS 2000                        /* entered on one page */
#define WALK_BYTES ((size_t)32 << 20)          /* of content in memory at a time */
#define WALK_TOTAL_BYTES ((uint64_t)256 << 20) /* of content in all, repeated forms included */
#define WALK_STREAMS 4096                      /* in /Contents */
#define NAME_MOST 256

struct level {
    struct pl_pdf_content *content;
    struct pl_bytes data;
    const struct pl_pdf_value *resources;
};

struct pl_pdf_walk {
    struct pl_pdf_file *file;
    struct level levels[WALK_DEPTH];
    size_t depth;
    unsigned forms;
    uint64_t bytes;
    struct pl_pdf_op op;
};

bool pl_pdf_number_of(const struct pl_pdf_value *value, double *out)
{
    if (value == NULL || (value->kind != PL_PDF_INT && value->kind != PL_PDF_REAL))
        return false;
    *out = value->kind == PL_PDF_INT ? (double)value->as.integer : value->as.real;
    return true;
}

pl_status pl_pdf_numbers(struct pl_pdf_file *file, const struct pl_pdf_value *array, double *out,
                         size_t count, bool *found, struct pl_fault *fault)
{
    *found = false;
    if (array == NULL || array->kind != PL_PDF_ARRAY || array->as.array.count < count)
        return PL_OK;
    for (size_t i = 0; i < count; i++) {
        const struct pl_pdf_value *item = NULL;
        pl_status status = pl_pdf_resolve(file, array->as.array.items[i], &item, fault);
        if (status != PL_OK)
            return status;
        if (!pl_pdf_number_of(item, &out[i]))
            return PL_OK;
    }
    *found = true;
    return PL_OK;
}

pl_status pl_pdf_resource(struct pl_pdf_file *file, const struct pl_pdf_value *resources,
                          const char *category, struct pl_span name,
                          const struct pl_pdf_value **out, struct pl_fault *fault)
{
    static const struct pl_pdf_value none = { .kind = PL_PDF_NULL };
    char key[NAME_MOST];
    const struct pl_pdf_value *dict = NULL;
    if (!pl_text_copy(key, sizeof key, name)) {
        *out = &none;
        return PL_OK;
    }
    pl_status status = pl_pdf_lookup(file, resources, category, &dict, fault);
    return status == PL_OK ? pl_pdf_lookup(file, dict, key, out, fault) : status;
}

static pl_status contents_add(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                              struct pl_bytes *out, struct pl_fault *fault)
{
    const struct pl_pdf_value *stream = NULL;
    pl_status status = pl_pdf_resolve(file, value, &stream, fault);
    if (status != PL_OK || stream->kind != PL_PDF_STREAM)
        return status;
    status = pl_pdf_stream_decode(file, stream, out, fault);
    return status == PL_OK ? pl_bytes_append(out, "\n", 1) : status;
}

pl_status pl_pdf_page_contents(struct pl_pdf_file *file, uint32_t n, struct pl_bytes *out,
                               struct pl_fault *fault)
{
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *contents = NULL;
    pl_status status = pl_pdf_load_object(file, pl_pdf_page_ref(file, n), &page, fault);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, page, "Contents", &contents, fault);
    if (status != PL_OK)
        return status;
    if (contents->kind != PL_PDF_ARRAY)
        return contents_add(file, contents, out, fault);
    if (contents->as.array.count > WALK_STREAMS) {
        return pl_fault_set(fault, PL_TOO_LARGE, "page %u has %zu content streams, the limit is %d",
                            n + 1, contents->as.array.count, WALK_STREAMS);
    }
    for (size_t i = 0; i < contents->as.array.count && status == PL_OK; i++)
        status = contents_add(file, contents->as.array.items[i], out, fault);
    return status;
}

/* The topmost level's data are decoded: starts to read them. */
static pl_status walk_begin(struct pl_pdf_walk *walk, struct pl_fault *fault)
{
    struct level *level = &walk->levels[walk->depth - 1];
    walk->bytes += level->data.size;
    if (walk->bytes > WALK_TOTAL_BYTES) {
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "a page has more than %llu MiB of content, forms included",
                            (unsigned long long)WALK_TOTAL_BYTES >> 20);
    }
    return pl_pdf_content_new(level->data.data, level->data.size, &level->content);
}

static void walk_leave(struct pl_pdf_walk *walk)
{
    struct level *level = &walk->levels[--walk->depth];
    pl_pdf_content_free(level->content);
    pl_bytes_fini(&level->data);
    *level = (struct level){ 0 };
}

pl_status pl_pdf_walk_new(struct pl_pdf_file *file, uint32_t n, struct pl_pdf_walk **out,
                          struct pl_fault *fault)
{
    struct pl_pdf_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        return PL_NO_MEMORY;
    walk->file = file;
    walk->depth = 1;
    pl_bytes_init(&walk->levels[0].data, WALK_BYTES);
    pl_status status =
        pl_pdf_page_inherited(file, n, "Resources", &walk->levels[0].resources, fault);
    if (status == PL_OK)
        status = pl_pdf_page_contents(file, n, &walk->levels[0].data, fault);
    if (status == PL_OK)
        status = walk_begin(walk, fault);
    if (status == PL_OK) {
        *out = walk;
    } else {
        pl_pdf_walk_free(walk);
    }
    return status;
}

void pl_pdf_walk_free(struct pl_pdf_walk *walk)
{
    if (walk == NULL)
        return;
    while (walk->depth > 0)
        walk_leave(walk);
    free(walk);
}

/* A form without resources of its own uses those of what draws it (PDF 1.1). */
static pl_status walk_enter(struct pl_pdf_walk *walk, const struct pl_pdf_value *form,
                            struct pl_fault *fault)
{
    const struct pl_pdf_value *resources = NULL;
    if (walk->depth == WALK_DEPTH || ++walk->forms > WALK_FORMS) {
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "a page draws forms more than %d deep or more than %d of them",
                            WALK_DEPTH - 1, WALK_FORMS);
    }
    pl_status status = pl_pdf_lookup(walk->file, form, "Resources", &resources, fault);
    if (status != PL_OK)
        return status;
    struct level *level = &walk->levels[walk->depth++];
    level->resources =
        resources->kind == PL_PDF_DICT ? resources : walk->levels[walk->depth - 2].resources;
    pl_bytes_init(&level->data, WALK_BYTES);
    status = pl_pdf_stream_decode(walk->file, form, &level->data, fault);
    return status == PL_OK ? walk_begin(walk, fault) : status;
}

static pl_status walk_do(struct pl_pdf_walk *walk, struct pl_pdf_step *step, struct pl_fault *fault)
{
    const struct pl_pdf_value *object = NULL;
    const struct pl_pdf_value *subtype = NULL;
    if (walk->op.count == 0 || walk->op.operands[walk->op.count - 1]->kind != PL_PDF_NAME)
        return PL_OK;
    struct pl_span name = walk->op.operands[walk->op.count - 1]->as.text;
    pl_status status =
        pl_pdf_resource(walk->file, step->resources, "XObject", name, &object, fault);
    if (status == PL_OK && object->kind == PL_PDF_STREAM)
        status = pl_pdf_lookup(walk->file, object, "Subtype", &subtype, fault);
    if (status != PL_OK || subtype == NULL)
        return status;
    if (pl_pdf_name_is(subtype, "Image")) {
        step->kind = PL_PDF_STEP_IMAGE;
        step->object = object;
    } else if (pl_pdf_name_is(subtype, "Form")) {
        step->kind = PL_PDF_STEP_FORM;
        step->object = object;
        status = walk_enter(walk, object, fault);
    }
    return status;
}

pl_status pl_pdf_walk_next(struct pl_pdf_walk *walk, struct pl_pdf_step *step,
                           struct pl_fault *fault)
{
    bool more = false;
    *step = (struct pl_pdf_step){ .kind = PL_PDF_STEP_END };
    if (walk->depth == 0)
        return PL_OK;
    struct level *level = &walk->levels[walk->depth - 1];
    pl_status status = pl_pdf_content_next(level->content, &walk->op, &more, fault);
    if (status != PL_OK)
        return status;
    if (!more) {
        walk_leave(walk);
        step->kind = walk->depth > 0 ? PL_PDF_STEP_FORM_END : PL_PDF_STEP_END;
        return PL_OK;
    }
    step->kind = PL_PDF_STEP_OP;
    step->op = &walk->op;
    step->resources = level->resources;
    return pl_span_equals(walk->op.name, "Do") ? walk_do(walk, step, fault) : PL_OK;
}
