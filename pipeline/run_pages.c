/* run_pages: pages are loaded by whoever is free and written in order by the caller.
 *
 * A ring of threads + 2 slots is the window: page n lives in slot n mod window from the moment it
 * is claimed until it is written, and nobody claims a page past the window. The caller's thread
 * writes what is ready and loads pages itself while it would have to wait, so that short pages cost
 * no hand-over at all and the first fault in page order is the one that is told.
 *
 * A page that must be drawn is drawn by the caller's thread alone, which has the interpreter, and
 * encoded by whoever is free.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/fit.h"
#include "pipeline/image/page_encode.h"
#include "pipeline/run_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define RUN_THREADS_MAX 64
#define RUN_STACK_BYTES ((size_t)1 << 20)
#define RUN_WORTH_NS UINT64_C(10000000)  /* of work that is left */
#define RUN_KEEP_BYTES ((size_t)1 << 24) /* a larger buffer is not kept for the next page */

enum slot_state {
    SLOT_EMPTY, /* or being worked on */
    SLOT_DRAWN, /* `picture` is to be encoded */
    SLOT_READY, /* to be written, or to be told why not */
};

struct slot {
    struct pl_page page;
    struct pl_picture picture;
    struct pl_fault fault;
    pl_status status;
    enum slot_state state;
};

struct ring {
    struct pl_run_inputs *inputs;
    const struct pl_run_job *job;
    const struct pl_writer_ops *writer;
    uint32_t window;
    struct slot *slots;
    pthread_mutex_t lock; /* guards what follows, states of the slots and cloning of sources */
    pthread_cond_t filled;
    pthread_cond_t room;
    uint32_t next;    /* first page that nobody has claimed for loading */
    uint32_t draw;    /* the same for drawing; not beyond a page that is loaded */
    uint32_t written; /* pages that are done with */
    unsigned idle;    /* threads that wait for room */
    bool stop;
    struct view *threads; /* the caller's own: room, and how many run */
    unsigned started;
    bool is_started;
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

/* Brings a page into the shape that the writer asks for. */
static void slot_fit(const struct ring *ring, struct slot *slot)
{
    bool is_drawn = slot->page.how == PL_PAGE_RENDERED;
    if (!is_drawn && slot->page.bytes_in == 0)
        slot->page.bytes_in = slot->page.data.size;
    slot->status = pl_fit_page(&ring->job->plan->convert, ring->writer, ring->job->limits,
                               &slot->page, &slot->fault);
    if (is_drawn)
        slot->page.how = PL_PAGE_RENDERED;
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
    if (from->source == ring->inputs->items[place.input].made)
        slot->page.how = PL_PAGE_RENDERED; /* whatever is done to it now */
    if (slot->status == PL_OK)
        slot_fit(ring, slot);
}

/* Encodes what was drawn into the slot. Without the lock. */
static void slot_encode(const struct ring *ring, struct slot *slot)
{
    slot->status = slot->picture.colour == PL_COLOUR_BILEVEL
                       ? pl_page_encode_g4(&slot->picture, &slot->page)
                       : pl_page_encode_flate(&slot->picture, &slot->page);
    pl_picture_fini(&slot->picture);
    slot->picture = (struct pl_picture){ .pixels = NULL };
    if (slot->status == PL_OK)
        slot_fit(ring, slot);
}

/* Draws page n, which is the caller's, into its slot. Without the lock. */
static void ring_draw(struct ring *ring, uint32_t n)
{
    struct slot *slot = &ring->slots[n % ring->window];
    struct pl_run_place place = pl_run_inputs_place(ring->inputs, n);
    slot_reset(slot, ring->job->limits);
    slot->status = pl_run_render(ring->inputs, &place, &slot->page, &slot->picture, &slot->fault);
}

/* Where page n lies; a page of a run without an interpreter is never drawn. */
static bool ring_is_drawn(const struct ring *ring, uint32_t n)
{
    return ring->inputs->renders && pl_run_inputs_place(ring->inputs, n).way >= PL_RUN_WAY_RENDER;
}

static bool ring_holds(const struct ring *ring, uint32_t n)
{
    return n < ring->inputs->total && n - ring->written < ring->window;
}

/* Work that any thread can do. */
struct work {
    uint32_t n;
    bool is_drawn; /* to be encoded, else to be loaded */
};

/* Under the lock: claims a page inside the window. */
static bool ring_claim(struct ring *ring, struct work *out)
{
    if (ring->stop)
        return false;
    for (uint32_t n = ring->written; ring->inputs->renders && n < ring->draw; n++) {
        struct slot *slot = &ring->slots[n % ring->window];
        if (slot->state == SLOT_DRAWN) {
            slot->state = SLOT_EMPTY;
            *out = (struct work){ n, true };
            return true;
        }
    }
    if (ring->next < ring->written) /* what was drawn and written meanwhile */
        ring->next = ring->written;
    while (ring_holds(ring, ring->next) && ring_is_drawn(ring, ring->next))
        ring->next++;
    if (!ring_holds(ring, ring->next))
        return false;
    *out = (struct work){ ring->next++, false };
    return true;
}

/* Under the lock: the next page in the window that the caller has to draw. */
static bool ring_claim_drawing(struct ring *ring, uint32_t *n)
{
    if (ring->draw < ring->written)
        ring->draw = ring->written;
    while (ring->inputs->renders && ring_holds(ring, ring->draw)) {
        *n = ring->draw++;
        if (ring_is_drawn(ring, *n))
            return true;
    }
    return false;
}

/* Does the work; the lock is given up meanwhile. */
static void view_work(struct view *view, const struct work *work)
{
    struct ring *ring = view->ring;
    struct slot *slot = &ring->slots[work->n % ring->window];
    ring_unlock(ring);
    if (work->is_drawn)
        slot_encode(ring, slot);
    else
        view_load(view, work->n);
    ring_lock(ring);
    slot->state = SLOT_READY;
}

static void *ring_on_thread(void *argument)
{
    struct view *view = argument;
    struct ring *ring = view->ring;
    ring_lock(ring);
    while (!ring->stop && ring->written < ring->inputs->total) {
        struct work work;
        if (!ring_claim(ring, &work)) {
            if (ring->next == ring->inputs->total && !ring->inputs->renders)
                break;
            ring->idle++;
            ring_wait(ring, &ring->room);
            ring->idle--;
            continue;
        }
        view_work(view, &work);
        if (work.n == ring->written)
            PL_CHECK(pthread_cond_signal(&ring->filled) == 0);
    }
    ring_unlock(ring);
    view_close(view);
    return NULL;
}

/* Under the lock, on the caller's thread: draws a page, so that others can encode it. */
static void ring_do_drawing(struct ring *ring, uint32_t n)
{
    struct slot *slot = &ring->slots[n % ring->window];
    ring_unlock(ring);
    ring_draw(ring, n);
    ring_lock(ring);
    slot->state = slot->status == PL_OK ? SLOT_DRAWN : SLOT_READY;
    if (ring->idle > 0)
        PL_CHECK(pthread_cond_signal(&ring->room) == 0);
}

/* On the caller's thread: returns when page `written` is ready, working meanwhile. */
static struct slot *ring_await(struct ring *ring, struct view *view)
{
    ring_lock(ring);
    struct slot *slot = &ring->slots[ring->written % ring->window];
    while (slot->state != SLOT_READY) {
        struct work work;
        uint32_t n = 0;
        if (ring_claim_drawing(ring, &n))
            ring_do_drawing(ring, n);
        else if (ring_claim(ring, &work))
            view_work(view, &work);
        else
            ring_wait(ring, &ring->filled);
    }
    ring_unlock(ring);
    return slot;
}

/* The page that nobody has claimed yet gets the larger buffer. Pages that one thread copies then
 * all pass through the same memory, instead of new memory in each slot. With threads, or pages that
 * are drawn ahead, its slot may be in use. */
static void ring_hand_over(struct ring *ring, struct slot *slot)
{
    struct slot *next = &ring->slots[ring->next % ring->window];
    struct pl_bytes data = slot->page.data;
    if (ring->started > 0 || ring->inputs->renders || !ring_holds(ring, ring->next) ||
        next->page.data.capacity >= data.capacity)
        return;
    slot->page.data = next->page.data;
    next->page.data = data;
}

static void ring_release(struct ring *ring, struct slot *slot)
{
    ring_lock(ring);
    slot->state = SLOT_EMPTY;
    ring->written++;
    ring_hand_over(ring, slot);
    if (ring->idle > 0)
        PL_CHECK(pthread_cond_signal(&ring->room) == 0);
    ring_unlock(ring);
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

/* Time that this thread worked: on a machine that is busy with others a page takes long that is not
 * worth a thread. */
static uint64_t worked_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* A thread for a long page, unless few are left: starting it costs as much as it saves. */
static bool ring_is_worth(const struct ring *ring, uint64_t page_ns)
{
    uint64_t left = ring->inputs->total - ring->written;
    return page_ns > (uint64_t)ring->job->threads_after_us * 1000 && page_ns * left > RUN_WORTH_NS;
}

/* Waits for the next page, and starts the threads when it was worth one. */
static struct slot *ring_await_timed(struct ring *ring, struct view *view)
{
    if (ring->is_started)
        return ring_await(ring, view);
    bool waits = ring->job->threads_after_us > 0;
    uint64_t began_ns = waits ? worked_ns() : 0;
    struct slot *slot = waits ? ring_await(ring, view) : NULL;
    if (!waits || ring_is_worth(ring, worked_ns() - began_ns)) {
        ring->is_started = true;
        ring->started = ring_start(ring, ring->threads, ring->window - 2);
    }
    return slot == NULL ? ring_await(ring, view) : slot;
}

/* Content of a page was lost: never silently. */
static void ring_tell_loss(struct ring *ring, size_t input, const struct pl_page *page)
{
    char sentence[160];
    if (ring->job->input_count == 1)
        (void)pl_text_format(sentence, sizeof sentence, "page %u: %s", page->number, page->note);
    else
        (void)pl_text_format(sentence, sizeof sentence, "page %u of input %zu: %s", page->number,
                             input + 1, page->note);
    ring->inputs->repaired = true;
    pl_run_note(ring->inputs->note, sentence);
}

static pl_status ring_write(struct ring *ring, struct view *view, struct pl_run_outputs *output,
                            struct pl_fault *fault)
{
    const struct pl_run_job *job = ring->job;
    pl_status status = PL_OK;
    while (status == PL_OK && ring->written < ring->inputs->total) {
        struct slot *slot = ring_await_timed(ring, view);
        size_t input = pl_run_inputs_place(ring->inputs, ring->written).input;
        status = slot->status == PL_OK
                     ? pl_run_outputs_page(output, input, &slot->page, fault)
                     : pl_run_blame(job, input, slot->status, &slot->fault, fault);
        if (status == PL_OK && slot->page.is_short)
            ring_tell_loss(ring, input, &slot->page);
        ring_release(ring, slot);
        if (status == PL_OK && job->on_page != NULL)
            job->on_page(job->owner, ring->written, ring->inputs->total);
    }
    return status;
}

static void ring_stop(struct ring *ring)
{
    ring_lock(ring);
    ring->stop = true;
    PL_CHECK(pthread_cond_broadcast(&ring->room) == 0);
    ring_unlock(ring);
    for (unsigned i = 0; i < ring->started; i++)
        PL_CHECK(pthread_join(ring->threads[i].thread, NULL) == 0);
}

static uint32_t ring_window(const struct pl_run_job *job, uint32_t total)
{
    unsigned threads = job->threads < RUN_THREADS_MAX ? job->threads : RUN_THREADS_MAX;
    return (threads < total - 1 ? threads : total - 1) + 2;
}

static void ring_fini(struct ring *ring)
{
    for (uint32_t i = 0; ring->slots != NULL && i < ring->window; i++) {
        pl_page_fini(&ring->slots[i].page);
        pl_picture_fini(&ring->slots[i].picture);
    }
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
                         .window = ring_window(inputs->job, inputs->total),
                         .threads = threads };
    struct view mine = { .ring = &ring };
    pl_status status = PL_NO_MEMORY;
    PL_CHECK(pthread_mutex_init(&ring.lock, NULL) == 0);
    PL_CHECK(pthread_cond_init(&ring.filled, NULL) == 0);
    PL_CHECK(pthread_cond_init(&ring.room, NULL) == 0);
    ring.slots = calloc(ring.window, sizeof *ring.slots);
    if (ring.slots != NULL) {
        status = ring_write(&ring, &mine, output, fault);
        ring_stop(&ring);
        pl_run_render_end(inputs);
        view_close(&mine);
    }
    ring_fini(&ring);
    return status;
}
