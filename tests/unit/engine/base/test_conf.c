/* test_conf: what a settings file may say, what it may not, and the sentence for each refusal.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "engine/base/conf.h"

#include <stdlib.h>
#include <string.h>

struct settings {
    bool enabled;
    uint64_t threads;
    uint64_t body_bytes;
    uint64_t head_ms;
    unsigned format;
    char folder[17];
    char note[9];
};

static const char *const formats[] = { "text", "json", "none", NULL };

#define AT(field) offsetof(struct settings, field)

static const struct pl_conf_row rows[] = {
    { "http.enabled", PL_CONF_BOOL, AT(enabled), 0, 0, "true", NULL, "Whether it listens." },
    { "http.head_timeout", PL_CONF_DURATION, AT(head_ms), 1000, 600000, "30s", NULL,
      "Time for a head." },
    { "http.body_limit", PL_CONF_BYTES, AT(body_bytes), 1024, (uint64_t)4 << 30, "200MiB", NULL,
      "Largest upload." },
    { "log.format", PL_CONF_CHOICE, AT(format), 0, 0, "text", formats, "How lines look." },
    { "workers.threads", PL_CONF_NUMBER, AT(threads), 1, UINT64_MAX, "2", NULL, "Threads." },
    { "workers.folder", PL_CONF_TEXT, AT(folder), 1, 16, "it's here", NULL, "A folder." },
    { "workers.note", PL_CONF_TEXT, AT(note), 0, 8, "", NULL, "A note." },
};

static const struct pl_conf_table table = { rows, PL_COUNT_OF(rows) };

static pl_status read_text(const char *yaml, struct settings *settings, struct pl_fault *fault)
{
    pl_conf_defaults(&table, settings);
    *fault = (struct pl_fault){ .status = PL_OK };
    return pl_conf_read(&table, "platen.yaml", pl_span_from(yaml), settings, fault);
}

static void expect_refused(const char *yaml, const char *sentence)
{
    struct settings settings;
    struct pl_fault fault;
    assert_int_equal(read_text(yaml, &settings, &fault), PL_MISCONFIGURED);
    assert_int_equal(fault.status, PL_MISCONFIGURED);
    assert_string_equal(fault.reason, sentence);
}

static void expect_defaults(const struct settings *settings)
{
    assert_true(settings->enabled);
    assert_int_equal(settings->head_ms, 30000);
    assert_int_equal(settings->body_bytes, 200 << 20);
    assert_int_equal(settings->format, 0);
    assert_int_equal(settings->threads, 2);
    assert_string_equal(settings->folder, "it's here");
    assert_string_equal(settings->note, "");
}

static void read__nothing_to_say__keeps_the_defaults(void **state)
{
    (void)state;
    const char *const empty[] = { "",
                                  "# only a comment\n",
                                  "---\n...\n",
                                  "{}",
                                  "http:\n",
                                  "http:\n  # head_timeout: 5s\nlog: {}\n",
                                  "\xEF\xBB\xBF{}" };
    for (size_t i = 0; i < PL_COUNT_OF(empty); i++) {
        struct settings settings;
        struct pl_fault fault;
        memset(&settings, 0xA5, sizeof settings);
        if (read_text(empty[i], &settings, &fault) != PL_OK)
            fail_msg("%s: %s", empty[i], fault.reason);
        expect_defaults(&settings);
    }
}

static void read__every_kind__lands_in_its_field(void **state)
{
    (void)state;
    struct settings settings;
    struct pl_fault fault;
    const char *yaml = "workers: { threads: 18446744073709551615, folder: \"a b\", note: 'q''s' }\n"
                       "http:\n"
                       "  enabled: false\n"
                       "  head_timeout: 1500ms\n"
                       "  body_limit: 4GiB\n"
                       "log:\n"
                       "  format: json\n";
    assert_int_equal(read_text(yaml, &settings, &fault), PL_OK);
    assert_false(settings.enabled);
    assert_int_equal(settings.head_ms, 1500);
    assert_true(settings.body_bytes == (uint64_t)4 << 30);
    assert_int_equal(settings.format, 1);
    assert_true(settings.threads == UINT64_MAX);
    assert_string_equal(settings.folder, "a b");
    assert_string_equal(settings.note, "q's");
}

static void read__every_unit__counts(void **state)
{
    (void)state;
    const struct {
        const char *yaml;
        uint64_t head_ms;
        uint64_t body_bytes;
    } cases[] = {
        { "http: { head_timeout: 1000ms, body_limit: 1024B }", 1000, 1024 },
        { "http: { head_timeout: 2s, body_limit: 3KiB }", 2000, 3072 },
        { "http: { head_timeout: 10m, body_limit: 5MiB }", 600000, 5 << 20 },
    };
    for (size_t i = 0; i < PL_COUNT_OF(cases); i++) {
        struct settings settings;
        struct pl_fault fault;
        assert_int_equal(read_text(cases[i].yaml, &settings, &fault), PL_OK);
        assert_int_equal(settings.head_ms, cases[i].head_ms);
        assert_int_equal(settings.body_bytes, cases[i].body_bytes);
    }
}

static void read__value_refused__says_found_and_allowed(void **state)
{
    (void)state;
    expect_refused("http:\n  head_timeout: 5\n",
                   "platen.yaml:2: http.head_timeout: found \"5\", allowed 1s to 10m");
    expect_refused("http:\n  head_timeout: 11m\n",
                   "platen.yaml:2: http.head_timeout: found \"11m\", allowed 1s to 10m");
    expect_refused("http:\n  head_timeout: -1s\n",
                   "platen.yaml:2: http.head_timeout: found \"-1s\", allowed 1s to 10m");
    expect_refused(
        "http:\n\n  body_limit: 99999999999TiB\n",
        "platen.yaml:3: http.body_limit: found \"99999999999TiB\", allowed 1KiB to 4GiB");
    expect_refused("http:\n  body_limit: 5 MiB\n",
                   "platen.yaml:2: http.body_limit: found \"5 MiB\", allowed 1KiB to 4GiB");
    expect_refused("http: {enabled: yes}",
                   "platen.yaml:1: http.enabled: found \"yes\", allowed true or false");
    expect_refused("log: {format: xml}",
                   "platen.yaml:1: log.format: found \"xml\", allowed text, json or none");
    expect_refused("workers: {threads: 0}",
                   "platen.yaml:1: workers.threads: found \"0\", allowed 1 or more");
    expect_refused("workers: {threads: }",
                   "platen.yaml:1: workers.threads: found \"\", allowed 1 or more");
    expect_refused(
        "workers: {folder: 12345678901234567}",
        "platen.yaml:1: workers.folder: found \"12345678901234567\", allowed one line of "
        "1 to 16 bytes");
}

static void read__text_that_cannot_be_shown__is_refused(void **state)
{
    (void)state;
    const char *const bad[] = { "\\0", "\\n", "\\t", "\\x7f", "\\x85", "\\u2028", "\\ufeff" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++) {
        struct settings settings;
        struct pl_fault fault;
        char yaml[64];
        assert_true(pl_text_format(yaml, sizeof yaml, "workers: {folder: \"a%sb\"}", bad[i]));
        assert_int_equal(read_text(yaml, &settings, &fault), PL_MISCONFIGURED);
        assert_non_null(strstr(fault.reason, "workers.folder: found"));
    }
}

static void read__unknown_name__suggests_the_nearest(void **state)
{
    (void)state;
    expect_refused("http:\n  head_timout: 5s\n",
                   "platen.yaml:2: http.head_timout: no such setting, did you mean "
                   "http.head_timeout?");
    expect_refused("htpt: {}", "platen.yaml:1: htpt: no such section, did you mean http?");
    expect_refused("http: {threads: 4}",
                   "platen.yaml:1: http.threads: no such setting, did you mean workers.threads?");
    expect_refused("http: {zebra: 4}", "platen.yaml:1: http.zebra: no such setting");
    expect_refused("zebra: {a: 4}", "platen.yaml:1: zebra: no such section");
}

static void read__name_of_hostile_length__is_refused_short(void **state)
{
    (void)state;
    struct settings settings;
    struct pl_fault fault;
    char yaml[1200];
    memset(yaml, 'a', sizeof yaml);
    memcpy(yaml, "http: {\"", 8);
    memcpy(yaml + sizeof yaml - 8, "\": 5}\n\0\0", 8);
    assert_int_equal(read_text(yaml, &settings, &fault), PL_MISCONFIGURED);
    assert_true(strlen(fault.reason) < 160);
}

static void read__twice__is_refused(void **state)
{
    (void)state;
    expect_refused("log:\n  format: text\n  format: text\n",
                   "platen.yaml:3: log.format: this setting is there twice");
    expect_refused("log: {format: text}\nlog: {}\n",
                   "platen.yaml:2: log: this section is there twice");
    expect_refused("log:\nhttp:\nlog:\n", "platen.yaml:3: log: this section is there twice");
}

static void read__other_shapes__are_refused(void **state)
{
    (void)state;
    expect_refused("http: 5", "platen.yaml:1: http: is a section: its settings stand on lines of "
                              "their own below it");
    expect_refused("hello", "platen.yaml:1: expected the name of a section");
    expect_refused("log:\n  format:\n    deep: 1\n",
                   "platen.yaml:3: log.format: found more lines below it, allowed one value");
    expect_refused("log: {format: [text]}", "platen.yaml:1: a list is not allowed here");
    expect_refused("- a", "platen.yaml:1: a list is not allowed here");
    expect_refused("? {a: b}\n: c\n", "platen.yaml:1: expected the name of a section");
    expect_refused("log: {? {a: b} : c}", "platen.yaml:1: expected the name of a setting");
    expect_refused("{}\n---\n{}\n", "platen.yaml:2: a second document is not allowed");
}

static void read__what_yaml_offers_beyond__is_refused(void **state)
{
    (void)state;
    expect_refused("log: &a {format: text}",
                   "platen.yaml:1: an anchor (&name) is not allowed here");
    expect_refused("log: {format: &a text}",
                   "platen.yaml:1: an anchor (&name) is not allowed here");
    expect_refused("log: {format: *a}", "platen.yaml:1: an alias (*name) is not allowed here");
    expect_refused("log: {format: !!str text}", "platen.yaml:1: a tag (!name) is not allowed here");
    expect_refused("log: !x {format: text}", "platen.yaml:1: a tag (!name) is not allowed here");
    expect_refused("log: {format: ! text}", "platen.yaml:1: a tag (!name) is not allowed here");
    expect_refused("%YAML 1.1\n---\nlog: {}\n",
                   "platen.yaml:1: a directive (%) is not allowed here");
    expect_refused("%TAG ! tag:x,2000:\n---\nlog: {}\n",
                   "platen.yaml:1: a directive (%) is not allowed here");
}

static void read__not_yaml__says_the_line(void **state)
{
    (void)state;
    const char *const bad[] = { "log:\n\tformat: text\n",
                                "log: {format: text",
                                "log: {format: \"",
                                "log:\n  format: text\n format: b\n",
                                "log: \xFF\n",
                                "log: \x01\n",
                                "\xFE\xFF\0l",
                                "log: {format: text}}" };
    for (size_t i = 0; i < PL_COUNT_OF(bad); i++) {
        struct settings settings;
        struct pl_fault fault;
        assert_int_equal(read_text(bad[i], &settings, &fault), PL_MISCONFIGURED);
        assert_memory_equal(fault.reason, "platen.yaml:", 12);
        assert_non_null(strstr(fault.reason, "not YAML"));
    }
}

static void read__deep_nesting__is_refused_at_once(void **state)
{
    (void)state;
    struct settings settings;
    struct pl_fault fault;
    static char yaml[1 << 20];
    memset(yaml, '{', sizeof yaml);
    pl_conf_defaults(&table, &settings);
    fault = (struct pl_fault){ .status = PL_OK };
    assert_int_equal(
        pl_conf_read(&table, "f", (struct pl_span){ yaml, sizeof yaml }, &settings, &fault),
        PL_MISCONFIGURED);
}

static void read__over_a_mebibyte__is_refused_unread(void **state)
{
    (void)state;
    struct settings settings;
    struct pl_fault fault = { .status = PL_OK };
    size_t size = ((size_t)1 << 20) + 1;
    char *yaml = malloc(size);
    assert_non_null(yaml);
    memset(yaml, '\n', size);
    pl_conf_defaults(&table, &settings);
    assert_int_equal(
        pl_conf_read(&table, "f.yaml", (struct pl_span){ yaml, size - 1 }, &settings, &fault),
        PL_OK);
    assert_int_equal(
        pl_conf_read(&table, "f.yaml", (struct pl_span){ yaml, size }, &settings, &fault),
        PL_MISCONFIGURED);
    assert_string_equal(fault.reason,
                        "f.yaml: found a file of 1048577 bytes, allowed at most 1MiB");
    free(yaml);
}

static void read__path_of_great_length__leaves_room_for_the_sentence(void **state)
{
    (void)state;
    struct settings settings;
    struct pl_fault fault = { .status = PL_OK };
    char path[600];
    memset(path, 'p', sizeof path);
    memcpy(path + sizeof path - 13, "/platen.yaml", 13);
    pl_conf_defaults(&table, &settings);
    assert_int_equal(
        pl_conf_read(&table, path, pl_span_from("log: {format: xml}"), &settings, &fault),
        PL_MISCONFIGURED);
    assert_memory_equal(fault.reason, "...ppp", 6);
    assert_non_null(strstr(
        fault.reason, "/platen.yaml:1: log.format: found \"xml\", allowed text, json or none"));
}

static void write__defaults__is_a_file_that_reads_back(void **state)
{
    (void)state;
    struct pl_bytes out;
    struct settings settings;
    struct pl_fault fault = { .status = PL_OK };
    pl_bytes_init(&out, 1 << 16);
    assert_int_equal(pl_conf_write(&table, NULL, 0, &out), PL_OK);
    const char *expected = "http:\n"
                           "  # Whether it listens. Allowed: true or false.\n"
                           "  enabled: true\n"
                           "  # Time for a head. Allowed: 1s to 10m.\n"
                           "  head_timeout: 30s\n"
                           "  # Largest upload. Allowed: 1KiB to 4GiB.\n"
                           "  body_limit: 200MiB\n"
                           "\n"
                           "log:\n"
                           "  # How lines look. Allowed: text, json or none.\n"
                           "  format: text\n"
                           "\n"
                           "workers:\n"
                           "  # Threads. Allowed: 1 or more.\n"
                           "  threads: 2\n"
                           "  # A folder. Allowed: one line of 1 to 16 bytes.\n"
                           "  folder: 'it''s here'\n"
                           "  # A note. Allowed: one line of 0 to 8 bytes.\n"
                           "  note: ''\n";
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    memset(&settings, 0, sizeof settings);
    const struct pl_span yaml = { (const char *)out.data, out.size };
    assert_int_equal(pl_conf_read(&table, "f", yaml, &settings, &fault), PL_OK);
    expect_defaults(&settings);
    pl_bytes_fini(&out);
}

static void write__overrides__replace_and_name_the_default(void **state)
{
    (void)state;
    struct pl_bytes out;
    struct settings settings;
    struct pl_fault fault = { .status = PL_OK };
    const struct pl_conf_override overrides[] = { { "log.format", "json" },
                                                  { "workers.folder", " #': {[&*!|>%@`" },
                                                  { "workers.note", "\xF0\x9F\x96\xA8" } };
    pl_bytes_init(&out, 1 << 16);
    assert_int_equal(pl_conf_write(&table, overrides, PL_COUNT_OF(overrides), &out), PL_OK);
    assert_int_equal(pl_bytes_append(&out, "", 1), PL_OK);
    assert_non_null(strstr((char *)out.data, "Allowed: text, json or none. Default: text.\n"));
    assert_non_null(strstr((char *)out.data, "Default: empty.\n"));
    const struct pl_span yaml = { (const char *)out.data, out.size - 1 };
    pl_conf_defaults(&table, &settings);
    assert_int_equal(pl_conf_read(&table, "f", yaml, &settings, &fault), PL_OK);
    assert_int_equal(settings.format, 1);
    assert_string_equal(settings.folder, " #': {[&*!|>%@`");
    assert_string_equal(settings.note, "\xF0\x9F\x96\xA8");
    pl_bytes_fini(&out);
}

static void write__bad_override_or_no_room__leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    struct pl_bytes out;
    const struct pl_conf_override wrong_value = { "log.format", "xml" };
    const struct pl_conf_override wrong_name = { "log.colour", "red" };
    pl_bytes_init(&out, 40);
    assert_int_equal(pl_bytes_append(&out, "# head\n", 7), PL_OK);
    assert_int_equal(pl_conf_write(&table, &wrong_value, 1, &out), PL_MISCONFIGURED);
    assert_int_equal(pl_conf_write(&table, &wrong_name, 1, &out), PL_MISCONFIGURED);
    assert_int_equal(pl_conf_write(&table, NULL, 0, &out), PL_TOO_LARGE);
    assert_int_equal(out.size, 7);
    pl_bytes_fini(&out);
}

static void check__values_from_a_command_line__are_judged_by_their_row(void **state)
{
    (void)state;
    struct pl_fault fault = { .status = PL_OK };
    assert_int_equal(pl_conf_check(&table, "log.format", pl_span_from("json"), &fault), PL_OK);
    assert_int_equal(pl_conf_check(&table, "log.format", pl_span_from("xml"), &fault),
                     PL_MISCONFIGURED);
    assert_string_equal(fault.reason, "log.format: found \"xml\", allowed text, json or none");
    fault = (struct pl_fault){ .status = PL_OK };
    assert_int_equal(pl_conf_check(&table, "log.colour", pl_span_from("red"), &fault),
                     PL_MISCONFIGURED);
    assert_string_equal(fault.reason, "log.colour: no such setting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__nothing_to_say__keeps_the_defaults),
        cmocka_unit_test(read__every_kind__lands_in_its_field),
        cmocka_unit_test(read__every_unit__counts),
        cmocka_unit_test(read__value_refused__says_found_and_allowed),
        cmocka_unit_test(read__text_that_cannot_be_shown__is_refused),
        cmocka_unit_test(read__unknown_name__suggests_the_nearest),
        cmocka_unit_test(read__name_of_hostile_length__is_refused_short),
        cmocka_unit_test(read__twice__is_refused),
        cmocka_unit_test(read__other_shapes__are_refused),
        cmocka_unit_test(read__what_yaml_offers_beyond__is_refused),
        cmocka_unit_test(read__not_yaml__says_the_line),
        cmocka_unit_test(read__deep_nesting__is_refused_at_once),
        cmocka_unit_test(read__over_a_mebibyte__is_refused_unread),
        cmocka_unit_test(read__path_of_great_length__leaves_room_for_the_sentence),
        cmocka_unit_test(write__defaults__is_a_file_that_reads_back),
        cmocka_unit_test(write__overrides__replace_and_name_the_default),
        cmocka_unit_test(write__bad_override_or_no_room__leaves_the_buffer_as_it_was),
        cmocka_unit_test(check__values_from_a_command_line__are_judged_by_their_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
