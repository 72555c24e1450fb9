/* sandbox: what a worker gives up for good before it sees the first byte of a document.
 *
 * Four walls, so that one mistake is not the end: rlimits (memory, CPU, file size, descriptors,
 * no core), Landlock (no path of any file system, no TCP, no signal and no abstract socket out of
 * the sandbox, as far as the kernel knows them), PR_SET_MDWE (no memory becomes code), and a
 * seccomp filter whose answer to everything not listed is death. After it a process can compute,
 * read and write at offsets of the files it was handed, speak on one socket, say lines on stderr,
 * start threads and end. An interpreter may besides open files, which for it are those below a few
 * folders of fonts and colour profiles, to read, and those of its own scratch folder in memory.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_WORKERS_SANDBOX_H
#define PL_WORKERS_SANDBOX_H

#include "engine/base/status.h"

struct pl_sandbox_limits {
    int socket_fd;         /* the only one that may be spoken on */
    uint64_t memory_bytes; /* address space */
    uint64_t cpu_ms;       /* of the process, rounded up to seconds */
    uint64_t file_bytes;   /* end of any file written */
    const char *scratch;   /* of an interpreter; NULL for all others, who open no file at all */
};

struct pl_sandbox_report {
    unsigned landlock_abi; /* 0: this kernel has none */
    bool mdwe;
    bool widened; /* a sanitizer's runtime gets the calls it needs */
};

/* To be called first thing, before settings are read: closes every descriptor from `first_fd` on,
 * no core file, not traceable, no new privileges. PL_UNAVAILABLE with a sentence. */
pl_status pl_sandbox_prepare(unsigned first_fd, struct pl_fault *fault) PL_MUST_USE;
/* Part of it: how this process asks the kernel for memory. */
void pl_sandbox_prepare_memory(void);
/* What the kernel offers, 0 for nothing. An interpreter needs it: without, what its filter lets it
 * open would be every file that its user may. */
unsigned pl_sandbox_landlock(void);
/* By a process with one thread. There is no way back. PL_UNAVAILABLE with a sentence; the caller
 * must then end without reading a document. A kernel without Landlock or MDWE is accepted and
 * reported; one without seccomp is not. */
pl_status pl_sandbox_enter(const struct pl_sandbox_limits *limits, struct pl_sandbox_report *report,
                           struct pl_fault *fault) PL_MUST_USE;

#endif
