/* test_job_state: every move that the drawing shows, and none that it does not.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/job_state.h"

#include <string.h>

#include "tests/support/pl_test.h"

static void job_state__legal_moves__are_those_of_the_drawing(void **state)
{
    (void)state;
    static const char *const drawn[] = {
        "accepted>queued",  "queued>running",     "queued>held",          "queued>cancelled",
        "queued>dead",      "running>delivering", "running>queued",       "running>held",
        "running>dead",     "running>cancelled",  "delivering>done",      "delivering>queued",
        "delivering>held",  "delivering>dead",    "delivering>cancelled", "held>queued",
        "held>cancelled",   "dead>queued",        "done>erased",          "dead>erased",
        "cancelled>erased", "held>held",          "queued>queued",
    };
    unsigned legal = 0;
    for (unsigned from = 0; from < PL_JOB_STATE_COUNT; from++)
        for (unsigned to = 0; to < PL_JOB_STATE_COUNT; to++)
            legal += pl_job_state_may((enum pl_job_state)from, (enum pl_job_state)to);
    assert_int_equal(legal, PL_COUNT_OF(drawn));
    for (unsigned i = 0; i < PL_COUNT_OF(drawn); i++) {
        char name[32];
        enum pl_job_state from = PL_JOB_ACCEPTED;
        enum pl_job_state to = PL_JOB_ACCEPTED;
        const char *arrow = strchr(drawn[i], '>');
        memcpy(name, drawn[i], (size_t)(arrow - drawn[i]));
        name[arrow - drawn[i]] = '\0';
        assert_true(pl_job_state_parse(name, &from) && pl_job_state_parse(arrow + 1, &to));
        assert_true(pl_job_state_may(from, to));
    }
}

static void job_state__erased__has_no_way_out(void **state)
{
    (void)state;
    assert_true(pl_job_state_is_end(PL_JOB_ERASED));
    assert_true(pl_job_state_is_end(PL_JOB_DEAD));
    assert_false(pl_job_state_is_end(PL_JOB_HELD));
    for (unsigned to = 0; to < PL_JOB_STATE_COUNT; to++)
        assert_false(pl_job_state_may(PL_JOB_ERASED, (enum pl_job_state)to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_state__legal_moves__are_those_of_the_drawing),
        cmocka_unit_test(job_state__erased__has_no_way_out),
    };
    return cmocka_run_group_tests_name("job_state", tests, NULL, NULL);
}
