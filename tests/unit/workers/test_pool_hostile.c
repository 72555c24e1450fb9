/* test_pool_hostile: a worker that lies costs its run and its life, and nothing else.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/hostile_worker.h"
#include "tests/support/pl_test.h"
#include "tests/support/worker_rig.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static unsigned descriptors_open(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

static void assert_way(enum hostile_way way, pl_status status, const char *words)
{
    struct pl_pool_settings settings = rig_settings();
    struct worker_rig *rig = calloc(1, sizeof *rig);
    settings.processes = 1;
    settings.threads = (unsigned)way;
    rig_open(rig, HOSTILE_WORKER, &settings);
    struct rig_run *run = rig_start(rig, RIG_TENANT_A, "x");
    rig_wait(rig, 1);
    if (run->run.report.status != status || strstr(run->run.report.fault.reason, words) == NULL)
        fail_msg("way %d: %s: %s; log:\n%s", (int)way, pl_status_name(run->run.report.status),
                 run->run.report.fault.reason, rig->log_text);
    rig_close(rig);
    free(rig);
}

static void hostile__garbage__ends_the_worker(void **state)
{
    (void)state;
    assert_way(HOSTILE_GARBAGE, PL_WORKER_DIED, "a frame that no worker sends");
}

static void hostile__a_frame_too_large__ends_the_worker(void **state)
{
    (void)state;
    assert_way(HOSTILE_LARGE, PL_WORKER_DIED, "too large or carries descriptors");
}

static void hostile__a_descriptor_for_the_engine__never_arrives(void **state)
{
    (void)state;
    unsigned before = descriptors_open();
    assert_way(HOSTILE_DESCRIPTOR, PL_WORKER_DIED, "too large or carries descriptors");
    assert_int_equal(descriptors_open(), before);
}

static void hostile__a_result_that_is_not_there__is_no_result(void **state)
{
    (void)state;
    assert_way(HOSTILE_LENGTH, PL_WORKER_DIED, "not as long as it says");
}

static void hostile__a_report_of_no_document__is_no_result(void **state)
{
    (void)state;
    assert_way(HOSTILE_NO_DOCUMENT, PL_WORKER_DIED, "not of the documents that it made");
}

static void hostile__documents_out_of_order__get_no_file(void **state)
{
    (void)state;
    unsigned before = descriptors_open();
    assert_way(HOSTILE_OPEN_SECOND, PL_WORKER_DIED, "began a document out of turn");
    assert_way(HOSTILE_OPEN_FAR, PL_WORKER_DIED, "began a document out of turn");
    assert_way(HOSTILE_OTHER_DOCUMENT, PL_WORKER_DIED, "told of a document out of turn");
    assert_int_equal(descriptors_open(), before);
}

static void hostile__more_documents_than_allowed__get_no_file(void **state)
{
    (void)state;
    assert_way(HOSTILE_OPEN_MANY, PL_WORKER_DIED, "began a document out of turn");
}

static void hostile__a_document_that_grows_after_it_was_told_of__is_no_result(void **state)
{
    (void)state;
    assert_way(HOSTILE_GROWING, PL_WORKER_DIED, "not as long as it says");
}

static void hostile__a_page_ledger_of_another_size__is_broken(void **state)
{
    (void)state;
    assert_way(HOSTILE_LEDGER_SIZE, PL_WORKER_DIED, "page ledger is broken");
}

static void hostile__a_flood_of_page_ledger__is_cut_off(void **state)
{
    (void)state;
    assert_way(HOSTILE_LEDGER_FLOOD, PL_WORKER_DIED, "page ledger is too long");
}

static void hostile__a_second_hello__is_out_of_turn(void **state)
{
    (void)state;
    assert_way(HOSTILE_SECOND_HELLO, PL_WORKER_DIED, "does not run in its sandbox");
}

static void hostile__a_closed_socket__is_an_end(void **state)
{
    (void)state;
    assert_way(HOSTILE_HANG_UP, PL_WORKER_DIED, "closed its socket");
}

static void hostile__a_worker_without_a_sandbox__gets_no_job(void **state)
{
    (void)state;
    assert_way(HOSTILE_NO_SANDBOX, PL_UNAVAILABLE, "no worker gets ready");
}

static void hostile__a_report_before_a_job__gets_no_job(void **state)
{
    (void)state;
    assert_way(HOSTILE_EARLY, PL_UNAVAILABLE, "no worker gets ready");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile__garbage__ends_the_worker),
        cmocka_unit_test(hostile__a_frame_too_large__ends_the_worker),
        cmocka_unit_test(hostile__a_descriptor_for_the_engine__never_arrives),
        cmocka_unit_test(hostile__a_result_that_is_not_there__is_no_result),
        cmocka_unit_test(hostile__a_report_of_no_document__is_no_result),
        cmocka_unit_test(hostile__documents_out_of_order__get_no_file),
        cmocka_unit_test(hostile__more_documents_than_allowed__get_no_file),
        cmocka_unit_test(hostile__a_document_that_grows_after_it_was_told_of__is_no_result),
        cmocka_unit_test(hostile__a_page_ledger_of_another_size__is_broken),
        cmocka_unit_test(hostile__a_flood_of_page_ledger__is_cut_off),
        cmocka_unit_test(hostile__a_second_hello__is_out_of_turn),
        cmocka_unit_test(hostile__a_closed_socket__is_an_end),
        cmocka_unit_test(hostile__a_worker_without_a_sandbox__gets_no_job),
        cmocka_unit_test(hostile__a_report_before_a_job__gets_no_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
