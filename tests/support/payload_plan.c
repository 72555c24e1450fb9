/* payload_plan: stands in for the pipeline in a worker whose documents are orders to misbehave.
 *
 * Linked with workers/worker_main.c into platen-worker-payload, so that the sandbox, the frames
 * and the pool are the real ones and only the "reading of a document" is not.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ORDER_BYTES 64
#define INTERPRET "interpret:" /* before an order that only an interpreter follows */

pl_status pl_plan_compile(struct pl_span definition, struct pl_plan *out, struct pl_fault *fault)
{
    if (pl_span_equals(definition, "broken"))
        return pl_fault_set(fault, PL_MISCONFIGURED, "no such plan");
    *out = (struct pl_plan){ .convert = { .to = PL_FORMAT_PDFA_2B } };
    return PL_OK;
}

void pl_plan_fini(struct pl_plan *plan)
{
    *plan = (struct pl_plan){ 0 };
}

char *pl_plan_write_simple(const char *name, enum pl_format to, char *out, size_t size)
{
    (void)to;
    (void)snprintf(out, size, "%s", name);
    return out;
}

const char *pl_format_type(enum pl_format format)
{
    (void)format;
    return "application/pdf";
}

void pl_run_result_fini(struct pl_run_result *result)
{
    pl_bytes_fini(&result->page_ledger);
}

struct payload {
    const struct pl_run_job *job;
    struct pl_run_result *result;
    struct pl_fault *fault;
    struct pl_out *output;
};

static pl_status payload_copy(const struct payload *payload)
{
    struct pl_source *source = payload->job->inputs[0];
    uint8_t data[5000];
    for (uint64_t at = 0; at < source->size;) {
        size_t part = source->size - at < sizeof data ? (size_t)(source->size - at) : sizeof data;
        pl_status status = pl_source_read(source, at, data, part);
        if (status == PL_OK)
            status = pl_out_write(payload->output, data, part);
        if (status != PL_OK)
            return status;
        at += part;
    }
    return PL_OK;
}

static pl_status payload_pid(const struct payload *payload)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%d", (int)getpid());
    return pl_out_write(payload->output, text, strlen(text));
}

static pl_status payload_segv(const struct payload *payload)
{
    volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)payload;
    *nowhere = 1;
    return PL_OK;
}

static pl_status payload_abort(const struct payload *payload)
{
    (void)payload;
    abort();
}

static pl_status payload_exit(const struct payload *payload)
{
    (void)payload;
    _exit(7);
}

static pl_status payload_hang(const struct payload *payload)
{
    sem_t never;
    (void)payload;
    (void)sem_init(&never, 0, 0);
    while (sem_wait(&never) != 0)
        continue;
    return PL_OK;
}

static pl_status payload_sleep(const struct payload *payload)
{
    sem_t never;
    struct timespec until;
    (void)sem_init(&never, 0, 0);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 300 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (sem_timedwait(&never, &until) != 0 && errno == EINTR)
        continue;
    return payload_pid(payload);
}

static pl_status payload_spin(const struct payload *payload)
{
    volatile bool forever = payload->job != NULL;
    while (forever)
        continue;
    return PL_OK;
}

static pl_status payload_eat(const struct payload *payload)
{
    (void)payload;
    for (;;) {
        void *volatile memory = malloc((size_t)1 << 20); /* or a compiler leaves it out */
        if (memory == NULL)
            return PL_NO_MEMORY;
        memset(memory, 1, 1 << 20);
    }
}

static pl_status payload_open(const struct payload *payload)
{
    (void)payload;
    return open("/etc/passwd", O_RDONLY) < 0 ? PL_DENIED : PL_OK;
}

static pl_status payload_fill(const struct payload *payload)
{
    static const uint8_t zeros[4096];
    pl_status status = PL_OK;
    while (status == PL_OK)
        status = pl_out_write(payload->output, zeros, sizeof zeros);
    return status;
}

static pl_status payload_chatter(const struct payload *payload)
{
    for (int i = 0; i < 5000; i++)
        (void)fprintf(stderr, "line %d \033[31m red\n", i);
    return payload_pid(payload);
}

static pl_status payload_ledger(const struct payload *payload)
{
    static const char entry[] = "{\"n\":1,\"how\":\"copied\"},";
    pl_bytes_init(&payload->result->page_ledger, (size_t)1 << 20);
    for (int i = 0; i < 10000; i++) {
        pl_status status = pl_bytes_append(&payload->result->page_ledger, entry, sizeof entry - 1);
        if (status != PL_OK)
            return status;
        payload->job->on_page(payload->job->owner, (uint32_t)i, 10000);
    }
    payload->result->pages = 10000;
    return payload_pid(payload);
}

/* Ends in repair; what to say about it would break a line. */
static pl_status payload_repair(const struct payload *payload)
{
    payload->result->repaired = true;
    payload->result->by_how[PL_PAGE_RENDERED] = 1;
    (void)snprintf(payload->result->note, sizeof payload->result->note, "page 1 was\ndamaged");
    return payload_pid(payload);
}

/* The rest of the order is a document for the interpreter. */
static pl_status payload_draw(const struct payload *payload)
{
    static uint8_t data[1 << 16];
    struct pl_source *source = payload->job->inputs[0];
    struct pl_source *document = NULL;
    struct pl_source *made = NULL;
    struct pl_interpreted report;
    struct pl_interpreter *interpreter = payload->job->interpreter;
    size_t size = source->size < sizeof data ? (size_t)source->size : sizeof data;
    pl_status status = pl_source_read(source, 0, data, size);
    const uint8_t *start = status == PL_OK ? memchr(data, '\n', size) : NULL;
    if (interpreter == NULL || start == NULL)
        return PL_BAD_REQUEST;
    status = pl_source_memory_new(start + 1, size - (size_t)(start + 1 - data), &document);
    if (status != PL_OK)
        return status;
    status = interpreter->ops->to_pdf(interpreter, document, NULL, 0, payload->job->limits, &made,
                                      &report, payload->fault);
    document->ops->free(document);
    for (uint64_t at = 0; status == PL_OK && at < made->size;) {
        size_t part = made->size - at < sizeof data ? (size_t)(made->size - at) : sizeof data;
        status = pl_source_read(made, at, data, part);
        if (status == PL_OK)
            status = pl_out_write(payload->output, data, part);
        at += part;
    }
    if (made != NULL)
        made->ops->free(made);
    return status;
}

static void *payload_thread(void *memory)
{
    void *own = malloc(300000);
    if (own != NULL)
        memset(own, 3, 300000);
    free(own);
    return memory;
}

static pl_status payload_threads(const struct payload *payload)
{
    pthread_t threads[16];
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < 16; i++)
            if (pthread_create(&threads[i], NULL, payload_thread, NULL) != 0)
                return PL_NO_MEMORY;
        for (int i = 0; i < 16; i++)
            (void)pthread_join(threads[i], NULL);
    }
    return payload_pid(payload);
}

static pl_status payload_refuse(const struct payload *payload)
{
    return pl_fault_set(payload->fault, PL_BAD_DOCUMENT, "page 1 is\nnot a page");
}

/* What the launcher left of the world: user, group, number of environment strings. */
static pl_status payload_identity(const struct payload *payload)
{
    char text[64];
    unsigned strings = 0;
    while (environ[strings] != NULL)
        strings++;
    (void)snprintf(text, sizeof text, "%lu %lu %u", getauxval(AT_EUID), getauxval(AT_EGID),
                   strings);
    return pl_out_write(payload->output, text, strlen(text));
}

static pl_status payload_nothing(const struct payload *payload)
{
    (void)payload;
    return PL_OK;
}

static const struct {
    const char *order;
    pl_status (*run)(const struct payload *payload);
} payloads[] = {
    { "abort", payload_abort },       { "chatter", payload_chatter },
    { "copy", payload_copy },         { "eat", payload_eat },
    { "draw", payload_draw },         { "exit", payload_exit },
    { "fill", payload_fill },         { "hang", payload_hang },
    { "identity", payload_identity }, { "ledger", payload_ledger },
    { "nothing", payload_nothing },   { "open", payload_open },
    { "pid", payload_pid },           { "refuse", payload_refuse },
    { "repair", payload_repair },     { "segv", payload_segv },
    { "sleep", payload_sleep },       { "spin", payload_spin },
    { "threads", payload_threads },
};

static pl_status payload_end(const struct payload *payload, uint32_t n, bool is_one_of_many)
{
    struct pl_documents *documents = payload->job->documents;
    struct pl_run_document document = {
        .n = n, .type = "application/pdf", .extension = "pdf", .pages = payload->result->pages
    };
    if (is_one_of_many)
        (void)snprintf(document.suffix, sizeof document.suffix, "-%03u", n);
    if (payload->result->page_ledger.size > 0)
        document.page_ledger = (struct pl_span){ (char *)payload->result->page_ledger.data,
                                                 payload->result->page_ledger.size };
    return documents->ops->end(documents, &document, payload->fault);
}

static pl_status payload_run(struct payload *payload, pl_status (*run)(const struct payload *))
{
    struct pl_documents *documents = payload->job->documents;
    pl_status status = documents->ops->begin(documents, 1, &payload->output, payload->fault);
    if (status == PL_OK)
        status = run(payload);
    return status == PL_OK ? payload_end(payload, 1, false) : status;
}

/* Each document is its number; with a page ledger of its own. */
static pl_status payload_many(struct payload *payload, uint32_t count)
{
    struct pl_documents *documents = payload->job->documents;
    pl_bytes_init(&payload->result->page_ledger, 64);
    for (uint32_t n = 1; n <= count; n++) {
        char text[32];
        (void)snprintf(text, sizeof text, "document %u", n);
        pl_status status = documents->ops->begin(documents, n, &payload->output, payload->fault);
        if (status == PL_OK)
            status = pl_out_write(payload->output, text, strlen(text));
        pl_bytes_clear(&payload->result->page_ledger);
        if (status == PL_OK)
            status = pl_bytes_format(&payload->result->page_ledger, "[%u]", n);
        if (status == PL_OK)
            status = payload_end(payload, n, true);
        if (status != PL_OK)
            return status;
    }
    return PL_OK;
}

pl_status pl_run_plan(const struct pl_run_job *job, struct pl_run_result *out,
                      struct pl_fault *fault)
{
    struct payload payload = { job, out, fault, NULL };
    char order[ORDER_BYTES + 1] = { 0 };
    struct pl_source *source = job->inputs[0];
    size_t size = source->size < ORDER_BYTES ? (size_t)source->size : ORDER_BYTES;
    pl_status status = pl_source_read(source, 0, order, size);
    if (status != PL_OK)
        return status;
    order[strcspn(order, "\n")] = '\0';
    if (strncmp(order, INTERPRET, strlen(INTERPRET)) == 0) {
        if (job->interpreter == NULL)
            return PL_NEEDS_INTERPRETER;
        memmove(order, order + strlen(INTERPRET), sizeof order - strlen(INTERPRET));
    }
    out->pages = 1;
    for (size_t i = 0; i < PL_COUNT_OF(payloads); i++)
        if (strcmp(order, payloads[i].order) == 0)
            return payload_run(&payload, payloads[i].run);
    if (strncmp(order, "many ", 5) == 0)
        return payload_many(&payload, (uint32_t)strtoul(order + 5, NULL, 10));
    return pl_fault_set(fault, PL_BAD_DOCUMENT, "no such order");
}
