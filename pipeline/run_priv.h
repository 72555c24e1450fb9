/* run_priv: the parts of a run: what it reads, how pages come in parallel, where they are written.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_RUN_PRIV_H
#define PL_PIPELINE_RUN_PRIV_H

#include "engine/base/digest.h"
#include "pipeline/codec/codec.h"
#include "pipeline/image/picture.h"
#include "pipeline/run.h"
#include "pipeline/writer.h"

#define PL_RUN_RULE_CHARS 40

/* -- run_inputs.c: the documents, open; which of their pages are wanted; the way to each -- */

enum pl_run_way {
    PL_RUN_WAY_UNKNOWN,
    PL_RUN_WAY_PICTURE, /* loaded as a picture of the whole page */
    PL_RUN_WAY_PDF,     /* loaded for a PDF: imported as it stands */
    PL_RUN_WAY_MADE,    /* the same, from the PDF that the interpreter made of the document */
    PL_RUN_WAY_RENDER,  /* drawn by the interpreter, on the caller's thread */
    PL_RUN_WAY_REDRAW,  /* the same, after it was made and the result was refused for it */
    PL_RUN_WAYS,
};

/* A document as one kind of reader sees it. */
struct pl_run_reading {
    struct pl_reader *reader; /* NULL: not opened this way */
    struct pl_source *source; /* borrowed: the job's, or the input's `made` */
};

struct pl_run_input {
    const struct pl_reader_ops *kind;
    struct pl_run_reading readings[PL_RUN_WAYS]; /* PICTURE, PDF and MADE */
    struct pl_source *made; /* the PDF that the interpreter made of it; owned */
    struct pl_bytes copy;   /* what lies under it, where it had to be copied */
    uint32_t first;         /* its first page among those of all inputs */
    uint32_t count;
    bool wants_interpreter;
};

struct pl_run_inputs {
    const struct pl_run_job *job;
    struct pl_run_input *items; /* job->input_count */
    uint32_t pages_in;
    uint64_t bytes_in;
    uint32_t *selected; /* 0-based among all pages; NULL: all of them */
    uint32_t total;     /* pages that are wanted */
    uint8_t *ways;      /* enum pl_run_way of each of pages_in */
    bool renders;       /* some page is to be rendered */
    bool repaired;
    char note[PL_RUN_NOTE_CHARS];
    size_t drawn;                 /* 1 + the input that the interpreter has open; 0: none */
    char rule[PL_RUN_RULE_CHARS]; /* why pages are redrawn */
};

/* The wanted page n: where it is, and how it is had. */
struct pl_run_place {
    size_t input;
    uint32_t page; /* 0-based in its input */
    enum pl_run_way way;
};

/* Opens, selects, surveys, interprets documents as wholes. Afterwards nothing but rendering needs
 * the interpreter. To be closed whatever the answer. */
pl_status pl_run_inputs_open(const struct pl_run_job *job, struct pl_run_inputs *out,
                             struct pl_fault *fault) PL_MUST_USE;
void pl_run_inputs_close(struct pl_run_inputs *inputs);
/* Whether the page of the document itself, not of what was made of it, is a picture that can be
 * had as such; opens the document for it. */
pl_status pl_run_input_pictures(struct pl_run_inputs *inputs, const struct pl_run_place *place,
                                bool *out) PL_MUST_USE;
/* Copies what was made of an input into memory, so that the interpreter can be used again; its
 * readings are closed. */
pl_status pl_run_input_detach(struct pl_run_input *input,
                              const struct pl_limits *limits) PL_MUST_USE;
struct pl_run_place pl_run_inputs_place(const struct pl_run_inputs *inputs, uint32_t n);
/* Passes on what was found in an input, and says in which of several. */
pl_status pl_run_blame(const struct pl_run_job *job, size_t input, pl_status status,
                       const struct pl_fault *found, struct pl_fault *fault);
/* Adds a sentence to a note of PL_RUN_NOTE_CHARS, unless it is there already. */
void pl_run_note(char *note, const char *sentence);

/* -- run_render.c: on the caller's thread -- */

/* Draws the page at `place` into `out`; the page gets its number and how it was had. */
pl_status pl_run_render(struct pl_run_inputs *inputs, const struct pl_run_place *place,
                        struct pl_page *page, struct pl_picture *out,
                        struct pl_fault *fault) PL_MUST_USE;
/* Pages that the interpreter made, for which a result was refused, are to be drawn from now on:
 * less than text, but no page is lost. `reason` is what was said of the result. CONFLICT: there is
 * no such page, and what was refused is our own doing. */
pl_status pl_run_redraw(struct pl_run_inputs *inputs, const char *reason,
                        struct pl_fault *fault) PL_MUST_USE;
/* The interpreter closes what it has open. */
void pl_run_render_end(struct pl_run_inputs *inputs);

/* -- run_outputs.c: documents, writers, page ledger -- */

struct pl_run_outputs {
    const struct pl_run_job *job;
    const struct pl_writer_ops *ops;
    struct pl_writer *writer; /* NULL: between documents */
    struct pl_out *out;
    uint32_t total;      /* pages that will come */
    uint32_t pages;      /* in the open document */
    size_t row;          /* where its rows begin in the page ledger */
    struct pl_bytes own; /* the page ledger of a document of several */
    uint8_t seed[PL_SHA256_BYTES];
    bool is_seeded;
    struct pl_run_result *result; /* counted up */
};

pl_status pl_run_outputs_open(const struct pl_run_job *job, uint32_t total,
                              struct pl_run_result *result, struct pl_run_outputs *out,
                              struct pl_fault *fault) PL_MUST_USE;
/* Writes the page in its turn; `input` is 0-based. */
pl_status pl_run_outputs_page(struct pl_run_outputs *output, size_t input,
                              const struct pl_page *page, struct pl_fault *fault) PL_MUST_USE;
pl_status pl_run_outputs_end(struct pl_run_outputs *output, struct pl_fault *fault) PL_MUST_USE;
void pl_run_outputs_close(struct pl_run_outputs *output);

/* -- run_pages.c: pages in parallel, in order -- */

pl_status pl_run_pages(struct pl_run_inputs *inputs, struct pl_run_outputs *output,
                       struct pl_fault *fault) PL_MUST_USE;

#endif
