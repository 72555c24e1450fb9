/* reader_walk: the way that run.c goes over a document, for tests.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check_page(const struct pl_page *page)
{
    uint64_t rows = 0;
    size_t bytes = 0;
    PL_CHECK(page->part_count > 0 && page->width_px > 0 && page->height_px > 0);
    for (size_t i = 0; i < page->part_count; i++) {
        PL_CHECK(page->parts[i].at == bytes && page->parts[i].size > 0);
        rows += page->parts[i].rows;
        bytes += page->parts[i].size;
    }
    PL_CHECK(rows == page->height_px && bytes == page->data.size);
    PL_CHECK(page->x_mdpi > 0 && page->y_mdpi > 0);
    PL_CHECK(page->orientation >= 1 && page->orientation <= 8);
    PL_CHECK(page->filter != PL_FILTER_G4 || page->colour == PL_COLOUR_BILEVEL);
}

void walk_bytes(const void *data, size_t size, walk_page_fn *on_page, void *owner,
                struct walk_verdict *out)
{
    const struct pl_reader_ops *ops = NULL;
    struct pl_reader *reader = NULL;
    struct pl_source *source = NULL;
    double begin = cpu_seconds();
    *out = (struct walk_verdict){ 0 };
    out->status = pl_source_memory_new(data, size, &source);
    if (out->status == PL_OK)
        out->status = pl_sniff(source, &ops, &out->fault);
    if (out->status == PL_OK)
        out->status = ops->open(source, &(struct pl_open_settings){ .limits = &pl_limits_default },
                                &reader, &out->fault);
    uint32_t count = out->status == PL_OK ? ops->page_count(reader) : 0;
    for (uint32_t n = 0; n < count && out->status == PL_OK; n++) {
        struct pl_page page;
        pl_page_init(&page, pl_limits_default.page_bytes);
        out->status = ops->load(reader, source, n, &page, &out->fault);
        if (out->status == PL_OK) {
            check_page(&page);
            if (n < sizeof out->how - 1)
                out->how[n] = page.how == PL_PAGE_COPIED ? 'c' : 'e';
            out->pages++;
            if (on_page != NULL)
                on_page(owner, &page);
        }
        pl_page_fini(&page);
    }
    if (reader != NULL)
        ops->close(reader);
    if (source != NULL)
        source->ops->free(source);
    out->seconds = cpu_seconds() - begin;
    /* A refusal has a sentence of its own, and nothing is refused by accident. */
    PL_CHECK(out->status == PL_OK || out->fault.status == out->status);
}

bool walk_read_file(const char *path, uint8_t **data, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        if (file != NULL)
            (void)fclose(file);
        return false;
    }
    *size = (size_t)info.st_size;
    *data = malloc(*size + 1);
    bool whole = *data != NULL && fread(*data, 1, *size, file) == *size;
    (void)fclose(file);
    if (!whole)
        free(*data);
    return whole;
}

static bool name_ends(const char *name, const char *const *endings)
{
    for (size_t i = 0; endings != NULL && endings[i] != NULL; i++) {
        size_t length = strlen(name);
        size_t ending = strlen(endings[i]);
        if (length >= ending && strcmp(name + length - ending, endings[i]) == 0)
            return true;
    }
    return endings == NULL;
}

static unsigned folder_visit(const char *folder, int depth, const char *const *endings,
                             void (*visit)(void *owner, const char *path), void *owner)
{
    DIR *handle = opendir(folder);
    unsigned count = 0;
    if (handle == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(handle)) != NULL;) {
        char path[4096];
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode) && depth > 1)
            count += folder_visit(path, depth - 1, endings, visit, owner);
        if (S_ISREG(info.st_mode) && name_ends(entry->d_name, endings)) {
            visit(owner, path);
            count++;
        }
    }
    (void)closedir(handle);
    return count;
}

unsigned walk_folder(const char *folder, const char *const *endings,
                     void (*visit)(void *owner, const char *path), void *owner)
{
    return folder_visit(folder, 2, endings, visit, owner);
}
