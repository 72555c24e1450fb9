/* test_device: who is let in, and how often the slow check runs.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/device.h"
#include "engine/ingest/password.h"
#include "tests/support/core_rig.h"

#include <string.h>

#include "tests/support/pl_test.h"

struct fixture {
    struct core_rig rig;
    struct pl_devices *devices;
};

static int start(void **state)
{
    static struct fixture fixture;
    rig_start(&fixture.rig);
    *state = &fixture;
    return pl_devices_new(fixture.rig.core, &fixture.devices) == PL_OK ? 0 : -1;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    pl_devices_free(fixture->devices);
    rig_stop(&fixture->rig);
    return 0;
}

struct asked {
    struct pl_device_check check;
    bool done;
};

static void on_checked(struct pl_device_check *check)
{
    PL_CONTAINER_OF(check, struct asked, check)->done = true;
}

static void ask(struct fixture *fixture, struct asked *asked, const char *login,
                const char *password)
{
    *asked = (struct asked){ .check = { .login = pl_span_from(login),
                                        .password = pl_span_from(password),
                                        .done = on_checked } };
    pl_device_check(fixture->devices, &asked->check);
}

static bool is_true(void *owner)
{
    return *(bool *)owner;
}

static pl_status answer(struct fixture *fixture, struct asked *asked)
{
    rig_until(&fixture->rig, is_true, &asked->done);
    return asked->check.status;
}

static void device__right_password__is_let_in_and_then_known(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    ask(fixture, &asked, RIG_LOGIN, RIG_PASSWORD);
    assert_false(asked.done); /* the slow check runs elsewhere */
    assert_int_equal(answer(fixture, &asked), PL_OK);
    assert_true(pl_id_equals(&asked.check.tenant, &fixture->rig.tenant));
    ask(fixture, &asked, RIG_LOGIN, RIG_PASSWORD);
    assert_true(asked.done); /* from the cache, at once */
    assert_int_equal(asked.check.status, PL_OK);
}

static void device__wrong_password_or_login__is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked;
    static const char *const pairs[][2] = {
        { RIG_LOGIN, "wrong" },        { RIG_LOGIN, "" },
        { "nobody", "nobody" },        { "", RIG_PASSWORD },
        { "Printer-1", RIG_PASSWORD }, { "printer-1 ", RIG_PASSWORD },
    };
    for (size_t i = 0; i < PL_COUNT_OF(pairs); i++) {
        ask(fixture, &asked, pairs[i][0], pairs[i][1]);
        assert_int_equal(answer(fixture, &asked), PL_UNAUTHENTICATED);
        assert_true(pl_id_is_none(&asked.check.tenant) || i < 2);
    }
}

static void device__same_credential_together__shares_one_check(void **state)
{
    struct fixture *fixture = *state;
    struct asked asked[50];
    struct pl_ledger_thread_stats before, after;
    pl_ledger_thread_stats(fixture->rig.thread, &before);
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++)
        ask(fixture, &asked[i], RIG_LOGIN, RIG_PASSWORD);
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++)
        assert_int_equal(answer(fixture, &asked[i]), PL_OK);
    pl_ledger_thread_stats(fixture->rig.thread, &after);
    assert_int_equal(after.calls - before.calls, 1);
}

static void device__too_many_at_once__are_told_to_wait(void **state)
{
    struct fixture *fixture = *state;
    static struct asked asked[300];
    static char logins[300][16];
    unsigned busy = 0;
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++) {
        (void)pl_text_format(logins[i], sizeof logins[i], "flood-%u", (unsigned)i);
        ask(fixture, &asked[i], logins[i], "x");
        busy += asked[i].done && asked[i].check.status == PL_BUSY;
    }
    assert_int_equal(busy, 300 - 256);
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++)
        (void)answer(fixture, &asked[i]);
}

static void device__stopped_while_many_wait__begins_no_more_checks(void **state)
{
    struct fixture *fixture = *state;
    static struct asked asked[40];
    static char logins[40][16];
    unsigned stopped = 0;
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++) {
        (void)pl_text_format(logins[i], sizeof logins[i], "late-%u", (unsigned)i);
        ask(fixture, &asked[i], logins[i], "x");
    }
    pl_devices_stop(fixture->devices);
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++)
        stopped += asked[i].done && asked[i].check.status == PL_STOPPING;
    assert_in_range(stopped, 30, 39); /* all but those that had begun */
    for (size_t i = 0; i < PL_COUNT_OF(asked); i++)
        (void)answer(fixture, &asked[i]);
    ask(fixture, &asked[0], RIG_LOGIN, RIG_PASSWORD);
    assert_true(asked[0].done);
    assert_int_equal(asked[0].check.status, PL_STOPPING);
}

static void password__hash__verifies_only_its_password(void **state)
{
    (void)state;
    char encoded[PL_PASSWORD_HASH_CHARS];
    char other[PL_PASSWORD_HASH_CHARS];
    assert_int_equal(pl_password_hash(pl_span_from("secret"), encoded), PL_OK);
    assert_int_equal(pl_password_hash(pl_span_from("secret"), other), PL_OK);
    assert_string_not_equal(encoded, other);
    assert_memory_equal(encoded, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_int_equal(pl_password_verify(encoded, pl_span_from("secret")), PL_OK);
    assert_int_equal(pl_password_verify(encoded, pl_span_from("Secret")), PL_UNAUTHENTICATED);
    assert_int_equal(pl_password_verify("garbage", pl_span_from("secret")), PL_UNAUTHENTICATED);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(device__right_password__is_let_in_and_then_known),
        RIGGED(device__wrong_password_or_login__is_refused),
        RIGGED(device__same_credential_together__shares_one_check),
        RIGGED(device__too_many_at_once__are_told_to_wait),
        RIGGED(device__stopped_while_many_wait__begins_no_more_checks),
        cmocka_unit_test(password__hash__verifies_only_its_password),
    };
    return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
