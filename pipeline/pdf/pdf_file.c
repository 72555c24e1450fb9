/* pdf_file: a PDF is opened as it states itself, and by a scan when that does not hold.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STRUCTURE_BYTES ((size_t)128 << 20) /* objects in memory at a time */
#define SHARED_BYTES ((size_t)16 << 20)     /* trailer and catalog */

/* --- life ------------------------------------------------------------------------------------ */

static void shared_drop(struct pl_pdf_shared *shared)
{
    if (shared == NULL || atomic_fetch_sub(&shared->keepers, 1) > 1)
        return;
    pl_pdf_table_fini(&shared->table);
    pl_arena_fini(&shared->arena);
    free(shared->leaves);
    free(shared->branches);
    free(shared);
}

static struct pl_pdf_shared *shared_new(const struct pl_limits *limits)
{
    struct pl_pdf_shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    atomic_init(&shared->keepers, 1);
    shared->limits = *limits;
    pl_arena_init(&shared->arena, SHARED_BYTES);
    return shared;
}

/* Takes its share of `shared` over. */
static struct pl_pdf_file *file_new(struct pl_source *source, struct pl_pdf_shared *shared)
{
    struct pl_pdf_file *file = calloc(1, sizeof *file);
    if (file == NULL || pl_pdf_windows_init(&file->windows, source) != PL_OK) {
        free(file);
        return NULL;
    }
    uint64_t most = shared->limits.page_bytes;
    pl_arena_init(&file->arena, most < STRUCTURE_BYTES ? (size_t)most : STRUCTURE_BYTES);
    file->shared = shared;
    file->table = &shared->table;
    pl_pdf_work_refill(file);
    return file;
}

void pl_pdf_file_free(struct pl_pdf_file *file)
{
    if (file == NULL)
        return;
    pl_pdf_packs_fini(file);
    pl_pdf_cache_fini(&file->cache);
    pl_pdf_table_fini(&file->own);
    pl_pdf_parser_fini(&file->parser);
    pl_arena_fini(&file->arena);
    pl_pdf_windows_fini(&file->windows);
    shared_drop(file->shared);
    free(file);
}

struct pl_pdf_file *pl_pdf_file_clone(const struct pl_pdf_file *file, struct pl_source *source)
{
    atomic_fetch_add(&file->shared->keepers, 1);
    struct pl_pdf_file *copy = file_new(source, file->shared);
    if (copy == NULL) {
        shared_drop(file->shared);
        return NULL;
    }
    copy->repaired = file->repaired;
    copy->may_repair = !file->repaired;
    return copy;
}

/* --- opening --------------------------------------------------------------------------------- */

/* The trailer as far as a scan found one. */
static pl_status trailer_make(struct pl_pdf_file *file, const struct pl_pdf_scan *scan)
{
    static const char *const keys[] = { "Root", "Info", "Encrypt", "ID" };
    struct pl_arena *arena = &file->shared->arena;
    const struct pl_pdf_value *values[] = { scan->root, scan->info, scan->encrypt, scan->id };
    struct pl_pdf_value *trailer = pl_arena_take(arena, sizeof *trailer);
    struct pl_pdf_entry *entries = pl_arena_take(arena, PL_COUNT_OF(keys) * sizeof *entries);
    if (trailer == NULL || entries == NULL)
        return PL_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < PL_COUNT_OF(keys); i++) {
        if (values[i] != NULL)
            entries[count++] = (struct pl_pdf_entry){ pl_span_from(keys[i]), values[i] };
    }
    trailer->kind = PL_PDF_DICT;
    trailer->as.dict.entries = entries;
    trailer->as.dict.count = count;
    file->shared->trailer = trailer;
    return PL_OK;
}

static pl_status root_make(struct pl_arena *arena, uint32_t number, const struct pl_pdf_value **out)
{
    struct pl_pdf_value *root = pl_arena_take(arena, sizeof *root);
    if (root == NULL)
        return PL_NO_MEMORY;
    root->kind = PL_PDF_REF;
    root->as.ref.number = number;
    *out = root;
    return PL_OK;
}

/* PL_BAD_DOCUMENT when the trailer leads to no catalog. */
static pl_status catalog_load(struct pl_pdf_file *file)
{
    const struct pl_pdf_value *root = NULL;
    const struct pl_pdf_value *pages = NULL;
    size_t mark = pl_pdf_file_mark(file);
    pl_status status = pl_pdf_lookup(file, file->shared->trailer, "Root", &root, NULL);
    if (status == PL_OK)
        status = pl_pdf_lookup(file, root, "Pages", &pages, NULL);
    if (status == PL_OK && pages->kind != PL_PDF_DICT)
        status = PL_BAD_DOCUMENT;
    if (status == PL_OK) {
        file->shared->catalog = pl_pdf_value_copy(&file->shared->arena, root);
        if (file->shared->catalog == NULL)
            status = pl_pdf_arena_empty(&file->shared->arena);
    }
    pl_pdf_file_release(file, mark);
    return status;
}

static void file_forget(struct pl_pdf_file *file)
{
    struct pl_pdf_shared *shared = file->shared;
    pl_pdf_file_release(file, 0);
    pl_pdf_packs_fini(file);
    pl_pdf_table_fini(&shared->table);
    shared->trailer = shared->catalog = NULL;
    shared->leaf_count = shared->branch_count = 0;
    shared->encrypted = false;
}

static pl_status open_as_stated(struct pl_pdf_file *file, const char *password,
                                struct pl_fault *fault)
{
    pl_status status = pl_pdf_xref_load(file);
    if (status == PL_OK)
        status = pl_pdf_unlock(file, password, fault);
    file->may_repair = true;
    if (status == PL_OK)
        status = catalog_load(file);
    if (status == PL_OK)
        status = pl_pdf_pages_walk(file, fault);
    if (status == PL_OK && file->shared->leaf_count == 0)
        status = PL_BAD_DOCUMENT;
    return status;
}

/* The last resort: every object that calls itself a page, in the order of their numbers. */
static pl_status pages_gather(struct pl_pdf_file *file, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    for (uint32_t n = 1; n < file->table->count && status == PL_OK; n++) {
        const struct pl_pdf_value *value = NULL;
        size_t mark = pl_pdf_file_mark(file);
        struct pl_pdf_ref ref = { n, 0 };
        enum pl_pdf_slot_kind kind = pl_pdf_table_slot(file->table, n).kind;
        if (kind != PL_PDF_SLOT_PLAIN && kind != PL_PDF_SLOT_PACKED)
            continue;
        status = pl_pdf_load_object(file, ref, &value, NULL);
        bool page = status == PL_OK && pl_pdf_name_is(pl_pdf_dict_peek(value, "Type"), "Page");
        if (status == PL_BAD_DOCUMENT)
            status = PL_OK;
        pl_pdf_cache_release(&file->cache, mark);
        pl_arena_release(&file->arena, mark);
        if (page)
            status = pl_pdf_pages_add(file, ref, fault);
    }
    return status;
}

static pl_status open_by_scan(struct pl_pdf_file *file, const char *password,
                              struct pl_fault *fault)
{
    struct pl_pdf_scan scan = { .arena = &file->shared->arena };
    file_forget(file);
    file->may_repair = false;
    file->repaired = true;
    pl_status status = pl_pdf_scan_file(file, &scan);
    if (status == PL_OK)
        status = trailer_make(file, &scan);
    if (status != PL_OK)
        goto done;
    file->table = &scan.table;
    status = pl_pdf_unlock(file, password, fault);
    if (status == PL_OK)
        status = pl_pdf_scan_packs(file, &scan);
    file->shared->table = scan.table;
    scan.table = (struct pl_pdf_table){ 0 };
    file->table = &file->shared->table;
    if (status != PL_OK)
        goto done;
    status = catalog_load(file);
    if (status == PL_BAD_DOCUMENT && scan.catalog > 0) {
        status = root_make(scan.arena, scan.catalog, &scan.root);
        if (status == PL_OK)
            status = trailer_make(file, &scan);
        if (status == PL_OK)
            status = catalog_load(file);
    }
    if (status == PL_OK)
        status = pl_pdf_pages_walk(file, fault);
    if (status == PL_BAD_DOCUMENT)
        file->shared->leaf_count = 0;
    if ((status == PL_OK || status == PL_BAD_DOCUMENT) && file->shared->leaf_count == 0)
        status = pages_gather(file, fault);
done:
    pl_pdf_scan_fini(&scan);
    return status;
}

static pl_status open_fault(const struct pl_pdf_file *file, pl_status status,
                            struct pl_fault *fault)
{
    if (status == PL_OK && file->shared->leaf_count == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "the PDF has no page that can be found");
    switch ((int)status) {
    case PL_OK:
        return PL_OK;
    case PL_BAD_DOCUMENT:
        return pl_fault_set(fault, status,
                            "the PDF is damaged: neither its cross-reference nor a "
                            "search leads to its pages");
    case PL_TOO_LARGE:
        return pl_fault_set(fault, status,
                            "the PDF's structure takes more than the limits allow: 8,388,607 "
                            "objects, 128 MiB of them at a time");
    default:
        return pl_fault_set(fault, status, "the PDF cannot be opened: %s", pl_status_text(status));
    }
}

pl_status pl_pdf_file_open(struct pl_source *source, const struct pl_limits *limits,
                           const char *password, struct pl_pdf_file **out, struct pl_fault *fault)
{
    struct pl_fault first = { 0 }; /* of a try that is followed by another */
    struct pl_pdf_shared *shared = shared_new(limits);
    struct pl_pdf_file *file = shared != NULL ? file_new(source, shared) : NULL;
    if (file == NULL) {
        shared_drop(shared);
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory to open a PDF");
    }
    file->opening = true;
    pl_status status = open_as_stated(file, password, &first);
    if (status == PL_BAD_DOCUMENT) {
        status = open_by_scan(file, password, fault);
    } else if (status != PL_OK && first.reason[0] != '\0') {
        status = pl_fault_set(fault, first.status, "%s", first.reason);
    }
    file->opening = false;
    file->may_repair = !file->repaired;
    status = open_fault(file, status, fault);
    if (status != PL_OK) {
        pl_pdf_file_free(file);
        return status;
    }
    pl_pdf_work_refill(file);
    *out = file;
    return PL_OK;
}

/* --- what is asked --------------------------------------------------------------------------- */

bool pl_pdf_file_is_repaired(const struct pl_pdf_file *file)
{
    return file->repaired;
}

bool pl_pdf_file_is_encrypted(const struct pl_pdf_file *file)
{
    return file->shared->encrypted;
}

const struct pl_pdf_value *pl_pdf_file_trailer(const struct pl_pdf_file *file)
{
    return file->shared->trailer;
}

const struct pl_pdf_value *pl_pdf_file_catalog(const struct pl_pdf_file *file)
{
    return file->shared->catalog != NULL ? file->shared->catalog : &pl_pdf_null;
}

uint32_t pl_pdf_file_objects(const struct pl_pdf_file *file)
{
    return file->table->count;
}

size_t pl_pdf_file_mark(const struct pl_pdf_file *file)
{
    return pl_arena_mark(&file->arena);
}

void pl_pdf_file_release(struct pl_pdf_file *file, size_t mark)
{
    pl_pdf_cache_release(&file->cache, mark);
    pl_arena_release(&file->arena, mark);
    if (!file->opening)
        pl_pdf_work_refill(file);
}
