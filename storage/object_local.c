/* object_local: stage without a name, sync, link, sync the folders.
 *
 * The order is the promise: bytes (fdatasync), each new folder in its parent (fsync), the name
 * (linkat), the folder that holds it (fsync). Folders are made and names linked under one lock, so
 * that nobody builds on a folder whose own name is not durable yet, and none is removed under
 * somebody's feet. Opening syncs the whole file system once: after a crash a folder may exist
 * whose name was never synced, and from then on "it is there" must mean "it stays".
 *
 * Keys are checked, and every segment is opened without following links, so that no key names
 * anything outside the folder.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "storage/object_local.h"

#include "engine/base/ids.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Staged files with names, where the file system has no unnamed ones. No key starts with a dot. */
#define LOCAL_STAGING ".staging"
#define LOCAL_NAME_CHARS 64

struct local_store {
    struct pl_loop *loop;
    const struct pl_log *log;
    int root;
    int staging;
    unsigned pending;       /* calls that are not done; the loop's thread alone */
    pthread_mutex_t naming; /* while folders and names come and go */
    atomic_bool broken;     /* an fsync failed */
};

/* A call on its way through the thread pool; lives in the call's impl. */
struct local_task {
    struct pl_loop_work work;
    struct local_store *store;
    void *call; /* a pl_object_put, _open or _remove */
};
static_assert(sizeof(struct local_task) <= sizeof(((struct pl_object_put *)NULL)->impl),
              "a store's part of a call must hold a local_task");

static bool local_key_is_valid(const char *key)
{
    size_t size = strnlen(key, PL_OBJECT_KEY_CHARS);
    bool at_start = true; /* of a segment: neither a dot nor a slash may stand here */
    for (size_t i = 0; i < size; i++) {
        char c = key[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (at_start ? !is_plain : !is_plain && c != '.' && c != '/')
            return false;
        at_start = c == '/';
    }
    return size < PL_OBJECT_KEY_CHARS && !at_start;
}

/* An fsync that failed is never tried again: what the disk holds is unknown from now on. */
static pl_status local_sync(struct local_store *store, int fd, bool data_only,
                            struct pl_fault *fault)
{
    if ((data_only ? fdatasync(fd) : fsync(fd)) == 0)
        return PL_OK;
    int error = errno;
    if (!atomic_exchange(&store->broken, true))
        PL_LOG(store->log, PL_LOG_ERROR, "store.broken",
               PL_F("reason", "bringing bytes to stable storage failed; nothing more is stored "
                              "until the engine is restarted"),
               PL_FN("errno", error));
    return pl_fault_set(fault, PL_IO_ERROR, "an object could not be brought to stable storage: %s",
                        strerror(error));
}

static pl_status local_failed(struct pl_fault *fault, const char *what)
{
    int error = errno;
    pl_status status = pl_status_from_errno(error);
    if (status == PL_CONFLICT || status == PL_NOT_FOUND)
        status = PL_IO_ERROR; /* those two have a meaning of their own for an object */
    return pl_fault_set(fault, status, "%s: %s", what, strerror(error));
}

static int local_open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens a folder, making it durably when it is not there. Under the lock. */
static pl_status local_make_folder(struct local_store *store, int parent, const char *name,
                                   int *out, struct pl_fault *fault)
{
    bool is_new = mkdirat(parent, name, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return local_failed(fault, "a folder of the store cannot be made");
    if (is_new) {
        pl_status status = local_sync(store, parent, false, fault);
        if (status != PL_OK)
            return status;
    }
    *out = local_open_folder(parent, name);
    return *out >= 0 ? PL_OK : local_failed(fault, "a folder of the store cannot be opened");
}

/* Walks to the folder that holds `key`; *leaf points at the last segment inside `key`. With
 * `make`, missing folders are made. PL_NOT_FOUND without it. */
static pl_status local_walk(struct local_store *store, const char *key, bool make, int *out,
                            const char **leaf, struct pl_fault *fault)
{
    char name[PL_OBJECT_KEY_CHARS];
    pl_status status = PL_OK;
    int folder = fcntl(store->root, F_DUPFD_CLOEXEC, 0);
    if (folder < 0)
        return local_failed(fault, "the folder of the store cannot be opened");
    const char *slash = NULL;
    while (status == PL_OK && (slash = strchr(key, '/')) != NULL) {
        int next = -1;
        PL_CHECK(pl_text_copy(name, sizeof name, (struct pl_span){ key, (size_t)(slash - key) }));
        if (make) {
            status = local_make_folder(store, folder, name, &next, fault);
        } else {
            next = local_open_folder(folder, name);
            if (next < 0)
                status = errno == ENOENT
                             ? PL_NOT_FOUND
                             : local_failed(fault, "a folder of the store cannot be opened");
        }
        (void)close(folder);
        folder = next;
        key = slash + 1;
    }
    if (status != PL_OK)
        return status;
    *out = folder;
    *leaf = key;
    return PL_OK;
}

/* The name under which a staged file stands in .staging/, if it has one. */
static bool local_staged_name(const struct local_store *store, const struct stat *staged,
                              char name[LOCAL_NAME_CHARS])
{
    struct stat named;
    PL_CHECK(pl_text_format(name, LOCAL_NAME_CHARS, "%llx", (unsigned long long)staged->st_ino));
    return fstatat(store->staging, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == staged->st_ino && named.st_dev == staged->st_dev;
}

/* Where the file system has no unnamed files: a name that its inode number leads back to. */
static pl_status local_stage_named(struct local_store *store, int *out_fd)
{
    char first[LOCAL_NAME_CHARS];
    char name[LOCAL_NAME_CHARS];
    uint64_t number = 0;
    struct stat info;
    pl_status status = pl_random_bytes(&number, sizeof number);
    if (status != PL_OK)
        return status;
    PL_CHECK(pl_text_format(first, sizeof first, "new-%llx", (unsigned long long)number));
    int fd =
        openat(store->staging, first, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return local_failed(NULL, "stage");
    if (fstat(fd, &info) != 0)
        goto fail;
    PL_CHECK(pl_text_format(name, sizeof name, "%llx", (unsigned long long)info.st_ino));
    if (renameat(store->staging, first, store->staging, name) != 0)
        goto fail;
    *out_fd = fd;
    return PL_OK;
fail:
    status = local_failed(NULL, "stage");
    (void)unlinkat(store->staging, first, 0);
    (void)close(fd);
    return status;
}

static pl_status local_stage(void *self, int *out_fd)
{
    struct local_store *store = self;
    int fd = openat(store->root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        return local_stage_named(store, out_fd);
    if (fd < 0)
        return local_failed(NULL, "stage");
    *out_fd = fd;
    return PL_OK;
}

/* Gives a staged file its name. /proc first: AT_EMPTY_PATH needs a capability on older kernels. */
static int local_link(int fd, int folder, const char *leaf)
{
    char path[LOCAL_NAME_CHARS];
    PL_CHECK(pl_text_format(path, sizeof path, "/proc/self/fd/%d", fd));
    if (linkat(AT_FDCWD, path, folder, leaf, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != ENOENT && errno != EACCES)
        return -1;
    return linkat(fd, "", folder, leaf, AT_EMPTY_PATH);
}

/* The name is taken: by an object of this size, as after a put that was not answered any more, or
 * by something else. */
static pl_status local_compare(int folder, const char *leaf, const struct stat *staged,
                               struct pl_fault *fault)
{
    struct stat there;
    if (fstatat(folder, leaf, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return local_failed(fault, "an object of the store cannot be examined");
    if (S_ISREG(there.st_mode) && there.st_size == staged->st_size)
        return PL_OK;
    return pl_fault_set(fault, PL_CONFLICT,
                        "the store holds another object under this key (%lld bytes, not %lld)",
                        (long long)there.st_size, (long long)staged->st_size);
}

/* Folders and name, under the lock; *out is the folder that holds the name. */
static pl_status local_name(struct local_store *store, const struct pl_object_put *put,
                            const struct stat *staged, int *out, struct pl_fault *fault)
{
    const char *leaf = "";
    PL_CHECK(pthread_mutex_lock(&store->naming) == 0);
    pl_status status = local_walk(store, put->key, true, out, &leaf, fault);
    if (status == PL_OK && local_link(put->staged_fd, *out, leaf) != 0)
        status = errno == EEXIST ? local_compare(*out, leaf, staged, fault)
                                 : local_failed(fault, "an object cannot be given its name");
    PL_CHECK(pthread_mutex_unlock(&store->naming) == 0);
    return status;
}

static pl_status local_put_steps(struct local_store *store, const struct pl_object_put *put,
                                 struct pl_fault *fault)
{
    struct stat staged;
    char name[LOCAL_NAME_CHARS];
    int folder = -1;
    if (!local_key_is_valid(put->key))
        return pl_fault_set(fault, PL_BAD_REQUEST, "not a key of an object");
    if (atomic_load(&store->broken))
        return pl_fault_set(fault, PL_IO_ERROR,
                            "the disk failed; nothing more is stored until the "
                            "engine is restarted");
    if (fstat(put->staged_fd, &staged) != 0)
        return local_failed(fault, "a staged object cannot be examined");
    pl_status status = local_sync(store, put->staged_fd, true, fault);
    if (status == PL_OK)
        status = local_name(store, put, &staged, &folder, fault);
    if (status == PL_OK)
        status = local_sync(store, folder, false, fault);
    if (folder >= 0)
        (void)close(folder);
    if (local_staged_name(store, &staged, name))
        (void)unlinkat(store->staging, name, 0);
    return status;
}

static struct local_task *local_task_of(struct pl_loop_work *work)
{
    return PL_CONTAINER_OF(work, struct local_task, work);
}

static void local_on_put(struct pl_loop_work *work)
{
    struct local_task *task = local_task_of(work);
    struct pl_object_put *put = task->call;
    put->status = local_put_steps(task->store, put, &put->fault);
    (void)close(put->staged_fd);
    put->staged_fd = -1;
}

static void local_on_put_done(struct pl_loop_work *work)
{
    struct local_task *task = local_task_of(work);
    struct pl_object_put *put = task->call;
    task->store->pending--;
    put->done(put);
}

static pl_status local_open_steps(struct local_store *store, struct pl_object_open *open)
{
    const char *leaf = "";
    struct stat info = { 0 };
    int folder = -1;
    if (!local_key_is_valid(open->key))
        return PL_NOT_FOUND;
    pl_status status = local_walk(store, open->key, false, &folder, &leaf, NULL);
    if (status != PL_OK)
        return status;
    int fd = openat(folder, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        status = errno == ENOENT ? PL_NOT_FOUND : local_failed(NULL, "open");
    else if (fstat(fd, &info) != 0)
        status = local_failed(NULL, "open");
    else if (!S_ISREG(info.st_mode))
        status = PL_NOT_FOUND;
    (void)close(folder);
    if (status == PL_OK) {
        open->fd = fd;
        open->size = (uint64_t)info.st_size;
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return status;
}

static void local_on_open(struct pl_loop_work *work)
{
    struct local_task *task = local_task_of(work);
    struct pl_object_open *open = task->call;
    open->status = local_open_steps(task->store, open);
}

static void local_on_open_done(struct pl_loop_work *work)
{
    struct local_task *task = local_task_of(work);
    struct pl_object_open *open = task->call;
    task->store->pending--;
    open->done(open);
}

/* Folders that became empty go, innermost first; under the lock. One that comes back after a
 * power cut is empty and harms nobody. */
static void local_prune(struct local_store *store, const char *key)
{
    char path[PL_OBJECT_KEY_CHARS];
    PL_CHECK(pl_text_copy(path, sizeof path, pl_span_from(key)));
    char *slash = NULL;
    while ((slash = strrchr(path, '/')) != NULL) {
        *slash = '\0';
        if (unlinkat(store->root, path, AT_REMOVEDIR) != 0)
            return;
    }
}

static pl_status local_remove_steps(struct local_store *store, const char *key)
{
    const char *leaf = "";
    int folder = -1;
    if (!local_key_is_valid(key))
        return PL_BAD_REQUEST;
    pl_status status = local_walk(store, key, false, &folder, &leaf, NULL);
    if (status == PL_NOT_FOUND)
        return PL_OK;
    if (status != PL_OK)
        return status;
    /* Also when it was not there: somebody may have removed it without living to sync. */
    if (unlinkat(folder, leaf, 0) != 0 && errno != ENOENT)
        status = local_failed(NULL, "remove");
    else
        status = local_sync(store, folder, false, NULL);
    (void)close(folder);
    if (status == PL_OK) {
        PL_CHECK(pthread_mutex_lock(&store->naming) == 0);
        local_prune(store, key);
        PL_CHECK(pthread_mutex_unlock(&store->naming) == 0);
    }
    return status;
}

static void local_on_remove(struct pl_loop_work *work)
{
    struct local_task *task = local_task_of(work);
    struct pl_object_remove *removal = task->call;
    removal->status = local_remove_steps(task->store, removal->key);
}

static void local_on_remove_done(struct pl_loop_work *work)
{
    struct local_task *task = local_task_of(work);
    struct pl_object_remove *removal = task->call;
    task->store->pending--;
    removal->done(removal);
}

static void local_start(struct local_store *store, void *impl, void *call, pl_loop_work_fn *run,
                        pl_loop_work_fn *done)
{
    struct local_task *task = impl;
    *task = (struct local_task){ { .run = run, .done = done }, store, call };
    store->pending++;
    pl_loop_work(store->loop, &task->work);
}

static void local_put(void *self, struct pl_object_put *put)
{
    put->fault = (struct pl_fault){ 0 };
    local_start(self, (void *)put->impl, put, local_on_put, local_on_put_done);
}

static void local_open(void *self, struct pl_object_open *open)
{
    open->fd = -1;
    local_start(self, (void *)open->impl, open, local_on_open, local_on_open_done);
}

static void local_remove(void *self, struct pl_object_remove *removal)
{
    local_start(self, (void *)removal->impl, removal, local_on_remove, local_on_remove_done);
}

static void local_free(struct local_store *store)
{
    if (store->staging >= 0)
        (void)close(store->staging);
    if (store->root >= 0)
        (void)close(store->root);
    (void)pthread_mutex_destroy(&store->naming);
    free(store);
}

static void local_close(void *self)
{
    struct local_store *store = self;
    PL_CHECK(store->pending == 0);
    local_free(store);
}

static const struct pl_object_store_ops local_ops = {
    .stage = local_stage,
    .put = local_put,
    .open = local_open,
    .remove = local_remove,
    .close = local_close,
};

/* Whatever stands in .staging/ belonged to a run that is over. */
static pl_status local_sweep(const struct local_store *store)
{
    struct dirent *entry = NULL;
    int fd = fcntl(store->staging, F_DUPFD_CLOEXEC, 0);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return PL_NO_MEMORY;
    }
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(store->staging, entry->d_name, 0);
    (void)closedir(folder);
    return PL_OK;
}

static pl_status local_open_root(struct local_store *store, const char *folder,
                                 struct pl_fault *fault)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return pl_fault_set(fault, pl_status_from_errno(errno),
                            "cannot make the folder of the store %s: %s", folder, strerror(errno));
    store->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->root >= 0 && mkdirat(store->root, LOCAL_STAGING, 0700) != 0 && errno != EEXIST)
        return pl_fault_set(fault, pl_status_from_errno(errno),
                            "cannot write into the folder of the store %s: %s", folder,
                            strerror(errno));
    if (store->root >= 0)
        store->staging = local_open_folder(store->root, LOCAL_STAGING);
    if (store->staging < 0)
        return pl_fault_set(fault, pl_status_from_errno(errno),
                            "cannot open the folder of the store %s: %s", folder, strerror(errno));
    if (local_sweep(store) != PL_OK)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory to open the store");
    if (syncfs(store->root) != 0)
        return pl_fault_set(fault, PL_IO_ERROR, "the disk of the store %s does not sync: %s",
                            folder, strerror(errno));
    return PL_OK;
}

pl_status pl_object_local_open(struct pl_loop *loop, const struct pl_log *log, const char *folder,
                               struct pl_object_store *out, struct pl_fault *fault)
{
    struct local_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory to open the store");
    store->loop = loop;
    store->log = log;
    store->root = store->staging = -1;
    PL_CHECK(pthread_mutex_init(&store->naming, NULL) == 0);
    pl_status status = local_open_root(store, folder, fault);
    if (status != PL_OK) {
        local_free(store);
        return status;
    }
    *out = (struct pl_object_store){ &local_ops, store };
    return PL_OK;
}
