/* ledger_suite: tenants, devices, tokens, drops, pipelines; units and marks.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/storage/ledger_suite.h"

static const struct pl_id no_id;

#define OPS(ledger) ((ledger)->ops)
#define SELF(ledger) ((ledger)->self)

static void suite_on_tenant(void *owner, const struct pl_ledger_tenant *tenant)
{
    pl_suite_assert_span(tenant->key_wrapped, "tenant key", 10);
    pl_suite_assert_span(tenant->name_sealed, "tenant name", 11);
    assert_int_equal(tenant->key_version, 7);
    pl_suite_see(owner, tenant->id.text + PL_ID_CHARS - 1);
}

static void tenant__added__is_listed_with_all_its_fields(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_suite_seen seen = { 0 };
    pl_suite_add_places(ledger);
    assert_int_equal(PL_DO(ledger, tenant_each, suite_on_tenant, &seen), PL_OK);
    assert_string_equal(seen.text, "1 2");
}

static void tenant__same_id_twice__is_a_conflict(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_ledger_tenant tenant = pl_suite_tenant(1);
    assert_int_equal(PL_DO(ledger, tenant_add, &tenant), PL_OK);
    assert_int_equal(PL_DO(ledger, tenant_add, &tenant), PL_CONFLICT);
}

static void device__found_by_login_and_by_id__has_all_its_fields(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_device device = pl_suite_device(1, 1);
    struct pl_ledger_device found[2] = { 0 };
    assert_int_equal(PL_DO(ledger, device_by_login, device.login_hash, &arena, &found[0]), PL_OK);
    assert_int_equal(PL_DO(ledger, device_load, &device.tenant, &device.id, &arena, &found[1]),
                     PL_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(found[i].id.text, device.id.text);
        assert_string_equal(found[i].tenant.text, device.tenant.text);
        assert_memory_equal(found[i].login_hash, device.login_hash, PL_SHA256_BYTES);
        pl_suite_assert_span(found[i].secret_sealed, "secret", 6);
        assert_int_equal(found[i].created_ms, 2000);
    }
    pl_arena_fini(&arena);
}

static void device__of_another_tenant_or_unknown__is_not_found(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_device device = pl_suite_device(9, 1);
    struct pl_ledger_device out = { .created_ms = 42 };
    struct pl_id id = pl_suite_id('d', 1);
    struct pl_id other = pl_suite_id('t', 2);
    assert_int_equal(PL_DO(ledger, device_by_login, device.login_hash, &arena, &out), PL_NOT_FOUND);
    assert_int_equal(PL_DO(ledger, device_load, &other, &id, &arena, &out), PL_NOT_FOUND);
    assert_int_equal(out.created_ms, 42);
    pl_arena_fini(&arena);
}

static void device__login_id_or_tenant_wrong__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    struct pl_ledger_device same_login = pl_suite_device(1, 2);
    same_login.id = pl_suite_id('d', 8);
    assert_int_equal(PL_DO(ledger, device_add, &same_login), PL_CONFLICT);
    struct pl_ledger_device same_id = pl_suite_device(8, 2);
    same_id.id = pl_suite_id('d', 1);
    assert_int_equal(PL_DO(ledger, device_add, &same_id), PL_CONFLICT);
    struct pl_ledger_device orphan = pl_suite_device(8, 9);
    assert_int_equal(PL_DO(ledger, device_add, &orphan), PL_NOT_FOUND);
}

static void row__larger_than_the_arena__is_no_memory_and_leaves_out_alone(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 16);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job out = { .attempts = 42 };
    struct pl_id id = pl_suite_id('j', 1);
    struct pl_id tenant = pl_suite_id('t', 1);
    assert_int_equal(PL_DO(ledger, job_load, &tenant, &id, &arena, &out), PL_NO_MEMORY);
    assert_int_equal(out.attempts, 42);
    pl_arena_fini(&arena);
    pl_arena_init(&arena, 4096); /* and the ledger goes on */
    assert_int_equal(PL_DO(ledger, job_load, &tenant, &id, &arena, &out), PL_OK);
    pl_arena_fini(&arena);
}

static void token__added__is_found_by_hash_only_once_each(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_token token = {
        .id = pl_suite_id('k', 1), .tenant = pl_suite_id('t', 1), .role = "admin", .created_ms = 77
    };
    struct pl_ledger_token out = { 0 };
    token.token_hash[5] = 0xFF;
    assert_int_equal(PL_DO(ledger, token_add, &token), PL_OK);
    assert_int_equal(PL_DO(ledger, token_add, &token), PL_CONFLICT);
    assert_int_equal(PL_DO(ledger, token_by_hash, token.token_hash, &arena, &out), PL_OK);
    assert_string_equal(out.role, "admin");
    assert_string_equal(out.tenant.text, token.tenant.text);
    assert_string_equal(out.id.text, token.id.text);
    assert_int_equal(out.created_ms, 77);
    token.id = pl_suite_id('k', 2);
    assert_int_equal(PL_DO(ledger, token_add, &token), PL_CONFLICT);
    token.token_hash[5] = 0xFE;
    assert_int_equal(PL_DO(ledger, token_by_hash, token.token_hash, &arena, &out), PL_NOT_FOUND);
    token.tenant = pl_suite_id('t', 9);
    assert_int_equal(PL_DO(ledger, token_add, &token), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void drop__name__is_unique_in_its_tenant_only(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_drop drop = { pl_suite_id('t', 1), "inbox", "invoices", 60000 };
    struct pl_ledger_drop out = { 0 };
    assert_int_equal(PL_DO(ledger, drop_add, &drop), PL_OK);
    assert_int_equal(PL_DO(ledger, drop_add, &drop), PL_CONFLICT);
    assert_int_equal(PL_DO(ledger, drop_load, &drop.tenant, "inbox", &arena, &out), PL_OK);
    assert_string_equal(out.name, "inbox");
    assert_string_equal(out.pipeline, "invoices");
    assert_int_equal(out.duplicates_ms, 60000);
    drop.duplicates_ms = PL_DROP_DUPLICATES_DEFAULT;
    drop.tenant = pl_suite_id('t', 2);
    assert_int_equal(PL_DO(ledger, drop_load, &drop.tenant, "inbox", &arena, &out), PL_NOT_FOUND);
    assert_int_equal(PL_DO(ledger, drop_add, &drop), PL_OK);
    drop.tenant = pl_suite_id('t', 9);
    assert_int_equal(PL_DO(ledger, drop_add, &drop), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void pipeline__version_zero__means_the_newest(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_id tenant = pl_suite_id('t', 1);
    struct pl_ledger_pipeline two = { tenant, "invoices", 2, "{\"v\":2}" };
    struct pl_ledger_pipeline ten = { tenant, "invoices", 10, "{\"v\":10}" };
    struct pl_ledger_pipeline out = { 0 };
    assert_int_equal(PL_DO(ledger, pipeline_load, &tenant, "invoices", 0, &arena, &out),
                     PL_NOT_FOUND);
    assert_int_equal(PL_DO(ledger, pipeline_add, &ten), PL_OK);
    assert_int_equal(PL_DO(ledger, pipeline_add, &two), PL_OK);
    assert_int_equal(PL_DO(ledger, pipeline_add, &two), PL_CONFLICT);
    assert_int_equal(PL_DO(ledger, pipeline_load, &tenant, "invoices", 0, &arena, &out), PL_OK);
    assert_int_equal(out.version, 10);
    assert_string_equal(out.definition, "{\"v\":10}");
    assert_int_equal(PL_DO(ledger, pipeline_load, &tenant, "invoices", 2, &arena, &out), PL_OK);
    assert_string_equal(out.definition, "{\"v\":2}");
    assert_int_equal(PL_DO(ledger, pipeline_load, &tenant, "invoices", 3, &arena, &out),
                     PL_NOT_FOUND);
    struct pl_ledger_pipeline orphan = { pl_suite_id('t', 9), "x", 1, "{}" };
    assert_int_equal(PL_DO(ledger, pipeline_add, &orphan), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void unit__rolled_back__changed_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->begin(SELF(ledger)), PL_OK);
    pl_suite_add_job(ledger, 2, 1, PL_JOB_QUEUED);
    (void)pl_suite_lease(ledger, 1);
    OPS(ledger)->rollback(SELF(ledger));
    assert_string_equal(pl_suite_list(ledger, 1, &no_id, 9).text, "1");
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).state, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).fence, 0);
    assert_int_equal(pl_suite_events(ledger, 1).count, 2);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_QUEUED), 1);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_RUNNING), 0);
    pl_arena_fini(&arena);
}

static void unit__with_a_refused_call__keeps_the_others(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    assert_int_equal(OPS(ledger)->begin(SELF(ledger)), PL_OK);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job twice = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(PL_DO(ledger, job_add, &twice), PL_CONFLICT);
    pl_suite_add_job(ledger, 2, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->commit(SELF(ledger)), PL_OK);
    assert_string_equal(pl_suite_list(ledger, 1, &no_id, 9).text, "2 1");
}

static void mark__undone__takes_back_all_since_and_nothing_before(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    assert_int_equal(OPS(ledger)->begin(SELF(ledger)), PL_OK);
    assert_int_equal(OPS(ledger)->mark(SELF(ledger)), PL_OK);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->release(SELF(ledger)), PL_OK);
    assert_int_equal(OPS(ledger)->mark(SELF(ledger)), PL_OK);
    (void)pl_suite_lease(ledger, 1);
    pl_suite_add_job(ledger, 2, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 7), PL_LEASE_LOST);
    OPS(ledger)->undo(SELF(ledger));
    assert_int_equal(OPS(ledger)->mark(SELF(ledger)), PL_OK);
    pl_suite_add_job(ledger, 3, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->release(SELF(ledger)), PL_OK);
    assert_int_equal(OPS(ledger)->commit(SELF(ledger)), PL_OK);
    assert_string_equal(pl_suite_list(ledger, 1, &no_id, 9).text, "3 1");
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).state, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).fence, 0);
    assert_int_equal(pl_suite_events(ledger, 2).count, 0);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_QUEUED), 2);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_RUNNING), 0);
    pl_arena_fini(&arena);
}

static void tidy__between_units__changes_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    OPS(ledger)->tidy(SELF(ledger));
    assert_string_equal(pl_suite_list(ledger, 1, &no_id, 9).text, "1");
}

#define SUITE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int pl_ledger_suite_run(const char *name, CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST(tenant__added__is_listed_with_all_its_fields),
        SUITE_TEST(tenant__same_id_twice__is_a_conflict),
        SUITE_TEST(device__found_by_login_and_by_id__has_all_its_fields),
        SUITE_TEST(device__of_another_tenant_or_unknown__is_not_found),
        SUITE_TEST(device__login_id_or_tenant_wrong__is_refused),
        SUITE_TEST(row__larger_than_the_arena__is_no_memory_and_leaves_out_alone),
        SUITE_TEST(token__added__is_found_by_hash_only_once_each),
        SUITE_TEST(drop__name__is_unique_in_its_tenant_only),
        SUITE_TEST(pipeline__version_zero__means_the_newest),
        SUITE_TEST(unit__rolled_back__changed_nothing),
        SUITE_TEST(unit__with_a_refused_call__keeps_the_others),
        SUITE_TEST(mark__undone__takes_back_all_since_and_nothing_before),
        SUITE_TEST(tidy__between_units__changes_nothing),
    };
    int failed = _cmocka_run_group_tests(name, tests, PL_COUNT_OF(tests), NULL, NULL);
    failed += pl_ledger_suite_run_jobs(name, setup, teardown);
    return failed + pl_ledger_suite_run_uploads(name, setup, teardown);
}
