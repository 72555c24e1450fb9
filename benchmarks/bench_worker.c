/* bench_worker: what a job costs besides its pages: round trip of an empty one, start of a worker,
 * and, with a FILE, that document with one and with several threads.
 *
 * bench_worker /path/to/platen-worker [FILE]. Through the real pool and the real sandbox, on one
 * loop, one job at a time; prints one JSON line, microseconds. The commit comes from the
 * environment (PLATEN_COMMIT). Run by root, the workers run as nobody.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan.h"
#include "workers/pool.h"
#include "workers/sealed_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 500
#define STARTS 20
#define THREADS 4

struct bench {
    struct pl_loop *loop;
    struct pl_launcher *launcher;
    struct pl_pool *pool;
    struct pl_run run;
    int output_fd;
    struct pl_seal_key key;
    char plan[512];
    unsigned wanted;
    unsigned done;
    double began_us;
    double took_us[ROUNDS];
};

static double now_us(void)
{
    struct timespec now;
    PL_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static int temporary_file(void)
{
    char path[] = "/tmp/platen-bench-XXXXXX";
    int fd = mkstemp(path);
    PL_CHECK(fd >= 0);
    (void)unlink(path);
    return fd;
}

static void bench_on_closed(void *owner)
{
    struct bench *bench = owner;
    pl_loop_stop(bench->loop);
}

static void bench_next(struct bench *bench)
{
    struct pl_runner runner = pl_pool_runner(bench->pool);
    bench->began_us = now_us();
    runner.ops->start(runner.self, &bench->run);
}

static pl_status bench_on_open(struct pl_run *run, uint32_t n, struct pl_run_file *out,
                               struct pl_fault *fault)
{
    struct bench *bench = PL_CONTAINER_OF(run, struct bench, run);
    (void)fault;
    PL_CHECK(n == 1 && ftruncate(bench->output_fd, 0) == 0);
    *out = (struct pl_run_file){ .fd = bench->output_fd, .key = &bench->key };
    return PL_OK;
}

static void bench_on_done(struct pl_run *run)
{
    struct bench *bench = PL_CONTAINER_OF(run, struct bench, run);
    pl_status status = run->report.status;
    PL_CHECK(status == PL_OK || status == PL_BAD_DOCUMENT); /* an empty document is a bad one */
    bench->took_us[bench->done++] = now_us() - bench->began_us;
    if (bench->done < bench->wanted)
        bench_next(bench);
    else
        pl_pool_close(bench->pool, bench_on_closed, bench);
}

/* From a pool that is started to its first verdict counts as the first round. */
static void bench_rounds(struct bench *bench, unsigned threads, unsigned rounds)
{
    const struct pl_pool_settings settings = { .processes = 1,
                                               .threads = threads,
                                               .memory_bytes = (uint64_t)768 << 20,
                                               .cpu_ms = 20000,
                                               .output_bytes = (uint64_t)1 << 30,
                                               .jobs_per_process = 1000000 };
    double began_us = now_us();
    PL_CHECK(pl_loop_new(&bench->loop) == PL_OK);
    PL_CHECK(pl_pool_new(bench->loop, NULL, bench->launcher, &settings, &bench->pool, NULL) ==
             PL_OK);
    bench->done = 0;
    bench->wanted = rounds;
    bench_next(bench);
    bench->began_us = began_us;
    pl_loop_run(bench->loop);
    pl_loop_free(bench->loop);
}

static void bench_report(const char *name, double *took_us, unsigned count)
{
    qsort(took_us, count, sizeof *took_us, compare);
    (void)printf(", \"%s\": {\"p50\": %.0f, \"p99\": %.0f}", name, took_us[count / 2],
                 took_us[count * 99 / 100]);
}

/* The first rounds pay for the start of the worker and for cold memory. */
static void bench_row(struct bench *bench, const char *name, unsigned threads)
{
    enum { WARM = 20 };
    bench_rounds(bench, threads, ROUNDS);
    bench_report(name, bench->took_us + WARM, ROUNDS - WARM);
}

static void bench_seal_input(struct bench *bench, const char *path)
{
    uint8_t digest[PL_SHA256_BYTES];
    char data[65536];
    char self[64];
    struct pl_file_out *out = NULL;
    int sealed = temporary_file();
    PL_CHECK(pl_file_out_new(sealed, UINT64_MAX, &bench->key, bench->run.inputs[0].context, &out) ==
             PL_OK);
    int from = path == NULL ? -1 : open(path, O_RDONLY);
    for (ssize_t took; from >= 0 && (took = read(from, data, sizeof data)) > 0;)
        PL_CHECK(pl_out_write(pl_file_out_base(out), data, (size_t)took) == PL_OK);
    PL_CHECK(pl_file_out_end(out, digest) == PL_OK);
    pl_file_out_free(out);
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", sealed);
    bench->run.inputs[0].fd = open(self, O_RDONLY);
    PL_CHECK(bench->run.inputs[0].fd >= 0);
    (void)close(sealed);
    if (from >= 0)
        (void)close(from);
}

static void bench_starts(struct bench *bench)
{
    double took_us[STARTS];
    for (unsigned i = 0; i < STARTS; i++) {
        bench_rounds(bench, THREADS, 1);
        took_us[i] = bench->took_us[0];
    }
    bench_report("two_workers_started_and_first_verdict_us", took_us, STARTS);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct pl_fault fault = { .status = PL_OK };
    const char *commit = getenv("PLATEN_COMMIT");
    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: bench_worker /path/to/platen-worker [FILE]\n");
        return 2;
    }
    if (pl_launcher_new(argv[1], "nobody", &bench.launcher, &fault) != PL_OK) {
        (void)fprintf(stderr, "bench_worker: %s\n", fault.reason);
        return 1;
    }
    PL_CHECK(pl_seal_key_make(&bench.key) == PL_OK);
    struct pl_run *run = &bench.run;
    PL_CHECK(pl_id_parse(pl_span_from("01hzzzzzzzzzzzzzzzzzzzzzzz"), &run->job));
    run->tenant = run->job;
    run->plan = pl_plan_write_simple("bench", PL_FORMAT_PDFA_2B, bench.plan, sizeof bench.plan);
    run->input_count = 1;
    run->inputs[0].key = &bench.key;
    run->limits = (struct pl_run_limits){ .documents = 1,
                                          .pages = 100000,
                                          .side_px = 65500,
                                          .colour_px = 150000000,
                                          .bilevel_px = 600000000,
                                          .page_bytes = (uint64_t)512 << 20,
                                          .expansion = 1000,
                                          .nesting = 100,
                                          .output_bytes = (uint64_t)1 << 30,
                                          .cpu_ms = 20000 };
    run->open_document = bench_on_open;
    bench.output_fd = temporary_file();
    run->wall_limit_ms = 60000;
    run->done = bench_on_done;
    bench_seal_input(&bench, NULL);
    (void)printf("{\"bench\": \"worker\", \"commit\": \"%s\"", commit == NULL ? "" : commit);
    bench_row(&bench, "empty_job_us", THREADS);
    bench_starts(&bench);
    if (argc == 3) {
        (void)close(run->inputs[0].fd);
        bench_seal_input(&bench, argv[2]);
        bench_row(&bench, "file_1_thread_us", 1);
        bench_row(&bench, "file_4_threads_us", THREADS);
    }
    (void)printf("}\n");
    pl_launcher_free(bench.launcher);
    return 0;
}
