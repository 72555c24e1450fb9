/* source: range checks in front of the ops, and the source over memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/source.h"

#include <stdlib.h>
#include <string.h>

pl_status pl_source_read(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    if (at > source->size || size > source->size - at)
        return PL_BAD_DOCUMENT;
    return size == 0 ? PL_OK : source->ops->read_at(source, at, out, size);
}

pl_status pl_out_write(struct pl_out *out, const void *data, size_t size)
{
    pl_status status = out->ops->write(out, data, size);
    if (status == PL_OK)
        out->size += size;
    return status;
}

struct memory_source {
    struct pl_source source;
    const uint8_t *data;
};

static pl_status memory_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    const struct memory_source *memory = (const struct memory_source *)source;
    memcpy(out, memory->data + at, size);
    return PL_OK;
}

static struct pl_source *memory_clone(struct pl_source *source)
{
    const struct memory_source *memory = (const struct memory_source *)source;
    struct pl_source *copy = NULL;
    return pl_source_memory_new(memory->data, (size_t)source->size, &copy) == PL_OK ? copy : NULL;
}

static void memory_free(struct pl_source *source)
{
    free(source);
}

static const struct pl_source_ops memory_ops = { memory_read_at, memory_clone, memory_free };

pl_status pl_source_memory_new(const void *data, size_t size, struct pl_source **out)
{
    struct memory_source *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return PL_NO_MEMORY;
    memory->source = (struct pl_source){ .ops = &memory_ops, .size = size };
    memory->data = data;
    *out = &memory->source;
    return PL_OK;
}
