/* test_worker_documents: the real worker over real scans and hostile files, in its real sandbox.
 *
 * Whatever a file holds, the worker answers with a verdict and lives: a SIGSYS here is a system
 * call that the filter forgot, a crash is a bug in a reader. A hostile file gets its verdict within
 * 2 s (10 s under a sanitizer). Needs PLATEN_CORPUS and PLATEN_HOSTILE; without them it says so.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/plan.h"
#include "tests/support/pl_test.h"
#include "tests/support/worker_rig.h"
#include "workers/pool.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENT_BYTES_MOST ((size_t)256 << 20)
#ifdef PL_SANITIZED
#define VERDICT_MS 10000
#else
#define VERDICT_MS 2000
#endif

struct documents_count {
    unsigned good;
    unsigned refused;
    int64_t limit_ms;
    int64_t slowest_ms;
    char slowest[512];
};

static char *document_load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    (void)fseek(file, 0, SEEK_END);
    long end = ftell(file);
    rewind(file);
    char *data = end >= 0 && (size_t)end <= DOCUMENT_BYTES_MOST ? malloc((size_t)end + 1) : NULL;
    if (data != NULL)
        *size = fread(data, 1, (size_t)end, file);
    (void)fclose(file);
    return data;
}

static void document_run(struct worker_rig *rig, const char *path, struct documents_count *count)
{
    char plan[512];
    size_t size = 0;
    char *data = document_load(path, &size);
    if (data == NULL)
        return;
    rig_forget(rig);
    struct rig_run *run = rig_prepare(rig, RIG_TENANT_A, data, size);
    run->run.plan = pl_plan_write_simple("inbox", PL_FORMAT_PDFA_2B, plan, sizeof plan);
    free(data);
    int64_t began = pl_clock_monotonic_ms(&rig->clock);
    rig_give(rig, run);
    rig_wait(rig, 1);
    int64_t took = pl_clock_monotonic_ms(&rig->clock) - began;
    const struct pl_run_report *report = &run->run.report;
    if (rig_logged(rig, "Sanitizer") || rig_logged(rig, "runtime error"))
        fail_msg("%s: a sanitizer speaks; log:\n%s", path, rig->log_text);
    if (report->status == PL_WORKER_DIED || report->status == PL_TIMED_OUT ||
        took > count->limit_ms)
        fail_msg("%s: %s: %s (%lld ms); log:\n%s", path, pl_status_name(report->status),
                 report->fault.reason, (long long)took, rig->log_text);
    if (report->status == PL_OK)
        count->good++;
    else
        count->refused++;
    if (took > count->slowest_ms) {
        count->slowest_ms = took;
        (void)pl_text_format(count->slowest, sizeof count->slowest, "%s", path);
    }
}

static void documents_of(struct worker_rig *rig, const char *folder, struct documents_count *count)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[4096];
        (void)pl_text_format(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR)
            documents_of(rig, path, count);
        else if (entry->d_type == DT_REG)
            document_run(rig, path, count);
    }
    (void)closedir(entries);
}

static void documents_check(const char *variable, const char *const *folders, bool wants_good)
{
    const char *root = getenv(variable);
    struct documents_count count = { .limit_ms = wants_good ? 10 * VERDICT_MS : VERDICT_MS };
    struct pl_pool_settings settings = rig_settings();
    if (root == NULL || access(root, R_OK) != 0) {
        (void)printf("skipped: %s names no folder of documents\n", variable);
        skip();
    }
    struct worker_rig *rig = calloc(1, sizeof *rig);
    settings.memory_bytes = (uint64_t)768 << 20;
    settings.cpu_ms = 20000;
    settings.output_bytes = (uint64_t)1 << 30;
    rig_open(rig, PLATEN_WORKER, &settings);
    for (; *folders != NULL; folders++) {
        char path[4096];
        (void)pl_text_format(path, sizeof path, "%s/%s", root, *folders);
        documents_of(rig, path, &count);
    }
    (void)printf("%s: %u documents made, %u refused, slowest %lld ms (%s)\n", variable, count.good,
                 count.refused, (long long)count.slowest_ms, count.slowest);
    assert_true(count.good + count.refused > 0);
    assert_true(!wants_good || count.good > 0);
    rig_close(rig);
    free(rig);
}

static void worker__hostile_documents__get_a_verdict_and_kill_nobody(void **state)
{
    static const char *const folders[] = { "tiff", "jpeg", "png", "archive", NULL };
    (void)state;
    documents_check("PLATEN_HOSTILE", folders, false);
}

static void worker__real_scans__are_made_inside_the_sandbox(void **state)
{
    static const char *const folders[] = { "bilevel",   "grey",     "colour",
                                           "multipage", "jpegtiff", NULL };
    (void)state;
    documents_check("PLATEN_CORPUS", folders, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker__hostile_documents__get_a_verdict_and_kill_nobody),
        cmocka_unit_test(worker__real_scans__are_made_inside_the_sandbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
