/* pdf_shadow: runs of bytes that are kept, one behind the other, and a list of the holes between
 * them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_shadow.h"

#include "engine/base/bytes.h"
#include "pipeline/pdf/pdf_check.h"

#include <stdlib.h>
#include <string.h>

#define SHADOW_HOLES_FIRST 64

struct hole {
    uint64_t at; /* in the file */
    uint64_t size;
    uint64_t before; /* bytes of holes before it */
};

struct pl_pdf_shadow {
    struct pl_out base;
    struct pl_source source;
    struct pl_out *out;
    struct pl_bytes kept;
    struct hole *holes;
    size_t count;
    size_t room;
    size_t next; /* the hole that is written or comes next */
};

/* --- writing ---------------------------------------------------------------------------------- */

static pl_status shadow_keep(struct pl_pdf_shadow *shadow, uint64_t at, const uint8_t *data,
                             size_t size)
{
    pl_status status = PL_OK;
    while (size > 0 && status == PL_OK) {
        const struct hole *hole =
            shadow->next < shadow->count ? &shadow->holes[shadow->next] : NULL;
        uint64_t step = size;
        if (hole != NULL && at >= hole->at) {
            uint64_t left = hole->at + hole->size - at;
            step = left < size ? left : size;
            if (step == left)
                shadow->next++;
        } else {
            if (hole != NULL && hole->at - at < size)
                step = hole->at - at;
            status = pl_bytes_append(&shadow->kept, data, (size_t)step);
        }
        at += step;
        data += step;
        size -= (size_t)step;
    }
    return status;
}

static pl_status shadow_write(struct pl_out *out, const void *data, size_t size)
{
    struct pl_pdf_shadow *shadow = (struct pl_pdf_shadow *)out;
    pl_status status = pl_out_write(shadow->out, data, size);
    return status == PL_OK ? shadow_keep(shadow, out->size, data, size) : status;
}

pl_status pl_pdf_shadow_hole(struct pl_pdf_shadow *shadow, uint64_t at, uint64_t size)
{
    uint64_t before = 0;
    if (size == 0)
        return PL_OK;
    if (shadow->count > 0) {
        const struct hole *last = &shadow->holes[shadow->count - 1];
        PL_CHECK(at >= last->at + last->size);
        before = last->before + last->size;
    }
    PL_CHECK(at >= shadow->base.size);
    if (shadow->count == shadow->room) {
        size_t room = shadow->room == 0 ? SHADOW_HOLES_FIRST : shadow->room * 2;
        struct hole *holes = realloc(shadow->holes, room * sizeof *holes);
        if (holes == NULL)
            return PL_NO_MEMORY;
        shadow->holes = holes;
        shadow->room = room;
    }
    shadow->holes[shadow->count++] = (struct hole){ at, size, before };
    return PL_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The last hole that begins at or before `at`; count: none does. */
static size_t shadow_find(const struct pl_pdf_shadow *shadow, uint64_t at)
{
    size_t low = 0;
    size_t high = shadow->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shadow->holes[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : shadow->count;
}

static pl_status shadow_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    const struct pl_pdf_shadow *shadow = PL_CONTAINER_OF(source, struct pl_pdf_shadow, source);
    uint8_t *to = out;
    size_t n = shadow_find(shadow, at);
    if (n == shadow->count)
        n = 0;
    while (size > 0) {
        const struct hole *hole = n < shadow->count ? &shadow->holes[n] : NULL;
        uint64_t before = n > 0 ? shadow->holes[n - 1].before + shadow->holes[n - 1].size : 0;
        uint64_t step = size;
        if (hole != NULL && at >= hole->at + hole->size) {
            n++;
            continue;
        }
        if (hole != NULL && at >= hole->at) {
            if (hole->at + hole->size - at < step)
                step = hole->at + hole->size - at;
            memset(to, 0, (size_t)step);
        } else {
            if (hole != NULL && hole->at - at < step)
                step = hole->at - at;
            memcpy(to, shadow->kept.data + (at - before), (size_t)step);
        }
        at += step;
        to += step;
        size -= (size_t)step;
    }
    return PL_OK;
}

/* The checker has one thread, and the shadow is its owner's. */
static struct pl_source *shadow_clone(struct pl_source *source)
{
    (void)source;
    return NULL;
}

static void shadow_source_free(struct pl_source *source)
{
    (void)source;
}

/* --- life ------------------------------------------------------------------------------------- */

pl_status pl_pdf_shadow_new(struct pl_out *out, struct pl_pdf_shadow **shadow)
{
    static const struct pl_out_ops out_ops = { shadow_write };
    static const struct pl_source_ops source_ops = { shadow_read_at, shadow_clone,
                                                     shadow_source_free };
    struct pl_pdf_shadow *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PL_NO_MEMORY;
    made->base.ops = &out_ops;
    made->source.ops = &source_ops;
    made->out = out;
    pl_bytes_init(&made->kept, PL_PDF_SHADOW_MOST);
    *shadow = made;
    return PL_OK;
}

void pl_pdf_shadow_free(struct pl_pdf_shadow *shadow)
{
    if (shadow == NULL)
        return;
    pl_bytes_fini(&shadow->kept);
    free(shadow->holes);
    free(shadow);
}

struct pl_out *pl_pdf_shadow_out(struct pl_pdf_shadow *shadow)
{
    return &shadow->base;
}

struct pl_source *pl_pdf_shadow_source(struct pl_pdf_shadow *shadow)
{
    shadow->source.size = shadow->base.size;
    return &shadow->source;
}

size_t pl_pdf_shadow_size(const struct pl_pdf_shadow *shadow)
{
    return shadow->kept.size;
}

/* --- the check -------------------------------------------------------------------------------- */

static pl_status shadow_blame(const struct pl_findings *findings, struct pl_fault *fault)
{
    const struct pl_finding *first = findings->items;
    char more[48] = "";
    if (first == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory to say what is wrong with the result");
    if (findings->total > 1)
        (void)pl_text_format(more, sizeof more, " (and %llu more)",
                             (unsigned long long)findings->total - 1);
    return pl_fault_set(fault, PL_BAD_RESULT,
                        "the result is not what it claims to be: %s, page %u, object %u: %s%s; it "
                        "is not delivered, please tell the makers of this program",
                        first->rule, first->page, first->object, first->text, more);
}

pl_status pl_pdf_shadow_check(struct pl_pdf_shadow *shadow, const struct pl_limits *limits,
                              unsigned part, struct pl_fault *fault)
{
    const struct pl_pdf_check check = { .part = part, .holes = true };
    struct pl_findings findings = { 0 };
    struct pl_pdf_claim claim;
    struct pl_fault found = { 0 };
    struct pl_limits wide = *limits;
    wide.pages = UINT32_MAX; /* what was written was allowed */
    pl_status status =
        pl_pdf_check(pl_pdf_shadow_source(shadow), &wide, &check, &claim, &findings, &found);
    if (status == PL_BAD_DOCUMENT || status == PL_UNSUPPORTED || status == PL_DENIED)
        status = pl_fault_set(fault, PL_BAD_RESULT, "the result cannot be read: %s", found.reason);
    else if (status != PL_OK)
        status = pl_fault_set(fault, status, "the result cannot be checked: %s",
                              found.reason[0] != '\0' ? found.reason : pl_status_text(status));
    else if (findings.total > 0)
        status = shadow_blame(&findings, fault);
    pl_findings_fini(&findings);
    return status;
}
