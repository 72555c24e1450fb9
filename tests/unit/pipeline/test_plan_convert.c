/* test_plan_convert: every member of the step `convert`, and what of it excludes what.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/plan.h"

#include <stdio.h>
#include <string.h>

/* The definition of a pipeline with that `with`; single quotes stand for double ones. */
static struct pl_span definition_of(const char *with, char *out, size_t size)
{
    int used = snprintf(out, size,
                        "{'name':'a','steps':[{'op':'convert','with':%s}],'sinks':[{'sink':"
                        "'store'}]}",
                        with);
    assert_true(used > 0 && (size_t)used < size);
    for (char *c = out; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return pl_span_from(out);
}

static void plan_of(const char *with, struct pl_plan *plan)
{
    char json[1024];
    struct pl_fault fault = { 0 };
    if (pl_plan_compile(definition_of(with, json, sizeof json), plan, &fault) != PL_OK)
        fail_msg("%s", fault.reason);
}

static void check_refused(const char *with, const char *sentence)
{
    char json[1024];
    char reason[PL_FAULT_CHARS + 32];
    struct pl_plan plan = { .max_pages = 77 };
    struct pl_fault fault = { 0 };
    assert_int_equal(pl_plan_compile(definition_of(with, json, sizeof json), &plan, &fault),
                     PL_MISCONFIGURED);
    (void)snprintf(reason, sizeof reason, "steps[0].with%s", sentence);
    assert_string_equal(fault.reason, reason);
    assert_int_equal(plan.max_pages, 77);
}

static void convert__only_to__is_all_defaults(void **state)
{
    (void)state;
    struct pl_plan plan;
    struct pl_convert expected;
    plan_of("{'to':'png'}", &plan);
    pl_convert_defaults(&expected, PL_FORMAT_PNG);
    assert_memory_equal(&plan.convert, &expected, sizeof expected);
    pl_plan_fini(&plan);
}

static void convert__members_of_a_pdf__are_read(void **state)
{
    (void)state;
    struct pl_plan plan;
    plan_of("{'to':'pdf','pages':'1-3,!2','rotate':90,'resolution':200,'colour':'auto',"
            "'binarize':'dither','quality':80,'linearize':true,'open_password':'in',"
            "'user_password':'u','owner_password':'o \\u00e4','permissions':['print-high','copy'],"
            "'title':'T','author':'A','subject':'S','keywords':'K','xmp':'<rdf:Description/>',"
            "'labels':[{'from':1,'style':'i'},{'from':5,'style':1,'start':3,'prefix':'A-'},"
            "{'from':9,'style':'none','prefix':'x'}]}",
            &plan);
    const struct pl_convert *convert = &plan.convert;
    assert_int_equal(convert->to, PL_FORMAT_PDF);
    assert_string_equal(convert->pages, "1-3,!2");
    assert_int_equal(convert->rotate, 90);
    assert_int_equal(convert->dpi, 200);
    assert_int_equal(convert->colour, PL_COLOUR_MODE_AUTO);
    assert_int_equal(convert->binarize, PL_BINARIZE_DITHER);
    assert_int_equal(convert->quality, 80);
    assert_true(convert->linearize);
    assert_string_equal(convert->open_password, "in");
    assert_string_equal(convert->user_password, "u");
    assert_string_equal(convert->owner_password, "o \xc3\xa4");
    assert_int_equal(convert->permissions, PL_PERMIT_PRINT | PL_PERMIT_PRINT_HIGH | PL_PERMIT_COPY);
    assert_string_equal(convert->title, "T");
    assert_string_equal(convert->author, "A");
    assert_string_equal(convert->subject, "S");
    assert_string_equal(convert->keywords, "K");
    assert_true(pl_span_equals(convert->xmp, "<rdf:Description/>"));
    assert_int_equal(convert->label_count, 3);
    assert_int_equal(convert->labels[0].style, 'r');
    assert_int_equal(convert->labels[0].start, 1);
    assert_int_equal(convert->labels[1].style, 'D');
    assert_int_equal(convert->labels[1].from, 5);
    assert_int_equal(convert->labels[1].start, 3);
    assert_string_equal(convert->labels[1].prefix, "A-");
    assert_int_equal(convert->labels[2].style, 0);
    pl_plan_fini(&plan);
    assert_null(plan.xmp.data);
    assert_string_equal(plan.convert.owner_password, "");
}

static void convert__members_of_pictures__are_read(void **state)
{
    (void)state;
    struct pl_plan plan;
    plan_of("{'to':'tiff','compression':'jpeg','quality':1,'colour':'grey'}", &plan);
    assert_int_equal(plan.convert.tiff, PL_TIFF_JPEG);
    assert_int_equal(plan.convert.quality, 1);
    assert_int_equal(plan.convert.colour, PL_COLOUR_MODE_GREY);
    pl_plan_fini(&plan);
    plan_of("{'to':'thumbnail','size':320}", &plan);
    assert_int_equal(plan.convert.thumbnail_px, 320);
    pl_plan_fini(&plan);
    plan_of("{'to':'tiff-g4','binarize':'otsu'}", &plan);
    assert_int_equal(plan.convert.binarize, PL_BINARIZE_OTSU);
    pl_plan_fini(&plan);
}

static void convert__wrong_value__says_what_is_allowed(void **state)
{
    (void)state;
    check_refused("{'to':'pdf','resolutio':1}",
                  ": unknown member 'resolutio' (did you mean 'resolution'?); allowed: to, pages, "
                  "rotate, resolution, colour, binarize, quality, compression, size, linearize, "
                  "open_password, user_password, owner_password, permissions, title, author, "
                  "subject, keywords, xmp, labels");
    check_refused("{'to':'pdf','pages':'2,x'}",
                  ".pages: 'x' is no page; write 3, 2-5, 5-2, 4-, -1 (the last), odd, even or "
                  "all; !3 leaves out");
    check_refused("{'to':'pdf','rotate':45}",
                  ".rotate must be 0, 90, 180 or 270 (degrees clockwise)");
    check_refused("{'to':'pdf','rotate':'90'}",
                  ".rotate must be 0, 90, 180 or 270 (degrees clockwise)");
    check_refused("{'to':'pdf','resolution':20}", ".resolution must be 30 to 1200");
    check_refused("{'to':'pdf','quality':0}", ".quality must be 1 to 100");
    check_refused("{'to':'pdf','quality':101}", ".quality must be 1 to 100");
    check_refused("{'to':'pdf','colour':'gray'}",
                  ".colour: unknown 'gray' (did you mean 'grey'?); allowed: keep, grey, bilevel, "
                  "auto");
    check_refused("{'to':'pdf','linearize':'yes'}", ".linearize must be true or false");
    check_refused("{'to':'pdf','title':'a\\nb'}",
                  ".title must be one line without control characters");
    check_refused("{'to':'pdf','permissions':'print'}",
                  ".permissions must be a list (empty: nothing is permitted)");
    check_refused("{'to':'pdf','permissions':['prin']}",
                  ".permissions: unknown 'prin' (did you mean 'print'?); allowed: print, "
                  "print-high, modify, copy, annotate, fill, assemble");
    check_refused("{'to':'pdf','xmp':'text'}",
                  ".xmp must be rdf:Description elements: <rdf:Description ...>");
    check_refused("{'to':'pdf','labels':[]}",
                  ".labels must be a list of 1 to 32 of {from: 1, style: i, start: 1, prefix: "
                  "'A-'}");
    check_refused("{'to':'pdf','labels':[{'style':'i'}]}", ".labels[0].from must be 1 to 1000000");
    check_refused("{'to':'pdf','labels':[{'from':2},{'from':2}]}",
                  ".labels[1].from is 2, which is not after 2 of the label before");
    check_refused("{'to':'pdf','labels':[{'from':2,'style':'X'}]}",
                  ".labels[0].style: unknown 'X'; allowed: 1, I, i, A, a, none");
}

static void convert__long_texts__are_refused_with_their_size(void **state)
{
    (void)state;
    char text[PL_META_CHARS + 1];
    char with[400];
    memset(text, 'p', sizeof text);
    text[PL_PASSWORD_CHARS] = '\0';
    (void)snprintf(with, sizeof with, "{'to':'pdf','user_password':'%s'}", text);
    check_refused(with, ".user_password has 128 bytes; at most 127 are allowed");
    text[PL_PASSWORD_CHARS] = 'p';
    text[PL_META_CHARS] = '\0';
    (void)snprintf(with, sizeof with, "{'to':'pdf','title':'%s'}", text);
    check_refused(with, ".title has 256 bytes; at most 255 are allowed");
}

static void convert__exclusions__name_both(void **state)
{
    (void)state;
    static const struct {
        const char *with;
        const char *sentence;
    } rows[] = {
        { "{'to':'pdfa-2b','user_password':'x'}",
          ": pdfa-2b and user_password exclude each other: PDF/A is never encrypted" },
        { "{'to':'pdfa-1b','owner_password':'x'}",
          ": pdfa-1b and owner_password exclude each other: PDF/A is never encrypted" },
        { "{'to':'pdfa-3b','permissions':['print']}",
          ": pdfa-3b and permissions exclude each other: PDF/A is never encrypted, and only "
          "encryption restricts" },
        { "{'to':'tiff','title':'x'}", ": tiff cannot have title; pdf can" },
        { "{'to':'png','user_password':'x'}", ": png cannot have user_password; pdf can" },
        { "{'to':'jpeg','linearize':true}", ": jpeg cannot have linearize; pdf can" },
        { "{'to':'tiff-g4','labels':[{'from':1}]}", ": tiff-g4 cannot have labels; pdf can" },
        { "{'to':'pdf','user_password':'x','permissions':['print']}",
          ": permissions need an owner_password: without one whoever opens the document may do "
          "everything" },
        { "{'to':'pdf','user_password':'x','owner_password':'x','permissions':[]}",
          ": permissions need an owner_password other than user_password: who knows the owner's "
          "may do everything" },
        { "{'to':'tiff-g4','colour':'grey'}",
          ": tiff-g4 and colour grey exclude each other: Group 4 holds black and white only; tiff "
          "can hold the rest" },
        { "{'to':'tiff-g4','colour':'auto'}",
          ": tiff-g4 and colour auto exclude each other: Group 4 holds black and white only; tiff "
          "can hold the rest" },
        { "{'to':'jpeg','colour':'bilevel'}",
          ": jpeg and colour bilevel exclude each other: JPEG has no black and white; png and "
          "tiff-g4 have" },
        { "{'to':'tiff','compression':'jpeg','colour':'bilevel'}",
          ": compression jpeg and colour bilevel exclude each other: JPEG has no black and white; "
          "compression lzw and deflate have" },
        { "{'to':'png','quality':50}",
          ": png and quality exclude each other: it never encodes with loss" },
        { "{'to':'tiff','quality':50}",
          ": quality and compression lzw exclude each other: only compression jpeg encodes with "
          "loss" },
        { "{'to':'pdf','quality':50,'colour':'bilevel'}",
          ": quality and colour bilevel exclude each other: black and white is encoded without "
          "loss" },
        { "{'to':'pdf','compression':'lzw'}",
          ".compression is chosen for tiff only; pdf has its own" },
        { "{'to':'jpeg','size':100}", ": size is that of a thumbnail; jpeg takes a resolution" },
        { "{'to':'thumbnail','resolution':100}",
          ": thumbnail and resolution exclude each other: its size is given in pixels (size)" },
        { "{'to':'pdf','binarize':'otsu'}",
          ".binarize says how pages become black and white, but colour is not bilevel or auto, and "
          "to is pdf" },
    };
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++)
        check_refused(rows[i].with, rows[i].sentence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convert__only_to__is_all_defaults),
        cmocka_unit_test(convert__members_of_a_pdf__are_read),
        cmocka_unit_test(convert__members_of_pictures__are_read),
        cmocka_unit_test(convert__wrong_value__says_what_is_allowed),
        cmocka_unit_test(convert__long_texts__are_refused_with_their_size),
        cmocka_unit_test(convert__exclusions__name_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
