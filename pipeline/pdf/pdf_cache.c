/* pdf_cache: the objects that were read: a log in the order of the arena, and a hash over it.
 *
 * Probing is linear and entries leave only in the reverse order of their coming, so that emptying
 * a slot never breaks the way to another one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_file_priv.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_FIRST 64

static size_t cache_begin(const struct pl_pdf_cache *cache, uint32_t number)
{
    return (size_t)(number * (uint32_t)2654435761U) & (cache->slot_count - 1);
}

static size_t cache_next(const struct pl_pdf_cache *cache, size_t slot)
{
    return (slot + 1) & (cache->slot_count - 1);
}

const struct pl_pdf_loaded *pl_pdf_cache_lookup(const struct pl_pdf_cache *cache, uint32_t number)
{
    if (cache->slot_count == 0)
        return NULL;
    for (size_t slot = cache_begin(cache, number); cache->slots[slot] != 0;
         slot = cache_next(cache, slot)) {
        const struct pl_pdf_loaded *loaded = &cache->loaded[cache->slots[slot] - 1];
        if (loaded->number == number)
            return loaded;
    }
    return NULL;
}

static void cache_enter(struct pl_pdf_cache *cache, size_t index)
{
    size_t slot = cache_begin(cache, cache->loaded[index].number);
    while (cache->slots[slot] != 0)
        slot = cache_next(cache, slot);
    cache->slots[slot] = (uint32_t)index + 1;
}

/* At most half full. */
static pl_status cache_grow(struct pl_pdf_cache *cache)
{
    size_t capacity = cache->capacity > 0 ? cache->capacity * 2 : CACHE_FIRST;
    if (capacity > (size_t)PL_PDF_NUMBERS * 2)
        return PL_TOO_LARGE;
    struct pl_pdf_loaded *loaded = realloc(cache->loaded, capacity * sizeof *loaded);
    if (loaded == NULL)
        return PL_NO_MEMORY;
    cache->loaded = loaded;
    uint32_t *slots = calloc(capacity * 2, sizeof *slots);
    if (slots == NULL)
        return PL_NO_MEMORY;
    free(cache->slots);
    cache->slots = slots;
    cache->slot_count = capacity * 2;
    cache->capacity = capacity;
    for (size_t i = 0; i < cache->count; i++)
        cache_enter(cache, i);
    return PL_OK;
}

pl_status pl_pdf_cache_add(struct pl_pdf_cache *cache, uint32_t number, size_t mark,
                           const struct pl_pdf_value *value)
{
    if (cache->count == cache->capacity) {
        pl_status status = cache_grow(cache);
        if (status != PL_OK)
            return status;
    }
    cache->loaded[cache->count] = (struct pl_pdf_loaded){ number, mark, value };
    cache_enter(cache, cache->count++);
    return PL_OK;
}

void pl_pdf_cache_release(struct pl_pdf_cache *cache, size_t mark)
{
    while (cache->count > 0 && cache->loaded[cache->count - 1].mark >= mark) {
        size_t slot = cache_begin(cache, cache->loaded[cache->count - 1].number);
        while (cache->slots[slot] != cache->count)
            slot = cache_next(cache, slot);
        cache->slots[slot] = 0;
        cache->count--;
    }
}

void pl_pdf_cache_fini(struct pl_pdf_cache *cache)
{
    free(cache->loaded);
    free(cache->slots);
    *cache = (struct pl_pdf_cache){ 0 };
}
