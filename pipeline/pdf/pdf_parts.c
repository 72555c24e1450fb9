/* pdf_parts: the graph of references, walked from each page and from the catalog.
 *
 * A walk never enters another page, so that a link does not make its target part of a page. The
 * edges are read once and kept, 4 bytes each; walks go over them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_parts.h"

#include <stdlib.h>

#define PARTS_EDGES ((size_t)1 << 24)

/* A growing list of object numbers. */
struct part_list {
    uint32_t *items;
    size_t count;
    size_t room;
};

struct part_object {
    uint32_t edges;   /* its first edge; the next object's ends them */
    uint32_t seen;    /* the walk that was here last */
    uint32_t page;    /* the first page that needs it, 0-based */
    uint8_t users;    /* pages but the first: 0, 1, 2 for more */
    bool is_page;     /* walks end here */
    bool in_first;    /* the first page needs it */
    bool in_document; /* opening the file needs it */
    bool elsewhere;   /* something besides pages needs it */
    enum pl_pdf_part part;
};

struct pl_pdf_parts {
    struct pl_pdf_file *file;
    struct part_object *objects; /* by number, and one behind the last */
    uint32_t count;
    struct part_list edges;
    struct part_list stack;
    struct part_list shared; /* of all pages */
    size_t *shared_at;       /* by page, and one behind the last */
    struct part_list document_roots;
    struct part_list other_roots;
    uint32_t walk;
};

static pl_status list_add(struct part_list *list, uint32_t item, size_t most)
{
    if (list->count == most)
        return PL_TOO_LARGE;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 256 : list->room * 2;
        uint32_t *items = realloc(list->items, room * sizeof *items);
        if (items == NULL)
            return PL_NO_MEMORY;
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
    return PL_OK;
}

/* Adds the objects that a value names; `skip` are entries of it that do not count, ended by NULL.
 * Depth was bounded when the value was read. */
static pl_status parts_refer(const struct pl_pdf_parts *parts, const struct pl_pdf_value *value,
                             const char *const *skip, struct part_list *list)
{
    pl_status status = PL_OK;
    if (value->kind == PL_PDF_REF) {
        bool is_there = value->as.ref.number > 0 && value->as.ref.number < parts->count;
        return is_there ? list_add(list, value->as.ref.number, PARTS_EDGES) : PL_OK;
    }
    if (value->kind == PL_PDF_ARRAY) {
        for (size_t i = 0; i < value->as.array.count && status == PL_OK; i++)
            status = parts_refer(parts, value->as.array.items[i], NULL, list);
    }
    if (value->kind != PL_PDF_DICT && value->kind != PL_PDF_STREAM)
        return status;
    for (size_t i = 0; i < value->as.dict.count && status == PL_OK; i++) {
        const struct pl_pdf_entry *entry = &value->as.dict.entries[i];
        bool skipped = false;
        for (size_t k = 0; skip != NULL && skip[k] != NULL; k++)
            skipped = skipped || pl_span_equals(entry->key, skip[k]);
        if (!skipped)
            status = parts_refer(parts, entry->value, NULL, list);
    }
    return status;
}

/* --- the graph ------------------------------------------------------------------------------- */

static pl_status parts_read_object(struct pl_pdf_parts *parts, uint32_t number,
                                   struct pl_fault *fault)
{
    static const char *const of_page[] = { "Parent", "Thumb", NULL };
    const struct pl_pdf_value *value = NULL;
    struct part_object *object = &parts->objects[number];
    size_t mark = pl_pdf_file_mark(parts->file);
    object->edges = (uint32_t)parts->edges.count;
    pl_status status =
        pl_pdf_load_object(parts->file, (struct pl_pdf_ref){ number, 0 }, &value, fault);
    if (status == PL_OK)
        status = parts_refer(parts, value, object->is_page ? of_page : NULL, &parts->edges);
    if (status == PL_OK && object->is_page) {
        const struct pl_pdf_value *thumb = pl_pdf_dict_peek(value, "Thumb");
        if (thumb != NULL)
            status = parts_refer(parts, thumb, NULL, &parts->other_roots);
    }
    pl_pdf_file_release(parts->file, mark);
    return status;
}

static pl_status parts_read_catalog(struct pl_pdf_parts *parts)
{
    /* What annex F.3.5 counts to part 4. */
    static const char *const opening[] = { "ViewerPreferences", "PageMode", "Threads",
                                           "OpenAction",        "AcroForm", NULL };
    const struct pl_pdf_value *catalog = pl_pdf_file_catalog(parts->file);
    const struct pl_pdf_value *info = pl_pdf_dict_peek(pl_pdf_file_trailer(parts->file), "Info");
    pl_status status = parts_refer(parts, catalog, opening, &parts->other_roots);
    for (size_t i = 0; opening[i] != NULL && status == PL_OK; i++) {
        const struct pl_pdf_value *value = pl_pdf_dict_peek(catalog, opening[i]);
        if (value != NULL)
            status = parts_refer(parts, value, NULL, &parts->document_roots);
    }
    if (status == PL_OK && info != NULL)
        status = parts_refer(parts, info, NULL, &parts->other_roots);
    return status;
}

static pl_status parts_read(struct pl_pdf_parts *parts, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    for (uint32_t n = 0; n < pl_pdf_page_count(parts->file); n++) {
        struct pl_pdf_ref page = pl_pdf_page_ref(parts->file, n);
        PL_CHECK(page.number < parts->count);
        parts->objects[page.number].is_page = true;
    }
    for (uint32_t number = 1; number < parts->count && status == PL_OK; number++)
        status = parts_read_object(parts, number, fault);
    parts->objects[parts->count].edges = (uint32_t)parts->edges.count;
    return status == PL_OK ? parts_read_catalog(parts) : status;
}

/* --- walks ----------------------------------------------------------------------------------- */

static pl_status parts_visit(struct pl_pdf_parts *parts, uint32_t number)
{
    struct part_object *object = &parts->objects[number];
    if (object->seen == parts->walk)
        return PL_OK;
    object->seen = parts->walk;
    return list_add(&parts->stack, number, PARTS_EDGES);
}

/* Leaves every object that is reached in the stack, which grows while it is read. */
static pl_status parts_walk(struct pl_pdf_parts *parts)
{
    pl_status status = PL_OK;
    for (size_t at = 0; at < parts->stack.count && status == PL_OK; at++) {
        uint32_t number = parts->stack.items[at];
        uint32_t end = parts->objects[number + 1].edges;
        for (uint32_t i = parts->objects[number].edges; i < end && status == PL_OK; i++) {
            uint32_t to = parts->edges.items[i];
            if (!parts->objects[to].is_page)
                status = parts_visit(parts, to);
        }
    }
    return status;
}

static pl_status parts_walk_roots(struct pl_pdf_parts *parts, const struct part_list *roots)
{
    pl_status status = PL_OK;
    parts->walk++;
    parts->stack.count = 0;
    for (size_t i = 0; i < roots->count && status == PL_OK; i++) {
        if (!parts->objects[roots->items[i]].is_page)
            status = parts_visit(parts, roots->items[i]);
    }
    return status == PL_OK ? parts_walk(parts) : status;
}

static pl_status parts_walk_page(struct pl_pdf_parts *parts, uint32_t n)
{
    parts->walk++;
    parts->stack.count = 0;
    pl_status status = parts_visit(parts, pl_pdf_page_ref(parts->file, n).number);
    return status == PL_OK ? parts_walk(parts) : status;
}

static pl_status parts_find_users(struct pl_pdf_parts *parts)
{
    pl_status status = parts_walk_roots(parts, &parts->other_roots);
    for (size_t i = 0; i < parts->stack.count; i++)
        parts->objects[parts->stack.items[i]].elsewhere = true;
    if (status == PL_OK)
        status = parts_walk_roots(parts, &parts->document_roots);
    for (size_t i = 0; i < parts->stack.count && status == PL_OK; i++)
        parts->objects[parts->stack.items[i]].in_document = true;
    for (uint32_t n = 0; n < pl_pdf_page_count(parts->file) && status == PL_OK; n++) {
        status = parts_walk_page(parts, n);
        for (size_t i = 0; i < parts->stack.count; i++) {
            struct part_object *object = &parts->objects[parts->stack.items[i]];
            if (n == 0) {
                object->in_first = true;
                continue;
            }
            object->page = object->users == 0 ? n : object->page;
            object->users = object->users == 0 ? 1 : 2;
        }
    }
    return status;
}

static enum pl_pdf_part parts_decide(const struct part_object *object)
{
    if (object->in_document)
        return PL_PDF_PART_DOCUMENT;
    if (object->in_first)
        return PL_PDF_PART_FIRST;
    if (object->users == 1 && !object->elsewhere)
        return PL_PDF_PART_PAGE;
    return object->users > 1 ? PL_PDF_PART_SHARED : PL_PDF_PART_REST;
}

static void parts_assign(struct pl_pdf_parts *parts)
{
    const struct pl_pdf_value *root = pl_pdf_dict_peek(pl_pdf_file_trailer(parts->file), "Root");
    for (uint32_t number = 1; number < parts->count; number++)
        parts->objects[number].part = parts_decide(&parts->objects[number]);
    PL_CHECK(root != NULL && root->kind == PL_PDF_REF && root->as.ref.number < parts->count);
    parts->objects[root->as.ref.number].part = PL_PDF_PART_DOCUMENT;
}

static pl_status parts_list_shared(struct pl_pdf_parts *parts, struct pl_fault *fault)
{
    uint32_t pages = pl_pdf_page_count(parts->file);
    pl_status status = PL_OK;
    parts->shared_at = calloc((size_t)pages + 1, sizeof *parts->shared_at);
    if (parts->shared_at == NULL)
        return PL_NO_MEMORY;
    for (uint32_t n = 1; n < pages && status == PL_OK; n++) {
        parts->shared_at[n] = parts->shared.count;
        status = parts_walk_page(parts, n);
        for (size_t i = 0; i < parts->stack.count && status == PL_OK; i++) {
            enum pl_pdf_part part = parts->objects[parts->stack.items[i]].part;
            if (part == PL_PDF_PART_FIRST || part == PL_PDF_PART_SHARED)
                status = list_add(&parts->shared, parts->stack.items[i], PL_PDF_PARTS_SHARED);
        }
    }
    parts->shared_at[pages] = parts->shared.count;
    if (status == PL_TOO_LARGE)
        return pl_fault_set(fault, status,
                            "the result cannot be linearized: its pages share objects more than "
                            "%zu times, the limit",
                            PL_PDF_PARTS_SHARED);
    return status;
}

pl_status pl_pdf_parts_new(struct pl_pdf_file *file, struct pl_pdf_parts **out,
                           struct pl_fault *fault)
{
    pl_status status = PL_NO_MEMORY;
    struct pl_pdf_parts *parts = calloc(1, sizeof *parts);
    if (parts == NULL)
        return PL_NO_MEMORY;
    parts->file = file;
    parts->count = pl_pdf_file_objects(file);
    parts->objects = calloc((size_t)parts->count + 1, sizeof *parts->objects);
    if (parts->objects == NULL)
        goto done;
    status = parts_read(parts, fault);
    if (status == PL_OK)
        status = parts_find_users(parts);
    if (status != PL_OK)
        goto done;
    parts_assign(parts);
    status = parts_list_shared(parts, fault);
    if (status != PL_OK)
        goto done;
    *out = parts;
    parts = NULL;
done:
    pl_pdf_parts_free(parts);
    if (status == PL_TOO_LARGE)
        return pl_fault_set(fault, status,
                            "the result cannot be linearized: it has more than %zu references, "
                            "the limit",
                            PARTS_EDGES);
    return status;
}

void pl_pdf_parts_free(struct pl_pdf_parts *parts)
{
    if (parts == NULL)
        return;
    free(parts->objects);
    free(parts->edges.items);
    free(parts->stack.items);
    free(parts->shared.items);
    free(parts->shared_at);
    free(parts->document_roots.items);
    free(parts->other_roots.items);
    free(parts);
}

enum pl_pdf_part pl_pdf_parts_of(const struct pl_pdf_parts *parts, uint32_t object)
{
    return object < parts->count ? parts->objects[object].part : PL_PDF_PART_NONE;
}

uint32_t pl_pdf_parts_page(const struct pl_pdf_parts *parts, uint32_t object)
{
    PL_CHECK(pl_pdf_parts_of(parts, object) == PL_PDF_PART_PAGE);
    return parts->objects[object].page;
}

const uint32_t *pl_pdf_parts_shared(const struct pl_pdf_parts *parts, uint32_t n, size_t *count)
{
    PL_CHECK(n > 0 && n < pl_pdf_page_count(parts->file));
    *count = parts->shared_at[n + 1] - parts->shared_at[n];
    return parts->shared.items + parts->shared_at[n];
}
