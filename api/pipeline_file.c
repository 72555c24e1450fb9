/* pipeline_file: jansson brings it into canonical form, the pipeline's own compiler judges it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/pipeline_file.h"

#include "api/files.h"
#include "engine/core/runner.h"
#include "pipeline/plan.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

/* "FILE: " before what the compiler says. */
static pl_status file_refuse(const char *path, const struct pl_fault *why, struct pl_fault *fault)
{
    return pl_fault_set(fault, why->status, "%s: %s", path, why->reason);
}

/* *out is a copy in canonical form, to be freed. */
static pl_status file_canonical(const char *path, const struct pl_bytes *text, char **out,
                                struct pl_fault *fault)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s:%d: not JSON: %s", path, error.line,
                            error.text);
    *out = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(root);
    return *out == NULL ? pl_fault_set(fault, PL_NO_MEMORY, "no memory to read %s", path) : PL_OK;
}

static pl_status file_take(const char *path, const char *definition, struct pl_pipeline_file *out,
                           struct pl_fault *fault)
{
    struct pl_fault why = { .status = PL_OK };
    struct pl_plan plan = { .max_pages = 0 };
    if (pl_plan_compile(pl_span_from(definition), &plan, &why) != PL_OK)
        return file_refuse(path, &why, fault);
    pl_plan_fini(&plan);
    json_t *root = json_loads(definition, 0, NULL);
    const char *name = json_string_value(json_object_get(root, "name")); /* the compiler saw it */
    bool fits = name != NULL && pl_text_copy(out->name, sizeof out->name, pl_span_from(name));
    json_decref(root);
    pl_bytes_init(&out->definition, PL_RUN_PLAN_BYTES);
    if (!fits)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: name is too long", path);
    return pl_bytes_append(&out->definition, definition, strlen(definition) + 1);
}

pl_status pl_pipeline_file_read(const char *path, struct pl_pipeline_file *out,
                                struct pl_fault *fault)
{
    struct pl_bytes text;
    struct pl_pipeline_file file = { .name = "" };
    char *definition = NULL;
    pl_bytes_init(&text, PL_RUN_PLAN_BYTES);
    pl_status status = pl_file_read(path, &text, fault);
    if (status == PL_OK)
        status = file_canonical(path, &text, &definition, fault);
    if (status == PL_OK)
        status = file_take(path, definition, &file, fault);
    if (status == PL_OK) {
        file.definition.size--;
        *out = file;
    } else {
        pl_pipeline_file_fini(&file);
    }
    free(definition);
    pl_bytes_fini(&text);
    return status;
}

void pl_pipeline_file_fini(struct pl_pipeline_file *file)
{
    pl_bytes_fini(&file->definition);
}
