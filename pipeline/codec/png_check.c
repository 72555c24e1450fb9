/* png_check: one walk over the chunks.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/png_check.h"

#include "pipeline/codec/png_chunks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHAT_CHARS 200
#define HEAD_BYTES 13

struct walk {
    struct pl_png_chunks *chunks;
    struct pl_findings *findings;
    uint8_t head[HEAD_BYTES];
    bool palette;
    bool data;      /* IDAT was seen */
    bool data_over; /* and another chunk after it */
};

static void png_find(struct walk *walk, const char *clause, const char *format, ...)
    PL_PRINTF(3, 4);

static void png_find(struct walk *walk, const char *clause, const char *format, ...)
{
    struct pl_finding finding = { .page = 1 };
    char text[PL_FINDING_TEXT_CHARS];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)pl_text_format(finding.rule, sizeof finding.rule, "ISO/IEC 15948 %s", clause);
    (void)pl_text_sanitize(pl_span_from(text), finding.text, sizeof finding.text);
    pl_findings_add(walk->findings, &finding);
}

/* Depths by colour type (table 11.1). */
static bool depth_fits(unsigned colour, unsigned bits)
{
    switch (colour) {
    case 0:
        return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
    case 3:
        return bits == 1 || bits == 2 || bits == 4 || bits == 8;
    case 2:
    case 4:
    case 6:
        return bits == 8 || bits == 16;
    default:
        return false;
    }
}

static void head_check(struct walk *walk)
{
    const uint8_t *head = walk->head;
    if (!depth_fits(head[9], head[8]))
        png_find(walk, "11.2.2", "colour type %u with %u bits a sample", head[9], head[8]);
    if (head[10] != 0 || head[11] != 0 || head[12] > 1)
        png_find(walk, "11.2.2", "unknown compression, filter or interlace method");
}

static void chunk_check(struct walk *walk)
{
    struct pl_png_chunks *chunks = walk->chunks;
    bool data = pl_png_chunk_is(chunks, "IDAT");
    if (walk->data && !data)
        walk->data_over = true;
    if (data && walk->data_over)
        png_find(walk, "5.6", "IDAT chunks are not consecutive");
    walk->data = walk->data || data;
    if (pl_png_chunk_is(chunks, "IHDR"))
        png_find(walk, "5.6", "there is more than one IHDR");
    if (pl_png_chunk_is(chunks, "PLTE")) {
        if (walk->palette || walk->data)
            png_find(walk, "5.6", "PLTE stands twice or after IDAT");
        if (chunks->size % 3 != 0 || chunks->size == 0 || chunks->size > 768)
            png_find(walk, "11.2.3", "a palette of %u bytes", chunks->size);
        walk->palette = true;
    }
    bool critical = chunks->type[0] >= 'A' && chunks->type[0] <= 'Z';
    if (critical && !data && strcmp(chunks->type, "PLTE") != 0 &&
        strcmp(chunks->type, "IHDR") != 0 && strcmp(chunks->type, "IEND") != 0)
        png_find(walk, "5.4", "the critical chunk %s is unknown", chunks->type);
}

static pl_status head_read(struct walk *walk)
{
    struct pl_png_chunks *chunks = walk->chunks;
    pl_status status = pl_png_chunks_next(chunks);
    if (status == PL_OK && (!pl_png_chunk_is(chunks, "IHDR") || chunks->size != HEAD_BYTES))
        return pl_png_damaged(chunks->fault, "they do not begin with an image header");
    if (status == PL_OK)
        status = pl_png_chunk_read(chunks, walk->head, HEAD_BYTES);
    if (status == PL_OK)
        status = pl_png_chunk_end(chunks);
    if (status == PL_OK)
        head_check(walk);
    return status;
}

static pl_status chunks_walk(struct walk *walk)
{
    struct pl_png_chunks *chunks = walk->chunks;
    pl_status status = head_read(walk);
    while (status == PL_OK) {
        status = pl_png_chunks_next(chunks);
        if (status != PL_OK)
            break;
        bool end = pl_png_chunk_is(chunks, "IEND");
        chunk_check(walk);
        status = pl_png_chunk_end(chunks);
        if (end)
            break;
    }
    if (status != PL_OK)
        return status;
    if (!walk->data)
        png_find(walk, "5.6", "there is no IDAT");
    if (walk->head[9] == 3 && !walk->palette)
        png_find(walk, "11.2.3", "the palette is missing");
    if (chunks->at < chunks->source->size)
        png_find(walk, "5.6", "%llu bytes follow IEND",
                 (unsigned long long)(chunks->source->size - chunks->at));
    return PL_OK;
}

pl_status pl_png_check(struct pl_source *source, const struct pl_limits *limits, char *what,
                       struct pl_findings *findings, struct pl_fault *fault)
{
    struct pl_fault found = { 0 };
    struct walk walk = { .findings = findings };
    (void)limits;
    walk.chunks = malloc(sizeof *walk.chunks);
    if (walk.chunks == NULL)
        return PL_NO_MEMORY;
    (void)pl_text_format(what, WHAT_CHARS, "a PNG picture");
    pl_status status = pl_png_chunks_begin(walk.chunks, source, &found);
    if (status == PL_OK)
        status = chunks_walk(&walk);
    const uint8_t *head = walk.head;
    if (head[8] != 0)
        (void)pl_text_format(
            what, WHAT_CHARS, "a PNG picture of %u x %u pixels, %u bits a sample",
            (unsigned)head[0] << 24 | (unsigned)head[1] << 16 | (unsigned)head[2] << 8 | head[3],
            (unsigned)head[4] << 24 | (unsigned)head[5] << 16 | (unsigned)head[6] << 8 | head[7],
            head[8]);
    free(walk.chunks);
    if (status == PL_BAD_DOCUMENT) {
        png_find(&walk, "5.3", "%s", found.reason);
        status = PL_OK;
    }
    return status == PL_OK ? PL_OK : pl_fault_set(fault, status, "%s", found.reason);
}
