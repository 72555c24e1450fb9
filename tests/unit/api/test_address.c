/* test_address: what is an address with a port, and the address that others are given.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/address.h"

#include "tests/support/pl_test.h"

#include <string.h>

static void address__well_formed__is_taken_apart(void **state)
{
    struct pl_address address;
    struct pl_fault fault = { 0 };
    char url[PL_ADDRESS_URL_CHARS];
    (void)state;
    assert_int_equal(pl_address_parse("127.0.0.1:8443", &address, &fault), PL_OK);
    assert_string_equal(pl_address_url(&address, "h", url), "https://127.0.0.1:8443");
    assert_false(address.is_any);
    assert_int_equal(pl_address_parse("[::1]:0", &address, &fault), PL_OK);
    assert_string_equal(pl_address_url(&address, "h", url), "https://[::1]:0");
    assert_int_equal(pl_address_parse("0.0.0.0:443", &address, &fault), PL_OK);
    assert_true(address.is_any);
    assert_string_equal(pl_address_url(&address, "192.0.2.7", url), "https://192.0.2.7:443");
    assert_int_equal(pl_address_parse("[::]:65535", &address, &fault), PL_OK);
    assert_string_equal(pl_address_url(&address, "2001:db8::1", url),
                        "https://[2001:db8::1]:65535");
}

static void address__anything_else__is_refused(void **state)
{
    static const char *const wrong[] = { "",         "8443",          ":8443",      "::1:8443",
                                         "[::1]",    "localhost:1",   "127.0.0.1:", "127.0.0.1",
                                         "1.2.3:80", "1.2.3.4:65536", "1.2.3.4:-1", "[1.2.3.4]:80",
                                         "[::1]:x",  "[]:80",         "1.2.3.4 :80" };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(wrong); i++) {
        struct pl_address address;
        struct pl_fault fault = { 0 };
        assert_int_equal(pl_address_parse(wrong[i], &address, &fault), PL_MISCONFIGURED);
        assert_non_null(strstr(fault.reason, "127.0.0.1:8443"));
    }
}

static void address__names__hold_each_once(void **state)
{
    struct pl_address_names names;
    struct pl_address addresses[2];
    struct pl_fault fault = { 0 };
    (void)state;
    assert_int_equal(pl_address_parse("192.0.2.7:1", &addresses[0], &fault), PL_OK);
    assert_int_equal(pl_address_parse("0.0.0.0:1", &addresses[1], &fault), PL_OK);
    pl_address_names(addresses, 2, &names);
    bool has_given = false;
    for (size_t i = 0; i < names.count; i++) {
        has_given = has_given || strcmp(names.names[i], "192.0.2.7") == 0;
        assert_string_not_equal(names.names[i], "0.0.0.0");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names.names[i], names.names[j]);
    }
    assert_string_equal(names.names[0], "localhost");
    assert_null(names.names[names.count]);
    assert_true(has_given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address__well_formed__is_taken_apart),
        cmocka_unit_test(address__anything_else__is_refused),
        cmocka_unit_test(address__names__hold_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
