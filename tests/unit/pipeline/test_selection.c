/* test_selection: which pages a text names, and the sentences for those that it cannot.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/convert_settings.h"
#include "pipeline/selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000

/* The selection as it would be written one by one: "1 2 3". */
static void check(const char *text, uint32_t pages, const char *expected)
{
    char shown[512] = "";
    uint32_t *list = NULL;
    uint32_t count = 0;
    struct pl_fault fault = { 0 };
    pl_status status = pl_selection_apply(text, pages, MOST, &list, &count, &fault);
    if (status != PL_OK)
        fail_msg("%s: %s", text, fault.reason);
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(shown);
        (void)snprintf(shown + used, sizeof shown - used, "%s%u", i == 0 ? "" : " ", list[i] + 1);
    }
    assert_string_equal(shown, expected);
    assert_int_equal(pl_selection_check(text, &fault), PL_OK);
    free(list);
}

static void check_refused(const char *text, uint32_t pages, pl_status expected,
                          const char *sentence)
{
    uint32_t *list = NULL;
    uint32_t count = 77;
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_selection_apply(text, pages, MOST, &list, &count, &fault), expected);
    assert_string_equal(fault.reason, sentence);
    assert_null(list);
    assert_int_equal(count, 77);
}

static void selection__each_form__names_its_pages(void **state)
{
    (void)state;
    check("", 3, "1 2 3");
    check("all", 3, "1 2 3");
    check("2", 3, "2");
    check("1-3,7,odd,-1", 8, "1 2 3 7 1 3 5 7 8");
    check("5-2", 6, "5 4 3 2");
    check("4-", 6, "4 5 6");
    check("-1,-6", 6, "6 1");
    check("even", 5, "2 4");
    check("3,3,3", 3, "3 3 3");
    check(" 1 , 3-4 ", 4, "1 3 4");
}

static void selection__left_out__are_not_named(void **state)
{
    (void)state;
    check("!1", 3, "2 3");
    check("all,!2-3,!-1", 6, "1 4 5");
    check("odd,!5-3", 9, "1 7 9");
    check("1-4,!even,!9", 4, "1 3");
    check("6-1,!odd", 6, "6 4 2");
}

static void selection__range_over_the_end__selects_what_is_there(void **state)
{
    (void)state;
    check("2-10", 3, "2 3");
    check("10-2", 3, "3 2");
    check("1,7-9", 3, "1");
    check("1,5-", 3, "1");
}

static void selection__page_that_is_not_there__is_refused(void **state)
{
    (void)state;
    check_refused("4", 3, PL_BAD_DOCUMENT, "page 4 was asked for, there are 3 pages");
    check_refused("1,-4", 3, PL_BAD_DOCUMENT, "page -4 was asked for, there are 3 pages");
    check_refused("7-9", 3, PL_BAD_DOCUMENT, "the selection '7-9' leaves no page of 3");
    check_refused("all,!all", 3, PL_BAD_DOCUMENT, "the selection 'all,!all' leaves no page of 3");
    check_refused("even", 1, PL_BAD_DOCUMENT, "the selection 'even' leaves no page of 1");
}

static void selection__too_many__is_refused(void **state)
{
    (void)state;
    check_refused("all,all", 501, PL_TOO_LARGE,
                  "the selection names 1002 pages, the limit is 1000");
    uint32_t *list = NULL;
    uint32_t count = 0;
    assert_int_equal(pl_selection_apply("all,all,!1", 501, MOST, &list, &count, NULL), PL_OK);
    assert_int_equal(count, 1000);
    assert_int_equal(list[999], 500);
    free(list);
}

#define FORMS "; write 3, 2-5, 5-2, 4-, -1 (the last), odd, even or all; !3 leaves out"

static void selection__wrong_form__shows_the_term_and_the_forms(void **state)
{
    (void)state;
    check_refused("1,x", 3, PL_MISCONFIGURED, "pages: 'x' is no page" FORMS);
    check_refused("1,,2", 3, PL_MISCONFIGURED, "pages: '' is no page" FORMS);
    check_refused("1,", 3, PL_MISCONFIGURED, "pages: '' is no page" FORMS);
    check_refused("0", 3, PL_MISCONFIGURED, "pages: '0' is no page" FORMS);
    check_refused("-", 3, PL_MISCONFIGURED, "pages: '-' is no page" FORMS);
    check_refused("1-2-3", 3, PL_MISCONFIGURED, "pages: '1-2-3' is no page" FORMS);
    check_refused("1000000", 3, PL_MISCONFIGURED, "pages: '1000000' is no page" FORMS);
    check_refused("99999999999999999999", 3, PL_MISCONFIGURED,
                  "pages: '99999999999999999999' is no page" FORMS);
    check_refused("!", 3, PL_MISCONFIGURED, "pages: '!' is no page" FORMS);
    check_refused("!1,2", 3, PL_MISCONFIGURED,
                  "pages: '2' stands after a term with '!', which come last" FORMS);
}

static void selection__longest_text__fits_its_terms(void **state)
{
    (void)state;
    char text[PL_SELECTION_CHARS + 1];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 == 0 ? '1' : ',';
    text[PL_SELECTION_CHARS - 1] = '\0';
    assert_int_equal(pl_selection_check(text, NULL), PL_OK);
    text[PL_SELECTION_CHARS - 1] = '1';
    text[PL_SELECTION_CHARS] = '\0';
    check_refused(text, 3, PL_MISCONFIGURED,
                  "pages: a selection has at most 255 characters, this one has 256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection__each_form__names_its_pages),
        cmocka_unit_test(selection__left_out__are_not_named),
        cmocka_unit_test(selection__range_over_the_end__selects_what_is_there),
        cmocka_unit_test(selection__page_that_is_not_there__is_refused),
        cmocka_unit_test(selection__too_many__is_refused),
        cmocka_unit_test(selection__wrong_form__shows_the_term_and_the_forms),
        cmocka_unit_test(selection__longest_text__fits_its_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
