/* ghost_lib: dlopen and nine names.
 *
 * The soname carries the major version, so that an interface that was changed is not found instead
 * of being called wrongly.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "pipeline/codec/ghost_lib.h"

#include <dlfcn.h>
#include <string.h>

#define GHOST_LIBRARY "libgs.so.10"
#define GHOST_REVISION 10000 /* the oldest that was tried */

struct lib_symbol {
    const char *name;
    size_t at; /* in struct pl_ghost_lib */
};

#define LIB_SYMBOL(name, field)                                                                    \
    {                                                                                              \
        "gsapi_" name, offsetof(struct pl_ghost_lib, field)                                        \
    }

static const struct lib_symbol symbols[] = {
    LIB_SYMBOL("revision", revision),
    LIB_SYMBOL("new_instance", new_instance),
    LIB_SYMBOL("delete_instance", delete_instance),
    LIB_SYMBOL("set_stdio_with_handle", set_stdio_with_handle),
    LIB_SYMBOL("set_arg_encoding", set_arg_encoding),
    LIB_SYMBOL("register_callout", register_callout),
    LIB_SYMBOL("init_with_args", init_with_args),
    LIB_SYMBOL("run_string_with_length", run_string),
    LIB_SYMBOL("exit", exit),
};

static pl_status lib_fault(struct pl_fault *fault, const char *why)
{
    return pl_fault_set(fault, PL_UNAVAILABLE,
                        "this document needs Ghostscript, whose library cannot be used (%s); "
                        "install the package libgs10",
                        why);
}

pl_status pl_ghost_lib_load(struct pl_ghost_lib *lib, struct pl_fault *fault)
{
    struct pl_ghost_lib loaded = { .handle = dlopen(GHOST_LIBRARY, RTLD_NOW | RTLD_LOCAL) };
    gsapi_revision_t revision = { .revision = 0 };
    if (loaded.handle == NULL)
        return lib_fault(fault, "there is no " GHOST_LIBRARY);
    for (size_t i = 0; i < PL_COUNT_OF(symbols); i++) {
        void *symbol = dlsym(loaded.handle, symbols[i].name);
        if (symbol == NULL) {
            pl_ghost_lib_unload(&loaded);
            return lib_fault(fault, symbols[i].name);
        }
        memcpy((char *)&loaded + symbols[i].at, &symbol, sizeof symbol);
    }
    if (loaded.revision(&revision, (int)sizeof revision) != 0 ||
        revision.revision < GHOST_REVISION) {
        pl_ghost_lib_unload(&loaded);
        return lib_fault(fault, "it is older than 10.00");
    }
    *lib = loaded;
    return PL_OK;
}

void pl_ghost_lib_unload(struct pl_ghost_lib *lib)
{
    if (lib->handle != NULL)
        (void)dlclose(lib->handle);
    lib->handle = NULL;
}
