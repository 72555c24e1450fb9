/* page_ledger: lines of an array, with every character that JSON forbids escaped (RFC 8259).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/page_ledger.h"

#include <stdio.h>
#include <string.h>

#define LEDGER_BYTES_MAX ((size_t)1 << 28)

void pl_page_ledger_init(struct pl_bytes *json)
{
    pl_bytes_init(json, LEDGER_BYTES_MAX);
}

static const char *ledger_how(enum pl_page_how how)
{
    switch (how) {
    case PL_PAGE_COPIED:
        return "copied";
    case PL_PAGE_REENCODED_EXACT:
        return "reencoded_exact";
    case PL_PAGE_REENCODED_LOSS:
        return "reencoded_loss";
    case PL_PAGE_RENDERED:
        return "rendered";
    }
    return "";
}

/* A string of ours, which may quote the document: made well-formed, then escaped. */
static pl_status ledger_string(struct pl_bytes *json, const char *text)
{
    char clean[4 * sizeof((struct pl_page *)0)->note];
    size_t size = pl_text_sanitize(pl_span_from(text), clean, sizeof clean);
    pl_status status = pl_bytes_append(json, "\"", 1);
    for (size_t i = 0; i < size && status == PL_OK; i++) {
        char c = clean[i];
        if (c == '"' || c == '\\')
            status = pl_bytes_append(json, "\\", 1);
        if (status == PL_OK)
            status = pl_bytes_append(json, &c, 1);
    }
    return status == PL_OK ? pl_bytes_append(json, "\"", 1) : status;
}

pl_status pl_page_ledger_add(struct pl_bytes *json, const struct pl_page_row *row,
                             const struct pl_page *page)
{
    bool is_known = page->bytes_in > 0 || page->how == PL_PAGE_RENDERED;
    uint64_t bytes = is_known ? page->bytes_in : page->data.size;
    pl_status status = pl_bytes_format(json, json->size == 0 ? "[{" : ",{");
    if (status == PL_OK && row->document > 0)
        status = pl_bytes_format(json, "\"document\":%u,", row->document);
    if (status == PL_OK)
        status = pl_bytes_format(
            json,
            "\"n\":%u,\"input\":%zu,\"page\":%u,\"width\":%u,\"height\":%u,\"how\":\"%s\","
            "\"bytes\":%llu,\"bytes_out\":%llu",
            row->n, row->input, page->number, page->width_px, page->height_px,
            ledger_how(page->how), (unsigned long long)bytes, (unsigned long long)row->bytes_out);
    if (status == PL_OK && page->note[0] != '\0') {
        status = pl_bytes_format(json, ",\"note\":");
        if (status == PL_OK)
            status = ledger_string(json, page->note);
    }
    return status == PL_OK ? pl_bytes_append(json, "}", 1) : status;
}

pl_status pl_page_ledger_end(struct pl_bytes *json)
{
    return json->size == 0 ? pl_bytes_append(json, "[]", 2) : pl_bytes_append(json, "]", 1);
}
