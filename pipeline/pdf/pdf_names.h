/* pdf_names: the resources that a content stream names.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_NAMES_H
#define PL_PIPELINE_PDF_PDF_NAMES_H

#include "engine/base/bytes.h"
#include "pipeline/pdf/pdf_content.h"

enum pl_pdf_category {
    PL_PDF_XOBJECT,
    PL_PDF_EXT_G_STATE,
    PL_PDF_COLOR_SPACE,
    PL_PDF_PROPERTIES,
    PL_PDF_CATEGORIES,
};

struct pl_pdf_name_use {
    enum pl_pdf_category category;
    size_t at; /* into text */
    size_t size;
};

/* Each name once, in the order in which they appear. Zero-initialise. */
struct pl_pdf_names {
    struct pl_pdf_name_use *uses;
    size_t count;
    size_t room;
    struct pl_bytes text;
    bool device_cmyk; /* K or k, or CS or cs of DeviceCMYK */
};

/* TOO_LARGE past 4,096 names; BAD_DOCUMENT. */
pl_status pl_pdf_names_read(const struct pl_bytes *content, struct pl_pdf_names *names,
                            struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_names_fini(struct pl_pdf_names *names);
struct pl_span pl_pdf_names_text(const struct pl_pdf_names *names, size_t i);
/* "XObject". */
const char *pl_pdf_category_key(enum pl_pdf_category category);

#endif
