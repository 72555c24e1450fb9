/* findings: a list that stops to grow, so that no document makes its own report endless.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/findings.h"

#include <stdlib.h>
#include <string.h>

#define FINDINGS_FIRST 16
#define FINDINGS_BACK 32 /* how far back the same words are looked for */

void pl_findings_fini(struct pl_findings *findings)
{
    free(findings->items);
    *findings = (struct pl_findings){ 0 };
}

static bool finding_same(const struct pl_finding *a, const struct pl_finding *b)
{
    return a->object == b->object && strcmp(a->rule, b->rule) == 0 &&
           strcmp(a->text, b->text) == 0 && (a->object != 0 || a->page == b->page);
}

static bool findings_grow(struct pl_findings *findings)
{
    size_t room = findings->room == 0 ? FINDINGS_FIRST : findings->room * 2;
    if (room > PL_FINDINGS_MOST)
        room = PL_FINDINGS_MOST;
    if (room == findings->room)
        return false;
    struct pl_finding *items = realloc(findings->items, room * sizeof *items);
    if (items == NULL)
        return false;
    findings->items = items;
    findings->room = room;
    return true;
}

void pl_findings_add(struct pl_findings *findings, const struct pl_finding *finding)
{
    for (size_t i = findings->count, n = 0; i-- > 0 && n < FINDINGS_BACK; n++) {
        if (finding_same(&findings->items[i], finding))
            return;
    }
    findings->total++;
    if (findings->count == findings->room && !findings_grow(findings))
        return;
    findings->items[findings->count++] = *finding;
}

void pl_findings_cut(struct pl_findings *findings, size_t count)
{
    if (count >= findings->count)
        return;
    findings->total -= findings->count - count;
    findings->count = count;
}
