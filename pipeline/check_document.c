/* check_document: one checker for each kind that the sniffer knows.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/check_document.h"

#include "pipeline/codec/codec.h"
#include "pipeline/codec/jpeg_check.h"
#include "pipeline/codec/png_check.h"
#include "pipeline/codec/tiff_check.h"
#include "pipeline/pdf/pdf_check.h"

#include <string.h>

#define ORDER_WORDS "platen check"

/* --- the order -------------------------------------------------------------------------------- */

void pl_check_order_write(unsigned part, char out[PL_CHECK_ORDER_CHARS])
{
    PL_CHECK(part <= 3);
    (void)pl_text_format(out, PL_CHECK_ORDER_CHARS, ORDER_WORDS " %u", part);
}

bool pl_check_order_read(struct pl_span text, unsigned *part)
{
    size_t size = sizeof ORDER_WORDS;
    if (text.size != size + 1 || memcmp(text.data, ORDER_WORDS " ", size) != 0 ||
        text.data[size] < '0' || text.data[size] > '3')
        return false;
    *part = (unsigned)(text.data[size] - '0');
    return true;
}

/* --- documents -------------------------------------------------------------------------------- */

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static pl_status check_pdf(struct pl_source *source, const struct pl_limits *limits, unsigned part,
                           struct pl_check *out, struct pl_fault *fault)
{
    const struct pl_pdf_check check = { .part = part };
    struct pl_pdf_claim claim;
    char version[32] = "PDF";
    pl_status status = pl_pdf_check(source, limits, &check, &claim, &out->findings, fault);
    if (status != PL_OK)
        return status;
    out->part = claim.held;
    if (claim.part != 0)
        (void)pl_text_format(version, sizeof version, "PDF/A-%u%c", claim.part,
                             claim.level != 0 ? claim.level | 0x20 : '?');
    else if (claim.minor != 0)
        (void)pl_text_format(version, sizeof version, "PDF %s%u", claim.minor == 20 ? "2." : "1.",
                             claim.minor == 20 ? 0 : claim.minor);
    (void)pl_text_format(
        out->what, sizeof out->what, "%s %s document of %u page%s%s%s",
        claim.encrypted ? "an encrypted" : "a", version, claim.pages, plural(claim.pages),
        claim.held != 0 && claim.level != 'B' && claim.level != 0 ? " (held against level B)" : "",
        claim.part > 3 ? " (a part whose rules are not known here)" : "");
    return PL_OK;
}

static void check_claim(struct pl_check *out, unsigned part)
{
    struct pl_finding finding = { .page = 0 };
    if (part == 0)
        return;
    (void)pl_text_format(finding.rule, sizeof finding.rule, "ISO 19005-%u 6.1.1", part);
    (void)pl_text_format(finding.text, sizeof finding.text, "this is no PDF");
    pl_findings_add(&out->findings, &finding);
}

pl_status pl_check_document(struct pl_source *source, const struct pl_limits *limits, unsigned part,
                            struct pl_check *out, struct pl_fault *fault)
{
    const struct pl_reader_ops *reader = NULL;
    *out = (struct pl_check){ .kind = "" };
    pl_status status = pl_sniff(source, &reader, fault);
    if (status != PL_OK)
        return status;
    out->kind = reader->name;
    if (reader == &pl_pdf_reader)
        return check_pdf(source, limits, part, out, fault);
    if (reader == &pl_tiff_reader)
        status = pl_tiff_check(source, limits, out->what, &out->findings, fault);
    else if (reader == &pl_jpeg_reader)
        status = pl_jpeg_check(source, limits, out->what, &out->findings, fault);
    else if (reader == &pl_png_reader)
        status = pl_png_check(source, limits, out->what, &out->findings, fault);
    else
        (void)pl_text_format(out->what, sizeof out->what, "a PostScript program");
    check_claim(out, part);
    return status;
}

void pl_check_fini(struct pl_check *check)
{
    pl_findings_fini(&check->findings);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* What was sanitised already: UTF-8 without control characters. */
static pl_status json_string(struct pl_bytes *out, const char *text)
{
    pl_status status = pl_bytes_append(out, "\"", 1);
    for (; *text != '\0' && status == PL_OK; text++) {
        if (*text == '"' || *text == '\\')
            status = pl_bytes_append(out, "\\", 1);
        if (status == PL_OK)
            status = pl_bytes_append(out, text, 1);
    }
    return status == PL_OK ? pl_bytes_append(out, "\"", 1) : status;
}

static pl_status json_finding(const struct pl_finding *finding, struct pl_bytes *out)
{
    pl_status status = pl_bytes_format(out, "{\"page\":%u,\"object\":%u,\"rule\":", finding->page,
                                       finding->object);
    if (status == PL_OK)
        status = json_string(out, finding->rule);
    if (status == PL_OK)
        status = pl_bytes_format(out, ",\"text\":");
    if (status == PL_OK)
        status = json_string(out, finding->text);
    return status == PL_OK ? pl_bytes_append(out, "}", 1) : status;
}

pl_status pl_check_json(const struct pl_check *check, struct pl_bytes *out)
{
    pl_status status = pl_bytes_format(out, "{\"what\":");
    if (status == PL_OK)
        status = json_string(out, check->what);
    if (status == PL_OK)
        status =
            pl_bytes_format(out, ",\"kind\":\"%s\",\"part\":%u,\"total\":%llu,\"findings\":[",
                            check->kind, check->part, (unsigned long long)check->findings.total);
    for (size_t i = 0; i < check->findings.count && status == PL_OK; i++) {
        if (i > 0)
            status = pl_bytes_append(out, ",", 1);
        if (status == PL_OK)
            status = json_finding(&check->findings.items[i], out);
    }
    return status == PL_OK ? pl_bytes_append(out, "]}", 2) : status;
}
