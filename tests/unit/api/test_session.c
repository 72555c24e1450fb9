/* test_session: tokens are read strictly, remembered shortly, and never many.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/session.h"

#include "tests/support/pl_test.h"

#include <string.h>

static void session__authorization__is_read_strictly(void **state)
{
    uint8_t hash[PL_SHA256_BYTES];
    uint8_t same[PL_SHA256_BYTES];
    char long_one[700];
    (void)state;
    assert_true(pl_session_token_hash(pl_span_from("Bearer abc"), hash));
    assert_true(pl_session_token_hash(pl_span_from("bearer  abc "), same));
    assert_memory_equal(hash, same, sizeof hash);
    pl_sha256_of("abc", 3, same);
    assert_memory_equal(hash, same, sizeof hash);
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one, "Bearer ", 7);
    assert_false(pl_session_token_hash((struct pl_span){ long_one, sizeof long_one }, hash));
    assert_false(pl_session_token_hash((struct pl_span){ NULL, 0 }, hash));
    assert_false(pl_session_token_hash(pl_span_from("Basic abc"), hash));
    assert_false(pl_session_token_hash(pl_span_from("Bearer "), hash));
    assert_false(pl_session_token_hash(pl_span_from("Bearer    "), hash));
}

static void session__remembered__is_known_for_a_minute(void **state)
{
    struct pl_sessions *sessions = NULL;
    struct pl_session session = { .tenant = { "t" }, .role = "admin" };
    struct pl_session found;
    uint8_t hash[PL_SHA256_BYTES] = { 1 };
    (void)state;
    assert_int_equal(pl_sessions_new(&sessions), PL_OK);
    assert_false(pl_session_lookup(sessions, hash, 0, &found));
    pl_session_remember(sessions, hash, 0, &session);
    assert_true(pl_session_lookup(sessions, hash, 59999, &found));
    assert_string_equal(found.tenant.text, "t");
    assert_string_equal(found.role, "admin");
    assert_false(pl_session_lookup(sessions, hash, 60000, &found));
    pl_sessions_free(sessions);
}

static void session__more_tokens_than_slots__the_oldest_goes(void **state)
{
    struct pl_sessions *sessions = NULL;
    struct pl_session session = { .role = "admin" };
    struct pl_session found;
    uint8_t hash[PL_SHA256_BYTES] = { 0 };
    (void)state;
    assert_int_equal(pl_sessions_new(&sessions), PL_OK);
    for (int i = 0; i < 300; i++) {
        hash[0] = (uint8_t)i;
        hash[1] = (uint8_t)(i >> 8);
        pl_session_remember(sessions, hash, i, &session);
    }
    assert_true(pl_session_lookup(sessions, hash, 300, &found));
    hash[0] = hash[1] = 0;
    assert_false(pl_session_lookup(sessions, hash, 300, &found));
    hash[0] = 44; /* the 256 youngest stay */
    assert_true(pl_session_lookup(sessions, hash, 300, &found));
    pl_sessions_free(sessions);
}

static void session__new_token__opens_under_its_hash(void **state)
{
    char token[PL_SESSION_TOKEN_CHARS];
    char other[PL_SESSION_TOKEN_CHARS];
    char field[PL_SESSION_TOKEN_CHARS + 8];
    uint8_t hash[PL_SHA256_BYTES];
    uint8_t same[PL_SHA256_BYTES];
    (void)state;
    assert_int_equal(pl_session_token_make(other, same), PL_OK);
    assert_int_equal(pl_session_token_make(token, hash), PL_OK);
    assert_string_not_equal(token, other);
    assert_int_equal(strlen(token), 68);
    assert_true(pl_text_format(field, sizeof field, "Bearer %s", token));
    assert_true(pl_session_token_hash(pl_span_from(field), same));
    assert_memory_equal(hash, same, sizeof hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session__authorization__is_read_strictly),
        cmocka_unit_test(session__remembered__is_known_for_a_minute),
        cmocka_unit_test(session__more_tokens_than_slots__the_oldest_goes),
        cmocka_unit_test(session__new_token__opens_under_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
