/* memory_out: an output into memory that can be told to fail at its n-th write.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_MEMORY_OUT_H
#define PL_TESTS_SUPPORT_MEMORY_OUT_H

#include "engine/base/bytes.h"
#include "pipeline/source.h"

struct memory_out {
    struct pl_out out;
    struct pl_bytes bytes;
    unsigned writes;
    unsigned fail_at; /* 1-based; 0: never */
};

static inline pl_status memory_out_write(struct pl_out *out, const void *data, size_t size)
{
    struct memory_out *memory = (struct memory_out *)out;
    if (++memory->writes == memory->fail_at)
        return PL_NO_SPACE;
    return pl_bytes_append(&memory->bytes, data, size);
}

static const struct pl_out_ops memory_out_ops = { memory_out_write };

static inline void memory_out_init(struct memory_out *memory, unsigned fail_at)
{
    *memory = (struct memory_out){ .out = { .ops = &memory_out_ops }, .fail_at = fail_at };
    pl_bytes_init(&memory->bytes, (size_t)1 << 30);
}

#endif
