/* ghost_words: what Ghostscript says while it works, read as evidence: it ends in success while it
 * loses content, and its words are all that tells.
 *
 * Takes its output as it comes, in pieces of any size, and keeps counts and a few names of bounded
 * length, never text of the document.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_GHOST_WORDS_H
#define PL_PIPELINE_CODEC_GHOST_WORDS_H

#include "engine/base/status.h"
#include "engine/base/text.h"
#include "pipeline/interpreter.h"

#define PL_GHOST_LINE_CHARS 240
#define PL_GHOST_NAMES 8
#define PL_GHOST_NAME_CHARS 40
#define PL_GHOST_SAID_CHARS 120

/* Begins what our own PostScript says: "%%platen pages 3". */
#define PL_GHOST_SIGN "%%platen "

struct pl_ghost_names {
    uint32_t count; /* of different ones, as far as they are remembered */
    char name[PL_GHOST_NAMES][PL_GHOST_NAME_CHARS];
};

struct pl_ghost_line {
    size_t size;
    char text[PL_GHOST_LINE_CHARS];
};

/* Zero-initialise, with the first two set. */
struct pl_ghost_words {
    unsigned pdfa;   /* what the document is made for, 0 or the part */
    bool is_program; /* PostScript: what it prints on its output is its own affair */
    bool is_locked;
    char lost[PL_GHOST_SAID_CHARS];     /* the first words about content that is gone, or empty */
    char repaired[PL_GHOST_SAID_CHARS]; /* the first about damage that was worked around */
    uint32_t pages_in; /* what the document says it has, UINT32_MAX when it does not (PostScript) */
    uint32_t pages_out;
    struct pl_ghost_names fonts; /* not embedded, replaced */
    struct pl_ghost_names spots;
    uint32_t transparent_pages;
    bool has_overprint;
    bool has_missing_glyph;
    bool has_dropped_annotation;
    bool has_dropped_file;
    bool was_too_large; /* for the memory there is */
    bool was_stopped;   /* the program ended with an error of its own or of ours */
    struct pl_ghost_line lines[2];
};

/* A piece of what was said on stream 0 (output) or 1 (error). */
void pl_ghost_words_take(struct pl_ghost_words *words, unsigned stream, struct pl_span said);
/* Takes the lines that no newline ended. */
void pl_ghost_words_end(struct pl_ghost_words *words);
/* The note and `repaired`, from all that was said so far. */
void pl_ghost_words_report(const struct pl_ghost_words *words, struct pl_interpreted *report);
/* PL_OK, or what was lost: BAD_DOCUMENT with the interpreter's words, DENIED for a password that is
 * missing or wrong. */
pl_status pl_ghost_words_judge(const struct pl_ghost_words *words,
                               struct pl_fault *fault) PL_MUST_USE;

#endif
