/* serve: puts the parts together, in order, and takes them apart again.
 *
 *   settings -> launcher -> other user -> lock -> keys -> ledger -> store, spool -> pool -> core
 *   -> doors -> listening -> READY ... SIGTERM -> doors drain -> core drains -> pool ends -> end
 *
 * A start that fails half-way takes the same way down as one that ends well.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "api/serve.h"

#include "api/files.h"
#include "api/serve_priv.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "usage: platen serve --config FILE\n"
                            "\n"
                            "Runs the instance that FILE (platen.yaml) describes, in the\n"
                            "foreground; logs to stderr. SIGTERM or SIGINT lets running work end,\n"
                            "a second one does not.\n";

#define CUT_AFTER_GRACE_MS 10000
#define HEALTH_MS 1000

/* -- the end -- */

static void serve_on_pool_closed(void *owner);

static void serve_close_pool(struct serve *serve)
{
    if (serve->pool_closing)
        return;
    serve->pool_closing = true;
    if (serve->pool != NULL)
        pl_pool_close(serve->pool, serve_on_pool_closed, serve);
    else
        serve_on_pool_closed(serve);
}

/* Nothing is in flight any more: the ledger's last calls are answered, then the loop ends. */
static void serve_finish(struct serve *serve)
{
    if (!serve->pool_closed || !serve->core_drained)
        return;
    pl_timer_free(serve->grace);
    pl_timer_free(serve->health);
    serve->grace = serve->health = NULL;
    pl_http_server_free(serve->devices_server);
    pl_http_server_free(serve->control_server);
    serve->devices_server = serve->control_server = NULL;
    pl_ledger_thread_free(serve->ledger_thread);
    serve->ledger_thread = NULL;
    pl_loop_stop(serve->loop);
}

static void serve_on_pool_closed(void *owner)
{
    struct serve *serve = owner;
    serve->pool = NULL;
    serve->pool_closed = true;
    serve_finish(serve);
}

static void serve_on_api_idle(void *owner)
{
    struct serve *serve = owner;
    serve->api.idle = NULL;
    serve_close_pool(serve);
}

static void serve_on_core_drained(void *owner)
{
    struct serve *serve = owner;
    serve->core_drained = true;
    if (serve->pool_closing)
        serve_finish(serve); /* the grace was over before */
    else if (serve->api.asks_open > 0) {
        serve->api.idle = serve_on_api_idle;
        serve->api.idle_owner = serve;
    } else {
        serve_close_pool(serve);
    }
}

/* Jobs that go on for longer are put back in line; the next start takes them up. What does not end
 * even then is cut: the ledger is made for that. */
static void serve_on_grace_over(void *owner)
{
    struct serve *serve = owner;
    if (serve->grace_over) {
        PL_LOG(&serve->log, PL_LOG_ERROR, "engine.cut_short",
               PL_F("what", "work did not end after its grace"));
        _exit(1);
    }
    pl_timer_start(serve->grace, CUT_AFTER_GRACE_MS, 0);
    PL_LOG(&serve->log, PL_LOG_WARN, "engine.grace_over",
           PL_F("what", "running jobs are put back and taken up by the next start"));
    serve->grace_over = true;
    if (serve->core_draining) /* else it might still hand the pool a job */
        serve_close_pool(serve);
}

static void serve_on_server_drained(void *owner)
{
    struct serve *serve = owner;
    serve->servers_draining--;
    if (serve->servers_draining > 0)
        return;
    serve->core_draining = true;
    if (serve->devices != NULL)
        pl_devices_stop(serve->devices);
    if (serve->core != NULL)
        pl_core_drain(serve->core, serve_on_core_drained, serve);
    else
        serve_on_core_drained(serve);
    if (serve->grace_over)
        serve_close_pool(serve);
}

static void serve_stop(struct serve *serve)
{
    uint64_t grace_ms = serve->settings.instance_grace_ms;
    serve->stopping = true;
    if (pl_timer_new(serve->loop, serve_on_grace_over, serve, &serve->grace) == PL_OK)
        pl_timer_start(serve->grace, grace_ms, 0);
    serve->servers_draining = 1;
    if (serve->devices_server != NULL) {
        serve->servers_draining++;
        pl_http_server_drain(serve->devices_server, grace_ms, serve_on_server_drained, serve);
    }
    if (serve->control_server != NULL) {
        serve->servers_draining++;
        pl_http_server_drain(serve->control_server, grace_ms, serve_on_server_drained, serve);
    }
    serve_on_server_drained(serve);
}

/* What only a new start can mend. */
static bool serve_is_broken(const struct serve *serve, struct pl_fault *why)
{
    struct pl_ledger_thread_stats ledger;
    struct pl_pool_stats pool;
    pl_ledger_thread_stats(serve->ledger_thread, &ledger);
    pl_pool_stats(serve->pool, &pool);
    if (ledger.broken)
        (void)pl_fault_set(why, PL_IO_ERROR, "the disk failed under the ledger");
    if (pool.is_launcher_gone)
        (void)pl_fault_set(why, PL_UNAVAILABLE, "the process that starts workers is gone");
    return why->status != PL_OK || pl_core_is_broken(serve->core, why);
}

/* No fsync is tried twice: after the disk failed under a commit, only a new start that reads the
 * ledger knows what is true (DESIGN section 5). The service manager makes it. */
static void serve_on_health(void *owner)
{
    struct serve *serve = owner;
    if (serve->stopping || !serve_is_broken(serve, &serve->failure))
        return;
    PL_LOG(&serve->log, PL_LOG_ERROR, "engine.stopping", PL_F("reason", serve->failure.reason),
           PL_F("what", "start the engine again: it goes on where the ledger says"));
    pl_notify("STOPPING=1");
    serve_stop(serve);
}

static void serve_on_signal(void *owner, int signum)
{
    struct serve *serve = owner;
    if (signum == SIGHUP) {
        PL_LOG(&serve->log, PL_LOG_INFO, "engine.hangup",
               PL_F("what", "settings are read at start only; restart to change them"));
        return;
    }
    if (serve->stopping) {
        PL_LOG(&serve->log, PL_LOG_WARN, "engine.cut_short", PL_FN("signal", signum));
        _exit(1);
    }
    PL_LOG(&serve->log, PL_LOG_INFO, "engine.stopping", PL_FN("signal", signum),
           PL_FN("grace_ms", serve->settings.instance_grace_ms));
    pl_notify("STOPPING=1");
    serve_stop(serve);
}

/* -- the start -- */

/* As root: the launcher first, then somebody else for good. */
static pl_status serve_leave_root(struct serve *serve, struct pl_fault *fault)
{
    char worker[PL_PATH_CHARS];
    struct pl_user user;
    bool is_root = geteuid() == 0;
    pl_status status = PL_OK;
    if (is_root)
        status = pl_user_find(serve->settings.process_user, &user, fault);
    if (status == PL_OK)
        status = pl_inherited_take(&serve->inherited, fault);
    if (status == PL_OK)
        status = pl_worker_program(&serve->settings, worker, fault);
    if (status == PL_OK)
        status =
            pl_launcher_new(worker, serve->settings.process_worker_user, &serve->launcher, fault);
    if (status == PL_OK && is_root)
        status = pl_user_become(&user, fault);
    if (status != PL_OK)
        return status;
    pl_process_harden();
    (void)umask(077);
    if (access(serve->settings.folder, R_OK | X_OK) == 0)
        return PL_OK;
    return pl_fault_set(fault, PL_MISCONFIGURED,
                        "%s: %s for the user %s; the folder must belong to it and all folders "
                        "above must let it pass",
                        serve->settings.folder, strerror(errno),
                        is_root ? serve->settings.process_user : "that runs the engine");
}

/* run/NAME holds "ADDRESS:PORT", for scripts and for whoever let the kernel choose the port. */
static pl_status serve_say_one(struct serve *serve, const char *name,
                               const struct pl_http_server *server, struct pl_fault *fault)
{
    char path[PL_PATH_CHARS];
    char text[256];
    const char *address = pl_http_server_address(server);
    if (!pl_text_format(path, sizeof path, "%s/%s", serve->run_folder, name))
        return pl_fault_set(fault, PL_MISCONFIGURED, "paths.run is too long");
    (void)pl_text_format(text, sizeof text, "%s\n", address);
    PL_LOG(&serve->log, PL_LOG_INFO, "listener.ready", PL_F("name", name),
           PL_F("address", address));
    return pl_file_write(path, text, strlen(text), 0644, fault);
}

static pl_status serve_say_where(struct serve *serve, struct pl_fault *fault)
{
    pl_status status = serve_path(serve, serve->settings.paths_run, serve->run_folder, fault);
    if (status == PL_OK)
        status = pl_folder_make(serve->run_folder, 0700, fault);
    if (status == PL_OK)
        status = serve_say_one(serve, "devices", serve->devices_server, fault);
    if (status == PL_OK)
        status = serve_say_one(serve, "control", serve->control_server, fault);
    PL_LOG(&serve->log, PL_LOG_INFO, "engine.ready", PL_F("version", PL_VERSION),
           PL_F("instance", serve->settings.instance_name), PL_F("data", serve->settings.folder),
           PL_F("ledger", serve->settings.paths_ledger), PL_F("spool", serve->settings.paths_spool),
           PL_F("store", serve->settings.paths_store),
           PL_FN("workers", pl_settings_processes(&serve->settings)));
    return status;
}

static pl_status serve_start(struct serve *serve, struct pl_fault *fault)
{
    pl_status status = serve_open_parts(serve, fault);
    if (status == PL_OK)
        status = pl_loop_on_signal(serve->loop, serve_on_signal, serve);
    if (status == PL_OK)
        status = pl_timer_new(serve->loop, serve_on_health, serve, &serve->health);
    if (status == PL_OK)
        status = serve_say_where(serve, fault);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the engine cannot start: %s", pl_status_text(status));
    pl_timer_start(serve->health, HEALTH_MS, HEALTH_MS);
    pl_core_begin(serve->core);
    pl_notify("READY=1");
    return PL_OK;
}

static void serve_unsay(const struct serve *serve, const char *name)
{
    char path[PL_PATH_CHARS];
    if (serve->run_folder[0] != '\0' &&
        pl_text_format(path, sizeof path, "%s/%s", serve->run_folder, name))
        (void)unlink(path);
}

static pl_status serve_run(struct serve *serve, struct pl_fault *fault)
{
    pl_status status = serve_leave_root(serve, fault);
    if (status != PL_OK)
        return status;
    status = pl_loop_new(&serve->loop);
    if (status != PL_OK)
        return pl_fault_set(fault, status, "the event loop cannot start: %s",
                            pl_status_text(status));
    status = serve_start(serve, fault);
    if (status != PL_OK)
        serve_stop(serve);
    pl_loop_run(serve->loop);
    serve_unsay(serve, "devices");
    serve_unsay(serve, "control");
    if (status == PL_OK && serve->failure.status != PL_OK) {
        *fault = serve->failure;
        status = fault->status;
    }
    return status;
}

/* The file's path, or NULL with *code set. */
static const char *options_read(int argc, char **argv, int *code)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    const char *file = NULL;
    *code = 2;
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'h') {
            (void)fputs(usage, stdout);
            *code = 0;
            return NULL;
        }
        if (option != 'c') {
            (void)fputs(usage, stderr);
            return NULL;
        }
        file = optarg;
    }
    if (file == NULL || optind != argc) {
        (void)fputs(usage, stderr);
        return NULL;
    }
    return file;
}

int pl_serve_main(int argc, char **argv)
{
    int code = 0;
    struct pl_fault fault = { 0 };
    const char *file = options_read(argc, argv, &code);
    if (file == NULL)
        return code;
    struct serve *serve = calloc(1, sizeof *serve);
    if (serve == NULL)
        return 1;
    serve->lock_fd = -1;
    serve->clock = PL_CLOCK_SYSTEM;
    pl_status status = pl_settings_load(file, &serve->settings, &fault);
    if (status == PL_OK) {
        serve->log = (struct pl_log){ .least = (enum pl_log_level)serve->settings.log_level,
                                      .format = (enum pl_log_format)serve->settings.log_format,
                                      .sink = pl_log_stderr,
                                      .clock = &serve->clock };
        status = serve_run(serve, &fault);
        serve_free_parts(serve);
    }
    if (status != PL_OK)
        (void)fprintf(stderr, "platen serve: %s\n", fault.reason);
    else
        PL_LOG(&serve->log, PL_LOG_INFO, "engine.stopped", PL_FN("code", 0));
    free(serve);
    return status == PL_OK ? 0 : 1;
}
