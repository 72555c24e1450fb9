/* test_job_action: every cell of the table leads where the states may go, and twice is once.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/job_action.h"

#include "tests/support/pl_test.h"

static void job_action__moves__are_legal_and_asked_again_change_nothing(void **state)
{
    (void)state;
    unsigned moves = 0;
    for (unsigned i = PL_JOB_ACTION_NONE + 1; i < PL_JOB_ACTION_COUNT; i++) {
        for (unsigned from = 0; from < PL_JOB_STATE_COUNT; from++) {
            enum pl_job_action action = (enum pl_job_action)i;
            enum pl_job_holder holder =
                from == PL_JOB_HELD ? PL_JOB_HELD_BY_ENGINE : PL_JOB_HELD_BY_NOBODY;
            enum pl_job_state to = PL_JOB_ACCEPTED;
            if (pl_job_action_effect(action, (enum pl_job_state)from, holder, true, &to) !=
                PL_JOB_MOVES)
                continue;
            moves++;
            assert_true(pl_job_state_may((enum pl_job_state)from, to));
            holder = to == PL_JOB_HELD ? PL_JOB_HELD_BY_PERSON : PL_JOB_HELD_BY_NOBODY;
            assert_int_equal(pl_job_action_effect(action, to, holder, false, &to), PL_JOB_STAYS);
        }
    }
    assert_int_equal(moves, 12);
}

static void job_action__hold_of_a_person__is_not_undone_by_a_retry(void **state)
{
    enum pl_job_state to = PL_JOB_ACCEPTED;
    (void)state;
    assert_int_equal(
        pl_job_action_effect(PL_JOB_ACTION_RETRY, PL_JOB_HELD, PL_JOB_HELD_BY_PERSON, false, &to),
        PL_JOB_REFUSES);
    assert_int_equal(
        pl_job_action_effect(PL_JOB_ACTION_RELEASE, PL_JOB_HELD, PL_JOB_HELD_BY_PERSON, false, &to),
        PL_JOB_MOVES);
    assert_int_equal(to, PL_JOB_QUEUED);
    assert_int_equal(
        pl_job_action_effect(PL_JOB_ACTION_CANCEL, PL_JOB_DONE, PL_JOB_HELD_BY_NOBODY, false, &to),
        PL_JOB_REFUSES);
}

static void job_action__names__go_both_ways(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PL_JOB_ACTION_COUNT; i++) {
        enum pl_job_action action = PL_JOB_ACTION_NONE;
        assert_true(pl_job_action_parse(pl_job_action_name((enum pl_job_action)i), &action));
        assert_int_equal(action, i);
    }
    enum pl_job_action none = PL_JOB_ACTION_NONE;
    assert_false(pl_job_action_parse("Hold", &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_action__moves__are_legal_and_asked_again_change_nothing),
        cmocka_unit_test(job_action__hold_of_a_person__is_not_undone_by_a_retry),
        cmocka_unit_test(job_action__names__go_both_ways),
    };
    return cmocka_run_group_tests_name("job_action", tests, NULL, NULL);
}
