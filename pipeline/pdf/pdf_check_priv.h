/* pdf_check_priv: what the parts of the checker share: what was looked at, and where it stands.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_CHECK_PRIV_H
#define PL_PIPELINE_PDF_PDF_CHECK_PRIV_H

#include "pipeline/pdf/pdf_check.h"
#include "pipeline/pdf/pdf_content.h"
#include "pipeline/pdf/pdf_file.h"

#define PL_CHECK_DEPTH 24                     /* of what refers to what */
#define PL_CHECK_STEPS ((uint64_t)100000000)  /* operators, tokens and objects in all */
#define PL_CHECK_DECODED ((size_t)64 << 20)   /* bytes of one stream */
#define PL_CHECK_TOTAL ((uint64_t)2048 << 20) /* of all streams */

/* What an object was looked at as; bits of `seen`. */
enum pl_check_role {
    PL_CHECK_XOBJECT = 1,
    PL_CHECK_ALWAYS = 0, /* small: looked at each time */
    PL_CHECK_SPACE = 4,
    PL_CHECK_FONT = 8,
    PL_CHECK_PATTERN = 16,
    PL_CHECK_ACTION = 32,
    PL_CHECK_ANNOT = 64,
    PL_CHECK_OTHER = 128,
    PL_CHECK_HIDDEN_FONT = 2,
};

/* A resource that a content stream names. */
enum pl_check_use_kind {
    PL_USE_XOBJECT,
    PL_USE_STATE,
    PL_USE_SPACE,
    PL_USE_FONT, /* text is shown with it */
    PL_USE_HIDDEN_FONT,
    PL_USE_CONTROLS, /* control codes are shown with the font */
    PL_USE_PATTERN,
    PL_USE_SHADING,
    PL_USE_KINDS,
};

struct pl_check_use {
    enum pl_check_use_kind kind;
    uint32_t at; /* into text */
    uint32_t size;
};

/* What a content stream uses, so that one that many pages share is read once. */
struct pl_check_uses {
    struct pl_check_use *items;
    size_t count;
    size_t room;
    struct pl_bytes text;
    bool grey, rgb, cmyk; /* device colours */
};

struct pl_pdf_checking {
    struct pl_pdf_file *file;
    struct pl_findings *findings;
    struct pl_fault *fault;
    unsigned part;
    bool holes;
    char intent;      /* colour of the output intent: 'G', 'R', 'C'; 0: none */
    bool overprints;  /* a state with OPM 1 is in use on the page */
    bool icc_cmyk;    /* a CMYK profile is in use, on this page or one before it */
    bool transparent; /* something on the page is */
    uint32_t page;    /* that is looked at, 1-based */
    uint32_t object;  /* the same */
    unsigned depth;
    uint64_t steps;   /* left */
    uint64_t decoded; /* bytes left */
    uint8_t *seen;
    uint32_t seen_count;
    struct pl_check_uses shared; /* of the last page's content */
    uint32_t shared_number;
};

/* A rule is broken: its clause in part 1 and in parts 2 and 3. NULL: that part has no such rule. */
void pl_check_breach(struct pl_pdf_checking *c, const char *clause_1, const char *clause_2,
                     const char *format, ...) PL_PRINTF(4, 5);
/* The same for rules of PDF itself. */
void pl_check_defect(struct pl_pdf_checking *c, const char *clause, const char *format, ...)
    PL_PRINTF(3, 4);
pl_status pl_check_step(struct pl_pdf_checking *c, uint64_t steps) PL_MUST_USE;

/* Follows a reference. An object that cannot be read is a finding, and null. */
pl_status pl_check_resolve(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                           const struct pl_pdf_value **out) PL_MUST_USE;
pl_status pl_check_lookup(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                          const char *key, const struct pl_pdf_value **out) PL_MUST_USE;
bool pl_check_has(const struct pl_pdf_value *dict, const char *key);
/* An integer entry, or `missing`. */
pl_status pl_check_integer(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                           const char *key, int64_t missing, int64_t *out) PL_MUST_USE;
/* All filters undone, as far as the data goes; image filters leave it empty. */
pl_status pl_check_decode(struct pl_pdf_checking *c, const struct pl_pdf_value *stream,
                          struct pl_bytes *out) PL_MUST_USE;

/* Around what hangs below another object. */
struct pl_check_place {
    uint32_t object;
    const struct pl_pdf_value *value; /* resolved */
};
/* *enter is false for what was seen in that role and for what is null. */
pl_status pl_check_enter(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                         enum pl_check_role role, struct pl_check_place *place,
                         bool *enter) PL_MUST_USE;
void pl_check_leave(struct pl_pdf_checking *c, const struct pl_check_place *place);
/* For a sentence. */
#define PL_CHECK_NAME_CHARS 64
const char *pl_check_show(const struct pl_pdf_value *name, char out[PL_CHECK_NAME_CHARS]);
bool pl_check_is_one_of(const struct pl_pdf_value *name, const char *const *names, size_t count);

/* --- pdf_check_file: header, end, cross-references --- */
pl_status pl_check_file(struct pl_pdf_checking *c) PL_MUST_USE;
/* --- pdf_check_object: each object as it lies in the file --- */
pl_status pl_check_objects(struct pl_pdf_checking *c) PL_MUST_USE;
/* --- pdf_check_content --- */
void pl_check_uses_init(struct pl_check_uses *uses);
void pl_check_uses_fini(struct pl_check_uses *uses);
pl_status pl_check_content(struct pl_pdf_checking *c, const struct pl_bytes *data, bool of_page,
                           struct pl_check_uses *uses) PL_MUST_USE;
/* --- pdf_check_resource --- */
pl_status pl_check_uses(struct pl_pdf_checking *c, const struct pl_check_uses *uses,
                        const struct pl_pdf_value *resources) PL_MUST_USE;
pl_status pl_check_form(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                        const struct pl_pdf_value *outer) PL_MUST_USE;
/* A stream of operators with its resources (glyphs, patterns). */
pl_status pl_check_stream(struct pl_pdf_checking *c, const struct pl_pdf_value *stream,
                          const struct pl_pdf_value *resources) PL_MUST_USE;
void pl_check_intent_name(struct pl_pdf_checking *c, const struct pl_pdf_value *name);
/* --- pdf_check_colour --- */
pl_status pl_check_space(struct pl_pdf_checking *c, const struct pl_pdf_value *space,
                         const struct pl_pdf_value *resources) PL_MUST_USE;
pl_status pl_check_device(struct pl_pdf_checking *c, char colour,
                          const struct pl_pdf_value *resources) PL_MUST_USE;
pl_status pl_check_intents(struct pl_pdf_checking *c) PL_MUST_USE;
/* --- pdf_check_image --- */
pl_status pl_check_image(struct pl_pdf_checking *c, const struct pl_pdf_value *image,
                         const struct pl_pdf_value *resources) PL_MUST_USE;
/* --- pdf_check_state --- */
pl_status pl_check_state(struct pl_pdf_checking *c, const struct pl_pdf_value *value,
                         const struct pl_pdf_value *resources) PL_MUST_USE;
pl_status pl_check_group(struct pl_pdf_checking *c, const struct pl_pdf_value *dict,
                         const struct pl_pdf_value *resources) PL_MUST_USE;
/* --- pdf_check_font --- */
pl_status pl_check_font(struct pl_pdf_checking *c, const struct pl_pdf_value *value, bool hidden,
                        const struct pl_pdf_value *resources) PL_MUST_USE;
/* --- pdf_check_codes --- */
/* Whether the operator shows text with codes below 32. */
bool pl_check_shows_controls(const struct pl_pdf_op *op);
/* Such text is shown with the font `value`. */
pl_status pl_check_codes(struct pl_pdf_checking *c, const struct pl_pdf_value *value) PL_MUST_USE;
/* --- pdf_check_action: annotations, actions, forms, the catalog --- */
pl_status pl_check_annotations(struct pl_pdf_checking *c,
                               const struct pl_pdf_value *page) PL_MUST_USE;
pl_status pl_check_catalog(struct pl_pdf_checking *c) PL_MUST_USE;
/* --- pdf_check_xmp --- */
struct pl_check_packet;
/* Reads the metadata of the catalog: what it claims. *out is NULL when there is none. */
pl_status pl_check_packet_read(struct pl_pdf_file *file, struct pl_check_packet **out,
                               struct pl_fault *fault) PL_MUST_USE;
void pl_check_packet_free(struct pl_check_packet *packet);
void pl_check_packet_claim(const struct pl_check_packet *packet, struct pl_pdf_claim *claim);
pl_status pl_check_metadata(struct pl_pdf_checking *c,
                            const struct pl_check_packet *packet) PL_MUST_USE;

#endif
