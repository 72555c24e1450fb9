/* worker_documents: the documents of a job on their way out: asked for, sealed, told of.
 *
 * Fills pipeline/run.h's pl_documents inside the worker. The file of the first document came with
 * the job; each further one is asked for on the socket when it is begun and closed when it is
 * whole, so that a worker never holds two.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_WORKER_DOCUMENTS_H
#define PL_WORKERS_WORKER_DOCUMENTS_H

#include "pipeline/run.h"
#include "workers/sealed_file.h"
#include "workers/wire.h"

struct pl_worker_documents {
    struct pl_documents documents; /* to be handed to the run */
    const struct pl_wire_run *run;
    int socket;             /* borrowed; blocks */
    struct pl_bytes *frame; /* borrowed: room to write frames in */
    int fd;                 /* of the document that is open */
    bool is_owned;          /* it is to be closed */
    struct pl_file_out *file;
    uint32_t begun;
    uint32_t ended;
    uint64_t bytes; /* of documents ended */
    size_t ledger_bytes;
};

/* `first_fd` is where document 1 goes, borrowed. */
void pl_worker_documents_init(struct pl_worker_documents *self, const struct pl_wire_run *run,
                              int first_fd, int socket, struct pl_bytes *frame);
/* Throws a document away that was begun and not ended. */
void pl_worker_documents_fini(struct pl_worker_documents *self);

#endif
