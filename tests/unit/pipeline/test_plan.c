/* test_plan: what a definition may say today, and the sentences for what it may not.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/plan.h"

#include <string.h>

#define STEPS "\"steps\":[{\"op\":\"convert\",\"with\":{\"to\":\"pdfa-2b\"}}]"
#define SINKS "\"sinks\":[{\"sink\":\"store\"}]"

static struct pl_plan plan_of(const char *json)
{
    struct pl_plan plan = { 0 };
    struct pl_fault fault = { 0 };
    pl_status status = pl_plan_compile(pl_span_from(json), &plan, &fault);
    if (status != PL_OK)
        fail_msg("%s", fault.reason);
    return plan;
}

static void check_refused(const char *json, const char *sentence)
{
    struct pl_plan plan = { .max_pages = 77 };
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_plan_compile(pl_span_from(json), &plan, &fault), PL_MISCONFIGURED);
    assert_string_equal(fault.reason, sentence);
    assert_int_equal(plan.max_pages, 77);
}

static void plan__what_init_writes__compiles(void **state)
{
    (void)state;
    char json[256];
    struct pl_plan plan = plan_of(pl_plan_write_simple("inbox", PL_FORMAT_PDFA_2B, json, 256));
    assert_int_equal(plan.convert.to, PL_FORMAT_PDFA_2B);
    assert_int_equal(plan.max_pages, 0);
    assert_true(pl_plan_accepts(&plan, "tiff"));
    assert_true(pl_plan_accepts(&plan, "jpeg"));
}

static void plan__accept_and_retain__are_read(void **state)
{
    (void)state;
    struct pl_plan plan =
        plan_of("{\"name\":\"a\",\"accept\":{\"types\":[\"jpeg\"],\"max_pages\":500,"
                "\"max_bytes\":\"200MiB\"}," STEPS "," SINKS
                ",\"retain\":{\"original\":\"30d\",\"results\":\"36h\"}}");
    assert_int_equal(plan.max_pages, 500);
    assert_int_equal(plan.max_bytes, 200 << 20);
    assert_int_equal(plan.retain_original_s, 30 * 86400);
    assert_int_equal(plan.retain_results_s, 36 * 3600);
    assert_true(pl_plan_accepts(&plan, "jpeg"));
    assert_false(pl_plan_accepts(&plan, "tiff"));
}

static void plan__unknown_word__nearest_is_named(void **state)
{
    (void)state;
    check_refused("{\"name\":\"a\",\"stepz\":[]," SINKS "}",
                  "the definition: unknown member 'stepz' (did you mean 'steps'?); allowed: name, "
                  "accept, steps, sinks, retain");
    check_refused("{\"name\":\"a\",\"steps\":[{\"op\":\"convert\",\"with\":{\"to\":\"pdfa-2c\"}}]}",
                  "steps[0].with.to: unknown 'pdfa-2c' (did you mean 'pdfa-2b'?); allowed: "
                  "pdfa-2b, pdf, pdfa-1b, pdfa-3b, tiff-g4, tiff, jpeg, png, thumbnail");
    check_refused("{\"name\":\"a\",\"accept\":{\"types\":[\"zip\"]}," STEPS "," SINKS "}",
                  "accept.types: unknown 'zip'; allowed: tiff, jpeg, png, pdf, ps");
    check_refused("{\"name\":\"a\",\"steps\":[{\"op\":\"deskew\"}]," SINKS "}",
                  "steps[0].op: unknown 'deskew'; allowed: convert");
    check_refused("{\"name\":\"a\"," STEPS ",\"sinks\":[{\"sink\":\"stor\\u0007\"}]}",
                  "sinks[0].sink: unknown 'stor\xef\xbf\xbd' (did you mean 'store'?); allowed: "
                  "store");
}

static void plan__missing_or_wrong_kind__says_which(void **state)
{
    (void)state;
    check_refused("[]", "the definition must be a mapping");
    check_refused("{" STEPS "," SINKS "}", "name is missing");
    check_refused("{\"name\":5}", "name must be text");
    check_refused("{\"name\":\"a b\"}",
                  "name must be 1 to 64 lower-case letters, digits, '-' and '_'");
    check_refused("{\"name\":\"a\"," SINKS "}",
                  "steps is missing: {op: convert, with: {to: pdfa-2b}}");
    check_refused("{\"name\":\"a\"," STEPS "}", "sinks is missing: {sink: store}");
    check_refused("{\"name\":\"a\",\"steps\":[]," SINKS "}",
                  "steps must be a list of one today: {op: convert, with: {to: pdfa-2b}}");
    check_refused("{\"name\":\"a\",\"steps\":[{\"op\":\"convert\"}]," SINKS "}",
                  "steps[0].with is missing");
    check_refused("{\"name\":\"a\",\"name\":\"b\"}",
                  "the definition is not JSON: line 1, column 18: duplicate object key near "
                  "'\"name\"'");
}

static void plan__out_of_range__says_the_range(void **state)
{
    (void)state;
    static const char *const pages[] = { "0", "-1", "100001", "\"many\"", "1.5", "null" };
    for (size_t i = 0; i < PL_COUNT_OF(pages); i++) {
        char json[256];
        assert_true(pl_text_format(
            json, sizeof json, "{\"name\":\"a\",\"accept\":{\"max_pages\":%s}," STEPS "," SINKS "}",
            pages[i]));
        check_refused(json, "accept.max_pages must be 1 to 100000");
    }
    check_refused("{\"name\":\"a\",\"accept\":{\"max_bytes\":\"99999999GiB\"}}",
                  "accept.max_bytes must be 1KiB to 1024GiB, for example 200MiB");
    check_refused("{\"name\":\"a\"," STEPS "," SINKS ",\"retain\":{\"results\":\"1y\"}}",
                  "retain.results must be 1h to 3660d, for example 30d");
    check_refused("{\"name\":\"a\"," STEPS "," SINKS ",\"retain\":{\"original\":\"4000d\"}}",
                  "retain.original must be 1h to 3660d, for example 30d");
}

static void format__names_and_back(void **state)
{
    (void)state;
    enum pl_format format = PL_FORMAT_COUNT;
    assert_true(pl_format_parse("pdfa-2b", &format));
    assert_int_equal(format, PL_FORMAT_PDFA_2B);
    assert_false(pl_format_parse("pdfa-2", &format));
    assert_string_equal(pl_format_name(PL_FORMAT_PDFA_2B), "pdfa-2b");
    assert_string_equal(pl_format_type(PL_FORMAT_PDFA_2B), "application/pdf");
    assert_string_equal(pl_format_extension(PL_FORMAT_PDFA_2B), "pdf");
    assert_string_equal(pl_format_list(),
                        "pdfa-2b, pdf, pdfa-1b, pdfa-3b, tiff-g4, tiff, jpeg, png, "
                        "thumbnail");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__what_init_writes__compiles),
        cmocka_unit_test(plan__accept_and_retain__are_read),
        cmocka_unit_test(plan__unknown_word__nearest_is_named),
        cmocka_unit_test(plan__missing_or_wrong_kind__says_which),
        cmocka_unit_test(plan__out_of_range__says_the_range),
        cmocka_unit_test(format__names_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
