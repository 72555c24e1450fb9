/* jbig2_decode: libjbig2dec behind an allocator with a ceiling.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jbig2_decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jbig2.h>

/* What the allocator writes before each block, so that frees can be subtracted. */
union block {
    size_t size;
    max_align_t align;
};

struct jbig2_decoder {
    Jbig2Allocator allocator;
    size_t used;
    size_t most;
    bool refused; /* memory past the ceiling was asked for */
    bool no_memory;
    bool damaged;
    char words[128]; /* libjbig2dec's, of the first complaint */
    Jbig2GlobalCtx *globals;
    Jbig2Ctx *page;
};

static struct jbig2_decoder *decoder_of(Jbig2Allocator *allocator)
{
    return PL_CONTAINER_OF(allocator, struct jbig2_decoder, allocator);
}

static void *jbig2_on_realloc(Jbig2Allocator *allocator, void *old, size_t size)
{
    struct jbig2_decoder *decoder = decoder_of(allocator);
    union block *before = old == NULL ? NULL : (union block *)old - 1;
    size_t held = before == NULL ? 0 : before->size;
    size_t whole = 0;
    if (!pl_size_add(size, sizeof(union block), &whole) ||
        whole > decoder->most - (decoder->used - held)) {
        decoder->refused = true;
        return NULL;
    }
    union block *block = realloc(before, whole);
    if (block == NULL) {
        decoder->no_memory = true;
        return NULL;
    }
    decoder->used = decoder->used - held + whole;
    block->size = whole;
    return block + 1;
}

static void *jbig2_on_alloc(Jbig2Allocator *allocator, size_t size)
{
    return jbig2_on_realloc(allocator, NULL, size);
}

static void jbig2_on_free(Jbig2Allocator *allocator, void *old)
{
    if (old == NULL)
        return;
    union block *block = (union block *)old - 1;
    decoder_of(allocator)->used -= block->size;
    free(block);
}

/* Scanners' encoders count pages from 0, where libjbig2dec counts from 1. */
static bool is_harmless(const char *words)
{
    static const char mark[] = "end of page marker for page ";
    return strncmp(words, mark, sizeof mark - 1) == 0;
}

static void jbig2_on_message(void *owner, const char *words, Jbig2Severity severity,
                             uint32_t segment)
{
    struct jbig2_decoder *decoder = owner;
    (void)segment;
    if (severity < JBIG2_SEVERITY_WARNING || decoder->damaged || is_harmless(words))
        return;
    decoder->damaged = true;
    (void)pl_text_sanitize(pl_span_from(words), decoder->words, sizeof decoder->words);
}

static bool decoder_fed(struct jbig2_decoder *decoder, Jbig2Ctx *context, const uint8_t *data,
                        size_t size)
{
    return context != NULL && jbig2_data_in(context, data, size) >= 0 && !decoder->damaged;
}

/* NULL when libjbig2dec gave up; why is in *decoder. */
static Jbig2Image *decoder_run(struct jbig2_decoder *decoder, const struct pl_jbig2 *jbig2)
{
    if (jbig2->globals_size > 0) {
        Jbig2Ctx *context = jbig2_ctx_new(&decoder->allocator, JBIG2_OPTIONS_EMBEDDED, NULL,
                                          jbig2_on_message, decoder);
        bool fed = decoder_fed(decoder, context, jbig2->globals, jbig2->globals_size);
        if (context != NULL)
            decoder->globals = jbig2_make_global_ctx(context);
        if (!fed)
            return NULL;
    }
    decoder->page = jbig2_ctx_new(&decoder->allocator, JBIG2_OPTIONS_EMBEDDED, decoder->globals,
                                  jbig2_on_message, decoder);
    if (!decoder_fed(decoder, decoder->page, jbig2->data, jbig2->size))
        return NULL;
    if (jbig2_complete_page(decoder->page) < 0 || decoder->damaged)
        return NULL;
    return jbig2_page_out(decoder->page);
}

static pl_status decoder_refuse(const struct jbig2_decoder *decoder, const struct pl_jbig2 *jbig2,
                                struct pl_fault *fault)
{
    if (decoder->no_memory)
        return PL_NO_MEMORY;
    if (decoder->refused)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page %" PRIu32 ": its JBIG2 data need more than %zu MiB to decode",
                            jbig2->page, decoder->most >> 20);
    return pl_fault_set(fault, PL_BAD_DOCUMENT, "page %" PRIu32 ": the JBIG2 data are damaged: %s",
                        jbig2->page, decoder->damaged ? decoder->words : "they hold no picture");
}

static pl_status image_take(const Jbig2Image *image, const struct pl_jbig2 *jbig2, uint8_t *pixels,
                            size_t stride, struct pl_fault *fault)
{
    if (image->width != jbig2->width_px || image->height != jbig2->rows)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "page %" PRIu32 " is said to be %" PRIu32 " x %" PRIu32
                            " pixels, but its JBIG2 data hold %" PRIu32 " x %" PRIu32,
                            jbig2->page, jbig2->width_px, jbig2->rows, image->width, image->height);
    size_t whole = jbig2->width_px / 8;
    for (uint32_t y = 0; y < jbig2->rows; y++) {
        uint8_t *row = pixels + y * stride;
        const uint8_t *from = image->data + (size_t)y * image->stride;
        memset(row + whole, 0, stride - whole);
        memcpy(row, from, whole);
        if (jbig2->width_px % 8 != 0)
            row[whole] = (uint8_t)(from[whole] & 0xff00 >> jbig2->width_px % 8);
    }
    return PL_OK;
}

pl_status pl_jbig2_decode(const struct pl_jbig2 *jbig2, const struct pl_limits *limits,
                          uint8_t *pixels, size_t stride, struct pl_fault *fault)
{
    PL_CHECK(stride % 8 == 0 && stride >= ((size_t)jbig2->width_px + 7) / 8);
    struct jbig2_decoder decoder = {
        .allocator = { jbig2_on_alloc, jbig2_on_free, jbig2_on_realloc },
        .most = (size_t)limits->page_bytes,
    };
    Jbig2Image *image = decoder_run(&decoder, jbig2);
    pl_status status = PL_OK;
    if (image != NULL) {
        status = image_take(image, jbig2, pixels, stride, fault);
        jbig2_release_page(decoder.page, image);
    } else {
        status = decoder_refuse(&decoder, jbig2, fault);
    }
    if (decoder.page != NULL)
        (void)jbig2_ctx_free(decoder.page);
    if (decoder.globals != NULL)
        (void)jbig2_global_ctx_free(decoder.globals);
    PL_CHECK(decoder.used == 0);
    return status;
}
