/* pdf_in: PDF documents as pages, each a picture or a page to be imported as it is.
 *
 * Structure is read once, at open. A thread that loads pages works on a clone of the parsed file
 * over its own source; clones are kept in a pool by the source they stand on, because making one a
 * page would throw away what pages share (object streams, profiles). A source that comes back at an
 * address where another one stood before shows the same document, so that the clone there is as
 * good. The original file is for the thread that opens, surveys and, later, imports pages; so is
 * the one that an interpreter made it of.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"
#include "pipeline/pdf/pdf_import.h"
#include "pipeline/pdf/pdf_layers.h"
#include "pipeline/pdf/pdf_picture.h"
#include "pipeline/pdf/pdf_restore.h"
#include "pipeline/pdf/pdf_tally.h"

#include <pthread.h>
#include <stdlib.h>

#define POOL_CLONES 80 /* more threads than any run has */

struct clone {
    struct pl_source *source;
    struct pl_pdf_file *file;
    bool busy;
};

struct pool {
    pthread_mutex_t lock;
    struct clone clones[POOL_CLONES];
};

struct pdf_reader {
    struct pl_reader reader;
    struct pl_limits limits;
    enum pl_want want;
    struct pl_source *source;
    struct pl_pdf_file *file;
    struct pool *pool;
    /* Made by an interpreter: */
    struct pl_pdf_file *origin;     /* NULL: it was not */
    struct pl_pdf_restore *restore; /* its images */
    struct pl_pdf_tally *before;    /* a page of the origin each, once it was surveyed */
    uint32_t *after;                /* images of ours */
};

static void pool_lock(struct pool *pool)
{
    PL_CHECK(pthread_mutex_lock(&pool->lock) == 0);
}

static void pool_unlock(struct pool *pool)
{
    PL_CHECK(pthread_mutex_unlock(&pool->lock) == 0);
}

static struct pool *pool_new(void)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool != NULL)
        PL_CHECK(pthread_mutex_init(&pool->lock, NULL) == 0);
    return pool;
}

static void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < POOL_CLONES; i++) {
        PL_CHECK(!pool->clones[i].busy);
        pl_pdf_file_free(pool->clones[i].file);
    }
    PL_CHECK(pthread_mutex_destroy(&pool->lock) == 0);
    free(pool);
}

/* The clone over that source, else an idle place for one. NULL: all are at work. */
static struct clone *pool_claim(struct pool *pool, struct pl_source *source)
{
    struct clone *place = NULL;
    pool_lock(pool);
    for (size_t i = 0; i < POOL_CLONES; i++) {
        struct clone *clone = &pool->clones[i];
        if (clone->busy)
            continue;
        if (clone->source == source) {
            place = clone;
            break;
        }
        if (place == NULL || (clone->file == NULL && place->file != NULL))
            place = clone;
    }
    if (place != NULL)
        place->busy = true;
    pool_unlock(pool);
    return place;
}

static void pool_return(struct pool *pool, struct clone *clone)
{
    pool_lock(pool);
    clone->busy = false;
    pool_unlock(pool);
}

/* Loads the nodes above the first page for good, before anything that is let go page by page: the
 * root of a flat tree names every page, and would be read again for each of them. */
static pl_status file_warm(struct pl_pdf_file *file)
{
    static const char *const keys[] = { "CropBox", "Rotate" };
    const struct pl_pdf_value *value = NULL;
    struct pl_fault ignored = { 0 };
    pl_status status = PL_OK;
    for (size_t i = 0; i < PL_COUNT_OF(keys) && pl_pdf_page_count(file) > 0; i++)
        status = pl_pdf_page_inherited(file, 0, keys[i], &value, &ignored);
    return status == PL_BAD_DOCUMENT ? PL_OK : status; /* it is told where it matters */
}

/* Cloning only reads what was parsed at open. */
static pl_status clone_settle(const struct pdf_reader *reader, struct clone *clone,
                              struct pl_source *source)
{
    if (clone->file != NULL && clone->source == source)
        return PL_OK;
    pl_pdf_file_free(clone->file);
    clone->file = pl_pdf_file_clone(reader->file, source);
    clone->source = clone->file != NULL ? source : NULL;
    return clone->file != NULL ? file_warm(clone->file) : PL_NO_MEMORY;
}

static void pdf_close(struct pl_reader *base)
{
    struct pdf_reader *reader = (struct pdf_reader *)base;
    if (reader == NULL)
        return;
    pool_free(reader->pool);
    pl_pdf_restore_free(reader->restore);
    free(reader->before);
    free(reader->after);
    pl_pdf_file_free(reader->origin);
    pl_pdf_file_free(reader->file);
    free(reader);
}

/* Opens what it was made of; both have the same pages, or it is no help. */
static pl_status pdf_open_origin(struct pdf_reader *reader, struct pl_source *source,
                                 const char *password)
{
    struct pl_fault ignored = { .status = PL_OK };
    uint32_t pages = pl_pdf_page_count(reader->file);
    pl_status status =
        pl_pdf_file_open(source, &reader->limits, password, &reader->origin, &ignored);
    if (status == PL_OK && pl_pdf_page_count(reader->origin) != pages) {
        pl_pdf_file_free(reader->origin);
        reader->origin = NULL;
    }
    if (status != PL_OK || reader->origin == NULL)
        return status == PL_NO_MEMORY ? status : PL_OK;
    reader->before = calloc(pages, sizeof *reader->before);
    reader->after = calloc(pages, sizeof *reader->after);
    if (reader->before == NULL || reader->after == NULL)
        return PL_NO_MEMORY;
    const struct pl_pdf_images before = { reader->origin, source, &reader->limits, 1 };
    const struct pl_pdf_images after = { reader->file, reader->source, &reader->limits, 1 };
    return pl_pdf_restore_new(&before, &after, &reader->restore);
}

static pl_status pdf_open(struct pl_source *source, const struct pl_open_settings *settings,
                          struct pl_reader **out, struct pl_fault *fault)
{
    struct pdf_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return PL_NO_MEMORY;
    reader->reader.ops = &pl_pdf_reader;
    reader->limits = *settings->limits;
    reader->want = settings->want;
    reader->source = source;
    reader->pool = pool_new();
    pl_status status = reader->pool == NULL ? PL_NO_MEMORY : PL_OK;
    if (status == PL_OK)
        status = pl_pdf_file_open(source, &reader->limits,
                                  settings->origin == NULL ? settings->password : NULL,
                                  &reader->file, fault);
    if (status == PL_OK && pl_pdf_page_count(reader->file) > reader->limits.pages) {
        status =
            pl_fault_set(fault, PL_TOO_LARGE, "the document has %u pages, the most accepted are %u",
                         pl_pdf_page_count(reader->file), reader->limits.pages);
    }
    if (status == PL_OK)
        status = file_warm(reader->file);
    if (status == PL_OK && settings->origin != NULL && pl_pdf_page_count(reader->file) > 0)
        status = pdf_open_origin(reader, settings->origin, settings->password);
    if (status == PL_OK) {
        *out = &reader->reader;
    } else {
        pdf_close(&reader->reader);
    }
    return status;
}

static uint32_t pdf_page_count(const struct pl_reader *base)
{
    return pl_pdf_page_count(((const struct pdf_reader *)base)->file);
}

static pl_status page_needs_interpreter(uint32_t n, const char *why, struct pl_fault *fault)
{
    return pl_fault_set(fault, PL_NEEDS_INTERPRETER, "page %u %s", n + 1, why);
}

static pl_status survey_picture(const struct pdf_reader *reader, uint32_t n, struct pl_fault *fault)
{
    const struct pl_pdf_images images = { reader->file, reader->source, &reader->limits, n + 1 };
    struct pl_pdf_picture picture;
    pl_status status = pl_pdf_picture_read(&images, &picture, fault);
    if (status == PL_OK && picture.why != NULL)
        status = page_needs_interpreter(n, picture.why, fault);
    pl_pdf_picture_fini(&picture);
    return status;
}

static pl_status survey_allows(const struct pdf_reader *reader, uint32_t n, struct pl_fault *fault)
{
    bool allowed = false;
    const char *why = "is not allowed in PDF/A";
    pl_status status = pl_pdf_page_allows(reader->file, n, reader->want, &allowed, &why, fault);
    return status == PL_OK && !allowed ? page_needs_interpreter(n, why, fault) : status;
}

/* An imported page leaves the document's configuration of layers behind: what was hidden by it
 * would show. */
static pl_status survey_import(const struct pdf_reader *reader, uint32_t n, struct pl_fault *fault)
{
    bool shown = true;
    bool layered = false;
    pl_status status = pl_pdf_layers_all_shown(reader->file, &shown, fault);
    if (status == PL_OK && !shown)
        status = pl_pdf_page_is_layered(reader->file, n, &layered, fault);
    return status == PL_OK && layered
               ? page_needs_interpreter(n, "has layers that may be hidden", fault)
               : status;
}

/* Counts what the page paints now and painted before. */
static pl_status survey_images(struct pdf_reader *reader, uint32_t n)
{
    struct pl_pdf_tally after = { 0 };
    pl_status status = pl_pdf_tally_page(reader->origin, n, &reader->before[n]);
    if (status == PL_OK)
        status = pl_pdf_tally_page(reader->file, n, &after);
    reader->after[n] = after.images;
    reader->before[n].is_whole = reader->before[n].is_whole && after.is_whole;
    if (reader->before[n].is_transparent && !after.is_transparent && after.images > 0)
        reader->before[n].is_whole = false; /* flattened: there is no telling */
    return status;
}

static pl_status survey_page(const struct pdf_reader *reader, uint32_t n, struct pl_fault *fault)
{
    if (reader->want == PL_WANT_PICTURE)
        return survey_picture(reader, n, fault);
    return reader->want == PL_WANT_PDF ? survey_import(reader, n, fault)
                                       : survey_allows(reader, n, fault);
}

static pl_status pdf_survey(struct pl_reader *base, uint32_t n, struct pl_fault *fault)
{
    struct pdf_reader *reader = (struct pdf_reader *)base;
    PL_CHECK(n < pl_pdf_page_count(reader->file));
    size_t mark = pl_pdf_file_mark(reader->file);
    pl_status status = survey_page(reader, n, fault);
    if (status == PL_OK && reader->origin != NULL)
        status = survey_images(reader, n);
    pl_pdf_file_release(reader->file, mark);
    return status;
}

static void picture_note(const struct pl_pdf_picture *picture, struct pl_page *page)
{
    if (picture->hidden_text)
        pl_page_note(page, "invisible text left out");
    if (picture->covered)
        pl_page_note(page, "what its picture hides left out");
    if (picture->links)
        pl_page_note(page, "links left out");
}

static pl_status load_parts(const struct pl_pdf_images *images,
                            const struct pl_pdf_picture *picture, struct pl_page *page,
                            struct pl_fault *fault)
{
    page->width_px = picture->width_px;
    page->height_px = picture->height_px;
    page->x_mdpi = picture->x_mdpi;
    page->y_mdpi = picture->y_mdpi;
    page->orientation = picture->orientation;
    pl_status status = pl_limits_check(images->limits, images->number, page->width_px,
                                       page->height_px, 1, 1, fault);
    if (status == PL_OK)
        status = pl_pdf_image_describe(images, &picture->parts[0].image, page, fault);
    for (size_t i = 0; i < picture->count && status == PL_OK; i++)
        status = pl_pdf_image_load(images, &picture->parts[i].image, page, fault);
    return status;
}

static pl_status load_picture(const struct pdf_reader *reader, struct pl_pdf_file *file,
                              struct pl_source *source, struct pl_page *page,
                              struct pl_fault *fault)
{
    const struct pl_pdf_images images = { file, source, &reader->limits, page->number };
    struct pl_pdf_picture picture;
    pl_status status = pl_pdf_picture_read(&images, &picture, fault);
    if (status == PL_OK && picture.why != NULL)
        status = page_needs_interpreter(page->number - 1, picture.why, fault);
    if (status == PL_OK)
        status = load_parts(&images, &picture, page, fault);
    if (status == PL_OK)
        picture_note(&picture, page);
    pl_pdf_picture_fini(&picture);
    return status;
}

static pl_status load_reference(const struct pdf_reader *reader, uint32_t n, struct pl_page *page)
{
    page->pdf = malloc(sizeof *page->pdf);
    if (page->pdf == NULL)
        return PL_NO_MEMORY;
    *page->pdf = (struct pl_pdf_page_ref){
        .file = reader->file, .n = n, .want = reader->want, .restore = reader->restore
    };
    if (reader->origin != NULL && reader->before[n].is_whole &&
        reader->after[n] < reader->before[n].images) {
        page->is_short = true;
        pl_page_note(page, "%u of %u images lost", reader->before[n].images - reader->after[n],
                     reader->before[n].images);
    }
    page->kind = PL_PAGE_PDF;
    page->how = PL_PAGE_COPIED;
    return PL_OK;
}

static pl_status pdf_load(const struct pl_reader *base, struct pl_source *source, uint32_t n,
                          struct pl_page *page, struct pl_fault *fault)
{
    const struct pdf_reader *reader = (const struct pdf_reader *)base;
    PL_CHECK(n < pl_pdf_page_count(reader->file));
    page->number = n + 1;
    if (reader->want != PL_WANT_PICTURE)
        return load_reference(reader, n, page);
    struct clone *clone = pool_claim(reader->pool, source);
    if (clone == NULL)
        return pl_fault_set(fault, PL_BUSY, "more than %d pages are read at once", POOL_CLONES);
    pl_status status = clone_settle(reader, clone, source);
    if (status == PL_OK) {
        size_t mark = pl_pdf_file_mark(clone->file);
        status = load_picture(reader, clone->file, source, page, fault);
        pl_pdf_file_release(clone->file, mark);
    }
    pool_return(reader->pool, clone);
    return status;
}

const struct pl_reader_ops pl_pdf_reader = { .name = "pdf",
                                             .open = pdf_open,
                                             .page_count = pdf_page_count,
                                             .survey = pdf_survey,
                                             .load = pdf_load,
                                             .close = pdf_close };
