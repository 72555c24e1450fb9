/* pdf_lex: one table of character classes, one function for each kind of token.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_lex.h"

#include <string.h>

enum char_class { REGULAR, SPACE, DELIMITER };

/* ISO 32000-1 tables 1 and 2. */
static const uint8_t classes[256] = {
    [0] = SPACE,       ['\t'] = SPACE,    ['\n'] = SPACE,    ['\f'] = SPACE,
    ['\r'] = SPACE,    [' '] = SPACE,     ['('] = DELIMITER, [')'] = DELIMITER,
    ['<'] = DELIMITER, ['>'] = DELIMITER, ['['] = DELIMITER, [']'] = DELIMITER,
    ['{'] = DELIMITER, ['}'] = DELIMITER, ['/'] = DELIMITER, ['%'] = DELIMITER,
};

bool pl_pdf_is_space(uint8_t c)
{
    return classes[c] == SPACE;
}

bool pl_pdf_is_regular(uint8_t c)
{
    return classes[c] == REGULAR;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

void pl_pdf_lex_skip(struct pl_pdf_lex *lex)
{
    size_t at = lex->at;
    while (at < lex->size) {
        if (lex->data[at] == '%') {
            while (at < lex->size && lex->data[at] != '\n' && lex->data[at] != '\r')
                at++;
        } else if (classes[lex->data[at]] == SPACE) {
            at++;
        } else {
            break;
        }
    }
    lex->at = at;
    if (at == lex->size)
        lex->cut = true;
}

static struct pl_span lex_span(const struct pl_pdf_lex *lex, size_t from, size_t to)
{
    return (struct pl_span){ (const char *)lex->data + from, to - from };
}

/* To the end of a run of regular characters. */
static size_t lex_run(struct pl_pdf_lex *lex, size_t at)
{
    while (at < lex->size && classes[lex->data[at]] == REGULAR)
        at++;
    if (at == lex->size)
        lex->cut = true;
    return at;
}

static void lex_word(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    size_t end = lex_run(lex, lex->at);
    token->kind = PL_PDF_TOKEN_WORD;
    token->raw = lex_span(lex, lex->at, end);
    lex->at = end;
}

/* Eighteen digits are exact in 64 bits; what follows them changes nothing that anyone draws. */
#define NUMBER_DIGITS 18

struct number {
    uint64_t digits;
    unsigned kept;  /* digits of it */
    unsigned after; /* of them behind the point */
    double scale;   /* of digits before the point that were not kept */
    bool any;
    bool point;
    bool negative;
    bool too_long;
};

static void number_digit(struct number *number, uint8_t digit)
{
    number->any = true;
    if (number->kept < NUMBER_DIGITS) {
        number->digits = number->digits * 10 + digit;
        if (number->digits > 0)
            number->kept++;
        if (number->point)
            number->after++;
    } else if (!number->point) {
        number->too_long = true;
        if (number->scale < 1e280)
            number->scale *= 10;
    }
}

static double number_value(const struct number *number)
{
    static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double value = (double)number->digits;
    unsigned after = number->after;
    for (; after >= PL_COUNT_OF(tens) && value > 0; after -= (unsigned)PL_COUNT_OF(tens) - 1)
        value /= tens[PL_COUNT_OF(tens) - 1];
    if (after < PL_COUNT_OF(tens))
        value /= tens[after];
    value *= number->scale;
    return number->negative ? -value : value;
}

/* "-.5", "+3", "4.", "--5" (taken as -5), "1-2" (taken as 12, as Adobe's reader does). */
static void lex_number(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    struct number number = { .scale = 1 };
    size_t at = lex->at;
    for (; at < lex->size && (lex->data[at] == '+' || lex->data[at] == '-'); at++)
        number.negative = number.negative || lex->data[at] == '-';
    for (; at < lex->size; at++) {
        uint8_t c = lex->data[at];
        if (is_digit(c))
            number_digit(&number, (uint8_t)(c - '0'));
        else if (c == '.' && !number.point)
            number.point = true;
        else if (c != '-' || !number.any)
            break;
    }
    if (!number.any && at < lex->size && classes[lex->data[at]] == REGULAR) {
        lex_word(lex, token);
        return;
    }
    if (at == lex->size)
        lex->cut = true;
    lex->at = at;
    token->real = number_value(&number);
    token->kind = PL_PDF_TOKEN_REAL;
    if (number.point || number.too_long)
        return;
    token->kind = PL_PDF_TOKEN_INT;
    token->integer = number.negative ? -(int64_t)number.digits : (int64_t)number.digits;
}

static void lex_name(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    size_t end = lex_run(lex, lex->at + 1);
    token->kind = PL_PDF_TOKEN_NAME;
    token->raw = lex_span(lex, lex->at + 1, end);
    lex->at = end;
}

/* Balanced parentheses need no backslash (7.3.4.2). One that is never closed ends with the data. */
static void lex_string(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    size_t first = lex->at + 1;
    size_t at = first;
    size_t depth = 1;
    for (; at < lex->size; at++) {
        uint8_t c = lex->data[at];
        if (c == '\\' && at + 1 < lex->size)
            at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            break;
    }
    token->kind = PL_PDF_TOKEN_STRING;
    token->raw = lex_span(lex, first, at);
    lex->at = at < lex->size ? at + 1 : at;
    if (at == lex->size)
        lex->cut = true;
}

static void lex_hex(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    size_t first = lex->at + 1;
    const uint8_t *end = memchr(lex->data + first, '>', lex->size - first);
    size_t at = end == NULL ? lex->size : (size_t)(end - lex->data);
    token->kind = PL_PDF_TOKEN_HEX;
    token->raw = lex_span(lex, first, at);
    lex->at = end == NULL ? at : at + 1;
    if (end == NULL)
        lex->cut = true;
}

/* "<<" or ">>"; false when the second one is not there. */
static bool lex_double(struct pl_pdf_lex *lex)
{
    if (lex->size - lex->at < 2) {
        lex->cut = true;
        return false;
    }
    return lex->data[lex->at + 1] == lex->data[lex->at];
}

static void lex_single(struct pl_pdf_lex *lex, struct pl_pdf_token *token,
                       enum pl_pdf_token_kind kind, size_t size)
{
    token->kind = kind;
    lex->at += size;
}

static void lex_delimiter(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    switch (lex->data[lex->at]) {
    case '/':
        lex_name(lex, token);
        return;
    case '(':
        lex_string(lex, token);
        return;
    case '[':
        lex_single(lex, token, PL_PDF_TOKEN_ARRAY_OPEN, 1);
        return;
    case ']':
        lex_single(lex, token, PL_PDF_TOKEN_ARRAY_CLOSE, 1);
        return;
    case '<':
        if (lex_double(lex))
            lex_single(lex, token, PL_PDF_TOKEN_DICT_OPEN, 2);
        else
            lex_hex(lex, token);
        return;
    case '>':
        if (lex_double(lex)) {
            lex_single(lex, token, PL_PDF_TOKEN_DICT_CLOSE, 2);
            return;
        }
        break;
    default:
        break;
    }
    lex_single(lex, token, PL_PDF_TOKEN_JUNK, 1);
}

void pl_pdf_lex_next(struct pl_pdf_lex *lex, struct pl_pdf_token *token)
{
    pl_pdf_lex_skip(lex);
    *token = (struct pl_pdf_token){ .kind = PL_PDF_TOKEN_END, .at = lex->at };
    if (lex->at == lex->size)
        return;
    uint8_t c = lex->data[lex->at];
    if (classes[c] == DELIMITER)
        lex_delimiter(lex, token);
    else if (is_digit(c) || c == '+' || c == '-' || c == '.')
        lex_number(lex, token);
    else
        lex_word(lex, token);
}

size_t pl_pdf_name_decode(struct pl_span raw, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        int high = -1;
        int low = -1;
        if (raw.data[i] == '#' && raw.size - i > 2) {
            high = pl_text_hex_digit(raw.data[i + 1]);
            low = pl_text_hex_digit(raw.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[size++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[size++] = raw.data[i];
        }
    }
    return size;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* What follows a backslash at *i; -1: nothing (a line that goes on). */
static int string_escape(struct pl_span raw, size_t *i)
{
    static const char from[] = "nrtbf";
    static const char to[] = "\n\r\t\b\f";
    char c = raw.data[*i];
    if (is_octal(c)) {
        unsigned value = 0;
        for (unsigned n = 0; n < 3 && *i < raw.size && is_octal(raw.data[*i]); n++, (*i)++)
            value = value * 8 + (unsigned)(raw.data[*i] - '0');
        (*i)--;
        return (int)(value & 0xff);
    }
    if (c == '\r') {
        if (*i + 1 < raw.size && raw.data[*i + 1] == '\n')
            (*i)++;
        return -1;
    }
    if (c == '\n')
        return -1;
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    return (unsigned char)(found != NULL ? to[found - from] : c);
}

size_t pl_pdf_string_decode(struct pl_span raw, char *out)
{
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        char c = raw.data[i];
        if (c == '\\') {
            if (++i == raw.size)
                break;
            int value = string_escape(raw, &i);
            if (value >= 0)
                out[size++] = (char)value;
        } else if (c == '\r') { /* any end of line counts as a line feed */
            out[size++] = '\n';
            if (i + 1 < raw.size && raw.data[i + 1] == '\n')
                i++;
        } else {
            out[size++] = c;
        }
    }
    return size;
}

size_t pl_pdf_hex_decode(struct pl_span raw, char *out)
{
    size_t digits = 0;
    for (size_t i = 0; i < raw.size; i++) {
        int digit = pl_text_hex_digit(raw.data[i]);
        if (digit < 0)
            continue;
        if (digits % 2 == 0)
            out[digits / 2] = (char)(digit << 4);
        else
            out[digits / 2] = (char)((unsigned char)out[digits / 2] | (unsigned)digit);
        digits++;
    }
    return (digits + 1) / 2;
}
