/* test_disposition: no name that a device can send leaves its header or its folder.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/disposition.h"

#include "tests/support/pl_test.h"

#include <string.h>

static void expect(const char *name, const char *field)
{
    char out[PL_DISPOSITION_CHARS];
    assert_string_equal(pl_disposition(pl_span_from(name), "document", out), field);
}

static void disposition__plain_name__is_quoted(void **state)
{
    (void)state;
    expect("scan 001.pdf", "attachment; filename=\"scan 001.pdf\"");
    expect("", "attachment; filename=\"document\"");
}

static void disposition__other_letters__come_in_both_forms(void **state)
{
    (void)state;
    expect("R\xC3\xA9sum\xC3\xA9.pdf", "attachment; filename=\"R__sum__.pdf\"; "
                                       "filename*=UTF-8''R%C3%A9sum%C3%A9.pdf");
    expect("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf");
}

static void disposition__hostile_name__is_made_harmless(void **state)
{
    (void)state;
    expect("../../etc/passwd", "attachment; filename=\"_._.._etc_passwd\"");
    expect("a\"; x=\"b\\c", "attachment; filename=\"a_; x=_b_c\"");
    char out[PL_DISPOSITION_CHARS];
    (void)pl_disposition((struct pl_span){ "a\r\nSet-Cookie: x\0y", 18 }, "document", out);
    assert_null(strpbrk(out, "\r\n"));
    assert_non_null(strstr(out, "Set-Cookie_ x"));
}

static void disposition__longest_name__fits(void **state)
{
    char name[1000];
    char out[PL_DISPOSITION_CHARS];
    (void)state;
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xC3\xA9", 2);
    (void)pl_disposition((struct pl_span){ name, sizeof name }, "document", out);
    assert_true(strlen(out) > 254 * 3);
    assert_string_equal(out + strlen(out) - 6, "%C3%A9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disposition__plain_name__is_quoted),
        cmocka_unit_test(disposition__other_letters__come_in_both_forms),
        cmocka_unit_test(disposition__hostile_name__is_made_harmless),
        cmocka_unit_test(disposition__longest_name__fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
