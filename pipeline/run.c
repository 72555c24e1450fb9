/* run: pages are loaded by whoever is free and written in order by the caller.
 *
 * A ring of threads + 2 slots is the window: page n lives in slot n mod window from the moment it
 * is claimed until it is written, and nobody claims a page past the window. The caller's thread
 * writes what is ready and loads pages itself while it would have to wait, so that short pages cost
 * no hand-over at all and the first fault in page order is the one that is told.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run.h"

#include "pipeline/codec/codec.h"
#include "pipeline/page_ledger.h"
#include "pipeline/pdf/pdf_out.h"

#include <pthread.h>
#include <stdlib.h>

#define RUN_THREADS_MAX 64
#define RUN_STACK_BYTES ((size_t)1 << 20)
#define RUN_KEEP_BYTES ((size_t)1 << 24) /* a larger buffer is not kept for the next page */

struct run_input {
    struct pl_reader *reader;
    uint32_t first; /* index of its first page in the whole document */
    uint32_t count;
};

struct run_slot {
    struct pl_page page;
    struct pl_fault fault;
    pl_status status;
    bool ready;
};

struct run {
    const struct pl_run_job *job;
    struct run_input *inputs;
    uint32_t total;
    uint64_t bytes_in;
    uint32_t window;
    struct run_slot *slots;
    pthread_mutex_t lock; /* guards what follows, `ready` of the slots and cloning of inputs */
    pthread_cond_t filled;
    pthread_cond_t room;
    uint32_t next;    /* first page that nobody has claimed */
    uint32_t written; /* pages that are done with */
    unsigned idle;    /* threads that wait for room */
    bool stop;
};

/* One thread's way to the inputs: a clone of the one that it reads now. */
struct run_view {
    struct run *run;
    pthread_t thread;
    size_t input;
    struct pl_source *source;
};

/* What pthreads cannot refuse to a correct program. */
static void run_lock(struct run *run)
{
    PL_CHECK(pthread_mutex_lock(&run->lock) == 0);
}

static void run_unlock(struct run *run)
{
    PL_CHECK(pthread_mutex_unlock(&run->lock) == 0);
}

static void run_wait(struct run *run, pthread_cond_t *for_what)
{
    PL_CHECK(pthread_cond_wait(for_what, &run->lock) == 0);
}

static void view_close(struct run_view *view)
{
    if (view->source != NULL)
        view->source->ops->free(view->source);
    view->source = NULL;
}

static pl_status view_open(struct run_view *view, size_t input)
{
    if (view->source != NULL && view->input == input)
        return PL_OK;
    view_close(view);
    struct pl_source *original = view->run->job->inputs[input];
    run_lock(view->run);
    view->source = original->ops->clone(original);
    run_unlock(view->run);
    view->input = input;
    return view->source == NULL ? PL_NO_MEMORY : PL_OK;
}

/* The input that page n of the document is in. */
static size_t run_input_of(const struct run *run, uint32_t n)
{
    size_t low = 0;
    size_t high = run->job->input_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (run->inputs[middle].first <= n) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* An empty page that keeps the memory of the one before. */
static void slot_reset(struct run_slot *slot, const struct pl_limits *limits)
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

/* Loads page n, which this thread has claimed, into its slot. Without the lock. */
static void view_load(struct run_view *view, uint32_t n)
{
    struct run *run = view->run;
    struct run_slot *slot = &run->slots[n % run->window];
    size_t input = run_input_of(run, n);
    const struct run_input *from = &run->inputs[input];
    slot_reset(slot, run->job->limits);
    slot->status = view_open(view, input);
    if (slot->status == PL_OK) {
        slot->status = from->reader->ops->load(from->reader, view->source, n - from->first,
                                               &slot->page, &slot->fault);
    }
}

/* Under the lock: claims a page inside the window. */
static bool run_claim(struct run *run, uint32_t *n)
{
    if (run->stop || run->next == run->total || run->next - run->written >= run->window)
        return false;
    *n = run->next++;
    return true;
}

static void *run_on_thread(void *argument)
{
    struct run_view *view = argument;
    struct run *run = view->run;
    run_lock(run);
    while (!run->stop && run->next < run->total) {
        uint32_t n = 0;
        if (!run_claim(run, &n)) {
            run->idle++;
            run_wait(run, &run->room);
            run->idle--;
            continue;
        }
        run_unlock(run);
        view_load(view, n);
        run_lock(run);
        run->slots[n % run->window].ready = true;
        if (n == run->written)
            PL_CHECK(pthread_cond_signal(&run->filled) == 0);
    }
    run_unlock(run);
    view_close(view);
    return NULL;
}

/* On the caller's thread: returns when page `written` is ready, loading pages meanwhile. */
static struct run_slot *run_await(struct run *run, struct run_view *view)
{
    run_lock(run);
    struct run_slot *slot = &run->slots[run->written % run->window];
    while (!slot->ready) {
        uint32_t n = 0;
        if (!run_claim(run, &n)) {
            run_wait(run, &run->filled);
            continue;
        }
        run_unlock(run);
        view_load(view, n);
        run_lock(run);
        run->slots[n % run->window].ready = true;
    }
    run_unlock(run);
    return slot;
}

static void run_release(struct run *run, struct run_slot *slot)
{
    run_lock(run);
    slot->ready = false;
    run->written++;
    if (run->idle > 0)
        PL_CHECK(pthread_cond_signal(&run->room) == 0);
    run_unlock(run);
}

/* Passes on what a reader found, and says in which of several inputs it was. */
static pl_status run_blame(const struct run *run, size_t input, pl_status status,
                           const struct pl_fault *found, struct pl_fault *fault)
{
    const char *reason = found->status != PL_OK ? found->reason : pl_status_text(status);
    if (run->job->input_count == 1)
        return pl_fault_set(fault, status, "%s", reason);
    return pl_fault_set(fault, status, "input %zu: %s", input + 1, reason);
}

static pl_status run_check_output(const struct run *run, const struct pl_out *out,
                                  struct pl_fault *fault)
{
    uint64_t limit = run->job->limits->output_bytes;
    if (out->size <= limit)
        return PL_OK;
    return pl_fault_set(fault, PL_TOO_LARGE, "the result is larger than %llu MB, the limit",
                        (unsigned long long)(limit >> 20));
}

/* Writes page n and its line of the page ledger. */
static pl_status run_write(struct run *run, const struct pl_out *out, struct pl_pdf_out *pdf,
                           const struct pl_page *page, struct pl_run_result *result,
                           struct pl_fault *fault)
{
    uint32_t n = run->written;
    uint64_t bytes = 0;
    pl_status status = pl_pdf_out_page(pdf, page, &bytes);
    if (status != PL_OK) {
        return pl_fault_set(fault, status, "page %u cannot be written: %s", n + 1,
                            pl_status_text(status));
    }
    status = run_check_output(run, out, fault);
    result->by_how[page->how]++;
    if (status == PL_OK) {
        status =
            pl_page_ledger_add(&result->page_ledger, n + 1, run_input_of(run, n) + 1, page, bytes);
    }
    return status;
}

static pl_status run_end(const struct run *run, const struct pl_out *out,
                         struct pl_run_result *result, struct pl_fault *fault)
{
    struct pl_documents *documents = run->job->documents;
    enum pl_format format = run->job->plan->convert.to;
    const struct pl_run_document document = {
        .n = 1,
        .type = pl_format_type(format),
        .extension = pl_format_extension(format),
        .pages = run->total,
        .page_ledger = { (const char *)result->page_ledger.data, result->page_ledger.size },
    };
    result->documents = 1;
    result->bytes_out = out->size;
    return documents->ops->end(documents, &document, fault);
}

static pl_status run_pages(struct run *run, struct run_view *view, struct pl_run_result *result,
                           struct pl_fault *fault)
{
    const struct pl_run_job *job = run->job;
    struct pl_pdf_out *pdf = NULL;
    struct pl_out *out = NULL;
    pl_status status = job->documents->ops->begin(job->documents, 1, &out, fault);
    if (status == PL_OK)
        status = pl_pdf_out_new(out, &pdf);
    while (status == PL_OK && run->written < run->total) {
        struct run_slot *slot = run_await(run, view);
        status = slot->status;
        if (status == PL_OK) {
            status = run_write(run, out, pdf, &slot->page, result, fault);
        } else {
            size_t input = run_input_of(run, run->written);
            status = run_blame(run, input, status, &slot->fault, fault);
        }
        run_release(run, slot);
        if (status == PL_OK && job->on_page != NULL)
            job->on_page(job->owner, run->written, run->total);
    }
    if (status == PL_OK)
        status = pl_pdf_out_end(pdf);
    if (status == PL_OK)
        status = run_check_output(run, out, fault);
    if (status == PL_OK)
        status = pl_page_ledger_end(&result->page_ledger);
    pl_pdf_out_free(pdf);
    if (status == PL_OK)
        status = run_end(run, out, result, fault);
    return status;
}

/* Starts up to `wanted` threads; how many there are. Fewer only make it slower. */
static unsigned run_start(struct run *run, struct run_view *threads, unsigned wanted)
{
    unsigned started = 0;
    pthread_attr_t small;
    PL_CHECK(pthread_attr_init(&small) == 0);
    PL_CHECK(pthread_attr_setstacksize(&small, RUN_STACK_BYTES) == 0);
    for (; started < wanted; started++) {
        struct run_view *view = &threads[started];
        *view = (struct run_view){ .run = run };
        if (pthread_create(&view->thread, &small, run_on_thread, view) != 0)
            break;
    }
    PL_CHECK(pthread_attr_destroy(&small) == 0);
    return started;
}

static void run_stop(struct run *run, struct run_view *threads, unsigned started)
{
    run_lock(run);
    run->stop = true;
    PL_CHECK(pthread_cond_broadcast(&run->room) == 0);
    run_unlock(run);
    for (unsigned i = 0; i < started; i++)
        PL_CHECK(pthread_join(threads[i].thread, NULL) == 0);
}

static pl_status run_parallel(struct run *run, struct pl_run_result *result, struct pl_fault *fault)
{
    struct run_view mine = { .run = run };
    struct run_view threads[RUN_THREADS_MAX];
    unsigned started = run_start(run, threads, run->window - 2);
    pl_status status = run_pages(run, &mine, result, fault);
    run_stop(run, threads, started);
    view_close(&mine);
    return status;
}

/* Opens input i and counts its pages against the limits. */
static pl_status run_open_input(struct run *run, size_t i, struct pl_fault *fault)
{
    const struct pl_run_job *job = run->job;
    const struct pl_reader_ops *ops = NULL;
    struct run_input *input = &run->inputs[i];
    uint32_t limit = job->limits->pages;
    const struct pl_open_settings settings = { .limits = job->limits, .want = PL_WANT_PICTURE };
    if (job->plan->max_pages > 0 && job->plan->max_pages < limit)
        limit = job->plan->max_pages;
    pl_status status = pl_sniff(job->inputs[i], &ops, fault);
    if (status == PL_OK && !pl_plan_accepts(job->plan, ops->name)) {
        return pl_fault_set(fault, PL_UNSUPPORTED, "this pipeline does not accept %s documents",
                            ops->name);
    }
    if (status == PL_OK)
        status = ops->open(job->inputs[i], &settings, &input->reader, fault);
    if (status != PL_OK)
        return status;
    input->first = run->total;
    input->count = ops->page_count(input->reader);
    if (input->count == 0)
        return pl_fault_set(fault, PL_BAD_DOCUMENT, "the document has no pages");
    if (input->count > limit - run->total) {
        return pl_fault_set(fault, PL_TOO_LARGE, "the document has %llu pages, the limit is %u",
                            (unsigned long long)run->total + input->count, limit);
    }
    run->total += input->count;
    run->bytes_in += job->inputs[i]->size;
    return PL_OK;
}

static pl_status run_open(struct run *run, struct pl_fault *fault)
{
    for (size_t i = 0; i < run->job->input_count; i++) {
        struct pl_fault found = { 0 };
        pl_status status = run_open_input(run, i, &found);
        if (status != PL_OK)
            return run_blame(run, i, status, &found, fault);
    }
    return PL_OK;
}

static void run_close(struct run *run)
{
    for (size_t i = 0; run->inputs != NULL && i < run->job->input_count; i++) {
        if (run->inputs[i].reader != NULL)
            run->inputs[i].reader->ops->close(run->inputs[i].reader);
    }
    for (uint32_t i = 0; run->slots != NULL && i < run->window; i++)
        pl_page_fini(&run->slots[i].page);
    free(run->inputs);
    free(run->slots);
    PL_CHECK(pthread_cond_destroy(&run->room) == 0);
    PL_CHECK(pthread_cond_destroy(&run->filled) == 0);
    PL_CHECK(pthread_mutex_destroy(&run->lock) == 0);
}

static void run_init(struct run *run)
{
    PL_CHECK(pthread_mutex_init(&run->lock, NULL) == 0);
    PL_CHECK(pthread_cond_init(&run->filled, NULL) == 0);
    PL_CHECK(pthread_cond_init(&run->room, NULL) == 0);
}

static uint32_t run_window(const struct run *run)
{
    unsigned threads = run->job->threads < RUN_THREADS_MAX ? run->job->threads : RUN_THREADS_MAX;
    return (threads < run->total - 1 ? threads : run->total - 1) + 2;
}

pl_status pl_run_plan(const struct pl_run_job *job, struct pl_run_result *out,
                      struct pl_fault *fault)
{
    PL_CHECK(job->input_count > 0);
    struct run run = { .job = job };
    struct pl_run_result result = { 0 };
    pl_status status = PL_NO_MEMORY;
    pl_page_ledger_init(&result.page_ledger);
    run_init(&run);
    run.inputs = calloc(job->input_count, sizeof *run.inputs);
    if (run.inputs == NULL)
        goto done;
    status = run_open(&run, fault);
    if (status != PL_OK)
        goto done;
    run.window = run_window(&run);
    run.slots = calloc(run.window, sizeof *run.slots);
    status = run.slots == NULL ? PL_NO_MEMORY : run_parallel(&run, &result, fault);
    result.bytes_in = run.bytes_in;
    result.pages = result.pages_in = run.total;
done:
    run_close(&run);
    if (status != PL_OK) {
        pl_run_result_fini(&result);
        return pl_fault_set(fault, status, "%s", pl_status_text(status));
    }
    *out = result;
    return PL_OK;
}

void pl_run_result_fini(struct pl_run_result *result)
{
    pl_bytes_fini(&result->page_ledger);
    *result = (struct pl_run_result){ 0 };
}
