/* spool: an upload is cut into chunks on the loop, and hashed, sealed and written on the pool.
 *
 * At most one piece of work per writer is in flight, so its descriptor, hash and seal belong to one
 * thread at a time. A small scan needs exactly one trip to the pool: open, seal, write, fdatasync,
 * fsync of the folder. An fsync that fails is final for its descriptor: the file is removed and
 * nothing is acknowledged (never retried: Linux reports a lost page once).
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "engine/core/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SPOOL_SUFFIX ".plt1"
#define SPOOL_NAME_CHARS (PL_ID_CHARS + sizeof SPOOL_SUFFIX)
/* Blocks that may wait for the pool before the sender is asked to pause. */
#define SPOOL_BLOCKS_HIGH 2

struct pl_spool {
    struct pl_loop *loop;
    const struct pl_log *log;
    int folder;
    unsigned writers;
};

/* One chunk with room for its tag, sealed in place. */
struct spool_block {
    struct pl_list node;
    size_t size;
    uint8_t data[PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES];
};

struct pl_spool_writer {
    struct pl_loop_work work;
    struct pl_spool *spool;
    struct pl_spool_watcher watcher;
    char name[SPOOL_NAME_CHARS];
    /* The loop's side. */
    struct spool_block *filling;
    struct pl_list waiting;
    unsigned waiting_count;
    bool in_flight;
    bool ending;
    bool aborted;
    bool lagging;
    bool lost;        /* bytes were thrown away for want of memory */
    pl_status status; /* the pool's, while in flight */
    /* The pool's side. */
    struct pl_list taken;
    struct pl_sealer *sealer;
    struct pl_sha256 *hash;
    int fd;
    bool created;
    bool last;
    struct pl_spool_result result;
};

static void spool_name(const struct pl_id *job, char out[SPOOL_NAME_CHARS])
{
    (void)pl_text_format(out, SPOOL_NAME_CHARS, "%s" SPOOL_SUFFIX, job->text);
}

pl_status pl_spool_new(struct pl_loop *loop, const struct pl_log *log, const char *folder,
                       struct pl_spool **out, struct pl_fault *fault)
{
    struct pl_spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL)
        return PL_NO_MEMORY;
    spool->loop = loop;
    spool->log = log;
    spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->folder < 0 || faccessat(spool->folder, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        int error = errno;
        pl_spool_free(spool);
        return pl_fault_set(fault, PL_MISCONFIGURED,
                            "%s: the spool folder cannot be used: %s; it must exist and belong to "
                            "the user that runs the engine",
                            folder, strerror(error));
    }
    *out = spool;
    return PL_OK;
}

void pl_spool_free(struct pl_spool *spool)
{
    if (spool == NULL)
        return;
    PL_CHECK(spool->writers == 0);
    if (spool->folder >= 0)
        (void)close(spool->folder);
    free(spool);
}

pl_status pl_spool_has_room(const struct pl_spool *spool, uint64_t bytes, uint64_t reserve_bytes)
{
    struct statvfs vfs;
    if (fstatvfs(spool->folder, &vfs) != 0)
        return PL_IO_ERROR;
    uint64_t room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    uint64_t wanted = bytes == UINT64_MAX ? 0 : bytes;
    if (room < reserve_bytes || room - reserve_bytes < wanted)
        return PL_NO_SPACE;
    return vfs.f_files > 0 && vfs.f_favail < 16 ? PL_NO_SPACE : PL_OK;
}

/* -- on the pool -- */

static pl_status writer_put(struct pl_spool_writer *writer, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(writer->fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return pl_status_from_errno(errno);
        data += put;
        size -= (size_t)put;
    }
    return PL_OK;
}

static pl_status writer_create(struct pl_spool_writer *writer)
{
    writer->fd = openat(writer->spool->folder, writer->name,
                        O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writer->fd < 0) {
        pl_status status = pl_status_from_errno(errno);
        /* The folder is gone, or ids repeat: nothing that the sender could mend. */
        return pl_status_blame(status) == PL_BLAME_INPUT ? PL_IO_ERROR : status;
    }
    writer->created = true;
    return writer_put(writer, pl_sealer_header(writer->sealer), PL_SEAL_HEADER_BYTES);
}

static pl_status writer_put_block(struct pl_spool_writer *writer, struct spool_block *block,
                                  bool last)
{
    pl_sha256_update(writer->hash, block->data, block->size);
    writer->result.bytes += block->size;
    pl_status status = pl_sealer_chunk(writer->sealer, block->data, block->size, last, block->data);
    return status != PL_OK ? status
                           : writer_put(writer, block->data, block->size + PL_SEAL_TAG_BYTES);
}

/* Stable storage: the bytes, then the name. */
static pl_status writer_settle(struct pl_spool_writer *writer)
{
    if (fdatasync(writer->fd) != 0 || fsync(writer->spool->folder) != 0)
        return errno == ENOSPC ? PL_NO_SPACE : PL_IO_ERROR;
    pl_sha256_final(writer->hash, writer->result.sha256);
    return PL_OK;
}

static void writer_remove_file(struct pl_spool_writer *writer)
{
    if (writer->fd >= 0)
        (void)close(writer->fd);
    writer->fd = -1;
    if (writer->created)
        (void)unlinkat(writer->spool->folder, writer->name, 0);
    writer->created = false;
}

static void writer_run(struct pl_loop_work *work)
{
    struct pl_spool_writer *writer = PL_CONTAINER_OF(work, struct pl_spool_writer, work);
    pl_status status = writer->status;
    if (status == PL_OK && !writer->created)
        status = writer_create(writer);
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(&writer->taken)) != NULL) {
        struct spool_block *block = PL_CONTAINER_OF(node, struct spool_block, node);
        bool last = writer->last && pl_list_is_empty(&writer->taken);
        if (status == PL_OK)
            status = writer_put_block(writer, block, last);
        free(block);
    }
    if (status == PL_OK && writer->last)
        status = writer_settle(writer);
    writer->status = status;
    if (status != PL_OK)
        writer_remove_file(writer);
}

static void writer_discard_run(struct pl_loop_work *work)
{
    writer_remove_file(PL_CONTAINER_OF(work, struct pl_spool_writer, work));
}

/* -- on the loop -- */

static void writer_drop_blocks(struct pl_list *blocks)
{
    struct pl_list *node = NULL;
    while ((node = pl_list_take_first(blocks)) != NULL)
        free(PL_CONTAINER_OF(node, struct spool_block, node));
}

static void writer_free(struct pl_spool_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        (void)close(writer->fd);
    writer_drop_blocks(&writer->waiting);
    writer_drop_blocks(&writer->taken);
    free(writer->filling);
    pl_sealer_free(writer->sealer);
    pl_sha256_free(writer->hash);
    writer->spool->writers--;
    free(writer);
}

static void writer_on_discarded(struct pl_loop_work *work)
{
    writer_free(PL_CONTAINER_OF(work, struct pl_spool_writer, work));
}

static void writer_submit(struct pl_spool_writer *writer);

static void writer_on_done(struct pl_loop_work *work)
{
    struct pl_spool_writer *writer = PL_CONTAINER_OF(work, struct pl_spool_writer, work);
    writer->in_flight = false;
    if (writer->aborted) {
        pl_spool_abort(writer);
        return;
    }
    if (writer->last || writer->status != PL_OK) {
        struct pl_spool_watcher watcher = writer->watcher;
        struct pl_spool_result result = writer->result;
        pl_status status = writer->status;
        writer_free(writer);
        watcher.on_end(watcher.owner, status, &result);
        return;
    }
    writer_submit(writer);
    if (writer->lagging && writer->waiting_count < SPOOL_BLOCKS_HIGH) {
        writer->lagging = false;
        writer->watcher.on_drain(writer->watcher.owner);
    }
}

/* Sends what waits to the pool, when there is something to do and nothing is there already. */
static void writer_submit(struct pl_spool_writer *writer)
{
    if (writer->in_flight || (writer->waiting_count == 0 && !writer->ending && !writer->lost))
        return;
    if (writer->lost && writer->status == PL_OK)
        writer->status = PL_NO_MEMORY;
    pl_list_take_all(&writer->taken, &writer->waiting);
    writer->waiting_count = 0;
    if (writer->ending) {
        if (writer->filling != NULL)
            pl_list_append(&writer->taken, &writer->filling->node);
        writer->filling = NULL;
        writer->last = true;
    }
    writer->in_flight = true;
    writer->work.run = writer_run;
    writer->work.done = writer_on_done;
    pl_loop_work(writer->spool->loop, &writer->work);
}

pl_status pl_spool_begin(struct pl_spool *spool, const struct pl_id *job,
                         const struct pl_seal_key *key,
                         const uint8_t context[PL_SEAL_CONTEXT_BYTES],
                         const struct pl_spool_watcher *watcher, struct pl_spool_writer **out)
{
    struct pl_spool_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return PL_NO_MEMORY;
    spool->writers++;
    writer->spool = spool;
    writer->watcher = *watcher;
    writer->fd = -1;
    pl_list_init(&writer->waiting);
    pl_list_init(&writer->taken);
    spool_name(job, writer->name);
    pl_status status = pl_sealer_new(key, context, &writer->sealer);
    if (status == PL_OK)
        status = pl_sha256_new(&writer->hash);
    if (status != PL_OK) {
        writer_free(writer);
        return status;
    }
    *out = writer;
    return PL_OK;
}

static bool writer_open_block(struct pl_spool_writer *writer)
{
    if (writer->filling != NULL && writer->filling->size == PL_SEAL_CHUNK_BYTES) {
        pl_list_append(&writer->waiting, &writer->filling->node);
        writer->waiting_count++;
        writer->filling = NULL;
    }
    if (writer->filling == NULL) {
        writer->filling = malloc(sizeof *writer->filling);
        if (writer->filling == NULL)
            return false;
        writer->filling->size = 0;
        pl_list_init(&writer->filling->node);
    }
    return true;
}

bool pl_spool_write(struct pl_spool_writer *writer, const void *data, size_t size)
{
    const uint8_t *next = data;
    PL_CHECK(!writer->ending);
    while (size > 0) {
        if (!writer_open_block(writer)) {
            writer->lost = true;
            break;
        }
        size_t room = PL_SEAL_CHUNK_BYTES - writer->filling->size;
        size_t take = size < room ? size : room;
        memcpy(writer->filling->data + writer->filling->size, next, take);
        writer->filling->size += take;
        next += take;
        size -= take;
    }
    writer_submit(writer);
    writer->lagging = writer->waiting_count >= SPOOL_BLOCKS_HIGH;
    return !writer->lagging;
}

void pl_spool_end(struct pl_spool_writer *writer)
{
    PL_CHECK(!writer->ending);
    if (writer->filling == NULL && !writer_open_block(writer))
        writer->lost = true;
    writer->ending = true;
    writer_submit(writer);
}

void pl_spool_abort(struct pl_spool_writer *writer)
{
    writer->aborted = true;
    if (writer->in_flight)
        return;
    if (!writer->created) {
        writer_free(writer);
        return;
    }
    writer->in_flight = true;
    writer->work.run = writer_discard_run;
    writer->work.done = writer_on_discarded;
    pl_loop_work(writer->spool->loop, &writer->work);
}

/* -- whole files -- */

int pl_spool_open_job(const struct pl_spool *spool, const struct pl_id *job, pl_status *status)
{
    char name[SPOOL_NAME_CHARS];
    spool_name(job, name);
    int fd = openat(spool->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *status = fd >= 0 ? PL_OK : pl_status_from_errno(errno);
    return fd;
}

struct spool_removal {
    struct pl_loop_work work;
    struct pl_spool *spool;
    char name[SPOOL_NAME_CHARS];
};

static void removal_run(struct pl_loop_work *work)
{
    struct spool_removal *removal = PL_CONTAINER_OF(work, struct spool_removal, work);
    (void)unlinkat(removal->spool->folder, removal->name, 0);
}

static void removal_on_done(struct pl_loop_work *work)
{
    struct spool_removal *removal = PL_CONTAINER_OF(work, struct spool_removal, work);
    removal->spool->writers--;
    free(removal);
}

void pl_spool_remove(struct pl_spool *spool, const struct pl_id *job)
{
    struct spool_removal *removal = calloc(1, sizeof *removal);
    if (removal == NULL) {
        PL_LOG(spool->log, PL_LOG_WARN, "spool.remove_failed", PL_F("job", job->text),
               PL_F("reason", "out of memory; the next start removes it"));
        return;
    }
    spool->writers++;
    removal->spool = spool;
    removal->work.run = removal_run;
    removal->work.done = removal_on_done;
    spool_name(job, removal->name);
    pl_loop_work(spool->loop, &removal->work);
}

/* The job that a spool file's name stands for; false for any other name. */
static bool spool_parse_name(const char *name, struct pl_id *out)
{
    struct pl_span span = pl_span_from(name);
    size_t suffix = sizeof SPOOL_SUFFIX - 1;
    if (span.size <= suffix || strcmp(name + span.size - suffix, SPOOL_SUFFIX) != 0)
        return false;
    span.size -= suffix;
    return pl_id_parse(span, out);
}

unsigned pl_spool_sweep(struct pl_spool *spool, pl_spool_keep_fn *keep, void *owner)
{
    unsigned removed = 0;
    int fd = openat(spool->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (folder == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    for (struct dirent *entry = NULL; (entry = readdir(folder)) != NULL;) {
        struct pl_id job;
        if (!spool_parse_name(entry->d_name, &job) || keep(owner, &job))
            continue;
        if (unlinkat(spool->folder, entry->d_name, 0) == 0)
            removed++;
    }
    (void)closedir(folder);
    return removed;
}
