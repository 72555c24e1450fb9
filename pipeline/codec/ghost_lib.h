/* ghost_lib: Ghostscript's library, loaded when it is wanted and not before.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_PIPELINE_CODEC_GHOST_LIB_H
#define PL_PIPELINE_CODEC_GHOST_LIB_H

#include "engine/base/status.h"

#include <ghostscript/iapi.h>

/* The entry points that are used, by their names in iapi.h without "gsapi_". */
struct pl_ghost_lib {
    void *handle;
    PFN_gsapi_revision revision;
    PFN_gsapi_new_instance new_instance;
    PFN_gsapi_delete_instance delete_instance;
    int (*set_stdio_with_handle)(void *instance, int (*in)(void *, char *, int),
                                 int (*out)(void *, const char *, int),
                                 int (*error)(void *, const char *, int), void *handle);
    PFN_gsapi_set_arg_encoding set_arg_encoding;
    int (*register_callout)(void *instance, gs_callout callout, void *handle);
    PFN_gsapi_init_with_args init_with_args;
    PFN_gsapi_run_string_with_length run_string;
    PFN_gsapi_exit exit;
};

/* UNAVAILABLE with a sentence that names what to install. */
pl_status pl_ghost_lib_load(struct pl_ghost_lib *lib, struct pl_fault *fault) PL_MUST_USE;
void pl_ghost_lib_unload(struct pl_ghost_lib *lib);

#endif
