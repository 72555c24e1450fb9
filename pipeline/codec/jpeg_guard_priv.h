/* jpeg_guard: the error manager that coders of pictures share: the first complaint is kept, errors
 * jump to where the coder set its mark, warnings count when pixels would be made up.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_GUARD_PRIV_H
#define PL_PIPELINE_CODEC_JPEG_GUARD_PRIV_H

#include "engine/base/status.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE */

#include <jpeglib.h>

struct pl_jpeg_guard {
    struct jpeg_error_mgr errors;
    jmp_buf jump; /* to be set before libjpeg is called */
    bool damaged;
    bool no_memory;
    char words[JMSG_LENGTH_MAX];
};

/* The error manager for jpeg_compress_struct.err and jpeg_decompress_struct.err. */
struct jpeg_error_mgr *pl_jpeg_guard_init(struct pl_jpeg_guard *guard);

#endif
