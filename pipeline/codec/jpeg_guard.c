/* jpeg_guard: what libjpeg says, sorted into damage, want of memory and chatter.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_guard_priv.h"

#include <jerror.h> /* its codes depend on what jpeglib.h says was built in */

#define SINK_STEP ((size_t)1 << 16)

static struct pl_jpeg_guard *guard_of(j_common_ptr common)
{
    return PL_CONTAINER_OF(common->err, struct pl_jpeg_guard, errors);
}

static void guard_keep(j_common_ptr common)
{
    struct pl_jpeg_guard *guard = guard_of(common);
    if (!guard->damaged)
        common->err->format_message(common, guard->words);
    guard->damaged = true;
}

_Noreturn static void guard_on_error(j_common_ptr common)
{
    struct pl_jpeg_guard *guard = guard_of(common);
    guard->no_memory = common->err->msg_code == JERR_OUT_OF_MEMORY;
    guard_keep(common);
    longjmp(guard->jump, 1);
}

/* Warnings that mean that pixels were made up. */
static bool warning_is_damage(int code)
{
    switch (code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_PROGRESSION:
        return true;
    default:
        return false;
    }
}

static void guard_on_message(j_common_ptr common, int level)
{
    if (level < 0 && warning_is_damage(common->err->msg_code))
        guard_keep(common);
}

static void guard_on_output(j_common_ptr common)
{
    (void)common; /* nothing is printed */
}

struct jpeg_error_mgr *pl_jpeg_guard_init(struct pl_jpeg_guard *guard)
{
    struct jpeg_error_mgr *errors = jpeg_std_error(&guard->errors);
    errors->error_exit = guard_on_error;
    errors->emit_message = guard_on_message;
    errors->output_message = guard_on_output;
    return errors;
}

static struct pl_jpeg_sink *sink_of(j_compress_ptr jpeg)
{
    return PL_CONTAINER_OF(jpeg->dest, struct pl_jpeg_sink, manager);
}

static void sink_room(struct pl_jpeg_sink *sink)
{
    uint8_t *at = NULL;
    size_t left = sink->out->limit - sink->out->size;
    sink->room = left < SINK_STEP ? left : SINK_STEP;
    sink->status = sink->room == 0 ? PL_TOO_LARGE : pl_bytes_reserve(sink->out, sink->room, &at);
    if (sink->status != PL_OK)
        longjmp(sink->guard->jump, 1);
    sink->manager.next_output_byte = at;
    sink->manager.free_in_buffer = sink->room;
}

static void sink_on_begin(j_compress_ptr jpeg)
{
    sink_room(sink_of(jpeg));
}

/* libjpeg asks when all room is used, whatever free_in_buffer says. */
static boolean sink_on_full(j_compress_ptr jpeg)
{
    struct pl_jpeg_sink *sink = sink_of(jpeg);
    sink->out->size += sink->room;
    sink_room(sink);
    return TRUE;
}

static void sink_on_end(j_compress_ptr jpeg)
{
    struct pl_jpeg_sink *sink = sink_of(jpeg);
    sink->out->size += sink->room - sink->manager.free_in_buffer;
}

struct jpeg_destination_mgr *pl_jpeg_sink_init(struct pl_jpeg_sink *sink,
                                               struct pl_jpeg_guard *guard, struct pl_bytes *out)
{
    *sink = (struct pl_jpeg_sink){ .guard = guard, .out = out };
    sink->manager.init_destination = sink_on_begin;
    sink->manager.empty_output_buffer = sink_on_full;
    sink->manager.term_destination = sink_on_end;
    return &sink->manager;
}
