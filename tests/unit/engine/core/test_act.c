/* test_act: what people ask of jobs, wherever those are, through the real core.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/act.h"

#include "tests/support/core_rig.h"

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

struct asked {
    struct pl_job_act act;
    bool is_done;
};

static void asked_on_done(struct pl_job_act *act)
{
    PL_CONTAINER_OF(act, struct asked, act)->is_done = true;
}

static bool asked_is_done(void *owner)
{
    return ((struct asked *)owner)->is_done;
}

static void begin(struct core_rig *rig, const struct pl_id *job, enum pl_job_action action,
                  struct asked *asked)
{
    *asked = (struct asked){ .act = { .tenant = rig->tenant,
                                      .job = *job,
                                      .by = { "01hf7k3v5e8z9x2c4b6n8m0q1k" },
                                      .action = action,
                                      .why = pl_span_from("as asked"),
                                      .done = asked_on_done } };
    pl_core_act(rig->core, &asked->act);
    assert_false(asked->is_done);
}

static pl_status finish(struct core_rig *rig, struct asked *asked)
{
    rig_until(rig, asked_is_done, asked);
    return asked->act.status;
}

/* True when it changed something. */
static bool act(struct core_rig *rig, const struct pl_id *job, enum pl_job_action action)
{
    struct asked asked;
    begin(rig, job, action, &asked);
    assert_int_equal(finish(rig, &asked), PL_OK);
    return asked.act.has_changed;
}

static void act__hold_of_a_waiting_job__lets_others_pass_until_released(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[4];
    rig->gate = true;
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
    assert_int_equal(rig_await(rig, &jobs[1], PL_JOB_RUNNING), PL_OK);
    assert_true(act(rig, &jobs[2], PL_JOB_ACTION_HOLD));
    assert_false(act(rig, &jobs[2], PL_JOB_ACTION_HOLD));
    rig_open_gate(rig);
    assert_int_equal(rig_await(rig, &jobs[3], PL_JOB_DONE), PL_OK);
    assert_int_equal(rig_await(rig, &jobs[2], PL_JOB_HELD), PL_OK);
    assert_int_equal(rig->runs, 3);
    rig_restart(rig);
    assert_int_equal(rig_await(rig, &jobs[2], PL_JOB_HELD), PL_OK);
    assert_true(act(rig, &jobs[2], PL_JOB_ACTION_RELEASE));
    assert_int_equal(rig_await(rig, &jobs[2], PL_JOB_DONE), PL_OK);
    assert_false(act(rig, &jobs[2], PL_JOB_ACTION_RELEASE));
}

static void act__cancel_of_a_running_job__ends_its_run(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->gate = true;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_RUNNING), PL_OK);
    assert_true(act(rig, &job, PL_JOB_ACTION_CANCEL));
    assert_int_equal(rig_await(rig, &job, PL_JOB_CANCELLED), PL_OK);
    assert_false(act(rig, &job, PL_JOB_ACTION_CANCEL));
    assert_int_equal(rig->running, 0);
    assert_true(pl_list_is_empty(&rig->objects));
    assert_int_equal(rig_spool_files(rig), 1);
}

static void act__hold_of_a_running_job__runs_again_when_released(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->gate = true;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_RUNNING), PL_OK);
    assert_true(act(rig, &job, PL_JOB_ACTION_HOLD));
    rig_open_gate(rig);
    assert_int_equal(rig->runs, 0);
    assert_true(act(rig, &job, PL_JOB_ACTION_RELEASE));
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 1);
}

static void act__cancel_while_it_delivers__comes_too_late_or_after_a_failure(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[2];
    struct asked asked;
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++) {
        rig->puts_wait = true;
        rig->script.puts[1] = PL_STORE_DOWN;
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
        assert_int_equal(rig_await(rig, &jobs[i], PL_JOB_DELIVERING), PL_OK);
        begin(rig, &jobs[i], PL_JOB_ACTION_CANCEL, &asked);
        rig_open_store(rig);
        assert_int_equal(finish(rig, &asked), i == 0 ? PL_CONFLICT : PL_OK);
    }
    assert_int_equal(rig_await(rig, &jobs[0], PL_JOB_DONE), PL_OK);
    assert_int_equal(rig_await(rig, &jobs[1], PL_JOB_CANCELLED), PL_OK);
}

static void act__replay_of_a_dead_letter__has_all_its_attempts_again(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    for (unsigned i = 0; i < 5; i++)
        rig->script.runs[i] = PL_WORKER_DIED;
    assert_int_equal(rig_upload(rig, "inbox", "poison", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DEAD), PL_WORKER_DIED);
    assert_int_equal(rig->runs, 3);
    assert_true(act(rig, &job, PL_JOB_ACTION_REPLAY));
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->runs, 6);
    assert_false(act(rig, &job, PL_JOB_ACTION_REPLAY));
}

static void act__retry__does_not_wait_for_the_next_try(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->retry_ms = UINT64_C(1) << 40; /* any part of it is longer than this test */
    rig_restart(rig);
    rig->script.runs[0] = PL_WORKER_DIED;
    rig->script.puts[0] = PL_NO_SPACE;
    rig->gate = true;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_RUNNING), PL_OK);
    rig_open_gate(rig);
    assert_int_equal(rig_await(rig, &job, PL_JOB_QUEUED), PL_WORKER_DIED);
    while (!act(rig, &job, PL_JOB_ACTION_RETRY)) {
        /* the ledger knew before the engine did */
    }
    assert_int_equal(rig_await(rig, &job, PL_JOB_HELD), PL_NO_SPACE);
    assert_true(act(rig, &job, PL_JOB_ACTION_RETRY));
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    rig->retry_ms = 0;
}

static void act__what_an_operator_must_mend__is_held_and_tried_by_itself(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    for (unsigned i = 0; i < 6; i++)
        rig->script.puts[i] = PL_NO_SPACE;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
    assert_int_equal(rig->puts, 7);
}

static void act__held_by_the_engine__is_taken_up_by_a_restart(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id job;
    rig->retry_ms = UINT64_C(1) << 40;
    rig_restart(rig);
    rig->script.puts[0] = PL_NO_SPACE;
    assert_int_equal(rig_upload(rig, "inbox", "a scan", &job), PL_OK);
    assert_int_equal(rig_await(rig, &job, PL_JOB_HELD), PL_NO_SPACE);
    rig->retry_ms = 0;
    rig_restart(rig);
    assert_int_equal(rig_await(rig, &job, PL_JOB_DONE), PL_OK);
}

static void act__another_revision_or_tenant__changes_nothing(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[3];
    rig->gate = true;
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
    assert_int_equal(rig_await(rig, &jobs[1], PL_JOB_RUNNING), PL_OK);
    struct asked asked = { .act = { .tenant = rig->tenant,
                                    .job = jobs[2],
                                    .action = PL_JOB_ACTION_CANCEL,
                                    .has_revision = true,
                                    .revision = 9,
                                    .done = asked_on_done } };
    pl_core_act(rig->core, &asked.act);
    assert_int_equal(finish(rig, &asked), PL_CONFLICT);
    assert_true(asked.act.is_stale);
    assert_int_equal(asked.act.revision, 0);
    asked = (struct asked){ .act = { .tenant = { "01hf7k3v5e8z9x2c4b6n8m0q1w" },
                                     .job = jobs[2],
                                     .action = PL_JOB_ACTION_CANCEL,
                                     .done = asked_on_done } };
    pl_core_act(rig->core, &asked.act);
    assert_int_equal(finish(rig, &asked), PL_NOT_FOUND);
    rig_open_gate(rig);
    for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
        assert_int_equal(rig_await(rig, &jobs[i], PL_JOB_DONE), PL_OK);
}

static void act__ledger_fails_at_any_call__loses_no_job(void **state)
{
    struct core_rig *rig = *state;
    struct pl_id jobs[3];
    for (unsigned n = 1; n < 12; n++) {
        struct asked asked;
        rig->gate = true;
        for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
            assert_int_equal(rig_upload(rig, "inbox", "a scan", &jobs[i]), PL_OK);
        assert_int_equal(rig_await(rig, &jobs[1], PL_JOB_RUNNING), PL_OK);
        rig_fail_at(rig, n, PL_NO_SPACE);
        begin(rig, &jobs[n % 2 == 0 ? 2 : 1], PL_JOB_ACTION_HOLD, &asked);
        pl_status status = finish(rig, &asked);
        rig_fail_at(rig, 0, PL_OK);
        assert_true(status == PL_OK || status == PL_NO_SPACE);
        assert_int_equal(asked.act.has_changed, status == PL_OK);
        if (status == PL_OK)
            assert_true(act(rig, &asked.act.job, PL_JOB_ACTION_RELEASE));
        rig_open_gate(rig);
        for (unsigned i = 0; i < PL_COUNT_OF(jobs); i++)
            assert_int_equal(rig_await(rig, &jobs[i], PL_JOB_DONE), PL_OK);
    }
}

#define ACT_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACT_TEST(act__hold_of_a_waiting_job__lets_others_pass_until_released),
        ACT_TEST(act__cancel_of_a_running_job__ends_its_run),
        ACT_TEST(act__hold_of_a_running_job__runs_again_when_released),
        ACT_TEST(act__cancel_while_it_delivers__comes_too_late_or_after_a_failure),
        ACT_TEST(act__replay_of_a_dead_letter__has_all_its_attempts_again),
        ACT_TEST(act__retry__does_not_wait_for_the_next_try),
        ACT_TEST(act__what_an_operator_must_mend__is_held_and_tried_by_itself),
        ACT_TEST(act__held_by_the_engine__is_taken_up_by_a_restart),
        ACT_TEST(act__another_revision_or_tenant__changes_nothing),
        ACT_TEST(act__ledger_fails_at_any_call__loses_no_job),
    };
    return cmocka_run_group_tests_name("act", tests, NULL, NULL);
}
