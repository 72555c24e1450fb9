/* pdf_restore: candidates by size, then by a digest of every sample.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_restore.h"

#include "engine/base/digest.h"
#include "pipeline/image/page_decode.h"
#include "pipeline/pdf/pdf_coding.h"
#include "pipeline/pdf/pdf_walk.h"

#include <stdlib.h>
#include <string.h>

#define RESTORE_FROM_BYTES 16384 /* smaller images are not worth a second look */
#define RESTORE_TRIES 8          /* candidates of the same size that are decoded for one image */
#define RESTORE_ENTRIES 32       /* of an image's dictionary */

struct pl_pdf_restore {
    struct pl_pdf_images origin;
    struct pl_pdf_images made;
};

/* An image without its masks: whether a mask is there says nothing about the samples. */
struct bare {
    struct pl_pdf_value value;
    struct pl_pdf_entry entries[RESTORE_ENTRIES];
};

/* All that must be the same. */
struct samples {
    uint32_t width_px;
    uint32_t height_px;
    enum pl_colour colour;
    uint8_t digest[PL_SHA256_BYTES];
};

struct search {
    struct pl_pdf_restore *restore;
    const struct pl_pdf_value *stream;
    struct samples wanted;
    bool is_known;  /* `wanted` */
    unsigned tries; /* left */
    struct pl_bytes *data;
    int transform;
    bool found;
};

pl_status pl_pdf_restore_new(const struct pl_pdf_images *origin, const struct pl_pdf_images *made,
                             struct pl_pdf_restore **out)
{
    struct pl_pdf_restore *restore = malloc(sizeof *restore);
    if (restore == NULL)
        return PL_NO_MEMORY;
    *restore = (struct pl_pdf_restore){ *origin, *made };
    *out = restore;
    return PL_OK;
}

void pl_pdf_restore_free(struct pl_pdf_restore *restore)
{
    free(restore);
}

static bool bare_init(struct bare *bare, const struct pl_pdf_value *stream)
{
    size_t count = 0;
    if (stream->as.dict.count > RESTORE_ENTRIES)
        return false;
    for (size_t i = 0; i < stream->as.dict.count; i++) {
        struct pl_span key = stream->as.dict.entries[i].key;
        if (!pl_span_equals(key, "SMask") && !pl_span_equals(key, "Mask") &&
            !pl_span_equals(key, "Matte"))
            bare->entries[count++] = stream->as.dict.entries[i];
    }
    bare->value = *stream;
    bare->value.as.dict.entries = bare->entries;
    bare->value.as.dict.count = count;
    return true;
}

static pl_status samples_digest(const struct pl_picture *picture, struct samples *out)
{
    struct pl_sha256 *hash = NULL;
    size_t row = (size_t)picture->width_px * pl_colour_samples(picture->colour);
    pl_status status = pl_sha256_new(&hash);
    if (status != PL_OK)
        return status;
    for (uint32_t y = 0; y < picture->height_px; y++)
        pl_sha256_update(hash, picture->pixels + y * picture->stride, row);
    *out = (struct samples){ .width_px = picture->width_px,
                             .height_px = picture->height_px,
                             .colour = picture->colour };
    pl_sha256_final(hash, out->digest);
    pl_sha256_free(hash);
    return PL_OK;
}

/* Grey and RGB of 8 bits, which both sides write the same way. */
static bool image_is_plain(const struct pl_pdf_image *image)
{
    return !image->stencil && !image->indexed && image->bits == 8 && !image->inverted &&
           (image->components == 1 || image->components == 3);
}

/* UNSUPPORTED when it is no image that can be compared. */
static pl_status samples_read(const struct pl_pdf_images *images, const struct pl_pdf_value *stream,
                              struct samples *out)
{
    struct bare bare;
    struct pl_page page;
    struct pl_picture picture = { .pixels = NULL };
    struct pl_pdf_image image;
    struct pl_fault ignored = { .status = PL_OK };
    const char *why = NULL;
    if (!bare_init(&bare, stream))
        return PL_UNSUPPORTED;
    pl_page_init(&page, images->limits->page_bytes);
    pl_status status = pl_pdf_image_read(images, &bare.value, (struct pl_span){ NULL, 0 }, NULL,
                                         &image, &why, &ignored);
    if (status == PL_OK && (why != NULL || !image_is_plain(&image)))
        status = PL_UNSUPPORTED;
    if (status != PL_OK)
        goto done;
    page.number = images->number;
    page.width_px = image.width_px;
    page.height_px = image.height_px;
    page.x_mdpi = page.y_mdpi = 1000;
    status = pl_pdf_image_describe(images, &image, &page, &ignored);
    if (status == PL_OK)
        status = pl_pdf_image_load(images, &image, &page, &ignored);
    if (status == PL_OK)
        status = pl_page_decode(&page, images->limits, &picture, &ignored);
    if (status == PL_OK)
        status = samples_digest(&picture, out);
done:
    pl_picture_fini(&picture);
    pl_page_fini(&page);
    return status;
}

static bool samples_match(const struct samples *a, const struct samples *b)
{
    return a->width_px == b->width_px && a->height_px == b->height_px && a->colour == b->colour &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

static pl_status image_size(struct pl_pdf_file *file, const struct pl_pdf_value *image,
                            int64_t size[2])
{
    struct pl_fault ignored = { .status = PL_OK };
    pl_status status = pl_pdf_lookup_integer(file, image, "Width", NULL, 0, &size[0], &ignored);
    return status == PL_OK
               ? pl_pdf_lookup_integer(file, image, "Height", NULL, 0, &size[1], &ignored)
               : status;
}

/* Whether the image of the origin is a smaller JPEG of the same size in pixels. */
static pl_status candidate_fits(const struct search *search, const struct pl_pdf_value *image,
                                bool *out)
{
    struct pl_pdf_codings codings;
    struct pl_fault ignored = { .status = PL_OK };
    int64_t wanted[2] = { 0 };
    int64_t have[2] = { 0 };
    *out = false;
    pl_status status = pl_pdf_codings_read(search->restore->origin.file, image, &codings, &ignored);
    if (status != PL_OK || pl_pdf_codings_image(&codings) != PL_PDF_CODING_DCT)
        return status;
    status = image_size(search->restore->made.file, search->stream, wanted);
    if (status == PL_OK)
        status = image_size(search->restore->origin.file, image, have);
    *out = status == PL_OK && wanted[0] == have[0] && wanted[1] == have[1] &&
           image->as.dict.size < search->stream->as.dict.size;
    return status;
}

static pl_status candidate_take(struct search *search, const struct pl_pdf_value *image)
{
    struct pl_span filter = { 0 };
    const struct pl_pdf_value *parms = NULL;
    struct pl_fault ignored = { .status = PL_OK };
    int64_t transform = -1;
    struct pl_pdf_file *file = search->restore->origin.file;
    pl_bytes_clear(search->data);
    pl_status status = pl_pdf_stream_image(file, image, search->data, &filter, &parms, &ignored);
    if (status == PL_OK && parms != NULL && parms->kind == PL_PDF_DICT)
        status =
            pl_pdf_lookup_integer(file, parms, "ColorTransform", NULL, -1, &transform, &ignored);
    if (status != PL_OK || search->data->size >= search->stream->as.dict.size)
        return status;
    search->transform = transform == 0 || transform == 1 ? (int)transform : -1;
    search->found = true;
    return PL_OK;
}

static pl_status search_try(struct search *search, const struct pl_pdf_value *image)
{
    struct samples have;
    bool fits = false;
    pl_status status = candidate_fits(search, image, &fits);
    if (status != PL_OK || !fits || search->tries == 0)
        return status;
    search->tries--;
    if (!search->is_known) {
        status = samples_read(&search->restore->made, search->stream, &search->wanted);
        if (status != PL_OK) {
            search->tries = 0; /* nothing can be compared with it */
            return status;
        }
        search->is_known = true;
    }
    status = samples_read(&search->restore->origin, image, &have);
    return status == PL_OK && samples_match(&have, &search->wanted) ? candidate_take(search, image)
                                                                    : status;
}

static pl_status search_page(struct search *search, uint32_t n)
{
    struct pl_pdf_walk *walk = NULL;
    struct pl_pdf_step step = { .kind = PL_PDF_STEP_OP };
    struct pl_fault ignored = { .status = PL_OK };
    pl_status status = pl_pdf_walk_new(search->restore->origin.file, n, &walk, &ignored);
    while (status == PL_OK && !search->found && search->tries > 0) {
        status = pl_pdf_walk_next(walk, &step, &ignored);
        if (status != PL_OK || step.kind == PL_PDF_STEP_END)
            break;
        if (step.kind != PL_PDF_STEP_IMAGE)
            continue;
        status = search_try(search, step.object);
        if (status != PL_NO_MEMORY) /* one that cannot be read is not the one */
            status = PL_OK;
    }
    pl_pdf_walk_free(walk);
    return status;
}

pl_status pl_pdf_restore_find(struct pl_pdf_restore *restore, uint32_t n,
                              const struct pl_pdf_value *stream, struct pl_bytes *data,
                              int *transform, bool *found)
{
    struct pl_pdf_codings codings;
    struct pl_fault ignored = { .status = PL_OK };
    struct search search = {
        .restore = restore, .stream = stream, .tries = RESTORE_TRIES, .data = data, .transform = -1
    };
    *found = false;
    if (stream->as.dict.size < RESTORE_FROM_BYTES || n >= pl_pdf_page_count(restore->origin.file))
        return PL_OK;
    pl_status status = pl_pdf_codings_read(restore->made.file, stream, &codings, &ignored);
    if (status != PL_OK || codings.count != 1 || codings.filters[0] != PL_PDF_CODING_FLATE)
        return status == PL_NO_MEMORY ? status : PL_OK;
    restore->origin.number = restore->made.number = n + 1;
    size_t mark = pl_pdf_file_mark(restore->origin.file);
    status = search_page(&search, n);
    pl_pdf_file_release(restore->origin.file, mark);
    *found = search.found;
    *transform = search.transform;
    return status == PL_NO_MEMORY ? status : PL_OK;
}
