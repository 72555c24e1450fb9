/* png_chunks: the chunks of a PNG datastream one after the other (ISO/IEC 15948 clauses 5 and 11).
 *
 * Every byte of every chunk goes through its CRC, also of those that nobody asks for; nothing is
 * allocated. What follows IEND is not looked at.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_PNG_CHUNKS_H
#define PL_PIPELINE_CODEC_PNG_CHUNKS_H

#include "pipeline/source.h"

#define PL_PNG_WINDOW ((size_t)1 << 16)
#define PL_PNG_SIGNATURE_BYTES 8

struct pl_png_chunks {
    struct pl_source *source;
    struct pl_fault *fault;
    uint64_t at;
    char type[5]; /* of the chunk that is open, terminated */
    uint32_t size;
    uint32_t left; /* of its data */
    uint32_t crc;  /* of what was read of it */
    uint8_t window[PL_PNG_WINDOW];
};

/* Checks the signature. The fault is the place for sentences until the end. */
pl_status pl_png_chunks_begin(struct pl_png_chunks *chunks, struct pl_source *source,
                              struct pl_fault *fault) PL_MUST_USE;
/* Opens the next chunk, after the one before was ended. BAD_DOCUMENT: no letters, too long, or cut
 * off by the end of the file. */
pl_status pl_png_chunks_next(struct pl_png_chunks *chunks) PL_MUST_USE;
bool pl_png_chunk_is(const struct pl_png_chunks *chunks, const char *type);
/* Reads `size` bytes of its data, at most what is left. */
pl_status pl_png_chunk_read(struct pl_png_chunks *chunks, void *out, size_t size) PL_MUST_USE;
/* Reads what is left and checks the CRC. BAD_DOCUMENT when it is wrong. */
pl_status pl_png_chunk_end(struct pl_png_chunks *chunks) PL_MUST_USE;

/* "the PNG data are damaged: ..." */
pl_status pl_png_damaged(struct pl_fault *fault, const char *format, ...) PL_PRINTF(2, 3);

extern const uint8_t pl_png_signature[PL_PNG_SIGNATURE_BYTES];

#endif
