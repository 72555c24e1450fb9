/* documents: sealed bytes are read, verified and opened on the thread pool, a few chunks at a time,
 * and no faster than the peer takes them.
 *
 *   ledger -> keys -> open the object -> [open chunks -> write -> wait for the peer]* -> end
 *
 * Not a byte of a chunk leaves before its tag was verified. A chunk that fails after the head has
 * left cuts the connection, so that no client takes the part for the whole.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/documents.h"

#include "api/disposition.h"
#include "api/jobs.h"
#include "api/range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Chunks opened in one visit to the thread pool. */
#define BATCH_CHUNKS 4
#define SEALED_CHUNK (PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES)
/* Chunks are opened where they were read, so the last one's tag needs room too. */
#define BATCH_BYTES (BATCH_CHUNKS * PL_SEAL_CHUNK_BYTES + PL_SEAL_TAG_BYTES)
#define TAG_CHARS (2 * PL_SHA256_BYTES + 3)
#define DOCUMENT_FIELDS 8

struct download {
    struct pl_ask *ask;
    bool is_original;
    struct pl_ledger_job job;
    struct pl_ledger_document document; /* not for the original */
    struct pl_span name;
    struct pl_seal_key key;
    uint8_t context[PL_SEAL_CONTEXT_BYTES];
    struct pl_object_open open;

    int fd;
    struct pl_opener *opener; /* made with the first batch */
    uint64_t size;            /* of the plaintext */
    uint64_t chunk_count;
    uint64_t chunk; /* the next to open */
    uint64_t first; /* what is to be sent */
    uint64_t length;
    enum pl_range_answer answer;
    bool started;
    bool waits_for_peer;

    struct pl_loop_work work;
    pl_status work_status;
    uint8_t *plain; /* BATCH_BYTES */
    size_t plain_size;
};

static void download_cleanup(struct pl_ask *ask)
{
    struct download *download = ask->room;
    pl_opener_free(download->opener);
    if (download->fd >= 0)
        (void)close(download->fd);
    if (download->plain != NULL)
        pl_wipe(download->plain, BATCH_BYTES);
    free(download->plain);
    pl_wipe(&download->key, sizeof download->key);
    free(download);
}

static void download_fail(struct download *download, pl_status status, const char *doing)
{
    struct pl_ask *ask = download->ask;
    PL_LOG(pl_core_parts(ask->api->core)->log, PL_LOG_ERROR, "download.failed",
           PL_F("tenant", ask->tenant.text), PL_F("job", ask->job.text), PL_FN("n", ask->n),
           PL_F("doing", doing), PL_F("error", pl_status_name(status)));
    if (download->started)
        pl_ask_reply_abort(ask);
    else
        pl_ask_refuse(ask, status, NULL);
}

/* -- on the thread pool -- */

static pl_status fd_read_at(int fd, uint64_t at, uint8_t *out, size_t size)
{
    while (size > 0) {
        ssize_t count = pread(fd, out, size, (off_t)at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return PL_IO_ERROR;
        if (count == 0)
            return PL_TAMPERED; /* shorter than it was when it was opened */
        out += count;
        at += (uint64_t)count;
        size -= (size_t)count;
    }
    return PL_OK;
}

static pl_status download_open_header(struct download *download)
{
    uint8_t header[PL_SEAL_HEADER_BYTES];
    pl_status status = fd_read_at(download->fd, 0, header, sizeof header);
    if (status == PL_OK)
        status = pl_opener_new(header, &download->key, download->context, &download->opener);
    return status;
}

static uint64_t bytes_wanted_end(const struct download *download)
{
    return download->first + download->length;
}

static pl_status download_open_chunk(struct download *download)
{
    uint8_t *out = download->plain + download->plain_size;
    uint64_t index = download->chunk;
    bool is_last = index + 1 == download->chunk_count;
    size_t plain =
        is_last ? (size_t)(download->size - index * PL_SEAL_CHUNK_BYTES) : PL_SEAL_CHUNK_BYTES;
    pl_status status = fd_read_at(download->fd, PL_SEAL_HEADER_BYTES + index * SEALED_CHUNK, out,
                                  plain + PL_SEAL_TAG_BYTES);
    if (status == PL_OK)
        status =
            pl_opener_chunk(download->opener, index, out, plain + PL_SEAL_TAG_BYTES, is_last, out);
    if (status != PL_OK)
        return status;
    download->plain_size += plain;
    download->chunk++;
    return PL_OK;
}

static void download_on_pool(struct pl_loop_work *work)
{
    struct download *download = PL_CONTAINER_OF(work, struct download, work);
    pl_status status = PL_OK;
    download->plain_size = 0;
    if (download->opener == NULL)
        status = download_open_header(download);
    for (int i = 0;
         i < BATCH_CHUNKS && status == PL_OK && download->chunk < download->chunk_count &&
         download->chunk * PL_SEAL_CHUNK_BYTES < bytes_wanted_end(download);
         i++)
        status = download_open_chunk(download);
    /* An empty object is one empty chunk, which is verified as well. */
    if (status == PL_OK && download->size == 0 && download->chunk == 0)
        status = download_open_chunk(download);
    download->work_status = status;
}

/* -- on the loop -- */

static struct pl_http_field field_of(const char *name, const char *value)
{
    return (struct pl_http_field){ pl_span_from(name), pl_span_from(value) };
}

static void tag_write(const struct download *download, char tag[TAG_CHARS])
{
    const uint8_t *digest =
        download->is_original ? download->job.sha256 : download->document.sha256;
    tag[0] = '"';
    (void)pl_text_hex(digest, PL_SHA256_BYTES, tag + 1);
    memcpy(tag + TAG_CHARS - 2, "\"", 2);
}

static void download_start_reply(struct download *download)
{
    char tag[TAG_CHARS];
    char disposition[PL_DISPOSITION_CHARS];
    char range[80];
    struct pl_http_field fields[DOCUMENT_FIELDS];
    size_t count = 0;
    bool is_part = download->answer == PL_RANGE_PART;
    tag_write(download, tag);
    fields[count++] = field_of("Content-Type", download->is_original ? "application/octet-stream"
                                                                     : download->document.type);
    fields[count++] =
        field_of("Content-Disposition",
                 pl_disposition(download->name, download->is_original ? "original" : "document",
                                disposition));
    fields[count++] = field_of("ETag", tag);
    fields[count++] = field_of("Accept-Ranges", "bytes");
    fields[count++] = field_of("Cache-Control", "private, no-cache");
    fields[count++] = field_of("X-Content-Type-Options", "nosniff");
    if (is_part) {
        (void)pl_text_format(range, sizeof range, "bytes %llu-%llu/%llu",
                             (unsigned long long)download->first,
                             (unsigned long long)(bytes_wanted_end(download) - 1),
                             (unsigned long long)download->size);
        fields[count++] = field_of("Content-Range", range);
    }
    download->started = true;
    pl_ask_reply_start(download->ask, is_part ? 206 : 200, fields, count, download->length);
}

static void download_next(struct download *download);

/* Sends what of the opened chunks was asked for. Answers what pl_http_reply_write answered. */
static bool download_write(struct download *download)
{
    uint64_t begin = download->chunk * PL_SEAL_CHUNK_BYTES;
    uint64_t at = begin < download->size ? begin - download->plain_size
                                         : download->size - download->plain_size;
    uint64_t skip = download->first > at ? download->first - at : 0;
    uint64_t end = bytes_wanted_end(download) - at;
    uint64_t stop = end < download->plain_size ? end : download->plain_size;
    if (stop <= skip)
        return true;
    return pl_http_reply_write(download->ask->request, download->plain + skip,
                               (size_t)(stop - skip));
}

static bool download_is_complete(const struct download *download)
{
    return download->chunk == download->chunk_count ||
           download->chunk * PL_SEAL_CHUNK_BYTES >= bytes_wanted_end(download);
}

static void download_on_opened_chunks(struct pl_loop_work *work)
{
    struct download *download = PL_CONTAINER_OF(work, struct download, work);
    struct pl_ask *ask = download->ask;
    if (!pl_ask_release(ask))
        return;
    if (download->work_status != PL_OK) {
        download_fail(download, download->work_status, "opening");
        return;
    }
    pl_ask_hold(ask); /* the write may find the peer gone */
    if (!download->started)
        download_start_reply(download);
    bool more = ask->is_head || download_write(download);
    if (!pl_ask_release(ask))
        return;
    if (ask->is_head || download_is_complete(download))
        pl_ask_reply_end(ask);
    else if (more)
        download_next(download);
    else
        download->waits_for_peer = true;
}

static void download_next(struct download *download)
{
    download->work.run = download_on_pool;
    download->work.done = download_on_opened_chunks;
    pl_ask_hold(download->ask);
    pl_loop_work(pl_core_parts(download->ask->api->core)->loop, &download->work);
}

static void download_on_writable(struct pl_ask *ask)
{
    struct download *download = ask->room;
    if (!download->waits_for_peer)
        return;
    download->waits_for_peer = false;
    download_next(download);
}

/* The object is open: its length must be that of what the ledger knows. */
static void download_begin(struct download *download, uint64_t sealed_size)
{
    if (sealed_size != pl_seal_sealed_size(download->size)) {
        download_fail(download, PL_TAMPERED, "measuring");
        return;
    }
    download->plain = malloc(BATCH_BYTES);
    if (download->plain == NULL) {
        download_fail(download, PL_NO_MEMORY, "beginning");
        return;
    }
    download->chunk_count = (download->size + PL_SEAL_CHUNK_BYTES - 1) / PL_SEAL_CHUNK_BYTES;
    if (download->chunk_count == 0)
        download->chunk_count = 1;
    download->chunk = download->first / PL_SEAL_CHUNK_BYTES;
    download->ask->on_writable = download_on_writable;
    download_next(download);
}

static void download_on_object(struct pl_object_open *open)
{
    struct download *download = PL_CONTAINER_OF(open, struct download, open);
    download->fd = open->status == PL_OK ? open->fd : -1;
    if (!pl_ask_release(download->ask))
        return;
    if (open->status == PL_NOT_FOUND)
        download_fail(download, PL_IO_ERROR, "finding the object");
    else if (open->status != PL_OK)
        download_fail(download, open->status, "opening the object");
    else
        download_begin(download, open->size);
}

static void download_open_object(struct download *download)
{
    const struct pl_object_store *store = &pl_core_parts(download->ask->api->core)->store;
    download->open = (struct pl_object_open){ .key = download->document.object_key,
                                              .done = download_on_object,
                                              .fd = -1 };
    pl_ask_hold(download->ask);
    store->ops->open(store->self, &download->open);
}

static void download_open_spool(struct download *download)
{
    pl_status status = PL_OK;
    download->fd = pl_spool_open_job(pl_core_parts(download->ask->api->core)->spool,
                                     &download->job.id, &status);
    off_t size = download->fd < 0 ? -1 : lseek(download->fd, 0, SEEK_END);
    if (status == PL_NOT_FOUND && pl_job_state_is_end(download->job.state)) {
        pl_ask_refuse_with(download->ask, 410, PL_NOT_FOUND,
                           "the original was removed after its job had ended", "Cache-Control",
                           "no-store");
        return;
    }
    if (size < 0)
        download_fail(download, status == PL_OK ? PL_IO_ERROR : status, "opening the original");
    else
        download_begin(download, (uint64_t)size);
}

/* Conditions and range, from the head. False: answered. */
static bool download_decide(struct download *download)
{
    struct pl_ask *ask = download->ask;
    char tag[TAG_CHARS];
    char value[48];
    tag_write(download, tag);
    if (pl_range_is_known(pl_http_header(ask->request, "If-None-Match"), tag)) {
        const struct pl_http_field fields[] = { field_of("ETag", tag) };
        pl_ask_reply_start(ask, 304, fields, 1, 0);
        pl_ask_reply_end(ask);
        return false;
    }
    struct pl_span range = { NULL, 0 };
    if (!ask->is_head && pl_range_may(pl_http_header(ask->request, "If-Range"), tag))
        range = pl_http_header(ask->request, "Range"); /* defined for GET alone */
    download->answer = pl_range_parse(range, download->size, &download->first, &download->length);
    if (download->answer != PL_RANGE_UNSATISFIABLE)
        return true;
    (void)pl_text_format(value, sizeof value, "bytes */%llu", (unsigned long long)download->size);
    pl_ask_refuse_with(ask, 416, PL_BAD_REQUEST, "the range lies beyond the end of the document",
                       "Content-Range", value);
    return false;
}

static pl_status download_keys(struct download *download)
{
    struct pl_ask *ask = download->ask;
    const struct pl_keyring *keyring = &pl_core_parts(ask->api->core)->keyring;
    char role[PL_ROLE_CHARS];
    char field[PL_FIELD_CHARS];
    struct pl_seal_key result;
    if (download->is_original) {
        pl_seal_context(ask->tenant.text, ask->job.text, PL_ROLE_ORIGINAL, download->context);
        pl_status status =
            keyring->ops->unwrap(keyring->self, &ask->tenant, ask->job.text, PL_ROLE_ORIGINAL,
                                 download->job.original_key_wrapped, &download->key);
        return status != PL_OK
                   ? status
                   : pl_jobs_open_field(ask, pl_field_name("job.name", &ask->job, 0, field),
                                        download->job.name_sealed, &download->name);
    }
    (void)pl_role_document(ask->n, role);
    pl_seal_context(ask->tenant.text, ask->job.text, role, download->context);
    pl_status status =
        keyring->ops->unwrap(keyring->self, &ask->tenant, ask->job.text, PL_ROLE_RESULT,
                             download->job.result_key_wrapped, &result);
    if (status != PL_OK)
        return status;
    pl_seal_key_derive(&result, role, &download->key);
    pl_wipe(&result, sizeof result);
    return pl_jobs_open_field(ask, pl_field_name("document.name", &ask->job, ask->n, field),
                              download->document.name_sealed, &download->name);
}

static void download_on_rows(struct pl_ask *ask, pl_status status)
{
    struct download *download = ask->room;
    if (status == PL_NOT_FOUND) {
        pl_ask_refuse_not_found(ask);
        return;
    }
    if (status == PL_OK)
        status = download_keys(download);
    if (status != PL_OK) {
        download_fail(download, status, "reading the ledger");
        return;
    }
    download->size = download->is_original ? download->job.bytes : download->document.bytes;
    if (!download_decide(download))
        return;
    if (download->is_original)
        download_open_spool(download);
    else
        download_open_object(download);
}

static pl_status download_read(struct pl_ask *ask, const struct pl_ledger *ledger)
{
    struct download *download = ask->room;
    pl_status status =
        ledger->ops->job_load(ledger->self, &ask->tenant, &ask->job, &ask->arena, &download->job);
    if (status == PL_OK && !download->is_original)
        /* Before the job is done, rows and objects may be those of different tries. */
        status = download->job.state != PL_JOB_DONE
                     ? PL_NOT_FOUND
                     : ledger->ops->document_load(ledger->self, &ask->job, ask->n, &ask->arena,
                                                  &download->document);
    return status;
}

static void download_new(struct pl_ask *ask, bool is_original)
{
    struct download *download = calloc(1, sizeof *download);
    if (download == NULL) {
        pl_ask_refuse(ask, PL_NO_MEMORY, NULL);
        return;
    }
    download->ask = ask;
    download->is_original = is_original;
    download->fd = -1;
    ask->room = download;
    ask->cleanup = download_cleanup;
    pl_ask_read(ask, download_read, download_on_rows);
}

void pl_documents_send(struct pl_ask *ask)
{
    download_new(ask, false);
}

void pl_documents_send_original(struct pl_ask *ask)
{
    download_new(ask, true);
}
