/* bench_ledger: what an accepted job costs on stable storage, alone and in company.
 *
 * Through the real loop and ledger thread: 1, 8 and 64 callers that each add a job, wait for the
 * commit and add the next. Beside it, in turn and on the same disk, a bare 4 KiB overwrite with
 * fdatasync: what the disk asks for one promise. One JSON line. The commit comes from the
 * environment (PLATEN_COMMIT). Usage: bench_ledger [FOLDER] [ROUNDS]
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/base/clock.h"
#include "engine/core/ledger_thread.h"
#include "storage/ledger_sqlite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_CALLERS 64
#define CALLS_PER_ROUND 400u
#define SYNCS_PER_ROUND 200u
#define MAX_ROUNDS 50u
#define MAX_SAMPLES ((size_t)MAX_ROUNDS * CALLS_PER_ROUND * 4)

/* Latencies of one row, over all rounds. */
struct row {
    const char *name;
    unsigned callers; /* 0: the bare disk */
    double *samples_ms;
    size_t count;
    double busy_s;
    uint64_t commits;
};

struct bench;

struct caller {
    struct pl_ledger_call call;
    struct bench *bench;
    struct pl_ledger_job job;
    double began_s;
};

struct bench {
    char folder[128];
    struct pl_loop *loop;
    struct pl_ledger_thread *thread;
    struct caller callers[MAX_CALLERS];
    struct row *row;
    struct pl_id_maker ids;
    struct pl_id tenant;
    unsigned unsent;
    unsigned running;
    int fd;
};

static double now_s(void)
{
    struct timespec now;
    PL_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void row_add(struct row *row, double began_s)
{
    PL_CHECK(row->count < MAX_SAMPLES);
    row->samples_ms[row->count++] = (now_s() - began_s) * 1e3;
}

static pl_status caller_on_run(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct caller *caller = PL_CONTAINER_OF(call, struct caller, call);
    return ledger->ops->job_add(ledger->self, &caller->job);
}

static void caller_send(struct caller *caller)
{
    struct bench *bench = caller->bench;
    const struct pl_clock clock = PL_CLOCK_SYSTEM;
    int64_t now_ms = pl_clock_wall_ms(&clock);
    static const char box[120];
    caller->job = (struct pl_ledger_job){ .tenant = bench->tenant,
                                          .device = bench->tenant,
                                          .drop = "inbox",
                                          .pipeline = "archive",
                                          .pipeline_version = 1,
                                          .state = PL_JOB_QUEUED,
                                          .received_ms = now_ms,
                                          .bytes = 30000,
                                          .name_sealed = { box, 60 },
                                          .original_key_wrapped = { box, 80 },
                                          .result_key_wrapped = { box, 80 } };
    PL_CHECK(pl_id_make(&bench->ids, now_ms, &caller->job.id) == PL_OK);
    bench->unsent--;
    caller->began_s = now_s();
    pl_ledger_thread_call(bench->thread, &caller->call);
}

static void caller_on_done(struct pl_ledger_call *call)
{
    struct caller *caller = PL_CONTAINER_OF(call, struct caller, call);
    struct bench *bench = caller->bench;
    PL_CHECK(call->status == PL_OK);
    row_add(bench->row, caller->began_s);
    if (bench->unsent > 0)
        caller_send(caller);
    else if (--bench->running == 0)
        pl_loop_stop(bench->loop);
}

static void run_callers(struct bench *bench, struct row *row)
{
    struct pl_ledger_thread_stats before;
    struct pl_ledger_thread_stats after;
    pl_ledger_thread_stats(bench->thread, &before);
    double began_s = now_s();
    bench->row = row;
    bench->unsent = row->callers == 1 ? CALLS_PER_ROUND : CALLS_PER_ROUND * 4;
    bench->running = row->callers;
    for (unsigned i = 0; i < row->callers; i++)
        caller_send(&bench->callers[i]);
    pl_loop_run(bench->loop);
    row->busy_s += now_s() - began_s;
    pl_ledger_thread_stats(bench->thread, &after);
    row->commits += after.commits - before.commits;
}

static void run_disk(const struct bench *bench, struct row *row)
{
    static const char block[4096] = { 1 };
    double began_s = now_s();
    for (unsigned i = 0; i < SYNCS_PER_ROUND; i++) {
        double one_s = now_s();
        PL_CHECK(pwrite(bench->fd, block, sizeof block, (off_t)(i % 256) * 4096) == 4096);
        PL_CHECK(fdatasync(bench->fd) == 0);
        row_add(row, one_s);
        row->commits++;
    }
    row->busy_s += now_s() - began_s;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double row_at(const struct row *row, double part)
{
    return row->samples_ms[(size_t)(part * (double)(row->count - 1))];
}

static void bench_open(struct bench *bench, const char *parent)
{
    char path[160];
    struct pl_ledger ledger;
    struct pl_fault fault = { 0 };
    PL_CHECK(pl_text_format(bench->folder, sizeof bench->folder, "%s/bench_ledger_XXXXXX", parent));
    PL_CHECK(mkdtemp(bench->folder) != NULL);
    PL_CHECK(pl_text_format(path, sizeof path, "%s/ledger.db", bench->folder));
    PL_CHECK(pl_loop_new(&bench->loop) == PL_OK);
    PL_CHECK(pl_ledger_sqlite_open(path, NULL, &ledger, &fault) == PL_OK);
    PL_CHECK(pl_id_make(&bench->ids, 1, &bench->tenant) == PL_OK);
    const struct pl_ledger_tenant tenant = { .id = bench->tenant };
    PL_CHECK(ledger.ops->tenant_add(ledger.self, &tenant) == PL_OK);
    PL_CHECK(pl_ledger_thread_new(bench->loop, NULL, &ledger, &bench->thread) == PL_OK);
    for (unsigned i = 0; i < MAX_CALLERS; i++) {
        bench->callers[i].bench = bench;
        bench->callers[i].call.run = caller_on_run;
        bench->callers[i].call.done = caller_on_done;
    }
    PL_CHECK(pl_text_format(path, sizeof path, "%s/bare", bench->folder));
    bench->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    PL_CHECK(bench->fd >= 0 && posix_fallocate(bench->fd, 0, 1 << 20) == 0);
    static char zeros[1 << 20];
    PL_CHECK(pwrite(bench->fd, zeros, sizeof zeros, 0) == (ssize_t)sizeof zeros);
    PL_CHECK(fsync(bench->fd) == 0);
}

static void bench_close(struct bench *bench)
{
    static const char *const names[] = { "bare", "ledger.db", "ledger.db-wal" };
    pl_ledger_thread_free(bench->thread);
    pl_loop_free(bench->loop);
    (void)close(bench->fd);
    for (size_t i = 0; i < PL_COUNT_OF(names); i++) {
        char path[160];
        PL_CHECK(pl_text_format(path, sizeof path, "%s/%s", bench->folder, names[i]));
        (void)unlink(path);
    }
    (void)rmdir(bench->folder);
}

static void print_row(struct row *row)
{
    qsort(row->samples_ms, row->count, sizeof *row->samples_ms, compare_doubles);
    (void)printf(
        ", \"%s\": {\"per_s\": %.0f, \"commits_per_s\": %.0f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
        "\"max_ms\": %.3f}",
        row->name, (double)row->count / row->busy_s, (double)row->commits / row->busy_s,
        row_at(row, 0.5), row_at(row, 0.99), row_at(row, 1));
}

/* Processor, cores and how busy others kept them: a figure without these is a rumour. */
static void print_machine(void)
{
    char name[128] = "unknown";
    char line[256];
    double load[1] = { -1 };
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || value == NULL)
            continue;
        size_t size = strcspn(value + 2, "\n\"\\");
        (void)pl_text_copy(name, sizeof name, (struct pl_span){ value + 2, size });
        break;
    }
    if (file != NULL)
        (void)fclose(file);
    (void)getloadavg(load, 1);
    (void)printf("\"machine\": \"%s\", \"cores\": %ld, \"load\": %.1f, ", name,
                 sysconf(_SC_NPROCESSORS_ONLN), load[0]);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static struct row rows[] = { { .name = "bare_fdatasync_4k" },
                                 { .name = "callers_1", .callers = 1 },
                                 { .name = "callers_8", .callers = 8 },
                                 { .name = "callers_64", .callers = 64 } };
    uint64_t rounds = 5;
    if (argc > 2 &&
        (!pl_text_parse_u64(pl_span_from(argv[2]), MAX_ROUNDS, &rounds) || rounds == 0)) {
        (void)fprintf(stderr, "usage: bench_ledger [FOLDER] [ROUNDS, at most %u]\n", MAX_ROUNDS);
        return 2;
    }
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        rows[i].samples_ms = calloc(MAX_SAMPLES, sizeof(double));
        PL_CHECK(rows[i].samples_ms != NULL);
    }
    bench_open(&bench, argc > 1 ? argv[1] : "/tmp");
    for (uint64_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
            if (rows[i].callers == 0)
                run_disk(&bench, &rows[i]);
            else
                run_callers(&bench, &rows[i]);
        }
    }
    bench_close(&bench);
    const char *commit = getenv("PLATEN_COMMIT");
    (void)printf("{\"bench\": \"ledger\", ");
    print_machine();
    (void)printf("\"commit\": \"%s\", \"rounds\": %llu", commit ? commit : "unknown",
                 (unsigned long long)rounds);
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        print_row(&rows[i]);
        free(rows[i].samples_ms);
    }
    (void)printf("}\n");
    return 0;
}
