/* pdf_tree: a full node waits for the next kid before it is closed, so that the last one of the
 * highest level is the root and no node has a single kid for want of another.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/pdf/pdf_tree.h"

static void node_add(struct pl_pdf_node *node, uint32_t kid, uint64_t pages)
{
    PL_CHECK(node->kid_count < PL_PDF_TREE_KIDS);
    node->kids[node->kid_count++] = kid;
    node->pages += pages;
}

static void node_write(const struct pl_pdf_node *node, struct pl_pdf_writer *writer,
                       uint32_t parent)
{
    pl_pdf_begin(writer, node->number);
    pl_pdf_format(writer, "<</Type/Pages/Count %llu", (unsigned long long)node->pages);
    if (parent != 0)
        pl_pdf_format(writer, "/Parent %u 0 R", parent);
    pl_pdf_format(writer, "/Kids[");
    for (uint32_t i = 0; i < node->kid_count; i++)
        pl_pdf_format(writer, i == 0 ? "%u 0 R" : " %u 0 R", node->kids[i]);
    pl_pdf_format(writer, "]>>");
    pl_pdf_end(writer);
}

/* The open node of a level, with room for one more kid; a full one is closed into the level above
 * first. Depth is bounded by PL_PDF_TREE_LEVELS. */
static struct pl_pdf_node *tree_room(struct pl_pdf_tree *tree, struct pl_pdf_writer *writer,
                                     unsigned level)
{
    PL_CHECK(level < PL_PDF_TREE_LEVELS);
    struct pl_pdf_node *node = &tree->levels[level];
    if (node->kid_count == PL_PDF_TREE_KIDS) {
        struct pl_pdf_node *above = tree_room(tree, writer, level + 1);
        node_write(node, writer, above->number);
        node_add(above, node->number, node->pages);
        *node = (struct pl_pdf_node){ 0 };
    }
    if (node->number == 0)
        node->number = pl_pdf_reserve(writer);
    return node;
}

uint32_t pl_pdf_tree_parent(struct pl_pdf_tree *tree, struct pl_pdf_writer *writer)
{
    return tree_room(tree, writer, 0)->number;
}

void pl_pdf_tree_add(struct pl_pdf_tree *tree, uint32_t page)
{
    node_add(&tree->levels[0], page, 1);
}

uint32_t pl_pdf_tree_end(struct pl_pdf_tree *tree, struct pl_pdf_writer *writer)
{
    unsigned level = 0;
    while (level + 1 < PL_PDF_TREE_LEVELS && tree->levels[level + 1].number != 0) {
        struct pl_pdf_node *above = tree_room(tree, writer, level + 1);
        node_write(&tree->levels[level], writer, above->number);
        node_add(above, tree->levels[level].number, tree->levels[level].pages);
        level++;
    }
    node_write(&tree->levels[level], writer, 0);
    return tree->levels[level].number;
}
