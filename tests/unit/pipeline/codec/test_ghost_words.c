/* test_ghost_words: what an interpreter says, and what is made of it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_words.h"

#include "tests/support/pl_test.h"

#include <stdio.h>
#include <string.h>

struct heard {
    pl_status status;
    struct pl_fault fault;
    struct pl_interpreted report;
    struct pl_ghost_words words;
};

static void hear(struct heard *heard, unsigned stream, bool is_program, const char *said)
{
    *heard = (struct heard){ .words = { .is_program = is_program, .pages_in = UINT32_MAX } };
    pl_ghost_words_take(&heard->words, stream, pl_span_from(said));
    pl_ghost_words_end(&heard->words);
    pl_ghost_words_report(&heard->words, &heard->report);
    heard->status = pl_ghost_words_judge(&heard->words, &heard->fault);
}

static void words__silence__is_a_good_document(void **state)
{
    struct heard heard;
    (void)state;
    hear(&heard, 0, false, "Processing pages 1 through 3.\nPage 1\nPage 2\nPage 3\n");
    assert_int_equal(heard.status, PL_OK);
    assert_string_equal(heard.report.note, "");
    assert_false(heard.report.repaired);
}

static void words__content_that_is_lost__is_a_bad_document(void **state)
{
    static const char *const said[] = {
        "   **** Error: Couldn't initialise file.\n               Output may be incorrect.\n",
        "jbig2dec FATAL ERROR decoder failed to allocate 4 bytes\n",
        "               Could not draw this page at all, page will be missing in the output.\n",
        "   **** Error: page not found.\n",
        "%%platen stopped undefined in --show--\n",
    };
    struct heard heard;
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(said); i++) {
        hear(&heard, 1, false, said[i]);
        assert_int_equal(heard.status, PL_BAD_DOCUMENT);
        assert_non_null(strstr(heard.fault.reason, "Ghostscript says: "));
    }
    assert_non_null(strstr(heard.fault.reason, "undefined in --show--"));
}

static void words__damage__is_a_repair_with_its_reason(void **state)
{
    struct heard heard;
    (void)state;
    hear(&heard, 1, false,
         "\nThe following errors were encountered at least once while processing this file:\n"
         "\tobject lacks an endobj\n\tPDF file was repaired\n"
         "   **** This file had errors that were repaired or ignored.\n");
    assert_int_equal(heard.status, PL_OK);
    assert_true(heard.report.repaired);
    assert_string_equal(heard.report.note, "damage was worked around: PDF file was repaired");
    hear(&heard, 1, false, "GPL Ghostscript 10.00.0: **** Error: something never heard before.\n");
    assert_true(heard.report.repaired);
    assert_non_null(strstr(heard.report.note, "something never heard before"));
}

static void words__fonts_spots_transparency__are_told(void **state)
{
    struct heard heard;
    (void)state;
    hear(&heard, 0, false,
         "Loading font Arial (or substitute) from /usr/share/x\n"
         "Loading font Arial (or substitute) from /usr/share/x\n"
         "Loading CIDFont MSung (or substitute) from /usr/share/y\n"
         "%%platen spot PANTONE 123\n%%platen spot All\n%%platen transparency\n"
         "GPL Ghostscript 10.00.0: Setting Overprint Mode to 1\n not permitted in PDF/A-2\n");
    assert_int_equal(heard.status, PL_OK);
    assert_false(heard.report.repaired);
    assert_string_equal(heard.report.note,
                        "2 fonts were missing and replaced (Arial, MSung); 1 spot colour (PANTONE "
                        "123); transparency on 1 page; overprint is not kept");
}

static void words__password__is_denied(void **state)
{
    struct heard heard;
    (void)state;
    hear(&heard, 1, false,
         "GPL Ghostscript 10.00.0: \n   **** This file requires a password for access.\n"
         "   **** Error: Couldn't initialise file.\n");
    assert_int_equal(heard.status, PL_DENIED);
}

static void words__memory__is_no_fault_of_the_bytes(void **state)
{
    struct heard heard;
    (void)state;
    hear(&heard, 0, true, "%%platen stopped VMerror in --image--\n");
    assert_int_equal(heard.status, PL_NO_MEMORY);
}

static void words__what_a_program_prints__is_its_own_affair(void **state)
{
    struct heard heard;
    (void)state;
    hear(&heard, 0, true, "**** ERROR: page not found. FATAL, requires a password\n");
    assert_int_equal(heard.status, PL_OK);
    assert_string_equal(heard.report.note, "");
    hear(&heard, 0, true, "%%platen drawn 7\n");
    assert_int_equal(heard.words.pages_out, 7);
}

static void words__hostile_lines__leave_bounded_text(void **state)
{
    struct heard heard;
    char said[5000];
    (void)state;
    memset(said, 0xff, sizeof said);
    memcpy(said, "**** Error: \033[2J", 16);
    said[sizeof said - 1] = '\0';
    hear(&heard, 1, false, said);
    assert_true(heard.report.repaired);
    assert_true(pl_text_is_utf8(pl_span_from(heard.report.note)));
    assert_null(strchr(heard.report.note, '\033'));
    size_t used = 0;
    for (int i = 0; i < 150; i++)
        used += (size_t)snprintf(said + used, sizeof said - used, "%%%%platen spot ink %d\n", i);
    hear(&heard, 0, false, said);
    assert_string_equal(heard.report.note, "150 spot colours (ink 0, ink 1, ...)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words__silence__is_a_good_document),
        cmocka_unit_test(words__content_that_is_lost__is_a_bad_document),
        cmocka_unit_test(words__damage__is_a_repair_with_its_reason),
        cmocka_unit_test(words__fonts_spots_transparency__are_told),
        cmocka_unit_test(words__password__is_denied),
        cmocka_unit_test(words__memory__is_no_fault_of_the_bytes),
        cmocka_unit_test(words__what_a_program_prints__is_its_own_affair),
        cmocka_unit_test(words__hostile_lines__leave_bounded_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
