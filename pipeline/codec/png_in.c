/* png_in: PNG files as documents of one page (ISO/IEC 15948).
 *
 * A picture without interlacing whose transparency is in its palette at most is carried as it is:
 * PNG's compressed stream is what FlateDecode with predictor 15 undoes. It is inflated once, while
 * its checksums are made, to prove that it holds every row. Everything else is decoded: Adam7,
 * alpha and a transparent colour, which are laid over white paper.
 *
 * Every chunk's checksum counts. Critical chunks out of order are damage, and so is a transparency
 * that does not fit; other chunks that are out of place, doubled or of the wrong size say nothing,
 * with a note. Text is never unpacked; a profile only up to what a page's may have. Of an animation
 * the still picture is taken.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"
#include "pipeline/codec/flate.h"
#include "pipeline/codec/flate_rows.h"
#include "pipeline/codec/png_chunks.h"
#include "pipeline/codec/png_pixels.h"
#include "pipeline/image/profile.h"
#include "pipeline/image/resolution.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXPANSION_FREE_BYTES ((uint64_t)64 << 20)
#define PALETTE_ENTRIES 256
#define SRGB_GAMMA 45455U /* ISO/IEC 15948 11.3.3.5 */
#define GAMMA_TOLERANCE 1000U

struct png_reader {
    struct pl_reader reader;
    struct pl_limits limits;
};

enum png_stage { STAGE_HEAD, STAGE_PALETTE, STAGE_PIXELS, STAGE_TAIL, STAGE_END };

struct png_load {
    struct pl_png_chunks chunks;
    struct pl_png_head head;
    enum png_stage stage;
    struct pl_page *page;
    struct pl_fault *fault;
    struct pl_png_proof *proof; /* while the stream is to be carried as it is */
    unsigned seen;              /* bits of the rows of chunk_rows */
    uint32_t gamma;             /* 0: not said */
    bool has_colours;           /* sRGB or iCCP speak */
    size_t extra;               /* bytes behind the compressed stream */
    struct pl_resolution resolution;
};

static uint32_t number_of(const uint8_t *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static bool depth_is_allowed(unsigned type, unsigned bits)
{
    switch (type) {
    case PL_PNG_GREY:
        return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
    case PL_PNG_PALETTE:
        return bits == 1 || bits == 2 || bits == 4 || bits == 8;
    case PL_PNG_RGB:
    case PL_PNG_GREY_ALPHA:
    case PL_PNG_RGB_ALPHA:
        return bits == 8 || bits == 16;
    default:
        return false;
    }
}

/* IHDR, which is the first chunk. */
static pl_status head_read(struct pl_png_chunks *chunks, struct pl_png_head *out)
{
    uint8_t data[13] = { 0 };
    pl_status status = pl_png_chunks_next(chunks);
    if (status != PL_OK)
        return status;
    if (!pl_png_chunk_is(chunks, "IHDR") || chunks->size != sizeof data)
        return pl_png_damaged(chunks->fault,
                              "its first chunk, %s of %" PRIu32 " bytes, is no header",
                              chunks->type, chunks->size);
    status = pl_png_chunk_read(chunks, data, sizeof data);
    if (status == PL_OK)
        status = pl_png_chunk_end(chunks);
    if (status != PL_OK)
        return status;
    if (!depth_is_allowed(data[9], data[8]))
        return pl_png_damaged(chunks->fault, "colour type %u of %u bits does not exist",
                              (unsigned)data[9], (unsigned)data[8]);
    if (data[10] != 0 || data[11] != 0 || data[12] > 1)
        return pl_png_damaged(chunks->fault,
                              "compression %u, filter %u or interlacing %u does not exist",
                              (unsigned)data[10], (unsigned)data[11], (unsigned)data[12]);
    *out = (struct pl_png_head){ .width_px = number_of(data),
                                 .height_px = number_of(data + 4),
                                 .bits = data[8],
                                 .type = (enum pl_png_type)data[9],
                                 .interlaced = data[12] == 1 };
    return PL_OK;
}

static pl_status head_check(const struct pl_png_head *head, const struct pl_source *source,
                            const struct pl_limits *limits, struct pl_fault *fault)
{
    unsigned samples = pl_png_samples(head->type);
    pl_status status =
        pl_limits_check(limits, 1, head->width_px, head->height_px, samples, head->bits, fault);
    if (status != PL_OK)
        return status;
    uint64_t decoded =
        (uint64_t)pl_flate_row_bytes(head->width_px, samples, head->bits) * head->height_px;
    if (decoded > EXPANSION_FREE_BYTES && decoded / limits->expansion > source->size)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "page 1 would unpack %" PRIu64 " bytes to %" PRIu64
                            " MiB; at most %" PRIu64 " : 1 is accepted",
                            source->size, decoded >> 20, limits->expansion);
    return PL_OK;
}

/* What a misplaced or misshapen chunk of no great weight leaves behind. */
static void chunk_ignored(struct png_load *load)
{
    pl_page_note(load->page, "unusable %s chunk ignored", load->chunks.type);
}

static pl_status take_palette(struct png_load *load)
{
    struct pl_png_chunks *chunks = &load->chunks;
    uint8_t *room = NULL;
    uint32_t most = 1U << (load->head.bits & 15);
    if (load->head.type == PL_PNG_GREY || load->head.type == PL_PNG_GREY_ALPHA ||
        load->stage != STAGE_HEAD)
        return pl_png_damaged(load->fault, "a palette stands where none may be");
    if (chunks->size == 0 || chunks->size % 3 != 0 || chunks->size / 3 > PALETTE_ENTRIES)
        return pl_png_damaged(load->fault, "its palette has %" PRIu32 " bytes", chunks->size);
    load->stage = STAGE_PALETTE;
    if (load->head.type != PL_PNG_PALETTE) /* a hint for poor screens */
        return PL_OK;
    uint32_t entries = chunks->size / 3;
    if (entries > most) {
        pl_page_note(load->page, "palette of %" PRIu32 " colours cut to %" PRIu32, entries, most);
        entries = most;
    }
    pl_status status = pl_bytes_reserve(&load->page->palette, (size_t)most * 3, &room);
    if (status != PL_OK)
        return status;
    /* An index without a colour is shown black, as clause 13.6 advises. */
    memset(room, 0, (size_t)most * 3);
    load->page->palette.size = (size_t)most * 3;
    return pl_png_chunk_read(chunks, room, (size_t)entries * 3);
}

/* tRNS of a palette: its colours are laid over white, the indices stay. */
static pl_status palette_apply_alpha(struct png_load *load, const uint8_t *alpha, size_t count)
{
    struct pl_bytes *palette = &load->page->palette;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < 3; n++) {
            unsigned value = palette->data[i * 3 + n];
            palette->data[i * 3 + n] =
                (uint8_t)((value * alpha[i] + 255U * (255U - alpha[i]) + 127) / 255);
        }
        any = any || alpha[i] != 255;
    }
    if (any)
        pl_page_note(load->page, "alpha laid over white");
    return PL_OK;
}

static pl_status take_transparency(struct png_load *load)
{
    struct pl_png_chunks *chunks = &load->chunks;
    uint8_t data[PALETTE_ENTRIES];
    unsigned samples = pl_png_samples(load->head.type);
    bool has_palette = load->head.type == PL_PNG_PALETTE;
    bool fits = has_palette ? load->stage == STAGE_PALETTE && chunks->size > 0 &&
                                  chunks->size <= load->page->palette.size / 3
                            : (load->head.type == PL_PNG_GREY || load->head.type == PL_PNG_RGB) &&
                                  load->stage < STAGE_PIXELS && chunks->size == 2 * samples;
    if (!fits)
        return pl_png_damaged(load->fault,
                              "its transparency, a tRNS chunk of %" PRIu32
                              " bytes, does not belong there",
                              chunks->size);
    pl_status status = pl_png_chunk_read(chunks, data, chunks->size);
    if (status != PL_OK)
        return status;
    if (has_palette)
        return palette_apply_alpha(load, data, chunks->size);
    for (size_t n = 0; n < samples; n++)
        load->head.key[n] =
            (uint16_t)((data[2 * n] << 8 | data[2 * n + 1]) & ((1 << load->head.bits) - 1));
    load->head.has_key = true;
    pl_page_note(load->page, "alpha laid over white");
    return PL_OK;
}

/* Pixels per metre are whole numbers, so 300 dpi are said as 11,811: what can be meant as a whole
 * number of dpi is. */
static void density_settle(uint32_t metre, uint32_t *num, uint32_t *den)
{
    uint64_t dpi = ((uint64_t)metre * 254 + 5000) / 10000;
    bool is_whole = (dpi * 10000 + 127) / 254 == metre;
    *num = is_whole ? (uint32_t)dpi : metre;
    *den = is_whole ? 1 : 100;
}

static pl_status take_resolution(struct png_load *load)
{
    uint8_t data[9];
    struct pl_resolution *said = &load->resolution;
    if (load->chunks.size != sizeof data) {
        chunk_ignored(load);
        return PL_OK;
    }
    pl_status status = pl_png_chunk_read(&load->chunks, data, sizeof data);
    if (status != PL_OK)
        return status;
    *said =
        (struct pl_resolution){ PL_RESOLUTION_NONE, number_of(data), 1, number_of(data + 4), 1 };
    if (data[8] != 1)
        return PL_OK;
    uint32_t x_den = 0;
    uint32_t y_den = 0;
    density_settle(number_of(data), &said->x_num, &x_den);
    density_settle(number_of(data + 4), &said->y_num, &y_den);
    said->unit = PL_RESOLUTION_INCH;
    if (x_den != 1 || y_den != 1) {
        said->unit = PL_RESOLUTION_CM;
        said->x_num = number_of(data);
        said->y_num = number_of(data + 4);
        said->x_den = said->y_den = 100;
    }
    return PL_OK;
}

static pl_status take_gamma(struct png_load *load)
{
    uint8_t data[4];
    if (load->chunks.size != sizeof data)
        return PL_OK;
    pl_status status = pl_png_chunk_read(&load->chunks, data, sizeof data);
    if (status == PL_OK)
        load->gamma = number_of(data);
    return status;
}

static pl_status take_srgb(struct png_load *load)
{
    load->has_colours = true;
    return PL_OK;
}

/* Unpacks the rest of the chunk into the page's profile; *whole: all of it, and it ended. */
static pl_status profile_unpack(struct png_load *load, bool *whole)
{
    struct pl_png_chunks *chunks = &load->chunks;
    struct pl_bytes *icc = &load->page->icc;
    struct pl_inflate *inflate = NULL;
    pl_status status = pl_inflate_new(&inflate);
    *whole = false;
    while (status == PL_OK && chunks->left > 0 && !pl_inflate_ended(inflate)) {
        struct pl_cursor in = { chunks->window, 0, 0 };
        in.size = chunks->left < PL_PNG_WINDOW ? chunks->left : PL_PNG_WINDOW;
        status = pl_png_chunk_read(chunks, chunks->window, in.size);
        size_t got = 1;
        while (status == PL_OK && got > 0) {
            uint8_t *room = NULL;
            size_t size =
                icc->limit - icc->size < PL_PNG_WINDOW ? icc->limit - icc->size : PL_PNG_WINDOW;
            status = size == 0 ? PL_TOO_LARGE : pl_bytes_reserve(icc, size, &room);
            if (status == PL_OK)
                status = pl_inflate_run(inflate, &in, room, size, &got);
            icc->size += status == PL_OK ? got : 0;
        }
    }
    if (status == PL_OK)
        *whole = pl_inflate_ended(inflate);
    pl_inflate_free(inflate);
    return status == PL_TOO_LARGE || (status == PL_BAD_DOCUMENT &&
                                      (load->fault == NULL || load->fault->status == PL_OK))
               ? PL_OK
               : status;
}

/* A name of 1 to 79 characters, its end, the method 0, then the profile. */
static pl_status take_profile(struct png_load *load)
{
    struct pl_png_chunks *chunks = &load->chunks;
    uint8_t byte = 1;
    size_t name = 0;
    bool whole = false;
    pl_status status = PL_OK;
    while (status == PL_OK && byte != 0 && name <= 80 && chunks->left > 0) {
        status = pl_png_chunk_read(chunks, &byte, 1);
        name++;
    }
    if (status == PL_OK && byte == 0 && chunks->left > 0) {
        status = pl_png_chunk_read(chunks, &byte, 1);
        if (status == PL_OK && byte == 0)
            status = profile_unpack(load, &whole);
    }
    if (status != PL_OK)
        return status;
    load->has_colours = whole;
    if (!whole) {
        pl_bytes_fini(&load->page->icc);
        pl_page_note(load->page, "unusable colour profile ignored");
    }
    return PL_OK;
}

static pl_status take_animation(struct png_load *load)
{
    pl_page_note(load->page, "animated: still picture taken");
    return PL_OK;
}

/* Chunks that say something here and may stand once, before the stage is left. */
static const struct chunk_row {
    char type[5];
    enum png_stage last;
    pl_status (*take)(struct png_load *load);
} chunk_rows[] = {
    { "gAMA", STAGE_HEAD, take_gamma },        { "sRGB", STAGE_HEAD, take_srgb },
    { "iCCP", STAGE_HEAD, take_profile },      { "pHYs", STAGE_PALETTE, take_resolution },
    { "acTL", STAGE_PALETTE, take_animation },
};

static pl_status take_ancillary(struct png_load *load)
{
    for (unsigned i = 0; i < PL_COUNT_OF(chunk_rows); i++) {
        const struct chunk_row *row = &chunk_rows[i];
        if (!pl_png_chunk_is(&load->chunks, row->type))
            continue;
        if (load->stage > row->last || (load->seen >> i & 1) != 0) {
            chunk_ignored(load);
            return PL_OK;
        }
        load->seen |= 1U << i;
        return row->take(load);
    }
    return PL_OK;
}

static bool is_carried(const struct pl_png_head *head)
{
    return !head->interlaced && !head->has_key && head->type != PL_PNG_GREY_ALPHA &&
           head->type != PL_PNG_RGB_ALPHA;
}

static pl_status pixels_begin(struct png_load *load)
{
    uint8_t *room = NULL;
    const struct pl_source *source = load->chunks.source;
    if (load->head.type == PL_PNG_PALETTE && load->page->palette.size == 0)
        return pl_png_damaged(load->fault, "it has no palette, which its colour type needs");
    load->stage = STAGE_PIXELS;
    uint64_t most = source->size - load->chunks.at;
    if (most > load->page->data.limit)
        return pl_fault_set(load->fault, PL_TOO_LARGE,
                            "the PNG file has %" PRIu64 " MiB; at most %zu MiB are accepted",
                            source->size >> 20, load->page->data.limit >> 20);
    pl_status status = pl_bytes_reserve(&load->page->data, (size_t)most, &room);
    if (status == PL_OK && is_carried(&load->head))
        status = pl_png_proof_new(&load->head, &load->proof);
    return status;
}

/* A piece of the compressed stream, into the page's data. */
static pl_status pixels_take_piece(struct png_load *load, size_t size)
{
    struct pl_bytes *data = &load->page->data;
    uint8_t *room = NULL;
    size_t used = size;
    pl_status status = pl_bytes_reserve(data, size, &room);
    if (status == PL_OK)
        status = pl_png_chunk_read(&load->chunks, room, size);
    if (status == PL_OK && load->proof != NULL)
        status = pl_png_proof_feed(load->proof, room, size, &used, load->fault);
    if (status != PL_OK)
        return status;
    data->size += used;
    load->extra += size - used;
    return PL_OK;
}

static pl_status take_pixels(struct png_load *load)
{
    pl_status status = PL_OK;
    if (load->stage == STAGE_TAIL)
        return pl_png_damaged(load->fault, "other chunks stand between those of its pixels");
    if (load->stage < STAGE_PIXELS)
        status = pixels_begin(load);
    while (status == PL_OK && load->chunks.left > 0) {
        size_t left = load->chunks.left;
        status = pixels_take_piece(load, left < PL_PNG_WINDOW ? left : PL_PNG_WINDOW);
    }
    return status;
}

static pl_status take_end(struct png_load *load)
{
    if (load->stage < STAGE_PIXELS)
        return pl_png_damaged(load->fault, "it ends before its pixels");
    if (load->chunks.size != 0)
        return pl_png_damaged(load->fault, "its end chunk has %" PRIu32 " bytes",
                              load->chunks.size);
    load->stage = STAGE_END;
    return PL_OK;
}

static pl_status take_chunk(struct png_load *load)
{
    const struct pl_png_chunks *chunks = &load->chunks;
    if (pl_png_chunk_is(chunks, "IDAT"))
        return take_pixels(load);
    if (load->stage == STAGE_PIXELS)
        load->stage = STAGE_TAIL;
    if (pl_png_chunk_is(chunks, "IEND"))
        return take_end(load);
    if (pl_png_chunk_is(chunks, "PLTE"))
        return take_palette(load);
    if (pl_png_chunk_is(chunks, "tRNS"))
        return take_transparency(load);
    if (pl_png_chunk_is(chunks, "IHDR"))
        return pl_png_damaged(load->fault, "it has two headers");
    if ((chunks->type[0] & 0x20) == 0)
        return pl_fault_set(load->fault, PL_UNSUPPORTED,
                            "this PNG has a chunk %s that must be understood, and is not known",
                            chunks->type);
    return take_ancillary(load);
}

static pl_status load_chunks(struct png_load *load)
{
    pl_status status = PL_OK;
    while (status == PL_OK && load->stage != STAGE_END) {
        status = pl_png_chunks_next(&load->chunks);
        if (status == PL_OK)
            status = take_chunk(load);
        if (status == PL_OK)
            status = pl_png_chunk_end(&load->chunks);
    }
    uint64_t behind = load->chunks.source->size - load->chunks.at;
    if (status == PL_OK && behind > 0)
        pl_page_note(load->page, "%" PRIu64 " bytes after the picture left out", behind);
    return status;
}

static void load_shape(struct png_load *load)
{
    static const enum pl_colour colours[] = { [PL_PNG_GREY] = PL_COLOUR_GREY,
                                              [PL_PNG_RGB] = PL_COLOUR_RGB,
                                              [PL_PNG_PALETTE] = PL_COLOUR_RGB,
                                              [PL_PNG_GREY_ALPHA] = PL_COLOUR_GREY,
                                              [PL_PNG_RGB_ALPHA] = PL_COLOUR_RGB };
    struct pl_page *page = load->page;
    const struct pl_png_head *head = &load->head;
    page->width_px = head->width_px;
    page->height_px = head->height_px;
    page->bits = head->bits;
    page->colour =
        head->type == PL_PNG_GREY && head->bits == 1 ? PL_COLOUR_BILEVEL : colours[head->type];
    page->filter = PL_FILTER_FLATE;
    pl_resolution_apply(&load->resolution, page);
    uint32_t off = load->gamma > SRGB_GAMMA ? load->gamma - SRGB_GAMMA : SRGB_GAMMA - load->gamma;
    if (load->gamma != 0 && off > GAMMA_TOLERANCE && !load->has_colours)
        pl_page_note(page, "gamma %u.%05u not applied", (unsigned)(load->gamma / 100000),
                     (unsigned)(load->gamma % 100000));
}

static pl_status load_page(struct png_load *load, const struct pl_limits *limits)
{
    struct pl_page *page = load->page;
    pl_status status = head_read(&load->chunks, &load->head);
    if (status == PL_OK)
        status = head_check(&load->head, load->chunks.source, limits, load->fault);
    if (status == PL_OK)
        status = load_chunks(load);
    if (status != PL_OK)
        return status;
    if (load->proof != NULL) {
        status = pl_png_proof_end(load->proof, load->fault);
        page->how = PL_PAGE_COPIED;
    } else {
        status = pl_png_decode(&load->head, page, load->fault);
        if (status == PL_OK &&
            (load->head.type == PL_PNG_GREY_ALPHA || load->head.type == PL_PNG_RGB_ALPHA))
            pl_page_note(page, "alpha laid over white");
    }
    if (status != PL_OK)
        return status;
    load_shape(load);
    if (load->extra > 0)
        pl_page_note(page, "%zu bytes after the pixels left out", load->extra);
    status = pl_page_add_part(page, page->height_px, page->data.size);
    if (status == PL_OK)
        pl_profile_settle(page);
    return status;
}

static pl_status png_load(const struct pl_reader *base, struct pl_source *source, uint32_t n,
                          struct pl_page *page, struct pl_fault *fault)
{
    const struct png_reader *reader = (const struct png_reader *)base;
    PL_CHECK(n == 0);
    struct png_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        return PL_NO_MEMORY;
    page->number = 1;
    load->page = page;
    load->fault = fault;
    pl_status status = pl_png_chunks_begin(&load->chunks, source, fault);
    if (status == PL_OK)
        status = load_page(load, &reader->limits);
    pl_png_proof_free(load->proof);
    free(load);
    return status;
}

static void png_close(struct pl_reader *base)
{
    free(base);
}

static uint32_t png_page_count(const struct pl_reader *base)
{
    (void)base;
    return 1;
}

static pl_status png_open(struct pl_source *source, const struct pl_open_settings *settings,
                          struct pl_reader **out, struct pl_fault *fault)
{
    struct pl_png_head head = { 0 };
    struct png_reader *reader = NULL;
    struct pl_png_chunks *chunks = malloc(sizeof *chunks);
    if (chunks == NULL)
        return PL_NO_MEMORY;
    pl_status status = pl_png_chunks_begin(chunks, source, fault);
    if (status == PL_OK)
        status = head_read(chunks, &head);
    if (status == PL_OK)
        status = head_check(&head, source, settings->limits, fault);
    free(chunks);
    if (status != PL_OK)
        return status;
    reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return PL_NO_MEMORY;
    reader->reader.ops = &pl_png_reader;
    reader->limits = *settings->limits;
    *out = &reader->reader;
    return PL_OK;
}

const struct pl_reader_ops pl_png_reader = { .name = "png",
                                             .open = png_open,
                                             .page_count = png_page_count,
                                             .load = png_load,
                                             .close = png_close };
