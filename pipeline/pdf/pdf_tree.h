/* pdf_tree: a balanced page tree, each node written as soon as it is full.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_PDF_PDF_TREE_H
#define PL_PIPELINE_PDF_PDF_TREE_H

#include "pipeline/pdf/pdf_writer.h"

#define PL_PDF_TREE_KIDS 64
#define PL_PDF_TREE_LEVELS 5 /* 64^5 pages; the writer's ceiling on objects comes first */

/* The one open node of a level; level 0 holds pages. Zero-initialise. */
struct pl_pdf_node {
    uint32_t number; /* 0: none is open */
    uint32_t kid_count;
    uint64_t pages;
    uint32_t kids[PL_PDF_TREE_KIDS];
};

struct pl_pdf_tree {
    struct pl_pdf_node levels[PL_PDF_TREE_LEVELS];
};

/* The node that the next page belongs to: its /Parent. */
uint32_t pl_pdf_tree_parent(struct pl_pdf_tree *tree, struct pl_pdf_writer *writer);
/* The page that asked for its parent last. */
void pl_pdf_tree_add(struct pl_pdf_tree *tree, uint32_t page);
/* Writes the nodes that are open; returns the root. At least one page was added. */
uint32_t pl_pdf_tree_end(struct pl_pdf_tree *tree, struct pl_pdf_writer *writer);

#endif
