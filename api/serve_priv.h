/* serve_priv: the running engine's parts, as serve.c and serve_parts.c share them.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_API_SERVE_PRIV_H
#define PL_API_SERVE_PRIV_H

#include "api/ask.h"
#include "api/settings.h"
#include "api/startup.h"
#include "api/tenant_limits.h"
#include "engine/ingest/http_door.h"
#include "engine/net/timer.h"
#include "storage/keyring.h"

struct serve {
    struct pl_settings settings;
    struct pl_clock clock;
    struct pl_log log;
    struct pl_inherited inherited;
    char run_folder[PL_PATH_CHARS]; /* empty until it says where the engine listens */
    int lock_fd;

    struct pl_launcher *launcher;
    struct pl_loop *loop;
    struct pl_keychain *chain;
    struct pl_tenant_limits *tenant_limits;
    struct pl_ledger ledger; /* until the thread owns it */
    struct pl_ledger_thread *ledger_thread;
    struct pl_object_store store;
    struct pl_spool *spool;
    struct pl_pool *pool;
    struct pl_core *core;
    struct pl_devices *devices;
    struct pl_http_door *door;
    struct pl_tls_context *devices_tls;
    struct pl_tls_context *control_tls;
    struct pl_http_server *devices_server;
    struct pl_http_server *control_server;
    struct pl_api api;

    bool stopping;
    bool grace_over;
    bool core_draining;
    unsigned servers_draining;
    bool pool_closing;
    bool pool_closed;
    bool core_drained;
    struct pl_timer *grace;
    struct pl_timer *health;
    struct pl_fault failure; /* what ended it; the exit code says so */
};

/* Opens everything from the lock to the listeners, in order. What a failure leaves open, the way
 * down closes. */
pl_status serve_open_parts(struct serve *serve, struct pl_fault *fault) PL_MUST_USE;
/* After the loop has ended: the rest, in reverse of the order of birth. */
void serve_free_parts(struct serve *serve);

/* A setting's path, absolute. */
pl_status serve_path(const struct serve *serve, const char *path, char out[PL_PATH_CHARS],
                     struct pl_fault *fault) PL_MUST_USE;

#endif
