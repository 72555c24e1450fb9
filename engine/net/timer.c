/* timer: a uv_timer_t that frees itself in its close callback.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/net/timer.h"

#include <uv.h>

#include <stdlib.h>

struct pl_timer {
    uv_timer_t uv;
    pl_timer_fn *fn;
    void *owner;
};

static void timer_on_fire(uv_timer_t *uv)
{
    struct pl_timer *timer = PL_CONTAINER_OF(uv, struct pl_timer, uv);
    timer->fn(timer->owner);
}

static void timer_on_closed(uv_handle_t *handle)
{
    free(PL_CONTAINER_OF(handle, struct pl_timer, uv));
}

pl_status pl_timer_new(struct pl_loop *loop, pl_timer_fn *fn, void *owner, struct pl_timer **out)
{
    struct pl_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return PL_NO_MEMORY;
    timer->fn = fn;
    timer->owner = owner;
    (void)uv_timer_init(pl_loop_uv(loop), &timer->uv);
    *out = timer;
    return PL_OK;
}

void pl_timer_free(struct pl_timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->uv, timer_on_closed);
}

void pl_timer_start(struct pl_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
    (void)uv_timer_start(&timer->uv, timer_on_fire, after_ms, repeat_ms);
}

void pl_timer_stop(struct pl_timer *timer)
{
    (void)uv_timer_stop(&timer->uv);
}
