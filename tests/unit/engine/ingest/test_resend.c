/* test_resend: what is one upload and what are two, on a ledger in memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/ingest/resend.h"

#include "storage/ledger_memory.h"
#include "tests/support/pl_test.h"

#include <string.h>

#define MINUTES_10 ((int64_t)600000)

static const uint8_t name_a[PL_SHA256_BYTES] = { 1 };
static const uint8_t name_b[PL_SHA256_BYTES] = { 2 };
static const uint8_t bytes_a[PL_SHA256_BYTES] = { 3 };
static const uint8_t bytes_b[PL_SHA256_BYTES] = { 4 };

static struct pl_id test_id(char kind, unsigned n)
{
    struct pl_id id;
    assert_true(pl_text_format(id.text, sizeof id.text, "0%c%024u", kind, n));
    return id;
}

/* As the keyring's, with a key that is known. */
static void test_hash(void *self, const char *kind, struct pl_span name,
                      uint8_t out[PL_SHA256_BYTES])
{
    uint8_t inner[PL_SHA256_BYTES];
    (void)self;
    pl_hmac_sha256("key", 3, name.data, name.size, inner);
    pl_hmac_sha256(inner, sizeof inner, kind, strlen(kind), out);
}

static const struct pl_keyring_ops test_keyring_ops = { .name_hash = test_hash };
static const struct pl_keyring test_keyring = { &test_keyring_ops, NULL };

static struct pl_resend_subject test_subject(void)
{
    return (struct pl_resend_subject){ .tenant = test_id('t', 1),
                                       .device = test_id('d', 1),
                                       .drop = "inbox",
                                       .name_sha256 = name_a,
                                       .sha256 = bytes_a,
                                       .key = "" };
}

/* What the subject is taken for: 0, a new job `n` is made of it; else the number of its first. */
static pl_status test_take(const struct pl_ledger *ledger, const struct pl_resend_subject *subject,
                           int64_t now_ms, int64_t window_ms, unsigned n, unsigned *first)
{
    struct pl_resend resend;
    struct pl_arena arena;
    struct pl_ledger_job job = { .id = test_id('j', n),
                                 .tenant = subject->tenant,
                                 .device = subject->device,
                                 .drop = subject->drop,
                                 .pipeline = "archive",
                                 .pipeline_version = 1,
                                 .state = PL_JOB_QUEUED };
    pl_arena_init(&arena, 65536);
    *first = 0;
    pl_resend_init(&test_keyring, subject, now_ms, window_ms, &resend);
    struct pl_ledger_job found = { .attempts = 0 };
    pl_status status = pl_resend_find(&resend, ledger, now_ms, &arena, &found);
    if (status == PL_OK)
        *first = (unsigned)(found.id.text[PL_ID_CHARS - 1] - '0');
    if (status == PL_NOT_FOUND) {
        status = ledger->ops->job_add(ledger->self, &job);
        assert_int_equal(status, PL_OK);
        status = pl_resend_remember(&resend, ledger, now_ms, &job.id);
    }
    pl_arena_fini(&arena);
    return status;
}

static int ledger_setup(void **state)
{
    static struct pl_ledger ledger;
    assert_int_equal(pl_ledger_memory_new(&ledger), PL_OK);
    for (unsigned n = 1; n <= 2; n++) {
        struct pl_ledger_tenant tenant = { .id = test_id('t', n), .key_version = 1 };
        assert_int_equal(ledger.ops->tenant_add(ledger.self, &tenant), PL_OK);
    }
    *state = &ledger;
    return 0;
}

static int ledger_teardown(void **state)
{
    const struct pl_ledger *ledger = *state;
    ledger->ops->close(ledger->self);
    return 0;
}

static void assert_new(const struct pl_ledger *ledger, const struct pl_resend_subject *subject,
                       int64_t now_ms, unsigned n)
{
    unsigned first = 99;
    assert_int_equal(test_take(ledger, subject, now_ms, MINUTES_10, n, &first), PL_OK);
    assert_int_equal(first, 0);
}

static void assert_first(const struct pl_ledger *ledger, const struct pl_resend_subject *subject,
                         int64_t now_ms, unsigned n)
{
    unsigned first = 99;
    assert_int_equal(test_take(ledger, subject, now_ms, MINUTES_10, 9, &first), PL_OK);
    assert_int_equal(first, n);
}

static void scan__sent_again__is_the_first_until_its_time(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_resend_subject subject = test_subject();
    assert_new(ledger, &subject, 1000, 1);
    assert_first(ledger, &subject, 1000, 1);
    assert_first(ledger, &subject, 1000 + MINUTES_10 - 1, 1);
    assert_new(ledger, &subject, 1000 + MINUTES_10, 2);
    assert_first(ledger, &subject, 1000 + MINUTES_10, 2);
}

static void scan__that_differs_in_anything__is_a_new_one(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_resend_subject subject = test_subject();
    assert_new(ledger, &subject, 1000, 1);
    subject.name_sha256 = name_b;
    assert_new(ledger, &subject, 1000, 2);
    subject = test_subject();
    subject.sha256 = bytes_b;
    assert_new(ledger, &subject, 1000, 3);
    subject = test_subject();
    subject.drop = "other";
    assert_new(ledger, &subject, 1000, 4);
    subject = test_subject();
    subject.device = test_id('d', 2);
    assert_new(ledger, &subject, 1000, 5);
    subject = test_subject();
    subject.tenant = test_id('t', 2);
    assert_new(ledger, &subject, 1000, 6);
    subject = test_subject();
    assert_first(ledger, &subject, 1000, 1);
}

static void scan__where_it_is_switched_off__is_always_new(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_resend_subject subject = test_subject();
    for (unsigned n = 1; n <= 3; n++) {
        unsigned first = 99;
        assert_int_equal(test_take(ledger, &subject, 1000, 0, n, &first), PL_OK);
        assert_int_equal(first, 0);
    }
}

static void scan__whose_job_was_cancelled__is_a_new_one(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_resend_subject subject = test_subject();
    assert_new(ledger, &subject, 1000, 1);
    struct pl_ledger_move moves[2] = {
        { .job = test_id('j', 1), .from = PL_JOB_QUEUED, .to = PL_JOB_HELD, .at_ms = 1 },
        { .job = test_id('j', 1), .from = PL_JOB_HELD, .to = PL_JOB_CANCELLED, .at_ms = 1 },
    };
    assert_int_equal(ledger->ops->job_move(ledger->self, &moves[0]), PL_OK);
    assert_first(ledger, &subject, 1000, 1);
    assert_int_equal(ledger->ops->job_move(ledger->self, &moves[1]), PL_OK);
    assert_new(ledger, &subject, 1000, 2);
    assert_first(ledger, &subject, 1000, 2);
}

static void key__same_request__is_the_first_for_a_day(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_resend_subject subject = test_subject();
    subject.key = "k-1";
    assert_new(ledger, &subject, 1000, 1);
    assert_first(ledger, &subject, 1000 + PL_RESEND_KEY_MS - 1, 1);
    assert_new(ledger, &subject, 1000 + PL_RESEND_KEY_MS, 2);
}

static void key__for_other_bytes_or_another_name__is_refused(void **state)
{
    const struct pl_ledger *ledger = *state;
    unsigned first = 0;
    struct pl_resend_subject subject = test_subject();
    subject.key = "k-1";
    assert_new(ledger, &subject, 1000, 1);
    subject.sha256 = bytes_b;
    assert_int_equal(test_take(ledger, &subject, 1000, MINUTES_10, 2, &first), PL_KEY_REUSED);
    subject.sha256 = bytes_a;
    subject.name_sha256 = name_b;
    assert_int_equal(test_take(ledger, &subject, 1000, MINUTES_10, 2, &first), PL_KEY_REUSED);
}

static void key__of_another_device_or_another_key__is_another_request(void **state)
{
    const struct pl_ledger *ledger = *state;
    struct pl_resend_subject subject = test_subject();
    subject.key = "k-1";
    assert_new(ledger, &subject, 1000, 1);
    subject.device = test_id('d', 2);
    assert_new(ledger, &subject, 1000, 2);
    subject = test_subject();
    subject.key = "k-2";
    assert_new(ledger, &subject, 1000, 3);
    subject.key = "";
    assert_new(ledger, &subject, 1000, 4);
}

static void key__as_a_header__is_read_strictly(void **state)
{
    static const struct {
        const char *field;
        const char *key; /* NULL: refused */
    } cases[] = {
        { "abc", "abc" },
        { "\"abc\"", "abc" },
        { "\"a b, c\"", "a b, c" },
        { "\"\\\"\\\\\"", "\"\\" },
        { "", NULL },
        { "\"\"", NULL },
        { "a b", NULL },
        { "a, a", NULL },
        { "\"a", NULL },
        { "a\"", NULL },
        { "\"a\"b\"", NULL },
        { "\"a\\b\"", NULL },
        { "\"a\\\"", NULL },
        { "a\tb", NULL },
        { "\xc3\xa4", NULL },
    };
    char out[PL_RESEND_KEY_CHARS + 1];
    char longest[PL_RESEND_KEY_CHARS + 2];
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        bool read = pl_resend_read_key(pl_span_from(cases[i].field), out);
        assert_int_equal(read, cases[i].key != NULL);
        if (read)
            assert_string_equal(out, cases[i].key);
    }
    memset(longest, 'x', sizeof longest);
    assert_true(pl_resend_read_key((struct pl_span){ longest, PL_RESEND_KEY_CHARS }, out));
    assert_int_equal(strlen(out), PL_RESEND_KEY_CHARS);
    assert_false(pl_resend_read_key((struct pl_span){ longest, PL_RESEND_KEY_CHARS + 1 }, out));
}

#define RESEND_TEST(test) cmocka_unit_test_setup_teardown(test, ledger_setup, ledger_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESEND_TEST(scan__sent_again__is_the_first_until_its_time),
        RESEND_TEST(scan__that_differs_in_anything__is_a_new_one),
        RESEND_TEST(scan__where_it_is_switched_off__is_always_new),
        RESEND_TEST(scan__whose_job_was_cancelled__is_a_new_one),
        RESEND_TEST(key__same_request__is_the_first_for_a_day),
        RESEND_TEST(key__for_other_bytes_or_another_name__is_refused),
        RESEND_TEST(key__of_another_device_or_another_key__is_another_request),
        cmocka_unit_test(key__as_a_header__is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
