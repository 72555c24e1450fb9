/* test_page_query: limit and cursor, and nothing else.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/page_query.h"

#include "tests/support/pl_test.h"

static const char job[] = "01hf7k3v5e8z9x2c4b6n8m0q1w";

static pl_status parse(const char *query, struct pl_page_query *out)
{
    struct pl_fault fault = { 0 };
    pl_status status = pl_page_query_parse(pl_span_from(query), out, &fault);
    assert_int_equal(fault.status, status);
    return status;
}

static void page_query__nothing__is_the_first_fifty(void **state)
{
    struct pl_page_query page;
    (void)state;
    assert_int_equal(parse("", &page), PL_OK);
    assert_int_equal(page.limit, 50);
    assert_true(pl_id_is_none(&page.before));
}

static void page_query__both__are_read(void **state)
{
    struct pl_page_query page;
    (void)state;
    assert_int_equal(parse("cursor=01hf7k3v5e8z9x2c4b6n8m0q1w&limit=200", &page), PL_OK);
    assert_int_equal(page.limit, 200);
    assert_string_equal(page.before.text, job);
}

static void page_query__anything_else__is_refused(void **state)
{
    static const char *const queries[] = { "limit=0",         "limit=201", "limit=",  "limit",
                                           "limit=1&limit=1", "cursor=x",  "cursor=", "state=done",
                                           "limit=%31",       "limit=1&&", "&",       "=",
                                           "Limit=1",         "limit=-1" };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(queries); i++) {
        struct pl_page_query page;
        assert_int_equal(parse(queries[i], &page), PL_BAD_REQUEST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_query__nothing__is_the_first_fifty),
        cmocka_unit_test(page_query__both__are_read),
        cmocka_unit_test(page_query__anything_else__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
