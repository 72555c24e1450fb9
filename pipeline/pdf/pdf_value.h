/* pdf_value: the objects of a PDF that is read (ISO 32000-1 section 7.3).
 *
 * Values live in the arena of the file or page they were read for and are immutable.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_VALUE_H
#define PL_PIPELINE_PDF_PDF_VALUE_H

#include "engine/base/arena.h"
#include "engine/base/text.h"

enum pl_pdf_kind {
    PL_PDF_NULL,
    PL_PDF_BOOL,
    PL_PDF_INT,
    PL_PDF_REAL,
    PL_PDF_NAME,   /* decoded, without '/' */
    PL_PDF_STRING, /* decoded (and decrypted) */
    PL_PDF_ARRAY,
    PL_PDF_DICT,
    PL_PDF_STREAM, /* a dictionary and where its data is */
    PL_PDF_REF,
};

struct pl_pdf_ref {
    uint32_t number;
    uint16_t generation;
};

struct pl_pdf_value;

struct pl_pdf_entry {
    struct pl_span key;
    const struct pl_pdf_value *value;
};

struct pl_pdf_value {
    enum pl_pdf_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct pl_span text; /* NAME, STRING */
        struct {
            const struct pl_pdf_value *const *items;
            size_t count;
        } array;
        struct {
            const struct pl_pdf_entry *entries; /* in file order; the last of equal keys counts */
            size_t count;
            uint64_t at;            /* STREAM: of its data in the file */
            uint64_t size;          /* STREAM: encoded bytes, as they lie there */
            struct pl_pdf_ref self; /* STREAM: the object (key of its encryption) */
        } dict;                     /* DICT and STREAM */
        struct pl_pdf_ref ref;
    } as;
};

/* The direct value, without following references; NULL when absent. `dict` may be NULL or of
 * another kind: absent then. */
const struct pl_pdf_value *pl_pdf_dict_peek(const struct pl_pdf_value *dict, const char *key);
bool pl_pdf_name_is(const struct pl_pdf_value *value, const char *name);

#endif
