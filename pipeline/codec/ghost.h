/* ghost: Ghostscript's library (gsapi, libgs 10) as the interpreter of the pipeline.
 *
 * The library is loaded with dlopen, so that other workers neither link nor load it. SAFER is on.
 * Exit codes are not believed: messages are parsed, pages and images counted.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_GHOST_H
#define PL_PIPELINE_CODEC_GHOST_H

#include "pipeline/interpreter.h"

/* Loads the library and starts an instance, so that 35 to 45 ms of initialisation are over before
 * the first document. `scratch` is the path of a private folder in memory, the only one that may
 * be written. UNAVAILABLE with a sentence that says what to install. */
pl_status pl_ghost_new(const char *scratch, struct pl_interpreter **out,
                       struct pl_fault *fault) PL_MUST_USE;
void pl_ghost_free(struct pl_interpreter *self);

#endif
