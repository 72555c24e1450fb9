/* pdf_xmp_rules: which properties may be set in a packet, by the format that is written.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_XMP_RULES_H
#define PL_PIPELINE_PDF_PDF_XMP_RULES_H

#include "pipeline/convert_settings.h"

#define PL_XMP_RDF "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
#define PL_XMP_EXTENSION "http://www.aiim.org/pdfa/ns/extension/"

/* Of a value: a text, a list of texts, texts by language, or anything else. */
enum pl_xmp_form {
    PL_XMP_TEXT,
    PL_XMP_BAG,
    PL_XMP_SEQ,
    PL_XMP_ALT,
    PL_XMP_OTHER,
};

struct pl_xmp_name {
    struct pl_span space; /* the namespace */
    struct pl_span local;
    struct pl_span prefix; /* may be empty */
};

struct pl_xmp_property {
    struct pl_xmp_name name;
    enum pl_xmp_form form;
    bool dates;    /* each of its values is one */
    bool booleans; /* each is True or False */
};

bool pl_xmp_name_is(const struct pl_xmp_name *name, const char *space, const char *local);
/* XMP part 1, 8.2.1.2: a date, with or without a time and its zone. */
bool pl_xmp_is_date(struct pl_span text);

/* Why the property cannot be set beside the other settings, as words that follow its name; NULL:
 * nothing is against it. */
const char *pl_xmp_conflict(const struct pl_convert *convert, const struct pl_xmp_name *name);

/* The same by the rules of PDF/A. `described`: the packet brings pdfaExtension:schemas, which is
 * taken at its word. */
const char *pl_xmp_refuses_pdfa(const struct pl_xmp_property *property, bool described);

/* Whether PDF/A defines the namespace itself, so that it cannot be described anew. */
bool pl_xmp_space_is_taken(struct pl_span space);

#endif
