/* pdf_xobject: dictionaries of images (ISO 32000-1 8.9.5, 7.4).
 *
 * A T.6 or T.4 image is written with /EndOfBlock false and its /Rows: a strip that was copied
 * usually ends in an end-of-block, one that we made does not, and every reader takes both this way.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_xobject.h"

#include "engine/base/cipher.h"
#include "pipeline/codec/flate.h"
#include "pipeline/image/profile.h"
#include "pipeline/pdf/icc.h"
#include "pipeline/pdf/pdf_jpx.h"
#include "pipeline/source.h"

#include <string.h>

#define XOBJECT_SCRATCH ((size_t)1 << 24)
#define XOBJECT_DICT_MOST 4095 /* entries of a dictionary, PDF 1.4 annex C */
#define XOBJECT_PALETTE_MOST 256

void pl_pdf_xobjects_init(struct pl_pdf_xobjects *xobjects, struct pl_pdf_writer *writer,
                          enum pl_format format)
{
    *xobjects = (struct pl_pdf_xobjects){ .writer = writer, .part = pl_format_pdfa_part(format) };
    pl_bytes_init(&xobjects->scratch, XOBJECT_SCRATCH);
}

void pl_pdf_xobjects_fini(struct pl_pdf_xobjects *xobjects)
{
    pl_bytes_fini(&xobjects->scratch);
}

static unsigned colour_components(enum pl_colour colour)
{
    switch (colour) {
    case PL_COLOUR_BILEVEL:
    case PL_COLOUR_GREY:
        return 1;
    case PL_COLOUR_RGB:
        return 3;
    case PL_COLOUR_CMYK:
        return 4;
    }
    return 0;
}

/* --- what can be carried --------------------------------------------------------------------- */

static bool carries_bits(unsigned part, const struct pl_page *page)
{
    if (page->palette.size > 0)
        return page->bits == 1 || page->bits == 2 || page->bits == 4 || page->bits == 8;
    if (page->bits == 16)
        return part != 1; /* PDF 1.5 */
    return page->bits == 8 || (colour_components(page->colour) == 1 &&
                               (page->bits == 1 || page->bits == 2 || page->bits == 4));
}

static bool carries_predictor(const struct pl_page *page)
{
    return page->predictor <= 2 || (page->predictor >= 10 && page->predictor <= 15);
}

static bool carries_palette(const struct pl_page *page)
{
    size_t entry = colour_components(page->colour);
    return page->palette.size == 0 ||
           (page->palette.size % entry == 0 && page->palette.size / entry <= XOBJECT_PALETTE_MOST);
}

/* Whether the head of a JPEG 2000 image can be read; what it says. */
static bool jpx_scan(const struct pl_page *page, const struct pl_page_part *part,
                     struct pl_jpx_info *info)
{
    struct pl_source *source = NULL;
    if (pl_source_memory_new(page->data.data + part->at, part->size, &source) != PL_OK)
        return false;
    bool good = pl_jpx_scan(source, info, NULL) == PL_OK;
    source->ops->free(source);
    return good;
}

static bool jpx_has_space(unsigned part, const struct pl_page *page)
{
    return pl_profile_fits(page->icc.data, page->icc.size, page->colour) ||
           (part != 0 && page->colour == PL_COLOUR_CMYK);
}

/* Not before PDF 1.5. */
static bool carries_jpx(unsigned part, const struct pl_page *page)
{
    for (size_t i = 0; i < page->part_count; i++) {
        struct pl_jpx_info info;
        if (part == 1 || !jpx_scan(page, &page->parts[i], &info))
            return false;
        if (part != 0 &&
            (!info.boxed || pl_jpx_refuses_pdfa(&info, jpx_has_space(part, page)) != NULL))
            return false;
    }
    return true;
}

static bool carries_filter(unsigned part, const struct pl_page *page)
{
    bool plain = page->palette.size == 0;
    switch (page->filter) {
    case PL_FILTER_G4:
    case PL_FILTER_JBIG2:
        return page->bits == 1;
    case PL_FILTER_G3:
        return page->bits == 1 && page->fax.k >= 0;
    case PL_FILTER_DCT:
        return page->bits == 8 && plain && page->colour != PL_COLOUR_BILEVEL;
    case PL_FILTER_FLATE:
        return carries_bits(part, page) && carries_predictor(page);
    case PL_FILTER_LZW:
        return part == 0 && carries_bits(part, page) && page->predictor <= 2;
    case PL_FILTER_JPX:
        return plain && carries_jpx(part, page);
    }
    return false;
}

bool pl_pdf_xobject_carries(enum pl_format format, const struct pl_page *page)
{
    unsigned part = pl_format_pdfa_part(format);
    if (page->part_count == 0 || (part == 1 && page->part_count > XOBJECT_DICT_MOST))
        return false;
    return carries_filter(part, page) && carries_palette(page);
}

void pl_pdf_xobject_settle(enum pl_format format, struct pl_page *page)
{
    if (pl_format_pdfa_part(format) != 1 || page->kind != PL_PAGE_IMAGE ||
        !pl_profile_fits(page->icc.data, page->icc.size, page->colour) || page->icc.data[8] < 3)
        return;
    pl_bytes_fini(&page->icc);
    pl_page_note(page, "colour profile of ICC version 4 left out: PDF/A-1 knows version 2");
}

/* --- what images share ----------------------------------------------------------------------- */

/* Looks for an object of `kind` that was made of `data` and a number; *digest names it. */
static uint32_t shared_find(const struct pl_pdf_xobjects *xobjects, const char *kind,
                            uint32_t number, const struct pl_bytes *data,
                            uint8_t digest[PL_SHA256_BYTES])
{
    uint8_t word[4];
    pl_put_u32be(word, number);
    const struct pl_piece pieces[] = { { kind, strlen(kind) },
                                       { word, sizeof word },
                                       { data->data, data->size } };
    pl_sha2_of(256, pieces, PL_COUNT_OF(pieces), digest);
    for (unsigned i = 0; i < xobjects->shared_count; i++) {
        if (memcmp(xobjects->shared[i].digest, digest, PL_SHA256_BYTES) == 0)
            return xobjects->shared[i].number;
    }
    return 0;
}

static void shared_keep(struct pl_pdf_xobjects *xobjects, const uint8_t digest[PL_SHA256_BYTES],
                        uint32_t number)
{
    struct pl_pdf_shared *made = &xobjects->shared[xobjects->shared_next];
    memcpy(made->digest, digest, PL_SHA256_BYTES);
    made->number = number;
    xobjects->shared_next = (xobjects->shared_next + 1) % PL_PDF_SHARED;
    if (xobjects->shared_count < PL_PDF_SHARED)
        xobjects->shared_count++;
}

pl_status pl_pdf_xobjects_profile(struct pl_pdf_xobjects *xobjects, const struct pl_bytes *profile,
                                  unsigned components, uint32_t *number)
{
    struct pl_pdf_writer *writer = xobjects->writer;
    pl_bytes_clear(&xobjects->scratch);
    pl_status status = pl_flate_all(profile->data, profile->size, &xobjects->scratch);
    if (status != PL_OK)
        return status;
    *number = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, *number);
    pl_pdf_format(writer, "<</N %u/Filter/FlateDecode", components);
    pl_pdf_end_stream(writer, xobjects->scratch.data, xobjects->scratch.size);
    return pl_pdf_status(writer);
}

/* The page's own profile. */
static pl_status xobject_embed_profile(struct pl_pdf_xobjects *xobjects, const struct pl_page *page,
                                       uint32_t *number)
{
    unsigned components = colour_components(page->colour);
    uint8_t digest[PL_SHA256_BYTES];
    *number = shared_find(xobjects, "profile", components, &page->icc, digest);
    if (*number != 0)
        return PL_OK;
    pl_status status = pl_pdf_xobjects_profile(xobjects, &page->icc, components, number);
    if (status == PL_OK)
        shared_keep(xobjects, digest, *number);
    return status;
}

/* CMYK that came without a profile; PDF/A has no device CMYK under an RGB output intent. */
static pl_status xobject_assume_cmyk(struct pl_pdf_xobjects *xobjects, uint32_t *number)
{
    pl_status status = PL_OK;
    if (xobjects->cmyk == 0) {
        struct pl_bytes profile = { 0 };
        pl_bytes_init(&profile, XOBJECT_SCRATCH);
        status = xobjects->part == 1 ? pl_icc_cmyk_2(&profile) : pl_icc_cmyk(&profile);
        if (status == PL_OK)
            status = pl_pdf_xobjects_profile(xobjects, &profile, 4, &xobjects->cmyk);
        pl_bytes_fini(&profile);
    }
    *number = xobjects->cmyk;
    return status;
}

/* Number of the profile that the page's images name, 0 for a device colour space. */
static pl_status xobject_profile(struct pl_pdf_xobjects *xobjects, const struct pl_page *page,
                                 uint32_t *number)
{
    *number = 0;
    if (pl_profile_fits(page->icc.data, page->icc.size, page->colour) &&
        (xobjects->part != 1 || page->icc.data[8] < 3))
        return xobject_embed_profile(xobjects, page, number);
    if (page->colour == PL_COLOUR_CMYK && xobjects->part != 0)
        return xobject_assume_cmyk(xobjects, number);
    return PL_OK;
}

static void xobject_space(struct pl_pdf_writer *writer, const struct pl_page *page,
                          uint32_t profile)
{
    static const char *const spaces[] = { "", "Gray", "", "RGB", "CMYK" };
    if (profile != 0) {
        pl_pdf_format(writer, "[/ICCBased %u 0 R]", profile);
    } else {
        pl_pdf_format(writer, "/Device%s", spaces[colour_components(page->colour)]);
    }
}

/* The palette over `profile` as an object of its own. */
static pl_status xobject_palette(struct pl_pdf_xobjects *xobjects, const struct pl_page *page,
                                 uint32_t profile, uint32_t *number)
{
    struct pl_pdf_writer *writer = xobjects->writer;
    unsigned components = colour_components(page->colour);
    uint8_t digest[PL_SHA256_BYTES];
    char kind[32];
    PL_CHECK(pl_text_format(kind, sizeof kind, "palette %u", components));
    *number = shared_find(xobjects, kind, profile, &page->palette, digest);
    if (*number != 0)
        return PL_OK;
    *number = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, *number);
    pl_pdf_format(writer, "[/Indexed");
    xobject_space(writer, page, profile);
    pl_pdf_format(writer, " %zu ", page->palette.size / components - 1);
    pl_pdf_string(writer, (struct pl_span){ (const char *)page->palette.data, page->palette.size });
    pl_pdf_format(writer, "]");
    pl_pdf_end(writer);
    shared_keep(xobjects, digest, *number);
    return pl_pdf_status(writer);
}

static pl_status xobject_globals(struct pl_pdf_xobjects *xobjects, const struct pl_page *page,
                                 uint32_t *number)
{
    struct pl_pdf_writer *writer = xobjects->writer;
    uint8_t digest[PL_SHA256_BYTES];
    *number = shared_find(xobjects, "globals", 0, &page->globals, digest);
    if (*number != 0)
        return PL_OK;
    *number = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, *number);
    pl_pdf_format(writer, "<<");
    pl_pdf_end_stream(writer, page->globals.data, page->globals.size);
    shared_keep(xobjects, digest, *number);
    return pl_pdf_status(writer);
}

/* --- the images ------------------------------------------------------------------------------ */

/* Objects that an image refers to; 0: none. */
struct xobject_refs {
    uint32_t profile;
    uint32_t palette;
    uint32_t globals;
};

static void xobject_fax(struct pl_pdf_writer *writer, const struct pl_page *page, uint32_t rows)
{
    int32_t k = page->filter == PL_FILTER_G4 ? -1 : page->fax.k;
    pl_pdf_format(writer,
                  "/Filter/CCITTFaxDecode/DecodeParms<</K %ld/Columns %u/Rows %u"
                  "/EndOfBlock false",
                  (long)k, page->width_px, rows);
    if (page->filter == PL_FILTER_G3 && page->fax.end_of_line)
        pl_pdf_format(writer, "/EndOfLine true");
    if (page->filter == PL_FILTER_G3 && page->fax.byte_align)
        pl_pdf_format(writer, "/EncodedByteAlign true");
    pl_pdf_format(writer, ">>");
}

static void xobject_predictor(struct pl_pdf_writer *writer, const struct pl_page *page)
{
    unsigned predictor = page->predictor != 0            ? page->predictor
                         : page->filter == PL_FILTER_LZW ? 1
                                                         : 15;
    unsigned colours = page->palette.size > 0 ? 1 : colour_components(page->colour);
    if (predictor != 1)
        pl_pdf_format(writer,
                      "/DecodeParms<</Predictor %u/Colors %u/BitsPerComponent %u/Columns %u>>",
                      predictor, colours, page->bits, page->width_px);
}

static void xobject_filter(struct pl_pdf_writer *writer, const struct pl_page *page, uint32_t rows,
                           const struct xobject_refs *refs)
{
    switch (page->filter) {
    case PL_FILTER_G4:
    case PL_FILTER_G3:
        xobject_fax(writer, page, rows);
        break;
    case PL_FILTER_DCT:
        pl_pdf_format(writer, "/Filter/DCTDecode");
        break;
    case PL_FILTER_FLATE:
        pl_pdf_format(writer, "/Filter/FlateDecode");
        xobject_predictor(writer, page);
        break;
    case PL_FILTER_LZW:
        pl_pdf_format(writer, "/Filter/LZWDecode");
        xobject_predictor(writer, page);
        break;
    case PL_FILTER_JBIG2:
        pl_pdf_format(writer, "/Filter/JBIG2Decode");
        if (refs->globals != 0)
            pl_pdf_format(writer, "/DecodeParms<</JBIG2Globals %u 0 R>>", refs->globals);
        break;
    case PL_FILTER_JPX:
        pl_pdf_format(writer, "/Filter/JPXDecode");
        break;
    }
}

/* JPEG 2000 tells its own depth, and, but for a bare code stream, its colour space, unless a
 * profile was found beside it. */
static void xobject_samples(struct pl_pdf_writer *writer, const struct pl_page *page,
                            const struct pl_page_part *part, const struct xobject_refs *refs)
{
    static const char *const decode[] = { "", "1 0", "", "1 0 1 0 1 0", "1 0 1 0 1 0 1 0" };
    struct pl_jpx_info info = { 0 };
    bool told = page->filter == PL_FILTER_JPX && jpx_scan(page, part, &info) && info.boxed;
    if (page->filter != PL_FILTER_JPX)
        pl_pdf_format(writer, "/BitsPerComponent %u", page->bits);
    if (refs->palette != 0) {
        pl_pdf_format(writer, "/ColorSpace %u 0 R", refs->palette);
    } else if (!told || refs->profile != 0) {
        pl_pdf_format(writer, "/ColorSpace");
        xobject_space(writer, page, refs->profile);
    }
    if (page->inverted && refs->palette != 0) {
        pl_pdf_format(writer, "/Decode[%u 0]", (1U << page->bits) - 1);
    } else if (page->inverted) {
        pl_pdf_format(writer, "/Decode[%s]", decode[colour_components(page->colour)]);
    }
}

static void xobject_image(struct pl_pdf_writer *writer, const struct pl_page *page,
                          const struct pl_page_part *part, const struct xobject_refs *refs)
{
    PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
    pl_pdf_begin(writer, pl_pdf_reserve(writer));
    pl_pdf_format(writer, "<</Type/XObject/Subtype/Image/Width %u/Height %u", page->width_px,
                  part->rows);
    xobject_samples(writer, page, part, refs);
    xobject_filter(writer, page, part->rows, refs);
    pl_pdf_payload(writer);
    pl_pdf_end_stream(writer, page->data.data + part->at, part->size);
}

pl_status pl_pdf_xobjects_write(struct pl_pdf_xobjects *xobjects, const struct pl_page *page,
                                uint32_t *first)
{
    struct xobject_refs refs = { 0 };
    pl_status status = xobject_profile(xobjects, page, &refs.profile);
    if (status == PL_OK && page->palette.size > 0)
        status = xobject_palette(xobjects, page, refs.profile, &refs.palette);
    if (status == PL_OK && page->filter == PL_FILTER_JBIG2 && page->globals.size > 0)
        status = xobject_globals(xobjects, page, &refs.globals);
    if (status != PL_OK)
        return status;
    *first = pl_pdf_next(xobjects->writer);
    for (size_t i = 0; i < page->part_count; i++)
        xobject_image(xobjects->writer, page, &page->parts[i], &refs);
    return pl_pdf_status(xobjects->writer);
}
