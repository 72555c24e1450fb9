/* run_pages: pages are loaded by whoever is free and written in order by the caller.
 *
 * A ring of threads + 2 slots is the window: page n lives in slot n mod window from the moment it
 * is claimed until it is written, and nobody claims a page past the window. The caller's thread
 * writes what is ready and loads pages itself while it would have to wait, so that short pages cost
 * no hand-over at all and the first fault in page order is the one that is told.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run_priv.h"

#include <pthread.h>
#include <stdlib.h>

#define RUN_THREADS_MAX 64
#define RUN_STACK_BYTES ((size_t)1 << 20)
#define RUN_KEEP_BYTES ((size_t)1 << 24) /* a larger buffer is not kept for the next page */

struct slot {
    struct pl_page page;
    struct pl_fault fault;
    pl_status status;
    bool ready;
};

struct ring {
    struct pl_run_inputs *inputs;
    const struct pl_run_job *job;
    const struct pl_writer_ops *writer;
    uint32_t window;
    struct slot *slots;
    pthread_mutex_t lock; /* guards what follows, `ready` of the slots and cloning of sources */
    pthread_cond_t filled;
    pthread_cond_t room;
    uint32_t next;    /* first page that nobody has claimed */
    uint32_t written; /* pages that are done with */
    unsigned idle;    /* threads that wait for room */
    bool stop;
};

/* One thread's way to the inputs: a clone of the source that it reads now. */
struct view {
    struct ring *ring;
    pthread_t thread;
    const struct pl_source *original;
    struct pl_source *source;
};

/* What pthreads cannot refuse to a correct program. */
static void ring_lock(struct ring *ring)
{
    PL_CHECK(pthread_mutex_lock(&ring->lock) == 0);
}

static void ring_unlock(struct ring *ring)
{
    PL_CHECK(pthread_mutex_unlock(&ring->lock) == 0);
}

static void ring_wait(struct ring *ring, pthread_cond_t *for_what)
{
    PL_CHECK(pthread_cond_wait(for_what, &ring->lock) == 0);
}

static void view_close(struct view *view)
{
    if (view->source != NULL)
        view->source->ops->free(view->source);
    view->source = NULL;
}

static pl_status view_open(struct view *view, struct pl_source *original)
{
    if (view->source != NULL && view->original == original)
        return PL_OK;
    view_close(view);
    ring_lock(view->ring);
    view->source = original->ops->clone(original);
    ring_unlock(view->ring);
    view->original = original;
    return view->source == NULL ? PL_NO_MEMORY : PL_OK;
}

/* An empty page that keeps the memory of the one before. */
static void slot_reset(struct slot *slot, const struct pl_limits *limits)
{
    struct pl_bytes data = slot->page.data;
    slot->page.data = (struct pl_bytes){ 0 };
    pl_page_fini(&slot->page);
    pl_page_init(&slot->page, limits->page_bytes);
    if (data.capacity > RUN_KEEP_BYTES)
        pl_bytes_fini(&data);
    data.size = 0;
    data.limit = slot->page.data.limit;
    slot->page.data = data;
    slot->fault = (struct pl_fault){ 0 };
}

/* Brings a loaded page into the shape that the writer asks for. */
static pl_status slot_fit(const struct ring *ring, struct slot *slot)
{
    const struct pl_convert *convert = &ring->job->plan->convert;
    if (slot->page.bytes_in == 0)
        slot->page.bytes_in = slot->page.data.size;
    if (ring->writer->carries(convert, &slot->page))
        return PL_OK;
    return pl_fault_set(&slot->fault, PL_UNSUPPORTED, "page %u cannot be carried by %s as it is",
                        slot->page.number, pl_format_name(convert->to));
}

/* Loads page n, which this thread has claimed, into its slot. Without the lock. */
static void view_load(struct view *view, uint32_t n)
{
    struct ring *ring = view->ring;
    struct slot *slot = &ring->slots[n % ring->window];
    struct pl_run_place place = pl_run_inputs_place(ring->inputs, n);
    const struct pl_run_reading *from = &ring->inputs->items[place.input].readings[place.way];
    slot_reset(slot, ring->job->limits);
    slot->status = view_open(view, from->source);
    if (slot->status == PL_OK)
        slot->status = from->reader->ops->load(from->reader, view->source, place.page, &slot->page,
                                               &slot->fault);
    if (slot->status == PL_OK)
        slot->status = slot_fit(ring, slot);
}

/* Under the lock: claims a page inside the window. */
static bool ring_claim(struct ring *ring, uint32_t *n)
{
    if (ring->stop || ring->next == ring->inputs->total ||
        ring->next - ring->written >= ring->window)
        return false;
    *n = ring->next++;
    return true;
}

static void *ring_on_thread(void *argument)
{
    struct view *view = argument;
    struct ring *ring = view->ring;
    ring_lock(ring);
    while (!ring->stop && ring->next < ring->inputs->total) {
        uint32_t n = 0;
        if (!ring_claim(ring, &n)) {
            ring->idle++;
            ring_wait(ring, &ring->room);
            ring->idle--;
            continue;
        }
        ring_unlock(ring);
        view_load(view, n);
        ring_lock(ring);
        ring->slots[n % ring->window].ready = true;
        if (n == ring->written)
            PL_CHECK(pthread_cond_signal(&ring->filled) == 0);
    }
    ring_unlock(ring);
    view_close(view);
    return NULL;
}

/* On the caller's thread: returns when page `written` is ready, loading pages meanwhile. */
static struct slot *ring_await(struct ring *ring, struct view *view)
{
    ring_lock(ring);
    struct slot *slot = &ring->slots[ring->written % ring->window];
    while (!slot->ready) {
        uint32_t n = 0;
        if (!ring_claim(ring, &n)) {
            ring_wait(ring, &ring->filled);
            continue;
        }
        ring_unlock(ring);
        view_load(view, n);
        ring_lock(ring);
        ring->slots[n % ring->window].ready = true;
    }
    ring_unlock(ring);
    return slot;
}

static void ring_release(struct ring *ring, struct slot *slot)
{
    ring_lock(ring);
    slot->ready = false;
    ring->written++;
    if (ring->idle > 0)
        PL_CHECK(pthread_cond_signal(&ring->room) == 0);
    ring_unlock(ring);
}

static pl_status ring_write(struct ring *ring, struct view *view, struct pl_run_outputs *output,
                            struct pl_fault *fault)
{
    const struct pl_run_job *job = ring->job;
    pl_status status = PL_OK;
    while (status == PL_OK && ring->written < ring->inputs->total) {
        struct slot *slot = ring_await(ring, view);
        size_t input = pl_run_inputs_place(ring->inputs, ring->written).input;
        status = slot->status == PL_OK
                     ? pl_run_outputs_page(output, input, &slot->page, fault)
                     : pl_run_blame(job, input, slot->status, &slot->fault, fault);
        ring_release(ring, slot);
        if (status == PL_OK && job->on_page != NULL)
            job->on_page(job->owner, ring->written, ring->inputs->total);
    }
    return status;
}

/* Starts up to `wanted` threads; how many there are. Fewer only make it slower. */
static unsigned ring_start(struct ring *ring, struct view *threads, unsigned wanted)
{
    unsigned started = 0;
    pthread_attr_t small;
    PL_CHECK(pthread_attr_init(&small) == 0);
    PL_CHECK(pthread_attr_setstacksize(&small, RUN_STACK_BYTES) == 0);
    for (; started < wanted; started++) {
        struct view *view = &threads[started];
        *view = (struct view){ .ring = ring };
        if (pthread_create(&view->thread, &small, ring_on_thread, view) != 0)
            break;
    }
    PL_CHECK(pthread_attr_destroy(&small) == 0);
    return started;
}

static void ring_stop(struct ring *ring, struct view *threads, unsigned started)
{
    ring_lock(ring);
    ring->stop = true;
    PL_CHECK(pthread_cond_broadcast(&ring->room) == 0);
    ring_unlock(ring);
    for (unsigned i = 0; i < started; i++)
        PL_CHECK(pthread_join(threads[i].thread, NULL) == 0);
}

static uint32_t ring_window(const struct pl_run_job *job, uint32_t total)
{
    unsigned threads = job->threads < RUN_THREADS_MAX ? job->threads : RUN_THREADS_MAX;
    return (threads < total - 1 ? threads : total - 1) + 2;
}

static void ring_fini(struct ring *ring)
{
    for (uint32_t i = 0; ring->slots != NULL && i < ring->window; i++)
        pl_page_fini(&ring->slots[i].page);
    free(ring->slots);
    PL_CHECK(pthread_cond_destroy(&ring->room) == 0);
    PL_CHECK(pthread_cond_destroy(&ring->filled) == 0);
    PL_CHECK(pthread_mutex_destroy(&ring->lock) == 0);
}

pl_status pl_run_pages(struct pl_run_inputs *inputs, struct pl_run_outputs *output,
                       struct pl_fault *fault)
{
    struct view threads[RUN_THREADS_MAX];
    struct ring ring = { .inputs = inputs,
                         .job = inputs->job,
                         .writer = output->ops,
                         .window = ring_window(inputs->job, inputs->total) };
    struct view mine = { .ring = &ring };
    pl_status status = PL_NO_MEMORY;
    PL_CHECK(pthread_mutex_init(&ring.lock, NULL) == 0);
    PL_CHECK(pthread_cond_init(&ring.filled, NULL) == 0);
    PL_CHECK(pthread_cond_init(&ring.room, NULL) == 0);
    ring.slots = calloc(ring.window, sizeof *ring.slots);
    if (ring.slots != NULL) {
        unsigned started = ring_start(&ring, threads, ring.window - 2);
        status = ring_write(&ring, &mine, output, fault);
        ring_stop(&ring, threads, started);
        view_close(&mine);
    }
    ring_fini(&ring);
    return status;
}
