/* ledger_suite_uploads: receipts and usage, in every implementation of the ledger.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/storage/ledger_suite.h"

#include <string.h>

static const struct pl_id no_id;

static struct pl_ledger_receipt suite_receipt(unsigned n, unsigned tenant, int64_t until_ms)
{
    struct pl_ledger_receipt receipt = { .tenant = pl_suite_id('t', tenant),
                                         .job = pl_suite_id('j', n),
                                         .until_ms = until_ms };
    memset(receipt.hash, (int)n, sizeof receipt.hash);
    memset(receipt.print, (int)n + 100, sizeof receipt.print);
    return receipt;
}

static pl_status suite_receipt_load(const struct pl_ledger *ledger, unsigned n, unsigned tenant,
                                    int64_t now_ms, struct pl_ledger_receipt *out)
{
    struct pl_ledger_receipt like = suite_receipt(n, tenant, 0);
    return PL_DO(ledger, receipt_load, &like.tenant, like.hash, now_ms, out);
}

static void receipt__kept__is_found_until_its_time_by_its_tenant_only(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    struct pl_ledger_receipt receipt = suite_receipt(1, 1, 5000);
    struct pl_ledger_receipt out = { .until_ms = 0 };
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 0, &out), PL_NOT_FOUND);
    assert_int_equal(PL_DO(ledger, receipt_put, &receipt, 1000), PL_OK);
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 4999, &out), PL_OK);
    assert_memory_equal(&out.hash, &receipt.hash, sizeof out.hash);
    assert_memory_equal(&out.print, &receipt.print, sizeof out.print);
    assert_true(pl_id_equals(&out.job, &receipt.job));
    assert_true(pl_id_equals(&out.tenant, &receipt.tenant));
    assert_int_equal(out.until_ms, 5000);
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 5000, &out), PL_NOT_FOUND);
    assert_int_equal(suite_receipt_load(ledger, 1, 2, 1000, &out), PL_NOT_FOUND);
    assert_int_equal(suite_receipt_load(ledger, 2, 1, 1000, &out), PL_NOT_FOUND);
}

static void receipt__put_again__is_replaced(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    struct pl_ledger_receipt receipt = suite_receipt(1, 1, 5000);
    struct pl_ledger_receipt out = { .until_ms = 0 };
    assert_int_equal(PL_DO(ledger, receipt_put, &receipt, 1000), PL_OK);
    receipt.job = pl_suite_id('j', 7);
    receipt.until_ms = 9000;
    assert_int_equal(PL_DO(ledger, receipt_put, &receipt, 6000), PL_OK);
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 6000, &out), PL_OK);
    assert_true(pl_id_equals(&out.job, &receipt.job));
    receipt.tenant = pl_suite_id('t', 9);
    assert_int_equal(PL_DO(ledger, receipt_put, &receipt, 6000), PL_NOT_FOUND);
}

static void receipt__of_a_unit_rolled_back__is_not_there(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    struct pl_ledger_receipt receipt = suite_receipt(1, 1, 5000);
    struct pl_ledger_receipt out = { .until_ms = 0 };
    assert_int_equal(ledger->ops->begin(ledger->self), PL_OK);
    assert_int_equal(PL_DO(ledger, receipt_put, &receipt, 1000), PL_OK);
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 1000, &out), PL_OK);
    ledger->ops->rollback(ledger->self);
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 1000, &out), PL_NOT_FOUND);
}

static void receipts__past_their_time__are_forgotten_as_others_come(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_ledger_receipt out = { .until_ms = 0 };
    pl_suite_add_places(ledger);
    for (unsigned n = 1; n <= 40; n++) {
        struct pl_ledger_receipt receipt = suite_receipt(n, 1, n <= 20 ? 2000 : 90000);
        assert_int_equal(PL_DO(ledger, receipt_put, &receipt, n <= 20 ? 1000 : 3000), PL_OK);
    }
    assert_int_equal(suite_receipt_load(ledger, 1, 1, 1000, &out), PL_NOT_FOUND);
    assert_int_equal(suite_receipt_load(ledger, 20, 1, 1000, &out), PL_NOT_FOUND);
    assert_int_equal(suite_receipt_load(ledger, 21, 1, 1000, &out), PL_OK);
    assert_int_equal(suite_receipt_load(ledger, 40, 1, 1000, &out), PL_OK);
}

static void assert_usage(const struct pl_ledger *ledger, unsigned tenant,
                         const struct pl_id *device, int64_t day, uint64_t jobs, uint64_t bytes)
{
    struct pl_id owner = pl_suite_id('t', tenant);
    struct pl_ledger_usage out = { .jobs = 77 };
    assert_int_equal(PL_DO(ledger, usage_load, &owner, device, day, &out), PL_OK);
    assert_int_equal(out.jobs, jobs);
    assert_int_equal(out.bytes, bytes);
    assert_int_equal(out.pages, 2 * jobs);
}

static void usage__added__counts_for_device_tenant_and_day(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_id tenant = pl_suite_id('t', 1);
    struct pl_id one = pl_suite_id('d', 1);
    struct pl_id two = pl_suite_id('d', 2);
    const struct pl_ledger_usage more = { .jobs = 1, .bytes = 1000, .pages = 2 };
    pl_suite_add_places(ledger);
    assert_usage(ledger, 1, &one, 10, 0, 0);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &one, 10, &more), PL_OK);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &one, 10, &more), PL_OK);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &two, 10, &more), PL_OK);
    assert_usage(ledger, 1, &one, 10, 2, 2000);
    assert_usage(ledger, 1, &two, 10, 1, 1000);
    assert_usage(ledger, 1, &no_id, 10, 3, 3000);
    assert_usage(ledger, 2, &no_id, 10, 0, 0);
    assert_usage(ledger, 1, &no_id, 11, 0, 0);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &one, 11, &more), PL_OK);
    assert_usage(ledger, 1, &one, 11, 1, 1000);
    assert_usage(ledger, 1, &two, 11, 0, 0);
    tenant = pl_suite_id('t', 9);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &one, 11, &more), PL_NOT_FOUND);
}

static void usage__clock_set_back__forgets_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_id tenant = pl_suite_id('t', 1);
    struct pl_id one = pl_suite_id('d', 1);
    const struct pl_ledger_usage more = { .jobs = 1, .bytes = 1000, .pages = 2 };
    pl_suite_add_places(ledger);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &one, 10, &more), PL_OK);
    assert_int_equal(PL_DO(ledger, usage_add, &tenant, &one, 9, &more), PL_OK);
    assert_usage(ledger, 1, &one, 9, 2, 2000);
    assert_usage(ledger, 1, &one, 10, 2, 2000);
}

#define SUITE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int pl_ledger_suite_run_uploads(const char *name, CMFixtureFunction setup,
                                CMFixtureFunction teardown)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST(receipt__kept__is_found_until_its_time_by_its_tenant_only),
        SUITE_TEST(receipt__put_again__is_replaced),
        SUITE_TEST(receipt__of_a_unit_rolled_back__is_not_there),
        SUITE_TEST(receipts__past_their_time__are_forgotten_as_others_come),
        SUITE_TEST(usage__added__counts_for_device_tenant_and_day),
        SUITE_TEST(usage__clock_set_back__forgets_nothing),
    };
    return _cmocka_run_group_tests(name, tests, PL_COUNT_OF(tests), NULL, NULL);
}
