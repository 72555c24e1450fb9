/* scratch: mkdir and unlink, by descriptor, following no link.
 *
 * /dev/shm is the one tmpfs that every Linux system has. Anybody may write there, so names are
 * random and folders of others are never touched.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/scratch.h"

#include "engine/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SCRATCH_PLACE "/dev/shm"
#define SCRATCH_NAME "platen-scratch-"
#define SCRATCH_NAME_CHARS 48
#define SCRATCH_ENTRIES_BYTES 4096
#define SCRATCH_ROUNDS 4096 /* of reading a folder again after its entries were removed */
#define SCRATCH_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* getdents64(2) */
struct scratch_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[];
};

typedef void scratch_entry_fn(int folder, const char *name);

/* One pass over a folder; how many entries it had, besides itself and its parent. */
static unsigned scratch_each(int folder, scratch_entry_fn *fn)
{
    _Alignas(8) char room[SCRATCH_ENTRIES_BYTES];
    unsigned count = 0;
    (void)lseek(folder, 0, SEEK_SET);
    for (long took; (took = syscall(SYS_getdents64, folder, room, sizeof room)) > 0;) {
        for (long at = 0; at < took;) {
            const struct scratch_entry *entry = (const struct scratch_entry *)(room + at);
            at += entry->size;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
                continue;
            fn(folder, entry->name);
            count++;
        }
    }
    return count;
}

static void scratch_unlink(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) != 0) /* no worker can make folders in its own */
        (void)unlinkat(folder, name, AT_REMOVEDIR);
}

static void scratch_empty(int folder, scratch_entry_fn *fn)
{
    for (unsigned i = 0; i < SCRATCH_ROUNDS && scratch_each(folder, fn) > 0; i++)
        continue;
}

static void scratch_remove_worker(int root, const char *name)
{
    int folder = openat(root, name, SCRATCH_FOLDER);
    if (folder >= 0) {
        scratch_empty(folder, scratch_unlink);
        (void)close(folder);
    }
    scratch_unlink(root, name);
}

static void scratch_sweep_one(int place, const char *name)
{
    struct stat status;
    if (strncmp(name, SCRATCH_NAME, strlen(SCRATCH_NAME)) != 0)
        return;
    int root = openat(place, name, SCRATCH_FOLDER);
    if (root < 0)
        return;
    if (fstat(root, &status) == 0 && status.st_uid == geteuid() &&
        flock(root, LOCK_EX | LOCK_NB) == 0) {
        scratch_empty(root, scratch_remove_worker);
        (void)unlinkat(place, name, AT_REMOVEDIR);
    }
    (void)close(root);
}

static int scratch_place(void)
{
    struct statfs status;
    int place = open(SCRATCH_PLACE, SCRATCH_FOLDER);
    if (place >= 0 && fstatfs(place, &status) == 0 && status.f_type == TMPFS_MAGIC)
        return place;
    if (place >= 0)
        (void)close(place);
    errno = ENOTSUP;
    return -1;
}

void pl_scratch_sweep(void)
{
    int place = scratch_place();
    if (place < 0)
        return;
    (void)scratch_each(place, scratch_sweep_one);
    (void)close(place);
}

/* The root is made and locked; a sweeper that came between the two took it away again. */
static bool scratch_make_root(struct pl_scratch *scratch)
{
    struct stat status = { .st_nlink = 0 };
    uint8_t random[8];
    char hex[2 * sizeof random + 1];
    int place = scratch_place();
    if (place < 0)
        return false;
    for (int i = 0; i < 8 && scratch->root < 0; i++) {
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            break;
        (void)pl_text_format(scratch->path, sizeof scratch->path, "%s/%s%s", SCRATCH_PLACE,
                             SCRATCH_NAME, pl_text_hex(random, sizeof random, hex));
        const char *name = scratch->path + sizeof SCRATCH_PLACE;
        /* Others must pass through it when folders are given away; to list it nobody may. */
        if (mkdirat(place, name, 0700) != 0)
            continue;
        int root = openat(place, name, SCRATCH_FOLDER);
        if (root >= 0 && flock(root, LOCK_EX | LOCK_NB) == 0 &&
            fchmod(root, scratch->give ? 0711 : 0700) == 0 && fstat(root, &status) == 0 &&
            status.st_nlink > 0)
            scratch->root = root;
        else if (root >= 0)
            (void)close(root);
    }
    int error = errno;
    (void)close(place);
    errno = error;
    return scratch->root >= 0;
}

static void scratch_name(uint64_t ticket, char name[SCRATCH_NAME_CHARS])
{
    (void)pl_text_format(name, SCRATCH_NAME_CHARS, "%llu", (unsigned long long)ticket);
}

bool pl_scratch_make(struct pl_scratch *scratch, uint64_t ticket, char path[PL_SCRATCH_PATH_CHARS])
{
    char name[SCRATCH_NAME_CHARS];
    scratch_name(ticket, name);
    if (scratch->root < 0 && !scratch_make_root(scratch))
        return false;
    if (mkdirat(scratch->root, name, 0700) != 0)
        return false;
    if (scratch->give &&
        fchownat(scratch->root, name, scratch->uid, scratch->gid, AT_SYMLINK_NOFOLLOW) != 0) {
        int error = errno;
        (void)unlinkat(scratch->root, name, AT_REMOVEDIR);
        errno = error;
        return false;
    }
    return pl_text_format(path, PL_SCRATCH_PATH_CHARS, "%s/%s", scratch->path, name);
}

void pl_scratch_remove(struct pl_scratch *scratch, uint64_t ticket)
{
    char name[SCRATCH_NAME_CHARS];
    scratch_name(ticket, name);
    if (scratch->root >= 0)
        scratch_remove_worker(scratch->root, name);
}

void pl_scratch_end(struct pl_scratch *scratch)
{
    if (scratch->root < 0)
        return;
    scratch_empty(scratch->root, scratch_remove_worker);
    (void)unlinkat(AT_FDCWD, scratch->path, AT_REMOVEDIR);
    (void)close(scratch->root);
    scratch->root = -1;
}
