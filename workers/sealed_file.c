/* sealed_file: chunks are opened where they are needed and kept in a small cache per view.
 *
 * A reader of a scan first walks over its directories, which lie between the pages, and so opens
 * nearly every chunk of a document of bilevel pages; then it loads the pages. The original view
 * therefore keeps up to 16 MiB of what it opened. With its first clone that cache is frozen, and
 * the clones read it without a lock before they open a chunk themselves. A read that covers a whole
 * chunk is opened straight into the reader's memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/sealed_file.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK PL_SEAL_CHUNK_BYTES
#define SEALED_CHUNK (PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES)
#define CHUNK_PLAIN (4 * CHUNK) /* of a plain file; a page cache likes long and even writes */
#define CACHE_SLOTS_ORIGINAL 256
#define CACHE_SLOTS_CLONE 16
#define CHUNK_NONE UINT64_MAX

static pl_status file_read_at(int fd, uint64_t at, uint8_t *out, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t took = pread(fd, out + done, size - done, (off_t)(at + done));
        if (took < 0 && errno == EINTR)
            continue;
        if (took <= 0)
            return PL_IO_ERROR; /* an input never shrinks: its end is a fault of the disk */
        done += (size_t)took;
    }
    return PL_OK;
}

static pl_status file_write_at(int fd, uint64_t at, const uint8_t *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(fd, data + done, size - done, (off_t)(at + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return pl_status_from_errno(errno);
        done += (size_t)put;
    }
    return PL_OK;
}

struct cache_slot {
    uint64_t chunk; /* CHUNK_NONE: empty */
    uint8_t *plain; /* CHUNK bytes, from the first use on */
};

/* Chunk n may stand in slot n modulo their number, and nowhere else. */
struct chunk_cache {
    atomic_uint keepers; /* views that hold it */
    bool frozen;         /* clones read it: its slots stay as they are */
    size_t count;
    struct cache_slot slots[];
};

struct sealed_source {
    struct pl_source source;
    int fd;
    uint64_t sealed_size;
    struct pl_seal_key key; /* for clones */
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    struct pl_opener *opener;
    struct chunk_cache *own;
    struct chunk_cache *first; /* the original's, in a clone; else NULL */
    uint8_t sealed[SEALED_CHUNK];
};

static struct chunk_cache *cache_new(size_t count)
{
    struct chunk_cache *cache = calloc(1, sizeof *cache + count * sizeof cache->slots[0]);
    if (cache == NULL)
        return NULL;
    cache->count = count;
    atomic_init(&cache->keepers, 1);
    for (size_t i = 0; i < count; i++)
        cache->slots[i].chunk = CHUNK_NONE;
    return cache;
}

static void cache_drop(struct chunk_cache *cache)
{
    if (cache == NULL || atomic_fetch_sub(&cache->keepers, 1) > 1)
        return;
    for (size_t i = 0; i < cache->count; i++)
        free(cache->slots[i].plain);
    free(cache);
}

static const uint8_t *cache_peek(const struct chunk_cache *cache, uint64_t chunk)
{
    if (cache == NULL)
        return NULL;
    const struct cache_slot *slot = &cache->slots[chunk % cache->count];
    return slot->chunk == chunk ? slot->plain : NULL;
}

static void sealed_free(struct pl_source *source)
{
    struct sealed_source *self = (struct sealed_source *)source;
    if (self == NULL)
        return;
    pl_opener_free(self->opener);
    cache_drop(self->own);
    cache_drop(self->first);
    pl_wipe(&self->key, sizeof self->key);
    free(self);
}

static uint64_t sealed_last_chunk(const struct sealed_source *self)
{
    return self->source.size == 0 ? 0 : (self->source.size - 1) / CHUNK;
}

/* Plaintext bytes of a chunk. */
static size_t sealed_chunk_size(const struct sealed_source *self, uint64_t chunk)
{
    return chunk < sealed_last_chunk(self) ? CHUNK : (size_t)(self->source.size - chunk * CHUNK);
}

static pl_status sealed_open_chunk(struct sealed_source *self, uint64_t chunk, uint8_t *out)
{
    size_t size = sealed_chunk_size(self, chunk) + PL_SEAL_TAG_BYTES;
    uint64_t at = PL_SEAL_HEADER_BYTES + chunk * SEALED_CHUNK;
    pl_status status = file_read_at(self->fd, at, self->sealed, size);
    if (status != PL_OK)
        return status;
    bool is_last = chunk == sealed_last_chunk(self);
    return pl_opener_chunk(self->opener, chunk, self->sealed, size, is_last, out);
}

/* Opens a chunk into its slot; a frozen view opens it in place, good until the next one. */
static pl_status sealed_cache(struct sealed_source *self, uint64_t chunk, const uint8_t **out)
{
    struct cache_slot *slot = &self->own->slots[chunk % self->own->count];
    if (self->own->frozen) {
        *out = self->sealed;
        return sealed_open_chunk(self, chunk, self->sealed);
    }
    if (slot->plain == NULL)
        slot->plain = malloc(CHUNK);
    if (slot->plain == NULL)
        return PL_NO_MEMORY;
    slot->chunk = CHUNK_NONE;
    pl_status status = sealed_open_chunk(self, chunk, slot->plain);
    if (status != PL_OK)
        return status;
    slot->chunk = chunk;
    *out = slot->plain;
    return PL_OK;
}

static pl_status sealed_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    struct sealed_source *self = (struct sealed_source *)source;
    uint8_t *to = out;
    while (size > 0) {
        uint64_t chunk = at / CHUNK;
        size_t inside = (size_t)(at % CHUNK);
        size_t whole = sealed_chunk_size(self, chunk);
        size_t part = whole - inside < size ? whole - inside : size;
        const uint8_t *plain = cache_peek(self->own, chunk);
        pl_status status = PL_OK;
        if (plain == NULL)
            plain = cache_peek(self->first, chunk);
        if (plain == NULL && part == whole)
            status = sealed_open_chunk(self, chunk, to);
        else if (plain == NULL)
            status = sealed_cache(self, chunk, &plain);
        if (status != PL_OK)
            return status;
        if (plain != NULL)
            memcpy(to, plain + inside, part);
        to += part;
        at += part;
        size -= part;
    }
    return PL_OK;
}

static struct pl_source *sealed_clone(struct pl_source *source);
static const struct pl_source_ops sealed_ops = { sealed_read_at, sealed_clone, sealed_free };

/* A view of an object whose header was read; nothing of its chunks is known yet. */
static pl_status sealed_view_new(int fd, uint64_t size, const struct pl_seal_key *key,
                                 const uint8_t context[PL_SEAL_CONTEXT_BYTES], size_t slots,
                                 struct sealed_source **out)
{
    uint8_t header[PL_SEAL_HEADER_BYTES];
    uint64_t plain = 0;
    struct sealed_source *self = NULL;
    pl_status status = pl_seal_plain_size(size, &plain);
    if (status == PL_OK)
        status = file_read_at(fd, 0, header, sizeof header);
    if (status != PL_OK)
        goto done;
    self = calloc(1, sizeof *self);
    if (self != NULL)
        self->own = cache_new(slots);
    if (self == NULL || self->own == NULL) {
        status = PL_NO_MEMORY;
        goto done;
    }
    self->source = (struct pl_source){ .ops = &sealed_ops, .size = plain };
    self->fd = fd;
    self->sealed_size = size;
    self->key = *key;
    memcpy(self->context, context, sizeof self->context);
    status = pl_opener_new(header, key, context, &self->opener);
    if (status != PL_OK)
        goto done;
    *out = self;
    self = NULL;
done:
    sealed_free((struct pl_source *)self);
    return status;
}

static struct pl_source *sealed_clone(struct pl_source *source)
{
    struct sealed_source *self = (struct sealed_source *)source;
    struct sealed_source *copy = NULL;
    if (sealed_view_new(self->fd, self->sealed_size, &self->key, self->context, CACHE_SLOTS_CLONE,
                        &copy) != PL_OK)
        return NULL;
    copy->first = self->first != NULL ? self->first : self->own;
    copy->first->frozen = true;
    atomic_fetch_add(&copy->first->keepers, 1);
    return &copy->source;
}

pl_status pl_sealed_source_new(int fd, uint64_t size, const struct pl_seal_key *key,
                               const uint8_t context[PL_SEAL_CONTEXT_BYTES], struct pl_source **out)
{
    struct sealed_source *self = NULL;
    const uint8_t *plain = NULL;
    pl_status status = sealed_view_new(fd, size, key, context, CACHE_SLOTS_ORIGINAL, &self);
    if (status == PL_OK)
        status = sealed_cache(self, sealed_last_chunk(self), &plain);
    if (status == PL_OK)
        *out = &self->source;
    else
        sealed_free((struct pl_source *)self);
    return status;
}

struct plain_source {
    struct pl_source source;
    int fd;
};

static pl_status plain_read_at(struct pl_source *source, uint64_t at, void *out, size_t size)
{
    return file_read_at(((struct plain_source *)source)->fd, at, out, size);
}

static struct pl_source *plain_clone(struct pl_source *source)
{
    struct pl_source *copy = NULL;
    int fd = ((struct plain_source *)source)->fd;
    return pl_plain_source_new(fd, source->size, &copy) == PL_OK ? copy : NULL;
}

static void plain_free(struct pl_source *source)
{
    free(source);
}

static const struct pl_source_ops plain_ops = { plain_read_at, plain_clone, plain_free };

pl_status pl_plain_source_new(int fd, uint64_t size, struct pl_source **out)
{
    struct plain_source *self = calloc(1, sizeof *self);
    if (self == NULL)
        return PL_NO_MEMORY;
    self->source = (struct pl_source){ .ops = &plain_ops, .size = size };
    self->fd = fd;
    *out = &self->source;
    return PL_OK;
}

struct pl_file_out {
    struct pl_out out;
    int fd;
    uint64_t limit;
    uint64_t at;              /* in the file */
    struct pl_sha256 *hash;   /* NULL: plain */
    struct pl_sealer *sealer; /* NULL: plain */
    pl_status status;         /* the first failure; nothing is written after one */
    uint8_t *sealed;          /* SEALED_CHUNK bytes behind `chunk`; NULL: plain */
    size_t held;              /* plaintext in `chunk` */
    size_t room;              /* of it: what leaves at once */
    uint8_t chunk[];
};

static void out_put(struct pl_file_out *self, const uint8_t *data, size_t size)
{
    if (self->status != PL_OK || size == 0)
        return;
    self->status = file_write_at(self->fd, self->at, data, size);
    self->at += size;
}

static void out_chunk(struct pl_file_out *self, const uint8_t *plain, size_t size, bool is_last)
{
    if (self->sealer == NULL) {
        out_put(self, plain, size);
        return;
    }
    pl_sha256_update(self->hash, plain, size);
    if (self->status == PL_OK)
        self->status = pl_sealer_chunk(self->sealer, plain, size, is_last, self->sealed);
    out_put(self, self->sealed, size + PL_SEAL_TAG_BYTES);
}

/* A full chunk leaves only when more follows, because the last one is sealed differently. */
static pl_status out_write(struct pl_out *out, const void *data, size_t size)
{
    struct pl_file_out *self = (struct pl_file_out *)out;
    const uint8_t *from = data;
    if (self->status == PL_OK && (out->size > self->limit || size > self->limit - out->size))
        self->status = PL_TOO_LARGE;
    while (size > 0 && self->status == PL_OK) {
        if (self->held == self->room) {
            out_chunk(self, self->chunk, self->room, false);
            self->held = 0;
        }
        if (self->held == 0 && size > self->room) {
            out_chunk(self, from, self->room, false);
            from += self->room;
            size -= self->room;
            continue;
        }
        size_t part = self->room - self->held < size ? self->room - self->held : size;
        memcpy(self->chunk + self->held, from, part);
        self->held += part;
        from += part;
        size -= part;
    }
    return self->status;
}

static const struct pl_out_ops out_ops = { out_write };

pl_status pl_file_out_new(int fd, uint64_t limit, const struct pl_seal_key *key,
                          const uint8_t context[PL_SEAL_CONTEXT_BYTES], struct pl_file_out **out)
{
    size_t room = key == NULL ? CHUNK_PLAIN : CHUNK;
    struct pl_file_out *self = malloc(sizeof *self + room + (key == NULL ? 0 : SEALED_CHUNK));
    if (self == NULL)
        return PL_NO_MEMORY;
    *self = (struct pl_file_out){ .out.ops = &out_ops, .fd = fd, .limit = limit, .room = room };
    if (key != NULL)
        self->sealed = self->chunk + room;
    pl_status status = key == NULL ? PL_OK : pl_sha256_new(&self->hash);
    if (status == PL_OK && key != NULL)
        status = pl_sealer_new(key, context, &self->sealer);
    if (status != PL_OK) {
        pl_file_out_free(self);
        return status;
    }
    if (key != NULL)
        out_put(self, pl_sealer_header(self->sealer), PL_SEAL_HEADER_BYTES);
    *out = self;
    return PL_OK;
}

struct pl_out *pl_file_out_base(struct pl_file_out *file)
{
    return &file->out;
}

pl_status pl_file_out_end(struct pl_file_out *file, uint8_t sha256[PL_SHA256_BYTES])
{
    uint8_t digest[PL_SHA256_BYTES] = { 0 };
    out_chunk(file, file->chunk, file->held, true);
    file->held = 0;
    if (file->hash != NULL)
        pl_sha256_final(file->hash, digest);
    if (file->status == PL_OK)
        memcpy(sha256, digest, sizeof digest);
    return file->status;
}

void pl_file_out_free(struct pl_file_out *file)
{
    if (file == NULL)
        return;
    pl_sealer_free(file->sealer);
    pl_sha256_free(file->hash);
    free(file);
}
