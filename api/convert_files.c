/* convert_files: temporary files beside the output, renamed together at the end.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_PATH_CHARS 8192
#define FILES_SPARE_FDS 64

static pl_status input_open(const char *path, struct pl_run *run, uint64_t *bytes,
                            struct pl_fault *fault)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: %s", path, strerror(errno));
    run->inputs[run->input_count++] = (struct pl_run_file){ .fd = fd };
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s is not a file", path);
    *bytes += (uint64_t)info.st_size;
    return PL_OK;
}

pl_status pl_convert_files_open(const struct pl_convert_task *task, struct pl_run *run,
                                uint64_t *bytes, struct pl_convert_files *out,
                                struct pl_fault *fault)
{
    pl_status status = PL_OK;
    *out = (struct pl_convert_files){ .task = task };
    *bytes = 0;
    for (size_t i = 0; i < task->input_count && status == PL_OK; i++)
        status = input_open(task->inputs[i], run, bytes, fault);
    return status;
}

/* Documents of a job stay open until all are whole: as many as the system allows. */
static void files_raise_limit(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted + FILES_SPARE_FDS)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static pl_status files_add(struct pl_convert_files *files, struct pl_fault *fault)
{
    size_t count = files->output_count;
    char path[FILES_PATH_CHARS];
    if ((count & (count - 1)) == 0) { /* full at each power of two */
        size_t room = count == 0 ? 1 : count * 2;
        struct pl_convert_output *outputs = realloc(files->outputs, room * sizeof *outputs);
        if (outputs == NULL)
            return pl_fault_set(fault, PL_NO_MEMORY, "no memory for document %zu", count + 1);
        files->outputs = outputs;
        files_raise_limit(room);
    }
    if (!pl_text_format(path, sizeof path, "%s.new-XXXXXX", files->task->output))
        return pl_fault_set(fault, PL_MISCONFIGURED, "the path of the output is too long");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "cannot write beside %s: %s",
                            files->task->output, strerror(errno));
    files->outputs[files->output_count++] =
        (struct pl_convert_output){ .fd = fd, .beside = strdup(path) };
    if (files->outputs[count].beside != NULL)
        return PL_OK;
    (void)unlink(path);
    return pl_fault_set(fault, PL_NO_MEMORY, "no memory for document %zu", count + 1);
}

pl_status pl_convert_files_place(struct pl_convert_files *files, uint32_t n, int *fd,
                                 struct pl_fault *fault)
{
    PL_CHECK(n >= 1 && n <= files->output_count + 1);
    if (n > files->output_count) {
        pl_status status = files_add(files, fault);
        if (status != PL_OK)
            return status;
    } else if (ftruncate(files->outputs[n - 1].fd, 0) != 0) {
        return pl_fault_set(fault, pl_status_from_errno(errno), "%s: %s",
                            files->outputs[n - 1].beside, strerror(errno));
    }
    *fd = files->outputs[n - 1].fd;
    return PL_OK;
}

/* "out.png" and "-003" give "out-003.png". */
static pl_status output_name(const char *output, const char *suffix, char **out,
                             struct pl_fault *fault)
{
    char path[FILES_PATH_CHARS];
    const char *slash = strrchr(output, '/');
    const char *name = slash == NULL ? output : slash + 1;
    const char *dot = strrchr(name, '.');
    const char *cut = dot == NULL || dot == name ? output + strlen(output) : dot;
    if (!pl_text_format(path, sizeof path, "%.*s%s%s", (int)(cut - output), output, suffix, cut))
        return pl_fault_set(fault, PL_MISCONFIGURED, "the path of the output is too long");
    *out = strdup(path);
    return *out == NULL ? pl_fault_set(fault, PL_NO_MEMORY, "no memory for a name") : PL_OK;
}

static pl_status output_publish(struct pl_convert_output *output, mode_t mode, bool force,
                                struct pl_fault *fault)
{
    if (fchmod(output->fd, mode) != 0)
        return pl_fault_set(fault, pl_status_from_errno(errno), "%s: %s", output->name,
                            strerror(errno));
    int failed =
        force ? rename(output->beside, output->name)
              : renameat2(AT_FDCWD, output->beside, AT_FDCWD, output->name, RENAME_NOREPLACE);
    if (failed != 0 && errno == EINVAL) /* a file system that cannot refuse to replace */
        failed = access(output->name, F_OK) == 0 ? -1 : rename(output->beside, output->name);
    if (failed != 0)
        return pl_fault_set(fault, PL_CONFLICT, "%s: %s", output->name, strerror(errno));
    free(output->beside);
    output->beside = NULL;
    return PL_OK;
}

pl_status pl_convert_files_publish(struct pl_convert_files *files,
                                   const struct pl_run_report *report, bool force,
                                   struct pl_fault *fault)
{
    mode_t mask = umask(0);
    pl_status status = PL_OK;
    (void)umask(mask);
    if (report->output_count != files->output_count)
        return pl_fault_set(fault, PL_IO_ERROR, "the worker asked for %zu documents and made %zu",
                            files->output_count, report->output_count);
    for (size_t i = 0; i < files->output_count && status == PL_OK; i++) {
        struct pl_convert_output *output = &files->outputs[i];
        status = output_name(files->task->output, report->outputs[i].suffix, &output->name, fault);
        if (status == PL_OK && !force && access(output->name, F_OK) == 0)
            status = pl_fault_set(fault, PL_CONFLICT, "%s is there already; --force replaces it",
                                  output->name);
    }
    for (size_t i = 0; i < files->output_count && status == PL_OK; i++)
        status = output_publish(&files->outputs[i], 0666 & ~mask, force, fault);
    return status;
}

void pl_convert_files_close(struct pl_convert_files *files, struct pl_run *run)
{
    for (size_t i = 0; i < run->input_count; i++)
        (void)close(run->inputs[i].fd);
    run->input_count = 0;
    for (size_t i = 0; i < files->output_count; i++) {
        struct pl_convert_output *output = &files->outputs[i];
        (void)close(output->fd);
        if (output->beside != NULL)
            (void)unlink(output->beside);
        free(output->beside);
        free(output->name);
    }
    free(files->outputs);
    *files = (struct pl_convert_files){ .task = NULL };
}
