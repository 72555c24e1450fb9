/* pdf_out: for each page its images, the content that draws them and the page object; at the end
 * what the whole file needs.
 *
 * A T.6 image is written with /EndOfBlock false and its /Rows: a strip that was copied usually ends
 * in an EOFB, one that we made does not, and every reader takes both this way. Pages of the same
 * size share one content stream, pages with the same profile share the profile.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_out.h"

#include "engine/base/digest.h"
#include "pipeline/codec/flate.h"
#include "pipeline/image/profile.h"
#include "pipeline/pdf/icc.h"
#include "pipeline/pdf/pdf_object.h"
#include "pipeline/pdf/pdf_page.h"
#include "pipeline/pdf/pdf_tree.h"
#include "pipeline/pdf/pdf_xmp.h"

#include <stdlib.h>
#include <string.h>

#define OUT_SCRATCH ((size_t)1 << 24)
#define OUT_PROFILES 32      /* remembered; a file with more different ones repeats some */
#define OUT_DEFLATE_FROM 512 /* bytes of a content stream */

struct out_profile {
    uint8_t digest[PL_SHA256_BYTES];
    unsigned components;
    uint32_t number;
};

struct pl_pdf_out {
    struct pl_pdf_writer *writer;
    struct pl_pdf_tree tree;
    struct pl_bytes scratch;
    struct pl_bytes content; /* of the last page, and where it stands */
    uint32_t content_number;
    uint32_t cmyk_number; /* the colour space for CMYK without a profile */
    struct out_profile profiles[OUT_PROFILES];
    unsigned profile_count;
    unsigned profile_next; /* to be forgotten */
};

pl_status pl_pdf_out_new(struct pl_out *out, struct pl_pdf_out **pdf)
{
    struct pl_pdf_out *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    pl_bytes_init(&made->scratch, OUT_SCRATCH);
    pl_bytes_init(&made->content, OUT_SCRATCH);
    pl_status status = pl_pdf_writer_new(out, 7, NULL, &made->writer);
    if (status == PL_OK) {
        *pdf = made;
    } else {
        pl_pdf_out_free(made);
    }
    return status;
}

void pl_pdf_out_free(struct pl_pdf_out *pdf)
{
    if (pdf == NULL)
        return;
    pl_pdf_writer_free(pdf->writer);
    pl_bytes_fini(&pdf->scratch);
    pl_bytes_fini(&pdf->content);
    free(pdf);
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

/* The profile as a deflated stream; its number. */
static pl_status out_write_profile(struct pl_pdf_out *pdf, const void *data, size_t size,
                                   unsigned components, uint32_t *number)
{
    pl_bytes_clear(&pdf->scratch);
    pl_status status = pl_flate_all(data, size, &pdf->scratch);
    if (status != PL_OK)
        return status;
    *number = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, *number);
    pl_pdf_format(pdf->writer, "<</N %u/Filter/FlateDecode", components);
    pl_pdf_end_stream(pdf->writer, pdf->scratch.data, pdf->scratch.size);
    return pl_pdf_status(pdf->writer);
}

/* The page's own profile, written unless the same one was before. */
static pl_status out_embed_profile(struct pl_pdf_out *pdf, const struct pl_page *page,
                                   uint32_t *number)
{
    unsigned components = colour_components(page->colour);
    uint8_t digest[PL_SHA256_BYTES];
    pl_sha256_of(page->icc.data, page->icc.size, digest);
    for (unsigned i = 0; i < pdf->profile_count; i++) {
        const struct out_profile *known = &pdf->profiles[i];
        if (known->components == components && memcmp(known->digest, digest, sizeof digest) == 0) {
            *number = known->number;
            return PL_OK;
        }
    }
    pl_status status = out_write_profile(pdf, page->icc.data, page->icc.size, components, number);
    if (status != PL_OK)
        return status;
    struct out_profile *made = &pdf->profiles[pdf->profile_next];
    *made = (struct out_profile){ .components = components, .number = *number };
    memcpy(made->digest, digest, sizeof digest);
    pdf->profile_next = (pdf->profile_next + 1) % OUT_PROFILES;
    if (pdf->profile_count < OUT_PROFILES)
        pdf->profile_count++;
    return PL_OK;
}

/* CMYK that came without a profile; PDF/A has no device CMYK under an RGB output intent. */
static pl_status out_assume_cmyk(struct pl_pdf_out *pdf, uint32_t *number)
{
    pl_status status = PL_OK;
    if (pdf->cmyk_number == 0) {
        struct pl_bytes profile = { 0 };
        pl_bytes_init(&profile, OUT_SCRATCH);
        status = pl_icc_cmyk(&profile);
        if (status == PL_OK)
            status = out_write_profile(pdf, profile.data, profile.size, 4, &pdf->cmyk_number);
        pl_bytes_fini(&profile);
    }
    *number = pdf->cmyk_number;
    return status;
}

/* Number of the profile that the page's images name, 0 for a device colour space. */
static pl_status out_colour_space(struct pl_pdf_out *pdf, const struct pl_page *page,
                                  uint32_t *number)
{
    *number = 0;
    if (pl_profile_fits(page->icc.data, page->icc.size, page->colour))
        return out_embed_profile(pdf, page, number);
    return page->colour == PL_COLOUR_CMYK ? out_assume_cmyk(pdf, number) : PL_OK;
}

static void out_image_filter(struct pl_pdf_writer *writer, const struct pl_page *page,
                             uint32_t rows)
{
    unsigned components = colour_components(page->colour);
    switch (page->filter) {
    case PL_FILTER_G4:
        pl_pdf_format(writer,
                      "/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns %u/Rows %u"
                      "/EndOfBlock false>>",
                      page->width_px, rows);
        break;
    case PL_FILTER_DCT:
        pl_pdf_format(writer, "/Filter/DCTDecode");
        break;
    case PL_FILTER_FLATE:
        pl_pdf_format(writer,
                      "/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors %u"
                      "/BitsPerComponent %u/Columns %u>>",
                      components, page->bits, page->width_px);
        break;
    case PL_FILTER_G3:
    case PL_FILTER_JBIG2:
    case PL_FILTER_JPX:
    case PL_FILTER_LZW:
        PL_CHECK(false);
    }
}

static void out_image(struct pl_pdf_out *pdf, const struct pl_page *page,
                      const struct pl_page_part *part, uint32_t profile)
{
    static const char *const spaces[] = { "", "DeviceGray", "", "DeviceRGB", "" };
    static const char *const decode[] = { "", "1 0", "", "1 0 1 0 1 0", "1 0 1 0 1 0 1 0" };
    struct pl_pdf_writer *writer = pdf->writer;
    unsigned components = colour_components(page->colour);
    pl_pdf_begin(writer, pl_pdf_reserve(writer));
    pl_pdf_format(writer, "<</Type/XObject/Subtype/Image/Width %u/Height %u/BitsPerComponent %u",
                  page->width_px, part->rows, page->bits);
    if (profile != 0) {
        pl_pdf_format(writer, "/ColorSpace[/ICCBased %u 0 R]", profile);
    } else {
        pl_pdf_format(writer, "/ColorSpace/%s", spaces[components]);
    }
    if (page->inverted)
        pl_pdf_format(writer, "/Decode[%s]", decode[components]);
    out_image_filter(writer, page, part->rows);
    PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
    pl_pdf_end_stream(writer, page->data.data + part->at, part->size);
}

/* Writes the content stream, unless the last page's does. */
static pl_status out_content(struct pl_pdf_out *pdf, const struct pl_page *page,
                             const struct pl_pdf_box *box)
{
    struct pl_bytes *made = &pdf->scratch;
    struct pl_bytes *last = &pdf->content;
    pl_bytes_clear(made);
    pl_status status = pl_pdf_page_content(page, box, made);
    if (status != PL_OK)
        return status;
    if (pdf->content_number != 0 && made->size == last->size &&
        memcmp(made->data, last->data, made->size) == 0)
        return PL_OK;
    struct pl_bytes swap = *last;
    *last = *made;
    *made = swap;
    pdf->content_number = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, pdf->content_number);
    if (last->size < OUT_DEFLATE_FROM) {
        pl_pdf_format(pdf->writer, "<<");
        pl_pdf_end_stream(pdf->writer, last->data, last->size);
        return pl_pdf_status(pdf->writer);
    }
    pl_bytes_clear(made);
    status = pl_flate_all(last->data, last->size, made);
    if (status != PL_OK)
        return status;
    pl_pdf_format(pdf->writer, "<</Filter/FlateDecode");
    pl_pdf_end_stream(pdf->writer, made->data, made->size);
    return pl_pdf_status(pdf->writer);
}

/* The images have the numbers from `first` on. */
static void out_page_object(struct pl_pdf_out *pdf, const struct pl_page *page,
                            const struct pl_pdf_box *box, uint32_t first)
{
    struct pl_pdf_writer *writer = pdf->writer;
    uint32_t parent = pl_pdf_tree_parent(&pdf->tree, writer);
    uint32_t number = pl_pdf_reserve(writer);
    char width[PL_PDF_NUMBER_CHARS];
    char height[PL_PDF_NUMBER_CHARS];
    pl_pdf_begin(writer, number);
    pl_pdf_format(writer, "<</Type/Page/Parent %u 0 R/MediaBox[0 0 %s %s]", parent,
                  pl_pdf_number((int64_t)box->width, width),
                  pl_pdf_number((int64_t)box->height, height));
    if (box->user_unit != 1)
        pl_pdf_format(writer, "/UserUnit %u", box->user_unit);
    if (box->rotate != 0)
        pl_pdf_format(writer, "/Rotate %u", box->rotate);
    pl_pdf_format(writer, "/Contents %u 0 R/Resources<</XObject<<", pdf->content_number);
    for (size_t i = 0; i < page->part_count; i++)
        pl_pdf_format(writer, "/I%zu %u 0 R", i, first + (uint32_t)i);
    pl_pdf_format(writer, ">>>>>>");
    pl_pdf_end(writer);
    pl_pdf_tree_add(&pdf->tree, number);
}

pl_status pl_pdf_out_page(struct pl_pdf_out *pdf, const struct pl_page *page, uint64_t *bytes)
{
    PL_CHECK(page->part_count > 0 && page->width_px > 0 && page->height_px > 0);
    uint64_t before = pl_pdf_size(pdf->writer);
    struct pl_pdf_box box = pl_pdf_page_box(page);
    uint32_t profile = 0;
    pl_status status = out_colour_space(pdf, page, &profile);
    if (status == PL_OK)
        status = out_content(pdf, page, &box);
    if (status != PL_OK)
        return status;
    uint32_t first = pl_pdf_next(pdf->writer);
    for (size_t i = 0; i < page->part_count; i++)
        out_image(pdf, page, &page->parts[i], profile);
    status = pl_pdf_status(pdf->writer);
    if (status != PL_OK)
        return status;
    out_page_object(pdf, page, &box, first);
    status = pl_pdf_status(pdf->writer);
    if (status == PL_OK)
        *bytes = pl_pdf_size(pdf->writer) - before;
    return status;
}

/* The output intent and its profile. sRGB, so that grey and RGB pages may stay device colours. */
static pl_status out_intent(struct pl_pdf_out *pdf, uint32_t *number)
{
    struct pl_bytes profile = { 0 };
    pl_bytes_init(&profile, OUT_SCRATCH);
    uint32_t stream = 0;
    pl_status status = pl_icc_srgb(&profile);
    if (status == PL_OK)
        status = out_write_profile(pdf, profile.data, profile.size, 3, &stream);
    pl_bytes_fini(&profile);
    if (status != PL_OK)
        return status;
    *number = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, *number);
    pl_pdf_format(pdf->writer,
                  "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)"
                  "/Info(sRGB IEC61966-2.1)/DestOutputProfile %u 0 R>>",
                  stream);
    pl_pdf_end(pdf->writer);
    return pl_pdf_status(pdf->writer);
}

static pl_status out_metadata(struct pl_pdf_out *pdf, uint32_t *number)
{
    pl_bytes_clear(&pdf->scratch);
    pl_status status = pl_pdf_xmp(2, 'B', &pdf->scratch);
    if (status != PL_OK)
        return status;
    *number = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, *number);
    pl_pdf_format(pdf->writer, "<</Type/Metadata/Subtype/XML");
    pl_pdf_end_stream(pdf->writer, pdf->scratch.data, pdf->scratch.size);
    return pl_pdf_status(pdf->writer);
}

pl_status pl_pdf_out_end(struct pl_pdf_out *pdf)
{
    uint32_t pages = pl_pdf_tree_end(&pdf->tree, pdf->writer);
    uint32_t intent = 0;
    uint32_t metadata = 0;
    pl_status status = out_intent(pdf, &intent);
    if (status == PL_OK)
        status = out_metadata(pdf, &metadata);
    if (status != PL_OK)
        return status;
    uint32_t catalog = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, catalog);
    pl_pdf_format(pdf->writer,
                  "<</Type/Catalog/Pages %u 0 R/Metadata %u 0 R/OutputIntents[%u 0 R]>>", pages,
                  metadata, intent);
    pl_pdf_end(pdf->writer);
    return pl_pdf_writer_finish(pdf->writer, &(struct pl_pdf_ends){ .root = catalog });
}
