/* pdf_import_priv: what the parts of the importer share: which object became which, what is still
 * to be written, and how values are written.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_IMPORT_PRIV_H
#define PL_PIPELINE_PDF_PDF_IMPORT_PRIV_H

#include "pipeline/pdf/pdf_import.h"
#include "pipeline/pdf/pdf_names.h"

/* What an object is written as. Only for PDF/A does the place that names it decide. */
enum pl_import_role {
    PL_IMPORT_ANY,   /* everything, deeply */
    PL_IMPORT_IMAGE, /* PDF/A: the entries that are known, from here on */
    PL_IMPORT_FORM,
    PL_IMPORT_PROFILE,
    PL_IMPORT_DATA, /* a stream of which only the data count */
};

struct pl_import_item {
    struct pl_pdf_ref from;
    uint32_t number;
    enum pl_import_role role;
};

/* Open addressing; a pair takes 8 bytes. */
struct pl_import_pair {
    uint32_t from; /* object number + 1; 0: empty */
    uint32_t to;   /* 0: a page that does not travel */
};

struct pl_import_source {
    struct pl_pdf_file *file;
    struct pl_import_pair *pairs;
    size_t capacity; /* a power of two */
    size_t count;
    struct pl_import_source *next;
};

struct pl_pdf_import {
    struct pl_pdf_writer *writer;
    struct pl_import_source *sources;
    struct pl_import_source *source;    /* of the page that is written */
    const struct pl_pdf_page_ref *page; /* that is written */
    enum pl_want want;                  /* of the page that is written */
    unsigned part;                      /* of PDF/A that the file is; 0: none */
    struct pl_import_item *queue;
    size_t queue_head;
    size_t queue_count;
    size_t queue_room;
    struct pl_bytes data; /* of the stream that is written */
    uint32_t cmyk;        /* the profile for device CMYK in PDF/A; 0: not written yet */
    unsigned depth;       /* of the value that is written */
    struct pl_fault *fault;
};

/* --- pdf_import --- */

/* The new number of an object, which is queued when it is met for the first time. 0: it is a page
 * that does not travel. */
pl_status pl_import_number(struct pl_pdf_import *import, struct pl_pdf_ref from,
                           enum pl_import_role role, uint32_t *out) PL_MUST_USE;

/* The number that an object has already; 0: none, or a page that does not travel. */
uint32_t pl_import_lookup(const struct pl_pdf_import *import, struct pl_pdf_ref from);

/* --- pdf_import_value --- */

pl_status pl_import_value(struct pl_pdf_import *import,
                          const struct pl_pdf_value *value) PL_MUST_USE;
/* "/Key value" when the dictionary has the entry. */
pl_status pl_import_entry(struct pl_pdf_import *import, const struct pl_pdf_value *dict,
                          const char *key) PL_MUST_USE;
/* "/Key n 0 R" or the value itself, queued in a role. */
pl_status pl_import_role_entry(struct pl_pdf_import *import, const char *key,
                               const struct pl_pdf_value *value,
                               enum pl_import_role role) PL_MUST_USE;
/* Writes object `number`: everything below `value`. */
pl_status pl_import_any(struct pl_pdf_import *import, const struct pl_pdf_value *value,
                        uint32_t number) PL_MUST_USE;
/* /Filter and /DecodeParms, then the data, and ends the object. LZW becomes Flate for PDF/A. */
pl_status pl_import_stream(struct pl_pdf_import *import,
                           const struct pl_pdf_value *stream) PL_MUST_USE;

/* --- pdf_import_annots --- */

/* "/Annots [...]": those that make sense in another document. */
pl_status pl_import_annotations(struct pl_pdf_import *import,
                                const struct pl_pdf_value *page) PL_MUST_USE;
/* Whether an entry of an annotation leads out of it in a way that is not kept. */
bool pl_import_annotation_drops(const struct pl_pdf_value *annotation, struct pl_span key);

/* --- pdf_import_pdfa --- */

pl_status pl_import_known(struct pl_pdf_import *import, const struct pl_pdf_value *value,
                          enum pl_import_role role, uint32_t number) PL_MUST_USE;
/* Before the page object is begun: what its content names, and what must exist for it. */
pl_status pl_import_page_names(struct pl_pdf_import *import, uint32_t n,
                               struct pl_pdf_names *names) PL_MUST_USE;
/* /Contents, /Resources and /Group of a page. */
pl_status pl_import_page_content(struct pl_pdf_import *import, const struct pl_pdf_value *page,
                                 uint32_t n, const struct pl_pdf_names *names) PL_MUST_USE;

#endif
