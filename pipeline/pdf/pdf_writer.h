/* pdf_writer: numbered objects into an append-only file, then the table that says where they are.
 *
 * Keeps 8 bytes an object. The first failure sticks: later calls do nothing and pl_pdf_status tells
 * it, so that a sequence of writes is checked once, at its end.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_WRITER_H
#define PL_PIPELINE_PDF_PDF_WRITER_H

#include "pipeline/pdf/pdf_crypt.h"
#include "pipeline/pdf/pdf_shadow.h"
#include "pipeline/source.h"

/* ISO 32000-1 annex C and ISO 19005-2 6.1.13: more indirect objects are not portable. */
#define PL_PDF_OBJECTS_MAX 8388607U

struct pl_pdf_writer;

/* Writes the header (%PDF-1.`minor`, 4 or 7, and the comment of high bytes that ISO 19005-2 6.1.2
 * asks for). With `crypt`, of pl_pdf_crypt_make, every string and stream is encrypted on its way;
 * it outlives the writer. */
pl_status pl_pdf_writer_new(struct pl_out *out, unsigned minor, struct pl_pdf_crypt *crypt,
                            struct pl_pdf_writer **writer) PL_MUST_USE;
void pl_pdf_writer_free(struct pl_pdf_writer *writer);
/* Tells the shadow, which is the writer's out and outlives it, where the data of images lies. */
void pl_pdf_writer_shadow(struct pl_pdf_writer *writer, struct pl_pdf_shadow *shadow);

pl_status pl_pdf_status(const struct pl_pdf_writer *writer) PL_MUST_USE;
/* Bytes of the file so far. */
uint64_t pl_pdf_size(const struct pl_pdf_writer *writer);

/* A number for an object that is written later, once. 0, which is no object, after a failure. */
uint32_t pl_pdf_reserve(struct pl_pdf_writer *writer);
/* What pl_pdf_reserve would give now: objects reserved one after the other count up from it. */
uint32_t pl_pdf_next(const struct pl_pdf_writer *writer);

void pl_pdf_write(struct pl_pdf_writer *writer, const void *data, size_t size);
/* At most 511 characters. */
void pl_pdf_format(struct pl_pdf_writer *writer, const char *format, ...) PL_PRINTF(2, 3);

/* "n 0 obj", and what ends it. */
void pl_pdf_begin(struct pl_pdf_writer *writer, uint32_t number);
void pl_pdf_end(struct pl_pdf_writer *writer);
/* A string object, whatever its bytes are; encrypted where the file is. Strings never go through
 * pl_pdf_write, except those of the trailer and of /Encrypt. */
void pl_pdf_string(struct pl_pdf_writer *writer, struct pl_span bytes);
/* A name object, whatever its bytes are (without '/'). */
void pl_pdf_name(struct pl_pdf_writer *writer, struct pl_span bytes);

/* The stream that comes next is an image's. */
void pl_pdf_payload(struct pl_pdf_writer *writer);
/* Ends a dictionary that was begun with "<<" (without its Length), then data, then the object. */
void pl_pdf_end_stream(struct pl_pdf_writer *writer, const void *data, size_t size);
/* The same for data that is never held as a whole: exactly `size` bytes, in any number of pieces,
 * between the two. Nothing else is written meanwhile. */
void pl_pdf_begin_stream(struct pl_pdf_writer *writer, uint64_t size);
void pl_pdf_stream_data(struct pl_pdf_writer *writer, const void *data, size_t size);
void pl_pdf_close_stream(struct pl_pdf_writer *writer);

/* Hands everything to the output that has not been, for a file that is ended by its caller. */
pl_status pl_pdf_flush(struct pl_pdf_writer *writer) PL_MUST_USE;

/* What the trailer names. */
struct pl_pdf_ends {
    uint32_t root;
    uint32_t info;          /* 0: none */
    struct pl_span encrypt; /* the dictionary of pl_pdf_crypt_make, or empty */
};

/* /Encrypt, cross-reference table, trailer with an /ID that the contents give, %%EOF; hands
 * everything to the output. Every reserved number was written. */
pl_status pl_pdf_writer_finish(struct pl_pdf_writer *writer,
                               const struct pl_pdf_ends *ends) PL_MUST_USE;

#endif
