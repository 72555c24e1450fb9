/* arena: blocks in a chain; what does not fit the current block opens a new one.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/arena.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES ((size_t)4096)
#define ARENA_ALIGN _Alignof(max_align_t)

struct pl_arena_block {
    struct pl_arena_block *next;
    size_t start; /* what the arena had handed out before it */
    size_t used;
    size_t size;
    max_align_t data[];
};

void pl_arena_init(struct pl_arena *arena, size_t limit)
{
    *arena = (struct pl_arena){ .limit = limit };
}

void pl_arena_fini(struct pl_arena *arena)
{
    struct pl_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct pl_arena_block *next = block->next;
        free(block);
        block = next;
    }
    pl_arena_init(arena, arena->limit);
}

void *pl_arena_take(struct pl_arena *arena, size_t size)
{
    size_t rounded = 0;
    if (!pl_size_add(size, ARENA_ALIGN - 1, &rounded))
        return NULL;
    rounded = rounded / ARENA_ALIGN * ARENA_ALIGN;
    if (rounded > arena->limit - arena->used)
        return NULL;
    struct pl_arena_block *block = arena->blocks;
    if (block == NULL || rounded > block->size - block->used) {
        size_t room = rounded > ARENA_BLOCK_BYTES ? rounded : ARENA_BLOCK_BYTES;
        size_t whole = 0;
        if (!pl_size_add(room, sizeof *block, &whole))
            return NULL;
        block = calloc(1, whole);
        if (block == NULL)
            return NULL;
        block->start = arena->used;
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = (char *)block->data + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memory;
}

char *pl_arena_text(struct pl_arena *arena, struct pl_span span)
{
    size_t size = 0;
    if (!pl_size_add(span.size, 1, &size))
        return NULL;
    char *copy = pl_arena_take(arena, size);
    if (copy != NULL && span.size > 0)
        memcpy(copy, span.data, span.size);
    return copy;
}

size_t pl_arena_mark(const struct pl_arena *arena)
{
    return arena->used;
}

void pl_arena_release(struct pl_arena *arena, size_t mark)
{
    PL_CHECK(mark <= arena->used);
    struct pl_arena_block *block = arena->blocks;
    while (block != NULL && block->start >= mark) {
        struct pl_arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = block;
    arena->used = mark;
    if (block == NULL)
        return;
    size_t kept = mark - block->start;
    memset((char *)block->data + kept, 0, block->used - kept);
    block->used = kept;
}
