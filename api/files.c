/* files: see files.h; open, read or write, one exit.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pl_status pl_file_read(const char *path, struct pl_bytes *out, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: %s", path, strerror(errno));
    for (;;) {
        uint8_t block[8192];
        ssize_t count = read(fd, block, sizeof block);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            status = pl_fault_set(fault, PL_MISCONFIGURED, "%s: %s", path, strerror(errno));
        if (count <= 0)
            break;
        status = pl_bytes_append(out, block, (size_t)count);
        if (status != PL_OK) {
            status = pl_fault_set(fault, PL_MISCONFIGURED, "%s: larger than %zu bytes", path,
                                  out->limit);
            break;
        }
    }
    (void)close(fd);
    return status;
}

static bool fd_write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        data += count;
        size -= (size_t)count;
    }
    return true;
}

pl_status pl_file_write(const char *path, const void *data, size_t size, mode_t mode,
                        struct pl_fault *fault)
{
    char beside[1200];
    int fd = -1;
    bool done = false;
    if (!pl_text_format(beside, sizeof beside, "%s.new", path))
        return pl_fault_set(fault, PL_MISCONFIGURED, "the path %s is too long", path);
    (void)unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0)
        done = fchmod(fd, mode) == 0 && fd_write_all(fd, data, size) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        done = false;
    if (done && rename(beside, path) == 0)
        return PL_OK;
    pl_status status = pl_fault_set(fault, pl_status_from_errno(errno), "cannot write %s: %s", path,
                                    strerror(errno));
    (void)unlink(beside);
    return status;
}

pl_status pl_folder_make(const char *path, mode_t mode, struct pl_fault *fault)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return PL_OK;
    return pl_fault_set(fault, pl_status_from_errno(errno), "cannot make the folder %s: %s", path,
                        strerror(errno));
}

/* Calls fn for every entry, folders after what is in them. False when the walk could not begin. */
static bool tree_walk(const char *path, bool (*fn)(void *owner, const FTSENT *entry), void *owner)
{
    char copy[1200];
    if (!pl_text_format(copy, sizeof copy, "%s", path))
        return false;
    char *roots[] = { copy, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
    if (tree == NULL)
        return false;
    bool all = true;
    for (FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
        if (entry->fts_info != FTS_D && !fn(owner, entry))
            all = false;
    }
    (void)fts_close(tree);
    return all;
}

static bool entry_remove(void *owner, const FTSENT *entry)
{
    (void)owner;
    return remove(entry->fts_accpath) == 0;
}

void pl_folder_remove(const char *path)
{
    (void)tree_walk(path, entry_remove, NULL);
}

struct tree_owner {
    uid_t user;
    gid_t group;
};

static bool entry_chown(void *owner, const FTSENT *entry)
{
    const struct tree_owner *to = owner;
    return lchown(entry->fts_accpath, to->user, to->group) == 0;
}

pl_status pl_folder_chown(const char *path, uid_t user, gid_t group, struct pl_fault *fault)
{
    struct tree_owner to = { user, group };
    if (tree_walk(path, entry_chown, &to))
        return PL_OK;
    return pl_fault_set(fault, PL_MISCONFIGURED, "cannot give %s to user %lu: %s", path,
                        (unsigned long)user, strerror(errno));
}

pl_status pl_folder_sync(const char *path, struct pl_fault *fault)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    if (done)
        return PL_OK;
    return pl_fault_set(fault, pl_status_from_errno(error), "cannot sync the folder %s: %s", path,
                        strerror(error));
}
