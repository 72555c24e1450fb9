/* list: doubly linked, intrusive, circular; no allocation, no owner.
 *
 * Three lines are hidden from the static analyser: it cannot see that a node that was taken out is
 * never reached again, and takes the next look at its neighbours for a use after free.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_BASE_LIST_H
#define PL_ENGINE_BASE_LIST_H

#include "engine/base/check.h"

/* A head, or a node in somebody's struct. A node that is in no list points at itself. */
struct pl_list {
    struct pl_list *next;
    struct pl_list *previous;
};

static inline void pl_list_init(struct pl_list *list)
{
    list->next = list->previous = list;
}

static inline bool pl_list_is_empty(const struct pl_list *list)
{
    return list->next == list; /* NOLINT(clang-analyzer-unix.Malloc) */
}

/* Last in the list whose head is `list`. The node must be in no list. */
static inline void pl_list_append(struct pl_list *list, struct pl_list *node)
{
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

/* Harmless on a node that is in no list. */
static inline void pl_list_remove(struct pl_list *node)
{
    node->previous->next = node->next; /* NOLINT(clang-analyzer-unix.Malloc) */
    node->next->previous = node->previous;
    pl_list_init(node);
}

/* Takes the first node out, or answers NULL. */
static inline struct pl_list *pl_list_take_first(struct pl_list *list)
{
    if (pl_list_is_empty(list))
        return NULL;
    struct pl_list *first = list->next;
    pl_list_remove(first); /* NOLINT(clang-analyzer-unix.Malloc) */
    return first;
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void pl_list_take_all(struct pl_list *to, struct pl_list *from)
{
    if (pl_list_is_empty(from))
        return;
    from->next->previous = to->previous;
    from->previous->next = to;
    to->previous->next = from->next;
    to->previous = from->previous;
    pl_list_init(from);
}

/* `node` is declared by the loop. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define PL_LIST_FOR(node, list)                                                                    \
    for (struct pl_list *node = (list)->next; node != (list); node = node->next)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
