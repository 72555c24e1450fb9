/* object_store: what the engine asks of the place where results live.
 *
 * An ops struct that storage/object_local.c fills (and S3 later). Objects are sealed bytes; the
 * store never sees a key. A put either makes the whole object visible and durable, or nothing.
 * After PL_IO_ERROR nothing more is stored until the store is opened anew.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_ENGINE_CORE_OBJECT_STORE_H
#define PL_ENGINE_CORE_OBJECT_STORE_H

#include "engine/base/status.h"

#define PL_OBJECT_KEY_CHARS 200 /* with its terminator */
#define PL_OBJECT_IMPL 32

struct pl_object_put;
typedef void pl_object_put_fn(struct pl_object_put *put);

/* Embedded in what waits for it. */
struct pl_object_put {
    const char *key;        /* [a-z0-9/._-], no segment starts with a dot */
    int staged_fd;          /* from stage; the store takes it and closes it */
    pl_object_put_fn *done; /* on the loop's thread; status and, when not OK, fault are set */
    pl_status status;       /* OK also when an object of that key and size was there already;
                             * CONFLICT: of another size. BAD_REQUEST, NO_SPACE, IO_ERROR */
    struct pl_fault fault;
    void *impl[PL_OBJECT_IMPL]; /* the store's */
};

struct pl_object_open;
typedef void pl_object_open_fn(struct pl_object_open *open);

struct pl_object_open {
    const char *key;
    pl_object_open_fn *done; /* on the loop's thread */
    pl_status status;        /* NOT_FOUND, STORE_DOWN, IO_ERROR */
    int fd;                  /* readable at any offset; the caller closes it; -1 unless OK */
    uint64_t size;
    void *impl[PL_OBJECT_IMPL];
};

struct pl_object_remove;
typedef void pl_object_remove_fn(struct pl_object_remove *remove);

struct pl_object_remove {
    const char *key;
    pl_object_remove_fn *done;
    pl_status status; /* OK also when it was not there */
    void *impl[PL_OBJECT_IMPL];
};

struct pl_object_store_ops {
    /* A private file that a worker may write and nobody else sees; gone unless it is put. */
    pl_status (*stage)(void *self, int *out_fd);
    void (*put)(void *self, struct pl_object_put *put);
    void (*open)(void *self, struct pl_object_open *open);
    void (*remove)(void *self, struct pl_object_remove *remove);
    void (*close)(void *self);
};

struct pl_object_store {
    const struct pl_object_store_ops *ops;
    void *self;
};

#endif
