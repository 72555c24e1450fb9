/* test_tenant_limits: what a tenant's own file replaces, and what it may not be.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/tenant_limits.h"
#include "storage/ledger_memory.h"

#include "tests/support/pl_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TENANT_A "01h00000000000000000000000"
#define TENANT_B "01h00000000000000000000001"

struct desk {
    char folder[64];
    char file[128]; /* the one that a test wrote */
    struct pl_settings settings;
    struct pl_ledger ledger;
    struct pl_id a;
    struct pl_id b;
    struct pl_tenant_limits *limits;
    struct pl_fault fault;
};

static int desk_set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    (void)snprintf(desk->folder, sizeof desk->folder, "/tmp/platen-limits-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    pl_settings_defaults(&desk->settings);
    (void)snprintf(desk->settings.paths_tenants, sizeof desk->settings.paths_tenants, "%s",
                   desk->folder);
    assert_int_equal(pl_ledger_memory_new(&desk->ledger), PL_OK);
    assert_true(pl_id_parse(pl_span_from(TENANT_A), &desk->a));
    assert_true(pl_id_parse(pl_span_from(TENANT_B), &desk->b));
    const struct pl_ledger_tenant rows[] = { { .id = desk->a }, { .id = desk->b } };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++)
        assert_int_equal(desk->ledger.ops->tenant_add(desk->ledger.self, &rows[i]), PL_OK);
    *state = desk;
    return 0;
}

static int desk_tear_down(void **state)
{
    struct desk *desk = *state;
    pl_tenant_limits_free(desk->limits);
    desk->ledger.ops->close(desk->ledger.self);
    (void)unlink(desk->file);
    (void)rmdir(desk->folder);
    free(desk);
    return 0;
}

static void desk_write(struct desk *desk, const char *name, const char *text)
{
    (void)snprintf(desk->file, sizeof desk->file, "%s/%s", desk->folder, name);
    FILE *file = fopen(desk->file, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static pl_status desk_load(struct desk *desk)
{
    return pl_tenant_limits_load(&desk->settings, &desk->ledger, &desk->limits, &desk->fault);
}

static void tenant_limits__of_one__leave_the_others_alone(void **state)
{
    struct desk *desk = *state;
    desk_write(desk, TENANT_B ".yaml", "limits:\n  documents: 5000\n  cpu_time: 1m\n");
    assert_int_equal(desk_load(desk), PL_OK);
    struct pl_run_limits a = pl_tenant_limits_of(desk->limits, &desk->a);
    struct pl_run_limits b = pl_tenant_limits_of(desk->limits, &desk->b);
    assert_memory_equal(&a, &desk->settings.limits, sizeof a);
    assert_int_equal(b.documents, 5000);
    assert_int_equal(b.cpu_ms, 60000);
    assert_int_equal(b.pages, a.pages);
    struct pl_run_limits most = pl_tenant_limits_most(desk->limits);
    assert_int_equal(most.documents, 5000);
    assert_int_equal(most.cpu_ms, a.cpu_ms);
}

static void tenant_limits__without_a_folder__are_those_of_all(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(rmdir(desk->folder), 0);
    assert_int_equal(desk_load(desk), PL_OK);
    struct pl_run_limits a = pl_tenant_limits_of(desk->limits, &desk->a);
    assert_int_equal(a.documents, 1000);
}

static void tenant_limits__that_are_wrong__are_refused_with_file_and_line(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *words;
    } cases[] = {
        { TENANT_A ".yaml", "limits:\n  documents: 0\n", ":2: limits.documents: found \"0\"" },
        { TENANT_A ".yaml", "limits:\n  document: 1\n", "did you mean limits.documents?" },
        { TENANT_A ".yaml", "http:\n  connections: 1\n", "http: no such section" },
        { TENANT_A ".yml", "limits:\n", "there is no such tenant" },
        { "01h00000000000000000000002.yaml", "limits:\n", "there is no such tenant" },
        { ".yaml-backup", "limits:\n", NULL },
    };
    struct desk *desk = *state;
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        desk_write(desk, cases[i].name, cases[i].text);
        desk->fault = (struct pl_fault){ .status = PL_OK };
        assert_int_equal(desk_load(desk), cases[i].words == NULL ? PL_OK : PL_MISCONFIGURED);
        if (cases[i].words != NULL && strstr(desk->fault.reason, cases[i].words) == NULL)
            fail_msg("%s", desk->fault.reason);
        assert_int_equal(unlink(desk->file), 0);
    }
}

#define DESK(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK(tenant_limits__of_one__leave_the_others_alone),
        DESK(tenant_limits__without_a_folder__are_those_of_all),
        DESK(tenant_limits__that_are_wrong__are_refused_with_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
