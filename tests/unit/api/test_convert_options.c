/* test_convert_options: options become a definition, and what is wrong with them is said.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert_options.h"

#include "api/files.h"
#include "tests/support/pl_test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS 40

struct desk {
    struct pl_convert_options options;
    struct pl_fault fault;
    char text[512];
    char *words[WORDS];
};

/* Options as they would be typed, without quotes. */
static enum pl_convert_verdict desk_read(struct desk *desk, const char *line)
{
    int count = 0;
    *desk = (struct desk){ .fault = { .status = PL_OK } };
    assert_true(pl_text_format(desk->text, sizeof desk->text, "convert %s", line));
    for (char *word = strtok(desk->text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS - 1);
        desk->words[count++] = word;
    }
    return pl_convert_options_read(count, desk->words, &desk->options, &desk->fault);
}

/* What `with` of the definition says, in canonical form, with single quotes. */
static void check_with(const char *line, const char *expected)
{
    struct desk desk;
    if (desk_read(&desk, line) != PL_CONVERT_GO)
        fail_msg("%s: %s", line, desk.fault.reason);
    json_t *root = json_loads(desk.options.definition, 0, NULL);
    json_t *with = json_object_get(json_array_get(json_object_get(root, "steps"), 0), "with");
    char *shown = json_dumps(with, JSON_COMPACT | JSON_SORT_KEYS);
    for (char *c = shown; *c != '\0'; c++)
        if (*c == '"')
            *c = '\'';
    assert_string_equal(shown, expected);
    free(shown);
    json_decref(root);
    pl_convert_options_fini(&desk.options);
}

static void check_verdict(const char *line, enum pl_convert_verdict expected, const char *sentence)
{
    struct desk desk;
    assert_int_equal(desk_read(&desk, line), expected);
    assert_string_equal(desk.fault.reason, sentence);
    pl_convert_options_fini(&desk.options);
}

static void options__each__becomes_its_member(void **state)
{
    (void)state;
    check_with("--to png in.tif -o out.png", "{'to':'png'}");
    check_with("--to pdf --pages 1-3,!2 --rotate 90 --resolution 200 --color auto "
               "--binarize otsu --quality 70 --linearize --title T --author A --subject S "
               "--keywords K a b -o c",
               "{'author':'A','binarize':'otsu','colour':'auto','keywords':'K','linearize':true,"
               "'pages':'1-3,!2','quality':70,'resolution':200,'rotate':90,'subject':'S',"
               "'title':'T','to':'pdf'}");
    check_with("--to tiff --compression deflate a -o b", "{'compression':'deflate','to':'tiff'}");
    check_with("--to thumbnail --size 100 a -o b", "{'size':100,'to':'thumbnail'}");
    check_with("--to pdf --labels 1:i,5:1:3:A-,9:none a -o b",
               "{'labels':[{'from':1,'style':'i'},{'from':5,'prefix':'A-','start':3,'style':'1'},"
               "{'from':9,'style':'none'}],'to':'pdf'}");
}

static void options__inputs_and_output__are_kept(void **state)
{
    (void)state;
    struct desk desk;
    assert_int_equal(desk_read(&desk, "--to tiff --force --json --threads 3 a b -o c"),
                     PL_CONVERT_GO);
    assert_int_equal(desk.options.wish.input_count, 2);
    assert_string_equal(desk.options.wish.inputs[1], "b");
    assert_string_equal(desk.options.wish.output, "c");
    assert_int_equal(desk.options.wish.format, PL_FORMAT_TIFF);
    assert_int_equal(desk.options.threads, 3);
    assert_true(desk.options.wish.force && desk.options.json);
    pl_convert_options_fini(&desk.options);
}

static void options__wrong_value__is_told_without_the_path(void **state)
{
    (void)state;
    check_verdict("--to pdf --quality 300 a -o b", PL_CONVERT_REFUSE, "quality must be 1 to 100");
    check_verdict("--to pdf --quality much a -o b", PL_CONVERT_REFUSE, "quality must be 1 to 100");
    check_verdict("--to png --title x a -o b", PL_CONVERT_REFUSE, "png cannot have title; pdf can");
    check_verdict("--to pdg a -o b", PL_CONVERT_REFUSE,
                  "to: unknown 'pdg' (did you mean 'pdf'?); allowed: pdfa-2b, pdf, pdfa-1b, "
                  "pdfa-3b, tiff-g4, tiff, jpeg, png, thumbnail");
}

static void options__missing__is_wrong_usage(void **state)
{
    (void)state;
    check_verdict("a -o b", PL_CONVERT_USAGE, "");
    check_verdict("--to pdf a", PL_CONVERT_USAGE, "");
    check_verdict("--to pdf -o b", PL_CONVERT_USAGE, "");
    check_verdict("--to pdf --threads 0 a -o b", PL_CONVERT_USAGE, "");
    check_verdict("--help", PL_CONVERT_HELP, "");
}

static void options__passwords__come_from_the_first_line_of_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/platen-options-XXXXXX";
    char path[64];
    char line[256];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/secret", folder);
    assert_int_equal(pl_file_write(path, "tiger \r\nlily", 12, 0600, NULL), PL_OK);
    (void)snprintf(line, sizeof line,
                   "--to pdf --owner-password-file %s --permit print,copy a -o b", path);
    check_with(line, "{'owner_password':'tiger ','permissions':['print','copy'],'to':'pdf'}");
    (void)snprintf(line, sizeof line, "--to pdf --owner-password-file %s --permit none a -o b",
                   path);
    check_with(line, "{'owner_password':'tiger ','permissions':[],'to':'pdf'}");
    assert_int_equal(pl_file_write(path, "\n", 1, 0600, NULL), PL_OK);
    (void)snprintf(line, sizeof line, "--to pdf --password-file %s a -o b", path);
    struct desk desk;
    assert_int_equal(desk_read(&desk, line), PL_CONVERT_REFUSE);
    assert_non_null(strstr(desk.fault.reason, "secret: the first line is empty"));
    pl_folder_remove(folder);
}

static void options__pipeline__settings_lie_over_it(void **state)
{
    (void)state;
    static const char definition[] =
        "{\"name\":\"inbox\",\"accept\":{\"max_pages\":3},\"steps\":[{\"op\":\"convert\","
        "\"with\":{\"to\":\"jpeg\",\"quality\":50}}],\"sinks\":[{\"sink\":\"store\"}]}";
    char folder[] = "/tmp/platen-options-XXXXXX";
    char path[64];
    char line[256];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/inbox.json", folder);
    assert_int_equal(pl_file_write(path, definition, sizeof definition - 1, 0600, NULL), PL_OK);
    (void)snprintf(line, sizeof line, "--pipeline %s --quality 60 a -o b", path);
    check_with(line, "{'quality':60,'to':'jpeg'}");
    struct desk desk;
    assert_int_equal(desk_read(&desk, line), PL_CONVERT_GO);
    assert_int_equal(desk.options.wish.format, PL_FORMAT_JPEG);
    assert_non_null(strstr(desk.options.definition, "\"max_pages\":3"));
    pl_convert_options_fini(&desk.options);
    pl_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__each__becomes_its_member),
        cmocka_unit_test(options__inputs_and_output__are_kept),
        cmocka_unit_test(options__wrong_value__is_told_without_the_path),
        cmocka_unit_test(options__missing__is_wrong_usage),
        cmocka_unit_test(options__passwords__come_from_the_first_line_of_files),
        cmocka_unit_test(options__pipeline__settings_lie_over_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
