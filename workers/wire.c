/* wire: one reader and one writer for each kind of frame, in one table.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/wire.h"

#include <string.h>

#define WIRE_VERSION 1
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

static void run_write(struct wire_pen *pen, const struct pl_wire_run *run)
{
    pen_bytes(pen, run->job.text, PL_ID_CHARS);
    pen_bytes(pen, run->tenant.text, PL_ID_CHARS);
    pen_u64(pen, run->output_bytes);
    pen_u8(pen, (unsigned)run->input_count);
    for (size_t i = 0; i <= run->input_count; i++)
        file_write(pen, &run->files[i]);
    pen_text(pen, run->plan);
}

static bool run_read(struct pl_cursor *in, struct pl_wire_run *out)
{
    uint8_t inputs = 0;
    if (!take_id(in, &out->job) || !take_id(in, &out->tenant) ||
        !pl_cursor_u64be(in, &out->output_bytes) || !pl_cursor_u8(in, &inputs) || inputs == 0 ||
        inputs > PL_RUN_INPUTS)
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

/* A media type in lower case (RFC 6838 section 4.2, without the odder marks); empty is accepted. */
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
    return type.size == 0 ||
           (slashes == 1 && type.data[0] != '/' && type.data[type.size - 1] != '/');
}

static void report_write(struct wire_pen *pen, const struct pl_run_report *report)
{
    pen_u32(pen, (uint32_t)report->status);
    pen_text(pen, pl_span_from(report->fault.reason));
    pen_text(pen, pl_span_from(report->type));
    pen_u64(pen, report->bytes);
    pen_u32(pen, report->pages);
    pen_bytes(pen, report->sha256, sizeof report->sha256);
    pen_u32(pen, (uint32_t)report->page_ledger.size);
}

static bool report_read(struct pl_cursor *in, struct pl_run_report *out)
{
    uint32_t status = 0;
    uint32_t ledger = 0;
    struct pl_span reason = { NULL, 0 };
    struct pl_span type = { NULL, 0 };
    if (!pl_cursor_u32be(in, &status) || status >= PL_STATUS_COUNT ||
        !take_text(in, PL_FAULT_CHARS - 1, &reason) ||
        !take_text(in, sizeof out->type - 1, &type) || !pl_cursor_u64be(in, &out->bytes) ||
        !pl_cursor_u32be(in, &out->pages) || !take_copy(in, out->sha256, sizeof out->sha256) ||
        !pl_cursor_u32be(in, &ledger) || ledger > PL_WIRE_LEDGER_TOTAL)
        return false;
    out->status = (pl_status)status;
    bool is_ok = out->status == PL_OK;
    if (!type_is_valid(type) || is_ok != (type.size > 0) || is_ok != (reason.size == 0))
        return false;
    out->fault.status = out->status;
    (void)pl_text_sanitize(reason, out->fault.reason, sizeof out->fault.reason);
    out->page_ledger = (struct pl_span){ NULL, ledger };
    return pl_text_copy(out->type, sizeof out->type, type);
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
    case PL_WIRE_LEDGER:
        good = ledger_read(&in, &out->as.ledger);
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
    case PL_WIRE_REPORT:
        return frame->as.report.page_ledger.size <= PL_WIRE_LEDGER_TOTAL;
    case PL_WIRE_SETUP:
    case PL_WIRE_HELLO:
    case PL_WIRE_PROGRESS:
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
    case PL_WIRE_LEDGER:
        pen_text(&pen, frame->as.ledger);
        break;
    case PL_WIRE_REPORT:
        report_write(&pen, &frame->as.report);
        break;
    }
    out->size += (size_t)(pen.at - room);
    return PL_OK;
}
