/* tiff_in: TIFF documents as pages (TIFF 6.0, BigTIFF).
 *
 * The page list is read by our own strict code and checked against the limits before anything is
 * claimed. Directories that say that they are a reduced image or a transparency mask of another
 * page are not pages, unless the file holds nothing else; SubIFDs are not followed. A chain of
 * directories that is cut, leads outside the file or back into itself refuses the document: pages
 * may be missing.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"
#include "pipeline/codec/tiff_in_priv.h"
#include "pipeline/image/profile.h"
#include "pipeline/image/resolution.h"

#include <inttypes.h>
#include <stdlib.h>

struct tiff_reader {
    struct pl_reader reader;
    struct pl_limits limits;
    enum pl_want want;
    struct pl_tiff_head head;
    struct pl_tiff_dir *pages;
    uint32_t count;
    uint32_t room;
};

static bool dir_is_page(const struct pl_tiff_dir *dir)
{
    return (dir->subfile & (PL_TIFF_SUBFILE_REDUCED | PL_TIFF_SUBFILE_MASK)) == 0 &&
           dir->old_subfile != 2;
}

static pl_status reader_add(struct tiff_reader *reader, const struct pl_tiff_dir *dir)
{
    if (reader->count == reader->room) {
        uint32_t room = reader->room == 0 ? 4 : reader->room * 2;
        struct pl_tiff_dir *pages = realloc(reader->pages, room * sizeof *pages);
        if (pages == NULL)
            return PL_NO_MEMORY;
        reader->pages = pages;
        reader->room = room;
    }
    reader->pages[reader->count++] = *dir;
    return PL_OK;
}

/* Walks the chain into reader->pages. The hare is each directory, the tortoise waits at powers of
 * two (Brent): a cycle is found within a few times its length, and no table of visits is kept. */
static pl_status reader_walk(struct tiff_reader *reader, struct pl_source *source,
                             struct pl_fault *fault)
{
    uint64_t tortoise = 0;
    uint32_t n = 0;
    uint32_t wait = 1;
    for (uint64_t at = reader->head.first; at != 0;) {
        struct pl_tiff_dir dir;
        n++;
        if (n > reader->limits.pages)
            return pl_fault_set(fault, PL_TOO_LARGE,
                                "the document has more than %" PRIu32
                                " pages, the most that are accepted",
                                reader->limits.pages);
        if (at == tortoise)
            return pl_fault_set(fault, PL_BAD_DOCUMENT,
                                "the list of pages leads back into itself: the TIFF file is "
                                "damaged or was made to do harm");
        pl_status status = pl_tiff_dir_read(source, &reader->head, at, &dir);
        if (status == PL_BAD_DOCUMENT || (status == PL_OK && dir.cut))
            return pl_fault_set(fault, PL_BAD_DOCUMENT,
                                "page %" PRIu32 ": its directory at byte %" PRIu64
                                " cannot be read; the TIFF file of %" PRIu64
                                " bytes is truncated or damaged",
                                n, at, source->size);
        if (status == PL_OK)
            status = reader_add(reader, &dir);
        if (status != PL_OK)
            return status;
        if (n == wait) {
            tortoise = at;
            wait *= 2;
        }
        at = dir.next;
    }
    return n > 0 ? PL_OK
                 : pl_fault_set(fault, PL_BAD_DOCUMENT, "the TIFF file says that it has no page");
}

/* Leaves out what is no page, unless nothing would be left. */
static void reader_sift(struct tiff_reader *reader)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reader->count; i++)
        kept += dir_is_page(&reader->pages[i]);
    if (kept == 0)
        return;
    kept = 0;
    for (uint32_t i = 0; i < reader->count; i++)
        if (dir_is_page(&reader->pages[i]))
            reader->pages[kept++] = reader->pages[i];
    reader->count = kept;
}

static bool compression_is_fax(uint32_t compression)
{
    return compression >= PL_TIFF_G3_1D && compression <= PL_TIFF_G4;
}

/* A photometric interpretation that is not said, as libtiff takes it. */
static void dir_settle(struct pl_tiff_dir *dir)
{
    if (!dir->photometric_said)
        dir->photometric = dir->samples >= 3                      ? PL_TIFF_RGB
                           : compression_is_fax(dir->compression) ? PL_TIFF_MIN_IS_WHITE
                                                                  : PL_TIFF_MIN_IS_BLACK;
    if (dir->rows_per_strip == 0 || dir->rows_per_strip > dir->height_px)
        dir->rows_per_strip = dir->height_px;
}

static pl_status dir_check(const struct tiff_reader *reader, const struct pl_tiff_dir *dir,
                           uint32_t number, struct pl_fault *fault)
{
    pl_status status = pl_limits_check(&reader->limits, number, dir->width_px, dir->height_px,
                                       dir->samples, dir->bits, fault);
    if (status != PL_OK)
        return status;
    if (!pl_tiff_decodes(dir->compression))
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            "page %" PRIu32 " is compressed by TIFF method %" PRIu32
                            ", which is not supported",
                            number, dir->compression);
    if (dir->mixed_bits || dir->bits == 0 || dir->bits > 16)
        return pl_fault_set(fault, PL_UNSUPPORTED,
                            dir->mixed_bits
                                ? "page %" PRIu32
                                  " has samples of different depths (%u bits the first), which "
                                  "is not supported"
                                : "page %" PRIu32 " has samples of %u bits; 1 to 16 are supported",
                            number, (unsigned)dir->bits);
    if (dir->offsets.count == 0 && dir->compression != PL_TIFF_OLD_JPEG)
        return pl_fault_set(
            fault, PL_BAD_DOCUMENT,
            "page %" PRIu32 " does not say where its data are: the TIFF file is damaged", number);
    return PL_OK;
}

static void tiff_close(struct pl_reader *base)
{
    struct tiff_reader *reader = (struct tiff_reader *)base;
    if (reader == NULL)
        return;
    free(reader->pages);
    free(reader);
}

static pl_status tiff_open(struct pl_source *source, const struct pl_open_settings *settings,
                           struct pl_reader **out, struct pl_fault *fault)
{
    struct tiff_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return PL_NO_MEMORY;
    reader->reader.ops = &pl_tiff_reader;
    reader->limits = *settings->limits;
    reader->want = settings->want;
    pl_status status = pl_tiff_head_read(source, &reader->head);
    if (status == PL_BAD_DOCUMENT)
        status = pl_fault_set(fault, status, "the file does not begin as a TIFF file does");
    if (status == PL_OK)
        status = reader_walk(reader, source, fault);
    if (status == PL_OK)
        reader_sift(reader);
    for (uint32_t i = 0; status == PL_OK && i < reader->count; i++) {
        dir_settle(&reader->pages[i]);
        status = dir_check(reader, &reader->pages[i], i + 1, fault);
    }
    if (status != PL_OK) {
        tiff_close(&reader->reader);
        return status;
    }
    *out = &reader->reader;
    return PL_OK;
}

static uint32_t tiff_page_count(const struct pl_reader *base)
{
    return ((const struct tiff_reader *)base)->count;
}

static pl_status load_profile(const struct pl_tiff_load *load)
{
    const struct pl_tiff_values *icc = &load->dir->icc;
    uint8_t *room = NULL;
    if (icc->count == 0)
        return PL_OK;
    if (icc->count > load->page->icc.limit) {
        pl_page_note(load->page, "oversized colour profile ignored");
        return PL_OK;
    }
    pl_status status = pl_bytes_reserve(&load->page->icc, (size_t)icc->count, &room);
    if (status == PL_OK)
        status = pl_source_read(load->source, icc->at, room, (size_t)icc->count);
    if (status == PL_OK)
        load->page->icc.size = (size_t)icc->count;
    return status;
}

static void load_shape(const struct pl_tiff_load *load)
{
    const struct pl_tiff_dir *dir = load->dir;
    struct pl_page *page = load->page;
    struct pl_resolution said = {
        .unit = dir->unit == 2   ? PL_RESOLUTION_INCH
                : dir->unit == 3 ? PL_RESOLUTION_CM
                                 : PL_RESOLUTION_NONE,
        .x_num = dir->x_resolution.num,
        .x_den = dir->x_resolution.den,
        .y_num = dir->y_resolution.num,
        .y_den = dir->y_resolution.den,
    };
    page->width_px = dir->width_px;
    page->height_px = dir->height_px;
    page->orientation =
        dir->orientation >= 1 && dir->orientation <= 8 ? (uint8_t)dir->orientation : 1;
    pl_resolution_apply(&said, page);
}

static pl_status tiff_load(const struct pl_reader *base, struct pl_source *source, uint32_t n,
                           struct pl_page *page, struct pl_fault *fault)
{
    const struct tiff_reader *reader = (const struct tiff_reader *)base;
    PL_CHECK(n < reader->count);
    const struct pl_tiff_load load = {
        .limits = &reader->limits,
        .want = reader->want,
        .head = &reader->head,
        .dir = &reader->pages[n],
        .source = source,
        .page = page,
        .fault = fault,
    };
    bool done = false;
    page->number = n + 1;
    load_shape(&load);
    pl_status status = load_profile(&load);
    if (status == PL_OK)
        status = pl_tiff_copy_g4(&load, &done);
    if (status == PL_OK && !done)
        status = pl_tiff_copy_jpeg(&load, &done);
    if (status == PL_OK && !done)
        status = pl_tiff_copy_old_jpeg(&load, &done);
    if (status == PL_OK && !done)
        status = pl_tiff_decode(&load);
    if (status == PL_TOO_LARGE)
        (void)pl_fault_set(fault, status,
                           "page %" PRIu32 " needs more than %" PRIu64 " MiB, the most accepted",
                           n + 1, reader->limits.page_bytes >> 20);
    if (status == PL_OK)
        pl_profile_settle(page);
    return status;
}

const struct pl_reader_ops pl_tiff_reader = { .name = "tiff",
                                              .open = tiff_open,
                                              .page_count = tiff_page_count,
                                              .load = tiff_load,
                                              .close = tiff_close };
