/* worker_rig: temporary files without names, a log that is kept, a loop that is turned by hand.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/worker_rig.h"

#include "tests/support/pl_test.h"
#include "workers/sealed_file.h"
#include "workers/worker_main.h"

#include <uv.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void rig_on_line(void *owner, const char *line, size_t size)
{
    struct worker_rig *rig = owner;
    if (size >= sizeof rig->log_text - rig->log_size)
        return;
    memcpy(rig->log_text + rig->log_size, line, size);
    rig->log_size += size;
    rig->log_text[rig->log_size] = '\0';
}

struct pl_pool_settings rig_settings(void)
{
    return (struct pl_pool_settings){ .processes = 2,
                                      .threads = 2,
                                      .memory_bytes = (uint64_t)400 << 20,
                                      .cpu_ms = 1000,
                                      .output_bytes = 1 << 20,
                                      .jobs_per_process = 100 };
}

static void rig_copy_program(struct worker_rig *rig, const char *program)
{
    char data[65536];
    (void)snprintf(rig->program, sizeof rig->program, "/tmp/platen-worker-%d", (int)getpid());
    (void)unlink(rig->program);
    int from = open(program, O_RDONLY);
    int to = open(rig->program, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    assert_true(from >= 0 && to >= 0);
    for (ssize_t took; (took = read(from, data, sizeof data)) > 0;)
        assert_int_equal(write(to, data, (size_t)took), took);
    assert_int_equal(fchmod(to, 0755), 0);
    (void)close(from);
    (void)close(to);
}

void rig_open(struct worker_rig *rig, const char *program, const struct pl_pool_settings *settings)
{
    struct pl_fault fault = { .status = PL_OK };
    memset(rig, 0, sizeof *rig);
    rig->clock = PL_CLOCK_SYSTEM;
    rig->settings = *settings;
    rig->log = (struct pl_log){
        .least = PL_LOG_INFO, .sink = rig_on_line, .owner = rig, .clock = &rig->clock
    };
    if (program != NULL && geteuid() == 0) {
        rig_copy_program(rig, program);
        program = rig->program;
    }
    pl_status status =
        program == NULL ? pl_launcher_new_inside(pl_worker_main, "nobody", &rig->launcher, &fault)
                        : pl_launcher_new(program, "nobody", &rig->launcher, &fault);
    if (status != PL_OK)
        fail_msg("%s", fault.reason);
    assert_int_equal(pl_loop_new(&rig->loop), PL_OK);
    assert_int_equal(pl_pool_new(rig->loop, &rig->log, rig->launcher, settings, &rig->pool, &fault),
                     PL_OK);
}

static void rig_on_closed(void *owner)
{
    ((struct worker_rig *)owner)->is_closed = true;
}

static void rig_turn(struct worker_rig *rig)
{
    /* A turn ends when something happened; the timer of nobody bounds the wait. */
    (void)uv_run(pl_loop_uv(rig->loop), UV_RUN_NOWAIT);
    (void)usleep(200);
}

void rig_forget(struct worker_rig *rig)
{
    for (size_t i = 0; i < rig->run_count; i++) {
        assert_int_equal(rig->runs[i].done, 1);
        (void)close(rig->runs[i].run.inputs[0].fd);
        for (size_t n = 0; n < RIG_DOCUMENTS; n++)
            if (rig->runs[i].places[n] > 0)
                (void)close(rig->runs[i].places[n]);
    }
    memset(rig->runs, 0, sizeof rig->runs);
    rig->run_count = 0;
    rig->done = 0;
}

void rig_close(struct worker_rig *rig)
{
    pl_pool_close(rig->pool, rig_on_closed, rig);
    for (int i = 0; i < 50000 && !rig->is_closed; i++)
        rig_turn(rig);
    assert_true(rig->is_closed);
    pl_loop_stop(rig->loop);
    pl_loop_run(rig->loop);
    pl_loop_free(rig->loop);
    pl_launcher_free(rig->launcher);
    rig_forget(rig);
    if (rig->program[0] != '\0')
        (void)unlink(rig->program);
}

static void rig_on_done(struct pl_run *run)
{
    struct rig_run *own = PL_CONTAINER_OF(run, struct rig_run, run);
    struct pl_span pages = { "", 0 };
    for (size_t i = 0; i < run->report.output_count; i++)
        own->outputs[i] = run->report.outputs[i];
    if (run->report.output_count > 0)
        pages = own->outputs[0].page_ledger;
    size_t size =
        pages.size < sizeof own->page_ledger - 1 ? pages.size : sizeof own->page_ledger - 1;
    if (size > 0)
        memcpy(own->page_ledger, pages.data, size);
    own->page_ledger_size = pages.size;
    own->done++;
    own->rig->done++;
}

static int rig_file(void)
{
    char path[] = "/tmp/platen-rig-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)unlink(path);
    return fd;
}

static int rig_read_only(int fd)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int same = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(same >= 0);
    (void)close(fd);
    return same;
}

static struct pl_run_limits rig_limits(void)
{
    return (struct pl_run_limits){ .documents = RIG_DOCUMENTS,
                                   .pages = 5000,
                                   .side_px = 65500,
                                   .colour_px = 150000000,
                                   .bilevel_px = 600000000,
                                   .page_bytes = (uint64_t)512 << 20,
                                   .expansion = 1000,
                                   .nesting = 100 };
}

static void rig_context(const struct rig_run *own, uint32_t n,
                        uint8_t context[PL_SEAL_CONTEXT_BYTES])
{
    char role[32];
    (void)snprintf(role, sizeof role, "document/%u", n);
    pl_seal_context(own->run.tenant.text, own->run.job.text, role, context);
}

static pl_status rig_on_open(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                             struct pl_fault *fault)
{
    struct rig_run *own = PL_CONTAINER_OF(run, struct rig_run, run);
    assert_in_range(n, 1, RIG_DOCUMENTS);
    if (n > 1 && own->refuse != PL_OK)
        return pl_fault_set(fault, own->refuse, "there is no place for document %u", n);
    if (own->places[n - 1] == 0)
        own->places[n - 1] = rig_file();
    assert_int_equal(ftruncate(own->places[n - 1], 0), 0);
    *out = (struct pl_run_file){ .fd = own->places[n - 1], .key = &own->output_key };
    rig_context(own, n, out->context);
    return PL_OK;
}

struct rig_run *rig_prepare(struct worker_rig *rig, const char *tenant, const void *order,
                            size_t size)
{
    uint8_t sha256[PL_SHA256_BYTES];
    struct pl_file_out *file = NULL;
    assert_true(rig->run_count < RIG_RUNS);
    struct rig_run *own = &rig->runs[rig->run_count++];
    struct pl_run *run = &own->run;
    own->rig = rig;
    assert_true(pl_id_parse(pl_span_from("01hzzzzzzzzzzzzzzzzzzzzzzz"), &run->job));
    assert_true(pl_id_parse(pl_span_from(tenant), &run->tenant));
    assert_int_equal(pl_seal_key_make(&own->input_key), PL_OK);
    assert_int_equal(pl_seal_key_make(&own->output_key), PL_OK);
    run->plan = "{}";
    run->input_count = 1;
    run->inputs[0].key = &own->input_key;
    run->limits = rig_limits();
    run->limits.output_bytes = rig->settings.output_bytes;
    run->limits.cpu_ms = rig->settings.cpu_ms;
    run->open_document = rig_on_open;
    pl_seal_context(tenant, run->job.text, "original", run->inputs[0].context);
    run->inputs[0].fd = rig_file();
    assert_int_equal(pl_file_out_new(run->inputs[0].fd, UINT32_MAX, &own->input_key,
                                     run->inputs[0].context, &file),
                     PL_OK);
    assert_int_equal(pl_out_write(pl_file_out_base(file), order, size), PL_OK);
    assert_int_equal(pl_file_out_end(file, sha256), PL_OK);
    pl_file_out_free(file);
    run->inputs[0].fd = rig_read_only(run->inputs[0].fd);
    run->wall_limit_ms = 20000;
    run->done = rig_on_done;
    return own;
}

void rig_give(struct worker_rig *rig, struct rig_run *own)
{
    struct pl_runner runner = pl_pool_runner(rig->pool);
    runner.ops->start(runner.self, &own->run);
    assert_int_equal(own->done, 0);
}

struct rig_run *rig_start(struct worker_rig *rig, const char *tenant, const char *order)
{
    struct rig_run *run = rig_prepare(rig, tenant, order, strlen(order));
    rig_give(rig, run);
    return run;
}

void rig_wait(struct worker_rig *rig, unsigned done)
{
    int64_t end = pl_clock_monotonic_ms(&rig->clock) + 30000;
    while (rig->done < done) {
        rig_turn(rig);
        if (pl_clock_monotonic_ms(&rig->clock) > end)
            fail_msg("%u of %u runs done after 30 s; log:\n%s", rig->done, done, rig->log_text);
    }
    assert_int_equal(rig->done, done);
}

void rig_idle(struct worker_rig *rig, unsigned ms)
{
    int64_t end = pl_clock_monotonic_ms(&rig->clock) + ms;
    while (pl_clock_monotonic_ms(&rig->clock) < end)
        rig_turn(rig);
}

size_t rig_document(const struct rig_run *own, uint32_t n, char *out, size_t size)
{
    struct pl_source *source = NULL;
    struct stat file;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    int fd = own->places[n - 1];
    rig_context(own, n, context);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(
        pl_sealed_source_new(fd, (uint64_t)file.st_size, &own->output_key, context, &source),
        PL_OK);
    assert_true(source->size <= size);
    size_t whole = (size_t)source->size;
    assert_int_equal(pl_source_read(source, 0, out, whole), PL_OK);
    if (whole < size)
        out[whole] = '\0';
    source->ops->free(source);
    return whole;
}

size_t rig_result(const struct rig_run *own, char *out, size_t size)
{
    return rig_document(own, 1, out, size);
}

bool rig_logged(const struct worker_rig *rig, const char *text)
{
    return strstr(rig->log_text, text) != NULL;
}

pid_t rig_launcher_pid(void)
{
    char text[64] = "";
    (void)snprintf(text, sizeof text, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(text, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    (void)close(fd);
    return (pid_t)strtol(text, NULL, 10);
}
