/* source: where a document's bytes come from and where a result's bytes go.
 *
 * Two small ops structs, so that codecs know nothing of seals, descriptors or processes. workers/
 * fills them with sealed files, tests with memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_SOURCE_H
#define PL_PIPELINE_SOURCE_H

#include "engine/base/status.h"

struct pl_source;

struct pl_source_ops {
    /* Fills out[0..size) from offset `at`; the range lies inside the source (the caller checks
     * against size). PL_TAMPERED, PL_IO_ERROR. */
    pl_status (*read_at)(struct pl_source *source, uint64_t at, void *out, size_t size);
    /* A second view of the same bytes for another thread; NULL when memory is out. Not while
     * another thread uses this one. */
    struct pl_source *(*clone)(struct pl_source *source);
    void (*free)(struct pl_source *source);
};

/* Embedded first in the filling struct. Belongs to one thread; clones are independent. */
struct pl_source {
    const struct pl_source_ops *ops;
    uint64_t size;
};

struct pl_out;

struct pl_out_ops {
    /* Takes all of it, in order. PL_IO_ERROR, PL_NO_SPACE, PL_TOO_LARGE. */
    pl_status (*write)(struct pl_out *out, const void *data, size_t size);
};

/* Embedded first in the filling struct. Append only. */
struct pl_out {
    const struct pl_out_ops *ops;
    uint64_t size; /* bytes taken so far; kept by pl_out_write */
};

/* Reads inside the source; PL_BAD_DOCUMENT when at + size lies beyond its end. */
pl_status pl_source_read(struct pl_source *source, uint64_t at, void *out, size_t size) PL_MUST_USE;
pl_status pl_out_write(struct pl_out *out, const void *data, size_t size) PL_MUST_USE;

/* Borrowed memory as a source (tests, small inputs). */
pl_status pl_source_memory_new(const void *data, size_t size, struct pl_source **out) PL_MUST_USE;

#endif
