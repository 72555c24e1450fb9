/* pdf_out: the writer of all kinds of PDF, append-only (ISO 32000-1, ISO 19005-1 to -3).
 *
 * For each page its images, the content that draws them and the page object, or what is imported
 * from another PDF; at the end what the whole file needs. Memory does not grow with pages beyond 8
 * bytes an object, and the same pages give the same bytes. Pages of the same size share one content
 * stream.
 *
 *            header  colour               Info, XMP                  besides
 * pdf        1.7     as the pages have it  both, when there is a text  encryption (AES-256, R6)
 * pdfa-1b    1.4     output intent sRGB    XMP; Info says the same     no UserUnit
 * pdfa-2b/3b 1.7     output intent sRGB    XMP; Info says the same
 *
 * A result that is to be linearized is written plain into memory first, up to a limit.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/flate.h"
#include "pipeline/pdf/icc.h"
#include "pipeline/pdf/pdf_import.h"
#include "pipeline/pdf/pdf_info.h"
#include "pipeline/pdf/pdf_labels.h"
#include "pipeline/pdf/pdf_linearize.h"
#include "pipeline/pdf/pdf_object.h"
#include "pipeline/pdf/pdf_page.h"
#include "pipeline/pdf/pdf_tree.h"
#include "pipeline/pdf/pdf_xmp.h"
#include "pipeline/pdf/pdf_xobject.h"
#include "pipeline/writer.h"

#include <stdlib.h>
#include <string.h>

#define OUT_SCRATCH ((size_t)1 << 24)
#define OUT_ENCRYPT ((size_t)1 << 12)
#define OUT_DEFLATE_FROM 512 /* bytes of a content stream */

/* A plain result that waits for its end, to be linearized. */
struct out_held {
    struct pl_out base;
    struct pl_bytes bytes;
};

struct pdf_out {
    struct pl_writer base;
    const struct pl_convert *convert;
    const struct pl_limits *limits;
    struct pl_out *out;
    struct pl_pdf_shadow *shadow; /* PDF/A: what is checked at the end; it is then the `out` */
    struct out_held held;         /* convert->linearize: written before `out` */
    unsigned part;                /* of PDF/A; 0: plain PDF */
    struct pl_pdf_crypt crypt;
    struct pl_bytes encrypt; /* the dictionary; empty: not encrypted */
    struct pl_pdf_writer *writer;
    struct pl_pdf_xobjects xobjects;
    struct pl_pdf_import *import; /* NULL until a page is imported */
    struct pl_pdf_tree tree;
    uint64_t pages;
    struct pl_bytes scratch;
    struct pl_bytes content; /* of the last page, and where it stands */
    uint32_t content_number;
};

/* --- opening and closing --------------------------------------------------------------------- */

static bool out_encrypts(const struct pl_convert *convert)
{
    return convert->user_password[0] != '\0' || convert->owner_password[0] != '\0';
}

/* A page to be imported was surveyed for the format by its reader, or made for it by an
 * interpreter.
 */
static bool out_carries(const struct pl_convert *convert, const struct pl_page *page)
{
    return page->kind == PL_PAGE_PDF || pl_pdf_xobject_carries(convert->to, page);
}

/* What only these formats ask of a page: profiles, and a note on a size that has no place. */
static pl_status out_encode(const struct pl_convert *convert, const struct pl_limits *limits,
                            struct pl_page *page, struct pl_fault *fault)
{
    (void)limits;
    (void)fault;
    if (page->kind != PL_PAGE_IMAGE)
        return PL_OK;
    pl_pdf_xobject_settle(convert->to, page);
    struct pl_pdf_box box = pl_pdf_page_box(page, convert);
    if (box.rule != NULL)
        pl_page_note(page, "%s", box.rule);
    return PL_OK;
}

static pl_status held_write(struct pl_out *out, const void *data, size_t size)
{
    struct out_held *held = (struct out_held *)out;
    return pl_bytes_append(&held->bytes, data, size);
}

static void out_close(struct pl_writer *writer)
{
    struct pdf_out *pdf = (struct pdf_out *)writer;
    if (pdf == NULL)
        return;
    pl_pdf_import_free(pdf->import);
    pl_pdf_writer_free(pdf->writer);
    pl_pdf_xobjects_fini(&pdf->xobjects);
    pl_pdf_shadow_free(pdf->shadow);
    pl_bytes_fini(&pdf->held.bytes);
    pl_bytes_fini(&pdf->encrypt);
    pl_bytes_fini(&pdf->scratch);
    pl_bytes_fini(&pdf->content);
    pl_wipe(&pdf->crypt, sizeof pdf->crypt);
    free(pdf);
}

static unsigned out_minor(const struct pdf_out *pdf)
{
    return pdf->part == 1 ? 4 : 7;
}

/* What is held has a limit of its own. */
static pl_status out_held_fault(const struct pdf_out *pdf, pl_status status, struct pl_fault *fault)
{
    if (status != PL_TOO_LARGE || !pdf->convert->linearize)
        return status;
    return pl_fault_set(fault, status,
                        "it is held in memory to be linearized, and has more than %zu MB, the "
                        "limit of that",
                        PL_PDF_LINEAR_MOST >> 20);
}

static pl_status out_check(const struct pl_convert *convert, struct pl_fault *fault)
{
    pl_status status = pl_pdf_info_check(convert, fault);
    if (status == PL_OK)
        status = pl_pdf_labels_check(convert, fault);
    if (status == PL_OK)
        status = pl_pdf_xmp_check(convert, fault);
    return status;
}

static pl_status out_make_crypt(struct pdf_out *pdf, const uint8_t *seed, struct pl_fault *fault)
{
    const struct pl_convert *convert = pdf->convert;
    PL_CHECK(seed != NULL && pdf->part == 0);
    pl_status status = pl_pdf_crypt_make(convert->user_password, convert->owner_password,
                                         convert->permissions, seed, &pdf->crypt, &pdf->encrypt);
    if (status == PL_BAD_REQUEST)
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "a password of the result is not UTF-8 or has more than 127 bytes");
    return status;
}

static pl_status out_begin(struct pdf_out *pdf, const uint8_t *seed, struct pl_fault *fault)
{
    static const struct pl_out_ops held_ops = { held_write };
    const struct pl_convert *convert = pdf->convert;
    pl_status status = out_encrypts(convert) ? out_make_crypt(pdf, seed, fault) : PL_OK;
    if (status != PL_OK)
        return status;
    pdf->held.base.ops = &held_ops;
    pl_bytes_init(&pdf->held.bytes, PL_PDF_LINEAR_MOST);
    if (pdf->part != 0)
        status = pl_pdf_shadow_new(pdf->out, &pdf->shadow);
    if (status != PL_OK)
        return status;
    if (pdf->shadow != NULL)
        pdf->out = pl_pdf_shadow_out(pdf->shadow);
    if (convert->linearize)
        return pl_pdf_writer_new(&pdf->held.base, out_minor(pdf), NULL, &pdf->writer);
    status = pl_pdf_writer_new(pdf->out, out_minor(pdf), out_encrypts(convert) ? &pdf->crypt : NULL,
                               &pdf->writer);
    if (status == PL_OK)
        pl_pdf_writer_shadow(pdf->writer, pdf->shadow);
    return status;
}

static pl_status out_open(const struct pl_convert *convert, const uint8_t *seed,
                          const struct pl_limits *limits, struct pl_out *out,
                          struct pl_writer **writer, struct pl_fault *fault)
{
    pl_status status = out_check(convert, fault);
    if (status != PL_OK)
        return status;
    struct pdf_out *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    *made = (struct pdf_out){ .base.ops = &pl_pdf_writer_ops,
                              .convert = convert,
                              .limits = limits,
                              .out = out,
                              .part = pl_format_pdfa_part(convert->to) };
    pl_bytes_init(&made->encrypt, OUT_ENCRYPT);
    pl_bytes_init(&made->scratch, OUT_SCRATCH);
    pl_bytes_init(&made->content, OUT_SCRATCH);
    status = out_begin(made, seed, fault);
    pl_pdf_xobjects_init(&made->xobjects, made->writer, convert->to);
    if (status == PL_OK) {
        *writer = &made->base;
    } else {
        out_close(&made->base);
    }
    return status;
}

/* --- pages ----------------------------------------------------------------------------------- */

/* Writes the content stream, unless the last page's does. */
static pl_status out_content(struct pdf_out *pdf, const struct pl_page *page,
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
static void out_page_object(struct pdf_out *pdf, const struct pl_page *page,
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

static pl_status out_image_page(struct pdf_out *pdf, const struct pl_page *page)
{
    PL_CHECK(page->part_count > 0 && page->width_px > 0 && page->height_px > 0);
    struct pl_pdf_box box = pl_pdf_page_box(page, pdf->convert);
    uint32_t first = 0;
    pl_status status = out_content(pdf, page, &box);
    if (status == PL_OK)
        status = pl_pdf_xobjects_write(&pdf->xobjects, page, &first);
    if (status != PL_OK)
        return status;
    out_page_object(pdf, page, &box, first);
    return pl_pdf_status(pdf->writer);
}

static pl_status out_imported_page(struct pdf_out *pdf, const struct pl_page *page,
                                   struct pl_fault *fault)
{
    pl_status status =
        pdf->import == NULL ? pl_pdf_import_new(pdf->writer, pdf->part, &pdf->import) : PL_OK;
    if (status != PL_OK)
        return status;
    uint32_t parent = pl_pdf_tree_parent(&pdf->tree, pdf->writer);
    uint32_t number = pl_pdf_reserve(pdf->writer);
    status = pl_pdf_status(pdf->writer);
    if (status == PL_OK)
        status = pl_pdf_import_page(pdf->import, page->pdf, number, parent, fault);
    if (status != PL_OK)
        return status;
    pl_pdf_tree_add(&pdf->tree, number);
    return pl_pdf_status(pdf->writer);
}

static pl_status out_page(struct pl_writer *writer, const struct pl_page *page, uint64_t *bytes,
                          struct pl_fault *fault)
{
    struct pdf_out *pdf = (struct pdf_out *)writer;
    uint64_t before = pl_pdf_size(pdf->writer);
    pl_status status =
        page->kind == PL_PAGE_PDF ? out_imported_page(pdf, page, fault) : out_image_page(pdf, page);
    if (status != PL_OK)
        return out_held_fault(pdf, status, fault);
    pdf->pages++;
    *bytes = pl_pdf_size(pdf->writer) - before;
    return PL_OK;
}

/* --- the end --------------------------------------------------------------------------------- */

/* Objects that the catalog names; 0: none. */
struct out_refs {
    uint32_t pages;
    uint32_t intent;
    uint32_t metadata;
    uint32_t labels;
    uint32_t info;
};

/* The output intent and its profile. sRGB, so that grey and RGB pages may stay device colours. */
static pl_status out_intent(struct pdf_out *pdf, uint32_t *number)
{
    struct pl_bytes profile = { 0 };
    uint32_t stream = 0;
    if (pdf->part == 0)
        return PL_OK;
    pl_bytes_init(&profile, OUT_SCRATCH);
    pl_status status = pdf->part == 1 ? pl_icc_srgb_2(&profile) : pl_icc_srgb(&profile);
    if (status == PL_OK)
        status = pl_pdf_xobjects_profile(&pdf->xobjects, &profile, 3, &stream);
    pl_bytes_fini(&profile);
    if (status != PL_OK)
        return status;
    *number = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, *number);
    pl_pdf_format(pdf->writer, "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier");
    pl_pdf_string(pdf->writer, pl_span_from("sRGB"));
    pl_pdf_format(pdf->writer, "/Info");
    pl_pdf_string(pdf->writer, pl_span_from("sRGB IEC61966-2.1"));
    pl_pdf_format(pdf->writer, "/DestOutputProfile %u 0 R>>", stream);
    pl_pdf_end(pdf->writer);
    return pl_pdf_status(pdf->writer);
}

/* Never compressed: whoever looks for a file's metadata reads bytes (and PDF/A-1 asks for it). */
static pl_status out_metadata(struct pdf_out *pdf, bool wanted, uint32_t *number,
                              struct pl_fault *fault)
{
    if (!wanted && pdf->part == 0 && pdf->convert->xmp.size == 0)
        return PL_OK;
    pl_bytes_clear(&pdf->scratch);
    pl_status status = pl_pdf_xmp(pdf->convert, &pdf->scratch, fault);
    if (status != PL_OK)
        return status;
    *number = pl_pdf_reserve(pdf->writer);
    pl_pdf_begin(pdf->writer, *number);
    pl_pdf_format(pdf->writer, "<</Type/Metadata/Subtype/XML");
    pl_pdf_end_stream(pdf->writer, pdf->scratch.data, pdf->scratch.size);
    return pl_pdf_status(pdf->writer);
}

static uint32_t out_catalog(struct pdf_out *pdf, const struct out_refs *refs)
{
    struct pl_pdf_writer *writer = pdf->writer;
    uint32_t number = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, number);
    pl_pdf_format(writer, "<</Type/Catalog/Pages %u 0 R", refs->pages);
    if (refs->metadata != 0)
        pl_pdf_format(writer, "/Metadata %u 0 R", refs->metadata);
    if (refs->intent != 0)
        pl_pdf_format(writer, "/OutputIntents[%u 0 R]", refs->intent);
    if (refs->labels != 0)
        pl_pdf_format(writer, "/PageLabels %u 0 R", refs->labels);
    if (pdf->convert->title[0] != '\0')
        pl_pdf_format(writer, "/ViewerPreferences<</DisplayDocTitle true>>");
    /* R6 is younger than PDF 1.7: level 8 of Adobe's extensions, which became PDF 2.0. */
    if (pdf->encrypt.size > 0)
        pl_pdf_format(writer, "/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 8>>>>");
    pl_pdf_format(writer, ">>");
    pl_pdf_end(writer);
    return number;
}

/* The document, plain where it is held. */
static pl_status out_finish(struct pdf_out *pdf, struct pl_fault *fault)
{
    struct out_refs refs = { .pages = pl_pdf_tree_end(&pdf->tree, pdf->writer) };
    pl_status status = out_intent(pdf, &refs.intent);
    if (status == PL_OK)
        status = pl_pdf_info_write(pdf->convert, pdf->writer, &refs.info);
    if (status == PL_OK)
        status = out_metadata(pdf, refs.info != 0, &refs.metadata, fault);
    if (status == PL_OK)
        status = pl_pdf_labels_write(pdf->convert, pdf->pages, pdf->writer, &refs.labels);
    if (status != PL_OK)
        return status;
    struct pl_pdf_ends ends = { .root = out_catalog(pdf, &refs), .info = refs.info };
    if (!pdf->convert->linearize)
        ends.encrypt = (struct pl_span){ (const char *)pdf->encrypt.data, pdf->encrypt.size };
    return pl_pdf_writer_finish(pdf->writer, &ends);
}

static pl_status out_linearize(struct pdf_out *pdf, struct pl_fault *fault)
{
    struct pl_pdf_linear linear = {
        .limits = pdf->limits,
        .minor = out_minor(pdf),
        .crypt = pdf->encrypt.size > 0 ? &pdf->crypt : NULL,
        .encrypt = { (const char *)pdf->encrypt.data, pdf->encrypt.size },
    };
    pl_status status =
        pl_source_memory_new(pdf->held.bytes.data, pdf->held.bytes.size, &linear.plain);
    if (status != PL_OK)
        return status;
    status = pl_pdf_linearize(&linear, pdf->out, fault);
    linear.plain->ops->free(linear.plain);
    return status;
}

static pl_status out_end(struct pl_writer *base, struct pl_fault *fault)
{
    struct pdf_out *pdf = (struct pdf_out *)base;
    pl_status status = out_finish(pdf, fault);
    if (status != PL_OK)
        return out_held_fault(pdf, status, fault);
    status = pdf->convert->linearize ? out_linearize(pdf, fault) : PL_OK;
    return status == PL_OK && pdf->shadow != NULL
               ? pl_pdf_shadow_check(pdf->shadow, pdf->limits, pdf->part, fault)
               : status;
}

const struct pl_writer_ops pl_pdf_writer_ops = {
    .carries = out_carries,
    .encode = out_encode,
    .open = out_open,
    .page = out_page,
    .end = out_end,
    .close = out_close,
    .wants_seed = out_encrypts,
};
