/* test_hostile_images: every hostile TIFF, JPEG and PNG gets a verdict in time.
 *
 * PLATEN_HOSTILE names the folder; without it the test says so and passes.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/pipeline/codec/reader_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

#define SECONDS_MOST 2.0

struct tally {
    unsigned converted, refused, late;
    double worst;
    bool verbose;
};

static void tally_visit(void *owner, const char *path)
{
    struct tally *tally = owner;
    uint8_t *data = NULL;
    size_t size = 0;
    struct walk_verdict verdict;
    if (!walk_read_file(path, &data, &size))
        return;
    walk_bytes(data, size, NULL, NULL, &verdict);
    free(data);
    tally->converted += verdict.status == PL_OK;
    tally->refused += verdict.status != PL_OK;
    tally->worst = verdict.seconds > tally->worst ? verdict.seconds : tally->worst;
    if (verdict.seconds > SECONDS_MOST) {
        tally->late++;
        (void)printf("late: %s %.2f s\n", path, verdict.seconds);
    }
    if (tally->verbose)
        (void)printf("%-14s %3u %s %.3f s %s: %s\n", pl_status_name(verdict.status), verdict.pages,
                     verdict.how, verdict.seconds, strrchr(path, '/') + 1, verdict.fault.reason);
}

static void replay(const char *kind)
{
    const char *folder = getenv("PLATEN_HOSTILE");
    char path[4096];
    struct tally tally = { .verbose = getenv("PLATEN_VERBOSE") != NULL };
    if (folder == NULL) {
        (void)printf("PLATEN_HOSTILE is not set: nothing replayed\n");
        skip();
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, kind);
    unsigned files = walk_folder(path, NULL, tally_visit, &tally);
    (void)printf("%s: %u files, %u converted, %u refused, slowest %.3f s\n", kind, files,
                 tally.converted, tally.refused, tally.worst);
    assert_true(files > 0);
    assert_int_equal(tally.late, 0);
}

static void hostile__every_tiff__gets_a_verdict_in_time(void **state)
{
    (void)state;
    replay("tiff");
}

static void hostile__every_jpeg__gets_a_verdict_in_time(void **state)
{
    (void)state;
    replay("jpeg");
}

static void hostile__every_png__gets_a_verdict_in_time(void **state)
{
    (void)state;
    replay("png");
}

static void hostile__files_of_other_kinds__are_told_apart(void **state)
{
    (void)state;
    replay("pdf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile__every_tiff__gets_a_verdict_in_time),
        cmocka_unit_test(hostile__every_jpeg__gets_a_verdict_in_time),
        cmocka_unit_test(hostile__every_png__gets_a_verdict_in_time),
        cmocka_unit_test(hostile__files_of_other_kinds__are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
