/* pdf_filter: one function for each encoding, from a cursor into a buffer.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_filter.h"

#include "pipeline/codec/flate.h"
#include "pipeline/pdf/pdf_lex.h"
#include "pipeline/pdf/pdf_lzw.h"

#include <string.h>

#define FLATE_STEP ((size_t)1 << 16)

struct filter_name {
    const char *name;
    const char *abbreviation;
    enum pl_pdf_filter_kind kind;
};

static const struct filter_name filter_names[] = {
    { "FlateDecode", "Fl", PL_PDF_FILTER_FLATE },
    { "LZWDecode", "LZW", PL_PDF_FILTER_LZW },
    { "ASCII85Decode", "A85", PL_PDF_FILTER_ASCII85 },
    { "ASCIIHexDecode", "AHx", PL_PDF_FILTER_ASCII_HEX },
    { "RunLengthDecode", "RL", PL_PDF_FILTER_RUN_LENGTH },
    { "Crypt", "Crypt", PL_PDF_FILTER_CRYPT },
    { "CCITTFaxDecode", "CCF", PL_PDF_FILTER_IMAGE },
    { "DCTDecode", "DCT", PL_PDF_FILTER_IMAGE },
    { "JBIG2Decode", "JBIG2Decode", PL_PDF_FILTER_IMAGE },
    { "JPXDecode", "JPXDecode", PL_PDF_FILTER_IMAGE },
};

struct pl_pdf_filter pl_pdf_filter_named(struct pl_span name)
{
    struct pl_pdf_filter filter = { .kind = PL_PDF_FILTER_UNKNOWN, .name = name };
    for (size_t i = 0; i < PL_COUNT_OF(filter_names); i++) {
        if (pl_span_equals(name, filter_names[i].name) ||
            pl_span_equals(name, filter_names[i].abbreviation)) {
            filter.kind = filter_names[i].kind;
            filter.name = pl_span_from(filter_names[i].name);
            break;
        }
    }
    return filter;
}

/* --- Flate ----------------------------------------------------------------------------------- */

/* More bytes of the source into memory; false at the end. */
static bool encoded_more(struct pl_pdf_encoded *in, pl_status *status)
{
    if (in->memory.at < in->memory.size)
        return true;
    if (in->source == NULL || in->at >= in->end)
        return false;
    uint64_t left = in->end - in->at;
    size_t size = left < PL_PDF_ENCODED_STEP ? (size_t)left : PL_PDF_ENCODED_STEP;
    *status = pl_source_read(in->source, in->at, in->buffer, size);
    if (*status != PL_OK)
        return false;
    in->memory = (struct pl_cursor){ in->buffer, size, 0 };
    in->at += size;
    return true;
}

/* Decodes to the end of the input or of the stream. At the limit of the buffer it is enough that
 * nothing more would come. */
static pl_status flate_run(struct pl_inflate *inflate, struct pl_pdf_encoded *in,
                           struct pl_bytes *out)
{
    pl_status status = PL_OK;
    while (status == PL_OK && !pl_inflate_ended(inflate)) {
        uint8_t *room = NULL;
        uint8_t beyond = 0;
        size_t got = 0;
        bool more = encoded_more(in, &status);
        if (status != PL_OK)
            return status;
        size_t step = out->limit - out->size < FLATE_STEP ? out->limit - out->size : FLATE_STEP;
        if (step > 0)
            status = pl_bytes_reserve(out, step, &room);
        if (status != PL_OK)
            return status;
        status = pl_inflate_run(inflate, &in->memory, step > 0 ? room : &beyond,
                                step > 0 ? step : 1, &got);
        if (step == 0 && got > 0)
            return PL_TOO_LARGE;
        out->size += got;
        if (status == PL_OK && got == 0 && !more && !pl_inflate_ended(inflate))
            return pl_inflate_is_whole(inflate) ? PL_OK : PL_BAD_DOCUMENT;
    }
    return status;
}

/* Whether the first two bytes are a zlib header (RFC 1950 section 2.2). */
static bool flate_has_header(const struct pl_cursor *in)
{
    const uint8_t *data = in->data + in->at;
    return in->size - in->at >= 2 && (data[0] & 0x0f) == 8 && (data[0] >> 4) <= 7 &&
           (data[0] * 256U + data[1]) % 31 == 0 && (data[1] & 0x20) == 0;
}

static pl_status filter_flate(struct pl_pdf_encoded *in, struct pl_bytes *out)
{
    pl_status status = PL_OK;
    struct pl_inflate *inflate = NULL;
    if (!encoded_more(in, &status)) /* nothing encodes nothing */
        return status;
    status = pl_inflate_new(&inflate);
    if (status != PL_OK)
        return status;
    if (!flate_has_header(&in->memory))
        pl_inflate_restart_raw(inflate);
    status = flate_run(inflate, in, out);
    pl_inflate_free(inflate);
    return status;
}

/* --- ASCII and runs -------------------------------------------------------------------------- */

static pl_status ascii85_group(const uint32_t *digits, size_t count, struct pl_bytes *out)
{
    uint8_t four[4];
    uint64_t value = 0;
    for (size_t i = 0; i < 5; i++)
        value = value * 85 + (i < count ? digits[i] : 84);
    if (value > UINT32_MAX && count == 5)
        return PL_BAD_DOCUMENT;
    pl_put_u32be(four, (uint32_t)value);
    return pl_bytes_append(out, four, count - 1);
}

static pl_status filter_ascii85(struct pl_cursor *in, struct pl_bytes *out)
{
    static const uint8_t zeros[4];
    pl_status status = PL_OK;
    uint32_t digits[5];
    size_t count = 0;
    uint8_t c = 0;
    if (in->size - in->at >= 2 && memcmp(in->data + in->at, "<~", 2) == 0)
        in->at += 2; /* as btoa begins */
    while (status == PL_OK && pl_cursor_u8(in, &c) && c != '~') {
        if (pl_pdf_is_space(c))
            continue;
        if (c == 'z' && count == 0) {
            status = pl_bytes_append(out, zeros, sizeof zeros);
        } else if (c < '!' || c > 'u') {
            status = PL_BAD_DOCUMENT;
        } else {
            digits[count++] = (uint32_t)(c - '!');
            if (count == 5) {
                status = ascii85_group(digits, count, out);
                count = 0;
            }
        }
    }
    if (c == '~' && in->at < in->size && in->data[in->at] == '>')
        in->at++;
    if (status == PL_OK && count > 1)
        status = ascii85_group(digits, count, out);
    return status;
}

static pl_status filter_ascii_hex(struct pl_cursor *in, struct pl_bytes *out)
{
    pl_status status = PL_OK;
    unsigned high = 0;
    bool half = false;
    uint8_t c = 0;
    while (status == PL_OK && pl_cursor_u8(in, &c) && c != '>') {
        int digit = pl_text_hex_digit((char)c);
        if (digit < 0) {
            status = pl_pdf_is_space(c) ? PL_OK : PL_BAD_DOCUMENT;
            continue;
        }
        uint8_t byte = (uint8_t)(high << 4 | (unsigned)digit);
        if (half)
            status = pl_bytes_append(out, &byte, 1);
        high = half ? 0 : (unsigned)digit;
        half = !half;
    }
    uint8_t last = (uint8_t)(high << 4);
    return status == PL_OK && half ? pl_bytes_append(out, &last, 1) : status;
}

static pl_status filter_run_length(struct pl_cursor *in, struct pl_bytes *out)
{
    uint8_t length = 0;
    while (pl_cursor_u8(in, &length) && length != 128) {
        const uint8_t *from = NULL;
        uint8_t *room = NULL;
        size_t count = length < 128 ? length + 1U : 257U - length;
        size_t left = in->size - in->at;
        size_t take = length < 128 ? count : 1;
        bool cut = take > left;
        if (cut)
            count = take = length < 128 ? left : 0;
        pl_status status = pl_bytes_reserve(out, count, &room);
        if (status != PL_OK)
            return status;
        if (!pl_cursor_take(in, take, &from) || count == 0)
            return PL_BAD_DOCUMENT;
        if (length < 128)
            memcpy(room, from, count);
        else
            memset(room, *from, count);
        out->size += count;
        if (cut)
            return PL_BAD_DOCUMENT;
    }
    return PL_OK;
}

/* --- all of them ----------------------------------------------------------------------------- */

static pl_status filter_lzw(const struct pl_pdf_filter *filter, struct pl_cursor *in,
                            struct pl_bytes *out)
{
    const struct pl_pdf_value *early = pl_pdf_dict_peek(filter->parms, "EarlyChange");
    return pl_pdf_lzw(in, early == NULL || early->kind != PL_PDF_INT || early->as.integer != 0,
                      out);
}

pl_status pl_pdf_filter_undo(const struct pl_pdf_filter *filter, struct pl_pdf_encoded *in,
                             struct pl_bytes *out)
{
    size_t from = out->size;
    pl_status status = PL_UNSUPPORTED;
    switch (filter->kind) {
    case PL_PDF_FILTER_FLATE:
        status = filter_flate(in, out);
        break;
    case PL_PDF_FILTER_LZW:
        status = filter_lzw(filter, &in->memory, out);
        break;
    case PL_PDF_FILTER_ASCII85:
        return filter_ascii85(&in->memory, out);
    case PL_PDF_FILTER_ASCII_HEX:
        return filter_ascii_hex(&in->memory, out);
    case PL_PDF_FILTER_RUN_LENGTH:
        return filter_run_length(&in->memory, out);
    case PL_PDF_FILTER_CRYPT:
    case PL_PDF_FILTER_IMAGE:
    case PL_PDF_FILTER_UNKNOWN:
        return PL_UNSUPPORTED;
    }
    if (status != PL_OK && status != PL_BAD_DOCUMENT)
        return status;
    pl_status undone = pl_pdf_unpredict(filter->parms, out, from);
    return undone != PL_OK ? undone : status;
}
