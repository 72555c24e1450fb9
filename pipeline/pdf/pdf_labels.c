/* pdf_labels: one node holds all ranges; there are at most PL_LABELS_MOST.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_labels.h"

#include "pipeline/pdf/pdf_text.h"

#include <string.h>

pl_status pl_pdf_labels_check(const struct pl_convert *convert, struct pl_fault *fault)
{
    PL_CHECK(convert->label_count <= PL_LABELS_MOST);
    uint32_t last = 0;
    for (size_t i = 0; i < convert->label_count; i++) {
        const struct pl_page_label *label = &convert->labels[i];
        if (label->from <= last)
            return pl_fault_set(fault, PL_MISCONFIGURED,
                                "label %zu begins at page %u; labels begin at page 1 and follow "
                                "each other",
                                i + 1, label->from);
        if (label->style != 0 && strchr("DRrAa", label->style) == NULL)
            return pl_fault_set(fault, PL_MISCONFIGURED,
                                "label %zu has a style that is none of D, R, r, A, a", i + 1);
        if (!pl_text_is_utf8(pl_span_from(label->prefix)))
            return pl_fault_set(fault, PL_MISCONFIGURED, "the prefix of label %zu is not UTF-8",
                                i + 1);
        last = label->from;
    }
    return PL_OK;
}

static pl_status labels_put(const struct pl_page_label *label, struct pl_pdf_writer *writer)
{
    struct pl_bytes prefix = { 0 };
    pl_bytes_init(&prefix, 2 * sizeof label->prefix + 2);
    pl_pdf_format(writer, "%u<<", label->from - 1);
    if (label->style != 0)
        pl_pdf_format(writer, "/S/%c", label->style);
    if (label->style != 0 && label->start > 1)
        pl_pdf_format(writer, "/St %u", label->start);
    pl_status status = pl_pdf_text_string(pl_span_from(label->prefix), &prefix);
    if (status == PL_OK && prefix.size > 0) {
        pl_pdf_format(writer, "/P");
        pl_pdf_string(writer, (struct pl_span){ (const char *)prefix.data, prefix.size });
    }
    pl_pdf_format(writer, ">>");
    pl_bytes_fini(&prefix);
    return status;
}

pl_status pl_pdf_labels_write(const struct pl_convert *convert, uint64_t pages,
                              struct pl_pdf_writer *writer, uint32_t *number)
{
    pl_status status = PL_OK;
    *number = 0;
    if (convert->label_count == 0)
        return PL_OK;
    *number = pl_pdf_reserve(writer);
    pl_pdf_begin(writer, *number);
    pl_pdf_format(writer, "<</Nums[");
    if (convert->labels[0].from > 1)
        pl_pdf_format(writer, "0<</S/D>>");
    for (size_t i = 0; i < convert->label_count && status == PL_OK; i++) {
        if (convert->labels[i].from <= pages)
            status = labels_put(&convert->labels[i], writer);
    }
    pl_pdf_format(writer, "]>>");
    pl_pdf_end(writer);
    return status == PL_OK ? pl_pdf_status(writer) : status;
}
