/* init: the instance is built beside DIR and renamed into place, so that DIR is whole or absent.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/init.h"

#include "api/files.h"
#include "api/instance.h"
#include "api/startup.h"
#include "engine/core/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: platen init DIR [--devices ADDR:PORT] [--control ADDR:PORT] [--pipeline FILE]\n"
    "                       [--duplicates TIME] [--user NAME] [--worker-user NAME]\n"
    "\n"
    "Makes DIR (mode 0700) with platen.yaml, root key, certificates, ledger, a tenant, the drop\n"
    "inbox, a device login and an admin token, which are shown once and kept in credentials.txt.\n"
    "\n"
    "  --devices ADDR:PORT   where devices upload (0.0.0.0:8443)\n"
    "  --control ADDR:PORT   where the control API answers (127.0.0.1:8444)\n"
    "  --pipeline FILE       what becomes of scans in the drop: a definition in JSON (to "
    "PDF/A-2b)\n"
    "  --duplicates TIME     how long a scan that comes again is the same one, in this drop; 0s "
    "for\n"
    "                        never (uploads.duplicates)\n"
    "  --user NAME           when run as root: whom DIR belongs to and the engine runs as "
    "(platen)\n"
    "  --worker-user NAME    when run as root: whom workers run as (platen-worker)\n";

#define OVERRIDES_MOST 4

struct init {
    const char *folder_asked;
    char parent[PL_PATH_CHARS];
    char home[PL_PATH_CHARS]; /* absolute */
    char built[PL_PATH_CHARS];
    const char *devices;
    const char *control;
    const char *user;
    const char *worker_user;
    const char *pipeline;
    const char *duplicates;
    struct pl_user owner; /* as root */
    bool is_root;
};

/* 0, or 2 after the usage was printed; 1 stands for --help. */
static int options_read(int argc, char **argv, struct init *init)
{
    static const struct option options[] = { { "devices", required_argument, NULL, 'd' },
                                             { "control", required_argument, NULL, 'c' },
                                             { "pipeline", required_argument, NULL, 'p' },
                                             { "duplicates", required_argument, NULL, 'D' },
                                             { "user", required_argument, NULL, 'u' },
                                             { "worker-user", required_argument, NULL, 'w' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'd':
            init->devices = optarg;
            break;
        case 'c':
            init->control = optarg;
            break;
        case 'p':
            init->pipeline = optarg;
            break;
        case 'D':
            init->duplicates = optarg;
            break;
        case 'u':
            init->user = optarg;
            break;
        case 'w':
            init->worker_user = optarg;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            return 1;
        default:
            (void)fputs(usage, stderr);
            return 2;
        }
    }
    if (optind + 1 != argc || argv[optind][0] == '\0') {
        (void)fputs(usage, stderr);
        return 2;
    }
    init->folder_asked = argv[optind];
    return 0;
}

/* Absolute, though DIR itself need not exist yet. */
static pl_status folder_resolve(struct init *init, struct pl_fault *fault)
{
    char asked[PL_PATH_CHARS];
    if (!pl_text_format(asked, sizeof asked, "%s", init->folder_asked))
        return pl_fault_set(fault, PL_MISCONFIGURED, "the path of the folder is too long");
    size_t size = strlen(asked);
    while (size > 1 && asked[size - 1] == '/')
        asked[--size] = '\0';
    char *slash = strrchr(asked, '/');
    const char *name = slash == NULL ? asked : slash + 1;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: name the folder itself",
                            init->folder_asked);
    const char *parent = slash == NULL ? "." : slash == asked ? "/" : asked;
    if (slash != NULL && slash != asked)
        *slash = '\0';
    char *whole = realpath(parent, NULL);
    if (whole == NULL)
        return pl_fault_set(fault, PL_MISCONFIGURED, "%s: %s", parent, strerror(errno));
    bool fits = pl_text_format(init->parent, sizeof init->parent, "%s", whole) &&
                pl_text_format(init->home, sizeof init->home, "%s/%s",
                               whole[1] == '\0' ? "" : whole, name) &&
                pl_text_format(init->built, sizeof init->built, "%s.new-XXXXXX", init->home);
    free(whole);
    return fits ? PL_OK
                : pl_fault_set(fault, PL_MISCONFIGURED, "the path of the folder is too long");
}

/* DIR must be absent or empty. */
static pl_status folder_check(const struct init *init, struct pl_fault *fault)
{
    char config[PL_PATH_CHARS + 16];
    (void)pl_text_format(config, sizeof config, "%s/platen.yaml", init->home);
    if (access(config, F_OK) == 0)
        return pl_fault_set(fault, PL_CONFLICT,
                            "%s holds an instance already; start it with: platen serve --config "
                            "%s",
                            init->home, config);
    DIR *folder = opendir(init->home);
    if (folder == NULL)
        return errno == ENOENT
                   ? PL_OK
                   : pl_fault_set(fault, PL_CONFLICT, "%s: %s", init->home, strerror(errno));
    bool empty = true;
    for (const struct dirent *at = readdir(folder); at != NULL; at = readdir(folder))
        empty = empty && (strcmp(at->d_name, ".") == 0 || strcmp(at->d_name, "..") == 0);
    (void)closedir(folder);
    return empty
               ? PL_OK
               : pl_fault_set(fault, PL_CONFLICT, "%s is not empty; name a new folder", init->home);
}

static pl_status value_check(const char *name, const char *value, struct pl_fault *fault)
{
    return pl_conf_check(pl_settings_table(), name, pl_span_from(value), fault);
}

/* Of the drop, in the words of the setting that holds for drops which say nothing. */
static pl_status duplicates_read(const char *value, int64_t *out, struct pl_fault *fault)
{
    char line[128];
    struct pl_settings settings;
    *out = PL_DROP_DUPLICATES_DEFAULT;
    if (value == NULL)
        return PL_OK;
    pl_status status = value_check("uploads.duplicates", value, fault);
    if (status != PL_OK)
        return status;
    if (!pl_text_format(line, sizeof line, "uploads:\n  duplicates: %s\n", value))
        return pl_fault_set(fault, PL_MISCONFIGURED, "--duplicates: the value is too long");
    pl_settings_defaults(&settings);
    status =
        pl_conf_read(pl_settings_table(), "--duplicates", pl_span_from(line), &settings, fault);
    if (status == PL_OK)
        *out = (int64_t)settings.uploads_duplicates_ms;
    return status;
}

/* What the command line, or its absence, says. */
static pl_status plan_read(const struct init *init, struct pl_instance_plan *plan,
                           struct pl_fault *fault)
{
    struct pl_settings defaults;
    pl_settings_defaults(&defaults);
    pl_status status = pl_address_parse(
        init->devices != NULL ? init->devices : defaults.devices_address, &plan->devices, fault);
    if (status == PL_OK)
        status = pl_address_parse(init->control != NULL ? init->control : defaults.control_address,
                                  &plan->control, fault);
    if (status == PL_OK)
        status = duplicates_read(init->duplicates, &plan->duplicates_ms, fault);
    return status;
}

static pl_status overrides_collect(const struct init *init,
                                   struct pl_conf_override overrides[OVERRIDES_MOST], size_t *count,
                                   struct pl_fault *fault)
{
    const struct pl_conf_override all[OVERRIDES_MOST] = {
        { "devices.address", init->devices },
        { "control.address", init->control },
        { "process.user", init->user },
        { "process.worker_user", init->worker_user },
    };
    pl_status status = PL_OK;
    *count = 0;
    for (size_t i = 0; i < OVERRIDES_MOST && status == PL_OK; i++) {
        if (all[i].value == NULL)
            continue;
        status = value_check(all[i].name, all[i].value, fault);
        overrides[(*count)++] = all[i];
    }
    return status;
}

/* Root makes the instance for somebody else; both must exist before anything is made. */
static pl_status owner_find(struct init *init, struct pl_fault *fault)
{
    struct pl_settings defaults;
    struct pl_user worker;
    init->is_root = geteuid() == 0;
    if (!init->is_root)
        return PL_OK;
    pl_settings_defaults(&defaults);
    pl_status status =
        pl_user_find(init->user != NULL ? init->user : defaults.process_user, &init->owner, fault);
    if (status == PL_OK)
        status = pl_user_find(init->worker_user != NULL ? init->worker_user
                                                        : defaults.process_worker_user,
                              &worker, fault);
    return status;
}

static pl_status folder_finish(const struct init *init, struct pl_fault *fault)
{
    pl_status status = PL_OK;
    if (init->is_root)
        status = pl_folder_chown(init->built, init->owner.uid, init->owner.gid, fault);
    if (status == PL_OK)
        status = pl_folder_sync(init->built, fault);
    if (status == PL_OK && rename(init->built, init->home) != 0)
        status = pl_fault_set(fault, PL_CONFLICT, "cannot put the instance at %s: %s", init->home,
                              strerror(errno));
    if (status == PL_OK)
        status = pl_folder_sync(init->parent, fault);
    return status;
}

static pl_status folder_build(struct init *init, struct pl_instance_plan *plan,
                              struct pl_credentials *credentials, struct pl_fault *fault)
{
    (void)umask(077);
    plan->folder = mkdtemp(init->built);
    if (plan->folder == NULL)
        return pl_fault_set(fault, PL_MISCONFIGURED, "cannot make a folder in %s: %s", init->parent,
                            strerror(errno));
    pl_status status = pl_instance_make(plan, credentials, fault);
    if (status == PL_OK)
        status = folder_finish(init, fault);
    if (status != PL_OK)
        pl_folder_remove(init->built);
    return status;
}

static pl_status init_run(struct init *init, struct pl_credentials *credentials,
                          struct pl_fault *fault)
{
    struct pl_conf_override overrides[OVERRIDES_MOST];
    struct pl_pipeline_file pipeline = { .name = "" };
    struct pl_instance_plan plan = { .home = init->home, .overrides = overrides };
    pl_status status = plan_read(init, &plan, fault);
    if (status == PL_OK && init->pipeline != NULL) {
        status = pl_pipeline_file_read(init->pipeline, &pipeline, fault);
        plan.pipeline = &pipeline;
    }
    if (status == PL_OK)
        status = overrides_collect(init, overrides, &plan.override_count, fault);
    if (status == PL_OK)
        status = folder_resolve(init, fault);
    if (status == PL_OK)
        status = folder_check(init, fault);
    if (status == PL_OK)
        status = owner_find(init, fault);
    if (status == PL_OK)
        status = folder_build(init, &plan, credentials, fault);
    pl_pipeline_file_fini(&pipeline);
    return status;
}

int pl_init_main(int argc, char **argv)
{
    struct init init = { 0 };
    struct pl_credentials credentials = { 0 };
    struct pl_fault fault = { 0 };
    int asked = options_read(argc, argv, &init);
    if (asked != 0)
        return asked == 1 ? 0 : 2;
    if (init_run(&init, &credentials, &fault) != PL_OK) {
        (void)fprintf(stderr, "platen init: %s\n", fault.reason);
        return 1;
    }
    (void)printf(
        "made %s\n"
        "\n"
        "  device login     %s\n"
        "  device password  %s\n"
        "  drop             %s\n"
        "  admin token      %s\n"
        "\n"
        "These are shown once; %s/credentials.txt (mode 0600) holds them until you remove\n"
        "it. Keep a copy of %s/keys/root.key where this disk is not: without it nothing\n"
        "that is stored here can be read.\n"
        "\n"
        "Start it: platen serve --config %s/platen.yaml\n",
        init.home, PL_INSTANCE_DEVICE, credentials.device_password, PL_INSTANCE_DROP,
        credentials.admin_token, init.home, init.home, init.home);
    pl_wipe(&credentials, sizeof credentials);
    return 0;
}
