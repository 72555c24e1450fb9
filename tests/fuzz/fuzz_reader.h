/* fuzz_reader: opens any bytes by one reader and loads every page, under small limits.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_FUZZ_FUZZ_READER_H
#define PL_TESTS_FUZZ_FUZZ_READER_H

#include "pipeline/codec/codec.h"

static inline void fuzz_reader(const struct pl_reader_ops *ops, const uint8_t *data, size_t size)
{
    const struct pl_limits limits = {
        .pages = 20,
        .side_px = 5000,
        .colour_px = 1000000,
        .bilevel_px = 4000000,
        .page_bytes = 16000000,
        .output_bytes = 16000000,
        .expansion = 1000,
    };
    struct pl_source *source = NULL;
    struct pl_reader *reader = NULL;
    struct pl_fault fault = { 0 };
    if (pl_source_memory_new(data, size, &source) != PL_OK)
        return;
    const struct pl_open_settings settings = { .limits = &limits };
    if (ops->open(source, &settings, &reader, &fault) == PL_OK) {
        for (uint32_t n = 0; n < ops->page_count(reader); n++) {
            struct pl_page page;
            pl_page_init(&page, limits.page_bytes);
            pl_status status = ops->load(reader, source, n, &page, &fault);
            PL_CHECK(status != PL_OK || page.part_count > 0);
            pl_page_fini(&page);
        }
        ops->close(reader);
    }
    source->ops->free(source);
}

#endif
