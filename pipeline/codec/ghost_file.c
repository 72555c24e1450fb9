/* ghost_file: open, write, pread; nothing is ever flushed, because there is no disk behind it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_PART_BYTES ((size_t)65536)

struct file_source {
    struct pl_source source;
    int *uses; /* how many sources share the descriptor; all belong to one thread at a time */
    int fd;
};

static pl_status file_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    const struct file_source *self = (struct file_source *)source;
    uint8_t *to = out;
    while (size > 0) {
        ssize_t took = pread(self->fd, to, size, (off_t)at);
        if (took < 0 && errno == EINTR)
            continue;
        if (took <= 0)
            return PL_IO_ERROR;
        to += took;
        at += (uint64_t)took;
        size -= (size_t)took;
    }
    return PL_OK;
}

static struct pl_source *file_clone(struct pl_source *source)
{
    const struct file_source *self = (struct file_source *)source;
    struct file_source *clone = malloc(sizeof *clone);
    if (clone == NULL)
        return NULL;
    *clone = *self;
    (void)__atomic_add_fetch(clone->uses, 1, __ATOMIC_RELAXED);
    return &clone->source;
}

static void file_free(struct pl_source *source)
{
    struct file_source *self = (struct file_source *)source;
    if (__atomic_sub_fetch(self->uses, 1, __ATOMIC_ACQ_REL) == 0) {
        (void)close(self->fd);
        free(self->uses);
    }
    free(self);
}

pl_status pl_ghost_file_take(const char *path, struct pl_source **out)
{
    static const struct pl_source_ops ops = { file_read_at, file_clone, file_free };
    struct file_source *self = calloc(1, sizeof *self);
    int *uses = malloc(sizeof *uses);
    pl_status status = self == NULL || uses == NULL ? PL_NO_MEMORY : PL_OK;
    int fd = status == PL_OK ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (status == PL_OK && fd < 0)
        status = errno == ENOENT ? PL_NOT_FOUND : PL_IO_ERROR;
    else if (status == PL_OK && size < 0)
        status = PL_IO_ERROR;
    (void)unlink(path);
    if (status != PL_OK) {
        if (fd >= 0)
            (void)close(fd);
        free(uses);
        free(self);
        return status;
    }
    *uses = 1;
    *self = (struct file_source){ .source = { .ops = &ops, .size = (uint64_t)size },
                                  .uses = uses,
                                  .fd = fd };
    *out = &self->source;
    return PL_OK;
}

static pl_status file_write(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return pl_status_from_errno(errno);
        data += put;
        size -= (size_t)put;
    }
    return PL_OK;
}

pl_status pl_ghost_file_put(const char *path, struct pl_source *source, struct pl_fault *fault)
{
    uint8_t *part = malloc(FILE_PART_BYTES);
    pl_status status = part == NULL ? PL_NO_MEMORY : PL_OK;
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (status == PL_OK && fd < 0)
        status = pl_status_from_errno(errno);
    for (uint64_t at = 0; at < source->size && status == PL_OK;) {
        uint64_t left = source->size - at;
        size_t size = left < FILE_PART_BYTES ? (size_t)left : FILE_PART_BYTES;
        status = pl_source_read(source, at, part, size);
        if (status == PL_OK)
            status = file_write(fd, part, size);
        at += size;
    }
    if (fd >= 0)
        (void)close(fd);
    free(part);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the document cannot be laid out for Ghostscript: %s",
                            pl_status_text(status));
    return PL_OK;
}
