/* convert_plan: a file gets all pages; a folder gets one document for each input.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/convert_plan.h"

#include "api/files.h"
#include "engine/core/runner.h"

#include <string.h>
#include <sys/stat.h>

#define NAME_CHARS 4096

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* "a/scan.tif" into "OUT/scan.pdf". */
static const char *output_in_folder(const struct pl_convert_wish *wish, const char *input,
                                    struct pl_arena *arena)
{
    char path[NAME_CHARS];
    const char *slash = strrchr(input, '/');
    const char *name = slash == NULL ? input : slash + 1;
    const char *dot = strrchr(name, '.');
    int stem = (int)(dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name));
    size_t folder = strlen(wish->output);
    while (folder > 1 && wish->output[folder - 1] == '/')
        folder--;
    if (!pl_text_format(path, sizeof path, "%.*s/%.*s.%s", (int)folder, wish->output, stem, name,
                        pl_format_extension(wish->format)))
        return NULL;
    return pl_arena_text(arena, pl_span_from(path));
}

static pl_status output_check(const struct pl_convert_wish *wish, const char *output,
                              struct pl_fault *fault)
{
    struct stat there;
    if (stat(output, &there) != 0)
        return PL_OK;
    for (size_t i = 0; i < wish->input_count; i++) {
        struct stat input;
        if (stat(wish->inputs[i], &input) == 0 && input.st_dev == there.st_dev &&
            input.st_ino == there.st_ino)
            return pl_fault_set(fault, PL_CONFLICT, "%s is an input; name another output", output);
    }
    if (!S_ISREG(there.st_mode))
        return pl_fault_set(fault, PL_CONFLICT, "%s is there and is not a file", output);
    if (!wish->force)
        return pl_fault_set(fault, PL_CONFLICT, "%s is there already; --force replaces it", output);
    return PL_OK;
}

static pl_status plan_one_each(const struct pl_convert_wish *wish, struct pl_arena *arena,
                               struct pl_convert_plan *out, struct pl_fault *fault)
{
    for (size_t i = 0; i < wish->input_count; i++) {
        struct pl_convert_task *task = &out->tasks[i];
        task->inputs = &wish->inputs[i];
        task->input_count = 1;
        task->output = output_in_folder(wish, wish->inputs[i], arena);
        if (task->output == NULL)
            return pl_fault_set(fault, PL_TOO_LARGE, "the name of %s is too long", wish->inputs[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(out->tasks[j].output, task->output) == 0)
                return pl_fault_set(fault, PL_CONFLICT, "%s and %s would both become %s",
                                    wish->inputs[j], wish->inputs[i], task->output);
        pl_status status = output_check(wish, task->output, fault);
        if (status != PL_OK)
            return status;
        out->count = i + 1;
    }
    return PL_OK;
}

pl_status pl_convert_plan_make(const struct pl_convert_wish *wish, struct pl_arena *arena,
                               struct pl_convert_plan *out, struct pl_fault *fault)
{
    size_t size = strlen(wish->output);
    bool to_folder = size > 0 && (wish->output[size - 1] == '/' || is_folder(wish->output));
    size_t bytes = 0;
    *out = (struct pl_convert_plan){ NULL, 0 };
    if (pl_size_mul(wish->input_count, sizeof *out->tasks, &bytes))
        out->tasks = pl_arena_take(arena, bytes);
    if (out->tasks == NULL)
        return pl_fault_set(fault, PL_TOO_LARGE, "these are too many inputs for one call");
    if (to_folder) {
        pl_status status = pl_folder_make(wish->output, 0777, fault);
        return status == PL_OK ? plan_one_each(wish, arena, out, fault) : status;
    }
    if (wish->input_count > PL_RUN_INPUTS)
        return pl_fault_set(fault, PL_TOO_LARGE,
                            "at most %d inputs become one document; %zu were named", PL_RUN_INPUTS,
                            wish->input_count);
    out->tasks[0] = (struct pl_convert_task){ wish->inputs, wish->input_count, wish->output };
    out->count = 1;
    return output_check(wish, wish->output, fault);
}
