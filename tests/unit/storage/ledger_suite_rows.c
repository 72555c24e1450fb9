/* ledger_suite_rows: rows that tests of the ledger build on, and what callbacks saw as text.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/unit/storage/ledger_suite_rows.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *pl_suite_folder(void)
{
    return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

struct pl_id pl_suite_id(char kind, unsigned n)
{
    struct pl_id id;
    (void)snprintf(id.text, sizeof id.text, "0%c%024u", kind, n);
    return id;
}

struct pl_span pl_suite_span(const char *text)
{
    return pl_span_from(text);
}

struct pl_ledger_tenant pl_suite_tenant(unsigned n)
{
    return (struct pl_ledger_tenant){ pl_suite_id('t', n), 7, pl_suite_span("tenant key"),
                                      pl_suite_span("tenant name"), 1000 + n };
}

struct pl_ledger_device pl_suite_device(unsigned n, unsigned tenant)
{
    struct pl_ledger_device device = { .id = pl_suite_id('d', n),
                                       .tenant = pl_suite_id('t', tenant),
                                       .secret_sealed = pl_suite_span("secret"),
                                       .created_ms = 2000 };
    memset(device.login_hash, (int)n, sizeof device.login_hash);
    return device;
}

void pl_suite_add_places(const struct pl_ledger *ledger)
{
    for (unsigned n = 1; n <= 2; n++) {
        struct pl_ledger_tenant tenant = pl_suite_tenant(n);
        struct pl_ledger_device device = pl_suite_device(n, n);
        assert_int_equal(PL_DO(ledger, tenant_add, &tenant), PL_OK);
        assert_int_equal(PL_DO(ledger, device_add, &device), PL_OK);
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
                                 .original_key_wrapped = pl_suite_span("original key"),
                                 .result_key_wrapped = pl_suite_span("result key") };
    memset(job.sha256, (int)n, sizeof job.sha256);
    return job;
}

void pl_suite_add_job(const struct pl_ledger *ledger, unsigned n, unsigned tenant,
                      enum pl_job_state state)
{
    struct pl_ledger_job job = pl_suite_job(n, tenant, state);
    assert_int_equal(PL_DO(ledger, job_add, &job), PL_OK);
}

struct pl_ledger_job pl_suite_load(const struct pl_ledger *ledger, struct pl_arena *arena,
                                   unsigned n, unsigned tenant)
{
    struct pl_ledger_job job = { 0 };
    struct pl_id id = pl_suite_id('j', n);
    struct pl_id owner = pl_suite_id('t', tenant);
    assert_int_equal(PL_DO(ledger, job_load, &owner, &id, arena, &job), PL_OK);
    return job;
}

uint64_t pl_suite_lease(const struct pl_ledger *ledger, unsigned n)
{
    struct pl_ledger_lease lease = { pl_suite_id('j', n), 6000, 9000 };
    uint64_t fence = 0;
    assert_int_equal(PL_DO(ledger, job_lease, &lease, &fence), PL_OK);
    return fence;
}

pl_status pl_suite_move(const struct pl_ledger *ledger, unsigned n, enum pl_job_state from,
                        enum pl_job_state to, uint64_t fence)
{
    struct pl_ledger_move move = {
        .job = pl_suite_id('j', n), .from = from, .to = to, .fence = fence, .at_ms = 7000
    };
    return PL_DO(ledger, job_move, &move);
}

void pl_suite_assert_span(struct pl_span span, const char *text, size_t size)
{
    assert_int_equal(span.size, size);
    assert_memory_equal(span.data, text, size);
}

void pl_suite_see(struct pl_suite_seen *seen, const char *text)
{
    size_t used = strlen(seen->text);
    (void)snprintf(seen->text + used, sizeof seen->text - used, "%s%s", used ? " " : "", text);
    seen->count++;
}

void pl_suite_on_job(void *owner, const struct pl_ledger_job *job)
{
    pl_suite_assert_span(job->name_sealed, "na\0me", 5);
    pl_suite_see(owner, job->id.text + PL_ID_CHARS - 1);
}

static void suite_on_event(void *owner, const struct pl_ledger_event *event)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s/%lld/%u/%s", pl_job_state_name(event->state),
                   (long long)event->at_ms, event->attempt, pl_status_name(event->error));
    pl_suite_see(owner, text);
}

struct pl_suite_seen pl_suite_list(const struct pl_ledger *ledger, unsigned tenant,
                                   const struct pl_id *before, uint32_t limit)
{
    struct pl_suite_seen seen = { 0 };
    struct pl_id id = pl_suite_id('t', tenant);
    assert_int_equal(PL_DO(ledger, job_list, &id, before, limit, pl_suite_on_job, &seen), PL_OK);
    return seen;
}

struct pl_suite_seen pl_suite_events(const struct pl_ledger *ledger, unsigned n)
{
    struct pl_suite_seen seen = { 0 };
    struct pl_id id = pl_suite_id('j', n);
    assert_int_equal(PL_DO(ledger, job_events, &id, suite_on_event, &seen), PL_OK);
    return seen;
}

uint64_t pl_suite_count(const struct pl_ledger *ledger, enum pl_job_state state)
{
    uint64_t counts[PL_JOB_STATE_COUNT];
    assert_int_equal(PL_DO(ledger, job_counts, counts), PL_OK);
    return counts[state];
}
