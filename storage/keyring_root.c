/* keyring_root: the root key's file: made once, whole or not at all, and read only when nobody else
 * may.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/keyring.h"

#include "storage/keyring_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_FILE_BYTES (2 * PL_ROOT_KEY_BYTES + 1)

static pl_status refuse_errno(struct pl_fault *fault, const char *what, const char *path, int error)
{
    return pl_fault_set(fault, pl_status_from_errno(error), "%s %s: %s", what, path,
                        strerrordesc_np(error));
}

static pl_status write_whole(int fd, const char *data, size_t size)
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

/* The folder's entry must survive a power cut as well as the file. */
static pl_status sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    if (folder == NULL)
        return PL_NO_MEMORY;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pl_status status = fd >= 0 && fsync(fd) == 0 ? PL_OK : pl_status_from_errno(errno);
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return status;
}

pl_status pl_keyring_root_make(const char *path, struct pl_fault *fault)
{
    uint8_t root[PL_ROOT_KEY_BYTES];
    char text[2 * PL_ROOT_KEY_BYTES + 1];
    int fd = -1;
    pl_status status = pl_random_bytes(root, sizeof root);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the kernel gives no random bytes for a root key");
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        status = refuse_errno(fault, "cannot make the root key", path, errno);
        goto done;
    }
    (void)pl_text_hex(root, sizeof root, text);
    text[2 * PL_ROOT_KEY_BYTES] = '\n';
    status =
        fchmod(fd, 0600) == 0 ? write_whole(fd, text, sizeof text) : pl_status_from_errno(errno);
    if (status == PL_OK && fsync(fd) != 0)
        status = pl_status_from_errno(errno);
    if (close(fd) != 0 && status == PL_OK)
        status = pl_status_from_errno(errno);
    if (status == PL_OK)
        status = sync_folder_of(path);
    if (status != PL_OK) {
        (void)unlink(path); /* a key that may not be whole is worse than none */
        (void)pl_fault_set(fault, status, "cannot write the root key %s: %s", path,
                           pl_status_text(status));
    }
done:
    pl_wipe(text, sizeof text);
    pl_wipe(root, sizeof root);
    return status;
}

/* Up to `size` bytes; the count goes to *out. */
static pl_status read_some(int fd, char *data, size_t size, size_t *out)
{
    size_t done = 0;
    while (done < size) {
        ssize_t took = read(fd, data + done, size - done);
        if (took < 0 && errno == EINTR)
            continue;
        if (took < 0)
            return pl_status_from_errno(errno);
        if (took == 0)
            break;
        done += (size_t)took;
    }
    *out = done;
    return PL_OK;
}

static pl_status root_check_mode(int fd, const char *path, struct pl_fault *fault)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return refuse_errno(fault, "cannot look at the root key", path, errno);
    if (!S_ISREG(info.st_mode))
        return pl_fault_set(fault, PL_MISCONFIGURED, "root key %s: this is not a file", path);
    if ((info.st_mode & 077) != 0) {
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "root key %s: found mode %04o, which lets others touch it; allowed "
                            "0600 or 0400 (chmod 600 and think about who may have read it)",
                            path, (unsigned)info.st_mode & 07777);
    }
    return PL_OK;
}

pl_status pl_keyring_root_load(const char *path, uint8_t root[PL_ROOT_KEY_BYTES],
                               struct pl_fault *fault)
{
    char text[ROOT_FILE_BYTES + 1]; /* one more, to see that nothing follows */
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_errno(fault, "cannot read the root key", path, errno);
    pl_status status = root_check_mode(fd, path, fault);
    if (status == PL_OK) {
        status = read_some(fd, text, sizeof text, &size);
        if (status != PL_OK)
            (void)pl_fault_set(fault, status, "cannot read the root key %s", path);
    }
    (void)close(fd);
    if (status == PL_OK) {
        if (size == ROOT_FILE_BYTES && text[size - 1] == '\n')
            size--;
        if (!pl_text_unhex((struct pl_span){ text, size }, root, PL_ROOT_KEY_BYTES)) {
            status = pl_fault_set(fault, PL_MISCONFIGURED,
                                  "root key %s: allowed is one line of 64 hex digits", path);
        }
    }
    pl_wipe(text, sizeof text);
    return status;
}
