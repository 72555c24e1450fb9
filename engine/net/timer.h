/* timer: one deadline on the loop.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_NET_TIMER_H
#define PL_ENGINE_NET_TIMER_H

#include "engine/net/loop.h"

struct pl_timer;
typedef void pl_timer_fn(void *owner);

pl_status pl_timer_new(struct pl_loop *loop, pl_timer_fn *fn, void *owner,
                       struct pl_timer **out) PL_MUST_USE;
/* Closes on the loop and frees itself afterwards; fn is not called any more. NULL is fine. */
void pl_timer_free(struct pl_timer *timer);
/* Fires once after `after_ms`, then every `repeat_ms` unless 0. Restarts a running timer. */
void pl_timer_start(struct pl_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void pl_timer_stop(struct pl_timer *timer);

#endif
