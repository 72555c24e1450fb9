/* png_chunks: a walk with one window and one checksum.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/png_chunks.h"

#include "pipeline/codec/flate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES_MOST 0x7fffffffU /* ISO/IEC 15948 5.3 */

const uint8_t pl_png_signature[PL_PNG_SIGNATURE_BYTES] = { 0x89, 'P',  'N',  'G',
                                                           '\r', '\n', 0x1a, '\n' };

pl_status pl_png_damaged(struct pl_fault *fault, const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return pl_fault_set(fault, PL_BAD_DOCUMENT, "the PNG data are damaged: %s", what);
}

static pl_status chunks_cut(struct pl_png_chunks *chunks, const char *where)
{
    return pl_fault_set(chunks->fault, PL_BAD_DOCUMENT,
                        "the PNG data break off %s, at byte %" PRIu64 ": the file is truncated",
                        where, chunks->source->size);
}

static uint32_t number_of(const uint8_t *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

pl_status pl_png_chunks_begin(struct pl_png_chunks *chunks, struct pl_source *source,
                              struct pl_fault *fault)
{
    uint8_t signature[PL_PNG_SIGNATURE_BYTES];
    chunks->source = source;
    chunks->fault = fault;
    chunks->at = sizeof signature;
    chunks->type[0] = '\0';
    chunks->left = 0;
    if (source->size < sizeof signature)
        return chunks_cut(chunks, "within the signature");
    pl_status status = pl_source_read(source, 0, signature, sizeof signature);
    if (status != PL_OK)
        return status;
    if (memcmp(signature, pl_png_signature, sizeof signature) != 0)
        return pl_png_damaged(fault, "the signature is not that of a PNG");
    return PL_OK;
}

pl_status pl_png_chunks_next(struct pl_png_chunks *chunks)
{
    uint8_t head[8];
    uint64_t left = chunks->source->size - chunks->at;
    if (left < sizeof head)
        return chunks_cut(chunks, "before the end chunk");
    pl_status status = pl_source_read(chunks->source, chunks->at, head, sizeof head);
    if (status != PL_OK)
        return status;
    for (size_t i = 0; i < 4; i++)
        if ((head[4 + i] | 0x20) < 'a' || (head[4 + i] | 0x20) > 'z')
            return pl_png_damaged(chunks->fault,
                                  "at byte %" PRIu64 " a chunk should begin, and does not",
                                  chunks->at);
    memcpy(chunks->type, head + 4, 4);
    chunks->type[4] = '\0';
    chunks->size = chunks->left = number_of(head);
    if (chunks->size > CHUNK_BYTES_MOST)
        return pl_png_damaged(chunks->fault, "its chunk %s claims %" PRIu32 " bytes", chunks->type,
                              chunks->size);
    if ((uint64_t)chunks->size + 4 > left - sizeof head)
        return chunks_cut(chunks, "within a chunk");
    chunks->at += sizeof head;
    chunks->crc = pl_flate_crc(0, head + 4, 4);
    return PL_OK;
}

bool pl_png_chunk_is(const struct pl_png_chunks *chunks, const char *type)
{
    return memcmp(chunks->type, type, 4) == 0;
}

pl_status pl_png_chunk_read(struct pl_png_chunks *chunks, void *out, size_t size)
{
    PL_CHECK(size <= chunks->left);
    if (size == 0)
        return PL_OK;
    pl_status status = pl_source_read(chunks->source, chunks->at, out, size);
    if (status != PL_OK)
        return status;
    chunks->crc = pl_flate_crc(chunks->crc, out, size);
    chunks->at += size;
    chunks->left -= (uint32_t)size;
    return PL_OK;
}

pl_status pl_png_chunk_end(struct pl_png_chunks *chunks)
{
    uint8_t crc[4];
    pl_status status = PL_OK;
    while (chunks->left > 0 && status == PL_OK) {
        size_t size = chunks->left < PL_PNG_WINDOW ? chunks->left : PL_PNG_WINDOW;
        status = pl_png_chunk_read(chunks, chunks->window, size);
    }
    if (status == PL_OK)
        status = pl_source_read(chunks->source, chunks->at, crc, sizeof crc);
    if (status != PL_OK)
        return status;
    chunks->at += sizeof crc;
    if (number_of(crc) != chunks->crc)
        return pl_png_damaged(chunks->fault, "the checksum of its chunk %s is wrong", chunks->type);
    return PL_OK;
}
