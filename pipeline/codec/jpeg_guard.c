/* jpeg_guard: what libjpeg says, sorted into damage, want of memory and chatter.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/jpeg_guard_priv.h"

#include <jerror.h> /* its codes depend on what jpeglib.h says was built in */

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
