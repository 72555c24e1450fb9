/* pdf_file: a PDF that is read: its cross-reference, objects, pages and streams (ISO 32000-1).
 *
 * Strict parsers with a lenient search: tables, streams and hybrids of cross-references with their
 * /Prev chains; when these are damaged, a scan over the file finds the objects, and `repaired` says
 * so. Object streams; the standard security handler (pdf_crypt.h). Depth, numbers of objects, bytes
 * of one object and of all decoded structure are bounded. Only structure is held in memory, never
 * image data. Memory comes from one arena with a ceiling.
 *
 * A file belongs to one thread; clones share the parsed structure (read-only by then).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_FILE_H
#define PL_PIPELINE_PDF_PDF_FILE_H

#include "engine/base/bytes.h"
#include "pipeline/image/limits.h"
#include "pipeline/pdf/pdf_value.h"
#include "pipeline/source.h"

struct pl_pdf_file;

/* DENIED when a password is needed that was not given or is wrong (`password` may be NULL, the
 * empty one is tried). BAD_DOCUMENT, TOO_LARGE, NO_MEMORY. The source outlives the file. */
pl_status pl_pdf_file_open(struct pl_source *source, const struct pl_limits *limits,
                           const char *password, struct pl_pdf_file **out,
                           struct pl_fault *fault) PL_MUST_USE;
void pl_pdf_file_free(struct pl_pdf_file *file);
/* Another thread's view: own source, own cache of objects. NULL: no memory. */
struct pl_pdf_file *pl_pdf_file_clone(const struct pl_pdf_file *file, struct pl_source *source);

bool pl_pdf_file_is_repaired(const struct pl_pdf_file *file);
bool pl_pdf_file_is_encrypted(const struct pl_pdf_file *file);
const struct pl_pdf_value *pl_pdf_file_trailer(const struct pl_pdf_file *file);
const struct pl_pdf_value *pl_pdf_file_catalog(const struct pl_pdf_file *file);
/* Highest object number + 1. */
uint32_t pl_pdf_file_objects(const struct pl_pdf_file *file);

/* Follows references (bounded) to a value; never NULL: what is missing is null. The value lives as
 * long as the file. A broken object is BAD_DOCUMENT. */
pl_status pl_pdf_resolve(struct pl_pdf_file *file, const struct pl_pdf_value *value,
                         const struct pl_pdf_value **out, struct pl_fault *fault) PL_MUST_USE;
/* pl_pdf_dict_peek and resolve. A NULL kind: see pdf_value.h. */
pl_status pl_pdf_lookup(struct pl_pdf_file *file, const struct pl_pdf_value *dict, const char *key,
                        const struct pl_pdf_value **out, struct pl_fault *fault) PL_MUST_USE;
pl_status pl_pdf_load_object(struct pl_pdf_file *file, struct pl_pdf_ref ref,
                             const struct pl_pdf_value **out, struct pl_fault *fault) PL_MUST_USE;
/* Drops objects that were read since `mark` = pl_pdf_file_mark, so that a walk over many pages
 * holds one page's objects at a time. */
size_t pl_pdf_file_mark(const struct pl_pdf_file *file);
void pl_pdf_file_release(struct pl_pdf_file *file, size_t mark);

/* Pages in order. The tree is walked once, at open: cycles and lying /Count are found there. */
uint32_t pl_pdf_page_count(const struct pl_pdf_file *file);
struct pl_pdf_ref pl_pdf_page_ref(const struct pl_pdf_file *file, uint32_t n);
/* The page's own entry or the one it inherits (Resources, MediaBox, CropBox, Rotate), resolved;
 * null when there is none. */
pl_status pl_pdf_page_inherited(struct pl_pdf_file *file, uint32_t n, const char *key,
                                const struct pl_pdf_value **out,
                                struct pl_fault *fault) PL_MUST_USE;

/* The encoded bytes of a stream as they lie in the file, decrypted. Appends. TOO_LARGE past the
 * buffer's limit. */
pl_status pl_pdf_stream_raw(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                            struct pl_bytes *out, struct pl_fault *fault) PL_MUST_USE;
/* All filters undone: Flate (with predictors), LZW, ASCII85, ASCIIHex, RunLength; Crypt Identity.
 * UNSUPPORTED for image filters. Bounded by the buffer's limit and the expansion of limits.
 * BAD_DOCUMENT for damaged data: what could be decoded was appended, as readers that draw all they
 * can would take it. */
pl_status pl_pdf_stream_decode(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                               struct pl_bytes *out, struct pl_fault *fault) PL_MUST_USE;
/* The filters of a stream but the last image filter undone: *filter gets the name of that one
 * (empty: none left) and *parms its parameters (resolved dictionary or null). */
pl_status pl_pdf_stream_image(struct pl_pdf_file *file, const struct pl_pdf_value *stream,
                              struct pl_bytes *out, struct pl_span *filter,
                              const struct pl_pdf_value **parms,
                              struct pl_fault *fault) PL_MUST_USE;

#endif
