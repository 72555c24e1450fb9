/* pdf_parse: tokens to values in an arena; for objects of a file and for operands of a content
 * stream.
 *
 * Keeps what is open on a stack of its own, so that nesting costs no stack of the thread; at most
 * PL_PDF_NESTING deep. Lenient as the readers that people trust: what is not closed is closed at
 * the end, what closes nothing is passed over, an unknown word inside a container counts as null.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_PARSE_H
#define PL_PIPELINE_PDF_PDF_PARSE_H

#include "engine/base/status.h"
#include "pipeline/pdf/pdf_crypt.h"
#include "pipeline/pdf/pdf_lex.h"

#define PL_PDF_NESTING 64

/* Values of containers that are not closed yet. Zero-initialise and set arena; the arena is the
 * caller's. */
struct pl_pdf_parser {
    struct pl_arena *arena;
    const struct pl_pdf_crypt *crypt; /* NULL: strings are taken as they are */
    struct pl_pdf_ref self;           /* whose key decrypts them */
    bool references;                  /* "n g R" is a reference */
    uint32_t nesting;                 /* fewer than PL_PDF_NESTING, or 0 */
    struct pl_pdf_value *stack;       /* owned */
    size_t count;
    size_t capacity;
    struct {
        size_t first; /* on the stack */
        bool dict;
    } frames[PL_PDF_NESTING];
    unsigned depth;
};

void pl_pdf_parser_fini(struct pl_pdf_parser *parser);

/* One value of an object at lex. *found is false at the end of data or before a word that is none
 * ("endobj"). PL_BAD_DOCUMENT (nested too deeply), PL_TOO_LARGE (the arena's limit),
 * PL_NO_MEMORY. */
pl_status pl_pdf_parse_value(struct pl_pdf_parser *parser, struct pl_pdf_lex *lex,
                             const struct pl_pdf_value **out, bool *found) PL_MUST_USE;

/* Values up to the next word outside of containers, which becomes *word (empty at the end of
 * data). They lie at parser->stack[0..count) until the next call. */
pl_status pl_pdf_parse_operands(struct pl_pdf_parser *parser, struct pl_pdf_lex *lex,
                                struct pl_span *word) PL_MUST_USE;

/* The operands as the dictionary that they make up, key by key (inline images). */
pl_status pl_pdf_parse_pairs(struct pl_pdf_parser *parser, struct pl_pdf_value *dict) PL_MUST_USE;

/* A deep copy into another arena, at most PL_PDF_NESTING deep. NULL: no memory. */
const struct pl_pdf_value *pl_pdf_value_copy(struct pl_arena *arena,
                                             const struct pl_pdf_value *value);

extern const struct pl_pdf_value pl_pdf_null;

#endif
