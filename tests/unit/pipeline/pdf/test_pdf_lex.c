/* test_pdf_lex: tokens of PDF text, well written and badly, and the values that they make.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "tests/support/pl_test.h"

#include "pipeline/pdf/pdf_lex.h"
#include "pipeline/pdf/pdf_parse.h"

#include <string.h>

static struct pl_pdf_lex lex_over(const char *text)
{
    return (struct pl_pdf_lex){ .data = (const uint8_t *)text, .size = strlen(text) };
}

static void number__as_people_write_it__is_read(void **state)
{
    static const struct {
        const char *text;
        double value;
        enum pl_pdf_token_kind kind;
    } rows[] = {
        { "0 ", 0, PL_PDF_TOKEN_INT },
        { "+17 ", 17, PL_PDF_TOKEN_INT },
        { "-98 ", -98, PL_PDF_TOKEN_INT },
        { "34.5 ", 34.5, PL_PDF_TOKEN_REAL },
        { "-.002 ", -.002, PL_PDF_TOKEN_REAL },
        { "4. ", 4, PL_PDF_TOKEN_REAL },
        { "--5 ", -5, PL_PDF_TOKEN_INT },
        { "1-2 ", 12, PL_PDF_TOKEN_INT },
        { "- ", 0, PL_PDF_TOKEN_INT },
        { "595.27559055118 ", 595.27559055118, PL_PDF_TOKEN_REAL },
        { "999999999999999999 ", 999999999999999999.0, PL_PDF_TOKEN_INT },
        { "1000000000000000000000 ", 1e21, PL_PDF_TOKEN_REAL },
        { "0.0000000000000000000000005 ", 5e-25, PL_PDF_TOKEN_REAL },
        { "12obj", 12, PL_PDF_TOKEN_INT },
    };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(rows); i++) {
        struct pl_pdf_lex lex = lex_over(rows[i].text);
        struct pl_pdf_token token;
        pl_pdf_lex_next(&lex, &token);
        assert_int_equal(token.kind, rows[i].kind);
        double near = rows[i].value * 1e-15;
        assert_true(token.real - rows[i].value <= (near < 0 ? -near : near) &&
                    rows[i].value - token.real <= (near < 0 ? -near : near));
        if (token.kind == PL_PDF_TOKEN_INT)
            assert_true((double)token.integer == rows[i].value);
    }
}

static void tokens__side_by_side__come_apart(void **state)
{
    static const enum pl_pdf_token_kind kinds[] = {
        PL_PDF_TOKEN_DICT_OPEN, PL_PDF_TOKEN_NAME,        PL_PDF_TOKEN_ARRAY_OPEN,
        PL_PDF_TOKEN_STRING,    PL_PDF_TOKEN_HEX,         PL_PDF_TOKEN_NAME,
        PL_PDF_TOKEN_WORD,      PL_PDF_TOKEN_ARRAY_CLOSE, PL_PDF_TOKEN_DICT_CLOSE,
        PL_PDF_TOKEN_JUNK,      PL_PDF_TOKEN_WORD,        PL_PDF_TOKEN_END,
    };
    struct pl_pdf_lex lex = lex_over("<</A[(a(b)\\))<41>/ true]>>)%no (token\nendobj");
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(kinds); i++) {
        struct pl_pdf_token token;
        pl_pdf_lex_next(&lex, &token);
        assert_int_equal(token.kind, kinds[i]);
    }
    assert_true(lex.cut);
}

static void lex__a_token_at_the_end_of_data__is_told(void **state)
{
    static const char *const cut[] = { "12", "/Name", "(open", "<41", "word", "<", "% comment" };
    (void)state;
    for (size_t i = 0; i < PL_COUNT_OF(cut); i++) {
        struct pl_pdf_lex lex = lex_over(cut[i]);
        struct pl_pdf_token token;
        pl_pdf_lex_next(&lex, &token);
        assert_true(lex.cut);
        lex = lex_over("(closed) ");
        pl_pdf_lex_next(&lex, &token);
        assert_false(lex.cut);
    }
}

static void text__with_escapes__is_decoded(void **state)
{
    char out[64];
    (void)state;
    struct pl_span raw = pl_span_from("a\\n\\(\\101\\7\\0534\\\r\nb\r\nc\\q\\");
    size_t size = pl_pdf_string_decode(raw, out);
    assert_int_equal(size, 11);
    assert_memory_equal(out, "a\n(A\7+4b\ncq", 11);
    size = pl_pdf_name_decode(pl_span_from("A#20B#4#zz"), out);
    assert_int_equal(size, 8);
    assert_memory_equal(out, "A B#4#zz", 8);
    size = pl_pdf_hex_decode(pl_span_from("41 4\n2z7"), out);
    assert_int_equal(size, 3);
    assert_memory_equal(out, "ABp", 3);
}

/* --- values ---------------------------------------------------------------------------------- */

struct parsed {
    struct pl_arena arena;
    struct pl_pdf_parser parser;
    const struct pl_pdf_value *value;
    bool found;
    pl_status status;
};

static void parse(struct parsed *parsed, const char *text, size_t limit)
{
    *parsed = (struct parsed){ .found = false };
    struct pl_pdf_lex lex = lex_over(text);
    pl_arena_init(&parsed->arena, limit);
    parsed->parser.arena = &parsed->arena;
    parsed->parser.references = true;
    parsed->status = pl_pdf_parse_value(&parsed->parser, &lex, &parsed->value, &parsed->found);
}

static void parsed_fini(struct parsed *parsed)
{
    pl_pdf_parser_fini(&parsed->parser);
    pl_arena_fini(&parsed->arena);
}

static void value__nested__is_what_was_written(void **state)
{
    struct parsed parsed;
    (void)state;
    parse(&parsed, "<</K[1 -2.5(s)null true 7 2 R 8 9]/N/a#42/K 3>> stream", 1 << 16);
    assert_int_equal(parsed.status, PL_OK);
    const struct pl_pdf_value *dict = parsed.value;
    assert_int_equal(dict->as.dict.count, 3);
    assert_int_equal(pl_pdf_dict_peek(dict, "K")->as.integer, 3); /* the last of equal keys */
    assert_true(pl_pdf_name_is(pl_pdf_dict_peek(dict, "N"), "aB"));
    const struct pl_pdf_value *list = dict->as.dict.entries[0].value;
    assert_int_equal(list->as.array.count, 8);
    assert_int_equal(list->as.array.items[5]->kind, PL_PDF_REF);
    assert_int_equal(list->as.array.items[5]->as.ref.number, 7);
    assert_int_equal(list->as.array.items[5]->as.ref.generation, 2);
    assert_int_equal(list->as.array.items[7]->as.integer, 9);
    parsed_fini(&parsed);
}

static void value__badly_closed__keeps_what_there_is(void **state)
{
    struct parsed parsed;
    (void)state;
    parse(&parsed, "<</A[1 2/B 5 endobj", 1 << 16);
    assert_int_equal(parsed.status, PL_OK);
    assert_int_equal(pl_pdf_dict_peek(parsed.value, "A")->as.array.count, 4);
    parsed_fini(&parsed);
    parse(&parsed, "<</A[1 2>>", 1 << 16);
    assert_int_equal(parsed.value->kind, PL_PDF_DICT);
    parsed_fini(&parsed);
    parse(&parsed, "<</A 1]/B 2 3/C>>", 1 << 16);
    assert_int_equal(pl_pdf_dict_peek(parsed.value, "B")->as.integer, 2);
    assert_int_equal(pl_pdf_dict_peek(parsed.value, "C")->kind, PL_PDF_NULL);
    parsed_fini(&parsed);
    parse(&parsed, "endobj", 1 << 16);
    assert_false(parsed.found);
    parsed_fini(&parsed);
}

static void value__an_integer_or_a_reference__is_told_apart(void **state)
{
    struct parsed parsed;
    (void)state;
    parse(&parsed, "12 0 R endobj", 1 << 16);
    assert_int_equal(parsed.value->kind, PL_PDF_REF);
    parsed_fini(&parsed);
    parse(&parsed, "12 13 14", 1 << 16);
    assert_int_equal(parsed.value->as.integer, 12);
    parsed_fini(&parsed);
    parse(&parsed, "12 endobj", 1 << 16);
    assert_int_equal(parsed.value->as.integer, 12);
    parsed_fini(&parsed);
    parse(&parsed, "0 0 R endobj", 1 << 16); /* the head of the free list */
    assert_int_equal(parsed.value->kind, PL_PDF_NULL);
    parsed_fini(&parsed);
}

static void value__deeper_than_a_limit__is_refused(void **state)
{
    (void)state;
    for (uint32_t nesting = 8; nesting <= 9; nesting++) {
        struct pl_arena arena;
        struct pl_pdf_parser parser = { .arena = &arena, .nesting = nesting };
        struct pl_pdf_lex lex = { .data = (const uint8_t *)"[[[[[[[[[", .size = 9 };
        const struct pl_pdf_value *value = NULL;
        bool found = false;
        pl_arena_init(&arena, 1 << 20);
        assert_int_equal(pl_pdf_parse_value(&parser, &lex, &value, &found),
                         nesting == 8 ? PL_BAD_DOCUMENT : PL_OK);
        pl_pdf_parser_fini(&parser);
        pl_arena_fini(&arena);
    }
}

static void value__nested_too_deeply__is_refused(void **state)
{
    struct parsed parsed;
    char text[PL_PDF_NESTING + 2];
    (void)state;
    memset(text, '[', sizeof text);
    text[PL_PDF_NESTING] = '\0';
    parse(&parsed, text, 1 << 20);
    assert_int_equal(parsed.status, PL_OK);
    parsed_fini(&parsed);
    text[PL_PDF_NESTING] = '[';
    text[PL_PDF_NESTING + 1] = '\0';
    parse(&parsed, text, 1 << 20);
    assert_int_equal(parsed.status, PL_BAD_DOCUMENT);
    parsed_fini(&parsed);
}

static void value__larger_than_its_arena__is_refused(void **state)
{
    struct parsed parsed;
    (void)state;
    parse(&parsed, "[(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)(b)(c)(d)(e)(f)]", 256);
    assert_int_equal(parsed.status, PL_TOO_LARGE);
    parsed_fini(&parsed);
}

static void value__copied__is_the_same_elsewhere(void **state)
{
    struct parsed parsed;
    struct pl_arena other;
    (void)state;
    parse(&parsed, "<</A[(text)<</B/n>>]/C 4 0 R>>", 1 << 16);
    pl_arena_init(&other, 1 << 16);
    const struct pl_pdf_value *copy = pl_pdf_value_copy(&other, parsed.value);
    parsed_fini(&parsed);
    assert_non_null(copy);
    const struct pl_pdf_value *list = pl_pdf_dict_peek(copy, "A");
    assert_true(pl_span_equals(list->as.array.items[0]->as.text, "text"));
    assert_true(pl_pdf_name_is(pl_pdf_dict_peek(list->as.array.items[1], "B"), "n"));
    assert_int_equal(pl_pdf_dict_peek(copy, "C")->as.ref.number, 4);
    pl_arena_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number__as_people_write_it__is_read),
        cmocka_unit_test(tokens__side_by_side__come_apart),
        cmocka_unit_test(lex__a_token_at_the_end_of_data__is_told),
        cmocka_unit_test(text__with_escapes__is_decoded),
        cmocka_unit_test(value__nested__is_what_was_written),
        cmocka_unit_test(value__badly_closed__keeps_what_there_is),
        cmocka_unit_test(value__an_integer_or_a_reference__is_told_apart),
        cmocka_unit_test(value__deeper_than_a_limit__is_refused),
        cmocka_unit_test(value__nested_too_deeply__is_refused),
        cmocka_unit_test(value__larger_than_its_arena__is_refused),
        cmocka_unit_test(value__copied__is_the_same_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
