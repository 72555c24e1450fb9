/* test_definition: what the ledger keeps of a definition shows nothing of it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/definition.h"
#include "tests/support/core_rig.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/pl_test.h"

static const char plain[] = "{\"name\":\"a\",\"password\":\"geheim\"}";

static void definition__sealed__opens_for_its_tenant_and_version(void **state)
{
    (void)state;
    const struct pl_keyring keyring = rig_keyring();
    const struct pl_id tenant = { "01m8000000000000000000000a" };
    char *kept = NULL;
    char *again = NULL;
    assert_int_equal(pl_definition_seal(&keyring, &tenant, 3, plain, &kept), PL_OK);
    assert_null(strstr(kept, "geheim"));
    assert_int_equal(pl_definition_open(&keyring, &tenant, 3, kept, &again), PL_OK);
    assert_string_equal(again, plain);
    pl_definition_free(again);
    kept[strlen(kept) - 1] = 'x';
    assert_int_equal(pl_definition_open(&keyring, &tenant, 3, kept, &again), PL_TAMPERED);
    kept[strlen(kept) - 1] = '\0';
    assert_int_equal(pl_definition_open(&keyring, &tenant, 3, kept, &again), PL_TAMPERED);
    free(kept);
}

static void definition__written_by_an_older_version__is_taken_as_it_is(void **state)
{
    (void)state;
    const struct pl_keyring keyring = rig_keyring();
    const struct pl_id tenant = { "01m8000000000000000000000a" };
    char *again = NULL;
    assert_int_equal(pl_definition_open(&keyring, &tenant, 1, plain, &again), PL_OK);
    assert_string_equal(again, plain);
    pl_definition_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition__sealed__opens_for_its_tenant_and_version),
        cmocka_unit_test(definition__written_by_an_older_version__is_taken_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
