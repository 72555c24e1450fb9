/* test_job_actions: what requests to act on jobs may say, and the sentences for what they may not.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/job_actions.h"

#include "tests/support/pl_test.h"

#include <string.h>

static void job_actions__whole_request__is_read(void **state)
{
    struct pl_arena arena;
    struct pl_job_actions asked;
    struct pl_fault fault = { 0 };
    (void)state;
    pl_arena_init(&arena, 1 << 16);
    assert_int_equal(
        pl_job_actions_parse(
            pl_span_from("{\"action\":\"replay\",\"reason\":\"mended\",\"limit\":7,"
                         "\"cursor\":\"01hf7k3v5e8z9x2c4b6n8m0q1w\",\"filter\":{\"state\":\"dead\","
                         "\"pipeline\":\"archive\",\"error\":\"worker_died\"}}"),
            &arena, &asked, &fault),
        PL_OK);
    assert_int_equal(asked.action, PL_JOB_ACTION_REPLAY);
    assert_string_equal(asked.why, "mended");
    assert_int_equal(asked.limit, 7);
    assert_string_equal(asked.after.text, "01hf7k3v5e8z9x2c4b6n8m0q1w");
    assert_int_equal(asked.state, PL_JOB_DEAD);
    assert_string_equal(asked.pipeline, "archive");
    assert_true(asked.has_error && asked.error == PL_WORKER_DIED);
    assert_int_equal(asked.job_count, 0);
    pl_arena_fini(&arena);
}

static void job_actions__what_is_not_allowed__is_refused_with_a_sentence(void **state)
{
    static const char *const wrong[][2] = {
        { "", "not JSON" },
        { "[]", "needs \"action\"" },
        { "{\"action\":\"explode\",\"jobs\":[]}", "action may be" },
        { "{\"action\":\"none\",\"jobs\":[]}", "action may be" },
        { "{\"action\":\"hold\",\"jobs\":[]}", "1 to 1000 ids" },
        { "{\"action\":\"hold\",\"jobs\":[7]}", "jobs[0] is not" },
        { "{\"action\":\"hold\"}", "says which jobs" },
        { "{\"action\":\"hold\",\"jobs\":[],\"filter\":{}}", "says which jobs" },
        { "{\"action\":\"hold\",\"filter\":{}}", "needs \"state\"" },
        { "{\"action\":\"hold\",\"filter\":{\"state\":\"done\"}}", "filter.state may be" },
        { "{\"action\":\"hold\",\"filter\":{\"state\":\"held\",\"x\":1}}", "filter needs" },
        { "{\"action\":\"hold\",\"filter\":{\"state\":\"held\",\"error\":\"x\"}}", "no code" },
        { "{\"action\":\"hold\",\"filter\":{\"state\":\"held\"},\"limit\":0}", "1 to 1000" },
        { "{\"action\":\"hold\",\"filter\":{\"state\":\"held\"},\"cursor\":\"x\"}", "cursor must" },
        { "{\"action\":\"hold\",\"filter\":{\"state\":\"held\"},\"reason\":\"\"}", "1 to 500" },
        { "{\"action\":\"hold\",\"action\":\"hold\"}", "not JSON" },
    };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(wrong); i++) {
        struct pl_arena arena;
        struct pl_job_actions asked;
        struct pl_fault fault = { 0 };
        pl_arena_init(&arena, 1 << 16);
        assert_int_equal(pl_job_actions_parse(pl_span_from(wrong[i][0]), &arena, &asked, &fault),
                         PL_BAD_REQUEST);
        if (strstr(fault.reason, wrong[i][1]) == NULL)
            fail_msg("%s: %s", wrong[i][0], fault.reason);
        pl_arena_fini(&arena);
    }
}

static void job_match__tags__are_those_of_jobs(void **state)
{
    static const char *const wrong[] = { "r3",    "\"3\"",          "W/\"r3\"",
                                         "\"r\"", "\"r3\", \"r4\"", "\"r-1\"" };
    bool has = true;
    uint64_t revision = 0;
    struct pl_fault fault = { 0 };
    (void)state;
    assert_int_equal(pl_job_match_parse((struct pl_span){ NULL, 0 }, &has, &revision, &fault),
                     PL_OK);
    assert_false(has);
    assert_int_equal(pl_job_match_parse(pl_span_from("*"), &has, &revision, &fault), PL_OK);
    assert_false(has);
    assert_int_equal(pl_job_match_parse(pl_span_from("\"r34\""), &has, &revision, &fault), PL_OK);
    assert_true(has && revision == 34);
    for (size_t i = 0; i < PL_COUNT_OF(wrong); i++)
        assert_int_equal(pl_job_match_parse(pl_span_from(wrong[i]), &has, &revision, &fault),
                         PL_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_actions__whole_request__is_read),
        cmocka_unit_test(job_actions__what_is_not_allowed__is_refused_with_a_sentence),
        cmocka_unit_test(job_match__tags__are_those_of_jobs),
    };
    return cmocka_run_group_tests_name("job_actions", tests, NULL, NULL);
}
