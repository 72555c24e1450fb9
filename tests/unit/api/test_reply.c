/* test_reply: a problem is JSON whatever its sentence holds.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/reply.h"

#include "tests/support/pl_test.h"

#include <jansson.h>
#include <string.h>

static json_t *problem(int http, pl_status status, const char *detail)
{
    char body[PL_PROBLEM_CHARS];
    size_t size = pl_problem_write(http, status, detail, body);
    json_t *json = json_loadb(body, size, 0, NULL);
    assert_non_null(json);
    return json;
}

static void reply__problem__has_the_members_of_rfc_9457(void **state)
{
    json_t *json = problem(404, PL_NOT_FOUND, NULL);
    (void)state;
    assert_string_equal(json_string_value(json_object_get(json, "title")), "Not Found");
    assert_string_equal(json_string_value(json_object_get(json, "type")), "about:blank");
    assert_string_equal(json_string_value(json_object_get(json, "code")), "not_found");
    assert_string_equal(json_string_value(json_object_get(json, "detail")), "no such thing");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 404);
    json_decref(json);
}

static void reply__hostile_sentence__stays_a_string(void **state)
{
    char long_one[2000];
    (void)state;
    memset(long_one, '"', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    json_t *json = problem(400, PL_BAD_REQUEST, long_one);
    assert_true(json_string_length(json_object_get(json, "detail")) > 300);
    json_decref(json);
    json = problem(400, PL_BAD_REQUEST, "a\\b\"c\n\xFF");
    assert_string_equal(json_string_value(json_object_get(json, "detail")),
                        "a\\b\"c\xEF\xBF\xBD\xEF\xBF\xBD");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply__problem__has_the_members_of_rfc_9457),
        cmocka_unit_test(reply__hostile_sentence__stays_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
