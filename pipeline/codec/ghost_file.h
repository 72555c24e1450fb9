/* ghost_file: files in the interpreter's scratch folder, which is memory: a document on its way in,
 * a result on its way out.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_GHOST_FILE_H
#define PL_PIPELINE_CODEC_GHOST_FILE_H

#include "pipeline/source.h"

/* Writes all of the source to a file of that name, which is made anew. */
pl_status pl_ghost_file_put(const char *path, struct pl_source *source,
                            struct pl_fault *fault) PL_MUST_USE;
/* The file as a source; it is removed from the folder at once and gone with the last clone.
 * PL_NOT_FOUND, PL_IO_ERROR, PL_NO_MEMORY. */
pl_status pl_ghost_file_take(const char *path, struct pl_source **out) PL_MUST_USE;

#endif
