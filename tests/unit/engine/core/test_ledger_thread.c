/* test_ledger_thread: calls share commits, failed calls leave no trace, everybody is answered.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/ledger_thread.h"

#include "tests/support/pl_test.h"

#include "storage/ledger_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thread_fixture {
    struct pl_loop *loop;
    struct pl_ledger ledger; /* the thread's, except before it starts */
    struct pl_ledger_thread *thread;
    unsigned waiting;
    unsigned order; /* of answers */
    char log[4096];
    size_t log_size;
};

enum thread_script { ADD, ADD_THEN_FAIL, ADD_TWICE, LOAD, BLOCK };

/* A call that adds or loads job n as its script says. */
struct thread_call {
    struct pl_ledger_call call;
    struct thread_fixture *fixture;
    enum thread_script script;
    unsigned n;
    unsigned answered; /* 1: first */
    pthread_mutex_t *gate;
};

static struct pl_id thread_id(char kind, unsigned n)
{
    struct pl_id id;
    (void)snprintf(id.text, sizeof id.text, "0%c%024u", kind, n);
    return id;
}

static pl_status thread_add(const struct pl_ledger *ledger, unsigned n)
{
    struct pl_ledger_job job = { .id = thread_id('j', n),
                                 .tenant = thread_id('t', 1),
                                 .state = PL_JOB_QUEUED };
    return ledger->ops->job_add(ledger->self, &job);
}

static pl_status thread_on_run(struct pl_ledger_call *base, const struct pl_ledger *ledger)
{
    struct thread_call *call = PL_CONTAINER_OF(base, struct thread_call, call);
    struct pl_id id = thread_id('j', call->n);
    struct pl_id tenant = thread_id('t', 1);
    struct pl_ledger_job job;
    struct pl_arena arena;
    pl_status status = PL_OK;
    switch (call->script) {
    case ADD:
        return thread_add(ledger, call->n);
    case ADD_THEN_FAIL:
        status = thread_add(ledger, call->n);
        return status == PL_OK ? PL_TOO_LARGE : status;
    case ADD_TWICE:
        status = thread_add(ledger, call->n);
        return status == PL_OK ? thread_add(ledger, call->n) : status;
    case LOAD:
        pl_arena_init(&arena, 4096);
        status = ledger->ops->job_load(ledger->self, &tenant, &id, &arena, &job);
        pl_arena_fini(&arena);
        return status;
    case BLOCK:
        (void)pthread_mutex_lock(call->gate);
        (void)pthread_mutex_unlock(call->gate);
        return PL_OK;
    }
    return PL_IO_ERROR;
}

static void thread_on_done(struct pl_ledger_call *base)
{
    struct thread_call *call = PL_CONTAINER_OF(base, struct thread_call, call);
    call->answered = ++call->fixture->order;
    if (--call->fixture->waiting == 0)
        pl_loop_stop(call->fixture->loop);
}

static void thread_call(struct thread_fixture *fixture, struct thread_call *call,
                        enum thread_script script, unsigned n)
{
    *call = (struct thread_call){ .call = { .run = thread_on_run, .done = thread_on_done },
                                  .fixture = fixture,
                                  .script = script,
                                  .n = n };
}

static void thread_send(struct thread_fixture *fixture, struct thread_call *call)
{
    fixture->waiting++;
    pl_ledger_thread_call(fixture->thread, &call->call);
}

static pl_status thread_ask(struct thread_fixture *fixture, enum thread_script script, unsigned n)
{
    struct thread_call call;
    thread_call(fixture, &call, script, n);
    thread_send(fixture, &call);
    pl_loop_run(fixture->loop);
    return call.call.status;
}

static void thread_on_log(void *owner, const char *line, size_t size)
{
    struct thread_fixture *fixture = owner;
    if (fixture->log_size + size < sizeof fixture->log) {
        memcpy(fixture->log + fixture->log_size, line, size);
        fixture->log_size += size;
    }
}

static int thread_setup(void **state)
{
    struct thread_fixture *fixture = calloc(1, sizeof *fixture);
    struct pl_ledger_tenant tenant = { .id = thread_id('t', 1) };
    if (fixture == NULL || pl_loop_new(&fixture->loop) != PL_OK ||
        pl_ledger_memory_new(&fixture->ledger) != PL_OK ||
        fixture->ledger.ops->tenant_add(fixture->ledger.self, &tenant) != PL_OK)
        return -1;
    *state = fixture;
    return 0;
}

static void thread_start(struct thread_fixture *fixture, const struct pl_log *log)
{
    assert_int_equal(pl_ledger_thread_new(fixture->loop, log, &fixture->ledger, &fixture->thread),
                     PL_OK);
}

static int thread_setup_started(void **state)
{
    if (thread_setup(state) != 0)
        return -1;
    thread_start(*state, NULL);
    return 0;
}

static int thread_teardown(void **state)
{
    struct thread_fixture *fixture = *state;
    pl_ledger_thread_free(fixture->thread);
    pl_loop_free(fixture->loop);
    free(fixture);
    return 0;
}

static void call__alone__is_run_committed_and_answered(void **state)
{
    struct thread_fixture *fixture = *state;
    struct pl_ledger_thread_stats stats;
    assert_int_equal(thread_ask(fixture, ADD, 1), PL_OK);
    assert_int_equal(thread_ask(fixture, LOAD, 1), PL_OK);
    assert_int_equal(thread_ask(fixture, LOAD, 2), PL_NOT_FOUND);
    pl_ledger_thread_stats(fixture->thread, &stats);
    assert_int_equal(stats.calls, 3);
    assert_int_equal(stats.commits, 3);
    assert_int_equal(stats.commit_errors, 0);
    assert_false(stats.broken);
}

static void call__that_fails_halfway__changes_nothing(void **state)
{
    struct thread_fixture *fixture = *state;
    assert_int_equal(thread_ask(fixture, ADD_THEN_FAIL, 1), PL_TOO_LARGE);
    assert_int_equal(thread_ask(fixture, LOAD, 1), PL_NOT_FOUND);
    assert_int_equal(thread_ask(fixture, ADD_TWICE, 2), PL_CONFLICT);
    assert_int_equal(thread_ask(fixture, LOAD, 2), PL_NOT_FOUND);
}

/* Sends calls while the thread is held inside a first one, so that they make one unit. */
static void thread_gather(struct thread_fixture *fixture, struct thread_call *calls, unsigned count)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct thread_call block;
    thread_call(fixture, &block, BLOCK, 0);
    block.gate = &gate;
    assert_int_equal(pthread_mutex_lock(&gate), 0);
    thread_send(fixture, &block);
    for (unsigned i = 0; i < count; i++)
        thread_send(fixture, &calls[i]);
    assert_int_equal(pthread_mutex_unlock(&gate), 0);
    pl_loop_run(fixture->loop);
    assert_int_equal(block.call.status, PL_OK);
    (void)pthread_mutex_destroy(&gate);
}

static void calls__that_wait__share_commits_and_are_answered_in_order(void **state)
{
    enum { MANY = 300 };
    struct thread_fixture *fixture = *state;
    struct pl_ledger_thread_stats stats;
    static struct thread_call calls[MANY];
    for (unsigned i = 0; i < MANY; i++)
        thread_call(fixture, &calls[i], ADD, i + 1);
    thread_gather(fixture, calls, MANY);
    pl_ledger_thread_stats(fixture->thread, &stats);
    assert_int_equal(stats.calls, MANY + 1);
    assert_in_range(stats.commits, 1, 2); /* the gate's unit may have caught some of them */
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(calls[i].call.status, PL_OK);
        assert_int_equal(calls[i].answered, i + 2);
    }
}

static void unit__larger_than_the_bound__is_cut_and_all_are_answered(void **state)
{
    enum { MANY = 2 * PL_LEDGER_UNIT_CALLS + 1 };
    struct thread_fixture *fixture = *state;
    struct pl_ledger_thread_stats stats;
    struct thread_call *calls = calloc(MANY, sizeof *calls);
    assert_non_null(calls);
    for (unsigned i = 0; i < MANY; i++)
        thread_call(fixture, &calls[i], ADD, i + 1);
    thread_gather(fixture, calls, MANY);
    pl_ledger_thread_stats(fixture->thread, &stats);
    assert_in_range(stats.commits, 3, 4);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(calls[i].call.status, PL_OK);
    free(calls);
}

static void neighbour__that_fails__disturbs_nobody(void **state)
{
    struct thread_fixture *fixture = *state;
    struct thread_call calls[5];
    thread_call(fixture, &calls[0], ADD, 1);
    thread_call(fixture, &calls[1], ADD_THEN_FAIL, 2);
    thread_call(fixture, &calls[2], ADD, 3);
    thread_call(fixture, &calls[3], ADD, 1);
    thread_call(fixture, &calls[4], LOAD, 3);
    thread_gather(fixture, calls, 5);
    assert_int_equal(calls[0].call.status, PL_OK);
    assert_int_equal(calls[1].call.status, PL_TOO_LARGE);
    assert_int_equal(calls[2].call.status, PL_OK);
    assert_int_equal(calls[3].call.status, PL_CONFLICT);
    assert_int_equal(calls[4].call.status, PL_OK);
    assert_int_equal(thread_ask(fixture, LOAD, 1), PL_OK);
    assert_int_equal(thread_ask(fixture, LOAD, 2), PL_NOT_FOUND);
    assert_int_equal(thread_ask(fixture, LOAD, 3), PL_OK);
}

/* begin, mark, job_add, release, commit: each fails in turn; the call hears of it and nothing is
 * kept. */
static void ledger__fails_at_any_step__the_call_is_told_and_nothing_is_kept(void **state)
{
    struct thread_fixture *fixture = *state;
    for (unsigned step = 1; step <= 5; step++) {
        struct pl_ledger_tenant tenant = { .id = thread_id('t', 1) };
        pl_ledger_memory_fail_at(&fixture->ledger, step, PL_NO_SPACE);
        thread_start(fixture, NULL);
        assert_int_equal(thread_ask(fixture, ADD, 1), PL_NO_SPACE);
        assert_int_equal(thread_ask(fixture, LOAD, 1), PL_NOT_FOUND);
        assert_int_equal(thread_ask(fixture, ADD, 1), PL_OK);
        pl_ledger_thread_free(fixture->thread);
        assert_int_equal(pl_ledger_memory_new(&fixture->ledger), PL_OK);
        assert_int_equal(fixture->ledger.ops->tenant_add(fixture->ledger.self, &tenant), PL_OK);
    }
    thread_start(fixture, NULL);
}

static void commit__fails__fails_its_whole_unit_also_what_only_read(void **state)
{
    struct thread_fixture *fixture = *state;
    struct pl_ledger_thread_stats stats;
    const struct pl_clock clock = { .fake = true };
    const struct pl_log log = { .sink = thread_on_log, .owner = fixture, .clock = &clock };
    /* begin, mark, job_add, release, commit */
    pl_ledger_memory_fail_at(&fixture->ledger, 5, PL_IO_ERROR);
    thread_start(fixture, &log);
    assert_int_equal(thread_ask(fixture, ADD, 1), PL_IO_ERROR);
    pl_ledger_thread_stats(fixture->thread, &stats);
    assert_int_equal(stats.commit_errors, 1);
    assert_true(stats.broken);
    assert_non_null(strstr(fixture->log, "event=ledger.commit_failed status=io_error calls=1"));
    assert_non_null(strstr(fixture->log, "event=ledger.broken"));
}

/* A call that fails by itself in a unit that then fails: it may have read what is gone. */
static void commit__fails__also_for_calls_that_failed_before(void **state)
{
    struct thread_fixture *fixture = *state;
    /* begin, mark, job_load, commit: NOT_FOUND, then the commit. */
    pl_ledger_memory_fail_at(&fixture->ledger, 4, PL_NO_SPACE);
    thread_start(fixture, NULL);
    assert_int_equal(thread_ask(fixture, LOAD, 1), PL_NO_SPACE);
    assert_int_equal(thread_ask(fixture, LOAD, 1), PL_NOT_FOUND);
}

static void free__with_calls_waiting__finishes_and_answers_them(void **state)
{
    enum { MANY = 50 };
    struct thread_fixture *fixture = *state;
    static struct thread_call calls[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        thread_call(fixture, &calls[i], ADD, i + 1);
        thread_send(fixture, &calls[i]);
    }
    pl_ledger_thread_free(fixture->thread);
    fixture->thread = NULL;
    pl_loop_run(fixture->loop);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(calls[i].call.status, PL_OK);
}

static void thread_on_done_again(struct pl_ledger_call *base)
{
    struct thread_call *call = PL_CONTAINER_OF(base, struct thread_call, call);
    if (call->n++ == 20) {
        pl_loop_stop(call->fixture->loop);
        return;
    }
    pl_ledger_thread_call(call->fixture->thread, base);
}

static void call__from_its_own_done__goes_round_again(void **state)
{
    struct thread_fixture *fixture = *state;
    struct thread_call call;
    thread_call(fixture, &call, ADD, 1);
    call.call.done = thread_on_done_again;
    pl_ledger_thread_call(fixture->thread, &call.call);
    pl_loop_run(fixture->loop);
    assert_int_equal(call.n, 21);
    assert_int_equal(thread_ask(fixture, LOAD, 20), PL_OK);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, thread_setup_started, thread_teardown)
#define NOT_STARTED(test) cmocka_unit_test_setup_teardown(test, thread_setup, thread_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(call__alone__is_run_committed_and_answered),
        STARTED(call__that_fails_halfway__changes_nothing),
        STARTED(calls__that_wait__share_commits_and_are_answered_in_order),
        STARTED(unit__larger_than_the_bound__is_cut_and_all_are_answered),
        STARTED(neighbour__that_fails__disturbs_nobody),
        NOT_STARTED(ledger__fails_at_any_step__the_call_is_told_and_nothing_is_kept),
        NOT_STARTED(commit__fails__fails_its_whole_unit_also_what_only_read),
        NOT_STARTED(commit__fails__also_for_calls_that_failed_before),
        STARTED(free__with_calls_waiting__finishes_and_answers_them),
        STARTED(call__from_its_own_done__goes_round_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
