/* wire: one reader and one writer for each kind of frame, in one table.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/wire.h"

#include <string.h>

#define WIRE_VERSION 2
#define WIRE_THREADS_MOST 64

enum hello_bits { HELLO_SECCOMP = 1, HELLO_MDWE = 2, HELLO_WIDENED = 4 };

/* Writing: appends into a buffer that was reserved once, so that no step can fail. */
struct wire_pen {
    uint8_t *at;
    uint8_t *end;
};

static void pen_bytes(struct wire_pen *pen, const void *data, size_t size)
{
    PL_CHECK(size <= (size_t)(pen->end - pen->at));
    if (size > 0)
        memcpy(pen->at, data, size);
    pen->at += size;
}

static void pen_u8(struct wire_pen *pen, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    pen_bytes(pen, &byte, 1);
}

static void pen_u32(struct wire_pen *pen, uint32_t value)
{
    uint8_t bytes[4];
    pl_put_u32be(bytes, value);
    pen_bytes(pen, bytes, sizeof bytes);
}

static void pen_u64(struct wire_pen *pen, uint64_t value)
{
    uint8_t bytes[8];
    pl_put_u64be(bytes, value);
    pen_bytes(pen, bytes, sizeof bytes);
}

static void pen_text(struct wire_pen *pen, struct pl_span text)
{
    pen_u32(pen, (uint32_t)text.size);
    pen_bytes(pen, text.data, text.size);
}

static bool take_text(struct pl_cursor *in, size_t most, struct pl_span *out)
{
    uint32_t size = 0;
    const uint8_t *data = NULL;
    if (!pl_cursor_u32be(in, &size) || size > most || !pl_cursor_take(in, size, &data))
        return false;
    *out = (struct pl_span){ (const char *)data, size };
    return true;
}

static bool take_copy(struct pl_cursor *in, void *out, size_t size)
{
    const uint8_t *data = NULL;
    if (!pl_cursor_take(in, size, &data))
        return false;
    memcpy(out, data, size);
    return true;
}

static bool take_id(struct pl_cursor *in, struct pl_id *out)
{
    const uint8_t *data = NULL;
    return pl_cursor_take(in, PL_ID_CHARS, &data) &&
           pl_id_parse((struct pl_span){ (const char *)data, PL_ID_CHARS }, out);
}

static void setup_write(struct wire_pen *pen, const struct pl_wire_setup *setup)
{
    pen_u32(pen, setup->threads);
    pen_u64(pen, setup->memory_bytes);
    pen_u64(pen, setup->cpu_ms);
    pen_u64(pen, setup->output_bytes);
}

static bool setup_read(struct pl_cursor *in, struct pl_wire_setup *out)
{
    return pl_cursor_u32be(in, &out->threads) && out->threads >= 1 &&
           out->threads <= WIRE_THREADS_MOST && pl_cursor_u64be(in, &out->memory_bytes) &&
           pl_cursor_u64be(in, &out->cpu_ms) && pl_cursor_u64be(in, &out->output_bytes);
}

static void hello_write(struct wire_pen *pen, const struct pl_wire_hello *hello)
{
    pen_u8(pen, hello->landlock_abi);
    pen_u8(pen, (hello->seccomp ? HELLO_SECCOMP : 0u) | (hello->mdwe ? HELLO_MDWE : 0u) |
                    (hello->widened ? HELLO_WIDENED : 0u));
}

static bool hello_read(struct pl_cursor *in, struct pl_wire_hello *out)
{
    uint8_t bits = 0;
    if (!pl_cursor_u8(in, &out->landlock_abi) || !pl_cursor_u8(in, &bits) ||
        bits > (HELLO_SECCOMP | HELLO_MDWE | HELLO_WIDENED))
        return false;
    out->seccomp = (bits & HELLO_SECCOMP) != 0;
    out->mdwe = (bits & HELLO_MDWE) != 0;
    out->widened = (bits & HELLO_WIDENED) != 0;
    return true;
}

static void file_write(struct wire_pen *pen, const struct pl_wire_file *file)
{
    pen_u8(pen, file->sealed ? 1 : 0);
    pen_u64(pen, file->size);
    if (!file->sealed)
        return;
    pen_bytes(pen, file->key.secret, sizeof file->key.secret);
    pen_bytes(pen, file->key.id, sizeof file->key.id);
    pen_bytes(pen, file->context, sizeof file->context);
}

static bool file_read(struct pl_cursor *in, struct pl_wire_file *out)
{
    uint8_t sealed = 0;
    if (!pl_cursor_u8(in, &sealed) || sealed > 1 || !pl_cursor_u64be(in, &out->size) ||
        out->size > INT64_MAX)
        return false;
    out->sealed = sealed == 1;
    return !out->sealed || (take_copy(in, out->key.secret, sizeof out->key.secret) &&
                            take_copy(in, out->key.id, sizeof out->key.id) &&
                            take_copy(in, out->context, sizeof out->context));
}

/* clang-format off */
/* In the order in which they travel. */
#define WIRE_LIMITS(X) \
    X(documents)       \
    X(pages)           \
    X(side_px)         \
    X(colour_px)       \
    X(bilevel_px)      \
    X(page_bytes)      \
    X(expansion)       \
    X(nesting)         \
    X(output_bytes)    \
    X(cpu_ms)
/* clang-format on */

static void limits_write(struct wire_pen *pen, const struct pl_run_limits *limits)
{
#define WRITE(name) pen_u64(pen, limits->name);
    WIRE_LIMITS(WRITE)
#undef WRITE
}

static bool limits_read(struct pl_cursor *in, struct pl_run_limits *out)
{
#define READ(name)                                                                                 \
    if (!pl_cursor_u64be(in, &out->name))                                                          \
        return false;
    WIRE_LIMITS(READ)
#undef READ
    return out->documents >= 1 && out->documents <= PL_RUN_DOCUMENTS_MOST;
}

static void run_write(struct wire_pen *pen, const struct pl_wire_run *run)
{
    pen_bytes(pen, run->job.text, PL_ID_CHARS);
    pen_bytes(pen, run->tenant.text, PL_ID_CHARS);
    limits_write(pen, &run->limits);
    pen_u8(pen, (unsigned)run->input_count);
    for (size_t i = 0; i <= run->input_count; i++)
        file_write(pen, &run->files[i]);
    pen_text(pen, run->plan);
}

static bool run_read(struct pl_cursor *in, struct pl_wire_run *out)
{
    uint8_t inputs = 0;
    if (!take_id(in, &out->job) || !take_id(in, &out->tenant) || !limits_read(in, &out->limits) ||
        !pl_cursor_u8(in, &inputs) || inputs == 0 || inputs > PL_RUN_INPUTS)
        return false;
    out->input_count = inputs;
    for (size_t i = 0; i <= out->input_count; i++)
        if (!file_read(in, &out->files[i]))
            return false;
    return take_text(in, PL_RUN_PLAN_BYTES, &out->plan);
}

static void progress_write(struct wire_pen *pen, const struct pl_wire_progress *progress)
{
    pen_u32(pen, progress->done);
    pen_u32(pen, progress->total);
}

static bool progress_read(struct pl_cursor *in, struct pl_wire_progress *out)
{
    return pl_cursor_u32be(in, &out->done) && pl_cursor_u32be(in, &out->total) &&
           out->done <= out->total;
}

static bool ledger_read(struct pl_cursor *in, struct pl_span *out)
{
    return take_text(in, PL_WIRE_LEDGER_BYTES, out) && out->size > 0;
}

/* A media type in lower case (RFC 6838 section 4.2, without the odder marks). */
static bool type_is_valid(struct pl_span type)
{
    size_t slashes = 0;
    for (size_t i = 0; i < type.size; i++) {
        char c = type.data[i];
        if (c == '/')
            slashes++;
        else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '+' &&
                 c != '-')
            return false;
    }
    return slashes == 1 && type.data[0] != '/' && type.data[type.size - 1] != '/';
}

/* Letters, digits and what else the caller names, all in lower case. */
static bool word_is_plain(struct pl_span word, const char *marks)
{
    for (size_t i = 0; i < word.size; i++) {
        char c = word.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return true;
}

static bool take_number(struct pl_cursor *in, uint32_t *out)
{
    return pl_cursor_u32be(in, out) && *out >= 1 && *out <= PL_RUN_DOCUMENTS_MOST;
}

/* A status and its sentence; empty exactly when the status is PL_OK. */
static void fault_write(struct wire_pen *pen, pl_status status, const char *reason)
{
    pen_u32(pen, (uint32_t)status);
    pen_text(pen, pl_span_from(reason));
}

static bool fault_read(struct pl_cursor *in, struct pl_fault *out)
{
    uint32_t status = 0;
    struct pl_span reason = { NULL, 0 };
    if (!pl_cursor_u32be(in, &status) || status >= PL_STATUS_COUNT ||
        !take_text(in, PL_FAULT_CHARS - 1, &reason) || (status == PL_OK) != (reason.size == 0))
        return false;
    out->status = (pl_status)status;
    (void)pl_text_sanitize(reason, out->reason, sizeof out->reason);
    return true;
}

static void place_write(struct wire_pen *pen, const struct pl_wire_place *place)
{
    pen_u32(pen, place->n);
    fault_write(pen, place->fault.status, place->fault.reason);
    if (place->fault.status == PL_OK)
        file_write(pen, &place->file);
}

static bool place_read(struct pl_cursor *in, struct pl_wire_place *out)
{
    return take_number(in, &out->n) && fault_read(in, &out->fault) &&
           (out->fault.status != PL_OK || file_read(in, &out->file));
}

static void document_write(struct wire_pen *pen, const struct pl_wire_document *document)
{
    const struct pl_run_output *output = &document->output;
    pen_u32(pen, document->n);
    pen_text(pen, pl_span_from(output->type));
    pen_text(pen, pl_span_from(output->extension));
    pen_text(pen, pl_span_from(output->suffix));
    pen_u64(pen, output->bytes);
    pen_u32(pen, output->pages);
    pen_bytes(pen, output->sha256, sizeof output->sha256);
    pen_u32(pen, (uint32_t)output->page_ledger.size);
}

static bool document_read(struct pl_cursor *in, struct pl_wire_document *document)
{
    struct pl_run_output *out = &document->output;
    struct pl_span type = { NULL, 0 };
    struct pl_span extension = { NULL, 0 };
    struct pl_span suffix = { NULL, 0 };
    uint32_t ledger = 0;
    if (!take_number(in, &document->n) || !take_text(in, sizeof out->type - 1, &type) ||
        !take_text(in, sizeof out->extension - 1, &extension) ||
        !take_text(in, sizeof out->suffix - 1, &suffix) || !pl_cursor_u64be(in, &out->bytes) ||
        out->bytes > INT64_MAX || !pl_cursor_u32be(in, &out->pages) ||
        !take_copy(in, out->sha256, sizeof out->sha256) || !pl_cursor_u32be(in, &ledger) ||
        ledger > PL_WIRE_LEDGER_TOTAL)
        return false;
    out->page_ledger = (struct pl_span){ NULL, ledger };
    return type.size > 0 && type_is_valid(type) && extension.size > 0 &&
           word_is_plain(extension, "") && word_is_plain(suffix, "-_") &&
           pl_text_copy(out->type, sizeof out->type, type) &&
           pl_text_copy(out->extension, sizeof out->extension, extension) &&
           pl_text_copy(out->suffix, sizeof out->suffix, suffix);
}

static void report_write(struct wire_pen *pen, const struct pl_run_report *report)
{
    const struct pl_job_report *summary = &report->summary;
    fault_write(pen, report->status, report->fault.reason);
    pen_u32(pen, summary->documents);
    pen_u32(pen, summary->pages_in);
    for (size_t i = 0; i < PL_JOB_PAGES_COUNT; i++)
        pen_u32(pen, summary->by_how[i]);
    pen_u8(pen, summary->repaired ? 1 : 0);
    pen_text(pen, pl_span_from(summary->note));
}

/* Documents are told of when the job succeeded, and a repair with its reason. */
static bool report_read(struct pl_cursor *in, struct pl_run_report *out)
{
    struct pl_job_report *summary = &out->summary;
    struct pl_span note = { NULL, 0 };
    uint8_t repaired = 0;
    if (!fault_read(in, &out->fault) || !pl_cursor_u32be(in, &summary->documents) ||
        !pl_cursor_u32be(in, &summary->pages_in))
        return false;
    for (size_t i = 0; i < PL_JOB_PAGES_COUNT; i++)
        if (!pl_cursor_u32be(in, &summary->by_how[i]))
            return false;
    if (!pl_cursor_u8(in, &repaired) || repaired > 1 ||
        !take_text(in, sizeof summary->note - 1, &note))
        return false;
    out->status = out->fault.status;
    summary->repaired = repaired == 1;
    (void)pl_text_sanitize(note, summary->note, sizeof summary->note);
    return (out->status == PL_OK) == (summary->documents > 0) && (repaired == 0 || note.size > 0);
}

pl_status pl_wire_parse(const uint8_t *data, size_t size, struct pl_wire_frame *out)
{
    struct pl_cursor in = { .data = data, .size = size };
    uint8_t head[4];
    if (size > PL_WIRE_FRAME_BYTES || !take_copy(&in, head, sizeof head) || head[0] != 'P' ||
        head[1] != 'W' || head[2] != WIRE_VERSION || head[3] < PL_WIRE_SETUP ||
        head[3] > PL_WIRE_REPORT)
        return PL_BAD_REQUEST;
    memset(out, 0, sizeof *out);
    out->kind = (enum pl_wire_kind)head[3];
    bool good = false;
    switch (out->kind) {
    case PL_WIRE_SETUP:
        good = setup_read(&in, &out->as.setup);
        break;
    case PL_WIRE_HELLO:
        good = hello_read(&in, &out->as.hello);
        break;
    case PL_WIRE_RUN:
        good = run_read(&in, &out->as.run);
        break;
    case PL_WIRE_PROGRESS:
        good = progress_read(&in, &out->as.progress);
        break;
    case PL_WIRE_OPEN:
        good = take_number(&in, &out->as.open);
        break;
    case PL_WIRE_FILE:
        good = place_read(&in, &out->as.place);
        break;
    case PL_WIRE_LEDGER:
        good = ledger_read(&in, &out->as.ledger);
        break;
    case PL_WIRE_DOCUMENT:
        good = document_read(&in, &out->as.document);
        break;
    case PL_WIRE_REPORT:
        good = report_read(&in, &out->as.report);
        break;
    }
    return good && in.at == in.size ? PL_OK : PL_BAD_REQUEST;
}

/* What our own side may not write: the other would refuse it. */
static bool frame_is_bounded(const struct pl_wire_frame *frame)
{
    switch (frame->kind) {
    case PL_WIRE_RUN:
        return frame->as.run.input_count >= 1 && frame->as.run.input_count <= PL_RUN_INPUTS &&
               frame->as.run.plan.size <= PL_RUN_PLAN_BYTES;
    case PL_WIRE_LEDGER:
        return frame->as.ledger.size > 0 && frame->as.ledger.size <= PL_WIRE_LEDGER_BYTES;
    case PL_WIRE_DOCUMENT:
        return frame->as.document.output.page_ledger.size <= PL_WIRE_LEDGER_TOTAL;
    case PL_WIRE_SETUP:
    case PL_WIRE_HELLO:
    case PL_WIRE_PROGRESS:
    case PL_WIRE_OPEN:
    case PL_WIRE_FILE:
    case PL_WIRE_REPORT:
        return true;
    }
    return false;
}

pl_status pl_wire_write(const struct pl_wire_frame *frame, struct pl_bytes *out)
{
    uint8_t *room = NULL;
    if (!frame_is_bounded(frame))
        return PL_TOO_LARGE;
    pl_status status = pl_bytes_reserve(out, PL_WIRE_FRAME_BYTES, &room);
    if (status != PL_OK)
        return status;
    struct wire_pen pen = { room, room + PL_WIRE_FRAME_BYTES };
    const uint8_t head[4] = { 'P', 'W', WIRE_VERSION, (uint8_t)frame->kind };
    pen_bytes(&pen, head, sizeof head);
    switch (frame->kind) {
    case PL_WIRE_SETUP:
        setup_write(&pen, &frame->as.setup);
        break;
    case PL_WIRE_HELLO:
        hello_write(&pen, &frame->as.hello);
        break;
    case PL_WIRE_RUN:
        run_write(&pen, &frame->as.run);
        break;
    case PL_WIRE_PROGRESS:
        progress_write(&pen, &frame->as.progress);
        break;
    case PL_WIRE_OPEN:
        pen_u32(&pen, frame->as.open);
        break;
    case PL_WIRE_FILE:
        place_write(&pen, &frame->as.place);
        break;
    case PL_WIRE_LEDGER:
        pen_text(&pen, frame->as.ledger);
        break;
    case PL_WIRE_DOCUMENT:
        document_write(&pen, &frame->as.document);
        break;
    case PL_WIRE_REPORT:
        report_write(&pen, &frame->as.report);
        break;
    }
    out->size += (size_t)(pen.at - room);
    return PL_OK;
}
