/* pool_documents: the documents that a worker asks for and tells of, in order and as long as it
 * says.
 *
 * A worker may have been taken over: it gets no file that its run may not have, it tells of no
 * document that it did not open, and what it tells of is measured.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/pool_priv.h"

#include <string.h>
#include <sys/stat.h>

void pl_pool_documents_init(struct pl_pool_documents *documents)
{
    pl_bytes_init(&documents->outputs, PL_RUN_DOCUMENTS_MOST * sizeof(struct pl_run_output));
    pl_bytes_init(&documents->places, PL_RUN_DOCUMENTS_MOST * sizeof(struct pl_run_file));
    pl_bytes_init(&documents->page_ledger, PL_WIRE_LEDGER_TOTAL);
}

void pl_pool_documents_fini(struct pl_pool_documents *documents)
{
    pl_bytes_fini(&documents->outputs);
    pl_bytes_fini(&documents->places);
    pl_bytes_fini(&documents->page_ledger);
}

void pl_pool_documents_clear(struct pl_pool_documents *documents)
{
    documents->opened = documents->made = 0;
    documents->bytes = 0;
    documents->page_ledger_told = 0;
    pl_bytes_clear(&documents->outputs);
    pl_bytes_clear(&documents->places);
    pl_bytes_clear(&documents->page_ledger);
}

void pl_pool_file_fill(struct pl_wire_file *out, const struct pl_run_file *file, uint64_t size)
{
    out->sealed = file->key != NULL;
    out->size = size;
    if (!out->sealed)
        return;
    out->key = *file->key;
    memcpy(out->context, file->context, sizeof out->context);
}

static pl_status documents_open(struct pl_pool_documents *documents, struct pl_run *run, uint32_t n,
                                struct pl_wire_file *out, struct pl_fault *fault)
{
    pl_status status = run->open_document(run, n, &documents->place, fault);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "%s", pl_status_text(status));
    documents->opened = n;
    pl_pool_file_fill(out, &documents->place, 0);
    return PL_OK;
}

pl_status pl_pool_documents_first(struct pl_pool_documents *documents, struct pl_run *run,
                                  struct pl_wire_file *out)
{
    return documents_open(documents, run, 1, out, &run->report.fault);
}

const char *pl_pool_documents_open(struct pl_pool_worker *worker, uint32_t n)
{
    struct pl_pool_documents *documents = &worker->documents;
    struct pl_wire_frame frame = { .kind = PL_WIRE_FILE, .as.place.n = n };
    struct pl_wire_place *place = &frame.as.place;
    if (n != documents->opened + 1 || documents->made != documents->opened ||
        n > worker->run->limits.documents)
        return "it began a document out of turn";
    pl_status status = documents_open(documents, worker->run, n, &place->file, &place->fault);
    pl_status sent =
        pl_process_send(worker->process, &frame, &documents->place.fd, status == PL_OK ? 1 : 0);
    pl_wipe(&frame, sizeof frame);
    /* Of what it died its wait status will say. */
    return sent == PL_OK || sent == PL_PEER_GONE ? NULL : "it does not listen";
}

const char *pl_pool_documents_ledger(struct pl_pool_documents *documents, struct pl_span piece)
{
    return pl_bytes_append(&documents->page_ledger, piece.data, piece.size) == PL_OK
               ? NULL
               : "its page ledger is too long";
}

/* The file must be as long as the worker says, as far as it can be seen without the key. */
static bool documents_fit(const struct pl_run_file *place, uint64_t bytes)
{
    struct stat file;
    uint64_t wanted = place->key == NULL ? bytes : pl_seal_sealed_size(bytes);
    return fstat(place->fd, &file) == 0 && file.st_size >= 0 && (uint64_t)file.st_size == wanted;
}

/* What came since the last document; empty where nothing did. */
static struct pl_span documents_ledger_new(const struct pl_pool_documents *documents)
{
    const struct pl_bytes *all = &documents->page_ledger;
    size_t told = documents->page_ledger_told;
    if (all->size == told)
        return (struct pl_span){ "", 0 };
    return (struct pl_span){ (const char *)all->data + told, all->size - told };
}

const char *pl_pool_documents_take(struct pl_pool_worker *worker,
                                   const struct pl_wire_document *document)
{
    struct pl_pool_documents *documents = &worker->documents;
    const struct pl_run_output *output = &document->output;
    struct pl_span ledger = documents_ledger_new(documents);
    if (document->n != documents->opened || documents->made + 1 != documents->opened)
        return "it told of a document out of turn";
    if (output->page_ledger.size != ledger.size || !pl_text_is_utf8(ledger))
        return "its page ledger is broken";
    if (output->bytes > worker->run->limits.output_bytes - documents->bytes ||
        !documents_fit(&documents->place, output->bytes))
        return "its result is not as long as it says";
    if (pl_bytes_append(&documents->outputs, output, sizeof *output) != PL_OK ||
        pl_bytes_append(&documents->places, &documents->place, sizeof documents->place) != PL_OK)
        return "there is no memory for its result";
    documents->page_ledger_told += ledger.size;
    documents->made++;
    documents->bytes += output->bytes;
    return NULL;
}

const char *pl_pool_documents_breach(const struct pl_pool_documents *documents,
                                     const struct pl_run_report *told)
{
    const struct pl_run_output *outputs = (const void *)documents->outputs.data;
    const struct pl_run_file *places = (const void *)documents->places.data;
    if (told->status != PL_OK)
        return NULL;
    if (documents->made == 0 || documents->made != told->summary.documents ||
        documents->made != documents->opened ||
        documents->page_ledger.size != documents->page_ledger_told)
        return "its report is not of the documents that it made";
    /* Once more: nobody took their files from the worker meanwhile. */
    for (uint32_t i = 0; i < documents->made; i++)
        if (!documents_fit(&places[i], outputs[i].bytes))
            return "its result is not as long as it says";
    return NULL;
}

void pl_pool_documents_report(const struct pl_pool_documents *documents,
                              const struct pl_run_report *told, struct pl_run_report *out)
{
    struct pl_run_output *outputs = (void *)documents->outputs.data;
    size_t at = 0;
    *out = *told;
    if (told->status != PL_OK)
        return;
    out->outputs = outputs;
    out->output_count = documents->made;
    out->summary.bytes_out = documents->bytes;
    for (uint32_t i = 0; i < documents->made; i++) {
        struct pl_span *ledger = &outputs[i].page_ledger;
        *ledger =
            ledger->size == 0
                ? (struct pl_span){ "", 0 }
                : (struct pl_span){ (const char *)documents->page_ledger.data + at, ledger->size };
        at += ledger->size;
        if (__builtin_add_overflow(out->summary.pages_out, outputs[i].pages,
                                   &out->summary.pages_out))
            out->summary.pages_out = UINT32_MAX;
    }
}
