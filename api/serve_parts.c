/* serve_parts: opens the engine's parts in the one order that works, and frees them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/routes.h"
#include "api/serve_priv.h"
#include "storage/ledger_sqlite.h"
#include "storage/object_local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SERVE_FILES_A_JOB 16
#define SERVE_FILES_OWN 256

pl_status serve_path(const struct serve *serve, const char *path, char out[PL_PATH_CHARS],
                     struct pl_fault *fault)
{
    return pl_settings_path(&serve->settings, path, out, fault);
}

/* One engine to one ledger. The kernel lets go of the lock when the process ends. */
static pl_status serve_lock(struct serve *serve, struct pl_fault *fault)
{
    char ledger[PL_PATH_CHARS];
    char path[PL_PATH_CHARS + 8];
    pl_status status = serve_path(serve, serve->settings.paths_ledger, ledger, fault);
    if (status != PL_OK)
        return status;
    (void)pl_text_format(path, sizeof path, "%s.lock", ledger);
    serve->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (serve->lock_fd < 0)
        return pl_fault_set(fault, PL_MISCONFIGURED, "cannot open %s: %s", path, strerror(errno));
    if (flock(serve->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return pl_fault_set(fault, PL_CONFLICT,
                            "another engine runs on this instance already (%s is locked)", path);
    return PL_OK;
}

static pl_status serve_open_keys(struct serve *serve, struct pl_fault *fault)
{
    char path[PL_PATH_CHARS];
    pl_status status = serve_path(serve, serve->settings.paths_root_key, path, fault);
    if (status == PL_OK)
        status = pl_keyring_load(path, &serve->chain, fault);
    if (status == PL_OK && !pl_keyring_is_locked(serve->chain))
        PL_LOG(&serve->log, PL_LOG_WARN, "keys.not_locked",
               PL_F("what", "keys may reach the swap; raise RLIMIT_MEMLOCK (LimitMEMLOCK=)"));
    return status;
}

struct tenant_loading {
    struct pl_keychain *chain;
    struct pl_fault *fault;
    pl_status status;
};

static void serve_on_tenant(void *owner, const struct pl_ledger_tenant *tenant)
{
    struct tenant_loading *loading = owner;
    if (loading->status == PL_OK)
        loading->status = pl_keyring_tenant_load(loading->chain, &tenant->id, tenant->key_version,
                                                 tenant->key_wrapped, loading->fault);
}

static pl_status serve_open_ledger(struct serve *serve, struct pl_fault *fault)
{
    char path[PL_PATH_CHARS];
    struct tenant_loading loading = { serve->chain, fault, PL_OK };
    pl_status status = serve_path(serve, serve->settings.paths_ledger, path, fault);
    if (status == PL_OK)
        status = pl_ledger_sqlite_open(path, &serve->log, &serve->ledger, fault);
    if (status == PL_OK)
        status = serve->ledger.ops->tenant_each(serve->ledger.self, serve_on_tenant, &loading);
    if (status == PL_OK)
        status = loading.status;
    if (status == PL_OK)
        status =
            pl_tenant_limits_load(&serve->settings, &serve->ledger, &serve->tenant_limits, fault);
    return status;
}

static pl_status serve_open_disk(struct serve *serve, struct pl_fault *fault)
{
    char store[PL_PATH_CHARS];
    char spool[PL_PATH_CHARS];
    pl_status status = serve_path(serve, serve->settings.paths_store, store, fault);
    if (status == PL_OK)
        status = serve_path(serve, serve->settings.paths_spool, spool, fault);
    if (status == PL_OK)
        status = pl_object_local_open(serve->loop, &serve->log, store, &serve->store, fault);
    if (status == PL_OK)
        status = pl_spool_new(serve->loop, &serve->log, spool, &serve->spool, fault);
    return status;
}

/* Two listeners; a file for each document of the jobs that run and as many of those that wait for
 * the store; a few for each job, worker and the engine itself. */
static uint64_t serve_files_needed(const struct pl_settings *settings,
                                   const struct pl_run_limits *most)
{
    uint64_t processes = pl_settings_processes(settings);
    return 2 * settings->http_connections + processes * (2 * most->documents + SERVE_FILES_A_JOB) +
           settings->uploads_at_once + SERVE_FILES_OWN;
}

static pl_status serve_open_pool(struct serve *serve, struct pl_fault *fault)
{
    const struct pl_settings *settings = &serve->settings;
    const struct pl_run_limits most = pl_tenant_limits_most(serve->tenant_limits);
    const struct pl_pool_settings pool = {
        .processes = pl_settings_processes(settings),
        .threads = pl_settings_threads(settings),
        .memory_bytes = settings->workers_memory_bytes,
        .cpu_ms = most.cpu_ms,
        .output_bytes = most.output_bytes,
        .jobs_per_process = settings->workers_jobs_per_process,
        .interpreters = { .processes = (unsigned)settings->workers_interpreters,
                          .memory_bytes = settings->workers_interpreter_memory_bytes },
    };
    pl_status status = pl_process_check_files(serve_files_needed(settings, &most), fault);
    return status != PL_OK
               ? status
               : pl_pool_new(serve->loop, &serve->log, serve->launcher, &pool, &serve->pool, fault);
}

static pl_status serve_open_core(struct serve *serve, struct pl_fault *fault)
{
    const struct pl_settings *settings = &serve->settings;
    const struct pl_ledger ledger = serve->ledger;
    const struct pl_run_limits most = pl_tenant_limits_most(serve->tenant_limits);
    pl_status status =
        pl_ledger_thread_new(serve->loop, &serve->log, &ledger, &serve->ledger_thread);
    if (status != PL_OK)
        return status;
    serve->ledger = (struct pl_ledger){ NULL, NULL }; /* the thread's from here on */
    const struct pl_core_parts parts = {
        .loop = serve->loop,
        .log = &serve->log,
        .clock = &serve->clock,
        .ledger = serve->ledger_thread,
        .keyring = pl_keyring_of(serve->chain),
        .store = serve->store,
        .runner = pl_pool_runner(serve->pool),
        .spool = serve->spool,
        .limits = { pl_tenant_limits_of, serve->tenant_limits },
        .settings = { .attempts = (uint32_t)settings->jobs_attempts,
                      .lease_ms = settings->jobs_lease_ms,
                      .retry_ms = settings->jobs_retry_ms,
                      .retry_most_ms = settings->jobs_retry_most_ms,
                      .reserve_bytes = settings->disk_reserve_bytes,
                      .uploads = settings->uploads_at_once,
                      .upload_bytes = settings->uploads_bytes,
                      .duplicates_ms = settings->uploads_duplicates_ms,
                      .staged_files = pl_settings_processes(settings) * most.documents,
                      .remove_done_originals = !settings->jobs_keep_originals },
    };
    /* The thread has no call yet, so the core may read the ledger here. */
    return pl_core_new(&parts, &ledger, &serve->core, fault);
}

static struct pl_http_limits http_limits(const struct pl_settings *settings)
{
    return (struct pl_http_limits){
        .head_bytes = settings->http_head_bytes,
        .head_timeout_ms = settings->http_head_timeout_ms,
        .handshake_timeout_ms = settings->http_handshake_timeout_ms,
        .idle_timeout_ms = settings->http_idle_timeout_ms,
        .body_idle_timeout_ms = settings->http_body_idle_timeout_ms,
        .body_min_rate = settings->http_body_min_rate,
        .write_timeout_ms = settings->http_write_timeout_ms,
        .connections = settings->http_connections,
        .connections_per_peer = settings->http_connections_per_peer,
        .requests_per_connection = settings->http_requests_per_connection,
    };
}

/* The files of one or two identities; the second may be empty. */
static pl_status serve_open_tls(struct serve *serve, enum pl_tls_profile profile,
                                const struct pl_tls_identity files[2], struct pl_tls_context **out,
                                struct pl_fault *fault)
{
    char paths[4][PL_PATH_CHARS];
    struct pl_tls_identity identities[2];
    size_t count = files[1].certificate_file[0] == '\0' ? 1 : 2;
    pl_status status = PL_OK;
    for (size_t i = 0; i < count && status == PL_OK; i++) {
        status = serve_path(serve, files[i].certificate_file, paths[2 * i], fault);
        if (status == PL_OK)
            status = serve_path(serve, files[i].key_file, paths[2 * i + 1], fault);
        identities[i] = (struct pl_tls_identity){ paths[2 * i], paths[2 * i + 1] };
    }
    return status == PL_OK ? pl_tls_context_new(profile, identities, count, out, fault) : status;
}

static pl_status serve_open_listener(struct pl_http_server *server, int inherited,
                                     const char *address, struct pl_fault *fault)
{
    return inherited >= 0 ? pl_http_server_adopt(server, inherited, fault)
                          : pl_http_server_listen(server, address, fault);
}

static pl_status serve_open_devices(struct serve *serve, struct pl_fault *fault)
{
    const struct pl_settings *settings = &serve->settings;
    const struct pl_http_limits limits = http_limits(settings);
    const struct pl_tls_identity files[2] = {
        { settings->devices_certificate, settings->devices_key },
        { settings->devices_second_certificate, settings->devices_second_key },
    };
    pl_status status = serve_open_tls(serve, PL_TLS_DEVICE, files, &serve->devices_tls, fault);
    if (status == PL_OK)
        status = pl_devices_new(serve->core, &serve->devices);
    if (status == PL_OK)
        status = pl_http_door_new(serve->core, serve->devices, &serve->door);
    if (status != PL_OK)
        return status;
    const struct pl_http_handler handler = pl_http_door_handler(serve->door);
    status = pl_http_server_new(serve->loop, &serve->log, "devices", serve->devices_tls, &limits,
                                &handler, &serve->devices_server);
    if (status == PL_OK)
        status = serve_open_listener(serve->devices_server, serve->inherited.devices,
                                     settings->devices_address, fault);
    return status;
}

static pl_status serve_open_control(struct serve *serve, struct pl_fault *fault)
{
    const struct pl_settings *settings = &serve->settings;
    const struct pl_http_limits limits = http_limits(settings);
    const struct pl_http_handler handler = pl_routes_handler(&serve->api);
    const struct pl_tls_identity files[2] = {
        { settings->control_certificate, settings->control_key },
        { "", "" },
    };
    serve->api.core = serve->core;
    serve->api.pool = serve->pool;
    serve->api.instance = settings->instance_name;
    serve->api.started_ms = pl_clock_wall_ms(&serve->clock);
    pl_status status = pl_sessions_new(&serve->api.sessions);
    if (status == PL_OK)
        status = serve_open_tls(serve, PL_TLS_MODERN, files, &serve->control_tls, fault);
    if (status == PL_OK)
        status = pl_http_server_new(serve->loop, &serve->log, "control", serve->control_tls,
                                    &limits, &handler, &serve->control_server);
    if (status != PL_OK)
        return status;
    serve->api.devices = serve->devices_server;
    serve->api.control = serve->control_server;
    return serve_open_listener(serve->control_server, serve->inherited.control,
                               settings->control_address, fault);
}

pl_status serve_open_parts(struct serve *serve, struct pl_fault *fault)
{
    pl_status status = serve_lock(serve, fault);
    if (status == PL_OK)
        status = serve_open_keys(serve, fault);
    if (status == PL_OK)
        status = serve_open_ledger(serve, fault);
    if (status == PL_OK)
        status = serve_open_disk(serve, fault);
    if (status == PL_OK)
        status = serve_open_pool(serve, fault);
    if (status == PL_OK)
        status = serve_open_core(serve, fault);
    if (status == PL_OK)
        status = serve_open_devices(serve, fault);
    if (status == PL_OK)
        status = serve_open_control(serve, fault);
    return status;
}

void serve_free_parts(struct serve *serve)
{
    pl_http_door_free(serve->door);
    pl_devices_free(serve->devices);
    pl_sessions_free(serve->api.sessions);
    pl_tls_context_free(serve->devices_tls);
    pl_tls_context_free(serve->control_tls);
    pl_core_free(serve->core);
    pl_tenant_limits_free(serve->tenant_limits);
    pl_spool_free(serve->spool);
    if (serve->store.ops != NULL)
        serve->store.ops->close(serve->store.self);
    if (serve->ledger.ops != NULL)
        serve->ledger.ops->close(serve->ledger.self);
    if (serve->chain != NULL)
        pl_keyring_free(serve->chain);
    pl_loop_free(serve->loop);
    pl_launcher_free(serve->launcher);
    if (serve->lock_fd >= 0)
        (void)close(serve->lock_fd);
}
