/* ps_in: PostScript and EPS, which say nothing about their pages until they are run.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/codec.h"

static pl_status ps_open(struct pl_source *source, const struct pl_open_settings *settings,
                         struct pl_reader **out, struct pl_fault *fault)
{
    (void)source;
    (void)settings;
    (void)out;
    return pl_fault_set(fault, PL_NEEDS_INTERPRETER,
                        "PostScript is a program: only an interpreter can tell its pages");
}

/* Never reached: open gives no reader. */
static uint32_t ps_page_count(const struct pl_reader *reader)
{
    (void)reader;
    return 0;
}

static pl_status ps_load(const struct pl_reader *reader, struct pl_source *source, uint32_t n,
                         struct pl_page *page, struct pl_fault *fault)
{
    (void)reader;
    (void)source;
    (void)n;
    (void)page;
    return pl_fault_set(fault, PL_NEEDS_INTERPRETER, "PostScript needs an interpreter");
}

static void ps_close(struct pl_reader *reader)
{
    (void)reader;
}

const struct pl_reader_ops pl_ps_reader = {
    .name = "ps", .open = ps_open, .page_count = ps_page_count, .load = ps_load, .close = ps_close
};
