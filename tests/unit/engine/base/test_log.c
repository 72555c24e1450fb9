/* test_log: one line an event, that no value can forge, break or make unreadable.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/log.h"
#include "engine/base/text.h"

#include <jansson.h>

#include <string.h>

/* What the sink was given last. */
struct caught {
    char line[4096];
    size_t size;
    unsigned calls;
};

static void catch_line(void *owner, const char *line, size_t size)
{
    struct caught *caught = owner;
    assert_true(size < sizeof caught->line);
    memcpy(caught->line, line, size);
    caught->line[size] = '\0';
    caught->size = size;
    caught->calls++;
}

static const struct pl_clock fake = { .fake = true, .wall_ms = 1795344480123 };

static struct pl_log log_to(struct caught *caught, enum pl_log_format format)
{
    *caught = (struct caught){ .calls = 0 };
    return (struct pl_log){
        .least = PL_LOG_INFO, .format = format, .sink = catch_line, .owner = caught, .clock = &fake
    };
}

static void text__pairs__stand_in_order(void **state)
{
    (void)state;
    struct caught caught;
    struct pl_log log = log_to(&caught, PL_LOG_TEXT);
    PL_LOG(&log, PL_LOG_WARN, "job.moved", PL_F("job", "01abc"), PL_FN("attempt", -3));
    assert_string_equal(caught.line, "time=2026-11-22T10:48:00.123Z level=warn event=job.moved "
                                     "job=01abc attempt=-3\n");
    assert_int_equal(caught.calls, 1);
}

static void json__pairs__are_an_object(void **state)
{
    (void)state;
    struct caught caught;
    struct pl_log log = log_to(&caught, PL_LOG_JSON);
    PL_LOG(&log, PL_LOG_ERROR, "job.moved", PL_F("job", "01abc"), PL_FN("attempt", INT64_MIN));
    assert_string_equal(caught.line,
                        "{\"time\":\"2026-11-22T10:48:00.123Z\",\"level\":\"error\",\"event\":"
                        "\"job.moved\",\"job\":\"01abc\",\"attempt\":-9223372036854775808}\n");
}

static void log__below_its_level_or_absent__is_silent(void **state)
{
    (void)state;
    struct caught caught;
    struct pl_log log = log_to(&caught, PL_LOG_TEXT);
    PL_LOG(&log, PL_LOG_DEBUG, "a.b", PL_FN("n", 1));
    PL_LOG(NULL, PL_LOG_ERROR, "a.b", PL_FN("n", 1));
    log.sink = NULL;
    PL_LOG(&log, PL_LOG_ERROR, "a.b", PL_FN("n", 1));
    assert_int_equal(caught.calls, 0);
}

static void text__values_that_forge__are_quoted_and_escaped(void **state)
{
    (void)state;
    const char *const pairs[][2] = {
        { "", "\"\"" },
        { "a b", "\"a b\"" },
        { "a=b", "\"a=b\"" },
        { "a\"b\\", "\"a\\\"b\\\\\"" },
        { "x\nlevel=error event=forged", "\"x\\u000alevel=error event=forged\"" },
        { "\x1B[2J\x7F", "\"\\u001b[2J\\u007f\"" },
        { "\xC2\x9B"
          "2J",
          "\"\\u009b2J\"" },
        { "caf\xC3\xA9", "\"caf\xC3\xA9\"" },
        { "a\xFF", "\"a\\ufffd\"" },
        { "\xE2\x80\xAE"
          "fdp",
          "\"\\u202efdp\"" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(pairs); i++) {
        struct caught caught;
        struct pl_log log = log_to(&caught, PL_LOG_TEXT);
        PL_LOG(&log, PL_LOG_INFO, "a.b", PL_F("v", pairs[i][0]));
        char *value = strstr(caught.line, " v=");
        assert_non_null(value);
        assert_int_equal(strlen(value + 3), strlen(pairs[i][1]) + 1);
        assert_memory_equal(value + 3, pairs[i][1], strlen(pairs[i][1]));
    }
}

static json_t *parsed(const struct caught *caught)
{
    json_error_t error;
    json_t *object = json_loadb(caught->line, caught->size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL)
        fail_msg("%s: %s", error.text, caught->line);
    return object;
}

static void json__any_bytes_as_a_value__stay_json(void **state)
{
    (void)state;
    char value[3] = { 0 };
    for (unsigned first = 1; first < 256; first++) {
        struct caught caught;
        struct pl_log log = log_to(&caught, PL_LOG_JSON);
        value[0] = (char)first;
        value[1] = (char)(first * 37 % 255 + 1);
        PL_LOG(&log, PL_LOG_INFO, "a.b", PL_F("v", value), PL_FN("after", 1));
        json_t *object = parsed(&caught);
        assert_int_equal(json_integer_value(json_object_get(object, "after")), 1);
        json_decref(object);
    }
}

static void line__value_of_any_length__is_cut_and_stays_whole(void **state)
{
    (void)state;
    char value[2400];
    const char *const units[] = { "x", "\"", "\n", "\xC3\xA9", "\xF0\x9F\x96\xA8" };
    for (size_t unit = 0; unit < PL_COUNT_OF(units); unit++) {
        for (size_t size = 300; size < 2060; size += size < 1920 && size > 350 ? 97 : 1) {
            struct caught caught;
            struct pl_log log = log_to(&caught, PL_LOG_JSON);
            size_t step = strlen(units[unit]);
            value[0] = '\0';
            for (size_t at = 0; at + step <= size; at += step)
                memcpy(value + at, units[unit], step + 1);
            PL_LOG(&log, PL_LOG_INFO, "a.b", PL_F("v", value), PL_FN("n", INT64_MIN),
                   PL_F("w", value), PL_FN("m", 7));
            assert_true(caught.size <= 2048);
            assert_int_equal(caught.line[caught.size - 1], '\n');
            json_t *object = parsed(&caught);
            assert_non_null(json_object_get(object, "v"));
            json_decref(object);
            log.format = PL_LOG_TEXT;
            PL_LOG(&log, PL_LOG_INFO, "a.b", PL_F("v", value), PL_FN("n", 1), PL_F("w", value));
            assert_true(caught.size <= 2048);
            assert_int_equal(strcspn(caught.line, "\n"), caught.size - 1);
        }
    }
}

static void line__many_fields__ends_with_a_whole_one(void **state)
{
    (void)state;
    struct caught caught;
    struct pl_log log = log_to(&caught, PL_LOG_JSON);
    struct pl_log_field fields[300];
    char keys[300][8];
    for (size_t i = 0; i < 299; i++) {
        (void)pl_text_format(keys[i], sizeof keys[i], "k%zu", i);
        fields[i] = (struct pl_log_field)PL_FN(keys[i], i);
    }
    fields[299] = (struct pl_log_field){ 0 };
    pl_log_write(&log, PL_LOG_INFO, "a.b", fields);
    json_t *object = parsed(&caught);
    assert_true(json_object_size(object) > 100);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__pairs__stand_in_order),
        cmocka_unit_test(json__pairs__are_an_object),
        cmocka_unit_test(log__below_its_level_or_absent__is_silent),
        cmocka_unit_test(text__values_that_forge__are_quoted_and_escaped),
        cmocka_unit_test(json__any_bytes_as_a_value__stay_json),
        cmocka_unit_test(line__value_of_any_length__is_cut_and_stays_whole),
        cmocka_unit_test(line__many_fields__ends_with_a_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
