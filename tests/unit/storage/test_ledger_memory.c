/* test_ledger_memory: the suite, and the hook that makes calls fail.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/ledger_memory.h"

#include "tests/unit/storage/ledger_suite.h"

static int memory_setup(void **state)
{
    static struct pl_ledger ledger;
    *state = &ledger;
    return pl_ledger_memory_new(&ledger) == PL_OK ? 0 : -1;
}

static int memory_teardown(void **state)
{
    const struct pl_ledger *ledger = *state;
    ledger->ops->close(ledger->self);
    return 0;
}

static pl_status memory_scenario(const struct pl_ledger *ledger)
{
    struct pl_ledger_job job = pl_suite_job(1, 1, PL_JOB_QUEUED);
    struct pl_ledger_lease lease = { job.id, 1, 2 };
    uint64_t fence = 0;
    pl_status status = ledger->ops->begin(ledger->self);
    if (status != PL_OK)
        return status;
    status = ledger->ops->job_add(ledger->self, &job);
    if (status == PL_OK)
        status = ledger->ops->job_lease(ledger->self, &lease, &fence);
    if (status != PL_OK) {
        ledger->ops->rollback(ledger->self);
        return status;
    }
    return ledger->ops->commit(ledger->self);
}

static void fail_at__every_call_in_turn__answers_the_status_and_keeps_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    uint64_t counts[PL_JOB_STATE_COUNT];
    pl_suite_add_places(ledger);
    for (uint64_t n = 1; n <= 4; n++) {
        pl_ledger_memory_fail_at(ledger, n, PL_NO_SPACE);
        assert_int_equal(memory_scenario(ledger), PL_NO_SPACE);
        assert_int_equal(ledger->ops->job_counts(ledger->self, counts), PL_OK);
        for (unsigned i = 0; i < PL_JOB_STATE_COUNT; i++)
            assert_int_equal(counts[i], 0);
    }
    pl_ledger_memory_fail_at(ledger, 5, PL_NO_SPACE);
    assert_int_equal(memory_scenario(ledger), PL_OK);
    assert_int_equal(ledger->ops->job_counts(ledger->self, counts), PL_NO_SPACE);
    assert_int_equal(ledger->ops->job_counts(ledger->self, counts), PL_OK);
    assert_int_equal(counts[PL_JOB_RUNNING], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            fail_at__every_call_in_turn__answers_the_status_and_keeps_nothing, memory_setup,
            memory_teardown),
    };
    int failed = pl_ledger_suite_run("ledger_suite on memory", memory_setup, memory_teardown);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
