/* tenant_limits: one small table; a tenant without a file of its own is not in it.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/tenant_limits.h"

#include "api/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TENANT_SUFFIX ".yaml"
#define TENANT_FILE_BYTES ((size_t)64 << 10)

struct tenant_row {
    struct pl_id tenant;
    struct pl_run_limits limits;
};

struct pl_tenant_limits {
    struct pl_run_limits common;
    struct tenant_row *rows;
    size_t count;
};

struct loading {
    const struct pl_settings *settings;
    const struct pl_ledger *ledger;
    struct pl_tenant_limits *limits;
    const char *folder;
    struct pl_id wanted;
    bool found;
    struct pl_fault *fault;
};

static void loading_on_tenant(void *owner, const struct pl_ledger_tenant *tenant)
{
    struct loading *loading = owner;
    loading->found = loading->found || pl_id_equals(&tenant->id, &loading->wanted);
}

/* The tenant that a file's name stands for. */
static pl_status loading_find(struct loading *loading, const char *name)
{
    size_t size = strlen(name);
    size_t stem = size > strlen(TENANT_SUFFIX) ? size - strlen(TENANT_SUFFIX) : 0;
    pl_status status = PL_OK;
    loading->found = false;
    if (stem > 0 && strcmp(name + stem, TENANT_SUFFIX) == 0 &&
        pl_id_parse((struct pl_span){ name, stem }, &loading->wanted))
        status =
            loading->ledger->ops->tenant_each(loading->ledger->self, loading_on_tenant, loading);
    if (status == PL_OK && !loading->found)
        return pl_fault_set(
            loading->fault, PL_MISCONFIGURED,
            "%s/%s: there is no such tenant; files here are named TENANT" TENANT_SUFFIX,
            loading->folder, name);
    return status;
}

static pl_status loading_read(struct loading *loading, const char *name)
{
    char path[PL_PATH_CHARS];
    struct pl_bytes yaml;
    struct pl_settings own = *loading->settings;
    struct pl_tenant_limits *limits = loading->limits;
    const struct pl_conf_table table = pl_settings_limits_table();
    if (!pl_text_format(path, sizeof path, "%s/%s", loading->folder, name))
        return pl_fault_set(loading->fault, PL_MISCONFIGURED, "the path of %s is too long", name);
    pl_bytes_init(&yaml, TENANT_FILE_BYTES);
    pl_status status = pl_file_read(path, &yaml, loading->fault);
    if (status == PL_OK)
        status = pl_conf_read(&table, path, (struct pl_span){ (const char *)yaml.data, yaml.size },
                              &own, loading->fault);
    pl_bytes_fini(&yaml);
    if (status != PL_OK)
        return status;
    struct tenant_row *rows = realloc(limits->rows, (limits->count + 1) * sizeof *rows);
    if (rows == NULL)
        return PL_NO_MEMORY;
    limits->rows = rows;
    rows[limits->count++] = (struct tenant_row){ loading->wanted, own.limits };
    return PL_OK;
}

static pl_status loading_walk(struct loading *loading, DIR *folder)
{
    pl_status status = PL_OK;
    for (struct dirent *entry; status == PL_OK && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        status = loading_find(loading, entry->d_name);
        if (status == PL_OK)
            status = loading_read(loading, entry->d_name);
    }
    return status;
}

pl_status pl_tenant_limits_load(const struct pl_settings *settings, const struct pl_ledger *ledger,
                                struct pl_tenant_limits **out, struct pl_fault *fault)
{
    char path[PL_PATH_CHARS];
    DIR *folder = NULL;
    struct pl_tenant_limits *limits = calloc(1, sizeof *limits);
    if (limits == NULL)
        return pl_fault_set(fault, PL_NO_MEMORY, "no memory for the limits of tenants");
    limits->common = settings->limits;
    struct loading loading = {
        .settings = settings, .ledger = ledger, .limits = limits, .folder = path, .fault = fault
    };
    pl_status status = pl_settings_path(settings, settings->paths_tenants, path, fault);
    if (status != PL_OK)
        goto done;
    folder = opendir(path);
    if (folder != NULL)
        status = loading_walk(&loading, folder);
    else if (errno != ENOENT)
        status =
            pl_fault_set(fault, PL_MISCONFIGURED, "paths.tenants: %s: %s", path, strerror(errno));
    if (status != PL_OK)
        goto done;
    *out = limits;
    limits = NULL;
done:
    if (folder != NULL)
        (void)closedir(folder);
    pl_tenant_limits_free(limits);
    return status;
}

void pl_tenant_limits_free(struct pl_tenant_limits *limits)
{
    if (limits == NULL)
        return;
    free(limits->rows);
    free(limits);
}

struct pl_run_limits pl_tenant_limits_of(void *owner, const struct pl_id *tenant)
{
    const struct pl_tenant_limits *limits = owner;
    for (size_t i = 0; i < limits->count; i++)
        if (pl_id_equals(&limits->rows[i].tenant, tenant))
            return limits->rows[i].limits;
    return limits->common;
}

static uint64_t more_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct pl_run_limits pl_tenant_limits_most(const struct pl_tenant_limits *limits)
{
    struct pl_run_limits most = limits->common;
    for (size_t i = 0; i < limits->count; i++) {
        const struct pl_run_limits *own = &limits->rows[i].limits;
        most.documents = more_of(most.documents, own->documents);
        most.output_bytes = more_of(most.output_bytes, own->output_bytes);
        most.cpu_ms = more_of(most.cpu_ms, own->cpu_ms);
    }
    return most;
}
