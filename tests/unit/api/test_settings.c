/* test_settings: every default is read back as it was written, and documented.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/settings.h"

#include "api/files.h"
#include "tests/support/pl_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void settings__defaults__survive_the_round_trip(void **state)
{
    struct pl_settings defaults;
    struct pl_settings read;
    struct pl_bytes yaml;
    struct pl_fault fault = { 0 };
    (void)state;
    pl_bytes_init(&yaml, 1 << 20);
    pl_settings_defaults(&defaults);
    memset(&read, 0, sizeof read);
    assert_int_equal(pl_conf_write(pl_settings_table(), NULL, 0, &yaml), PL_OK);
    pl_status status =
        pl_conf_read(pl_settings_table(), "platen.yaml",
                     (struct pl_span){ (const char *)yaml.data, yaml.size }, &read, &fault);
    assert_string_equal(fault.reason, "");
    assert_int_equal(status, PL_OK);
    assert_memory_equal(&defaults, &read, sizeof read);
    pl_bytes_fini(&yaml);
}

static void write_file(const char *path, const char *text)
{
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_file_write(path, text, strlen(text), 0600, &fault), PL_OK);
}

static void settings__file__changes_what_it_names(void **state)
{
    char folder[] = "/tmp/platen-settings-XXXXXX";
    char path[64];
    char whole[PL_PATH_CHARS];
    struct pl_settings settings;
    struct pl_fault fault = { 0 };
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_true(pl_text_format(path, sizeof path, "%s/platen.yaml", folder));
    write_file(path, "jobs:\n  attempts: 7\ndevices:\n  address: 127.0.0.1:0\n");
    assert_int_equal(pl_settings_load(path, &settings, &fault), PL_OK);
    assert_int_equal(settings.jobs_attempts, 7);
    assert_string_equal(settings.devices_address, "127.0.0.1:0");
    assert_int_equal(settings.jobs_lease_ms, 600000);
    assert_int_equal(pl_settings_path(&settings, settings.paths_spool, whole, &fault), PL_OK);
    assert_string_equal(whole + strlen(whole) - 6, "/spool");
    assert_int_equal(whole[0], '/');
    assert_int_equal(pl_settings_path(&settings, "/srv/x", whole, &fault), PL_OK);
    assert_string_equal(whole, "/srv/x");
    pl_folder_remove(folder);
    assert_int_not_equal(access(folder, F_OK), 0);
}

static void settings__wrong_file__is_refused_with_its_line(void **state)
{
    static const struct {
        const char *yaml;
        const char *says;
    } rows[] = {
        { "jobs:\n  attempts: 0\n", "platen.yaml:2:" },
        { "jobs:\n  atempts: 1\n", "attempts" },
        { "devices:\n  second_key: ''\n", "belong together" },
        { "jobs:\n  retry: 1h\n", "retry_most" },
    };
    char folder[] = "/tmp/platen-settings-XXXXXX";
    char path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_true(pl_text_format(path, sizeof path, "%s/platen.yaml", folder));
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct pl_settings settings;
        struct pl_fault fault = { 0 };
        write_file(path, rows[i].yaml);
        assert_int_equal(pl_settings_load(path, &settings, &fault), PL_MISCONFIGURED);
        assert_non_null(strstr(fault.reason, rows[i].says));
    }
    struct pl_settings settings;
    struct pl_fault fault = { 0 };
    (void)unlink(path);
    assert_int_equal(pl_settings_load(path, &settings, &fault), PL_MISCONFIGURED);
    assert_non_null(strstr(fault.reason, "No such file"));
    pl_folder_remove(folder);
}

/* docs/configuration.md has one table row a setting: name, default, comment. */
static void settings__documentation__names_each_with_its_default(void **state)
{
    struct pl_bytes text;
    struct pl_fault fault = { 0 };
    const struct pl_conf_table *table = pl_settings_table();
    (void)state;
    pl_bytes_init(&text, 1 << 20);
    assert_int_equal(pl_file_read(PL_SOURCE_DIR "/docs/configuration.md", &text, &fault), PL_OK);
    assert_int_equal(pl_bytes_append(&text, "", 1), PL_OK);
    for (size_t i = 0; i < table->count; i++) {
        const struct pl_conf_row *row = &table->rows[i];
        char line[512];
        const char *initial = row->initial[0] == '\0' ? "''" : row->initial;
        assert_true(pl_text_format(line, sizeof line, "| `%s` | `%s` | ", row->name, initial));
        if (strstr((const char *)text.data, line) == NULL ||
            strstr((const char *)text.data, row->comment) == NULL)
            fail_msg("docs/configuration.md lacks: %s ... | %s |", line, row->comment);
    }
    pl_bytes_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings__defaults__survive_the_round_trip),
        cmocka_unit_test(settings__file__changes_what_it_names),
        cmocka_unit_test(settings__wrong_file__is_refused_with_its_line),
        cmocka_unit_test(settings__documentation__names_each_with_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
