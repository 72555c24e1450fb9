/* pdf_lex: the tokens of PDF text (ISO 32000-1 7.2): bytes in, tokens out, nothing kept.
 *
 * As lenient as the readers that people trust: a number ends where its digits end, signs within
 * one are skipped, what is no token is told as PL_PDF_TOKEN_JUNK and passed over.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_LEX_H
#define PL_PIPELINE_PDF_PDF_LEX_H

#include "engine/base/text.h"

enum pl_pdf_token_kind {
    PL_PDF_TOKEN_END,
    PL_PDF_TOKEN_INT,
    PL_PDF_TOKEN_REAL,
    PL_PDF_TOKEN_NAME,   /* raw: without '/', to be decoded */
    PL_PDF_TOKEN_STRING, /* raw: between the outer parentheses, to be decoded */
    PL_PDF_TOKEN_HEX,    /* raw: between '<' and '>', to be decoded */
    PL_PDF_TOKEN_ARRAY_OPEN,
    PL_PDF_TOKEN_ARRAY_CLOSE,
    PL_PDF_TOKEN_DICT_OPEN,
    PL_PDF_TOKEN_DICT_CLOSE,
    PL_PDF_TOKEN_WORD, /* raw: a run of regular characters that is no number */
    PL_PDF_TOKEN_JUNK, /* a delimiter that opens and closes nothing */
};

struct pl_pdf_token {
    enum pl_pdf_token_kind kind;
    size_t at;       /* of its first byte */
    int64_t integer; /* INT */
    double real;     /* INT and REAL */
    struct pl_span raw;
};

struct pl_pdf_lex {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool cut; /* a token reached the end of data: were there more, it might read differently */
};

void pl_pdf_lex_next(struct pl_pdf_lex *lex, struct pl_pdf_token *token);
/* White space and comments; stops at the next token or at the end. */
void pl_pdf_lex_skip(struct pl_pdf_lex *lex);

bool pl_pdf_is_space(uint8_t c);
/* Neither white space nor a delimiter. */
bool pl_pdf_is_regular(uint8_t c);

/* Decode into `out`, which holds raw.size bytes; return the decoded size. */
size_t pl_pdf_name_decode(struct pl_span raw, char *out);
size_t pl_pdf_string_decode(struct pl_span raw, char *out);
size_t pl_pdf_hex_decode(struct pl_span raw, char *out);

#endif
