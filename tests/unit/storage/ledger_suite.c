/* ledger_suite: every op, every refusal, units, marks, fences, paging, order.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/storage/ledger_suite.h"

#include <stdio.h>
#include <string.h>

#define OPS(ledger) ((ledger)->ops)
#define SELF(ledger) ((ledger)->self)
#define DO(ledger, op, ...) ((ledger)->ops->op((ledger)->self, __VA_ARGS__))

static const struct pl_id no_id;

struct pl_id pl_suite_id(char kind, unsigned n)
{
    struct pl_id id;
    (void)snprintf(id.text, sizeof id.text, "0%c%024u", kind, n);
    return id;
}

static struct pl_span suite_span(const char *text)
{
    return pl_span_from(text);
}

static struct pl_ledger_tenant suite_tenant(unsigned n)
{
    return (struct pl_ledger_tenant){ pl_suite_id('t', n), 7, suite_span("tenant key"),
                                      suite_span("tenant name"), 1000 + n };
}

static struct pl_ledger_device suite_device(unsigned n, unsigned tenant)
{
    struct pl_ledger_device device = { .id = pl_suite_id('d', n),
                                       .tenant = pl_suite_id('t', tenant),
                                       .secret_sealed = suite_span("secret"),
                                       .created_ms = 2000 };
    memset(device.login_hash, (int)n, sizeof device.login_hash);
    return device;
}

void pl_suite_add_places(const struct pl_ledger *ledger)
{
    for (unsigned n = 1; n <= 2; n++) {
        struct pl_ledger_tenant tenant = suite_tenant(n);
        struct pl_ledger_device device = suite_device(n, n);
        assert_int_equal(DO(ledger, tenant_add, &tenant), PL_OK);
        assert_int_equal(DO(ledger, device_add, &device), PL_OK);
    }
}

struct pl_ledger_job pl_suite_job(unsigned n, unsigned tenant, enum pl_job_state state)
{
    struct pl_ledger_job job = { .id = pl_suite_id('j', n),
                                 .tenant = pl_suite_id('t', tenant),
                                 .device = pl_suite_id('d', tenant),
                                 .drop = "inbox",
                                 .pipeline = "invoices",
                                 .pipeline_version = 3,
                                 .state = state,
                                 .received_ms = 5000 + n,
                                 .bytes = 123456789012,
                                 .name_sealed = { "na\0me", 5 },
                                 .original_key_wrapped = suite_span("original key"),
                                 .result_key_wrapped = suite_span("result key") };
    memset(job.sha256, (int)n, sizeof job.sha256);
    return job;
}

static void suite_add_job(const struct pl_ledger *ledger, unsigned n, unsigned tenant,
                          enum pl_job_state state)
{
    struct pl_ledger_job job = pl_suite_job(n, tenant, state);
    assert_int_equal(DO(ledger, job_add, &job), PL_OK);
}

static struct pl_ledger_job suite_load(const struct pl_ledger *ledger, struct pl_arena *arena,
                                       unsigned n, unsigned tenant)
{
    struct pl_ledger_job job = { 0 };
    struct pl_id id = pl_suite_id('j', n);
    struct pl_id owner = pl_suite_id('t', tenant);
    assert_int_equal(DO(ledger, job_load, &owner, &id, arena, &job), PL_OK);
    return job;
}

static uint64_t suite_lease(const struct pl_ledger *ledger, unsigned n)
{
    struct pl_ledger_lease lease = { pl_suite_id('j', n), 6000, 9000 };
    uint64_t fence = 0;
    assert_int_equal(DO(ledger, job_lease, &lease, &fence), PL_OK);
    return fence;
}

static pl_status suite_move(const struct pl_ledger *ledger, unsigned n, enum pl_job_state from,
                            enum pl_job_state to, uint64_t fence)
{
    struct pl_ledger_move move = {
        .job = pl_suite_id('j', n), .from = from, .to = to, .fence = fence, .at_ms = 7000
    };
    return DO(ledger, job_move, &move);
}

static void suite_assert_span(struct pl_span span, const char *text, size_t size)
{
    assert_int_equal(span.size, size);
    assert_memory_equal(span.data, text, size);
}

/* What a callback saw, as text: ids' last digits, in order. */
struct suite_seen {
    char text[256];
    unsigned count;
};

static void suite_see(struct suite_seen *seen, const char *text)
{
    size_t used = strlen(seen->text);
    (void)snprintf(seen->text + used, sizeof seen->text - used, "%s%s", used ? " " : "", text);
    seen->count++;
}

static void suite_on_tenant(void *owner, const struct pl_ledger_tenant *tenant)
{
    suite_assert_span(tenant->key_wrapped, "tenant key", 10);
    suite_assert_span(tenant->name_sealed, "tenant name", 11);
    assert_int_equal(tenant->key_version, 7);
    suite_see(owner, tenant->id.text + PL_ID_CHARS - 1);
}

static void suite_on_job(void *owner, const struct pl_ledger_job *job)
{
    suite_assert_span(job->name_sealed, "na\0me", 5);
    suite_see(owner, job->id.text + PL_ID_CHARS - 1);
}

static void suite_on_event(void *owner, const struct pl_ledger_event *event)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s/%lld/%u/%s", pl_job_state_name(event->state),
                   (long long)event->at_ms, event->attempt, pl_status_name(event->error));
    suite_see(owner, text);
}

static void suite_on_document(void *owner, const struct pl_ledger_document *document)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%u:%s", document->n, document->object_key);
    suite_see(owner, text);
}

static struct suite_seen suite_list(const struct pl_ledger *ledger, unsigned tenant,
                                    const struct pl_id *before, uint32_t limit)
{
    struct suite_seen seen = { 0 };
    struct pl_id id = pl_suite_id('t', tenant);
    assert_int_equal(DO(ledger, job_list, &id, before, limit, suite_on_job, &seen), PL_OK);
    return seen;
}

static struct suite_seen suite_events(const struct pl_ledger *ledger, unsigned n)
{
    struct suite_seen seen = { 0 };
    struct pl_id id = pl_suite_id('j', n);
    assert_int_equal(DO(ledger, job_events, &id, suite_on_event, &seen), PL_OK);
    return seen;
}

static uint64_t suite_count(const struct pl_ledger *ledger, enum pl_job_state state)
{
    uint64_t counts[PL_JOB_STATE_COUNT];
    assert_int_equal(DO(ledger, job_counts, counts), PL_OK);
    return counts[state];
}

static void tenant__added__is_listed_with_all_its_fields(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct suite_seen seen = { 0 };
    pl_suite_add_places(ledger);
    assert_int_equal(DO(ledger, tenant_each, suite_on_tenant, &seen), PL_OK);
    assert_string_equal(seen.text, "1 2");
}

static void tenant__same_id_twice__is_a_conflict(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_ledger_tenant tenant = suite_tenant(1);
    assert_int_equal(DO(ledger, tenant_add, &tenant), PL_OK);
    assert_int_equal(DO(ledger, tenant_add, &tenant), PL_CONFLICT);
}

static void device__found_by_login_and_by_id__has_all_its_fields(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_device device = suite_device(1, 1);
    struct pl_ledger_device found[2] = { 0 };
    assert_int_equal(DO(ledger, device_by_login, device.login_hash, &arena, &found[0]), PL_OK);
    assert_int_equal(DO(ledger, device_load, &device.tenant, &device.id, &arena, &found[1]), PL_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(found[i].id.text, device.id.text);
        assert_string_equal(found[i].tenant.text, device.tenant.text);
        assert_memory_equal(found[i].login_hash, device.login_hash, PL_SHA256_BYTES);
        suite_assert_span(found[i].secret_sealed, "secret", 6);
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
    struct pl_ledger_device device = suite_device(9, 1);
    struct pl_ledger_device out = { .created_ms = 42 };
    struct pl_id id = pl_suite_id('d', 1);
    struct pl_id other = pl_suite_id('t', 2);
    assert_int_equal(DO(ledger, device_by_login, device.login_hash, &arena, &out), PL_NOT_FOUND);
    assert_int_equal(DO(ledger, device_load, &other, &id, &arena, &out), PL_NOT_FOUND);
    assert_int_equal(out.created_ms, 42);
    pl_arena_fini(&arena);
}

static void device__login_id_or_tenant_wrong__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    struct pl_ledger_device same_login = suite_device(1, 2);
    same_login.id = pl_suite_id('d', 8);
    assert_int_equal(DO(ledger, device_add, &same_login), PL_CONFLICT);
    struct pl_ledger_device same_id = suite_device(8, 2);
    same_id.id = pl_suite_id('d', 1);
    assert_int_equal(DO(ledger, device_add, &same_id), PL_CONFLICT);
    struct pl_ledger_device orphan = suite_device(8, 9);
    assert_int_equal(DO(ledger, device_add, &orphan), PL_NOT_FOUND);
}

static void row__larger_than_the_arena__is_no_memory_and_leaves_out_alone(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 16);
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job out = { .attempts = 42 };
    struct pl_id id = pl_suite_id('j', 1);
    struct pl_id tenant = pl_suite_id('t', 1);
    assert_int_equal(DO(ledger, job_load, &tenant, &id, &arena, &out), PL_NO_MEMORY);
    assert_int_equal(out.attempts, 42);
    pl_arena_fini(&arena);
    pl_arena_init(&arena, 4096); /* and the ledger goes on */
    assert_int_equal(DO(ledger, job_load, &tenant, &id, &arena, &out), PL_OK);
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
    assert_int_equal(DO(ledger, token_add, &token), PL_OK);
    assert_int_equal(DO(ledger, token_add, &token), PL_CONFLICT);
    assert_int_equal(DO(ledger, token_by_hash, token.token_hash, &arena, &out), PL_OK);
    assert_string_equal(out.role, "admin");
    assert_string_equal(out.tenant.text, token.tenant.text);
    assert_string_equal(out.id.text, token.id.text);
    assert_int_equal(out.created_ms, 77);
    token.id = pl_suite_id('k', 2);
    assert_int_equal(DO(ledger, token_add, &token), PL_CONFLICT);
    token.token_hash[5] = 0xFE;
    assert_int_equal(DO(ledger, token_by_hash, token.token_hash, &arena, &out), PL_NOT_FOUND);
    token.tenant = pl_suite_id('t', 9);
    assert_int_equal(DO(ledger, token_add, &token), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void drop__name__is_unique_in_its_tenant_only(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_drop drop = { pl_suite_id('t', 1), "inbox", "invoices" };
    struct pl_ledger_drop out = { 0 };
    assert_int_equal(DO(ledger, drop_add, &drop), PL_OK);
    assert_int_equal(DO(ledger, drop_add, &drop), PL_CONFLICT);
    assert_int_equal(DO(ledger, drop_load, &drop.tenant, "inbox", &arena, &out), PL_OK);
    assert_string_equal(out.name, "inbox");
    assert_string_equal(out.pipeline, "invoices");
    drop.tenant = pl_suite_id('t', 2);
    assert_int_equal(DO(ledger, drop_load, &drop.tenant, "inbox", &arena, &out), PL_NOT_FOUND);
    assert_int_equal(DO(ledger, drop_add, &drop), PL_OK);
    drop.tenant = pl_suite_id('t', 9);
    assert_int_equal(DO(ledger, drop_add, &drop), PL_NOT_FOUND);
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
    assert_int_equal(DO(ledger, pipeline_load, &tenant, "invoices", 0, &arena, &out), PL_NOT_FOUND);
    assert_int_equal(DO(ledger, pipeline_add, &ten), PL_OK);
    assert_int_equal(DO(ledger, pipeline_add, &two), PL_OK);
    assert_int_equal(DO(ledger, pipeline_add, &two), PL_CONFLICT);
    assert_int_equal(DO(ledger, pipeline_load, &tenant, "invoices", 0, &arena, &out), PL_OK);
    assert_int_equal(out.version, 10);
    assert_string_equal(out.definition, "{\"v\":10}");
    assert_int_equal(DO(ledger, pipeline_load, &tenant, "invoices", 2, &arena, &out), PL_OK);
    assert_string_equal(out.definition, "{\"v\":2}");
    assert_int_equal(DO(ledger, pipeline_load, &tenant, "invoices", 3, &arena, &out), PL_NOT_FOUND);
    struct pl_ledger_pipeline orphan = { pl_suite_id('t', 9), "x", 1, "{}" };
    assert_int_equal(DO(ledger, pipeline_add, &orphan), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void job__added__is_loaded_with_all_its_fields(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 4096);
    pl_suite_add_places(ledger);
    struct pl_ledger_job in = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(DO(ledger, job_add, &in), PL_OK);
    struct pl_ledger_job job = suite_load(ledger, &arena, 1, 1);
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
    suite_assert_span(job.name_sealed, "na\0me", 5);
    suite_assert_span(job.original_key_wrapped, "original key", 12);
    suite_assert_span(job.result_key_wrapped, "result key", 10);
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
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job out = { 0 };
    struct pl_id id = pl_suite_id('j', 1);
    struct pl_id other = pl_suite_id('t', 2);
    assert_int_equal(DO(ledger, job_load, &other, &id, &arena, &out), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void job__twice_or_without_tenant__is_refused_and_adds_no_event(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job twice = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(DO(ledger, job_add, &twice), PL_CONFLICT);
    struct pl_ledger_job orphan = pl_suite_job(2, 9, PL_JOB_QUEUED);
    assert_int_equal(DO(ledger, job_add, &orphan), PL_NOT_FOUND);
    assert_int_equal(suite_events(ledger, 1).count, 2);
    assert_int_equal(suite_events(ledger, 2).count, 0);
    assert_int_equal(suite_count(ledger, PL_JOB_QUEUED), 1);
}

static void job__through_its_life__leaves_its_events_in_order(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(suite_lease(ledger, 1), 1);
    struct pl_ledger_move retry = { .job = pl_suite_id('j', 1),
                                    .from = PL_JOB_RUNNING,
                                    .to = PL_JOB_QUEUED,
                                    .fence = 1,
                                    .at_ms = 6500,
                                    .error = PL_WORKER_DIED,
                                    .reason_sealed = suite_span("it died") };
    assert_int_equal(DO(ledger, job_move, &retry), PL_OK);
    struct pl_ledger_job job = suite_load(ledger, &arena, 1, 1);
    assert_int_equal(job.error, PL_WORKER_DIED);
    suite_assert_span(job.reason_sealed, "it died", 7);
    assert_int_equal(job.lease_until_ms, 0);
    assert_int_equal(suite_lease(ledger, 1), 2);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 2), PL_OK);
    job = suite_load(ledger, &arena, 1, 1);
    assert_int_equal(job.lease_until_ms, 9000);  /* still held while it delivers */
    assert_int_equal(job.error, PL_WORKER_DIED); /* the last error stays until it is done */
    suite_assert_span(job.reason_sealed, "it died", 7);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_DELIVERING, PL_JOB_DONE, 2), PL_OK);
    job = suite_load(ledger, &arena, 1, 1);
    assert_int_equal(job.state, PL_JOB_DONE);
    assert_int_equal(job.finished_ms, 7000);
    assert_int_equal(job.attempts, 2);
    assert_int_equal(job.fence, 2);
    assert_int_equal(job.lease_until_ms, 0);
    assert_int_equal(job.error, PL_OK);
    assert_int_equal(job.reason_sealed.size, 0);
    struct suite_seen seen = suite_events(ledger, 1);
    assert_string_equal(seen.text, "accepted/5001/0/ok queued/5001/0/ok running/6000/1/ok "
                                   "queued/6500/1/worker_died running/6000/2/ok "
                                   "delivering/7000/2/ok done/7000/2/ok");
    pl_arena_fini(&arena);
}

static void job__added_as_accepted__has_one_event_and_moves_on(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_ACCEPTED);
    assert_string_equal(suite_events(ledger, 1).text, "accepted/5001/0/ok");
    assert_int_equal(suite_move(ledger, 1, PL_JOB_ACCEPTED, PL_JOB_QUEUED, 0), PL_OK);
}

static void move__with_an_old_fence__is_lease_lost_and_changes_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(suite_lease(ledger, 1), 1);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 0), PL_LEASE_LOST);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 2), PL_LEASE_LOST);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_QUEUED, 1), PL_OK);
    assert_int_equal(suite_lease(ledger, 1), 2);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 1), PL_LEASE_LOST);
    assert_int_equal(suite_count(ledger, PL_JOB_RUNNING), 1);
    assert_int_equal(suite_events(ledger, 1).count, 5);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 2), PL_OK);
}

static void move__from_another_state_or_of_no_job__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 0), PL_CONFLICT);
    assert_int_equal(suite_move(ledger, 2, PL_JOB_QUEUED, PL_JOB_HELD, 0), PL_NOT_FOUND);
    assert_int_equal(suite_events(ledger, 1).count, 2);
}

static void move__of_a_person__needs_no_fence_when_there_is_no_lease(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(suite_lease(ledger, 1), 1);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DEAD, 1), PL_OK);
    assert_int_equal(suite_load(ledger, &arena, 1, 1).finished_ms, 7000);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_DEAD, PL_JOB_QUEUED, 0), PL_OK);
    assert_int_equal(suite_load(ledger, &arena, 1, 1).finished_ms, 0);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_QUEUED, PL_JOB_HELD, 0), PL_OK);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_HELD, PL_JOB_CANCELLED, 0), PL_OK);
    struct pl_ledger_move erase = {
        .job = pl_suite_id('j', 1), .from = PL_JOB_CANCELLED, .to = PL_JOB_ERASED, .at_ms = 99000
    };
    assert_int_equal(DO(ledger, job_move, &erase), PL_OK);
    assert_int_equal(suite_load(ledger, &arena, 1, 1).finished_ms, 7000); /* when it ended */
    pl_arena_fini(&arena);
}

static void lease__of_a_job_not_queued_or_unknown__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(suite_lease(ledger, 1), 1);
    struct pl_ledger_lease lease = { pl_suite_id('j', 1), 6000, 9000 };
    uint64_t fence = 42;
    assert_int_equal(DO(ledger, job_lease, &lease, &fence), PL_CONFLICT);
    lease.job = pl_suite_id('j', 2);
    assert_int_equal(DO(ledger, job_lease, &lease, &fence), PL_NOT_FOUND);
    assert_int_equal(fence, 42);
}

static void list__pages_by_cursor__newest_first_of_one_tenant(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    static const unsigned order[] = { 3, 1, 5, 2, 4 };
    for (unsigned i = 0; i < PL_COUNT_OF(order); i++)
        suite_add_job(ledger, order[i], 1, PL_JOB_QUEUED);
    suite_add_job(ledger, 6, 2, PL_JOB_QUEUED);
    assert_string_equal(suite_list(ledger, 1, &no_id, 2).text, "5 4");
    struct pl_id before = pl_suite_id('j', 4);
    assert_string_equal(suite_list(ledger, 1, &before, 2).text, "3 2");
    before = pl_suite_id('j', 2);
    assert_string_equal(suite_list(ledger, 1, &before, 2).text, "1");
    before = pl_suite_id('j', 1);
    assert_string_equal(suite_list(ledger, 1, &before, 2).text, "");
    assert_string_equal(suite_list(ledger, 1, &no_id, 0).text, "");
    assert_string_equal(suite_list(ledger, 2, &no_id, 100).text, "6");
}

static void open_jobs__are_those_in_no_end_state__oldest_first(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct suite_seen seen = { 0 };
    pl_suite_add_places(ledger);
    for (unsigned n = 6; n >= 1; n--)
        suite_add_job(ledger, n, n % 2 + 1, PL_JOB_QUEUED);
    assert_int_equal(suite_move(ledger, 2, PL_JOB_QUEUED, PL_JOB_DEAD, 0), PL_OK);
    assert_int_equal(suite_move(ledger, 3, PL_JOB_QUEUED, PL_JOB_CANCELLED, 0), PL_OK);
    assert_int_equal(suite_move(ledger, 4, PL_JOB_QUEUED, PL_JOB_HELD, 0), PL_OK);
    (void)suite_lease(ledger, 5);
    assert_int_equal(DO(ledger, job_each_open, suite_on_job, &seen), PL_OK);
    assert_string_equal(seen.text, "1 4 5 6");
    assert_int_equal(suite_count(ledger, PL_JOB_QUEUED), 2);
    assert_int_equal(suite_count(ledger, PL_JOB_DEAD), 1);
    assert_int_equal(suite_count(ledger, PL_JOB_CANCELLED), 1);
    assert_int_equal(suite_count(ledger, PL_JOB_HELD), 1);
    assert_int_equal(suite_count(ledger, PL_JOB_RUNNING), 1);
    assert_int_equal(suite_count(ledger, PL_JOB_DONE), 0);
}

static void document__put_twice__is_replaced_and_listed_by_number(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    struct suite_seen seen = { 0 };
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_document document = { .job = pl_suite_id('j', 1),
                                           .name_sealed = suite_span("name"),
                                           .type = "application/pdf",
                                           .bytes = 5000000000,
                                           .pages = 12,
                                           .object_key = "old" };
    document.sha256[31] = 9;
    static const uint32_t order[] = { 10, 2, 1 };
    for (unsigned i = 0; i < PL_COUNT_OF(order); i++) {
        document.n = order[i];
        assert_int_equal(DO(ledger, document_put, &document), PL_OK);
    }
    document.n = 2;
    document.object_key = "new";
    document.page_ledger_sealed = suite_span("[1,2]");
    assert_int_equal(DO(ledger, document_put, &document), PL_OK);
    assert_int_equal(DO(ledger, document_each, &document.job, suite_on_document, &seen), PL_OK);
    assert_string_equal(seen.text, "1:old 2:new 10:old");
    struct pl_ledger_document out = { 0 };
    assert_int_equal(DO(ledger, document_load, &document.job, 2, &arena, &out), PL_OK);
    assert_string_equal(out.type, "application/pdf");
    assert_int_equal(out.bytes, 5000000000);
    assert_int_equal(out.pages, 12);
    assert_int_equal(out.sha256[31], 9);
    suite_assert_span(out.name_sealed, "name", 4);
    suite_assert_span(out.page_ledger_sealed, "[1,2]", 5);
    assert_int_equal(DO(ledger, document_load, &document.job, 3, &arena, &out), PL_NOT_FOUND);
    document.job = pl_suite_id('j', 2);
    assert_int_equal(DO(ledger, document_put, &document), PL_NOT_FOUND);
    pl_arena_fini(&arena);
}

static void unit__rolled_back__changed_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->begin(SELF(ledger)), PL_OK);
    suite_add_job(ledger, 2, 1, PL_JOB_QUEUED);
    (void)suite_lease(ledger, 1);
    OPS(ledger)->rollback(SELF(ledger));
    assert_string_equal(suite_list(ledger, 1, &no_id, 9).text, "1");
    assert_int_equal(suite_load(ledger, &arena, 1, 1).state, PL_JOB_QUEUED);
    assert_int_equal(suite_load(ledger, &arena, 1, 1).fence, 0);
    assert_int_equal(suite_events(ledger, 1).count, 2);
    assert_int_equal(suite_count(ledger, PL_JOB_QUEUED), 1);
    assert_int_equal(suite_count(ledger, PL_JOB_RUNNING), 0);
    pl_arena_fini(&arena);
}

static void unit__with_a_refused_call__keeps_the_others(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    assert_int_equal(OPS(ledger)->begin(SELF(ledger)), PL_OK);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    struct pl_ledger_job twice = pl_suite_job(1, 1, PL_JOB_QUEUED);
    assert_int_equal(DO(ledger, job_add, &twice), PL_CONFLICT);
    suite_add_job(ledger, 2, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->commit(SELF(ledger)), PL_OK);
    assert_string_equal(suite_list(ledger, 1, &no_id, 9).text, "2 1");
}

static void mark__undone__takes_back_all_since_and_nothing_before(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_arena arena;
    pl_arena_init(&arena, 8192);
    pl_suite_add_places(ledger);
    assert_int_equal(OPS(ledger)->begin(SELF(ledger)), PL_OK);
    assert_int_equal(OPS(ledger)->mark(SELF(ledger)), PL_OK);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->release(SELF(ledger)), PL_OK);
    assert_int_equal(OPS(ledger)->mark(SELF(ledger)), PL_OK);
    (void)suite_lease(ledger, 1);
    suite_add_job(ledger, 2, 1, PL_JOB_QUEUED);
    assert_int_equal(suite_move(ledger, 1, PL_JOB_RUNNING, PL_JOB_DELIVERING, 7), PL_LEASE_LOST);
    OPS(ledger)->undo(SELF(ledger));
    assert_int_equal(OPS(ledger)->mark(SELF(ledger)), PL_OK);
    suite_add_job(ledger, 3, 1, PL_JOB_QUEUED);
    assert_int_equal(OPS(ledger)->release(SELF(ledger)), PL_OK);
    assert_int_equal(OPS(ledger)->commit(SELF(ledger)), PL_OK);
    assert_string_equal(suite_list(ledger, 1, &no_id, 9).text, "3 1");
    assert_int_equal(suite_load(ledger, &arena, 1, 1).state, PL_JOB_QUEUED);
    assert_int_equal(suite_load(ledger, &arena, 1, 1).fence, 0);
    assert_int_equal(suite_events(ledger, 2).count, 0);
    assert_int_equal(suite_count(ledger, PL_JOB_QUEUED), 2);
    assert_int_equal(suite_count(ledger, PL_JOB_RUNNING), 0);
    pl_arena_fini(&arena);
}

static void tidy__between_units__changes_nothing(void **state)
{
    const struct pl_ledger *ledger = *state;
    pl_suite_add_places(ledger);
    suite_add_job(ledger, 1, 1, PL_JOB_QUEUED);
    OPS(ledger)->tidy(SELF(ledger));
    assert_string_equal(suite_list(ledger, 1, &no_id, 9).text, "1");
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
        SUITE_TEST(job__added__is_loaded_with_all_its_fields),
        SUITE_TEST(job__of_another_tenant__does_not_exist),
        SUITE_TEST(job__twice_or_without_tenant__is_refused_and_adds_no_event),
        SUITE_TEST(job__through_its_life__leaves_its_events_in_order),
        SUITE_TEST(job__added_as_accepted__has_one_event_and_moves_on),
        SUITE_TEST(move__with_an_old_fence__is_lease_lost_and_changes_nothing),
        SUITE_TEST(move__from_another_state_or_of_no_job__is_refused),
        SUITE_TEST(move__of_a_person__needs_no_fence_when_there_is_no_lease),
        SUITE_TEST(lease__of_a_job_not_queued_or_unknown__is_refused),
        SUITE_TEST(list__pages_by_cursor__newest_first_of_one_tenant),
        SUITE_TEST(open_jobs__are_those_in_no_end_state__oldest_first),
        SUITE_TEST(document__put_twice__is_replaced_and_listed_by_number),
        SUITE_TEST(unit__rolled_back__changed_nothing),
        SUITE_TEST(unit__with_a_refused_call__keeps_the_others),
        SUITE_TEST(mark__undone__takes_back_all_since_and_nothing_before),
        SUITE_TEST(tidy__between_units__changes_nothing),
    };
    return _cmocka_run_group_tests(name, tests, PL_COUNT_OF(tests), NULL, NULL);
}
