/* convert_files: the files of one task of `platen convert`, on their way in and out.
 *
 * An output appears under its name only when all of the task are whole: they are written beside
 * their names and renamed. They are not synced: the inputs are still there.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_CONVERT_FILES_H
#define PL_API_CONVERT_FILES_H

#include "api/convert_plan.h"
#include "engine/core/runner.h"

struct pl_convert_output {
    int fd;
    char *beside; /* where it is written; NULL: it has its name */
    char *name;   /* once it is known; owned */
};

struct pl_convert_files {
    const struct pl_convert_task *task;
    struct pl_convert_output *outputs; /* in order; room for a power of two */
    size_t output_count;
};

/* Opens the inputs of the task into run->inputs. *bytes gets their size. What is opened is closed
 * by pl_convert_files_close, also after a failure. */
pl_status pl_convert_files_open(const struct pl_convert_task *task, struct pl_run *run,
                                uint64_t *bytes, struct pl_convert_files *out,
                                struct pl_fault *fault) PL_MUST_USE;
/* The file for document n (1-based), empty. */
pl_status pl_convert_files_place(struct pl_convert_files *files, uint32_t n, int *fd,
                                 struct pl_fault *fault) PL_MUST_USE;
/* Gives the documents their names; none is there already, unless `force`. */
pl_status pl_convert_files_publish(struct pl_convert_files *files,
                                   const struct pl_run_report *report, bool force,
                                   struct pl_fault *fault) PL_MUST_USE;
/* Closes all and removes what was not published. */
void pl_convert_files_close(struct pl_convert_files *files, struct pl_run *run);

#endif
