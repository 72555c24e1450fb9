/* tiff_out: pages in, classic little-endian TIFF out, append-only (TIFF 6.0, TechNote 2 for JPEG).
 *
 * A directory stands behind its strips and names the next one, which stands behind the strips of
 * the next page. So each directory is held back until the next page is there and the sizes of its
 * strips are known; of a page itself nothing is kept.
 *
 * What is copied bit for bit: T.6 strips (an end-of-block code is added where there is none, which
 * T.6 asks for), sequential JPEG streams whose colour TIFF can say. Flate pages become LZW or
 * Deflate by tiff_encode. The page's orientation is a tag. There are no dates, so that the same
 * pages give the same bytes.
 *
 * A classic TIFF ends at 4 GiB and cannot become a BigTIFF in the middle: a page that would not fit
 * is refused, as one beyond the limit for outputs is.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/g4_decode.h"
#include "pipeline/codec/jpeg_scan.h"
#include "pipeline/codec/jpeg_shape.h"
#include "pipeline/codec/tiff_encode.h"
#include "pipeline/codec/tiff_ifd.h"
#include "pipeline/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 8
#define PAGES_NUMBERED 65535 /* PageNumber is a SHORT */

enum tiff_tag {
    TAG_SUBFILE = 254,
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_BITS = 258,
    TAG_COMPRESSION = 259,
    TAG_PHOTOMETRIC = 262,
    TAG_TITLE = 269,
    TAG_DESCRIPTION = 270,
    TAG_OFFSETS = 273,
    TAG_ORIENTATION = 274,
    TAG_SAMPLES = 277,
    TAG_STRIP_ROWS = 278,
    TAG_SIZES = 279,
    TAG_X_RESOLUTION = 282,
    TAG_Y_RESOLUTION = 283,
    TAG_PLANAR = 284,
    TAG_UNIT = 296,
    TAG_PAGE_NUMBER = 297,
    TAG_SOFTWARE = 305,
    TAG_ARTIST = 315,
    TAG_PREDICTOR = 317,
    TAG_COLOUR_MAP = 320,
    TAG_INK_SET = 332,
    TAG_SUBSAMPLING = 530,
    TAG_POSITIONING = 531,
    TAG_REFERENCE = 532,
    TAG_ICC = 34675,
};

enum tiff_compression {
    COMPRESSION_G4 = 4,
    COMPRESSION_LZW = 5,
    COMPRESSION_JPEG = 7,
    COMPRESSION_DEFLATE = 8
};

enum tiff_photometric {
    WHITE_IS_ZERO = 0,
    BLACK_IS_ZERO = 1,
    IS_RGB = 2,
    IS_PALETTE = 3,
    IS_SEPARATED = 5,
    IS_YCBCR = 6,
};

/* How a page is said in tags. */
struct shape {
    uint16_t compression;
    uint16_t photometric;
    uint16_t samples;
    uint16_t subsampling[2]; /* YCbCr */
};

struct tiff_writer {
    struct pl_writer writer;
    const struct pl_convert *convert;
    struct pl_out *out;
    uint64_t most;           /* bytes of the file */
    uint64_t at;             /* bytes so far */
    uint32_t pages;          /* so far */
    struct pl_tiff_ifd held; /* of the last page; it is to stand at `at` */
    struct pl_tiff_ifd made;
    struct pl_bytes scratch;
};

/* All strips of a TIFF but the last have the same number of rows. */
static bool parts_are_strips(const struct pl_page *page)
{
    uint32_t rows = page->part_count > 0 ? page->parts[0].rows : 0;
    for (size_t i = 1; i < page->part_count; i++) {
        uint32_t here = page->parts[i].rows;
        if (here > rows || (here < rows && i + 1 < page->part_count))
            return false;
    }
    return rows > 0;
}

static bool sampling_is_plain(const struct pl_jpeg_info *info, unsigned from)
{
    for (unsigned i = from; i < info->components; i++)
        if (info->sampling[i] != 0x11)
            return false;
    return true;
}

static bool subsampling_fits(unsigned across, unsigned down)
{
    return (across == 1 || across == 2 || across == 4) && (down == 1 || down == 2 || down == 4) &&
           down <= across;
}

/* TechNote 2 takes sequential frames alone, and no reader of TIFF undoes Adobe's YCCK or knows that
 * its CMYK is inverted. */
static bool jpeg_shape_of(const struct pl_jpeg_info *info, const struct pl_page *page,
                          struct shape *out)
{
    *out = (struct shape){ .compression = COMPRESSION_JPEG, .samples = info->components };
    if ((info->frame != 0xc0 && info->frame != 0xc1) || info->bits != 8 || info->tables_missing ||
        info->width_px != page->width_px || info->height_px != page->height_px)
        return false;
    switch (info->components) {
    case 1:
        out->photometric = page->inverted ? WHITE_IS_ZERO : BLACK_IS_ZERO;
        return page->colour == PL_COLOUR_GREY && sampling_is_plain(info, 0);
    case 3:
        if (page->colour != PL_COLOUR_RGB || page->inverted || !sampling_is_plain(info, 1))
            return false;
        out->subsampling[0] = info->sampling[0] >> 4;
        out->subsampling[1] = info->sampling[0] & 15;
        out->photometric = pl_jpeg_info_is_rgb(info) ? IS_RGB : IS_YCBCR;
        return out->photometric == IS_RGB
                   ? sampling_is_plain(info, 0)
                   : subsampling_fits(out->subsampling[0], out->subsampling[1]);
    case 4:
        out->photometric = IS_SEPARATED;
        return page->colour == PL_COLOUR_CMYK && !page->inverted &&
               !(info->adobe && info->adobe_transform == 2) && sampling_is_plain(info, 0);
    default:
        return false;
    }
}

static bool jpeg_shape(const struct pl_page *page, struct shape *out)
{
    struct pl_jpeg_info info;
    struct pl_source *source = NULL;
    if (page->part_count != 1 || page->palette.size > 0 ||
        pl_source_memory_new(page->data.data + page->parts[0].at, page->parts[0].size, &source) !=
            PL_OK)
        return false;
    pl_status status = pl_jpeg_scan(source, false, &info, NULL);
    source->ops->free(source);
    return status == PL_OK && jpeg_shape_of(&info, page, out);
}

/* Bilevel pages are smaller as T.6, and a map of inks cannot be said. */
static bool flate_fits(const struct pl_convert *convert, const struct pl_page *page)
{
    if (convert->tiff == PL_TIFF_JPEG || page->part_count == 0)
        return false;
    if (page->palette.size > 0)
        return page->bits <= 8 && page->colour != PL_COLOUR_CMYK;
    return page->bits > 1;
}

static bool tiff_carries(const struct pl_convert *convert, const struct pl_page *page)
{
    struct shape shape;
    if (page->kind != PL_PAGE_IMAGE)
        return false;
    switch (page->filter) {
    case PL_FILTER_G4:
        return page->palette.size == 0 && page->bits == 1 && parts_are_strips(page);
    case PL_FILTER_DCT:
        return convert->to == PL_FORMAT_TIFF && jpeg_shape(page, &shape);
    case PL_FILTER_FLATE:
        return convert->to == PL_FORMAT_TIFF && flate_fits(convert, page);
    case PL_FILTER_G3:
    case PL_FILTER_JBIG2:
    case PL_FILTER_JPX:
    case PL_FILTER_LZW: /* no reader gives it; `encode` makes it */
        return false;
    }
    return false;
}

/* T.6 2.4.1.1: whether a strip ends with two end-of-line codes and zero bits. */
static bool g4_has_end(const uint8_t *data, size_t size)
{
    while (size > 0 && data[size - 1] == 0)
        size--;
    if (size < 3)
        return false;
    uint32_t tail = (uint32_t)data[size - 3] << 16 | (uint32_t)data[size - 2] << 8 | data[size - 1];
    if (size > 3)
        tail |= (uint32_t)data[size - 4] << 24;
    tail >>= __builtin_ctz(tail);
    return (tail & 0xffffffU) == 0x001001U;
}

/* A reader of PDF forgives strips that break off; one of TIFF would be told that they are whole,
 * since an end is put behind them here. What ends well is not looked at, as in tiff_copy.c. */
static pl_status g4_prove(const struct pl_page *page, struct pl_fault *fault)
{
    struct pl_fax fax = pl_fax_from_page(page);
    pl_status status = PL_OK;
    uint32_t row = 0;
    for (size_t i = 0; i < page->part_count && status == PL_OK; i++) {
        const struct pl_page_part *part = &page->parts[i];
        const uint8_t *data = page->data.data + part->at;
        fax.rows = part->rows;
        fax.first_row = row;
        if (!g4_has_end(data, part->size))
            status = pl_fax_check(&fax, data, part->size, fault);
        row += part->rows;
    }
    return status;
}

static pl_status tiff_encode(const struct pl_convert *convert, const struct pl_limits *limits,
                             struct pl_page *page, struct pl_fault *fault)
{
    (void)limits; /* the page's own buffer has the ceiling */
    if (page->filter == PL_FILTER_FLATE)
        return pl_tiff_encode(convert->tiff, page, fault);
    if (page->how != PL_PAGE_COPIED)
        return PL_OK;
    return page->filter == PL_FILTER_G4 ? g4_prove(page, fault) : pl_jpeg_page_prove(page, fault);
}

static void tiff_close(struct pl_writer *base)
{
    struct tiff_writer *writer = (struct tiff_writer *)base;
    if (writer == NULL)
        return;
    pl_tiff_ifd_fini(&writer->held);
    pl_tiff_ifd_fini(&writer->made);
    pl_bytes_fini(&writer->scratch);
    free(writer);
}

static pl_status tiff_open(const struct pl_convert *convert, const uint8_t *seed,
                           const struct pl_limits *limits, struct pl_out *out,
                           struct pl_writer **writer, struct pl_fault *fault)
{
    (void)seed;
    (void)fault;
    struct tiff_writer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    made->writer.ops = &pl_tiff_writer_ops;
    made->convert = convert;
    made->out = out;
    made->most = limits->output_bytes < UINT32_MAX ? limits->output_bytes : UINT32_MAX;
    pl_tiff_ifd_init(&made->held, (size_t)limits->page_bytes);
    pl_tiff_ifd_init(&made->made, (size_t)limits->page_bytes);
    pl_bytes_init(&made->scratch, (size_t)limits->page_bytes);
    *writer = &made->writer;
    return PL_OK;
}

/* The tags of the page's colour, after `encode`. */
static bool page_shape(const struct pl_page *page, struct shape *out)
{
    if (page->filter == PL_FILTER_DCT)
        return jpeg_shape(page, out);
    *out = (struct shape){ .compression = COMPRESSION_G4, .samples = 1 };
    if (page->filter == PL_FILTER_G4) {
        out->photometric = page->inverted ? BLACK_IS_ZERO : WHITE_IS_ZERO;
        return true;
    }
    PL_CHECK(!page->inverted);
    PL_CHECK(page->predictor == 1 || page->predictor == 2);
    out->compression = page->filter == PL_FILTER_LZW ? COMPRESSION_LZW : COMPRESSION_DEFLATE;
    out->photometric = BLACK_IS_ZERO;
    if (page->palette.size > 0) {
        out->photometric = IS_PALETTE;
    } else if (page->colour == PL_COLOUR_RGB) {
        out->photometric = IS_RGB;
        out->samples = 3;
    } else if (page->colour == PL_COLOUR_CMYK) {
        out->photometric = IS_SEPARATED;
        out->samples = 4;
    }
    return true;
}

static const uint8_t g4_end[3] = { 0x00, 0x10, 0x01 };

static size_t strip_addition(const struct pl_page *page, const struct pl_page_part *part)
{
    return page->filter == PL_FILTER_G4 && !g4_has_end(page->data.data + part->at, part->size)
               ? sizeof g4_end
               : 0;
}

/* Where the strips of a page stand. */
struct strips {
    uint32_t *offsets; /* mean nothing when `end` lies past 4 GiB */
    uint32_t *sizes;
    uint64_t end; /* the even place behind them */
};

static void strips_fini(struct strips *strips)
{
    free(strips->offsets);
    free(strips->sizes);
}

static pl_status strips_place(const struct pl_page *page, uint64_t at, struct strips *out)
{
    out->offsets = calloc(page->part_count, sizeof *out->offsets);
    out->sizes = calloc(page->part_count, sizeof *out->sizes);
    if (out->offsets == NULL || out->sizes == NULL)
        return PL_NO_MEMORY;
    for (size_t i = 0; i < page->part_count; i++) {
        const struct pl_page_part *part = &page->parts[i];
        PL_CHECK(part->at <= page->data.size && part->size <= page->data.size - part->at);
        uint64_t size = part->size + strip_addition(page, part);
        out->offsets[i] = (uint32_t)at;
        out->sizes[i] = (uint32_t)size;
        at += size;
    }
    out->end = at + at % 2;
    return PL_OK;
}

/* Three rows of 2^bits values of 16 bits. An index past the end of the palette shows its last
 * entry, as in PDF. */
static void put_colour_map(const struct pl_page *page, struct pl_tiff_ifd *ifd)
{
    uint16_t map[3 * 256];
    size_t count = (size_t)1 << page->bits;
    size_t step = page->colour == PL_COLOUR_RGB ? 3 : 1;
    size_t entries = page->palette.size / step;
    PL_CHECK(page->bits <= 8 && entries > 0);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *entry = page->palette.data + (i < entries ? i : entries - 1) * step;
        for (size_t n = 0; n < 3; n++)
            map[n * count + i] = (uint16_t)(entry[step == 3 ? n : 0] * 257);
    }
    pl_tiff_ifd_shorts(ifd, TAG_COLOUR_MAP, map, 3 * count);
}

static void put_resolution(struct pl_tiff_ifd *ifd, uint16_t tag, uint32_t mdpi)
{
    uint32_t den = mdpi % 1000 == 0 ? 1 : 1000;
    uint32_t num = mdpi / (1000 / den);
    pl_tiff_ifd_rationals(ifd, tag, &num, den, 1);
}

static void put_text(struct pl_tiff_ifd *ifd, uint16_t tag, const char *text)
{
    if (text[0] != '\0')
        pl_tiff_ifd_text(ifd, tag, text);
}

/* YCbCr of JPEG: the defaults of TIFF 6.0 section 20 and 21 are another one's. */
static void put_ycbcr(const struct shape *shape, struct pl_tiff_ifd *ifd)
{
    static const uint32_t reference[] = { 0, 255, 128, 255, 128, 255 };
    pl_tiff_ifd_shorts(ifd, TAG_SUBSAMPLING, shape->subsampling, 2);
    pl_tiff_ifd_short(ifd, TAG_POSITIONING, 1); /* centred */
    pl_tiff_ifd_rationals(ifd, TAG_REFERENCE, reference, 1, PL_COUNT_OF(reference));
}

/* Fills writer->made. What the document is called stands in its first directory. */
static void put_tags(struct tiff_writer *writer, const struct pl_page *page,
                     const struct shape *shape, const struct strips *strips)
{
    struct pl_tiff_ifd *ifd = &writer->made;
    const struct pl_convert *convert = writer->convert;
    const uint16_t bits[4] = { page->bits, page->bits, page->bits, page->bits };
    const uint16_t number[2] = { (uint16_t)writer->pages, 0 };
    bool first = writer->pages == 0;
    pl_tiff_ifd_clear(ifd);
    pl_tiff_ifd_longs(ifd, TAG_SUBFILE, &(uint32_t){ 2 }, 1); /* a page of several */
    pl_tiff_ifd_longs(ifd, TAG_WIDTH, &page->width_px, 1);
    pl_tiff_ifd_longs(ifd, TAG_HEIGHT, &page->height_px, 1);
    pl_tiff_ifd_shorts(ifd, TAG_BITS, bits, shape->samples);
    pl_tiff_ifd_short(ifd, TAG_COMPRESSION, shape->compression);
    pl_tiff_ifd_short(ifd, TAG_PHOTOMETRIC, shape->photometric);
    put_text(ifd, TAG_TITLE, first ? convert->title : "");
    put_text(ifd, TAG_DESCRIPTION, first ? convert->subject : "");
    pl_tiff_ifd_longs(ifd, TAG_OFFSETS, strips->offsets, page->part_count);
    pl_tiff_ifd_short(ifd, TAG_ORIENTATION, page->orientation);
    pl_tiff_ifd_short(ifd, TAG_SAMPLES, shape->samples);
    pl_tiff_ifd_longs(ifd, TAG_STRIP_ROWS, &page->parts[0].rows, 1);
    pl_tiff_ifd_longs(ifd, TAG_SIZES, strips->sizes, page->part_count);
    put_resolution(ifd, TAG_X_RESOLUTION, page->x_mdpi);
    put_resolution(ifd, TAG_Y_RESOLUTION, page->y_mdpi);
    pl_tiff_ifd_short(ifd, TAG_PLANAR, 1);
    pl_tiff_ifd_short(ifd, TAG_UNIT, 2); /* inch */
    if (writer->pages < PAGES_NUMBERED)
        pl_tiff_ifd_shorts(ifd, TAG_PAGE_NUMBER, number, 2);
    pl_tiff_ifd_text(ifd, TAG_SOFTWARE, "Platen");
    put_text(ifd, TAG_ARTIST, first ? convert->author : "");
    if (shape->compression == COMPRESSION_LZW || shape->compression == COMPRESSION_DEFLATE)
        pl_tiff_ifd_short(ifd, TAG_PREDICTOR, page->predictor);
    if (shape->photometric == IS_PALETTE)
        put_colour_map(page, ifd);
    if (shape->photometric == IS_SEPARATED)
        pl_tiff_ifd_short(ifd, TAG_INK_SET, 1); /* CMYK */
    if (shape->photometric == IS_YCBCR)
        put_ycbcr(shape, ifd);
    if (page->icc.size > 4)
        pl_tiff_ifd_bytes(ifd, TAG_ICC, page->icc.data, page->icc.size);
}

static pl_status write_bytes(struct tiff_writer *writer, const void *data, size_t size)
{
    pl_status status = pl_out_write(writer->out, data, size);
    if (status == PL_OK)
        writer->at += size;
    return status;
}

/* What stands between two pages: the head of the file, or the directory that was held back. */
static pl_status write_link(struct tiff_writer *writer, uint32_t next)
{
    static const uint8_t magic[4] = { 'I', 'I', 42, 0 };
    struct pl_bytes *scratch = &writer->scratch;
    pl_status status = PL_OK;
    pl_bytes_clear(scratch);
    if (writer->pages > 0) {
        status = pl_tiff_ifd_write(&writer->held, (uint32_t)writer->at, next, scratch);
    } else {
        const uint8_t at[4] = { (uint8_t)next, (uint8_t)(next >> 8), (uint8_t)(next >> 16),
                                (uint8_t)(next >> 24) };
        status = pl_bytes_append(scratch, magic, sizeof magic);
        if (status == PL_OK)
            status = pl_bytes_append(scratch, at, sizeof at);
    }
    return status == PL_OK ? write_bytes(writer, scratch->data, scratch->size) : status;
}

static pl_status write_strips(struct tiff_writer *writer, const struct pl_page *page)
{
    pl_status status = PL_OK;
    for (size_t i = 0; i < page->part_count && status == PL_OK; i++) {
        const struct pl_page_part *part = &page->parts[i];
        status = write_bytes(writer, page->data.data + part->at, part->size);
        size_t addition = strip_addition(page, part);
        if (status == PL_OK && addition > 0)
            status = write_bytes(writer, g4_end, addition);
    }
    if (status == PL_OK && writer->at % 2 != 0)
        status = write_bytes(writer, "", 1);
    return status;
}

/* Everything up to the directory of this page, which is held. */
static pl_status write_page(struct tiff_writer *writer, const struct pl_page *page, uint64_t end)
{
    pl_status status = write_link(writer, (uint32_t)end);
    if (status == PL_OK)
        status = write_strips(writer, page);
    if (status != PL_OK)
        return status;
    PL_CHECK(writer->at == end);
    struct pl_tiff_ifd swap = writer->held;
    writer->held = writer->made;
    writer->made = swap;
    writer->pages++;
    return PL_OK;
}

static pl_status tiff_page(struct pl_writer *base, const struct pl_page *page, uint64_t *bytes,
                           struct pl_fault *fault)
{
    struct tiff_writer *writer = (struct tiff_writer *)base;
    struct strips strips = { 0 };
    struct shape shape;
    uint64_t at = writer->at + (writer->pages > 0 ? pl_tiff_ifd_size(&writer->held) : HEAD_BYTES);
    pl_status status = PL_NO_MEMORY;
    if (!page_shape(page, &shape)) /* `carries` could say it, so memory is out */
        goto done;
    status = strips_place(page, at, &strips);
    if (status != PL_OK)
        goto done;
    put_tags(writer, page, &shape, &strips);
    status = pl_tiff_ifd_status(&writer->made);
    if (status != PL_OK)
        goto done;
    uint64_t end = strips.end + pl_tiff_ifd_size(&writer->made);
    if (end > writer->most) {
        status = pl_fault_set(fault, PL_TOO_LARGE,
                              "page %" PRIu32 " makes the TIFF file %" PRIu64
                              " MiB large; at most %" PRIu64 " MiB are accepted",
                              writer->pages + 1, end >> 20, writer->most >> 20);
        goto done;
    }
    status = write_page(writer, page, strips.end);
    if (status == PL_OK)
        *bytes = end - at;
done:
    strips_fini(&strips);
    return status;
}

static pl_status tiff_end(struct pl_writer *base, struct pl_fault *fault)
{
    (void)fault;
    struct tiff_writer *writer = (struct tiff_writer *)base;
    PL_CHECK(writer->pages > 0);
    if (writer->pages == 1) {
        pl_tiff_ifd_patch(&writer->held, TAG_SUBFILE, 0);
        pl_tiff_ifd_patch(&writer->held, TAG_PAGE_NUMBER, 1U << 16);
    }
    return write_link(writer, 0);
}

static bool tiff_wants_seed(const struct pl_convert *convert)
{
    (void)convert;
    return false;
}

const struct pl_writer_ops pl_tiff_writer_ops = { .carries = tiff_carries,
                                                  .encode = tiff_encode,
                                                  .open = tiff_open,
                                                  .page = tiff_page,
                                                  .end = tiff_end,
                                                  .close = tiff_close,
                                                  .wants_seed = tiff_wants_seed };
