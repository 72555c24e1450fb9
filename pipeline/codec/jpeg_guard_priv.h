/* jpeg_guard: what the coders of pictures share. The error manager keeps the first complaint and
 * jumps to where the coder set its mark; warnings count when pixels would be made up. The sink
 * takes what libjpeg writes into a bounded buffer, and jumps to the same mark when that is full.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_JPEG_GUARD_PRIV_H
#define PL_PIPELINE_CODEC_JPEG_GUARD_PRIV_H

#include "engine/base/bytes.h"

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

struct pl_jpeg_sink {
    struct jpeg_destination_mgr manager;
    struct pl_jpeg_guard *guard;
    struct pl_bytes *out;
    size_t room;
    pl_status status; /* of the buffer */
};

/* The destination for jpeg_compress_struct.dest. */
struct jpeg_destination_mgr *pl_jpeg_sink_init(struct pl_jpeg_sink *sink,
                                               struct pl_jpeg_guard *guard, struct pl_bytes *out);

#endif
