/* pdf_import: the page object, and a queue of what it leads to.
 *
 * Objects are written one after the other, never within each other: an object that is named for the
 * first time gets its number and a place in the queue. Values are read when their turn has come and
 * let go with the page, so that memory holds one page's objects and 8 bytes (with the slack of a
 * hash table 16) for each object that was copied.
 *
 * Pages are entered into the map before anything is copied: a reference to a page that was written
 * leads there, one to a page that was not is cut.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_import.h"

#include "pipeline/pdf/pdf_import_priv.h"
#include "pipeline/pdf/pdf_walk.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS_FIRST 256
#define DATA_BYTES ((size_t)1 << 30)      /* of one stream */
#define DATA_KEPT_BYTES ((size_t)1 << 22) /* a larger buffer is not kept for the next one */

pl_status pl_pdf_import_new(struct pl_pdf_writer *writer, unsigned part, struct pl_pdf_import **out)
{
    struct pl_pdf_import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return PL_NO_MEMORY;
    import->writer = writer;
    import->part = part;
    pl_bytes_init(&import->data, DATA_BYTES);
    *out = import;
    return PL_OK;
}

void pl_pdf_import_free(struct pl_pdf_import *import)
{
    if (import == NULL)
        return;
    while (import->sources != NULL) {
        struct pl_import_source *source = import->sources;
        import->sources = source->next;
        free(source->pairs);
        free(source);
    }
    pl_bytes_fini(&import->data);
    free(import->queue);
    free(import);
}

/* Where the pair of that number is or belongs. */
static struct pl_import_pair *pair_place(struct pl_import_pair *pairs, size_t capacity,
                                         uint32_t from)
{
    uint32_t hash = from * 2654435761U;
    size_t at = hash & (capacity - 1);
    while (pairs[at].from != 0 && pairs[at].from != from)
        at = (at + 1) & (capacity - 1);
    return &pairs[at];
}

static pl_status source_grow(struct pl_import_source *source)
{
    size_t capacity = source->capacity == 0 ? PAIRS_FIRST : source->capacity * 2;
    struct pl_import_pair *pairs = calloc(capacity, sizeof *pairs);
    if (pairs == NULL)
        return PL_NO_MEMORY;
    for (size_t i = 0; i < source->capacity; i++) {
        if (source->pairs[i].from != 0)
            *pair_place(pairs, capacity, source->pairs[i].from) = source->pairs[i];
    }
    free(source->pairs);
    source->pairs = pairs;
    source->capacity = capacity;
    return PL_OK;
}

static pl_status source_put(struct pl_import_source *source, uint32_t object, uint32_t to)
{
    if (2 * (source->count + 1) > source->capacity) {
        pl_status status = source_grow(source);
        if (status != PL_OK)
            return status;
    }
    struct pl_import_pair *pair = pair_place(source->pairs, source->capacity, object + 1);
    source->count += pair->from == 0;
    *pair = (struct pl_import_pair){ object + 1, to };
    return PL_OK;
}

/* A file that is met for the first time: none of its pages travels yet. */
static pl_status source_new(struct pl_pdf_file *file, struct pl_import_source **out)
{
    pl_status status = PL_OK;
    struct pl_import_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return PL_NO_MEMORY;
    source->file = file;
    for (uint32_t n = 0; n < pl_pdf_page_count(file) && status == PL_OK; n++)
        status = source_put(source, pl_pdf_page_ref(file, n).number, 0);
    if (status == PL_OK) {
        *out = source;
    } else {
        free(source->pairs);
        free(source);
    }
    return status;
}

static pl_status import_settle(struct pl_pdf_import *import, struct pl_pdf_file *file)
{
    for (struct pl_import_source *source = import->sources; source != NULL; source = source->next) {
        if (source->file == file) {
            import->source = source;
            return PL_OK;
        }
    }
    struct pl_import_source *source = NULL;
    pl_status status = source_new(file, &source);
    if (status != PL_OK)
        return status;
    source->next = import->sources;
    import->sources = import->source = source;
    return PL_OK;
}

static pl_status queue_add(struct pl_pdf_import *import, const struct pl_import_item *item)
{
    if (import->queue_count == import->queue_room) {
        size_t room = import->queue_room == 0 ? 64 : import->queue_room * 2;
        struct pl_import_item *queue = realloc(import->queue, room * sizeof *queue);
        if (queue == NULL)
            return PL_NO_MEMORY;
        import->queue = queue;
        import->queue_room = room;
    }
    import->queue[import->queue_count++] = *item;
    return PL_OK;
}

uint32_t pl_import_lookup(const struct pl_pdf_import *import, struct pl_pdf_ref from)
{
    const struct pl_import_source *source = import->source;
    return source->capacity > 0 ? pair_place(source->pairs, source->capacity, from.number + 1)->to
                                : 0;
}

pl_status pl_import_number(struct pl_pdf_import *import, struct pl_pdf_ref from,
                           enum pl_import_role role, uint32_t *out)
{
    struct pl_import_source *source = import->source;
    if (source->capacity > 0) {
        const struct pl_import_pair *pair =
            pair_place(source->pairs, source->capacity, from.number + 1);
        if (pair->from != 0) {
            *out = pair->to;
            return PL_OK;
        }
    }
    uint32_t number = pl_pdf_reserve(import->writer);
    if (number == 0)
        return pl_pdf_status(import->writer);
    const struct pl_import_item item = { from, number, role };
    pl_status status = source_put(source, from.number, number);
    if (status == PL_OK)
        status = queue_add(import, &item);
    if (status == PL_OK)
        *out = number;
    return status;
}

static pl_status import_item(struct pl_pdf_import *import, const struct pl_import_item *item)
{
    const struct pl_pdf_value *value = NULL;
    struct pl_fault found = { 0 };
    pl_status status = pl_pdf_load_object(import->source->file, item->from, &value, &found);
    if (status != PL_OK) {
        return pl_fault_set(import->fault, status, "object %u of the PDF cannot be read: %s",
                            item->from.number,
                            found.status != PL_OK ? found.reason : pl_status_text(status));
    }
    return item->role == PL_IMPORT_ANY ? pl_import_any(import, value, item->number)
                                       : pl_import_known(import, value, item->role, item->number);
}

/* What the page led to, and what that leads to. */
static pl_status import_queue(struct pl_pdf_import *import)
{
    pl_status status = PL_OK;
    while (import->queue_head < import->queue_count && status == PL_OK) {
        struct pl_import_item item = import->queue[import->queue_head++];
        status = import_item(import, &item);
        if (status == PL_OK)
            status = pl_pdf_status(import->writer);
        if (import->data.capacity > DATA_KEPT_BYTES)
            pl_bytes_fini(&import->data);
    }
    import->queue_head = import->queue_count = 0;
    return status;
}

static pl_status page_entry(struct pl_pdf_import *import, uint32_t n, const char *key, bool inherit)
{
    struct pl_pdf_file *file = import->source->file;
    const struct pl_pdf_value *page = NULL;
    const struct pl_pdf_value *value = NULL;
    pl_status status =
        inherit ? pl_pdf_page_inherited(file, n, key, &value, import->fault)
                : pl_pdf_load_object(file, pl_pdf_page_ref(file, n), &page, import->fault);
    if (status == PL_OK && !inherit)
        return pl_import_entry(import, page, key);
    if (status != PL_OK || value->kind == PL_PDF_NULL)
        return status;
    pl_pdf_format(import->writer, "/%s", key);
    return pl_import_value(import, value);
}

static pl_status page_rotate(struct pl_pdf_import *import, const struct pl_pdf_page_ref *page)
{
    const struct pl_pdf_value *value = NULL;
    double said = 0;
    pl_status status = pl_pdf_page_inherited(page->file, page->n, "Rotate", &value, import->fault);
    if (status != PL_OK)
        return status;
    if (!pl_pdf_number_of(value, &said) || !(said > -3600 && said < 3600))
        said = 0;
    unsigned rotate = ((unsigned)(((int)said / 90 % 4 + 4) % 4) * 90 + page->rotate) % 360;
    if (rotate != 0)
        pl_pdf_format(import->writer, "/Rotate %u", rotate);
    return PL_OK;
}

/* Boxes that every reader takes: MediaBox is required, and readers assume Letter without one. */
static pl_status page_boxes(struct pl_pdf_import *import, const struct pl_pdf_page_ref *page)
{
    static const char *const own[] = { "BleedBox", "TrimBox", "ArtBox", "UserUnit" };
    const struct pl_pdf_value *media = NULL;
    pl_status status =
        pl_pdf_page_inherited(page->file, page->n, "MediaBox", &media, import->fault);
    if (status != PL_OK)
        return status;
    if (media->kind == PL_PDF_ARRAY && media->as.array.count == 4) {
        status = page_entry(import, page->n, "MediaBox", true);
    } else {
        pl_pdf_format(import->writer, "/MediaBox[0 0 612 792]");
    }
    if (status == PL_OK)
        status = page_entry(import, page->n, "CropBox", true);
    for (size_t i = 0; i < PL_COUNT_OF(own) && status == PL_OK; i++)
        status = page_entry(import, page->n, own[i], false);
    return status;
}

/* Everything that shows; what is left out (thumbnails, article beads, structure, transitions,
 * actions, private data of programs) belongs to the document or to nobody who reads the result. */
static pl_status page_rest(struct pl_pdf_import *import, const struct pl_pdf_page_ref *page,
                           const struct pl_pdf_value *object)
{
    static const char *const own[] = { "Contents", "Group", "VP", "Metadata" };
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(own) && status == PL_OK; i++)
        status = pl_import_entry(import, object, own[i]);
    if (status == PL_OK) {
        status =
            page_entry(import, page->n, "Resources", pl_pdf_dict_peek(object, "Resources") == NULL);
    }
    return status == PL_OK ? pl_import_annotations(import, object) : status;
}

static pl_status import_object(struct pl_pdf_import *import, const struct pl_pdf_page_ref *page,
                               uint32_t number, uint32_t parent)
{
    const struct pl_pdf_value *object = NULL;
    struct pl_pdf_names names = { 0 };
    bool any = page->want == PL_WANT_PDF;
    pl_status status = pl_pdf_load_object(page->file, pl_pdf_page_ref(page->file, page->n), &object,
                                          import->fault);
    if (status == PL_OK && !any)
        status = pl_import_page_names(import, page->n, &names);
    if (status != PL_OK)
        goto done;
    pl_pdf_begin(import->writer, number);
    pl_pdf_format(import->writer, "<</Type/Page/Parent %u 0 R", parent);
    status = page_boxes(import, page);
    if (status == PL_OK)
        status = page_rotate(import, page);
    if (status == PL_OK) {
        status = any ? page_rest(import, page, object)
                     : pl_import_page_content(import, object, page->n, &names);
    }
    pl_pdf_format(import->writer, ">>");
    pl_pdf_end(import->writer);
    if (status == PL_OK)
        status = pl_pdf_status(import->writer);
done:
    pl_pdf_names_fini(&names);
    return status;
}

pl_status pl_pdf_import_page(struct pl_pdf_import *import, const struct pl_pdf_page_ref *page,
                             uint32_t number, uint32_t parent, struct pl_fault *fault)
{
    struct pl_fault found = { 0 };
    size_t mark = pl_pdf_file_mark(page->file);
    import->fault = &found;
    import->page = page;
    import->want = page->want;
    pl_status status = import_settle(import, page->file);
    if (status == PL_OK)
        status = source_put(import->source, pl_pdf_page_ref(page->file, page->n).number, number);
    if (status == PL_OK)
        status = import_object(import, page, number, parent);
    if (status == PL_OK)
        status = import_queue(import);
    pl_pdf_file_release(page->file, mark);
    import->queue_head = import->queue_count = 0;
    import->fault = NULL;
    import->page = NULL;
    if (status == PL_OK)
        return PL_OK;
    return pl_fault_set(fault, status, "page %u: %s", page->n + 1,
                        found.status != PL_OK ? found.reason : pl_status_text(status));
}
