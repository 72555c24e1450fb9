/* pdf_pages: the page tree made flat.
 *
 * An inner node counts once, whoever points at it, so that circles end and shared nodes cannot
 * multiply; a leaf counts as often as it stands there. /Count is not believed. A kid that cannot be
 * read stays a page: whoever loads it learns that it is missing, instead of a document that is
 * shorter than it was.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A kid that was not looked at yet. */
struct kid {
    uint32_t number;
    uint32_t parent; /* index of a branch */
    uint16_t generation;
};

struct walk {
    struct pl_pdf_file *file;
    struct pl_fault *fault;
    struct kid *kids; /* a stack: the next one is on top */
    size_t count;
    size_t capacity;
    uint8_t *seen; /* a bit for each inner node */
    uint32_t seen_count;
};

static void *grow(void *memory, size_t count, size_t unit, size_t *capacity)
{
    size_t wanted = *capacity > 0 ? *capacity : 64;
    while (wanted < count)
        wanted *= 2;
    void *made = realloc(memory, wanted * unit);
    if (made != NULL)
        *capacity = wanted;
    return made;
}

static pl_status walk_push(struct walk *walk, struct kid kid)
{
    if (walk->count >= 2 * (size_t)PL_PDF_NUMBERS)
        return pl_fault_set(walk->fault, PL_TOO_LARGE,
                            "the PDF's page tree has more than %u entries", 2 * PL_PDF_NUMBERS);
    if (walk->count == walk->capacity) {
        struct kid *kids = grow(walk->kids, walk->count + 1, sizeof *kids, &walk->capacity);
        if (kids == NULL)
            return PL_NO_MEMORY;
        walk->kids = kids;
    }
    walk->kids[walk->count++] = kid;
    return PL_OK;
}

/* False when the node was seen before. Numbers past the table are nodes of ours: always new. */
static bool walk_enter(struct walk *walk, uint32_t number)
{
    if (number >= walk->seen_count)
        return true;
    uint8_t bit = (uint8_t)(1U << (number % 8));
    bool fresh = (walk->seen[number / 8] & bit) == 0;
    walk->seen[number / 8] |= bit;
    return fresh;
}

/* A number for a node that stands in its parent itself. */
static pl_status walk_number(struct walk *walk, uint32_t parent, size_t index, uint32_t *out)
{
    struct pl_pdf_table *table = &walk->file->shared->table;
    uint32_t number = table->count > 0 ? table->count : 1;
    if (index >= PL_PDF_NUMBERS || parent >= PL_PDF_NUMBERS)
        return PL_TOO_LARGE;
    struct pl_pdf_slot slot = { .kind = PL_PDF_SLOT_KID, .at = parent, .index = (uint32_t)index };
    pl_status status = pl_pdf_table_put(table, number, slot);
    if (status == PL_OK)
        *out = number;
    return status;
}

static pl_status walk_leaf(struct walk *walk, const struct kid *kid)
{
    struct pl_pdf_shared *shared = walk->file->shared;
    if (shared->leaf_count >= shared->limits.pages)
        return pl_fault_set(walk->fault, PL_TOO_LARGE,
                            "the document has more than %" PRIu32 " pages, the limit",
                            shared->limits.pages);
    if (shared->leaf_count == shared->leaf_capacity) {
        size_t capacity = shared->leaf_capacity;
        struct pl_pdf_leaf *leaves =
            grow(shared->leaves, shared->leaf_count + 1U, sizeof *leaves, &capacity);
        if (leaves == NULL)
            return PL_NO_MEMORY;
        shared->leaves = leaves;
        shared->leaf_capacity = (uint32_t)capacity;
    }
    shared->leaves[shared->leaf_count++] =
        (struct pl_pdf_leaf){ kid->number, kid->parent, kid->generation };
    return PL_OK;
}

static pl_status walk_add_branch(struct walk *walk, const struct kid *kid, uint32_t *out)
{
    struct pl_pdf_shared *shared = walk->file->shared;
    uint32_t n = shared->branch_count;
    unsigned depth = n == 0 ? 0 : shared->branches[kid->parent].depth + 1U;
    if (depth >= PL_PDF_TREE_DEPTH)
        return pl_fault_set(walk->fault, PL_BAD_DOCUMENT,
                            "the PDF's page tree is more than %d levels deep", PL_PDF_TREE_DEPTH);
    if (n == shared->branch_capacity) {
        size_t capacity = shared->branch_capacity;
        struct pl_pdf_branch *branches =
            grow(shared->branches, n + 1U, sizeof *branches, &capacity);
        if (branches == NULL)
            return PL_NO_MEMORY;
        shared->branches = branches;
        shared->branch_capacity = (uint32_t)capacity;
    }
    shared->branches[n] =
        (struct pl_pdf_branch){ kid->number, kid->parent, kid->generation, (uint16_t)depth };
    shared->branch_count++;
    *out = n;
    return PL_OK;
}

/* Kids go onto the stack from the last to the first. What is neither a reference nor a dictionary
 * is no kid. */
static pl_status walk_branch(struct walk *walk, const struct kid *kid,
                             const struct pl_pdf_value *kids)
{
    uint32_t branch = 0;
    pl_status status = walk_add_branch(walk, kid, &branch);
    for (size_t i = kids->as.array.count; i > 0 && status == PL_OK; i--) {
        const struct pl_pdf_value *item = kids->as.array.items[i - 1];
        struct kid next = { .parent = branch };
        if (item->kind == PL_PDF_REF) {
            next.number = item->as.ref.number;
            next.generation = item->as.ref.generation;
        } else if (item->kind != PL_PDF_DICT) {
            continue;
        } else {
            status = walk_number(walk, kid->number, i - 1, &next.number);
        }
        if (status == PL_OK)
            status = walk_push(walk, next);
    }
    return status;
}

static pl_status walk_kid(struct walk *walk, const struct kid *kid)
{
    struct pl_pdf_file *file = walk->file;
    const struct pl_pdf_value *node = &pl_pdf_null;
    const struct pl_pdf_value *kids = &pl_pdf_null;
    struct pl_pdf_ref ref = { kid->number, kid->generation };
    pl_status status = pl_pdf_load_object(file, ref, &node, NULL);
    if (status == PL_OK)
        status = pl_pdf_resolve(file, node, &node, NULL);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, node, "Kids", &kids, NULL);
    if (status == PL_BAD_DOCUMENT)
        return walk_leaf(walk, kid);
    if (status != PL_OK)
        return pl_fault_set(walk->fault, status, "the PDF's page tree: %s", pl_status_text(status));
    struct pl_pdf_value only = { .kind = PL_PDF_ARRAY };
    const struct pl_pdf_value *item = pl_pdf_dict_peek(node, "Kids");
    if (kids->kind == PL_PDF_DICT) { /* one kid, without brackets */
        only.as.array.items = &item;
        only.as.array.count = 1;
        kids = &only;
    }
    if (kids->kind == PL_PDF_ARRAY)
        return walk_enter(walk, kid->number) ? walk_branch(walk, kid, kids) : PL_OK;
    bool page =
        node->kind == PL_PDF_NULL ||
        (node->kind == PL_PDF_DICT && !pl_pdf_name_is(pl_pdf_dict_peek(node, "Type"), "Pages"));
    return page && walk->file->shared->branch_count > 0 ? walk_leaf(walk, kid) : PL_OK;
}

static pl_status walk_root(struct walk *walk)
{
    const struct pl_pdf_value *root = pl_pdf_dict_peek(walk->file->shared->catalog, "Pages");
    struct kid kid = { .number = 0 };
    if (root != NULL && root->kind == PL_PDF_REF) {
        kid.number = root->as.ref.number;
        kid.generation = root->as.ref.generation;
        return walk_push(walk, kid);
    }
    if (root == NULL || root->kind != PL_PDF_DICT)
        return PL_OK;
    pl_status status = walk_number(walk, 0, 0, &kid.number);
    return status == PL_OK ? walk_push(walk, kid) : status;
}

static pl_status walk_run(struct walk *walk)
{
    struct pl_pdf_file *file = walk->file;
    struct pl_pdf_shared *shared = file->shared;
    shared->leaf_count = 0;
    shared->branch_count = 0;
    walk->count = 0;
    if (walk->seen_count > 0)
        memset(walk->seen, 0, walk->seen_count / 8 + 1);
    pl_status status = walk_root(walk);
    bool repaired = file->repaired;
    while (status == PL_OK && walk->count > 0 && file->repaired == repaired) {
        size_t mark = pl_pdf_file_mark(file);
        struct kid kid = walk->kids[--walk->count];
        status = walk_kid(walk, &kid);
        pl_pdf_cache_release(&file->cache, mark);
        pl_arena_release(&file->arena, mark);
    }
    return status;
}

pl_status pl_pdf_pages_walk(struct pl_pdf_file *file, struct pl_fault *fault)
{
    struct walk walk = { .file = file, .fault = fault, .seen_count = file->table->count };
    pl_status status = PL_NO_MEMORY;
    walk.seen = calloc(walk.seen_count / 8 + 1, 1);
    if (walk.seen == NULL)
        goto done;
    bool repaired = file->repaired;
    status = walk_run(&walk);
    if (status == PL_OK && file->repaired != repaired) /* the table changed under the walk */
        status = walk_run(&walk);
done:
    free(walk.seen);
    free(walk.kids);
    return status;
}

/* Its parent is a branch without a number, which is null when it is loaded. */
pl_status pl_pdf_pages_add(struct pl_pdf_file *file, struct pl_pdf_ref page, struct pl_fault *fault)
{
    struct walk walk = { .file = file, .fault = fault };
    struct kid kid = { .number = 0 };
    uint32_t branch = 0;
    if (file->shared->leaf_count == 0) {
        file->shared->branch_count = 0;
        pl_status status = walk_add_branch(&walk, &kid, &branch);
        if (status != PL_OK)
            return status;
    }
    kid = (struct kid){ page.number, branch, page.generation };
    return walk_leaf(&walk, &kid);
}

uint32_t pl_pdf_page_count(const struct pl_pdf_file *file)
{
    return file->shared->leaf_count;
}

struct pl_pdf_ref pl_pdf_page_ref(const struct pl_pdf_file *file, uint32_t n)
{
    PL_CHECK(n < file->shared->leaf_count);
    const struct pl_pdf_leaf *leaf = &file->shared->leaves[n];
    return (struct pl_pdf_ref){ leaf->number, leaf->generation };
}

pl_status pl_pdf_page_inherited(struct pl_pdf_file *file, uint32_t n, const char *key,
                                const struct pl_pdf_value **out, struct pl_fault *fault)
{
    const struct pl_pdf_shared *shared = file->shared;
    struct pl_pdf_ref ref = pl_pdf_page_ref(file, n);
    uint32_t parent = shared->leaves[n].parent;
    for (;;) {
        const struct pl_pdf_value *node = NULL;
        const struct pl_pdf_value *value = NULL;
        pl_status status = pl_pdf_load_object(file, ref, &node, fault);
        if (status == PL_OK)
            status = pl_pdf_resolve(file, node, &node, fault);
        if (status == PL_OK)
            status = pl_pdf_lookup(file, node, key, &value, fault);
        if (status != PL_OK)
            return status;
        const struct pl_pdf_branch *branch = &shared->branches[parent];
        bool root = ref.number == branch->number && branch->parent == parent;
        if (value->kind != PL_PDF_NULL || root) {
            *out = value;
            return PL_OK;
        }
        if (ref.number == branch->number)
            branch = &shared->branches[parent = branch->parent];
        ref = (struct pl_pdf_ref){ branch->number, branch->generation };
    }
}
