/* ledger_suite_jobs: jobs, their moves, leases and fences, paging, order of events, documents.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/storage/ledger_suite.h"

#include <stdio.h>

static const struct pl_id no_id;

static void suite_on_document(void *owner, const struct pl_ledger_document *document)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%u:%s", document->n, document->object_key);
    pl_suite_see(owner, text);
}

static void job__added__is_loaded_with_all_its_fields(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_job in = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(PL_DO(ledger, job_add, &in), PL_OK);
    struct pl_ledger_job job = pl_suite_load(ledger, &arena, 1, 1);
    assert_string_equal(job.id.text, in.id.text);
    assert_string_equal(job.tenant.text, in.tenant.text);
    assert_string_equal(job.device.text, in.device.text);
    assert_string_equal(job.drop, "inbox");
    assert_string_equal(job.pipeline, "invoices");
    assert_int_equal(job.pipeline_version, 3);
    assert_int_equal(job.state, PL_JOB_QUEUED);
    assert_int_equal(job.attempts, 0);
    assert_int_equal(job.fence, 0);
    assert_int_equal(job.lease_until_ms, 0);
    assert_int_equal(job.received_ms, 5001);
    assert_int_equal(job.finished_ms, 0);
    assert_int_equal(job.bytes, 123456789012);
    assert_memory_equal(job.sha256, in.sha256, PL_SHA256_BYTES);
    pl_suite_assert_span(job.name_sealed, "na\0me", 5);
    pl_suite_assert_span(job.original_key_wrapped, "original key", 12);
    pl_suite_assert_span(job.result_key_wrapped, "result key", 10);
    assert_int_equal(job.error, PL_OK);
    assert_int_equal(job.reason_sealed.size, 0);
    pl_arena_fini(&arena);
}

static void job__of_another_tenant__does_not_exist(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job out = { 0 };
    struct pl_id id = pl_suite_id('j', 1);
    struct pl_id other = pl_suite_id('t', 2);
    assert_int_equal(PL_DO(ledger, job_load, &other, &id, &arena, &out), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void job__twice_or_without_tenant__is_refused_and_adds_no_event(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job twice = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(PL_DO(ledger, job_add, &twice), PL_CONFLICT);
    struct pl_ledger_job orphan = pl_suite_job(2, 9, PL_JOB_QUEUED);
    assert_int_equal(PL_DO(ledger, job_add, &orphan), PL_NOT_FOUND);
    assert_int_equal(pl_suite_events(ledger, 1).count, 2);
    assert_int_equal(pl_suite_events(ledger, 2).count, 0);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_QUEUED), 1);
}

static void job__through_its_life__leaves_its_events_in_order(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_lease(ledger, 1), 1);
    struct pl_ledger_move retry = { .job = pl_suite_id('j', 1),
                                    .from = PL_JOB_RUNNING,
                                    .to = PL_JOB_QUEUED,
                                    .fence = 1,
                                    .at_ms = 6500,
                                    .error = PL_WORKER_DIED,
                                    .reason_sealed = pl_suite_span("it died") };
    assert_int_equal(PL_DO(ledger, job_move, &retry), PL_OK);
    struct pl_ledger_job job = pl_suite_load(ledger, &arena, 1, 1);
    assert_int_equal(job.error, PL_WORKER_DIED);
    pl_suite_assert_span(job.reason_sealed, "it died", 7);
    assert_int_equal(job.lease_until_ms, 0);
    assert_int_equal(pl_suite_lease(ledger, 1), 2);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 2), PL_OK);
    job = pl_suite_load(ledger, &arena, 1, 1);
    assert_int_equal(job.lease_until_ms, 9000);  /* still held while it delivers */
    assert_int_equal(job.error, PL_WORKER_DIED); /* the last error stays until it is done */
    pl_suite_assert_span(job.reason_sealed, "it died", 7);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_DELIVERING, PL_JOB_DONE, 2), PL_OK);
    job = pl_suite_load(ledger, &arena, 1, 1);
    assert_int_equal(job.state, PL_JOB_DONE);
    assert_int_equal(job.finished_ms, 7000);
    assert_int_equal(job.attempts, 2);
    assert_int_equal(job.fence, 2);
    assert_int_equal(job.lease_until_ms, 0);
    assert_int_equal(job.error, PL_OK);
    assert_int_equal(job.reason_sealed.size, 0);
    struct pl_suite_seen seen = pl_suite_events(ledger, 1);
    assert_string_equal(seen.text, "accepted/5001/0/ok queued/5001/0/ok running/6000/1/ok "
                                   "queued/6500/1/worker_died running/6000/2/ok "
                                   "delivering/7000/2/ok done/7000/2/ok");
    pl_arena_fini(&arena);
}

static void job__added_as_accepted__has_one_event_and_moves_on(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_ACCEPTED);
    assert_string_equal(pl_suite_events(ledger, 1).text, "accepted/5001/0/ok");
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_ACCEPTED, PL_JOB_QUEUED, 0), PL_OK);
}

static void move__with_an_old_fence__is_lease_lost_and_changes_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_lease(ledger, 1), 1);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 0), PL_LEASE_LOST);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 2), PL_LEASE_LOST);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_QUEUED, 1), PL_OK);
    assert_int_equal(pl_suite_lease(ledger, 1), 2);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 1), PL_LEASE_LOST);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_RUNNING), 1);
    assert_int_equal(pl_suite_events(ledger, 1).count, 5);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 2), PL_OK);
}

static void move__from_another_state_or_of_no_job__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 0), PL_CONFLICT);
    assert_int_equal(pl_suite_move(ledger, 2, PL_JOB_QUEUED, PL_JOB_HELD, 0), PL_NOT_FOUND);
    assert_int_equal(pl_suite_events(ledger, 1).count, 2);
}

static void move__of_a_person__needs_no_fence_when_there_is_no_lease(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_lease(ledger, 1), 1);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DEAD, 1), PL_OK);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).finished_ms, 7000);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_DEAD, PL_JOB_QUEUED, 0), PL_OK);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).finished_ms, 0);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_QUEUED, PL_JOB_HELD, 0), PL_OK);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_HELD, PL_JOB_CANCELLED, 0), PL_OK);
    struct pl_ledger_move erase = {
        .job = pl_suite_id('j', 1), .from = PL_JOB_CANCELLED, .to = PL_JOB_ERASED, .at_ms = 99000
    };
    assert_int_equal(PL_DO(ledger, job_move, &erase), PL_OK);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).finished_ms, 7000); /* when it ended */
    pl_arena_fini(&arena);
}

static void suite_on_words(void *owner, const struct pl_ledger_event *event)
{
    char text[96];
    (void)snprintf(text, sizeof text, "%s:%s:%s:%.*s", pl_job_state_name(event->state),
                   pl_job_action_name(event->action), event->by.text + (event->by.text[0] ? 25 : 0),
                   (int)event->note_sealed.size, event->note_sealed.data);
    pl_suite_see(owner, text);
}

static void move__of_a_person__says_who_and_why_and_who_holds(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    struct pl_suite_seen seen = { 0 };
    pl_arena_init(&arena, 16384);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_move hold = {
        .job = pl_suite_id('j', 1), .from = PL_JOB_QUEUED, .to = PL_JOB_HELD, .at_ms = 7000
    };
    assert_int_equal(PL_DO(ledger, job_move, &hold), PL_OK);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).holder, PL_JOB_HELD_BY_ENGINE);
    hold.from = PL_JOB_HELD;
    hold.action = PL_JOB_ACTION_HOLD;
    hold.by = pl_suite_id('k', 7);
    hold.note_sealed = pl_suite_span("wait");
    assert_int_equal(PL_DO(ledger, job_move, &hold), PL_OK);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).holder, PL_JOB_HELD_BY_PERSON);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).revision, 2);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_HELD, PL_JOB_QUEUED, 0), PL_OK);
    assert_int_equal(pl_suite_lease(ledger, 1), 1);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).holder, PL_JOB_HELD_BY_NOBODY);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).revision, 4);
    assert_int_equal(PL_DO(ledger, job_events, &hold.job, suite_on_words, &seen), PL_OK);
    assert_string_equal(seen.text, "accepted:none:: queued:none:: held:none:: held:hold:7:wait "
                                   "queued:none:: running:none::");
    pl_arena_fini(&arena);
}

static void list_state__pages_oldest_first_of_one_tenant_and_state(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_id tenant = pl_suite_id('t', 1);
    struct pl_id after = pl_suite_id('j', 2);
    struct pl_suite_seen seen = { 0 };
    pl_suite_add_places(ledger);
    for (unsigned n = 1; n <= 6; n++)
        pl_suite_add_job(ledger, n, n == 5 ? 2 : 1, PL_JOB_QUEUED);
    for (unsigned n = 1; n <= 5; n++)
        if (n != 3)
            assert_int_equal(pl_suite_move(ledger, n, PL_JOB_QUEUED, PL_JOB_DEAD, 0), PL_OK);
    assert_int_equal(
        PL_DO(ledger, job_list_state, &tenant, PL_JOB_DEAD, &no_id, 2, pl_suite_on_job, &seen),
        PL_OK);
    assert_string_equal(seen.text, "1 2");
    seen = (struct pl_suite_seen){ 0 };
    assert_int_equal(
        PL_DO(ledger, job_list_state, &tenant, PL_JOB_DEAD, &after, 10, pl_suite_on_job, &seen),
        PL_OK);
    assert_string_equal(seen.text, "4");
    seen = (struct pl_suite_seen){ 0 };
    assert_int_equal(
        PL_DO(ledger, job_list_state, &tenant, PL_JOB_QUEUED, &no_id, 10, pl_suite_on_job, &seen),
        PL_OK);
    assert_string_equal(seen.text, "3 6");
}

static void lease__of_a_job_not_queued_or_unknown__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_lease(ledger, 1), 1);
    struct pl_ledger_lease lease = { pl_suite_id('j', 1), 6000, 9000 };
    uint64_t fence = 42;
    assert_int_equal(PL_DO(ledger, job_lease, &lease, &fence), PL_CONFLICT);
    lease.job = pl_suite_id('j', 2);
    assert_int_equal(PL_DO(ledger, job_lease, &lease, &fence), PL_NOT_FOUND);
    assert_int_equal(fence, 42);
}

static void list__pages_by_cursor__newest_first_of_one_tenant(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    static const unsigned order[] = { 3, 1, 5, 2, 4 };
    for (unsigned i = 0; i < PL_COUNT_OF(order); i++)
        pl_suite_add_job(ledger, order[i], 1, PL_JOB_QUEUED);
    pl_suite_add_job(ledger, 6, 2, PL_JOB_QUEUED);
    assert_string_equal(pl_suite_list(ledger, 1, &no_id, 2).text, "5 4");
    struct pl_id before = pl_suite_id('j', 4);
    assert_string_equal(pl_suite_list(ledger, 1, &before, 2).text, "3 2");
    before = pl_suite_id('j', 2);
    assert_string_equal(pl_suite_list(ledger, 1, &before, 2).text, "1");
    before = pl_suite_id('j', 1);
    assert_string_equal(pl_suite_list(ledger, 1, &before, 2).text, "");
    assert_string_equal(pl_suite_list(ledger, 1, &no_id, 0).text, "");
    assert_string_equal(pl_suite_list(ledger, 2, &no_id, 100).text, "6");
}

static void open_jobs__are_those_in_no_end_state__oldest_first(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_suite_seen seen = { 0 };
    pl_suite_add_places(ledger);
    for (unsigned n = 6; n >= 1; n--)
        pl_suite_add_job(ledger, n, n % 2 + 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_move(ledger, 2, PL_JOB_QUEUED, PL_JOB_DEAD, 0), PL_OK);
    assert_int_equal(pl_suite_move(ledger, 3, PL_JOB_QUEUED, PL_JOB_CANCELLED, 0), PL_OK);
    assert_int_equal(pl_suite_move(ledger, 4, PL_JOB_QUEUED, PL_JOB_HELD, 0), PL_OK);
    (void)pl_suite_lease(ledger, 5);
    assert_int_equal(PL_DO(ledger, job_each_open, pl_suite_on_job, &seen), PL_OK);
    assert_string_equal(seen.text, "1 4 5 6");
    assert_int_equal(pl_suite_count(ledger, PL_JOB_QUEUED), 2);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_DEAD), 1);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_CANCELLED), 1);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_HELD), 1);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_RUNNING), 1);
    assert_int_equal(pl_suite_count(ledger, PL_JOB_DONE), 0);
}

static void document__put_twice__is_replaced_and_listed_by_number(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    struct pl_suite_seen seen = { 0 };
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_document document = { .job = pl_suite_id('j', 1),
                                           .name_sealed = pl_suite_span("name"),
                                           .type = "application/pdf",
                                           .bytes = 5000000000,
                                           .pages = 12,
                                           .object_key = "old" };
    document.sha256[31] = 9;
    static const uint32_t order[] = { 10, 2, 1 };
    for (unsigned i = 0; i < PL_COUNT_OF(order); i++) {
        document.n = order[i];
        assert_int_equal(PL_DO(ledger, document_put, &document), PL_OK);
    }
    document.n = 2;
    document.object_key = "new";
    document.page_ledger_sealed = pl_suite_span("[1,2]");
    assert_int_equal(PL_DO(ledger, document_put, &document), PL_OK);
    assert_int_equal(
        PL_DO(ledger, document_each, &document.job, UINT32_MAX, suite_on_document, &seen), PL_OK);
    assert_string_equal(seen.text, "1:old 2:new 10:old");
    seen = (struct pl_suite_seen){ 0 };
    assert_int_equal(PL_DO(ledger, document_each, &document.job, 2, suite_on_document, &seen),
                     PL_OK);
    assert_string_equal(seen.text, "1:old 2:new");
    struct pl_ledger_document out = { 0 };
    assert_int_equal(PL_DO(ledger, document_load, &document.job, 2, &arena, &out), PL_OK);
    assert_string_equal(out.type, "application/pdf");
    assert_int_equal(out.bytes, 5000000000);
    assert_int_equal(out.pages, 12);
    assert_int_equal(out.sha256[31], 9);
    pl_suite_assert_span(out.name_sealed, "name", 4);
    pl_suite_assert_span(out.page_ledger_sealed, "[1,2]", 5);
    assert_int_equal(PL_DO(ledger, document_load, &document.job, 3, &arena, &out), PL_NOT_FOUND);
    document.job = pl_suite_id('j', 2);
    assert_int_equal(PL_DO(ledger, document_put, &document), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void suite_put_documents(const struct pl_ledger *ledger, unsigned job, uint32_t count)
{
    for (uint32_t n = 1; n <= count; n++) {
        const struct pl_ledger_document document = {
            .job = pl_suite_id('j', job), .n = n, .type = "image/png", .object_key = "key"
        };
        assert_int_equal(PL_DO(ledger, document_put, &document), PL_OK);
    }
}

static struct pl_suite_seen suite_documents(const struct pl_ledger *ledger, unsigned job)
{
    struct pl_suite_seen seen = { 0 };
    struct pl_id id = pl_suite_id('j', job);
    assert_int_equal(PL_DO(ledger, document_each, &id, UINT32_MAX, suite_on_document, &seen),
                     PL_OK);
    return seen;
}

static void documents__trimmed__are_those_of_that_job_behind_n(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_id id = pl_suite_id('j', 1);
    pl_suite_add_places(ledger);
    for (unsigned job = 1; job <= 2; job++) {
        pl_suite_add_job(ledger, job, 1, PL_JOB_QUEUED);
        suite_put_documents(ledger, job, 4);
    }
    assert_int_equal(PL_DO(ledger, document_trim, &id, 4), PL_OK);
    assert_int_equal(suite_documents(ledger, 1).count, 4);
    assert_int_equal(PL_DO(ledger, document_trim, &id, 2), PL_OK);
    assert_string_equal(suite_documents(ledger, 1).text, "1:key 2:key");
    assert_int_equal(suite_documents(ledger, 2).count, 4);
    suite_put_documents(ledger, 1, 3);
    assert_string_equal(suite_documents(ledger, 1).text, "1:key 2:key 3:key");
}

static void documents__trimmed_in_a_unit_that_is_taken_back__are_there_again(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_id id = pl_suite_id('j', 1);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    suite_put_documents(ledger, 1, 3);
    assert_int_equal(ledger->ops->begin(ledger->self), PL_OK);
    assert_int_equal(PL_DO(ledger, document_trim, &id, 1), PL_OK);
    suite_put_documents(ledger, 1, 2);
    assert_string_equal(suite_documents(ledger, 1).text, "1:key 2:key");
    ledger->ops->rollback(ledger->self);
    assert_string_equal(suite_documents(ledger, 1).text, "1:key 2:key 3:key");
}

static void move__with_a_report__keeps_it_through_later_moves(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    pl_suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(pl_suite_load(ledger, &arena, 1, 1).report_sealed.size, 0);
    struct pl_ledger_move move = { .job = pl_suite_id('j', 1),
                                   .from = PL_JOB_RUNNING,
                                   .to = PL_JOB_DELIVERING,
                                   .fence = pl_suite_lease(ledger, 1),
                                   .at_ms = 7000,
                                   .report_sealed = pl_suite_span("copied 2") };
    assert_int_equal(PL_DO(ledger, job_move, &move), PL_OK);
    assert_int_equal(pl_suite_move(ledger, 1, PL_JOB_DELIVERING, PL_JOB_DONE, move.fence), PL_OK);
    pl_suite_assert_span(pl_suite_load(ledger, &arena, 1, 1).report_sealed, "copied 2", 8);
    pl_arena_fini(&arena);
}

#define SUITE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int pl_ledger_suite_run_jobs(const char *name, CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST(job__added__is_loaded_with_all_its_fields),
        SUITE_TEST(job__of_another_tenant__does_not_exist),
        SUITE_TEST(job__twice_or_without_tenant__is_refused_and_adds_no_event),
        SUITE_TEST(job__through_its_life__leaves_its_events_in_order),
        SUITE_TEST(job__added_as_accepted__has_one_event_and_moves_on),
        SUITE_TEST(move__with_an_old_fence__is_lease_lost_and_changes_nothing),
        SUITE_TEST(move__from_another_state_or_of_no_job__is_refused),
        SUITE_TEST(move__of_a_person__needs_no_fence_when_there_is_no_lease),
        SUITE_TEST(lease__of_a_job_not_queued_or_unknown__is_refused),
        SUITE_TEST(move__of_a_person__says_who_and_why_and_who_holds),
        SUITE_TEST(list_state__pages_oldest_first_of_one_tenant_and_state),
        SUITE_TEST(list__pages_by_cursor__newest_first_of_one_tenant),
        SUITE_TEST(open_jobs__are_those_in_no_end_state__oldest_first),
        SUITE_TEST(document__put_twice__is_replaced_and_listed_by_number),
        SUITE_TEST(documents__trimmed__are_those_of_that_job_behind_n),
        SUITE_TEST(documents__trimmed_in_a_unit_that_is_taken_back__are_there_again),
        SUITE_TEST(move__with_a_report__keeps_it_through_later_moves),
    };
    return _cmocka_run_group_tests(name, tests, PL_COUNT_OF(tests), NULL, NULL);
}
