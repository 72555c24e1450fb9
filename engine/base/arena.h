/* arena: memory that dies together; one for a request, a page, a parse.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_ARENA_H
#define PL_ENGINE_BASE_ARENA_H

#include "engine/base/text.h"

struct pl_arena_block;

/* Hands out memory from blocks, up to `limit` bytes in all. */
struct pl_arena {
    struct pl_arena_block *blocks;
    size_t used;
    size_t limit;
};

void pl_arena_init(struct pl_arena *arena, size_t limit);
void pl_arena_fini(struct pl_arena *arena);

/* Zeroed, aligned for any type; NULL when the limit or memory is reached. */
void *pl_arena_take(struct pl_arena *arena, size_t size);
/* A terminated copy; NULL as above. */
char *pl_arena_text(struct pl_arena *arena, struct pl_span span);

/* Where the arena stands now; pl_arena_release gives back all that was taken since. */
size_t pl_arena_mark(const struct pl_arena *arena);
void pl_arena_release(struct pl_arena *arena, size_t mark);

#endif
