/* pdf_chain: which filters a stream has, and the buffers between them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_chain_priv.h"

#include <inttypes.h>
#include <string.h>

#define FREE_BYTES ((uint64_t)64 << 20) /* decoded before the expansion counts */

static const struct pl_pdf_value *chain_item(const struct pl_pdf_value *value, size_t i)
{
    if (value == NULL || value->kind != PL_PDF_ARRAY)
        return i == 0 ? value : NULL;
    return i < value->as.array.count ? value->as.array.items[i] : NULL;
}

pl_status pl_pdf_chain_read(const struct pl_pdf_value *filter, const struct pl_pdf_value *parms,
                            struct pl_pdf_chain *out, struct pl_fault *fault)
{
    size_t count = 0;
    if (filter != NULL && filter->kind == PL_PDF_ARRAY)
        count = filter->as.array.count;
    else if (filter != NULL && filter->kind == PL_PDF_NAME)
        count = 1;
    if (count > PL_PDF_FILTERS)
        return pl_fault_set(fault, PL_BAD_DOCUMENT,
                            "a stream of the PDF has %zu filters, at most %d are accepted", count,
                            PL_PDF_FILTERS);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct pl_pdf_value *name = chain_item(filter, i);
        if (name == NULL || name->kind != PL_PDF_NAME)
            return pl_fault_set(fault, PL_BAD_DOCUMENT,
                                "a stream of the PDF has a filter without a name");
        out->filters[i] = pl_pdf_filter_named(name->as.text);
        out->filters[i].parms = chain_item(parms, i);
    }
    return PL_OK;
}

static pl_status chain_unsupported(const struct pl_pdf_filter *filter, struct pl_fault *fault)
{
    char name[64];
    (void)pl_text_sanitize(filter->name, name, sizeof name);
    return pl_fault_set(
        fault, PL_UNSUPPORTED, "a stream of the PDF is encoded by %s, which %s", name,
        filter->kind == PL_PDF_FILTER_UNKNOWN ? "is not known" : "can only be its last filter");
}

static pl_status chain_fault(pl_status status, const struct pl_pdf_filter *filter, uint64_t limit,
                             struct pl_fault *fault)
{
    char name[64];
    (void)pl_text_sanitize(filter->name, name, sizeof name);
    if (status == PL_BAD_DOCUMENT)
        return pl_fault_set(fault, status,
                            "a stream of the PDF is damaged: its %s data breaks off "
                            "or makes no sense",
                            name);
    if (status == PL_TOO_LARGE)
        return pl_fault_set(fault, status,
                            "a stream of the PDF decodes by %s to more than %" PRIu64
                            " bytes, the limit for it",
                            name, limit);
    return pl_fault_set(fault, status, "a stream of the PDF (%s): %s", name,
                        pl_status_text(status));
}

/* One filter under the ceiling of its expansion. */
static pl_status chain_step(const struct pl_pdf_filter *filter, struct pl_pdf_encoded *in,
                            uint64_t expansion, struct pl_bytes *out, struct pl_fault *fault)
{
    uint64_t encoded = in->memory.size - in->memory.at;
    if (in->source != NULL)
        encoded += in->end - in->at;
    uint64_t most =
        expansion > 0 && encoded > UINT64_MAX / expansion ? UINT64_MAX : encoded * expansion;
    if (most < FREE_BYTES)
        most = FREE_BYTES;
    size_t limit = out->limit;
    uint64_t room = limit > out->size ? limit - out->size : 0;
    if (most < room)
        out->limit = out->size + (size_t)most;
    pl_status status = pl_pdf_filter_undo(filter, in, out);
    out->limit = limit;
    return status == PL_OK ? PL_OK : chain_fault(status, filter, most < room ? most : room, fault);
}

/* What no filter changes. */
static pl_status chain_copy(struct pl_pdf_encoded *in, struct pl_bytes *out)
{
    pl_status status = PL_OK;
    size_t left = in->memory.size - in->memory.at;
    if (left > 0)
        status = pl_bytes_append(out, in->memory.data + in->memory.at, left);
    if (status != PL_OK || in->source == NULL || in->at >= in->end)
        return status;
    uint8_t *room = NULL;
    uint64_t size = in->end - in->at;
    if (size > SIZE_MAX)
        return PL_TOO_LARGE;
    status = pl_bytes_reserve(out, (size_t)size, &room);
    if (status == PL_OK)
        status = pl_source_read(in->source, in->at, room, (size_t)size);
    if (status == PL_OK)
        out->size += (size_t)size;
    return status;
}

/* All but Flate want their input in memory. */
static pl_status chain_gather(struct pl_pdf_encoded *in, struct pl_bytes *hold)
{
    if (in->source == NULL)
        return PL_OK;
    pl_status status = chain_copy(in, hold);
    in->source = NULL;
    in->memory = (struct pl_cursor){ hold->data, hold->size, 0 };
    return status;
}

static size_t chain_steps(const struct pl_pdf_chain *chain, size_t steps[PL_PDF_FILTERS],
                          const struct pl_pdf_filter **image)
{
    size_t count = 0;
    *image = NULL;
    for (size_t i = 0; i < chain->count; i++) {
        const struct pl_pdf_filter *filter = &chain->filters[i];
        if (filter->kind == PL_PDF_FILTER_IMAGE && i + 1 == chain->count)
            *image = filter;
        else if (filter->kind != PL_PDF_FILTER_CRYPT) /* undone where the stream was read */
            steps[count++] = i;
    }
    return count;
}

pl_status pl_pdf_chain_run(const struct pl_pdf_chain *chain, struct pl_pdf_encoded *in,
                           uint64_t expansion, struct pl_bytes *out,
                           const struct pl_pdf_filter **image, struct pl_fault *fault)
{
    struct pl_bytes between[2]; /* one is read while the other is written */
    size_t steps[PL_PDF_FILTERS];
    size_t count = chain_steps(chain, steps, image);
    pl_status status = PL_OK;
    bool damaged = false;
    pl_bytes_init(&between[0], out->limit);
    pl_bytes_init(&between[1], out->limit);
    if (count == 0)
        status = chain_copy(in, out);
    for (size_t i = 0; i < count && status == PL_OK; i++) {
        const struct pl_pdf_filter *filter = &chain->filters[steps[i]];
        if (filter->kind == PL_PDF_FILTER_IMAGE || filter->kind == PL_PDF_FILTER_UNKNOWN) {
            status = chain_unsupported(filter, fault);
            break;
        }
        struct pl_bytes *to = i + 1 < count ? &between[i % 2] : out;
        pl_bytes_clear(&between[i % 2]);
        if (filter->kind != PL_PDF_FILTER_FLATE)
            status = chain_gather(in, &between[(i + 1) % 2]);
        if (status == PL_OK)
            status = chain_step(filter, in, expansion, to, fault);
        if (status == PL_BAD_DOCUMENT) { /* goes on with what there is */
            damaged = true;
            status = PL_OK;
        }
        *in = (struct pl_pdf_encoded){ .memory = { to->data, to->size, 0 } };
    }
    pl_bytes_fini(&between[0]);
    pl_bytes_fini(&between[1]);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "a stream of the PDF: %s", pl_status_text(status));
    return damaged ? PL_BAD_DOCUMENT : PL_OK;
}
