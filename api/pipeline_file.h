/* pipeline_file: a pipeline's definition out of a file that an admin wrote.
 *
 * JSON as DESIGN section 7 has it; what the pipeline does not take is refused with the file's name
 * and the member that is wrong.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_PIPELINE_FILE_H
#define PL_API_PIPELINE_FILE_H

#include "engine/base/bytes.h"

#define PL_PIPELINE_NAME_CHARS 65

struct pl_pipeline_file {
    char name[PL_PIPELINE_NAME_CHARS];
    struct pl_bytes definition; /* canonical: one line, members sorted; with a terminator that its
                                   size does not count */
};

/* PL_MISCONFIGURED with a sentence. To be fini'd after PL_OK. */
pl_status pl_pipeline_file_read(const char *path, struct pl_pipeline_file *out,
                                struct pl_fault *fault) PL_MUST_USE;
/* A zero one is fine. */
void pl_pipeline_file_fini(struct pl_pipeline_file *file);

#endif
