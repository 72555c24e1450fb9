/* test_dispatch: a job's life from the accepted upload to its end, by blame, and over a restart.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/dispatch.h"
#include "storage/ledger_memory.h"
#include "tests/support/core_rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/pl_test.h"

static int start(void **state)
{
    static struct core_rig rig;
    rig_start(&rig);
    *state = &rig;
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    return 0;
}

static struct pl_core_stats stats_of(const struct core_rig *rig)
{
    struct pl_core_stats stats;
    pl_core_stats(rig->core, &stats);
    return stats;
}

static bool core_is_broken(void *owner)
{
    const struct core_rig *rig = owner;
    struct pl_fault why = { PL_OK, "" };
    return !pl_core_is_ready(rig->core, &why) && stats_of(rig).delivering == 0;
}

static void dispatch__good_scan__is_done_and_kept(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 1);
    assert_false(pl_list_is_empty(&rig->objects));
    assert_int_equal(rig_spool_files(rig), 1);
    assert_int_equal(stats_of(rig).done_total, 1);
}

static void dispatch__bad_document__is_dead_at_once(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.runs[0] = PL_BAD_DOCUMENT;
    assert_int_equal(rig_upload(rig, "inbox", "junk", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DEAD), PL_BAD_DOCUMENT);
    assert_int_equal(rig->runs, 1);
    assert_int_equal(rig_spool_files(rig), 1); /* the original stays */
    assert_true(pl_list_is_empty(&rig->objects));
}

static void dispatch__worker_dies_twice__third_attempt_ends_it(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.runs[0] = rig->script.runs[1] = PL_WORKER_DIED;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 3);
}

static void dispatch__worker_always_dies__dead_after_three(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    for (unsigned i = 0; i < PL_COUNT_OF(rig->script.runs); i++)
        rig->script.runs[i] = PL_WORKER_DIED;
    assert_int_equal(rig_upload(rig, "inbox", "poison", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DEAD), PL_WORKER_DIED);
    assert_int_equal(rig->runs, 3);
}

static void dispatch__store_is_down_long__never_blames_the_document(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    for (unsigned i = 0; i < 8; i++)
        rig->script.puts[i] = PL_NO_SPACE;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->puts, 9);
}

static void dispatch__other_bytes_stand_in_the_way__are_replaced_before_done(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.puts[0] = PL_CONFLICT;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->puts, 2);
}

/* What the ledger and the store hold of a job, as "1 2 | 1 2 3". */
struct seen_documents {
    struct pl_ledger_call call;
    struct pl_id job;
    bool answered;
    char text[256];
    struct pl_job_report report;
    bool has_report;
    struct pl_id tenant;
};

static void see_row(void *owner, const struct pl_ledger_document *row)
{
    struct seen_documents *seen = owner;
    size_t used = strlen(seen->text);
    (void)snprintf(seen->text + used, sizeof seen->text - used, "%u ", row->n);
}

static pl_status see_run(struct pl_ledger_call *call, const struct pl_ledger *ledger)
{
    struct seen_documents *seen = PL_CONTAINER_OF(call, struct seen_documents, call);
    struct pl_ledger_job row;
    struct pl_arena arena;
    uint8_t plain[PL_JOB_REPORT_BYTES];
    char field[PL_FIELD_CHARS];
    struct pl_keyring keyring = rig_keyring();
    pl_arena_init(&arena, 1 << 16);
    pl_status status = ledger->ops->job_load(ledger->self, &seen->tenant, &seen->job, &arena, &row);
    if (status == PL_OK && row.report_sealed.size > 0) {
        assert_int_equal(keyring.ops->field_open(keyring.self, &seen->tenant,
                                                 pl_field_name("job.report", &seen->job, 0, field),
                                                 row.report_sealed, plain),
                         PL_OK);
        seen->has_report = pl_job_report_read(
            (struct pl_span){ (const char *)plain,
                              row.report_sealed.size - PL_SEALED_FIELD_OVERHEAD },
            &seen->report);
    }
    pl_arena_fini(&arena);
    return status != PL_OK
               ? status
               : ledger->ops->document_each(ledger->self, &seen->job, UINT32_MAX, see_row, seen);
}

static void see_done(struct pl_ledger_call *call)
{
    PL_CONTAINER_OF(call, struct seen_documents, call)->answered = true;
}

static bool see_answered(void *owner)
{
    return ((struct seen_documents *)owner)->answered;
}

static struct seen_documents see(struct core_rig *rig, const struct pl_id *job)
{
    struct seen_documents seen = { .job = *job, .tenant = rig->tenant };
    seen.call.run = see_run;
    seen.call.done = see_done;
    pl_ledger_thread_call(rig->thread, &seen.call);
    rig_until(rig, see_answered, &seen);
    (void)snprintf(seen.text + strlen(seen.text), sizeof seen.text - strlen(seen.text), "|");
    for (uint32_t n = 1; n < 100; n++) {
        char key[PL_OBJECT_KEY_CHARS];
        (void)snprintf(key, sizeof key, "%s/%s/v1/document-%u", rig->tenant.text, job->text, n);
        PL_LIST_FOR(node, &rig->objects)
        {
            const struct rig_object *object = PL_CONTAINER_OF(node, struct rig_object, node);
            size_t used = strlen(seen.text);
            if (strcmp(object->key, key) == 0)
                (void)snprintf(seen.text + used, sizeof seen.text - used, " %u", n);
        }
    }
    return seen;
}

static void dispatch__several_documents__are_rows_and_objects_each(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.documents[0] = 9;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    struct seen_documents seen = see(rig, &job);
    assert_string_equal(seen.text, "1 2 3 4 5 6 7 8 9 | 1 2 3 4 5 6 7 8 9");
    assert_true(seen.has_report);
    assert_int_equal(seen.report.documents, 9);
    assert_int_equal(seen.report.bytes_out, 45);
    assert_int_equal(seen.report.by_how[PL_JOB_PAGES_COPIED], 9);
    assert_int_equal(rig->puts, 9);
}

static void dispatch__store_fails_in_the_middle__the_next_try_puts_all(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.documents[0] = rig->script.documents[1] = 9;
    rig->script.puts[5] = PL_NO_SPACE;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 2);
    assert_string_equal(see(rig, &job).text, "1 2 3 4 5 6 7 8 9 | 1 2 3 4 5 6 7 8 9");
}

static void dispatch__a_try_that_makes_fewer_documents__leaves_none_of_the_older(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.documents[0] = 9;
    rig->script.documents[1] = 3;
    rig->script.puts[8] = PL_NO_SPACE; /* of the first try's last */
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 2);
    struct seen_documents seen = see(rig, &job);
    assert_string_equal(seen.text, "1 2 3 | 1 2 3");
    assert_int_equal(seen.report.documents, 3);
}

static void dispatch__other_bytes_under_several_keys__cost_one_try(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->script.documents[0] = rig->script.documents[1] = 6;
    rig->script.puts[1] = rig->script.puts[2] = rig->script.puts[5] = PL_CONFLICT;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 2);
    assert_string_equal(see(rig, &job).text, "1 2 3 4 5 6 | 1 2 3 4 5 6");
}

static void dispatch__ledger_full_at_any_call__documents_are_whole(void **state)
{
    struct core_rig *rig = *state;
    for (unsigned n = 1; n <= 30; n++) {
        struct pl_id job;
        rig->gate = true;
        rig->script.documents[rig->runs % 16] = 5;
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
        rig_fail_at(rig, n, PL_NO_SPACE);
        rig_open_gate(rig);
        (void)rig_await(rig, &job, PL_JOB_DONE);
        rig_fail_at(rig, 0, PL_OK);
        assert_string_equal(see(rig, &job).text, "1 2 3 4 5 | 1 2 3 4 5");
    }
    assert_int_equal(rig->runs, 30);
}

static bool store_is_waited_for(void *owner)
{
    const struct core_rig *rig = owner;
    return !pl_list_is_empty(&rig->held_puts) && rig->running == 0;
}

static void dispatch__store_is_slow__no_job_is_started_over_the_files_allowed(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[4];
    rig->staged_files = 10;
    rig_restart(rig);
    rig->puts_wait = true;
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++) {
        rig->script.documents[i] = 9;
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
        rig_until(rig, store_is_waited_for, rig);
    }
    assert_int_equal(rig->runs, 2);
    assert_int_equal(stats_of(rig).delivering, 2);
    assert_int_equal(stats_of(rig).waiting, 2);
    rig_open_store(rig);
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_await(rig, &jobs[i], PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 4);
}

static bool all_slots_run(void *owner)
{
    const struct core_rig *rig = owner;
    return rig->running == rig->slots;
}

static void dispatch__more_jobs_than_workers__wait_their_turn(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[9];
    rig->gate = true;
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
    assert_int_equal(stats_of(rig).waiting + rig->slots, PL_COUNT_OF(jobs));
    rig_until(rig, all_slots_run, rig);
    assert_int_equal(stats_of(rig).running, rig->slots);
    rig_open_gate(rig);
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_await(rig, &jobs[i], PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->running_most, rig->slots);
}

static void dispatch__drained_with_jobs_waiting__restart_does_them(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[5];
    rig->gate = true;
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
    rig_restart(rig);
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_await(rig, &jobs[i], PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, PL_COUNT_OF(jobs));
    assert_int_equal(rig_spool_files(rig), PL_COUNT_OF(jobs));
}

static void upload__unknown_drop__is_refused_and_leaves_nothing(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    assert_int_equal(rig_upload(rig, "elsewhere", "a scan", &job), PL_NOT_FOUND);
    assert_int_equal(rig_spool_files(rig), 0);
    assert_int_equal(stats_of(rig).uploads_open, 0);
}

static void upload__too_large__is_refused_before_the_body(void **state)
{
    struct core_rig *rig = *state;
    struct pl_fault fault = { PL_OK, "" };
    assert_int_equal(pl_dispatch_admit(rig->core, (1 << 20) + 1, &fault), PL_TOO_LARGE);
    assert_non_null(strstr(fault.reason, "1048576"));
    assert_int_equal(stats_of(rig).uploads_open, 0);
}

static void upload__too_many_at_once__next_is_asked_to_wait(void **state)
{
    struct core_rig *rig = *state;
    struct pl_fault fault = { PL_OK, "" };
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pl_dispatch_admit(rig->core, 10, &fault), PL_OK);
    assert_int_equal(pl_dispatch_admit(rig->core, 10, &fault), PL_BUSY);
    assert_int_equal(stats_of(rig).upload_bytes_reserved, 40);
    for (unsigned i = 0; i < 4; i++)
        pl_dispatch_upload_ended(rig->core, 10, 10);
    assert_int_equal(stats_of(rig).upload_bytes_reserved, 0);
}

static void upload__ledger_fails__is_not_acknowledged_and_stops_all(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    struct pl_fault why = { PL_OK, "" };
    bool stopped = false;
    assert_true(pl_core_is_ready(rig->core, &why));
    rig->gate = true; /* so that only the upload's own calls are counted */
    for (unsigned n = 1; n <= 16 && !stopped; n++) {
        pl_ledger_memory_fail_at(&rig->ledger, n, PL_IO_ERROR);
        pl_status status = rig_upload(rig, "inbox", "a scan", &job);
        stopped = !pl_core_is_ready(rig->core, &why);
        assert_true(!stopped || status == PL_IO_ERROR);
    }
    pl_ledger_memory_fail_at(&rig->ledger, 0, PL_OK);
    assert_true(stopped);
    assert_int_equal(why.status, PL_IO_ERROR);
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_IO_ERROR);
}

struct files_wanted {
    const struct core_rig *rig;
    unsigned files;
};

static bool files_are(void *owner)
{
    const struct files_wanted *wanted = owner;
    return rig_spool_files(wanted->rig) == wanted->files;
}

static void upload__ledger_is_full__is_refused_leaves_nothing_and_stops_nothing(void **state)
{
    struct core_rig *rig = *state;
    struct pl_fault why = { PL_OK, "" };
    struct files_wanted wanted = { .rig = rig };
    unsigned refused = 0;
    rig->gate = true; /* so that only the upload's own calls are counted */
    for (unsigned n = 1; n <= 16; n++) {
        struct pl_id job;
        rig_fail_at(rig, n, PL_NO_SPACE);
        pl_status status = rig_upload(rig, "inbox", "a scan", &job);
        assert_true(status == PL_OK || status == PL_NO_SPACE);
        refused += status != PL_OK;
        wanted.files += status == PL_OK;
        rig_until(rig, files_are, &wanted);
        assert_true(pl_core_is_ready(rig->core, &why));
    }
    rig_fail_at(rig, 0, PL_OK);
    assert_in_range(refused, 4, 15);
    assert_int_equal(stats_of(rig).uploads_open, 0);
}

static void dispatch__ledger_is_full__takes_the_same_step_again(void **state)
{
    struct core_rig *rig = *state;
    for (unsigned n = 1; n <= 24; n++) {
        struct pl_id job;
        rig->gate = true;
        rig->script.runs[rig->runs % 16] = n % 3 == 0 ? PL_BAD_DOCUMENT : PL_OK;
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
        rig_fail_at(rig, n, PL_NO_SPACE);
        rig_open_gate(rig);
        (void)rig_await(rig, &job, n % 3 == 0 ? PL_JOB_DEAD : PL_JOB_DONE);
        rig_fail_at(rig, 0, PL_OK);
    }
    assert_int_equal(stats_of(rig).done_total, 16);
    assert_int_equal(stats_of(rig).dead_total, 8);
    assert_int_equal(rig->runs, 24); /* no step is taken back for it */
}

static void core__stopped_while_the_ledger_is_full__restart_does_the_job(void **state)
{
    struct core_rig *rig = *state;
    for (unsigned n = 1; n <= 11; n++) { /* all that a job has left to call once it runs */
        struct pl_id job;
        rig->gate = true;
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
        rig_fail_at(rig, n, PL_NO_SPACE);
        rig_restart(rig);
        rig_fail_at(rig, 0, PL_OK);
        assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    }
}

static void dispatch__disk_of_the_store_fails__job_waits_and_the_engine_stops(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    struct pl_fault why = { PL_OK, "" };
    for (unsigned i = 0; i < PL_COUNT_OF(rig->script.puts); i++)
        rig->script.puts[i] = PL_IO_ERROR;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    rig_until(rig, core_is_broken, rig);
    assert_int_equal(rig_await(rig, &job, PL_JOB_QUEUED), PL_IO_ERROR);
    assert_false(pl_core_is_ready(rig->core, &why));
    assert_int_equal(why.status, PL_IO_ERROR);
    assert_int_equal(rig->puts, 1);
}

static void core__stopped_before_an_original_was_removed__start_removes_it(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id done;
    struct pl_id dead;
    rig->script.runs[1] = PL_BAD_DOCUMENT;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &done), PL_OK);
    assert_int_equal(rig_await(rig, &done, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig_upload(rig, "inbox", "junk", &dead), PL_OK);
    assert_int_equal(rig_await(rig, &dead, PL_JOB_DEAD), PL_BAD_DOCUMENT);
    rig_restart(rig);
    assert_int_equal(rig_spool_files(rig), 2);
    rig->remove_done_originals = true;
    rig_restart(rig);
    assert_int_equal(rig_spool_files(rig), 1); /* of the dead one */
    pl_status status = PL_OK;
    int fd = pl_spool_open_job(rig->spool, &dead, &status);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void core__spool_file_without_a_row__is_swept_at_start(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    char path[128];
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    (void)pl_text_format(path, sizeof path, "%s/00000000000000000000000000.plt1", rig->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(rig_spool_files(rig), 2);
    rig_restart(rig);
    assert_int_equal(rig_spool_files(rig), 1);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(dispatch__good_scan__is_done_and_kept),
        RIGGED(dispatch__bad_document__is_dead_at_once),
        RIGGED(dispatch__worker_dies_twice__third_attempt_ends_it),
        RIGGED(dispatch__worker_always_dies__dead_after_three),
        RIGGED(dispatch__store_is_down_long__never_blames_the_document),
        RIGGED(dispatch__other_bytes_stand_in_the_way__are_replaced_before_done),
        RIGGED(dispatch__several_documents__are_rows_and_objects_each),
        RIGGED(dispatch__store_fails_in_the_middle__the_next_try_puts_all),
        RIGGED(dispatch__a_try_that_makes_fewer_documents__leaves_none_of_the_older),
        RIGGED(dispatch__other_bytes_under_several_keys__cost_one_try),
        RIGGED(dispatch__ledger_full_at_any_call__documents_are_whole),
        RIGGED(dispatch__store_is_slow__no_job_is_started_over_the_files_allowed),
        RIGGED(dispatch__more_jobs_than_workers__wait_their_turn),
        RIGGED(dispatch__drained_with_jobs_waiting__restart_does_them),
        RIGGED(upload__unknown_drop__is_refused_and_leaves_nothing),
        RIGGED(upload__too_large__is_refused_before_the_body),
        RIGGED(upload__too_many_at_once__next_is_asked_to_wait),
        RIGGED(upload__ledger_fails__is_not_acknowledged_and_stops_all),
        RIGGED(upload__ledger_is_full__is_refused_leaves_nothing_and_stops_nothing),
        RIGGED(dispatch__ledger_is_full__takes_the_same_step_again),
        RIGGED(core__stopped_while_the_ledger_is_full__restart_does_the_job),
        RIGGED(dispatch__disk_of_the_store_fails__job_waits_and_the_engine_stops),
        RIGGED(core__stopped_before_an_original_was_removed__start_removes_it),
        RIGGED(core__spool_file_without_a_row__is_swept_at_start),
    };
    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
