/* pdf_maker: small PDFs made by hand for the tests of the reader, damaged where a test wants it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_UNIT_PIPELINE_PDF_PDF_MAKER_H
#define PL_TESTS_UNIT_PIPELINE_PDF_PDF_MAKER_H

#include "engine/base/bytes.h"
#include "pipeline/pdf/pdf_file.h"

#define PDF_MAKER_OBJECTS 64

struct pdf_maker {
    struct pl_bytes out;
    uint64_t at[PDF_MAKER_OBJECTS];     /* of each object; 0: not written */
    unsigned packed[PDF_MAKER_OBJECTS]; /* 1 + index in the object stream; 0: plain */
    unsigned container;
    uint64_t shift; /* bytes before the header that offsets do not count */
};

/* With `before` in front of the header. */
void pdf_maker_init(struct pdf_maker *maker, const char *before);
void pdf_maker_fini(struct pdf_maker *maker);
void pdf_maker_text(struct pdf_maker *maker, const char *text);
void pdf_maker_object(struct pdf_maker *maker, unsigned number, const char *body);
/* `dict` without "<<", ">>" and Length. */
void pdf_maker_stream(struct pdf_maker *maker, unsigned number, const char *dict, const void *data,
                      size_t size);
/* As above, with another Length. */
void pdf_maker_stream_of(struct pdf_maker *maker, unsigned number, const char *dict,
                         const void *data, size_t size, const char *length);
/* Catalog 1, page tree 2 with one page 3 whose content is object 4 (not written). */
void pdf_maker_one_page(struct pdf_maker *maker);
/* An object stream, Flate; numbers and bodies by turns, the last body is NULL. */
void pdf_maker_pack(struct pdf_maker *maker, unsigned number, const unsigned *numbers,
                    const char *const *bodies, size_t count);
/* Table, trailer with `extra`, startxref, %%EOF; answers the table's offset. */
uint64_t pdf_maker_table(struct pdf_maker *maker, const char *extra);
/* The same as a cross-reference stream, which is object `number`. */
uint64_t pdf_maker_xref_stream(struct pdf_maker *maker, unsigned number, const char *extra);

/* Opens it; the source is kept beside it and freed by pdf_maker_close. */
struct pdf_opened {
    struct pl_source *source;
    struct pl_pdf_file *file;
    struct pl_fault fault;
    pl_status status;
};

void pdf_maker_open(const struct pdf_maker *maker, struct pdf_opened *opened);
void pdf_maker_close(struct pdf_opened *opened);

#endif
