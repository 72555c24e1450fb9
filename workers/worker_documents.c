/* worker_documents: one document at a time; what the engine refuses is the run's failure.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/worker_documents.h"

#include "workers/channel.h"

#include <unistd.h>

/* A place is an address and a key, or a sentence. */
#define PLACE_BYTES ((size_t)1024)

static pl_status documents_send(struct pl_worker_documents *self, const struct pl_wire_frame *frame)
{
    pl_bytes_clear(self->frame);
    pl_status status = pl_wire_write(frame, self->frame);
    if (status != PL_OK)
        return status;
    const struct pl_span packet = { (const char *)self->frame->data, self->frame->size };
    return pl_channel_send(self->socket, packet, NULL, 0);
}

/* Waits for the place of document n. The descriptor is the caller's. */
static pl_status documents_receive(struct pl_worker_documents *self, uint32_t n,
                                   struct pl_wire_frame *frame, int *fd)
{
    uint8_t room[PLACE_BYTES];
    struct pl_channel_packet packet = { .data = room, .capacity = sizeof room, .fd_capacity = 1 };
    pl_status status = pl_channel_receive(self->socket, &packet);
    if (status == PL_OK)
        status = pl_wire_parse(room, packet.size, frame);
    pl_wipe(room, sizeof room);
    if (status == PL_OK && (frame->kind != PL_WIRE_FILE || frame->as.place.n != n ||
                            packet.fd_count != (frame->as.place.fault.status == PL_OK ? 1 : 0)))
        status = PL_BAD_REQUEST;
    if (status == PL_OK && packet.fd_count == 1) {
        *fd = packet.fds[0];
        packet.fd_count = 0;
    }
    pl_channel_packet_close(&packet);
    return status;
}

static pl_status documents_ask(struct pl_worker_documents *self, uint32_t n,
                               struct pl_wire_file *out, struct pl_fault *fault)
{
    struct pl_wire_frame frame = { .kind = PL_WIRE_OPEN, .as.open = n };
    pl_status status = documents_send(self, &frame);
    if (status == PL_OK)
        status = documents_receive(self, n, &frame, &self->fd);
    if (status != PL_OK) {
        status = pl_fault_set(fault, status, "the engine did not say where document %u goes", n);
    } else if (frame.as.place.fault.status != PL_OK) {
        *fault = frame.as.place.fault;
        status = fault->status;
    } else {
        self->is_owned = true;
        *out = frame.as.place.file;
    }
    pl_wipe(&frame, sizeof frame);
    return status;
}

static void documents_close(struct pl_worker_documents *self)
{
    pl_file_out_free(self->file);
    self->file = NULL;
    if (self->is_owned)
        (void)close(self->fd);
    self->is_owned = false;
    self->fd = -1;
}

/* Throws away what there is of document n. The engine gives the file of one that it is asked for
 * again emptied; that of the first is ours to empty. */
static pl_status documents_empty(struct pl_worker_documents *self, uint32_t n,
                                 struct pl_fault *fault)
{
    if (n > 1) {
        documents_close(self);
        return PL_OK;
    }
    pl_file_out_free(self->file);
    self->file = NULL;
    if (ftruncate(self->fd, 0) == 0)
        return PL_OK;
    return pl_fault_set(fault, PL_IO_ERROR, "document %u of the result cannot be begun anew", n);
}

static pl_status documents_begin(struct pl_documents *documents, uint32_t n, struct pl_out **out,
                                 struct pl_fault *fault)
{
    struct pl_worker_documents *self = (struct pl_worker_documents *)documents;
    const struct pl_run_limits *limits = &self->run->limits;
    struct pl_wire_file file = self->run->files[self->run->input_count];
    pl_status status = PL_OK;
    bool is_anew = n == self->begun && self->begun == self->ended + 1;
    PL_CHECK(is_anew || (n == self->begun + 1 && self->begun == self->ended));
    if (is_anew)
        status = documents_empty(self, n, fault);
    if (n > limits->documents)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "the result has more than %llu documents, document %u is over the "
                            "limit (limits.documents)",
                            (unsigned long long)limits->documents, n);
    if (n > 1 && status == PL_OK)
        status = documents_ask(self, n, &file, fault);
    if (status != PL_OK)
        goto done;
    status = pl_file_out_new(self->fd, limits->output_bytes - self->bytes,
                             file.sealed ? &file.key : NULL, file.context, &self->file);
    if (status != PL_OK) {
        status = pl_fault_set(fault, status, "document %u of the result cannot be begun: %s", n,
                              pl_status_text(status));
        goto done;
    }
    self->begun = n;
    *out = pl_file_out_base(self->file);
done:
    pl_wipe(&file, sizeof file);
    return status;
}

static pl_status documents_send_ledger(struct pl_worker_documents *self, struct pl_span ledger)
{
    pl_status status = PL_OK;
    for (size_t at = 0; at < ledger.size && status == PL_OK; at += PL_WIRE_LEDGER_BYTES) {
        size_t left = ledger.size - at;
        const struct pl_wire_frame frame = {
            .kind = PL_WIRE_LEDGER,
            .as.ledger = { ledger.data + at,
                           left < PL_WIRE_LEDGER_BYTES ? left : PL_WIRE_LEDGER_BYTES }
        };
        status = documents_send(self, &frame);
    }
    return status;
}

static pl_status documents_end(struct pl_documents *documents,
                               const struct pl_run_document *document, struct pl_fault *fault)
{
    struct pl_worker_documents *self = (struct pl_worker_documents *)documents;
    struct pl_wire_frame frame = { .kind = PL_WIRE_DOCUMENT, .as.document = { .n = document->n } };
    struct pl_run_output *output = &frame.as.document.output;
    PL_CHECK(self->file != NULL && document->n == self->begun);
    PL_CHECK(pl_text_copy(output->type, sizeof output->type, pl_span_from(document->type)) &&
             pl_text_copy(output->extension, sizeof output->extension,
                          pl_span_from(document->extension)) &&
             pl_text_copy(output->suffix, sizeof output->suffix, pl_span_from(document->suffix)));
    pl_status status = pl_file_out_end(self->file, output->sha256);
    if (status != PL_OK)
        return status; /* worker_job.c knows the sentence */
    output->bytes = pl_file_out_base(self->file)->size;
    output->pages = document->pages;
    /* One that would be too long for the job is left out. */
    if (document->page_ledger.size <= PL_WIRE_LEDGER_TOTAL - self->ledger_bytes)
        output->page_ledger.size = document->page_ledger.size;
    self->ledger_bytes += output->page_ledger.size;
    documents_close(self);
    status = documents_send_ledger(
        self, (struct pl_span){ document->page_ledger.data, output->page_ledger.size });
    if (status == PL_OK)
        status = documents_send(self, &frame);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the engine does not listen any more");
    self->ended++;
    self->bytes += output->bytes;
    return PL_OK;
}

void pl_worker_documents_init(struct pl_worker_documents *self, const struct pl_wire_run *run,
                              int first_fd, int socket, struct pl_bytes *frame)
{
    static const struct pl_documents_ops ops = { documents_begin, documents_end };
    *self = (struct pl_worker_documents){
        .documents = { &ops }, .run = run, .socket = socket, .frame = frame, .fd = first_fd
    };
}

void pl_worker_documents_fini(struct pl_worker_documents *self)
{
    documents_close(self);
}
