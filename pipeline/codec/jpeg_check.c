/* jpeg_check: what the walk over the markers tells.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_check.h"

#include "pipeline/codec/jpeg_scan.h"

#define WHAT_CHARS 200

static void jpeg_find(struct pl_findings *findings, const char *rule, const char *text)
{
    struct pl_finding finding = { .page = 1 };
    (void)pl_text_format(finding.rule, sizeof finding.rule, "%s", rule);
    (void)pl_text_format(finding.text, sizeof finding.text, "%s", text);
    pl_findings_add(findings, &finding);
}

static const char *frame_name(uint8_t frame)
{
    switch (frame) {
    case 0xc0:
        return "baseline";
    case 0xc1:
        return "extended sequential";
    case 0xc2:
        return "progressive";
    case 0xc3:
        return "lossless";
    case 0xc9:
    case 0xca:
        return "arithmetic-coded";
    default:
        return "hierarchical or unusual";
    }
}

pl_status pl_jpeg_check(struct pl_source *source, const struct pl_limits *limits, char *what,
                        struct pl_findings *findings, struct pl_fault *fault)
{
    struct pl_jpeg_info info = { .frame = 0 };
    struct pl_fault found = { 0 };
    (void)limits;
    (void)pl_text_format(what, WHAT_CHARS, "a JPEG picture");
    pl_status status = pl_jpeg_scan(source, true, &info, &found);
    if (status == PL_BAD_DOCUMENT) {
        jpeg_find(findings, "ITU-T T.81 B", found.reason);
        return PL_OK;
    }
    if (status != PL_OK)
        return pl_fault_set(fault, status, "%s", found.reason);
    (void)pl_text_format(what, WHAT_CHARS, "a %s JPEG picture of %u x %u pixels, %u components",
                         frame_name(info.frame), info.width_px, info.height_px,
                         (unsigned)info.components);
    if (info.tables_missing)
        jpeg_find(findings, "ITU-T T.81 B.2.4", "a scan uses a table that is not there");
    if (info.icc_broken)
        jpeg_find(findings, "ICC.1 B.4", "pieces of the colour profile are missing or doubled");
    if (info.end < source->size)
        jpeg_find(findings, "ITU-T T.81 B.2.1", "bytes follow the end of the picture (EOI)");
    return PL_OK;
}
