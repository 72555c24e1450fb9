/* queue: a ring of tenants that have something waiting.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/queue.h"

#include <stdlib.h>

struct queue_tenant {
    struct pl_list node;
    struct pl_list waiting;
    struct pl_id id;
};

struct pl_queue {
    struct pl_list tenants; /* only those with something waiting; first is next */
    size_t size;
};

pl_status pl_queue_new(struct pl_queue **out)
{
    struct pl_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return PL_NO_MEMORY;
    pl_list_init(&queue->tenants);
    *out = queue;
    return PL_OK;
}

void pl_queue_free(struct pl_queue *queue)
{
    if (queue == NULL)
        return;
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(&queue->tenants)) != NULL) {
        struct queue_tenant *tenant = PL_CONTAINER_OF(node, struct queue_tenant, node);
        while (pl_list_take_first(&tenant->waiting) != NULL)
            ;
        free(tenant);
    }
    free(queue);
}

static struct queue_tenant *queue_find(struct pl_queue *queue, const struct pl_id *id)
{
    PL_LIST_FOR(node, &queue->tenants)
    {
        struct queue_tenant *tenant = PL_CONTAINER_OF(node, struct queue_tenant, node);
        if (pl_id_equals(&tenant->id, id))
            return tenant;
    }
    return NULL;
}

pl_status pl_queue_push(struct pl_queue *queue, const struct pl_id *tenant, struct pl_list *node)
{
    struct queue_tenant *found = queue_find(queue, tenant);
    if (found == NULL) {
        found = calloc(1, sizeof *found);
        if (found == NULL)
            return PL_NO_MEMORY;
        found->id = *tenant;
        pl_list_init(&found->waiting);
        pl_list_append(&queue->tenants, &found->node);
    }
    pl_list_append(&found->waiting, node);
    queue->size++;
    return PL_OK;
}

void pl_queue_remove(struct pl_queue *queue, const struct pl_id *tenant, struct pl_list *node)
{
    struct queue_tenant *found = queue_find(queue, tenant);
    PL_CHECK(found != NULL && !pl_list_is_empty(&found->waiting));
    pl_list_remove(node);
    queue->size--;
    if (!pl_list_is_empty(&found->waiting))
        return;
    pl_list_remove(&found->node);
    free(found);
}

struct pl_list *pl_queue_pop(struct pl_queue *queue)
{
    struct pl_list *first = pl_list_take_first(&queue->tenants);
    if (first == NULL)
        return NULL;
    struct queue_tenant *tenant = PL_CONTAINER_OF(first, struct queue_tenant, node);
    struct pl_list *node = pl_list_take_first(&tenant->waiting);
    queue->size--;
    if (pl_list_is_empty(&tenant->waiting))
        free(tenant);
    else
        pl_list_append(&queue->tenants, &tenant->node);
    return node;
}

size_t pl_queue_size(const struct pl_queue *queue)
{
    return queue->size;
}
