/* queue: jobs that wait, in turn between tenants, first in first out within one.
 *
 * Round robin: a tenant that has waited longest since its last turn goes first, however many jobs
 * another one sent.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_QUEUE_H
#define PL_ENGINE_CORE_QUEUE_H

#include "engine/base/ids.h"
#include "engine/base/list.h"
#include "engine/base/status.h"

struct pl_queue;

pl_status pl_queue_new(struct pl_queue **out) PL_MUST_USE;
/* Nodes that are still in it are left alone. */
void pl_queue_free(struct pl_queue *queue);

/* Last of its tenant. PL_NO_MEMORY for a tenant's first. */
pl_status pl_queue_push(struct pl_queue *queue, const struct pl_id *tenant,
                        struct pl_list *node) PL_MUST_USE;
/* Takes out a node that was pushed for that tenant and has not been popped. */
void pl_queue_remove(struct pl_queue *queue, const struct pl_id *tenant, struct pl_list *node);
/* The next node in turn, or NULL. */
struct pl_list *pl_queue_pop(struct pl_queue *queue);
size_t pl_queue_size(const struct pl_queue *queue);

#endif
