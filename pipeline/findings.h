/* findings: what a checker has to say about a document, one rule and one sentence each.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_FINDINGS_H
#define PL_PIPELINE_FINDINGS_H

#include "engine/base/bytes.h"

#define PL_FINDINGS_MOST 1000 /* kept; the others are counted */
#define PL_FINDING_RULE_CHARS 40
#define PL_FINDING_TEXT_CHARS 200

struct pl_finding {
    uint32_t page;   /* 1-based; 0: of no page */
    uint32_t object; /* of a PDF; 0: of none */
    char rule[PL_FINDING_RULE_CHARS];
    char text[PL_FINDING_TEXT_CHARS]; /* may quote the document: already fit to be shown */
};

struct pl_findings {
    struct pl_finding *items;
    size_t count;
    size_t room;
    uint64_t total; /* also those that were not kept */
};

/* Zero-initialise. */
void pl_findings_fini(struct pl_findings *findings);
/* One that has no place any more is counted. The same rule with the same words about the same
 * object is told once. */
void pl_findings_add(struct pl_findings *findings, const struct pl_finding *finding);
/* Takes back all but the first `count`, as if they had not been found. */
void pl_findings_cut(struct pl_findings *findings, size_t count);

#endif
